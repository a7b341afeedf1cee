"""How much memory the engine of a build may take: half of what the machine or its container has.

The other half is for what the engine does not count: the program itself, the files that the system keeps at hand.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

_SHARE = 0.5
# Below this no build ends.
_LEAST = 512 << 20
# What a container may take at most, in version 2 and 1 of the kernel's control groups; `max`, or a number beyond the machine:
# no limit.
_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory.high"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def engine_memory(limits: Sequence[Path] = _CGROUP_LIMITS) -> int:
    """Bytes. `limits` are the files that say what the container may take."""
    has = min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_read(limits)])
    return max(int(has * _SHARE), _LEAST)


def _read(limits: Sequence[Path]) -> list[int]:
    found = []
    for path in limits:
        try:
            text = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if text.isdigit():
            found.append(int(text))
    return found
