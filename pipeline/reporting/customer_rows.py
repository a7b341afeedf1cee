"""The rows behind a customer's document, for its CSV files and its workbook: one list of columns, in the customer's own words.

What is the vendor's own stays with the vendor: versions of plan files, codes, who asked for an exception.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from pipeline.reporting.export_rows import write_csv
from pipeline.reporting.language import Language
from pipeline.reporting.monthly_report import MonthlyReport
from pipeline.reporting.report_content import choose_language, find_day, find_plan_zones, say_supply
from pipeline.reporting.tickets import Obligation

Value = str | int | float | datetime | date | None

OBLIGATION_COLUMNS = (
    "month", "ticket_id", "cycle_number", "subject", "requester", "channel", "plan", "obligation", "obligation_kind",
    "severity_submitted", "severity_in_force", "status", "reason", "could_be", "status_before_waiver",
    "is_met_only_by_ai", "waiver_id", "clock", "submitted_at", "starts_at", "due_at", "stopped_at", "settled_at",
    "target_seconds", "elapsed_seconds", "remaining_seconds", "over_by_seconds", "clause",
)  # fmt: skip
MOVEMENT_COLUMNS = (
    "month", "subscription_id", "plan", "pool", "happened_on", "happened_at", "movement", "reason", "ticket_id",
    "paid_by", "quantity", "balance_after",
)  # fmt: skip


def list_obligations(report: MonthlyReport) -> list[Obligation]:
    """What the document rests on: the month's promises, and those of other months that still run."""
    listed = {row.obligation_key for row in report.obligations}
    return [*report.obligations, *(row for row in report.still_running if row.obligation_key not in listed)]


def obligation_values(report: MonthlyReport, language: Language) -> Iterator[list[Value]]:
    """One row per promise, in the order of `OBLIGATION_COLUMNS`. Instants are aware, durations whole seconds."""
    for row in list_obligations(report):
        told: dict[str, Value] = {
            "plan": report.plan_titles.get(row.plan or "", row.plan),
            "obligation": language.word(row.obligation),
            "obligation_kind": language.say(f"kinds_{row.obligation_kind}", "columns")
            if row.obligation_kind
            else None,
            "status": language.status(row.status),
            "reason": language.reason(row.status_reason, row.reason_label) if row.status_reason else None,
            "could_be": language.say(row.could_be, "could_be") if row.could_be else None,
            "status_before_waiver": language.status(row.status_before_waiver)
            if row.status_before_waiver
            else None,
            "is_met_only_by_ai": language.say("is_true" if row.is_met_only_by_ai else "is_false", "columns"),
            "channel": language.word(row.channel) if row.channel else None,
            "clock": language.word(row.clock_name) if row.clock_name else None,
            "clause": row.clause_text,
        }
        yield [told[name] if name in told else getattr(row, name) for name in OBLIGATION_COLUMNS]


def movement_values(report: MonthlyReport, language: Language) -> Iterator[list[Value]]:
    """One row per line of the ledger, in the order of `MOVEMENT_COLUMNS`. One of a day has no instant."""
    zones = find_plan_zones(report)
    for statement in report.statements:
        for line in statement.lines:
            day = find_day(line, statement, zones.get(statement.plan_version, report.time_zone))
            told: dict[str, Value] = {
                "plan": report.plan_titles.get(statement.plan, statement.plan),
                "pool": language.word(line.pool),
                "happened_on": day,
                "happened_at": line.happened_at if day is None else None,
                "movement": language.say(line.movement_kind, "movements"),
                "reason": language.movement_reason(line.reason),
                "paid_by": say_supply(line, language) if line.payer_kind else None,
            }
            yield [told[name] if name in told else getattr(line, name) for name in MOVEMENT_COLUMNS]


def obligations_csv(report: MonthlyReport) -> bytes:
    """Every promise behind the document; the names of columns are the same in every language."""
    return write_csv(OBLIGATION_COLUMNS, obligation_values(report, choose_language(report)))


def movements_csv(report: MonthlyReport) -> bytes:
    """Every movement behind the document's statement."""
    return write_csv(MOVEMENT_COLUMNS, movement_values(report, choose_language(report)))
