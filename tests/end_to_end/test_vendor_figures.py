"""The helpdesk's own figures land beside ours and are compared: they say, we say, why. None of ours depends on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.command_line import run_sla
from tests.end_to_end.published import query
from tests.end_to_end.small_vendor import init_vendor, write_lines

CARLA = {"accountId": "qm:1", "accountType": "customer", "emailAddress": "carla@acme.example"}
MIA = {"accountId": "mia", "accountType": "atlassian"}
# Mon 2026-02-02 08:00 UTC and the hours after it; Standard, level 3: 24 h of 06:00-21:00 UTC.
NINE, TEN, NOON = (
    "2026-02-02T09:00:00.000+0000",
    "2026-02-02T10:00:00.000+0000",
    "2026-02-02T12:00:00.000+0000",
)


def cycle(
    elapsed: int, goal: int | None = 86400, breached: bool = False, start: str = "2026-02-02T08:00:00Z"
) -> dict[str, Any]:
    return {
        "startTime": {"iso8601": start},
        "stopTime": {"iso8601": NOON},
        "breached": breached,
        "elapsedTime": {"millis": 1000 * elapsed},
        **({} if goal is None else {"goalDuration": {"millis": 1000 * goal}}),
    }


def issue(key: str, done: dict[str, Any], answered_at: str = NOON) -> str:
    fields = {
        "created": "2026-02-02T08:00:00.000+0000", "updated": "2026-02-03T08:00:00.000+0000", "summary": key,
        "status": {"name": "Open"}, "priority": {"name": "High"}, "reporter": CARLA, "creator": CARLA,
        "comment": {"comments": [{"id": "1", "created": answered_at, "author": MIA, "jsdPublic": True}], "total": 1},
        "customfield_10020": {"name": "Time to first response", "completedCycles": [done]},
    }  # fmt: skip
    return json.dumps({"key": key, "fields": fields, "changelog": {"histories": [], "total": 0}})


def zendesk_objects() -> list[dict[str, Any]]:
    """Two tickets that are answered after 4 h, and what metric events say of them; the second pages overlap."""
    at = {"created_at": "2026-02-02T08:00:00Z", "updated_at": "2026-02-02T12:00:00Z"}
    objects: list[dict[str, Any]] = [
        {"id": 7, "role": "agent", "name": "Mia"},
        {"id": 8, "role": "end-user", "name": "Carla"},
    ]
    for ticket_id in (101, 102):
        ticket = {
            "id": ticket_id,
            "status": "open",
            "priority": "normal",
            "subject": "x",
            "requester_id": 8,
            "submitter_id": 8,
        }
        objects.append(ticket | at)
        for number, (written_at, author) in enumerate([(at["created_at"], 8), (at["updated_at"], 7)]):
            events = [{"id": 10 * ticket_id + number, "type": "Comment", "public": True}]
            created = (
                [{"id": ticket_id, "type": "Create", "field_name": "status", "value": "open"}]
                if not number
                else []
            )
            objects.append(
                {"id": 1000 * ticket_id + number, "ticket_id": ticket_id, "created_at": written_at, "author_id": author,
                 "events": created + events}
            )  # fmt: skip
    said = {"id": 1, "ticket_id": 101, "metric": "reply_time", "instance_id": 1}
    # The minutes of 11:00 come after those of noon; the breach is written for a moment after all data.
    soon, late = "2026-02-02T11:00:00Z", "2030-01-01T00:00:00Z"
    events_of_101 = [
        said
        | {"type": "update_status", "time": at["updated_at"], "status": {"calendar": 240, "business": 240}},
        said | {"type": "update_status", "time": soon, "status": {"calendar": 180, "business": 180}},
        said | {"type": "breach", "time": late},
    ]
    # A breach that is taken back, told again as it was by a page that overlaps.
    breach = said | {"type": "breach", "ticket_id": 102, "time": "2026-02-02T10:00:00Z"}
    events_of_102 = [breach | {"deleted": True}, breach]
    return [*objects, {"ticket_metric_events": events_of_101}, {"ticket_metric_events": events_of_102}]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = init_vendor(tmp_path_factory.mktemp("figures") / "vendor")
    write_lines(
        root / "sla.yml",
        "compare_plans: []",
        "sources:",
        "  desk:",
        "    type: jira",
        "    customer: {constant: acme}",
        "    severity: {field: priority, values: {High: 3}}",
        "    agents: {account_types: [atlassian]}",
        "  zen: {type: zendesk, customer: {constant: acme}, severity: {field: priority, values: {normal: 3}}}",
    )
    write_lines(root / "inbox" / "zen" / "tickets.ndjson", *(json.dumps(one) for one in zendesk_objects()))
    write_lines(
        root / "inbox" / "desk" / "issues.ndjson",
        issue("SAME-1", cycle(4 * 3600)),
        issue("HOURS-1", cycle(2 * 3600)),
        issue("START-1", cycle(3 * 3600, start="2026-02-02T09:00:00Z")),
        issue("STOP-1", cycle(4 * 3600), answered_at=TEN),
        issue("GOAL-1", cycle(3 * 3600, goal=3600, breached=True)),
    )
    run_sla("--workspace", str(root), "ingest").expect(0)
    run_sla("--workspace", str(root), "build").expect(0)
    return root


def test_each_difference_has_its_reason(root: Path) -> None:
    rows = query(
        root,
        "select ticket_id, they_seconds, our_seconds, difference_seconds, they_breached, we_breached, difference_reason"
        " from qc.rpt_qc__vendor_figures where source = 'desk' order by ticket_id",
    )
    hour = 3600
    assert rows == [
        ("GOAL-1", 3 * hour, 4 * hour, hour, True, False, "other_goal"),
        ("HOURS-1", 2 * hour, 4 * hour, 2 * hour, False, False, "their_business_hours"),
        ("SAME-1", 4 * hour, 4 * hour, 0, False, False, "equal"),
        ("START-1", 3 * hour, 4 * hour, hour, False, False, "different_start"),
        ("STOP-1", 4 * hour, 2 * hour, -2 * hour, False, False, "different_stop"),
    ]


def test_metric_events_are_compared_as_they_stand_at_as_of(root: Path) -> None:
    rows = query(
        root,
        "select ticket_id, figure, clock_kind, they_seconds, they_breached, difference_reason from qc.rpt_qc__vendor_figures"
        " where source = 'zen' order by all",
    )
    hours = 4 * 3600
    assert rows == [
        ("101", "reply_time update_status", "business", hours, None, "equal"),
        ("101", "reply_time update_status", "calendar", hours, None, "equal"),
        ("102", "reply_time breach", None, None, False, "equal_verdict"),
    ]


def test_the_command_shows_both_sides_and_counts_the_reasons(root: Path) -> None:
    shown = run_sla("--workspace", str(root), "vendor-figures", "--reason", "other_goal").expect(0).out
    assert "GOAL-1" in shown and "SAME-1" not in shown
    assert "They measure against another target: 1." in shown
    listed = json.loads(run_sla("--workspace", str(root), "--json", "vendor-figures").expect(0).out)
    assert len(listed) == 8
    run_sla("--workspace", str(root), "vendor-figures", "--reason", "guess").expect(2)
