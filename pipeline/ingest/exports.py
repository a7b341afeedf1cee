"""One export as it lies on the disk: opened (gzip too), sized, hashed, and looked at before it is read.

File names are data: opened here and shown in messages, they never reach SQL or become a name of ours.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from pipeline.errors import InputRejected, Problem

# A gzip that grows more than this is taken for a bomb; helpdesk exports compress 5 to 20 times.
GZIP_RATIO_LIMIT = 100
GZIP_RATIO_FREE_BYTES = 16 << 20
_HASH_BLOCK_BYTES = 4 << 20
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class Export:
    """One file to land.

    `name` is how messages and lineage show it; `given` is the name that the manifest keeps.
    """

    path: Path
    source: str
    name: str
    given: str


@dataclass(frozen=True)
class Fingerprint:
    """What identifies a content: `batch_id` is the SHA-256 of source name, NUL and content; sizes are
    uncompressed bytes.
    """

    batch_id: str
    file_sha256: str
    bytes: int


def printable(path: Path | str) -> str:
    """A file name that is safe on one line of a terminal or a report: control characters and stray bytes
    escaped.
    """
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def reject(
    export: Export, reason: str, hint: str | None = None, line: int | None = None, field: str | None = None
) -> InputRejected:
    """The error that refuses a whole file."""
    return InputRejected(
        f"{export.name} was not landed; nothing of it was kept.",
        [Problem(export.name, line, field, reason, hint)],
    )


class Content(Protocol):
    """What is read of an export, front to back."""

    def read(self, size: int = -1, /) -> bytes: ...

    def readline(self, limit: int = -1, /) -> bytes: ...

    def readinto(self, buffer: memoryview, /) -> int: ...


class _LimitedGzip:
    """The uncompressed content of a gzip, refused when it grows past the ratio limit."""

    def __init__(self, compressed: BinaryIO, compressed_bytes: int) -> None:
        self._stream = gzip.GzipFile(fileobj=compressed, mode="rb")
        self._left = max(GZIP_RATIO_FREE_BYTES, compressed_bytes * GZIP_RATIO_LIMIT)

    def _count(self, content: bytes) -> bytes:
        self._left -= len(content)
        if self._left < 0:
            raise _TooCompressed
        return content

    def read(self, size: int = -1) -> bytes:
        return self._count(self._stream.read(size))

    def readinto(self, buffer: memoryview) -> int:
        size = self._stream.readinto(buffer)
        self._left -= size
        if self._left < 0:
            raise _TooCompressed
        return size

    def readline(self, limit: int = -1) -> bytes:
        return self._count(self._stream.readline(limit))


class _TooCompressed(Exception):
    """Only inside this module."""


@contextmanager
def open_export(export: Export) -> Iterator[Content]:
    """The content, uncompressed, for reading once.

    Raises InputRejected when it cannot be read or changes meanwhile.
    """
    # Opening a pipe would wait for somebody to write into it.
    if export.path.exists() and not export.path.is_file():
        raise reject(export, "it is not a regular file.", "Put the export itself there.")
    try:
        with export.path.open("rb") as stream:
            before = os.fstat(stream.fileno())
            magic = stream.read(2)
            stream.seek(0)
            if magic == _GZIP_MAGIC:
                yield _LimitedGzip(stream, before.st_size)
            else:
                yield stream
            after = os.fstat(stream.fileno())
    except _TooCompressed:
        raise reject(
            export,
            f"the gzip grows more than {GZIP_RATIO_LIMIT} times when unpacked.",
            "If the file is genuine, unpack it first.",
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise reject(export, "the gzip is damaged or cut off.", "Fetch the export again.") from None
    except OSError as problem:
        raise reject(
            export, f"the file cannot be read: {problem.strerror}.", "Check the file and its permissions."
        ) from None
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise reject(
            export,
            "the file changed while it was being read.",
            "Wait until the export is complete (write it as *.part and rename it), then run again.",
        )


def fingerprint(export: Export) -> Fingerprint:
    """Hash the content. Raises InputRejected when it cannot be read or is empty."""
    of_file = hashlib.sha256()
    of_batch = hashlib.sha256(export.source.encode() + b"\0")
    size = 0
    # Hashing is the slowest part of looking at a file that has landed before, and both hashes need every
    # byte.
    with open_export(export) as stream, ThreadPoolExecutor(1) as beside:
        while block := stream.read(_HASH_BLOCK_BYTES):
            done = beside.submit(of_file.update, block)
            of_batch.update(block)
            done.result()
            size += len(block)
    if size == 0:
        raise reject(
            export, "the file is empty.", "Even an export without tickets has a header; export it again."
        )
    return Fingerprint(of_batch.hexdigest(), of_file.hexdigest(), size)


def read_start(export: Export) -> bytes:
    """The first 64 KiB without BOM and leading white space.

    Raises InputRejected for what is no text export at all.
    """
    with open_export(export) as stream:
        start = stream.read(64 << 10)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise reject(
            export, "the file is UTF-16, not UTF-8.", "Save it as UTF-8 (in a spreadsheet: 'CSV UTF-8')."
        )
    if start.startswith(b"PK\x03\x04"):
        raise reject(
            export,
            "the file is a ZIP or a spreadsheet, not text.",
            "Unpack it, or save the sheet as CSV UTF-8.",
        )
    if start.startswith((b"%PDF", b"\xd0\xcf\x11\xe0")):
        raise reject(export, "the file is a document, not an export.", "Export the tickets as CSV or NDJSON.")
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise reject(
            export,
            "the file holds only white space.",
            "Even an export without tickets has a header; export it again.",
        )
    if start.startswith(b"<"):
        kind = (
            "an HTML page"
            if b"<html" in start[:2048].lower() or b"<!doctype html" in start[:64].lower()
            else "XML"
        )
        raise reject(
            export,
            f"the file is {kind}, not an export.",
            "A login or error page was probably saved instead of the export; sign in and download it again."
            if kind == "an HTML page"
            else "Export the tickets as CSV or NDJSON.",
        )
    return start
