"""Exports of any helpdesk, read as a mapping file says: a user's own, or one of the shipped forms of the big helpdesks.

The header is checked before a row is read; then every record is taken whole or refused whole. What of a refused record
belongs to a known ticket is landed as a gap, so that no verdict of the ticket rests on an incomplete history.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from pipeline.errors import Problem
from pipeline.ingest.files.exports import Export, reject
from pipeline.ingest.files.refused import Refused
from pipeline.ingest.forms.bind_mapping import bind_mapping
from pipeline.ingest.forms.check_shape import KINDS, Shape, check_header, check_kinds, kind_of, read_shape
from pipeline.ingest.forms.derive_instant import derive_window
from pipeline.ingest.forms.landed_rows import Unusable, to_table
from pipeline.ingest.forms.null_dates import is_null_date
from pipeline.ingest.forms.read_cells import (
    Read,
    ReadInstant,
    Row,
    Scope,
    UnknownValue,
    compile_cell,
    compile_conditions,
    compile_dates,
    compile_duration,
    compile_instant,
    missing,
    name_of,
    read_text_id,
    unknown_value,
)
from pipeline.ingest.forms.read_mapped import OpenFile, find_places, open_mapped, read_mapped
from pipeline.ingest.forms.read_mapped import Record as ReadRecord
from pipeline.ingest.forms.read_paths import FindText, ListReader, compile_count, compile_text
from pipeline.ingest.forms.row_writer import RowWriter
from pipeline.rules.load_mapping import load_mapping
from pipeline.rules.mapping import (
    ANY_COLUMNS,
    CLOCK_KINDS,
    EVENT_VALUES,
    FIGURE_KINDS,
    GAPS,
    RESPONSE_IF_ANY,
    SEVERITY_TEXTS,
    UNMARKED,
    Cell,
    Cells,
    ElapsedTime,
    MappedColumn,
    MappedFile,
    Mapping,
    RowRule,
)
from pipeline.rules.plan import STATUSES
from pipeline.vocabulary import ACTOR_KINDS, EVENT_TYPES, EVIDENCE_OF
from pipeline.zones import Window

if TYPE_CHECKING:
    from pipeline.rules.source import Source

Record = dict[str, Any]
Convert = Callable[[Row], Any]

_CHUNK_ROWS = 50_000
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
# What tells two rows of one line apart.
_KEYS = {
    "ticket_versions": ("ticket_id", "version_kind", "update_number", "updated_at", "status", "severity"),
    "ticket_changes": ("change_id",),
    "ticket_messages": ("message_id",),
    "people": ("person_id", "role", "person"),
    "vendor_sla_figures": ("ticket_id", "figure", "cycle_number"),
    "gaps": ("ticket_id", "evidence"),
}
# Free text is no evidence of a column that changed its meaning; these columns are.
_WATCHED = frozenset(
    (
        "ticket_id",
        "event_id",
        "customer_id",
        "person_id",
        "severity",
        "ticket_status",
        "channel",
        "value",
        "value_before",
        "actor",
    )
)
_SHOWN_VALUES = 12
_SHOWN_LINES = 5
# Up to so many tickets with several submissions are mistakes of the export; more are a log that was taken for tickets.
_SHARE_OF_MISTAKES = 0.05
# What the words of a column are called in messages.
_WORDS = {"ticket_status": "status", "is_public": "word for public"}
_VALUES_OF = {"status_changed": "status", "severity_changed": "severity"}


def land_mapped(
    export: Export, start: bytes, source: Source, connection: duckdb.DuckDBPyConnection, writer: RowWriter
) -> tuple[int, list[Problem]]:
    """Land a file as the source's mapping says; the number of records read, and warnings. Raises InputRejected."""
    assert source.mapping is not None
    return land_with_mapping(export, start, bind_mapping(source.mapping, source), writer)


def land_form(
    export: Export, start: bytes, form: str, source: Source, writer: RowWriter
) -> tuple[int, list[Problem]]:
    """`land_mapped` with the shipped form of this name."""
    return land_with_mapping(export, start, bind_mapping(load_form(form), source), writer)


@cache
def load_form(form: str) -> Mapping:
    """A form that is shipped with the program, before what sla.yml declares is put in."""
    shipped = files("pipeline.ingest.forms") / "shipped" / f"{form}.yml"
    return load_mapping(Path(str(shipped)), f"the form {form}")


