from __future__ import annotations

from pipeline.reporting.entitlements import list_renewals, read_alerts, read_balances
from pipeline.reporting.published import EVERY_CUSTOMER, Published, Ratio, Scope, Selection

ACME = Scope(("acme",))


def test_entitlements_keep_unlimited_and_not_stated_apart(published: Published) -> None:
    pools = {row.pool: row for row in read_balances(published, ACME)}
    assert pools["premium_regular"].is_unlimited and pools["premium_regular"].remaining_quantity is None
    assert not pools["assistance"].is_stated and not pools["assistance"].is_unlimited
    assert all(row.adds_up for row in pools.values())


def test_alerts_come_with_the_most_pressing_first(published: Published) -> None:
    told = read_alerts(published, EVERY_CUSTOMER, Selection(customer_ids=("acme",)))
    assert [(row.alert_rank, row.alert_kind, row.pool) for row in told] == [
        (3, "likely_to_run_out", "regular"),
        (4, "threshold_reached", "regular"),
        (5, "term_ends_soon", None),
    ]
    assert (told[0].lasts_ratio, told[0].raised_at) == (0.042, None)
    assert [row.consumed for row in told][1:] == [Ratio(9, 11), None]
    assert read_alerts(published, EVERY_CUSTOMER)[0].consumed == Ratio(2, 1)


def test_renewals_are_the_current_terms_that_end_within_the_days_asked_for(published: Published) -> None:
    balances = read_balances(published, EVERY_CUSTOMER)
    current = [each for each in balances if each.term_status == "current"]
    soonest = min(each.days_left for each in current)
    found = list_renewals(balances, soonest)
    assert {each.subscription_id for each in found} == {
        each.subscription_id for each in current if each.days_left <= soonest
    }
    assert list_renewals(balances, soonest - 1) == ()
    assert len(found) == len({each.subscription_id for each in found})
