"""The language of a document: its words, numbers, dates and plural forms. Words stand in a YAML file for each language.

Babel knows how a language writes numbers, dates and plurals; `figures` decides what a figure says. The language is that of the
customer's locale (`de-CH`, `fr`); a locale of any other language gives English.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from pipeline.errors import ConfigurationError
from pipeline.locales import find_locale
from pipeline.vocabulary import LANGUAGES
from pipeline.zones import find_zone

if TYPE_CHECKING:
    import babel

_FOLDER = Path(__file__).resolve().parent / "words"
# A language alone does not say how dates are written; American order and 12 hours would surprise most readers of English.
_LOCALES = {"en": "en_GB"}
_NARROW_SPACE, _NO_BREAK_SPACE = "\u202f", "\u00a0"
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_PART = re.compile(r"\{(pool|reason)\}")


@cache
def read_catalogue(code: str) -> Mapping[str, Any]:
    """The words of one of `LANGUAGES`, section by section. Do not change what it gives."""
    with (_FOLDER / f"{code}.yml").open(encoding="utf-8") as file:
        words: dict[str, Any] = yaml.CSafeLoader(file).get_single_data()
    return words


@cache
def read_page_words(code: str) -> Mapping[str, Any]:
    """The words of the dashboard's pages in one of `LANGUAGES`, section by section. Do not change what it gives."""
    with (_FOLDER / "pages" / f"{code}.yml").open(encoding="utf-8") as file:
        words: dict[str, Any] = yaml.CSafeLoader(file).get_single_data()
    return words


def find_language(locale: str | None) -> str:
    """The language of a locale such as `de-CH`; the first of `LANGUAGES` where there are no words for it."""
    code = (locale or "").replace("-", "_").partition("_")[0]
    return code if code in LANGUAGES else LANGUAGES[0]


def check_locale(locale: str) -> None:
    """Raises ConfigurationError for a locale for whose language there are no words."""
    if locale.replace("-", "_").partition("_")[0] not in LANGUAGES:
        raise ConfigurationError(
            f"The locale is {locale!r}; documents are written in {', '.join(LANGUAGES)}, such as de or fr-CH."
        )


