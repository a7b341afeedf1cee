"""CSV: the header is a contract, every record is landed or refused with its line, and nothing is
swallowed.
"""

from __future__ import annotations

import gzip
from datetime import datetime

import pytest

TICKETS = (
    "ticket_id,customer_id,requester,channel,severity,submitted_at,subject,ticket_type,tags,updated_at\n"
)
EVENTS = "event_id,ticket_id,event_at,event_type,actor_kind,actor,is_public,value\n"


def ticket(ticket_id="T1", subject="Sync stops", submitted_at="2026-07-01T09:00:00Z", severity="3"):
    return f"{ticket_id},acme,ann@acme.test,console,{severity},{submitted_at},{subject},incident,,\n"


def test_tickets_land_as_written_with_instants_in_utc(landing):
    result = landing.land("own", "t.csv", TICKETS + ticket("007", submitted_at="2026-07-01T11:00:00.9+02:00"))
    assert (result.status, result.rows_read, result.rows_landed, result.rows_rejected) == ("landed", 1, 1, 0)
    assert landing.records("ticket_versions") == [
        {
            "ticket_id": "007", "customer_id": "acme", "requester": "ann@acme.test", "channel": "console", "severity": "3",
            "submitted_at": datetime(2026, 7, 1, 9), "subject": "Sync stops", "ticket_type": "incident",
            "source": "own", "batch_id": result.batch_id, "source_file": "inbox/own/t.csv", "line_number": 2,
        }
    ]  # fmt: skip


def test_header_in_another_order_and_with_bom_and_crlf_lands_the_same(landing):
    content = (
        "\ufeffupdated_at,tags,ticket_type,subject,submitted_at,severity,channel,requester,customer_id,"
        "ticket_id\r\n"
        ",,,Sync stops,2026-07-01T09:00:00Z,3,console,ann,acme,T1\r\n"
    )
    landing.land("own", "t.csv", content)
    assert landing.rows("ticket_versions", "ticket_id, severity, submitted_at, updated_at, line_number") == [
        ("T1", "3", datetime(2026, 7, 1, 9), None, 2)
    ]


def test_header_alone_is_an_export_without_tickets(landing):
    result = landing.land("own", "t.csv", TICKETS)
    assert (result.status, result.rows_read) == ("landed", 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            TICKETS.replace("submitted_at,", "").replace("subject", "Subject") + "x\n",
            "inbox/own/t.csv:1: the header of tickets lacks 'submitted_at', 'subject'. Unknown here: "
            "'Subject'. It needs "
            "ticket_id, customer_id, requester, channel, severity, submitted_at, subject, ticket_type, "
            "tags, updated_at, "
            "in any order.",
        ),
        (
            EVENTS.replace("value", "value,note"),
            "inbox/own/t.csv:1: the header of events has unknown columns: 'note'. It has event_id, "
            "ticket_id, event_at, "
            "event_type, actor_kind, actor, is_public, value, sequence, updated_at, in any order, and no others.",
        ),
        (
            TICKETS.replace("tags", "subject"),
            "inbox/own/t.csv:1: the header names 'subject' more than once. "
            "Export each column once; which of them is meant cannot be told.",
        ),
        (
            TICKETS.replace(",", ";"),
            "inbox/own/t.csv:1: the columns are separated by semicolons, not commas. Export the file "
            "with commas.",
        ),
        (
            "<!DOCTYPE html>\n<html><body>Sign in</body></html>",
            "inbox/own/t.csv: the file is an HTML page, not an export. "
            "A login or error page was probably saved instead of the export; sign in and download it again.",
        ),
        (
            "",
            "inbox/own/t.csv: the file is empty. Even an export without tickets has a header; export it "
            "again.",
        ),
        (
            " \n\n",
            "inbox/own/t.csv: the file holds only white space. Even an export without tickets has a "
            "header; export it again.",
        ),
        (
            "[{},]",
            "inbox/own/t.csv:1: the JSON list is damaged: a comma stands before its end. Export the file "
            "again, or export one JSON object a line.",
        ),
        (
            TICKETS.encode("utf-16"),
            "inbox/own/t.csv: the file is UTF-16, not UTF-8. Save it as UTF-8 (in a spreadsheet: 'CSV "
            "UTF-8').",
        ),
        (
            b"PK\x03\x04rest",
            "inbox/own/t.csv: the ZIP is damaged or cut off. Fetch the export again.",
        ),
        (
            TICKETS.replace("\n", "\r") + ticket().replace("\n", "\r"),
            "inbox/own/t.csv:1: the lines end in CR alone. Save the file with LF or CRLF line ends.",
        ),
    ],
    ids=[
        "missing",
        "unknown",
        "doubled",
        "semicolons",
        "html",
        "empty",
        "blank",
        "json",
        "utf-16",
        "zip",
        "cr",
    ],  # fmt: skip
)
def test_file_is_rejected_whole_with_a_message_when_its_header_is_wrong(landing, reasons, content, message):
    result = landing.land("own", "t.csv", content)
    assert (result.status, result.batch_id, reasons(result)) == ("rejected", None, [message])
    assert not list(landing.workspace.warehouse.rglob("*.parquet*"))


