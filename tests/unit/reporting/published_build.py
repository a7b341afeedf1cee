"""Writes a small published build by hand: every status, every kind of pool, hostile names, two customers to
keep apart.

The counts can be worked out on fingers. July 2026 of `acme`, first response: 3 met, 1 breached, 1 waived, 1
running, 1 not covered, 1 not measurable; debug analysis (an estimate): 1 met.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from pipeline.settings import Workspace
from pipeline.whole_files import hash_file
from tests.unit.published_models import build_mart

AS_OF = datetime(2026, 8, 3, 12)
ODD_NAME = 'Acmé & Söhne #1 *bold* <b> $x$ @ref 日本 🚀 #read("/etc/passwd")'
ODD_SUBJECT = '=HYPERLINK("http://example.invalid") [red]boo[/red] #import "x" \\ `raw` \u202e日'
HOUR = 3600


@dataclass(frozen=True)
class Row:
    """One obligation: what the test says; everything else is derived in `_obligation_values`."""

    ticket_id: str
    status: str
    customer_id: str | None = "acme"
    obligation: str = "first_response"
    severity: int | None = 3
    submitted_at: datetime = datetime(2026, 7, 6, 9)
    elapsed_seconds: int | None = 6 * HOUR
    reason: str | None = None
    subject: str | None = "Sync stalls"
    is_met_only_by_ai: bool = False


ROWS = (
    Row("T-1", "met", subject=ODD_SUBJECT),
    Row("T-2", "met", elapsed_seconds=24 * HOUR),
    Row("T-3", "met", severity=5, elapsed_seconds=HOUR),
    Row("T-4", "breached", elapsed_seconds=24 * HOUR + 1, submitted_at=datetime(2026, 7, 9, 9)),
    Row("T-5", "waived", elapsed_seconds=30 * HOUR, reason="waiver"),
    Row("T-6", "pending", submitted_at=datetime(2026, 7, 31, 9), elapsed_seconds=20 * HOUR),
    Row("T-7", "not_covered", elapsed_seconds=None, reason="unsupported_channel"),
    Row("T-8", "not_measurable", elapsed_seconds=None, reason="stop_not_observed"),
    Row("T-1", "met", obligation="debug_analysis", elapsed_seconds=10 * HOUR + 5),
    Row("T-9", "met", submitted_at=datetime(2026, 6, 2, 9)),
    Row("T-10", "breached", submitted_at=datetime(2026, 6, 3, 9), elapsed_seconds=25 * HOUR),
    Row("T-11", "not_covered", submitted_at=datetime(2026, 7, 7, 9), obligation="debug_analysis",
        elapsed_seconds=None, reason="not_started"),
    Row("SECRET-1", "met", customer_id="other", subject="SECRET subject"),
    Row("SECRET-2", "breached", customer_id="other", elapsed_seconds=40 * HOUR, subject="SECRET subject"),
    Row("LOST-1", "not_covered", customer_id=None, severity=None, elapsed_seconds=None,
        reason="unknown_customer"),
)  # fmt: skip

CUSTOMERS = (("acme", ODD_NAME, "Europe/Berlin", "en"), ("other", "SECRET & Co", "UTC", "en"))

_DDL = """
create schema core; create schema marts; create schema meta; create schema qc;
create table core.dim_customers(customer_id varchar, customer_name varchar, time_zone varchar,
    locale varchar);
create table core.dim_tickets(
    ticket_id varchar, source varchar, customer_id varchar, requester varchar, channel varchar,
    subject varchar,
    ticket_type varchar, ticket_status varchar, severity_submitted integer, severity_now integer,
    submitted_at timestamp, source_file varchar, line_number bigint);
create table core.sla_status_reasons(status_reason varchar, status varchar, reason_label varchar);
create table core.fct_sla_obligations(
    obligation_key varchar, ticket_id varchar, customer_id varchar, subscription_id varchar, plan varchar,
    plan_version varchar, clause varchar, clause_text varchar, obligation varchar, obligation_kind varchar,
    cycle_number integer, severity_submitted integer, severity_in_force integer, clock_name varchar, time_zone varchar,
    stopping_event_id varchar, waiver_id varchar, target_seconds bigint, elapsed_seconds bigint,
    remaining_seconds bigint, status varchar, status_reason varchar, could_be varchar, status_before_waiver varchar,
    status_as_submitted varchar, status_by_humans varchar, status_with_ai varchar, is_met_only_by_ai boolean,
    settled_month varchar, submitted_month varchar, compliance_month varchar,
    submitted_at timestamp, starts_at timestamp, due_at timestamp, stopped_at timestamp,
    breached_at timestamp,
    settled_at timestamp, as_of timestamp);
