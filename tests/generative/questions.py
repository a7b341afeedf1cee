"""Random calendars and questions for Hypothesis, biased to where clocks go wrong: DST nights, midnights, touching hours."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from pipeline.calendars.clock import answer_questions

WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Havana",  # DST begins at midnight
    "Africa/Casablanca",  # DST ends for Ramadan
    "Pacific/Chatham",
    "America/St_Johns",
    "Africa/Cairo",
]
# Days near which spans lie, and the zone in which something happens then.
ANCHORS = {
    date(2026, 3, 29): "Europe/Berlin",
    date(2026, 10, 25): "Europe/Berlin",
    date(2026, 3, 8): "America/Havana",
    date(2026, 11, 1): "America/New_York",
    date(2026, 4, 5): "Australia/Lord_Howe",
    date(2026, 10, 4): "Australia/Lord_Howe",
    date(2011, 12, 30): "Pacific/Apia",  # a date that Apia skipped
    date(2026, 2, 15): "Africa/Casablanca",
    date(2026, 4, 24): "Africa/Cairo",
    date(2026, 12, 31): "Asia/Kolkata",
    date(2028, 2, 29): "UTC",
}
PUBLIC = [{"country": "DE", "subdivision": "BE"}, {"country": "US"}, {"country": "IN", "years": [2026]}]
HALF_WIDTH_DAYS = 6
DAY_MINUTES = 1440


def format_instant(epoch: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=epoch)).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_instant(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def _write_hours(edges: Sequence[int]) -> list[str]:
    return [
        f"{s // 60:02}:{s % 60:02}-{e // 60:02}:{e % 60:02}"
        for s, e in zip(edges[::2], edges[1::2], strict=False)
    ]


# Minutes of a day: mostly on the quarter, often around the hours at which clocks change.
_MINUTES = st.one_of(
    st.integers(0, 95).map(lambda quarter: quarter * 15),
    st.sampled_from([0, 30, 60, 105, 120, 135, 150, 180, 195, 240, 540, 1020, 1410]),
    st.integers(0, DAY_MINUTES - 1),
)
DAY_HOURS = st.lists(_MINUTES, max_size=4, unique=True).map(lambda edges: _write_hours(sorted(edges)))


@st.composite
def _weeks(draw: st.DrawFn) -> dict[str, list[str]]:
    """Disjoint hours of a week; a shift may cross midnight, a day may be whole."""
    week: dict[str, list[str]] = {}
    kind = draw(st.sampled_from(["same", "each", "nights", "whole"]))
    if kind == "nights":
        # From one day's evening to the next day's morning; on some days 24 hours.
        turn = draw(_MINUTES)
        length = draw(st.integers(1, DAY_MINUTES))
        end = (turn + length) % DAY_MINUTES
        return {
            day: _write_hours([turn, end]) for day in draw(st.sets(st.sampled_from(WEEKDAYS), min_size=1))
        }
    same = draw(DAY_HOURS)
    for day in WEEKDAYS:
        if kind == "whole":
            week[day] = draw(st.sampled_from([["00:00-24:00"], [], ["08:00-24:00"], ["00:00-00:00"]]))
        else:
            week[day] = same if kind == "same" else draw(DAY_HOURS)
    return week


@st.composite
def versions(draw: st.DrawFn, anchor: date) -> dict[str, Any]:
    days = st.integers(-HALF_WIDTH_DAYS, HALF_WIDTH_DAYS).map(
        lambda shift: (anchor + timedelta(days=shift)).isoformat()
    )
    holidays: list[Any] = draw(st.lists(days, max_size=2, unique=True))
    if draw(st.integers(0, 3)) == 0:
        holidays = [*holidays, draw(st.sampled_from(PUBLIC))]
    special = {
        "holidays": holidays,
        # One overridden date at most: two next to each other may overlap over midnight, which is refused.
        "overrides": draw(st.dictionaries(days, DAY_HOURS, max_size=1)),
        "breaks": draw(st.dictionaries(days, DAY_HOURS, max_size=2)),
    }
    version = {
        "time_zone": draw(st.one_of(st.just(ANCHORS[anchor]), st.sampled_from(ZONES))),
        "weekly": draw(_weeks()),
    }
    return version | {key: value for key, value in special.items() if value}


@st.composite
def calendars(draw: st.DrawFn, anchor: date) -> dict[str, Any]:
    if draw(st.integers(0, 3)):
        return draw(versions(anchor))
    first, second = draw(versions(anchor)), draw(versions(anchor))
    if draw(st.booleans()):
        second["valid_from"] = anchor.isoformat()
    else:
        seconds = draw(st.integers(-2 * 86_400, 2 * 86_400))
        second["valid_from"] = format_instant(_epoch(anchor) + seconds)
    if draw(st.booleans()):
        first["valid_from"] = (anchor - timedelta(days=5)).isoformat()
    return {"versions": [first, second]}


def instants(anchor: date) -> st.SearchStrategy[int]:
    width = HALF_WIDTH_DAYS * 86_400
    coarse = st.integers(-width // 900, width // 900).map(lambda quarter: _epoch(anchor) + quarter * 900)
    return st.one_of(
        coarse,
        coarse.flatmap(lambda at: st.sampled_from([at - 1, at + 1])),
        st.integers(-width, width).map(lambda s: _epoch(anchor) + s),
    )


@st.composite
def pause_lists(draw: st.DrawFn, anchor: date, with_endless: bool) -> list[list[int | None]]:
    """Pauses may overlap, nest, touch, be empty, and lie partly or wholly outside the span."""
    pauses: list[list[int | None]] = [
        sorted(pause) for pause in draw(st.lists(st.tuples(instants(anchor), instants(anchor)), max_size=3))
    ]
    if with_endless and pauses and draw(st.integers(0, 9)) == 0:
        pauses[-1][1] = None
    return pauses


@st.composite
def questions(draw: st.DrawFn, anchor: date) -> dict[str, Any]:
    """One question, with instants as epoch seconds."""
    operation = draw(st.sampled_from(["elapsed", "elapsed", "due", "due", "is_open"]))
    if operation == "is_open":
        return {"op": operation, "at": draw(instants(anchor))}
    pauses = draw(pause_lists(anchor, with_endless=True))
    if operation == "elapsed":
        start, end = sorted([draw(instants(anchor)), draw(instants(anchor))])
        return {"op": operation, "start": start, "end": end, "pauses": pauses}
    seconds = draw(st.one_of(st.sampled_from([0, 1, 3600, 8 * 3600, 86_400]), st.integers(0, 200_000)))
    return {"op": operation, "start": draw(instants(anchor)), "seconds": seconds, "pauses": pauses}


@st.composite
def cases(
    draw: st.DrawFn, anchor: date, questions_per_calendar: int = 4
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A calendar with something special near a day, and questions near it."""
    asked = draw(st.lists(questions(anchor), min_size=1, max_size=questions_per_calendar))
    return draw(calendars(anchor)), asked


def ask(
    folder: Path, calendar_by_name: dict[str, Any], asked: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The answers of the product: through the calendar file, the NDJSON and the SQL macros."""
    file = folder / "calendars.yml"
    # JSON is YAML, and quicker to write.
    file.write_text(json.dumps({"calendars": calendar_by_name}), encoding="utf-8")
    lines = []
    for number, question in enumerate(asked):
        written = {
            key: format_instant(value) if key in ("start", "end", "at") else value
            for key, value in question.items()
        }
        if "pauses" in question:
            written["pauses"] = [
                [None if e is None else format_instant(e) for e in pause] for pause in question["pauses"]
            ]
        lines.append(json.dumps({"id": number, **written}))
    out = io.StringIO()
    answer_questions(io.StringIO("\n".join(lines)), file, out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def _epoch(day: date) -> int:
    return (day - date(1970, 1, 1)).days * 86_400
