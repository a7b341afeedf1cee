"""Event logs: one row per event, with the ticket's attributes beside it; and what becomes of one that is taken for tickets."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from pipeline.errors import ConfigurationError
from pipeline.ingest.landing.preview import preview_exports
from tests.unit.ingest.conftest import Landing

HEAD = """\
time_zone: UTC
dates: ["%Y-%m-%d %H:%M"]
evidence: EVIDENCE
files:
  log:
    format: FORMAT
"""
LOG = """\
    log:
      ticket_id: case
      event_at: time
      ticket_status: {column: status, values: {New: new, Open: open, Done: solved}}
    events:
      - event_type: {constant: message}
        actor_kind: {constant: agent}
        is_public: {constant: true}
        when: {column: activity, is: Reply}
"""
TICKETS = """\
    tickets:
      ticket_id: case
      submitted_at: time
      ticket_status: {column: status, values: {New: new, Open: open, Done: solved}}
"""
ROWS = [
    ("A", "2026-07-01 08:00", "Created", "New"),
    ("A", "2026-07-01 08:30", "Reply", "Open"),
    ("A", "2026-07-01 08:30", "Closed", "Done"),
]
TABLE = "case,time,activity,status\n" + "".join(",".join(row) + "\n" for row in ROWS)


@pytest.fixture
def mapped(declare: Callable[[str], Landing], tmp_path: Path) -> Callable[..., Landing]:
    """A landing whose source `desk` is read with this entry for its file."""

    def read_with(entry: str, evidence: str = "[messages, statuses]", file_format: str = "csv") -> Landing:
        folder = tmp_path / "reference" / "mappings"
        folder.mkdir(parents=True, exist_ok=True)
        head = HEAD.replace("EVIDENCE", evidence).replace("FORMAT", file_format)
        (folder / "desk.yml").write_text(head + entry, encoding="utf-8")
        return declare("sources:\n  desk: {type: mapped, mapping: mappings/desk.yml}\n")

    return read_with


def test_row_of_a_log_is_a_version_of_its_ticket_and_the_event_that_it_says(mapped) -> None:
    landing = mapped(LOG)
    result = landing.land("desk", "log.csv", TABLE)
    assert (result.rows_landed, result.rows_rejected) == (3, 0)
    assert landing.rows("ticket_versions", "ticket_id, version_kind, status, updated_at, line_number") == [
        ("A", "update", "new", datetime(2026, 7, 1, 8), 2),
        ("A", "update", "open", datetime(2026, 7, 1, 8, 30), 3),
        ("A", "update", "solved", datetime(2026, 7, 1, 8, 30), 4),
    ]
    assert landing.rows("ticket_messages", "ticket_id, said_at, author_kind, line_number") == [
        # A format without seconds: the last second of the minute.
        ("A", datetime(2026, 7, 1, 8, 30, 59), "agent", 3)
    ]


def test_statuses_that_show_the_end_show_the_resolution_without_a_second_word(mapped) -> None:
    landing = mapped(LOG)
    landing.land("desk", "log.csv", TABLE)
    assert set(landing.rows("ticket_versions", "evidence")) == {"messages statuses resolution"}


def test_rows_of_one_line_keep_their_places(mapped) -> None:
    landing = mapped(LOG, file_format="json")
    names = ("case", "time", "activity", "status")
    landing.land("desk", "log.json", json.dumps([dict(zip(names, row, strict=True)) for row in ROWS]))
    rows = landing.rows("ticket_versions", "status, line_number, line_place")
    assert [(status, line) for status, line, _ in rows] == [("new", 1), ("open", 1), ("solved", 1)]
    assert sorted(rows, key=lambda row: row[2]) == rows


def test_log_that_is_taken_for_tickets_is_refused_with_the_entry_to_write(mapped) -> None:
    landing = mapped(TICKETS, "[]")
    table = TABLE.replace("08:30,Closed", "08:45,Closed") + "B,2026-07-01 09:00,Created,New\n"
    result = landing.land("desk", "log.csv", table)
    assert (result.status, result.rows_landed) == ("rejected", 0)
    assert [str(problem) for problem in result.problems] == [
        "inbox/desk/log.csv:3: time: ticket_id 'A' comes with 3 different submissions (lines 2, 3, 4). "
        "One row per event is a log, not a list of tickets. "
        "Write `log: {ticket_id: case, event_at: time, …}` in place of `tickets:`, and under `events:` "
        "what its rows are (MAPPINGS.md, Event logs)."
    ]


def test_dry_run_refuses_a_log_that_is_taken_for_tickets(mapped) -> None:
    landing = mapped(TICKETS, "[]")
    (landing.workspace.inbox / "desk").mkdir(parents=True)
    (landing.workspace.inbox / "desk" / "log.csv").write_text(TABLE, encoding="utf-8")
    [preview] = preview_exports(landing.workspace, landing.config, None, None, 10)
    assert preview.status == "would_be_rejected"
    assert "comes with 2 different submissions" in str(preview.problems[0])


@pytest.mark.parametrize(("tickets", "status"), [(20, "landed"), (19, "rejected")])
def test_up_to_five_percent_of_the_tickets_may_have_two_submissions(
    mapped, tickets: int, status: str
) -> None:
    landing = mapped(TICKETS, "[]")
    rows = [f"T{number},2026-07-01 08:00,x,New" for number in range(tickets)] + ["T0,2026-07-01 09:00,x,Open"]
    result = landing.land("desk", "t.csv", "case,time,activity,status\n" + "\n".join(rows) + "\n")
    assert result.status == status
    said = result.warnings if status == "landed" else result.problems
    assert "ticket_id 'T0' comes with 2 different submissions" in " ".join(str(one) for one in said)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (LOG + "    tickets: {ticket_id: case, submitted_at: time}\n", "the rows of a log are events"),
        (LOG.replace("      event_at: time\n", ""), "'event_at' is missing"),
        (LOG + "      - event_type: {constant: status_changed}\n", "a status_changed has no value"),
    ],
    ids=["log-and-tickets", "no-instant", "status-without-value"],
)
def test_wrong_log_is_named(mapped, entry: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        mapped(entry)
    assert reason in str(refusal.value) + " ".join(str(one) for one in refusal.value.problems)
