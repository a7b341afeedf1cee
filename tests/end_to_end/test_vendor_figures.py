"""The helpdesk's own figures land beside ours and are compared: they say, we say, why. None of ours depends on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.command_line import run_sla
from tests.end_to_end.published import query
from tests.end_to_end.small_vendor import CUSTOMERS_HEADER, TERMS_HEADER, init_vendor, write_lines

CARLA = {"accountId": "qm:1", "accountType": "customer", "emailAddress": "carla@acme.example"}
MIA = {"accountId": "mia", "accountType": "atlassian"}
# Mon 2026-02-02 08:00 UTC and the hours after it; Standard, level 3: 24 h of 06:00-21:00 UTC.
NINE, TEN, NOON = (
    "2026-02-02T09:00:00.000+0000",
    "2026-02-02T10:00:00.000+0000",
    "2026-02-02T12:00:00.000+0000",
)


def cycle(
    elapsed: int,
    goal: int | None = 86400,
    breached: bool = False,
    start: str = "2026-02-02T08:00:00Z",
    stop: str = NOON,
) -> dict[str, Any]:
    return {
        "startTime": {"iso8601": start},
        "stopTime": {"iso8601": stop},
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


def answered(key: str, minutes: int, they_say: int | None = None) -> str:
    """Answered so many minutes after 12:00; the helpdesk says the same, or so many seconds after 08:00."""
    at = f"2026-02-02T{12 + minutes // 60}:{minutes % 60:02}:00.000+0000"
    ours = 4 * 3600 + 60 * minutes
    return issue(key, cycle(ours if they_say is None else they_say, stop=at), answered_at=at)


def in_another_schedule() -> list[str]:
    """Answers of 13:00 to 16:00. They leave out 2 h in four; five like ours lie before the third, six before the fourth."""
    hour = 3600
    lines = [answered("GRP-1", 60, 3 * hour), answered("GRP-2", 120, 4 * hour)]
    lines += [answered(f"FIVE-{number}", 120 + number) for number in range(1, 6)]
    lines += [answered("GRP-3", 180, 5 * hour)]
    lines += [answered(f"SIX-{number}", 180 + number) for number in range(1, 7)]
    return [*lines, answered("GRP-4", 240, 6 * hour)]


def zendesk_objects() -> list[dict[str, Any]]:
    """Tickets that are answered after 4 h or some seconds more, and what metric events say of them; the second pages overlap."""
    at = {"created_at": "2026-02-02T08:00:00Z", "updated_at": "2026-02-02T12:00:00Z"}
    objects: list[dict[str, Any]] = [
        {"id": 7, "role": "agent", "name": "Mia"},
        {"id": 8, "role": "end-user", "name": "Carla"},
    ]
    for ticket_id, answered_at in (
        (101, ""),
        (102, ""),
        (103, "2026-02-02T12:00:59Z"),
        (104, "2026-02-02T12:01:00Z"),
    ):
        ticket = {
            "id": ticket_id,
            "status": "open",
            "priority": "normal",
            "subject": "x",
            "requester_id": 8,
            "submitter_id": 8,
        }
        objects.append(ticket | at)
        for number, (written_at, author) in enumerate(
            [(at["created_at"], 8), (answered_at or at["updated_at"], 7)]
        ):
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
    minutes = [
        said
        | {"type": "update_status", "ticket_id": ticket_id, "time": "2026-02-02T12:01:00Z"}
        | {"status": {"calendar": 240, "business": 240}}
        for ticket_id in (103, 104)
    ]
    pages = (events_of_101, events_of_102, minutes)
    return [*objects, *({"ticket_metric_events": page} for page in pages)]


SOLVING = """
plan: solving
clauses: {resolution: "Made up by a test: solved within 24 h"}
versions:
  - valid_from: "2025-01-01"
    time_zone: UTC
    calendar: always
    severities: {3: {label: Normal, is_covered: true}}
    obligations:
      - obligation: resolution
        cycles: once
        starts_on: [submitted]
        stops_on: ["status:solved"]
        promises: [{severities: [3], target: 24h, clock: always, clause: resolution}]
