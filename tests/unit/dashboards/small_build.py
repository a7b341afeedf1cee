"""A published build made by hand: two customers, two plans, three months, as of 2026-07-15.

First responses, by the month in which they were settled (met of counted):
                        2026-05    2026-06    2026-07
standard, severity 3    2 of 2     3 of 4     1 of 1, 1 running
enhanced, severity 5    -          1 of 2     -, 1 waived
The ticket subjects hold what must never be read as Markdown, HTML or a formula.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb

from pipeline.pointer import Pointer, read_pointer, write_pointer
from pipeline.settings import Workspace
from pipeline.whole_files import hash_file
from tests.unit.published_models import build_mart, create_published

NASTY_SUBJECT = "=1+1 ![beacon](https://example.invalid/x.png) <b>bold</b> :red[x] $x^2$"

# ticket, customer, plan, severity, status, elapsed seconds, submitted, settled (or None).
# The targets are 24 h (standard) and 2 h (enhanced).
OBLIGATIONS = [
    ("T-1", "acme", "standard", 3, "met", 3600, "2026-05-04 08:00:00", "2026-05-04 09:00:00"),
    ("T-2", "acme", "standard", 3, "met", 7200, "2026-05-05 08:00:00", "2026-05-05 10:00:00"),
    ("T-3", "acme", "standard", 3, "met", 86400, "2026-06-01 08:00:00", "2026-06-02 17:00:00"),
    ("T-4", "acme", "standard", 3, "breached", 86401, "2026-06-03 08:00:00", "2026-06-04 17:00:00"),
    ("T-5", "acme", "standard", 3, "met", 60, "2026-06-08 08:00:00", "2026-06-08 08:01:00"),
    ("T-6", "acme", "standard", 3, "met", 1800, "2026-06-09 08:00:00", "2026-06-09 08:30:00"),
    ("T-7", "beta", "enhanced", 5, "met", 600, "2026-06-10 08:00:00", "2026-06-10 08:10:00"),
    ("T-8", "beta", "enhanced", 5, "breached", 9000, "2026-06-11 08:00:00", "2026-06-11 10:00:00"),
    ("T-9", "acme", "standard", 3, "met", 900, "2026-07-01 08:00:00", "2026-07-01 08:15:00"),
    ("T-10", "acme", "standard", 3, "pending", 78000, "2026-07-13 08:00:00", None),
    ("T-11", "beta", "enhanced", 5, "waived", 9000, "2026-07-02 08:00:00", "2026-07-02 10:00:00"),
    ("T-12", "beta", "enhanced", 5, "not_covered", None, "2026-07-03 08:00:00", None),
]

TABLES = """
    create schema meta;

    insert into qc.rpt_qc__unjudged by name
    select * from (values
        ('record', 'record', null, null, 2, 40),
        ('record:severity:is not a known severity', 'record', 'severity', 'is not a known severity', 2, 40),
        ('ticket', 'ticket', null, null, 1, 4),
        ('ticket::unsupported_channel', 'ticket', null, 'unsupported_channel', 1, 4)
    ) as unjudged (unjudged_key, what, part, cause, affected_count, whole_count);

    insert into core.fct_refused_records by name
    select * from (values ('helpdesk:severity:is not a known severity', 'helpdesk', 'severity', 'is not a known severity', 2))
        as refused (refused_key, source, column_name, reason, refused_count);

    insert into qc.rpt_qc__refused_records by name
    select 'b1:' || n as refused_record_key, 'helpdesk' as source, case when n = 1 then 'T-90' end as ticket_id,
        'severity' as column_name, case when n = 1 then '=urgent <b>' else 'none' end as raw_value,
        'is not a known severity' as reason, 'Map it under severities in sla.yml.' as hint, 'tickets.csv' as source_file,
        n + 10 as line_number, 'b1' as batch_id
    from (select unnest([1, 2]) as n);

    insert into qc.rpt_qc__findings by name
    select * from (values
        ('no_plan_term:T-1', 'no_plan_term', 'T-1', 'acme', null, 'no term of <b>acme</b> on 4 May', 'not covered',
            'tickets.csv', 2),
        ('waiver_of_nothing:W-2', 'waiver_of_nothing', null, 'beta', null, 'waiver W-2', 'none', 'waivers.csv', 3),
        ('event_before_ticket:T-8', 'event_before_ticket', 'T-8', 'beta', null, 'E-T-8', 'not read', 'events.csv', 2)
    ) as findings (finding_key, finding, ticket_id, customer_id, subscription_id, evidence, effect, source_file, line_number);

    insert into core.dim_declared_names by name
    select 'helpdesk:robots:Bot <1>' as declared_name_key, 'helpdesk' as source, 'robots' as setting, 'Bot <1>' as name,
        false as is_shown;

    insert into core.dim_annotations by name
    select * from (values
        ('annotations.csv:2', date '2026-06-03', '2026-06', 'Moved to <b>another</b> data centre', null, 'annotations.csv', 2),
        ('annotations.csv:3', date '2026-06-10', '2026-06', 'New contacts of Beta', 'beta', 'annotations.csv', 3),
        ('annotations.csv:4', date '2020-01-01', '2020-01', 'Long ago', null, 'annotations.csv', 4)
    ) as notes (annotation_key, noted_on, month, note, customer_id, source_file, line_number);

    insert into core.dim_sources by name
    select 'helpdesk' as source, timestamp '2026-06-30 12:00:00' as known_until, false as is_lagging,
      'Europe/Berlin' as time_zone;

    insert into core.dim_customers by name
    select * from (values ('acme', 'Acme <Corp>', 'UTC', 'en'), ('beta', 'Beta & Söhne', 'UTC', 'de'))
        as customers (customer_id, customer_name, time_zone, locale);

    insert into core.dim_months by name
    select 'UTC' as time_zone, month, month >= '2026-07' as is_month_running, month = '2026-07' as is_current_month,
      if(month >= '2026-07', 'open', 'due') as period_state, (month || '-01')::timestamp + interval 1 month as ends_at,
      (month || '-08')::timestamp + interval 1 month as closes_at
    from (values ('2026-05'), ('2026-06'), ('2026-07'), ('2026-08')) as months (month);

    insert into core.dim_days by name
    select
        'UTC:' || day as zone_day_key, 'UTC' as time_zone, day::date as day, strftime(day, '%Y-%m') as month,
        isodow(day)::integer as weekday, day >= timestamp '2026-07-15' as is_day_running, day as starts_at,
        day + interval 1 day as ends_at, 0 as first_second, 0 as shift_seconds
    from (select unnest(generate_series(timestamp '2026-05-01', timestamp '2026-07-15', interval 1 day)) as day);

    insert into core.dim_utc_days by name
    select zone_day_key || ':' || day as utc_day_key, day as utc_date, * exclude (zone_day_key, is_day_running)
    from core.dim_days;

    insert into core.dim_builds select timestamp '2026-07-15' as as_of;

    insert into core.dim_plan_versions by name
    select plan, plan || '@2020-11-16' as plan_version, 'UTC' as time_zone
    from (select unnest(['standard', 'enhanced']) as plan);

    insert into core.fct_sla_obligations by name
    select
        ticket_id || ':first_response:1' as obligation_key, ticket_id, customer_id,
        plan || '-term' as subscription_id,
        plan, plan || '@2020-11-16' as plan_version, 'first_response' as clause,
        'Plan table, row First Non-Automated response' as clause_text, 'first_response' as obligation,
        'target' as obligation_kind, 1 as cycle_number, severity as severity_submitted,
        severity as severity_in_force,
        if(plan = 'standard', 'business_hours', 'always') as clock_name, 'UTC' as time_zone,
        if(status = 'waived', 'W-1', null) as waiver_id,
        if(status = 'not_covered', null, if(plan = 'standard', 86400, 7200)) as target_seconds,
        elapsed_seconds, target_seconds - elapsed_seconds as remaining_seconds,
        status,
        case status when 'not_covered' then 'unsupported_channel' when 'waived' then 'waiver' end as
            status_reason,
        if(status = 'not_measurable', 'either', null) as could_be,
        if(status = 'waived', 'breached', status) as status_before_waiver,
        if(status = 'waived', 'breached', status) as status_as_submitted, false as is_met_only_by_ai,
        strftime(settled_at, '%Y-%m') as settled_month, strftime(submitted_at, '%Y-%m') as submitted_month,
        '2026-07' as as_of_month, coalesce(settled_month, '2026-07') as compliance_month,
        submitted_at, submitted_at as starts_at, submitted_at as counts_from_at,
        submitted_at + interval 2 day as due_at, if(status = 'met', settled_at, null) as stopped_at,
        if(status = 'breached', settled_at, null) as breached_at, settled_at, timestamp '2026-07-15' as as_of
    from obligations;

    insert into core.dim_plan_terms by name
    select
        plan, plan || '@2020-11-16' as plan_version, 'first_response' as obligation, 'target' as obligation_kind, severity,
        target_seconds, clock_name
    from (values ('standard', 3, 86400, 'business_hours'), ('enhanced', 5, 7200, 'always'))
        as terms (plan, severity, target_seconds, clock_name);

    insert into core.dim_tickets by name
    select
        ticket_id, 'helpdesk' as source, customer_id, 'someone@example.com' as requester,
        'web_form' as channel,
        severity as severity_submitted, severity as severity_now, submitted_at, $subject as subject,
        'question' as ticket_type, 'open' as ticket_status, 'tickets.csv' as source_file,
        2 as line_number, 'b1' as batch_id, submitted_at as known_at, plan, plan || '@2020-11-16' as plan_version,
        ticket_id <> 'T-12' as is_statuses_observed,
        -- T-5 was taken from its group, and of the others no group is stated.
        case when ticket_id in ('T-3', 'T-4') then 'Desk <1>' when ticket_id = 'T-8' then 'Field' end as group_name
    from obligations;

    -- Each ticket is new for an hour and open from then on; it ends two days after its submission, T-10 not.
    -- T-5 is reopened on 20 June for a day. T-12 has no recorded history.
    insert into core.fct_ticket_open_spans by name
    with ends as (
        select *, if(ticket_id = 'T-10', timestamp '9999-12-31', submitted_at + interval 2 day) as ends_at
        from obligations where ticket_id <> 'T-12'
    )
    select
        ticket_id || ':' || number as span_key, ticket_id, customer_id, plan, 'UTC' as time_zone, number as span_number,
        if(number = 1, 'new', 'open') as ticket_status, severity, if(number = 3, 1, 0) as age_days_from,
        if(number = 1, 'opened', 'changed') as start_kind,
        if(number < 3, 'changed', if(ends_at > timestamp '9000-01-01', 'open', 'ended')) as end_kind,
        submitted_at + to_hours([0, 1, 24][number]) as starts_at,
        if(number = 3, ends_at, submitted_at + to_hours([1, 24][number])) as ends_at
    from ends cross join (values (1), (2), (3)) as spans (number)
    union all by name
    select
        'T-5:5' as span_key, 'T-5' as ticket_id, 'acme' as customer_id, 'standard' as plan, 'UTC' as time_zone, 5 as span_number,
        'open' as ticket_status, 3 as severity, 7 as age_days_from, 'reopened' as start_kind, 'ended' as end_kind,
        timestamp '2026-06-20 10:00:00' as starts_at, timestamp '2026-06-21 10:00:00' as ends_at;

    insert into core.fct_sla_segments by name
    select
        obligation_key, ticket_id, customer_id, segment_number, clock_name, 'hours@2020' as calendar_version,
        segment_kind, 'outside the hours of ' || clock_name as segment_reason,
        if(segment_kind = 'counted', elapsed_seconds, 0) as counted_seconds,
        if(segment_kind = 'counted', elapsed_seconds, 32400) as wall_seconds,
        submitted_at + to_seconds(if(segment_kind = 'counted', 0, elapsed_seconds)) as starts_at,
        submitted_at + to_seconds(elapsed_seconds + if(segment_kind = 'counted', 0, 32400)) as ends_at
    from core.fct_sla_obligations
    cross join (values (1, 'counted'), (2, 'closed')) as kinds (segment_number, segment_kind)
    where elapsed_seconds is not null;

    insert into core.fct_sla_breaches by name
    select
        obligation_key, ticket_id, customer_id, plan, severity_in_force, obligation, time_zone, compliance_month,
        if(plan = 'standard', 'between_teams', 'no_first_touch') as breach_class
    from core.fct_sla_obligations where status = 'breached';

    insert into core.fct_sla_breach_holdings by name
    select
        obligation_key, holding_number, group_name, null as assignee,
        if(holding_number = 1, elapsed_seconds - 3600, 3600) as counted_seconds,
        if(holding_number = 1, least(counted_seconds, target_seconds), greatest(target_seconds - elapsed_seconds + 3600, 0))
            as counted_before_due_seconds,
        starts_at as held_from, settled_at as held_until
    from core.fct_sla_obligations
    cross join (values (1, 'Desk <1>'), (2, 'Field')) as groups (holding_number, group_name)
    where status = 'breached';

    insert into core.dim_waivers by name
    select
        'W-1' as waiver_id, 'T-11' as ticket_id, 'first_response' as obligation, 'Customer <asked>' as reason,
        'Rita' as requested_by, 'Axel' as approved_by, timestamp '2026-07-03 09:00:00' as approved_at,
        'waivers.csv' as source_file, 2 as line_number;

    insert into core.fct_ticket_events by name
    select
        'E-' || ticket_id as event_id, ticket_id, customer_id, settled_at as event_at,
        1 as event_order,
        'agent_message' as moment, 'message' as event_type, 'agent' as actor_kind, 'agent' as actor,
        true as is_public, false as is_automatic_reply, false as is_ai_message, 'helpdesk' as source,
        'events.csv' as source_file, 2 as line_number
    from obligations where settled_at is not null;

    insert into core.fct_entitlement_movements by name
    select
        'M-' || ticket_id as movement_id, customer_id, plan || '-term' as subscription_id, 'regular' as pool,
        'use' as movement_kind, 2 as statement_line, -1 as quantity, 9 as balance_after,
        'ticket' as cause_kind, ticket_id as cause_id, strftime(submitted_at, '%Y-%m') as month,
        submitted_at as happened_at, submitted_at as known_at, ticket_id, 'ticket' as reason,
        'term' as payer_kind, plan || '-term' as payer_id
    from obligations;

    insert into marts.mart_account__entitlement_balances by name
    select
        customer_id, customer_name, subscription_id, plan, plan || '@2020-11-16' as plan_version, pool,
        date '2026-01-01' as term_starts_on, date '2027-01-01' as term_ends_on, is_unlimited, is_stated,
        granted_quantity, 0 as purchased_quantity, used_quantity, 0 as credited_quantity, 0 as overflowed_in_quantity,
        0 as overflowed_out_quantity, 0 as expired_quantity, 0 as carried_quantity, remaining_quantity, overage_quantity,
        used_quantity as consumed_quantity, granted_quantity as available_quantity,
        365 * 86400 as term_seconds, 195 * 86400 as term_elapsed_seconds,
        170 as days_left, 'current' as term_status, timestamp '2026-07-15' as as_of
    from (values
        ('acme', 'standard-term', 'standard', 'regular', false, true, 10, 8, 2, 0),
        ('acme', 'standard-term', 'standard', 'level_5', false, true, 1, 3, 0, 2),
        ('beta', 'enhanced-term', 'enhanced', 'regular', true, true, null, 4, null, 0),
        ('beta', 'enhanced-term', 'enhanced', 'upgrade_assistance', false, false, null, 0, null, 0))
        as pools (customer_id, subscription_id, plan, pool, is_unlimited, is_stated, granted_quantity,
        used_quantity,
            remaining_quantity, overage_quantity)
    join core.dim_customers using (customer_id);

    insert into marts.mart_account__alerts by name
    select
        alert_kind, alert_rank, customer_id, customer_name, plan || '-term' as subscription_id, plan, pool,
        threshold_pct, consumed_quantity, available_quantity, overage_quantity, lasts_ratio, exhausted_on_mid,
        170 as days_left, date '2027-01-01' as term_ends_on,
        if(lasts_ratio is null, timestamp '2026-07-13 08:00:00', null) as raised_at,
        timestamp '2026-07-15' as as_of
    from (values
        ('threshold_reached', 1, 'acme', 'standard', 'level_5', 100, 3, 1, 2, null, null),
        ('likely_to_run_out', 3, 'acme', 'standard', 'regular', null, 8, 10, 0, 0.12, '2026-09-14'),
        ('threshold_reached', 4, 'acme', 'standard', 'regular', 80, 8, 10, 0, null, null),
        ('term_ends_soon', 5, 'acme', 'standard', null, null, null, null, null, null, null))
        as alerts (alert_kind, alert_rank, customer_id, plan, pool, threshold_pct, consumed_quantity,
        available_quantity, overage_quantity, lasts_ratio, exhausted_on_mid)
    join core.dim_customers using (customer_id);

    create table meta.build as
    select
        $build_id as build_id, timestamp '2026-07-15' as as_of, '2026.1' as tzdata_version,
        '0.80' as holidays_version,
        24 as landed_rows, 2 as batches, timestamp '2026-07-15 02:00:00' as newest_landed_at;

    create table meta.checks (
        check_name varchar, suite varchar, table_name varchar, expectation varchar, column_name varchar,
        severity varchar, status varchar, observed varchar, detail varchar
    );
    insert into meta.checks values
        ('core.fct_sla_obligations column_values_to_be_unique obligation_key', 'published',
            'core.fct_sla_obligations', 'column_values_to_be_unique', 'obligation_key', 'critical', 'passed',
            '0 of 12 rows break it', 'An obligation twice is counted twice.'),
        ('raw.ticket_versions column_values_to_not_be_null customer_id', 'landed',
            'raw.ticket_versions', 'column_values_to_not_be_null', 'customer_id', 'warning', 'failed',
            '1 of 12 rows break it', 'Such a ticket belongs to no contract.');
