"""Exports of any helpdesk, read as a mapping file says: tickets, events and people in the canonical form.

The header is checked before a row is read; then every record is taken whole or refused whole. What of a refused record
belongs to a known ticket is landed as a gap, so that no verdict of the ticket rests on a history with a hole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import duckdb

from pipeline.errors import Problem
from pipeline.ingest.files.exports import Export
from pipeline.ingest.files.refused import Refused
from pipeline.ingest.forms.canonical_rows import Unusable, to_table
from pipeline.ingest.forms.check_shape import KINDS, Shape, check_header, check_kinds, kind_of, read_shape
from pipeline.ingest.forms.read_cells import (
    Read,
    Row,
    UnknownValue,
    compile_cell,
    compile_condition,
    compile_dates,
    name_of,
    read_text_id,
    unknown_value,
)
from pipeline.ingest.forms.read_mapped import OpenFile, find_written, open_mapped, read_mapped
from pipeline.ingest.forms.row_writer import RowWriter
from pipeline.rules.mapping import (
    ACTOR_KINDS,
    EVENT_TYPES,
    EVENT_VALUES,
    EVIDENCE_OF,
    GAPS,
    SEVERITY_TEXTS,
    Cell,
    Cells,
    EventRule,
    Mapping,
)
from pipeline.rules.plan import STATUSES

if TYPE_CHECKING:
    from pipeline.rules.source import Source

Record = dict[str, Any]
Convert = Callable[[Row], Any]

_CHUNK_ROWS = 50_000
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
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
# What the words of a column are called in messages.
_WORDS = {"ticket_status": "status", "is_public": "word for public"}
_VALUES_OF = {"status_changed": "status", "severity_changed": "severity"}


def land_mapped(
    export: Export, start: bytes, source: Source, connection: duckdb.DuckDBPyConnection, writer: RowWriter
) -> tuple[int, list[Problem]]:
    """Land a file as the source's mapping says; the number of records read, and warnings. Raises InputRejected."""
    assert source.mapping is not None
    return land_with_mapping(export, start, source.mapping, writer)


def land_with_mapping(
    export: Export, start: bytes, mapping: Mapping, writer: RowWriter
) -> tuple[int, list[Problem]]:
    """`land_mapped` for an adapter that brings its own mapping."""
    opened = open_mapped(export, start, mapping)
    reader = _RowReader(mapping, opened)
    earlier = read_shape(writer.earlier_shape(opened.file.name))
    warnings = check_header(export, mapping, earlier, opened.header, reader.used)
    landing = _Landing(writer, reader)
    for records in read_mapped(export, opened, mapping):
        warnings += records.notes
        landing.refuse(records.refused)
        for number, values in zip(records.numbers, records.rows, strict=True):
            landing.take(number, values)
    landing.finish()
    warnings += check_kinds(export, mapping, earlier, reader.kinds)
    kinds = {name: kind for name, (kind, _, _) in sorted(reader.kinds.items())}
    writer.shape = Shape(opened.file.name, opened.header, kinds).as_json()
    return landing.rows_read, warnings + landing.describe_passed(export)


class _Gap(Exception):
    """An event that says nothing certain of its ticket, although its record is taken."""


@dataclass(frozen=True)
class _Rows:
    """One kind of row: a function per column of ours."""

    columns: tuple[tuple[str, Convert], ...]

    def make(self, row: Row) -> Record:
        return {name: convert(row) for name, convert in self.columns}


