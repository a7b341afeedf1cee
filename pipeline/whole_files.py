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


def unseal(content: bytes) -> dict[str, Any]:
    """The record of a sealed document. One without a digest is of a version before there were any, and is taken as it is.

    Raises ValueError when it is no JSON object, or is not the record that was sealed.
    """
    record = json.loads(content.decode("utf-8"))
    if not isinstance(record, dict):
        raise ValueError("it is no JSON object")
    digest = record.pop(_SEAL, None)
    if digest is not None and digest != _digest(record):
        raise ValueError("its digest is another")
    return record


def _digest(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