create table qc.rpt_qc__unjudged as
    select * from (values
        ('record', 'record', null, null, 0, 24),
        ('ticket', 'ticket', null, null, 3, 14),
        ('ticket::unknown_customer', 'ticket', null, 'unknown_customer', 1, 14),
        ('ticket::unsupported_channel', 'ticket', null, 'unsupported_channel', 1, 14),
        ('ticket:first_response:stop_not_observed', 'ticket', 'first_response', 'stop_not_observed', 1, 14)
    ) as unjudged(unjudged_key, what, part, cause, affected_count, whole_count);
create table core.dim_declared_names(
    declared_name_key varchar, source varchar, setting varchar, name varchar, is_shown boolean);
create table core.dim_sources as
    select 'helpdesk' as source, timestamp '2026-06-30 12:00:00' as known_until, false as is_lagging,
      'Europe/Berlin' as time_zone, null as instant_format;
create table core.dim_months as
    select time_zone, month, month >= '2026-08' as is_month_running, month = '2026-08' as is_current_month,
      (month || '-01')::timestamp - ahead as starts_at, (month || '-01')::timestamp + interval 1 month - ahead as ends_at
    from (values ('2026-06'), ('2026-07'), ('2026-08'), ('2026-09')) as months(month)
    cross join (values ('UTC', interval 0 hour), ('Europe/Berlin', interval 2 hour)) as zones(time_zone, ahead);
create table core.fct_sla_segments(
    obligation_key varchar, ticket_id varchar, customer_id varchar, segment_number integer,
    clock_name varchar,
    calendar_version varchar, segment_kind varchar, segment_reason varchar, counted_seconds bigint,
    wall_seconds bigint, starts_at timestamp, ends_at timestamp);
create table core.fct_ticket_events(
    event_id varchar, ticket_id varchar, customer_id varchar, moment varchar, event_order integer,
    event_type varchar, actor_kind varchar, actor varchar, value varchar, is_public boolean,
    is_automatic_reply boolean, is_ai_message boolean,
    event_at timestamp, source varchar, source_file varchar, line_number bigint);
create table core.fct_entitlement_movements(
    movement_id varchar, customer_id varchar, subscription_id varchar, pool varchar, movement_kind varchar,
    quantity bigint, balance_after bigint, statement_line bigint, cause_kind varchar, cause_id varchar, ticket_id varchar,
    undoes_movement_id varchar, reason varchar, payer_kind varchar, payer_id varchar, month varchar, happened_at timestamp,
    known_at timestamp);
create table core.fct_entitlement_months(
    subscription_id varchar, customer_id varchar, plan varchar, plan_version varchar, pool varchar, month varchar,
    opening_quantity bigint, granted_quantity bigint, purchased_quantity bigint, used_quantity bigint,
    credited_quantity bigint, overflowed_in_quantity bigint, overflowed_out_quantity bigint, overage_quantity bigint,
    overage_to_date_quantity bigint, expired_quantity bigint, carried_quantity bigint, closing_quantity bigint,
    is_unlimited boolean,
    is_stated boolean, is_redeemed boolean, term_status varchar, term_starts_on date, term_ends_on date);
create table core.dim_plan_terms(
    plan varchar, plan_title varchar, plan_version varchar, obligation varchar, obligation_kind varchar,
    severity integer, severity_label varchar, clock_name varchar, clause varchar, clause_text varchar,
    note varchar,
    target_seconds bigint, time_zone varchar);
create table core.dim_plan_pools(
    plan varchar, plan_version varchar, pool varchar, clause varchar, clause_text varchar, note varchar, is_redeemed boolean);
create table core.dim_plan_versions(
    plan_version varchar, plan varchar, plan_title varchar, time_zone varchar, required_license_status varchar,
    maximum_contacts integer, valid_from timestamp, valid_to timestamp);
create table core.dim_words(word varchar, language varchar, label varchar);
create table core.dim_brands(
    customer_id varchar, vendor_name varchar, sender varchar, footer varchar, logo_kind varchar, logo_base64 varchar,
    logo_place varchar, primary_colour varchar, accent_colour varchar);
create table core.fct_entitlement_supplies(
    supply_kind varchar, customer_id varchar, subscription_id varchar, pool varchar, cause_id varchar, quantity bigint,
    drawn_quantity bigint, left_quantity bigint, expired_quantity bigint, returned_quantity bigint, supplied_at timestamp,
    ends_at timestamp);
