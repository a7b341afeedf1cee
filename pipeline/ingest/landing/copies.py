"""Compressed copies of landed exports, for a workspace whose sla.yml says `keep_exports: true`.

They are read again once another reader is at work and the inbox no longer holds the export. A copy stays until the user
deletes it, also when the setting is gone.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import InputRejected, Problem, SlaError
from pipeline.ingest.files.exports import Export, ExportChanging, open_bytes
from pipeline.ingest.landing.manifest import Batch
from pipeline.settings import Workspace
from pipeline.whole_files import sync

_BLOCK_BYTES = 1 << 20


def copy_path(workspace: Workspace, batch_id: str) -> Path:
    """Where the copy of a batch's content lies, if one is kept. It is named after the content, not after its file."""
    return workspace.warehouse / "exports" / f"{batch_id}.gz"


def list_copies(workspace: Workspace) -> list[str]:
    """The batch_id of every content that a copy is kept of, sorted."""
    return sorted(path.stem for path in (workspace.warehouse / "exports").glob("*.gz"))


def keep_copy(workspace: Workspace, export: Export, batch_id: str) -> None:
    """Write the copy: whole or not at all, the same bytes whenever and from whatever file, readable by its owner alone.

    Raises ExportChanging when the content is no longer that of the batch, SlaError when there is no room.
    """
    path = copy_path(workspace, batch_id)
    temporary = path.with_name(path.name + ".tmp")
    digest = hashlib.sha256(export.source.encode() + b"\0")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open_bytes(export) as content, _create(temporary) as stream:
            # Neither a name nor a time inside: both would make other bytes of the same content.
            with gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as packed:
                while block := content.read(_BLOCK_BYTES):
                    digest.update(block)
                    packed.write(block)
            stream.flush()
            os.fsync(stream.fileno())
        if digest.hexdigest() != batch_id:
            raise ExportChanging(export)
        temporary.replace(path)
        sync(path.parent)
    except OSError as problem:
        raise SlaError(
            f"No copy of {export.name} could be kept: {problem.strerror or problem}. Make room, or take `keep_exports` out "
            "of sla.yml; then run again."
        ) from problem
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def unpack_copy(workspace: Workspace, batch: Batch) -> Iterator[Path]:
    """The content of a batch as a file that is gone afterwards. Unpacked, because a workbook is not read front to back.

    Raises InputRejected when the copy does not hold that content, SlaError when there is no room.
    """
    folder = _unpacked(workspace)
    path = folder / batch.batch_id
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _unpack(workspace, batch, path)
        yield path
    finally:
        path.unlink(missing_ok=True)


def _unpack(workspace: Workspace, batch: Batch, path: Path) -> None:
    digest = hashlib.sha256(batch.source.encode() + b"\0")
    left = batch.bytes
    try:
        with gzip.open(copy_path(workspace, batch.batch_id)) as packed, _create(path) as stream:
            # One byte more than it may hold is enough to know that it is another content.
            while left >= 0 and (block := packed.read(min(_BLOCK_BYTES, left + 1))):
                left -= len(block)
                digest.update(block)
                stream.write(block)
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        raise _refuse(workspace, batch) from problem
    except OSError as problem:
        raise SlaError(
            f"The copy of {batch.file} could not be unpacked: {problem.strerror or problem}. Make room and run again."
        ) from problem
    if digest.hexdigest() != batch.batch_id:
        raise _refuse(workspace, batch)


def clean_copies(workspace: Workspace) -> None:
    """Remove what a killed run left: half a copy, or an unpacked one."""
    for leftover in (
        *(workspace.warehouse / "exports").glob("*.tmp"),
        *_unpacked(workspace).glob("*"),
    ):
        leftover.unlink(missing_ok=True)


def _unpacked(workspace: Workspace) -> Path:
    return workspace.warehouse / "exports" / "unpacked"


def _create(path: Path) -> BinaryIO:
    """A new file that only its owner may read, whatever the folder allows."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _refuse(workspace: Workspace, batch: Batch) -> InputRejected:
    shown = copy_path(workspace, batch.batch_id).relative_to(workspace.root).as_posix()
    return InputRejected(
        f"{batch.file} was not read again; what landed of it stays as it is.",
        [
            Problem(
                shown,
                None,
                None,
                f"the copy of {batch.file} is damaged.",
                f"Put the export back into inbox/{batch.source}/, or delete the copy.",
            )
        ],
    )
