"""The schema `raw` of a build: views over the landed batches, tables of the rules, and the clocks.

Everything after this is SQL over `raw`, so a build can be made again from the landed batches and the rule files alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.errors import ConfigurationError
from pipeline.ingest.landed_views import create_landed_view
from pipeline.ingest.tables import LANDED_TABLES, QUARANTINE_COLUMNS, QUARANTINE_TABLE
from pipeline.warehouse.connection import quote

if TYPE_CHECKING:
    import duckdb
    import pyarrow

    from pipeline.ingest.landing.manifest import Batch
    from pipeline.rules.load_rules import Rules

# The instants that prove up to when the data is known: something was written down then. Due dates and the like prove nothing.
PROVING_INSTANTS = (
    ("ticket_versions", "submitted_at"),
    ("ticket_versions", "updated_at"),
    ("ticket_changes", "coalesce(earliest_at, changed_at)"),
    ("ticket_messages", "coalesce(earliest_at, said_at)"),
    ("vendor_sla_figures", "they_stopped_at"),
)

# A ticket is dated within a day of its zone's month, so the months reach one further on both sides.
_MONTH_MARGIN = timedelta(days=32)


@dataclass(frozen=True)
class RawInputs:
    """What one build starts from. `as_of` is None when it is to be the newest instant that the data proves."""

    batches: Sequence[Batch]
    rules: Rules
    as_of: datetime | None


def load_raw(connection: duckdb.DuckDBPyConnection, inputs: RawInputs) -> datetime:
    """Create and fill the schema `raw`; returns the as_of instant (UTC).

    The connection's process must stand in the folder of the landed batches (landed_views.py says why).
    Raises ConfigurationError when nothing has landed.
    """
    connection.execute("create schema raw")
    for table, columns in LANDED_TABLES.items():
        stems = [batch.file_stem for batch in inputs.batches if table in batch.tables]
        create_landed_view(connection, table, columns, [f"{table}/{stem}.parquet" for stem in stems])
    refused = [batch.file_stem for batch in inputs.batches if batch.rows_rejected]
    files = [f"{QUARANTINE_TABLE}/{stem}.parquet" for stem in refused]
    create_landed_view(connection, QUARANTINE_TABLE, QUARANTINE_COLUMNS, files)
    earliest, newest = _proven_span(connection)
    as_of = inputs.as_of or newest
    _create_table(connection, "batches", _batches_table(inputs.batches))
    _create_table(connection, "build_inputs", _build_inputs_table(as_of))
    _create_table(connection, "source_horizons", _source_horizons(connection, inputs.as_of))
    for table, rows in inputs.rules.tables.items():
        _create_table(connection, table, rows.to_arrow())
    _load_clocks(connection, inputs.rules, min(earliest, as_of), max(newest, as_of))
    return as_of


def _proven_span(connection: duckdb.DuckDBPyConnection) -> tuple[datetime, datetime]:
    instants = " union all ".join(
        f"select min({column}), max({column}) from raw.{table}" for table, column in PROVING_INSTANTS
    )
    [row] = connection.execute(
        f"select min(earliest), max(newest) from ({instants}) as spans(earliest, newest)"
    ).fetchall()
    if row[0] is None:
        raise ConfigurationError(
            "Nothing has landed yet. Put exports into inbox/<source>/ and run `sla ingest`."
        )
    return row[0].replace(tzinfo=UTC), row[1].replace(tzinfo=UTC)


def _source_horizons(connection: duckdb.DuckDBPyConnection, stated_as_of: datetime | None) -> pyarrow.Table:
    """Per source: `known_until`, the newest instant that its own rows prove, and `read_until`, up to which its silence counts.

    An as_of that was stated says that every export is complete until then; otherwise a source proves only its own time.
    """
    instants = " union all ".join(
        f"select source, max({column}) as newest from raw.{table} group by source"
        for table, column in PROVING_INSTANTS
    )
    return connection.sql(
        "select source, max(newest)::timestamp as known_until,"
        " coalesce($as_of::timestamp, known_until) as read_until"
        f" from ({instants}) where newest is not null group by source order by source",
        params={"as_of": None if stated_as_of is None else _naive_utc(stated_as_of)},
    ).to_arrow_table()


def _create_table(connection: duckdb.DuckDBPyConnection, table: str, rows: pyarrow.Table) -> None:
    connection.register("incoming", rows)
    connection.execute(f"create table raw.{quote(table)} as select * from incoming")
    connection.unregister("incoming")


def _batches_table(batches: Sequence[Batch]) -> pyarrow.Table:
    import pyarrow as pa

    instant = pa.timestamp("us")
    return pa.table(
        {
            "batch_id": pa.array([batch.batch_id for batch in batches], pa.string()),
            "source": pa.array([batch.source for batch in batches], pa.string()),
            "source_file": pa.array([batch.file for batch in batches], pa.string()),
            "landed_at": pa.array(
                [_naive_utc(datetime.fromisoformat(batch.landed_at)) for batch in batches], instant
            ),
            "rows_read": pa.array([batch.rows_read for batch in batches], pa.int64()),
            "rows_rejected": pa.array([batch.rows_rejected for batch in batches], pa.int64()),
        }
    )


def _build_inputs_table(as_of: datetime) -> pyarrow.Table:
    import pyarrow as pa

    return pa.table({"as_of": pa.array([_naive_utc(as_of)], pa.timestamp("us"))})


def _naive_utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)


def _load_clocks(
    connection: duckdb.DuckDBPyConnection, rules: Rules, earliest: datetime, latest: datetime
) -> None:
    from pipeline.calendars.steps import build_clocks
    from pipeline.zones import list_zone_days, list_zone_months

    targets: dict[str, int] = dict.fromkeys(rules.calendars, 0)
    for clock_name, target_seconds in connection.execute(
        "select clock_name, max(target_seconds) from raw.plan_promises group by clock_name"
    ).fetchall():
        # One second more: the clock also looks up the first second over target.
        targets[clock_name] = target_seconds + 1
    # The grace period of the month that runs must be countable in the calendars; those open on one day a week at least
    # reach so far.
    grace = timedelta(days=7 * (rules.sources.periods.grace_business_days + 2))
    closing = latest + _MONTH_MARGIN + grace
    clocks = build_clocks(rules.calendars, earliest, closing, targets)
    for table, rows in clocks.by_name().items():
        _create_table(connection, table, rows)
    zones = {
        zone for (zone,) in connection.execute("select distinct time_zone from raw.plan_versions").fetchall()
    }
    # The ledger's months reach back to its first movement, which may stand before the first ticket.
    [(first_movement,)] = connection.execute(
        "select min(happened_at) from (select term_starts_at as happened_at from raw.subscriptions"
        " union all select purchased_at from raw.purchases union all select redeemed_at from raw.redemptions)"
    ).fetchall()
    first = min(earliest, first_movement.replace(tzinfo=UTC)) if first_movement else earliest
    months = list_zone_months(sorted(zones | {"UTC"}), first - _MONTH_MARGIN, latest + _MONTH_MARGIN)
    _create_table(connection, "zone_months", months)
    days = list_zone_days(zones | {"UTC"}, _naive_utc(first), _naive_utc(closing))
    _create_table(connection, "zone_days", days)