create table core.dim_subscription_terms(
    subscription_id varchar, account_id varchar, customer_id varchar, plan varchar, plan_version varchar, license_status varchar,
    is_license_counted boolean, term_status varchar, term_starts_on date, term_ends_on date, term_starts_at timestamp,
    term_ends_at timestamp);
create table marts.mart_account__plan_fit(
    customer_id varchar, customer_name varchar, subscription_id varchar, plan varchar, plan_version varchar,
    trial_plan varchar, trial_plan_version varchar, term_status varchar, term_starts_on date, term_ends_on date,
    target_met_count bigint, target_breached_count bigint,
    estimate_met_count bigint, estimate_breached_count bigint, trial_target_met_count bigint,
    trial_target_breached_count bigint, trial_estimate_met_count bigint, trial_estimate_breached_count bigint,
    target_lower_met_count bigint, target_upper_met_count bigint, target_bounded_count bigint,
    estimate_lower_met_count bigint, estimate_upper_met_count bigint, estimate_bounded_count bigint,
    trial_target_lower_met_count bigint, trial_target_upper_met_count bigint, trial_target_bounded_count bigint,
    trial_estimate_lower_met_count bigint, trial_estimate_upper_met_count bigint, trial_estimate_bounded_count bigint,
    changed_verdicts_count bigint, changed_tickets_count bigint, overage_quantity bigint, trial_overage_quantity
    bigint, is_current_plan boolean, as_of timestamp);
create table core.dim_plan_trials(trial_plan varchar);
create table core.fct_plan_trial_verdicts(
    ticket_id varchar, customer_id varchar, subscription_id varchar, plan varchar, trial_plan varchar, obligation
    varchar, cycle_number bigint, status varchar, trial_status varchar, status_reason varchar, trial_status_reason
    varchar, clock_name varchar, trial_clock_name varchar, target_seconds bigint, trial_target_seconds bigint,
    elapsed_seconds bigint, trial_elapsed_seconds bigint, due_at timestamp, trial_due_at timestamp, submitted_at
    timestamp);
create table core.fct_plan_trial_balances(
    subscription_id varchar, customer_id varchar, trial_plan varchar, pool varchar, granted_quantity bigint,
    trial_granted_quantity bigint, remaining_quantity bigint, trial_remaining_quantity bigint, overage_quantity
    bigint, trial_overage_quantity bigint, is_unlimited boolean, is_trial_unlimited boolean, is_stated boolean,
    is_trial_stated boolean);
create table core.dim_builds(as_of timestamp);
create table marts.mart_account__entitlement_forecasts(
    customer_id varchar, customer_name varchar, subscription_id varchar, plan varchar, pool varchar, forecast_status varchar,
    remaining_quantity bigint, ending_quantity bigint, days_left integer, lasts_ratio double, draws_low_quantity bigint,
    draws_mid_quantity bigint, draws_high_quantity bigint, exhausted_on_low date, exhausted_on_mid date, exhausted_on_high date,
    own_draws_quantity bigint, own_history_days integer, own_weight_ratio double, plan_customers_count bigint,
    plan_draws_quantity bigint, plan_yearly_quantity double, expected_yearly_quantity double, dispersion_ratio double,
    term_ends_on date, as_of timestamp);
create table core.dim_plan_statements(
    plan_version varchar, statement varchar, statement_value varchar, clause varchar, clause_text varchar,
    note varchar, is_reading boolean);
create table core.dim_waivers(
    waiver_id varchar, ticket_id varchar, obligation varchar, reason varchar, requested_by varchar,
    approved_by varchar, approved_at timestamp, expires_at timestamp);
create table core.dim_clock_closures(clock_name varchar, reason varchar, starts_at timestamp,
    ends_at timestamp);
create table marts.mart_account__entitlement_balances(
    customer_id varchar, customer_name varchar, subscription_id varchar, plan varchar, plan_version varchar,
    pool varchar, term_status varchar, granted_quantity bigint, purchased_quantity bigint,
    used_quantity bigint,
    credited_quantity bigint, overflowed_in_quantity bigint, overflowed_out_quantity bigint,
    expired_quantity bigint, carried_quantity bigint, remaining_quantity bigint, overage_quantity bigint,
    consumed_quantity bigint,
    available_quantity bigint, term_seconds bigint, term_elapsed_seconds bigint, days_left integer,
    is_unlimited boolean, is_stated boolean, term_starts_on date, term_ends_on date, as_of timestamp);