def land_with_mapping(
    export: Export, start: bytes, mapping: Mapping, writer: RowWriter
) -> tuple[int, list[Problem]]:
    """Land a file with a mapping that leaves nothing to sla.yml."""
    opened = open_mapped(export, start, mapping)
    reader = _RowReader(mapping, opened)
    is_compared = ANY_COLUMNS not in mapping.allowed
    earlier = read_shape(writer.earlier_shape(opened.file.name)) if is_compared else None
    warnings = check_header(export, mapping, earlier, opened.header, reader.used) if is_compared else []
    landing = _Landing(writer, reader)
    for records in read_mapped(export, opened, mapping):
        warnings += records.notes
        landing.refuse(records.refused)
        for number, values in zip(records.numbers, records.rows, strict=True):
            landing.take(number, values)
    landing.finish()
    warnings += landing.check_submissions(export)
    if is_compared:
        warnings += check_kinds(export, mapping, earlier, reader.kinds)
        kinds = {name: kind for name, (kind, _, _) in sorted(reader.kinds.items())}
        writer.shape = Shape(opened.file.name, opened.header, kinds).as_json()
    warnings += reader.describe(export, landing.rows_read)
    return landing.rows_read, warnings + landing.describe_passed(export)


def _show_path(file: MappedFile, column: MappedColumn) -> str:
    """How messages name a value of a nested list: by its whole path."""
    lists = [one.paths[0] for one in file.chain_of(column.within or "")]
    return ".".join((*lists, *(path for path in column.written[:1] if path)))


def _list_holders(file: MappedFile, header: Sequence[str]) -> list[str]:
    """The keys of a record that are used only by what lies in them."""
    paths = [path for one in file.lists if one.within is None for path in one.paths]
    paths += [
        path.partition("[")[0] for column in file.columns for path in column.written if column.within is None
    ]
    return [name for name in header if any(path == name or path.startswith(f"{name}.") for path in paths)]


class _Gap(Exception):
    """An event that says nothing certain of its ticket, although its record is taken."""


class _OpenRecord:
    """One record: its row, and per nested list, once it is asked for, the cells of each element and whether all was there."""

    __slots__ = ("_document", "_lists", "_readers", "row")

    def __init__(self, row: list[str | None], document: ReadRecord, readers: Dict[str, ListReader]) -> None:
        self.row, self._document, self._readers = row, document, readers
        self._lists: dict[str, tuple[list[list[str | None]], bool]] = {}

    def open_list(self, name: str) -> tuple[list[list[str | None]], bool]:
        """Raises Unusable for what is no list of records."""
        found = self._lists.get(name)
        if found is None:
            assert isinstance(self._document, dict)
            found = self._lists[name] = self._readers[name].read(self._document)
        return found


