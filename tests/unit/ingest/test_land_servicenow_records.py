"""ServiceNow's records as JSON: raw values in UTC, display values as declared, durations that are dates."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.unit.ingest.conftest import Landing

SLA_YML = """\
sources:
  snow:
    type: servicenow
    time_zone: Europe/Berlin
    date_format: "%d/%m/%Y %H:%M"
    null_markers: ["", "?"]
    customer: {field: company}
    severity: {field: priority, values: {"3": 3, "3 - Moderate": 3}}
    agents: {actors: [mia]}
"""
RAW = {
    "number": "INC1",
    "sys_id": "s1",
    "state": "2",
    "opened_at": "2026-02-01 09:00:00",
    "sys_updated_on": "2026-02-01 10:00:00",
    "resolved_at": "",
    "priority": "3",
    "company": {"link": "https://snow.example/core_company/c1", "value": "c1"},
    "sys_mod_count": "4",
}
COLUMNS = (
    "ticket_id, record_id, status, fields->>'priority', fields->>'company', submitted_at, update_number, "
    "version_kind, evidence"
)


@pytest.fixture
def landing(declare: Callable[[str], Landing]) -> Landing:
    return declare(SLA_YML)


def display(value: str, shown: str) -> dict[str, str]:
    return {"display_value": shown, "value": value}


@pytest.mark.parametrize("page", ["result", "records", None])
def test_raw_values_are_utc_in_every_wrapping(landing: Landing, page: str | None) -> None:
    landing.land("snow", "incident.json", json.dumps({page: [RAW]} if page else [RAW], indent=1))
    assert landing.rows("ticket_versions", COLUMNS) == [
        ("INC1", "s1", "2", "3", "c1", datetime(2026, 2, 1, 9), 4, None, "resolution")
    ]
    assert landing.rows("ticket_changes") == []


def test_dates_of_an_incident_land_as_dates_of_its_status(landing: Landing) -> None:
    ended = RAW | {"resolved_at": "2026-02-01 09:40:00", "closed_at": "2026-02-01 10:00:00"}
    landing.land("snow", "incident.json", json.dumps([ended, RAW | {"number": "INC2", "sys_mod_count": ""}]))
    columns = "change_id, ticket_id, change_kind, field_name, value, changed_at"
    assert landing.rows("ticket_changes", columns) == [
        ("INC1:4:status_changed:solved", "INC1", "date", "status", "solved", datetime(2026, 2, 1, 9, 40)),
        ("INC1:4:status_changed:closed", "INC1", "date", "status", "closed", datetime(2026, 2, 1, 10)),
    ]
    assert landing.rows("ticket_versions", "ticket_id, update_number") == [("INC1", 4), ("INC2", None)]


def test_the_same_record_twice_in_a_page_lands_once_and_a_later_version_beside_it(landing: Landing) -> None:
    later = RAW | {"sys_mod_count": "5", "sys_updated_on": "2026-02-01 11:00:00"}
    landing.land("snow", "incident.json", json.dumps({"result": [RAW, RAW, later]}))
    assert landing.rows("ticket_versions", "ticket_id, update_number, line_number") == [
        ("INC1", 4, 1),
        ("INC1", 5, 1),
    ]


def test_xml_holds_raw_values_and_what_references_are_displayed_as(landing: Landing) -> None:
    fields = "".join(f"<{name}>{value}</{name}>" for name, value in RAW.items() if isinstance(value, str))
    record = (
        f'<incident action="INSERT_OR_UPDATE">{fields}<company display_value="ACME">c1</company></incident>'
    )
    landing.land("snow", "incident.xml", f'<?xml version="1.0"?>\n<xml>\n{record}\n</xml>')
    assert landing.rows("ticket_versions", f"{COLUMNS}, line_number") == [
        ("INC1", "s1", "2", "3", "ACME", datetime(2026, 2, 1, 9), 4, None, "resolution", 3)
    ]


def test_of_value_and_display_value_the_words_are_shown_and_the_instants_are_raw(landing: Landing) -> None:
    both = {name: display(value if isinstance(value, str) else "c1", "") for name, value in RAW.items()} | {
        "state": display("2", "In Progress"),
        "priority": display("3", "3 - Moderate"),
        "company": display("c1", "ACME"),
        "opened_at": display("2026-02-01 09:00:00", "01/02/2026 10:00"),
    }
    landing.land("snow", "incident.json", json.dumps({"result": [both]}))
    assert landing.rows("ticket_versions", COLUMNS) == [
        ("INC1", "s1", "In Progress", "3 - Moderate", "ACME", datetime(2026, 2, 1, 9), 4, None, "resolution")
    ]


def test_display_values_alone_are_wall_times_of_the_declared_zone_and_format(landing: Landing) -> None:
    shown = RAW | {
        "company": {"display_value": "ACME", "link": "https://snow.example/core_company/c1"},
        "opened_at": "01/02/2026 10:00",
        "sys_updated_on": "01/07/2026 12:00",
    }
    landing.land("snow", "incident.json", json.dumps({"result": [shown]}))
    assert landing.rows("ticket_versions", "fields->>'company', submitted_at, updated_at") == [
        ("ACME", datetime(2026, 2, 1, 9), datetime(2026, 7, 1, 10))
    ]


def test_a_journal_entry_names_its_incident_by_id_and_its_author_by_user_name(landing: Landing) -> None:
    entry = {"sys_id": "j1", "element_id": "s1", "element": "comments", "name": "incident", "value": "Hello",
             "sys_created_on": "2026-02-01 09:30:00", "sys_created_by": "mia"}  # fmt: skip
    landing.land(
        "snow",
        "journal.json",
        json.dumps({"result": [entry, entry | {"sys_id": "j2", "sys_created_by": "x"}]}),
    )
    columns = "message_id, ticket_id, record_id, message_kind, is_public, author_id, author_address, author_kind, said_at"
    said_at = datetime(2026, 2, 1, 9, 30)
    # Whose side an author is on, the models judge.
    assert landing.rows("ticket_messages", columns) == [
        ("journal:j1", None, "s1", "comment", True, "mia", "mia", None, said_at),
        ("journal:j2", None, "s1", "comment", True, "x", "x", None, said_at),
    ]


@pytest.mark.parametrize(("element", "landed"), [("comments", [True]), ("work_notes", [False]), ("mood", [])])
def test_a_comment_is_public_a_work_note_is_not_and_other_journals_are_no_messages(
    landing: Landing, element: str, landed: list[bool]
) -> None:
    entry = {"sys_id": "j1", "element_id": "s1", "element": element, "sys_created_on": "2026-02-01 09:30:00"}
    assert landing.land("snow", "journal.json", json.dumps([entry])).rows_landed == 1
    assert landing.rows("ticket_messages", "is_public") == landed


CHANGE = {
    "sys_id": "a1", "tablename": "incident", "documentkey": "s1", "fieldname": "state", "oldvalue": "2", "newvalue": "3",
    "sys_created_on": "2026-02-01 09:00:00", "user": "mia",
}  # fmt: skip
CHANGES = (
    "change_id, ticket_id, record_id, change_kind, field_name, value_before, value, "
    "coalesce(earliest_at, changed_at)"
)


def test_a_field_history_is_the_same_as_json_xml_and_a_table_of_display_values(landing: Landing) -> None:
    fields = "".join(f"<{name}>{value}</{name}>" for name, value in CHANGE.items())
    # 09:00 UTC is 10:00 in Berlin, in winter.
    shown = CHANGE | {"fieldname": "State", "tablename": "Incident", "sys_created_on": "01/02/2026 10:00"}
    files = {
        "sys_audit.json": json.dumps({"records": [CHANGE]}),
        "sys_audit.xml": f'<xml><sys_audit action="INSERT_OR_UPDATE">{fields}</sys_audit></xml>',
        "sys_audit.csv": f"{','.join(shown)}\n{','.join(shown.values())}\n",
    }
    for name, content in files.items():
        assert landing.land("snow", name, content).rows_landed == 1
    expected = ("audit:a1", None, "s1", "changed", "state", "2", "3", datetime(2026, 2, 1, 9))
    assert landing.rows("ticket_changes", CHANGES) == [expected] * 3
    # Only the display value is cut to the minute.
    at = datetime(2026, 2, 1, 9)
    assert landing.rows("ticket_changes", "changed_at") == [at, at + timedelta(seconds=59), at]


def test_a_history_with_values_and_display_values_is_read_by_its_values(landing: Landing) -> None:
    both = {name: display(value, value) for name, value in CHANGE.items()} | {
        "fieldname": display("state", "State"),
        "sys_created_on": display("2026-02-01 09:00:00", "01/02/2026 10:00"),
        "record_checkpoint": display("4", "4"),
    }
    landing.land("snow", "sys_audit.json", json.dumps({"result": [both]}))
    assert landing.rows("ticket_changes", f"{CHANGES}, update_number") == [
        ("audit:4:a1", None, "s1", "changed", "state", "2", "3", datetime(2026, 2, 1, 9), 4)
    ]


def test_the_row_of_an_opening_has_no_old_value(landing: Landing) -> None:
    landing.land("snow", "sys_audit.json", json.dumps([CHANGE | {"oldvalue": "", "newvalue": "1"}]))
    assert landing.rows("ticket_changes", "value_before, value, update_number") == [(None, "1", None)]


@pytest.mark.parametrize("lacking", ["newvalue", "oldvalue", "sys_created_on", "sys_id"])
def test_a_history_without_a_column_that_it_needs_is_rejected_whole(landing: Landing, lacking: str) -> None:
    shown = CHANGE | {"sys_created_on": "01/02/2026 10:00"}
    del shown[lacking]
    result = landing.land("snow", "sys_audit.csv", f"{','.join(shown)}\n{','.join(shown.values())}\n")
    assert result.status == "rejected"
    assert f"{lacking}: is missing" in "\n".join(str(problem) for problem in result.problems)
    assert landing.rows("ticket_changes") == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"documentkey": ""}, "documentkey: is missing"),
        ({"newvalue": ""}, "newvalue: is missing"),
        ({"sys_created_on": "1769936400"}, "sys_created_on: is not a possible time"),
        ({"sys_created_on": "01/02/2026 10:00"}, "sys_created_on: is not a possible time"),
        ({"record_checkpoint": "1.5"}, "record_checkpoint: is not a whole number"),
    ],
)
def test_a_change_that_cannot_be_used_is_refused_with_its_field(
    landing: Landing, change: dict[str, str], problem: str
) -> None:
    result = landing.land("snow", "sys_audit.json", json.dumps([CHANGE, CHANGE | change]))
    assert (result.rows_landed, result.rows_rejected) == (1, 1)
    assert problem in str(result.problems[0])


def test_incidents_of_a_table_are_named_by_sys_id_where_the_table_has_it(landing: Landing) -> None:
    header = "number,sys_id,state,opened_at,sys_updated_on"
    landing.land("snow", "incident.csv", f"{header}\nINC1,s1,New,01/02/2026 10:00,01/02/2026 10:00\n")
    labels = "Number,Sys ID,State,Opened,Updated"
    landing.land("snow", "labels.csv", f"{labels}\nINC2,s2,New,01/02/2026 10:00,01/02/2026 10:00\n")
    assert sorted(landing.rows("ticket_versions", "ticket_id, record_id")) == [
        ("INC1", "s1"),
        ("INC2", "s2"),
    ]


def test_changes_that_no_rule_reads_are_read_and_not_kept(landing: Landing) -> None:
    others = [
        {"fieldname": "short_description", "documentkey": ""},
        {"tablename": "change_request"},
        {"fieldname": "priority", "sys_id": "a9"},
    ]
    result = landing.land("snow", "sys_audit.json", json.dumps([CHANGE | other for other in others]))
    assert (result.rows_read, result.rows_landed) == (3, 3)
    assert landing.rows("ticket_changes", "change_id") == ["audit:a9"]


def test_changes_of_group_and_assignee_are_kept_with_who_made_them(landing: Landing) -> None:
    changes = [
        CHANGE
        | {"sys_id": f"a{number}", "fieldname": name, "user": "mia", "oldvalue": None, "newvalue": "experts"}
        for number, name in enumerate(("assignment_group", "assigned_to"), 1)
    ]
    landing.land("snow", "sys_audit.json", json.dumps(changes))
    assert landing.rows("ticket_changes", "field_name, value_before, value, author_id") == [
        ("assignment_group", None, "experts", "mia"),
        ("assigned_to", None, "experts", "mia"),
    ]


@pytest.mark.parametrize(
    ("record", "evidence"),
    [
        (CHANGE, "statuses"),
        (CHANGE | {"fieldname": "assigned_to"}, "assignments"),
        ({"sys_id": "j1", "element_id": "s1", "element": "comments", "sys_created_by": "mia"}, "messages"),
    ],
)
def test_a_refused_record_leaves_a_hole_in_the_evidence_of_its_incident(
    landing: Landing, record: dict[str, Any], evidence: str
) -> None:
    result = landing.land(
        "snow", "records.json", json.dumps([CHANGE | RAW, record | {"sys_created_on": "soon"}])
    )
    assert result.rows_rejected == 1
    assert landing.rows("gaps", "ticket_id, record_id, evidence, line_number") == [(None, "s1", evidence, 1)]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("1970-01-01 02:37:03", 2 * 3600 + 37 * 60 + 3),
        ("1970-01-03 14:33:00", 62 * 3600 + 33 * 60),
        ("225180", 225180),
    ],
)
def test_a_duration_is_that_long_after_1970(landing: Landing, written: str, seconds: int) -> None:
    sla = {"task": display("s1", "INC1"), "sla": display("x", "P3 response"), "has_breached": display("true", "true"),
           "business_duration": display(written, "2 Hours"), "start_time": display("2026-02-01 09:00:00", "")}  # fmt: skip
    landing.land("snow", "task_sla.json", json.dumps({"result": [sla]}))
    columns = "ticket_id, figure, obligation, they_seconds, they_breached, they_started_at, clock_kind"
    assert landing.rows("vendor_sla_figures", columns) == [
        (
            "INC1",
            "P3 response, business_duration",
            "first_response",
            seconds,
            True,
            datetime(2026, 2, 1, 9),
            "business",
        )
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"opened_at": "01/02/2026 10:00"}, "opened_at: is not a possible time in the declared date format"),
        ({"sys_updated_on": ""}, "sys_updated_on: is missing"),
        ({"sys_mod_count": "1.5"}, "sys_mod_count: is not a whole number"),
        ({"number": "1.03006E+13"}, "number: is a number that lost digits"),
        ({"opened_at": "1900-01-02 00:00:00"}, "opened_at: lies outside the years 1970 to 2200"),
    ],
)
def test_a_record_that_cannot_be_used_is_refused_with_its_field(
    landing: Landing, change: dict[str, Any], problem: str
) -> None:
    result = landing.land("snow", "incident.ndjson", f"{json.dumps(RAW)}\n{json.dumps(RAW | change)}\n")
    assert (result.rows_landed, result.rows_rejected) == (1, 1)
    assert f"incident.ndjson:2: {problem}" in str(result.problems[0])


def test_a_declared_sign_in_a_record_stands_for_a_merge_with_the_date_of_the_closing(
    declare: Callable[[str], Landing],
) -> None:
    landing = declare(SLA_YML + "    events: {merged: {field: close_code, value: Duplicate}}\n")
    closed = {**RAW, "close_code": "Duplicate", "closed_at": "2026-02-01 09:30:00"}
    shown = {**RAW, "number": "INC2", "sys_id": "s2", "close_code": display("dup", "Duplicate")}
    other = {**RAW, "number": "INC3", "sys_id": "s3", "close_code": "Solved"}
    landing.land("snow", "incident.json", json.dumps([closed, shown, other]))
    columns = "change_id, change_kind, field_name, changed_at, version_at"
    assert sorted(landing.rows("ticket_changes", columns)) == [
        ("INC1:4:status_changed:closed", "date", "status", datetime(2026, 2, 1, 9, 30), None),
        ("INC1:merged", "date", "merged", datetime(2026, 2, 1, 9, 30), datetime(2026, 2, 1, 10)),
        # Without a date of closing it is as old as the record.
        ("INC2:merged", "mark", "merged", datetime(2026, 2, 1, 10), datetime(2026, 2, 1, 10)),
    ]