create table marts.mart_account__alerts as select * from (values
    ('term_ends_soon', 5, 'acme', 'Acme', 'S-acme', 'standard', null, null, null, null, null, 'S-next', null, null, 28,
        date '2026-08-31', timestamp '2026-06-02', timestamp '2026-08-03 12:00:00'),
    ('likely_to_run_out', 3, 'acme', 'Acme', 'S-acme', 'standard', 'regular', null, 13, 15, 0, null, 0.042::double,
        date '2026-09-30', 151, date '2027-01-01', null, timestamp '2026-08-03 12:00:00'),
    ('threshold_reached', 4, 'acme', 'Acme', 'S-acme', 'standard', 'regular', 80, 9, 11, 0, null, null, null, 28,
        date '2026-08-31', timestamp '2026-07-31 09:00:00', timestamp '2026-08-03 12:00:00'),
    ('threshold_reached', 1, 'other', 'SECRET & Co', 'SECRET-S', 'standard', 'level_5', 100, 2, 1, 1, null, null, null, 28,
        date '2026-08-31', timestamp '2026-07-01', timestamp '2026-08-03 12:00:00')
) as alerts(alert_kind, alert_rank, customer_id, customer_name, subscription_id, plan, pool, threshold_pct,
    consumed_quantity, available_quantity, overage_quantity, next_subscription_id, lasts_ratio, exhausted_on_mid, days_left,
    term_ends_on, raised_at, as_of);
create table core.finding_kinds as select * from (values
    ('unlisted_requester', 'The requester is not on the list'), ('redeemed_too_often', 'Redeemed too often'),
    ('unknown_customer', 'The ticket maps to no customer'), ('waiver_of_nothing', 'Nothing to waive')
) as kinds(finding, finding_label);
create table qc.rpt_qc__findings as select * from (values
    ('redeemed_too_often:R-2', 'redeemed_too_often', null, 'acme', 'S-acme', 'number 2', 'counted as used',
        'reference/redemptions.csv', 3),
    ('unlisted_requester:T-1', 'unlisted_requester', 'T-1', 'acme', 'S-acme', 'requester x', 'none', 'tickets.csv', 2),
    ('unlisted_requester:T-2', 'unlisted_requester', 'T-2', 'acme', 'S-acme', 'requester x', 'none', 'tickets.csv', 3),
    ('unlisted_requester:SECRET-1', 'unlisted_requester', 'SECRET-1', 'other', 'SECRET-S', 'requester x', 'none',
        'tickets.csv', 4),
    ('unknown_customer:LOST-1', 'unknown_customer', 'LOST-1', null, null, 'not at all', 'not covered', 'tickets.csv', 5)
) as findings(finding_key, finding, ticket_id, customer_id, subscription_id, evidence, effect, source_file, line_number);
create table core.vendor_figure_reasons as select * from (values
    ('equal', 'The two say the same.'),
    ('other_goal', 'They measure against another target.'))
    as reasons(difference_reason, reason_label);
create table qc.rpt_qc__vendor_figure_groups as select * from (values
    ('zen:own', 'zen', 'reply_time', 'first_response', 'business', 'other_goal', 'ours', 1, timestamp '2026-07-01 12:00:00',
        timestamp '2026-07-01 12:00:00', 60, 60),
    ('zen:shared', 'zen', 'reply_time', 'first_response', 'calendar', 'other_goal', 'ours', 2, timestamp '2026-07-01 12:00:00',
        timestamp '2026-07-02 12:00:00', 60, 90))
    as groups(group_key, source, figure, obligation, clock_kind, difference_reason, who_is_right, ticket_count, first_at, last_at,
        least_difference_seconds, greatest_difference_seconds);
create table qc.rpt_qc__vendor_figures as select * from (values
    ('T-1', 'acme', 'reply_time', 'first_response', 1, 'duration', 'business', 'business_hours', 21600, 21600, 0,
        null::boolean, null::boolean, 'equal', 'both', null, 'tickets.json', 1),
    ('T-2', 'acme', 'reply_time', 'first_response', 1, 'duration', 'business', 'business_hours', 21600, 21660, 60,
        null, null, 'other_goal', 'ours', 'zen:own', 'tickets.json', 3),
    ('T-2', 'acme', 'reply_time', 'first_response', 1, 'duration', 'calendar', 'business_hours', 21600, 21660, 60,
        null, null, 'other_goal', 'ours', 'zen:shared', 'tickets.json', 3),
    ('SECRET-1', 'other', 'reply_time', 'first_response', 1, 'duration', 'calendar', 'business_hours', 21600, 21690, 90,
        null, null, 'other_goal', 'ours', 'zen:shared', 'tickets.json', 2),
    ('SECRET-1', 'other', 'reply_time', 'first_response', 1, 'duration', 'business', 'business_hours', 21600, 21600, 0,
        null, null, 'equal', 'both', null, 'tickets.json', 2))
    as figures(ticket_id, customer_id, figure, obligation, cycle_number, figure_kind, clock_kind, clock_name, they_seconds,
        our_seconds, difference_seconds, they_breached, we_breached, difference_reason, who_is_right, group_key,
        source_file, line_number);
