"""One export as it lies on the disk: opened (gzip and members of a ZIP too), sized, hashed, and looked at before it
is read.

File names are data: opened here and shown in messages, they never reach SQL or become a name of ours.
"""

from __future__ import annotations

import codecs
import fcntl
import gzip
import hashlib
import os
import sys
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Protocol, cast

from pipeline.errors import InputRejected, Problem
from pipeline.ingest.files.limits import RATIO_FREE_BYTES, RATIO_LIMIT

_HASH_BLOCK_BYTES = 4 << 20
_RECODED_BLOCK_BYTES = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGIC = b"PK\x03\x04"
EMPTY_ZIP_MAGIC = b"PK\x05\x06"
PARQUET_MAGIC = b"PAR1"


@dataclass(frozen=True)
class Export:
    """One file to land.

    `name` is how messages and lineage show it; `given` is the name that the manifest keeps. `member` is the place in a
    ZIP, whose members are exports of their own, named `file.zip!member`. `encoding` is the one that its text is
    declared to have; readers always get UTF-8.
    """

    path: Path
    source: str
    name: str
    given: str
    member: int | None = None
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Fingerprint:
    """What identifies a content: `batch_id` is the SHA-256 of source name, NUL and content; `bytes` is its uncompressed
    size. `disk_bytes` and `changed_ns` tell whether the file is still the one that was hashed.
    """

    batch_id: str
    file_sha256: str
    bytes: int
    disk_bytes: int
    changed_ns: int

    def is_still(self, path: Path) -> bool:
        """Whether the file has not been touched since."""
        now = path.stat()
        return (now.st_size, now.st_mtime_ns) == (self.disk_bytes, self.changed_ns)


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


class ExportChanging(InputRejected):
    """The file is still being written: it is left for the next run."""

    def __init__(self, export: Export) -> None:
        super().__init__(
            f"{export.name} is still being written and was left for the next run.",
            [
                Problem(
                    export.name,
                    None,
                    None,
                    "the file is still being written, so it was left for the next run.",
                    "Write exports as *.part and rename them when they are complete.",
                )
            ],
        )


class Content(Protocol):
    """What is read of an export, front to back."""

    def read(self, size: int = -1, /) -> bytes: ...

    def readline(self, limit: int = -1, /) -> bytes: ...

    def readinto(self, buffer: memoryview, /) -> int: ...


class _Unpacked:
    """Compressed content as it is read, refused when it grows past the ratio limit."""

    def __init__(self, stream: IO[bytes], compressed_bytes: int) -> None:
        # Both gzip and zipfile hand out buffered binary streams; their common type has no readinto.
        self._stream = cast(BinaryIO, stream)
        self._left = max(RATIO_FREE_BYTES, compressed_bytes * RATIO_LIMIT)

    def _count(self, content: bytes) -> bytes:
        self._left -= len(content)
        if self._left < 0:
            raise _TooCompressed
        return content

    def read(self, size: int = -1) -> bytes:
        # One more than is allowed, so that "all of it" is no way around the limit.
        return self._count(self._stream.read(self._left + 1 if size < 0 else size))

    def readinto(self, buffer: memoryview) -> int:
        size: int = self._stream.readinto(buffer)  # type: ignore[attr-defined]
        self._left -= size
        if self._left < 0:
            raise _TooCompressed
        return size

    def readline(self, limit: int = -1) -> bytes:
        return self._count(self._stream.readline(self._left + 1 if limit < 0 else limit))


