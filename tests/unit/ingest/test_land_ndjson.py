"""NDJSON, canonical and Zendesk: shapes, ids as written, and every line that is not usable named with its
reason.
"""

from __future__ import annotations

import json
import shutil
from datetime import datetime

import pytest

from pipeline.ingest.tables import LANDED_TABLES

CREATED = "2026-07-01T09:00:00Z"


def line(**keys):
    return json.dumps(keys) + "\n"


def zendesk_ticket(identity=1, **keys):
    return {
        "id": identity,
        "created_at": CREATED,
        "updated_at": CREATED,
        "status": "open",
        "requester_id": 7,
    } | keys


def zendesk_audit(identity=1, events=(), **keys):
    return {
        "id": identity,
        "ticket_id": 1,
        "created_at": CREATED,
        "author_id": 7,
        "events": list(events),
    } | keys


USER = {
    "id": 7,
    "name": "Ann",
    "email": "ann@acme.test",
    "role": "end-user",
    "organization_id": 5,
    "updated_at": CREATED,
}
ORGANIZATION = {"id": 5, "name": "Acme", "external_id": "acme", "updated_at": CREATED}
COMMENT = {"id": 3, "type": "Comment", "public": True, "body": "secret", "author_id": 7}
FOUR = [
    ("ticket", zendesk_ticket()),
    ("audit", zendesk_audit(events=[COMMENT])),
    ("user", USER),
    ("organization", ORGANIZATION),
]
ZENDESK_TABLES = {"ticket_versions": 1, "ticket_messages": 1, "people": 1, "organizations": 1}


def landed_tables(landing):
    return {table: len(rows) for table in LANDED_TABLES if (rows := landing.rows(table))}


@pytest.mark.parametrize(
    "content",
    [
        "".join(line(**one) for _, one in FOUR),
        "".join(line(**{wrapper: one}) for wrapper, one in FOUR),
        "".join(
            line(**{f"{wrapper}s": [one]}, count=1, end_of_stream=True, next_page=None)
            for wrapper, one in FOUR
        ),
        line(**{f"{wrapper}s": [one] for wrapper, one in FOUR}),
        json.dumps({f"{wrapper}s": [one] for wrapper, one in FOUR}, indent=2),
        "\ufeff" + "\r\n\r\n".join(line(**{wrapper: one}).strip() for wrapper, one in FOUR),
    ],
    ids=["bare", "wrapped", "page-per-line", "one-page", "one-page-spread", "bom-crlf-blank-lines"],
)
def test_zendesk_objects_land_the_same_in_every_shape(landing, content):
    result = landing.land("desk", "z.json", content)
    assert (result.rows_read, result.rows_rejected) == (4, 0), result.problems
    assert landed_tables(landing) == ZENDESK_TABLES
    assert landing.rows("ticket_versions", "ticket_id, submitted_at, requester_id, evidence") == [
        ("1", datetime(2026, 7, 1, 9), "7", "")
    ]
    columns = "update_id, message_id, message_kind, is_public, author_id, said_at"
    assert landing.rows("ticket_messages", columns) == [
        ("1", "3:message", "comment", True, "7", datetime(2026, 7, 1, 9))
    ]
    assert landing.rows("people", "person_id, role, person, organization_id, updated_at") == [
        ("7", "end-user", "ann@acme.test", "5", datetime(2026, 7, 1, 9))
    ]
    assert landing.rows("organizations", "organization_id, external_id, organization_name") == [
        ("5", "acme", "Acme")
    ]


def test_file_of_mixed_shapes_lands_in_file_order(landing):
    content = (
        line(tickets=[zendesk_ticket(1), zendesk_ticket(2)])
        + line(**zendesk_ticket(3))
        + line(ticket=zendesk_ticket(4))
    )
    assert landing.land("desk", "z.json", content).rows_landed == 4
    assert landing.rows("ticket_versions", "ticket_id, line_number") == [
        ("1", 1),
        ("2", 1),
        ("3", 2),
        ("4", 3),
    ]


