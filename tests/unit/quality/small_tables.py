"""The smallest build on which every check passes: a landed and a published side, each row made by hand.

Ticket T-1 was answered after 3600 s of 86400 s; T-2 was over target after 90000 s; T-3 is not covered.
"""

from __future__ import annotations

import duckdb

from pipeline.ingest.tables import LANDED_TABLES
from tests.unit.published_models import create_published

LANDED_ROWS: dict[str, list[dict[str, object]]] = {
    "ticket_versions": [
        {"ticket_id": "T-1", "customer_id": "acme", "severity": "3", "submitted_at": "2026-06-01 08:00:00",
         "updated_at": "2026-06-01 09:00:00"},
        {"ticket_id": "T-2", "customer_id": "acme", "severity": "5", "submitted_at": "2026-06-02 08:00:00"},
        {"ticket_id": "Z-1", "status": "open", "organization_id": "O-1", "evidence": "messages history",
         "submitted_at": "2026-06-01 08:00:00", "updated_at": "2026-06-01 08:00:00", "source": "desk"},
        {"ticket_id": "INC-1", "record_id": "S-1", "status": "New", "update_number": 0, "reopen_count": 0,
         "version_kind": "update", "evidence": "statuses resolution", "submitted_at": "2026-06-01 08:00:00",
         "source": "snow"},
        {"ticket_id": "INC-2", "evidence": "resolution", "submitted_at": "2026-06-01 08:00:00", "source": "snow"},
    ],
    "ticket_messages": [
        {"message_id": "E-1", "ticket_id": "T-1", "message_kind": "comment", "author_kind": "agent", "is_public": True,
         "said_at": "2026-06-01 09:00:00"},
        {"message_id": "A-2:message", "ticket_id": "Z-1", "message_kind": "comment", "author_id": "U-1", "is_public": True,
         "update_id": "A-2", "said_at": "2026-06-01 09:00:00"},
        {"message_id": "journal:J-1", "record_id": "S-1", "message_kind": "comment", "author_id": "mia", "is_public": False,
         "said_at": "2026-06-01 09:00:00"},
        {"message_id": "F-1", "ticket_id": "F-1", "message_kind": "date", "author_kind": "agent", "is_public": True,
         "earliest_at": "2026-06-01 08:59:01", "said_at": "2026-06-01 09:00:59"},
    ],
    "ticket_changes": [
        {"change_id": "E-2", "ticket_id": "T-1", "change_kind": "event", "field_name": "status_changed",
         "author_kind": "agent", "value": "solved", "changed_at": "2026-06-01 10:00:00"},
        {"change_id": "A-1", "ticket_id": "Z-1", "change_kind": "created", "field_name": "status", "value": "open",
         "update_id": "U-1", "place": 1, "changed_at": "2026-06-01 08:00:00"},
        {"change_id": "audit:C-1", "record_id": "S-1", "change_kind": "changed", "field_name": "state",
         "value_before": "1", "value": "2", "changed_at": "2026-06-01 09:00:00", "update_number": 1, "source": "snow"},
        # On the line of INC-2: a date beside its submission, cut to the minute.
        {"change_id": "INC-2::status_changed:solved", "ticket_id": "INC-2", "change_kind": "date", "field_name": "status",
         "value": "solved", "earliest_at": "2026-06-01 08:09:01", "changed_at": "2026-06-01 08:10:59", "line_number": 6},
    ],
    "people": [{"person_id": "U-1", "role": "agent"}],
    "organizations": [{"organization_id": "O-1"}],
    "gaps": [{"ticket_id": "T-1", "evidence": "messages"}, {"ticket_id": "T-2"}, {"record_id": "S-1", "evidence": "statuses"}],
    "vendor_sla_figures": [
        {"ticket_id": "T-1", "figure": "fr_escalated", "figure_kind": "target", "they_breached": False},
    ],
}  # fmt: skip

