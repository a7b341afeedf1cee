"""The section `delivery` of `sla.yml`: who may receive reports and alerts, from when on, and through which channel."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from pipeline.calendars.calendar_file import Shift
from pipeline.declarations.declared import Declared
from pipeline.declarations.explain_errors import refused
from pipeline.declarations.problems import Place
from pipeline.declarations.values import (
    UNREPEATED,
    OneOf,
    Text,
    Zone,
    filled,
    matching,
    whole_number,
)
from pipeline.rules.mail_addresses import judge_address, judge_domain

CHANNELS = ("eml", "smtp")
# What an alert is about: promises, then what comes to its end.
ALERT_KINDS = ("at_risk", "breached", "threshold_reached", "likely_to_run_out", "term_ends_soon")
_PORTS = {"starttls": 587, "tls": 465}
_LONGEST_LINE = 200


def _check_address(value: str) -> str:
    wrong = judge_address(value)
    if wrong:
        raise refused(*wrong)
    return value


def _check_domain(value: str) -> str:
    wrong = judge_domain(value)
    if wrong:
        raise refused(*wrong)
    return value.lower()


def _check_host(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        return _check_domain(value)


def _check_network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError as problem:
        raise refused(
            f"{value!r} is neither an address nor a network.", "Write it like 10.1.2.3 or 10.1.2.0/24."
        ) from problem


def _check_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        parts, port = None, None
    is_plain = value.isascii() and value.isprintable() and " " not in value
    if not parts or not is_plain or parts.scheme != "https" or not parts.hostname or port == 0:
        raise refused(f"{value!r} is no https address.", "Write it like https://hooks.vendor.example/sla.")
    if "@" in parts.netloc or parts.fragment:
        raise refused(
            f"{value!r} holds a user or a fragment.", "Take it out: requests are signed, see secrets_file."
        )
    return value


def _check_line(value: str) -> str:
    if len(value) > _LONGEST_LINE or not value.isprintable():
        raise refused(
            f"{value!r} is no single line of at most {_LONGEST_LINE} characters.", "Write one short line."
        )
    return value


Address = Annotated[Text, AfterValidator(_check_address)]
Domain = Annotated[Text, AfterValidator(_check_domain)]
Host = Annotated[Text, AfterValidator(_check_host)]
Line = Annotated[Text, AfterValidator(_check_line)]
Domains = Annotated[
    tuple[Domain, ...],
    *UNREPEATED,
    filled("no domain is allowed.", "List the domains of your customers, such as [acme.example]."),
]
Hosts = Annotated[
    tuple[Host, ...],
    *UNREPEATED,
    filled("no host is allowed.", "List the host of the url, such as [hooks.vendor.example]."),
]
Month = Annotated[
    Text, *matching(r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$", "is not a month.", "Write it like 2026-07.")
]
Seconds = Annotated[int, *whole_number(1, 600)]


class SmtpServer(Declared):
    """The mail server that messages are handed to, always encrypted."""

    host: Host
    security: Annotated[str, OneOf(tuple(_PORTS))] = "starttls"
    """starttls on port 587, or tls from the first byte on port 465."""
    port: Annotated[int, *whole_number(1, 65535)] | None = None
    certificates_file: Text | None = None
    """Of your own authority, as PEM; counts from the workspace. Without it, the system's authorities are trusted."""
    timeout_seconds: Seconds = 30

    @property
    def port_used(self) -> int:
        return self.port or _PORTS.get(self.security, 0)


class QuietHours(Declared):
    """When no alert is sent; what arises then goes out with the first run after."""

    time_zone: Zone
    hours: Annotated[tuple[Shift, ...], filled("the list is empty.", 'Write hours such as ["20:00-07:00"].')]


class Webhook(Declared):
    """Where account teams receive alerts: one signed digest per run, each alert once."""

    url: Annotated[Text, AfterValidator(_check_url), Field(json_schema_extra={"pattern": "^https://"})]
    allowed_hosts: Hosts
    """The url's host must be one of them."""
    private_addresses: Annotated[
        tuple[Annotated[Text, AfterValidator(_check_network)], ...], *UNREPEATED
    ] = ()
    """Addresses or networks of your own that the host may resolve to; without it, public addresses only."""
    kinds: Annotated[tuple[Annotated[str, OneOf(ALERT_KINDS)], ...], *UNREPEATED] = ALERT_KINDS
    at_risk_percent: Annotated[tuple[Annotated[int, *whole_number(1, 99)], ...], *UNREPEATED] = (75, 90)
    """Parts of a running promise's target that are used up; each is told once."""
    quiet_hours: QuietHours | None = None
    certificates_file: Text | None = None
    """Of your own authority, as PEM; counts from the workspace."""
    timeout_seconds: Seconds = 10

    def check(self, place: Place) -> None:
        host = (urlsplit(self.url).hostname or "").lower()
        if host and self.allowed_hosts and host not in self.allowed_hosts:
            place.report(
                ["url"],
                f"its host {host!r} is not under allowed_hosts.",
                "Add it there if it may receive alerts.",
            )


class CustomerSender(Declared):
    """Who writes to one customer; what a line leaves out is as without it."""

    sender: Address | None = None
    sender_name: Line | None = None
    reply_to: Address | None = None
    footer: Line | None = None
    """The last line of each message to this customer."""


class Delivery(Declared):
    """How reports reach customers: one message per customer, month and edition, sent at most once."""

    channel: Annotated[str, OneOf(CHANNELS)] = "eml"
    """eml writes each message as a file into reports/outbox; smtp sends it."""
    sender: Address
    sender_name: Line | None = None
    """Beside the address; without it, the vendor_name of branding."""
    reply_to: Address | None = None
    """Where answers go; without it, the sender of branding where that is an address."""
    footer: Line | None = None
    """The last line of each message; without it, the footer of branding."""
    customers: dict[Text, CustomerSender] = {}
    """Customer id -> who writes to it, where that is another one. The look of its reports is in branding."""
    first_month: Month
    """Nothing that lies before it is delivered."""
    allowed_domains: Domains
    """A recipient of any other domain stops that customer's message."""
    most_undecided_points: Annotated[int, *whole_number(0, 100)] = 1
    """How many percentage points the bounds of a figure may lie apart in a report that is sent."""
    smtp: SmtpServer | None = None
    secrets_file: Text | None = None
    """A file of mode 0600 with SLA_SMTP_USER=…, SLA_SMTP_PASSWORD=…, SLA_WEBHOOK_SECRET=…; the environment takes precedence."""
    webhook: Webhook | None = None

    def list_outside(self, recipients: Iterable[str]) -> list[str]:
        """The recipients whose domain is not allowed."""
        return [one for one in recipients if one.rpartition("@")[2].lower() not in self.allowed_domains]

    def check(self, place: Place) -> None:
        if self.channel == "smtp" and self.smtp is None:
            place.report(
                ["channel"],
                "the mail server is missing.",
                "Add smtp: {host: mail.vendor.example}, or take channel: eml.",
            )
