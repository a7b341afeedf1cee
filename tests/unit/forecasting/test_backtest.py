"""The backtest: which quarters it judges, what it may know, what it counts."""

from __future__ import annotations

from datetime import date

import pytest

from pipeline.forecasting.backtest import Backtest, backtest
from pipeline.forecasting.draw_history import (
    DAY_SECONDS,
    CoveredSpan,
    DayDraws,
    Drawer,
    DrawHistory,
    KnownSpan,
)


def day_of(year: int, month: int, day: int) -> int:
    return (date(year, month, day) - date(1970, 1, 1)).days


STARTS, ENDS = day_of(2025, 1, 1), day_of(2025, 10, 1)
# Known from 8 January on, only the last quarter has twelve weeks before it.
LATE = (STARTS + 7, ENDS)


def judge(
    *extra: tuple[str, int, int],
    every_days: int = 9,
    known: tuple[int, int] = (STARTS, ENDS),
    terms: dict[str, tuple[int, int]] | None = None,
) -> Backtest:
    """Six customers with a draw every `every_days` days of 2025; `extra` are (customer, day, draws)."""
    spans = dict.fromkeys("abcdef", (STARTS, ENDS)) | (terms or {})
    draws = {
        (customer, day): 1
        for customer, (first, last) in spans.items()
        for day in range(first, last, every_days)
    }
    for customer, day, count in extra:
        draws[customer, day] = draws.get((customer, day), 0) + count
    return backtest(
        DrawHistory(
            KnownSpan(known[0] * DAY_SECONDS, known[1] * DAY_SECONDS - 20),
            [
                DayDraws(customer, "gold", "regular", day, count)
                for (customer, day), count in sorted(draws.items())
            ],
            [
                CoveredSpan(*Drawer(customer, "gold", "regular"), first * DAY_SECONDS, last * DAY_SECONDS)
                for customer, (first, last) in spans.items()
            ],
        )
    )


def quarters(result: Backtest) -> set[str]:
    return {row.quarter for row in result.quarters}


def test_first_quarter_needs_twelve_weeks_of_data_before_it() -> None:
    # From 7 January there are 25 + 28 + 31 = 84 days to 1 April.
    assert quarters(judge(known=(day_of(2025, 1, 7), ENDS))) == {"2025-Q2", "2025-Q3"}
    assert quarters(judge(known=(day_of(2025, 1, 8), ENDS))) == {"2025-Q3"}


@pytest.mark.parametrize(("ends", "found"), [(ENDS - 1, {"2025-Q2"}), (ENDS, {"2025-Q2", "2025-Q3"})])
def test_quarter_is_over_when_its_last_day_is_known(ends: int, found: set[str]) -> None:
    assert quarters(judge(known=(STARTS, ends))) == found


def test_customer_counts_who_is_on_the_plan_from_first_to_last_day() -> None:
    first, last = day_of(2025, 7, 1), day_of(2025, 10, 1)
    result = judge(known=LATE, terms={"a": (first, last), "b": (first + 2, last), "c": (STARTS, last - 2)})
    # a is new on the first day: it is predicted by its plan's rate.
    assert {row.customer_id for row in result.quarters} == {"a", "d", "e", "f"}


def test_even_customers_hold_and_one_that_changes_is_above() -> None:
    even = judge(known=LATE)
    assert (even.total.judged, even.total.held) == (6, 6)
    surge = judge(("a", day_of(2025, 8, 1), 30), known=LATE)
    assert (surge.total.held, surge.total.below, surge.total.above) == (5, 0, 1)


def test_quarter_is_predicted_without_knowing_it() -> None:
    before, surge = judge(known=LATE), judge(("a", day_of(2025, 7, 1), 30), known=LATE)
    predicted = [(row.customer_id, row.low, row.mid, row.high) for row in before.quarters]
    assert [(row.customer_id, row.low, row.mid, row.high) for row in surge.quarters] == predicted
    assert surge.quarters[0].actual == before.quarters[0].actual + 30


def test_more_credits_than_tickets_are_below() -> None:
    back = judge(("a", day_of(2025, 8, 1), -30), known=LATE)
    assert (back.total.below, back.quarters[0].randomised_held) == (1, 0)


def test_quarters_with_too_few_tickets_are_counted_beside() -> None:
    result = judge(every_days=200, known=LATE)
    assert (result.total.judged, result.total.too_few) == (0, 6)
    assert result.total.median_width is None


def test_lines_add_up_to_the_total() -> None:
    result = judge(("a", day_of(2025, 8, 1), 30))
    assert sum(line.judged for line in result.lines) == result.total.judged
    assert result.total.held + result.total.below + result.total.above == result.total.judged


def test_without_a_ticket_there_is_nothing_to_judge() -> None:
    result = backtest(DrawHistory(KnownSpan(None, ENDS * DAY_SECONDS), [], []))
    assert (result.total.judged, result.lines, result.quarters) == (0, (), ())