def test_shape_that_changes_in_a_later_chunk_is_followed(landing_here, monkeypatch):
    monkeypatch.setattr("pipeline.ingest.files.read_ndjson.CHUNK_BYTES", 300)
    content = "".join(line(**zendesk_ticket(1)) + line(ticket=zendesk_ticket(2)) for _ in range(20))
    result = landing_here.land("desk", "z.json", content)
    assert (result.rows_read, result.rows_rejected) == (40, 0)
    assert landing_here.rows("ticket_versions", "line_number") == list(range(1, 41))


def test_ids_stay_as_written_also_above_what_a_double_holds(landing):
    huge = "9007199254740993", "18446744073709551617", "123456789012345678901234567890"
    content = "".join(
        f'{{"id": {one}, "created_at": "{CREATED}", "updated_at": "{CREATED}"}}\n' for one in huge
    )
    assert landing.land("desk", "z.json", content).rows_rejected == 0
    assert landing.rows("ticket_versions", "ticket_id") == list(huge)


@pytest.mark.parametrize(
    "identity", ["1.03006E+13", '"1.03006E+13"', "12345.0", "1e22", '"1,03E+13"', '""', "null"]
)
def test_mangled_or_missing_id_is_quarantined(landing, identity):
    bad = f'{{"id": {identity}, "status": "new", "created_at": "{CREATED}", "updated_at": "{CREATED}"}}\n'
    result = landing.land("desk", "z.json", line(**zendesk_ticket(1)) + bad)
    assert (result.rows_landed, [problem.field for problem in result.problems]) == (1, ["id"])


def test_audit_keeps_the_events_that_rules_read_without_bodies_or_notifications(landing):
    events = [
        {"id": 1, "type": "Create", "field_name": "tags", "value": ["a", "b"]},
        {"id": 2, "type": "Notification", "body": "secret"},
        {"id": 3, "type": "Change", "field_name": "status", "value": "open", "previous_value": "new"},
        {"type": "VoiceComment", "public": False, "body": "secret"},
    ]
    content = line(**zendesk_audit(9, events, via={"channel": "web"})) + line(**zendesk_audit(10, []))
    assert landing.land("desk", "z.json", content).rows_landed == 2
    columns = (
        'change_id, update_id, place, channel, change_kind, field_name, "value", value_before, author_id'
    )
    assert landing.rows("ticket_changes", columns) == [
        ("1", "9", 1, "web", "created", "tags", '["a","b"]', None, "7"),
        ("3", "9", 3, "web", "changed", "status", "open", "new", "7"),
    ]
    assert landing.rows("ticket_messages", "message_id, channel, message_kind, is_public") == [
        ("9-4:message", "web", "comment", False)
    ]
    paths = list(landing.workspace.landed.rglob("ticket_*/*.parquet"))
    assert len(paths) == 2
    assert not any(b"secret" in path.read_bytes() for path in paths)


def test_a_comment_has_its_own_author_and_channel_and_a_chat_leaves_no_transcript(landing):
    events = [
        {"id": 1, "type": "Comment", "public": True, "author_id": 7, "via": {"channel": "rule"}},
        {"id": 2, "type": "Comment", "public": True},
        {"id": 3, "type": "ChatEndedEvent", "value": {"history": [{"message": "secret"}]}},
    ]
    audit = zendesk_audit(9, events, via={"channel": "web"}, author_id=8)
    assert landing.land("desk", "z.json", line(**audit)).rows_landed == 1
    columns = "message_id, message_kind, author_id, updater_id, channel"
    assert landing.rows("ticket_messages", columns) == [
        ("1:message", "comment", "7", "8", "rule"),
        ("2:message", "comment", "8", "8", "web"),
        ("3:message", "chat", "8", "8", "web"),
    ]
    (path,) = landing.workspace.landed.rglob("ticket_messages/*.parquet")
    assert b"secret" not in path.read_bytes()


