from __future__ import annotations

from pipeline.reporting.entitlements import read_alerts, read_balances
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
