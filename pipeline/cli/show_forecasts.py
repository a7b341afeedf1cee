"""Forecasts and their backtest as tables, and the history of draws that a backtest looks at."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.cli.tables import LEFT, RIGHT, TextTable
from pipeline.forecasting.backtest import Backtest, BacktestLine
from pipeline.forecasting.count_model import FEWEST_DRAWS
from pipeline.forecasting.draw_history import (
    COVERED_SPANS,
    DAY_DRAWS,
    KNOWN_SPAN,
    CoveredSpan,
    DayDraws,
    DrawHistory,
    KnownSpan,
)
from pipeline.reporting import figures
from pipeline.reporting.entitlements import Forecast
from pipeline.reporting.published import Published, Ratio, Scope


def read_history(published: Published, scope: Scope) -> DrawHistory:
    """What the forecasts were made from. In a narrower scope a plan is known by its visible customers alone."""
    [known] = published.fetch(KnownSpan, KNOWN_SPAN)
    return DrawHistory(
        known,
        published.fetch_in_scope(DayDraws, DAY_DRAWS, scope),
        published.fetch_in_scope(CoveredSpan, COVERED_SPANS, scope),
    )


def forecasts_table(forecasts: Sequence[Forecast]) -> TextTable:
    """One line per current term and limited pool: until when it is likely to last."""

    def draws(row: Forecast) -> str:
        if row.draws_mid_quantity is None:
            return "–"
        return f"{row.draws_mid_quantity} ({row.draws_low_quantity} to {row.draws_high_quantity})"

    def says(row: Forecast) -> str:
        if row.lasts_ratio is None or row.forecast_status != "forecast":
            return figures.words(row.forecast_status)
        return figures.chance(row.lasts_ratio)

    def days(row: Forecast) -> tuple[str, ...]:
        found = (row.exhausted_on_low, row.exhausted_on_mid, row.exhausted_on_high)
        if row.forecast_status != "forecast":
            return ("–",) * len(found)
        return tuple("not in this term" if day is None else figures.day(day) for day in found)

    rows = tuple(
        (
            row.customer_id,
            row.plan,
            figures.words(row.pool),
            figures.day(row.term_ends_on),
            str(row.remaining_quantity),
            says(row),
            draws(row),
            *days(row),
            f"{row.own_draws_quantity} in {row.own_history_days} days",
            "–" if row.own_weight_ratio is None else figures.chance(row.own_weight_ratio),
            "–" if row.plan_yearly_quantity is None else f"{row.plan_yearly_quantity:.2f}",
            "–" if row.expected_yearly_quantity is None else f"{row.expected_yearly_quantity:.2f}",
        )
        for row in forecasts
    )
    columns = (
        ("customer", LEFT), ("plan", LEFT), ("pool", LEFT), ("term ends", LEFT), ("remaining", RIGHT),
        ("lasts", RIGHT), ("draws until then", RIGHT), ("empty, 10 %", LEFT), ("empty, 50 %", LEFT),
        ("empty, 90 %", LEFT), ("own net draws", RIGHT), ("own weight", RIGHT), ("plan a year", RIGHT),
        ("expected a year", RIGHT),
    )  # fmt: skip
    if not rows:
        return TextTable(
            "Forecast", columns, rows, ("No limited pool of a current term falls under this choice.",)
        )
    notes = (
        "lasts = the chance that something is left when the term ends. draws until then = middle (80 % interval), what would be "
        "overage included. empty = the day by whose end nothing is left with that chance.",
        "Each customer's own rate of the last 364 days is drawn towards its plan's; own weight says how little. "
        f"Too few tickets: fewer than {FEWEST_DRAWS} of all customers of the plan.",
        f"An estimate from past counts, blind to trend, season and plans; `sla backtest` says how it did. "
        f"As of {figures.instant(forecasts[0].as_of)}.",
    )
    return TextTable("Forecast", columns, rows, notes)


def backtest_table(result: Backtest) -> TextTable:
    """One line per plan and pool, and the total."""

    def line(row: BacktestLine) -> tuple[str, ...]:
        judged = Ratio(row.held, row.judged)
        return (
            row.plan or "total",
            "" if row.pool is None else figures.words(row.pool),
            str(row.judged),
            figures.percent_alone(judged),
            str(row.held),
            str(row.below),
            str(row.above),
            "–" if row.median_width is None else str(row.median_width),
            figures.chance(row.randomised_held / row.judged) if row.judged else "n/a",
            str(row.too_few),
        )

    columns = (
        ("plan", LEFT), ("pool", LEFT), ("customer-quarters", RIGHT), ("80 % interval held", RIGHT),
        ("held", RIGHT), ("below", RIGHT), ("above", RIGHT), ("median width", RIGHT), ("10 to 90 %", RIGHT),
        ("too few to say", RIGHT),
    )  # fmt: skip
    notes = [
        "Each past calendar quarter of each customer and pool, predicted on its first day from what had happened before it.",
        "width = how many counts the interval holds. Counts are whole, so an interval holds 80 % or more: 10 to 90 % is the "
        "share between these levels with the ends counted in part; 80 % of it is expected of a right model.",
        "too few to say = no forecast was made; such quarters are in no other column.",
    ]
    if result.quarters:
        notes.append(f"From {result.quarters[0].quarter} to {result.quarters[-1].quarter}.")
    else:
        notes.insert(0, "No quarter is over that has twelve weeks of data before it.")
    return TextTable("Backtest", columns, (*map(line, result.lines), line(result.total)), tuple(notes))
