"""Freshdesk's API objects become canonical tickets and events, and say what they cannot show."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.unit.ingest.conftest import Landing

SLA_YML = """\
sources:
  fresh:
    type: freshdesk
    customer: {field: company_id}
    severity: {field: priority, values: {1: 1, 2: 2, 3: 3, 4: 5}}
"""


@pytest.fixture
def landing(declare: Callable[[str], Landing]) -> Landing:
    return declare(SLA_YML)


def ticket(**values: Any) -> dict[str, Any]:
    return {
        "id": 9007199254740993,
        "subject": "Sync is slow",
        "status": 2,
        "priority": 3,
        "source": 2,
        "requester_id": 501,
        "company_id": 42,
        "created_at": "2026-02-02T08:00:00Z",
        "updated_at": "2026-02-02T12:00:00Z",
        "fr_escalated": False,
        **values,
    }


def conversation(number: int, at: str, **values: Any) -> dict[str, Any]:
    return {
        "id": number,
        "created_at": at,
        "incoming": False,
        "private": False,
        "source": 0,
        "user_id": 7,
        **values,
    }


def land(landing: Landing, *tickets: dict[str, Any]) -> list[str]:
    result = landing.land("fresh", "tickets.ndjson", "".join(json.dumps(one) + "\n" for one in tickets))
    assert result.rows_rejected == 0, result.problems
    return landing.rows("canonical_tickets", "evidence")


def test_a_ticket_keeps_the_digits_of_its_id_and_its_words(landing: Landing) -> None:
    land(landing, ticket(conversations=[]))
    assert landing.rows(
        "canonical_tickets", "ticket_id, customer_id, channel, severity, submitted_at, ticket_status"
    ) == [("9007199254740993", "42", "2", "3", datetime(2026, 2, 2, 8), "2")]


def test_only_a_public_reply_of_the_desk_is_a_public_message_of_an_agent(landing: Landing) -> None:
    said = [
        conversation(1, "2026-02-02T08:30:00Z", private=True),
        conversation(2, "2026-02-02T09:00:00Z", source=8),
        conversation(3, "2026-02-02T09:30:00Z", incoming=True, user_id=501),
        conversation(4, "2026-02-02T10:00:00Z"),
    ]
    assert land(landing, ticket(conversations=said)) == ["first_response messages"]
    assert landing.rows("canonical_events", "event_id, actor_kind, is_public") == [
        ("9007199254740993:1", "agent", False),
        ("9007199254740993:2", "agent", False),
        ("9007199254740993:3", "customer", True),
        ("9007199254740993:4", "agent", True),
    ]


def test_stats_alone_show_the_first_answer_to_the_second_and_the_resolution(landing: Landing) -> None:
    stats = {"first_responded_at": "2026-02-02T10:00:01Z", "resolved_at": "2026-02-02T12:00:00Z"}
    assert land(landing, ticket(stats=stats)) == ["first_response resolution"]
    assert landing.rows("canonical_events", "event_type, event_at, value") == [
        ("message", datetime(2026, 2, 2, 10, 0, 1), None),
        ("status_changed", datetime(2026, 2, 2, 12), "solved"),
    ]


def test_stats_do_not_say_who_answered_so_they_prove_nothing_where_a_bot_has_a_seat(
    declare: Callable[[str], Landing],
) -> None:
    landing = declare(SLA_YML + '    bots: {actors: ["7"]}\n')
    assert land(landing, ticket(stats={"first_responded_at": "2026-02-02T10:00:01Z"})) == ["resolution"]
    assert landing.rows("canonical_events", "event_type") == []


def test_after_a_reopening_the_first_resolution_is_lost(landing: Landing) -> None:
    stats = {"reopened_at": "2026-02-03T08:00:00Z", "resolved_at": "2026-02-04T12:00:00Z"}
    assert land(landing, ticket(stats=stats)) == ["first_response"]


def test_ten_embedded_conversations_may_not_be_all_of_them(declare: Callable[[str], Landing]) -> None:
    landing = declare(SLA_YML + '    bots: {actors: ["8"]}\n')
    customer = [conversation(n, f"2026-02-02T08:{n:02}:00Z", incoming=True) for n in range(1, 11)]
    assert land(landing, ticket(conversations=customer)) == [""]
    robot = [*customer[:9], conversation(10, "2026-02-02T09:00:00Z", user_id=8)]
    assert land(landing, ticket(id=3, conversations=robot))[-1] == ""
    answered = [*customer[:9], conversation(10, "2026-02-02T09:00:00Z")]
    assert land(landing, ticket(id=2, conversations=answered))[-1] == "first_response"


def test_a_ticket_without_conversations_and_stats_shows_nothing_and_says_so(landing: Landing) -> None:
    result = landing.land("fresh", "tickets.json", json.dumps([ticket()], indent=1))
    assert "1 tickets show neither conversations nor stats" in str(result.warnings[0])
    assert landing.rows("canonical_tickets", "evidence, line_number") == [("", 2)]


def test_one_impossible_instant_refuses_the_whole_ticket_with_its_line(landing: Landing) -> None:
    damaged = ticket(id=2, conversations=[conversation(1, "yesterday")])
    text = "\n".join(json.dumps(one) for one in (ticket(), damaged))
    result = landing.land("fresh", "tickets.ndjson", text)
    assert (result.rows_read, result.rows_rejected) == (2, 1)
    assert "tickets.ndjson:2: created_at: is not a possible instant with a time zone" in str(
        result.problems[0]
    )


def test_a_list_that_is_cut_off_costs_its_last_ticket(landing: Landing) -> None:
    result = landing.land("fresh", "tickets.json", json.dumps([ticket(), ticket(id=2)])[:-20])
    assert (result.rows_landed, result.rows_rejected) == (1, 1)


def test_the_vendors_own_verdict_is_kept_beside(landing: Landing) -> None:
    land(landing, ticket(fr_escalated=True, stats={"first_responded_at": "2026-02-02T10:00:01Z"}))
    assert landing.rows("vendor_sla_figures", "figure, obligation, they_breached, they_stopped_at") == [
        ("fr_escalated", "first_response", True, datetime(2026, 2, 2, 10, 0, 1))
    ]
