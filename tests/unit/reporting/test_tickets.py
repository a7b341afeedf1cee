from __future__ import annotations

import pytest

from pipeline.errors import ConfigurationError
from pipeline.reporting.published import Published, Scope, Selection
from pipeline.reporting.tickets import read_explanation, read_tickets

ACME = Scope(("acme",))


def test_tickets_selects_by_status(published: Published) -> None:
    found = read_tickets(published, ACME, Selection(statuses=("pending", "waived")))
    assert [row.ticket_id for row in found] == ["T-5", "T-6"]
    with pytest.raises(ConfigurationError, match="'late'.*met, breached, pending"):
        read_tickets(published, ACME, Selection(statuses=("late",)))


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
