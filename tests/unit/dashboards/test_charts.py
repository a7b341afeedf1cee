"""Charts draw the figures they are given, can be read with any eyes, and take no text for HTML."""

from __future__ import annotations

import csv
import io
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from openpyxl import load_workbook

from dashboards import charts
from dashboards.downloads import name_file
from pipeline.reporting.compliance import Tally, TrendPoint
from pipeline.reporting.entitlements import Balance, Forecast
from pipeline.reporting.export_rows import write_csv, write_xlsx
from pipeline.reporting.published import Selection
from pipeline.reporting.tickets import Obligation, Segment

MONTHS = (
    TrendPoint("2026-05", False, Tally(met=10, breached=10, lower_met=10, upper_met=10, bounded=20)),
    TrendPoint("2026-06", False, Tally()),
    TrendPoint("2026-07", True, Tally(met=30, lower_met=30, upper_met=30, bounded=30)),
)


def draw(name: str, panel: str = "") -> charts.go.Figure:
    return charts.draw_trend(
        MONTHS, [charts.Line(panel, name, {month.month: month.tally for month in MONTHS})]
    )


def test_trend_draws_a_gap_where_nothing_was_counted():
    (line,) = draw("standard").data
    assert list(line.x) == ["2026-05", "2026-06", "2026-07"]
    assert list(line.y) == [1 / 2, None, 3 / 3]
    assert [hover[0] for hover in line.customdata] == [
        "50.0 % (10 of 20)",
        "n/a (0 of 0)",
        "100.0 % (30 of 30)",
    ]


def test_trend_draws_what_has_only_bounds_as_a_grey_span_and_no_point():
    half = Tally(met=10, not_measurable=10, lower_met=10, upper_met=20, bounded=20)
    narrow = Tally(met=198, breached=1, not_measurable=1, lower_met=198, upper_met=199, bounded=200)
    months = (TrendPoint("2026-06", False, half), TrendPoint("2026-07", False, narrow))
    line = charts.Line("", "<b>standard", {month.month: month.tally for month in months})
    points, spans = charts.draw_trend(months, [line]).data
    assert list(points.y) == [None, 0.994974]
    assert (list(spans.x), list(spans.y)) == (["2026-06", "2026-06", None], [0.5, 1.0, None])
    assert spans.customdata[0][0] == "&lt;b&gt;standard: 50.0 % to 100 % (10 met, 0 breached, 10 undecided)"
    # No colour of a line, so that no figure is ranked by what it could be.
    assert spans.line.color not in (points.line.color, *charts.PALETTE[: charts.MAXIMUM_LINES - 2])
    assert line.counted == 20 + 200


def test_trend_draws_no_rate_of_few_tickets_and_no_line_of_few_rates():
    few = Tally(met=9, lower_met=9, upper_met=9, bounded=9)
    enough = Tally(met=10, lower_met=10, upper_met=10, bounded=10)
    months = tuple(
        TrendPoint(f"2026-0{n}", False, tally) for n, tally in enumerate((few, enough, enough, enough), 1)
    )
    line = charts.Line("", "standard", {month.month: month.tally for month in months})
    assert list(charts.draw_trend(months, [line]).data[0].y) == [None, 1.0, 1.0, 1.0]
    assert line.is_readable
    assert not charts.Line("", "standard", {month.month: month.tally for month in months[:3]}).is_readable


def test_overview_draws_the_volume_under_the_rate_and_hatches_the_month_that_still_runs():
    figure = charts.draw_overview(MONTHS, charts.INK["light"])
    rate, met, breached = figure.data
    assert list(rate.y) == [1 / 2, None, 1.0]
    assert (list(met.y), list(breached.y)) == ([10, 0, 30], [10, 0, 0])
    # A click lists what was clicked: all that the rate rests on, or the promises of the bar.
    assert charts.statuses_of({"customdata": rate.customdata[0]}) == ["met", "breached", "not_measurable"]
    assert charts.statuses_of({"customdata": breached.customdata[0]}) == ["breached"]
    assert list(met.marker.pattern.shape) == list(breached.marker.pattern.shape) == ["", "", "/"]


def test_class_bars_hand_back_their_class_and_take_no_name_for_html():
    (bars,) = charts.draw_classes(
        ["<b>Late</b>", "Over quota"], ["late", "over_quota"], [2, 0], charts.INK["dark"]
    ).data
    assert (list(bars.x), list(bars.customdata)) == ([2, 0], ["late", "over_quota"])
    assert "<" not in bars.y[0]


def test_bands_carry_the_due_and_the_answer_mark():
    start = datetime(2026, 6, 1, 8, tzinfo=UTC)
    due, stop = start + timedelta(hours=2), start + timedelta(hours=3)
    fields = dict.fromkeys(Obligation.__dataclass_fields__) | {"due_at": due, "stopped_at": stop}
    segment = Segment("T-1:x:1", 1, "counted", start, stop, 3 * 3600, 3 * 3600, None, None)
    figure = charts.draw_segments([segment], Obligation(**fields), charts.INK["light"])
    assert [(mark.name, mark.x[0]) for mark in figure.data[1:]] == [("due", due), ("answered", stop)]