class _RowReader:
    """Everything that a mapping says of one recognised file, as functions of a row."""

    def __init__(self, mapping: Mapping, opened: OpenFile) -> None:
        file, header = opened.file, opened.header
        dates = mapping.dates_of(file)
        self.read_date = compile_dates(mapping, dates)
        self.mapping, self._file = mapping, file
        self._header_places: list[int] = []
        # Of a document, what finds each cell of its row.
        self._finds: list[FindText] | None = None if file.is_table else []
        self._stars: dict[str, list[str]] = {}
        self._lists: dict[str, ListReader] = {}
        # How many records came without a list that they could have.
        self._without: Counter[str] = Counter()
        places: dict[str, tuple[int, ...]] = {}
        shown: dict[str, str] = {}
        instants = file.instant_columns()
        nulls = frozenset(mapping.null_markers)
        for column in file.columns:
            if column.within is not None:
                shown[column.name] = _show_path(file, column)
                continue
            found = find_places(column, header)
            shown[column.name] = header[found[0][0]] if found else column.written[0]
            if found:
                first = len(self._header_places)
                places[column.name] = tuple(range(first, first + len(found)))
                self._header_places += [at for at, _ in found]
                self._stars[column.name] = [star for _, star in found]
            if self._finds is not None:
                # What the first records lack, later ones may have.
                places[column.name] = (len(self._finds),)
                names = [shown[column.name]] if found else column.written
                self._finds.append(compile_text(names, nulls, column.name in instants))
        absent = frozenset(name for name in places if name not in self._stars)
        counts = {}
        for one in file.lists:
            self._lists[one.name] = ListReader(
                file.chain_of(one.name), file.columns, nulls, instants, file.format == "xml"
            )
            if one.within is None and self._finds is not None:
                counts[one.name] = len(self._finds)
                self._finds.append(compile_count(one, file.format == "xml"))
        self._row_length = len(self._header_places if self._finds is None else self._finds)
        self.scope = Scope(places, shown, absent=absent, counts=counts, has_documents=not file.is_table)
        # A key that holds a list or an object is used where something in it is.
        self.used = tuple(dict.fromkeys((*(shown[name] for name in places), *_list_holders(file, header))))
        self._instant_places = sorted({at for name in instants for at in places.get(name, ())})
        self.kinds: dict[str, tuple[str, int, str]] = {}
        self._watched: list[tuple[str, int]] = []
        self._repeated = {column.name for column in file.columns if column.is_repeated}
        self._evidence = [
            (one.shows, compile_conditions(one.conditions, self.scope), file.lists_that_show(one.shows))
            for one in mapping.shown
        ]
        # Where a row's ticket was submitted, as the mapping says it.
        self.submission = dict(file.tickets or ()).get("submitted_at")
        self.tickets = None if file.tickets is None else self._compile_rows(file.tickets)
        self.log = None if file.log is None else self._compile_log(file.log)
        self.people = None if file.people is None else _People(self, file.people)
        self.events = [
            _Event(self, rule, file.name, number, file.tickets is not None and rule.each is None)
            for number, rule in enumerate(file.events, 1)
        ]
        self.figures = [_Figure(self, rule) for rule in file.figures]
        self.meets_conditions = compile_conditions(file.conditions, self.scope)
        self._required = [(shown[name], places[name]) for name in file.required]
        self._ticket_id = self._find_ticket_id()

    def _compile_rows(self, cells: Cells) -> Callable[[Row], Record]:
        columns = [(name, self.convert(name, cell, self.scope)) for name, cell in cells]
        return lambda row: {name: convert(row) for name, convert in columns}

    def _compile_log(self, cells: Cells) -> Callable[[Row], Record]:
        """The attributes that a ticket had at the instant of a row. A log may leave its submission out: its first row is it."""
        submission = dict(cells).get("submitted_at")
        read = self._compile_rows(tuple(one for one in cells if one[0] != "submitted_at"))
        submitted_at = None if submission is None else compile_instant(submission, self.scope, self.read_date)

        def read_row(row: Row) -> Record:
            found = read(row)
            given = None if submitted_at is None else submitted_at(row)
            return {**found, "submitted_at": given or found["event_at"], "updated_at": found["event_at"]}

        return read_row

    def _find_ticket_id(self) -> Read | None:
        rules = (*self._file.events, *self._file.figures)
        many = self._repeated | {one.name for one in self._file.columns if one.within is not None}
        for cells in (self._file.tickets or (), self._file.log or (), *(rule.cells for rule in rules)):
            cell = dict(cells).get("ticket_id")
            if cell is not None and not any(name in many for name in cell.names()):
                return compile_cell(cell, self.scope, "ticket_id")
        return None

    def open(self, line_number: int, record: ReadRecord) -> _OpenRecord:
        row = self._take_row(record)
        for name, at in self._watched:
            text = row[at]
            if text is not None:
                known = self.kinds.get(name)
                if known is None or known[0] != KINDS[-1]:
                    kind = kind_of(text)
                    if known is None or KINDS.index(kind) > KINDS.index(known[0]):
                        self.kinds[name] = (kind, line_number, text)
        return _OpenRecord(row, record, self._lists)

    def _take_row(self, record: ReadRecord) -> list[str | None]:
        if self._finds is not None:
            return [find(record) for find in self._finds]
        assert not isinstance(record, dict)
        row = [record[at] for at in self._header_places]
        for at in self._instant_places:
            text = row[at]
            if text is not None and is_null_date(text):
                row[at] = None
        return row

    def written(self, target: str) -> str | None:
        """The header's name of the column that a value of our tickets comes from."""
        cell = dict(self._file.tickets or ()).get(target)
        return None if cell is None else name_of(cell, self.scope)

    def check_required(self, row: Row) -> None:
        """Raises Unusable for a row that lacks what every row must have."""
        for shown, places in self._required:
            if all(row[at] is None for at in places):
                raise missing(shown)

    def scope_with(self, each: str | None) -> Scope:
        if each is None:
            return self.scope
        if each in self._lists:
            return self.scope.within_list(
                each, [one.name for one in self._lists[each].columns], self._row_length
            )
        return self.scope.within(each, self._row_length)

    def is_list(self, each: str | None) -> bool:
        """Whether a rule is asked per element of a nested list."""
        return each in self._lists

    def rows_of(self, each: str | None, record: _OpenRecord) -> Iterable[list[str | None]]:
        """The row itself; or one per filled cell of a repeated column, with the cell and what stands for `*` behind it; or one
        per element of a nested list, with what its columns hold behind it. Raises Unusable.
        """
        row = record.row
        if each is None:
            return [row]
        if each in self._lists:
            # One at a time: of a long list, each has the whole row of its record in front.
            return (row + cells for cells in record.open_list(each)[0])
        cells = zip(self.scope.places.get(each, ()), self._stars.get(each, ()), strict=True)
        return [[*row, row[at], star] for at, star in cells if row[at] is not None]

    def ticket_id(self, row: Row) -> str | None:
        """The ticket of a record, where it can be told at all."""
        if self._ticket_id is None:
            return None
        try:
            return read_text_id(None, self._ticket_id(row))
        except Unusable:
            return None

    def evidence(self, record: _OpenRecord, has_response: bool) -> str:
        """What the export shows of the ticket of a record, in words. `has_response`: it dates the first answer."""
        words = []
        missing_lists: set[str] = set()
        for word, holds, lists in self._evidence:
            if holds(record.row):
                without = {name for name in lists if not record.open_list(name)[1]}
                missing_lists |= without
                if not without:
                    words.append(word)
        self._without.update(missing_lists)
        # A blank date of the first answer proves no silence.
        shown = ["first_response" if word == RESPONSE_IF_ANY else word for word in words]
        return " ".join(
            dict.fromkeys(
                one for word, one in zip(words, shown, strict=True) if word != RESPONSE_IF_ANY or has_response
            )
        )

    def describe(self, export: Export, rows_read: int) -> list[Problem]:
        """The warnings that the mapping declares for such a file."""
        no_row = [None] * self._row_length
        lists = {one.name: self._lists[one.name] for one in self._file.lists}
        found = [
            Problem(
                export.name,
                None,
                lists[name].shown,
                f"records without this list: {count:,}; what only it shows of their tickets is not measurable.",
                "Export them with it; or say empty_if_missing: true where a record without it has none.",
            )
            for name, count in sorted(self._without.items())
        ]
        return found + [
            Problem(export.name, None if one.rows is not None else 1, None, one.says, one.hint)
            for one in self._file.warnings
            if one.rows in (None, rows_read) and compile_conditions(one.conditions, self.scope)(no_row)
        ]

    def convert(self, target: str, cell: Cell, scope: Scope, what: str | None = None) -> Convert:
        """The function from a row to the typed value of one of our columns; `what` names its words in messages."""
        column = name_of(cell, scope)
        if target in _WATCHED and scope.each is None and ANY_COLUMNS not in self.mapping.allowed:
            watched = [(scope.shown[name], at) for name in cell.names() for at in scope.places.get(name, ())]
            self._watched += [one for one in watched if one not in self._watched]
        match target:
            case "submitted_at" | "event_at":
                return _required(compile_instant(cell, scope, self.read_date), column)
            case "updated_at":
                return compile_instant(cell, scope, self.read_date)
            case "they_started_at" | "they_stopped_at" | "read_at":
                find = compile_instant(cell, scope, self.read_date)
                return lambda row: None if (window := find(row)) is None else window.first
            case "they_seconds" | "goal_seconds" | "unit_seconds" | "cycle_number" | "reopen_count":
                return compile_duration(cell, scope)
        take = compile_cell(cell, scope, what or _WORDS.get(target, target))
        if target == "sequence":
            return _whole_number(take, column)
        is_passed = cell.values is not None and cell.values.unknown == "pass"
        match target:
            case "ticket_id" | "person_id":
                return lambda row: read_text_id(column, take(row))
            case "customer_id" if self.mapping.is_form:
                # What sla.yml names may hold names, and a name may look like a number that lost digits.
                return take
            case "customer_id" | "event_id":
                return lambda row: None if (text := take(row)) is None else read_text_id(column, text)
            case "severity":
                return _closed(take, column, "severity", SEVERITY_TEXTS, is_passed)
            case "ticket_status":
                return _closed(take, column, "status", STATUSES, is_passed)
            case "actor_kind" if is_passed:
                # A person whose side (vendor or customer) is not known.
                return lambda row: text if (text := take(row)) in ACTOR_KINDS else None
            case "actor_kind":
                return _closed(take, column, "actor_kind", ACTOR_KINDS, False)
            case "event_type":
                return _closed(take, column, "event_type", EVENT_TYPES, False)
            case "figure_kind":
                return _closed(take, column, "figure_kind", FIGURE_KINDS, False)
            case "clock_kind":
                return _closed(take, column, "clock_kind", CLOCK_KINDS, False)
            case "is_public" | "they_breached":
                return _boolean(take, column)
        return take


