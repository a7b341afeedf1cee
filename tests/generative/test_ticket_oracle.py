"""Whole random tickets: the published obligations say what the plain-Python judge says, to the second.

ORACLE_SEED repeats another world, ORACLE_TICKETS changes its size; a failure names both.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.settings import Workspace
from pipeline.warehouse.publish import read_pointer
from tests.end_to_end.command_line import run_sla
from tests.generative.ticket_histories import World, draw_world, show, write_exports, write_workspace
from tests.generative.ticket_oracle import Event, Ticket, Verdict

SEED = int(os.environ.get("ORACLE_SEED", "20"))
COUNT = int(os.environ.get("ORACLE_TICKETS", "200"))
LONG_COUNT = int(os.environ.get("ORACLE_TICKETS", "5000"))
SHOWN = int(os.environ.get("ORACLE_SHOWN", "5"))
INSTANTS = ("due_at", "breached_at")
COLUMNS = [column.name for column in fields(Verdict)]
# Where a row came from depends on the file that brought it, not on what happened.
LINEAGE = ("source_file", "line_number", "batch_id", "known_at")
Row = dict[str, Any]


def build(root: Path, world: World) -> Path:
    """The published database of the landed world."""
    run_sla("--workspace", str(root), "ingest").expect(0)
    run_sla("--workspace", str(root), "--as-of", show(world.as_of), "build").expect(0)
    workspace = Workspace(root)
    pointer = read_pointer(workspace)
    assert pointer is not None
    return workspace.published / pointer.file


def land_in_one_batch(root: Path, world: World) -> Path:
    write_workspace(root, world)
    events = [(ticket.ticket_id, event) for ticket in world.tickets for event in ticket.events]
    write_exports(root, world.tickets, events, "all")
    return build(root, world)


def land_in_three_batches(root: Path, world: World) -> Path:
    """The same lines, shuffled into three files each; some stand in two of them."""
    chance = random.Random(world.seed)
    write_workspace(root, world)
    tickets: list[list[Ticket]] = [[], [], []]
    events: list[list[tuple[str, Event]]] = [[], [], []]
    for ticket in chance.sample(world.tickets, len(world.tickets)):
        for place in chance.sample(range(3), chance.choice([1, 1, 2])):
            tickets[place].append(ticket)
    every = [(ticket.ticket_id, event) for ticket in world.tickets for event in ticket.events]
    for line in chance.sample(every, len(every)):
        for place in chance.sample(range(3), chance.choice([1, 1, 2])):
            events[place].append(line)
    for place in (2, 0, 1):
        write_exports(root, tickets[place], events[place], str(place))
        run_sla("--workspace", str(root), "ingest").expect(0)
    return build(root, world)


def read_rows(database: Path, columns: str) -> list[Row]:
    with duckdb.connect(str(database), read_only=True) as connection:
        cursor = connection.execute(f"select {columns} from core.fct_sla_obligations order by obligation_key")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


def read_verdicts(database: Path) -> dict[tuple[str, str, int], Row]:
    rows = read_rows(database, ", ".join(COLUMNS))
    for row in rows:
        for name in INSTANTS:
            row[name] = None if row[name] is None else int(row[name].replace(tzinfo=UTC).timestamp())
    return {(row["ticket_id"], row["obligation"], row["cycle_number"]): row for row in rows}


def compare(world: World, published: dict[tuple[str, str, int], Row]) -> list[tuple[Ticket, str]]:
    """(ticket, what differs) for every row and column in which the two judges differ."""
    oracle, differences = world.oracle(), []
    found_by_ticket: dict[str, dict[tuple[str, str, int], Row]] = {}
    for key, row in published.items():
        found_by_ticket.setdefault(key[0], {})[key] = row
    for ticket in world.tickets:
        expected = {verdict.key: verdict for verdict in oracle.judge(ticket, world.waivers)}
        found = found_by_ticket.get(ticket.ticket_id, {})
        for key in sorted(expected.keys() | found.keys()):
            for text in _compare_row(expected.get(key), found.get(key)):
                differences.append((ticket, f"{key[1]} {key[2]}: {text}"))
    return differences


def _compare_row(expected: Verdict | None, found: Row | None) -> Iterator[str]:
    if expected is None or found is None:
        here = "no such row" if expected is None else expected.status
        there = "no such row" if found is None else found["status"]
        yield f"the model has {there}, the oracle {here}"
        return
    for column in COLUMNS:
        here, there = getattr(expected, column), found[column]
        if here != there:
            yield f"{column} is {_word(column, there)}, the oracle says {_word(column, here)}"


def _word(column: str, value: Any) -> str:
    return show(value) if column in INSTANTS and value is not None else str(value)


def describe(world: World, differences: list[tuple[Ticket, str]]) -> str:
    """The shortest histories first, each with everything that differs."""
    tickets = list({id(ticket): ticket for ticket, _ in differences}.values())
    lines = [
        f"{len(tickets)} of {len(world.tickets)} tickets differ, in {len(differences)} values. "
        f"Repeat with ORACLE_SEED={world.seed} ORACLE_TICKETS={len(world.tickets)}; as_of {show(world.as_of)}."
    ]
    for ticket in sorted(tickets, key=lambda one: len(one.events))[:SHOWN]:
        lines += ["", describe_ticket(ticket)]
        for waiver in world.waivers:
            if waiver.ticket_id == ticket.ticket_id:
                opens, closes = show(waiver.valid_from) or "the submission", show(waiver.expires_at) or "then"
                lines.append(
                    f"  waiver of {waiver.obligation} {waiver.cycle_number or 'all'}, approved {show(waiver.approved_at)}, "
                    f"from {opens} until {closes}"
                )
        lines += [f"  ! {text}" for one, text in differences if one is ticket]
    return "\n".join(lines)


def describe_ticket(ticket: Ticket) -> str:
    """The whole history, a line for each event, in the order of time."""
    lines = [
        f"{ticket.ticket_id} of {ticket.customer_id or 'no customer'} by {ticket.requester}, channel {ticket.channel or 'none'}, "
        f"severity {ticket.severity or 'none'}, submitted {show(ticket.submitted_at)}"
    ]
    lines += [f"  {show(at)} exported as of {customer_id}" for at, customer_id in ticket.records]
    for event in sorted(ticket.events, key=lambda one: (one.at, int(one.event_id.rpartition("-")[2]))):
        seen = {True: " public", False: " internal", None: ""}[event.is_public]
        who = f" by {event.actor_kind} {event.actor}".rstrip()
        lines.append(
            f"  {show(event.at)} {event.event_id} {event.event_type} {event.value}".rstrip() + seen + who
        )
    return "\n".join(lines)


@pytest.fixture(scope="module")
def world() -> World:
    return draw_world(SEED, COUNT)


@pytest.fixture(scope="module")
def published(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return land_in_one_batch(tmp_path_factory.mktemp("tickets"), world)


def test_obligations_agree_with_the_oracle_for_random_tickets(world: World, published: Path) -> None:
    differences = compare(world, read_verdicts(published))
    assert not differences, describe(world, differences)


@pytest.mark.long
def test_obligations_are_the_same_whatever_the_batches_and_their_order(
    world: World, published: Path, tmp_path: Path
) -> None:
    shuffled = land_in_three_batches(tmp_path, world)
    assert _without_lineage(shuffled) == _without_lineage(published)


def _without_lineage(database: Path) -> list[Row]:
    return [
        {name: value for name, value in row.items() if name not in LINEAGE}
        for row in read_rows(database, "*")
    ]


@pytest.mark.long
@pytest.mark.parametrize("seed", [SEED + 1, SEED + 2])
def test_obligations_agree_with_the_oracle_for_many_random_tickets(seed: int, tmp_path: Path) -> None:
    world = draw_world(seed, LONG_COUNT // 2)
    differences = compare(world, read_verdicts(land_in_one_batch(tmp_path, world)))
    assert not differences, describe(world, differences)
