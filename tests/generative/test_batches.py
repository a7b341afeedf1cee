"""Late, repeated, overlapping and partial exports in any order: the published tables are those of the complete load in order.

Every desk of one workspace is a source with customers of its own that tells the same lives under the same ids. The first of each
form gets one export after the other, as they were made; the others get them shuffled, overlapping, cut in pieces and repeated, in
three runs. What the core tables then hold of a desk, with its code taken out, must be the same
bytes. BATCHES_SEED draws other lives.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.end_to_end.command_line import LANDED_EPOCH, run_sla
from tests.end_to_end.published import read_pointer
from tests.end_to_end.small_vendor import (
    CUSTOMERS_HEADER,
    EVENTS_HEADER,
    TERMS_HEADER,
    TICKETS_HEADER,
    write_lines,
)
from tests.generative.ticket_histories import DAY, HOUR, instant, show

SEED = int(os.environ.get("BATCHES_SEED", "20"))
LIVES = 10
RUNS = 3
FIRST = instant("2026-02-02T08:00:00Z")
# The exports are made at these instants; each holds what changed since the one before it.
CUTS = [FIRST + days * DAY for days in (2, 4, 7, 9, 12)]
AS_OF = FIRST + 14 * DAY
# Where a row came from depends on the file that brought it, not on what happened.
# How often a record was exported is no figure: the counts of records read and refused are of the files.
LINEAGE = {"source_file", "line_number", "batch_id", "known_at", "records_read", "records_refused"}
FORMS = ("canonical", "zendesk")
CODE = re.compile(r"(canonical|zendesk)\d{3}x")
AGENT, CUSTOMER = "12", "11"
_PRIORITIES = {"2": "high", "3": "normal", "4": "low"}


@dataclass(frozen=True)
class Change:
    """One thing that happened to a ticket: `kind` is message, note, status, severity or deleted."""

    at: int
    kind: str
    by_agent: bool
    value: str


@dataclass(frozen=True)
class Life:
    """A ticket from its submission to its last change, and the organization that it was moved to at its last one."""

    number: int
    organization: str
    moved_to: str
    severity: str
    submitted_at: int
    changes: tuple[Change, ...]

    def until(self, at: int) -> list[Change]:
        return [change for change in self.changes if change.at <= at]

    def updated_at(self, at: int) -> int:
        return max([self.submitted_at, *(change.at for change in self.until(at))])

    def organization_at(self, at: int) -> str:
        return self.moved_to if self.changes and at >= self.changes[-1].at else self.organization

    def value_at(self, at: int, kind: str, first: str) -> str:
        values = [change.value for change in self.until(at) if change.kind == kind]
        return values[-1] if values else first


def draw_lives(seed: int) -> list[Life]:
    chance, lives = random.Random(seed), []
    for number in range(1, LIVES + 1):
        submitted_at = FIRST + chance.randrange(9 * DAY)
        severity = chance.choice("234")
        at, changes, status = submitted_at, [], "open"
        for _ in range(chance.choice([0, 2, 4, 6, 9])):
            at += chance.choice([1, 60, HOUR, 5 * HOUR, 30 * HOUR])
            kind = chance.choice(["message", "message", "message", "note", "status", "status", "severity"])
            value = ""
            if kind == "status":
                value = status = chance.choice(
                    [one for one in ("open", "pending", "solved") if one != status]
                )
            elif kind == "severity":
                value = chance.choice("234")
            changes.append(Change(at, kind, kind != "message" or chance.random() < 0.6, value))
        if number % 5 == 0:
            changes.append(Change(at + HOUR, "deleted", True, "deleted"))
        organization = chance.choice(["acme", "bolt"])
        moved_to = chance.choice([organization, organization, "acme", "bolt"])
        lives.append(Life(number, organization, moved_to, severity, submitted_at, tuple(changes)))
    return lives


@dataclass(frozen=True)
class Slice:
    """An export made at `at` of the tickets that changed after `since`; `part` of `parts` when it was cut in pieces."""

    since: int
    at: int
    part: int = 0
    parts: int = 1

    def holds(self, life: Life) -> bool:
        return (
            life.submitted_at <= self.at
            and life.updated_at(self.at) > self.since
            and life.number % self.parts == self.part
        )


IN_ORDER = [Slice(since, at) for since, at in zip([0, *CUTS], CUTS, strict=False)]


def draw_slices(chance: random.Random) -> list[Slice]:
    """Everything that IN_ORDER holds, in windows that reach back, in pieces and again, in any order."""
    slices = []
    for place, plain in enumerate(IN_ORDER):
        since = ([0, *CUTS])[chance.randrange(place + 1)]
        parts = chance.choice([1, 1, 2, 3])
        slices += [Slice(since, plain.at, part, parts) for part in range(parts)]
    slices += [Slice(0, chance.choice(CUTS)) for _ in range(chance.choice([0, 1, 2]))]
    slices += chance.sample(slices, chance.choice([0, 1, 2]))
    chance.shuffle(slices)
    return slices


def write_canonical(desk: str, lives: Sequence[Life], slice_: Slice) -> dict[str, str]:
    tickets, events = [TICKETS_HEADER.split(",")], [EVENTS_HEADER.split(",")]
    for life in lives:
        updated_at = life.updated_at(slice_.at)
        name, organization = f"T-{life.number}", f"{desk}-{life.organization_at(slice_.at)}"
        subject = f"Subject at {show(updated_at)}"
        row = [
            name,
            organization,
            "carla",
            "web_form",
            life.severity,
            show(life.submitted_at),
            subject,
            "",
            "",
        ]
        tickets.append([*row, show(updated_at)])
        for number, change in enumerate(life.changes):
            if slice_.since < change.at <= slice_.at:
                kinds = {"note": "message", "status": "status_changed", "severity": "severity_changed"}
                actor = ["agent", "anna"] if change.by_agent else ["customer", "carla"]
                is_public = {"message": "true", "note": "false"}.get(change.kind, "")
                value = "" if change.kind == "deleted" else change.value
                kind = kinds.get(change.kind, change.kind)
                events.append(
                    [f"E-{life.number}-{number}", name, show(change.at), kind, *actor, is_public, value]
                )
    written = {"tickets.csv": tickets, "events.csv": events}
    return {name: _as_csv(rows) for name, rows in written.items() if len(rows) > 1}


def _as_csv(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def write_zendesk(desk: str, lives: Sequence[Life], slice_: Slice) -> dict[str, str]:
    """Pages of the incremental API: tickets as they were when the page was made, then the audits of the window."""
    objects: list[dict[str, Any]] = []
    for life in lives:
        priority = _PRIORITIES[life.value_at(slice_.at, "severity", life.severity)]
        status = life.value_at(slice_.at, "deleted", life.value_at(slice_.at, "status", "open"))
        updated_at = show(life.updated_at(slice_.at))
        objects.append({
            "id": life.number, "created_at": show(life.submitted_at), "updated_at": updated_at, "status": status,
            "priority": priority, "subject": f"Subject at {updated_at}", "requester_id": CUSTOMER,
            "submitter_id": CUSTOMER, "organization_id": life.organization_at(slice_.at), "via": {"channel": "web"},
        })  # fmt: skip
        objects += (audit for at, audit in _audits(life) if slice_.since < at <= slice_.at)
    return {"page.ndjson": "".join(f"{json.dumps(one)}\n" for one in objects)} if objects else {}


def _audits(life: Life) -> Iterator[tuple[int, dict[str, Any]]]:
    opening = [
        {"id": 1, "type": "Create", "field_name": "status", "value": "open"},
        {"id": 2, "type": "Create", "field_name": "priority", "value": _PRIORITIES[life.severity]},
        {"id": 3, "type": "Comment", "public": True},
    ]
    yield life.submitted_at, _audit(life, 0, life.submitted_at, CUSTOMER, opening)
    held = {"status": "open", "priority": _PRIORITIES[life.severity]}
    for number, change in enumerate(life.changes, start=1):
        if change.kind in ("message", "note"):
            events: list[dict[str, Any]] = [{"id": 1, "type": "Comment", "public": change.kind == "message"}]
        else:
            field = "priority" if change.kind == "severity" else "status"
            value = _PRIORITIES.get(change.value, change.value)
            events = [
                {
                    "id": 1,
                    "type": "Change",
                    "field_name": field,
                    "value": value,
                    "previous_value": held[field],
                }
            ]
            held[field] = value
        yield change.at, _audit(life, number, change.at, AGENT if change.by_agent else CUSTOMER, events)


def _audit(life: Life, number: int, at: int, author: str, events: list[dict[str, Any]]) -> dict[str, Any]:
    first = 10_000 * life.number + 10 * number
    events = [event | {"id": first + event["id"]} for event in events]
    return {
        "id": first, "ticket_id": life.number, "created_at": show(at), "author_id": author, "via": {"channel": "web"},
        "events": events,
    }  # fmt: skip


_WRITE = {"canonical": write_canonical, "zendesk": write_zendesk}
_SOURCE = {
    "canonical": "{{type: canonical, ticket_prefix: {desk}-}}",
    "zendesk": (
        "{{type: zendesk, ticket_prefix: {desk}-, time_zone: UTC, customer: {{field: organization_external_id}},"
        " severity: {{field: priority, values: {{high: 2, normal: 3, low: 4}}}}, channels: {{values: {{web: web_form}}}},"
        " events: {{deleted: {{field: status, value: deleted}}}},"
        # Organizations may come after the tickets that name them.
        " allow: {{unknown_customers: 100}}}}"
    ),
}


def name_desk(form: str, number: int) -> str:
    """Its source, and the code in its ids. The first one of a form has the number 0."""
    return f"{form}{number:03d}x"


def write_desks(root: Path, count: int) -> list[list[tuple[Path, str]]]:
    """A workspace of `count` desks of each form and, the first, one whose exports come in order; of each desk its files."""
    run_sla("init", str(root)).expect(0)
    desks = {name_desk(form, number): (form, number) for form in FORMS for number in range(count + 1)}
    sources = (f"  {desk}: {_SOURCE[form].format(desk=desk)}" for desk, (form, _) in desks.items())
    write_lines(root / "sla.yml", "compare_plans: []", "sources:", *sources)
    names = [(desk, name) for desk in desks for name in ("acme", "bolt")]
    customers = (f"{desk}-{name},{name.title()},UTC,en," for desk, name in names)
    write_lines(root / "reference" / "customers.csv", CUSTOMERS_HEADER, *customers)
    plans = {"acme": "standard", "bolt": "premium"}
    terms = (
        f"{desk}-{name}-1,{desk}-{name},{plans[name]},2026-01-01,2027-01-01,paid,active"
        for desk, name in names
    )
    write_lines(root / "reference" / "subscriptions.csv", TERMS_HEADER, *terms)
    lives = draw_lives(SEED)
    exports = []
    for desk, (form, number) in desks.items():
        chance = random.Random(f"{SEED} {desk}")
        files = list(_write_people(root, desk)) if form == "zendesk" else []
        for place, slice_ in enumerate(draw_slices(chance) if number else IN_ORDER):
            held = [life for life in lives if slice_.holds(life)]
            if number:
                chance.shuffle(held)
            for name, text in _WRITE[form](desk, held, slice_).items():
                files.append((root / "inbox" / desk / f"{place:02d}-{name}", text))
        exports.append(files)
    return exports


def build_desks(root: Path, count: int) -> Path:
    """The published database of these desks."""
    runs: list[list[tuple[Path, str]]] = [[] for _ in range(RUNS)]
    chance = random.Random(SEED)
    for number, files in enumerate(write_desks(root, count)):
        for place, file in enumerate(files):
            # In order: the first files in the first run. Else: any file in any run.
            is_in_order = number % (count + 1) == 0
            runs[RUNS * place // len(files) if is_in_order else chance.randrange(RUNS)].append(file)
    for place, files in enumerate(runs):
        for path, text in files:
            write_lines(path, text.removesuffix("\n"))
        # Each run lands on a later day.
        run_sla(
            "--workspace", str(root), "ingest", SOURCE_DATE_EPOCH=str(int(LANDED_EPOCH) + place * DAY)
        ).expect(0)
    run_sla("--workspace", str(root), "--as-of", show(AS_OF), "build").expect(0)
    return root / "warehouse" / "published" / read_pointer(root)["file"]


def _write_people(root: Path, desk: str) -> Iterator[tuple[Path, str]]:
    people: list[dict[str, Any]] = [{"id": CUSTOMER, "role": "end-user", "name": "carla"}]
    people += [{"id": AGENT, "role": "agent", "name": "anna"}]
    people += [
        {"id": name, "external_id": f"{desk}-{name}", "name": name.title()} for name in ("acme", "bolt")
    ]
    yield root / "inbox" / desk / "people.ndjson", "".join(f"{json.dumps(one)}\n" for one in people)


def read_desks(database: Path) -> dict[str, dict[str, list[str]]]:
    """Desk -> core table -> its rows as text, without lineage and the desk's code."""
    found: dict[str, dict[str, list[str]]] = {}
    with duckdb.connect(str(database), read_only=True) as connection:
        tables = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'core' order by all"
        ).fetchall()
        for (table,) in tables:
            rows = connection.execute(f'select * from core."{table}"')
            names = [column[0] for column in rows.description]
            for row in rows.fetchall():
                text = repr(
                    [(name, value) for name, value in zip(names, row, strict=True) if name not in LINEAGE]
                )
                codes = {code.group() for code in CODE.finditer(text)}
                # Rows of no desk (plans, clocks) are the same for all; a row of two would be a leak.
                assert len(codes) <= 1, text
                for code in codes:
                    found.setdefault(code, {}).setdefault(table, []).append(CODE.sub("desk", text))
    for tables_of_desk in found.values():
        for lines in tables_of_desk.values():
            lines.sort()
    return found


def assert_all_alike(database: Path, count: int) -> None:
    desks = read_desks(database)
    assert len(desks) == len(FORMS) * (count + 1)
    for form in FORMS:
        expected = desks[name_desk(form, 0)]
        # The lives reach the verdicts and the ledger, or there would be nothing to compare.
        assert len(expected["fct_sla_obligations"]) >= LIVES
        assert len(expected["fct_entitlement_movements"]) >= LIVES
        for number in range(1, count + 1):
            tables = desks[name_desk(form, number)]
            assert tables.keys() == expected.keys(), (form, number)
            for table, rows in tables.items():
                assert rows == expected[table], f"{form} {number} {table}; repeat with BATCHES_SEED={SEED}"


def test_exports_in_any_order_overlap_and_number_give_the_tables_of_the_load_in_order(tmp_path: Path) -> None:
    assert_all_alike(build_desks(tmp_path, 12), 12)


@pytest.mark.long
def test_two_hundred_permutations_of_the_exports_give_the_same_tables(tmp_path: Path) -> None:
    assert_all_alike(build_desks(tmp_path, 200), 200)
