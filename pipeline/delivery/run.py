"""One run of delivery: reports that are due, then alerts. What `sla send` and `sla run` call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pipeline.delivery.channel import Channel
from pipeline.delivery.credentials import require_login, require_webhook_secret
from pipeline.delivery.deliver import Delivered, OnProgress, Session
from pipeline.delivery.due import Documents, Due, list_due
from pipeline.delivery.find_alerts import CHANNEL, Told, is_new, list_alerts
from pipeline.delivery.ledger import STATES, Ledger, write_instant
from pipeline.delivery.post_webhook import Digest, WebhookSender
from pipeline.delivery.send_smtp import SmtpChannel
from pipeline.delivery.sender import Senders
from pipeline.delivery.write_eml import EmlFolder
from pipeline.errors import ConfigurationError
from pipeline.reporting.edition import rank_edition
from pipeline.reporting.published import EVERY_CUSTOMER, Published
from pipeline.reporting.status import read_status
from pipeline.rules.branding import Look
from pipeline.rules.delivery_file import Delivery
from pipeline.rules.load_reference import load_customers
from pipeline.secrets_file import Secret, read_secrets
from pipeline.settings import Workspace, read_clock

_ARRIVED = "an operator found out that it had arrived"


@dataclass(frozen=True)
class Asked:
    """What a user asked for; nothing: all that is due. `resend` repeats what was sent, `arrived` settles what is not known: of
    reports of customers and a month, or of the alerts of one digest."""

    customer_ids: tuple[str, ...] = ()
    month: str | None = None
    digest: str | None = None
    is_dry_run: bool = False
    is_resend: bool = False
    is_arrived: bool = False


@dataclass(frozen=True)
class Outcomes:
    """What became of reports and of alerts; `alerts` is None without a webhook, and where customers or a month were named."""

    reports: tuple[Delivered, ...]
    alerts: Digest | None


def check_settings(workspace: Workspace, delivery: Delivery, looks: Sequence[Look]) -> None:
    """Raises ConfigurationError where reports or alerts could not be handed over as sla.yml and the secrets stand."""
    secrets = read_secrets(workspace, delivery.secrets_file)
    _make_channel(workspace, delivery, secrets)
    _make_sender(workspace, delivery, secrets)
    Senders(delivery, looks).check(workspace.sla_yml, load_customers(workspace).keys())


def deliver(
    workspace: Workspace,
    delivery: Delivery,
    looks: Sequence[Look],
    published: Published,
    documents: Documents,
    asked: Asked,
    count: Callable[[int], OnProgress] = lambda total: lambda customer: None,
) -> Outcomes:
    """Deliver what is due since the first month. The caller holds the workspace's lock, except for a dry run.

    Raises ConfigurationError for settings that cannot be used, a damaged ledger, and a customer or month with nothing to deliver.
    """
    ledger = Ledger(workspace)
    secrets = read_secrets(workspace, delivery.secrets_file)
    channel = _make_channel(workspace, delivery, secrets)
    # Before anything leaves, so that a setting that is wrong does not hide what was sent.
    sender = None if asked.is_dry_run else _make_sender(workspace, delivery, secrets)
    senders, customers = Senders(delivery, looks), load_customers(workspace)
    senders.check(workspace.sla_yml, customers.keys())
    if not asked.is_dry_run:
        outbox = EmlFolder(workspace)
        ledger.close_killed(
            read_clock(), lambda entry: entry.key.channel == outbox.name and outbox.is_proven(entry)
        )
    if asked.digest is not None:
        return Outcomes((), settle_digest(delivery, published, ledger, asked, sender))
    session = Session(delivery, senders, customers, documents, ledger, channel)
    due, tried = list_due(
        documents, ledger, channel.name, delivery.first_month, asked.customer_ids, asked.month
    )
    _check_asked(asked, delivery, [*due, *tried])
    again = [one for one in tried if asked.is_resend or session.is_changed(one)]
    if asked.is_arrived:
        return Outcomes(tuple(settle_as_arrived(ledger, session, tried)), None)
    now = sorted(
        [*due, *again], key=lambda one: (one.month, one.customer_id, rank_edition(one.edition.report_number))
    )
    rest = session.describe_tried([one for one in tried if one not in again])
    told = [one for one in rest if one.status not in ("already_sent", "dropped") or asked.customer_ids]
    results = session.preview(now) if asked.is_dry_run else session.deliver(now, count(len(now)))
    return Outcomes((*told, *results), _tell_alerts(delivery, published, ledger, asked, sender))


def settle_as_arrived(ledger: Ledger, session: Session, tried: Sequence[Due]) -> list[Delivered]:
    """Put on record that messages of unknown outcome arrived, as an operator found out."""
    settled = []
    for due in tried:
        entry = ledger.find(due.key(session.channel.name))
        if entry is not None and entry.state in ("unknown", "sending"):
            ledger.add([replace(entry, state="sent", at=write_instant(read_clock()), detail=_ARRIVED)])
            settled.append(due)
    return session.describe_tried(settled)


def _make_channel(workspace: Workspace, delivery: Delivery, secrets: dict[str, Secret]) -> Channel:
    login = require_login(secrets) if delivery.smtp else None
    if delivery.channel == "smtp" and delivery.smtp is not None:
        return SmtpChannel(delivery.smtp, workspace.root, login)
    return EmlFolder(workspace)


def _check_asked(asked: Asked, delivery: Delivery, found: Sequence[Due]) -> None:
    if asked.month is not None and asked.month < delivery.first_month:
        raise ConfigurationError(
            f"{asked.month} lies before first_month of sla.yml, {delivery.first_month}; nothing of it is delivered."
        )
    there = {one.customer_id for one in found}
    missing = [customer_id for customer_id in asked.customer_ids if customer_id not in there]
    if missing or (asked.month is not None and not found):
        whom = f"customer {missing[0]!r}" if missing else "any customer"
        months = f" in {asked.month}" if asked.month else f" since {delivery.first_month}"
        raise ConfigurationError(
            f"There is no closed month of {whom}{months} to deliver. `sla status` says up to when the data is known."
        )


def _make_sender(
    workspace: Workspace, delivery: Delivery, secrets: dict[str, Secret]
) -> WebhookSender | None:
    if delivery.webhook is None:
        return None
    return WebhookSender(delivery.webhook, workspace.root, require_webhook_secret(secrets))


def _tell_alerts(
    delivery: Delivery, published: Published, ledger: Ledger, asked: Asked, sender: WebhookSender | None
) -> Digest | None:
    webhook = delivery.webhook
    if webhook is None or asked.customer_ids or asked.month:
        return None
    alerts = [
        alert
        for alert in list_alerts(published, webhook, delivery.first_month)
        if is_new(ledger.find(alert.key))
    ]
    if sender is None:
        return Digest("would_be_sent", tuple(alerts))
    return sender.send(alerts, read_status(published, EVERY_CUSTOMER), ledger, read_clock())


def settle_digest(
    delivery: Delivery, published: Published, ledger: Ledger, asked: Asked, sender: WebhookSender | None
) -> Digest:
    """What an operator found out of the alerts of one digest: they arrived, or they are to be sent again.

    Raises ConfigurationError where the ledger has no such digest, or nothing that the answer could be about.
    """
    digest_id = asked.digest or ""
    entries = {
        entry.key: entry
        for entry in ledger.list_newest(*STATES)
        if entry.key.channel == CHANNEL and entry.message == digest_id
    }
    if not entries:
        raise ConfigurationError(
            f"There is no digest of alerts {digest_id!r} in the ledger, or its alerts were sent with a later one. `sla status` "
            "lists those that may have arrived."
        )
    if asked.is_arrived:
        settled = [replace(entry, state="sent", at=write_instant(read_clock()), detail=_ARRIVED)
                   for entry in entries.values() if entry.state in ("unknown", "sending")]  # fmt: skip
        if settled:
            ledger.add(settled)
        told = tuple(
            Told(each.key, each.key.kind, each.key.customer_id, None, each.key.period, {}) for each in settled
        )
        return Digest("sent", told, digest_id, _ARRIVED)
    if delivery.webhook is None:
        raise ConfigurationError("sla.yml has no delivery.webhook, so no alert can be sent again.")
    current = list_alerts(published, delivery.webhook, delivery.first_month)
    alerts = [alert for alert in current if alert.key in entries]
    if sender is None:
        return Digest("would_be_sent", tuple(alerts), digest_id)
    gone = entries.keys() - {alert.key for alert in alerts}
    if gone:
        at = write_instant(read_clock())
        detail = "asked for again, and it holds no more"
        ledger.add([replace(entries[key], state="dropped", at=at, detail=detail) for key in sorted(gone)])
    return sender.send(alerts, read_status(published, EVERY_CUSTOMER), ledger, read_clock(), is_again=True)