def _required(take: ReadInstant, column: str | None) -> Convert:
    def convert(row: Row) -> Window:
        found = take(row)
        if found is None:
            raise missing(column)
        return found

    return convert


def _whole_number(take: Read, column: str | None) -> Convert:
    def convert(row: Row) -> int | None:
        text = take(row)
        if text is None:
            return None
        if re.fullmatch(r"-?[0-9]{1,18}", text) is None:
            raise Unusable(column, text, "is not a whole number", "A sequence is a number that counts up.")
        return int(text)

    return convert


def _closed(take: Read, column: str | None, what: str, known: tuple[str, ...], is_passed: bool) -> Convert:
    words = frozenset(known)

    def convert(row: Row) -> str | None:
        text = take(row)
        if text is None or text in words or is_passed:
            return text
        raise unknown_value(column, text, what, known)

    return convert


def _boolean(take: Read, column: str | None) -> Convert:
    def convert(row: Row) -> bool | None:
        text = take(row)
        if text is None or text == UNMARKED:
            return None
        found = _BOOLEANS.get(text.strip().casefold())
        if found is None:
            raise Unusable(
                column, text, "is neither true nor false", "Map it: values: {Yes: true, No: false}."
            )
        return found

    return convert


class _Event:
    """One rule that makes events of rows."""

    def __init__(self, reader: _RowReader, rule: RowRule, file: str, number: int, is_derived: bool) -> None:
        self._reader, self._rule, self._is_derived = reader, rule, is_derived
        self._prefix, self._is_listed = f"{file}{number}", reader.is_list(rule.each)
        self._series = f"{file}.{rule.each}" if self._is_listed else file
        scope = reader.scope_with(rule.each)
        self._meets_conditions = compile_conditions(rule.conditions, scope)
        cells = dict(rule.cells)
        word = _VALUES_OF.get(cells["event_type"].constant or "")
        words = {"value": word, "value_before": word}
        # What is the same of every row is made once.
        self._constants, self._columns = _part_constants(
            rule.cells, lambda name, cell: reader.convert(name, cell, scope, words.get(name))
        )
        self._elapsed = None if rule.elapsed is None else _compile_elapsed(rule.elapsed, reader, scope)
        self._counts_from_submission = rule.elapsed is not None and rule.elapsed.start == reader.submission
        self._names = {name: name_of(cell, scope) for name, cell in cells.items()}
        known = {name: cell.values for name, cell in cells.items() if name in words and cell.values}
        self._passed = {name for name, values in known.items() if values.unknown == "pass"}
        self._known = {name: tuple(word for word, _ in values.pairs) for name, values in known.items()}
        self.event_type = cells["event_type"].constant
        self.has_actor = "actor" in cells
        self._is_unmarked = "is_public" in cells and cells["is_public"].constant == UNMARKED

    @property
    def gap(self) -> str | None:
        """What of a ticket is no longer whole without such an event, as a word of evidence; None: all of it."""
        evidence = EVIDENCE_OF.get(self.event_type) if self.event_type else None
        return evidence if evidence in GAPS else None

    def make(self, record: _OpenRecord) -> list[Record]:
        """The events of one record. Raises Unusable, and _Gap for one that is passed although its meaning is unknown."""
        rows = enumerate(self._reader.rows_of(self._rule.each, record), 1)
        made = [self._one(each, number) for number, each in rows if self._meets_conditions(each)]
        return [event for event in made if event is not None]

    def _one(self, row: Row, number: int) -> Record | None:
        event = self._constants.copy()
        for name, convert in self._columns:
            event[name] = convert(row)
        event_type = event["event_type"]
        if event_type is None:
            raise self._missing("event_type")
        if event_type == "message":
            if event.get("is_public") is None and not self._is_unmarked:
                raise self._missing("is_public")
            if event.get("actor_kind") is None and not self.has_actor:
                raise self._missing("actor_kind")
        elif event_type in _VALUES_OF:
            self._check_words(event)
        event |= {"is_date": self._is_derived, "is_listed": self._is_listed, "is_mark": self._rule.is_mark}
        window: Window | None = event.get("event_at")
        if self._elapsed is not None:
            window = self._elapsed(row)
            if window is None:
                return None
            event["moves_with_submission"] = self._counts_from_submission
        assert window is not None
        is_window = self._elapsed is not None or window.latest is not None
        # A date that a user's own mapping takes from beside the ticket is the vendor's, also where it is exact.
        is_vendors = self._is_derived and not self._reader.mapping.is_form
        event |= {"earliest_at": window.first if is_window or is_vendors else None, "event_at": window.last}
        if event.get("event_id") is not None:
            # Each kind of file, and each list in its records, counts its ids by itself.
            event["update_id"] = f"{self._series}:{event['event_id']}"
        # The id does not change with the width of the window.
        event["event_id"] = self._compose_id(event, window.last if self._elapsed else window.first, number)
        return event

    def _check_words(self, event: Record) -> None:
        word, words = _VALUES_OF[event["event_type"]], EVENT_VALUES[event["event_type"]]
        for name in ("value", "value_before"):
            text = event.get(name)
            if text in words or (text is None and name == "value_before"):
                continue
            if word == "severity" and name in self._passed:
                # An unknown level has no clock, so such an event is never landed as one.
                raise _Gap
            if text is None:
                raise self._missing(name)
            if name not in self._passed:
                raise unknown_value(self._names[name], text, word, self._known.get(name) or words)

    def _missing(self, name: str) -> Unusable:
        return Unusable(
            self._names.get(name) or name,
            None,
            "is missing",
            "Every such event needs it; map it, or correct the export.",
        )

    def _compose_id(self, event: Record, happened: datetime, number: int) -> str:
        ticket_id, given = event["ticket_id"], event.get("event_id")
        if self._rule.name is not None:
            return f"{ticket_id}:{self._rule.name}" + (f":{given or number}" if self._rule.each else "")
        if given and self._is_listed:
            # The lists of two tickets may count alike.
            return f"{self._prefix}:{ticket_id}:{given}"
        if given:
            return f"{self._prefix}:{given}"
        said = event.get("value") or event.get("actor") or event.get("actor_kind") or ""
        if event["event_type"] == "message" and event.get("is_public") is False:
            # A reply and a note of one instant are two messages.
            said += ":internal"
        composed = f"{ticket_id}:{event['event_type']}:{happened:%Y-%m-%dT%H:%M:%SZ}:{said}"
        return f"{self._prefix}:{composed}"


