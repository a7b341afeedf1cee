"""The demo workspace: reproducible, in the vendors' shapes, and with every case that the story promises."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter, defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.demo.generate import MARKER, DemoSummary, write_demo
from pipeline.demo.write_helpdesk import BUG_FIELD, SEVERITY_FIELD
from pipeline.errors import ConfigurationError
from pipeline.rules.load_sources import load_sources

ENDS_ON = "2026-07-01T00:00:00Z"


def hash_tree(root: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def read_ndjson(root: Path, pattern: str) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted((root / "inbox/helpdesk").glob(pattern))
        for line in path.read_text("utf-8").splitlines()
    ]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoSummary:
    return write_demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def pages(demo: DemoSummary) -> list[dict[str, Any]]:
    return read_ndjson(demo.root, "tickets-*.json")


@pytest.fixture(scope="module")
def helpdesk_tickets(pages: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """The latest state of each ticket."""
    rows = [row for page in pages for row in page["tickets"]]
    return {row["id"]: row for row in sorted(rows, key=lambda row: row["updated_at"])}


@pytest.fixture(scope="module")
def audits(demo: DemoSummary) -> dict[int, list[dict[str, Any]]]:
    """Each ticket's audits in order, every audit once."""
    unique = {row["id"]: row for row in read_ndjson(demo.root, "audits-*.ndjson")}
    by_ticket: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for _, row in sorted(unique.items()):
        by_ticket[row["ticket_id"]].append(row)
    return by_ticket


@pytest.fixture(scope="module")
def portal_tickets(demo: DemoSummary) -> list[dict[str, str]]:
    return read_csv(demo.root / "inbox/portal/tickets.csv")


@pytest.fixture(scope="module")
def portal_events(demo: DemoSummary) -> dict[str, list[dict[str, str]]]:
    by_ticket: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in read_csv(demo.root / "inbox/portal/events.csv"):
        by_ticket[row["ticket_id"]].append(row)
    return by_ticket


def read_reference(demo: DemoSummary, name: str) -> list[dict[str, str]]:
    return read_csv(demo.root / "reference" / f"{name}.csv")


# The same bytes, and what is left alone


def test_demo_has_the_same_bytes_for_the_same_seed(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_demo(tmp_path / name, tickets=200, months=6, seed=7)
    assert hash_tree(tmp_path / "first") == hash_tree(tmp_path / "second")


def test_demo_has_other_tickets_for_another_seed(tmp_path: Path) -> None:
    for seed in (1, 2):
        write_demo(tmp_path / str(seed), tickets=50, months=2, seed=seed)
    events = [(tmp_path / str(seed) / "inbox/portal/events.csv").read_bytes() for seed in (1, 2)]
    assert events[0] != events[1]


def test_demo_is_left_as_it_is_when_written_with_the_same_arguments(tmp_path: Path) -> None:
    first = write_demo(tmp_path, tickets=20, months=2)
    (tmp_path / "sla.yml").write_text("edited")
    assert write_demo(tmp_path, tickets=20, months=2) == first
    assert (tmp_path / "sla.yml").read_text() == "edited"


def test_demo_refuses_a_folder_with_a_demo_of_other_arguments(tmp_path: Path) -> None:
    write_demo(tmp_path, tickets=20, months=2)
    before = hash_tree(tmp_path)
    with pytest.raises(ConfigurationError, match="another folder with --dir"):
        write_demo(tmp_path, tickets=21, months=2)
    assert hash_tree(tmp_path) == before


@pytest.mark.parametrize("name", ["sla.yml", MARKER])
def test_demo_refuses_a_folder_that_it_did_not_make(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigurationError, match="not made by the demo"):
        write_demo(tmp_path, tickets=20, months=2)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_demo_refuses_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigurationError, match="not a folder"):
        write_demo(tmp_path / "file", tickets=20, months=2)