create table meta.build(
    build_id varchar, as_of timestamp, tzdata_version varchar, holidays_version varchar, landed_rows bigint,
    batches bigint, newest_landed_at timestamp);
create table meta.checks(check_name varchar, suite varchar, table_name varchar, expectation varchar, column_name varchar,
    severity varchar, status varchar, observed varchar, detail varchar);
"""

# The months in which something is counted, as dim_customer_months has them with the terms.
_MONTHS = """
create table core.dim_customer_months as
select customers.customer_id, months.month, bool_or(bounds.is_month_running) as is_month_running,
    min(bounds.starts_at) as starts_at, max(bounds.ends_at) as ends_at
from (select distinct customer_id, month from marts.mart_manager__monthly_compliance) as months
join core.dim_customers as customers on customers.customer_id = months.customer_id
join core.dim_months as bounds on bounds.month = months.month and bounds.time_zone = 'UTC'
group by all;
"""
_MARTS = """
create table marts.mart_customer__monthly_report as
select customers.customer_id, customers.customer_name, customers.time_zone, customers.locale, months.month,
    (select count(distinct ticket_id) from core.fct_sla_obligations as o
     where o.customer_id = customers.customer_id and o.submitted_month = months.month
    ) as tickets_submitted_count, months.is_month_running,
    null::varchar as stale_source, null::timestamp as stale_source_read_until
