"""Turns what a mapping declares of a value into a function of a row: text in, text or instant out.

A value that cannot be read raises `Unusable` with the column as the export calls it, what stands there and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pipeline.declarations.problems import name_nearest
from pipeline.ingest.forms.landed_rows import Unusable, check_years, read_identifier, read_iso_window
from pipeline.ingest.forms.read_paths import Several
from pipeline.rules.mapping import (
    EPOCH_MILLISECONDS,
    EPOCH_SECONDS,
    ISO,
    UNITS,
    Cell,
    Condition,
    Conditions,
    Mapping,
    Values,
    width_of,
)
from pipeline.zones import Window, localize_window

Row = Sequence[str | None]
Read = Callable[[Row], str | None]
ReadInstant = Callable[[Row], Window | None]
ReadDate = Callable[[str | None, str | None], Window]

_EPOCH = datetime(1970, 1, 1)
# Exports repeat instants; so many are remembered at a time.
_KNOWN_INSTANTS = 500_000
_ENGLISH_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "january"),
            ("feb", "february"),
            ("mar", "march"),
            ("apr", "april"),
            ("may",),
            ("jun", "june"),
            ("jul", "july"),
            ("aug", "august"),
            ("sep", "september", "sept"),
            ("oct", "october"),
            ("nov", "november"),
            ("dec", "december"),
        ),
        1,
    )
    for name in names
}
_WORD = re.compile(r"[^\W\d_]+\.?")
_WHOLE = re.compile(r"-?\d{1,9}(\.0+)?")
_CLOCK = re.compile(r"(-?)(\d{1,6}):([0-5]\d)(?::([0-5]\d))?")
# What is read of a condition, and where many words may stand.
_CONDITION = "condition"
_MAY_BE_SEVERAL = (_CONDITION, "tags")
T = TypeVar("T")


class UnknownValue(Unusable):
    """A word that the mapping's values do not know."""


@dataclass(frozen=True)
class Scope:
    """Which columns a row has: our short names -> their places in it and what the export calls them.

    Inside `each`, the cell at hand has the column's only place, and what stands for `*` in its name the one after it.
    `absent`: columns that are looked for in every record although the header lacks them. `counts`: nested list -> the place of
    the number of its elements. `has_documents`: a cell may be the text of a list or of an object.
    """

    places: Dict[str, tuple[int, ...]]
    shown: Dict[str, str]
    each: str | None = None
    absent: frozenset[str] = frozenset()
    counts: Dict[str, int] = field(default_factory=dict)
    has_documents: bool = False

    def within(self, each: str, at: int) -> Scope:
        return replace(self, places={**self.places, each: (at,)}, each=each)

    def within_list(self, each: str, columns: Sequence[str], at: int) -> Scope:
        """The scope inside an element of a nested list, whose columns stand in a row from `at` on."""
        own = {name: (place,) for place, name in enumerate(columns, at)}
        return replace(self, places={**self.places, **own}, each=each)


def compile_cell(cell: Cell, scope: Scope, what: str) -> Read:
    """The function that reads a cell of a row; `what` our column takes the value."""
    take = _compile_origin(cell, scope, what)
    if cell.split_by is not None and cell.part is not None:
        take = _compile_part(take, cell.split_by, cell.part - 1)
    if cell.values is not None:
        take = _compile_values(take, cell.values, name_of(cell, scope), what)
    return _compile_when(take, cell.conditions, scope)


def compile_instant(cell: Cell, scope: Scope, read_date: ReadDate) -> ReadInstant:
    """The function that reads the window of an instant of a row; None where there is none. It raises Unusable for what is no
    instant.
    """
    column = name_of(cell, scope)
    if cell.latest or cell.first:
        parts = [compile_instant(one, scope, read_date) for one in (*cell.latest, *cell.first)]

        def choose(row: Row) -> Window | None:
            found = [at for part in parts if (at := part(row)) is not None]
            return None if not found else max(found) if cell.latest else found[0]

        return _compile_when(choose, cell.conditions, scope)
    take = compile_cell(cell, scope, "instant")
    return lambda row: None if (text := take(row)) is None else read_date(column, text)


def compile_duration(cell: Cell, scope: Scope) -> Callable[[Row], int | None]:
    """The function that reads a duration of a row in whole seconds; it raises Unusable for what is none."""
    column, take = name_of(cell, scope), compile_cell(cell, scope, "duration")
    if cell.unit in (None, "hours", "minutes", "seconds"):
        unit_seconds = UNITS[cell.unit or "seconds"]

        def count(row: Row) -> int | None:
            text = take(row)
            if text is None:
                return None
            if not _WHOLE.fullmatch(text):
                raise Unusable(column, text, "is not a whole number", "Write digits only.")
            return unit_seconds * int(text.partition(".")[0])

        return count

    def read_clock(row: Row) -> int | None:
        text = take(row)
        if text is None:
            return None
        found = _CLOCK.fullmatch(text)
        if found is None:
            raise Unusable(column, text, "is not a duration", "Durations are written h:mm or HH:MM:SS.")
        sign, hours, minutes, seconds = found.groups()
        return (-1 if sign else 1) * (int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0))

    return read_clock


