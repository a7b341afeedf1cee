"""Draws and covered days: what counts as history, and from when on."""

from __future__ import annotations

from pipeline.forecasting.count_model import Quarter
from pipeline.forecasting.draw_history import (
    DAY_SECONDS,
    CoveredSpan,
    DayDraws,
    Drawer,
    DrawHistory,
    KnownSpan,
)

ACME = Drawer("acme", "gold", "regular")


def history(
    *draws: tuple[int, int],
    terms: tuple[tuple[int, int], ...] = ((0, 1000),),
    known: tuple[int | None, int] = (0, 1000),
) -> DrawHistory:
    """ACME's draws as (day, draws), its terms and what is known as (first day, day after the last)."""
    starts, ends = known
    return DrawHistory(
        KnownSpan(None if starts is None else starts * DAY_SECONDS, ends * DAY_SECONDS),
        [DayDraws(*ACME, day, count) for day, count in draws],
        [CoveredSpan(*ACME, first * DAY_SECONDS, last * DAY_SECONDS) for first, last in terms],
    )


def test_draws_of_a_span_count_its_first_day_and_not_the_one_after() -> None:
    found = history((99, 1), (100, 2), (109, 4), (110, 8))
    assert found.count_draws(ACME, 100, 110) == 2 + 4


def test_quarters_look_back_a_year_and_no_further() -> None:
    found = history((400 - 365, 64), (400 - 364, 8), (400 - 1, 1), (400, 32))
    assert found.quarters_before(ACME, 400) == [
        Quarter(1, 91.0), Quarter(0, 91.0), Quarter(0, 91.0), Quarter(8, 91.0),
    ]  # fmt: skip


def test_days_before_the_first_ticket_of_all_are_no_history() -> None:
    assert history(known=(60, 1000)).count_covered_days(ACME, 50, 100) == 40


def test_days_after_as_of_are_no_history() -> None:
    assert history(known=(0, 70)).count_covered_days(ACME, 50, 100) == 20


def test_days_between_two_terms_are_no_history() -> None:
    assert history(terms=((0, 60), (80, 1000))).count_covered_days(ACME, 50, 100) == 10 + 20


def test_days_of_two_terms_at_once_count_once() -> None:
    assert history(terms=((0, 90), (60, 1000), (70, 80))).count_covered_days(ACME, 50, 100) == 50


def test_without_any_ticket_there_is_no_history() -> None:
    found = history(known=(None, 1000))
    assert found.drawers == []
    assert found.fit("gold", "regular", 400) is None
