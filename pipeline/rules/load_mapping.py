"""Read a mapping file: YAML that says which columns of a helpdesk's exports hold tickets, events and people.

Everything that is wrong is named at once, with its line and the nearest known name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from collections.abc import Mapping as Dict
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from pipeline.declarations.dates import hint_zone
from pipeline.declarations.problems import name_nearest, refuse
from pipeline.declarations.read_yaml import Key, read_yaml
from pipeline.declarations.section import NAME, Section, open_document
from pipeline.errors import ConfigurationError, Problem
from pipeline.rules.mapping import (
    ACTOR_KINDS,
    ANY_COLUMNS,
    BOOLEANS,
    CLOCK_KINDS,
    DRIFTS,
    ENCODINGS,
    EPOCH_MILLISECONDS,
    EPOCH_SECONDS,
    EVENT_COLUMNS,
    EVENT_TYPES,
    EVENT_VALUES,
    EVIDENCE,
    EVIDENCE_OF,
    FIGURE_COLUMNS,
    FIGURE_KINDS,
    FORMATS,
    ISO,
    PEOPLE_COLUMNS,
    REFERENCES,
    REQUIRED_COLUMNS,
    SETTINGS,
    SEVERITY_TEXTS,
    TABLE_FORMATS,
    TICKET_COLUMNS,
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
    Notice,
    RowRule,
    Values,
    is_wall_time,
)
from pipeline.rules.plan import STATUSES
from pipeline.zones import known_zones

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
# Where a value comes from: exactly one of these.
_ORIGINS = ("column", "columns", "constant", "first", "header", "join", "latest", "setting")
# What is done with it then.
_STEPS = ("separator", "split_by", "part", "values", "unit", "when")
_TESTS = ("is", "is_not", "filled", "present", "starts_with", "contains")
_ELAPSED = ("minutes", "after", "clock", "not_after")
# What one event proves of a kind of history that it may not show whole.
_ALONE = {"messages": "first_response", "statuses": "resolution"}
# What is shown with a doubt is proved by the same events.
_PROVED_AS = {"response_date": "first_response", "unmarked_messages": "messages"}
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
    top = open_document(read_yaml(path), problems)
    mapping = _read_mapping(top, shown)
    if problems:
        raise refuse(shown, [Problem(shown, one.line, one.field, one.reason, one.hint) for one in problems])
    return mapping


def _read_mapping(top: Section, file: str) -> Mapping:
    top.require_keys(
        ("files",),
        (
            "time_zone",
            "dates",
            "months",
            "century",
            "null_markers",
            "encoding",
            "evidence",
            "allow",
            "values",
            "instants",
        ),
    )
    named = _read_named_values(top)
    listed = top.section("files")
    shown = _read_evidence(top, named)
    looked_at = tuple(name for one in shown for asked in one.conditions for name in asked.read_columns())
    files = tuple(
        file for key in listed.values for file in _read_files(listed.section(key), str(key), named, looked_at)
    )
    if top.has("files") and not files:
        top.report(["files"], "no file is described.", "Describe at least one kind of file.")
    months = _read_months(top)
    dates = _read_dates(top) or (ISO,)
    if months and not any("%b" in one or "%B" in one for one in dates):
        top.report(["months"], "no date has a month name (%b).", "Remove months, or correct dates.")
    is_form, time_zone = _read_zone(top)
    mapping = Mapping(
        file=file,
        time_zone=time_zone,
        dates=dates,
        months=months,
        century=_read_century(top, dates),
        null_markers=_read_null_markers(top),
        encoding=top.choice("encoding", ENCODINGS, "utf-8"),
        shown=shown,
        allowed=top.texts("allow", (*DRIFTS, ANY_COLUMNS)),
        files=files,
        is_form=is_form,
        are_instants_as_written=_is_as_written(top),
    )
    if time_zone is None and not is_form and any(is_wall_time(one) for one in _all_dates(mapping)):
        top.report(
            ["dates"],
            "these dates have no zone, and no time_zone is declared.",
            "Add time_zone: the zone of whoever exported the file.",
        )
    _check_evidence(top, mapping)
    return mapping


def _read_zone(top: Section) -> tuple[bool, str | None]:
    """Whether sla.yml declares the zone, and else which one it is."""
    if not top.has("time_zone"):
        return False, None
    if isinstance(top.values["time_zone"], dict):
        declared = top.section("time_zone")
        declared.require_keys(("setting",))
        declared.choice("setting", ("time_zone",))
        return True, None
    zone, zones = top.text("time_zone"), known_zones()
    if zone and zone not in zones:
        top.report(["time_zone"], f"{zone!r} is not a time zone.", hint_zone(zone, zones))
    return False, zone


def _is_as_written(top: Section) -> bool:
    return top.has("instants") and top.choice("instants", ("exact", "as_written")) == "as_written"


def _all_dates(mapping: Mapping) -> set[str]:
    return {pattern for file in mapping.files for pattern in mapping.dates_of(file)} | set(mapping.dates)


def _read_evidence(top: Section, named: Dict[str, Values]) -> tuple[Evidence, ...]:
    """Words, or `{shows: word, when: …}` where a ticket's row, its header or a setting decides."""
    found: list[Evidence] = []
    for index, value in enumerate(top.items("evidence")):
        if isinstance(value, dict):
            one = top.open(["evidence", index], value)
            one.require_keys(("shows", "when"))
            found.append(Evidence(one.choice("shows", EVIDENCE), _read_conditions(one, named)))
    words = [value for value in top.items("evidence") if not isinstance(value, dict)]
    plain = Section(top.document, top.path, top.problems, {"evidence": words})
    return (*(Evidence(word) for word in plain.texts("evidence", EVIDENCE)), *found)


