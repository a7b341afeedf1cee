"""Random histories: the published ledger is, line by line, what a bookkeeper writes who walks through them unit by unit.

ORACLE_SEED repeats another world, ORACLE_CUSTOMERS changes its size; a failure names both and tells the smallest history.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.ingest.landing.quarantine import list_quarantine
from pipeline.settings import Workspace
from pipeline.warehouse.publish import read_pointer
from tests.end_to_end.command_line import run_sla
from tests.generative.ledger_histories import (
    LANDED_AT,
    History,
    World,
    draw_world,
    split_into_batches,
    write_one_batch,
    write_workspace,
)
from tests.generative.ledger_oracle import Line, Statement
from tests.generative.ticket_histories import show, write_exports

SEED = int(os.environ.get("ORACLE_SEED", "20"))
COUNT = int(os.environ.get("ORACLE_CUSTOMERS", "1000"))
SHOWN = 3
Rows = list[dict[str, Any]]
Pool = tuple[str, str]


def build(root: Path, world: World) -> Path:
    """The published database of a workspace whose exports are landed."""
    run_sla("--workspace", str(root), "--as-of", show(world.as_of), "build").expect(0)
    workspace = Workspace(root)
    pointer = read_pointer(workspace)
    assert pointer is not None
    return workspace.published / pointer.file


def land(root: Path) -> None:
    run_sla("--workspace", str(root), "ingest", SOURCE_DATE_EPOCH=str(LANDED_AT)).expect(0)
    # The bookkeeper books every line, so none may be refused.
    assert list_quarantine(Workspace(root)) == []


def land_in_one_batch(root: Path, world: World) -> Path:
    write_workspace(root, world)
    write_one_batch(root, world)
    land(root)
    return build(root, world)


def land_in_three_batches(root: Path, world: World) -> Path:
    """The same lines in any order, in three exports that overlap; the reference tables shuffled as well."""
    chance = random.Random(world.seed)
    write_workspace(root, world, chance)
    for number, (tickets, events) in enumerate(split_into_batches(world, chance, 3)):
        write_exports(root, tickets, events, str(number))
        land(root)
    return build(root, world)


def fetch(database: Path, sql: str) -> Rows:
    with duckdb.connect(str(database), read_only=True) as connection:
        cursor = connection.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


def read_movements(database: Path) -> Rows:
    return fetch(
        database,
        "select * from core.fct_entitlement_movements order by subscription_id, pool, statement_line",
    )


def read_pools(database: Path) -> dict[Pool, list[str]]:
    """(subscription_id, pool) -> its published lines, each as one line of text."""
    rows = read_movements(database)
    places = {row["movement_id"]: (row["pool"], row["statement_line"]) for row in rows}
    pools: dict[Pool, list[str]] = {}
    for row in rows:
        undone = places.get(row["undoes_movement_id"])
        pools.setdefault((row["subscription_id"], row["pool"]), []).append(
            _show_line(
                row["statement_line"],
                row["happened_at"].replace(tzinfo=UTC),
                (row["movement_kind"], row["quantity"], row["balance_after"]),
                (row["cause_kind"], row["cause_id"], row["ticket_id"]),
                undone,
                row["paid_by"],
            )
        )
    return pools


def show_statement(statement: Statement) -> list[str]:
    def of(line: Line) -> str:
        return _show_line(
            line.number,
            datetime.fromtimestamp(line.cause.at, UTC),
            (line.kind, line.quantity, line.balance_after),
            (line.cause.kind, line.cause.cause_id, line.cause.ticket_id),
            line.undoes,
            line.paid_by,
        )

    return [of(line) for line in statement.lines]


def _show_line(
    number: int,
    at: datetime,
    amount: tuple[Any, ...],
    cause: tuple[Any, ...],
    undoes: tuple[str, int] | None,
    paid_by: str | None,
) -> str:
    kind, quantity, balance = amount
    undone = f", undoes {undoes[0]} {undoes[1]}" if undoes else ""
    return (
        f"{number:3} {at:%Y-%m-%d %H:%M:%S} {kind} {quantity} = {balance} by {cause[0]} {cause[1]}"
        f" ticket {cause[2]}{undone}, paid by {paid_by}"
    )


def find_differences(world: World, pools: dict[Pool, list[str]]) -> list[tuple[History, Pool]]:
    """Every pool whose statement is not the bookkeeper's."""
    differing = []
    expected_keys = set()
    for history in world.histories:
        for key, statement in world.write_statements(history).items():
            expected_keys.add(key)
            if pools.get(key, []) != show_statement(statement):
                differing.append((history, key))
    assert not (pools.keys() - expected_keys), "the ledger has pools that no plan has"
    return differing


