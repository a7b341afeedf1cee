"""What a mapping file can say of figures, counted instants, evidence and headers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.ingest.conftest import Landing

HEAD = """\
time_zone: UTC
dates: ["%Y-%m-%d %H:%M:%S"]
allow: [any_columns]
evidence: [{evidence}]
files:
  tickets:
    format: csv
    required: [Id, Created]
"""
TICKET = "    tickets: {ticket_id: Id, submitted_at: Created}\n"
CREATED = "2026-07-01 08:00:00"


@pytest.fixture
def mapped(declare: Callable[[str], Landing], tmp_path: Path) -> Callable[..., Landing]:
    """A landing whose source `desk` is read with the common head, then what the test adds to its file of tickets."""

    def read_with(rest: str = TICKET, evidence: str = "", head: str = HEAD) -> Landing:
        folder = tmp_path / "reference" / "mappings"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "desk.yml").write_text(head.format(evidence=evidence) + rest, encoding="utf-8")
        return declare("sources:\n  desk: {type: mapped, mapping: mappings/desk.yml}\n")

    return read_with


FIGURE = (
    TICKET
    + """\
    figures:
      - obligation: {constant: first_response}
        figure_kind: {constant: elapsed}
        clock_kind: {constant: business}
        they_seconds: {column: Took, unit: UNIT}
        they_breached: {column: Verdict, values: {words: {late: true, fine: false}, unknown: nothing}}
"""
)


@pytest.mark.parametrize(
    ("unit", "written", "seconds", "unit_seconds"),
    [
        ("minutes", "90", 5400, 60),
        ("hours", "2.0", 7200, 3600),
        ("seconds", "-5", -5, 1),
        ('"h:mm"', "-0:05", -300, 60),
        ('"h:mm:ss"', "125:30:01", 451801, 1),
    ],
)
def test_a_figure_of_the_vendor_is_named_by_its_column_and_cut_to_its_unit(
    mapped, unit: str, written: str, seconds: int, unit_seconds: int
) -> None:
    landing = mapped(FIGURE.replace("UNIT", unit))
    landing.land("desk", "a.csv", f"Id,Created,Took,Verdict\n7,{CREATED},{written},late\n")
    columns = "ticket_id, figure, they_seconds, unit_seconds, they_breached, they_started_at, cycle_number"
    assert landing.rows("vendor_sla_figures", columns) == [
        ("7", "Took", seconds, unit_seconds, True, datetime(2026, 7, 1, 8), 1)
    ]


def test_a_figure_that_says_neither_how_long_nor_whether_too_long_is_none(mapped) -> None:
    landing = mapped(FIGURE.replace("UNIT", "minutes"))
    content = (
        f"Id,Created,Took,Verdict\n1,{CREATED},,\n2,{CREATED},,paused\n3,{CREATED},,fine\n4,{CREATED},0,\n"
    )
    landing.land("desk", "a.csv", content)
    assert landing.rows("vendor_sla_figures", "ticket_id, they_seconds, they_breached") == [
        ("3", None, False),
        ("4", 0, None),
    ]


def test_a_duration_that_is_none_refuses_its_record_with_its_column(mapped) -> None:
    landing = mapped(FIGURE.replace("UNIT", "minutes"))
    result = landing.land("desk", "a.csv", f"Id,Created,Took,Verdict\n7,{CREATED},1h,\n8,{CREATED},1,\n")
    assert "Took: is not a whole number (it reads '1h')" in str(result.problems[0])


def test_an_elapsed_figure_without_seconds_is_what_lies_between_its_two_instants(mapped) -> None:
    rest = TICKET + (
        "    figures:\n      - {figure: {constant: reply}, figure_kind: {constant: elapsed}, clock_kind: {constant: calendar},"
        " they_stopped_at: Replied}\n"
    )
    landing = mapped(rest)
    content = f"Id,Created,Replied\n7,{CREATED},2026-07-01 09:30:01\n8,{CREATED},\n"
    assert landing.land("desk", "a.csv", content).rows_rejected == 0
    assert landing.rows("vendor_sla_figures", "ticket_id, they_seconds") == [("7", 5401)]


STARS = """\
    columns:
      left: {names: ['Time to * (left)'], repeated: true}
    tickets: {ticket_id: Id, submitted_at: Created}
    figures:
      - each: left
        figure: {header: left}
        obligation:
          first:
            - {constant: resolution, when: {header: left, contains: Resol}}
            - {constant: first_response, when: {header: left, contains: respon}}
        figure_kind: {constant: remaining}
        clock_kind: {constant: business}
        they_seconds: {column: left, unit: "h:mm"}
