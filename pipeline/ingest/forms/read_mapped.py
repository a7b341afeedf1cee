"""The records of a file that a mapping describes, as rows of texts under the names of its header.

A table has a header; of documents, the keys of the first ones stand in for it. What is no value is None.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pipeline.declarations.problems import name_nearest
from pipeline.errors import InputRejected, Problem
from pipeline.ingest.files.exports import Export, reject
from pipeline.ingest.files.read_ndjson import explain_lines
from pipeline.ingest.files.read_table import (
    TableOptions,
    find_kind,
    read_documents,
    read_header,
    read_records,
)
from pipeline.ingest.files.refused import Refused
from pipeline.rules.mapping import (
    ANY_COLUMNS,
    DELIMITERS,
    MappedColumn,
    MappedFile,
    Mapping,
    is_wall_time,
)

_PEEKED_DOCUMENTS = 100
# Numbers stay the text that they were written as, so that an id above 2^53 keeps its digits.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_KINDS = {"xlsx": "xlsx", "parquet": "parquet", "ndjson": "json", "json": "json", "xml": "xml"}


@dataclass(frozen=True)
class MappedRecords:
    """Some records in file order: one text or None per name of the header."""

    numbers: list[int]
    rows: list[Sequence[str | None]]
    refused: list[Refused]
    notes: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class OpenFile:
    """A file of an export that was recognised: what the mapping says of it, and the names that it has."""

    file: MappedFile
    header: tuple[str, ...]


def open_mapped(export: Export, start: bytes, mapping: Mapping) -> OpenFile:
    """Tell by format and header which file of the mapping this is. Raises InputRejected when none or several fit."""
    kind = find_kind(start)
    fitting = [file for file in mapping.files if _KINDS.get(file.format, "csv") == kind]
    if not fitting:
        formats = sorted({file.format for file in mapping.files})
        raise reject(
            export,
            f"the file is {kind.upper()}; {mapping.file} describes {', '.join(formats)}.",
            "Export it in that format, or describe this one in the mapping.",
        )
    opened: list[OpenFile] = []
    refusals: list[InputRejected] = []
    headers: dict[object, tuple[str, ...]] = {}
    for file in fitting:
        # Files of the same dialect share one look at the header.
        dialect = (file.format, file.sheet, file.element, file.records_at)
        try:
            if dialect not in headers:
                headers[dialect] = _read_names(export, file, mapping)
        except InputRejected as refusal:
            refusals.append(refusal)
            continue
        opened.append(OpenFile(file, headers[dialect]))
    if not opened:
        raise refusals[0]
    whole = [one for one in opened if not _missing(one)]
    if not whole:
        raise _explain_missing(export, mapping, opened)
    most = max(_count_used(one) for one in whole)
    best = [one for one in whole if _count_used(one) == most]
    if len(best) > 1:
        names = " and ".join(repr(one.file.name) for one in best)
        raise reject(
            export,
            f"the header fits {names} of {mapping.file} alike.",
            "Use a column in the mapping that only one of them has.",
            1,
        )
    if ANY_COLUMNS not in mapping.allowed:
        _check_repeated(export, best[0])
    _check_is_read(export, best[0].file, mapping)
    _check_declared(export, best[0], mapping)
    return best[0]


def _check_declared(export: Export, opened: OpenFile, mapping: Mapping) -> None:
    """Every column that sla.yml names must be there: without it a whole file would have no customer, or no level."""
    known = {column.name for file in mapping.files for column in file.columns} | {
        column.name.partition(":")[2] for column in opened.file.columns
    }
    for name in mapping.named_columns:
        if name not in known:
            raise reject(
                export,
                f"sla.yml names the column {name!r} under columns, which this form does not have.",
                name_nearest(name, {column.name for column in opened.file.columns}),
                1,
            )
    for column in opened.file.columns:
        if column.declared_by is not None and find_written(column, opened.header) is None:
            wanted = column.written[-1]
            raise reject(
                export,
                f"the header lacks {wanted!r}, which sla.yml names under {column.declared_by}.",
                f"{name_nearest(wanted, opened.header)} Correct it in sla.yml, or export the column.",
                1,
                wanted,
            )


def _check_is_read(export: Export, file: MappedFile, mapping: Mapping) -> None:
    if file.refusal is not None:
        raise reject(export, file.refusal.says, file.refusal.hint, 1)
    if mapping.time_zone is None and any(is_wall_time(one) for one in mapping.dates_of(file)):
        raise reject(
            export,
            "it is a table, whose times are written without a zone.",
            "Declare time_zone for this source in sla.yml: that of the account, or of the user who exported it.",
        )


def _read_names(export: Export, file: MappedFile, mapping: Mapping) -> tuple[str, ...]:
    if file.is_table:
        # Which repeated name is used, and which is not, is looked at once the file is recognised.
        return tuple(read_header(export, _options(file, mapping)))
    keys: dict[str, None] = {}
    for _, document in islice(read_documents_of(export, file), _PEEKED_DOCUMENTS):
        if isinstance(document, dict):
            keys |= dict.fromkeys(flatten_keys(document))
    if not keys:
        raise reject(
            export,
            "the file holds no record.",
            "Even an export without tickets should say so; export it again.",
        )
    return tuple(keys)


def _options(file: MappedFile, mapping: Mapping) -> TableOptions:
    wall = tuple(one for one in mapping.dates_of(file) if "%" in one)
    return TableOptions(DELIMITERS.get(file.format, ","), file.sheet, wall, keeps_repeated_names=True)


def find_places(column: MappedColumn, header: Sequence[str]) -> list[tuple[int, str]]:
    """Where a header has a column: the places, each with what stands for `*` in its name, or else with the name itself.

    The first of its names that is there counts; one that is written in another case only where none is as declared, but for
    one with `*`.
    """
    folded = [name.casefold() for name in header]
    for is_exact in (True, False):
        for written in column.written:
            start, star, end = written.casefold().partition("*")
            if star:
                found = [
                    (at, header[at][len(start) : len(header[at]) - len(end)])
                    for at, name in enumerate(folded)
                    if len(name) > len(start) + len(end) and name.startswith(start) and name.endswith(end)
                ]
            else:
                names, wanted = (header, written) if is_exact else (folded, start)
                found = [(at, header[at]) for at, name in enumerate(names) if name == wanted]
            if found:
                return found
    return []


def find_written(column: MappedColumn, header: Sequence[str]) -> str | None:
    """The name that this header gives a column."""
    return next((header[at] for at, _ in find_places(column, header)), None)


def _missing(one: OpenFile) -> list[MappedColumn]:
    return [
        column
        for column in one.file.columns
        if not column.is_optional and find_written(column, one.header) is None
    ]


def _count_used(one: OpenFile) -> int:
    return sum(find_written(column, one.header) is not None for column in one.file.columns)


def _explain_missing(export: Export, mapping: Mapping, opened: list[OpenFile]) -> InputRejected:
    nearest = min(opened, key=lambda one: (len(_missing(one)), -_count_used(one)))
    missing = _missing(nearest)
    used = {name for column in nearest.file.columns for name in column.written}
    spare = [name for name in nearest.header if name not in used]
    by_lower = {name.casefold(): name for name in spare}
    said = []
    for column in missing:
        wanted = " or ".join(repr(name) for name in column.written)
        if mapping.is_form:
            wanted = f"{column.name} ({' or '.join(column.written)})"
        found = difflib.get_close_matches(column.written[0].casefold(), by_lower, n=1, cutoff=0.6)
        said.append(f"{wanted} (renamed to {by_lower[found[0]]!r}?)" if found else wanted)
    shown = ", ".join(repr(name) for name in spare[:12]) + (" …" if len(spare) > 12 else "")
    return reject(
        export,
        f"the header lacks {', '.join(said)}, which {mapping.file} needs for {nearest.file.name}. "
        f"Not used here: {shown or 'none'}.",
        "Export it again, or say under `columns:` of this source in sla.yml what the file calls it."
        if mapping.is_form
        else f"Export the column again, or add its name to columns of {nearest.file.name} in the mapping.",
        1,
        missing[0].written[0],
    )


def _check_repeated(export: Export, opened: OpenFile) -> None:
    for column in opened.file.columns:
        name = find_written(column, opened.header)
        if name is not None and not column.is_repeated and opened.header.count(name) > 1:
            raise reject(
                export,
                f"the header names {name!r} more than once.",
                "Which of them is meant cannot be told: export it once, or declare it repeated in the mapping.",
                1,
                name,
            )


def read_mapped(export: Export, opened: OpenFile, mapping: Mapping) -> Iterator[MappedRecords]:
    """All records of a recognised file. Raises InputRejected."""
    nulls = frozenset(mapping.null_markers)

    def value_of(text: str) -> str | None:
        stripped = text.strip()
        return None if stripped in nulls or text in nulls else stripped

    if opened.file.is_table:
        for records in read_records(export, list(opened.header), _options(opened.file, mapping)):
            rows = [[value_of(text) for text in row] for row in records.rows]
            yield MappedRecords(records.line_numbers, list(rows), records.refused, records.notes)
        return
    numbers: list[int] = []
    found: list[Sequence[str | None]] = []
    refused: list[Refused] = []
    for number, document in read_documents_of(export, opened.file):
        if isinstance(document, Refused):
            refused.append(document)
        else:
            texts = [_text(_find(document, name)) for name in opened.header]
            numbers.append(number)
            found.append([None if text is None else value_of(text) for text in texts])
        if len(found) >= 4096:
            yield MappedRecords(numbers, found, refused)
            numbers, found, refused = [], [], []
    yield MappedRecords(numbers, found, refused)


def read_documents_of(export: Export, file: MappedFile) -> Iterator[tuple[int, dict[str, Any] | Refused]]:
    """The objects of a JSON or XML export with the line that each begins in; what is no object comes as Refused."""
    for lines in read_documents(export, file.element):
        for refused in lines.refused:
            yield refused.line_number, refused
        numbers, texts = lines.table.column("line_number"), lines.table.column("line")
        for number, text in zip(numbers.to_pylist(), texts.to_pylist(), strict=True):
            try:
                document = _DECODER.decode(text.strip())
            except (ValueError, RecursionError):
                document = None
            if not isinstance(document, dict):
                yield number, explain_lines([(number, text)], lines.cut_off_line, "the mapping's columns")[0]
                continue
            page = document.get(file.records_at) if file.records_at else None
            if not isinstance(page, list):
                yield number, document
                continue
            for one in page:
                if isinstance(one, dict):
                    yield number, one
                else:
                    reason = "is no object in the list of records"
                    yield number, Refused(number, file.records_at, str(one), reason, "Export it again.")


def flatten_keys(document: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Keys and dotted keys, such as `fields.status.name`."""
    for key, value in document.items():
        yield prefix + key
        if isinstance(value, dict) and prefix.count(".") < 8:
            yield from flatten_keys(value, f"{prefix}{key}.")


def _find(document: dict[str, Any], path: str) -> Any:
    if path in document:
        return document[path]
    head, _, rest = path.partition(".")
    inner = document.get(head)
    return _find(inner, rest) if rest and isinstance(inner, dict) else None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return " ".join(value)
    return json.dumps(value, ensure_ascii=False)