def test_json_of_another_kind_instead_of_a_servicenow_export_is_rejected(landing, reasons):
    result = landing.land("snow", "t.csv", '{"result": [{"id": 1}]}')
    assert any(
        "is neither an incident nor a journal entry, a field's history or the SLA of a task" in reason
        for reason in reasons(result)
    )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("T2,acme\n", "inbox/own/t.csv:3: requester: has 2 values, the header has 10 (it reads 'T2,acme'). "
         "Quote values that hold commas; leave no value out."),
        (ticket("T2").replace("\n", ",x\n"), "has 11 values, the header has 10"),
        (ticket("T2", subject='"never closed'), "inbox/own/t.csv:3: opens a quote that is not closed"),
        (ticket("T2", subject='"a" b'), "inbox/own/t.csv:3: opens a quote that is not closed"),
        (ticket("T2", subject="a\0b"), r"inbox/own/t.csv:3: subject: holds a NUL character (it reads "
                                       r"'a\\0b')."),
        (ticket("T2", subject="Gr\udcfc\udcdfe"), "inbox/own/t.csv:3: subject: is not UTF-8"),
        (ticket("T2", subject="a\rb"), "inbox/own/t.csv:3: holds a CR outside quotes"),
        ("Total: 2,,,,,,,,,\n", "inbox/own/t.csv:3: submitted_at: is missing. Every record needs it"),
        (ticket(""), "inbox/own/t.csv:3: ticket_id: is missing."),
        (ticket("1.03006E+13"), "inbox/own/t.csv:3: ticket_id: is a number that lost digits, not an id "
         "(it reads '1.03006E+13')."),
        (ticket("T2", submitted_at="2026-07-01T09:00:00"), "submitted_at: has no time zone (it reads "
         "'2026-07-01T09:00:00'). Write instants with their zone, such as 2026-07-01T09:00:00Z."),
        (ticket("T2", submitted_at="2026-02-30T09:00:00Z"), "submitted_at: is not a possible instant"),
        (ticket("T2", submitted_at="2026-07-01T24:00:00Z"), "submitted_at: is not a possible instant"),
        (ticket("T2", submitted_at="01/07/2026 09:00"), "submitted_at: is not a possible instant"),
        (ticket("T2", submitted_at="1969-12-31T23:59:59Z"), "submitted_at: lies outside the years 1970 "
                                                            "to 2200"),
        (ticket("T2", submitted_at="2201-01-01T00:00:00Z"), "submitted_at: lies outside the years 1970 "
                                                            "to 2200"),
    ],
    ids=[
        "short", "long", "unclosed", "text-after-quote", "nul", "latin-1", "cr", "total-line", "no-id",
        "spreadsheet-id",
        "no-zone", "february-30", "hour-24", "day-first", "before-1970", "after-2200",
    ],
)  # fmt: skip
def test_bad_line_is_quarantined_and_its_neighbours_land(landing, reasons, line, problem):
    content = (TICKETS + ticket("T1") + line + ticket("T3")).encode("utf-8", "surrogateescape")
    result = landing.land("own", "t.csv", content)
    assert (result.status, result.rows_read, result.rows_rejected) == ("landed", 3, 1)
    assert problem in reasons(result)[0]
    assert landing.rows("ticket_versions", "ticket_id, line_number") == [("T1", 2), ("T3", 4)]
    assert landing.rows("quarantine", "source, source_file, line_number") == [("own", "inbox/own/t.csv", 3)]