class Language:
    """The words and forms of one document. `labels`: what reference/words.yml says for words of plans and calendars."""

    def __init__(self, locale: str | None = None, labels: Mapping[str, str] | None = None) -> None:
        self.code = find_language(locale)
        self._locale_name = (locale or "").replace("-", "_")
        self._labels = labels or {}
        # A list of tickets tells the same days many times, and Babel takes long for each.
        self._days: dict[date, str] = {}

    @property
    def _catalogue(self) -> Mapping[str, Any]:
        return read_catalogue(self.code)

    @cached_property
    def locale(self) -> babel.Locale:
        """The locale that numbers and dates are written for."""
        import babel

        if self._locale_name.partition("_")[0] == self.code and "_" in self._locale_name:
            try:
                return find_locale(self._locale_name)
            except (ValueError, babel.UnknownLocaleError):
                pass
        return find_locale(_LOCALES.get(self.code, self.code))

    def section(self, name: str) -> Mapping[str, str]:
        """All words of a section of the catalogue."""
        words: Mapping[str, str] = self._catalogue[name]
        return words

    @property
    def definitions(self) -> list[tuple[str, str]]:
        """Words of documents and what they mean."""
        return [(word, meaning) for word, meaning in self._catalogue["definitions"]]

    def say(self, key: str, section: str = "texts", **values: object) -> str:
        """A text with its values in place."""
        text: str = self._catalogue[section][key]
        return text.format(**values)

    def count(self, key: str, number: int, section: str = "texts", **values: object) -> str:
        """A text in the plural form of a number, which it names `{count}`."""
        forms: Mapping[str, str] = self._catalogue[section][key]
        form = self.locale.plural_form(number)
        return forms.get(form, forms["other"]).format(count=self.whole(number), **values)

    def word(self, word: str | None) -> str:
        """What a reader is told for a word of a plan or a calendar: 'first response' for first_response."""
        return "–" if word is None else self._labels.get(word, word.replace("_", " "))

    def status(self, status: str) -> str:
        return self.say(status, "statuses")

    def reason(self, code: str | None, label: str | None, could_be: str | None = None) -> str:
        """Why a status is what it is; `label` is the English sentence of the vocabulary."""
        reasons: Mapping[str, str] = self._catalogue.get("reasons", {})
        told = reasons.get(code or "") or label or self.word(code)
        return f"{told} ({self.say(could_be, 'could_be')})" if could_be else told

    def movement_reason(self, reason: str | None) -> str:
        """Why a line of the ledger was booked. A text that is not of the ledger's own words stands as it is."""
        if reason is None:
            return "–"
        for pattern, told in self._catalogue["movement_reasons"].items():
            found = _match(pattern, reason)
            if found is not None:
                parts = {
                    name: self.word(part) if name == "pool" else self.movement_reason(part)
                    for name, part in found.items()
                }
                return str(told).format(**parts)
        return reason

    def whole(self, number: int) -> str:
        """'12,345', '12.345', '12 345'."""
        from babel.numbers import format_decimal

        return _widen(format_decimal(number, locale=self.locale))

    def tenths(self, tenths: int) -> str:
        """A number of tenths with one decimal: '94.7', '94,7'."""
        from babel.numbers import get_decimal_symbol

        sign, tenths = ("−", -tenths) if tenths < 0 else ("", tenths)
        return f"{sign}{tenths // 10}{get_decimal_symbol(self.locale)}{tenths % 10}"

    def month(self, month: str) -> str:
        """'July 2026' from '2026-07', as it stands within a sentence."""
        return self._format_date(_first_day(month), "LLLL y")

    def short_month(self, month: str) -> str:
        """'Jul' from '2026-07'."""
        return self._format_date(_first_day(month), "LLL")

    def day(self, day: date | None) -> str:
        """'3 Jul 2026', '03.07.2026'."""
        if day is None:
            return "–"
        if day not in self._days:
            self._days[day] = self._format_date(day, "medium")
        return self._days[day]

    def day_of_month(self, day: date) -> str:
        """'3 July', '3. Juli', '3 juillet'."""
        told = self._format_date(day, {"de": "d. MMMM"}.get(self.code, "d MMMM"))
        return f"1er{told[1:]}" if self.code == "fr" and day.day == 1 else told

    def instant(self, moment: datetime | None, time_zone: str) -> str:
        """'3 Jul 2026, 16:05:09 +02:00' in a named zone, '… UTC' in UTC: no time stands without its zone."""
        if moment is None:
            return "–"
        local = moment.astimezone(find_zone(time_zone))
        return f"{self.day(local.date())}, {local:%H:%M:%S} {_name_offset(local, time_zone)}"

    def month_edge(self, moment: datetime, time_zone: str) -> str:
        """'1 April 00:00': where a month begins or ends, in its zone."""
        local = moment.astimezone(find_zone(time_zone))
        return f"{self.day_of_month(local.date())} {local:%H:%M}"

    def period(self, starts_at: datetime, ends_at: datetime, time_zone: str) -> str:
        """'1 April 00:00 to 1 May 00:00 UTC'."""
        start, end = (self.month_edge(edge, time_zone) for edge in (starts_at, ends_at))
        return self.say("period", start=start, end=end, zone=time_zone)

    def _format_date(self, day: date, pattern: str) -> str:
        from babel.dates import format_date

        return _widen(format_date(day, pattern, locale=self.locale))


class TerminalEnglish(Language):
    """English as the command line prints it, without Babel: days and instants as in ISO 8601."""

    def whole(self, number: int) -> str:
        return f"{number:,}"

    def tenths(self, tenths: int) -> str:
        sign, tenths = ("−", -tenths) if tenths < 0 else ("", tenths)
        return f"{sign}{tenths // 10}.{tenths % 10}"

    def month(self, month: str) -> str:
        return f"{_MONTHS[int(month[5:]) - 1]} {month[:4]}"

    def day(self, day: date | None) -> str:
        return "–" if day is None else day.isoformat()

    def instant(self, moment: datetime | None, time_zone: str) -> str:
        if moment is None:
            return "–"
        local = moment.astimezone(find_zone(time_zone))
        return f"{local:%Y-%m-%d %H:%M:%S} {_name_offset(local, time_zone)}"

    def count(self, key: str, number: int, section: str = "texts", **values: object) -> str:
        forms: Mapping[str, str] = self._catalogue[section][key]
        return forms["one" if number == 1 else "other"].format(count=self.whole(number), **values)


TERMINAL = TerminalEnglish()


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    pieces = _PART.split(pattern)
    return re.compile(
        "".join(f"(?P<{piece}>.+)" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces)),
        re.DOTALL,
    )


def _match(pattern: str, reason: str) -> dict[str, str] | None:
    if "{" not in pattern:
        return {} if pattern == reason else None
    found = _compile(pattern).fullmatch(reason)
    return found.groupdict() if found else None


def _name_offset(local: datetime, time_zone: str) -> str:
    offset = local.isoformat()[19:]
    return "UTC" if offset == "+00:00" and time_zone == "UTC" else offset


def _widen(text: str) -> str:
    return text.replace(_NARROW_SPACE, _NO_BREAK_SPACE)


def _first_day(month: str) -> date:
    return date(int(month[:4]), int(month[5:]), 1)