def test_deleted_ticket_and_null_priority_land(landing):
    ticket = zendesk_ticket(
        1, status="deleted", priority=None, tags=["x"], custom_fields=[{"id": 360001, "value": "sev_5"}]
    )
    landing.land("desk", "z.json", line(**ticket, via={"channel": "email"}))
    assert landing.rows("ticket_versions", "status, is_deleted, priority, channel, tags, fields") == [
        ("deleted", True, None, "email", '["x"]', '[{"id":360001,"value":"sev_5"}]')
    ]


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ('{"id": 2, "created_at": "2026', "inbox/desk/z.json:2: is truncated: the file ends inside this "
                                          "record"),
        ('{"id": 2,, "created_at": 1}\n', "inbox/desk/z.json:2: is not valid JSON: Expecting property "
                                          "name enclosed"),
        ("[1, 2]\n", "inbox/desk/z.json:2: is a list, not an object (it reads '[1, 2]'). One JSON object "
                     "a line is expected."),
        ("null\n", "inbox/desk/z.json:2: is null, not an object"),
        ("17\n", "inbox/desk/z.json:2: is a number, not an object"),
        ('{"a": 1}\n', "inbox/desk/z.json:2: holds none of ticket, audit, user or organization (it reads "
                       "'{\"a\": 1}')."),
        ('{"ticket": 5}\n', "inbox/desk/z.json:2: id: is missing."),
        ('{"tickets": [7]}\n', "inbox/desk/z.json:2: id: is missing."),
        (line(**zendesk_audit(2, events=()) | {"events": 5}), "inbox/desk/z.json:2: events: is missing."),
        (line(**zendesk_ticket(2, created_at="2026-07-01T09:00:00")), "inbox/desk/z.json:2: created_at: "
                                                                      "has no time zone"),
        (line(**zendesk_ticket(2, created_at=1751360400)), "created_at: is not a possible instant (it "
                                                           "reads '1751360400')"),
        (line(**zendesk_ticket(2, updated_at="2026-13-01T09:00:00Z")),
         "updated_at: is not a possible instant"),
        (line(**zendesk_ticket(2, created_at="2026-07-01T09:00:00+99:00")),
         "created_at: is not a possible instant"),
        (line(**zendesk_ticket(2, created_at=None)), "inbox/desk/z.json:2: created_at: is missing."),
        ("[" * 20_000 + "\n", "inbox/desk/z.json:2: is"),
    ],
    ids=[
        "truncated", "comma", "list", "null", "number", "stranger", "ticket-is-number", "page-of-number",
        "events-is-number",
        "no-zone", "epoch", "month-13", "offset-99", "no-time", "deep",
    ],
)  # fmt: skip
def test_bad_line_is_quarantined_and_its_neighbours_land(landing, reasons, bad, problem):
    result = landing.land("desk", "z.json", line(**zendesk_ticket(1)) + bad)
    assert (result.status, result.rows_landed, result.rows_rejected) == ("landed", 1, 1)
    assert problem in reasons(result)[0]
    assert landing.rows("quarantine", "line_number") == [2]


AUDIT_LINES = [line(**zendesk_audit(number, [COMMENT, COMMENT])) for number in range(10, 50)]
TICKET_LINES = [line(**zendesk_ticket(number)) for number in range(10, 50)]
WRONG_LINES = [
    "{,}\n", "[1, 2]\n", '{"ticket": 5}\n', line(**zendesk_audit(2) | {"events": 5}), line(**zendesk_ticket("1.8e19")),
    line(**zendesk_ticket(2, created_at="soon")), line(**zendesk_audit(2, [COMMENT], created_at=None)), '{"id": "\\u0000"}\n',
]  # fmt: skip


