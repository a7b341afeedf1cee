"""Read a mapping file: YAML that says which columns of a helpdesk's exports hold tickets, events and people.

Everything that is wrong is named at once, with its line and the nearest known name. `mapping_file.py` has the keys; what no
single value can show is looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline.declarations.declared import Declared, read_declared
from pipeline.declarations.problems import Place, name_nearest, refuse
from pipeline.declarations.read_yaml import Key, read_yaml
from pipeline.errors import ConfigurationError, Problem
from pipeline.rules.mapping import (
    BOOLEANS,
    CLOCK_KINDS,
    EPOCH_MILLISECONDS,
    EPOCH_SECONDS,
    EVENT_VALUES,
    FIGURE_KINDS,
    ISO,
    LISTS_INSIDE,
    PROVED_AS,
    REFERENCES,
    SETTINGS,
    SEVERITY_TEXTS,
    TABLE_FORMATS,
    UNITS,
    UNMARKED,
    Cell,
    Cells,
    Condition,
    Conditions,
    ElapsedTime,
    Evidence,
    MappedColumn,
    MappedFile,
    Mapping,
    NestedList,
    Notice,
    RowRule,
    Values,
    is_beside_ticket,
    is_wall_time,
    proved_by,
    read_other_days,
    says_a_day,
)
from pipeline.rules.mapping_file import (
    ColumnEntry,
    ConditionEntry,
    Elapsed,
    EvidenceEntry,
    FileEntry,
    ListEntry,
    MappingFile,
    NoticeEntry,
    Value,
    WordList,
    ZoneSetting,
    list_names,
    list_paths,
)
from pipeline.rules.plan import STATUSES
from pipeline.vocabulary import ACTOR_KINDS, EVENT_TYPES

# The closed vocabularies of our columns. What an event's `value` may be depends on the event (EVENT_VALUES).
VOCABULARIES: Dict[str, tuple[str, ...]] = {
    "severity": SEVERITY_TEXTS,
    "ticket_status": STATUSES,
    "actor_kind": ACTOR_KINDS,
    "event_type": EVENT_TYPES,
    "is_public": (*BOOLEANS, UNMARKED),
    "figure_kind": FIGURE_KINDS,
    "clock_kind": CLOCK_KINDS,
    "they_breached": BOOLEANS,
}
_NOT_COLUMNS = {"when", "each", "name"}
_WALL_CODES = "YymdHIMSpfbBTF"
_NESTING = 4


def load_mapping(path: Path, shown: str) -> Mapping:
    """A mapping file as plain values; `shown` is how messages name it. Raises ConfigurationError."""
    if not path.is_file():
        raise ConfigurationError(
            f"There is no mapping file {shown}. Write one with `sla ingest EXPORT --suggest --out {shown}`, "
            "or start from an example in data/reference/mappings/examples/."
        )
    problems: list[Problem] = []
    file, place = read_declared(MappingFile, read_yaml(path), problems)
    mapping = _build_mapping(file, place, shown)
    if problems:
        raise refuse(shown, [Problem(shown, one.line, one.field, one.reason, one.hint) for one in problems])
    return mapping


def _build_mapping(file: MappingFile, place: Place, shown: str) -> Mapping:
    if "files" in file.model_fields_set and not file.files:
        place.report(["files"], "no file is described.", "Describe at least one kind of file.")
    named = {name: _build_values(words) for name, words in file.values.items()}
    evidence = tuple(_list_evidence(file, place, named))
    evidence += tuple(_imply_resolution(file, evidence))
    looked_at = tuple(name for one in evidence for asked in one.conditions for name in asked.read_columns())
    dates = file.dates or (ISO,)
    mapping = Mapping(
        file=shown,
        time_zone=file.time_zone if isinstance(file.time_zone, str) else None,
        dates=dates,
        months=tuple((name.casefold(), number) for name, number in file.months.items()),
        century=file.century,
        # An empty cell is no value in every format that has text for values.
        null_markers=tuple(dict.fromkeys(("", *file.null_markers))),
        encoding=file.encoding,
        shown=evidence,
        allowed=file.allow,
        files=tuple(
            built
            for name, entry in file.files.items()
            for built in _FileReader(name, entry, place.at("files", name), named, looked_at).build()
        ),
        is_form=isinstance(file.time_zone, ZoneSetting),
    )
    _check_dates(file.dates, place)
    for name, entry in file.files.items():
        _check_dates(entry.dates, place.at("files", name))
    _check_zone_and_century(mapping, file.model_fields_set, place)
    _check_evidence(mapping, place, is_declared=file.evidence is not None)
    return mapping


def _list_evidence(file: MappingFile, place: Place, named: Dict[str, Values]) -> Iterator[Evidence]:
    seen: set[object] = set()
    # Of which file a record is, the evidence does not say.
    lists = _Lists({name: one for entry in file.files.values() for name, one in _list_nested(entry).items()})
    for index, entry in enumerate(file.evidence or ()):
        if entry in seen:
            place.report(["evidence", index], f"{entry!r} stands here twice.", "Keep one of the two.")
        elif isinstance(entry, EvidenceEntry):
            here = place.at("evidence", index)
            yield Evidence(entry.shows, _CellReader(named, lists=lists).build_conditions(entry, here))
        else:
            yield Evidence(entry)
        seen.add(entry)


def _imply_resolution(file: MappingFile, evidence: Sequence[Evidence]) -> Iterator[Evidence]:
    """A history of statuses that shows the end shows the resolution: it need not be said twice."""
    words = {one.shows for one in evidence}
    if words & {"resolution", "resolution_if_any"} or not any(map(_shows_end, file.files.values())):
        return
    for one in evidence:
        if one.shows in ("statuses", "statuses_if_any"):
            yield Evidence(one.shows.replace("statuses", "resolution"), one.conditions)


def _shows_end(entry: FileEntry) -> bool:
    """Whether the statuses of a file's history may be one that ends a ticket."""
    if entry.log is not None and getattr(entry.log, "ticket_status", None) is not None:
        return True
    for event in entry.events:
        # A date beside the ticket is no history; what stands in a list of its record is one.
        if entry.tickets is not None and getattr(event, "each", None) not in entry.lists:
            continue
        kind, value = getattr(event, "event_type", None), getattr(event, "value", None)
        is_status = isinstance(kind, Value) and (kind.constant or "status_changed") == "status_changed"
        ended = (
            value.constant in ("solved", "closed") if isinstance(value, Value) and value.constant else True
        )
        if (is_status or isinstance(kind, str)) and value is not None and ended:
            return True
    return False


