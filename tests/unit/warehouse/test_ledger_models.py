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
# movement_id, movement_kind, quantity, change_rank, happened_at
Change = tuple[str, str, int, int, str]


def render(text: str) -> str:
    """The SQL of a model or of a call of a ledger macro."""
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - SQL, not HTML
    environment.globals.update(load_macros(), ref=lambda model: model, source=lambda schema, table: table)
    macros = DBT_PROJECT / "macros"
    files = (macros / "stages.sql", macros / "ledger" / "settle_pools.sql")
    macro = "".join(path.read_text(encoding="utf-8") for path in files)
    return environment.from_string(macro + text).render()


def run_sql(connection: duckdb.DuckDBPyConnection, text: str) -> list[dict[str, Any]]:
    """Rows of a model or of a call of a ledger macro, on the tables of the connection."""
    found = connection.sql(render(text))
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def read_months(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
    """month -> the units with which the statement opens it and closes it."""
    core = DBT_PROJECT / "models" / "core"
    connection.execute(
        "create or replace table int_periods__months as select time_zone, month_after as month, min(boundary_at) as starts_at,"
        " lead(starts_at) over (order by month_after) as ends_at, null::timestamp as closes_at"
        " from zone_months group by time_zone, month_after"
    )
    connection.execute(
        "create or replace table dim_months as "
        + render((core / "dim_months.sql").read_text(encoding="utf-8"))
    )
    model = (core / "fct_entitlement_months.sql").read_text(encoding="utf-8")
    rows = sorted(run_sql(connection, model), key=lambda row: row["month"])
    return {row["month"]: (row["opening_quantity"], row["closing_quantity"]) for row in rows}


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


def settle(connection: duckdb.DuckDBPyConnection, changes: list[Change]) -> list[dict[str, Any]]:
    """The lines of the pool's statement, in order."""
    connection.execute(
        """
        create table int_entitlements__settlements as
        select *, subscription_id || ' ' || pool as settlement_id, overflows_to is not null as is_settled_first
        from int_entitlements__pools
        """
    )
    connection.execute(
        """
        create table int_entitlements__stays(supply_id varchar, customer_id varchar, subscription_id varchar, pool varchar,
          stays_from timestamp, is_home boolean, came_from varchar, goes_to varchar)
        """
    )
    connection.execute(
        """
        create table int_entitlements__supplies(supply_id varchar, customer_id varchar, subscription_id varchar, pool varchar,
          quantity bigint, movement_kind varchar, cause_kind varchar, cause_id varchar, is_drawn_first boolean,
          supplied_at timestamp, ends_at timestamp, expires_at timestamp, is_returned boolean)
        """
    )
    connection.execute(
        "create table stated(movement_id varchar, movement_kind varchar, quantity bigint, change_rank integer,"
        " happened_at timestamp)"
    )
    connection.executemany("insert into stated values (?, ?, ?, ?, ?)", changes)
    connection.execute(
        """
        create table recorded_changes as
        select movement_id, 'acme' as customer_id, 'sub' as subscription_id, 'regular' as pool, movement_kind, quantity,
          change_rank, movement_id as change_id, '' as cause_kind, '' as cause_id, '' as ticket_id, '' as undoes_movement_id,
          movement_kind as reason, happened_at, happened_at as known_at
        from stated
        """
    )
    return run_sql(
        connection, "{{ settle_pools('recorded_changes', is_settled_first=false) }} order by statement_line"
    )


def test_a_pack_settles_the_debt_that_was_made_last_before_the_earlier_one() -> None:
    lines = settle(
        open_ledger("2026-12-31 23:00:00"),
        [
            ("use:t1", "use", -1, 5, "2026-03-02 08:00:00"),
            ("use:t2", "use", -1, 5, "2026-03-03 08:00:00"),
            ("purchase:p", "purchase", 2, 2, "2026-03-04 08:00:00"),
        ],
    )

    settled = [
        line["undoes_movement_id"]
        for line in lines
        if line["movement_kind"] == "overage" and line["quantity"] < 0
    ]
    assert settled == ["overage:use:t2:2", "overage:use:t1:1"]


def test_a_unit_drawn_after_the_term_comes_back_from_the_line_in_which_it_last_expired() -> None:
    # 2 - 1 = 1 expires at the end. Then the used one is given back and drawn again, twice: it expires with each credit.
    lines = settle(
        open_ledger("2026-03-14 23:00:00"),
        [
            ("grant", "grant", 2, 0, "2025-12-31 23:00:00"),
            ("use", "use", -1, 5, "2026-02-02 08:00:00"),
            ("credit:1", "credit", 1, 4, "2026-04-01 08:00:00"),
            ("reversal:2", "reversal", -1, 4, "2026-04-02 08:00:00"),
            ("credit:3", "credit", 1, 4, "2026-04-03 08:00:00"),
            ("reversal:4", "reversal", -1, 4, "2026-04-04 08:00:00"),
        ],
    )

    expiries = [
        (line["quantity"], line["undoes_movement_id"]) for line in lines if line["movement_kind"] == "expiry"
    ]
    assert expiries == [(-1, None), (-1, None), (1, "expiry:credit:1"), (-1, None), (1, "expiry:credit:3")]


def test_a_statement_runs_from_the_terms_first_month_to_that_of_its_end_and_on_where_something_moves() -> (
    None
):
    connection = open_ledger("2026-03-14 23:00:00")
    connection.register(
        "listed_months", list_zone_months(["Europe/Berlin"], datetime(2025, 11, 1), datetime(2026, 9, 1))
    )
    connection.execute("create table zone_months as select * from listed_months")
    connection.execute(
        "create table fct_entitlement_movements as select 'sub' as subscription_id, 'regular' as pool, '2026-01' as month,"
        " 'grant' as movement_kind, 2 as quantity"
    )
    connection.execute(
        "insert into fct_entitlement_movements values ('sub', 'regular', '2026-02', 'use', -1)"
    )

    assert read_months(connection) == {"2026-01": (0, 2), "2026-02": (2, 1), "2026-03": (1, 1)}
    connection.execute(
        "insert into fct_entitlement_movements values ('sub', 'regular', '2026-05', 'credit', 1)"
    )
    assert read_months(connection) == {
        "2026-01": (0, 2),
        "2026-02": (2, 1),
        "2026-03": (1, 1),
        "2026-05": (1, 2),
    }


def test_a_term_that_begins_as_the_data_ends_has_a_statement_of_its_first_month() -> None:
    connection = open_ledger("2026-12-31 23:00:00")
    connection.execute("update int_entitlements__pools set term_starts_at = (select as_of from build_inputs)")
    connection.register(
        "listed_months", list_zone_months(["Europe/Berlin"], datetime(2025, 11, 1), datetime(2026, 9, 1))
    )
    connection.execute("create table zone_months as select * from listed_months")
    connection.execute(
        "create table fct_entitlement_movements(subscription_id varchar, pool varchar, month varchar, movement_kind varchar,"
        " quantity bigint)"
    )

    assert read_months(connection) == {"2026-07": (0, 0)}