class _Recoded:
    """Content of another encoding as UTF-8. What does not follow the declared encoding stays no UTF-8."""

    def __init__(self, content: Content, encoding: str) -> None:
        self._content = content
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
        self._waiting = b""
        self._has_ended = False

    def _fill(self, size: int) -> None:
        while not self._has_ended and (size < 0 or len(self._waiting) < size):
            block = self._content.read(_RECODED_BLOCK_BYTES)
            self._has_ended = not block
            text = self._decoder.decode(block, final=self._has_ended)
            self._waiting += text.encode("utf-8", "surrogateescape")

    def read(self, size: int = -1) -> bytes:
        self._fill(size)
        taken = self._waiting if size < 0 else self._waiting[:size]
        self._waiting = self._waiting[len(taken) :]
        return taken

    def readinto(self, buffer: memoryview) -> int:
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def readline(self, limit: int = -1) -> bytes:
        wanted = _RECODED_BLOCK_BYTES
        while True:
            self._fill(wanted if limit < 0 else min(wanted, limit))
            end = self._waiting.find(b"\n") + 1
            if end or self._has_ended or 0 <= limit <= len(self._waiting):
                return self.read(min(end or len(self._waiting), limit if limit >= 0 else len(self._waiting)))
            wanted = 2 * len(self._waiting)


class _TooCompressed(Exception):
    """Only inside this module."""


@contextmanager
def open_file(export: Export) -> Iterator[BinaryIO]:
    """The file itself, as it lies on the disk.

    Raises InputRejected when it cannot be read or changes meanwhile.
    """
    # A link could show what only this program may read to a user who may only drop files here.
    if export.path.is_symlink():
        raise reject(export, "it is a link.", "Put the export itself there.")
    # Opening a pipe would wait for a writer.
    if export.path.exists() and not export.path.is_file():
        raise reject(export, "it is not a regular file.", "Put the export itself there.")
    try:
        with export.path.open("rb") as stream:
            before = os.fstat(stream.fileno())
            yield stream
            after = os.fstat(stream.fileno())
    except OSError as problem:
        raise reject(
            export, f"the file cannot be read: {problem.strerror}.", "Check the file and its permissions."
        ) from None
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise ExportChanging(export)


