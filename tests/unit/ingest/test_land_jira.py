"""Jira's REST issues land as versions, messages and changes; what an answer does not say stays open for the models."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.unit.ingest.conftest import Landing

SLA_YML = """\
sources:
  jsm:
    type: jira
    customer: {field: customfield_10002}
    severity: {field: priority, values: {Highest: 5, High: 4, Medium: 3}}
    channel: {constant: web_form}
    agents: {domains: [vendor.example], account_types: [atlassian]}
    events:
      debug_delivered: {field: labels, value: debug_delivered}
"""
CARLA = {"accountId": "qm:1", "emailAddress": "carla@acme.example", "accountType": "customer"}
MIA = {"accountId": "557058:mia", "displayName": "Mia", "accountType": "atlassian"}
ROBOT = {"accountId": "557058:app", "displayName": "Automation", "accountType": "app"}


@pytest.fixture
def landing(declare: Callable[[str], Landing]) -> Landing:
    return declare(SLA_YML)


def comment(number: int, at: str, author: dict[str, str] = MIA, **values: Any) -> dict[str, Any]:
    return {"id": str(number), "created": at, "author": author, "jsdPublic": True, **values}


def change(
    number: int, at: str, *items: tuple[str, str | None, str | None], author: Any = MIA
) -> dict[str, Any]:
    listed = [
        {"field": name, "fieldId": name, "fromString": before, "toString": now} for name, before, now in items
    ]
    return {"id": str(number), "created": at, "author": author, "items": listed}


def issue(
    key: str = "SUP-1", histories: list[Any] | None = None, comments: list[Any] | None = None, **fields: Any
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": "10001",
        "key": key,
        "fields": {
            "created": "2018-05-11T09:46:53.000+0300",
            "updated": "2018-05-12T09:46:53.000+0300",
            "summary": "Sync is slow",
            "status": {"name": "Waiting for support", "id": "1"},
            "priority": {"name": "High", "id": "2"},
            "reporter": CARLA,
            "creator": CARLA,
            "customfield_10002": [{"id": "3", "name": "acme"}],
            **fields,
        },
    }
    if comments is not None:
        made["fields"]["comment"] = {
            "comments": comments,
            "total": len(comments),
            "maxResults": len(comments),
        }
    if histories is not None:
        made["changelog"] = {"histories": histories, "total": len(histories), "startAt": 0}
    return made


PIPELINE = (
    "id,instance_url,key,url,project_key,project_name,project_type,issue_type,summary,description,creator_id,reporter_id,status,"
    "priority_sequence,priority_name,resolution,created_date,resolution_date,updated_date\r\n"
)


def pipeline_row(key: str = "SUP-1", created: str = "2018-05-11T06:46:53Z", resolved: str = "") -> str:
    return (
        f"10001,https://jira.example,{key},https://jira.example/browse/{key},SUP,Support,Service Desk,Incident,Sync is slow,"
        f'"It, ""is""\\nslow",7,7,Waiting for support,2,High,,{created},{resolved},2018-05-12T06:46:53.000Z\r\n'
    )


def land(landing: Landing, *issues: dict[str, Any]) -> Any:
    result = landing.land("jsm", "issues.json", json.dumps({"issues": list(issues), "total": len(issues)}))
    assert result.rows_rejected == 0, result.problems
    return result


def test_an_offset_without_colon_is_read_and_the_organization_names_the_customer(landing: Landing) -> None:
    land(landing, issue(histories=[], comments=[]))
    columns = (
        "ticket_id, customer_id, requester, requester_id, opener, channel, severity, submitted_at, updated_at"
    )
    assert landing.rows("ticket_versions", columns) == [
        # The constant channel of sla.yml is no fact of the export.
        ("SUP-1", "acme", "carla@acme.example", "qm:1", "qm:1", None, "High", datetime(2018, 5, 11, 6, 46, 53),
         datetime(2018, 5, 12, 6, 46, 53))
    ]  # fmt: skip


def test_every_changed_field_lands_with_what_it_held_before_and_its_place_in_the_history(
    landing: Landing,
) -> None:
    histories = [
        change(12, "2018-05-11T12:00:00.000+0300", ("status", "In Progress", "Resolved")),
        change(
            9,
            "2018-05-11T10:00:00.000+0300",
            ("status", "Open", "In Progress"),
            ("priority", "Medium", "High"),
        ),
    ]
    land(landing, issue(histories=histories, comments=[]))
    columns = "change_id, change_kind, field_name, field_id, value_before, value, changed_at, update_id, place, author_id"
    first, last = datetime(2018, 5, 11, 7), datetime(2018, 5, 11, 9)
    assert sorted(landing.rows("ticket_changes", columns)) == [
        (
            "SUP-1:12:0",
            "changed",
            "status",
            "status",
            "In Progress",
            "Resolved",
            last,
            "12",
            0,
            MIA["accountId"],
        ),
        ("SUP-1:9:0", "changed", "status", "status", "Open", "In Progress", first, "9", 0, MIA["accountId"]),
        ("SUP-1:9:1", "changed", "priority", "priority", "Medium", "High", first, "9", 1, MIA["accountId"]),
    ]
    assert landing.rows("ticket_versions", "evidence, status") == [
        ("messages history", "Waiting for support")
    ]


def test_a_comment_names_the_account_the_address_and_the_kind_of_its_author(landing: Landing) -> None:
    stranger = {"key": "JIRAUSER1", "emailAddress": "x@elsewhere.example"}
    colleague = {"key": "JIRAUSER2", "emailAddress": "Ben@Vendor.example"}
    said = [
        comment(n, "2018-05-11T11:00:00.000+0300", who)
        for n, who in enumerate((CARLA, MIA, ROBOT, stranger, colleague))
    ]
    land(landing, issue(comments=said, histories=[]))
    assert landing.rows("ticket_messages", "author_id, author_address, author_role, author_kind") == [
        ("qm:1", "carla@acme.example", "customer", None),
        ("557058:mia", None, "atlassian", None),
        ("557058:app", None, "app", None),
        ("JIRAUSER1", "x@elsewhere.example", None, None),
        ("JIRAUSER2", "Ben@Vendor.example", None, None),
    ]


@pytest.mark.parametrize(
    ("mark", "is_public"),
    [
        ({"jsdPublic": True}, True),
        ({"jsdPublic": False}, False),
        (
            {"jsdPublic": None, "properties": [{"key": "sd.public.comment", "value": {"internal": True}}]},
            False,
        ),
        ({"jsdPublic": True, "visibility": {"type": "role", "value": "Service Desk Team"}}, False),
    ],
)
def test_a_comment_is_public_where_the_answer_says_so(
    landing: Landing, mark: dict[str, Any], is_public: bool
) -> None:
    land(landing, issue(comments=[comment(1, "2018-05-11T11:00:00.000+0300", **mark)]))
    columns = "message_id, message_kind, is_public, said_at, version_at"
    assert landing.rows("ticket_messages", columns) == [
        ("SUP-1:comment:1", "comment", is_public, datetime(2018, 5, 11, 8), datetime(2018, 5, 12, 6, 46, 53))
    ]


def test_comments_without_a_mark_land_without_one_and_are_named(landing: Landing) -> None:
    unmarked = comment(1, "2018-05-11T11:00:00.000+0300")
    del unmarked["jsdPublic"]
    result = land(
        landing, issue(comments=[unmarked], histories=[]), issue("SUP-2", comments=[], histories=[])
    )
    assert landing.rows("ticket_versions", "evidence") == ["messages history"] * 2
    assert landing.rows("ticket_messages", "ticket_id, is_public") == [("SUP-1", None)]
    assert "1 comments do not say whether the customer could see them" in str(result.warnings[0])


def test_a_comment_that_a_customer_wrote_needs_no_mark(landing: Landing) -> None:
    reporter = {"key": "JIRAUSER7"}
    said = [comment(n, "2018-05-11T11:00:00.000+0300", who) for n, who in enumerate((CARLA, reporter))]
    for one in said:
        del one["jsdPublic"]
    assert land(landing, issue(comments=said, reporter=reporter)).warnings == ()
    assert landing.rows("ticket_messages", "is_public") == [None, None]


def test_a_declaration_of_unmarked_comments_leaves_the_facts_and_silences_the_warning(
    declare: Callable[[str], Landing],
) -> None:
    landing = declare(SLA_YML + "    comments: public\n")
    unmarked = comment(1, "2018-05-11T11:00:00.000+0300")
    del unmarked["jsdPublic"]
    assert land(landing, issue(comments=[unmarked])).warnings == ()
    assert landing.rows("ticket_versions", "evidence") == ["messages"]
    assert landing.rows("ticket_messages", "is_public") == [None]


def test_a_history_or_a_list_of_comments_that_was_cut_off_is_no_evidence(landing: Landing) -> None:
    cut_off = issue(histories=[], comments=[])
    cut_off["changelog"]["total"] = 3
    cut_off["fields"]["comment"]["total"] = 51
    land(landing, cut_off)
    assert landing.rows("ticket_versions", "evidence, severity") == [("", None)]


def test_labels_before_and_after_a_change_land_as_lists(landing: Landing) -> None:
    histories = [
        change(1, "2018-05-11T10:00:00.000+0300", ("labels", "a", "a debug_delivered")),
        change(2, "2018-05-11T11:00:00.000+0300", ("labels", "a debug_delivered", "a b debug_delivered")),
    ]
    land(landing, issue(histories=histories, comments=[]))
    assert landing.rows("ticket_changes", "field_name, value_before, value, changed_at") == [
        ("labels", '["a"]', '["a", "debug_delivered"]', datetime(2018, 5, 11, 7)),
        ("labels", '["a", "debug_delivered"]', '["a", "b", "debug_delivered"]', datetime(2018, 5, 11, 8)),
    ]


def test_the_key_that_an_issue_had_before_it_moved_is_merged_into_it(landing: Landing) -> None:
    moved = change(1, "2018-05-11T10:00:00.000+0300", ("Key", "OLD-1", "SUP-1"))
    land(landing, issue(histories=[moved]))
    columns = "change_id, ticket_id, change_kind, field_name, value, changed_at"
    assert landing.rows("ticket_changes", columns) == [
        ("SUP-1:1:0", "SUP-1", "changed", "Key", "SUP-1", datetime(2018, 5, 11, 7)),
        # Under its old key it has been this ticket from its submission on.
        ("SUP-1:1:0:merged", "OLD-1", "event", "merged", "SUP-1", datetime(2018, 5, 11, 6, 46, 53)),
    ]


CYCLES = {
    "id": "1",
    "name": "Time to first response",
    "completedCycles": [
        {
            "startTime": {"epochMillis": 1526021213000},
            "stopTime": {"iso8601": "2018-05-11T10:46:53+0300"},
            "breached": False,
            "goalDuration": {"millis": 14400000},
            "elapsedTime": {"millis": 3600999},
            "remainingTime": {"millis": 10799001},
        }
    ],
    "ongoingCycle": {
        "startTime": {"epochMillis": 1526031213000},
        "breached": True,
        "elapsedTime": {"millis": 20000000},
    },
}


@pytest.mark.parametrize("form", ["in the issue", "page of the request"])
def test_every_cycle_of_an_sla_is_a_figure_of_theirs(landing: Landing, form: str) -> None:
    page = {
        "values": [CYCLES],
        "_links": {"self": "https://jsm.example/rest/servicedeskapi/request/SUP-1/sla"},
    }
    content = issue(customfield_10020=CYCLES) if form == "in the issue" else page
    landing.land("jsm", "sla.json", json.dumps(content))
    figures = landing.rows(
        "vendor_sla_figures", "ticket_id, obligation, cycle_number, they_seconds, goal_seconds, they_breached"
    )
    assert figures == [
        ("SUP-1", "first_response", 1, 3600, 14400, False),
        ("SUP-1", "first_response", 2, 20000, None, True),
    ]


def test_an_sla_page_that_names_no_request_is_refused(
    landing: Landing, reasons: Callable[[Any], list[str]]
) -> None:
    result = landing.land("jsm", "sla.json", json.dumps({"values": [CYCLES]}))
    assert any("does not name the request of these SLAs" in reason for reason in reasons(result))


def test_the_same_issue_twice_on_one_line_lands_once(landing: Landing) -> None:
    land(landing, issue(histories=[], comments=[]), issue(histories=[], comments=[]))
    assert landing.rows("ticket_versions", "ticket_id") == ["SUP-1"]


def test_two_versions_of_an_issue_on_one_line_land_both(landing: Landing) -> None:
    land(landing, issue(), issue(updated="2018-05-13T09:46:53.000+0300"))
    assert landing.rows("ticket_versions", "ticket_id, updated_at, line_number") == [
        ("SUP-1", datetime(2018, 5, 12, 6, 46, 53), 1),
        ("SUP-1", datetime(2018, 5, 13, 6, 46, 53), 1),
    ]


SAME = "ticket_id, customer_id, channel, severity, submitted_at, subject, ticket_type, updated_at, status, evidence"
SAME_CHANGES = "change_id, ticket_id, change_kind, field_name, value, earliest_at, changed_at, version_at, author_id, author_kind"


def test_issues_of_the_data_pipeline_are_those_of_the_rest_form_without_its_history(
    declare: Callable[[str], Landing],
) -> None:
    landing = declare(SLA_YML.replace("{field: customfield_10002}", "{field: project}"))
    common: dict[str, Any] = {"project": {"key": "SUP"}, "issuetype": {"name": "Incident"}}
    land(
        landing,
        issue(**common, resolutiondate=None),
        issue("SUP-2", **common, resolutiondate="2018-05-11T12:46:53.000+0300"),
    )
    tickets, changes = landing.rows("ticket_versions", SAME), landing.rows("ticket_changes", SAME_CHANGES)
    assert [ticket[-1] for ticket in tickets] == ["resolution", "resolution"]
    assert [change[:7] for change in changes] == [
        ("SUP-2:resolved", "SUP-2", "date", "status", "solved", None, datetime(2018, 5, 11, 9, 46, 53))
    ]
    # The zone and format that are declared are those of the other tables.
    landing = declare(
        SLA_YML.replace("{field: customfield_10002}", "{field: project}").replace(
            "    type: jira",
            '    type: jira\n    time_zone: Europe/Berlin\n    date_format: "%d/%b/%y %I:%M %p"',
        )
    )
    content = PIPELINE + pipeline_row() + pipeline_row("SUP-2", resolved="2018-05-11T09:46:53Z")
    assert landing.land("jsm", "issues_job3_20180512.csv", content).rows_landed == 2
    assert landing.rows("ticket_versions", SAME) == tickets * 2
    assert landing.rows("ticket_changes", SAME_CHANGES) == changes * 2


def test_issues_of_the_data_pipeline_need_no_declared_zone_and_an_export_of_nothing_is_no_failure(
    landing: Landing,
) -> None:
    assert landing.land("jsm", "issues.csv", PIPELINE + pipeline_row()).rows_landed == 1
    assert landing.land("jsm", "nothing.csv", PIPELINE).status == "landed"


@pytest.mark.parametrize(
    "created", ["1525998413", "11/May/18 9:46 AM", "2018-05-11T06:46:53", "", "2018-05-11"]
)
def test_a_pipeline_instant_without_its_zone_is_refused(landing: Landing, created: str) -> None:
    result = landing.land("jsm", "issues.csv", PIPELINE + pipeline_row() + pipeline_row("SUP-2", created))
    assert (result.rows_landed, result.rows_rejected) == (1, 1)
    assert "issues.csv:3: created_date: " in str(result.problems[0])


def test_the_history_of_the_data_pipeline_is_rejected_with_what_reads_it(landing: Landing) -> None:
    header = "issue_id,changelog_id,author_id,author_key,created_date,field_type,field,from,from_string,to,to_string"
    result = landing.land(
        "jsm", "history.csv", f"{header}\n10001,1,9,mia,2018-05-11T06:46:53Z,jira,status,1,A,2,B\n"
    )
    assert result.status == "rejected"
    assert "jira_data_pipeline.yml" in str(result.problems[0])


def test_a_pipeline_header_without_the_key_is_rejected(landing: Landing) -> None:
    result = landing.land("jsm", "issues.csv", PIPELINE.replace(",key,", ",id_key,") + pipeline_row())
    assert result.status == "rejected"
    assert "the header lacks ticket_id (key)" in str(result.problems[0])


def test_a_custom_level_that_a_history_calls_by_its_name_is_warned_of_until_sla_yml_says_the_name(
    declare: Callable[[str], Landing],
) -> None:
    item = {"field": "Severity", "fieldtype": "custom", "fromString": "High", "toString": "Low"}
    history = {"id": "1", "created": "2018-05-11T10:46:53.000+0300", "items": [item]}
    exported = issue(histories=[history], customfield_10050={"value": "Low"})
    unnamed = declare(SLA_YML.replace("field: priority", "field: customfield_10050"))
    result = unnamed.land("jsm", "issues.json", json.dumps({"issues": [exported], "total": 1}))
    assert "their severity is unknown" in str(result.warnings[0])
    columns = "field_name, field_id, is_custom_field, value_before, value"
    assert unnamed.rows("ticket_changes", columns) == [("Severity", None, True, "High", "Low")]
    named = declare(SLA_YML.replace("field: priority", "field: customfield_10050, name: Severity"))
    # The same bytes would be known already.
    assert land(named, exported | {"key": "SUP-2"}).warnings == ()
    assert named.rows("ticket_changes", columns) == 2 * [("Severity", None, True, "High", "Low")]
    assert named.rows("ticket_versions", "severity") == ["Low", "Low"]