def _part_constants(
    cells: Cells, compile_one: Callable[[str, Cell], Convert]
) -> tuple[Record, list[tuple[str, Convert]]]:
    """The values that no row changes, and the functions that read the others."""
    constants: Record = {}
    columns: list[tuple[str, Convert]] = []
    for name, cell in cells:
        convert = compile_one(name, cell)
        if cell == Cell(constant=cell.constant):
            try:
                constants[name] = convert(())
                continue
            except Unusable:
                # Every record will be refused for it.
                pass
        columns.append((name, convert))
    return constants, columns


def _compile_elapsed(
    elapsed: ElapsedTime, reader: _RowReader, scope: Scope
) -> Callable[[Row], Window | None]:
    start = compile_instant(elapsed.start, scope, reader.read_date)
    limit = None if elapsed.limit is None else compile_instant(elapsed.limit, scope, reader.read_date)
    count = compile_duration(elapsed.minutes, scope)
    is_business = elapsed.clock_kind == "business"
    calendar = reader.mapping.calendar if is_business else None

    counts_from_submission = elapsed.start == reader.submission

    def derive(row: Row) -> Window | None:
        start_at, minutes = start(row), count(row)
        if start_at is None or minutes is None or (is_business and calendar is None):
            return None
        limit_at = None if limit is None or (found := limit(row)) is None else found.last
        first = derive_window(start_at.first, minutes, calendar, limit_at)
        if counts_from_submission or start_at.latest is None or first is None:
            return first
        last = derive_window(start_at.last, minutes, calendar, limit_at)
        return None if last is None else Window(first.first, max(first.last, last.last))

    return derive


