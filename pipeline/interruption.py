"""Ctrl-C, also where a library took it for an error of its own or lost it: the next step asks.

Libraries catch everything (dbt's runner), or run code whose exceptions go nowhere (callbacks of the collector). A run that
was asked to stop must not publish because of that.
"""

from __future__ import annotations

import signal
from types import FrameType

_was_asked = False


def listen() -> None:
    """Remember Ctrl-C from now on, and raise KeyboardInterrupt for it as usual. For the main thread."""
    global _was_asked
    _was_asked = False
    signal.signal(signal.SIGINT, _remember)


def is_asked() -> bool:
    """Whether a stop was asked for."""
    return _was_asked


def stop_if_asked() -> None:
    """Raise KeyboardInterrupt when a stop was asked for, also where the first exception was lost."""
    if _was_asked:
        raise KeyboardInterrupt


def _remember(signal_number: int, frame: FrameType | None) -> None:
    global _was_asked
    _was_asked = True
    raise KeyboardInterrupt
