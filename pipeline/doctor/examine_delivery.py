"""Delivery: its settings and secrets, recipients outside of the allowed domains, the ledger, the mail server on request."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pipeline.delivery.credentials import require_login
from pipeline.delivery.ledger import Ledger, list_open_outcomes
from pipeline.delivery.run import check_settings
from pipeline.delivery.send_smtp import SmtpChannel
from pipeline.delivery.sender import Senders
from pipeline.doctor.line import Check, Line, name_some
from pipeline.rules.load_reference import load_customers
from pipeline.rules.load_sources import load_sources
from pipeline.secrets_file import read_secrets
from pipeline.settings import Workspace


def list_checks(workspace: Workspace, tries_smtp: bool) -> list[tuple[str, Check]]:
    """`tries_smtp`: connect to the mail server and log in; nothing is sent."""
    checks: list[tuple[str, Check]] = [
        ("delivery", partial(_examine_settings, workspace)),
        ("deliveries", partial(_examine_ledger, workspace)),
    ]
    if tries_smtp:
        checks.append(("mail server", partial(_examine_smtp, workspace)))
    return checks


def _examine_settings(workspace: Workspace) -> Iterator[Line]:
    config = load_sources(workspace.sla_yml)
    delivery = config.delivery
    if delivery is None:
        yield Line("delivery", "ok", "sla.yml has no section delivery: nothing is delivered")
        return
    # What a run would stop at; it is raised, and so the last line.
    check_settings(workspace, delivery, config.looks)
    secrets = read_secrets(workspace, delivery.secrets_file)
    if delivery.channel == "smtp" and require_login(secrets) is None:
        yield Line(
            "delivery",
            "warning",
            "no login for the mail server is set",
            "Set SLA_SMTP_USER and SLA_SMTP_PASSWORD, unless the server needs none.",
        )
    customers = load_customers(workspace)
    outside = [
        f"{recipient} ({customer.customer_id})"
        for customer in customers.values()
        for recipient in delivery.list_outside(customer.recipients)
    ]
    if outside:
        yield Line(
            "delivery",
            "warning",
            f"recipients outside of allowed_domains: {name_some(outside)}",
            "Add the domains in sla.yml, or take the addresses out of reference/customers.csv: these customers get no report.",
        )
    senders = Senders(delivery, config.looks)
    found = {customer_id: senders.find(customer_id) for customer_id in sorted(customers)}
    own = [
        f"{customer_id}: {sender.name or 'no name'} <{sender.address}>, answers to {sender.reply_to or sender.address}"
        for customer_id, sender in found.items()
        if sender != senders.find_vendor()
    ]
    if own:
        yield Line("delivery", "ok", f"senders of single customers: {name_some(own)}")
    count = sum(bool(customer.recipients) for customer in customers.values())
    yield Line(
        "delivery",
        "ok",
        f"{delivery.channel}, since {delivery.first_month}, {count} customers with recipients",
    )


def _examine_ledger(workspace: Workspace) -> Iterator[Line]:
    open_ones = list_open_outcomes(workspace)
    if open_ones:
        yield Line(
            "deliveries",
            "warning",
            f"{len(open_ones)} were refused or may have arrived",
            "`sla status` lists them, and what to do.",
        )
    else:
        yield Line(
            "deliveries", "ok", f"the ledger is whole; {len(Ledger(workspace).list_newest('sent'))} are sent"
        )


def _examine_smtp(workspace: Workspace) -> Iterator[Line]:
    delivery = load_sources(workspace.sla_yml).delivery
    if delivery is None or delivery.smtp is None:
        yield Line(
            "mail server", "warning", "sla.yml names none", "Add smtp: {host: …} to the section delivery."
        )
        return
    login = require_login(read_secrets(workspace, delivery.secrets_file))
    channel = SmtpChannel(delivery.smtp, workspace.root, login)
    senders = Senders(delivery, ())
    addresses = sorted({delivery.sender, *(senders.find(each).address for each in delivery.customers)})
    try:
        channel.open()
        refused = [
            f"{address} ({why})"
            for address in addresses
            if (why := channel.judge_sender(address)) is not None
        ]
    finally:
        channel.close()
    if refused:
        yield Line(
            "mail server",
            "wrong",
            f"does not take as sender: {name_some(refused)}",
            "Correct the sender under delivery in sla.yml, or permit it on the server.",
        )
    told = "accepts the login" if login else "answers"
    yield Line(
        "mail server", "ok", f"{delivery.smtp.host}, port {delivery.smtp.port_used}, is encrypted and {told}"
    )
