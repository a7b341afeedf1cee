"""What holds a report back: more undecided than sla.yml allows in any rate of the summary, or a failed critical check."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from pipeline.delivery.judge_report import hold_unsound, points_undecided
from pipeline.errors import ChecksFailed
from pipeline.reporting.monthly_report import MonthlyReport, read_monthly_report
from pipeline.reporting.published import EVERY_CUSTOMER, Bounds, Published, Ratio


@pytest.fixture
def report(published: Published) -> MonthlyReport:
    return read_monthly_report(published, EVERY_CUSTOMER, "acme", "2026-07")


def test_bounds_are_measured_in_points_of_what_is_counted_and_undecided() -> None:
    assert points_undecided(Ratio(18, 19)) == 0
    assert points_undecided(Ratio(980, 990, Bounds(980, 990, 1000))) == 1
    assert points_undecided(Ratio(3, 4, Bounds(3, 4, 6))) == Fraction(100, 6)


def test_report_is_held_just_past_the_limit_and_sent_exactly_on_it(report: MonthlyReport) -> None:
    # In all 4 to 5 of 6: 16 2/3 points. First response, levels 1 to 4: 2 to 3 of 4 (2 met, 1 breached, 1 undecided): 25 points.
    hold_unsound(report, 25)
    with pytest.raises(ChecksFailed) as held:
        hold_unsound(report, 24)
    assert "first response" in str(held.value) and "total" not in str(held.value)
    with pytest.raises(ChecksFailed, match=r"allows \(16\): total 66\.7 % to 83\.3 % "):
        hold_unsound(report, 16)


@pytest.mark.parametrize(
    ("severity", "status", "is_held"),
    [
        ("critical", "failed", True),
        ("critical", "error", True),
        ("warning", "failed", False),
        ("critical", "passed", False),
    ],
)
def test_critical_check_that_did_not_pass_holds_every_report(
    report: MonthlyReport, severity: str, status: str, is_held: bool
) -> None:
    from pipeline.reporting.status import Check

    check = Check("orders add up", "published", "t", "e", None, severity, status, None, None)
    judged = replace(report, build=replace(report.build, checks=(check,)))
    if is_held:
        with pytest.raises(ChecksFailed, match="a critical check of the build did not pass: orders add up"):
            hold_unsound(judged, 100)
    else:
        hold_unsound(judged, 100)