class _People:
    """The rule that makes people of rows."""

    def __init__(self, reader: _RowReader, rule: RowRule) -> None:
        self._reader, self._each = reader, rule.each
        scope = reader.scope_with(rule.each)
        self._meets_conditions = compile_conditions(rule.conditions, scope)
        self._columns = [(name, reader.convert(name, cell, scope)) for name, cell in rule.cells]

    def make(self, record: _OpenRecord) -> list[Record]:
        """The people of one record. Raises Unusable."""
        rows = self._reader.rows_of(self._each, record)
        return [
            {name: convert(row) for name, convert in self._columns}
            for row in rows
            if self._meets_conditions(row)
        ]


class _Figure:
    """One rule that takes over a figure of the vendor's."""

    def __init__(self, reader: _RowReader, rule: RowRule) -> None:
        self._reader, self._each = reader, rule.each
        scope = reader.scope_with(rule.each)
        self._meets_conditions = compile_conditions(rule.conditions, scope)
        self._columns = [(name, reader.convert(name, cell, scope)) for name, cell in rule.cells]
        self._is_difference = "they_seconds" not in dict(rule.cells)

    def make(self, record: _OpenRecord) -> list[Record]:
        """The figures of one record: those that say how long, or whether it was too long. Raises Unusable."""
        rows = self._reader.rows_of(self._each, record)
        made = [self._one(each) for each in rows if self._meets_conditions(each)]
        return [
            figure
            for figure in made
            if figure.get("they_seconds") is not None or figure.get("they_breached") is not None
        ]

    def _one(self, row: Row) -> Record:
        figure = {name: convert(row) for name, convert in self._columns}
        started_at, stopped_at = figure.get("they_started_at"), figure.get("they_stopped_at")
        if self._is_difference and figure["figure_kind"] == "elapsed" and started_at and stopped_at:
            figure["they_seconds"] = int((stopped_at - started_at).total_seconds())
        return figure


