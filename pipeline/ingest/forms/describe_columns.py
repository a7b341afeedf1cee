"""What the columns of an unknown file look like. Only a suggestion is made of it: nothing here decides how a file is read."""

from __future__ import annotations

import csv
import re
from calendar import month_abbr, month_name
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any, Literal

from pipeline.ingest.files.exports import Export, open_bytes, read_start, reject
from pipeline.ingest.files.read_table import TableOptions, find_kind, read_header
from pipeline.ingest.forms.landed_rows import Unusable
from pipeline.ingest.forms.null_dates import is_null_date
from pipeline.ingest.forms.read_mapped import (
    MappedRecords,
    OpenFile,
    flatten_keys,
    read_documents_of,
    read_mapped,
)
from pipeline.ingest.forms.read_paths import FindText, compile_text
from pipeline.locales import find_locale
from pipeline.rules.mapping import DELIMITERS, EPOCH_MILLISECONDS, EPOCH_SECONDS, ISO, MappedFile, Mapping

_ROWS = 200_000
_WORDS = 40
# Whether a column repeats its values is seen from so many different ones.
_DISTINCT = 5_000
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
PATTERNS = tuple(day + time for day in _DAYS for time in ("", *_TIMES))
_LANGUAGES = ("de", "fr", "es", "pt")
_WORD = re.compile(r"[^\W\d_]+\.?")
# A record has one of these; what has none, and a single list of objects, is the page of an answer.
_IDS = ("id", "key", "number", "ticket_id", "ticket")
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
    has_dates: bool = False
    months: dict[str, int] = field(default_factory=dict)
    # By their hashes; and how many cells were filled until there were enough of them.
    distinct: set[int] = field(default_factory=set)
    seen: int = 0

    def see(self, text: str) -> None:
        self.filled += 1
        stripped = text.strip()
        if len(self.distinct) < _DISTINCT:
            self.distinct.add(hash(stripped))
            self.seen = self.filled
        if not self.has_many_words:
            self.words[text] += 1
            self.has_many_words = len(self.words) > _WORDS
        # What stands for no date says nothing of the others. Digits may be a number as well.
        if is_null_date(stripped) and not stripped.isdigit():
            return
        self.has_dates = True
        self.is_whole = self.is_whole and stripped.isascii() and stripped.isdigit()
        self.is_boolean = self.is_boolean and stripped.casefold() in _BOOLEANS
        self.is_iso = self.is_iso and _ISO_ZONED.fullmatch(stripped) is not None
        if self.patterns:
            english = _in_english(stripped, self.months)
            self.patterns = tuple(one for one in self.patterns if _fits(english, one))

    def described(self) -> dict[str, Any]:
        kind, dates = "text", list(self.patterns)
        if not self.filled:
            kind, dates = "empty", []
        elif not self.has_dates:
            dates = []
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
            "months": self.months if any("%b" in one or "%B" in one for one in dates) else {},
            "words": words,
            "sample": sample,
            "rows_per_value": self.seen / len(self.distinct) if self.distinct else 0.0,
        }


@cache
def _foreign_months() -> dict[str, int]:
    """The names of months in the languages that are looked for, without those that English has as well."""
    from babel.dates import get_month_names

    contexts: tuple[Literal["format", "stand-alone"], ...] = ("format", "stand-alone")
    widths: tuple[Literal["abbreviated", "wide"], ...] = ("abbreviated", "wide")
    names = {
        name.casefold().rstrip("."): number
        for language in _LANGUAGES
        for context in contexts
        for width in widths
        for number, name in get_month_names(width, context, find_locale(language)).items()
    }
    english = {name.casefold() for name in (*month_abbr, *month_name)}
    return {name: number for name, number in names.items() if name not in english}


def _in_english(text: str, months: dict[str, int]) -> str:
    """The text with the months of other languages in English; `months` learns the names that were met."""

    def translate(word: re.Match[str]) -> str:
        name = word[0].casefold().rstrip(".")
        number = _foreign_months().get(name)
        if number is None:
            return word[0]
        months[name] = number
        return month_abbr[number]

    return _WORD.sub(translate, text) if len(text) < 40 else text


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
        file = replace(file, records_at=_find_list(export, file))
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
    finds = [compile_text((name,), ("",), False) for name in names]
    for records in read_mapped(export, OpenFile(file, tuple(names)), mapping):
        rows, refused = rows + len(records.rows), refused + len(records.refused)
        _see_all(records, names, columns, finds)
        if rows >= _ROWS:
            break
    return {
        "format": written,
        "encoding": encoding,
        "records_at": file.records_at,
        "rows": rows,
        "refused": refused,
        "repeated": sorted({name for name in names if names.count(name) > 1}),
        "columns": [column.described() for column in columns.values()],
    }


def _find_list(export: Export, file: MappedFile) -> str | None:
    """The key under which the first object holds the list of records, where it is the page of an answer."""
    first = next((one for _, one in read_documents_of(export, file) if isinstance(one, dict)), {})
    if first.keys() & set(_IDS):
        return None
    lists = [
        key
        for key, value in first.items()
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value)
    ]
    return lists[0] if len(lists) == 1 else None


def _see_all(
    records: MappedRecords, names: list[str], columns: dict[str, _Column], finds: list[FindText]
) -> None:
    for row in records.rows:
        try:
            texts = [find(row) for find in finds] if isinstance(row, dict) else row
        except Unusable:
            # Nothing can be suggested of a record that will be refused.
            continue
        for name, text in zip(names, texts, strict=True):
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