def name_of(cell: Cell, scope: Scope) -> str | None:
    """The column that a message names for a cell: the first one that it may come from."""
    names = cell.names()
    return scope.shown.get(names[0], names[0]) if names else None


def _compile_origin(cell: Cell, scope: Scope, what: str) -> Read:
    if cell.constant is not None:
        constant = cell.constant
        return lambda row: constant
    if cell.header is not None:
        if cell.header == scope.each:
            beside = scope.places[cell.header][0] + 1
            return lambda row: row[beside]
        name = scope.shown.get(cell.header, cell.header)
        return lambda row: name
    if cell.joined:
        return _compile_join([compile_cell(one, scope, what) for one in cell.joined], cell.separator or ":")
    if cell.first:
        parts = [compile_cell(one, scope, what) for one in cell.first]
        return lambda row: next((text for part in parts if (text := part(row)) is not None), None)
    if cell.count is not None:
        place_of_count = scope.counts.get(cell.count)
        return lambda row: None if place_of_count is None else row[place_of_count]
    at = [place for name in cell.columns for place in scope.places.get(name, ())]
    if not at:
        return lambda row: None
    if cell.separator is not None:
        between = cell.separator
        return lambda row: between.join(text for one in at if (text := row[one]) is not None) or None
    if len(at) == 1:
        only = at[0]
        take: Read = lambda row: row[only]  # noqa: E731
    else:
        take = lambda row: next((text for one in at if (text := row[one]) is not None), None)  # noqa: E731
    if not scope.has_documents or what in _MAY_BE_SEVERAL:
        return take
    column = name_of(cell, scope)

    def take_one(row: Row) -> str | None:
        text = take(row)
        if type(text) is Several:
            kind = "a list" if not text.startswith("{") else "an object"
            raise Unusable(column, text, f"is {kind}, not one value", "Write the path of a value in it.")
        return text

    return take_one


def _compile_join(parts: Sequence[Read], separator: str) -> Read:
    def join(row: Row) -> str | None:
        found = [part(row) for part in parts]
        return None if None in found else separator.join(one for one in found if one is not None)

    return join


def _compile_when(
    take: Callable[[Row], T], conditions: Conditions, scope: Scope
) -> Callable[[Row], T | None]:
    if not conditions:
        return take
    hold = compile_conditions(conditions, scope)
    return lambda row: take(row) if hold(row) else None


def _compile_part(take: Read, split_by: str, part: int) -> Read:
    def pick(row: Row) -> str | None:
        text = take(row)
        if text is None:
            return None
        # One piece more than is asked for keeps everything after it together.
        pieces = text.split(split_by, part + 1)
        return (pieces[part].strip() or None) if len(pieces) > part else None

    return pick


def _compile_values(take: Read, values: Values, column: str | None, what: str) -> Read:
    words = dict(values.pairs)
    is_passed = values.unknown == "pass"

    def translate(row: Row) -> str | None:
        word = take(row)
        if word is None:
            return None
        mapped = words.get(word)
        if mapped is None:
            mapped = words.get(word.strip())
        if mapped is not None:
            return mapped
        if values.otherwise is not None or values.unknown == "nothing":
            return values.otherwise
        if is_passed:
            return word
        raise unknown_value(column, word, what, words)

    return translate


def missing(column: str | None) -> Unusable:
    """The refusal of a record without a value that every record needs."""
    return Unusable(column, None, "is missing", "Every record needs it; check the export's settings.")


def unknown_value(
    column: str | None, word: str, what: str, known: Sequence[str] | Dict[str, str]
) -> UnknownValue:
    return UnknownValue(
        column,
        word,
        f"is not a known {what.replace('_', ' ')}",
        f"Add it to the values of the mapping, or correct the export. {name_nearest(word, known)}",
    )


def compile_conditions(conditions: Conditions, scope: Scope) -> Callable[[Row], bool]:
    """Whether a row meets all of them."""
    tests = [_compile_condition(one, scope) for one in conditions]
    if not tests:
        return lambda row: True
    return tests[0] if len(tests) == 1 else lambda row: all(holds(row) for holds in tests)


