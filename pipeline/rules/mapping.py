"""What a mapping file says, as plain values: how a helpdesk's files look, and where our columns come from.

Vocabularies and shapes only. `load_mapping.py` reads the YAML, `pipeline/ingest/forms/mapped.py` applies it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from pipeline.rules.plan import SEVERITIES, STATUSES
from pipeline.vocabulary import EVENT_TYPES, EVIDENCE_OF

if TYPE_CHECKING:
    from pipeline.calendars.calendar import Calendar

# Formats of tables with what separates their values, and formats of documents.
DELIMITERS = {"csv": ",", "tsv": "\t", "semicolon": ";", "pipe": "|"}
TABLE_FORMATS = (*DELIMITERS, "xlsx", "parquet")
FORMATS = (*TABLE_FORMATS, "ndjson", "json", "xml")
ENCODINGS = (
    "utf-8",
    "utf-16",
    "cp1250",
    "cp1251",
    "cp1252",
    "latin-1",
    "iso-8859-15",
    "shift_jis",
    "gb18030",
)

TICKET_COLUMNS = (
    "ticket_id",
    "customer_id",
    "requester",
    "requester_id",
    "opener",
    "channel",
    "severity",
    "submitted_at",
    "subject",
    "ticket_type",
    "ticket_status",
    "tags",
    "updated_at",
    "reopen_count",
)
EVENT_COLUMNS = (
    "event_id",
    "ticket_id",
    "event_at",
    "event_type",
    "actor_kind",
    "actor",
    "actor_role",
    "is_public",
    "value",
    "value_before",
    "sequence",
)
# A row of a log is one event, with the attributes that its ticket had then.
LOG_COLUMNS = (
    *(one for one in TICKET_COLUMNS if one not in ("updated_at", "reopen_count")),
    "event_at",
    "sequence",
)
# Our columns that hold instants.
INSTANTS = frozenset(
    ("submitted_at", "updated_at", "event_at", "they_started_at", "they_stopped_at", "read_at")
)
PEOPLE_COLUMNS = ("person_id", "person", "actor_kind")
# How many lists may lie inside one another.
LISTS_INSIDE = 4
FIGURE_COLUMNS = (
    "ticket_id",
    "figure",
    "obligation",
    "cycle_number",
    "figure_kind",
    "clock_kind",
    "they_seconds",
    "unit_seconds",
    "they_breached",
    "goal_seconds",
    "they_started_at",
    "they_stopped_at",
    "read_at",
)
REQUIRED_COLUMNS = {
    "tickets": ("ticket_id", "submitted_at"),
    "log": ("ticket_id", "event_at"),
    "events": ("ticket_id", "event_at", "event_type"),
    "people": ("person_id", "actor_kind"),
    "figures": ("figure_kind", "clock_kind"),
}
BOOLEANS = ("true", "false")
# Whether a message is public, where the export does not say it.
UNMARKED = "unmarked"
FIGURE_KINDS = ("elapsed", "remaining", "target")
CLOCK_KINDS = ("calendar", "business")

# How a duration is written -> what it was cut to, in seconds.
UNITS = {"hours": 3600, "minutes": 60, "seconds": 1, "h:mm": 60, "h:mm:ss": 1}
# What sla.yml declares of a source, as a mapping may refer to it; the first three may name a column.
REFERENCES = ("customer", "severity", "channel")
SETTINGS = (*REFERENCES, "bots", "comments", "business_calendar", "time_zone")

# A severity as a mapping writes it, and what such an event may change from and to.
SEVERITY_TEXTS = tuple(str(severity) for severity in SEVERITIES)
EVENT_VALUES: dict[str, tuple[str, ...]] = {"status_changed": STATUSES, "severity_changed": SEVERITY_TEXTS}
# `..._if_any`: a ticket without one such event was exported without its history, so nothing is known of it.
# `first_response_if_any`: a blank date of the first answer proves no silence.
# `response_date`: the instant of the first answer alone, and not who gave it. `unmarked_messages`: all messages, and not
# which of them the customer could see.
RESPONSE_IF_ANY = "first_response_if_any"
EVIDENCE = (
    "first_response",
    RESPONSE_IF_ANY,
    "response_date",
    "unmarked_messages",
    "messages",
    "messages_if_any",
    "statuses",
    "statuses_if_any",
    "resolution",
    "resolution_if_any",
    "debug",
    "bugs",
    "assignments",
)
# The parts of a ticket's history that a gap can be in; a gap in anything else leaves nothing whole.
GAPS = ("messages", "statuses", "debug", "bugs", "assignments")
# What one event proves of a kind of history that it may not show whole.
_ALONE = {"messages": "first_response", "statuses": "resolution"}
# What is shown with a doubt is proved by the same events.
PROVED_AS = {"response_date": "first_response", "unmarked_messages": "messages"}
DRIFTS = ("new_columns", "dropped_columns", "retyped_columns")
# For exports whose columns are a choice of the user who exports: no header is compared with an earlier one.
ANY_COLUMNS = "any_columns"

# Formats of instants that are no pattern of wall time.
ISO = "iso"
EPOCH_SECONDS = "epoch_seconds"
EPOCH_MILLISECONDS = "epoch_milliseconds"


def width_of(pattern: str) -> int:
    """To how many seconds a pattern of wall time cuts an instant: 1, a minute, an hour or a day."""
    codes = set(re.findall("%(.)", pattern))
    return 1 if codes & {"S", "T"} else 60 if "M" in codes else 3600 if codes & {"H", "I"} else 86_400


def _has_touching_words(pattern: str) -> bool:
    """Whether a name of a month or half a day stands beside another one, or beside a letter, without a sign between."""
    is_word = [
        code in ("b", "B", "p") or literal.isalpha() for code, literal in re.findall("%(.)|([^%])", pattern)
    ]
    is_name = [code in ("b", "B", "p") for code, _ in re.findall("%(.)|([^%])", pattern)]
    return any(
        (one and after_is_word) or (is_word[place] and after_is_name)
        for place, (one, after_is_word, after_is_name) in enumerate(
            zip(is_name, is_word[1:], is_name[1:], strict=False)
        )
    )


def says_a_day(pattern: str) -> bool:
    """Whether a pattern writes down year, month and day, and no part of the time of the day without the hour."""
    # A cell is read without the blanks around it. A word is found by what is no letter beside it.
    if pattern != pattern.strip() or _has_touching_words(pattern):
        return False
    # As much of a sample as the pattern keeps.
    sample = datetime(2026, 11, 22, 13, 45)
    sample -= (sample - datetime(2026, 11, 22)) % timedelta(seconds=width_of(pattern))
    # Names of months are read as their numbers, so that a format with both would name the month twice.
    in_digits = re.sub("%[bB]", "%m", pattern)
    try:
        return all(datetime.strptime(sample.strftime(one), one) == sample for one in (pattern, in_digits))
    except (ValueError, re.error):
        return False


def read_other_days(first: str, second: str) -> bool:
    """Whether two patterns of wall time read one text as different days, such as day and month in each other's place."""
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