def _build_values(words: WordList | Dict[str, str]) -> Values:
    if not isinstance(words, WordList):
        return Values(tuple(words.items()))
    match words.unknown:
        case "pass":
            return Values(tuple(words.words.items()), "pass", words.otherwise)
        case "nothing":
            return Values(tuple(words.words.items()), "nothing", words.otherwise)
    return Values(tuple(words.words.items()), otherwise=words.otherwise)


@dataclass(frozen=True)
class _Lists:
    """The nested lists of a file: those that there are, which one a column is of, and those of which one element is at hand."""

    known: Dict[str, NestedList] = field(default_factory=dict)
    columns: Dict[str, str] = field(default_factory=dict)
    open: Collection[str] = ()

    def find(self, column: str) -> str | None:
        """The list of which a column is a value."""
        head = _head(column)
        return self.columns.get(column, head if head in self.known else None)

    def around(self, name: str | None) -> tuple[str, ...]:
        """A list and those that it lies in, the innermost first; cut where they go in a circle."""
        found: list[str] = []
        while name is not None and name in self.known and name not in found:
            found.append(name)
            name = self.known[name].within
        return tuple(found)


def _list_nested(entry: FileEntry) -> dict[str, NestedList]:
    """The nested lists of a file by our names for them."""
    found = {}
    for name, written in entry.lists.items():
        paths = list_paths(name, written)
        within = _around(name, paths[0], entry)
        empty = isinstance(written, ListEntry) and written.empty_if_missing
        found[name] = NestedList(
            name,
            tuple(path.partition(".")[2] if within else path for path in paths),
            within,
            empty or (isinstance(written, ListEntry) and written.optional),
            empty,
        )
    return found


def _around(name: str, path: str, entry: FileEntry) -> str | None:
    """The list in whose elements a path begins. A list may itself be called what its path begins with."""
    head, dot, _ = path.partition(".")
    return head if dot and head != name and head in entry.lists else None