class _RowReader:
    """Everything that a mapping says of one recognised file, as functions of a row."""

    def __init__(self, mapping: Mapping, opened: OpenFile) -> None:
        self._read_date = compile_dates(mapping)
        self._places: dict[str, int] = {}
        self._shown: dict[str, str] = {}
        self._repeats: dict[str, list[int]] = {}
        self._header_places: list[int] = []
        header = opened.header
        for column in opened.file.columns:
            written = find_written(column, header)
            self._shown[column.name] = written or column.written[0]
            if written is None:
                continue
            if column.is_repeated:
                self._repeats[column.name] = [at for at, name in enumerate(header) if name == written]
            else:
                self._places[column.name] = len(self._header_places)
                self._header_places.append(header.index(written))
        self.used = tuple(dict.fromkeys(self._shown[name] for name in (*self._places, *self._repeats)))
        self.kinds: dict[str, tuple[str, int, str]] = {}
        self._watched: list[tuple[str, int]] = []
        file = opened.file
        self.evidence = " ".join(mapping.evidence)
        self.tickets = self._compile_rows(file.tickets) if file.tickets is not None else None
        self.people = self._compile_rows(file.people) if file.people is not None else None
        self.events = [
            _Event(self, rule, f"{file.name}{number}", file.tickets is not None and rule.each is None)
            for number, rule in enumerate(file.events, 1)
        ]
        self.conditions = [compile_condition(one, self._places) for one in file.conditions]
        self._ticket_id = self._find_ticket_id(file.tickets, file.events)

    def _compile_rows(self, cells: Cells) -> _Rows:
        return _Rows(tuple((name, self.convert(name, cell)) for name, cell in cells))

    def _find_ticket_id(self, tickets: Cells | None, events: Sequence[EventRule]) -> Read | None:
        for cells in (tickets or (), *(rule.cells for rule in events)):
            cell = dict(cells).get("ticket_id")
            if cell is not None and not any(name in self._repeats for name in cell.names()):
                return compile_cell(cell, self._places, self._shown, "ticket_id")
        return None

    def row(self, line_number: int, values: Sequence[str | None]) -> list[str | None]:
        row = [values[at] for at in self._header_places]
        for name, at in self._watched:
            text = row[at]
            if text is not None:
                known = self.kinds.get(name)
                if known is None or known[0] != KINDS[-1]:
                    kind = kind_of(text.strip())
                    if known is None or KINDS.index(kind) > KINDS.index(known[0]):
                        self.kinds[name] = (kind, line_number, text)
        return row

    def repeated(self, name: str, values: Sequence[str | None]) -> list[str]:
        return [text for at in self._repeats.get(name, ()) if (text := values[at]) is not None]

    def places_with(self, each: str | None) -> dict[str, int]:
        return self._places if each is None else self._places | {each: len(self._header_places)}

    def ticket_id(self, row: Row) -> str | None:
        """The ticket that a record speaks of, where it can be told at all."""
        if self._ticket_id is None:
            return None
        try:
            return read_text_id(None, self._ticket_id(row))
        except Unusable:
            return None

    def convert(self, target: str, cell: Cell, each: str | None = None, what: str | None = None) -> Convert:
        """The function from a row to the typed value of one of our columns; `what` names its words in messages."""
        places, shown = self.places_with(each), self._shown
        column = name_of(cell, shown)
        if target in _WATCHED and each is None:
            self._watched += [
                (shown[name], places[name])
                for name in cell.names()
                if name in places and (shown[name], places[name]) not in self._watched
            ]
        take = compile_cell(cell, places, shown, what or _WORDS.get(target, target))
        is_passed = cell.values is not None and cell.values.unknown == "pass"
        match target:
            case "ticket_id" | "person_id":
                return lambda row: read_text_id(column, take(row))
            case "customer_id" | "event_id":
                return lambda row: None if (text := take(row)) is None else read_text_id(column, text)
            case "submitted_at" | "event_at":
                return lambda row: self._read_date(column, take(row))
            case "updated_at":
                return lambda row: None if (text := take(row)) is None else self._read_date(column, text)
            case "severity":
                return _closed(take, column, "severity", SEVERITY_TEXTS, is_passed)
            case "ticket_status":
                return _closed(take, column, "status", STATUSES, is_passed)
            case "actor_kind" if is_passed:
                # Somebody of whom it is not known whose side they are on.
                return lambda row: text if (text := take(row)) in ACTOR_KINDS else None
            case "actor_kind":
                return _closed(take, column, "actor_kind", ACTOR_KINDS, False)
            case "event_type":
                return _closed(take, column, "event_type", EVENT_TYPES, False)
            case "is_public":
                return _boolean(take, column)
        return take


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
        if text is None:
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

    def __init__(self, reader: _RowReader, rule: EventRule, prefix: str, is_derived: bool) -> None:
        self._reader, self._rule, self._prefix, self._is_derived = reader, rule, prefix, is_derived
        places = reader.places_with(rule.each)
        self._conditions = [compile_condition(one, places) for one in rule.conditions]
        cells = dict(rule.cells)
        word = _VALUES_OF.get(cells["event_type"].constant or "")
        words = {"value": word, "value_before": word}
        self._columns = [
            (name, reader.convert(name, cell, rule.each, words.get(name))) for name, cell in rule.cells
        ]
        self._names = {name: name_of(cell, reader._shown) for name, cell in cells.items()}
        known = {name: cell.values for name, cell in cells.items() if name in words and cell.values}
        self._passed = {name for name, values in known.items() if values.unknown == "pass"}
        self._known = {name: tuple(word for word, _ in values.pairs) for name, values in known.items()}
        self.event_type = cells["event_type"].constant
        self.has_actor = "actor" in cells

    @property
    def gap(self) -> str | None:
        """What of a ticket is no longer whole without such an event, as a word of evidence; None: all of it."""
        evidence = EVIDENCE_OF.get(self.event_type) if self.event_type else None
        return evidence if evidence in GAPS else None

    def make(self, row: list[str | None], values: Sequence[str | None]) -> list[Record]:
        """The events of one row. Raises Unusable, and _Gap for one that is passed although nobody knows what it says."""
        rows = (
            [row]
            if self._rule.each is None
            else [[*row, text] for text in self._reader.repeated(self._rule.each, values)]
        )
        return [self._one(each) for each in rows if all(holds(each) for holds in self._conditions)]

    def _one(self, row: Row) -> Record:
        event = {name: convert(row) for name, convert in self._columns}
        event_type = event["event_type"]
        if event_type is None:
            raise self._missing("event_type")
        if event_type == "message":
            if event.get("is_public") is None:
                raise self._missing("is_public")
            if event.get("actor_kind") is None and not self.has_actor:
                raise self._missing("actor_kind")
        elif event_type in _VALUES_OF:
            self._check_words(event)
        event["event_id"] = f"{self._prefix}:{event.get('event_id') or self._compose_id(event)}"
        # A date that stands beside the ticket is exact, and says nothing of what else happened.
        event["is_date"] = self._is_derived
        return event

    def _check_words(self, event: Record) -> None:
        word, words = _VALUES_OF[event["event_type"]], EVENT_VALUES[event["event_type"]]
        for name in ("value", "value_before"):
            text = event.get(name)
            if text in words or (text is None and name == "value_before"):
                continue
            if word == "severity" and name in self._passed:
                # Nobody can put a clock on an unknown level, so such an event is never landed as one.
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

    @staticmethod
    def _compose_id(event: Record) -> str:
        happened: datetime = event["event_at"]
        said = event.get("value") or event.get("actor") or ""
        return f"{event['ticket_id']}:{event['event_type']}:{happened:%Y-%m-%dT%H:%M:%SZ}:{said}"