def test_first_second_of_the_years_is_inside(landing):
    lines = ticket("T1", submitted_at="1970-01-01T00:00:00.999Z")
    assert landing.land("own", "t.csv", TICKETS + lines).rows_rejected == 0
    assert landing.rows("ticket_versions", "submitted_at") == [datetime(1970, 1, 1)]


def test_unclosed_quote_does_not_swallow_the_rest_of_a_long_file(landing):
    good = "".join(ticket(f"T{number}") for number in range(30_000))
    result = landing.land("own", "t.csv", TICKETS + ticket("X", subject='"open') + good)
    assert (result.rows_landed, result.rows_rejected) == (30_000, 1)


def test_newlines_quotes_and_commas_inside_quotes_are_kept(landing):
    content = TICKETS + ticket("T1", subject='"a\r\nb, ""c"""') + "\n" + ticket("T2")
    assert landing.land("own", "t.csv", content).rows_rejected == 0
    assert landing.rows("ticket_versions", "subject, line_number") == [
        ('a\r\nb, "c"', 2),
        ("Sync stops", 5),
    ]


def test_record_that_lies_across_two_chunks_is_whole(landing_here, monkeypatch):
    monkeypatch.setattr("pipeline.ingest.files.read_csv.CHUNK_BYTES", 200)
    lines = "".join(ticket(f"T{number}", subject=f'"one\n{number}"') for number in range(50))
    result = landing_here.land("own", "t.csv", TICKETS + lines)
    assert (result.rows_landed, result.rows_rejected) == (50, 0)
    assert landing_here.rows("ticket_versions", "line_number") == list(range(2, 102, 2))


def test_raw_value_in_quarantine_is_cut_to_500_characters(landing):
    landing.land("own", "t.csv", TICKETS + ticket() + "x" * 2000 + "\n")
    assert [len(value) for value in landing.rows("quarantine", "raw_value")] == [500]


def test_severity_outside_the_scale_lands_because_models_judge_it(landing):
    landing.land("own", "t.csv", TICKETS + ticket("T1", severity="urgent!") + ticket("T2", severity="?"))
    assert landing.rows("ticket_versions", "severity") == ["urgent!", None]


def test_file_with_no_usable_record_is_rejected_and_leaves_nothing(landing, reasons):
    result = landing.land("own", "t.csv", TICKETS + ticket("1.5E+3") + ticket(""))
    assert (result.status, result.rows_read, result.rows_rejected) == ("rejected", 2, 2)
    assert reasons(result)[0] == (
        "inbox/own/t.csv: none of its 2 records can be used. "
        "Check that this is the export of this source, and the source's settings in sla.yml."
    )
    assert not list(landing.workspace.landed.rglob("*.*"))


def test_gzip_lands_like_its_content_and_counts_as_the_same(landing):
    content = (TICKETS + ticket()).encode()
    assert landing.land("own", "t.csv", content).status == "landed"
    assert landing.land("own", "u.csv.gz", gzip.compress(content)).status == "already_landed"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(bytes(40 << 20)), "the gzip grows more than 100 times when unpacked."),
        (gzip.compress(b"x" * 4000)[:-10], "the gzip is damaged or cut off."),
    ],
    ids=["bomb", "cut"],
)
def test_gzip_that_cannot_be_trusted_is_rejected(landing, content, reason):
    (problem,) = landing.land("own", "t.csv.gz", content).problems
    assert problem.reason == reason


def event(event_id="E1", kind="message", actor_kind="agent", is_public="true", value=""):
    return f"{event_id},T1,2026-07-01T09:00:00Z,{kind},{actor_kind},bo,{is_public},{value}\n"


def test_events_are_told_from_their_header_and_booleans_read(landing):
    lines = [event(f"E{number}", is_public=text) for number, text in enumerate(["true", "FALSE", "1", "0"])]
    landing.land("own", "e.csv", EVENTS + "".join(lines) + event("E9", "bug_confirmed", "", ""))
    assert landing.rows("ticket_messages", "message_id, is_public, line_number") == [
        ("E0", True, 2),
        ("E1", False, 3),
        ("E2", True, 4),
        ("E3", False, 5),
    ]
    assert landing.rows("ticket_changes", "change_id, field_name, is_public, line_number") == [
        ("E9", "bug_confirmed", None, 6)
    ]