@pytest.mark.parametrize("wrong", ["", *WRONG_LINES])
@pytest.mark.parametrize("good", [AUDIT_LINES, TICKET_LINES], ids=["audits", "tickets"])
@pytest.mark.parametrize("place", [3, 31])
def test_lines_on_two_cursors_land_and_are_refused_as_on_one(landing_here, monkeypatch, good, wrong, place):
    content = "".join([*good[:place], wrong, *good[place:]])
    found = []
    for lines_of_a_pair in (10_000, 1):
        monkeypatch.setattr("pipeline.ingest.forms.zendesk._LINES_OF_A_PAIR", lines_of_a_pair)
        shutil.rmtree(landing_here.workspace.warehouse, ignore_errors=True)
        result = landing_here.land("desk", "z.json", content)
        found.append((result, [landing_here.rows(table) for table in (*LANDED_TABLES, "quarantine")]))
    # When it landed is no matter of how.
    assert repr(found[0]) == repr(found[1])
    assert found[0][0].rows_landed >= len(good)


def test_line_that_is_no_utf8_is_quarantined(landing, reasons):
    content = (line(**zendesk_ticket(1)) + '{"id": "Gr\udcfcn"}\n\n' + line(**zendesk_ticket(3))).encode(
        "utf-8", "surrogateescape"
    )
    result = landing.land("desk", "z.json", content)
    assert "inbox/desk/z.json:2: is not UTF-8 at byte 11 of the line" in reasons(result)[0]
    assert landing.rows("ticket_versions", "ticket_id, line_number") == [("1", 1), ("3", 4)]


def test_last_line_without_a_line_end_lands_when_it_is_whole(landing):
    assert landing.land("desk", "z.json", line(**zendesk_ticket(1)).strip()).rows_landed == 1


def test_page_without_tickets_is_an_export_without_tickets(landing):
    result = landing.land("desk", "z.json", '{"tickets": [], "count": 0, "end_of_stream": true}')
    assert (result.status, result.rows_read) == ("landed", 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("oops\n" * 3, "inbox/desk/z.json: none of its 3 records can be used. Check that this is the "
                       "export of this "
         "source, and the source's settings in sla.yml."),
        ("<html>x\n", "inbox/desk/z.json: the file is an HTML page, not an export. A login or error page "
                      "was probably "
         "saved instead of the export; sign in and download it again."),
        ("Id,Created at,Updated at\n1,x,y\n", "inbox/desk/z.json: it is a table, whose times are written without a zone. "
         "Declare time_zone for this source in sla.yml: that of the account, or of the user who exported it."),
    ],
    ids=["text", "html", "csv"],
)  # fmt: skip
def test_file_that_is_no_ndjson_is_rejected(landing, reasons, content, message):
    result = landing.land("desk", "z.json", content)
    assert (result.status, reasons(result)[0]) == ("rejected", message)


def test_line_above_the_limit_rejects_the_file(landing_here, reasons, monkeypatch):
    monkeypatch.setattr("pipeline.ingest.files.read_ndjson.CHUNK_BYTES", 1 << 10)
    monkeypatch.setattr("pipeline.ingest.files.read_ndjson.LINE_LIMIT_BYTES", 1 << 20)
    result = landing_here.land(
        "desk", "z.json", line(**zendesk_ticket(1)) + line(id=2, description="x" * (3 << 20))
    )
    assert reasons(result) == [
        "inbox/desk/z.json:2: a line is longer than 1 MB. Export smaller pages, or one object a line."
    ]


