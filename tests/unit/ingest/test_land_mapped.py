"""A mapping file turns any table into tickets, events and people: one rule a test, files small enough to read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigurationError
from pipeline.ingest.files.exports import Export, read_start
from pipeline.ingest.forms.mapped import land_with_mapping
from pipeline.ingest.landing.preview import PreviewWriter, preview_exports
from pipeline.ingest.landing.quarantine import list_quarantine, retry_quarantine
from pipeline.rules.load_mapping import load_mapping
from pipeline.rules.load_sources import load_sources
from pipeline.settings import CHECKOUT, Workspace
from tests.unit.ingest.conftest import Landing

HEAD = """\
time_zone: Europe/Berlin
dates: ["%d/%m/%Y %H:%M"]
null_markers: ["-"]
evidence: [resolution]
"""
TICKETS = """\
files:
  issues:
    format: csv
    tickets:
      ticket_id: Key
      submitted_at: Created
      severity: {column: Priority, values: {High: 4, Low: 2}}
    events:
      - event_type: {constant: status_changed}
        event_at: Resolved
        value: {constant: solved}
        when: {column: Resolved, filled: true}
"""
HEADER = "Key,Created,Priority,Resolved\n"
EVENTS = """\
files:
  history:
    format: csv
    events:
      - event_type: {constant: status_changed}
        ticket_id: Key
        event_at: At
        value: {column: Status, values: {Open: open, Wait: pending}}
