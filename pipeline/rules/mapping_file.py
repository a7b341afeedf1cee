"""What a mapping file may say: its keys, and what each of them may hold. `load_mapping.py` makes a `Mapping` of it.

The columns of tickets, events, people and figures stand once, in `mapping.py`; the models of their rows are made of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, create_model

from pipeline.declarations.declared import Declared
from pipeline.declarations.explain_errors import refused
from pipeline.declarations.problems import Place
from pipeline.declarations.values import (
    UNREPEATED,
    Flag,
    Name,
    OneOf,
    PossiblyEmptyText,
    Refusal,
    Text,
    Zone,
    matching,
    whole_number,
)
from pipeline.rules.mapping import (
    ANY_COLUMNS,
    CLOCK_KINDS,
    DRIFTS,
    ENCODINGS,
    EVENT_COLUMNS,
    EVIDENCE,
    FIGURE_COLUMNS,
    FORMATS,
    LOG_COLUMNS,
    PEOPLE_COLUMNS,
    REQUIRED_COLUMNS,
    TABLE_FORMATS,
    TICKET_COLUMNS,
    UNITS,
)

# Where a value comes from: exactly one of these.
ORIGINS = ("column", "columns", "constant", "count", "first", "header", "join", "latest", "setting")
_TESTS = (
    "is_one_of",
    "is_none_of",
    "filled",
    "present",
    "starts_with",
    "contains",
    "has_word",
    "at_least",
    "fewer_than",
)


def _shape_of(value: Any) -> str:
    """How a value is written that may be written in several ways."""
    if isinstance(value, dict):
        return "(mapping)"
    return "(list)" if isinstance(value, list | tuple) else "(text)"


def _shape_of_words(value: Any) -> str:
    shape = _shape_of(value)
    has_own_keys = shape == "(mapping)" and (
        isinstance(value.get("words"), dict) or set(value) == {"unknown"}
    )
    return "(words)" if has_own_keys else shape


def _shape_of_instant(value: Any) -> str:
    shape = _shape_of(value)
    return "(elapsed)" if shape == "(mapping)" and "minutes" in value else shape


def _read_scalar(value: object) -> object:
    """True and false as these words, since constants may be either."""
    return ("true" if value else "false") if isinstance(value, bool) else value


Shape, ShapeOfWords, ShapeOfInstant = (
    Discriminator(one) for one in (_shape_of, _shape_of_words, _shape_of_instant)
)
Texts = Annotated[tuple[Text, ...], *UNREPEATED]
Scalar = Annotated[
    Text, BeforeValidator(_read_scalar), WithJsonSchema({"type": ["string", "integer", "boolean"]})
]
Words = dict[PossiblyEmptyText, Scalar]
OneOrMany = Annotated[Annotated[Scalar, Tag("(text)")] | Annotated[Texts, Tag("(list)")], Shape]
NullMarker = Annotated[
    PossiblyEmptyText,
    Refusal("only text can stand for no value.", 'Put it in quotes, such as ["-", "NULL"].'),
]
MonthNumber = Annotated[
    int,
    Field(strict=True, ge=1, le=12),
    Refusal("{value} is not the number of a month.", "Write 1 to 12, such as ene: 1."),
]


def _check_century(value: int) -> int:
    if value % 100:
        raise refused(f"{value} is not the first year of a century.", "Write 1900 or 2000.")
    return value


class WordList(Declared):
    """What a source's words stand for."""

    words: Words = {}
    unknown: Annotated[str, OneOf(("refuse", "pass", "nothing"))] | None = None
    """What becomes of a word that is not among them: its record is refused, it stays as it is written, it is no value."""
    otherwise: Scalar | None = None
    """What every other word stands for."""

    def check(self, place: Place) -> None:
        if self.unknown is not None and self.otherwise is not None:
            place.report(["unknown"], "with otherwise, no word is unknown.", "Keep one of the two.")
        if not self.words and self.unknown != "pass":
            place.report(
                [], "no value is mapped.", "Write one line per value of the source, such as high: 4."
            )


NamedWords = Annotated[Annotated[WordList, Tag("(words)")] | Annotated[Words, Tag("(mapping)")], ShapeOfWords]
ValueWords = Annotated[
    Annotated[WordList, Tag("(words)")] | Annotated[Words, Tag("(mapping)")] | Annotated[Text, Tag("(text)")],
    ShapeOfWords,
]