def _read_dates(section: Section) -> tuple[str, ...]:
    patterns = section.texts("dates")
    for index, pattern in enumerate(patterns):
        if pattern in (ISO, EPOCH_SECONDS, EPOCH_MILLISECONDS):
            continue
        reason = _judge_pattern(pattern)
        if reason:
            section.report(
                ["dates", index],
                f"{pattern!r} {reason}.",
                'Write it like "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M" or "%d/%b/%y %I:%M %p"; '
                f"or {ISO}, {EPOCH_SECONDS}, {EPOCH_MILLISECONDS}.",
            )
            continue
        clash = next((one for one in patterns[:index] if _contradict(one, pattern)), None)
        if clash:
            section.report(
                ["dates", index],
                f"{pattern!r} and {clash!r} read the same text as different days.",
                "Keep the one that the exporter used; a file with both cannot be read.",
            )
    return patterns


def _judge_pattern(pattern: str) -> str | None:
    codes = re.findall(r"%(.)", pattern.replace("%%", ""))
    unknown = [code for code in codes if code not in _WALL_CODES + "z"]
    if unknown:
        return f"has the code %{unknown[0]}, which is not known here"
    sample = datetime(2026, 11, 22, 13, 45)
    plain = pattern.replace("%z", "")
    try:
        is_exact = datetime.strptime(sample.strftime(plain), plain) == sample
    except (ValueError, re.error):
        is_exact = False
    return None if is_exact else "does not say year, month, day, hour and minute"


def _contradict(first: str, second: str) -> bool:
    if not (is_wall_time(first) and is_wall_time(second)) or _judge_pattern(first):
        return False
    # Day, month and year are all different and all possible in each other's place.
    sample = datetime(2003, 2, 1, 4, 5, 6)
    for one, other in ((first, second), (second, first)):
        try:
            read = datetime.strptime(sample.strftime(one), other)
        except (ValueError, re.error):
            continue
        if read.date() != sample.date():
            return True
    return False


def _read_months(top: Section) -> tuple[tuple[str, int], ...]:
    months = top.section("months")
    found: list[tuple[str, int]] = []
    for key, value in months.values.items():
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 12:
            months.report([key], f"{value!r} is not the number of a month.", "Write 1 to 12, such as ene: 1.")
        else:
            found.append((str(key).casefold(), value))
    return tuple(found)


def _read_century(top: Section, dates: Sequence[str]) -> int | None:
    has_short_year = any("%y" in one for one in dates)
    century = top.whole_number("century", 1900, 2100)
    if century is not None and century % 100:
        top.report(["century"], f"{century} is not the first year of a century.", "Write 1900 or 2000.")
    if has_short_year and not top.has("century"):
        top.report(
            ["dates"],
            "a year of two digits needs its century.",
            "Add century: 2000, so that 26 is the year 2026.",
        )
    if century is not None and not has_short_year:
        top.report(["century"], "no date has a year of two digits.", "Remove it.")
    return century