def _head(path: str) -> str:
    return path.partition(".")[0]


@dataclass(frozen=True)
class _CellReader:
    """Makes cells of values. `named`: lists of words; `not_single`: repeated columns, of which no single cell is at hand;
    `lists`: the nested lists, of which no element is at hand but of those that are open.
    """

    named: Dict[str, Values]
    not_single: Collection[str] = ()
    lists: _Lists = field(default_factory=_Lists)

    def build_rows(self, rows: Declared, place: Place) -> Cells:
        return tuple(
            (name, self.build(value, place, name, name)) for name, value in _list_columns(rows, place)
        )

    def build(
        self,
        value: str | Value,
        place: Place,
        key: Key,
        target: str = "",
        vocabulary: tuple[str, ...] | None = None,
        depth: int = 0,
    ) -> Cell:
        """The cell of the value under `key`; `target`: our column that takes it."""
        vocabulary = vocabulary or VOCABULARIES.get(target)
        cell = Cell(columns=(value,)) if isinstance(value, str) else Cell()
        if isinstance(value, Value):
            cell = self._build_described(value, place.at(key), target, vocabulary, depth)
        if "REVIEW" in (*cell.columns, cell.constant):
            place.report(
                [key],
                "REVIEW stands where a suggestion proved nothing.",
                "Write what is meant, or remove the line.",
            )
        for name in cell.columns:
            if name in self.not_single and cell.separator is None:
                place.report(
                    [key],
                    f"{name!r} is a repeated column.",
                    "Only an event with each: may use it, one cell at a time.",
                )
        if isinstance(value, str):
            self._check_lists((value,), place, key)
        _check_vocabulary(place.at(key), cell, target, vocabulary)
        return cell

    def _check_lists(self, columns: Sequence[str], place: Place, *key: Key) -> None:
        """Report columns of a nested list where no single element of it is at hand."""
        for column in columns:
            name = self.lists.find(column)
            if name is not None and name not in self.lists.open:
                place.report(
                    key,
                    f"{column!r} is a value of each element of the list {name!r}.",
                    f"Only a rule with each: {name} may use it, or with a list inside it.",
                )

    def _build_described(
        self, value: Value, place: Place, target: str, vocabulary: tuple[str, ...] | None, depth: int
    ) -> Cell:
        values = value.values
        if isinstance(values, str):
            place.check_name(["values"], values, self.named)
            built = self.named.get(values)
        else:
            built = None if values is None else _build_values(values)
        self._check_lists(value.columns if value.column is None else (value.column,), place)
        if value.count is not None:
            counted = [name for name, one in self.lists.known.items() if one.within is None]
            place.check_name(["count"], value.count, counted)
        if value.setting is not None:
            is_asked = isinstance(value, ConditionEntry)
            place.check_name(["setting"], value.setting, SETTINGS if is_asked else REFERENCES)
        return Cell(
            columns=value.columns if value.column is None else (value.column,),
            constant=value.constant,
            joined=self._build_inner(value.join, place.at("join"), depth),
            separator=value.separator,
            split_by=value.split_by,
            part=value.part,
            values=built,
            first=self._build_inner(value.first, place.at("first"), depth, target, vocabulary),
            latest=self._build_inner(value.latest, place.at("latest"), depth),
            header=value.header,
            count=value.count,
            setting=value.setting,
            unit=value.unit,
            conditions=self.build_conditions(value, place),
        )

    def _build_inner(
        self,
        values: Sequence[str | Value],
        place: Place,
        depth: int,
        target: str = "",
        vocabulary: tuple[str, ...] | None = None,
    ) -> tuple[Cell, ...]:
        """The values that another one is made of."""
        if values and depth >= _NESTING:
            place.report([], "cells are joined too deeply.", "Join them in one list.")
            return ()
        return tuple(
            self.build(value, place, index, target, vocabulary, depth + 1)
            for index, value in enumerate(values)
        )

    def build_conditions(self, holder: Any, place: Place) -> Conditions:
        """Those under `when`: one, or a list that must all hold."""
        when = holder.when
        if isinstance(when, ConditionEntry):
            return (self._build_condition(when, place.at("when")),)
        return tuple(self._build_condition(one, place.at("when", index)) for index, one in enumerate(when))

    def _build_number(self, value: str | Value | None, place: Place, key: Key) -> Cell | None:
        """What another number is compared with: digits, or where the number stands."""
        if value is None or (isinstance(value, str) and value.isdecimal()):
            return None if value is None else Cell(constant=value)
        return self.build(value, place, key)

    def _build_condition(self, entry: ConditionEntry, place: Place) -> Condition:
        # Whether a repeated column is there can be asked without a cell at hand.
        return Condition(
            at_least=self._build_number(entry.at_least, place, "at_least"),
            fewer_than=self._build_number(entry.fewer_than, place, "fewer_than"),
            cell=replace(self, not_single=())._build_described(entry, place, "", None, 0),
            is_filled=entry.filled,
            is_present=entry.present,
            is_one_of=_one_or_many(entry.is_one_of),
            is_none_of=_one_or_many(entry.is_none_of),
            starts_with=entry.starts_with,
            contains=entry.contains,
            has_word=entry.has_word,
        )


