"""Messages and settings as the tests of channels need them."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from pipeline.delivery.compose_mail import Message
from pipeline.delivery.ledger import Key
from pipeline.delivery.send_smtp import SmtpChannel
from pipeline.rules.delivery_file import SmtpServer
from pipeline.secrets_file import Secret
from tests.delivery.mail_server import MailServer


def make_message(*recipients: str, body: str = "One report.\n") -> Message:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "reports@vendor.example"
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = "SLA report"
    mail.set_content(body)
    key = Key("acme", "2026-07", "report", "R-2026-07-1", "smtp")
    return Message(
        key, f"<{key.digest()}@vendor.example>", "reports@vendor.example", recipients, mail.as_bytes(), {}
    )


def connect(
    server: MailServer, kind: str = "starttls", login: tuple[str, str] | None = None, is_trusted: bool = True
) -> SmtpChannel:
    """The channel to one of the server's ports."""
    settings = SmtpServer(
        host="127.0.0.1",
        port=server.ports[kind],
        security="tls" if kind == "tls" else "starttls",
        certificates_file=str(server.certificates.authority) if is_trusted else None,
        timeout_seconds=5,
    )
    secrets = None if login is None else (Secret(login[0]), Secret(login[1]))
    return SmtpChannel(settings, Path("/"), secrets)
