"""Which alerts there are to tell, and which were told: promises at risk or breached, and what comes to its end.

An alert has an identity that later data does not shift, so that it is told once: a promise and the part of its target that is
used up, a promise that was breached, a pool with the threshold that it reached and the units that it then held, a term that ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.delivery.ledger import Entry, Key
from pipeline.reporting import figures
from pipeline.reporting.entitlements import Alert, read_alerts
from pipeline.reporting.published import EVERY_CUSTOMER, Published, Selection
from pipeline.reporting.tickets import Obligation, read_at_risk, read_tickets
from pipeline.rules.delivery_file import Webhook

CHANNEL = "webhook"


@dataclass(frozen=True)
class Told:
    """One alert as account teams receive it. Instants are ISO with Z, durations seconds; no text of a ticket is part of it."""

    key: Key
    kind: str
    customer_id: str
    customer_name: str | None
    what: str
    facts: dict[str, str | int | None]


def list_alerts(published: Published, webhook: Webhook, first_month: str) -> list[Told]:
    """The alerts that hold now, told before or not, in a fixed order: promises first."""
    found = (*_find_promises(published, webhook, first_month), *_find_endings(published))
    return [alert for alert in found if alert.kind in webhook.kinds]


def is_new(entry: Entry | None) -> bool:
    """Whether an alert, with its newest line of the ledger, is still to be told. One with an unknown outcome is not repeated; one
    that held no more when it was to be sent again is another one now."""
    return entry is None or entry.state in ("prepared", "dropped")


def _find_promises(published: Published, webhook: Webhook, first_month: str) -> Iterator[Told]:
    for row in read_at_risk(published, EVERY_CUSTOMER):
        used = row.used
        passed = [
            step
            for step in webhook.at_risk_percent
            if used is not None and used.denominator and used.numerator * 100 >= step * used.denominator
        ]
        if passed:
            step = max(passed)
            what = f"{figures.words(row.obligation)} of {row.ticket_id}: {step} % of the target is used"
            yield _tell_promise("at_risk", f"{row.obligation_key}:{step}", row, what)
    for row in read_tickets(published, EVERY_CUSTOMER, Selection(statuses=("breached",))):
        if row.month is not None and row.month >= first_month:
            over_by = figures.duration(row.over_by_seconds)
            what = f"{figures.words(row.obligation)} of {row.ticket_id}: breached, over by {over_by}"
            yield _tell_promise("breached", row.obligation_key, row, what)


def _tell_promise(kind: str, identity: str, row: Obligation, what: str) -> Told:
    return Told(
        Key(row.customer_id, identity, kind, "", CHANNEL),
        kind,
        row.customer_id,
        row.customer_name,
        what,
        {
            "ticket_id": row.ticket_id,
            "obligation": row.obligation,
            "plan": row.plan,
            "severity": row.severity_in_force,
            "due_at": None if row.due_at is None else f"{row.due_at:%Y-%m-%dT%H:%M:%SZ}",
            "target_seconds": row.target_seconds,
            "elapsed_seconds": row.elapsed_seconds,
            "remaining_seconds": row.remaining_seconds,
        },
    )


def _find_endings(published: Published) -> Iterator[Told]:
    for alert in read_alerts(published, EVERY_CUSTOMER):
        yield Told(
            Key(alert.customer_id, _identify(alert), alert.alert_kind, "", CHANNEL),
            alert.alert_kind,
            alert.customer_id,
            alert.customer_name,
            f"{figures.words(alert.pool)} of {alert.subscription_id}: {figures.alert(alert)}"
            if alert.pool
            else f"{alert.subscription_id}: {figures.alert(alert)}",
            {
                "subscription_id": alert.subscription_id,
                "plan": alert.plan,
                "pool": alert.pool,
                "threshold_pct": alert.threshold_pct,
                "consumed": alert.consumed_quantity,
                "available": alert.available_quantity,
                "overage": alert.overage_quantity,
                "term_ends_on": figures.day(alert.term_ends_on),
                "days_left": alert.days_left,
                "next_subscription_id": alert.next_subscription_id,
            },
        )


def _identify(alert: Alert) -> str:
    if alert.pool is None:
        return f"{alert.subscription_id}:{alert.term_ends_on}"
    # A pack that is bought makes the same threshold another fact; so does the step from used up to used beyond the pool.
    parts = (
        alert.subscription_id,
        alert.pool,
        alert.threshold_pct,
        alert.alert_rank,
        alert.available_quantity,
    )
    return ":".join("" if part is None else str(part) for part in parts)