def describe(world: World, pools: dict[Pool, list[str]], differing: list[tuple[History, Pool]]) -> str:
    """The smallest histories first, each with both statements of one pool that differs."""
    customers = {history.customer_id for history, _ in differing}
    lines = [
        f"{len(differing)} statements of {len(customers)} customers differ. Repeat with ORACLE_SEED={world.seed} "
        f"ORACLE_CUSTOMERS={len(world.histories)}; as_of {show(world.as_of)}."
    ]
    for history, key in sorted(differing, key=lambda one: one[0].size)[:SHOWN]:
        expected = show_statement(world.write_statements(history)[key])
        found = pools.get(key, [])
        lines += ["", *history.tell(), f"-- {key[0]} {key[1]}"]
        lines += [f"  {line}" for line in expected if line in found]
        lines += [f"  - the bookkeeper: {line}" for line in expected if line not in found]
        lines += [f"  + the ledger:     {line}" for line in found if line not in expected]
    return "\n".join(lines)


def days_of(statement: Statement) -> Iterator[int]:
    """The last second of every day on which something was booked."""
    for day in sorted({line.cause.at // 86_400 for line in statement.lines}):
        yield day * 86_400 + 86_399


@pytest.fixture(scope="module")
def world() -> World:
    return draw_world(SEED, COUNT)


@pytest.fixture(scope="module")
def published(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return land_in_one_batch(tmp_path_factory.mktemp("ledger"), world)


def test_a_thousand_random_statements_are_the_bookkeepers_line_by_line(world: World, published: Path) -> None:
    pools = read_pools(published)
    differing = find_differences(world, pools)
    assert not differing, describe(world, pools, differing)


def test_the_histories_hold_what_a_ledger_has_trouble_with(world: World) -> None:
    # A property that no history puts to the test is none: of each kind of line, in both directions, there are many.
    statements = [one for history in world.histories for one in world.write_statements(history).values()]
    kinds = [("expiry", -1), ("expiry", 1), ("overage", 1), ("overage", -1), ("overflow", 1)]
    for kind, sign in [*kinds, ("carry_over", -1), ("carry_over", 1)]:
        found = sum(1 for statement in statements if statement.sum(kind, sign))
        assert found * 50 >= COUNT, f"{kind} {sign}: {found}"
    assert any(not statement.is_limited and statement.sum("overflow") for statement in statements)


def test_the_sum_of_the_lines_is_the_balance_of_every_customer_pool_and_day(
    world: World, published: Path
) -> None:
    days = fetch(
        published,
        """
        select
          subscription_id, pool, cast(happened_at as date) as day,
          sum(sum(quantity)) over (partition by subscription_id, pool order by cast(happened_at as date)) as summed,
          arg_max(balance_after, statement_line) as stated
        from core.fct_entitlement_movements
        group by subscription_id, pool, cast(happened_at as date)
        having bool_and(balance_after is not null)
        """,
    )
    stated = {}
    for row in days:
        assert row["summed"] == row["stated"], row
        end_of_day = datetime.combine(row["day"], datetime.max.time(), UTC)
        stated[row["subscription_id"], row["pool"], int(end_of_day.timestamp())] = row["stated"]
    expected = {
        (*key, day): statement.balance_at(day)
        for history in world.histories
        for key, statement in world.write_statements(history).items()
        if statement.is_limited
        for day in days_of(statement)
    }
    assert stated == expected


def test_no_line_leaves_a_balance_below_zero(published: Path) -> None:
    assert not fetch(published, "from core.fct_entitlement_movements where balance_after < 0")


def test_a_balance_is_the_sum_of_its_lines_and_what_the_bookkeeper_has(world: World, published: Path) -> None:
    rows = fetch(published, "from core.fct_entitlement_balances")
    found = {(row["subscription_id"], row["pool"]): row for row in rows}
    expected = {
        key: statement
        for history in world.histories
        for key, statement in world.write_statements(history).items()
    }
    assert found.keys() == expected.keys()
    for key, statement in expected.items():
        row = found[key]
        wanted = {
            "purchased_quantity": statement.sum("purchase") + statement.sum("return"),
            "used_quantity": -statement.sum("use"),
            "credited_quantity": statement.sum("credit") + statement.sum("reversal"),
            "expired_quantity": -statement.sum("expiry"),
            "carried_quantity": statement.sum("carry_over"),
            "overage_quantity": statement.sum("overage"),
            "remaining_quantity": statement.balance_at(world.as_of),
        }
        assert {column: row[column] for column in wanted} == wanted, key
        # A pool lends or borrows, and none of these plans has one that does both.
        assert row["overflowed_out_quantity"] - row["overflowed_in_quantity"] == statement.sum("overflow"), (
            key
        )


def test_every_month_closes_with_what_the_next_one_opens_with(published: Path) -> None:
    months = fetch(
        published,
        """
        select *, lag(closing_quantity) over (partition by subscription_id, pool order by month) as before,
          lag(month) over (partition by subscription_id, pool order by month) as month_before
        from core.fct_entitlement_months
        order by subscription_id, pool, month
        """,
    )
    assert months
    for row in months:
        if row["opening_quantity"] is None:
            assert row["closing_quantity"] is None, row
            continue
        moved = row["granted_quantity"] + row["purchased_quantity"] - row["used_quantity"]
        moved += row["credited_quantity"] + row["overage_quantity"] + row["carried_quantity"]
        moved += row["overflowed_out_quantity"] - row["overflowed_in_quantity"]
        assert row["opening_quantity"] + moved - row["expired_quantity"] == row["closing_quantity"], row
        assert row["opening_quantity"] == (row["before"] or 0), row
        # Before the term and after it there is a row only where something moved.
        begin, end = (f"{row[name]:%Y-%m}" for name in ("term_starts_on", "term_ends_on"))
        for missing in months_between(row["month_before"] or row["month"], row["month"]):
            assert not begin <= missing < end, row


def months_between(first: str, last: str) -> Iterator[str]:
    """The months after `first` and before `last`."""
    year, month = map(int, first.split("-"))
    while (first := f"{year + month // 12}-{month % 12 + 1:02}") < last:
        yield first
        year, month = year + month // 12, month % 12 + 1


def test_the_months_of_a_pool_hold_each_of_its_lines(published: Path) -> None:
    # What the lines of a month come to is the difference between its opening and its closing, for every pool.
    assert not fetch(
        published,
        """
        with moved as (
          select subscription_id, pool, month, sum(quantity) as quantity
          from core.fct_entitlement_movements
          where balance_after is not null
          group by all
        )
        select *
        from moved
        left join core.fct_entitlement_months as months using (subscription_id, pool, month)
        where months.closing_quantity - months.opening_quantity is distinct from moved.quantity
        """,
    )


def test_the_ledger_of_a_customer_is_the_same_without_the_others_and_whatever_the_batches_and_their_order(
    world: World, published: Path, tmp_path: Path
) -> None:
    # Every fifth customer: a build of two hundred, of which none may notice that eight hundred are gone.
    gone = {history.customer_id for place, history in enumerate(world.histories) if place % 5}
    alone = land_in_three_batches(tmp_path, world.without(gone))
    kept = [row for row in read_movements(published) if row["customer_id"] not in gone]
    assert kept
    assert read_movements(alone) == kept


@pytest.mark.long
def test_the_ledger_of_all_customers_is_the_same_whatever_the_batches_and_their_order(
    world: World, published: Path, tmp_path: Path
) -> None:
    assert read_movements(land_in_three_batches(tmp_path, world)) == read_movements(published)


@pytest.mark.long
@pytest.mark.parametrize("seed", [SEED + 1, SEED + 2, SEED + 3])
def test_a_thousand_other_statements_are_the_bookkeepers_line_by_line(seed: int, tmp_path: Path) -> None:
    world = draw_world(seed, COUNT)
    pools = read_pools(land_in_one_batch(tmp_path, world))
    differing = find_differences(world, pools)
    assert not differing, describe(world, pools, differing)
