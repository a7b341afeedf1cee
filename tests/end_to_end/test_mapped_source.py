"""A helpdesk without code of its own: German headers, semicolons, wall times of Berlin, read by a mapping file.

Plan: the example with a resolution by severity. Level 4: first response in 4 h and resolution in 24 h, around the clock.
2 February 2026 was a Monday; Berlin was one hour ahead of UTC. Every ticket is submitted at 09:00 there, 08:00 UTC.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.settings import CHECKOUT
from tests.end_to_end.command_line import LANDED_EPOCH, run_sla
from tests.end_to_end.published import query
from tests.end_to_end.small_vendor import CUSTOMERS_HEADER, TERMS_HEADER, write_lines

MINUTE, HOUR = 60, 3600

MAPPING = """\
time_zone: Europe/Berlin
dates: ["%d.%m.%Y %H:%M"]
null_markers: ["-"]
evidence: [messages_if_any, statuses, resolution]
values:
  status: {offen: open, wartet: pending, fertig: solved}
  severity: {words: {hoch: 4, mittel: 3}, unknown: pass}
files:
  tickets:
    format: semicolon
    columns:
      id: [Nummer, Ticket number]
    tickets:
      ticket_id: id
      customer_id: {constant: acme}
      requester: Melder
      channel: {constant: web_form}
      severity: {column: Prio, values: severity}
      submitted_at: Erstellt
  replies:
    format: semicolon
    events:
      - event_type: {constant: message}
        event_id: Antwort
        ticket_id: Nummer
        event_at: Zeit
        actor: Wer
        is_public: {column: Sichtbar, values: {ja: true, nein: false}}
  history:
    format: semicolon
    events:
      - event_type: {constant: status_changed}
        ticket_id: Nummer
        event_at: Zeit
        value: {column: Neu, values: status}
        when: {column: Feld, is: Status}
      - event_type: {constant: severity_changed}
        ticket_id: Nummer
        event_at: Zeit
        value: {column: Neu, values: severity}
        when: {column: Feld, is: Prio}
  people:
    format: semicolon
    people:
      person_id: Kennung
      person: Adresse
      actor_kind: {column: Seite, values: {Support: agent, Kunde: customer}}
"""

TICKETS = (
    "Nummer;Melder;Prio;Erstellt",
    "T-1;u-ann;hoch;02.02.2026 09:00",
    "T-2;u-ann;hoch;02.02.2026 09:00",
    "T-3;u-ann;hoch;02.02.2026 09:00",
    "T-4;u-ann;brennt;02.02.2026 09:00",
    "T-5;u-ann;hoch;02.02.2026 09:00",
    "T-6;u-ann;hoch;02.02.2026 09:00",
    "T-7;u-ann;hoch;02.02.2026 09:00",
    "T-8;u-ann;hoch;02.02.2026 09:00",
    "T-9;u-ann;hoch;02.02.2026 09:00",
    "T-10;u-ann;hoch;02.02.2026 09:00",
)
REPLIES = (
    "Antwort;Nummer;Zeit;Wer;Sichtbar",
    # T-1: an internal note does not answer; the public reply of 11:30 does, after 2 h 30 min.
    "1;T-1;02.02.2026 10:00;u-mia;nein",
    "2;T-1;02.02.2026 11:30;u-mia;ja",
    # T-2: answered by a person who is not in the table of people.
    "3;T-2;02.02.2026 10:00;u-gone;ja",
    "4;T-3;02.02.2026 10:00;u-mia;ja",
    "5;T-4;02.02.2026 10:00;u-mia;ja",
    # T-5 has no reply at all.
    "6;T-6;02.02.2026 10:00;u-mia;ja",
    # T-7: one reply cannot be read; the one that can comes a day later.
    "7;T-7;31.02.2026 10:00;u-mia;ja",
    "8;T-7;03.02.2026 10:00;u-mia;ja",
    # T-8: really late.
    "9;T-8;02.02.2026 13:01;u-mia;ja",
    # Whose side u-sam and u-kim are on, the two tables of people contradict each other about.
    "10;T-9;02.02.2026 10:00;u-sam;ja",
    "11;T-10;02.02.2026 10:00;u-kim;ja",
)
HISTORY = (
    "Nummer;Feld;Zeit;Neu",
    "T-1;Bearbeiter;02.02.2026 09:30;u-mia",
    "T-1;Status;02.02.2026 10:00;offen",
    "T-1;Status;02.02.2026 12:00;fertig",
    # T-3: `Labor` is no status that the mapping knows; T-6 gets a level that it does not know.
    "T-3;Status;02.02.2026 10:30;Labor",
    "T-3;Status;02.02.2026 12:00;fertig",
    "T-6;Prio;02.02.2026 10:30;brennt",
    "T-6;Status;02.02.2026 12:00;fertig",
)
PEOPLE = (
    "Kennung;Adresse;Seite",
    "u-mia;mia@vendor.example;Support",
    "u-ann;ann@acme.example;Kunde",
    "u-sam;sam@vendor.example;Support",
    "u-kim;kim@vendor.example;Kunde",
)
# Another table of people, which lands after the first; neither says when it was true.
MORE_PEOPLE = (
    "Kennung;Adresse;Seite",
    "u-mia;mia@vendor.example;Support",
    "u-sam;sam@vendor.example;Kunde",
    "u-kim;kim@vendor.example;Support",
)


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The workspace after ingest and build, and what ingest said."""
    root = tmp_path_factory.mktemp("mapped") / "vendor"
    run_sla("init", str(root)).expect(0)
    write_lines(
        root / "sla.yml",
        "compare_plans: []",
        "sources:",
        "  desk: {type: mapped, mapping: mappings/desk.yml}",
    )
    write_lines(root / "reference" / "mappings" / "desk.yml", MAPPING)
    example = CHECKOUT / "data" / "reference" / "plans" / "examples" / "resolution_by_severity.yml"
    shutil.copy(example, root / "reference" / "plans")
    write_lines(root / "reference" / "customers.csv", CUSTOMERS_HEADER, "acme,Acme,UTC,en,")
    term = "S-1,acme,resolution_by_severity,2026-01-01,2027-01-01,paid,active"
    write_lines(root / "reference" / "subscriptions.csv", TERMS_HEADER, term)
    for name, lines in (("tickets", TICKETS), ("replies", REPLIES), ("history", HISTORY), ("people", PEOPLE)):
        write_lines(root / "inbox" / "desk" / f"{name}.csv", *lines)
    said = run_sla("ingest", workspace=root).expect(0)
    write_lines(root / "inbox" / "desk" / "people-2.csv", *MORE_PEOPLE)
    a_day_later = str(int(LANDED_EPOCH) + 86_400)
    run_sla("ingest", workspace=root, SOURCE_DATE_EPOCH=a_day_later).expect(0)
    run_sla("build", workspace=root).expect(0)
    return root, said.out + said.err


