"""Charts draw the figures they are given, can be read with any eyes, and take no text for HTML."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime

from dashboards import charts
from dashboards.downloads import write_csv
from pipeline.reporting.compliance import Tally, TrendPoint
from pipeline.reporting.entitlements import Balance

MONTHS = (
    TrendPoint("2026-05", False, Tally(met=1, breached=1, lower_met=1, upper_met=1, bounded=2)),
    TrendPoint("2026-06", False, Tally()),
    TrendPoint("2026-07", True, Tally(met=3, lower_met=3, upper_met=3, bounded=3)),
)


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def draw(name: str, panel: str = "") -> charts.go.Figure:
    return charts.draw_trend(
        MONTHS, [charts.Line(panel, name, {month.month: month.tally for month in MONTHS})]
    )


def test_trend_draws_a_gap_where_nothing_was_counted():
    (line,) = draw("standard").data
    assert list(line.x) == ["2026-05", "2026-06", "2026-07"]
    assert list(line.y) == [1 / 2, None, 3 / 3]
    assert [hover[0] for hover in line.customdata] == ["50.0 % (1 of 2)", "n/a (0 of 0)", "100.0 % (3 of 3)"]


def test_trend_draws_what_has_only_bounds_as_a_grey_span_and_no_point():
    half = Tally(met=2, not_measurable=2, lower_met=2, upper_met=4, bounded=4)
    narrow = Tally(met=198, breached=1, not_measurable=1, lower_met=198, upper_met=199, bounded=200)
    months = (TrendPoint("2026-06", False, half), TrendPoint("2026-07", False, narrow))
    line = charts.Line("", "<b>standard", {month.month: month.tally for month in months})
    points, spans = charts.draw_trend(months, [line]).data
    assert list(points.y) == [None, 0.994974]
    assert (list(spans.x), list(spans.y)) == (["2026-06", "2026-06", None], [0.5, 1.0, None])
    assert spans.customdata[0] == "&lt;b&gt;standard: 50.0 % to 100 % (2 met, 0 breached, 2 undecided)"
    # No colour of a line, so that no figure is ranked by what it could be.
    assert spans.line.color not in (points.line.color, *charts.PALETTE[: charts.MAXIMUM_LINES - 2])
    assert line.counted == 4 + 200


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


def test_palette_stands_out_from_the_light_and_the_dark_background():
    for colour in charts.PALETTE:
        assert contrast(colour, "#FFFFFF") >= 3, colour
        assert contrast(colour, "#12161B") >= 3, colour


def test_lines_are_told_apart_by_their_markers_too():
    assert len(set(charts.MARKERS)) == len(set(charts.PALETTE)) == charts.MAXIMUM_LINES


def test_download_makes_formulas_harmless_and_keeps_every_row():
    rows = [{"Customer": text, "Met": -1} for text in ("=1+1", "@cmd", "-2", "Acme, Inc.")]
    read = list(csv.DictReader(io.StringIO(write_csv(rows).decode("utf-8-sig"))))
    assert [row["Customer"] for row in read] == ["'=1+1", "'@cmd", "'-2", "Acme, Inc."]
    assert {row["Met"] for row in read} == {"-1"}