def _list_columns(rows: Declared, place: Place) -> Iterator[tuple[str, Any]]:
    """The columns that are given a value, in the order of the file."""
    known = type(rows).model_fields.keys() - _NOT_COLUMNS
    for key in place.names_at():
        if key in known and (value := getattr(rows, str(key))) is not None:
            yield str(key), value


def _one_or_many(texts: str | tuple[str, ...] | None) -> tuple[str, ...] | None:
    return (texts,) if isinstance(texts, str) else texts


@dataclass
class _FileReader:
    """Makes one kind of file of its entry. `looked_at`: columns that decide what its tickets show."""

    name: str
    entry: FileEntry
    place: Place
    named: Dict[str, Values]
    looked_at: Sequence[str]
    # Of the row that an event stands in: a ticket's, or a log's.
    beside: Cells = field(init=False, default=())
    lists: _Lists = field(init=False, default_factory=_Lists)

    def build(self) -> tuple[MappedFile, ...]:
        """One file per format that it may have."""
        entry, place = self.entry, self.place
        self.lists = self._build_lists()
        cells = _CellReader(self.named, self._repeated(), self.lists)
        tickets = None if entry.tickets is None else cells.build_rows(entry.tickets, place.at("tickets"))
        log = None if entry.log is None else cells.build_rows(entry.log, place.at("log"))
        self.beside = tickets or log or ()
        columns = tuple(
            self._place_column(
                MappedColumn(name, list_names(name, column), column.repeated, column.optional)
                if isinstance(column, ColumnEntry)
                else MappedColumn(name, list_names(name, column))
            )
            for name, column in entry.columns.items()
        )
        file = MappedFile(
            name=self.name,
            format="",
            sheet=entry.sheet,
            element=entry.element,
            records_at=entry.records_at,
            columns=columns,
            lists=tuple(self.lists.known.values()),
            required=entry.required,
            conditions=cells.build_conditions(entry, place),
            tickets=tickets,
            log=log,
            people=None if entry.people is None else self._build_people(entry.people, place.at("people")),
            events=tuple(self._build_event(one, place.at("events", i)) for i, one in enumerate(entry.events)),
            figures=tuple(
                self._build_figure(one, place.at("figures", i)) for i, one in enumerate(entry.figures)
            ),
            dates=entry.dates,
            warnings=tuple(
                self._build_notice(one, place.at("warnings", i)) for i, one in enumerate(entry.warnings)
            ),
            refusal=None if entry.refuse is None else self._build_notice(entry.refuse, place.at("refuse")),
        )
        file = replace(file, columns=self._complete_columns(file))
        self._check_required(file)
        return tuple(replace(file, format=one) for one in entry.formats)

    def _build_lists(self) -> _Lists:
        """The nested lists, and which of the declared columns are values of one."""
        known = _list_nested(self.entry)
        lists = _Lists(known)
        for name, written in self.entry.lists.items():
            place, around = self.place.at("lists", name), lists.around(name)
            if len({_around(name, path, self.entry) for path in list_paths(name, written)}) > 1:
                place.report([], "its paths begin in different lists.", "Describe one list per place.")
            if around and known[around[-1]].within is not None:
                place.report([], "this list lies inside itself.", "Correct its path.")
            elif len(around) > LISTS_INSIDE:
                place.report(
                    [], f"more than {LISTS_INSIDE} lists lie inside one another.", "Use fewer of them."
                )
        columns = {}
        for name, column in self.entry.columns.items():
            found = {lists.find(written) for written in list_names(name, column)}
            if name in known:
                self.place.report(
                    ["columns", name], "a list has this name already.", "Give the column another name."
                )
            elif len(found) > 1:
                self.place.report(
                    ["columns", name],
                    "its names are values of different lists.",
                    "Describe one column per list.",
                )
            elif (of := next(iter(found), None)) is not None:
                columns[name] = of
        return _Lists(known, columns)

    def _place_column(self, column: MappedColumn) -> MappedColumn:
        """The column, with the nested list that it is a value of."""
        is_declared = column.name in self.entry.columns
        within = (self.lists.columns.get if is_declared else self.lists.find)(column.name)
        if within is None:
            return column
        return replace(column, written=tuple(one.partition(".")[2] for one in column.written), within=within)

    def _check_required(self, file: MappedFile) -> None:
        for index, name in enumerate(file.required):
            if self.lists.find(name) is not None:
                self.place.report(
                    ["required", index],
                    f"{name!r} is a value of a list, not of a record.",
                    "Of a list, say optional: true where a file may lack it.",
                )

    def _repeated(self) -> set[str]:
        columns = self.entry.columns.items()
        return {name for name, column in columns if isinstance(column, ColumnEntry) and column.repeated}

    def _complete_columns(self, file: MappedFile) -> tuple[MappedColumn, ...]:
        """The declared columns, and under their own names those that are used besides."""
        used = tuple(dict.fromkeys((*file.read_columns(), *file.required)))
        known = {column.name for column in file.columns}
        for column in file.columns:
            # What sla.yml names may be any of them.
            if column.name not in (*used, *self.looked_at) and not file.refers_to_settings():
                self.place.report(
                    ["columns", column.name], "this column is not used.", name_nearest(column.name, used)
                )
        implied = tuple(self._place_column(MappedColumn(one, (one,))) for one in used if one not in known)
        if file.tickets is not None or file.log is not None:
            unused = dict.fromkeys(one for one in self.looked_at if one not in known and one not in used)
            implied += tuple(MappedColumn(one, (one,), is_optional=True) for one in unused)
        columns = file.columns + implied
        if not file.required:
            return columns
        return tuple(replace(column, is_optional=column.name not in file.required) for column in columns)

    def _open_rule(self, entry: Any, place: Place) -> tuple[str | None, _CellReader]:
        """The repeated column of which a rule is asked per cell, and what reads the rule's values."""
        each, repeated = entry.each, self._repeated()
        known = {*repeated, *self.lists.known}
        if each and each not in known:
            has_lists = any(one not in TABLE_FORMATS for one in self.entry.formats)
            place.report(
                ["each"],
                f"{each!r} is not a nested list of this file."
                if has_lists
                else f"{each!r} is not a repeated column of this file.",
                name_nearest(each, known)
                if known
                else "Declare it under lists, with its path."
                if has_lists
                else "Declare it with repeated: true under columns.",
            )
        # Inside `each`, the repeated column is the one cell at hand, and the element one of its list.
        lists = replace(self.lists, open=self.lists.around(each))
        return each, _CellReader(self.named, repeated - {each}, lists)

    def _require_ticket(self, cells: dict[str, Cell], place: Place) -> None:
        """The ticket of an event or a figure is that of its row, unless it names another."""
        if "ticket_id" not in cells:
            beside = dict(self.beside).get("ticket_id")
            if beside is None:
                place.report([], "the key 'ticket_id' is missing.", "Add it.")
            else:
                cells["ticket_id"] = beside

    def _build_event(self, entry: Any, place: Place) -> RowRule:
        each, reader = self._open_rule(entry, place)
        constant = (isinstance(entry.event_type, Value) and entry.event_type.constant) or ""
        elapsed = None
        cells: dict[str, Cell] = {}
        for name, value in _list_columns(entry, place):
            if isinstance(value, Elapsed):
                elapsed = _build_elapsed(reader, value, place.at(name))
                continue
            vocabulary = EVENT_VALUES.get(constant) if name in ("value", "value_before") else None
            cells[name] = reader.build(value, place, name, name, vocabulary)
        self._require_ticket(cells, place)
        if self.entry.log is not None and elapsed is None:
            row = {name: cell for name, cell in self.beside if name in ("event_at", "sequence")}
            cells = row | cells
        if "event_at" not in cells and elapsed is None:
            place.report([], "the key 'event_at' is missing.", "Add it.")
        _check_event(cells, constant, place)
        return RowRule(tuple(cells.items()), reader.build_conditions(entry, place), each, entry.name, elapsed)

    def _build_figure(self, entry: Any, place: Place) -> RowRule:
        """A figure that the vendor computed; what is not given of it is that of the ticket beside it."""
        each, reader = self._open_rule(entry, place)
        cells = dict(reader.build_rows(entry, place))
        self._require_ticket(cells, place)
        if "figure" not in cells:
            shown = next((cells[one] for one in ("they_seconds", "they_breached") if one in cells), Cell())
            if not shown.columns:
                place.report([], "the figure has no name.", "Add figure: {header: …} or {constant: …}.")
            cells["figure"] = Cell(header=next(iter(shown.columns), None))
        beside = dict(self.beside)
        unit = (cells["they_seconds"].unit or "seconds") if "they_seconds" in cells else "seconds"
        defaults = {
            "they_started_at": beside.get("submitted_at"),
            "read_at": beside.get("updated_at"),
            "cycle_number": Cell(constant="1"),
            "unit_seconds": Cell(constant=str(UNITS.get(unit, 1))),
        }
        cells = {name: cell for name, cell in defaults.items() if cell is not None} | cells
        measures = ({"they_seconds"}, {"they_breached"}, {"they_started_at", "they_stopped_at"})
        if not any(one <= set(cells) for one in measures):
            place.report(
                [],
                "it is not said what this figure is.",
                "Add they_seconds, they_breached, or they_started_at and they_stopped_at.",
            )
        return RowRule(tuple(cells.items()), reader.build_conditions(entry, place), each)

    def _build_people(self, entry: Any, place: Place) -> RowRule:
        each, reader = self._open_rule(entry, place)
        return RowRule(reader.build_rows(entry, place), reader.build_conditions(entry, place), each)

    def _build_notice(self, entry: NoticeEntry, place: Place) -> Notice:
        conditions = _CellReader(self.named, lists=self.lists).build_conditions(entry, place)
        return Notice(entry.says, entry.hint, conditions, entry.rows)


