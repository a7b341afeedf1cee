"""What a story cannot see of the ledger's SQL: which debt a unit settles, and how far a statement goes.

The model's own text runs on a few rows in memory; the tables are named as in the build.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import duckdb
from jinja2 import Environment, StrictUndefined

from pipeline.calendars.render_macros import load_macros
from pipeline.settings import DBT_PROJECT
from pipeline.zones import list_zone_months

AS_OF = "2026-07-01 00:00:00"
CHANGE = (
    "movement_id", "customer_id", "subscription_id", "pool", "movement_kind", "quantity", "change_rank", "change_id",
    "cause_kind", "cause_id", "ticket_id", "undoes_movement_id", "reason", "happened_at", "known_at",
)  # fmt: skip


def run_sql(connection: duckdb.DuckDBPyConnection, text: str) -> list[dict[str, Any]]:
    """Rows of a model or of a call of a ledger macro, on the tables of the connection."""
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - SQL, not HTML
    environment.globals.update(load_macros(), ref=lambda model: model, source=lambda schema, table: table)
    macro = (DBT_PROJECT / "macros" / "ledger" / "settle_pools.sql").read_text(encoding="utf-8")
    found = connection.sql(environment.from_string(macro + text).render())
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def list_months(connection: duckdb.DuckDBPyConnection) -> list[str]:
    model = (DBT_PROJECT / "models" / "core" / "fct_entitlement_months.sql").read_text(encoding="utf-8")
    return sorted(row["month"] for row in run_sql(connection, model))


def open_ledger(term_ends_at: str) -> duckdb.DuckDBPyConnection:
    """One limited pool `regular` of a term that begins on 1 January 2026, in Berlin."""
    connection = duckdb.connect()
    connection.execute(f"create table build_inputs as select timestamp '{AS_OF}' as as_of")
    connection.execute(
        f"""
        create table int_entitlements__pools as
        select 'sub' as subscription_id, 'acme' as customer_id, 'standard' as plan, 'standard 1' as plan_version,
          'Europe/Berlin' as time_zone, 'regular' as pool, 2 as quantity, cast(null as varchar) as overflows_to,
          true as is_limited, true as is_stated, false as is_unlimited, false as is_redeemed, 'ended' as term_status,
          date '2026-01-01' as term_starts_on, cast(timestamp '{term_ends_at}' + interval 1 hour as date) as term_ends_on,
          timestamp '2025-12-31 23:00:00' as term_starts_at, timestamp '{term_ends_at}' as term_ends_at
        """
    )
    return connection


def test_a_pack_settles_the_debt_that_was_made_last_before_the_earlier_one() -> None:
    connection = open_ledger("2026-12-31 23:00:00")
    connection.execute(
        """
        create table int_entitlements__supplies(supply_id varchar, customer_id varchar, subscription_id varchar, pool varchar,
          quantity bigint, movement_kind varchar, cause_kind varchar, cause_id varchar, is_drawn_first boolean,
          supplied_at timestamp, ends_at timestamp)
        """
    )
    lines = [
        ("use:t1", "use", -1, 4, "t1", "2026-03-02 08:00:00"),
        ("use:t2", "use", -1, 4, "t2", "2026-03-03 08:00:00"),
        ("purchase:p", "purchase", 2, 2, "purchase:p", "2026-03-04 08:00:00"),
    ]
    connection.execute(f"create table changes({', '.join(f'{name} varchar' for name in CHANGE)})")
    for movement, kind, quantity, rank, change, at in lines:
        row = (movement, "acme", "sub", "regular", kind, quantity, rank, change, "", "", "", "", kind, at, at)
        connection.execute(f"insert into changes values ({', '.join('?' * len(CHANGE))})", row)
    connection.execute(
        "alter table changes alter quantity type bigint; alter table changes alter change_rank type integer"
    )
    connection.execute(
        "alter table changes alter happened_at type timestamp; alter table changes alter known_at type timestamp"
    )

    found = run_sql(connection, "{{ settle_pools('changes', 'overage') }} order by statement_line")

    settled = [
        row["undoes_movement_id"]
        for row in found
        if row["movement_kind"] == "overage" and row["quantity"] < 0
    ]
    assert settled == ["overage:use:t2:2", "overage:use:t1:1"]


def test_a_statement_ends_with_the_month_of_the_terms_end_unless_something_moves_later() -> None:
    connection = open_ledger("2026-03-14 23:00:00")
    connection.register(
        "listed_months", list_zone_months(["Europe/Berlin"], datetime(2025, 11, 1), datetime(2026, 9, 1))
    )
    connection.execute("create table zone_months as select * from listed_months")
    connection.execute(
        "create table fct_entitlement_movements as select 'sub' as subscription_id, 'regular' as pool, '2026-01' as month,"
        " 'grant' as movement_kind, 2 as quantity"
    )
    assert list_months(connection) == ["2026-01", "2026-02", "2026-03"]
    connection.execute(
        "insert into fct_entitlement_movements values ('sub', 'regular', '2026-05', 'credit', 1)"
    )
    assert list_months(connection) == ["2026-01", "2026-02", "2026-03", "2026-05"]
