from __future__ import annotations

import pytest

from pipeline.errors import ConfigurationError
from pipeline.reporting.overview import of_bands
from pipeline.reporting.published import EVERY_CUSTOMER, Published, Scope, Selection
from pipeline.reporting.tickets import (
    AT_RISK_FROM,
    Cut,
    count_tickets,
    read_explanation,
    read_tickets,
    read_worst_tickets,
)

ACME = Scope(("acme",))


def test_tickets_selects_by_status(published: Published) -> None:
    found = read_tickets(published, ACME, Selection(statuses=("pending", "waived")))
    assert [row.ticket_id for row in found] == ["T-5", "T-6"]
    with pytest.raises(ConfigurationError, match="'late'.*met, breached, pending"):
        read_tickets(published, ACME, Selection(statuses=("late",)))


def test_parts_of_the_worst_first_list_are_the_whole_list_in_order(published: Published) -> None:
    every = read_tickets(published, EVERY_CUSTOMER)
    worst_first = sorted(every, key=lambda row: (row.remaining_seconds is None, row.remaining_seconds or 0))
    parts = [
        row
        for first in range(0, len(every), 2)
        for row in read_worst_tickets(published, EVERY_CUSTOMER, first=first, size=2)
    ]
    assert parts == worst_first == list(read_worst_tickets(published, EVERY_CUSTOMER))
    length = count_tickets(published, EVERY_CUSTOMER)
    assert (length.promise_count, length.ticket_count) == (len(every), len({row.ticket_id for row in every}))


@pytest.mark.parametrize("band", [0, *AT_RISK_FROM])
def test_a_list_of_one_band_has_the_running_promises_that_reached_that_step_and_no_higher(
    published: Published, band: int
) -> None:
    every = read_tickets(published, EVERY_CUSTOMER)
    found = read_tickets(published, EVERY_CUSTOMER, cut=Cut(bands=(band,)))
    assert found == of_bands(every, (band,))


def test_a_list_of_month_keys_has_these_promises_and_one_of_none_is_empty(published: Published) -> None:
    first, *_, last = read_tickets(published, EVERY_CUSTOMER)
    keys = (last.month_key, first.month_key)
    assert read_tickets(published, EVERY_CUSTOMER, cut=Cut(month_keys=keys)) == (first, last)
    assert read_tickets(published, EVERY_CUSTOMER, cut=Cut(month_keys=())) == ()
    assert count_tickets(published, EVERY_CUSTOMER, cut=Cut(month_keys=())).promise_count == 0


def test_tickets_over_by_is_a_single_second_for_the_narrowest_breach(published: Published) -> None:
    (row,) = read_tickets(published, ACME, Selection(months=("2026-07",), statuses=("breached",)))
    assert (row.elapsed_seconds, row.target_seconds, row.over_by_seconds) == (24 * 3600 + 1, 24 * 3600, 1)


def test_explanation_holds_the_segments_the_stop_and_what_was_passed_over(published: Published) -> None:
    explained = read_explanation(published, ACME, "T-1")
    by_name = {why.obligation.obligation: why for why in explained.obligations}
    first_response = by_name["first_response"]
    assert sum(segment.counted_seconds for segment in first_response.segments) == 6 * 3600
    assert first_response.stopped_by is not None and first_response.stopped_by.moment == "agent_message"
    assert [event.moment for event in first_response.passed_over] == ["automatic_reply"]
    assert first_response.calendar_versions == ("business_hours@2020-01-01",)
    assert [event.line_number for event in explained.events] == [2, 3, 4]
    assert [movement.movement_kind for movement in explained.movements] == ["use"]


def test_explanation_of_an_unknown_ticket_offers_the_nearest_ids_in_scope(published: Published) -> None:
    with pytest.raises(ConfigurationError, match="no ticket 't-11x'.*'T-11'"):
        read_explanation(published, ACME, "t-11x")
    with pytest.raises(ConfigurationError) as refused:
        read_explanation(published, ACME, "SECRET-1")
    assert "no ticket 'SECRET-1'" in str(refused.value)
    assert "SECRET-2" not in str(refused.value)
