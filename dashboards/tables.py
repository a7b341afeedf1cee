"""Rows of tables that several pages show, as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dashboards import times
from pipeline.reporting import figures
from pipeline.reporting.entitlements import Alert, Balance
from pipeline.reporting.findings import Finding
from pipeline.reporting.status import Check


def describe_alert(each: Alert) -> dict[str, object]:
    return {
        "Alert": figures.alert(each),
        "Customer": each.customer_name,
        "Plan": each.plan,
        "Alert about": figures.words(each.pool) if each.pool else f"term {each.subscription_id}",
        "Consumed": each.consumed_quantity,
        "Available": each.available_quantity,
        "Over": each.overage_quantity,
        "Term ends on": figures.day(each.term_ends_on),
        "Days to the end": each.days_left,
        "Next term": "" if each.pool else each.next_subscription_id or "none",
        "Since": times.instant(each.raised_at),
    }


def describe_balance(each: Balance) -> dict[str, object]:
    return {
        "Customer": each.customer_name,
        "Pool": figures.words(each.pool),
        "Remaining": figures.quantity(
            each.remaining_quantity, is_unlimited=each.is_unlimited, is_stated=each.is_stated
        ),
        "Overage": each.overage_quantity,
        "Granted": figures.quantity(
            each.granted_quantity, is_unlimited=each.is_unlimited, is_stated=each.is_stated
        ),
        "Used": each.used_quantity,
        "Ends on": figures.day(each.term_ends_on),
        "Days left": each.days_left,
        "Plan": each.plan,
        "Purchased": each.purchased_quantity,
        "Credited": each.credited_quantity,
        "Flowed in": each.overflowed_in_quantity,
        "Flowed out": each.overflowed_out_quantity,
        "Expired": each.expired_quantity,
        "Carried": each.carried_quantity,
        "State": each.term_status,
        "Term": f"{figures.day(each.term_starts_on)} to {figures.day(each.term_ends_on)}",
    }


def without(table: Iterable[Mapping[str, object]], *names: str) -> list[dict[str, object]]:
    """The table without columns that would say the same on every row of a page."""
    return [{name: value for name, value in row.items() if name not in names} for row in table]


def describe_finding(each: Finding) -> dict[str, object]:
    return {
        "Ticket": each.ticket_id or "",
        "Customer": each.customer_id or "",
        "Finding": each.finding_label,
        "What it did to the figures": each.effect,
        "What shows it": each.evidence,
        "Source line": f"{each.source_file}, line {each.line_number}" if each.source_file else "",
    }


def describe_check(each: Check) -> dict[str, object]:
    return {
        "Check": each.check_name,
        "Severity": each.severity,
        "Outcome": each.status,
        "Found": each.observed,
        "Why it matters": each.detail,
    }
