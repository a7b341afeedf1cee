"""Turns what a mapping declares of a value into a function of a row: text in, text or instant out.

A value that cannot be read raises `Unusable` with the column as the export calls it, what stands there and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Dict
from datetime import UTC, datetime, timedelta
from functools import cache

from pipeline.declarations.problems import name_nearest
from pipeline.ingest.forms.canonical_rows import Unusable, check_years, read_identifier, read_instant
from pipeline.rules.mapping import EPOCH_MILLISECONDS, EPOCH_SECONDS, ISO, Cell, Condition, Mapping, Values
from pipeline.zones import localize

Row = Sequence[str | None]
# Inside `each`, the cell at hand stands behind the columns of the row.
Read = Callable[[Row], str | None]

_EPOCH = datetime(1970, 1, 1)
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


class UnknownValue(Unusable):
    """A word that the mapping's values do not know."""


def compile_cell(cell: Cell, places: Dict[str, int], shown: Dict[str, str], what: str) -> Read:
    """The function that reads a cell of a row. `places`: short column name -> place in the row; `shown`: as the export
    calls it; `what` our column takes the value.
    """
    take = _compile_origin(cell, places, shown, what)
    if cell.split_by is not None and cell.part is not None:
        take = _compile_part(take, cell.split_by, cell.part - 1)
    if cell.values is not None:
        take = _compile_values(take, cell.values, name_of(cell, shown), what)
    return take


def name_of(cell: Cell, shown: Dict[str, str]) -> str | None:
    """The column that a message names for a cell: the first one that it may come from."""
    names = cell.names()
    return shown.get(names[0], names[0]) if names else None


def _compile_origin(cell: Cell, places: Dict[str, int], shown: Dict[str, str], what: str) -> Read:
    if cell.constant is not None:
        constant = cell.constant
        return lambda row: constant
    if cell.joined:
        parts = [compile_cell(one, places, shown, what) for one in cell.joined]
        separator = cell.separator

        def join(row: Row) -> str | None:
            found = [part(row) for part in parts]
            return None if None in found else separator.join(one for one in found if one is not None)

        return join
    at = [places[name] for name in cell.columns if name in places]
    if not at:
        return lambda row: None
    if len(at) == 1:
        only = at[0]
        return lambda row: row[only]
    return lambda row: next((row[one] for one in at if row[one] is not None), None)


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
        if values.otherwise is not None:
            return values.otherwise
        if is_passed:
            return word
        raise unknown_value(column, word, what, words)

    return translate


def unknown_value(
    column: str | None, word: str, what: str, known: Sequence[str] | Dict[str, str]
) -> UnknownValue:
    return UnknownValue(
        column,
        word,
        f"is not a known {what.replace('_', ' ')}",
        f"Add it to the values of the mapping, or correct the export. {name_nearest(word, known)}",
    )


def compile_condition(condition: Condition, places: Dict[str, int]) -> Callable[[Row], bool]:
    """Whether a row meets a condition of an event."""
    at = places.get(condition.column)
    one_of, none_of = frozenset(condition.is_one_of), frozenset(condition.is_none_of)

    def holds(row: Row) -> bool:
        value = None if at is None else row[at]
        if condition.is_filled is not None and (value is not None) != condition.is_filled:
            return False
        if one_of and value not in one_of:
            return False
        return not (none_of and value in none_of)

    return holds


def compile_dates(mapping: Mapping) -> Callable[[str | None, str | None], datetime]:
    """The function (column, text) -> naive UTC to the second; the formats are tried in the declared order.

    It raises Unusable for what no format reads, and for what is missing.
    """
    zone = mapping.time_zone
    readers = [_compile_pattern(pattern, zone, mapping) for pattern in mapping.dates]
    listed = ", ".join(mapping.dates)

    @cache
    def read_known(text: str) -> datetime | None:
        for reader in readers:
            try:
                found = reader(text)
            except (ValueError, OverflowError, Unusable):
                continue
            if found is not None:
                return found.replace(microsecond=0)
        return None

    def read(column: str | None, text: str | None) -> datetime:
        if text is None or not text.strip():
            raise Unusable(column, None, "is missing", "Every record needs it; check the export's settings.")
        if read_known.cache_info().currsize > 500_000:
            read_known.cache_clear()
        found = read_known(text.strip())
        if found is None:
            raise Unusable(
                column,
                text,
                "is not a possible time in any declared date format",
                f"The mapping declares {listed}; other nulls go to its null_markers.",
            )
        return check_years(column or "", text, found)

    return read


def _compile_pattern(pattern: str, zone: str | None, mapping: Mapping) -> Callable[[str], datetime | None]:
    if pattern == ISO:
        return lambda text: read_instant("", text)
    if pattern in (EPOCH_SECONDS, EPOCH_MILLISECONDS):
        per_second = 1 if pattern == EPOCH_SECONDS else 1000

        def read_epoch(text: str) -> datetime | None:
            if not re.fullmatch(r"\d{1,14}", text):
                return None
            return _EPOCH + timedelta(seconds=int(text) // per_second)

        return read_epoch
    months = dict(_ENGLISH_MONTHS) | dict(mapping.months)
    has_month_name = "%b" in pattern or "%B" in pattern
    bare = re.sub("%[bB]", "%m", pattern)
    century = mapping.century if "%y" in pattern else None

    def number_of(word: re.Match[str]) -> str:
        name = word[0].casefold()
        number = months.get(name) or months.get(name.rstrip("."))
        return word[0] if number is None else f"{number:02}"

    def read_wall(text: str) -> datetime | None:
        if has_month_name:
            text = _WORD.sub(number_of, text)
        if not text.isascii():
            return None
        found = datetime.strptime(text, bare)
        if century is not None:
            found = found.replace(year=century + found.year % 100)
        if found.tzinfo is not None:
            return found.astimezone(UTC).replace(tzinfo=None)
        assert zone is not None
        return localize(found, zone).replace(tzinfo=None)

    return read_wall


def read_text_id(column: str | None, text: str | None) -> str:
    """An id as text. Raises Unusable when it is missing or a spreadsheet has eaten its digits."""
    return read_identifier(column or "", text)