def verdicts(root: Path, obligation: str) -> dict[str, tuple[str, str | None]]:
    rows = query(
        root,
        f"select ticket_id, status, status_reason from core.fct_sla_obligations where obligation = '{obligation}'",
    )
    return {ticket: (status, reason) for ticket, status, reason in rows}


def test_rows_read_are_rows_landed_and_rows_in_quarantine(vendor: tuple[Path, str]) -> None:
    said = vendor[1]
    for name, counts in {
        "tickets": "10 rows read = 10 landed + 0 rejected",
        "replies": "11 rows read = 10 landed + 1 rejected",
        "history": "7 rows read = 6 landed + 1 rejected",
        "people": "4 rows read = 4 landed + 0 rejected",
    }.items():
        assert f"inbox/desk/{name}.csv: landed, {counts}" in said


def test_first_response_is_judged_by_replies_of_people_who_are_known(vendor: tuple[Path, str]) -> None:
    found = verdicts(vendor[0], "first_response")
    assert found["T-1"] == ("met", None)
    assert found["T-8"] == ("breached", None)
    assert found["T-2"] == ("not_measurable", "stop_not_observed"), "an unknown author answered"
    assert found["T-5"] == ("not_measurable", "stop_not_observed"), "its replies were not exported"
    assert found["T-7"] == ("not_measurable", "stop_not_observed"), (
        "a reply that cannot be read may have answered"
    )


def test_author_whose_side_the_tables_of_people_contradict_each_other_about_is_unknown(
    vendor: tuple[Path, str],
) -> None:
    # As an agent 1 h of 4 h, met; as a customer no answer, breached. Which table landed last decides nothing, either way round.
    found = verdicts(vendor[0], "first_response")
    assert found["T-9"] == ("not_measurable", "stop_not_observed")
    assert found["T-10"] == ("not_measurable", "stop_not_observed")


def test_elapsed_time_is_that_of_the_declared_zone(vendor: tuple[Path, str]) -> None:
    rows = query(
        vendor[0],
        "select ticket_id, elapsed_seconds from core.fct_sla_obligations "
        "where obligation = 'first_response' and ticket_id in ('T-1', 'T-8') order by all",
    )
    # Instants of minutes are windows: the longest time is shown.
    assert rows == [("T-1", 2 * HOUR + 30 * MINUTE + 59), ("T-8", 4 * HOUR + 1 * MINUTE + 59)]
    [(submitted,)] = query(vendor[0], "select submitted_at from core.dim_tickets where ticket_id = 'T-1'")
    assert f"{submitted:%Y-%m-%d %H:%M}" == "2026-02-02 08:00"