"""


def test_a_star_in_a_name_stands_for_any_text_and_the_header_tells_which(mapped) -> None:
    landing = mapped(STARS)
    header = (
        "Id,Created,time to first response (LEFT),Time to resolution (left),Time to  (right),Time to (left)"
    )
    landing.land("desk", "a.csv", f"{header}\n7,{CREATED},1:00,-2:00,9:00,9:00\n")
    assert landing.rows("vendor_sla_figures", "figure, obligation, they_seconds") == [
        ("first response", "first_response", 3600),
        ("resolution", "resolution", -7200),
    ]


REPLY = (
    TICKET
    + """\
    events:
      - name: reply
        event_type: {constant: message}
        event_at: {minutes: Minutes, after: Created, clock: calendar, not_after: Updated}
        actor_kind: {constant: agent}
        is_public: {constant: true}
        when: {column: Minutes, filled: true}
"""
)


@pytest.mark.parametrize(
    ("minutes", "updated", "earliest", "latest"),
    [
        ("60", "2026-07-02 00:00:00", datetime(2026, 7, 1, 9), datetime(2026, 7, 1, 9, 0, 59)),
        ("0", "2026-07-02 00:00:00", datetime(2026, 7, 1, 8, 0, 1), datetime(2026, 7, 1, 8, 0, 59)),
        ("60", "2026-07-01 09:00:30", datetime(2026, 7, 1, 9), datetime(2026, 7, 1, 9, 0, 30)),
        # An update before the minute contradicts it, and limits nothing.
        ("60", "2026-07-01 08:59:59", datetime(2026, 7, 1, 9), datetime(2026, 7, 1, 9, 0, 59)),
    ],
)
def test_a_counted_instant_is_a_window_of_one_minute_up_to_the_last_update(
    mapped, minutes: str, updated: str, earliest: datetime, latest: datetime
) -> None:
    landing = mapped(REPLY, "response_date")
    landing.land("desk", "a.csv", f"Id,Created,Updated,Minutes\n7,{CREATED},{updated},{minutes}\n")
    assert landing.rows("ticket_messages", "message_id, message_kind, earliest_at, said_at") == [
        ("7:reply", "date", earliest, latest)
    ]


RESOLVED = (
    TICKET
    + """\
    events:
      - name: resolved
        event_type: {constant: status_changed}
        event_at: Resolved
        value: {constant: solved}
        when: {column: Resolved, filled: true}