def _build_elapsed(reader: _CellReader, elapsed: Elapsed, place: Place) -> ElapsedTime:
    limit = elapsed.not_after
    return ElapsedTime(
        reader.build(elapsed.after, place, "after"),
        reader.build(elapsed.minutes, place, "minutes"),
        elapsed.clock,
        None if limit is None else reader.build(limit, place, "not_after"),
    )


def _check_event(cells: Collection[str], constant: str, place: Place) -> None:
    if constant == "message":
        if "is_public" not in cells:
            place.report(
                [],
                "it is not said whether this message is public.",
                "Add is_public: {constant: true}, or the column that says it.",
            )
        if "actor_kind" not in cells and "actor" not in cells:
            place.report(
                [],
                "it is not said who wrote this message.",
                "Add actor_kind, or actor where a people file of this mapping says who is who.",
            )
    if constant in EVENT_VALUES and "value" not in cells:
        place.report(
            [], f"a {constant} has no value.", f"Add value: one of {', '.join(EVENT_VALUES[constant])}."
        )
    if constant and constant not in EVENT_VALUES and "value_before" in cells:
        place.report(
            ["value_before"],
            f"a {constant} changes nothing that had a value before.",
            f"Only {' and '.join(EVENT_VALUES)} have one.",
        )


def _check_vocabulary(place: Place, cell: Cell, target: str, vocabulary: tuple[str, ...] | None) -> None:
    if vocabulary is None:
        return
    if cell.constant is not None and cell.values is None and cell.constant not in vocabulary:
        place.report(
            ["constant"], f"{cell.constant!r} is not a {target}.", name_nearest(cell.constant, vocabulary)
        )
    if cell.values and cell.values.otherwise is not None and target in ("severity", "ticket_status", "value"):
        place.report(
            ["values"],
            f"otherwise would call every unknown word {cell.values.otherwise!r}.",
            "A status or severity without a mapping is unknown; write unknown: refuse or unknown: pass.",
        )
    mapped_words = [*cell.values.pairs] if cell.values else []
    if cell.values and cell.values.otherwise is not None:
        mapped_words.append(("otherwise", cell.values.otherwise))
    for word, mapped in mapped_words:
        if mapped not in vocabulary:
            place.report(
                ["values"],
                f"{word!r} stands for {mapped!r}, which is not a {target}.",
                name_nearest(mapped, vocabulary),
            )