"""


@pytest.fixture
def mapped(declare: Callable[[str], Landing], tmp_path: Path) -> Callable[[str], Landing]:
    """A landing whose source `desk` is read with the given mapping."""

    def read_with(mapping: str) -> Landing:
        folder = tmp_path / "reference" / "mappings"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "desk.yml").write_text(mapping, encoding="utf-8")
        return declare("sources:\n  desk: {type: mapped, mapping: mappings/desk.yml}\n")

    return read_with


def change_mapping(landing: Landing, old: str, new: str) -> Landing:
    file = landing.workspace.mappings / "desk.yml"
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")
    return replace(landing, config=load_sources(landing.workspace.sla_yml))


def told(result: object) -> list[str]:
    return [str(problem) for problem in (*result.problems, *result.warnings)]  # type: ignore[attr-defined]


def test_ticket_and_the_event_beside_it_land_in_utc(mapped) -> None:
    landing = mapped(HEAD + TICKETS)
    result = landing.land("desk", "a.csv", HEADER + "T-1,02/07/2026 09:00,High,03/07/2026 10:30\n")
    assert (result.status, result.rows_read, result.rows_landed) == ("landed", 1, 1)
    columns = "ticket_id, severity, submitted_at, evidence, source_file, line_number"
    assert landing.rows("ticket_versions", columns) == [
        ("T-1", "4", datetime(2026, 7, 2, 7), "resolution", "inbox/desk/a.csv", 2)
    ]
    # Without seconds, it lies within its minute.
    first, last = datetime(2026, 7, 3, 8, 30), datetime(2026, 7, 3, 8, 30, 59)
    columns = "ticket_id, change_kind, field_name, value, earliest_at, changed_at"
    assert landing.rows("ticket_changes", columns) == [("T-1", "date", "status", "solved", first, last)]


def test_event_that_did_not_happen_makes_no_row(mapped) -> None:
    landing = mapped(HEAD + TICKETS)
    content = HEADER + "T-1,02/07/2026 09:00,High,-\nT-2,02/07/2026 09:00,High,\n"
    assert landing.land("desk", "a.csv", content).rows_landed == 2
    assert landing.rows("ticket_changes") == []


def test_ids_stay_text(mapped) -> None:
    landing = mapped(HEAD + TICKETS)
    landing.land(
        "desk", "a.csv", HEADER + "007,02/07/2026 09:00,High,\n9007199254740993,02/07/2026 09:00,Low,\n"
    )
    assert landing.rows("ticket_versions", "ticket_id") == ["007", "9007199254740993"]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (
            "1.03E+13,02/07/2026 09:00,High,",
            "Key: is a number that lost digits, not an id (it reads '1.03E+13').",
        ),
        ("T-2,31/02/2026 09:00,High,", "Created: is not a possible time in any declared date format"),
        ("T-2,07/28/2026 09:00,High,", "Created: is not a possible time in any declared date format"),
        ("T-2,,High,", "Created: is missing."),
        ("T-2,02/07/1969 09:00,High,", "Created: lies outside the years 1970 to 2200"),
        ("T-2,02/07/2026 09:00,Hgih,", "Priority: is not a known severity (it reads 'Hgih')."),
        (",02/07/2026 09:00,High,", "Key: is missing."),
    ],
)
def test_record_that_cannot_be_used_is_refused_with_line_column_value_and_hint(mapped, row, problem) -> None:
    landing = mapped(HEAD + TICKETS)
    result = landing.land("desk", "a.csv", HEADER + "T-1,02/07/2026 09:00,High,\n" + row + "\n")
    assert (result.rows_read, result.rows_landed, result.rows_rejected) == (2, 1, 1)
    assert told(result)[0].startswith(f"inbox/desk/a.csv:3: {problem}")
    assert landing.rows("ticket_versions", "ticket_id") == ["T-1"], "a record is taken whole or not at all"


def test_record_with_one_unusable_event_is_refused_whole(mapped) -> None:
    landing = mapped(HEAD + TICKETS)
    content = HEADER + "T-1,02/07/2026 09:00,High,\nT-2,02/07/2026 09:00,High,soon\n"
    assert landing.land("desk", "a.csv", content).rows_rejected == 1
    assert landing.rows("ticket_versions", "ticket_id") == ["T-1"]


def test_nearest_known_word_is_named_for_an_unknown_one(mapped) -> None:
    landing = mapped(HEAD + TICKETS)
    content = HEADER + "T-1,02/07/2026 09:00,High,\nT-2,02/07/2026 09:00,Hihg,\n"
    said = told(landing.land("desk", "a.csv", content))
    assert any("Did you mean" in one and "Known: High, Low." in one for one in said)
    assert "inbox/desk/a.csv: Priority: 'Hihg' is not known: 1 in quarantine because of it." in " ".join(said)


def test_unknown_severity_that_may_pass_stays_as_it_is_written(mapped) -> None:
    landing = mapped(HEAD + TICKETS.replace("{High: 4, Low: 2}", "{words: {High: 4}, unknown: pass}"))
    landing.land("desk", "a.csv", HEADER + "T-1,02/07/2026 09:00,Urgent!,\n")
    assert landing.rows("ticket_versions", "severity") == ["Urgent!"]
    assert landing.rows("gaps") == []


def test_refused_event_leaves_a_gap_in_what_its_ticket_shows(mapped) -> None:
    landing = mapped(HEAD.replace("resolution", "") + EVENTS)
    content = (
        "Key,At,Status\nT-1,02/07/2026 09:00,Open\nT-2,02/07/2026 09:00,Lab\nT-3,soon,Open\n,soon,Open\n"
    )
    assert landing.land("desk", "a.csv", content).rows_rejected == 3
    assert landing.rows("gaps", "ticket_id, evidence") == [("T-2", "statuses"), ("T-3", "statuses")]


def test_change_to_an_unknown_severity_is_a_gap_in_everything_even_where_it_passes(mapped) -> None:
    text = EVENTS.replace("status_changed", "severity_changed")
    text = text.replace("{Open: open, Wait: pending}", "{words: {High: 4}, unknown: pass}")
    landing = mapped(HEAD.replace("resolution", "") + text)
    result = landing.land(
        "desk", "a.csv", "Key,At,Status\nT-1,02/07/2026 09:00,High\nT-2,02/07/2026 09:00,Hot\n"
    )
    assert result.rows_rejected == 0
    assert landing.rows("ticket_changes", "ticket_id, value") == [("T-1", "4")]
    assert landing.rows("gaps", "ticket_id, evidence") == [("T-2", None)]


BEFORE = EVENTS.replace(
    "        value: ",
    "        value_before: {column: Was, values: {Open: open, Wait: pending}}\n        value: ",
)


def test_change_lands_with_what_the_field_held_before_it(mapped) -> None:
    landing = mapped(HEAD.replace("resolution", "") + BEFORE)
    content = "Key,At,Was,Status\nT-1,02/07/2026 09:00,Wait,Open\nT-2,02/07/2026 09:00,,Open\n"
    assert landing.land("desk", "a.csv", content).rows_rejected == 0
    columns = "ticket_id, change_kind, field_name, value_before, value, earliest_at, changed_at"
    first, last = datetime(2026, 7, 2, 7), datetime(2026, 7, 2, 7, 0, 59)
    assert landing.rows("ticket_changes", columns) == [
        ("T-1", "event", "status_changed", "pending", "open", first, last),
        ("T-2", "event", "status_changed", None, "open", first, last),
    ]


def test_change_of_an_unknown_status_is_refused_and_leaves_a_gap(mapped) -> None:
    landing = mapped(HEAD.replace("resolution", "") + BEFORE)
    result = landing.land(
        "desk", "a.csv", "Key,At,Was,Status\nT-1,02/07/2026 09:00,Lab,Open\nT-2,02/07/2026 09:00,,Open\n"
    )
    assert "Was: is not a known status (it reads 'Lab')" in told(result)[0]
    assert landing.rows("gaps", "ticket_id, evidence") == [("T-1", "statuses")]


def test_change_of_an_unknown_severity_is_a_gap_even_where_it_passes(mapped) -> None:
    text = BEFORE.replace("status_changed", "severity_changed")
    text = text.replace("{Open: open, Wait: pending}", "{words: {High: 4, Low: 2}, unknown: pass}")
    landing = mapped(HEAD.replace("resolution", "") + text)
    landing.land("desk", "a.csv", "Key,At,Was,Status\nT-1,02/07/2026 09:00,Hot,Low\n")
    assert landing.rows("ticket_changes") == []
    assert landing.rows("gaps", "ticket_id, evidence") == [("T-1", None)]


def test_two_date_formats_in_one_column_are_tried_in_their_order(mapped) -> None:
    landing = mapped(
        HEAD.replace('["%d/%m/%Y %H:%M"]', '["%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M:%S", iso]') + TICKETS
    )
    rows = "A,02/07/2026 09:00,High,\nB,2026-07-02 09:00:05,High,\nC,2026-07-02T09:00:00+03:00,High,\n"
    landing.land("desk", "a.csv", HEADER + rows)
    assert landing.rows("ticket_versions", "submitted_at") == [
        datetime(2026, 7, 2, 7),
        datetime(2026, 7, 2, 7, 0, 5),
        datetime(2026, 7, 2, 6),
    ]


def test_a_stamped_zone_that_is_known_to_be_wrong_is_overridden_by_the_declared_one(mapped) -> None:
    landing = mapped(HEAD.replace("%d/%m/%Y %H:%M", "%Y-%m-%dT%H:%M:%SZ") + TICKETS)
    landing.land("desk", "a.csv", HEADER + "A,2026-07-02T09:00:00Z,High,\n")
    assert landing.rows("ticket_versions", "submitted_at") == [datetime(2026, 7, 2, 7)]


def test_month_names_and_years_of_two_digits_are_read_as_declared(mapped) -> None:
    head = 'time_zone: UTC\ndates: ["%d/%b/%y %I:%M %p"]\nmonths: {ene: 1, "août": 8}\ncentury: 2000\nevidence: [resolution]\n'
    landing = mapped(head + TICKETS)
    rows = "A,18/ene/26 9:10 AM,High,\nB,1/AOÛT/09 12:05 am,High,\nC,3/Jul./26 1:00 PM,High,\n"
    assert landing.land("desk", "a.csv", HEADER + rows).rows_rejected == 0
    assert landing.rows("ticket_versions", "submitted_at") == [
        datetime(2026, 1, 18, 9, 10),
        datetime(2009, 8, 1, 0, 5),
        datetime(2026, 7, 3, 13),
    ]


def test_wall_time_in_a_gap_moves_on_and_an_ambiguous_one_is_the_first(mapped) -> None:
    landing = mapped(HEAD + TICKETS)
    landing.land("desk", "a.csv", HEADER + "A,29/03/2026 02:30,High,\nB,25/10/2026 02:30,High,\n")
    assert landing.rows("ticket_versions", "submitted_at") == [
        datetime(2026, 3, 29, 1, 30),
        datetime(2026, 10, 25, 0, 30),
    ]


def test_epoch_seconds_and_milliseconds_are_instants(mapped) -> None:
    for kind, text in (("epoch_seconds", "1782982800"), ("epoch_milliseconds", "1782982800999")):
        landing = mapped(f"dates: [{kind}]\nevidence: [resolution]\n" + TICKETS)
        landing.land("desk", f"{kind}.csv", HEADER + f"A,{text},High,\n")
    assert landing.rows("ticket_versions", "submitted_at") == 2 * [datetime(2026, 7, 2, 9)]


JIRA = """\
time_zone: UTC
dates: ["%d/%m/%Y %H:%M"]
evidence: [messages]
files:
  issues:
    format: csv
    columns:
      key: [Issue key, Clave de incidencia]
      created: [Created, Creada]
      comment: {names: [Comment, Comentario], repeated: true}
    tickets: {ticket_id: key, submitted_at: created}
    events:
      - event_type: {constant: message}
        each: comment
        event_at: {column: comment, split_by: ";", part: 1}
        actor: {column: comment, split_by: ";", part: 2}
        actor_kind: {column: comment, split_by: ";", part: 2, values: {words: {mia: agent}, otherwise: customer}}
        is_public: {constant: true}