def check_is_complete(export: Export) -> None:
    """Raise ExportChanging while a process of this machine has the file open for writing.

    The system tells by refusing a lease. Where it knows no leases (network file systems), only a file that changes
    while it is read is noticed.
    """
    if sys.platform != "linux" or not export.path.is_file():
        return
    with suppress(PermissionError), export.path.open("rb") as stream:
        try:
            fcntl.fcntl(stream, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except BlockingIOError:
            raise ExportChanging(export) from None
        except OSError:
            return
        fcntl.fcntl(stream, fcntl.F_SETLEASE, fcntl.F_UNLCK)


@contextmanager
def open_export(export: Export) -> Iterator[Content]:
    """The content, unpacked and as UTF-8, for reading once.

    Raises InputRejected when it cannot be read, is damaged, or changes meanwhile.
    """
    with open_bytes(export) as content:
        if export.encoding == "utf-8":
            yield content
            return
        try:
            yield _Recoded(content, export.encoding)
        except UnicodeDecodeError:
            raise reject(
                export,
                f"the file does not have the declared encoding {export.encoding}.",
                "Correct the encoding of this source, or export the file as UTF-8.",
            ) from None


@contextmanager
def open_bytes(export: Export) -> Iterator[Content]:
    """Like `open_export`, in the encoding that the file has."""
    with open_file(export) as stream:
        magic = stream.read(4)
        stream.seek(0)
        if export.member is not None:
            with _open_member(export, stream) as member:
                yield member
        elif magic.startswith(_GZIP_MAGIC):
            with _explain_damage(export, "gzip"), gzip.GzipFile(fileobj=stream, mode="rb") as unpacked:
                yield _Unpacked(cast(IO[bytes], unpacked), os.fstat(stream.fileno()).st_size)
        else:
            yield cast(Content, stream)


@contextmanager
def _open_member(export: Export, stream: BinaryIO) -> Iterator[Content]:
    assert export.member is not None
    with _explain_damage(export, "ZIP"):
        archive = _ARCHIVE.open(export.path, os.fstat(stream.fileno()))
        member = archive.infolist()[export.member]
        with archive.open(member) as unpacked:
            yield _Unpacked(unpacked, member.compress_size)


class _OpenArchive:
    """The archive whose members are read now, with its list: reading the list for every member would take members squared."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._archive: zipfile.ZipFile | None = None

    def open(self, path: Path, state: os.stat_result) -> zipfile.ZipFile:
        key = (path, state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)
        if self._archive is None or self._key != key:
            if self._archive is not None:
                self._archive.close()
                self._archive = None
            self._archive = zipfile.ZipFile(path)
            self._key = key
        return self._archive


# One process reads one file after the other.
_ARCHIVE = _OpenArchive()


@contextmanager
def _explain_damage(export: Export, kind: str) -> Iterator[None]:
    """Only what unpacking itself raises ends here: a refusal from the reader passes."""
    try:
        yield
    except _TooCompressed:
        raise reject(
            export,
            f"the {kind} grows more than {RATIO_LIMIT} times when unpacked.",
            "If the file is genuine, unpack it first.",
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, NotImplementedError):
        raise reject(export, f"the {kind} is damaged or cut off.", "Fetch the export again.") from None


def fingerprint(export: Export) -> Fingerprint:
    """Hash the content. Raises InputRejected when it cannot be read or is empty."""
    of_file = hashlib.sha256()
    of_batch = hashlib.sha256(export.source.encode() + b"\0")
    size = 0
    # Hashing is the slowest part of looking at a file that has landed before, and both hashes need every
    # byte.
    with open_bytes(export) as stream, ThreadPoolExecutor(1) as beside:
        # Read after the file was opened, which refuses what has no such state (a pipe, a missing file).
        state = export.path.stat()
        while block := stream.read(_HASH_BLOCK_BYTES):
            done = beside.submit(of_file.update, block)
            of_batch.update(block)
            done.result()
            size += len(block)
    if size == 0:
        raise reject(
            export, "the file is empty.", "Even an export without tickets has a header; export it again."
        )
    return Fingerprint(of_batch.hexdigest(), of_file.hexdigest(), size, state.st_size, state.st_mtime_ns)


def read_start(export: Export) -> bytes:
    """The first 64 KiB without BOM and leading white space; of a workbook or Parquet file, its four magic
    bytes.

    Raises InputRejected for what is no export at all.
    """
    with open_bytes(export) as stream:
        magic = stream.read(4)
    if magic.startswith((ZIP_MAGIC, EMPTY_ZIP_MAGIC, _GZIP_MAGIC, PARQUET_MAGIC)):
        # A member of an archive cannot be read from back to front, as these need it.
        if export.member is not None or _is_gzip(export):
            raise reject(
                export,
                "it is a packed file inside a packed file.",
                "Unpack the outer one, and put what is inside into the inbox.",
            )
        return magic
    with open_export(export) as stream:
        start = stream.read(64 << 10)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise reject(
            export, "the file is UTF-16, not UTF-8.", "Save it as UTF-8 (in a spreadsheet: 'CSV UTF-8')."
        )
    if start.startswith(b"%PDF"):
        raise reject(export, "the file is a document, not an export.", "Export the tickets as CSV or NDJSON.")
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise reject(
            export,
            "the file is an old or encrypted office document, not an export.",
            "Save the sheet as XLSX without a password, or as CSV UTF-8.",
        )
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise reject(
            export,
            "the file holds only white space.",
            "Even an export without tickets has a header; export it again.",
        )
    if start.startswith(b"<") and (
        b"<html" in start[:2048].lower() or b"<!doctype html" in start[:64].lower()
    ):
        raise reject(
            export,
            "the file is an HTML page, not an export.",
            "A login or error page was probably saved instead of the export; sign in and download it again.",
        )
    return start


def _is_gzip(export: Export) -> bool:
    with open_file(export) as stream:
        return stream.read(2) == _GZIP_MAGIC
