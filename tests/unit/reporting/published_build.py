"""Writes a small published build by hand: every status, every kind of pool, hostile names, two customers to
keep apart.

The counts can be worked out on fingers. July 2026 of `acme`, first response: 3 met, 1 breached, 1 waived, 1
running, 1 not covered, 1 not measurable; debug analysis (an estimate): 1 met.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from pipeline.settings import Workspace
from pipeline.whole_files import hash_file
from tests.unit.published_models import build_mart, create_published

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

# What `_insert` writes of a table, in this order.
_WRITTEN = """
core.dim_customers(customer_id, customer_name, time_zone, locale)
core.dim_tickets(ticket_id, source, customer_id, requester, channel, subject, ticket_type, ticket_status, severity_submitted,
    severity_now, submitted_at, source_file, line_number)
core.fct_sla_obligations(obligation_key, ticket_id, customer_id, subscription_id, plan, plan_version, clause, clause_text,
    obligation, obligation_kind, cycle_number, severity_submitted, severity_in_force, clock_name, time_zone, stopping_event_id,
    waiver_id, target_seconds, elapsed_seconds, remaining_seconds, status, status_reason, could_be, status_before_waiver,
    status_as_submitted, status_by_humans, status_with_ai, is_met_only_by_ai, settled_month, submitted_month, compliance_month,
    submitted_at, starts_at, due_at, stopped_at, breached_at, settled_at, as_of)
core.fct_sla_breaches(obligation_key, ticket_id, customer_id, plan, obligation, severity_in_force, time_zone, breach_class,
    handover_count, counted_before_handover_seconds, first_touched_at, last_handover_at, compliance_month)
core.fct_sla_breach_holdings(obligation_key, ticket_id, customer_id, holding_number, group_name, assignee, counted_seconds,
    counted_before_due_seconds, held_from, held_until)
core.dim_declared_names(declared_name_key, source, setting, name, is_shown)
core.fct_sla_segments(obligation_key, ticket_id, customer_id, segment_number, clock_name, calendar_version, segment_kind,
    segment_reason, counted_seconds, wall_seconds, starts_at, ends_at)
core.fct_ticket_events(event_id, ticket_id, customer_id, moment, event_order, event_type, actor_kind, actor, value, is_public,
    is_automatic_reply, is_ai_message, event_at, source, source_file, line_number)
core.fct_entitlement_movements(movement_id, customer_id, subscription_id, pool, movement_kind, quantity, balance_after,
    statement_line, cause_kind, cause_id, ticket_id, undoes_movement_id, reason, payer_kind, payer_id, month, happened_at,
    known_at)
core.fct_entitlement_months(subscription_id, customer_id, plan, plan_version, pool, month, opening_quantity, granted_quantity,
    purchased_quantity, used_quantity, credited_quantity, overflowed_in_quantity, overflowed_out_quantity, overage_quantity,
    overage_to_date_quantity, expired_quantity, carried_quantity, closing_quantity, is_unlimited, is_stated, is_redeemed,
    term_status, term_starts_on, term_ends_on)
core.dim_plan_terms(plan, plan_title, plan_version, obligation, obligation_kind, severity, severity_label, clock_name, clause,
    clause_text, note, target_seconds, time_zone)
core.dim_plan_pools(plan, plan_version, pool, clause, clause_text, note, is_redeemed)
core.dim_plan_versions(plan_version, plan, plan_title, time_zone, required_license_status, maximum_contacts, valid_from, valid_to)
core.dim_words(word, language, label)
core.dim_brands(customer_id, vendor_name, sender, footer, logo_kind, logo_base64, logo_place, primary_colour, accent_colour)
core.fct_entitlement_supplies(supply_kind, customer_id, subscription_id, pool, cause_id, quantity, drawn_quantity, left_quantity,
    expired_quantity, returned_quantity, supplied_at, ends_at)
core.dim_subscription_terms(subscription_id, account_id, customer_id, plan, plan_version, license_status, is_license_counted,
    term_status, term_starts_on, term_ends_on, term_starts_at, term_ends_at)