def _read_null_markers(top: Section) -> tuple[str, ...]:
    markers: list[str] = []
    for index, value in enumerate(top.items("null_markers")):
        if isinstance(value, bool) or not isinstance(value, str | int):
            place: list[Key] = ["null_markers", index]
            top.report(place, "only text can stand for no value.", 'Put it in quotes, such as ["-", "NULL"].')
        else:
            markers.append(str(value))
    # An empty cell is no value in every format that has text for values.
    return tuple(dict.fromkeys(["", *markers]))


def _read_named_values(top: Section) -> dict[str, Values]:
    listed = top.section("values")
    return {str(key): _read_values(listed.section(key)) for key in listed.values}


def _read_values(section: Section) -> Values:
    """`{words: {open: open}, unknown: refuse}`, or the words alone."""
    holder = section
    unknown, otherwise = "refuse", None
    if isinstance(section.values.get("words"), dict) or set(section.values) == {"unknown"}:
        section.require_keys((), ("words", "unknown", "otherwise"))
        unknown = section.choice("unknown", ("refuse", "pass", "nothing"), "refuse")
        otherwise = _scalar(section, "otherwise") if section.has("otherwise") else None
        if section.has("unknown") and otherwise is not None:
            section.report(["unknown"], "with otherwise, no word is unknown.", "Keep one of the two.")
        holder = section.section("words")
    pairs = tuple((str(key), _scalar(holder, key)) for key in holder.values)
    if not pairs and unknown != "pass":
        section.report([], "no value is mapped.", "Write one line per value of the source, such as high: 4.")
    known: Literal["refuse", "pass", "nothing"] = (
        "pass" if unknown == "pass" else "nothing" if unknown == "nothing" else "refuse"
    )
    return Values(pairs, known, otherwise)


def _read_files(
    section: Section, name: str, named: Dict[str, Values], looked_at: Sequence[str]
) -> tuple[MappedFile, ...]:
    """One entry per format that the file may have. `looked_at`: columns that decide what its tickets show."""
    section.require_keys(
        ("format",),
        (
            "sheet",
            "element",
            "records_at",
            "dates",
            "columns",
            "required",
            "when",
            "tickets",
            "people",
            "events",
            "figures",
            "warnings",
            "refuse",
        ),
    )
    if not NAME.fullmatch(name):
        section.report(
            [], f"{name!r} is not a usable name.", "Use lower case letters, digits and underscores."
        )
    formats = (
        section.texts("format", FORMATS)
        if isinstance(section.values.get("format"), list)
        else (section.choice("format", FORMATS),)
    )
    for key, fitting in (
        ("sheet", ("xlsx",)),
        ("element", ("xml",)),
        ("records_at", ("json", "ndjson")),
    ):
        if section.has(key) and formats and formats[0] and not {*formats} & {*fitting}:
            section.report([key], f"a file of the format {formats[0]} has none.", "Remove it.")
    columns = _read_columns(section, formats)
    repeated = {column.name for column in columns if column.is_repeated}
    is_people = section.has("people")
    if is_people and (section.has("tickets") or section.has("events")):
        section.report(
            ["people"], "people stand in a file of their own.", "Describe their file under another name."
        )
    if not any(section.has(key) for key in ("tickets", "events", "people", "figures", "refuse")):
        section.report([], "nothing is made of this file.", "Add tickets, events or people.")
    tickets = (
        _read_rows(section, "tickets", TICKET_COLUMNS, named, repeated) if section.has("tickets") else None
    )
    people = _read_rows(section, "people", PEOPLE_COLUMNS, named, repeated) if is_people else None
    ticket_id = dict(tickets or ()).get("ticket_id")
    file = MappedFile(
        name=name,
        format="",
        sheet=section.text("sheet") if section.has("sheet") else None,
        element=section.text("element") if section.has("element") else None,
        records_at=section.text("records_at") if section.has("records_at") else None,
        columns=columns,
        conditions=_read_conditions(section, named),
        tickets=tickets,
        people=people,
        events=tuple(_read_event(one, named, repeated, ticket_id) for one in section.sections("events")),
        figures=tuple(_read_figure(one, named, repeated, tickets) for one in section.sections("figures")),
        dates=_read_dates(section),
        warnings=tuple(_read_notice(one, named) for one in section.sections("warnings")),
        refusal=_read_notice(section.section("refuse"), named) if section.has("refuse") else None,
    )
    required = section.texts("required")
    file = replace(file, columns=_complete_columns(section, file, required, looked_at), required=required)
    return tuple(replace(file, format=one) for one in formats)


