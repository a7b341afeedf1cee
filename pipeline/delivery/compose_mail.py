"""One message to one customer: what the report says in short, and the report. No text reaches a header as it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import SMTP
from email.utils import format_datetime

from pipeline.delivery.due import Due
from pipeline.delivery.ledger import Key
from pipeline.delivery.mail_words import Language, find_language
from pipeline.delivery.sender import Sender
from pipeline.errors import SlaError, is_safe
from pipeline.reporting import figures
from pipeline.reporting.monthly_report import MonthlyReport
from pipeline.reporting.render_report import ReportFiles
from pipeline.rules.load_reference import Customer

_LONGEST_NAME = 120


@dataclass(frozen=True)
class Message:
    """A message as it is handed over: envelope, finished bytes (CRLF), and the SHA-256 of each attached file by name."""

    key: Key
    message_id: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    documents: dict[str, str]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def compose_mail(
    due: Due,
    key: Key,
    report: MonthlyReport,
    files: ReportFiles,
    customer: Customer,
    sender: Sender,
    at: datetime,
) -> Message:
    """The message of an edition. The same key always has the same Message-ID, so that a repeated message is recognized."""
    language = find_language(customer.locale)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(_header(sender.name or "")[:_LONGEST_NAME], addr_spec=sender.address)
    mail["To"] = [Address(addr_spec=recipient) for recipient in customer.recipients]
    if sender.reply_to:
        mail["Reply-To"] = Address(addr_spec=sender.reply_to)
    mail["Subject"] = write_subject(due, report, language)
    mail["Date"] = format_datetime(at)
    message_id = f"<{key.digest()}@{sender.address.rpartition('@')[2].lower()}>"
    mail["Message-ID"] = message_id
    # No out-of-office answers, and the receiving side knows the language.
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = language.locale.replace("_", "-")
    names = (files.pdf.name, files.xlsx.name)
    body = write_body(due, report, names, sender, language)
    mail.set_content(body, charset="utf-8", cte="quoted-printable")
    documents = {}
    for path, kind, digest in (
        (files.pdf, "pdf", files.pdf_sha256),
        (files.xlsx, "vnd.openxmlformats-officedocument.spreadsheetml.sheet", files.xlsx_sha256),
    ):
        mail.add_attachment(path.read_bytes(), "application", kind, filename=path.name)
        documents[path.name] = digest
    # The library draws one at random; the same inputs give the same bytes here too.
    mail.set_boundary(f"=_{key.digest()}")
    content = mail.as_bytes()
    _check_headers(mail, content, due)
    return Message(key, message_id, sender.address, customer.recipients, content, documents)


def write_subject(due: Due, report: MonthlyReport, language: Language) -> str:
    subject = language.say(
        "subject", month=language.month(due.month), customer=_header(report.customer_name)[:_LONGEST_NAME]
    )
    correction = _say_correction(due, language)
    return f"{subject} ({correction})" if correction else subject


def write_body(
    due: Due, report: MonthlyReport, names: tuple[str, str], sender: Sender, language: Language
) -> str:
    """The text of the message, one fact a line. Its figures are those of the report."""
    year, month = map(int, due.month.split("-"))
    first = date(year, month, 1)
    last = (first + timedelta(days=31)).replace(day=1)
    total = report.total
    facts = [
        language.say("customer", customer=_plain(report.customer_name)),
        language.say("period", first=language.day(first), last=language.day(last), zone=report.time_zone),
        language.say("as_of", as_of=figures.instant(report.as_of, report.time_zone)),
        "",
        language.say("submitted", count=language.number(report.tickets_submitted_count)),
        language.say("compliance", rate=language.rate(total.compliance)),
        language.say("breached", count=language.number(total.breached)),
        *([language.say("waived", count=language.number(total.waived))] if total.waived else []),
        *([language.say("undecided", count=language.number(total.undecided))] if total.undecided else []),
        language.say("running", count=language.number(len(report.still_running))),
    ]
    heading = [
        language.say("report", report=due.edition.report_number),
        *([correction] if (correction := _say_correction(due, language)) else []),
    ]
    attached = language.say("attached", pdf=names[0], xlsx=names[1])
    closing = [_plain(line) for line in (sender.name or sender.address, sender.footer or "") if line]
    return "\n".join([*heading, "", *facts, "", attached, "", *closing, ""])


def _say_correction(due: Due, language: Language) -> str | None:
    if not due.edition.correction_number:
        return None
    return language.say(
        "correction", number=due.edition.correction_number, corrects=due.edition.corrects or "–"
    )


def _plain(text: str) -> str:
    """Text of one line in which nothing ends a header, turns a direction or steers a screen."""
    return "".join(character if is_safe(character) else " " for character in text)


def _header(text: str) -> str:
    """Text for a header. The library decodes what looks like an encoded word, with line ends inside, and writes them out."""
    return _plain(text).replace("=?", "= ?")


def _check_headers(mail: EmailMessage, content: bytes, due: Due) -> None:
    """Raises SlaError where the finished bytes have other headers than were set."""
    written = BytesHeaderParser().parsebytes(content).keys()
    if written != mail.keys():
        raise SlaError(
            f"the message of customer {due.customer_id!r} for {due.month} would have headers that were not set, so it was not "
            "made. Look at the customer's name in reference/customers.csv, and at delivery and branding in sla.yml."
        )
