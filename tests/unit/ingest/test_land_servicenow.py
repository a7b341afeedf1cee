"""ServiceNow: declared zone and format, null markers, and the column sets of both exports."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from pipeline.errors import ConfigurationError
from tests.unit.ingest.conftest import make_source

LOG = (
    "number,incident_state,opened_at,sys_created_at,sys_updated_at,resolved_at,closed_at,priority,"
    "sys_mod_count,active\n"
)
SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the real exports are not beside this checkout")


def test_day_first_times_are_read_in_the_declared_zone_and_question_marks_are_null(landing):
    result = landing.land(
        "snow", "log.csv", LOG + "INC1,New,01-02-2026 09:00,?,01-07-2026 09:30,?,?,3 - Moderate,0,TRUE\n"
    )
    columns = "ticket_id, status, submitted_at, updated_at, update_number, version_kind, evidence"
    assert landing.rows("ticket_versions", columns) == [
        (
            "INC1",
            "New",
            datetime(2026, 2, 1, 8),
            datetime(2026, 7, 1, 7, 30),
            0,
            "update",
            "statuses resolution",
        )
    ]
    assert landing.rows("ticket_changes") == []
    (warning,) = result.warnings
    assert warning.reason == "1 columns are not used: active."


def test_wall_times_in_the_gap_and_in_the_overlap_follow_the_one_rule(landing):
    # 02:30 on 29 March does not exist in Berlin: 03:30 +02:00. 02:30 on 25 October comes twice: the first,
    # +02:00.
    landing.land("snow", "log.csv", LOG + "INC1,New,29-03-2026 02:30,?,25-10-2026 02:30,?,?,3,0,TRUE\n")
    assert landing.rows("ticket_versions", "submitted_at, updated_at") == [
        (datetime(2026, 3, 29, 1, 30), datetime(2026, 10, 25, 0, 30))
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "INC2,New,2026-02-01 09:00,?,01-02-2026 09:30,?,?,3,0,TRUE\n",
            "inbox/snow/log.csv:3: opened_at: is not a possible time in the declared date format (it "
            "reads '2026-02-01 "
            "09:00'). sla.yml declares the date format %d-%m-%Y %H:%M for this source; other nulls go to "
            "null_markers.",
        ),
        (
            "INC2,New,01-02-2026 09:00,?,02-01-1900 00:00,?,?,3,0,TRUE\n",
            "inbox/snow/log.csv:3: sys_updated_at: lies outside the years 1970 to 2200 (it reads "
            "'02-01-1900 00:00'). "
            "Correct it, or declare the value in null_markers of this source in sla.yml.",
        ),
        ("INC2,New,01-02-2026 09:00,?,?,?,?,3,0,TRUE\n", "inbox/snow/log.csv:3: sys_updated_at: is missing."),
        (
            "INC2,New,01-02-2026 09:00,?,01-02-2026 09:00,?,?,3,1.5,TRUE\n",
            "sys_mod_count: is not a whole number",
        ),
    ],
    ids=["other-format", "year-1900", "no-update", "fraction"],
)
def test_bad_row_is_quarantined_by_the_name_that_the_export_uses(landing, reasons, line, problem):
    good = "INC1,New,01-02-2026 09:00,?,01-02-2026 09:30,?,?,3,0,TRUE\n"
    result = landing.land("snow", "log.csv", LOG + good + line)
    assert (result.rows_landed, result.rows_rejected) == (1, 1)
    assert problem in reasons(result)[0]


def test_a_date_is_null_when_declared_as_a_null_marker(landing):
    landing.config.sources["snow"].null_markers = ("", "?", "02-01-1900 00:00")
    row = "INC1,New,01-02-2026 09:00,?,01-02-2026 09:30,02-01-1900 00:00,?,3,0,TRUE\n"
    table = LOG.replace("sys_updated_at", "sys_updated_on") + row
    assert landing.land("snow", "log.csv", LOG + row).rows_landed == 1
    assert landing.land("snow", "incident.csv", table).rows_landed == 1
    assert landing.rows("ticket_changes") == []


def test_dates_of_a_table_of_incidents_land_as_dates_of_its_status(landing):
    row = "INC1,Closed,01-02-2026 09:00,?,03-02-2026 09:30,02-02-2026 10:00,03-02-2026 09:00,3,4,TRUE\n"
    landing.land("snow", "incident.csv", LOG.replace("sys_updated_at", "sys_updated_on") + row)
    columns = "change_id, ticket_id, change_kind, field_name, value, earliest_at, changed_at"
    # Without seconds, each lies within its minute.
    assert landing.rows("ticket_changes", columns) == [
        ("INC1:4:status_changed:solved", "INC1", "date", "status", "solved",
         datetime(2026, 2, 2, 9), datetime(2026, 2, 2, 9, 0, 59)),
        ("INC1:4:status_changed:closed", "INC1", "date", "status", "closed",
         datetime(2026, 2, 3, 8), datetime(2026, 2, 3, 8, 0, 59)),
    ]  # fmt: skip
    assert landing.rows("ticket_versions", "version_kind, evidence") == [(None, "resolution")]


def test_dates_of_a_log_are_no_changes_because_its_rows_show_them(landing):
    row = "INC1,Closed,01-02-2026 09:00,?,03-02-2026 09:30,02-02-2026 10:00,03-02-2026 09:00,3,4,TRUE\n"
    landing.land("snow", "log.csv", LOG + row)
    assert landing.rows("ticket_versions", "status, update_number") == [("Closed", 4)]
    assert landing.rows("ticket_changes") == []


def test_fields_that_sla_yml_may_name_land_as_written(landing):
    landing.land(
        "snow", "log.csv", LOG + "INC1,New,01-02-2026 09:00,?,01-02-2026 09:30,?,?,3 - Moderate,0,TRUE\n"
    )
    (fields,) = landing.rows("ticket_versions", "fields")
    assert {name: value for name, value in json.loads(fields).items() if value is not None} == {
        "priority": "3 - Moderate"
    }


def test_missing_columns_are_named(landing, reasons):
    result = landing.land("snow", "log.csv", "number,opened_at,category\nINC1,01-02-2026 09:00,x\n")
    assert reasons(result) == [
        "inbox/snow/log.csv:1: the header of incidents lacks 'incident_state', 'sys_updated_at'. Unknown "
        "here: 'category'. "
        "It needs number, incident_state, opened_at, sys_updated_at, in any order."
    ]


def test_source_without_zone_or_format_is_a_configuration_error(landing):
    landing.config.sources["snow"] = make_source("servicenow")
    with pytest.raises(ConfigurationError, match="the source snow needs time_zone and date_format"):
        landing.land("snow", "log.csv", LOG)


def test_changed_settings_land_the_same_file_again_under_its_first_arrival(landing, monkeypatch):
    line = "INC1,New,01-02-2026 09:00,?,01-02-2026 09:30,?,?,3,0,TRUE\n"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    first = landing.land("snow", "log.csv", LOG + line)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790100000")
    landing.config.sources["snow"].time_zone = "UTC"
    again = landing.land("snow", "log.csv", LOG + line)
    assert (again.status, again.batch_id) == ("landed", first.batch_id)
    assert landing.rows("ticket_versions", "submitted_at") == [datetime(2026, 2, 1, 9)]
    (manifest,) = landing.workspace.landed.glob("manifest/*.json")
    assert '"landed_at": "2026-09-21T14:13:20Z"' in manifest.read_text()


@needs_shared
def test_real_audit_log_lands_whole(landing):
    path = SHARED / "servicenow-uci-sample" / "incident_event_log.csv"
    (result,) = landing.run([path], "snow")
    assert (result.rows_read, result.rows_rejected, result.file) == (5998, 0, str(path))
    rows = landing.rows(
        "ticket_versions",
        "ticket_id, status, submitted_at, updated_at, update_number, source_file, line_number",
    )
    assert rows[0] == (
        "INC0000045", "New", datetime(2016, 2, 29, 0, 16), datetime(2016, 2, 29, 0, 23), 0,
        "incident_event_log.csv", 2,
    )  # fmt: skip
    assert len(rows) == 5998
    assert len({row[0] for row in rows}) == 890
    # Every row is an update and shows its status; no date of a row is taken for a change.
    assert landing.rows("ticket_versions", "distinct version_kind, evidence") == [
        ("update", "statuses resolution")
    ]
    assert landing.rows("ticket_changes") == []


@needs_shared
def test_real_table_export_lands_whole(landing):
    landing.config.sources["snow"] = make_source(
        "servicenow", time_zone="UTC", date_formats=("%Y-%m-%d %H:%M:%S",)
    )
    (result,) = landing.run([SHARED / "servicenow-demo-export" / "incidents_REST.csv"], "snow")
    assert (result.rows_read, result.rows_rejected) == (67, 0)
    rows = landing.rows("ticket_versions", "ticket_id, status, updated_at, version_kind, evidence, requester")
    assert rows[0] == ("INC0000060", "7", datetime(2016, 12, 14, 2, 46, 44), None, "resolution", None)


def test_a_doubled_column_that_no_rule_reads_is_passed_over_and_one_that_is_read_is_refused(landing, reasons):
    head = LOG.replace(",active\n", ",active,notes,notes\n")
    row = "INC1,New,01-02-2026 09:00,?,01-02-2026 09:30,?,?,3,0,TRUE,a,b\n"
    result = landing.land("snow", "log.csv", head + row)
    assert (result.status, result.rows_landed) == ("landed", 1)
    assert result.warnings[0].reason == "2 columns are not used: active, notes."
    refused = landing.land("snow", "read.csv", LOG.replace("active", "opened_at") + row.replace(",a,b", ""))
    assert reasons(refused) == [
        "inbox/snow/read.csv:1: the header names 'opened_at' more than once. Export each column once; which of them is "
        "meant cannot be told."
    ]


@pytest.mark.parametrize(
    ("doubled", "status"), [("notes", "landed"), ("value", "landed"), ("element", "rejected")]
)
def test_a_doubled_column_of_the_journal_counts_only_where_it_is_read(landing, doubled, status):
    head = f"sys_id,element,element_id,sys_created_on,sys_created_by,{doubled},{doubled}\n"
    row = "J1,comments,R1,01-02-2026 09:00,anna,x,y\n"
    assert landing.land("snow", "journal.csv", head + row).status == status


def test_several_date_formats_are_tried_in_their_order(landing, reasons):
    landing.config.sources["snow"].date_formats = ("%d-%m-%Y %H:%M", "%Y-%m-%d %H:%M:%S")
    rows = "INC1,New,01-02-2026 09:00,?,2026-02-01 09:30:05,?,?,3,0,TRUE\n"
    bad = "INC2,New,01/02/2026 09:00,?,2026-02-01 09:30:05,?,?,3,0,TRUE\n"
    result = landing.land("snow", "log.csv", LOG + rows + bad)
    columns = "submitted_at, latest_submitted_at, updated_at, latest_updated_at"
    # Each is as wide as the format that reads it.
    assert landing.rows("ticket_versions", columns) == [
        (datetime(2026, 2, 1, 8), datetime(2026, 2, 1, 8, 0, 59), datetime(2026, 2, 1, 8, 30, 5), None)
    ]
    (refused,) = reasons(result)
    assert "sla.yml declares the date format %d-%m-%Y %H:%M or %Y-%m-%d %H:%M:%S" in refused