def land_ticket(ticket: Record, evidence: str) -> tuple[str, Record]:
    """A ticket in our words as a row of its landed table, with what the export shows of it."""
    submitted: Window = ticket["submitted_at"]
    updated: Window | None = ticket.get("updated_at")
    return "ticket_versions", {
        **ticket,
        "status": ticket.get("ticket_status"),
        "evidence": evidence,
        "submitted_at": submitted.first,
        "latest_submitted_at": submitted.latest,
        "updated_at": None if updated is None else updated.first,
        "latest_updated_at": None if updated is None else updated.latest,
    }


def land_log_row(row: Record, evidence: str) -> tuple[str, Record]:
    """The state of a ticket at the instant of a row of a log, as a row of its landed table."""
    table, version = land_ticket(row, evidence)
    return table, {**version, "version_kind": "update", "update_number": row.get("sequence")}


def land_person(person: Record) -> tuple[str, Record]:
    """A person in our words as a row of its landed table."""
    return "people", {**person, "role": person.get("actor_kind")}


def land_event(event: Record, version_at: datetime | None) -> tuple[str, Record]:
    """An event in our words as a row of its landed table. `version_at`: of the ticket's version that holds it."""
    shared = {
        "ticket_id": event["ticket_id"],
        "is_public": event.get("is_public"),
        "author_id": event.get("actor"),
        "author_kind": event.get("actor_kind"),
        "author_role": event.get("actor_role"),
        "earliest_at": event.get("earliest_at"),
        "update_id": event.get("update_id"),
        "update_number": event.get("sequence"),
        "moves_with_submission": event.get("moves_with_submission"),
        "version_at": version_at,
    }
    if event["is_listed"]:
        # Between the lists of one record, and from where a list begins, nothing says what came first.
        shared["place"] = None
    if event["event_type"] == "message":
        kind = "date" if event["is_date"] else "comment"
        own = {"message_id": event["event_id"], "message_kind": kind, "said_at": event["event_at"]}
        return "ticket_messages", shared | own
    is_of_status = event["is_date"] and event["event_type"] == "status_changed"
    own = {
        "change_id": event["event_id"],
        "change_kind": "mark" if event["is_mark"] else "date" if event["is_date"] else "event",
        # A date in the ticket's own record is of a field of the ticket.
        "field_name": "status" if is_of_status else event["event_type"],
        "value_before": event.get("value_before"),
        "value": event.get("value"),
        "changed_at": event["event_at"],
    }
    return "ticket_changes", shared | own