"""
)


@pytest.mark.parametrize(
    ("date_format", "written", "first", "last"),
    [
        ("%Y-%m-%d %H:%M:%S", "2026-07-01 09:00:00", datetime(2026, 7, 1, 9), None),
        ("%Y-%m-%d %H:%M", "2026-07-01 09:00", datetime(2026, 7, 1, 9), datetime(2026, 7, 1, 9, 0, 59)),
        ("%Y-%m-%d %I %p", "2026-07-01 09 AM", datetime(2026, 7, 1, 9), datetime(2026, 7, 1, 9, 59, 59)),
        ("%Y-%m-%d", "2026-07-01", datetime(2026, 7, 1), datetime(2026, 7, 1, 23, 59, 59)),
        ("iso", "2026-07-01T09:00:00Z", datetime(2026, 7, 1, 9), None),
        ("iso", "2026-07-01T09:00Z", datetime(2026, 7, 1, 9), datetime(2026, 7, 1, 9, 0, 59)),
        ("iso", "2026-07-01T09+00:00", datetime(2026, 7, 1, 9), datetime(2026, 7, 1, 9, 59, 59)),
        ("epoch_seconds", "1782896400", datetime(2026, 7, 1, 9), None),
    ],
)
def test_an_instant_is_a_window_as_wide_as_its_format_is_cut(
    mapped, date_format: str, written: str, first: datetime, last: datetime | None
) -> None:
    landing = mapped(RESOLVED, "resolution", HEAD.replace("%Y-%m-%d %H:%M:%S", date_format))
    landing.land("desk", "a.csv", f"Id,Created,Resolved\n7,{written},{written}\n")
    assert landing.rows("ticket_versions", "submitted_at, latest_submitted_at") == [(first, last)]
    assert landing.rows("ticket_changes", "change_id, earliest_at, changed_at") == [
        ("7:resolved", first, last or first)
    ]


@pytest.mark.parametrize(
    ("day", "last"),
    [
        ("2026-03-29", datetime(2026, 3, 29, 21, 59, 59)),
        ("2025-10-26", datetime(2025, 10, 26, 22, 59, 59)),
    ],
    ids=["23 hours", "25 hours"],
)
def test_a_day_is_as_long_as_it_is_in_its_zone(mapped, day: str, last: datetime) -> None:
    head = HEAD.replace("%Y-%m-%d %H:%M:%S", "%Y-%m-%d").replace("UTC", "Europe/Berlin")
    landing = mapped(RESOLVED, "resolution", head)
    landing.land("desk", "a.csv", f"Id,Created,Resolved\n7,{day},\n")
    assert landing.rows("ticket_versions", "latest_submitted_at") == [last]


def test_evidence_may_depend_on_the_header_and_on_the_row(mapped) -> None:
    shows = "{shows: resolution, when: [{column: Resolved, present: true}, {column: Reopens, is: 0}]}"
    landing = mapped(RESOLVED, shows.replace("{", "{{").replace("}", "}}").format())
    landing.land(
        "desk", "a.csv", f"Id,Created,Resolved,Reopens\n1,{CREATED},,0\n2,{CREATED},,1\n3,{CREATED},,\n"
    )
    landing.land("desk", "b.csv", f"Id,Created,Reopens\n4,{CREATED},0\n")
    assert sorted(landing.rows("ticket_versions", "ticket_id, evidence")) == [
        ("1", "resolution"),
        ("2", ""),
        ("3", ""),
        ("4", ""),
    ]


def test_of_several_values_the_first_and_of_several_instants_the_latest_counts(mapped) -> None:
    rest = """\
    tickets:
      ticket_id: Id
      submitted_at: Created
      requester:
        first:
          - {column: Mail, when: {column: Mail, starts_with: c}}
          - {join: [{constant: by}, Name], separator: " "}
          - {constant: unlisted}
      tags: {column: Tags, separator: " "}
      updated_at: {first: [Updated, {latest: [Created, Closed]}]}
"""
    landing = mapped(rest)
    content = (
        "Id,Created,Mail,Name,Tags,Updated,Closed\n"
        f"1,{CREATED},carla,x,a,2026-07-05 00:00:00,2026-07-06 00:00:00\n"
        f"2,{CREATED},anna,Anna,,,2026-07-06 00:00:00\n"
        f"3,{CREATED},,,,,\n"
    )
    landing.land("desk", "a.csv", content)
    assert landing.rows("ticket_versions", "requester, updated_at") == [
        ("carla", datetime(2026, 7, 5)),
        ("by Anna", datetime(2026, 7, 6)),
        ("unlisted", datetime(2026, 7, 1, 8)),
    ]


def test_a_column_that_comes_twice_counts_once_and_a_repeated_one_may_be_joined(mapped) -> None:
    rest = """\
    columns:
      labels: {names: [Labels], repeated: true}
    tickets: {ticket_id: Id, submitted_at: Created, subject: Title, tags: {column: labels, separator: " "}}
