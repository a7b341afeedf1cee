"""Puts what sla.yml declares of a source into a mapping that leaves it open: a mapping that the reader can use as it is.

A shipped form leaves the zone, the format of instants, further null markers and other names of columns to sla.yml.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Names
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Literal

from pipeline.locales import find_locale
from pipeline.rules.mapping import (
    REFERENCES,
    Cell,
    Condition,
    Conditions,
    ElapsedTime,
    MappedColumn,
    MappedFile,
    Mapping,
    Notice,
    RowRule,
)

if TYPE_CHECKING:
    from pipeline.rules.source import Source

# How sla.yml writes that a level stands in a column of a table.
_COLUMN = "column:"
# What a column that only sla.yml names is called here.
_HEADER = "header:"
# Ids of fields in the vendors' JSON: a table beside it has them under no name, and is landed for what else it shows.
_ONLY_IN_JSON = ("custom_field:", "customfield_", "organization_id", "organization_external_id")

# What the forms call the columns of a row that may be a sign of an event, where sla.yml uses the word of the API.
_SIGNS = {"type": "ticket_type"}
_TAGS = "tags"
_CLOSED_AT = "closed_at"

ColumnNames = Names[str, tuple[str, ...]]


def bind_mapping(mapping: Mapping, source: Source) -> Mapping:
    """The mapping without a reference to a setting."""
    bound = replace(
        mapping,
        shown=tuple(
            replace(one, conditions=_Binding(None, source).conditions(one.conditions))
            for one in mapping.shown
        ),
        files=tuple(_bind_file(file, mapping, source) for file in mapping.files),
        calendar=source.business_calendar,
    )
    if not mapping.is_form:
        return bound
    months, half_days = _words(source.date_locale) if source.date_locale else ((), ())
    return replace(
        bound,
        time_zone=source.time_zone,
        dates=source.date_formats or mapping.dates,
        months=mapping.months + months,
        half_days=half_days,
        named_columns=tuple(source.columns),
        null_markers=tuple(dict.fromkeys((*mapping.null_markers, *source.null_markers))),
    )


def _bind_file(file: MappedFile, mapping: Mapping, source: Source) -> MappedFile:
    binding = _Binding(file, source)
    marks = tuple(binding.marks(file)) if mapping.is_form and file.tickets is not None else ()
    bound = replace(
        file,
        conditions=binding.conditions(file.conditions),
        tickets=None if file.tickets is None else binding.cells(file.tickets),
        log=None if file.log is None else binding.cells(file.log),
        people=None if file.people is None else binding.rule(file.people),
        events=(*(binding.rule(one) for one in file.events), *marks),
        figures=tuple(binding.rule(one) for one in file.figures),
        warnings=tuple(binding.notice(one) for one in file.warnings),
    )
    declared = source.columns if mapping.is_form else {}
    columns = (*bound.columns, *binding.added.values())
    return replace(bound, columns=tuple(_name(column, declared) for column in columns))


def _name(column: MappedColumn, declared: ColumnNames) -> MappedColumn:
    """The column with the names of sla.yml in place of the form's, which may stand for another column of this file."""
    name = column.name.removeprefix(_HEADER)
    if name not in declared:
        return column
    return replace(column, written=declared[name], declared_by=f"columns.{name}")