def test_demo_is_completed_after_an_interrupted_run(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    write_demo(whole, tickets=60, months=3)
    write_demo(broken, tickets=60, months=3)
    marker = json.loads((broken / MARKER).read_text())
    (broken / MARKER).write_text(json.dumps({**marker, "summary": None}))
    (broken / "inbox/portal/events.csv").write_text("half a li")
    write_demo(broken, tickets=60, months=3)
    assert hash_tree(broken) == hash_tree(whole)


@pytest.mark.parametrize(
    "arguments",
    [{"tickets": 0}, {"months": 0}, {"months": 61}, {"ends_on": date(2026, 7, 2)}],
    ids=["no tickets", "no months", "too many months", "not the first of a month"],
)
def test_demo_refuses_arguments_out_of_range(tmp_path: Path, arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        write_demo(tmp_path / "new", **arguments)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("tickets", "months"), [(1, 1), (2, 1), (5, 24), (9, 1), (40, 60)])
def test_demo_holds_exactly_the_tickets_asked_for_when_they_are_few(
    tmp_path: Path, tickets: int, months: int
) -> None:
    assert write_demo(tmp_path, tickets=tickets, months=months).tickets == tickets
    pages = read_ndjson(tmp_path, "tickets-*.json")
    portal = tmp_path / "inbox/portal/tickets.csv"
    found = {row["id"] for page in pages for row in page["tickets"]}
    assert len(found) + (len(read_csv(portal)) if portal.exists() else 0) == tickets


# Shapes


def test_summary_counts_what_was_written(
    demo: DemoSummary, helpdesk_tickets: dict[int, Any], portal_tickets: list[Any]
) -> None:
    files = [path for path in demo.root.rglob("*") if path.is_file() and path.name != MARKER]
    assert demo.files == len(files)
    assert demo.customers == len(read_reference(demo, "customers"))
    assert demo.tickets == 4000 == len(helpdesk_tickets) + len(portal_tickets)


def test_files_end_lines_with_a_single_newline(demo: DemoSummary) -> None:
    exports = [path for path in demo.root.rglob("*.*") if path.suffix in (".csv", ".json", ".ndjson")]
    assert exports
    assert all(
        b"\r" not in content and content.endswith(b"\n")
        for content in (path.read_bytes() for path in exports)
    )


def test_sla_yml_names_both_sources(demo: DemoSummary) -> None:
    sources = load_sources(demo.root / "sla.yml").sources
    assert {name: source.source_type for name, source in sources.items()} == {
        "helpdesk": "zendesk",
        "portal": "canonical",
    }
    assert sources["helpdesk"].severity_field == f"custom_field:{SEVERITY_FIELD}"
    assert {event.field_name for event in sources["helpdesk"].events} == {
        "tags",
        "status",
        f"custom_field:{BUG_FIELD}",
    }


def test_helpdesk_pages_carry_the_keys_of_the_incremental_api(pages: list[dict[str, Any]]) -> None:
    assert {key for page in pages for key in page} == {
        "tickets", "after_url", "before_url", "after_cursor", "before_cursor", "end_of_stream",
    }  # fmt: skip
    needed = {
        "id", "url", "external_id", "via", "created_at", "updated_at", "generated_timestamp", "type",
        "subject", "raw_subject", "description", "priority", "status", "custom_status_id",
        "requester_id", "submitter_id", "assignee_id", "organization_id", "group_id", "brand_id",
        "ticket_form_id", "tags", "custom_fields",
        "satisfaction_rating", "problem_id", "has_incidents", "is_public", "due_at", "followup_ids",
    }  # fmt: skip
    assert all(needed <= row.keys() for page in pages for row in page["tickets"])


def test_helpdesk_pages_overlap_with_several_states_of_a_ticket(pages: list[dict[str, Any]]) -> None:
    states = [(row["id"], row["updated_at"]) for page in pages for row in page["tickets"]]
    repeated = sum(count - 1 for count in Counter(states).values())
    tickets_in_several_states = sum(
        count > 1 for count in Counter(number for number, _ in set(states)).values()
    )
    assert repeated > 50
    assert tickets_in_several_states > 200
    rows = [json.dumps(row, sort_keys=True) for page in pages for row in page["tickets"]]
    assert len(set(rows)) == len(set(states)), "one ticket and updated_at has one content"


def test_helpdesk_audits_overlap_with_equal_content(demo: DemoSummary) -> None:
    rows = read_ndjson(demo.root, "audits-*.ndjson")
    numbers = {row["id"] for row in rows}
    assert len(numbers) < len(rows)
    assert len({json.dumps(row, sort_keys=True) for row in rows}) == len(numbers)


def test_helpdesk_audits_lead_from_the_submission_to_the_final_state(
    helpdesk_tickets: dict[int, dict[str, Any]], audits: dict[int, list[dict[str, Any]]]
) -> None:
    for number, rows in audits.items():
        ticket = helpdesk_tickets[number]
        instants = [row["created_at"] for row in rows]
        assert instants == sorted(set(instants))
        assert instants[0] == ticket["created_at"]
        assert instants[-1] == ticket["updated_at"]
        fields: dict[str, Any] = {}
        for position, row in enumerate(rows):
            for event in row["events"]:
                if event["type"] == "Create":
                    assert position == 0
                elif event["type"] == "Change":
                    assert fields.get(event["field_name"]) == event["previous_value"] != event["value"]
                if event["type"] in ("Create", "Change"):
                    fields[event["field_name"]] = event["value"]
        assert fields["status"] == ticket["status"]
        assert fields["tags"] == ticket["tags"]
        for field in ticket["custom_fields"]:
            assert fields.get(str(field["id"])) == field["value"]


def test_helpdesk_authors_are_users_or_the_system(
    demo: DemoSummary, audits: dict[int, list[dict[str, Any]]]
) -> None:
    users = {row["id"]: row["role"] for row in read_ndjson(demo.root, "users.ndjson")}
    authors = {row["author_id"] for rows in audits.values() for row in rows}
    assert authors - users.keys() <= {-1, 361_599_000_002}, "the system, and the user who is not exported"
    assert Counter(users.values())["agent"] == 8


def test_portal_events_follow_the_submission_in_order(
    portal_tickets: list[dict[str, str]], portal_events: dict[str, list[dict[str, str]]]
) -> None:
    assert portal_events.keys() == {row["ticket_id"] for row in portal_tickets}
    for ticket in portal_tickets:
        events = portal_events[ticket["ticket_id"]]
        instants = [row["event_at"] for row in events]
        assert instants == sorted(instants)
        assert (instants[0], instants[-1]) == (ticket["submitted_at"], ticket["updated_at"])
        assert (events[0]["event_type"], events[0]["is_public"]) == ("message", "true")
    names = [row["event_id"] for events in portal_events.values() for row in events]
    assert len(set(names)) == len(names)


def test_data_end_in_the_last_minute_before_the_end(
    helpdesk_tickets: dict[int, dict[str, Any]], portal_tickets: list[dict[str, str]]
) -> None:
    for newest in (
        max(row["updated_at"] for row in helpdesk_tickets.values()),
        max(row["updated_at"] for row in portal_tickets),
    ):
        assert "2026-06-30T23:59:00Z" <= newest < ENDS_ON


# Contract records


def test_terms_of_a_customer_are_half_open_and_do_not_overlap(demo: DemoSummary) -> None:
    terms: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in read_reference(demo, "subscriptions"):
        terms[row["customer_id"]].append((row["term_starts_on"], row["term_ends_on"]))
    seams = Counter()
    for spans in terms.values():
        assert spans == sorted(spans)
        assert all(start < end for start, end in spans)
        for (_, end), (start, _) in zip(spans, spans[1:], strict=False):
            assert end <= start
            seams["touching" if end == start else "gap"] += 1
    assert seams["gap"] == 2
    assert seams["touching"] > 40
    assert len(terms) == demo.customers


def test_terms_tell_of_plan_changes_a_trial_an_inactive_licence_and_an_early_end(demo: DemoSummary) -> None:
    rows = read_reference(demo, "subscriptions")
    plans: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        plans[row["customer_id"]].add(row["plan"])
    assert sum(len(names) > 1 for names in plans.values()) == 4
    assert {row["plan"] for row in rows} == {"standard", "enhanced", "premium"}
    assert len({row["customer_id"] for row in rows if row["license_type"] == "trial"}) == 1
    assert sum(row["license_status"] == "inactive" for row in rows) == 1
    days = [
        date.fromisoformat(row["term_ends_on"]) - date.fromisoformat(row["term_starts_on"]) for row in rows
    ]
    assert sum(length < timedelta(days=365) for length in days) == 1


def test_contacts_tell_of_a_sixth_representative_and_of_people_who_left(demo: DemoSummary) -> None:
    rows = read_reference(demo, "contacts")
    assert max(Counter(row["customer_id"] for row in rows).values()) == 6
    assert any(row["valid_to"] for row in rows)
    assert all(not row["valid_to"] or row["valid_from"] < row["valid_to"] for row in rows)


def test_waivers_are_approved_by_another_person_and_name_tickets(
    demo: DemoSummary, helpdesk_tickets: dict[int, Any], portal_tickets: list[dict[str, str]]
) -> None:
    rows = read_reference(demo, "waivers")
    known = {str(number) for number in helpdesk_tickets} | {row["ticket_id"] for row in portal_tickets}
    assert len(rows) > 10
    assert all(row["requested_by"] != row["approved_by"] and row["reason"] for row in rows)
    assert {row["ticket_id"] for row in rows} <= known
    assert all(row["approved_at"] < ENDS_ON for row in rows)


def test_purchases_and_redemptions_lie_within_their_terms(demo: DemoSummary) -> None:
    terms = {row["subscription_id"]: row for row in read_reference(demo, "subscriptions")}
    for name, column in (("purchases", "purchased_on"), ("redemptions", "redeemed_on")):
        rows = read_reference(demo, name)
        assert len(rows) > 20
        for row in rows:
            term = terms[row["subscription_id"]]
            assert term["customer_id"] == row["customer_id"]
            assert term["term_starts_on"] <= row[column] < term["term_ends_on"]
            assert row[column] < "2026-07-01"


def test_customers_come_in_plain_utf_8_with_accents_ampersands_and_apostrophes(demo: DemoSummary) -> None:
    names = " ".join(row["name"] for row in read_reference(demo, "customers"))
    assert all(letter in names for letter in "ü&'éÅØ")


# The story


def test_helpdesk_story_has_every_case(
    helpdesk_tickets: dict[int, dict[str, Any]], audits: dict[int, list[dict[str, Any]]]
) -> None:
    seen: Counter[str] = Counter()
    seen["without audits"] = len(helpdesk_tickets.keys() - audits.keys())
    for ticket in helpdesk_tickets.values():
        seen[f"status {ticket['status']}"] += 1
        seen[f"channel {ticket['via']['channel']}"] += 1
        seen[f"severity {ticket['custom_fields'][0]['value']}"] += 1
        seen["no organization"] += ticket["organization_id"] is None
        seen["agent opened"] += ticket["submitter_id"] != ticket["requester_id"]
    for rows in audits.values():
        for row in rows:
            seen["trigger reply"] += row["via"]["channel"] == "rule" and row["events"][0]["type"] == "Comment"
            seen["bot reply"] += row["author_id"] == 900001
            for event in row["events"]:
                if event["type"] == "Comment" and not event["public"]:
                    seen["note"] += 1
                if event["type"] == "Change":
                    field, value, previous = event["field_name"], event["value"], event["previous_value"]
                    seen[f"{field} changed"] += 1
                    if field == str(BUG_FIELD):
                        seen[f"bug {previous} then {value}"] += 1
                    if field == "status":
                        seen["reopened"] += (previous, value) == ("solved", "open")
                        seen[f"became {value}"] += 1
                    if field == "tags":
                        seen[str((set(value) - set(previous)).pop())] += 1
    for case in (
        "without audits", "status new", "status deleted", "status closed", "channel web", "channel api",
        "channel email", *(f"severity sev_{level}" for level in range(6)), "severity None", "no organization",
        "agent opened", "trigger reply", "bot reply", "note", f"{SEVERITY_FIELD} changed",
        "bug None then confirmed", "bug confirmed then rejected", "bug rejected then confirmed", "reopened",
        "became pending", "became hold", "debug_requested", "debug_logs_received", "debug_delivered",
        "closed_by_merge",
    ):  # fmt: skip
        assert seen[case] > 0, case


def test_portal_story_has_every_event_type(portal_events: dict[str, list[dict[str, str]]]) -> None:
    kinds = Counter(row["event_type"] for rows in portal_events.values() for row in rows)
    assert kinds.keys() == {
        "message", "status_changed", "severity_changed", "debug_requested", "debug_logs_received",
        "debug_delivered", "bug_confirmed", "bug_rejected", "merged", "deleted",
    }  # fmt: skip


def test_customers_write_to_one_source_each(demo: DemoSummary, portal_tickets: list[dict[str, str]]) -> None:
    organizations = {row["external_id"] for row in read_ndjson(demo.root, "organizations.ndjson")}
    customers = {row["customer_id"] for row in read_reference(demo, "customers")}
    in_portal = {row["customer_id"] for row in portal_tickets}
    assert (organizations & in_portal) == {"umbra-prospects"}, "a customer of no list, in both"
    assert in_portal - customers == {"umbra-prospects"}


def test_one_hour_holds_a_batch_import_of_one_requester(
    helpdesk_tickets: dict[int, Any], portal_tickets: list[Any]
) -> None:
    hours = Counter(
        [(row["created_at"][:13], row["requester_id"]) for row in helpdesk_tickets.values()]
        + [(row["submitted_at"][:13], row["requester"]) for row in portal_tickets]
    )
    [(_, most), (_, second)] = hours.most_common(2)
    assert most == 50
    assert second < 10
