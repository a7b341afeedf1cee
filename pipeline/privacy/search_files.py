"""Whether a value stands in a file: in its bytes, and in those that a known container packs.

It reads what the program writes and what helpdesks export: gzip, zip and xlsx, Parquet, database files, PDF, quoted mails.
"""

from __future__ import annotations

import gzip
import io
import quopri
import re
import zipfile
import zlib
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{60,}={0,2}\r?\n)+(?:[A-Za-z0-9+/]+={0,2}\r?\n)?")
_DEPTH = 3


def find_values(path: Path, values: Sequence[str]) -> list[str]:
    """Those of the values that stand in the file, in any of the spellings that JSON, XML and UTF-16 give them. Raises OSError."""
    found: set[str] = set()
    spellings = {value: _spell(value) for value in values}
    for content in _unpack(path):
        lowered = content.lower()
        found |= {value for value, spelled in spellings.items() if any(one in lowered for one in spelled)}
        if len(found) == len(spellings):
            break
    return sorted(found)


def search(paths: Iterable[Path], values: Sequence[str]) -> dict[Path, list[str]]:
    """Path -> the values that stand in it, for the files in which one does."""
    return {path: found for path in paths if path.is_file() and (found := find_values(path, values))}


def _spell(value: str) -> tuple[bytes, ...]:
    escaped = "".join(one if one.isascii() else f"\\u{ord(one):04x}" for one in value)
    marked = value.replace("&", "&amp;").replace("<", "&lt;").replace("'", "&apos;")
    texts = {value.lower(), escaped.lower(), marked.lower(), value.lower().replace('"', '""')}
    return tuple(
        {each.encode(code, "surrogatepass") for each in texts for code in ("utf-8", "utf-16-le", "utf-16-be")}
    )


def _unpack(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    if content[:4] == b"PAR1":
        yield content
        yield from _read_parquet(path)
    elif content[8:12] == b"DUCK":
        yield content
        yield from _read_database(path)
    else:
        yield from _unpack_bytes(content, _DEPTH)


def _unpack_bytes(content: bytes, depth: int) -> Iterator[bytes]:
    yield content
    if depth == 0:
        return
    if content[:2] == b"\x1f\x8b":
        try:
            yield from _unpack_bytes(gzip.decompress(content), depth - 1)
        except (OSError, EOFError, zlib.error):
            return
    elif content[:2] == b"PK":
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for name in archive.namelist():
                    yield name.encode()
                    yield from _unpack_bytes(archive.read(name), depth - 1)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, zlib.error):
            return
    elif content[:5] == b"%PDF-":
        for stream in _STREAM.findall(content):
            try:
                yield from _unpack_bytes(zlib.decompressobj().decompress(stream), depth - 1)
            except zlib.error:
                continue
    elif b"Content-Transfer-Encoding" in content[:20_000]:
        yield quopri.decodestring(content)
        for block in _BASE64.findall(content):
            yield from _unpack_bytes(b64decode(block), depth - 1)


def _read_parquet(path: Path) -> Iterator[bytes]:
    import pyarrow.parquet as pq

    for rows in pq.ParquetFile(path).iter_batches():
        yield "\n".join(str(value) for row in rows.to_pylist() for value in row.values()).encode(
            "utf-8", "surrogatepass"
        )


def _read_database(path: Path) -> Iterator[bytes]:
    import duckdb

    from pipeline.warehouse.connection import quote

    with duckdb.connect(str(path), read_only=True) as connection:
        for schema, table in connection.execute(
            "select schema_name, table_name from duckdb_tables()"
        ).fetchall():
            cursor = connection.execute(f"select * from {quote(schema)}.{quote(table)}")
            while rows := cursor.fetchmany(10_000):
                yield "\n".join(str(value) for row in rows for value in row).encode("utf-8", "surrogatepass")
