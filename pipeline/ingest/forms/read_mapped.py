"""The records of a file that a mapping describes, as rows of texts under the names of its header.

A table has a header; of documents, the keys of the first ones stand in for it. What is no value is None.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pipeline.declarations.problems import name_nearest
from pipeline.errors import InputRejected, Problem
from pipeline.ingest.files.exports import Export, reject
from pipeline.ingest.files.read_ndjson import explain_lines, holds_half_character
from pipeline.ingest.files.read_table import (
    TableOptions,
    find_kind,
    read_documents,
    read_header,
    read_records,
)
from pipeline.ingest.files.refused import Refused
from pipeline.ingest.forms.read_objects import refuse_half
from pipeline.ingest.forms.read_paths import compile_path, find_elements, is_selected
from pipeline.rules.mapping import (
    ANY_COLUMNS,
    DELIMITERS,
    MappedColumn,
    MappedFile,
    Mapping,
    is_wall_time,
)

_PEEKED_DOCUMENTS = 100
# Documents may be long, and are held one chunk at a time.
_CHUNK_DOCUMENTS = 64
# Numbers stay the text that they were written as, so that an id above 2^53 keeps its digits.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_KINDS = {"xlsx": "xlsx", "parquet": "parquet", "ndjson": "json", "json": "json", "xml": "xml"}


# A record as it is read: of a table one text or None per name of the header, else a document.
Record = Sequence[str | None] | dict[str, Any]


@dataclass(frozen=True)
class MappedRecords:
    """Some records in file order."""

    numbers: list[int]
    rows: Sequence[Record]
    refused: list[Refused]
    notes: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class OpenFile:
    """A file of an export that was recognised: what the mapping says of it, and the names that it has.

    `lists`: nested list -> the keys of its first elements; one without an element in the first records is not there.
    """

    file: MappedFile
    header: tuple[str, ...]
    lists: Dict[str, tuple[str, ...]] = field(default_factory=dict)


def open_mapped(export: Export, start: bytes, mapping: Mapping) -> OpenFile:
    """Tell by format and header which file of the mapping this is. Raises InputRejected when none or several fit."""
    kind = find_kind(start)
    fitting = [file for file in mapping.files if _KINDS.get(file.format, "csv") == kind]
    if kind == "json":
        # What may come as NDJSON or as JSON is one kind of file.
        fitting = list({file.name: file for file in fitting}.values())
    if not fitting:
        formats = sorted({file.format for file in mapping.files})
        raise reject(
            export,
            f"the file is {kind.upper()}; {mapping.file} describes {', '.join(formats)}.",
            "Export it in that format, or describe this one in the mapping.",
        )
    opened: list[OpenFile] = []
    refusals: list[InputRejected] = []
    headers: dict[object, tuple[tuple[str, ...], Dict[str, tuple[str, ...]]]] = {}
    for file in fitting:
        # Files of the same dialect share one look at the header.
        dialect = (file.format, file.sheet, file.element, file.records_at, file.lists, _selected_paths(file))
        try:
            if dialect not in headers:
                headers[dialect] = _read_names(export, file, mapping)
        except InputRejected as refusal:
            refusals.append(refusal)
            continue
        opened.append(OpenFile(file, *headers[dialect]))
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


def _selected_paths(file: MappedFile) -> tuple[str, ...]:
    """The paths of values that are picked out of a list by a key of its elements."""
    return tuple(
        path
        for column in file.columns
        if column.within is None
        for path in column.written
        if is_selected(path)
    )


def _read_names(
    export: Export, file: MappedFile, mapping: Mapping
) -> tuple[tuple[str, ...], Dict[str, tuple[str, ...]]]:
    if file.is_table:
        # Which repeated name is used, and which is not, is looked at once the file is recognised.
        return tuple(read_header(export, _options(file, mapping))), {}
    keys: dict[str, None] = {}
    lists: dict[str, dict[str, None]] = {}
    selected = [(path, compile_path(path)) for path in _selected_paths(file)]
    for _, document in islice(read_documents_of(export, file), _PEEKED_DOCUMENTS):
        if isinstance(document, dict):
            keys |= dict.fromkeys(flatten_keys(document))
            keys |= dict.fromkeys(path for path, find in selected if find(document) is not None)
            _peek_lists(file, document, None, lists)
    if not keys:
        raise reject(
            export,
            "the file holds no record.",
            "Even an export without tickets should say so; export it again.",
        )
    return tuple(keys), {name: tuple(found) for name, found in lists.items()}


def _peek_lists(
    file: MappedFile, holder: dict[str, Any], around: str | None, found: dict[str, dict[str, None]]
) -> None:
    """Add the keys of the first elements of every list that lies in an object."""
    for one in file.lists:
        if one.within == around:
            elements = find_elements(one, holder, file.format == "xml")
            if isinstance(elements, list):
                known = found.setdefault(one.name, {})
                for element in elements[:_PEEKED_DOCUMENTS]:
                    if isinstance(element, dict):
                        known |= dict.fromkeys(flatten_keys(element))
                        _peek_lists(file, element, one.name, found)


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


def names_of(column: MappedColumn, opened: OpenFile) -> Sequence[str]:
    """The names among which a column is looked for: those of a record, or of the elements of its list."""
    return opened.header if column.within is None else opened.lists.get(column.within, ())


def _is_missing(column: MappedColumn, opened: OpenFile) -> bool:
    if column.is_optional or (column.within is not None and not opened.lists.get(column.within)):
        # No element was seen that could lack it.
        return False
    paths = [path for path in column.written if not path or is_selected(path)]
    is_seen = column.within is not None and bool(paths)
    return not is_seen and find_written(column, names_of(column, opened)) is None


def _missing(one: OpenFile) -> list[MappedColumn]:
    """What every file needs and this one lacks; a list like a column of the same name."""
    lists = [
        MappedColumn(nested.name, nested.paths)
        for nested in one.file.lists
        if nested.within is None and not nested.is_optional and nested.name not in one.lists
    ]
    return lists + [column for column in one.file.columns if _is_missing(column, one)]


def _count_used(one: OpenFile) -> int:
    return len(one.lists) + sum(
        find_written(column, names_of(column, one)) is not None for column in one.file.columns
    )


def _explain_missing(export: Export, mapping: Mapping, opened: list[OpenFile]) -> InputRejected:
    nearest = min(opened, key=lambda one: (len(_missing(one)), -_count_used(one)))
    missing = _missing(nearest)
    used = {name for column in nearest.file.columns for name in column.written}
    spare = [name for name in nearest.header if name not in used]
    said = []
    for column in missing:
        names = spare if column.within is None else nearest.lists.get(column.within, ())
        by_lower = {name.casefold(): name for name in names}
        wanted = " or ".join(repr(name) for name in column.written)
        if column.within is not None:
            wanted = f"{wanted} in the elements of {column.within}"
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
        if (
            name is not None
            and not column.is_repeated
            and opened.header.count(name) > 1
            and not column.within
        ):
            raise reject(
                export,
                f"the header names {name!r} more than once.",
                "Which of them is meant cannot be told: export it once, or declare it repeated in the mapping.",
                1,
                name,
            )


def read_mapped(export: Export, opened: OpenFile, mapping: Mapping) -> Iterator[MappedRecords]:
    """All records of a recognised file: of a table with None for what is no value, else as documents. Raises InputRejected."""
    if opened.file.is_table:
        nulls = frozenset(mapping.null_markers)

        def value_of(text: str) -> str | None:
            stripped = text.strip()
            return None if stripped in nulls or text in nulls else stripped

        for records in read_records(export, list(opened.header), _options(opened.file, mapping)):
            rows = [[value_of(text) for text in row] for row in records.rows]
            yield MappedRecords(records.line_numbers, rows, records.refused, records.notes)
        return
    numbers: list[int] = []
    found: list[dict[str, Any]] = []
    refused: list[Refused] = []
    for number, document in read_documents_of(export, opened.file):
        if isinstance(document, Refused):
            refused.append(document)
        else:
            numbers.append(number)
            found.append(document)
        if len(found) >= _CHUNK_DOCUMENTS:
            yield MappedRecords(numbers, found, refused)
            numbers, found, refused = [], [], []
    yield MappedRecords(numbers, found, refused)


def read_documents_of(export: Export, file: MappedFile) -> Iterator[tuple[int, dict[str, Any] | Refused]]:
    """The objects of a JSON or XML export with the line that each begins in; what is no object comes as Refused."""
    find_page = compile_path(file.records_at) if file.records_at else None
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
            has_half = holds_half_character(text)
            page = None if find_page is None else find_page(document)
            if not isinstance(page, list):
                yield number, (refuse_half(number, document) if has_half else None) or document
                continue
            for one in page:
                if isinstance(one, dict):
                    yield number, (refuse_half(number, one) if has_half else None) or one
                else:
                    reason = "is no object in the list of records"
                    yield number, Refused(number, file.records_at, str(one), reason, "Export it again.")


def flatten_keys(document: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Keys and dotted keys, such as `fields.status.name`."""
    for key, value in document.items():
        yield prefix + key
        if isinstance(value, dict) and prefix.count(".") < 8:
            yield from flatten_keys(value, f"{prefix}{key}.")
