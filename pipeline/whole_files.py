"""Files that are there whole or not at all, and records that carry their own digest, so that a changed bit is seen."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

# Where a sealed record keeps the SHA-256 of all its other fields.
_SEAL = "record_sha256"


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file's content in one step, durably: a reader sees the old content or the new one. Raises OSError.

    The folder is created. The number of the process keeps two writers of one file apart.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        sync(path.parent)
    except OSError as problem:
        # Writing names no file, and the temporary one means nothing to a user.
        raise OSError(problem.errno, problem.strerror or str(problem), str(path)) from problem
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what `write_whole` left under temporary names in a process that is no longer there. Raises OSError."""
    for path in folder.rglob(".*.tmp"):
        number = path.name.rpartition(".tmp")[0].rpartition(".")[2]
        if number.isdecimal() and not _is_alive(int(number)):
            path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        # Of another user; or no number of a process, whose file is then left alone.
        return True
    return True


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, survive a power cut: a rename does so only once its folder is written."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def seal(record: Mapping[str, Any]) -> bytes:
    """A record as a JSON document that holds its own digest."""
    sealed = {**record, _SEAL: _digest(record)}
    return (json.dumps(sealed, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def seal_line(record: Mapping[str, Any]) -> bytes:
    """The same as one line, for a file to which records are only added."""
    sealed = {**record, _SEAL: _digest(record)}
    return (json.dumps(sealed, ensure_ascii=False, sort_keys=True) + "\n").encode()


def add_lines(path: Path, content: bytes) -> None:
    """Add whole lines at the end of a file, durably. Raises OSError.

    A line that a killed run left without its end was never finished, and is cut off first: what was added before it stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with path.open("ab+") as stream:
        end = stream.seek(0, os.SEEK_END)
        stream.seek(max(end - 1, 0))
        if stream.read(1) not in (b"", b"\n"):
            stream.seek(0)
            stream.truncate(stream.read().rfind(b"\n") + 1)
        stream.seek(0, os.SEEK_END)
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    if is_new:
        sync(path.parent)


def unseal(content: bytes, *, needs_seal: bool = False) -> dict[str, Any]:
    """The record of a sealed document. One without a digest is of a version before there were any, and is taken as it is, unless
    it `needs_seal`.

    Raises ValueError when it is no JSON object, or is not the record that was sealed.
    """
    record = json.loads(content.decode("utf-8"))
    if not isinstance(record, dict):
        raise ValueError("it is no JSON object")
    digest = record.pop(_SEAL, None)
    if digest is None and needs_seal:
        raise ValueError("it has no digest")
    if digest is not None and digest != _digest(record):
        raise ValueError("its digest is another")
    return record


def _digest(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
