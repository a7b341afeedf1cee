"""What the columns of an unknown file look like. Only a suggestion is made of it: nothing here decides how a file is read."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any

from pipeline.ingest.files.exports import Export, open_bytes, read_start, reject
from pipeline.ingest.files.read_table import TableOptions, find_kind, read_header
from pipeline.ingest.forms.read_mapped import (
    MappedRecords,
    OpenFile,
    flatten_keys,
    read_documents_of,
    read_mapped,
)
from pipeline.rules.mapping import DELIMITERS, EPOCH_MILLISECONDS, EPOCH_SECONDS, ISO, MappedFile, Mapping

_ROWS = 200_000
_WORDS = 40
_PEEKED_BYTES = 256 << 10
_DAYS = ("%Y-%m-%d", "%Y/%m/%d") + tuple(
    pattern.replace("/", separator)
    for separator in ("/", ".", "-", " ")
    for pattern in ("%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%d/%b/%Y", "%d/%b/%y", "%d/%B/%Y")
)
_DAYS += ("%b %d, %Y", "%B %d, %Y")
_TIMES = (
    " %H:%M:%S",
    " %H:%M",
    " %H:%M:%S.%f",
    "T%H:%M:%S",
    "T%H:%M:%S.%f",
    " %I:%M %p",
    " %I:%M:%S %p",
    ", %H:%M",
)
PATTERNS = tuple(day + time for day in _DAYS for time in _TIMES)
_ISO_ZONED = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)? ?(Z|[+-]\d\d:?\d\d)")
_BOOLEANS = {"true", "false", "yes", "no", "0", "1", "y", "n"}


@dataclass
class _Column:
    name: str
    filled: int = 0
    words: Counter[str] = field(default_factory=Counter)
    has_many_words: bool = False
    is_whole: bool = True
    is_boolean: bool = True
    is_iso: bool = True
    patterns: tuple[str, ...] = PATTERNS

    def see(self, text: str) -> None:
        self.filled += 1
        stripped = text.strip()
        if not self.has_many_words:
            self.words[text] += 1
            self.has_many_words = len(self.words) > _WORDS
        self.is_whole = self.is_whole and stripped.isascii() and stripped.isdigit()
        self.is_boolean = self.is_boolean and stripped.casefold() in _BOOLEANS
        self.is_iso = self.is_iso and _ISO_ZONED.fullmatch(stripped) is not None
        if self.patterns:
            self.patterns = tuple(one for one in self.patterns if _fits(stripped, one))

    def described(self) -> dict[str, Any]:
        kind, dates = "text", list(self.patterns)
        if not self.filled:
            kind, dates = "empty", []
        elif self.is_iso:
            kind, dates = "instant", [ISO]
        elif dates:
            kind = "instant"
        elif self.is_boolean:
            kind = "boolean"
        elif self.is_whole:
            lengths = {len(word.strip()) for word in self.words}
            kind = "whole numbers"
            dates = [EPOCH_SECONDS] if lengths == {10} else [EPOCH_MILLISECONDS] if lengths == {13} else []
        words = {} if self.has_many_words else dict(self.words.most_common())
        sample = next(iter(self.words), None)
        return {
            "name": self.name,
            "filled": self.filled,
            "kind": kind,
            "dates": dates,
            "words": words,
            "sample": sample,
        }


def _fits(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text, pattern)
    except ValueError:
        return False
    return True


def describe_columns(export: Export) -> dict[str, Any]:
    """Format, encoding and columns of a file as JSON can say them. Raises InputRejected for what is no table or JSON."""
    encoding = "utf-8" if _is_utf8(export) else "cp1252"
    export = replace(export, encoding=encoding)
    kind = find_kind(read_start(export))
    written = _find_format(export) if kind == "csv" else "ndjson" if kind == "json" else kind
    file = MappedFile("file", written, None, None, None, ())
    if file.is_table:
        options = TableOptions(DELIMITERS.get(written, ","), keeps_repeated_names=True)
        names = read_header(export, options)
    else:
        keys: dict[str, None] = {}
        for _, document in islice(read_documents_of(export, file), 1000):
            if isinstance(document, dict):
                keys |= dict.fromkeys(flatten_keys(document))
        names = list(keys)
        if not names:
            raise reject(export, "the file holds no record.", "Give a file with some tickets in it.")
    columns = {name: _Column(name) for name in names}
    mapping = Mapping("", "UTC", (ISO,), null_markers=("",), encoding=encoding, files=(file,))
    rows = 0
    refused = 0
    for records in read_mapped(export, OpenFile(file, tuple(names)), mapping):
        rows, refused = rows + len(records.rows), refused + len(records.refused)
        _see_all(records, names, columns)
        if rows >= _ROWS:
            break
    return {
        "format": written,
        "encoding": encoding,
        "rows": rows,
        "refused": refused,
        "repeated": sorted({name for name in names if names.count(name) > 1}),
        "columns": [column.described() for column in columns.values()],
    }


def _see_all(records: MappedRecords, names: list[str], columns: dict[str, _Column]) -> None:
    for row in records.rows:
        for name, text in zip(names, row, strict=True):
            if text is not None:
                columns[name].see(text)


def _is_utf8(export: Export) -> bool:
    with open_bytes(export) as stream:
        start = stream.read(_PEEKED_BYTES)
    if start.startswith((b"PK", b"PAR1", b"\xff\xfe", b"\xfe\xff")):
        return True
    try:
        # Where the file goes on, what was read may end inside a character.
        (start[:-4] if len(start) == _PEEKED_BYTES else start).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _find_format(export: Export) -> str:
    """The format whose delimiter gives the most columns in every one of the first lines."""
    with open_bytes(export) as stream:
        text = stream.read(_PEEKED_BYTES).decode(export.encoding, "replace").removeprefix("\ufeff")
    lines = text.splitlines()[:50]
    widths: dict[str, int] = {}
    for name, delimiter in DELIMITERS.items():
        try:
            widths[name] = len(next(csv.reader(lines, delimiter=delimiter), []))
        except csv.Error:
            widths[name] = 0
    return max(widths, key=lambda name: widths[name])