"""
    landing = mapped(rest)
    content = (
        f"Id,Created,Title,Labels,Title,Labels,Labels\n7,{CREATED},,bug,Sync,,vip\n8,{CREATED},Slow,,,,\n"
    )
    landing.land("desk", "a.csv", content)
    assert landing.rows("ticket_versions", "subject, tags") == [("Sync", "bug vip"), ("Slow", None)]


def test_a_row_without_a_required_column_is_refused(mapped) -> None:
    landing = mapped(head=HEAD.replace("[Id, Created]", "[Id, Created, Updated]"))
    result = landing.land("desk", "a.csv", f"Id,Created,Updated\n7,{CREATED},\n8,{CREATED},x\n")
    assert [(problem.line, problem.field) for problem in result.problems] == [(2, "Updated")]
    result = landing.land("desk", "b.csv", f"Id,Created\n7,{CREATED}\n")
    assert "the header lacks 'Updated'" in str(result.problems[0])


FILES = """\
  log:
    format: csv
    dates: [iso]
    required: [Key, At]
    tickets: {ticket_id: Key, submitted_at: At}
  history:
    format: csv
    required: [Change]
    refuse: {says: it is a history., hint: Export the tickets.}
"""


def test_a_file_may_have_dates_of_its_own_and_another_may_be_refused_by_name(mapped) -> None:
    landing = mapped(TICKET + FILES)
    landing.land("desk", "a.csv", "Key,At\n7,2026-07-01T10:00:00+02:00\n")
    assert landing.rows("ticket_versions", "submitted_at") == [datetime(2026, 7, 1, 8)]
    result = landing.land("desk", "b.csv", "Change\nx\n")
    assert result.status == "rejected"
    assert "it is a history. Export the tickets." in str(result.problems[0])


def test_a_warning_is_told_of_the_header_or_of_so_many_rows(mapped) -> None:
    rest = (
        TICKET
        + """\
    warnings:
      - {says: no reply., hint: Tick it., when: {column: Reply, present: false}}
      - {says: two rows., hint: Count., rows: 2}
"""
    )
    landing = mapped(rest)

    def say(name: str, content: str) -> list[Any]:
        return [problem.reason for problem in landing.land("desk", name, content).warnings]

    assert say("a.csv", f"Id,Created\n1,{CREATED}\n") == ["no reply."]
    assert say("b.csv", f"Id,Created,Reply\n1,{CREATED},\n2,{CREATED},\n") == ["two rows."]
    assert say("c.csv", f"Id,Created,Reply\n1,{CREATED},\n2,{CREATED},\n3,{CREATED},\n") == []


def test_a_message_whose_audience_is_not_exported_lands_without_it(mapped) -> None:
    rest = (
        TICKET.replace(
            "    tickets", "    columns:\n      note: {names: [Note], repeated: true}\n    tickets"
        )
        + """\
    events:
      - name: note
        event_type: {constant: message}
        each: note
        event_at: {column: note, split_by: ";", part: 1}
        actor: {column: note, split_by: ";", part: 2}
        actor_role: {constant: customer, when: {column: note, split_by: ";", part: 2, starts_with: "qm:"}}
        is_public: {constant: unmarked}
"""
    )
    landing = mapped(rest, "unmarked_messages")
    landing.land("desk", "a.csv", f"Id,Created,Note,Note\n7,{CREATED},{CREATED};qm:1;hello,{CREATED};mia\n")
    assert landing.rows("ticket_messages", "message_id, is_public, author_id, author_role") == [
        ("7:note:1", None, "qm:1", "customer"),
        ("7:note:2", None, "mia", None),
    ]
