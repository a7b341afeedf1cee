from __future__ import annotations

from pipeline.cli.show_entitlements import alerts_table
from pipeline.reporting.entitlements import read_alerts
from pipeline.reporting.published import EVERY_CUSTOMER, Published, Selection


def test_alerts_table_says_what_is_consumed_of_what_and_what_follows_a_term(published: Published) -> None:
    told = read_alerts(published, EVERY_CUSTOMER, Selection(customer_ids=("acme",)))
    assert [(line[0], line[4], line[7]) for line in alerts_table(told).rows] == [
        ("likely to run out by 2026-09-30", "13 of 15", "–"),
        ("80 % reached", "9 of 11", "–"),
        ("term ends in 28 days", "–", "S-next"),
    ]