PUBLISHED_ROWS = """
    insert into core.dim_sources by name select 'helpdesk' as source, false as is_lagging;

    insert into core.dim_subscription_terms by name select 'S-1' as subscription_id;

    insert into core.dim_customers by name
    select 'acme' as customer_id, 'Acme Corp' as customer_name;

    insert into core.dim_tickets by name
    select ticket_id, 'helpdesk' as source, timestamp '2026-06-01 08:00:00' as submitted_at
    from (values ('T-1'), ('T-2'), ('T-3')) as tickets (ticket_id);

    insert into core.fct_sla_obligations by name
    select
        obligation_key, ticket_id, 'first_response' as obligation, status, status_reason,
        status as status_as_submitted, clause, 'standard@2020-11-16' as plan_version, target_seconds,
        elapsed_seconds, target_seconds - elapsed_seconds as remaining_seconds, '2026-06' as submitted_month,
        '2026-06' as settled_month, timestamp '2026-06-01 08:00:00' as starts_at, settled_at,
        timestamp '2026-07-01 00:00:00' as as_of
    from (
        values
            ('O-1', 'T-1', 'met', null, 'first_response_regular', 86400, 3600,
                timestamp '2026-06-01 09:00:00'),
            ('O-2', 'T-2', 'breached', null, 'first_response_regular', 86400, 90000,
                timestamp '2026-06-08 08:00:00'),
            ('O-3', 'T-3', 'not_covered', 'unsupported_channel', null, null, null, null)
    ) as obligations (
        obligation_key, ticket_id, status, status_reason, clause, target_seconds, elapsed_seconds, settled_at
    );

    insert into marts.mart_manager__monthly_compliance by name
    select
        month_basis, '2026-06' as month, 'acme' as customer_id, 'standard' as plan,
        'first_response' as obligation,
        3 as severity, 1 as met_count, 1 as breached_count, 0 as pending_count, 0 as waived_count, 1 as not_covered_count,
        0 as not_measurable_count, 0 as met_only_by_ai_count, 1 as raw_met_count, 1 as raw_breached_count,
        1 as lower_met_count, 1 as upper_met_count, 2 as bounded_count, 1 as raw_lower_met_count,
        1 as raw_upper_met_count, 2 as raw_bounded_count
    from (values ('settled'), ('submitted')) as bases (month_basis);

    insert into marts.mart_account__entitlement_balances by name
    select
        'acme' as customer_id, 'S-1' as subscription_id, pool, is_unlimited, is_stated,
        'current' as term_status,
        granted_quantity, 5 as purchased_quantity, used_quantity, 1 as credited_quantity, 0 as overflowed_in_quantity,
        0 as overflowed_out_quantity, 0 as expired_quantity, 0 as carried_quantity,
        remaining_quantity, overage_quantity
    from (
        values
            ('regular', false, true, 10, 3, 10 + 5 - 3 + 1, 0),
            ('level_5', false, true, 1, 9, 0, -(1 + 5 - 9 + 1)),
            ('custom_builds', true, true, null, 2, null, 0),
            ('upgrade_assistance', false, false, null, 0, null, 0)
    ) as balances (
        pool, is_unlimited, is_stated, granted_quantity, used_quantity, remaining_quantity, overage_quantity
    );

    insert into marts.mart_account__entitlement_forecasts by name
    select
        'S-1:regular' as forecast_key, 'acme' as customer_id, 'S-1' as subscription_id, 'regular' as pool,
        'forecast' as forecast_status, 13 as remaining_quantity, 0.9 as lasts_ratio,
        2 as draws_low_quantity, 5 as draws_mid_quantity, 8 as draws_high_quantity,
        date '2026-11-01' as exhausted_on_low;

    insert into core.fct_sla_segments by name
    select
        'O-1' as obligation_key, segment_number, segment_kind, counted_seconds, 3600 as wall_seconds,
        timestamp '2026-06-01 08:00:00' + to_hours(segment_number) as starts_at,
        timestamp '2026-06-01 09:00:00' + to_hours(segment_number) as ends_at
    from (values (1, 'counted', 3600), (2, 'closed', 0)) as segments (segment_number, segment_kind, counted_seconds);

    insert into core.fct_vendor_sla_figures by name
    select
        'T-1:reply:calendar:1' as vendor_figure_key, 'T-1' as ticket_id, 'elapsed' as figure_kind, 3600 as they_seconds,
        60 as unit_seconds;

    -- 10 granted, one drawn and given back; an unlimited pool has no balance.
    insert into core.fct_entitlement_movements by name
    select
        movement_id, 'acme' as customer_id, 'S-1' as subscription_id, pool, movement_kind, quantity, balance_after,
        statement_line, cause_id, undoes_movement_id, month
    from (
        values
            ('M-1', 'regular', 'grant', 10, 10, 1, 'S-1', null, '2026-05'),
            ('M-2', 'regular', 'use', -1, 9, 2, 'T-1', null, '2026-05'),
            ('M-3', 'regular', 'credit', 1, 10, 3, 'E-1', 'M-2', '2026-06'),
            ('M-4', 'custom_builds', 'use', -1, null, 1, 'T-2', null, '2026-06')
    ) as lines (
        movement_id, pool, movement_kind, quantity, balance_after, statement_line, cause_id, undoes_movement_id, month
    );

    insert into core.fct_entitlement_months by name
    select
        'S-1' as subscription_id, 'acme' as customer_id, 'regular' as pool, month, opening_quantity, used_quantity,
        closing_quantity
    from (values ('2026-05', 0, 1, 9), ('2026-06', 9, 0, 10)) as months (
        month, opening_quantity, used_quantity, closing_quantity
    );

    insert into marts.mart_account__alerts by name
    select
        'threshold_reached:S-1:level_5' as alert_key, 'threshold_reached' as alert_kind, 'acme' as customer_id,
        100 as threshold_pct, 9 as consumed_quantity, 7 as available_quantity,
        2 as overage_quantity, timestamp '2026-06-20 00:00:00' as raised_at, timestamp '2026-07-01 00:00:00' as as_of;

    insert into qc.rpt_qc__findings by name
    select
        'unknown_customer:T-3' as finding_key, 'unknown_customer' as finding, 'organization not known' as evidence,
        'not covered' as effect;

    insert into marts.mart_customer__monthly_report by name
    select
        'acme' as customer_id, '2026-06' as month, 'UTC' as time_zone,
        3 as tickets_submitted_count;

    insert into marts.mart_customer__monthly_promises by name
    select
        customer_id, month, 'standard:first_response' as promise, '3' as severities, met_count, breached_count, pending_count,
        waived_count, not_covered_count, not_measurable_count, met_only_by_ai_count, raw_met_count, raw_breached_count,
        lower_met_count, upper_met_count, bounded_count, raw_lower_met_count, raw_upper_met_count, raw_bounded_count,
        0 as running_count
    from marts.mart_manager__monthly_compliance
    where month_basis = 'settled';
"""


def make_landed() -> duckdb.DuckDBPyConnection:
    """A build whose schema `raw` holds every landed table with a few good rows."""
    connection = duckdb.connect()
    connection.execute("create schema raw")
    connection.execute(
        "create table raw.sources as select 'desk' as source, 'organization_id' as customer_field"
    )
    for table, columns in LANDED_TABLES.items():
        connection.execute(
            f"create table raw.{table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})"
        )
        for line, row in enumerate(LANDED_ROWS[table], start=2):
            values = {"batch_id": "b1", "line_number": line, **row}
            connection.execute(
                f"insert into raw.{table} by name select {', '.join(f'? as {name}' for name in values)}",
                list(values.values()),
            )
    return connection


def make_published() -> duckdb.DuckDBPyConnection:
    """A build whose schemas `core` and `marts` hold a few good rows."""
    connection = duckdb.connect()
    create_published(connection)
    connection.execute(PUBLISHED_ROWS)
    return connection
