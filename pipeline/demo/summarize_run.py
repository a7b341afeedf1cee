"""What `sla demo` prints at its end: the published figures of the invented vendor, read like any other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.reporting import figures
from pipeline.reporting.compliance import read_compliance
from pipeline.reporting.entitlements import Balance, read_balances
from pipeline.reporting.published import EVERY_CUSTOMER

if TYPE_CHECKING:
    from pipeline.reporting.published import Published


def summarize_run(published: Published, workspace: Path, reports: Path, report_count: int) -> list[str]:
    """The closing lines of the demo: compliance, entitlements, where the reports lie, how to look further."""
    by_plan = read_compliance(published, EVERY_CUSTOMER, by=("plan", "obligation"))
    lines = [f"Compliance of all months, data as of {figures.instant(by_plan.as_of)}:"]
    for row in by_plan.rows:
        if row.tally.counted or row.tally.undecided:
            promise = f"{row.plan or 'no plan':10} {figures.words(row.obligation):16}"
            lines.append(f"  {promise} {figures.percent(row.tally.compliance)}")
    total = by_plan.total
    lines.append(f"  {'all':10} {'':16} {figures.percent(total.compliance)}")
    lines.append(
        f"  beside it: {total.pending} running, {total.waived} waived, {total.not_covered} not covered, "
        f"{total.not_measurable} not measurable"
    )

    current = [
        balance
        for balance in read_balances(published, EVERY_CUSTOMER)
        if balance.term_status == "current" and balance.remaining_quantity is not None
    ]
    exhausted = [balance for balance in current if balance.remaining_quantity == 0]
    lines += [
        "",
        f"Entitlements: {len(current)} limited pools in current terms, {len(exhausted)} of them used up.",
    ]
    lines += [
        f"  {_describe(balance)}" for balance in sorted(exhausted, key=lambda row: -row.overage_quantity)[:3]
    ]

    return [
        *lines,
        "",
        f"{report_count} customer reports (PDF, CSV, XLSX): {reports}",
        "",
        "Look further:",
        f"  export SLA_WORKSPACE={workspace}",
        "  .venv/bin/sla tickets --status breached --month 2026-06",
        "  .venv/bin/sla explain TICKET",
        "  .venv/bin/sla dashboard          # then open http://127.0.0.1:8501",
    ]


def _describe(balance: Balance) -> str:
    granted = figures.quantity(balance.granted_quantity)
    over = f", {balance.overage_quantity} over" if balance.overage_quantity else ""
    return f"{balance.customer_name}, {figures.words(balance.pool)}: {granted} granted, {balance.used_quantity} used{over}"