def _compile_condition(condition: Condition, scope: Scope) -> Callable[[Row], bool]:
    if condition.is_present is not None:
        there = scope.places.keys() - scope.absent
        is_met = any(name in there for name in condition.cell.names()) == condition.is_present
        return lambda row: is_met
    take = compile_cell(condition.cell, scope, _CONDITION)
    tests: list[Callable[[str | None], bool]] = []
    if condition.is_filled is not None:
        tests.append(lambda value: (value is not None) == condition.is_filled)
    if (known := condition.is_one_of) is not None:
        tests.append(lambda value: value in known)
    if (other := condition.is_none_of) is not None:
        tests.append(lambda value: value not in other)
    if (start := condition.starts_with) is not None:
        tests.append(lambda value: value is not None and value.startswith(start))
    if condition.contains is not None:
        part = condition.contains.casefold()
        tests.append(lambda value: value is not None and part in value.casefold())
    if (word := condition.has_word) is not None:
        tests.append(lambda value: value is not None and word in (one.strip() for one in value.split(",")))
    if len(tests) == 1 and condition.at_least is condition.fewer_than is None:
        # Nearly every condition asks one thing.
        only = tests[0]
        return lambda row: only(take(row))
    bounds = [
        (compile_cell(bound, scope, _CONDITION), is_least)
        for bound, is_least in ((condition.at_least, True), (condition.fewer_than, False))
        if bound is not None
    ]

    def holds(row: Row) -> bool:
        value = take(row)
        return all(test(value) for test in tests) and all(
            _compare(value, bound(row), is_least) for bound, is_least in bounds
        )

    return holds


def _compare(text: str | None, bound: str | None, is_least: bool) -> bool:
    """Whether a number reaches a bound, or stays below it. Of what is no number neither holds."""
    if text is None or bound is None or not (_WHOLE.fullmatch(text) and _WHOLE.fullmatch(bound)):
        return False
    number, limit = (int(one.partition(".")[0]) for one in (text, bound))
    return number >= limit if is_least else number < limit


def compile_dates(mapping: Mapping, dates: Sequence[str]) -> ReadDate:
    """The function (column, text) -> window of naive UTC seconds, as wide as the format is cut; `dates` are tried in order.

    It raises Unusable for what no format reads, and for what is missing.
    """
    zone = mapping.time_zone
    readers = [_compile_pattern(pattern, zone, mapping) for pattern in dates]
    listed = ", ".join(dates)

    known: dict[str, Window | None] = {}

    def read_any(text: str) -> Window | None:
        for reader in readers:
            try:
                found = reader(text)
            except (ValueError, OverflowError, Unusable):
                continue
            if found is not None:
                return found
        return None

    def read(column: str | None, text: str | None) -> Window:
        if text is None or not text.strip():
            raise missing(column)
        text = text.strip()
        found = known.get(text)
        if found is None:
            if len(known) > _KNOWN_INSTANTS:
                known.clear()
            found = known[text] = read_any(text)
        if found is None:
            raise Unusable(
                column,
                text,
                "is not a possible time in any declared date format",
                f"{_who_declares(mapping)} {listed}; other nulls go to null_markers.",
            )
        check_years(column or "", text, found.first)
        return found

    return read


def _who_declares(mapping: Mapping) -> str:
    return "This source's export is read as" if mapping.is_form else "The mapping declares"


def _compile_pattern(pattern: str, zone: str | None, mapping: Mapping) -> Callable[[str], Window | None]:
    if pattern == ISO:
        return lambda text: read_iso_window("", text)
    if pattern in (EPOCH_SECONDS, EPOCH_MILLISECONDS):
        per_second = 1 if pattern == EPOCH_SECONDS else 1000

        def read_epoch(text: str) -> Window | None:
            if not re.fullmatch(r"\d{1,14}", text):
                return None
            instant = _EPOCH + timedelta(seconds=int(text) // per_second)
            return Window(instant, instant)

        return read_epoch
    words: dict[str, str] = {}
    if "%b" in pattern or "%B" in pattern:
        words |= {name: f"{number:02}" for name, number in (*_ENGLISH_MONTHS.items(), *mapping.months)}
    if "%p" in pattern:
        words |= dict(mapping.half_days)
    bare = re.sub("%[bB]", "%m", pattern)
    century = mapping.century if "%y" in pattern else None
    width = width_of(pattern)

    def in_digits(word: re.Match[str]) -> str:
        name = word[0].casefold()
        return words.get(name) or words.get(name.rstrip(".")) or word[0]

    def read_wall(text: str) -> Window | None:
        if words:
            text = _WORD.sub(in_digits, text)
        if any(one.isdigit() and not one.isascii() for one in text):
            return None
        found = datetime.strptime(text, bare)
        if century is not None:
            found = found.replace(year=century + found.year % 100)
        found = found.replace(microsecond=0)
        if found.tzinfo is not None:
            first = found.astimezone(UTC).replace(tzinfo=None)
            return Window(first, first + timedelta(seconds=width - 1))
        assert zone is not None
        return localize_window(found, zone, width)

    return read_wall


def read_text_id(column: str | None, text: str | None) -> str:
    """An id as text. Raises Unusable when it is missing or a spreadsheet has eaten its digits."""
    return read_identifier(column or "", text)