marts.mart_account__plan_fit(customer_id, customer_name, subscription_id, plan, plan_version, trial_plan, trial_plan_version,
    term_status, term_starts_on, term_ends_on, target_met_count, target_breached_count, estimate_met_count,
    estimate_breached_count, trial_target_met_count, trial_target_breached_count, trial_estimate_met_count,
    trial_estimate_breached_count, target_lower_met_count, target_upper_met_count, target_bounded_count,
    estimate_lower_met_count, estimate_upper_met_count, estimate_bounded_count, trial_target_lower_met_count,
    trial_target_upper_met_count, trial_target_bounded_count, trial_estimate_lower_met_count, trial_estimate_upper_met_count,
    trial_estimate_bounded_count, changed_verdicts_count, changed_tickets_count, overage_quantity, trial_overage_quantity,
    is_current_plan, as_of)
core.dim_plan_trials(trial_plan)
core.fct_plan_trial_verdicts(ticket_id, customer_id, subscription_id, plan, trial_plan, obligation, cycle_number, status,
    trial_status, status_reason, trial_status_reason, clock_name, trial_clock_name, target_seconds, trial_target_seconds,
    elapsed_seconds, trial_elapsed_seconds, due_at, trial_due_at, submitted_at)
core.fct_plan_trial_balances(subscription_id, customer_id, trial_plan, pool, granted_quantity, trial_granted_quantity,
    remaining_quantity, trial_remaining_quantity, overage_quantity, trial_overage_quantity, is_unlimited, is_trial_unlimited,
    is_stated, is_trial_stated)
core.dim_builds(as_of)
marts.mart_account__entitlement_forecasts(customer_id, customer_name, subscription_id, plan, pool, forecast_status,
    remaining_quantity, ending_quantity, days_left, lasts_ratio, draws_low_quantity, draws_mid_quantity, draws_high_quantity,
    exhausted_on_low, exhausted_on_mid, exhausted_on_high, own_draws_quantity, own_history_days, own_weight_ratio,
    plan_customers_count, plan_draws_quantity, plan_yearly_quantity, expected_yearly_quantity, dispersion_ratio, term_ends_on,
    as_of)
core.dim_plan_statements(plan_version, statement, statement_value, clause, clause_text, note, is_reading)
core.dim_waivers(waiver_id, ticket_id, obligation, reason, requested_by, approved_by, approved_at, expires_at)
core.dim_clock_closures(clock_name, reason, starts_at, ends_at)
marts.mart_account__entitlement_balances(customer_id, customer_name, subscription_id, plan, plan_version, pool, term_status,
    granted_quantity, purchased_quantity, used_quantity, credited_quantity, overflowed_in_quantity, overflowed_out_quantity,
    expired_quantity, carried_quantity, remaining_quantity, overage_quantity, consumed_quantity, available_quantity,
    term_seconds, term_elapsed_seconds, days_left, is_unlimited, is_stated, term_starts_on, term_ends_on, as_of)
"""

_TARGETS = {target.partition("(")[0]: target for target in re.findall(r"[\w.]+\([^)]*\)", _WRITTEN)}

_ROWS = """
insert into qc.rpt_qc__unjudged by name select * from (values
        ('record', 'record', null, null, 0, 24),
        ('ticket', 'ticket', null, null, 3, 14),
        ('ticket::unknown_customer', 'ticket', null, 'unknown_customer', 1, 14),
        ('ticket::unsupported_channel', 'ticket', null, 'unsupported_channel', 1, 14),
        ('ticket:first_response:stop_not_observed', 'ticket', 'first_response', 'stop_not_observed', 1, 14)
    ) as unjudged(unjudged_key, what, part, cause, affected_count, whole_count);
insert into core.dim_sources by name
    select 'helpdesk' as source, timestamp '2026-06-30 12:00:00' as known_until, false as is_lagging,
      'Europe/Berlin' as time_zone;
insert into core.dim_months by name
    select time_zone, month, month >= '2026-08' as is_month_running, month = '2026-08' as is_current_month,
      case when month >= '2026-08' then 'open' when month = '2026-07' then 'provisional' else 'due' end as period_state,
      (month || '-08')::timestamp + interval 1 month - ahead as closes_at,
      (month || '-01')::timestamp - ahead as starts_at, (month || '-01')::timestamp + interval 1 month - ahead as ends_at
    from (values ('2026-06'), ('2026-07'), ('2026-08'), ('2026-09')) as months(month)
    cross join (values ('UTC', interval 0 hour), ('Europe/Berlin', interval 2 hour)) as zones(time_zone, ahead);