def _complete_columns(
    section: Section, file: MappedFile, required: tuple[str, ...], looked_at: Sequence[str]
) -> tuple[MappedColumn, ...]:
    """The declared columns, and under their own names those that are used besides."""
    used = tuple(dict.fromkeys((*file.read_columns(), *required)))
    known = {column.name for column in file.columns}
    for column in file.columns:
        # What sla.yml names may be any of them.
        if column.name not in (*used, *looked_at) and not file.refers_to_settings():
            section.report(
                ["columns", column.name], "this column is not used.", name_nearest(column.name, used)
            )
    implied = tuple(MappedColumn(one, (one,)) for one in used if one not in known)
    if file.tickets is not None:
        unused = dict.fromkeys(one for one in looked_at if one not in known and one not in used)
        implied += tuple(MappedColumn(one, (one,), is_optional=True) for one in unused)
    if not section.has("required"):
        return file.columns + implied
    return tuple(
        replace(column, is_optional=column.name not in required) for column in file.columns + implied
    )


def _read_columns(section: Section, formats: Sequence[str]) -> tuple[MappedColumn, ...]:
    columns = section.section("columns")
    found: list[MappedColumn] = []
    taken: dict[str, str] = {}
    for key, value in columns.values.items():
        name = str(key)
        if isinstance(value, dict):
            one = columns.section(key)
            one.require_keys((), ("names", "repeated", "optional"))
            names = one.texts("names") or (name,)
            column = MappedColumn(name, names, one.flag("repeated"), one.flag("optional"))
        else:
            column = MappedColumn(
                name, columns.texts(key) if isinstance(value, list) else (columns.text(key),)
            )
        documents = [one for one in formats if one and one not in TABLE_FORMATS]
        if column.is_repeated and documents:
            columns.report([key], f"a column of {documents[0]} is not repeated.", "Remove repeated.")
        if not column.is_repeated and any("*" in one for one in column.written):
            columns.report(
                [key], "a name with * may stand for several columns.", "Add repeated: true, and use each."
            )
        for one_name in column.written:
            if one_name in taken:
                columns.report(
                    [key],
                    f"{one_name!r} is a name of {taken[one_name]!r} already.",
                    "A name of the header can mean one column only.",
                )
            taken[one_name] = name
        found.append(column)
    return tuple(found)


def _read_rows(
    section: Section, key: str, known: tuple[str, ...], named: Dict[str, Values], repeated: Collection[str]
) -> Cells:
    rows = section.section(key)
    required = REQUIRED_COLUMNS[key]
    rows.require_keys(required, [name for name in known if name not in required])
    return tuple((str(name), _read_cell(rows, name, str(name), named, repeated)) for name in rows.values)


def _read_each(section: Section, repeated: Collection[str]) -> str | None:
    each = section.text("each") if section.has("each") else None
    if each and each not in repeated:
        section.report(
            ["each"],
            f"{each!r} is not a repeated column of this file.",
            name_nearest(each, repeated) if repeated else "Declare it with repeated: true under columns.",
        )
    return each