class _Binding:
    """The settings of a source, as the parts of one file refer to them. `added`: columns that only sla.yml names."""

    def __init__(self, file: MappedFile | None, source: Source) -> None:
        self._known = {column.name for column in file.columns} if file else set()
        self.added: dict[str, MappedColumn] = {}
        self._signs = source.events
        calendar = source.business_calendar
        written = {
            "customer": source.customer_field,
            "severity": source.severity_field,
            "channel": source.channel_field,
            "comments": source.unmarked_comments,
            "time_zone": source.time_zone,
            "business_calendar": calendar.name if calendar else None,
        }
        self._texts: dict[str, str | None] = {**written, "bots": next(iter(source.non_humans), None)}

    def marks(self, file: MappedFile) -> Iterator[RowRule]:
        """Rules for the events that sla.yml declares by what a column of the ticket's own row holds.

        A merge closes the ticket, and has the date of that; else it is known from the row on that shows it.
        """
        if _CLOSED_AT not in self._known:
            return
        tickets = dict(file.tickets or ())
        updated_at = tickets["updated_at"]
        for sign in self._signs:
            column = self._find_column(
                _SIGNS.get(sign.field_name, sign.field_name), f"events.{sign.event_type}"
            )
            held = Cell(columns=(column,))
            is_list = column == _TAGS
            shown = Condition(
                held,
                has_word=sign.field_value if is_list else None,
                is_one_of=None if is_list else (sign.field_value,),
            )
            is_dated = sign.event_type == "merged"
            made = (("ticket_id", tickets["ticket_id"]), ("event_type", Cell(constant=sign.event_type)))
            closed_at = Cell(columns=(_CLOSED_AT,))
            if is_dated:
                filled = Condition(closed_at, is_filled=True)
                yield RowRule((*made, ("event_at", closed_at)), (shown, filled), name=sign.event_type)
            undated = (Condition(closed_at, is_filled=False),) if is_dated else ()
            yield RowRule(
                (*made, ("event_at", updated_at)), (shown, *undated), name=sign.event_type, is_mark=True
            )

    def cells(self, cells: tuple[tuple[str, Cell], ...]) -> tuple[tuple[str, Cell], ...]:
        return tuple((name, self.cell(cell)) for name, cell in cells)

    def cell(self, cell: Cell) -> Cell:
        bound = replace(
            cell,
            joined=tuple(self.cell(one) for one in cell.joined),
            first=tuple(self.cell(one) for one in cell.first),
            latest=tuple(self.cell(one) for one in cell.latest),
            conditions=self.conditions(cell.conditions),
        )
        named = self._texts[cell.setting] if cell.setting in REFERENCES else None
        columns = cell.columns if named is None else (self._find_column(named, cell.setting or ""),)
        return replace(bound, setting=None, columns=columns)

    def _find_column(self, named: str, setting: str) -> str:
        """Our word for a column, or the name that the header gives it."""
        if named in self._known:
            return named
        written = named.removeprefix(_COLUMN)
        name = f"{_HEADER}{written}"
        declared_by = None if named.startswith(_ONLY_IN_JSON) else f"{setting}.field"
        self.added[name] = MappedColumn(name, (written,), is_optional=True, declared_by=declared_by)
        return name

    def conditions(self, conditions: Conditions) -> Conditions:
        return tuple(self._condition(one) for one in conditions)

    def _condition(self, condition: Condition) -> Condition:
        cell = condition.cell
        # A condition asks what sla.yml says there, not for what stands in the column that it names.
        said = None if cell.setting is None else self._texts[cell.setting]
        return replace(
            condition,
            cell=self.cell(cell) if cell.setting is None else Cell(constant=said),
            at_least=None if condition.at_least is None else self.cell(condition.at_least),
            fewer_than=None if condition.fewer_than is None else self.cell(condition.fewer_than),
        )

    def rule(self, rule: RowRule) -> RowRule:
        return replace(
            rule,
            cells=self.cells(rule.cells),
            conditions=self.conditions(rule.conditions),
            elapsed=None if rule.elapsed is None else self._elapsed(rule.elapsed),
        )

    def _elapsed(self, elapsed: ElapsedTime) -> ElapsedTime:
        limit = None if elapsed.limit is None else self.cell(elapsed.limit)
        return replace(
            elapsed, start=self.cell(elapsed.start), minutes=self.cell(elapsed.minutes), limit=limit
        )

    def notice(self, notice: Notice) -> Notice:
        return replace(notice, conditions=self.conditions(notice.conditions))


@cache
def _words(date_locale: str) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[str, str], ...]]:
    """The names of months and of the halves of a day in a language, in small letters and without a full stop."""
    from babel.dates import get_month_names, get_period_names

    contexts: tuple[Literal["format", "stand-alone"], ...] = ("format", "stand-alone")
    widths: tuple[Literal["abbreviated", "wide"], ...] = ("abbreviated", "wide")
    months = {
        name.casefold().rstrip("."): number
        for context in contexts
        for width in widths
        for number, name in get_month_names(width, context, find_locale(date_locale)).items()
    }
    half_days = {
        half.casefold().rstrip("."): name.upper()
        for name, half in get_period_names("abbreviated", "format", find_locale(date_locale)).items()
        if name in ("am", "pm")
    }
    return tuple(months.items()), tuple(half_days.items())
