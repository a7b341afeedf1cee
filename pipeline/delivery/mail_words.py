"""The words of a message in the languages that customers' locales ask for: English, German, French; English for any other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pipeline.locales import find_locale
from pipeline.reporting import figures
from pipeline.reporting.published import Ratio

# Word -> its text by language. What stands in braces is filled in.
_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "subject": "SLA report {month}: {customer}",
        "correction": "Correction {number} of {corrects}",
        "report": "Report {report}",
        "customer": "Customer: {customer}, all tickets",
        "period": "Period: {first}, 00:00, to {last}, 00:00 ({zone})",
        "as_of": "Data known until: {as_of}",
        "submitted": "Tickets submitted in this month: {count}",
        "compliance": "Promises met: {rate}",
        "breached": "Breached: {count}",
        "waived": "Waived: {count}",
        "undecided": "Not measurable: {count}",
        "running": "Still running: {count}",
        "attached": "Attached: {pdf} (the report, with its rows as CSV inside) and {xlsx} (the same rows).",
        "of": "{met} of {counted}",
        "parts": "{met} met, {breached} breached, {undecided} undecided",
        "beside": "{known}; {bounds} with {undecided} undecided",
        "to": "to",
        "nothing": "n/a",
    },
    "de": {
        "subject": "SLA-Bericht {month}: {customer}",
        "correction": "Korrektur {number} zu {corrects}",
        "report": "Bericht {report}",
        "customer": "Kunde: {customer}, alle Tickets",
        "period": "Zeitraum: {first}, 00:00 Uhr, bis {last}, 00:00 Uhr ({zone})",
        "as_of": "Datenstand: {as_of}",
        "submitted": "In diesem Monat eingegangene Tickets: {count}",
        "compliance": "Eingehaltene Zusagen: {rate}",
        "breached": "Verletzt: {count}",
        "waived": "Ausgenommen: {count}",
        "undecided": "Nicht messbar: {count}",
        "running": "Noch offen: {count}",
        "attached": "Anlagen: {pdf} (der Bericht mit seinen Zeilen als CSV) und {xlsx} (dieselben Zeilen).",
        "of": "{met} von {counted}",
        "parts": "{met} eingehalten, {breached} verletzt, {undecided} offen geblieben",
        "beside": "{known}; {bounds}, {undecided} nicht entscheidbar",
        "to": "bis",
        "nothing": "k. A.",
    },
    "fr": {
        "subject": "Rapport SLA {month} : {customer}",
        "correction": "Correction {number} de {corrects}",
        "report": "Rapport {report}",
        "customer": "Client : {customer}, tous les tickets",
        "period": "Période : du {first}, 00:00, au {last}, 00:00 ({zone})",
        "as_of": "Données connues jusqu’au : {as_of}",
        "submitted": "Tickets soumis dans le mois : {count}",
        "compliance": "Engagements tenus : {rate}",
        "breached": "Non tenus : {count}",
        "waived": "Exemptés : {count}",
        "undecided": "Non mesurables : {count}",
        "running": "En cours : {count}",
        "attached": "Pièces jointes : {pdf} (le rapport, avec ses lignes en CSV) et {xlsx} (les mêmes lignes).",
        "of": "{met} sur {counted}",
        "parts": "{met} tenus, {breached} non tenus, {undecided} indécidables",
        "beside": "{known} ; {bounds}, {undecided} indécidables",
        "to": "à",
        "nothing": "s. o.",
    },
}
LANGUAGES = tuple(_WORDS)


@dataclass(frozen=True)
class Language:
    """How one customer reads words, numbers and dates. `locale` is one that Babel knows."""

    locale: str
    words: Mapping[str, str]

    def say(self, word: str, **values: object) -> str:
        return self.words[word].format(**values)

    def number(self, value: int) -> str:
        from babel.numbers import format_decimal

        return format_decimal(value, locale=find_locale(self.locale))

    def month(self, month: str) -> str:
        from babel.dates import format_skeleton

        return format_skeleton("yMMMM", date.fromisoformat(f"{month}-01"), locale=find_locale(self.locale))

    def day(self, day: date) -> str:
        from babel.dates import format_date

        return format_date(day, "long", locale=find_locale(self.locale))

    def rate(self, ratio: Ratio) -> str:
        """A rate with its parts, as `figures.percent` rounds it: '94,7 % (18 von 19)'."""
        if ratio.has_only_bounds:
            parts = self.say(
                "parts",
                met=self.number(ratio.numerator),
                breached=self.number(ratio.denominator - ratio.numerator),
                undecided=self.number(ratio.undecided),
            )
            return f"{self._localize(figures.percent_alone(ratio))} ({parts})"
        known = self.say("of", met=self.number(ratio.numerator), counted=self.number(ratio.denominator))
        bounds = figures.say_bounds(ratio)
        if bounds is not None:
            known = self.say(
                "beside",
                known=known,
                bounds=self._localize(bounds),
                undecided=self.number(ratio.undecided),
            )
        return f"{self._localize(figures.percent_alone(ratio))} ({known})"

    def _localize(self, percentages: str) -> str:
        """What `figures` prints of a rate, in this language: the digits stay those that it rounded to."""
        if percentages == "n/a":
            return self.words["nothing"]
        first, to, last = percentages.partition(" to ")
        return self._percent(first) + (f" {self.words['to']} {self._percent(last)}" if to else "")

    def _percent(self, text: str) -> str:
        from babel.numbers import format_decimal

        [digits] = re.findall(r"[0-9.]+", text)
        places = len(digits.partition(".")[2])
        return (
            format_decimal(
                Decimal(digits), "0." + "0" * places if places else "0", locale=find_locale(self.locale)
            )
            + "\u00a0%"
        )


def find_language(locale: str | None) -> Language:
    """The language of a customer's locale, such as de or fr-CA; English where there is none, or none of ours."""
    from babel import UnknownLocaleError

    name = (locale or "en").replace("-", "_")
    language = name.partition("_")[0]
    if language not in _WORDS:
        name = language = "en"
    try:
        find_locale(name)
    except (UnknownLocaleError, ValueError):
        name = language
    return Language(name, _WORDS[language])