insert into marts.mart_account__alerts by name select * from (values
    ('term_ends_soon', 5, 'acme', 'Acme', 'S-acme', 'standard', null, null, null, null, null, 'S-next', null, null, 28,
        date '2026-08-31', timestamp '2026-06-02', timestamp '2026-08-03 12:00:00'),
    ('likely_to_run_out', 3, 'acme', 'Acme', 'S-acme', 'standard', 'regular', null, 13, 15, 0, null, 0.042,
        date '2026-09-30', 151, date '2027-01-01', null, timestamp '2026-08-03 12:00:00'),
    ('threshold_reached', 4, 'acme', 'Acme', 'S-acme', 'standard', 'regular', 80, 9, 11, 0, null, null, null, 28,
        date '2026-08-31', timestamp '2026-07-31 09:00:00', timestamp '2026-08-03 12:00:00'),
    ('threshold_reached', 1, 'other', 'SECRET & Co', 'SECRET-S', 'standard', 'level_5', 100, 2, 1, 1, null, null, null, 28,
        date '2026-08-31', timestamp '2026-07-01', timestamp '2026-08-03 12:00:00')
) as alerts(alert_kind, alert_rank, customer_id, customer_name, subscription_id, plan, pool, threshold_pct,
    consumed_quantity, available_quantity, overage_quantity, next_subscription_id, lasts_ratio, exhausted_on_mid, days_left,
    term_ends_on, raised_at, as_of);
insert into qc.rpt_qc__findings by name select * from (values
    ('redeemed_too_often:R-2', 'redeemed_too_often', null, 'acme', 'S-acme', 'number 2', 'counted as used',
        'reference/redemptions.csv', 3),
    ('unlisted_requester:T-1', 'unlisted_requester', 'T-1', 'acme', 'S-acme', 'requester x', 'none', 'tickets.csv', 2),
    ('unlisted_requester:T-2', 'unlisted_requester', 'T-2', 'acme', 'S-acme', 'requester x', 'none', 'tickets.csv', 3),
    ('unlisted_requester:SECRET-1', 'unlisted_requester', 'SECRET-1', 'other', 'SECRET-S', 'requester x', 'none',
        'tickets.csv', 4),
    ('unknown_customer:LOST-1', 'unknown_customer', 'LOST-1', null, null, 'not at all', 'not covered', 'tickets.csv', 5)
) as findings(finding_key, finding, ticket_id, customer_id, subscription_id, evidence, effect, source_file, line_number);
insert into qc.rpt_qc__vendor_figure_groups by name select * from (values
    ('zen:own', 'zen', 'reply_time', 'first_response', 'business', 'other_goal', 'ours', 1, timestamp '2026-07-01 12:00:00',
        timestamp '2026-07-01 12:00:00', 60, 60),
    ('zen:shared', 'zen', 'reply_time', 'first_response', 'calendar', 'other_goal', 'ours', 2, timestamp '2026-07-01 12:00:00',
        timestamp '2026-07-02 12:00:00', 60, 90))
    as groups(group_key, source, figure, obligation, clock_kind, difference_reason, who_is_right, ticket_count, first_at, last_at,
        least_difference_seconds, greatest_difference_seconds);
