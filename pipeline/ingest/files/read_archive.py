"""ZIP: the members of an archive as exports of their own, and the parts of a workbook. Nothing is ever extracted.

The list of members is checked before it is read, every name before it is used, and every size against what it was
packed to: a member is opened by its place in the list, so its name stays data.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import PurePosixPath
from typing import BinaryIO

from pipeline.errors import InputRejected
from pipeline.ingest.files.exports import EMPTY_ZIP_MAGIC, ZIP_MAGIC, Export, open_file, printable, reject
from pipeline.ingest.files.limits import (
    ARCHIVE_DIRECTORY_BYTES,
    ARCHIVE_ENTRIES,
    RATIO_FREE_BYTES,
    RATIO_LIMIT,
    WORKBOOK_BYTES,
    WORKBOOK_PARTS,
)

_ARCHIVES = (
    ".zip",
    ".gz",
    ".tgz",
    ".bz2",
    ".xz",
    ".zst",
    ".7z",
    ".rar",
    ".tar",
    ".xlsx",
    ".xlsm",
    ".parquet",
)
_WORKBOOK = "xl/workbook.xml"
_BINARY_WORKBOOK = "xl/workbook.bin"
_OPEN_DOCUMENT = "content.xml"
# What Macs and Windows add to an archive: never an export.
_ADDED = ("__MACOSX/",)
_ADDED_NAMES = (".DS_Store", "Thumbs.db", "desktop.ini")
_SUPPORTED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_IS_ENCRYPTED = 0x1
_LINK, _KIND = 0o120000, 0o170000
_AGAIN = "Pack the exports themselves again, each under its plain name."


def list_members(export: Export) -> list[Export]:
    """The exports in a file: its members when it is an archive, else the file itself.

    Raises InputRejected for an archive that holds anything odd: it is refused as a whole.
    """
    if not export.path.is_file():
        return [export]
    with open_file(export) as stream:
        magic = stream.read(4)
        if magic not in (ZIP_MAGIC, EMPTY_ZIP_MAGIC):
            return [export]
        with _open_zip(export, stream) as archive:
            names = {member.filename for member in archive.infolist()}
            if _WORKBOOK in names:
                return [export]
            _check_is_no_document(export, names)
            members = archive.infolist()
    if len(members) > ARCHIVE_ENTRIES:
        raise reject(
            export, f"the ZIP has {len(members):,} members; the limit is {ARCHIVE_ENTRIES:,}.", "Split it."
        )
    places = [place for place, member in enumerate(members) if not _is_passed_over(member)]
    for place in places:
        _check_member(export, members[place])
    wanted = [members[place].filename for place in places]
    doubled = {
        name.casefold() for name in wanted if [one.casefold() for one in wanted].count(name.casefold()) > 1
    }
    if doubled:
        raise reject(
            export,
            f"the ZIP holds {printable(sorted(doubled)[0])!r} more than once.",
            "Which of them is meant cannot be told; pack each export once.",
        )
    if not places:
        raise reject(export, "the ZIP holds no file.", "Pack the exports again.")
    _check_sizes(export, [members[place] for place in places])
    return [
        replace(
            export,
            name=f"{export.name}!{printable(members[place].filename)}",
            given=f"{export.given}!{printable(members[place].filename)}",
            member=place,
        )
        for place in places
    ]


def measure_unpacked(export: Export) -> int:
    """How many bytes a file has when it is unpacked, as far as its own lists say and its limits allow; never an error."""
    try:
        disk_bytes = export.path.stat().st_size
        if export.member is None:
            with open_file(export) as stream:
                if stream.read(4) == ZIP_MAGIC:
                    with _open_zip(export, stream) as archive:
                        unpacked = sum(part.file_size for part in archive.infolist())
                        return max(disk_bytes, min(unpacked, WORKBOOK_BYTES, disk_bytes * RATIO_LIMIT))
        return disk_bytes
    except (OSError, InputRejected):
        return 0


@contextmanager
def open_workbook(export: Export) -> Iterator[zipfile.ZipFile]:
    """The parts of a workbook, none of which unpacks to more than is allowed. Raises InputRejected."""
    with open_file(export) as stream, _open_zip(export, stream) as archive:
        parts = archive.infolist()
        if len(parts) > WORKBOOK_PARTS:
            raise reject(
                export,
                f"the workbook has {len(parts):,} parts; the limit is {WORKBOOK_PARTS:,}.",
                "Save the sheet with the tickets as a workbook of its own, or as CSV UTF-8.",
            )
        if any(part.flag_bits & _IS_ENCRYPTED for part in parts):
            raise reject(export, "the workbook is encrypted.", "Save it without a password.")
        _check_sizes(export, parts)
        if sum(part.file_size for part in parts) > WORKBOOK_BYTES:
            raise reject(
                export,
                f"the workbook unpacks to more than {WORKBOOK_BYTES >> 20:,} MB.",
                "Export shorter periods, or CSV.",
            )
        yield archive


@contextmanager
def _open_zip(export: Export, stream: BinaryIO) -> Iterator[zipfile.ZipFile]:
    _check_directory(export, stream)
    try:
        archive = zipfile.ZipFile(stream)
    # zipfile answers a damaged list of members with whatever its parsing met.
    except (zipfile.BadZipFile, NotImplementedError, ValueError, UnicodeDecodeError, EOFError, struct.error):
        raise _damaged(export) from None
    with archive:
        yield archive


def _damaged(export: Export) -> Exception:
    return reject(export, "the ZIP is damaged or cut off.", "Fetch the export again.")


def _check_directory(export: Export, stream: BinaryIO) -> None:
    """Refuse a list of members too long to be read: it costs many times its bytes in memory."""
    size = stream.seek(0, 2)
    # The end record is 22 bytes and a comment of at most 65,535.
    stream.seek(max(0, size - 22 - 65_535))
    tail = stream.read()
    stream.seek(0)
    at = tail.rfind(EMPTY_ZIP_MAGIC)
    if at < 0 or len(tail) - at < 22:
        raise _damaged(export)
    (directory_bytes,) = struct.unpack_from("<I", tail, at + 12)
    large = tail.rfind(b"PK\x06\x06", 0, at)
    if large >= 0 and at - large >= 56:
        (directory_bytes,) = struct.unpack_from("<Q", tail, large + 40)
    if directory_bytes > ARCHIVE_DIRECTORY_BYTES:
        raise reject(
            export,
            f"the ZIP's list of members has {directory_bytes:,} bytes; the limit is {ARCHIVE_DIRECTORY_BYTES:,}.",
            "Split it.",
        )


def _check_is_no_document(export: Export, names: set[str]) -> None:
    if _BINARY_WORKBOOK in names:
        raise reject(export, "the file is a binary workbook (XLSB).", "Save it as XLSX, or as CSV UTF-8.")
    if "mimetype" in names and _OPEN_DOCUMENT in names:
        raise reject(export, "the file is an OpenDocument file.", "Save the sheet as XLSX, or as CSV UTF-8.")
    if "[Content_Types].xml" in names:
        raise reject(
            export,
            "the file is an office document without a sheet.",
            "Export the tickets as XLSX, CSV or NDJSON.",
        )


def _is_passed_over(member: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(member.filename)
    is_odd = member.filename.startswith("/") or ".." in path.parts
    return not is_odd and (member.is_dir() or member.filename.startswith(_ADDED) or path.name in _ADDED_NAMES)


def _check_member(export: Export, member: zipfile.ZipInfo) -> None:
    name = member.filename
    shown = repr(printable(name))
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or ":" in name or any(part in ("", ".", "..") for part in parts):
        raise reject(export, f"the member {shown} has a path that leads elsewhere.", _AGAIN)
    # orig_filename is what the archive says; a NUL in it hides the rest from other programs.
    if not name.isprintable() or "\0" in member.orig_filename or len(name) > 255:
        raise reject(export, f"the member {shown} has a name that cannot be shown.", _AGAIN)
    if (member.external_attr >> 16) & _KIND not in (0, 0o100000):
        what = "a link" if (member.external_attr >> 16) & _KIND == _LINK else "no regular file"
        raise reject(export, f"the member {shown} is {what}.", _AGAIN)
    if member.flag_bits & _IS_ENCRYPTED:
        raise reject(export, f"the member {shown} is encrypted.", "Pack it without a password.")
    if member.compress_type not in _SUPPORTED:
        raise reject(
            export, f"the member {shown} is packed in a way that is not read.", "Pack it as plain ZIP."
        )
    if name.lower().endswith(_ARCHIVES):
        raise reject(
            export,
            f"the member {shown} is a packed file inside a packed file.",
            "Unpack the outer one, and put what is inside into the inbox.",
        )


def _check_sizes(export: Export, members: list[zipfile.ZipInfo]) -> None:
    """Refuse bombs by what the list says; what a member really unpacks to is held to it while reading."""
    packed = sum(member.compress_size for member in members)
    unpacked = sum(member.file_size for member in members)
    # Members that share their packed bytes are how a small file claims to hold petabytes.
    if packed > export.path.stat().st_size:
        raise reject(export, "the members of the ZIP overlap.", "Fetch the export again.")
    if unpacked > max(RATIO_FREE_BYTES, packed * RATIO_LIMIT):
        raise reject(
            export,
            f"the ZIP grows more than {RATIO_LIMIT} times when unpacked.",
            "If the file is genuine, unpack it first.",
        )
