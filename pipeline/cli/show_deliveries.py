"""What was delivered to whom, as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.cli.tables import LEFT, TextTable

if TYPE_CHECKING:
    from pipeline.delivery.deliver import Delivered
    from pipeline.delivery.ledger import Entry
    from pipeline.delivery.post_webhook import Digest
    from pipeline.delivery.run import Outcomes

_STATUS = {
    "would_be_sent": "would be sent",
    "no_recipients": "no recipients",
    "already_sent": "sent before",
    "held": "held back",
    "prepared": "not sent",
    "not_tried": "not tried",
    "unknown": "may have arrived",
    "dropped": "customer not listed",
}


def outcome_tables(outcomes: Outcomes) -> list[TextTable]:
    """A row per report that has a recipient, and one per alert that is new; nothing where there are none."""
    listed = [one for one in outcomes.reports if one.status != "no_recipients"]
    tables = [_reports_table(listed, len(outcomes.reports) - len(listed))] if listed else []
    if outcomes.alerts is not None and outcomes.alerts.alerts:
        tables.append(_alerts_table(outcomes.alerts))
    return tables


def _reports_table(reports: Sequence[Delivered], without_recipients: int) -> TextTable:
    columns = (
        ("customer", LEFT), ("month", LEFT), ("edition", LEFT), ("report", LEFT), ("status", LEFT), ("recipients", LEFT),
        ("subject", LEFT), ("reason", LEFT),
    )  # fmt: skip
    rows = [
        (
            one.customer_id,
            one.month,
            f"correction {one.edition}" if one.edition else "original",
            one.report_number,
            _STATUS.get(one.status, one.status),
            ", ".join(one.recipients),
            one.subject,
            "; ".join(
                [part for part in (one.reason,) if part] + [f"{to}: {why}" for to, why in one.refused.items()]
            ),
        )
        for one in reports
    ]
    # A column that is empty in every row says nothing.
    used = [index for index in range(len(columns)) if index < 6 or any(row[index] for row in rows)]
    counts = Counter(_STATUS.get(one.status, one.status) for one in reports)
    told = [f"{count} {word}" for word, count in sorted(counts.items())]
    if without_recipients:
        told.append(f"{without_recipients} without a recipient in reference/customers.csv")
    notes = (", ".join(told) + ".",)
    return TextTable(
        "Reports",
        tuple(columns[index] for index in used),
        tuple(tuple(row[index] for index in used) for row in rows),
        notes,
    )


def _alerts_table(digest: Digest) -> TextTable:
    columns = (("customer", LEFT), ("kind", LEFT), ("alert", LEFT))
    rows = tuple((alert.customer_id, alert.kind.replace("_", " "), alert.what) for alert in digest.alerts)
    status = {"quiet": "waiting", **_STATUS}.get(digest.status, digest.status)
    notes = (f"{len(rows)} new: {status}{f' ({digest.reason})' if digest.reason else ''}.",)
    return TextTable("Alerts", columns, rows, notes)


def open_outcomes_tables(entries: Sequence[Entry]) -> list[TextTable]:
    """Deliveries that an operator should look at; nothing where there are none."""
    if not entries:
        return []
    columns = (
        ("customer", LEFT), ("period", LEFT), ("kind", LEFT), ("channel", LEFT), ("state", LEFT), ("since", LEFT),
        ("detail", LEFT),
    )  # fmt: skip
    rows = tuple(
        (
            entry.key.customer_id,
            entry.key.period,
            entry.key.kind.replace("_", " "),
            entry.key.channel,
            "sending, or the run was killed"
            if entry.state == "sending"
            else _STATUS.get(entry.state, entry.state),
            entry.at,
            f"digest {entry.message}: {entry.detail}" if entry.key.channel == "webhook" else entry.detail,
        )
        for entry in entries
    )
    is_alert = {entry.key.channel == "webhook" for entry in entries}
    advice = {
        False: "Ask the customers whether it arrived, then: sla send --customer ID --month YYYY-MM --arrived, or --resend.",
        True: "Ask the receiver of the alerts for the digest, then: sla send --digest ID --arrived, or --resend.",
    }
    notes = tuple(advice[each] for each in sorted(is_alert))
    return [TextTable("Deliveries to look at", columns, rows, notes)]
