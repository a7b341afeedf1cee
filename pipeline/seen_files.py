"""What was read of files that have not changed since: a run need not read gigabytes again to learn that they are the same.

A file counts as unchanged while its disk, inode, size and both times of change are those of the reading. What is kept here may be
deleted at any time: it is read again then. `sla check`, `sla doctor` and `sla verify` never ask here; they read the bytes.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.settings import read_clock
from pipeline.whole_files import hash_file, seal, unseal, write_whole

# A file may change twice within one tick of its disk's clock. What was read sooner after a change than this is read once more.
_SETTLED_NS = 2_000_000_000

_State = list[int]


class SeenFiles:
    """What is known by path and by what was asked. One per workspace and process; `save` writes it for the next process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, dict[str, Any]] = _read(path)
        self._is_changed = False

    def hash_file(self, path: Path, *, never_changes: bool = False) -> str:
        """SHA-256 of the file's bytes, hexadecimal. `never_changes`: this program wrote it under a name of its own, and it may be
        as young as it likes. Raises OSError.
        """
        state = read_state(path)
        known = self.recall(path, "sha256", state)
        if isinstance(known, str):
            return known
        digest = hash_file(path)
        self.note(path, "sha256", state, digest, never_changes=never_changes)
        return digest

    def knows(self, path: Path, sha256: str) -> bool:
        """Whether the file is known to have these bytes, without reading it. Raises OSError."""
        return bool(self.recall(path, "sha256", read_state(path)) == sha256)

    def recall(self, path: Path, asked: str, state: _State) -> Any:
        """What was noted while the file was in this state; None where nothing was, or too soon after a change."""
        entry = self._known.get(_key(path, asked))
        return entry["answer"] if entry is not None and entry["state"] == state else None

    def note(
        self, path: Path, asked: str, state: _State, answer: Any, *, never_changes: bool = False
    ) -> None:
        """Keep `answer`, which JSON must be able to say, if the file has not changed while it was read."""
        is_young = int(read_clock().timestamp() * 1e9) - max(state[3:]) < _SETTLED_NS
        if read_state(path) != state or (is_young and not never_changes):
            return
        self._known[_key(path, asked)] = {"path": str(path), "state": state, "answer": answer}
        self._is_changed = True

    def save(self) -> None:
        """Write what is known of the files that are still there. Raises OSError."""
        if not self._is_changed:
            return
        there = {key: entry for key, entry in self._known.items() if os.path.lexists(entry["path"])}
        write_whole(self._path, seal({"files": there}))
        self._is_changed = False


def read_state(path: Path) -> _State:
    """Disk, inode, size in bytes, and when the content and the entry of the file were changed, in nanoseconds. Raises OSError."""
    found = path.stat()
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


@cache
def seen_files(warehouse: Path) -> SeenFiles:
    """What is known of the files of the workspace with this warehouse."""
    return SeenFiles(warehouse / "seen.json")


def _key(path: Path, asked: str) -> str:
    return f"{asked} {path}"


def _read(path: Path) -> dict[str, dict[str, Any]]:
    # Damaged or of another version, it is worth no more than none.
    try:
        known = unseal(path.read_bytes())["files"]
        return {
            key: entry
            for key, entry in known.items()
            if isinstance(entry["path"], str) and isinstance(entry["state"], list) and "answer" in entry
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
