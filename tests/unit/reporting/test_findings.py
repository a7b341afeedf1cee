from __future__ import annotations

import pytest

from pipeline.errors import ConfigurationError
from pipeline.reporting.findings import read_findings
from pipeline.reporting.published import EVERY_CUSTOMER, Published, Scope, Selection

ACME = Scope(("acme",))


def test_findings_are_counted_by_kind_and_the_counts_add_up(published: Published) -> None:
    found = read_findings(published, EVERY_CUSTOMER)
    assert [(row.finding, row.finding_count) for row in found.counts] == [
        ("unlisted_requester", 3),
        ("redeemed_too_often", 1),
        ("unknown_customer", 1),
    ]
    assert sum(row.finding_count for row in found.counts) == len(found.rows) == 3 + 1 + 1
    assert (found.rows[0].source_file, found.rows[0].line_number) == ("reference/redemptions.csv", 3)


def test_findings_are_limited_to_a_customer_and_to_kinds(published: Published) -> None:
    acme = read_findings(published, EVERY_CUSTOMER, Selection(customer_ids=("acme",)), ["unlisted_requester"])
    assert [row.ticket_id for row in acme.rows] == ["T-1", "T-2"]
    # What belongs to no customer is seen by a reader who may see all.
    assert "LOST-1" not in {row.ticket_id for row in read_findings(published, ACME).rows}
    assert read_findings(published, Scope(())).rows == ()
    assert read_findings(published, EVERY_CUSTOMER, kinds=["waiver_of_nothing"]).counts == ()


def test_findings_of_a_kind_that_does_not_exist_are_refused_with_those_that_do(published: Published) -> None:
    with pytest.raises(
        ConfigurationError, match="--finding is 'unlisted'; it must be one of .*redeemed_too_often, "
    ):
        read_findings(published, EVERY_CUSTOMER, kinds=["unlisted"])
