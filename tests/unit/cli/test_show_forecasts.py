from __future__ import annotations

from pipeline.cli.show_forecasts import backtest_table, forecasts_table, read_history
from pipeline.forecasting.backtest import Backtest, BacktestLine
from pipeline.reporting.entitlements import read_forecasts
from pipeline.reporting.published import Published, Scope

ACME = Scope(("acme",))


def test_forecast_says_chance_interval_and_days_or_why_there_are_none(published: Published) -> None:
    table = forecasts_table(read_forecasts(published, ACME))
    builds, level_5, regular = [row[2:] for row in table.rows]
    assert regular == (
        "regular", "2027-01-01", "2", "4.2 %", "5 (2 to 8)", "2026-08-20", "2026-09-30", "not in this term",
        "11 in 215 days", "60.0 %", "18.50", "18.67",
    )  # fmt: skip
    assert level_5[3:8] == ("exhausted", "2 (1 to 4)", "–", "–", "–")
    assert builds[3:8] == ("too few tickets", "–", "–", "–", "–")


def test_backtest_table_ends_with_the_total_that_its_lines_add_up_to(published: Published) -> None:
    def line(plan: str | None, pool: str | None, held: int) -> BacktestLine:
        return BacktestLine(plan, pool, 10, held, 0, 10 - held, 1, 3, 8.0)

    result = Backtest((line("gold", "regular", 9), line("gold", "level_5", 8)), line(None, None, 8), ())
    table = backtest_table(result)
    assert table.rows[0] == ("gold", "regular", "10", "90.0 %", "9", "0", "1", "3", "80.0 %", "1")
    assert table.rows[-1][0] == "total"
    nothing = BacktestLine(None, None, 0, 0, 0, 0, 0, None, 0.0)
    assert backtest_table(Backtest((), nothing, ())).rows == (
        ("total", "", "0", "n/a", "0", "0", "0", "–", "n/a", "0"),
    )


def test_history_of_draws_holds_no_customer_out_of_scope(published: Published) -> None:
    seen = repr(read_history(published, ACME).drawers)
    assert "acme" in seen
    assert "other" not in seen and "SECRET" not in seen