def _read_event(
    section: Section, named: Dict[str, Values], repeated: Collection[str], ticket_id: Cell | None
) -> RowRule:
    required = ("event_type", "event_at") if ticket_id else REQUIRED_COLUMNS["events"]
    section.require_keys(
        required, (*(name for name in EVENT_COLUMNS if name not in required), "when", "each", "name")
    )
    each = _read_each(section, repeated)
    # Inside `each`, the repeated column is the one cell at hand.
    not_single = set(repeated) - {each}
    event_type = section.values.get("event_type")
    constant = str(event_type.get("constant", "")) if isinstance(event_type, dict) else ""
    elapsed = _read_elapsed(section, named, not_single)
    cells: list[tuple[str, Cell]] = []
    for key in section.values:
        name = str(key)
        if name not in EVENT_COLUMNS or (elapsed and name == "event_at"):
            continue
        vocabulary = (
            EVENT_VALUES.get(constant) if name in ("value", "value_before") else VOCABULARIES.get(name)
        )
        cells.append((name, _read_cell(section, key, name, named, not_single, vocabulary)))
    if ticket_id is not None and "ticket_id" not in dict(cells):
        cells.insert(0, ("ticket_id", ticket_id))
    found = dict(cells)
    if constant == "message":
        if "is_public" not in found:
            section.report(
                [],
                "it is not said whether this message is public.",
                "Add is_public: {constant: true}, or the column that says it.",
            )
        if "actor_kind" not in found and "actor" not in found:
            section.report(
                [],
                "it is not said who wrote this message.",
                "Add actor_kind, or actor where a people file of this mapping says who is who.",
            )
    if constant in EVENT_VALUES and "value" not in found:
        section.report(
            [], f"a {constant} has no value.", f"Add value: one of {', '.join(EVENT_VALUES[constant])}."
        )
    if constant and constant not in EVENT_VALUES and "value_before" in found:
        section.report(
            ["value_before"],
            f"a {constant} changes nothing that had a value before.",
            f"Only {' and '.join(EVENT_VALUES)} have one.",
        )
    event_name = section.name("name") if section.has("name") else None
    return RowRule(tuple(cells), _read_conditions(section, named), each, event_name, elapsed)


def _read_elapsed(
    section: Section, named: Dict[str, Values], not_single: Collection[str]
) -> ElapsedTime | None:
    """`event_at: {minutes: …, after: …, clock: calendar}`: an instant that the export counts instead of naming it."""
    written = section.values.get("event_at")
    if not isinstance(written, dict) or "minutes" not in written:
        return None
    holder = section.section("event_at")
    holder.require_keys(_ELAPSED[:3], _ELAPSED[3:])
    return ElapsedTime(
        _read_cell(holder, "after", "", named, not_single),
        _read_cell(holder, "minutes", "", named, not_single),
        holder.choice("clock", CLOCK_KINDS),
        _read_cell(holder, "not_after", "", named, not_single) if holder.has("not_after") else None,
    )


def _read_figure(
    section: Section, named: Dict[str, Values], repeated: Collection[str], tickets: Cells | None
) -> RowRule:
    """A figure that the vendor computed; what is not given of it is that of the ticket beside it."""
    beside = dict(tickets or ())
    defaults = {
        "ticket_id": beside.get("ticket_id"),
        "they_started_at": beside.get("submitted_at"),
        "read_at": beside.get("updated_at"),
        "cycle_number": Cell(constant="1"),
        "unit_seconds": Cell(constant="1"),
    }
    required = (*REQUIRED_COLUMNS["figures"], *(() if beside else ("ticket_id",)))
    section.require_keys(
        required, (*(name for name in FIGURE_COLUMNS if name not in required), "when", "each")
    )
    each = _read_each(section, repeated)
    not_single = set(repeated) - {each}
    cells = {
        str(key): _read_cell(section, key, str(key), named, not_single)
        for key in section.values
        if str(key) in FIGURE_COLUMNS
    }
    if "figure" not in cells:
        shown = next((cells[one] for one in ("they_seconds", "they_breached") if one in cells), Cell())
        if not shown.columns:
            section.report([], "the figure has no name.", "Add figure: {header: …} or {constant: …}.")
        cells["figure"] = Cell(header=next(iter(shown.columns), None))
    if "they_seconds" in cells:
        defaults["unit_seconds"] = Cell(constant=str(UNITS[cells["they_seconds"].unit or "seconds"]))
    for name, default in defaults.items():
        if name not in cells and default is not None:
            cells[name] = default
    if not (
        {"they_seconds", "they_breached"} & set(cells) or {"they_started_at", "they_stopped_at"} <= set(cells)
    ):
        section.report(
            [],
            "it is not said what this figure is.",
            "Add they_seconds, they_breached, or they_started_at and they_stopped_at.",
        )
    return RowRule(tuple(cells.items()), _read_conditions(section, named), each)