def test_trend_shades_the_month_that_still_runs():
    (shade,) = draw("standard").layout.shapes
    assert (shade.x0, shade.x1) == (2 - 0.5, 2 + 0.5)


def test_trend_takes_no_name_for_html():
    figure = draw("<a href='https://example.invalid'>x</a>", panel="<b>plan</b>")
    assert "<" not in figure.data[0].name
    assert "<" not in figure.layout.annotations[0].text


def test_balance_draws_what_is_used_inside_what_is_available():
    # 10 granted and 5 bought, of which a pack's 2 expired: 13 available, 9 drawn, 4 left.
    limited = Balance(
        customer_id="acme", customer_name="Acme", subscription_id="S-1", plan="standard", plan_version="standard@1",
        pool="regular", term_starts_on=date(2026, 1, 1), term_ends_on=date(2027, 1, 1), is_unlimited=False, is_stated=True,
        granted_quantity=10, purchased_quantity=5, used_quantity=9, credited_quantity=0, overflowed_in_quantity=0,
        overflowed_out_quantity=0, expired_quantity=2, carried_quantity=0, remaining_quantity=4, overage_quantity=0,
        consumed_quantity=9, available_quantity=13, term_seconds=2, term_elapsed_seconds=1, days_left=1,
        term_status="current", as_of=datetime(2026, 7, 1, tzinfo=UTC),
    )  # fmt: skip
    unlimited = replace(limited, granted_quantity=None, available_quantity=None, remaining_quantity=None)
    available, drawn = charts.draw_balances([limited, unlimited]).data
    assert list(available.x) == [9 + 4, 0]
    assert list(drawn.x) == [9, 9]


def test_lines_are_told_apart_by_their_markers_too():
    assert len(set(charts.MARKERS)) == len(set(charts.PALETTE)) == charts.MAXIMUM_LINES


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_download_makes_formulas_harmless_and_keeps_every_row(kind):
    rows = [[text, -1] for text in ("=1+1", "@cmd", "-2", "Acme, Inc.", "a\x00b")]
    if kind == "csv":
        content = write_csv(["Customer", "Met"], rows)
        assert content.startswith(b"\xef\xbb\xbf")
        read = [list(row.values()) for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig")))]
        assert [customer for customer, _ in read[:4]] == ["'=1+1", "'@cmd", "'-2", "Acme, Inc."]
        assert {met for _, met in read} == {"-1"}
    else:
        sheet = load_workbook(io.BytesIO(write_xlsx(["Customer", "Met"], rows))).active
        read = list(sheet.iter_rows(min_row=2))
        assert [row[0].value for row in read] == ["=1+1", "@cmd", "-2", "Acme, Inc.", "a\ufffdb"]
        assert {row[0].data_type for row in read} == {"s"}
        assert {row[1].value for row in read} == {-1}
    assert len(read) == len(rows)


def test_name_of_a_download_holds_its_filters_and_no_path():
    selection = Selection(customer_ids=("../a\x00/b",), plans=("standard",), severities=(5,))
    assert (
        name_file("tickets-2026-06-breached", selection) == "tickets-2026-06-breached-a-b-standard-severity-5"
    )
    assert len(name_file("tickets", Selection(customer_ids=tuple(map(str, range(900)))))) <= 120


def test_burn_down_begins_with_what_was_available_and_ends_with_the_bounds_of_the_forecast():
    balance, forecast = make_balance(), make_forecast(remaining_quantity=12, draws=(3, 5, 14))
    assert forecast.left_at_end == (0, 7, 9)
    traces = {each.name: each for each in charts.draw_burn_down(balance, (), forecast, "#000000").data}
    assert list(traces["even pace"].y) == [20, 0]
    assert list(traces["left"].y) == [12]
    assert list(traces["forecast"].y) == [12, 7]
    assert list(traces["forecast, 80 %"].y) == [12, 9, 0, 12]
    without = make_forecast(remaining_quantity=12, draws=(None, None, None), status="too_few_tickets")
    assert without.left_at_end is None
    assert {each.name for each in charts.draw_burn_down(balance, (), without, "#000000").data} == {
        "left",
        "even pace",
    }


def make_balance() -> Balance:
    values: dict[str, object] = dict.fromkeys((field.name for field in fields(Balance)), 0)
    values |= {
        "available_quantity": 20,
        "remaining_quantity": 12,
        "term_starts_on": date(2026, 1, 1),
        "term_ends_on": date(2027, 1, 1),
        "as_of": datetime(2026, 7, 1, tzinfo=UTC),
    }
    return Balance(**values)  # type: ignore[arg-type]


def make_forecast(
    *, remaining_quantity: int, draws: tuple[int | None, int | None, int | None], status: str = "forecast"
) -> Forecast:
    """`draws`: low, mid and high."""
    values: dict[str, object] = dict.fromkeys(field.name for field in fields(Forecast))
    names = ("draws_low_quantity", "draws_mid_quantity", "draws_high_quantity")
    values |= {
        "remaining_quantity": remaining_quantity,
        "forecast_status": status,
        **dict(zip(names, draws, strict=True)),
    }
    return Forecast(**values)  # type: ignore[arg-type]