"""


@pytest.mark.parametrize(
    "header",
    [
        "Issue key,Created,Comment,Labels,Labels,Comment",
        "Clave de incidencia,Creada,Comentario,Labels,Labels,Comentario",
    ],
)
def test_repeated_column_gives_one_event_a_cell_under_any_of_its_names(mapped, header) -> None:
    landing = mapped(JIRA)
    row = 'T-1,02/07/2026 09:00,"02/07/2026 10:00;mia;Hello;\nagain",x,y,02/07/2026 11:00;ann;Thanks'
    assert landing.land("desk", "a.csv", f"{header}\n{row}\nT-2,02/07/2026 09:00,,,,\n").rows_landed == 2
    columns = "said_at, author_id, author_kind, message_kind, is_public, earliest_at, line_number"
    assert landing.rows("ticket_messages", columns) == [
        (datetime(2026, 7, 2, 10, 0, 59), "mia", "agent", "comment", True, datetime(2026, 7, 2, 10), 2),
        (datetime(2026, 7, 2, 11, 0, 59), "ann", "customer", "comment", True, datetime(2026, 7, 2, 11), 2),
    ]


FIRST_REPLY = """\
time_zone: UTC
dates: ["%d/%m/%Y %H:%M"]
evidence: [first_response]
files:
  issues:
    format: csv
    tickets: {ticket_id: Key, submitted_at: Created, updated_at: Updated, ticket_status: Status}
    events:
      - event_type: {constant: message}
        event_at: Replied
        actor_kind: {constant: agent}
        is_public: {constant: true}
        when: {column: Replied, filled: true}