def test_unknown_status_or_severity_is_never_met(vendor: tuple[Path, str]) -> None:
    first_response, resolution = verdicts(vendor[0], "first_response"), verdicts(vendor[0], "resolution")
    assert resolution["T-1"] == ("met", None)
    assert resolution["T-3"] == ("not_measurable", "stop_not_observed"), (
        "an unknown status lies in its history"
    )
    assert first_response["T-3"] == ("met", None), "its replies are whole"
    assert first_response["T-4"] == ("not_measurable", "unknown_severity")
    assert resolution["T-4"] == ("not_measurable", "unknown_severity")
    assert first_response["T-6"][0] == resolution["T-6"][0] == "not_measurable"


def test_requester_is_shown_by_the_address_that_contacts_are_listed_by(vendor: tuple[Path, str]) -> None:
    rows = query(vendor[0], "select distinct requester from core.dim_tickets")
    assert rows == [("ann@acme.example",)]


def test_refused_records_are_listed_exported_and_read_again(vendor: tuple[Path, str], tmp_path: Path) -> None:
    root = shutil.copytree(vendor[0], tmp_path / "vendor")
    listed = run_sla("quarantine", workspace=root).expect(0).out
    assert "inbox/desk/history.csv" in listed and "Labor" in listed and "Refused records: 2." in listed
    file = tmp_path / "refused.csv"
    run_sla("quarantine", "--source", "desk", "--export", str(file), workspace=root).expect(0)
    assert (
        file.read_text(encoding="utf-8").splitlines()[0]
        == "source,file,line,column,value,reason,hint,batch_id"
    )
    assert len(file.read_text(encoding="utf-8").splitlines()) == 1 + 2
    mapping = root / "reference" / "mappings" / "desk.yml"
    mapping.write_text(MAPPING.replace("fertig: solved", "fertig: solved, Labor: on_hold"), encoding="utf-8")
    # The reply of 31 February cannot be corrected by a mapping.
    done = run_sla("quarantine", "--retry", workspace=root).expect(5, "Still refused: 1.")
    assert "inbox/desk/history.csv  landed" in done.out
    run_sla("build", workspace=root).expect(0)
    # T-3: open from 09:30 UTC it was at the laboratory until 11:00; before that 1 h 30 min ran.
    rows = query(
        root,
        "select status, elapsed_seconds from core.fct_sla_obligations "
        "where ticket_id = 'T-3' and obligation = 'resolution'",
    )
    assert rows == [("met", 1 * HOUR + 30 * MINUTE + 59)]


def test_mapping_is_tried_out_before_its_source_exists(tmp_path: Path) -> None:
    root = tmp_path / "vendor"
    run_sla("init", str(root)).expect(0)
    export = write_lines(tmp_path / "tickets.csv", *TICKETS)
    mapping = write_lines(tmp_path / "desk.yml", MAPPING)
    asked = ("ingest", str(export), "--source", "desk", "--mapping", str(mapping))
    shown = run_sla(*asked, "--dry-run", "--rows", "2", workspace=root).expect(0)
    assert "2026-02-02T08:00:00Z" in shown.out
    assert "10 rows read = 10 landed + 0 rejected" in shown.out
    assert not (root / "warehouse").exists()
    assert (
        "add below sources: of sla.yml\n  desk:\n    type: mapped\n    mapping: mappings/desk.yml"
        in shown.err
    )
    # Landed before it is named, it is told the same, and is the same batch once the copied mapping is named.
    landed = run_sla(*asked, workspace=root).expect(0, "sla.yml does not name the source 'desk' yet")
    assert "10 rows read = 10 landed + 0 rejected" in landed.out
    shutil.copy(mapping, root / "reference" / "mappings" / "desk.yml")
    with (root / "sla.yml").open("a", encoding="utf-8") as file:
        file.write("  desk:\n    type: mapped\n    mapping: mappings/desk.yml\n")
    run_sla("ingest", str(export), "--source", "desk", workspace=root).expect(0)
    assert len(list((root / "warehouse" / "landed" / "manifest").glob("*.json"))) == 1
    refused = ("ingest", str(export), "--source", "My desk", "--mapping", str(mapping))
    run_sla(*refused, workspace=root).expect(2, "'My desk' cannot name a source")
    run_sla("ingest", str(export), "--mapping", str(mapping), workspace=root).expect(2, "Add --source NAME")


def test_suggestion_goes_to_stdout_or_to_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    export = write_lines(tmp_path / "tickets.csv", *TICKETS)
    assert "time_zone: REVIEW" in run_sla("ingest", str(export), "--suggest").expect(0).out
    out = tmp_path / "desk.yml"
    run_sla("ingest", str(export), "--suggest", "--out", str(out)).expect(0, "Review it")
    reviewed = out.read_text(encoding="utf-8")
    run_sla("ingest", str(export), "--suggest", "--out", str(out)).expect(2, "was not written: File exists")
    assert out.read_text(encoding="utf-8") == reviewed
    run_sla("ingest", "--suggest").expect(2, "Name it")