class Value(Declared):
    """Where a value comes from, and what is done with it then."""

    column: Text | None = None
    columns: Texts = ()
    """The first of them that holds something."""
    constant: Scalar | None = None
    first: tuple[AnyValue, ...] = ()
    """The first value that there is."""
    join: tuple[AnyValue, ...] = ()
    latest: tuple[AnyValue, ...] = ()
    """The latest of several instants."""
    header: Text | None = None
    """The name that the header gives a column, or what `*` stands for in it."""
    count: Text | None = None
    """How many elements a nested list of the record has."""
    setting: Text | None = None
    """What sla.yml declares."""
    separator: PossiblyEmptyText | None = None
    """Between joined values, or between the cells of a repeated column."""
    split_by: PossiblyEmptyText | None = None
    part: Annotated[int, *whole_number(1, 1000)] | None = None
    """Which piece between `split_by`, from 1."""
    values: ValueWords | None = None
    """Words, or the name of a list under values."""
    unit: Annotated[str, OneOf(tuple(UNITS))] | None = None
    """How a duration is written."""
    when: Conditions = ()
    """Without it there is no value."""

    def check(self, place: Place) -> None:
        given = [one for one in ORIGINS if getattr(self, one) not in (None, ())]
        if len(given) != 1:
            place.report(
                [],
                "it is not clear where this value comes from.",
                f"Give exactly one of {', '.join(ORIGINS[:-1])} and {ORIGINS[-1]}.",
            )
        if (self.split_by is None) != (self.part is None):
            place.report([], "split_by and part belong together.", "Give both or neither.")


class ConditionEntry(Value):
    """A value, and what is asked of it."""

    is_one_of: OneOrMany | None = Field(None, alias="is")
    is_none_of: OneOrMany | None = Field(None, alias="is_not")
    filled: Flag | None = None
    present: Flag | None = None
    """Whether the header has the column."""
    starts_with: Text | None = None
    contains: Text | None = None
    """In any case."""
    has_word: Text | None = None
    """A word of a list with commas between."""
    at_least: AnyValue | None = None
    """A whole number, or the column that holds it."""
    fewer_than: AnyValue | None = None

    def check(self, place: Place) -> None:
        super().check(place)
        if all(getattr(self, test) is None for test in _TESTS):
            place.report(
                [], "nothing is asked of the column.", "Add filled: true, is: [...] or is_not: [...]."
            )


AnyValue = Annotated[Annotated[Text, Tag("(text)")] | Annotated[Value, Tag("(mapping)")], Shape]
Conditions = Annotated[
    Annotated[ConditionEntry, Tag("(mapping)")] | Annotated[tuple[ConditionEntry, ...], Tag("(list)")], Shape
]


class Elapsed(Declared):
    """An instant that the export counts in floored minutes."""

    minutes: AnyValue
    after: AnyValue
    clock: Annotated[str, OneOf(CLOCK_KINDS)]
    not_after: AnyValue | None = None


AnyInstant = Annotated[
    Annotated[Text, Tag("(text)")]
    | Annotated[Value, Tag("(mapping)")]
    | Annotated[Elapsed, Tag("(elapsed)")],
    ShapeOfInstant,
]


def _make_rows(
    model: str, columns: tuple[str, ...], required: tuple[str, ...], more: dict[str, Any]
) -> type[Declared]:
    """The model of a kind of rows: a value per column of ours, and other keys."""
    fields: dict[str, Any] = {
        column: (AnyValue, ...) if column in required else (AnyValue | None, None) for column in columns
    }
    return create_model(model, __base__=Declared, __module__=__name__, **(fields | more))


if TYPE_CHECKING:
    TicketRows: TypeAlias = Declared
    LogRows: TypeAlias = Declared
    PeopleRows: TypeAlias = Declared
    EventEntry: TypeAlias = Declared
    FigureEntry: TypeAlias = Declared
