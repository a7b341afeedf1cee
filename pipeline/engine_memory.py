"""How much memory the engine of a landing or a build may take: half of what the machine or its container has, or what `memory` in
sla.yml says.

The other half is for what the engine does not count: the program itself, the files that the system keeps at hand. What does not
fit goes to files beside the database, so a smaller amount makes a run slower and changes no figure.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

_HALF = "50 %"
# Below this no build ends.
_LEAST = 512 << 20
# As sla.yml says it: a share of the machine or container, or an amount.
MEMORY = r"^(([1-9][0-9]?|100) ?%|[1-9][0-9]{0,4}(\.[0-9]{1,2})? ?(MiB|GiB))$"
_UNITS = {"MiB": 1 << 20, "GiB": 1 << 30}
# Two models that are built at once hold both of their sorts. A million tickets (18.9 million landed rows: changes, messages,
# versions) with 2 GiB ended with one model at a time and not with two, so a kilobyte a row is far on the safe side of that.
_BYTES_A_ROW = 1 << 10
_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")
# What a group may take at most, in version 2 and 1 of the kernel's control groups; `max`, or a number beyond the machine, is no
# limit.
_LIMITS = ("memory.max", "memory.high", "memory.limit_in_bytes")

_said = _HALF


def limit_engine(said: str | None) -> None:
    """From here on, engines of this process take what sla.yml says (`MEMORY`); None is half of what there is."""
    global _said
    _said = said or _HALF


def engine_memory(cgroups: Path = _CGROUPS, own_cgroup: Path = _OWN_CGROUP) -> int:
    """Bytes, never more than there is. `cgroups` is where the kernel shows control groups; `own_cgroup` is the file that names
    those of this process."""
    has = min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_read_limits(cgroups, own_cgroup)])
    number = float(re.match(r"[0-9.]+", _said)[0])  # type: ignore[index]
    if _said.endswith("%"):
        return max(int(has * number / 100), _LEAST)
    return max(min(int(number * _UNITS[_said[-3:]]), has), _LEAST)


def operator_memory() -> int:
    """Bytes that the sorts and hash tables of one query may hold before they spill: a quarter of the engine's memory.

    Without a limit of its own a query with many joins plans to use all of it, and then fails for what it did not plan. Of a
    million tickets with 2 GiB the verdicts could not be made without one and could with a half; with 1 GiB
    `int_promises__ticket_terms` could not with a half and could with a quarter, in less time (DuckDB 2.0).
    """
    return engine_memory() // 4


def engine_threads() -> int:
    """How many threads the engine takes: one a processor, and where it has less than a GiB for each, one a GiB.

    Each holds parts of the sorts of a query at once: with 1 GiB `int_helpdesk__tickets` of a million tickets failed with
    two threads and was made with one (DuckDB 2.0).
    """
    import duckdb

    with duckdb.connect() as connection:
        [(processors,)] = connection.execute("select current_setting('threads')").fetchall()
    return max(min(int(processors), engine_memory() >> 30), 1)


def fits_beside(landed_rows: int) -> bool:
    """Whether two models of a build of so many landed rows have room beside each other in the engine's memory."""
    return landed_rows * _BYTES_A_ROW <= engine_memory()


def _read_limits(cgroups: Path, own_cgroup: Path) -> Iterator[int]:
    for folder in _list_groups(cgroups, own_cgroup):
        for name in _LIMITS:
            try:
                text = (folder / name).read_text(encoding="ascii").strip()
            except (OSError, UnicodeDecodeError):
                continue
            if text.isdigit():
                yield int(text)


def _list_groups(cgroups: Path, own_cgroup: Path) -> Iterator[Path]:
    """The folders of the groups that this process is in: its own and those around it. A container may see them as the roots."""
    yield from (cgroups, cgroups / "memory")
    try:
        lines = own_cgroup.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        # Number, controllers, path; version 2 names no controllers.
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        root = cgroups / "memory" if controllers else cgroups
        group = root / path.lstrip("/")
        while group != root and root in group.parents:
            yield group
            group = group.parent
