"""XLSX: the rows of one sheet as texts, streamed. Nothing in a workbook is calculated, followed or formatted.

A cell becomes text by these rules, so that the same workbook always gives the same text:
- text is kept as it is; true and false become `true` and `false`; an error such as #N/A becomes its name;
- a whole number becomes its digits, without `.0` (an id that was typed comes out as typed); from 10^15 on, where
  spreadsheets no longer keep every digit, it is written like `1.03E+15`, which no column of ids accepts;
- another number becomes its shortest decimal digits;
- a number whose cell is formatted as a date becomes `2026-07-01T09:00:00`, or follows the date format that the source
  declares where that keeps all of it; formatted as a time alone, `9:30:00`, the hours beyond 24 included;
- of a formula, the value that was stored with it counts, and a note says so; without one the row is refused.
Merged cells hold their value in the first one, hidden rows and columns count like all others.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import IO
from xml.etree.ElementTree import Element

from pipeline.errors import Problem
from pipeline.ingest.files.exports import Export, reject
from pipeline.ingest.files.limits import (
    COLUMNS,
    RECORD_BYTES,
    WORKBOOK_ROWS,
    WORKBOOK_SHEETS,
    WORKBOOK_TEXT_CHARACTERS,
)
from pipeline.ingest.files.read_archive import open_workbook
from pipeline.ingest.files.read_xml import XmlRefused, stream_elements
from pipeline.ingest.files.refused import Refused

_SAVE_AGAIN = "Open the workbook, save it again as XLSX, or save the sheet as CSV UTF-8."
# Formats that every spreadsheet knows by number; 45 to 47 and 18 to 21 show a time alone.
_DATE_FORMATS = {14, 15, 16, 17, 22, *range(27, 37), *range(50, 59)}
_TIME_FORMATS = {18, 19, 20, 21, 45, 46, 47}
_EXACT_LIMIT = Decimal(10) ** 15
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True)
class SheetRow:
    """One row that holds anything: its number as the spreadsheet shows it, and its texts from column A on."""

    row_number: int
    values: list[str]
    refused: Refused | None = None


@dataclass
class Sheet:
    """The rows of one sheet. `formulas` is complete once the rows have been read."""

    name: str
    rows: Iterator[SheetRow]
    formula_count: int = 0
    first_formula: str = ""

    def notes(self, export: Export) -> tuple[Problem, ...]:
        """What landed but is worth a look."""
        if not self.formula_count:
            return ()
        return (
            Problem(
                export.name,
                None,
                None,
                f"{self.formula_count} cells of the sheet {self.name!r} hold formulas, the first is {self.first_formula}; "
                "the values that were stored with them were taken.",
                "Make sure that the workbook was calculated before it was saved.",
            ),
        )


@contextmanager
def open_sheet(export: Export, sheet: str | None, date_formats: tuple[str, ...]) -> Iterator[Sheet]:
    """The one sheet that is asked for (by name, or the only one that is visible). Raises InputRejected."""
    try:
        with open_workbook(export) as archive:
            workbook = _Workbook(export, archive, date_formats)
            yield workbook.open(sheet)
    except XmlRefused as problem:
        raise reject(export, f"a part of the workbook {problem.reason}.", _SAVE_AGAIN) from None
    except (KeyError, zipfile.BadZipFile, EOFError, zipfile.zlib.error, NotImplementedError):  # type: ignore[attr-defined]
        raise reject(export, "the workbook is damaged or cut off.", _SAVE_AGAIN) from None


class _Workbook:
    def __init__(self, export: Export, archive: zipfile.ZipFile, date_formats: tuple[str, ...]) -> None:
        self._export = export
        self._archive = archive
        self._date_formats = date_formats
        self._starts_in_1904 = False
        self._texts: list[str] = []
        self._styles: list[str] = []

    def open(self, wanted: str | None) -> Sheet:
        part, name = self._find_sheet(wanted)
        self._read_styles()
        self._read_texts()
        sheet = Sheet(name, iter(()))
        sheet.rows = self._read_rows(part, sheet)
        return sheet

    def _part(self, name: str) -> IO[bytes]:
        return self._archive.open(name)

    def _elements(self, part: str, *names: str) -> Iterator[Element]:
        with self._part(part) as stream:
            for found, _ in stream_elements(stream, frozenset(names)):
                yield found

    def _find_sheet(self, wanted: str | None) -> tuple[str, str]:
        sheets: list[tuple[str, str, bool]] = []
        for element in self._elements("xl/workbook.xml", "sheet", "workbookPr"):
            if element.tag == "workbookPr":
                self._starts_in_1904 = element.get("date1904") in ("1", "true")
            else:
                is_visible = element.get("state", "visible") == "visible"
                sheets.append((element.get("name", ""), element.get("id", ""), is_visible))
        if len(sheets) > WORKBOOK_SHEETS:
            raise reject(
                self._export,
                f"the workbook has {len(sheets)} sheets; the limit is {WORKBOOK_SHEETS}.",
                "Save the sheet with the tickets as a workbook of its own.",
            )
        names = ", ".join(repr(name) for name, *_ in sheets[:20])
        chosen = [one for one in sheets if (one[2] if wanted is None else one[0] == wanted)]
        if len(chosen) != 1:
            reason = (
                f"the workbook has no sheet {wanted!r}; it has {names or 'none'}."
                if wanted is not None
                else f"the workbook has {len(chosen)} visible sheets ({names}); which one is meant cannot be told."
            )
            raise reject(
                self._export,
                reason,
                "Name the sheet in the mapping of this source, or save it as a workbook of its own.",
            )
        name, relation, _ = chosen[0]
        for element in self._elements("xl/_rels/workbook.xml.rels", "Relationship"):
            if element.get("Id") == relation and element.get("TargetMode") != "External":
                target = element.get("Target", "")
                return posixpath.normpath(posixpath.join("/xl", target)).lstrip("/"), name
        raise KeyError(relation)

    def _read_styles(self) -> None:
        """Which kind of number each style shows: date, time or number."""
        if "xl/styles.xml" not in self._archive.namelist():
            return
        formats: dict[int, str] = dict.fromkeys(_DATE_FORMATS, "date") | dict.fromkeys(_TIME_FORMATS, "time")
        for element in self._elements("xl/styles.xml", "numFmt", "cellXfs"):
            if element.tag == "numFmt":
                formats[_whole(element.get("numFmtId"))] = _kind_of_format(element.get("formatCode", ""))
            else:
                self._styles = [
                    formats.get(_whole(style.get("numFmtId")), "number")
                    for style in element
                    if style.tag == "xf"
                ]

    def _read_texts(self) -> None:
        if "xl/sharedStrings.xml" not in self._archive.namelist():
            return
        characters = 0
        for element in self._elements("xl/sharedStrings.xml", "si"):
            text = _text_of(element)
            characters += len(text) + 50
            if characters > WORKBOOK_TEXT_CHARACTERS:
                raise reject(
                    self._export,
                    f"the workbook holds more than {WORKBOOK_TEXT_CHARACTERS:,} characters of text.",
                    "Export shorter periods, or CSV.",
                )
            self._texts.append(text)

    def _read_rows(self, part: str, sheet: Sheet) -> Iterator[SheetRow]:
        number = 0
        for row in self._elements(part, "row"):
            number = _whole(row.get("r"), number + 1)
            if number > WORKBOOK_ROWS:
                raise reject(
                    self._export,
                    f"the sheet has more than {WORKBOOK_ROWS:,} rows.",
                    "Export shorter periods.",
                )
            read = self._read_row(row, number, sheet)
            if read.refused is not None or any(read.values):
                yield read

    def _read_row(self, row: Element, number: int, sheet: Sheet) -> SheetRow:
        values: list[str] = []
        refused: Refused | None = None
        size = 0
        for cell in row:
            if cell.tag != "c":
                continue
            place = _CELL.fullmatch(cell.get("r", ""))
            column = _column_number(place[1]) if place else len(values)
            if column >= COLUMNS:
                raise reject(
                    self._export,
                    f"the sheet has more than {COLUMNS:,} columns.",
                    "Export fewer columns.",
                    number,
                )
            shown = cell.get("r") or f"row {number}"
            values += [""] * (column + 1 - len(values))
            values[column], wrong = self._read_cell(cell, shown, sheet)
            size += len(values[column])
            if size > RECORD_BYTES:
                wrong = "belongs to a row longer than 1 MB"
            if wrong and refused is None:
                refused = Refused(number, shown, values[column][:1000], wrong, _SAVE_AGAIN)
        return SheetRow(number, values, refused)

    def _read_cell(self, cell: Element, shown: str, sheet: Sheet) -> tuple[str, str | None]:
        """The text of a cell, and what is wrong with it."""
        kind, raw, has_formula = cell.get("t", "n"), None, False
        for part in cell:
            if part.tag == "v":
                raw = part.text or ""
            elif part.tag == "is":
                raw = _text_of(part)
            elif part.tag == "f":
                has_formula = True
        if has_formula:
            sheet.formula_count += 1
            sheet.first_formula = sheet.first_formula or shown
            if raw is None:
                return "", "holds a formula without a stored value"
        if raw is None:
            return "", None
        match kind:
            case "s":
                place = _whole(raw, -1)
                if not 0 <= place < len(self._texts):
                    return raw, "points to a text that the workbook does not have"
                return self._texts[place], None
            case "inlineStr":
                return raw, None
            case "str" | "e":
                return _unescape(raw), None
            case "b":
                return ("true" if raw.strip() == "1" else "false"), None
            case "d":
                return raw.strip(), None
        return self._read_number(raw.strip(), _whole(cell.get("s")))

    def _read_number(self, raw: str, style: int) -> tuple[str, str | None]:
        if not raw:
            return "", None
        try:
            number = Decimal(raw)
        except InvalidOperation:
            return raw, "is not a number, as its cell says"
        if not number.is_finite() or number.adjusted() > 400 or number.adjusted() < -400:
            return raw, "is not a number that a cell can hold"
        shows = self._styles[style] if 0 <= style < len(self._styles) else "number"
        if shows == "date":
            return self._write_date(number)
        if shows == "time" and 0 <= number < 100_000:
            seconds = int((number * 86_400_000).to_integral_value() // 1000)
            return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}", None
        return write_number(number), None

    def _write_date(self, number: Decimal) -> tuple[str, str | None]:
        # Day 0 and day 1 are what a spreadsheet makes of an empty date.
        if number in (0, 1):
            return "", None
        # Spreadsheets believe in 29 February 1900 (day 60), so only from day 61 on a day number is a date.
        if not (self._starts_in_1904 or number >= 61) or not 0 <= number < 2_958_466:
            return str(number), "is formatted as a date but lies outside the dates that a workbook can tell"
        # A time is a binary fraction of a day: a millisecond is far above its error and far below a second.
        milliseconds = int((number * 86_400_000).to_integral_value())
        first = datetime(1904, 1, 1) if self._starts_in_1904 else datetime(1899, 12, 30)
        try:
            instant = first + timedelta(seconds=milliseconds // 1000)
        except OverflowError:
            return str(number), "is formatted as a date but lies outside the dates that a workbook can tell"
        return write_date(instant, self._date_formats), None


def write_date(instant: datetime, date_formats: tuple[str, ...]) -> str:
    """A date as text: in the first format that the source declares and that keeps all of it, else ISO."""
    for date_format in date_formats:
        text = instant.strftime(date_format)
        try:
            if datetime.strptime(text, date_format) == instant:
                return text
        except ValueError:
            pass
    return instant.isoformat()


def write_number(number: Decimal) -> str:
    """A number as text: whole numbers as digits while spreadsheets keep them all, others as shortest digits."""
    if number == number.to_integral_value():
        if abs(number) < _EXACT_LIMIT:
            return str(int(number))
        mantissa, _, exponent = f"{number.normalize():.14E}".partition("E")
        digits = mantissa.rstrip("0")
        return f"{digits + '0' if digits.endswith('.') else digits}E{exponent}"
    # A binary fraction is stored with 17 digits, of which a person typed at most 15.
    return format(Decimal(repr(float(f"{number:.15g}"))), "f")


def _kind_of_format(code: str) -> str:
    # Quoted text, escapes, colours and locales are no date letters; [h], [mm] and [ss] are.
    section = re.sub(r'"[^"]*"|\\.|_.|\*.', "", code.split(";")[0]).lower()
    section = re.sub(r"\[(?!h+\]|m+\]|s+\])[^\]]*\]", "", section)
    if "general" in section:
        return "number"
    if re.search(r"[yd]", section):
        return "date"
    if re.search(r"[hs]", section):
        return "time"
    return "date" if "m" in section else "number"


def _text_of(element: Element) -> str:
    """The text of a cell without its formatting; readings above it (rPh) are not part of it."""
    pieces = []
    for part in element:
        if part.tag == "t":
            pieces.append(part.text or "")
        elif part.tag == "r":
            pieces += [one.text or "" for one in part if one.tag == "t"]
    return _unescape("".join(pieces))


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _whole(text: str | None, otherwise: int = 0) -> int:
    return int(text) if text and text.isascii() and text.strip().isdigit() and len(text) < 10 else otherwise