else:
    _MADE_BY_RULE = {"when": (Conditions, ()), "each": (Text | None, None)}
    _EVENT_KEYS = {"event_at": (AnyInstant | None, None), "name": (Name | None, None)}
    TicketRows = _make_rows("TicketRows", TICKET_COLUMNS, REQUIRED_COLUMNS["tickets"], {})
    LogRows = _make_rows("LogRows", LOG_COLUMNS, REQUIRED_COLUMNS["log"], {})
    PeopleRows = _make_rows("PeopleRows", PEOPLE_COLUMNS, REQUIRED_COLUMNS["people"], _MADE_BY_RULE)
    # Beside a ticket, an event or a figure is of that ticket; in a log it has the instant of its row.
    EventEntry = _make_rows("EventEntry", EVENT_COLUMNS, ("event_type",), _EVENT_KEYS | _MADE_BY_RULE)
    FigureEntry = _make_rows("FigureEntry", FIGURE_COLUMNS, REQUIRED_COLUMNS["figures"], _MADE_BY_RULE)


class ColumnEntry(Declared):
    """A column whose name differs, or that is optional or repeated."""

    names: Texts = ()
    repeated: Flag = False
    optional: Flag = False


AnyColumn = Annotated[
    Annotated[Text, Tag("(text)")]
    | Annotated[Texts, Tag("(list)")]
    | Annotated[ColumnEntry, Tag("(mapping)")],
    Shape,
]


class ListEntry(Declared):
    """A list of records inside a record, where it may be missing or has several names."""

    at: Annotated[Annotated[Text, Tag("(text)")] | Annotated[Texts, Tag("(list)")], Shape] = ()
    optional: Flag = False
    """A file may come without it: what only it shows is then not measurable."""
    empty_if_missing: Flag = False
    """A record without it has no element."""


AnyList = Annotated[
    Annotated[Text, Tag("(text)")] | Annotated[Texts, Tag("(list)")] | Annotated[ListEntry, Tag("(mapping)")],
    Shape,
]


class NoticeEntry(Declared):
    """What is said of a file, and what to do."""

    says: Text
    hint: Text
    when: Conditions = ()
    rows: Annotated[int, *whole_number(0, 1_000_000_000)] | None = None
    """Only of a file with exactly so many."""


class EvidenceEntry(Declared):
    """What the exports show of a ticket whose row meets the conditions."""

    shows: Annotated[str, OneOf(EVIDENCE)]
    when: Conditions


AnyEvidence = Annotated[
    Annotated[Annotated[str, OneOf(EVIDENCE)], Tag("(text)")]
    | Annotated[EvidenceEntry, Tag("(mapping)")]
    | Annotated[Annotated[str, OneOf(EVIDENCE)], Tag("(list)")],
    Shape,
]
Format = Annotated[str, OneOf(FORMATS)]
ListName = Annotated[
    Text,
    *matching(
        r"^[A-Za-z_][A-Za-z0-9_]*$", "is not a usable name of a list.", "Use letters, digits and underscores."
    ),
]


