"""Small published builds with the figures of months written out, to close and to compare: no model runs, a build takes a moment.

Every table has the columns of its contract. Instants are UTC, and all months are those of UTC unless a row says another zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from pipeline.pointer import Pointer
from pipeline.settings import Workspace
from pipeline.warehouse.publish import publish
from tests.unit.published_models import build_mart, create_published

HOUR = 3600


@dataclass(frozen=True)
class Verdict:
    """One promise of first response with its verdict, settled at `settled_at`; `batch` is where its ticket's rows are from."""

    ticket_id: str
    status: str
    settled_at: datetime
    customer_id: str = "acme"
    elapsed_seconds: int = 30 * HOUR
    stopped_at: datetime | None = None
    waiver_id: str | None = None
    due_at: datetime | None = None
    severity: int = 3
    time_zone: str = "UTC"
    batch: str = "batch-1"
    # Why it was breached, where the build says it.
    breach_class: str | None = None

    @property
    def month(self) -> str:
        return f"{self.settled_at:%Y-%m}"


@dataclass(frozen=True)
class Unit:
    """One movement of the pool `regular` of a customer's term."""

    kind: str
    quantity: int
    happened_at: datetime
    ticket_id: str | None = None
    customer_id: str = "acme"


@dataclass(frozen=True)
class Figures:
    """What a build says. `names`: customer -> name; `inputs`: kind, name, digest and batch of everything that it was
    made from."""

    as_of: datetime
    verdicts: tuple[Verdict, ...] = ()
    units: tuple[Unit, ...] = ()
    names: Mapping[str, str] | None = None
    inputs: tuple[tuple[str, str, str, str | None], ...] = (
        ("landed", "inbox/desk/june.csv", "aaaaaaaa11", "batch-1"),
        ("rules", "reference/customers.csv", "c1", None),
        ("rules", "reference/waivers.csv", "w1", None),
        ("rules", "reference/calendars/hours.yml", "h1", None),
        ("program", "code", "p1", None),
    )
    stale_source: str | None = None

    def change_input(self, name: str, digest: str) -> Figures:
        """With another content of one input."""
        changed = tuple(
            (kind, each, digest if each == name else was, batch) for kind, each, was, batch in self.inputs
        )
        return replace(self, inputs=changed)

    def land(self, name: str, batch: str) -> Figures:
        """With one more landed file."""
        return replace(self, inputs=(*self.inputs, ("landed", name, f"{batch}-sha", batch)))


def publish_figures(
    workspace: Workspace, build_id: str, figures: Figures, published_at: datetime | None = None
) -> Pointer:
    """A published build of these figures, through the same step as any other."""
    workspace.warehouse.mkdir(parents=True, exist_ok=True)
    built = workspace.warehouse / f"{build_id}.built"
    write_figures(built, build_id, figures)
    return publish(workspace, built, build_id, figures.as_of, published_at or figures.as_of)


def write_figures(path: Path, build_id: str, figures: Figures) -> None:
    """The database file of a build that is not published yet."""
    path.write_bytes(_make_empty())
    # Thousands of single inserts are one transaction.
    with duckdb.connect(str(path)) as connection:
        connection.execute("begin")
        _write(connection, build_id, figures)
        connection.execute("commit")