"""


def test_date_of_the_first_answer_stands_in_the_version_of_its_ticket(mapped) -> None:
    landing = mapped(FIRST_REPLY)
    content = (
        "Key,Created,Updated,Status,Replied\nT-1,02/07/2026 09:00,03/07/2026 09:00,open,02/07/2026 10:00\n"
    )
    assert landing.land("desk", "a.csv", content).rows_rejected == 0
    first, last = datetime(2026, 7, 2, 10), datetime(2026, 7, 2, 10, 0, 59)
    assert landing.rows(
        "ticket_messages", "message_kind, author_kind, is_public, earliest_at, said_at, version_at"
    ) == [("date", "agent", True, first, last, datetime(2026, 7, 3, 9))]
    assert landing.rows("ticket_versions", "status, evidence, updated_at") == [
        ("open", "first_response", datetime(2026, 7, 3, 9))
    ]


def test_people_land_with_the_side_that_the_mapping_gives_them(mapped) -> None:
    people = """\
  people:
    format: csv
    people:
      person_id: User
      person: Mail
      actor_kind: {column: Role, values: {Staff: agent, Client: customer}}
"""
    landing = mapped(HEAD + TICKETS + people)
    assert (
        landing.land(
            "desk", "p.csv", "User,Mail,Role\n7,ann@acme.test,Client\n9,mia@desk.test,Staff\n"
        ).rows_landed
        == 2
    )
    assert landing.rows("people", "person_id, person, role, line_number") == [
        ("7", "ann@acme.test", "customer", 2),
        ("9", "mia@desk.test", "agent", 3),
    ]


def test_column_that_comes_twice_and_is_used_once_is_refused(mapped) -> None:
    landing = mapped(JIRA)
    result = landing.land("desk", "a.csv", "Issue key,Created,Created,Comment\nT-1,02/07/2026 09:00,,\n")
    assert told(result) == [
        "inbox/desk/a.csv:1: Created: the header names 'Created' more than once. Which of them is meant cannot be told: "
        "export it once, or declare it repeated in the mapping."
    ]


def test_same_event_has_the_same_id_in_every_export(mapped) -> None:
    landing = mapped(JIRA)
    head = "Issue key,Created,Comment,Comment\n"
    landing.land("desk", "a.csv", head + "T-1,02/07/2026 09:00,02/07/2026 10:00;mia;Hello,\n")
    landing.land(
        "desk", "b.csv", head + "T-1,02/07/2026 09:00,02/07/2026 11:00;mia;More,02/07/2026 10:00;mia;Hello\n"
    )
    assert sorted(landing.rows("ticket_messages", "message_id")) == [
        "issues1:T-1:message:2026-07-02T10:00:00Z:mia",
        "issues1:T-1:message:2026-07-02T10:00:00Z:mia",
        "issues1:T-1:message:2026-07-02T11:00:00Z:mia",
    ]


def test_ids_of_different_tables_cannot_be_taken_for_each_other(mapped) -> None:
    text = EVENTS.replace("        ticket_id: Key\n", "        ticket_id: Key\n        event_id: Id\n")
    second = text.removeprefix("files:\n").replace("history:", "log:").replace("At", "Time")
    landing = mapped(HEAD.replace("resolution", "") + text + second)
    landing.land("desk", "a.csv", "Id,Key,At,Status\n5,T-1,02/07/2026 09:00,Open\n")
    landing.land("desk", "b.csv", "Id,Key,Time,Status\n5,T-1,02/07/2026 10:00,Wait\n")
    assert sorted(landing.rows("ticket_changes", "change_id")) == ["history1:5", "log1:5"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tsv", "Key\tCreated\tPriority\tResolved\nT-1\t02/07/2026 09:00\tHigh\t\n"),
        ("semicolon", '\ufeffKey;Created;Priority;Resolved\r\n"T-1";02/07/2026 09:00;High;\r\n'),
        ("pipe", "Key|Created|Priority|Resolved\nT-1|02/07/2026 09:00|High|\n"),
        ("ndjson", '{"Key": "T-1", "Created": "02/07/2026 09:00", "Priority": "High"}\n'),
        ("json", '[{"Key": "T-1", "Created": "02/07/2026 09:00", "Priority": "High", "Resolved": null}]'),
        (
            "xml",
            "<all><i><Key>T-1</Key><Created>02/07/2026 09:00</Created><Priority>High</Priority></i></all>",
        ),
    ],
)
def test_declared_format_is_read(mapped, name, content) -> None:
    text = TICKETS.replace("format: csv", f"format: {name}")
    text = text.replace("    tickets:", "    columns: {Resolved: {optional: true}}\n    tickets:")
    landing = mapped(HEAD + text)
    assert landing.land("desk", "a.file", content).status == "landed"
    assert landing.rows("ticket_versions", "ticket_id, severity") == [("T-1", "4")]


def test_documents_are_read_by_paths_and_numbers_keep_their_digits(mapped) -> None:
    text = TICKETS.replace("format: csv", "format: json\n    records_at: page").replace("Key", "fields.key")
    text = text.replace("    tickets:", "    columns: {Resolved: {optional: true}}\n    tickets:")
    landing = mapped(HEAD + text)
    one = '{"fields": {"key": 9007199254740993}, "Created": "02/07/2026 09:00", "Priority": "High"}'
    result = landing.land("desk", "a.json", f'{{"page": [{one}, {one.replace("993", "994")}, 7]}}')
    assert (result.rows_read, result.rows_rejected) == (3, 1)
    assert landing.rows("ticket_versions", "ticket_id") == ["9007199254740993", "9007199254740994"]


def test_declared_encoding_is_read(mapped) -> None:
    landing = mapped("encoding: cp1252\n" + HEAD + TICKETS.replace("High: 4", "Größe: 4"))
    landing.land("desk", "a.csv", (HEADER + "T-1,02/07/2026 09:00,Größe,\n").encode("cp1252"))
    assert landing.rows("ticket_versions", "severity") == ["4"]


def test_file_of_another_format_is_rejected(mapped) -> None:
    result = mapped(HEAD + TICKETS).land("desk", "a.json", '{"Key": 1}\n')
    assert told(result) == [
        "inbox/desk/a.json: the file is JSON; reference/mappings/desk.yml describes csv. "
        "Export it in that format, or describe this one in the mapping."
    ]


def test_file_without_a_needed_column_is_rejected_naming_what_it_may_be_called_now(mapped) -> None:
    result = mapped(HEAD + TICKETS).land("desk", "a.csv", "Key,Create date,Priority,Resolved\nT-1,x,y,z\n")
    assert result.status == "rejected"
    assert told(result) == [
        "inbox/desk/a.csv:1: Created: the header lacks 'Created' (renamed to 'Create date'?), which "
        "reference/mappings/desk.yml needs for issues. Not used here: 'Create date'. Export the column again, or add its "
        "name to columns of issues in the mapping."
    ]


def test_file_that_two_descriptions_fit_alike_is_rejected(mapped) -> None:
    both = TICKETS + TICKETS.removeprefix("files:\n").replace("issues:", "more:")
    result = mapped(HEAD + both).land("desk", "a.csv", HEADER + "T-1,02/07/2026 09:00,High,\n")
    assert "the header fits 'issues' and 'more' of reference/mappings/desk.yml alike" in told(result)[0]


def test_rows_that_are_not_asked_for_are_counted_and_passed_over(mapped) -> None:
    text = TICKETS.replace("    tickets:", "    when: {column: Kind, is: incident}\n    tickets:")
    landing = mapped(HEAD + text)
    header = HEADER.replace("\n", ",Kind\n")
    result = landing.land(
        "desk", "a.csv", header + "T-1,02/07/2026 09:00,High,,incident\nT-2,nonsense,High,,change\n"
    )
    assert (result.rows_read, result.rows_landed, result.rows_rejected) == (2, 2, 0)
    assert landing.rows("ticket_versions", "ticket_id") == ["T-1"]
    assert "passed over, because they are nothing that the mapping declares: 1 of 2 rows." in told(result)[-1]


ONE = "T-1,02/07/2026 09:00,High,\n"


@pytest.mark.parametrize(
    ("header", "row", "drift", "said"),
    [
        (
            "Key,Created,Priority,Resolved,Team",
            "T-2,02/07/2026 09:00,High,,A",
            "new_columns",
            "inbox/desk/b.csv:1: Team: the column 'Team' was not there before.",
        ),
        (
            "Key,Created,Priority,Resolved",
            "T-2,02/07/2026 09:00,High,",
            "dropped_columns",
            "inbox/desk/b.csv:1: Group: the column 'Group' is no longer there.",
        ),
        (
            "Key,Created,Priority,Resolved,Groups",
            "T-2,02/07/2026 09:00,High,,A",
            "dropped_columns, new_columns",
            "inbox/desk/b.csv:1: Group: the column 'Group' is no longer there; is it 'Groups' now?",
        ),
        (
            "Key,Created,Priority,Resolved,Group",
            "X-2,02/07/2026 09:00,High,,A",
            "retyped_columns",
            "inbox/desk/b.csv:2: Key: the column held whole numbers and now holds text, such as 'X-2'.",
        ),
    ],
)
def test_file_that_looks_otherwise_than_the_last_one_is_refused_unless_allowed(
    mapped, header, row, drift, said
) -> None:
    landing = mapped(HEAD + TICKETS)
    first = HEADER.replace("\n", "") + (",Group\n1,02/07/2026 09:00,High,,A\n")
    if drift == "new_columns":
        first = HEADER + "1,02/07/2026 09:00,High,\n"
    assert landing.land("desk", "a.csv", first).status == "landed"
    row = row if drift == "retyped_columns" else row.replace("T-2", "2")
    refused = landing.land("desk", "b.csv", f"{header}\n{row}\n")
    assert refused.status == "rejected"
    assert "it does not look as it did when it last landed" in told(refused)[0]
    assert f"allow: [{drift}]" in told(refused)[0]
    assert said in told(refused)
    assert landing.rows("ticket_versions", "ticket_id") == ["1"], "nothing of a refused file is kept"
    allowing = change_mapping(landing, "time_zone:", f"allow: [{drift}]\ntime_zone:")
    accepted = allowing.land("desk", "b.csv", f"{header}\n{row}\n")
    assert accepted.status == "landed"
    assert said in told(accepted), "what is allowed is still named"


def test_file_that_is_read_again_is_compared_with_what_had_landed_before_it(mapped, monkeypatch) -> None:
    landing = mapped("allow: [new_columns]\n" + HEAD + TICKETS)
    for day, content in enumerate(
        (HEADER + ONE, HEADER.replace("\n", ",Team\n") + "T-2,02/07/2026 09:00,High,,A\n")
    ):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(1_790_000_000 + day * 86_400))
        assert landing.land("desk", f"{day}.csv", content).status == "landed"
    changed = change_mapping(landing, "High: 4", "High: 5")
    assert [result.status for result in changed.run()] == ["landed", "landed"]
    # What comes next is compared with the newest one.
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(1_790_000_000 + 3 * 86_400))
    assert changed.land("desk", "next.csv", HEADER + ONE.replace("T-1", "T-3")).status == "rejected"


def test_header_is_remembered_per_kind_of_file(mapped) -> None:
    landing = mapped(HEAD + TICKETS + EVENTS.removeprefix("files:\n"))
    assert landing.land("desk", "a.csv", HEADER + ONE).status == "landed"
    assert landing.land("desk", "h.csv", "Key,At,Status\nT-1,02/07/2026 09:00,Open\n").status == "landed"


def test_dry_run_shows_the_rows_as_they_would_land_and_writes_nothing(mapped) -> None:
    landing = mapped(HEAD + TICKETS)
    path = landing.put("desk", "a.csv", HEADER + ONE + "T-2,soon,High,\n" + ONE.replace("T-1", "T-3"))
    [preview] = preview_exports(landing.workspace, landing.config, [path], None, 1, child=landing.child)
    assert (preview.status, preview.rows_read, preview.rows_landed, preview.rows_rejected) == (
        "would_land",
        3,
        2,
        1,
    )
    (quarantine,) = [table for table in preview.tables if table.table == "quarantine"]
    (tickets,) = [table for table in preview.tables if table.table == "ticket_versions"]
    assert (tickets.rows_in_all, len(tickets.rows)) == (2, 1)
    assert dict(zip(tickets.columns, tickets.rows[0], strict=True)) == {
        "ticket_id": "T-1",
        "severity": "4",
        "submitted_at": "2026-07-02T07:00:00Z",
        "latest_submitted_at": "2026-07-02T07:00:59Z",
        "evidence": "resolution",
        "line_number": "2",
    }
    assert dict(zip(quarantine.columns, quarantine.rows[0], strict=True))["raw_value"] == "soon"
    assert not landing.workspace.warehouse.exists()


def test_dry_run_refuses_what_a_landing_would_refuse(mapped) -> None:
    landing = mapped(HEAD + TICKETS)
    path = landing.put("desk", "a.csv", "Key\nT-1\n")
    [preview] = preview_exports(landing.workspace, landing.config, [path], None, 1, child=landing.child)
    assert preview.status == "would_be_rejected"
    assert "the header lacks 'Created'" in str(preview.problems[0])


def test_quarantine_is_listed_and_landed_once_the_mapping_is_corrected(mapped) -> None:
    landing = mapped(HEAD + TICKETS)
    content = HEADER + ONE + "T-2,02/07/2026 09:00,Hot,\nT-3,soon,High,\n"
    landing.land("desk", "a.csv", content)
    [hot, soon] = list_quarantine(landing.workspace)
    assert (hot.file, hot.line, hot.column, hot.value, hot.reason) == (
        "inbox/desk/a.csv",
        3,
        "Priority",
        "Hot",
        "is not a known severity",
    )
    assert hot.hint is not None and "Add it to the values of the mapping" in hot.hint
    assert list_quarantine(landing.workspace, "another") == []
    [unchanged] = retry_quarantine(landing.workspace, landing.config, child=landing.child)
    assert (unchanged.status, unchanged.still_refused) == ("unchanged", 2)
    corrected = change_mapping(landing, "High: 4", "High: 4, Hot: 5")
    [retried] = retry_quarantine(corrected.workspace, corrected.config, child=landing.child)
    assert (retried.status, retried.refused_before, retried.now_landed, retried.still_refused) == (
        "landed",
        2,
        1,
        1,
    )
    assert [one.line for one in list_quarantine(landing.workspace)] == [soon.line]
    assert landing.rows("ticket_versions", "ticket_id") == ["T-1", "T-2"]
    assert landing.rows("gaps") == []


def test_retry_does_not_count_the_records_of_a_replaced_file_as_those_of_the_one_before(mapped) -> None:
    landing = mapped(HEAD + TICKETS)
    landing.land("desk", "a.csv", HEADER + ONE + "T-3,soon,High,\n")
    other = HEADER + "T-4,02/07/2026 09:00,High,\n" + "".join(f"T-{n},later,High,\n" for n in (5, 6, 7))
    (landing.workspace.inbox / "desk" / "a.csv").write_text(other, encoding="utf-8")
    corrected = change_mapping(landing, "High: 4", "High: 5")
    before, now = retry_quarantine(corrected.workspace, corrected.config, child=landing.child)
    assert (before.status, before.refused_before, before.now_landed, before.still_refused) == (
        "missing",
        1,
        0,
        1,
    )
    assert "holds other content now" in str(before.problems[0])
    assert (now.status, now.refused_before, now.now_landed, now.still_refused) == ("landed", 3, 0, 3)
    assert len(list_quarantine(landing.workspace)) == 4


def test_retry_says_so_when_the_file_is_gone(mapped) -> None:
    landing = mapped(HEAD + TICKETS)
    landing.land("desk", "a.csv", HEADER + ONE + "T-3,soon,High,\n")
    (landing.workspace.inbox / "desk" / "a.csv").unlink()
    corrected = change_mapping(landing, "High: 4", "High: 5")
    [retried] = retry_quarantine(corrected.workspace, corrected.config, child=landing.child)
    assert (retried.status, retried.still_refused) == ("missing", 1)
    assert landing.rows("ticket_versions", "severity") == ["4"], "what had landed stays as it is"


def test_change_of_the_mapping_reads_the_file_again_and_keeps_when_it_was_first_known(mapped) -> None:
    landing = mapped(HEAD + TICKETS)
    landing.land("desk", "a.csv", HEADER + ONE)
    changed = change_mapping(landing, "High: 4", "High: 5")
    [result] = changed.run()
    assert result.status == "landed"
    assert landing.rows("ticket_versions", "severity") == ["5"]
    assert [result.status for result in changed.run()] == ["already_landed"]


def test_missing_mapping_file_is_a_configuration_error(declare) -> None:
    with pytest.raises(ConfigurationError, match="There is no mapping file reference/mappings/desk.yml"):
        declare("sources:\n  desk: {type: mapped, mapping: mappings/desk.yml}\n")


CELL = st.text(alphabet='TA1,;"\n\r\0 -/:é€026High', max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(CELL, min_size=1, max_size=5), max_size=6), is_good=st.booleans())
def test_whatever_a_file_holds_every_record_is_landed_or_refused(tmp_path: Path, rows, is_good) -> None:
    (tmp_path / "desk.yml").write_text(HEAD + TICKETS, encoding="utf-8")
    mapping = load_mapping(tmp_path / "desk.yml", "desk.yml")
    path = tmp_path / "any.csv"
    lines = [ONE.strip()] * is_good + [",".join(row) for row in rows]
    path.write_bytes((HEADER + "\n".join(lines)).encode())
    export = Export(path, "desk", "any.csv", "any.csv")
    writer = PreviewWriter(Workspace(tmp_path), "0" * 64, "0" * 64, "desk", "any.csv", row_count=1000)
    rows_read, _ = land_with_mapping(export, read_start(export), mapping, writer)
    taken = sum(len(writer.first.get(table, ())) for table in ("ticket_versions",))
    assert rows_read == taken + writer.rows_refused


@pytest.mark.parametrize("kind", ["xlsx", "parquet"])
def test_a_sheet_and_a_parquet_file_are_read_like_the_same_table_as_text(
    mapped: Callable[[str], Landing], tmp_path: Path, kind: str
) -> None:
    rows = [("A-1", "01/02/2026 09:00", "High", "-"), ("A-2", "02/02/2026 09:00", "Low", "03/02/2026 10:00")]
    names = HEADER.strip().split(",")
    file = tmp_path / f"issues.{kind}"
    if kind == "xlsx":
        with xlsxwriter.Workbook(str(file)) as book:
            sheet = book.add_worksheet()
            for number, row in enumerate([tuple(names), *rows]):
                sheet.write_row(number, 0, row)
    else:
        pq.write_table(pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))), file)
    landing = mapped(HEAD + TICKETS.replace("format: csv", f"format: {kind}"))
    assert landing.land("desk", file.name, file.read_bytes()).rows_landed == 2
    # Berlin is an hour ahead of UTC in winter.
    assert landing.rows("ticket_versions", "ticket_id, submitted_at, severity") == [
        ("A-1", datetime(2026, 2, 1, 8), "4"),
        ("A-2", datetime(2026, 2, 2, 8), "2"),
    ]
    assert landing.rows("ticket_changes", "ticket_id, earliest_at") == [("A-2", datetime(2026, 2, 3, 9))]


PIPELINE_ISSUES = """\
id,instance_url,key,url,project_key,project_name,project_type,issue_type,summary,description,creator_id,creator_name,reporter_id,\
reporter_name,assignee_id,assignee_name,status,status_category,priority_sequence,priority_name,resolution,created_date,\
resolution_date,updated_date,due_date\r
10002,https://jira.example,HELP-2,https://jira.example/browse/HELP-2,HELP,Help desk,Service Desk,Incident,Sync stops,,7,Carla,7,\
Carla,,,Resolved,Done,2,High,Done,2026-03-02T08:00:00Z,2026-03-02T19:00:00Z,2026-03-03T08:00:00Z,\r
"""
PIPELINE_HISTORY = """\
issue_id,changelog_id,author_id,author_key,created_date,field_type,field,from,from_string,to,to_string,additional_information\r
10002,1,9,mia,2026-03-02T09:00:00Z,jira,status,1,Waiting for support,2,Waiting for customer,\r
10002,2,9,mia,2026-03-02T09:30:00Z,jira,labels,,,,sync,\r
10002,3,9,mia,2026-03-02T19:00:00Z,jira,status,2,Waiting for customer,5,Resolved,\r
"""


def test_the_shipped_mapping_reads_the_data_pipeline_of_jira(mapped: Callable[[str], Landing]) -> None:
    example = CHECKOUT / "data" / "reference" / "mappings" / "examples" / "jira_data_pipeline.yml"
    landing = mapped(example.read_text(encoding="utf-8"))
    assert landing.land("desk", "issues_job3_20260701.csv", PIPELINE_ISSUES).rows_rejected == 0
    assert landing.land("desk", "issue_history_job3_20260701.csv", PIPELINE_HISTORY).rows_rejected == 0
    assert landing.rows(
        "ticket_versions", "ticket_id, customer_id, requester, severity, submitted_at, status"
    ) == [("10002", "HELP", "7", "4", datetime(2026, 3, 2, 8), "solved")]
    solved_at = datetime(2026, 3, 2, 19)
    columns = "changed_at, field_name, value, change_kind, earliest_at"
    assert sorted(landing.rows("ticket_changes", columns), key=str) == [
        (solved_at, "status", "solved", "date", solved_at),
        (solved_at, "status_changed", "solved", "event", None),
        (datetime(2026, 3, 2, 9), "status_changed", "pending", "event", None),
    ]
