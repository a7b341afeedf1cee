"""Ctrl-C that a library swallowed still stops the run at its next step."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest

from pipeline.interruption import is_asked, listen, stop_if_asked


@pytest.fixture(autouse=True)
def handler_of_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    listen()
    signal.signal(signal.SIGINT, before)


def test_a_swallowed_interrupt_is_raised_again_at_the_next_step() -> None:
    listen()
    stop_if_asked()
    with suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    assert is_asked()
    with pytest.raises(KeyboardInterrupt):
        stop_if_asked()


def test_an_interrupt_of_an_earlier_command_is_forgotten() -> None:
    listen()
    with suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    listen()
    stop_if_asked()
    assert not is_asked()
