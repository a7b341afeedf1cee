"""The one way to read an export, whatever file it came as: records of a table, or documents.

What a file is, its content says (never its name): CSV, XLSX and Parquet are tables, NDJSON, JSON lists and XML are
documents. A ZIP is no export but holds some (`read_archive.list_members`), gzip is unpacked on the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pipeline.errors import Problem
from pipeline.ingest.files import read_csv
from pipeline.ingest.files.exports import PARQUET_MAGIC, ZIP_MAGIC, Export, read_start, reject
from pipeline.ingest.files.read_csv import Records
from pipeline.ingest.files.read_json_list import read_list
from pipeline.ingest.files.read_ndjson import Lines, read_lines
from pipeline.ingest.files.read_parquet import open_parquet
from pipeline.ingest.files.read_xlsx import SheetRow, open_sheet
from pipeline.ingest.files.read_xml import read_xml
from pipeline.ingest.files.refused import Refused

Kind = Literal["csv", "xlsx", "parquet", "json", "xml"]
_CHUNK_ROWS = 4_096


@dataclass(frozen=True)
class TableOptions:
    """What a source declares about its tables; everything has a default that guesses nothing.

    `sheet`: which sheet of a workbook, needed when several are visible. `date_formats`: how date cells of XLSX and
    zoneless Parquet instants are written (the first that loses no seconds, else ISO). `keeps_repeated_names`:
    accept a header that names a column twice (Jira's `Comment`): names and values then go by position.
    """

    delimiter: str = ","
    sheet: str | None = None
    date_formats: tuple[str, ...] = ()
    keeps_repeated_names: bool = False


_DEFAULT = TableOptions()


def find_kind(start: bytes) -> Kind:
    """What a file is, by its start (`read_start`)."""
    if start.startswith(ZIP_MAGIC):
        return "xlsx"
    if start.startswith(PARQUET_MAGIC):
        return "parquet"
    if start.startswith((b"{", b"[")):
        return "json"
    return "xml" if start.startswith(b"<") else "csv"


def read_header(export: Export, options: TableOptions = _DEFAULT) -> list[str]:
    """The column names, stripped, in the order of the file. Raises InputRejected for what is no table.

    A name that comes twice is refused, unless `keeps_repeated_names`.
    """
    kind = find_kind(read_start(export))
    match kind:
        case "xlsx":
            names = _sheet_header(export, options).values
        case "parquet":
            with open_parquet(export, ()) as (names, _):
                pass
        case "xml":
            raise reject(
                export, "the file is XML, not a table.", "Export it as CSV, or check the source's settings."
            )
        case _:
            return read_csv.read_header(export, options.delimiter, options.keeps_repeated_names)
    return read_csv.check_header(export, names, options.keeps_repeated_names, 1 if kind == "xlsx" else None)


def read_records(export: Export, names: list[str], options: TableOptions = _DEFAULT) -> Iterator[Records]:
    """The records under the header `names`, in file order and in chunks that depend on the content only.

    `line_numbers` are lines of a CSV, rows of a sheet, records of a Parquet file. Every row has as many values as
    there are names; `notes` of the last chunk say what was taken but is worth a look (formulas). Raises InputRejected.
    """
    match find_kind(read_start(export)):
        case "xlsx":
            yield from _sheet_records(export, names, options)
        case "parquet":
            number = 1
            with open_parquet(export, options.date_formats) as (_, chunks):
                for rows in chunks:
                    yield _judge(names, list(range(number, number + len(rows))), rows, [])
                    number += len(rows)
        case _:
            yield from read_csv.read_records(export, names, options.delimiter)


def read_documents(export: Export, element: str | None = None) -> Iterator[Lines]:
    """The documents of a JSON or XML export as texts of JSON objects, like the lines of an NDJSON file.

    NDJSON gives its lines, a JSON list its elements, one JSON object itself, XML its elements of the name `element`
    (default: the children of the root). `line_number` is where each begins. Raises InputRejected.
    """
    start = read_start(export)
    match find_kind(start):
        case "xml":
            yield from read_xml(export, None if element is None else frozenset((element,)))
        case "json" if start.startswith(b"["):
            yield from read_list(export)
        case "json" | "csv":
            # A line that is no JSON is refused as a line, not with the file.
            yield from read_lines(export)
        case _:
            raise reject(
                export, "the file is a table, not JSON or XML.", "Check the type of this source in sla.yml."
            )


def _sheet_header(export: Export, options: TableOptions) -> SheetRow:
    with open_sheet(export, options.sheet, ()) as sheet:
        for row in sheet.rows:
            if row.refused is not None:
                raise reject(
                    export,
                    f"the header {row.refused.reason}.",
                    "Write the column names as text.",
                    row.row_number,
                    row.refused.column_name,
                )
            return row
    raise reject(export, "the sheet is empty.", "Export it again, with column names in the first row.")


def _sheet_records(export: Export, names: list[str], options: TableOptions) -> Iterator[Records]:
    with open_sheet(export, options.sheet, options.date_formats) as sheet:
        numbers: list[int] = []
        rows: list[list[str]] = []
        refused: list[Refused] = []
        is_header_passed = False
        for row in sheet.rows:
            if not is_header_passed:
                is_header_passed = True
                continue
            wrong = row.refused or _find_surplus(row, names)
            if wrong is not None:
                refused.append(wrong)
            else:
                numbers.append(row.row_number)
                rows.append((row.values + [""] * len(names))[: len(names)])
            if len(rows) + len(refused) >= _CHUNK_ROWS:
                yield _judge(names, numbers, rows, refused)
                numbers, rows, refused = [], [], []
        yield _judge(names, numbers, rows, refused, sheet.notes(export))


def _find_surplus(row: SheetRow, names: list[str]) -> Refused | None:
    surplus = next((value for value in row.values[len(names) :] if value), None)
    if surplus is None:
        return None
    return Refused(
        row.row_number,
        None,
        surplus[:1000],
        f"has a value to the right of the {len(names)} named columns",
        "Name every column in the first row.",
    )


def _judge(
    names: list[str],
    numbers: list[int],
    rows: list[list[str]],
    refused: list[Refused],
    notes: tuple[Problem, ...] = (),
) -> Records:
    """Move rows with a NUL or half a character to the refused ones."""
    found = [read_csv.find_wrong_text(row, names, number) for number, row in zip(numbers, rows, strict=True)]
    if any(found):
        wrong = [one for one in found if one is not None]
        refused = sorted([*refused, *wrong], key=lambda one: one.line_number)
        numbers = [number for number, one in zip(numbers, found, strict=True) if one is None]
        rows = [row for row, one in zip(rows, found, strict=True) if one is None]
    return Records(numbers, rows, refused, notes)