def land_ticket(ticket: Record) -> tuple[str, Record]:
    """A ticket in our words as a row of its landed table."""
    return "ticket_versions", {**ticket, "status": ticket.get("ticket_status")}


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
        "earliest_at": event["event_at"] if event["is_date"] else None,
        "version_at": version_at,
    }
    if event["event_type"] == "message":
        kind = "date" if event["is_date"] else "comment"
        own = {"message_id": event["event_id"], "message_kind": kind, "said_at": event["event_at"]}
        return "ticket_messages", shared | own
    own = {
        "change_id": event["event_id"],
        "change_kind": "date" if event["is_date"] else "event",
        "field_name": event["event_type"],
        "value_before": event.get("value_before"),
        "value": event.get("value"),
        "changed_at": event["event_at"],
    }
    return "ticket_changes", shared | own


@dataclass
class _Landing:
    """Collects the rows of one file and hands them to the writer in file order."""

    writer: RowWriter
    reader: _RowReader
    rows_read: int = 0
    _waiting: dict[str, list[Record]] = field(default_factory=dict)
    _line: int = 0
    _keys_of_line: set[tuple[str, Any]] = field(default_factory=set)
    _passed: int = 0
    _unknown: Counter[tuple[str, str]] = field(default_factory=Counter)

    def refuse(self, refused: list[Refused]) -> None:
        self.rows_read += len(refused)
        self.writer.refuse(refused)

    def take(self, line_number: int, values: Sequence[str | None]) -> None:
        """Take one record, or put it into quarantine and remember what its ticket lacks now."""
        self.rows_read += 1
        reader = self.reader
        row = reader.row(line_number, values)
        if not all(holds(row) for holds in reader.conditions):
            self._passed += 1
            return
        rows: list[tuple[str, Record]] = []
        gaps: list[str | None] = []
        at: _Event | None = None
        version_at: datetime | None = None
        try:
            if reader.people is not None:
                rows.append(land_person(reader.people.make(row)))
            if reader.tickets is not None:
                ticket = reader.tickets.make(row)
                rows.append(land_ticket(ticket | {"evidence": reader.evidence}))
                version_at = ticket.get("updated_at")
            for at in reader.events:
                try:
                    rows += [land_event(event, version_at) for event in at.make(row, values)]
                except _Gap:
                    gaps.append(None)
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
            elif isinstance(problem, UnknownValue) and reader.people is None:
                # An earlier, readable version of the ticket must not be judged as if nothing had come since.
                gaps = [None]
        ticket_id = reader.ticket_id(row) if gaps else None
        if ticket_id is not None:
            rows += [("gaps", {"ticket_id": ticket_id, "evidence": gap}) for gap in dict.fromkeys(gaps)]
        self._add(line_number, rows)

    def _add(self, line_number: int, rows: list[tuple[str, Record]]) -> None:
        if line_number != self._line:
            self._line, self._keys_of_line = line_number, set()
        for table, row in rows:
            # A page on one line may repeat a record, and two cells may hold the same event: said once is enough.
            own = row.get("message_id") or row.get("change_id") or row.get("person_id")
            key = (table, own or (row["ticket_id"], row.get("evidence")))
            if key in self._keys_of_line:
                continue
            self._keys_of_line.add(key)
            waiting = self._waiting.setdefault(table, [])
            waiting.append({**row, "line_number": line_number})
            if len(waiting) >= _CHUNK_ROWS:
                self._write(table)

    def finish(self) -> None:
        for table in self._waiting:
            self._write(table)

    def _write(self, table: str) -> None:
        self.writer.add(table, to_table(table, self._waiting[table]))
        self._waiting[table] = []

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