def _read_notice(section: Section, named: Dict[str, Values]) -> Notice:
    section.require_keys(("says", "hint"), ("when", "rows"))
    return Notice(
        section.text("says"),
        section.text("hint"),
        _read_conditions(section, named),
        section.whole_number("rows", 0, 1_000_000_000),
    )


def _read_conditions(section: Section, named: Dict[str, Values]) -> Conditions:
    """Those under `when`: one, or a list that must all hold."""
    if not section.has("when"):
        return ()
    if isinstance(section.values["when"], list):
        return tuple(_read_condition(one, named) for one in section.sections("when"))
    return (_read_condition(section.section("when"), named),)


def _read_condition(section: Section, named: Dict[str, Values]) -> Condition:
    section.require_keys((), (*_ORIGINS, *_STEPS, *_TESTS))
    if not any(section.has(test) for test in _TESTS):
        section.report([], "nothing is asked of the column.", "Add filled: true, is: [...] or is_not: [...].")
    cell = _read_origin(section, named, (), 0)
    if section.has("setting"):
        section.choice("setting", SETTINGS)
    return Condition(
        cell=cell,
        is_filled=section.flag("filled") if section.has("filled") else None,
        is_present=section.flag("present") if section.has("present") else None,
        is_one_of=_one_or_many(section, "is"),
        is_none_of=_one_or_many(section, "is_not"),
        starts_with=section.text("starts_with") if section.has("starts_with") else None,
        contains=section.text("contains") if section.has("contains") else None,
    )


def _one_or_many(section: Section, key: str) -> tuple[str, ...] | None:
    if not section.has(key):
        return None
    return section.texts(key) if isinstance(section.values[key], list) else (_scalar(section, key),)


def _scalar(section: Section, key: Key) -> str:
    """Text; true and false as these words, since constants may be either."""
    value = section.values.get(key)
    if isinstance(value, bool):
        return "true" if value else "false"
    return section.text(key)


def _read_cell(
    section: Section,
    key: Key,
    target: str,
    named: Dict[str, Values],
    not_single: Collection[str],
    vocabulary: tuple[str, ...] | None = None,
    depth: int = 0,
) -> Cell:
    vocabulary = vocabulary or VOCABULARIES.get(target)
    value = section.values.get(key)
    if not isinstance(value, dict):
        cell = Cell(columns=(section.text(key),))
        holder = section
    else:
        holder = section.section(key)
        holder.require_keys((), (*_ORIGINS, *_STEPS))
        cell = _read_origin(holder, named, not_single, depth, target, vocabulary)
        if cell.setting is not None:
            holder.choice("setting", REFERENCES)
    if "REVIEW" in (*cell.columns, cell.constant):
        section.report(
            [key],
            "REVIEW stands where a suggestion proved nothing.",
            "Write what is meant, or remove the line.",
        )
    for name in cell.columns:
        if name in not_single and cell.separator is None:
            section.report(
                [key],
                f"{name!r} is a repeated column.",
                "Only an event with each: may use it, one cell at a time.",
            )
    _check_vocabulary(holder, key, cell, target, vocabulary)
    return cell


def _read_origin(
    holder: Section,
    named: Dict[str, Values],
    not_single: Collection[str],
    depth: int,
    target: str = "",
    vocabulary: tuple[str, ...] | None = None,
) -> Cell:
    """A value that a mapping describes: where it comes from and what is done with it."""
    if len([one for one in _ORIGINS if holder.has(one)]) != 1:
        holder.report(
            [],
            "it is not clear where this value comes from.",
            f"Give exactly one of {', '.join(_ORIGINS[:-1])} and {_ORIGINS[-1]}.",
        )
    if holder.has("split_by") != holder.has("part"):
        holder.report([], "split_by and part belong together.", "Give both or neither.")
    return Cell(
        columns=(holder.text("column"),) if holder.has("column") else holder.texts("columns"),
        constant=_scalar(holder, "constant") if holder.has("constant") else None,
        joined=_read_inner(holder, "join", named, not_single, depth),
        # A space is a separator as well.
        separator=str(holder.values["separator"]) if holder.has("separator") else None,
        split_by=holder.text("split_by") if holder.has("split_by") else None,
        part=holder.whole_number("part", 1, 1000),
        values=_read_cell_values(holder, named),
        first=_read_inner(holder, "first", named, not_single, depth, target, vocabulary),
        latest=_read_inner(holder, "latest", named, not_single, depth),
        header=holder.text("header") if holder.has("header") else None,
        setting=holder.text("setting") if holder.has("setting") else None,
        unit=holder.choice("unit", UNITS) if holder.has("unit") else None,
        conditions=_read_conditions(holder, named),
    )