def _check_dates(patterns: Sequence[str], place: Place) -> None:
    for index, pattern in enumerate(patterns):
        if pattern in (ISO, EPOCH_SECONDS, EPOCH_MILLISECONDS):
            continue
        reason = _judge_pattern(pattern)
        if reason:
            place.report(
                ["dates", index],
                f"{pattern!r} {reason}.",
                'Write it like "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M" or "%d/%b/%y %I:%M %p"; '
                f"or {ISO}, {EPOCH_SECONDS}, {EPOCH_MILLISECONDS}.",
            )
            continue
        clash = next((one for one in patterns[:index] if _contradict(one, pattern)), None)
        if clash:
            place.report(
                ["dates", index],
                f"{pattern!r} and {clash!r} read the same text as different days.",
                "Keep the one that the exporter used; a file with both cannot be read.",
            )


def _judge_pattern(pattern: str) -> str | None:
    codes = re.findall(r"%(.)", pattern.replace("%%", ""))
    unknown = [code for code in codes if code not in _WALL_CODES + "z"]
    if unknown:
        return f"has the code %{unknown[0]}, which is not known here"
    if says_a_day(pattern.replace("%z", "")):
        return None
    return "does not say year, month and day, and the hour where it says minutes"


def _contradict(first: str, second: str) -> bool:
    if not (is_wall_time(first) and is_wall_time(second)) or _judge_pattern(first):
        return False
    return read_other_days(first, second)