class _Submissions:
    """The instants at which the tickets of one file were submitted: a ticket is submitted once."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[datetime, int]] = {}
        self._several: dict[str, dict[datetime, int]] = {}

    def add(self, ticket_id: str, submitted_at: datetime, line_number: int) -> None:
        known = self._first.setdefault(ticket_id, (submitted_at, line_number))
        if known[0] != submitted_at:
            found = self._several.setdefault(ticket_id, dict([known]))
            found.setdefault(submitted_at, line_number)

    def check(self, export: Export, reader: _RowReader) -> list[Problem]:
        if not self._several:
            return []
        ticket_id, found = next(iter(self._several.items()))
        lines = list(found.values())
        shown = ", ".join(map(str, lines[:_SHOWN_LINES])) + (" …" if len(lines) > _SHOWN_LINES else "")
        said = f"ticket_id {ticket_id!r} comes with {len(found)} different submissions (lines {shown})"
        others = len(self._several) - 1
        more = f", and so do {others:,} more of {len(self._first):,} tickets" if others else ""
        if len(self._several) <= _SHARE_OF_MISTAKES * len(self._first):
            hint = (
                "A ticket is submitted once: correct the export. Of two submissions the earlier one counts."
            )
            return [Problem(export.name, lines[1], reader.written("submitted_at"), f"{said}{more}.", hint)]
        entry = f"log: {{ticket_id: {reader.written('ticket_id')}, event_at: {reader.written('submitted_at')}, …}}"
        raise reject(
            export,
            f"{said}{more}. One row per event is a log, not a list of tickets.",
            f"Write `{entry}` in place of `tickets:`, and under `events:` what its rows are (MAPPINGS.md, Event logs)."
            if not reader.mapping.is_form
            else "Export one row per ticket, or read the log by a mapping file with `log:` (MAPPINGS.md, Event logs).",
            lines[1],
            reader.written("submitted_at"),
        )


@dataclass
class _Landing:
    """Collects the rows of one file and hands them to the writer in file order."""

    writer: RowWriter
    reader: _RowReader
    rows_read: int = 0
    _waiting: dict[str, list[Record]] = field(default_factory=dict)
    _line: int = 0
    _keys_of_line: set[tuple[object, ...]] = field(default_factory=set)
    _passed: int = 0
    _unknown: Counter[tuple[str, str]] = field(default_factory=Counter)
    _submissions: _Submissions = field(default_factory=lambda: _Submissions())

    def refuse(self, refused: list[Refused]) -> None:
        self.rows_read += len(refused)
        self.writer.refuse(refused)

    def take(self, line_number: int, read: ReadRecord) -> None:
        """Take one record, or put it into quarantine and remember what its ticket lacks now."""
        self.rows_read += 1
        reader = self.reader
        row: list[str | None] | None = None
        rows: list[tuple[str, Record]] = []
        gaps: list[str | None] = []
        at: _Event | None = None
        version_at: datetime | None = None
        ticket: Record | None = None
        has_response = False
        try:
            record = reader.open(line_number, read)
            row = record.row
            if not reader.meets_conditions(row):
                self._passed += 1
                return
            reader.check_required(row)
            if reader.people is not None:
                rows += [land_person(person) for person in reader.people.make(record)]
            if reader.tickets is not None:
                ticket = reader.tickets(row)
                self._submissions.add(ticket["ticket_id"], ticket["submitted_at"].first, line_number)
                updated: Window | None = ticket.get("updated_at")
                version_at = None if updated is None else updated.first
            for at in reader.events:
                try:
                    made = at.make(record)
                    has_response |= any(one["event_type"] == "message" and one["is_date"] for one in made)
                    rows += [land_event(event, version_at) for event in made]
                except _Gap:
                    gaps.append(None)
            if ticket is not None:
                rows.insert(0, land_ticket(ticket, reader.evidence(record, has_response)))
            if reader.log is not None:
                rows.insert(0, land_log_row(reader.log(row), reader.evidence(record, has_response)))
            rows += [("vendor_sla_figures", figure) for one in reader.figures for figure in one.make(record)]
            self._passed += not rows and not gaps
        except Unusable as problem:
            self.writer.refuse(
                [Refused(line_number, problem.column, problem.raw_value, problem.reason, problem.hint)]
            )
            if isinstance(problem, UnknownValue):
                self._unknown[problem.column or "", problem.raw_value or ""] += 1
            rows = []
            if reader.tickets is None and at is not None:
                gaps = [at.gap]
            elif isinstance(problem, UnknownValue):
                # An earlier, readable version of the ticket must not be judged as if nothing had come since.
                gaps = [None]
        ticket_id = reader.ticket_id(row) if gaps and row is not None else None
        if ticket_id is not None:
            rows += [("gaps", {"ticket_id": ticket_id, "evidence": gap}) for gap in dict.fromkeys(gaps)]
        self._add(line_number, rows)

    def _add(self, line_number: int, rows: list[tuple[str, Record]]) -> None:
        if line_number != self._line:
            self._line, self._keys_of_line = line_number, set()
        for table, row in rows:
            # A page on one line may repeat a record, and two cells may hold the same event: said once is enough.
            key = (table, *(row.get(name) for name in _KEYS[table]))
            if key in self._keys_of_line:
                continue
            self._keys_of_line.add(key)
            waiting = self._waiting.setdefault(table, [])
            place = len(self._keys_of_line)
            waiting.append(
                {
                    "place": place,
                    **row,
                    "line_number": line_number,
                    "line_place": place if "version_kind" in row else None,
                }
            )
            if len(waiting) >= _CHUNK_ROWS:
                self._write(table)

    def finish(self) -> None:
        for table in self._waiting:
            self._write(table)

    def _write(self, table: str) -> None:
        self.writer.add(table, to_table(table, self._waiting[table]))
        self._waiting[table] = []

    def check_submissions(self, export: Export) -> list[Problem]:
        """Warnings for tickets with several submissions. Raises InputRejected where the file is a log of events."""
        return self._submissions.check(export, self.reader)

    def describe_passed(self, export: Export) -> list[Problem]:
        """Warnings for what the values do not know, and for rows of which no event is made."""
        found = []
        for (column, word), count in sorted(self._unknown.items())[:_SHOWN_VALUES]:
            said = f"{word!r} is not known: {count} in quarantine because of it."
            found.append(Problem(export.name, None, column, said, "Map it in the values of the mapping."))
        if self._passed:
            said = f"passed over, because they are nothing that the mapping declares: {self._passed} of {self.rows_read} rows."
            found.append(Problem(export.name, None, None, said, None))
        return found