@dataclass(frozen=True)
class Values:
    """What a source's words stand for. An unknown one refuses its record, passes as it is written and stays unknown, counts
    as no value, or stands for `otherwise`.
    """

    pairs: tuple[tuple[str, str], ...]
    unknown: Literal["refuse", "pass", "nothing"] = "refuse"
    otherwise: str | None = None


@dataclass(frozen=True)
class Cell:
    """Where one value comes from: the first of `columns` that holds something, a constant, several cells joined, the first
    of several cells that holds something, the latest of several instants, the name that the header gives a column, how many
    elements a nested list has (`count`), or a setting of sla.yml (until `bind_mapping` has put it in).

    Then the `part`-th piece (1-based) between `split_by`, where declared, then the mapped value. Of a row that does not
    meet `conditions` there is no value. `unit`: how a duration is written.
    """

    columns: tuple[str, ...] = ()
    constant: str | None = None
    joined: tuple[Cell, ...] = ()
    separator: str | None = None
    split_by: str | None = None
    part: int | None = None
    values: Values | None = None
    first: tuple[Cell, ...] = ()
    latest: tuple[Cell, ...] = ()
    header: str | None = None
    count: str | None = None
    setting: str | None = None
    unit: str | None = None
    conditions: tuple[Condition, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Every column that the value may come from."""
        inner = (*self.joined, *self.first, *self.latest)
        return self.columns + tuple(name for cell in inner for name in cell.names())

    def whole_columns(self) -> tuple[str, ...]:
        """Every column of which the value is a cell as it is: no piece of one, and no word."""
        if self.split_by is not None or self.values is not None or self.joined:
            return ()
        return self.columns + tuple(
            name for cell in (*self.first, *self.latest) for name in cell.whole_columns()
        )

    def read_columns(self) -> tuple[str, ...]:
        """Every column that is looked at for the value, its conditions included."""
        inner = (*self.joined, *self.first, *self.latest)
        return (
            *self.columns,
            *((self.header,) if self.header else ()),
            *(name for cell in inner for name in cell.read_columns()),
            *(name for one in self.conditions for name in one.read_columns()),
        )


Cells = tuple[tuple[str, Cell], ...]


@dataclass(frozen=True)
class Condition:
    """Asks something of a value: all that is declared must hold. None: not asked."""

    cell: Cell
    is_filled: bool | None = None
    is_present: bool | None = None
    is_one_of: tuple[str, ...] | None = None
    is_none_of: tuple[str, ...] | None = None
    starts_with: str | None = None
    contains: str | None = None
    at_least: Cell | None = None
    fewer_than: Cell | None = None
    has_word: str | None = None

    def read_columns(self) -> tuple[str, ...]:
        """Every column that is looked at."""
        cells = (self.cell, self.at_least, self.fewer_than)
        return tuple(name for cell in cells if cell is not None for name in cell.read_columns())


Conditions = tuple[Condition, ...]


@dataclass(frozen=True)
class ElapsedTime:
    """An instant known by what had elapsed: `minutes`, floored, after `start`, on the calendar or in the business hours that
    the vendor counted; never after `limit`.
    """

    start: Cell
    minutes: Cell
    clock_kind: str
    limit: Cell | None = None

    def read_columns(self) -> tuple[str, ...]:
        cells = (self.start, self.minutes, *((self.limit,) if self.limit else ()))
        return tuple(name for cell in cells for name in cell.read_columns())


@dataclass(frozen=True)
class RowRule:
    """One event, figure or person out of every row that meets all conditions; with `each`, one per filled cell of a repeated
    column, or per element of a nested list.

    `name` makes an event's id of its ticket's. `elapsed`: where its instant is not written but counted. `is_mark`: the row shows
    it, and dates it by nothing but itself.
    """

    cells: Cells
    conditions: Conditions = ()
    each: str | None = None
    name: str | None = None
    elapsed: ElapsedTime | None = None
    is_mark: bool = False

    def value_columns(self) -> tuple[str, ...]:
        """Every column that a value or a condition looks at."""
        return (
            *(name for _, cell in self.cells for name in cell.read_columns()),
            *(name for one in self.conditions for name in one.read_columns()),
            *(self.elapsed.read_columns() if self.elapsed else ()),
        )

    def read_columns(self) -> tuple[str, ...]:
        return (*self.value_columns(), *((self.each,) if self.each else ()))


@dataclass(frozen=True)
class Evidence:
    """What the exports show of a ticket whose row meets all conditions."""

    shows: str
    conditions: Conditions = ()


@dataclass(frozen=True)
class Notice:
    """What is said of a file that meets all conditions, and has exactly so many `rows` where that is declared."""

    says: str
    hint: str
    conditions: Conditions = ()
    rows: int | None = None


@dataclass(frozen=True)
class NestedList:
    """A list of records inside a record, under our short name: `paths` are where exports have it, in the record or in each
    element of the list `within`. Of a record without it nothing is known that only it shows, unless `is_empty_if_missing`.
    """

    name: str
    paths: tuple[str, ...]
    within: str | None = None
    is_optional: bool = False
    is_empty_if_missing: bool = False


@dataclass(frozen=True)
class MappedColumn:
    """A column under our short name, with the names that exports give it: languages, versions. A `*` in a name stands for
    any text. `declared_by`: the key of a source in sla.yml that names it, which makes a header without it a mistake.
    `within`: the nested list that it is a value of; its names are then paths inside an element, the empty one the element.
    """

    name: str
    written: tuple[str, ...]
    is_repeated: bool = False
    is_optional: bool = False
    declared_by: str | None = None
    within: str | None = None


@dataclass(frozen=True)
class MappedFile:
    """One kind of file of a source: its dialect, its columns, and what its rows are. Rows that do not meet `conditions` are
    passed over, those without a `required` column are refused. `log`: one row per event. `refusal`: such a file is recognised
    and not read. `dates`: its own formats of instants, else the mapping's.
    """

    name: str
    format: str
    sheet: str | None
    element: str | None
    records_at: str | None
    columns: tuple[MappedColumn, ...]
    lists: tuple[NestedList, ...] = ()
    required: tuple[str, ...] = ()
    conditions: Conditions = ()
    tickets: Cells | None = None
    log: Cells | None = None
    people: RowRule | None = None
    events: tuple[RowRule, ...] = ()
    figures: tuple[RowRule, ...] = ()
    dates: tuple[str, ...] = ()
    warnings: tuple[Notice, ...] = ()
    refusal: Notice | None = None

    @property
    def is_table(self) -> bool:
        return self.format in TABLE_FORMATS

    def rules(self) -> tuple[RowRule, ...]:
        """All that is made of rows beside tickets and logs."""
        return (*self.events, *self.figures, *((self.people,) if self.people else ()))

    def read_columns(self) -> tuple[str, ...]:
        """Every column that something is made of, or that is looked at; a nested list only where its elements are values."""
        cells = (*(self.tickets or ()), *(self.log or ()))
        lists = {one.name for one in self.lists}
        notices = (*self.warnings, *((self.refusal,) if self.refusal else ()))
        conditions = (*self.conditions, *(one for notice in notices for one in notice.conditions))
        found = (
            *(name for one in conditions for name in one.read_columns()),
            *(name for _, cell in cells for name in cell.read_columns()),
            *(
                name
                for rule in self.rules()
                for name in (rule.value_columns() if rule.each in lists else rule.read_columns())
            ),
        )
        return tuple(dict.fromkeys(found))

    def chain_of(self, name: str) -> tuple[NestedList, ...]:
        """A nested list with those around it, the outermost first."""
        lists = {one.name: one for one in self.lists}
        chain: list[NestedList] = []
        while (one := lists.get(name)) is not None and one not in chain:
            chain.insert(0, one)
            name = one.within or ""
        return tuple(chain)

    def lists_that_show(self, word: str) -> tuple[str, ...]:
        """The nested lists without which a record does not show what a word of evidence says."""
        lists = {one.name for one in self.lists}
        kinds = [(rule.each, proved_by(rule, is_beside_ticket(self, rule))) for rule in self.events]
        wanted = PROVED_AS.get(word.removesuffix("_if_any"), word.removesuffix("_if_any"))
        if any(wanted in shown and each not in lists for each, shown in kinds):
            return ()
        return tuple(
            dict.fromkeys(
                each for each, shown in kinds if wanted in shown and each is not None and each in lists
            )
        )

    def instant_columns(self) -> frozenset[str]:
        """The columns of which a cell is an instant as a whole."""
        rules = (*self.events, *self.figures)
        found = [
            cell
            for name, cell in (*(self.tickets or ()), *(one for rule in rules for one in rule.cells))
            if name in INSTANTS
        ]
        found += [
            cell
            for rule in rules
            if rule.elapsed
            for cell in (rule.elapsed.start, rule.elapsed.limit)
            if cell
        ]
        return frozenset(name for cell in found for name in cell.whole_columns())

    def refers_to_settings(self) -> bool:
        """Whether sla.yml says which column a value of a ticket comes from."""
        return any(cell.setting is not None for _, cell in self.tickets or ())


def is_beside_ticket(file: MappedFile, rule: RowRule) -> bool:
    """Whether the events of a rule are dates in the record of their ticket, and no history."""
    return file.tickets is not None and rule.each is None


def proved_by(rule: RowRule, is_beside: bool) -> set[str]:
    """The words of evidence that the events of a rule prove."""
    cell = dict(rule.cells).get("event_type")
    if cell is None:
        return set()
    words = [word for _, word in cell.values.pairs] if cell.values else EVENT_TYPES
    types = [cell.constant] if cell.constant else words
    kinds = {EVIDENCE_OF[one] for one in types if one in EVIDENCE_OF}
    alone = {_ALONE.get(kind, kind) for kind in kinds}
    # A date beside the ticket shows one event of its history, not the history.
    return alone if is_beside else kinds | alone


@dataclass(frozen=True)
class Mapping:
    """A mapping file. `file` is how messages name it; plain values only, so that another process can have it.

    `is_form`: it leaves zone, formats and names of columns to sla.yml. `calendar`: of the vendor's business hours.
    `named_columns`: those that sla.yml gives names to.
    """

    file: str
    time_zone: str | None = None
    dates: tuple[str, ...] = ()
    months: tuple[tuple[str, int], ...] = ()
    century: int | None = None
    null_markers: tuple[str, ...] = ()
    encoding: str = "utf-8"
    shown: tuple[Evidence, ...] = ()
    allowed: tuple[str, ...] = ()
    files: tuple[MappedFile, ...] = ()
    is_form: bool = False
    half_days: tuple[tuple[str, str], ...] = ()
    calendar: Calendar | None = None
    named_columns: tuple[str, ...] = ()

    @property
    def evidence(self) -> tuple[str, ...]:
        """The words for all that the exports may show."""
        return tuple(dict.fromkeys(one.shows for one in self.shown))

    def dates_of(self, file: MappedFile) -> tuple[str, ...]:
        return file.dates or self.dates


def is_wall_time(pattern: str) -> bool:
    """Whether a format of instants leaves the zone open."""
    return pattern not in (ISO, EPOCH_SECONDS, EPOCH_MILLISECONDS) and "%z" not in pattern


def fingerprint_mapping(mapping: Mapping | None) -> str | None:
    """SHA-256 (hex) over what a mapping says, not over its comments: a landed batch names the one that it was read with."""
    return None if mapping is None else hashlib.sha256(repr(mapping).encode()).hexdigest()
