"""What must hold of business time whatever the calendar: laws, checked through the calendar file, the NDJSON and the SQL macros.

A law is a generator: it yields the questions that it needs and gets their answers back, so that one run of the product serves
the questions of all laws and of many calendars.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.generative.questions import (
    ANCHORS,
    DAY_HOURS,
    WEEKDAYS,
    ask,
    format_instant,
    instants,
    parse_instant,
    versions,
)

CALENDARS_PER_DRAW = 20
EXAMPLES = 2_000
LONG_EXAMPLES = 50_000
WEEK_SECONDS = 7 * 86_400
# Zones that keep one offset in the years of the anchors.
STEADY_ZONES = ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/Phoenix"]

Question = dict[str, Any]
Law = Generator[list[tuple[Any, Question]], list[Any], None]


@dataclass(frozen=True)
class Case:
    """A calendar that is edited at the second of four instants, something special near a day, and the instants in order."""

    anchor: date
    version: dict[str, Any]
    other_version: dict[str, Any]
    calendar: dict[str, Any]
    instants: tuple[int, int, int, int]
    pause: tuple[int, int]
    weeks: int
    steady_zone: str
    day_hours: list[str]


def elapsed(calendar: Any, start: int, end: int, *pauses: tuple[int, int]) -> tuple[Any, Question]:
    return calendar, {
        "op": "elapsed",
        "start": start,
        "end": end,
        "pauses": [list(pause) for pause in pauses],
    }


def due(calendar: Any, start: int, seconds: int, *pauses: tuple[int, int]) -> tuple[Any, Question]:
    return calendar, {
        "op": "due",
        "start": start,
        "seconds": seconds,
        "pauses": [list(pause) for pause in pauses],
    }


def spans_add_up(case: Case) -> Law:
    a, b, c, _ = case.instants
    first, second, whole = yield [
        elapsed(case.calendar, *span, case.pause) for span in ((a, b), (b, c), (a, c))
    ]
    assert first + second == whole


def a_longer_span_never_counts_less(case: Case) -> Law:
    a, b, c, _ = case.instants
    shorter, longer = yield [elapsed(case.calendar, a, b), elapsed(case.calendar, a, c)]
    assert 0 <= shorter <= longer <= c - a


def always_counts_wall_seconds(case: Case) -> Law:
    a, b, _, _ = case.instants
    seconds, at = yield [elapsed("always", a, b), due("always", a, b - a)]
    assert (seconds, at) == (b - a, b)


def an_empty_span_counts_nothing(case: Case) -> Law:
    (seconds,) = yield [elapsed(case.calendar, case.instants[0], case.instants[0])]
    assert seconds == 0


def whole_weeks_change_nothing_without_special_dates_and_dst(case: Case) -> Law:
    a, b, _, _ = case.instants
    plain = {"time_zone": case.steady_zone, "weekly": case.version["weekly"]}
    shift = case.weeks * WEEK_SECONDS
    here, there = yield [elapsed(plain, a, b), elapsed(plain, a + shift, b + shift)]
    assert here == there


def a_further_holiday_never_counts_more(case: Case) -> Law:
    a, _, _, d = case.instants
    more = copy.deepcopy(case.version)
    more["holidays"] = [*more.get("holidays", []), case.anchor.isoformat()]
    without, with_it = yield [elapsed(case.version, a, d), elapsed(more, a, d)]
    assert with_it <= without


def further_hours_never_count_less(case: Case) -> Law:
    a, _, _, d = case.instants
    fewer = copy.deepcopy(case.version)
    weekday = WEEKDAYS[case.weeks % 7]
    fewer["weekly"][weekday] = fewer["weekly"].get(weekday, [])[1:]
    narrow, wide = yield [elapsed(fewer, a, d), elapsed(case.version, a, d)]
    assert narrow <= wide


def due_is_the_earliest_instant_with_the_seconds(case: Case) -> Law:
    a, b, _, _ = case.instants
    (seconds,) = yield [elapsed(case.calendar, a, b, case.pause)]
    (at,) = yield [due(case.calendar, a, seconds, case.pause)]
    assert a <= at <= b
    counted, before = yield [
        elapsed(case.calendar, a, at, case.pause),
        elapsed(case.calendar, a, max(a, at - 1), case.pause),
    ]
    assert counted == seconds
    assert before < seconds or at == a


def splitting_a_pause_changes_nothing(case: Case) -> Law:
    a, _, _, d = case.instants
    start, end = case.pause
    middle = (start + end) // 2
    whole, split, turned = yield [
        elapsed(case.calendar, a, d, (start, end)),
        elapsed(case.calendar, a, d, (start, middle), (middle, end)),
        elapsed(case.calendar, a, d, (middle, end), (start, end), (start, middle)),
    ]
    assert whole == split == turned


def counted_and_paused_make_the_open_seconds(case: Case) -> Law:
    a, b, c, d = case.instants
    counted, paused, both = yield [
        elapsed(case.calendar, a, d, (b, c)),
        elapsed(case.calendar, b, c),
        elapsed(case.calendar, a, d),
    ]
    assert counted + paused == both


def a_hold_moves_due_by_its_open_seconds(case: Case) -> Law:
    a, b, c, d = case.instants
    target, until_hold, held = yield [
        elapsed(case.calendar, a, d, (b, c)),
        elapsed(case.calendar, a, b),
        elapsed(case.calendar, b, c),
    ]
    with_hold, moved = yield [
        due(case.calendar, a, target, (b, c)),
        due(case.calendar, a, target + (held if until_hold < target else 0)),
    ]
    assert with_hold == moved


def open_and_closed_hours_make_wall_time(case: Case) -> Law:
    a, _, _, d = case.instants
    week = case.day_hours
    zone = case.steady_zone
    opened, closed = yield [
        elapsed({"time_zone": zone, "weekly": dict.fromkeys(WEEKDAYS, week)}, a, d),
        elapsed({"time_zone": zone, "weekly": dict.fromkeys(WEEKDAYS, complement(week))}, a, d),
    ]
    assert opened + closed == d - a


def an_edited_calendar_splits_at_its_instant(case: Case) -> Law:
    a, b, c, _ = case.instants
    whole, old_part, new_part = yield [
        elapsed(case.calendar, a, c),
        elapsed(case.version, a, b),
        elapsed(case.other_version, b, c),
    ]
    assert whole == old_part + new_part


def open_seconds_are_those_that_is_open_names(case: Case) -> Law:
    """is_open says of single seconds what elapsed says of spans."""
    a, *_ = case.instants
    opened, second = yield [(case.calendar, {"op": "is_open", "at": a}), elapsed(case.calendar, a, a + 1)]
    assert int(opened) == second


LAWS: list[Callable[[Case], Law]] = [
    spans_add_up,
    a_longer_span_never_counts_less,
    always_counts_wall_seconds,
    an_empty_span_counts_nothing,
    whole_weeks_change_nothing_without_special_dates_and_dst,
    a_further_holiday_never_counts_more,
    further_hours_never_count_less,
    due_is_the_earliest_instant_with_the_seconds,
    splitting_a_pause_changes_nothing,
    counted_and_paused_make_the_open_seconds,
    a_hold_moves_due_by_its_open_seconds,
    open_and_closed_hours_make_wall_time,
    an_edited_calendar_splits_at_its_instant,
    open_seconds_are_those_that_is_open_names,
]


def complement(hours: list[str]) -> list[str]:
    """The hours of a day that `hours` (sorted, within the day) leave."""
    edges = ["00:00", *(edge for interval in hours for edge in interval.split("-")), "24:00"]
    return [f"{start}-{end}" for start, end in zip(edges[::2], edges[1::2], strict=True) if start != end]


@st.composite
def law_cases(draw: st.DrawFn, anchor: date) -> Case:
    near = instants(anchor)
    a, b, c, d = sorted(draw(st.tuples(near, near, near, near)))
    start, end = sorted(draw(st.tuples(near, near)))
    version, other_version = draw(versions(anchor)), draw(versions(anchor))
    return Case(
        anchor=anchor,
        version=version,
        other_version=other_version,
        calendar={"versions": [version, {**other_version, "valid_from": format_instant(b)}]},
        instants=(a, b, c, d),
        pause=(start, end),
        weeks=draw(st.integers(1, 60)),
        steady_zone=draw(st.sampled_from(STEADY_ZONES)),
        day_hours=draw(DAY_HOURS),
    )


def check_laws(cases: list[Case], folder: Path) -> None:
    running = [(law(case), None) for case in cases for law in LAWS]
    while running:
        waiting, asked, names = [], [], {}
        for law, answers in running:
            try:
                wanted = law.send(answers)
            except StopIteration:
                continue
            for calendar, question in wanted:
                name = (
                    calendar
                    if isinstance(calendar, str)
                    else names.setdefault(id(calendar), (f"c{len(names)}", calendar))[0]
                )
                asked.append({"calendar": name, **question})
            waiting.append((law, len(wanted)))
        replies = iter(ask(folder, dict(names.values()), asked)) if asked else iter(())
        running = [(law, [_value(next(replies)) for _ in range(count)]) for law, count in waiting]


def _value(answer: dict[str, Any]) -> Any:
    assert "error" not in answer, answer
    return parse_instant(answer["at"]) if "at" in answer else answer.get("seconds", answer.get("open"))


_DRAWS = st.sampled_from(sorted(ANCHORS)).flatmap(
    lambda anchor: st.lists(law_cases(anchor), min_size=CALENDARS_PER_DRAW, max_size=CALENDARS_PER_DRAW)
)
_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("laws")


@settings(
    max_examples=EXAMPLES // CALENDARS_PER_DRAW, deadline=None, suppress_health_check=_QUIET, database=None
)
@given(drawn=_DRAWS)
def test_clock_obeys_the_laws_of_business_time(folder: Path, drawn: list[Case]) -> None:
    check_laws(drawn, folder)


@pytest.mark.long
@settings(
    max_examples=LONG_EXAMPLES // CALENDARS_PER_DRAW,
    deadline=None,
    suppress_health_check=_QUIET,
    database=None,
)
@given(drawn=_DRAWS)
def test_clock_obeys_the_laws_of_business_time_over_many_examples(folder: Path, drawn: list[Case]) -> None:
    check_laws(drawn, folder)