def test_canonical_lines_are_told_by_their_keys_and_follow_the_same_rules_as_csv(landing, reasons):
    content = (
        line(ticket_id="T1", customer_id="acme", severity=3, submitted_at=CREATED, tags=["a"])
        + line(
            event_id="E1",
            ticket_id="T1",
            event_at=CREATED,
            event_type="message",
            actor_kind="agent",
            is_public=True,
        )
        + line(event_id="E2", ticket_id="T1", event_at=CREATED, event_type="status_changed", value="hold")
        + line(ticket_id="T2", submitted_at=CREATED, priority="high")
        + line(ticket_id="T3", submitted_at=CREATED, subject="?")
    )
    result = landing.land("own", "mixed.ndjson", content)
    assert (result.rows_landed, result.rows_rejected) == (3, 2)
    assert landing.rows("ticket_versions", "ticket_id, severity, tags, subject") == [
        ("T1", "3", '["a"]', None),
        ("T3",) + (None,) * 3,
    ]
    assert landing.rows("ticket_messages", "message_id, is_public") == [("E1", True)]
    assert landing.rows("ticket_changes") == []
    assert landing.rows("gaps", "ticket_id, evidence, line_number") == [("T1", "statuses", 3)]
    assert [problem.split(": ")[1:3] for problem in reasons(result)] == [
        ["priority", "is not a field of this record (it reads 'priority'). Tickets have ticket_id, "
                     "customer_id, requester, "
         "channel, severity, submitted_at, subject, ticket_type, tags, updated_at, and no others."],
        ["value", "is not a status (it reads 'hold'). Write one of new, open, pending, on_hold, solved, "
                  "closed, cancelled."],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ticket_id", ["T2"]),
        ("ticket_id", {"id": 2}),
        ("ticket_id", True),
        ("customer_id", False),
        ("subject", {"text": "Slow"}),
        ("severity", [3]),
        ("tags", {"a": 1}),
    ],
)
def test_canonical_line_with_several_values_or_none_where_one_belongs_is_refused(
    landing, reasons, key, value
):
    good = {"ticket_id": "T1", "submitted_at": CREATED, "subject": '{"text": "[as a text]"}'}
    result = landing.land(
        "own", "tickets.ndjson", line(**good) + line(**{**good, "ticket_id": "T2", key: value})
    )
    assert (result.rows_landed, result.rows_rejected) == (1, 1)
    assert [problem.split(": ")[1:3] for problem in reasons(result)] == [
        [key, f"holds a list, an object, or true or false as an id (it reads '{key}'). "
              "Export one text or number there."],
    ]  # fmt: skip


