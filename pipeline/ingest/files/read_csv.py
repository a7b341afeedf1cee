"""CSV by the letter: the header is checked by name first, and every record is either whole or refused with
its line.

Nothing is sniffed. Python's csv module reads (strict); a record that goes wrong is refused by its first line
only and reading starts again at the next, so an unclosed quote cannot swallow the good rows after it.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pipeline.errors import Problem
from pipeline.ingest.files.exports import Content, Export, open_export, reject
from pipeline.ingest.files.limits import COLUMNS, LINES_AT_ONCE, RECORD_BYTES
from pipeline.ingest.files.refused import Refused

CHUNK_BYTES = 4 << 20
_BOM = b"\xef\xbb\xbf"
_BLANK_LINES = ("", "\r")
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
# The blanks of bytes: text knows more of them, and the header was found among bytes.
_BLANKS = " \t\n\r\v\f"
_HEADER_HINT = (
    "Close the quote; where the name of a column goes on in the next line, rename it: a header is one line."
)
_QUOTE_HINT = "Close the quote, and double quotes inside a value."


@dataclass(frozen=True)
class Records:
    """Some records of a file, in order. Every row has as many values as the header has names.

    `notes` say what was taken but is worth a look.
    """

    line_numbers: list[int]
    rows: list[list[str]]
    refused: list[Refused]
    notes: tuple[Problem, ...] = ()


def read_header(export: Export, delimiter: str = ",", keeps_repeated_names: bool = False) -> list[str]:
    """The column names, stripped. Raises InputRejected when the first line is no header with this delimiter."""
    with open_export(export) as stream:
        line = b""
        while not line.strip():
            line = stream.readline(RECORD_BYTES).removeprefix(_BOM)
            if not line:
                raise reject(
                    export,
                    "the file holds no header.",
                    "Export it again, with column names in the first line.",
                )
    if line.lstrip().startswith((b"{", b"[")):
        raise reject(
            export,
            "the file is JSON, not CSV.",
            "Export it as CSV, or check the type of this source in sla.yml.",
        )
    if len(line) >= RECORD_BYTES:
        reason = f"the header is longer than {RECORD_BYTES >> 20} MB."
        raise reject(export, reason, "Check that this is an export with column names.", 1)
    if b"\r" in line.rstrip(b"\r\n"):
        raise reject(export, "the lines end in CR alone.", "Save the file with LF or CRLF line ends.", 1)
    try:
        header = next(csv.reader([line.decode("utf-8")], strict=True, delimiter=delimiter))
    except UnicodeDecodeError:
        raise reject(export, "the header is not UTF-8.", "Export the file as UTF-8.", 1) from None
    except csv.Error as problem:
        if "field larger" in str(problem):
            reason = f"the header holds a name longer than {csv.field_size_limit():,} characters."
            raise reject(export, reason, "Check that this is an export with column names.", 1) from None
        raise reject(
            export, "the header holds an unclosed quote in its first line.", _HEADER_HINT, 1
        ) from None
    names = [name.strip() for name in header]
    if len(names) == 1:
        for other, called in _DELIMITERS.items():
            if other != delimiter and other in names[0]:
                declared = _DELIMITERS.get(delimiter, repr(delimiter))
                raise reject(
                    export,
                    f"the columns are separated by {called}, not {declared}.",
                    f"Export the file with {declared}.",
                    1,
                )
    return check_header(export, names, keeps_repeated_names, 1)


def check_header(
    export: Export, header: list[str], keeps_repeated_names: bool, line: int | None
) -> list[str]:
    """The names of a header, stripped. Raises InputRejected for too many, and for repeated ones unless kept."""
    names = [name.strip() for name in header]
    if len(names) > COLUMNS:
        raise reject(
            export,
            f"the header has {len(names):,} columns; the limit is {COLUMNS:,}.",
            "Export fewer columns.",
            line,
        )
    if not keeps_repeated_names:
        refuse_doubled(export, names, names, line)
    return names


def refuse_doubled(export: Export, names: list[str], read: Collection[str], line: int | None = 1) -> None:
    """Raises InputRejected where a column that is read comes twice; `read`: the names that some rule reads."""
    doubled = sorted({name for name in names if name in read and names.count(name) > 1})
    if doubled:
        raise reject(
            export,
            f"the header names {_list(doubled)} more than once.",
            "Export each column once; which of them is meant cannot be told.",
            line,
        )


def check_names(
    export: Export, names: list[str], known: list[str], required: list[str], entity: str
) -> list[str]:
    """The unknown columns. Raises InputRejected, naming them, when required ones are missing."""
    missing = [name for name in required if name not in names]
    if missing:
        unknown = [name for name in names if name not in known]
        beside = f" Unknown here: {_list(unknown)}." if unknown else ""
        raise reject(
            export,
            f"the header of {entity} lacks {_list(missing)}.{beside}",
            f"It needs {', '.join(required)}, in any order.",
            1,
        )
    return [name for name in names if name not in known]


def _list(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names[:20]) + (
        f" and {len(names) - 20} more" if len(names) > 20 else ""
    )


def read_records(export: Export, names: list[str], delimiter: str = ",") -> Iterator[Records]:
    """The records under the header, blank lines left out, in chunks that depend on the content only."""
    with open_export(export) as stream:
        lines = _Lines(stream)
        is_header_passed = False
        while lines.load():
            if not is_header_passed:
                lines.skip_header()
                is_header_passed = True
            records = _read_at_once(lines, len(names), delimiter)
            if records is not None and records.rows:
                yield records
            # Some lines at a time: what is said of each takes memory.
            while lines.texts:
                records = _read_one_by_one(lines, names, delimiter)
                if records.rows or records.refused:
                    yield records


class _Lines:
    """The physical lines still to be parsed.

    A record that is open at the end of a chunk pulls in the next one.
    """

    def __init__(self, stream: Content) -> None:
        self._stream = stream
        self.texts: list[str] = []
        self.first_number = 1
        self.has_ended = False
        self._is_start = True

    def load(self) -> bool:
        """Append the next chunk; False when neither lines are left nor more can be read."""
        chunk = self._stream.read(CHUNK_BYTES)
        if chunk and not chunk.endswith(b"\n"):
            chunk += self._stream.readline(RECORD_BYTES)
        if self._is_start:
            chunk = chunk.removeprefix(_BOM)
            self._is_start = False
        if not chunk:
            self.has_ended = True
            return bool(self.texts)
        # Bytes that are no UTF-8 become lone surrogates, to be refused with their record.
        texts = chunk.decode("utf-8", "surrogateescape").split("\n")
        if not texts[-1]:
            texts.pop()
        self.texts += texts
        return True

    def skip_header(self) -> None:
        header = next(at for at, text in enumerate(self.texts) if text.strip(_BLANKS))
        self.drop(header + 1)

    def drop(self, count: int) -> None:
        del self.texts[:count]
        self.first_number += count


def _read_at_once(lines: _Lines, width: int, delimiter: str) -> Records | None:
    """All lines as one record each, in one pass: how nearly every chunk reads.

    None when any line is special.
    """
    texts = lines.texts
    try:
        rows = list(csv.reader(texts, strict=True, delimiter=delimiter))
    except csv.Error:
        return None
    if len(rows) != len(texts) or any(len(row) != width for row in rows):
        return None
    joined = "".join(texts)
    if "\0" in joined or not _is_utf8(joined):
        return None
    numbers = list(range(lines.first_number, lines.first_number + len(rows)))
    lines.drop(len(texts))
    return Records(numbers, rows, [])


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _read_one_by_one(lines: _Lines, names: list[str], delimiter: str) -> Records:
    numbers: list[int] = []
    rows: list[list[str]] = []
    refused: list[Refused] = []
    at = 0
    while at < min(len(lines.texts), LINES_AT_ONCE):
        # Blank lines need no parser; files that are cut by hand may end in millions.
        if lines.texts[at] in _BLANK_LINES:
            at += 1
            continue
        number = lines.first_number + at
        row, line_count, error = _read_record(lines, at, delimiter)
        if row == []:
            at += 1
            continue
        if error is None and row is not None and len(row) == len(names):
            wrong = find_wrong_text(row, names, number)
            if wrong is None:
                numbers.append(number)
                rows.append(row)
            else:
                refused.append(wrong)
            at += line_count
            continue
        # Only the first line is given up: what follows an unclosed quote is read again as lines of its own.
        text = lines.texts[at].rstrip("\r")
        if line_count > 1 or error == "quote":
            refused.append(Refused(number, None, text, "opens a quote that is not closed", _QUOTE_HINT))
        elif error is not None:
            refused.append(Refused(number, None, text, error, "Export the file again, or correct this line."))
        else:
            assert row is not None
            reason = f"has {len(row)} values, the header has {len(names)}"
            column = names[len(row)] if len(row) < len(names) else None
            refused.append(
                Refused(number, column, text, reason, "Quote values that hold commas; leave no value out.")
            )
        at += 1
    lines.drop(at)
    return Records(numbers, rows, refused)


def _read_record(lines: _Lines, start: int, delimiter: str) -> tuple[list[str] | None, int, str | None]:
    """The record that starts at a line, how many lines it took, and what is wrong ('quote' for an unclosed
    one).
    """
    taken = 0

    def feed() -> Iterator[str]:
        nonlocal taken
        size = 0
        while size <= RECORD_BYTES:
            while start + taken >= len(lines.texts):
                if lines.has_ended or not lines.load() or start + taken >= len(lines.texts):
                    return
            text = lines.texts[start + taken]
            size += len(text) + 1
            taken += 1
            yield text + "\n"

    try:
        row = next(csv.reader(feed(), strict=True, delimiter=delimiter))
    except csv.Error as problem:
        message = str(problem)
        if "new-line character" in message:
            return None, taken, "holds a CR outside quotes"
        if "field larger" in message:
            return None, taken, f"holds a value longer than {csv.field_size_limit():,} characters"
        return None, taken, "quote"
    except StopIteration:
        return [], 1, None
    return row, taken, None


def find_wrong_text(row: list[str], names: list[str], number: int) -> Refused | None:
    """What no text may hold: a NUL, or bytes that are no character."""
    for name, value in zip(names, row, strict=True):
        if "\0" in value:
            shown = value.replace("\0", "\\0")
            return Refused(
                number, name, shown, "holds a NUL character", "Export the file again; text has no NUL."
            )
        if not _is_utf8(value):
            return Refused(number, name, value, "is not UTF-8", "Export the file as UTF-8.")
    return None