class FileEntry(Declared):
    """One kind of file: how it is written, its columns, and what is made of its rows."""

    format: Annotated[
        Annotated[Format, Tag("(text)")]
        | Annotated[Annotated[tuple[Format, ...], *UNREPEATED], Tag("(list)")]
        | Annotated[Format, Tag("(mapping)")],
        Shape,
    ]
    sheet: Text | None = None
    """Of a workbook."""
    element: Text | None = None
    """Which elements of an XML file are records."""
    records_at: Text | None = None
    """Under which key of a JSON object its records stand."""
    dates: Texts = ()
    """Where they differ from those of the mapping."""
    columns: dict[Text, AnyColumn] = {}
    lists: dict[ListName, AnyList] = {}
    """Lists of records inside a record: our name, and the path of each."""
    required: Texts = ()
    """Without one of these a file, and a row, is refused; all other columns are optional then."""
    when: Conditions = ()
    """Other rows are passed over."""
    tickets: TicketRows | None = None
    log: LogRows | None = None
    """One row per event, with the attributes that its ticket had then; tickets are derived from the rows."""
    people: PeopleRows | None = None
    events: tuple[EventEntry, ...] = ()
    figures: tuple[FigureEntry, ...] = ()
    warnings: tuple[NoticeEntry, ...] = ()
    refuse: NoticeEntry | None = None
    """Such a file is recognised and not read."""

    @property
    def formats(self) -> tuple[str, ...]:
        return (self.format,) if isinstance(self.format, str) else self.format

    def check(self, place: Place) -> None:
        for key, fitting in (
            ("sheet", {"xlsx"}),
            ("element", {"xml"}),
            ("records_at", {"json", "ndjson"}),
        ):
            if getattr(self, key) is not None and any(self.formats) and not fitting & {*self.formats}:
                place.report([key], f"a file of the format {self.formats[0]} has none.", "Remove it.")
        has_own_file = self.people is not None and getattr(self.people, "each", None) is None
        if has_own_file and (self.tickets is not None or self.events):
            place.report(
                ["people"],
                "people stand in a file of their own, or in a nested list.",
                "Describe their file under another name, or add each: the list that names them.",
            )
        if self.log is not None and (self.tickets is not None or has_own_file):
            place.report(
                ["log"],
                "the rows of a log are events, not tickets or people.",
                "Describe one kind of row per file: log, tickets or people.",
            )
        made = (self.tickets, self.log, self.people, self.refuse, *self.events, *self.figures)
        if all(one is None for one in made):
            place.report([], "nothing is made of this file.", "Add tickets, log, events or people.")
        self._check_columns(place.at("columns"))
        tables = [one for one in self.formats if one in TABLE_FORMATS]
        if self.lists and tables:
            place.report(["lists"], f"a file of the format {tables[0]} has no nested lists.", "Remove it.")

    def _check_columns(self, place: Place) -> None:
        documents = [one for one in self.formats if one and one not in TABLE_FORMATS]
        taken: dict[str, str] = {}
        for name, column in self.columns.items():
            is_repeated = isinstance(column, ColumnEntry) and column.repeated
            if is_repeated and documents:
                place.report([name], f"a column of {documents[0]} is not repeated.", "Remove repeated.")
            for written in list_names(name, column):
                if "*" in written and not is_repeated:
                    place.report(
                        [name],
                        "a name with * may stand for several columns.",
                        "Add repeated: true, and use each.",
                    )
                if written in taken:
                    place.report(
                        [name],
                        f"{written!r} is a name of {taken[written]!r} already.",
                        "A name of the header can mean one column only.",
                    )
                taken[written] = name


def list_paths(name: str, entry: str | tuple[str, ...] | ListEntry) -> tuple[str, ...]:
    """The paths at which exports have a nested list."""
    paths = entry.at if isinstance(entry, ListEntry) else entry
    return (paths,) if isinstance(paths, str) else paths or (name,)


def list_names(name: str, column: str | tuple[str, ...] | ColumnEntry) -> tuple[str, ...]:
    """The names that exports give a column."""
    if isinstance(column, ColumnEntry):
        return column.names or (name,)
    return (column,) if isinstance(column, str) else column


class ZoneSetting(Declared):
    """sla.yml declares the zone, and with it how the account writes its instants."""

    setting: Literal["time_zone"]


FileName = Annotated[
    Text,
    *matching(
        r"^[a-z][a-z0-9_]*$", "is not a usable name.", "Use lower case letters, digits and underscores."
    ),
]


class MappingFile(Declared):
    """How the exports of a helpdesk look, and where our columns come from."""

    files: dict[FileName, FileEntry]
    time_zone: (
        Annotated[
            Annotated[Zone, Tag("(text)")]
            | Annotated[ZoneSetting, Tag("(mapping)")]
            | Annotated[Zone, Tag("(list)")],
            Shape,
        ]
        | None
    ) = None
    """Of wall times."""
    dates: Texts = ()
    """Formats of instants, tried in their order. One without seconds, or without a time of the day, stands for a window."""
    months: dict[PossiblyEmptyText, MonthNumber] = {}
    century: Annotated[int, *whole_number(1900, 2100), AfterValidator(_check_century)] | None = None
    null_markers: tuple[NullMarker, ...] = ()
    encoding: Annotated[str, OneOf(ENCODINGS)] = "utf-8"
    evidence: tuple[AnyEvidence, ...] | None = None
    """What the exports show of a ticket."""
    allow: Annotated[tuple[Annotated[str, OneOf((*DRIFTS, ANY_COLUMNS))], ...], *UNREPEATED] = ()
    values: dict[Text, NamedWords] = {}
    """Lists of words for several columns."""


for _model in (
    Value,
    ConditionEntry,
    Elapsed,
    EventEntry,
    FigureEntry,
    TicketRows,
    LogRows,
    PeopleRows,
    FileEntry,
    MappingFile,
):
    _model.model_rebuild()