def test_many_lines_stay_in_file_order_and_count_up(landing):
    changes = [{"id": number, "type": "Change", "field_name": "status", "value": "open"} for number in (1, 2)]
    content = "".join(line(**zendesk_audit(number, [*changes, COMMENT])) for number in range(20_000))
    assert landing.land("desk", "z.json", content).rows_landed == 20_000
    expected = [(number // 2 + 1, number % 2 + 1) for number in range(40_000)]
    assert landing.rows("ticket_changes", "line_number, place") == expected
    assert landing.rows("ticket_messages", "line_number") == list(range(1, 20_001))


COMMENTED = {
    "id": 5, "created_at": "2026-07-01T08:00:00Z", "updated_at": "2026-07-01T09:00:00Z", "status": "open",
    "requester_id": 7, "subject": "Sync stops",
}  # fmt: skip


def test_comments_inside_a_ticket_of_the_full_export_are_messages_of_it(landing):
    comments = [
        {"id": 51, "author_id": 7, "created_at": "2026-07-01T08:00:00Z", "public": True, "body": "x"},
        {
            "id": 52,
            "author_id": 9,
            "created_at": "2026-07-01T08:30:00Z",
            "public": False,
            "via": {"channel": "web"},
        },
    ]
    text = json.dumps({"ticket": COMMENTED | {"comments": comments}})
    landing.land("desk", "export_2026_07_01_x_1.json", text + "\n" + json.dumps(COMMENTED | {"id": 6}) + "\n")
    assert sorted(landing.rows("ticket_versions", "ticket_id, evidence")) == [("5", "messages"), ("6", "")]
    assert landing.rows(
        "ticket_messages", "message_id, ticket_id, author_id, said_at, message_kind, is_public, channel"
    ) == [
        ("51:message", "5", "7", datetime(2026, 7, 1, 8), "comment", True, None),
        ("52:message", "5", "9", datetime(2026, 7, 1, 8, 30), "comment", False, "web"),
    ]


def test_a_ticket_with_a_damaged_comment_is_refused_whole(landing, reasons):
    damaged = COMMENTED | {"id": 6, "comments": [{"id": 61, "created_at": "soon", "public": True}]}
    result = landing.land("desk", "z.ndjson", json.dumps(COMMENTED) + "\n" + json.dumps(damaged) + "\n")
    assert (result.rows_landed, result.rows_rejected) == (1, 1)
    assert landing.rows("ticket_messages") == []


METRIC_EVENT = {"id": 1, "ticket_id": 5, "metric": "reply_time", "instance_id": 1, "time": CREATED}


@pytest.mark.parametrize(
    "wrap",
    [lambda one: one, lambda one: {"ticket_metric_event": one}, lambda one: {"ticket_metric_events": [one]}],
)
def test_metric_events_with_minutes_a_target_or_a_breach_are_figures_of_theirs(landing, wrap):
    events = [
        {"type": "activate"},
        {
            "type": "apply_sla",
            "sla": {"target": 120, "business_hours": True, "policy": {"id": 9, "title": "Gold"}},
        },
        {"type": "fulfill"},
        {"type": "update_status", "status": {"calendar": 150, "business": 30}},
        {"type": "update_status", "status": {"calendar": 7, "business": None}, "instance_id": 3},
        {"type": "breach"},
        {"type": "breach", "deleted": True, "metric": "resolution_time"},
        {"type": "measure", "metric": "agent_work_time", "instance_id": 0},
    ]
    result = landing.land("desk", "m.json", "".join(line(**wrap(METRIC_EVENT | event)) for event in events))
    assert (result.rows_landed, result.rows_rejected) == (8, 0)
    columns = (
        "figure, obligation, cycle_number, figure_kind, clock_kind, they_seconds, goal_seconds, they_breached"
    )
    assert landing.rows("vendor_sla_figures", columns) == [
        ("reply_time apply_sla", "first_response", 1, "target", "business", None, 7200, None),
        ("reply_time update_status", "first_response", 1, "elapsed", "calendar", 9000, None, None),
        ("reply_time update_status", "first_response", 1, "elapsed", "business", 1800, None, None),
        ("reply_time update_status", "next_reply", 2, "elapsed", "calendar", 420, None, None),
        ("reply_time breach", "first_response", 1, "target", None, None, None, True),
        ("resolution_time breach", "resolution", 1, "target", None, None, None, False),
    ]


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"type": "snooze"}, "type: is not in the closed list (it reads 'snooze')"),
        ({"type": "breach", "time": "soon"}, "time: is not a possible instant"),
        ({"type": "breach", "ticket_id": None}, "ticket_id: is missing"),
        ({"type": "update_status", "status": {"calendar": "ten"}}, "status.calendar: is not a whole number"),
    ],
)
def test_a_metric_event_that_cannot_be_understood_is_quarantined(landing, reasons, wrong, problem):
    result = landing.land(
        "desk", "m.json", line(**METRIC_EVENT | {"type": "fulfill"}) + line(**METRIC_EVENT | wrong)
    )
    assert (result.rows_landed, result.rows_rejected) == (1, 1)
    assert problem in reasons(result)[0]


@pytest.mark.parametrize(
    "wrap", [lambda one: one, lambda one: {"ticket_metric": one}, lambda one: {"ticket_metrics": [one]}]
)
def test_ticket_metrics_are_figures_of_theirs_and_null_is_not_zero(landing, wrap):
    metric = {
        "id": 1, "ticket_id": 5, "updated_at": "2026-07-01T09:00:00Z",
        "reply_time_in_minutes": {"calendar": 30, "business": 0},
        "full_resolution_time_in_minutes": {"calendar": None, "business": None},
    }  # fmt: skip
    landing.land("desk", "metrics.ndjson", json.dumps(wrap(metric)) + "\n")
    assert landing.rows(
        "vendor_sla_figures", "ticket_id, figure, obligation, clock_kind, they_seconds, unit_seconds"
    ) == [
        ("5", "reply_time_in_minutes", "first_response", "calendar", 1800, 60),
        ("5", "reply_time_in_minutes", "first_response", "business", 0, 60),
    ]
