"""Whether a report may go out: a figure that is only bounds wider than sla.yml allows, or a failed check, holds it back."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pipeline.errors import ChecksFailed
from pipeline.reporting import figures
from pipeline.reporting.monthly_report import MonthlyReport
from pipeline.reporting.published import Ratio


def hold_unsound(report: MonthlyReport, most_undecided_points: int) -> None:
    """Raises ChecksFailed, naming the check or the figures, for a report that must not go out."""
    failed = [
        check.check_name
        for check in report.build.checks
        if check.severity == "critical" and check.status != "passed"
    ]
    if failed:
        raise ChecksFailed(f"a critical check of the build did not pass: {failed[0]}. Run `sla check`.")
    wide = [
        f"{name} {figures.percent(ratio)}"
        for name, ratio in _list_rates(report)
        if points_undecided(ratio) > most_undecided_points
    ]
    if wide:
        raise ChecksFailed(
            f"more is undecided than most_undecided_points of sla.yml allows ({most_undecided_points}): {'; '.join(wide)}. "
            "`sla tickets --status not_measurable` lists the tickets and why."
        )


def points_undecided(ratio: Ratio) -> Fraction:
    """How many percentage points the bounds of a rate lie apart; 0 where nothing is undecided."""
    if ratio.bounds is None:
        return Fraction(0)
    return Fraction(100 * (ratio.bounds.upper - ratio.bounds.lower), ratio.bounds.of)


def _list_rates(report: MonthlyReport) -> Iterator[tuple[str, Ratio]]:
    """Every rate of the month that the summary prints."""
    yield "total", report.total.compliance
    yield from (
        (
            f"{figures.words(promise.obligation)} ({figures.severities(promise.severities)})",
            promise.tally.compliance,
        )
        for promise in report.promises
    )