def _read_inner(
    holder: Section,
    key: str,
    named: Dict[str, Values],
    not_single: Collection[str],
    depth: int,
    target: str = "",
    vocabulary: tuple[str, ...] | None = None,
) -> tuple[Cell, ...]:
    """The values that another one is made of."""
    if not holder.has(key):
        return ()
    if depth >= _NESTING:
        holder.report([key], "cells are joined too deeply.", "Join them in one list.")
        return ()
    # A list has no keys of its own: each of its values is read as if it stood under its number.
    items: dict[Key, object] = dict(enumerate(holder.items(key)))
    listed = Section(holder.document, (*holder.path, key), holder.problems, items)
    return tuple(
        _read_cell(listed, index, target, named, not_single, vocabulary, depth + 1) for index in listed.values
    )


def _read_cell_values(holder: Section, named: Dict[str, Values]) -> Values | None:
    if not holder.has("values"):
        return None
    if isinstance(holder.values["values"], dict):
        return _read_values(holder.section("values"))
    name = holder.choice("values", named)
    return named.get(name)


def _check_vocabulary(
    holder: Section, key: Key, cell: Cell, target: str, vocabulary: tuple[str, ...] | None
) -> None:
    if vocabulary is None:
        return
    if cell.constant is not None and cell.values is None and cell.constant not in vocabulary:
        holder.report(
            ["constant"], f"{cell.constant!r} is not a {target}.", name_nearest(cell.constant, vocabulary)
        )
    if cell.values and cell.values.otherwise is not None and target in ("severity", "ticket_status", "value"):
        holder.report(
            ["values"],
            f"otherwise would call every unknown word {cell.values.otherwise!r}.",
            "A status or severity that nobody mapped is unknown; write unknown: refuse or unknown: pass.",
        )
    mapped_words = [*cell.values.pairs] if cell.values else []
    if cell.values and cell.values.otherwise is not None:
        mapped_words.append(("otherwise", cell.values.otherwise))
    for word, mapped in mapped_words:
        if mapped not in vocabulary:
            holder.report(
                ["values"],
                f"{word!r} stands for {mapped!r}, which is not a {target}.",
                name_nearest(mapped, vocabulary),
            )


def _check_evidence(top: Section, mapping: Mapping) -> None:
    """What the exports are said to show must come from somewhere, or silence would be counted as a breach."""
    proven: set[str] = set()
    for file in mapping.files:
        for rule in file.events:
            cell = dict(rule.cells).get("event_type")
            if cell is None:
                continue
            types = (
                [cell.constant]
                if cell.constant
                else [word for _, word in cell.values.pairs]
                if cell.values
                else EVENT_TYPES
            )
            kinds = {EVIDENCE_OF[one] for one in types if one in EVIDENCE_OF}
            if file.tickets is not None and rule.each is None:
                # A date beside the ticket shows one event of its history, not the history.
                proven |= {_ALONE.get(kind, kind) for kind in kinds}
            else:
                proven |= kinds | {_ALONE.get(kind, kind) for kind in kinds}
    if any(file.tickets is not None for file in mapping.files) and "evidence" not in top.values:
        top.report(
            [],
            "it is not said what these exports show of a ticket.",
            "Add evidence: [messages, statuses, ...], or evidence: [] where they show none of it.",
        )
    for index, word in enumerate(one.shows for one in mapping.shown):
        kind = word.removesuffix("_if_any")
        if _PROVED_AS.get(kind, kind) not in proven:
            top.report(
                ["evidence", index],
                f"nothing in this mapping shows {word}.",
                "Add the events that prove it, or leave it out: it is then not measurable.",
            )
        if word.endswith("_if_any") and kind in mapping.evidence:
            top.report(["evidence", index], f"{kind!r} says more already.", "Keep one of the two.")
