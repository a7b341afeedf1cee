"""What one customer's month rests on, row by row, as an archive that proves its figures without the workspace."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from pipeline.evidence.archive import Row, pack
from pipeline.reporting.monthly_report import MonthlyReport, read_monthly_report
from pipeline.reporting.published import IN_SCOPE, Published, Scope, bind_values

# Table of the archive -> its select, of what the reported obligations and statements name. Staff addresses stay inside:
# a waiver counts with its reason and its window.
_OBLIGATIONS = """
    select
        obligations.obligation_key, obligations.ticket_id, tickets.subject, obligations.obligation, obligations.obligation_kind,
        obligations.cycle_number, obligations.plan, obligations.plan_version, obligations.clause,
        obligations.severity_submitted, obligations.severity_in_force, obligations.clock_name,
        obligations.submitted_at, obligations.starts_at, obligations.counts_from_at, obligations.read_until_at,
        obligations.due_at, obligations.stopped_at, obligations.stopping_event_id, obligations.breached_at,
        obligations.settled_at, obligations.target_seconds, obligations.elapsed_seconds, obligations.remaining_seconds,
        obligations.status, obligations.status_reason, obligations.status_before_waiver, obligations.could_be,
        obligations.is_met_only_by_ai, obligations.waiver_id, obligations.compliance_month, obligations.submitted_month
    from core.fct_sla_obligations as obligations
    left join core.dim_tickets as tickets on tickets.ticket_id = obligations.ticket_id
    where list_contains($keys::varchar[], obligations.obligation_key) and {in_scope}
    order by obligations.obligation_key
"""
_SEGMENTS = """
    select
        obligation_key, segment_number, segment_kind, segment_reason, calendar_version, starts_at, ends_at, counted_seconds,
        wall_seconds
    from core.fct_sla_segments as obligations
    where list_contains($keys::varchar[], obligation_key) and {in_scope}
    order by obligation_key, segment_number
"""
_PAUSES = """
    select obligation_key, pause_name, pauses_at, resumes_at
    from core.fct_sla_pauses as obligations
    where list_contains($keys::varchar[], obligation_key) and {in_scope}
    order by obligation_key, pauses_at, resumes_at, pause_name
"""
_EVENTS = """
    select
        event_id, ticket_id, event_at, event_order, event_type, actor_kind, is_public, value, is_automatic_reply, is_ai_message,
        source, source_file, line_number
    from core.fct_ticket_events as obligations
    where {in_scope} and ticket_id in (
        select ticket_id from core.fct_sla_obligations where list_contains($keys::varchar[], obligation_key)
    )
    order by ticket_id, event_order, event_id, moment
"""
# Only the open hours between the first and the last instant that a clock was read at.
_INTERVALS = """
    with read as (
        select clock_name, min(counts_from_at) as first_at, max(read_until_at) as last_at
        from core.fct_sla_obligations as obligations
        where list_contains($keys::varchar[], obligation_key) and {in_scope}
        group by clock_name
    )
    select intervals.clock_name, intervals.calendar_version, intervals.opens_at, intervals.closes_at
    from core.dim_clock_intervals as intervals
    join read on read.clock_name = intervals.clock_name
      and intervals.closes_at > read.first_at and intervals.opens_at < read.last_at
    order by intervals.clock_name, intervals.opens_at
"""
_WAIVERS = """
    select waivers.waiver_id, waivers.ticket_id, waivers.obligation, waivers.reason, waivers.approved_at, waivers.expires_at
    from core.dim_waivers as waivers
    where waivers.waiver_id in (
        select waiver_id from core.fct_sla_obligations as obligations
        where list_contains($keys::varchar[], obligation_key) and {in_scope}
    )
    order by waivers.waiver_id
"""
_TABLES = {
    "obligations": _OBLIGATIONS,
    "segments": _SEGMENTS,
    "pauses": _PAUSES,
    "events": _EVENTS,
    "intervals": _INTERVALS,
    "waivers": _WAIVERS,
}

_GUIDE = b"""What this archive is

One customer's month: the figures (figures.json), and every row that they are made of. `sla verify FILE` reads nothing else and
computes them again:
  each obligation: the open seconds of its clock (intervals.jsonl) from counts_from_at to read_until_at, without its pauses
    (pauses.jsonl), are its elapsed_seconds, and the counted seconds of its segments (segments.jsonl);
  each verdict: met is elapsed_seconds <= target_seconds; the event that stopped it is in events.jsonl with its source line;
  each figure: the verdicts of the month, counted by promise (plan_terms.jsonl names the clause);
  each pool: opening + movements (movements.jsonl) = closing (statements.jsonl).
Instants are UTC, durations whole seconds. manifest.json holds the SHA-256 of every file, and its own.
"""


def collect_evidence(published: Published, scope: Scope, customer_id: str, month: str) -> bytes:
    """The archive of one customer's month.

    Raises what `read_monthly_report` raises: where no report may be made, there is no evidence for one.
    """
    report = read_monthly_report(published, scope, customer_id, month)
    keys = sorted({row.obligation_key for row in (*report.obligations, *report.still_running)})
    in_scope = IN_SCOPE.format(customer_id="obligations.customer_id")
    bound = bind_values(scope) | {"keys": keys}
    tables: dict[str, list[Row]] = {
        name: [_plain(row) for row in published.fetch(dict, sql.format(in_scope=in_scope), bound)]
        for name, sql in _TABLES.items()
    }
    tables["plan_terms"] = [_plain(asdict(term)) for term in report.plan_terms]
    tables["statements"] = [
        _plain(asdict(each)) for statement in report.statements for each in statement.months
    ]
    tables["movements"] = [
        _plain(asdict(line)) for statement in report.statements for line in statement.lines
    ]
    figures = json.dumps(_figures(report), ensure_ascii=False, indent=2, sort_keys=True).encode(
        "utf-8", "replace"
    )
    about = {
        "customer_id": customer_id,
        "customer_name": report.customer_name,
        "month": month,
        "build_id": report.build.build_id,
        "as_of": _plain_value(report.as_of),
    }
    return pack(tables, {"figures.json": figures, "READ_ME.txt": _GUIDE}, about)


def _figures(report: MonthlyReport) -> dict[str, Any]:
    return {
        "total": asdict(report.total),
        "outside_promises": asdict(report.outside_promises),
        "promises": [
            {
                "plan": promise.plan,
                "obligation": promise.obligation,
                "obligation_kind": promise.obligation_kind,
                "target_seconds": promise.target_seconds,
                "clock_name": promise.clock_name,
                "clause": promise.clause,
                "tally": asdict(promise.tally),
            }
            for promise in report.promises
        ],
    }


def _plain(row: dict[str, Any]) -> Row:
    return {name: _plain_value(value) for name, value in row.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else value
