"""The version of what a workspace keeps between runs, and the step from an older version to this one.

Every record (manifest, pointer, closed month, line and count of deliveries) and every published file carries the number of the
program's state that wrote it. Records without one are of version 1. Which version may be read:
- older: as it is. The next run brings it to this version: `migrate`, under the workspace's lock. Closed months and the ledger of
  deliveries are only ever added to, so their lines keep the version that they were written with. A build is made again.
- newer: refused by its number, because what this program does not know of it would be lost or read wrongly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigurationError
from pipeline.private_files import close_to_others, list_open
from pipeline.settings import Workspace
from pipeline.whole_files import seal, unseal, write_whole

# 1: no record names a version, files have the modes of the umask. 2: both do.
VERSION = 2
FIRST = 1
_FIELD = "state_version"


class NewerState(ConfigurationError):
    """A newer program wrote it."""


def seal_state(record: Mapping[str, Any]) -> bytes:
    """A sealed record with the version of this program."""
    return seal({_FIELD: VERSION, **record})


def unseal_state(content: bytes, path: Path, *, needs_seal: bool = False) -> dict[str, Any]:
    """The record, its version checked and taken out. Raises NewerState, and ValueError as `unseal` does."""
    record = unseal(content, needs_seal=needs_seal)
    check_version(record.pop(_FIELD, FIRST), path)
    return record


def check_version(version: object, path: Path) -> None:
    """Raises NewerState where this program is too old for the file, ValueError where `version` is no version."""
    if type(version) is not int or version < FIRST:
        raise ValueError(f"{version!r} is no version of the state")
    if version > VERSION:
        raise NewerState(
            f"{path} was written by a newer program: version {version}, this program knows {VERSION}. Install the release that "
            "wrote it, or a later one."
        )


def list_older(workspace: Workspace) -> dict[str, int]:
    """Kind of state -> its version, for what the next run brings to this version. Raises NewerState."""
    found: dict[str, int] = {}
    for kind, path in _list_records(workspace):
        version = _read_version(path)
        if version is not None and version < VERSION:
            found[kind] = min(version, found.get(kind, version))
    return found


def migrate(workspace: Workspace) -> dict[str, int]:
    """Bring the state to this version; what was older, as `list_older` gives it. The caller holds the workspace's lock.

    Killed anywhere, each record is the old or the new one, both can be read, and the next run begins again: the mark that says
    that all is done is written last. Raises NewerState before anything is written.
    """
    mark = workspace.warehouse / "state.json"
    if _read_version(mark) == VERSION:
        return {}
    older = list_older(workspace)
    for kind, path in _list_records(workspace):
        # Which build is served is said by the next build alone, and it is that of the file beside it.
        if kind == "pointer" or _read_version(path) in (None, VERSION):
            continue
        write_whole(path, seal_state(unseal_state(path.read_bytes(), path)))
    close_to_others(list_open(workspace))
    write_whole(mark, seal_state({}))
    return older


def describe_older(older: Mapping[str, int]) -> str:
    """One line for the user; empty where nothing is older."""
    if not older:
        return ""
    kinds = ", ".join(f"{kind} (version {version})" for kind, version in sorted(older.items()))
    return f"State of an older program: {kinds}. The next `sla run` brings it to version {VERSION}."


def is_older(path: Path) -> bool:
    """Whether an older program wrote a record; False where there is none that can be read."""
    return (_read_version(path) or VERSION) < VERSION


def _list_records(workspace: Workspace) -> Iterator[tuple[str, Path]]:
    """What carries a version and is replaced as a whole, with its kind."""
    for path in sorted((workspace.landed / "manifest").glob("*.json")):
        yield "landed batches", path
    yield "pointer", workspace.published / "current.json"
    for path in sorted(workspace.published.glob("published-*.json")):
        yield "publications", path
    yield "closed months", workspace.warehouse / "closed.json"
    yield "closed months", workspace.published / "closed.json"
    yield "deliveries", workspace.warehouse / "deliveries.json"


def _read_version(path: Path) -> int | None:
    """The version of a record; None where there is none that can be read: what is damaged is told by the one who reads it."""
    try:
        version = unseal(path.read_bytes()).get(_FIELD, FIRST)
        check_version(version, path)
    except (FileNotFoundError, ValueError):
        return None
    return int(version)