insert into qc.rpt_qc__vendor_figures by name select * from (values
    ('T-1', 'acme', 'reply_time', 'first_response', 1, 'duration', 'business', 'business_hours', 21600, 21600, 0,
        null, null, 'equal', 'both', null, 'tickets.json', 1),
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
create schema meta;
create table meta.build(
    build_id varchar, as_of timestamp, tzdata_version varchar, holidays_version varchar, landed_rows bigint,
    batches bigint, newest_landed_at timestamp);
create table meta.checks(check_name varchar, suite varchar, table_name varchar, expectation varchar, column_name varchar,
    severity varchar, status varchar, observed varchar, detail varchar);
"""

# The months in which something is counted, as dim_customer_months has them with the terms.
_MONTHS = """
insert into core.dim_customer_zones by name
select distinct customer_id || ':' || time_zone as customer_zone_key, customer_id, time_zone
from core.fct_sla_obligations where customer_id is not null;
insert into core.dim_customer_months by name
select customers.customer_id, months.month, bool_or(bounds.is_month_running) as is_month_running,
    min(bounds.starts_at) as starts_at, max(bounds.ends_at) as ends_at
from (select distinct customer_id, month from marts.mart_manager__monthly_compliance) as months
join core.dim_customers as customers on customers.customer_id = months.customer_id
join core.dim_months as bounds on bounds.month = months.month and bounds.time_zone = 'UTC'
group by all;
"""
_MARTS = """
insert into marts.mart_customer__monthly_report by name
select customers.customer_id, customers.customer_name, customers.time_zone, customers.locale, months.month,
    (select count(distinct ticket_id) from core.fct_sla_obligations as o
     where o.customer_id = customers.customer_id and o.submitted_month = months.month
    ) as tickets_submitted_count, months.is_month_running
from core.dim_customer_months as months
join core.dim_customers as customers on customers.customer_id = months.customer_id;
"""


def publish(root: Path, rows: tuple[Row, ...] = ROWS, name: str = "build-1") -> Workspace:
    """A workspace whose pointer names a build made of `rows`."""
    workspace = Workspace(root)
    workspace.published.mkdir(parents=True, exist_ok=True)
    path = workspace.published / f"{name}.duckdb"
    with duckdb.connect(str(path)) as connection:
        create_published(connection)
        connection.execute(_ROWS)
        for values in CUSTOMERS:
            _insert(connection, "core.dim_customers", values)
        _insert_vocabulary(connection)
        for row in {row.ticket_id: row for row in reversed(rows)}.values():
            _insert(connection, "core.dim_tickets", (
                row.ticket_id, "helpdesk", row.customer_id, "ann@example.invalid", "console", row.subject,
                "problem",
                "open", row.severity, row.severity, row.submitted_at, "tickets.csv", 2))  # fmt: skip
        for row in rows:
            _insert(connection, "core.fct_sla_obligations", _obligation_values(row))
            if row.status == "breached":
                _insert_breach(connection, row)
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


def _insert_breach(connection: duckdb.DuckDBPyConnection, row: Row) -> None:
    """Of `acme` it went through two groups, half the target each; anywhere else it was untouched."""
    values = dict(zip(_columns("core.fct_sla_obligations"), _obligation_values(row), strict=True))
    target, start, due_at = (values[name] for name in ("target_seconds", "starts_at", "due_at"))
    assert isinstance(target, int) and isinstance(start, datetime) and isinstance(due_at, datetime)
    assert row.elapsed_seconds is not None
    is_handed_over = row.customer_id == "acme"
    middle = start + timedelta(seconds=target // 2)
    _insert(connection, "core.fct_sla_breaches", (
        values["obligation_key"], row.ticket_id, row.customer_id, values["plan"], row.obligation, row.severity, "UTC",
        "between_teams" if is_handed_over else "no_first_touch", int(is_handed_over),
        target // 2 if is_handed_over else None, middle if is_handed_over else None, middle if is_handed_over else None,
        values["compliance_month"]))  # fmt: skip
    first = target // 2 if is_handed_over else 0
    for number, (group, seconds, before_due) in enumerate(
        (
            ("first-line", first, first),
            (
                "SECRET group" if not is_handed_over else "experts",
                row.elapsed_seconds - first,
                target - first,
            ),
        ),
        1,
    ):
        if seconds:
            _insert(connection, "core.fct_sla_breach_holdings", (
                values["obligation_key"], row.ticket_id, row.customer_id, number, group, None, seconds, before_due, start,
                due_at))  # fmt: skip


def _columns(table: str) -> list[str]:
    """What `_insert` writes of a table."""
    return [name.strip() for name in _TARGETS[table].partition("(")[2].rstrip(")").split(",")]


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
    _insert(connection, "core.dim_plan_versions", (
        "gold@2020-11-16", "gold", "Gold", "UTC", "active", 5, datetime(2020, 11, 16), datetime(9999, 12, 31)))  # fmt: skip
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
    target = _TARGETS.get(table, table)
    connection.execute(f"insert into {target} values ({', '.join('?' * len(values))})", list(values))