@cache
def _make_empty() -> bytes:
    """A file with every published table and no rows."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty"
        with duckdb.connect(str(path)) as connection:
            create_published(connection)
        return path.read_bytes()


def make_workspace(root: Path) -> Workspace:
    root.mkdir(parents=True, exist_ok=True)
    return Workspace(root)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _write(connection: duckdb.DuckDBPyConnection, build_id: str, figures: Figures) -> None:
    connection.execute("create schema meta")
    as_of = figures.as_of.replace(tzinfo=None)
    names = figures.names or {each.customer_id: each.customer_id.title() for each in figures.verdicts}
    _insert(
        connection,
        "core.dim_customers",
        ({"customer_id": each, "customer_name": name} for each, name in names.items()),
    )
    _insert(
        connection,
        "core.dim_plan_versions",
        [{"plan_version": "standard@1", "plan": "standard", "time_zone": "UTC"}],
    )
    _insert(connection, "core.dim_months", list(_list_months(figures)))
    _insert(
        connection,
        "core.dim_tickets",
        (
            {
                "ticket_id": each.ticket_id,
                "customer_id": each.customer_id,
                "source": "desk",
                "batch_id": each.batch,
            }
            for each in {verdict.ticket_id: verdict for verdict in figures.verdicts}.values()
        ),
    )
    _insert(connection, "core.fct_sla_obligations", (_obligation(each, figures) for each in figures.verdicts))
    _insert(
        connection,
        "core.fct_sla_breaches",
        (_breach(each, figures) for each in figures.verdicts if each.breach_class),
    )
    _insert(connection, "core.fct_entitlement_movements", (_movement(each) for each in figures.units))
    _insert(connection, "core.fct_entitlement_months", _statements(figures.units))
    build_mart(connection, "mart_manager__monthly_compliance")
    connection.execute(
        """
        insert into core.dim_customer_zones by name
        select distinct customer_id || ':' || time_zone as customer_zone_key, customer_id, time_zone
        from core.fct_sla_obligations where customer_id is not null
        """
    )
    connection.execute(
        """
        insert into marts.mart_customer__monthly_report by name
        select distinct obligations.customer_id, customers.customer_name, months.month,
          $stale::varchar as stale_source, if($stale is null, null, $as_of::timestamp - interval 20 day) as
          stale_source_read_until
        from core.fct_sla_obligations as obligations
        join core.dim_customers as customers on customers.customer_id = obligations.customer_id
        cross join (select unnest(['settled', 'submitted']) as basis)
        join core.dim_months as months
          on months.time_zone = obligations.time_zone
          and months.month = if(basis = 'settled', obligations.compliance_month, obligations.submitted_month)
        """,
        {"stale": figures.stale_source, "as_of": as_of},
    )
    connection.execute(
        "create table meta.build as select ? as build_id, ?::timestamp as as_of, '2026.6' as tzdata_version,"
        " '0.108' as holidays_version, 0 as landed_rows, 0 as batches, null::timestamp as newest_landed_at",
        [build_id, as_of],
    )
    connection.execute(
        "create table meta.checks(check_name varchar, suite varchar, table_name varchar, expectation varchar,"
        " column_name varchar, severity varchar, status varchar, observed varchar, detail varchar)"
    )
    connection.execute(
        "create table meta.inputs(kind varchar, name varchar, digest varchar, reading varchar, batch_id varchar)"
    )
    for kind, name, digest, batch in figures.inputs:
        connection.execute(
            "insert into meta.inputs values (?, ?, ?, ?, ?)", [kind, name, digest, batch, batch]
        )


def _list_months(figures: Figures) -> Iterable[dict[str, Any]]:
    zones = {"UTC", *(each.time_zone for each in figures.verdicts)}
    as_of = figures.as_of.replace(tzinfo=None)
    for zone in sorted(zones):
        for number in range(2026 * 12, 2027 * 12):
            starts_at = datetime(number // 12, number % 12 + 1, 1)
            ends_at = datetime((number + 1) // 12, (number + 1) % 12 + 1, 1)
            closes_at = ends_at.replace(day=8)
            state = "open" if as_of < ends_at else "provisional" if as_of < closes_at else "due"
            yield {
                "zone_month_key": f"{zone}:{starts_at:%Y-%m}",
                "time_zone": zone,
                "month": f"{starts_at:%Y-%m}",
                "is_month_running": as_of < ends_at,
                "is_current_month": starts_at <= as_of < ends_at,
                "period_state": state,
                "starts_at": starts_at,
                "ends_at": ends_at,
                "closes_at": closes_at,
            }


def _obligation(verdict: Verdict, figures: Figures) -> dict[str, Any]:
    settled_at = verdict.settled_at.replace(tzinfo=None)
    stopped_at = verdict.stopped_at or verdict.settled_at
    return {
        "obligation_key": f"{verdict.ticket_id}:first_response:1",
        "ticket_id": verdict.ticket_id,
        "customer_id": verdict.customer_id,
        "plan": "standard",
        "plan_version": "standard@1",
        "obligation": "first_response",
        "obligation_kind": "target",
        "cycle_number": 1,
        "severity_submitted": verdict.severity,
        "severity_in_force": verdict.severity,
        "time_zone": verdict.time_zone,
        "waiver_id": verdict.waiver_id,
        "target_seconds": 24 * HOUR,
        "elapsed_seconds": verdict.elapsed_seconds,
        "status": verdict.status,
        "status_reason": "waiver" if verdict.waiver_id else None,
        "status_before_waiver": "breached" if verdict.waiver_id else verdict.status,
        "is_met_only_by_ai": False,
        "settled_month": verdict.month,
        "submitted_month": verdict.month,
        "compliance_month": verdict.month,
        "submitted_at": settled_at,
        "due_at": None if verdict.due_at is None else verdict.due_at.replace(tzinfo=None),
        "stopped_at": stopped_at.replace(tzinfo=None),
        "settled_at": settled_at,
        "as_of": figures.as_of.replace(tzinfo=None),
    }


def _breach(verdict: Verdict, figures: Figures) -> dict[str, Any]:
    promise = _obligation(verdict, figures)
    shared = (
        "obligation_key", "ticket_id", "customer_id", "plan", "obligation", "severity_in_force", "time_zone", "compliance_month",
    )  # fmt: skip
    return {name: promise[name] for name in shared} | {"breach_class": verdict.breach_class}


def _movement(unit: Unit) -> dict[str, Any]:
    happened_at = unit.happened_at.replace(tzinfo=None)
    return {
        "movement_id": f"{unit.kind}:{unit.ticket_id}:{happened_at}",
        "customer_id": unit.customer_id,
        "subscription_id": f"S-{unit.customer_id}",
        "pool": "regular",
        "movement_kind": unit.kind,
        "quantity": unit.quantity,
        "cause_kind": unit.kind,
        "cause_id": unit.ticket_id or "term",
        "ticket_id": unit.ticket_id,
        "month": f"{happened_at:%Y-%m}",
        "happened_at": happened_at,
    }


def _statements(units: Sequence[Unit]) -> list[dict[str, Any]]:
    """A statement per customer and month from the first movement to the end of 2026: opening and movements make the closing."""
    rows = []
    for customer_id in sorted({unit.customer_id for unit in units}):
        own = [unit for unit in units if unit.customer_id == customer_id]
        for number in range(1, 13):
            month = f"2026-{number:02d}"
            opening = sum(unit.quantity for unit in own if f"{unit.happened_at:%Y-%m}" < month)
            moved = sum(unit.quantity for unit in own if f"{unit.happened_at:%Y-%m}" == month)
            if month >= min(f"{unit.happened_at:%Y-%m}" for unit in own):
                rows.append(
                    {
                        "month_key": f"S-{customer_id}:regular:{month}",
                        "subscription_id": f"S-{customer_id}",
                        "customer_id": customer_id,
                        "plan_version": "standard@1",
                        "pool": "regular",
                        "month": month,
                        "opening_quantity": opening,
                        "closing_quantity": opening + moved,
                    }
                )
    return rows


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    listed = list(rows)
    if not listed:
        return
    columns = list(listed[0])
    # One statement: each one of its own costs more than all of its rows.
    row = f"({', '.join('?' * len(columns))})"
    connection.execute(
        f"insert into {table} ({', '.join(columns)}) values {', '.join([row] * len(listed))}",
        [values[column] for values in listed for column in columns],
    )
