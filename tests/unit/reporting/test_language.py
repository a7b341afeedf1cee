from __future__ import annotations

import csv
import re
import string
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from pipeline.reporting import figures, glyphs
from pipeline.reporting.language import TERMINAL, Language, find_language, read_catalogue
from pipeline.reporting.published import Bounds, Ratio
from pipeline.settings import DBT_PROJECT
from pipeline.vocabulary import LANGUAGES, SLA_STATUSES

OTHERS = [code for code in LANGUAGES if code != "en"]
# Its English sentences stand in the vocabulary itself.
ONLY_TRANSLATED = "reasons"


def list_leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from list_leaves(one, f"{path}.{key}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from list_leaves(one, f"{path}.{number}")
    else:
        yield path, value


def list_fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("code", OTHERS)
def test_no_text_lacks_a_translation(code: str) -> None:
    english = dict(list_leaves(read_catalogue("en")))
    other = {
        path: text
        for path, text in list_leaves(read_catalogue(code))
        if not path.startswith(f".{ONLY_TRANSLATED}.")
    }
    assert other.keys() == english.keys()
    assert all(isinstance(text, str) and text.strip() for text in other.values())


@pytest.mark.parametrize("code", OTHERS)
def test_translations_have_the_places_of_the_english_text(code: str) -> None:
    english = dict(list_leaves(read_catalogue("en")))
    for path, text in list_leaves(read_catalogue(code)):
        if not path.startswith(f".{ONLY_TRANSLATED}."):
            assert list_fields(text) == list_fields(english[path]), (code, path)


@pytest.mark.parametrize("code", OTHERS)
def test_every_reason_of_a_verdict_is_translated(code: str) -> None:
    with (DBT_PROJECT / "seeds" / "sla_status_reasons.csv").open(encoding="utf-8", newline="") as lines:
        reasons = [row["status_reason"] for row in csv.DictReader(lines)]
    assert list(read_catalogue(code)[ONLY_TRANSLATED]) == reasons


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_status_has_a_word(code: str) -> None:
    assert set(read_catalogue(code)["statuses"]) == set(SLA_STATUSES)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_word_can_be_printed_in_the_face_that_is_always_there(code: str) -> None:
    for path, text in list_leaves(read_catalogue(code)):
        assert {glyphs.find_face(letter) for letter in text} <= {glyphs.MAIN_FACE}, path


def list_ledger_reasons() -> list[str]:
    """What the ledger's models write as a reason, with a part of it where they add one."""
    folder = DBT_PROJECT / "models" / "intermediate" / "entitlements"
    files = [*folder.glob("*.sql"), DBT_PROJECT / "macros" / "ledger" / "settle_pools.sql"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    text = re.sub(r"--.*", "", text)
    found = re.findall(
        r"'([a-z][a-z:-]*(?: [a-z:-]+)* ?)'(?= as reason|,?\n| \|\||,$| end| when| else)", text
    )
    return sorted({phrase for phrase in found if " " in phrase})


def test_every_reason_of_the_ledger_has_words() -> None:
    reasons = list_ledger_reasons()
    assert {"ticket submitted", "bug confirmed", "pack purchased", "settled by: ", "taken here from "} <= set(
        reasons
    )
    known = read_catalogue("en")["movement_reasons"]
    starts = [pattern.partition("{")[0] for pattern in known]
    missing = [reason for reason in reasons if reason not in starts]
    assert missing == []


@pytest.mark.parametrize(
    ("locale", "code"),
    [
        ("de", "de"),
        ("de-CH", "de"),
        ("fr_CA", "fr"),
        ("en-US", "en"),
        ("sv", "en"),
        ("", "en"),
        (None, "en"),
        ("den", "en"),
    ],
)
def test_language_is_that_of_the_locale_or_english(locale: str | None, code: str) -> None:
    assert find_language(locale) == code


@pytest.mark.parametrize(
    ("locale", "number", "rate", "day", "instant"),
    [
        ("en", "1,234,567", "94.7 %", "3 Jul 2026", "3 Jul 2026, 18:05:09 +02:00"),
        ("en-US", "1,234,567", "94.7 %", "Jul 3, 2026", "Jul 3, 2026, 18:05:09 +02:00"),
        ("de", "1.234.567", "94,7 %", "03.07.2026", "03.07.2026, 18:05:09 +02:00"),
        ("de-CH", "1’234’567", "94.7 %", "03.07.2026", "03.07.2026, 18:05:09 +02:00"),
        ("fr", "1\u00a0234\u00a0567", "94,7 %", "3 juil. 2026", "3 juil. 2026, 18:05:09 +02:00"),
    ],
)
def test_numbers_and_dates_are_written_as_the_locale_writes_them(
    locale: str, number: str, rate: str, day: str, instant: str
) -> None:
    language = Language(locale)
    assert language.whole(1_234_567) == number
    assert figures.percent_alone(Ratio(18, 19), language) == rate
    assert language.day(date(2026, 7, 3)) == day
    assert language.instant(datetime(2026, 7, 3, 16, 5, 9, tzinfo=UTC), "Europe/Berlin") == instant


@pytest.mark.parametrize(
    ("locale", "none", "one", "two"),
    [
        ("en", "0 tickets submitted", "1 ticket submitted", "2 tickets submitted"),
        ("de", "0 Tickets eingereicht", "1 Ticket eingereicht", "2 Tickets eingereicht"),
        # In French, none is singular.
        ("fr", "0 ticket déposé", "1 ticket déposé", "2 tickets déposés"),
    ],
)
def test_plural_forms_are_those_of_the_language(locale: str, none: str, one: str, two: str) -> None:
    language = Language(locale)
    assert [language.count("tickets_submitted", number) for number in (0, 1, 2)] == [none, one, two]


def test_a_rate_says_the_same_in_every_language() -> None:
    wide = Ratio(9454, 9454, Bounds(9454, 13878, 13878))
    assert figures.percent(wide) == "68.1 % to 100 % (9,454 met, 0 breached, 4,424 undecided)"
    assert figures.percent(wide, Language("de")) == (
        "68,1 % bis 100 % (9.454 erfüllt, 0 verletzt, 4.424 unentschieden)"
    )
    assert figures.percent(Ratio(0, 0), Language("fr")) == "n. d. (0 sur 0)"
    assert figures.signed_points(Ratio(1, 2), Ratio(1, 3), Language("de")) == "+16,7"


def test_the_terminal_and_an_english_document_say_the_same_of_a_rate() -> None:
    for ratio in (
        Ratio(18, 19),
        Ratio(0, 0),
        Ratio(980, 990, Bounds(980, 990, 1000)),
        Ratio(5, 5, Bounds(5, 8, 8)),
    ):
        assert figures.percent(ratio, TERMINAL) == figures.percent(ratio, Language("en"))


@pytest.mark.parametrize(
    ("reason", "german"),
    [
        ("ticket submitted", "Ticket eingereicht"),
        ("taken here from level_5", "hier entnommen für Stufe fünf"),
        (
            "settled by: merged into another ticket",
            "ausgeglichen durch: mit einem anderen Ticket zusammengelegt",
        ),
        ("waived: own words {of} Ann", "Ausnahme: own words {of} Ann"),
        ("something new", "something new"),
    ],
)
def test_reasons_of_the_ledger_are_told_with_the_words_of_the_vendor(reason: str, german: str) -> None:
    assert Language("de", {"level_5": "Stufe fünf"}).movement_reason(reason) == german
