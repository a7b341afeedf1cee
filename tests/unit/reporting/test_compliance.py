from __future__ import annotations

import itertools

import pytest

from pipeline.errors import ConfigurationError
from pipeline.reporting.compliance import CUTS, Tally, read_compliance, read_trend
from pipeline.reporting.published import EVERY_CUSTOMER, Bounds, Published, Ratio, Scope, Selection
from pipeline.reporting.tickets import count_by_status, read_tickets

ACME = Scope(("acme",))
JULY = Selection(months=("2026-07",))


def test_compliance_counts_the_other_statuses_beside_the_rate(published: Published) -> None:
    first_response = Selection(months=("2026-07",), obligations=("first_response",))
    (row,) = read_compliance(published, ACME, first_response).rows
    # T-1, T-2, T-3 met; T-4 one second over; T-5 waived; T-7 by e-mail; T-8 without evidence. T-6 still runs
    # in August.
    assert row.tally == Tally(
        met=3, breached=1, waived=1, not_covered=1, not_measurable=1, raw_met=3, raw_breached=2,
        lower_met=3, upper_met=4, bounded=5, raw_lower_met=3, raw_upper_met=4, raw_bounded=6,
    )  # fmt: skip
    # T-8 could be met or breached: 3 of 5 at least, 4 of 5 at most; with the waived one 3 of 6 up to 4 of 6.
    assert row.tally.compliance == Ratio(3, 4, Bounds(3, 4, 5))
    assert row.tally.raw_compliance == Ratio(3, 5, Bounds(3, 4, 6))
    assert row.obligation_kinds == ("target",)


@pytest.mark.parametrize("by", [by for size in range(6) for by in itertools.combinations(CUTS, size)])
@pytest.mark.parametrize("month_basis", ["settled", "submitted"])
def test_compliance_adds_up_to_the_ticket_list_for_every_cut(
    published: Published, by: tuple[str, ...], month_basis: str
) -> None:
    for selection in (Selection(), JULY, Selection(customer_ids=("other",)), Selection(severities=(5,))):
        result = read_compliance(published, EVERY_CUSTOMER, selection, by, month_basis)
        listed = read_tickets(published, EVERY_CUSTOMER, selection, month_basis)
        assert result.total == count_by_status(listed)
        assert result.total.total == len(listed)


def test_compliance_without_any_cut_is_one_row_even_when_nothing_is_found(published: Published) -> None:
    (row,) = read_compliance(published, ACME, Selection(months=("1999-01",)), by=()).rows
    assert row.tally.compliance == Ratio(0, 0)


@pytest.mark.parametrize(
    ("by", "selection", "message"),
    [
        (("team",), Selection(), "'team'.*month, customer, plan, severity, obligation"),
        (("month", "month"), Selection(), "twice"),
        (("month",), Selection(months=("2026-7",)), "such as 2026-07"),
        (("month",), Selection(months=("2026-13",)), "such as 2026-07"),
        (("month",), Selection(customer_ids=("acmee",)), "no customer 'acmee'.*'acme'"),
    ],
)
def test_compliance_refuses_unknown_words(
    published: Published, by: tuple[str, ...], selection: Selection, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_compliance(published, EVERY_CUSTOMER, selection, by)


def test_compliance_trend_has_thirteen_months_and_marks_the_running_one(published: Published) -> None:
    points = read_trend(published, ACME)
    assert [point.month for point in points][::6] == ["2025-08", "2026-02", "2026-08"]
    assert [point.is_partial for point in points] == [False] * 12 + [True]
    assert points[-2].tally.compliance == Ratio(4, 5, Bounds(4, 5, 6))
    assert points[0].tally == Tally()
