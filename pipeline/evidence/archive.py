"""The sealed archive of one customer's month: which files it has, and what every byte of it must be.

A ZIP with fixed dates and sorted names, so that the same rows give the same bytes. `manifest.json` is sealed with its own digest
and holds the SHA-256 of every other member.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import InputRejected
from pipeline.whole_files import seal, unseal

MANIFEST = "manifest.json"
FORMAT = 1
# A customer's month is small; an archive that unpacks to more is none of ours.
MAXIMUM_BYTES = 512 * 1024 * 1024
# ZIP knows no earlier date.
_NO_DATE = (1980, 1, 1, 0, 0, 0)

_AGAIN = "Ask for the file again."

Row = dict[str, Any]


def pack(
    tables: Mapping[str, Iterable[Row]], documents: Mapping[str, bytes], about: Mapping[str, Any]
) -> bytes:
    """The archive: a member `<name>.jsonl` per table with a row a line, the documents as they are, and the manifest."""
    members = {f"{name}.jsonl": _lines(rows) for name, rows in tables.items()} | dict(documents)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    return _zip(members | {MANIFEST: seal({"format": FORMAT, **about, "files": digests})})


def unpack(path: Path) -> tuple[Row, dict[str, bytes]]:
    """The manifest, and every other member.

    Raises InputRejected, naming the member, when a byte of the archive is another than it was packed with, and OSError when
    it cannot be read.
    """
    if path.stat().st_size > MAXIMUM_BYTES:
        raise InputRejected(f"{path} is larger than {MAXIMUM_BYTES} bytes, so it is no evidence of ours.")
    content = path.read_bytes()
    members = _unzip(path, content)
    if MANIFEST not in members:
        raise InputRejected(f"{path} has no {MANIFEST}, so it is no evidence of ours.")
    try:
        manifest = unseal(members[MANIFEST])
        digests = dict(manifest["files"])
        if manifest["format"] != FORMAT:
            raise ValueError(f"its format is {manifest['format']!r}, and this release reads {FORMAT}")
    except (ValueError, TypeError, KeyError) as problem:
        raise InputRejected(f"{MANIFEST} of {path} was changed: {problem}. {_AGAIN}") from problem
    found = {name: hashlib.sha256(member).hexdigest() for name, member in members.items() if name != MANIFEST}
    for name in sorted(digests.keys() | found.keys()):
        if digests.get(name) != found.get(name):
            raise _changed(path, name)
    # What lies between the members, and the spelling of the manifest, are bytes too.
    packed = _zip(members)
    if packed != content:
        first = next(
            (at for at, pair in enumerate(zip(packed, content, strict=False)) if pair[0] != pair[1]),
            len(packed),
        )
        raise InputRejected(f"{path} was changed at byte {first}, outside its rows. {_AGAIN}")
    del members[MANIFEST]
    return manifest, members


def parse_rows(members: Mapping[str, bytes], table: str) -> list[Row]:
    return [json.loads(line) for line in members[f"{table}.jsonl"].splitlines()]


def _zip(members: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    # Stored, not compressed: what a compressor writes depends on its version.
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            entry = zipfile.ZipInfo(name, _NO_DATE)
            entry.create_system = 3
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, members[name])
    return stream.getvalue()


def _unzip(path: Path, content: bytes) -> dict[str, bytes]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as problem:
        raise InputRejected(
            f"{path} is no ZIP archive, or its directory was changed: {problem}. {_AGAIN}"
        ) from problem
    members = {}
    for entry in archive.infolist():
        if entry.compress_type != zipfile.ZIP_STORED:
            raise _changed(path, entry.filename)
        try:
            members[entry.filename] = archive.read(entry)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, EOFError) as problem:
            raise _changed(path, entry.filename) from problem
    return members


def _lines(rows: Iterable[Row]) -> bytes:
    lines = (json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def _changed(path: Path, name: str) -> InputRejected:
    return InputRejected(
        f"{name} in {path} is not the one that was packed: at least one byte was changed, so nothing that it says counts. "
        + _AGAIN
    )