def _check_zone_and_century(mapping: Mapping, given: Collection[str], place: Place) -> None:
    """What formats need beside themselves, and what no format needs; `given`: the keys that are there, also with wrong values."""
    dates = {*mapping.dates, *(pattern for file in mapping.files for pattern in file.dates)}
    if "time_zone" not in given and any(is_wall_time(one) for one in dates):
        place.report(
            ["dates"],
            "these dates have no zone, and no time_zone is declared.",
            "Add time_zone: the zone of the user who exported the file.",
        )
    if mapping.months and not any("%b" in one or "%B" in one for one in dates):
        place.report(["months"], "no date has a month name (%b).", "Remove months, or correct dates.")
    has_short_year = any("%y" in one for one in dates)
    if has_short_year and "century" not in given:
        place.report(
            ["dates"],
            "a year of two digits needs its century.",
            "Add century: 2000, so that 26 is the year 2026.",
        )
    if mapping.century is not None and not has_short_year:
        place.report(["century"], "no date has a year of two digits.", "Remove it.")


def _check_evidence(mapping: Mapping, place: Place, is_declared: bool) -> None:
    """What the exports are said to show must come from somewhere, or silence would be counted as a breach."""
    proven: set[str] = set()
    for file in mapping.files:
        if file.log is not None and "ticket_status" in dict(file.log):
            proven |= {"statuses", "resolution"}
        for rule in file.events:
            proven |= proved_by(rule, is_beside_ticket(file, rule))
    if any(file.tickets is not None or file.log is not None for file in mapping.files) and not is_declared:
        place.report(
            [],
            "it is not said what these exports show of a ticket.",
            "Add evidence: [messages, statuses, ...], or evidence: [] where they show none of it.",
        )
    for index, word in enumerate(one.shows for one in mapping.shown):
        kind = word.removesuffix("_if_any")
        if PROVED_AS.get(kind, kind) not in proven:
            place.report(
                ["evidence", index],
                f"nothing in this mapping shows {word}.",
                "Add the events that prove it, or leave it out: it is then not measurable.",
            )
        if word.endswith("_if_any") and kind in mapping.evidence:
            place.report(["evidence", index], f"{kind!r} says more already.", "Keep one of the two.")