from core.dim_customer_months as months
join core.dim_customers as customers on customers.customer_id = months.customer_id;
"""


def publish(root: Path, rows: tuple[Row, ...] = ROWS, name: str = "build-1") -> Workspace:
    """A workspace whose pointer names a build made of `rows`."""
    workspace = Workspace(root)
    workspace.published.mkdir(parents=True, exist_ok=True)
    path = workspace.published / f"{name}.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(_DDL)
        for values in CUSTOMERS:
            _insert(connection, "core.dim_customers", values)
        _insert_vocabulary(connection)
        for row in {row.ticket_id: row for row in reversed(rows)}.values():
            _insert(connection, "core.dim_tickets", (
                row.ticket_id, "helpdesk", row.customer_id, "ann@example.invalid", "console", row.subject,
                "problem",
                "open", row.severity, row.severity, row.submitted_at, "tickets.csv", 2))  # fmt: skip
        connection.executemany(
            f"insert into core.fct_sla_obligations values ({', '.join('?' * 38)})",
            [_obligation_values(row) for row in rows],
        )
        _insert_timeline(connection)
        _insert_entitlements(connection)
        _insert_forecasts(connection)
        _insert_look(connection)
        _insert_trials(connection)
        _insert(connection, "meta.build", (name, AS_OF, "2026.6", "0.108", 4200, 3, AS_OF))
        _insert(
            connection,
            "meta.checks",
            (
                "keys_are_unique",
                "dbt",
                "dim_tickets",
                "unique",
                "ticket_id",
                "critical",
                "passed",
                "0",
                "SECRET-1 looked at",
            ),
        )
        build_mart(connection, "mart_manager__monthly_compliance")
        connection.execute(_MONTHS)
        build_mart(connection, "mart_customer__monthly_promises")
        connection.execute(_MARTS)
    pointer = {"build_id": name, "file": path.name, "sha256": hash_file(path), "as_of": "2026-08-03T12:00:00Z",
               "published_at": "2026-08-03T13:00:00+00:00"}  # fmt: skip
    (workspace.published / "current.json").write_text(json.dumps(pointer), encoding="utf-8")
    return workspace


def _obligation_values(row: Row) -> tuple[object, ...]:
    is_estimate = row.obligation == "debug_analysis"
    is_measured = row.elapsed_seconds is not None
    target = (72 if is_estimate else 8 if row.severity == 5 else 24) * HOUR if is_measured else None
    clock = "always" if row.severity == 5 else "business_hours"
    elapsed = row.elapsed_seconds or 0
    start = AS_OF - timedelta(seconds=elapsed) if row.status == "pending" else row.submitted_at
    due_at = start + timedelta(seconds=target) if target else None
    stopped_at = (
        row.submitted_at + timedelta(seconds=elapsed) if row.status in ("met", "breached", "waived") else None
    )
    is_over = target is not None and elapsed > target
    settled_at = (
        None if row.status == "pending" else row.submitted_at if not is_measured
        else due_at + timedelta(seconds=1) if is_over and due_at else stopped_at
    )  # fmt: skip
    return (
        f"{row.ticket_id}:{row.obligation}:1", row.ticket_id, row.customer_id,
        f"S-{row.customer_id}" if row.customer_id else None, "standard" if row.customer_id else None,
        "standard@2020-11-16" if row.customer_id else None, "first_response_regular" if target else None,
        "Plan table, row First Non-Automated response" if target else None, row.obligation,
        ("estimate" if is_estimate else "target") if row.customer_id else None, 1, row.severity, row.severity,
        clock if target else None, "UTC", f"{row.ticket_id}-reply" if stopped_at else None,
        "W-1" if row.status == "waived" else None, target, row.elapsed_seconds,
        target - elapsed if target else None, row.status, row.reason,
        "either" if row.status == "not_measurable" else None,
        "breached" if row.status == "waived" else row.status,
        "breached" if row.status == "waived" else row.status,
        "breached" if row.is_met_only_by_ai else None, "met" if row.is_met_only_by_ai else None, row.is_met_only_by_ai,
        settled_at.strftime("%Y-%m") if settled_at else None, row.submitted_at.strftime("%Y-%m"),
        settled_at.strftime("%Y-%m") if settled_at else "2026-08",
        row.submitted_at, row.submitted_at if target else None, due_at, stopped_at,
        due_at + timedelta(seconds=1) if is_over and due_at else None, settled_at, AS_OF,
    )  # fmt: skip


def _insert_vocabulary(connection: duckdb.DuckDBPyConnection) -> None:
    for reason, status, label in (
        (
            "unsupported_channel",
            "not_covered",
            "The ticket came through a channel that the plan does not support",
        ),
        (
            "stop_not_observed",
            "not_measurable",
            "The source carries no evidence of the event that stops this promise",
        ),
        ("unknown_customer", "not_covered", "The ticket maps to no customer"),
        ("not_started", "not_covered", "The event that starts this promise did not happen on the ticket"),
        ("waiver", "waived", "A recorded exception"),
    ):
        _insert(connection, "core.sla_status_reasons", (reason, status, label))
    version = ("standard", "Standard", "standard@2020-11-16")
    regular = "Plan table, row First Non-Automated response (Level 1-4 Tickets)"
    for severity in (1, 2, 3, 4):
        _insert(connection, "core.dim_plan_terms", (
            *version, "first_response", "target", severity, "Level", "business_hours",
            "first_response_regular",
            regular, None, 24 * HOUR, "UTC"))  # fmt: skip
    _insert(connection, "core.dim_plan_terms", (
        *version, "first_response", "target", 5, "Critical", "always", "first_response_level_5",
        "Plan table, row First Non-Automated response (Level 5 Ticket)", None, 8 * HOUR, "UTC"))  # fmt: skip
    for severity in (1, 2, 3, 4, 5):
        _insert(connection, "core.dim_plan_terms", (
            *version, "debug_analysis", "estimate", severity, "Level", "business_hours",
            "debug_analysis_regular",
            "Plan table, row Debug Analysis ETA (regular ticket)",
            "The plan does not say which clock an ETA runs on; the plan's support availability is used.",
            72 * HOUR, "UTC"))  # fmt: skip
    for pool, note in (
        ("regular", None),
        ("level_5", None),
        ("assistance", "Which plan includes it is not stated."),
    ):
        _insert(connection, "core.dim_plan_pools", (
            "standard", "standard@2020-11-16", pool, f"included_{pool}", f"Plan table, row Included {pool}",
            note, pool == "assistance"))  # fmt: skip
    _insert(connection, "core.dim_plan_statements", (
        "standard@2020-11-16", "unsupported_channels", "email", "channels",
        "Direct email support is not available.",
        None, False))  # fmt: skip
    _insert(connection, "core.dim_plan_statements", (
        "standard@2020-11-16", "severity_raised", "the earlier of the old due instant and the new target counts", None, None,
        "INTERNAL: the cell is lost in our copy.",
        True))  # fmt: skip
    _insert(connection, "core.dim_waivers", (
        "W-1", "T-5", "first_response", "Customer's own network was down", "lea", "omar", datetime(2026, 7,
        20), None))  # fmt: skip
    _insert(connection, "core.dim_clock_closures", (
        "business_hours", "Company day", datetime(2026, 7, 14), datetime(2026, 7, 15)))  # fmt: skip


def _insert_timeline(connection: duckdb.DuckDBPyConnection) -> None:
    start = datetime(2026, 7, 6, 9)
    for ticket_id, customer_id in (("T-1", "acme"), ("SECRET-1", "other")):
        for number, (moment, kind, hours) in enumerate((
            ("submitted", "customer", 0), ("automatic_reply", "bot", 1), ("agent_message", "agent", 6),
        )):  # fmt: skip
            event_id = f"{ticket_id}-reply" if moment == "agent_message" else f"{ticket_id}-{number}"
            _insert(connection, "core.fct_ticket_events", (
                event_id, ticket_id, customer_id, moment, number, "message", kind, f"{kind}[bold]x[/bold]",
                None,
                True, moment == "automatic_reply", moment == "ai_message",
                start + timedelta(hours=hours), "helpdesk", "events.csv",
                number + 2))  # fmt: skip
        for number, (kind, from_hour, to_hour, reason) in enumerate((
            ("counted", 0, 4, "business_hours"), ("closed", 4, 5, "outside the hours of business_hours"),
            ("counted", 5, 7, "business_hours"),
        ), start=1):  # fmt: skip
            seconds = (to_hour - from_hour) * HOUR
            _insert(connection, "core.fct_sla_segments", (
                f"{ticket_id}:first_response:1", ticket_id, customer_id, number, "business_hours",
                "business_hours@2020-01-01" if kind == "counted" else None, kind, reason,
                seconds if kind == "counted" else 0, seconds, start + timedelta(hours=from_hour),
                start + timedelta(hours=to_hour)))  # fmt: skip


def _insert_entitlements(connection: duckdb.DuckDBPyConnection) -> None:
    term = (datetime(2026, 1, 1).date(), datetime(2027, 1, 1).date(), AS_OF)
    pools = (
        # pool, granted, purchased, used, credited, in, out, expired, carried, remaining, overage, unlimited, stated
        ("regular", 10, 5, 12, 1, 2, 0, 0, 0, 2, 0, False, True),
        ("level_5", 1, 0, 3, 0, 0, 2, 0, 0, 0, 0, False, True),
        ("premium_regular", None, 0, 40, 0, 0, 0, 0, 0, None, 0, True, True),
        ("assistance", None, 0, 1, 0, 0, 0, 0, 0, None, 0, False, False),
        ("builds", 1, 0, 3, 0, 0, 0, 0, 0, 0, 2, False, True),
    )
    for customer_id, name in (("acme", ODD_NAME), ("other", "SECRET & Co")):
        for pool, *numbers, is_unlimited, is_stated in pools:
            granted, purchased, used, credited, into, out, expired, carried, remaining, overage = numbers
            available = None if granted is None else granted + purchased + carried - expired
            _insert(connection, "marts.mart_account__entitlement_balances", (
                customer_id, name, f"S-{customer_id}", "standard", "standard@2020-11-16", pool, "current",
                *numbers, used - credited + into - out, available, 365 * 86400, 214 * 86400,
                151, is_unlimited, is_stated, *term))  # fmt: skip
        # July: the term began in it, ten were granted and one was used; of the pools without a number nothing moved.
        for pool, *statement in (
            ("regular", 0, 10, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, False, True, False),
            ("premium_regular", None, None, 0, 0, 0, 0, 0, 0, 0, 0, 0, None, True, True, False),
            ("assistance", None, None, 0, 0, 0, 0, 0, 0, 0, 0, 0, None, False, False, True),
        ):
            _insert(connection, "core.fct_entitlement_months", (
                f"S-{customer_id}", customer_id, "standard", "standard@2020-11-16", pool, "2026-07",
                *statement, "current", *term[:2]))  # fmt: skip
        for line, kind, quantity, balance, ticket_id in (
            (1, "grant", 10, 10, None),
            (2, "use", -1, 9, "T-1" if customer_id == "acme" else "SECRET-1"),
        ):  # fmt: skip
            cause = ("ticket", ticket_id) if ticket_id else ("term", f"S-{customer_id}")
            _insert(connection, "core.fct_entitlement_movements", (
                f"{customer_id}:{kind}", customer_id, f"S-{customer_id}", "regular", kind, quantity,
                balance, line, *cause, ticket_id, None, "because",
                *(("term", f"S-{customer_id}") if ticket_id else (None, None)), "2026-07",
                datetime(2026, 7, 6, 9), datetime(2026, 7, 6, 9)))  # fmt: skip


def _insert_look(connection: duckdb.DuckDBPyConnection) -> None:
    _insert(connection, "core.dim_brands", (
        None, "Harbour Support", "reports@harbour.example", "Harbour Ltd", None, None, "paper", "#1f3a5f",
        "#2b6cb0"))  # fmt: skip
    for word, language, label in (
        ("first_response", "de", "erste Antwort"), ("regular", "en", "regular tickets"), ("regular", "de", "reguläre Tickets"),
        ("business_hours", "fr", "heures ouvrées"),
    ):  # fmt: skip
        _insert(connection, "core.dim_words", (word, language, label))


def _insert_forecasts(connection: duckdb.DuckDBPyConnection) -> None:
    starts, ends = datetime(2026, 1, 1), datetime(2027, 1, 1)
    _insert(connection, "core.dim_builds", (AS_OF,))
    _insert(connection, "core.dim_plan_versions", (
        "standard@2020-11-16", "standard", "Standard", "UTC", "active", 5, datetime(2020, 11, 16),
        datetime(9999, 12, 31)))  # fmt: skip
    for customer_id, name in (("acme", ODD_NAME), ("other", "SECRET & Co")):
        term = (f"S-{customer_id}", customer_id, "standard")
        _insert(connection, "core.dim_subscription_terms", (
            f"S-{customer_id}", *term, "standard@2020-11-16", "active", True, "current", starts.date(), ends.date(), starts,
            ends))  # fmt: skip
        _insert(connection, "core.fct_entitlement_supplies", (
            "purchase", customer_id, f"S-{customer_id}", "regular", f"PACK-{customer_id}", 5, 3, 2, 0, 0,
            datetime(2026, 7, 2), datetime(2026, 12, 2)))  # fmt: skip
        for pool, status, remaining, figures in (
            ("regular", "forecast", 2, (
                0.042, 2, 5, 8, datetime(2026, 8, 20).date(), datetime(2026, 9, 30).date(), None, 11, 215, 0.6, 2, 22,
                18.5, 18.67, 1.25)),
            ("level_5", "exhausted", 0, (0.0, 1, 2, 4, None, None, None, 3, 215, 0.5, 2, 10, 4.5, 4.8, 1.0)),
            ("builds", "too_few_tickets", 1, (
                None, None, None, None, None, None, None, 1, 215, None, 2, 2, None, None, None)),
        ):  # fmt: skip
            _insert(connection, "marts.mart_account__entitlement_forecasts", (
                customer_id, name, *term[::2], pool, status, remaining, 0, 151, *figures, ends.date(), AS_OF))  # fmt: skip


def _insert_trials(connection: duckdb.DuckDBPyConnection) -> None:
    """Under `gold` one ticket of each customer is late that was in time, and the pool holds 20 instead of 10."""
    starts, ends, day = datetime(2026, 1, 1).date(), datetime(2027, 1, 1).date(), datetime(2026, 7, 6, 9)
    _insert(connection, "core.dim_plan_trials", ("gold",))
    for customer_id, name, ticket_id in (("acme", ODD_NAME, "T-1"), ("other", "SECRET & Co", "SECRET-1")):
        term = f"S-{customer_id}"
        _insert(connection, "marts.mart_account__plan_fit", (
            customer_id, name, term, "standard", "standard@1", "gold", "gold@1", "current", starts, ends,
            4, 1, 2, 0, 3, 2, 2, 0, 4, 5, 6, 2, 2, 2, 3, 4, 6, 2, 2, 2, 1, 1, 2, 0, False, AS_OF))  # fmt: skip
        _insert(connection, "core.fct_plan_trial_verdicts", (
            ticket_id, customer_id, term, "standard", "gold", "first_response", 1, "met", "breached", None, None,
            "business_hours", "always", 86400, 28800, 36000, 36000, day, day, day))  # fmt: skip
        _insert(connection, "core.fct_plan_trial_balances", (
            term, customer_id, "gold", "regular", 10, 20, 0, 8, 2, 0, False, False, True, True))  # fmt: skip


def _insert(connection: duckdb.DuckDBPyConnection, table: str, values: tuple[object, ...]) -> None:
    connection.execute(f"insert into {table} values ({', '.join('?' * len(values))})", list(values))