def test_message_and_change_land_as_written_each_in_its_table(landing):
    result = landing.land(
        "own", "e.csv", EVENTS + event("E1") + event("E2", "status_changed", "", "", "solved")
    )
    lineage = {"source": "own", "batch_id": result.batch_id, "source_file": "inbox/own/e.csv"}
    assert landing.records("ticket_messages") == [
        {"message_id": "E1", "ticket_id": "T1", "message_kind": "comment", "is_public": True, "author_id": "bo",
         "author_kind": "agent", "said_at": datetime(2026, 7, 1, 9), "update_id": "E1", "place": 0, "line_number": 2, **lineage}
    ]  # fmt: skip
    assert landing.records("ticket_changes") == [
        {"change_id": "E2", "ticket_id": "T1", "change_kind": "event", "field_name": "status_changed", "value": "solved",
         "author_id": "bo", "changed_at": datetime(2026, 7, 1, 9), "update_id": "E2", "place": 0, "line_number": 3, **lineage}
    ]  # fmt: skip


def test_event_may_say_its_sequence_and_when_it_was_changed(landing):
    header = EVENTS.replace("value", "value,sequence,updated_at")
    row = event("E1", "status_changed", "", "", "solved").rstrip() + ",41,2026-07-01T10:00:00Z\n"
    landing.land("own", "e.csv", header + row)
    assert landing.rows("ticket_changes", "update_number, version_at") == [(41, datetime(2026, 7, 1, 10))]


def test_sequence_that_is_no_number_is_quarantined(landing, reasons):
    row = event("E1", "status_changed", "", "", "solved").rstrip() + ",first\n"
    good = event("E2").rstrip() + ",1\n"
    result = landing.land("own", "e.csv", EVENTS.replace("value", "value,sequence") + good + row)
    assert "sequence: is not a whole number (it reads 'first')" in reasons(result)[0]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            event(kind="mesage"),
            "event_type: is not in the closed list (it reads 'mesage'). Write one of message, "
            "status_changed,",
        ),
        (
            event(actor_kind="robot"),
            "actor_kind: is not in the closed list (it reads 'robot'). Write one of customer, agent, bot, ai.",
        ),
        (event(actor_kind=""), "actor_kind: is missing on a message."),
        (event(is_public=""), "is_public: is missing on a message. Write true or false."),
        (
            event(is_public="yes"),
            "is_public: is neither true nor false (it reads 'yes'). Write one of true, false, 1, 0.",
        ),
        (
            event(kind="status_changed", value="hold"),
            "value: is not a status (it reads 'hold'). Write one of new, open,",
        ),
        (event(kind="status_changed", value=""), "value: is not a status."),
    ],
    ids=["event-type", "actor-kind", "no-actor-kind", "no-is-public", "is-public", "status", "no-status"],
)
def test_event_outside_the_closed_lists_is_quarantined(landing, reasons, line, problem):
    result = landing.land("own", "e.csv", EVENTS + event() + line)
    assert result.rows_rejected == 1
    assert problem in reasons(result)[0]


@pytest.mark.parametrize(
    ("event", "gap"),
    [
        ("E2,T1,2026-07-01T09:00:00Z,status_changed,agent,mia,,lab", ("T1", "statuses")),
        ("E2,T1,soon,message,agent,mia,true,", ("T1", "messages")),
        ("E2,T1,2026-07-01T09:00:00Z,debug_done,agent,mia,,", ("T1", None)),
        ("E2,T1,2026-07-01T09:00:00Z,severity_changed,agent,mia,,6", ("T1", None)),
    ],
)
def test_refused_event_leaves_a_gap_in_what_its_ticket_shows(landing, event, gap):
    good = "E1,T1,2026-07-01T08:00:00Z,message,agent,mia,true,"
    header = "event_id,ticket_id,event_at,event_type,actor_kind,actor,is_public,value"
    result = landing.land("own", "e.csv", f"{header}\n{good}\n{event}\n")
    assert (result.rows_landed, result.rows_rejected) == (1, 1)
    assert landing.rows("gaps", "ticket_id, evidence, line_number") == [(*gap, 3)]


def test_severity_changed_to_a_known_level_is_landed(landing):
    header = "event_id,ticket_id,event_at,event_type,actor_kind,actor,is_public,value"
    lines = [f"E{one},T1,2026-07-01T09:00:00Z,severity_changed,agent,mia,,{one}" for one in (0, 5)]
    assert landing.land("own", "e.csv", "\n".join([header, *lines]) + "\n").rows_rejected == 0