"""
# Standard, level 3. Monday 08:00 to the end of Wednesday: 13 h + 15 h + 15 h = 43 h of 24 h.
FRESHDESK = (
    "Ticket ID,Status,Priority,Created time,Last update time,Initial response time,First response time (in hrs),"
    "First response status",
    "1,Open,High,2025-12-29 08:00:00,2026-01-01 00:00:00,2025-12-31 23:59:59,43:00:00,Within SLA",
    "2,Open,High,2025-12-29 08:00:00,2026-01-01 00:00:00,2026-01-01 00:00:00,43:00:00,Within SLA",
    "3,Open,High,2025-12-29 08:00:00,2026-01-01 00:00:00,2025-12-31 23:59:59,43:00:00,SLA Violated",
)
# 24 h of wall time. The first two are solved after 10 h, the last is not solved.
SERVICENOW = (
    "number,state,opened_at,sys_updated_on,resolved_at,priority,made_sla",
    "MADE,6,2026-02-02 08:00:00,2026-02-02 18:00:00,2026-02-02 18:00:00,1,true",
    "MISSED,6,2026-02-02 08:00:00,2026-02-02 18:00:00,2026-02-02 18:00:00,1,false",
    "RUNNING,2,2026-02-02 08:00:00,2026-02-03 18:00:00,,1,true",
)


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
        "  fresh:",
        "    type: freshdesk",
        "    ticket_prefix: F-",
        "    time_zone: UTC",
        "    customer: {constant: acme}",
        "    severity: {field: priority, values: {High: 3}}",
        "  now:",
        "    type: servicenow",
        "    time_zone: UTC",
        "    date_format: '%Y-%m-%d %H:%M:%S'",
        "    customer: {constant: beta}",
        "    severity: {field: priority, values: {'1': 3}}",
    )
    write_lines(
        root / "reference" / "customers.csv", CUSTOMERS_HEADER, "acme,Acme,UTC,en,", "beta,Beta,UTC,en,"
    )
    write_lines(
        root / "reference" / "subscriptions.csv",
        TERMS_HEADER,
        "S-1,acme,standard,2025-01-01,2027-01-01,paid,active",
        "S-2,beta,solving,2025-01-01,2027-01-01,paid,active",
    )
    write_lines(root / "reference" / "plans" / "solving.yml", SOLVING)
    write_lines(root / "inbox" / "fresh" / "tickets.csv", *FRESHDESK)
    write_lines(root / "inbox" / "now" / "incidents.csv", *SERVICENOW)
    write_lines(root / "inbox" / "zen" / "tickets.ndjson", *(json.dumps(one) for one in zendesk_objects()))
    write_lines(
        root / "inbox" / "desk" / "issues.ndjson",
        issue("SAME-1", cycle(4 * 3600)),
        issue("HOURS-1", cycle(2 * 3600)),
        issue("START-1", cycle(3 * 3600, start="2026-02-02T09:00:00Z")),
        issue("STOP-1", cycle(4 * 3600), answered_at=TEN),
        issue("GOAL-1", cycle(3 * 3600, goal=3600, breached=True)),
        *in_another_schedule(),
    )
    run_sla("--workspace", str(root), "ingest").expect(0)
    run_sla("--workspace", str(root), "build").expect(0)
    return root


def test_each_difference_has_its_reason(root: Path) -> None:
    rows = query(
        root,
        "select ticket_id, they_seconds, our_seconds, difference_seconds, they_breached, we_breached, difference_reason"
        " from qc.rpt_qc__vendor_figures where source = 'desk' and they_stopped_at = timestamp '2026-02-02 12:00:00'"
        " order by ticket_id",
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
        # 59 s are the rest of a minute that they cut off, 60 s are not.
        ("103", "reply_time update_status", "business", hours, None, "within_precision"),
        ("103", "reply_time update_status", "calendar", hours, None, "within_precision"),
        ("104", "reply_time update_status", "business", hours, None, "their_business_hours"),
        ("104", "reply_time update_status", "calendar", hours, None, "unexplained"),
    ]


def test_differences_of_one_cause_are_one_group_until_six_figures_in_a_row_agree(root: Path) -> None:
    rows = query(
        root,
        "select ticket_count, strftime(first_at, '%H:%M'), strftime(last_at, '%H:%M'), greatest_difference_seconds,"
        " who_is_right from qc.rpt_qc__vendor_figure_groups"
        " where source = 'desk' and difference_reason = 'their_business_hours' order by first_at",
    )
    # HOURS-1 at noon is alone: others differ for other causes in between.
    hours = 2 * 3600
    assert rows == [
        (1, "12:00", "12:00", hours, "ours"),
        (3, "13:00", "15:00", hours, "ours"),
        (1, "16:00", "16:00", hours, "ours"),
    ]


def test_the_same_time_and_another_verdict_is_no_agreement(root: Path) -> None:
    rows = query(
        root,
        "select ticket_id, difference_seconds, they_breached, we_breached, difference_reason, who_is_right"
        " from qc.rpt_qc__vendor_figures where source = 'fresh' order by ticket_id",
    )
    # 43 h are within a target of two days since January 2026 (48 h of business hours), and over it before (2 * 15 h = 30 h).
    # So the first one was held against another target, which the export does not state.
    assert rows == [
        ("F-1", 0, False, True, "no_goal_stated", "ours"),
        ("F-2", 0, False, True, "days_read_as_24_hours", "ours"),
        ("F-3", 0, True, True, "equal", "both"),
    ]


def test_a_verdict_in_a_field_of_the_ticket_is_shown(root: Path) -> None:
    rows = query(
        root,
        "select ticket_id, figure, obligation, they_breached, we_breached, difference_reason, who_is_right"
        " from qc.rpt_qc__vendor_figures where source = 'now' order by ticket_id",
    )
    assert rows[:2] == [
        ("MADE", "made_sla", "resolution", False, False, "equal_verdict", "both"),
        ("MISSED", "made_sla", "resolution", True, False, "other_verdict", "open"),
    ]
    # "Made" of an incident that still runs is no verdict yet.
    assert [row[-2:] for row in rows[2:]] == [("nothing_to_compare", "open")]


def test_the_command_shows_both_sides_and_counts_the_reasons(root: Path) -> None:
    shown = run_sla("--workspace", str(root), "vendor-figures", "--reason", "other_goal").expect(0).out
    assert "GOAL-1" in shown and "SAME-1" not in shown
    assert "They measure against another target than the plan: 1." in shown
    assert "Differences of one cause, in time" in shown
    listed = json.loads(run_sla("--workspace", str(root), "--json", "vendor-figures").expect(0).out)
    counted = query(root, "select count(*) from qc.rpt_qc__vendor_figures")
    assert len(listed["rows"]) == counted[0][0] == 33
    assert listed["groups"][0]["ticket_count"] == 3
    hours = (
        run_sla("--workspace", str(root), "vendor-figures", "--reason", "their_business_hours").expect(0).out
    )
    assert "2026-02-02 13:00:00" in hours and "2026-02-02 15:00:00" in hours and "+7200 s" in hours
    run_sla("--workspace", str(root), "vendor-figures", "--reason", "guess").expect(2)