"""

REPORTS = """
    insert into marts.mart_customer__monthly_report by name
    select customer_id, customer_name, time_zone, locale, month, 1 as tickets_submitted_count, is_month_running, as_of
    from (select distinct customer_id, month, is_month_running, as_of from marts.mart_manager__monthly_compliance)
    join core.dim_customers using (customer_id)
"""


def publish(
    root: Path, build_id: str = "5ma11b01d000", rows: list[tuple[object, ...]] | None = None
) -> Workspace:
    """Writes the build and points to it; `rows` stand in for OBLIGATIONS."""
    workspace = Workspace(root)
    workspace.published.mkdir(parents=True, exist_ok=True)
    path = workspace.published / f"{build_id}.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("""
            create temp table obligations (
                ticket_id varchar, customer_id varchar, plan varchar, severity integer, status varchar,
                elapsed_seconds bigint, submitted_at timestamp, settled_at timestamp
            )
        """)
        for row in OBLIGATIONS if rows is None else rows:
            connection.execute("insert into obligations values (?, ?, ?, ?, ?, ?, ?, ?)", row)
        create_published(connection)
        # Bound values stand in single statements only.
        for statement in TABLES.split(";\n"):
            bound = {"subject": NASTY_SUBJECT, "build_id": build_id}
            connection.execute(
                statement, {name: value for name, value in bound.items() if f"${name}" in statement}
            )
        for mart in ("monthly_compliance", "backlog_changes", "hourly_counts"):
            build_mart(connection, f"mart_manager__{mart}")
        connection.execute(REPORTS)
    write_pointer(
        workspace,
        Pointer(build_id, path.name, hash_file(path), "2026-07-15T00:00:00Z", "2026-07-15T03:00:00Z"),
    )
    return workspace


def change(workspace: Workspace, sql: str, **variables: object) -> None:
    """Publish the same build again with something else in it; the SQL reads values with getvariable('NAME')."""
    pointer = read_pointer(workspace)
    assert pointer is not None
    path = workspace.published / pointer.file
    with duckdb.connect(str(path)) as connection:
        for name, value in variables.items():
            connection.execute(f"set variable {name} = $value", {"value": value})
        connection.execute(sql)
    write_pointer(workspace, replace(pointer, sha256=hash_file(path)))
