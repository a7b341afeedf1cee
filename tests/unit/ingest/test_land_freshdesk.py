"""Freshdesk's API objects land as versions, messages and dates, and say what they came with."""

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
    return landing.rows("ticket_versions", "evidence")


def test_a_ticket_keeps_the_digits_of_its_id_and_its_words(landing: Landing) -> None:
    land(landing, ticket(conversations=[]))
    columns = (
        "ticket_id, customer_id, requester_id, opener, channel, severity, submitted_at, status, is_deleted"
    )
    assert landing.rows("ticket_versions", columns) == [
        ("9007199254740993", "42", "501", "501", "2", "3", datetime(2026, 2, 2, 8), "2", False)
    ]


@pytest.mark.parametrize("mark", ["deleted", "spam"])
def test_a_ticket_in_the_bin_or_among_the_spam_is_a_deleted_version(landing: Landing, mark: str) -> None:
    land(landing, ticket(**{mark: True}))
    assert landing.rows("ticket_versions", "is_deleted, updated_at") == [(True, datetime(2026, 2, 2, 12))]
    assert landing.rows("ticket_changes") == []


def test_only_a_public_reply_of_the_desk_is_a_public_message_of_an_agent(landing: Landing) -> None:
    said = [
        conversation(1, "2026-02-02T08:30:00Z", private=True),
        conversation(2, "2026-02-02T09:00:00Z", source=8),
        conversation(3, "2026-02-02T09:30:00Z", incoming=True, user_id=501),
        conversation(4, "2026-02-02T10:00:00Z"),
    ]
    assert land(landing, ticket(conversations=said)) == ["messages"]
    columns = "message_id, message_kind, author_id, author_kind, is_public, said_at, version_at"
    updated_at = datetime(2026, 2, 2, 12)
    assert landing.rows("ticket_messages", columns) == [
        ("9007199254740993:1", "comment", "7", "agent", False, datetime(2026, 2, 2, 8, 30), updated_at),
        ("9007199254740993:2", "comment", "7", "agent", False, datetime(2026, 2, 2, 9), updated_at),
        ("9007199254740993:3", "comment", "501", "customer", True, datetime(2026, 2, 2, 9, 30), updated_at),
        ("9007199254740993:4", "comment", "7", "agent", True, datetime(2026, 2, 2, 10), updated_at),
    ]


def test_a_conversation_of_its_own_stands_in_no_version_of_the_ticket(landing: Landing) -> None:
    alone = conversation(1, "2026-02-02T09:30:00Z", ticket_id=5)
    assert landing.land("fresh", "conversations.ndjson", json.dumps(alone) + "\n").rows_landed == 1
    assert landing.rows("ticket_messages", "message_id, ticket_id, version_at") == [("5:1", "5", None)]
    assert landing.rows("ticket_versions") == []


STATS = {"first_responded_at": "2026-02-02T10:00:01Z", "resolved_at": "2026-02-02T12:00:00Z"}
DATED = ("9007199254740993:first_responded", "date", "agent", None, True, datetime(2026, 2, 2, 10, 0, 1))
MESSAGES = "message_id, message_kind, author_kind, author_id, is_public, said_at"


@pytest.mark.parametrize("bots", ["", '    bots: {actors: ["7"]}\n'])
def test_stats_give_the_first_answer_to_the_second_and_the_resolution(
    declare: Callable[[str], Landing], bots: str
) -> None:
    landing = declare(SLA_YML + bots)
    assert land(landing, ticket(stats=STATS)) == ["response_date resolution"]
    assert landing.rows("ticket_messages", MESSAGES) == [DATED]
    columns = "change_id, change_kind, field_name, value, earliest_at, changed_at"
    assert landing.rows("ticket_changes", columns) == [
        ("9007199254740993:resolved_at", "date", "status", "solved", None, datetime(2026, 2, 2, 12))
    ]


def test_stats_and_conversations_land_beside_each_other_also_where_they_contradict(landing: Landing) -> None:
    said = [conversation(1, "2026-02-02T11:00:00Z")]
    assert land(landing, ticket(stats=STATS, conversations=said)) == ["response_date resolution messages"]
    assert landing.rows("ticket_messages", MESSAGES) == [
        ("9007199254740993:1", "comment", "agent", "7", True, datetime(2026, 2, 2, 11)),
        DATED,
    ]


def test_a_reopening_is_counted_with_the_dates_that_it_left(landing: Landing) -> None:
    stats = {"reopened_at": "2026-02-03T08:00:00Z", "resolved_at": "2026-02-04T12:00:00Z"}
    never = ticket(id=2, stats={"reopened_at": None})
    # Stats without the date say nothing of reopenings.
    unsaid = ticket(id=3, stats={})
    assert land(landing, ticket(stats=stats), never, unsaid) == 3 * ["response_date resolution"]
    assert landing.rows("ticket_versions", "reopen_count") == [1, 0, None]
    assert landing.rows("ticket_changes", "value, changed_at") == [
        ("open", datetime(2026, 2, 3, 8)),
        ("solved", datetime(2026, 2, 4, 12)),
    ]


@pytest.mark.parametrize(("count", "evidence"), [(9, "messages"), (10, "first_messages")])
def test_ten_embedded_conversations_may_not_be_all_of_them(
    landing: Landing, count: int, evidence: str
) -> None:
    said = [conversation(n, f"2026-02-02T08:{n:02}:00Z", incoming=True) for n in range(1, count + 1)]
    assert land(landing, ticket(conversations=said)) == [evidence]
    assert len(landing.rows("ticket_messages")) == count


def test_a_ticket_without_conversations_and_stats_shows_nothing_and_says_so(landing: Landing) -> None:
    result = landing.land("fresh", "tickets.json", json.dumps([ticket()], indent=1))
    assert "1 tickets come without conversations and without usable stats" in str(result.warnings[0])
    assert landing.rows("ticket_versions", "evidence, line_number") == [("", 2)]


def test_stats_without_conversations_are_warned_of_where_a_bot_has_a_seat(
    declare: Callable[[str], Landing],
) -> None:
    content = json.dumps(ticket(stats=STATS)) + "\n"
    assert declare(SLA_YML).land("fresh", "a.ndjson", content).warnings == ()
    robotic = declare(SLA_YML + '    bots: {actors: ["7"]}\n')
    result = robotic.land("fresh", "b.ndjson", content.replace("9007199254740993", "2"))
    assert "1 tickets come without conversations and without usable stats" in str(result.warnings[0])


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


@pytest.mark.parametrize(
    ("said", "kind", "lines"),
    [
        ({"body_text": "This ticket is closed and merged into ticket 17"}, "bot", ["17"]),
        ({"body": '<div>This ticket is closed and merged into ticket <a href="/a/17">17</a></div>'}, "bot", ["17"]),
        ({"body_text": "Merged from ticket 16\n\nSubject: x"}, "bot", []),
        ({"body_text": "It says: This ticket is closed and merged into ticket 17"}, "agent", []),
        ({"body_text": "This ticket is closed and merged into ticket 17", "incoming": True}, "customer", []),
        ({"body": None}, "agent", []),
    ],
)  # fmt: skip
def test_the_line_that_a_merge_writes_is_known_by_its_words(
    landing: Landing, said: dict[str, Any], kind: str, lines: list[str]
) -> None:
    land(landing, ticket(conversations=[conversation(1, "2026-02-02T09:00:00Z", **said)]))
    assert landing.rows("ticket_messages", "author_kind") == [kind]
    assert landing.rows("ticket_changes", "value") == lines
