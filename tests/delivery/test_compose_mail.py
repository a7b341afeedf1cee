"""The message of a report: its own customer's words and figures only, in that customer's language, whatever a name holds."""

from __future__ import annotations

import email
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import cast

import pytest

from pipeline.delivery import compose_mail as compose_module
from pipeline.delivery.compose_mail import Message, compose_mail
from pipeline.delivery.due import Due
from pipeline.delivery.mail_words import LANGUAGES, find_language
from pipeline.delivery.sender import Senders
from pipeline.errors import ConfigurationError, SlaError
from pipeline.reporting.edition import Edition
from pipeline.reporting.monthly_report import read_monthly_report
from pipeline.reporting.published import EVERY_CUSTOMER, Bounds, Published, Ratio
from pipeline.reporting.render_report import ReportFiles
from pipeline.rules.branding import DEFAULT_BRANDING, Look, read_looks
from pipeline.rules.delivery_file import CustomerSender, Delivery
from pipeline.rules.load_reference import Customer

AT = datetime(2026, 8, 5, 6, tzinfo=UTC)
DELIVERY = Delivery(
    sender="reports@vendor.example",
    sender_name="Vendor, Support",
    first_month="2026-07",
    allowed_domains=("acme.example",),
    footer="Vendor GmbH, Berlin",
)


SENDERS = Senders(DELIVERY)
ORIGINAL = Edition("closed", "R-2026-07-1")


def compose(
    published: Published,
    folder: Path,
    locale: str = "en",
    name: str | None = None,
    edition: Edition = ORIGINAL,
    recipients: tuple[str, ...] = ("ann@acme.example", "bob@acme.example"),
    senders: Senders = SENDERS,
) -> Message:
    report = read_monthly_report(published, EVERY_CUSTOMER, "acme", "2026-07")
    if name is not None:
        report = replace(report, customer_name=name)
    paths = [folder / f"acme-2026-07.{ending}" for ending in ("pdf", "csv", "xlsx")]
    for path in paths:
        path.write_bytes(path.suffix.encode() * 5000)
    files = ReportFiles("acme", "R", *paths, "1", "2", "3")  # type: ignore[arg-type]
    due = Due("acme", "2026-07", edition)
    customer = Customer("acme", "Acme", locale, recipients)
    return compose_mail(due, due.key("smtp"), report, files, customer, senders.find("acme"), AT)


def parse(message: Message) -> EmailMessage:
    return cast(EmailMessage, email.message_from_bytes(message.content, policy=default))


def text_of(message: Message) -> str:
    body = parse(message).get_body()
    assert body is not None
    return cast(EmailMessage, body).get_content()


def test_message_says_period_figures_and_what_is_attached(published: Published, tmp_path: Path) -> None:
    message = compose(published, tmp_path, name="Acme")
    mail = parse(message)
    assert mail["From"] == '"Vendor, Support" <reports@vendor.example>'
    assert mail["To"] == "ann@acme.example, bob@acme.example"
    assert mail["Subject"] == "SLA report July 2026: Acme"
    assert mail["Date"] == "Wed, 05 Aug 2026 06:00:00 +0000"
    assert mail["Message-ID"] == message.message_id == f"<{message.key.digest()}@vendor.example>"
    # July of acme: 3 + 1 met, 1 breached, 1 not measurable: 4 of 5, and 4 to 5 of 6 with what is undecided.
    assert text_of(message).splitlines() == [
        "Report R-2026-07-1",
        "",
        "Customer: Acme, all tickets",
        "Period: July 1, 2026, 00:00, to August 1, 2026, 00:00 (Europe/Berlin)",
        "Data known until: 2026-08-03 14:00:00 +02:00",
        "",
        "Tickets submitted in this month: 9",
        "Promises met: 66.7\u00a0% to 83.3\u00a0% (4 met, 1 breached, 1 undecided)",
        "Breached: 1",
        "Waived: 1",
        "Not measurable: 1",
        "Still running: 1",
        "",
        "Attached: acme-2026-07.pdf (the report, with its rows as CSV inside) and acme-2026-07.xlsx (the same rows).",
        "",
        "Vendor, Support",
        "Vendor GmbH, Berlin",
    ]
    attached = {part.get_filename(): part.get_content() for part in mail.iter_attachments()}
    assert attached == {"acme-2026-07.pdf": b".pdf" * 5000, "acme-2026-07.xlsx": b".xlsx" * 5000}
    assert message.documents == {"acme-2026-07.pdf": "1", "acme-2026-07.xlsx": "3"}


@pytest.mark.parametrize(
    ("locale", "subject", "line"),
    [
        ("de", "SLA-Bericht Juli 2026: Acme", "Zeitraum: 1. Juli 2026, 00:00 Uhr, bis 1. August 2026, 00:00 Uhr (Europe/Berlin)"),
        (
            "de-CH", "SLA-Bericht Juli 2026: Acme",
            "Eingehaltene Zusagen: 66.7\u00a0% bis 83.3\u00a0% (4 eingehalten, 1 verletzt, 1 offen geblieben)",
        ),
        (
            "fr", "Rapport SLA juillet 2026 : Acme",
            "Engagements tenus : 66,7\u00a0% à 83,3\u00a0% (4 tenus, 1 non tenus, 1 indécidables)",
        ),
        ("ja", "SLA report July 2026: Acme", "Breached: 1"),
        ("de-ZZ", "SLA-Bericht Juli 2026: Acme", "Verletzt: 1"),
    ],
)  # fmt: skip
def test_message_is_in_the_language_of_the_customer(
    published: Published, tmp_path: Path, locale: str, subject: str, line: str
) -> None:
    message = compose(published, tmp_path, locale, "Acme")
    assert parse(message)["Subject"] == subject
    assert line in text_of(message).splitlines()


def test_languages_have_the_same_words() -> None:
    assert len({frozenset(find_language(language).words) for language in LANGUAGES}) == 1


@pytest.mark.parametrize(
    ("ratio", "english", "german"),
    [
        (Ratio(18, 19), "94.7\u00a0% (18 of 19)", "94,7\u00a0% (18 von 19)"),
        (Ratio(1999, 2000), "99.9\u00a0% (1,999 of 2,000)", "99,9\u00a0% (1.999 von 2.000)"),
        (Ratio(0, 0), "n/a (0 of 0)", "k. A. (0 von 0)"),
        (
            Ratio(980, 990, Bounds(980, 990, 1000)),
            "99.0\u00a0% (980 of 990; 98.0\u00a0% to 99.0\u00a0% with 10 undecided)",
            "99,0\u00a0% (980 von 990; 98,0\u00a0% bis 99,0\u00a0%, 10 nicht entscheidbar)",
        ),
        (
            Ratio(0, 0, Bounds(0, 3, 3)),
            "0\u00a0% to 100\u00a0% (0 met, 0 breached, 3 undecided)",
            "0\u00a0% bis 100\u00a0% (0 eingehalten, 0 verletzt, 3 offen geblieben)",
        ),
    ],
)
def test_rate_has_its_parts_in_every_language(ratio: Ratio, english: str, german: str) -> None:
    assert (find_language("en").rate(ratio), find_language("de").rate(ratio)) == (english, german)


def test_correction_names_what_it_corrects(published: Published, tmp_path: Path) -> None:
    edition = Edition("closed", "R-2026-07-2", 1, "R-2026-07-1")
    message = compose(published, tmp_path, name="Acme", edition=edition)
    assert parse(message)["Subject"] == "SLA report July 2026: Acme (Correction 1 of R-2026-07-1)"
    assert text_of(message).splitlines()[:2] == ["Report R-2026-07-2", "Correction 1 of R-2026-07-1"]
    assert message.message_id != compose(published, tmp_path).message_id


def test_same_edition_gives_the_same_bytes(published: Published, tmp_path: Path) -> None:
    assert compose(published, tmp_path).content == compose(published, tmp_path).content


@pytest.mark.parametrize(
    "name",
    [
        "Acme\r\nBcc: eve@other.example",
        "Acme\nTo: eve@other.example\n\nbody",
        "Acme\u2028Bcc: eve@other.example",
        "Acme\x85Bcc: eve@other.example",
        "Acme\x0bBcc: eve@other.example\x0c",
        "=?utf-8?q?Acme=0D=0ABcc:_eve=40other.example?=",
        "Acme <eve@other.example>, Eve",
        "{month} {customer.__class__} %s $x",
        "Ac\u202eme \u200b日本 🚀",
        "x" * 5000,
        ".\r\n.\r\n",
    ],
)
def test_no_name_adds_a_header_a_recipient_or_a_line(published: Published, tmp_path: Path, name: str) -> None:
    message = compose(published, tmp_path, name=name)
    mail = parse(message)
    plain = parse(compose(published, tmp_path, name="Acme"))
    assert mail.keys() == plain.keys()
    assert (mail["To"], mail["From"]) == (plain["To"], plain["From"])
    assert mail["Subject"].startswith("SLA report July 2026: ")
    assert len(text_of(message).splitlines()) == len(
        text_of(compose(published, tmp_path, name="A")).splitlines()
    )
    headers = message.content.split(b"\r\n\r\n", 1)[0]
    assert b"\r\nBcc:" not in headers and headers.isascii()
    assert max(map(len, headers.split(b"\r\n"))) < 998


def test_message_holds_nothing_of_another_customer(published: Published, tmp_path: Path) -> None:
    assert b"SECRET" not in compose(published, tmp_path).content


def test_message_with_a_header_that_was_not_set_is_not_made(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The second line of defence: as if a name had passed the first.
    monkeypatch.setattr(compose_module, "_header", lambda text: text)
    with pytest.raises(SlaError, match="would have headers that were not set, so it was not made"):
        compose(published, tmp_path, name="=?utf-8?q?Acme=0D=0ABcc:_eve=40other.example?=")


def make_look(
    customer_id: str | None, vendor_name: str | None, sender: str | None, footer: str | None
) -> Look:
    [plain] = read_looks(DEFAULT_BRANDING, None, Path())  # type: ignore[arg-type]
    return replace(plain, customer_id=customer_id, vendor_name=vendor_name, sender=sender, footer=footer)


VENDOR_LOOK = make_look(None, "Vendor", "help@vendor.example", "Vendor GmbH")
PARTNER_LOOK = make_look("acme", "Partner", "help@partner.example", "Partner AG, Bern")
OWN = {"acme": CustomerSender(sender="sla@partner.example", sender_name="Partner Care", footer="Partner AG")}
BARE = DELIVERY.model_copy(update={"sender_name": None, "footer": None})


@pytest.mark.parametrize(
    ("senders", "sender", "reply_to", "closing"),
    [
        # Nothing but the address is said.
        (Senders(BARE), "reports@vendor.example", None, ["reports@vendor.example"]),
        # What delivery leaves out, branding says.
        (
            Senders(BARE, (VENDOR_LOOK,)), "Vendor <reports@vendor.example>", "help@vendor.example",
            ["Vendor", "Vendor GmbH"],
        ),
        (
            Senders(DELIVERY, (VENDOR_LOOK,)), '"Vendor, Support" <reports@vendor.example>', "help@vendor.example",
            ["Vendor, Support", "Vendor GmbH, Berlin"],
        ),
        # A customer's own look comes before all that is said of the vendor.
        (
            Senders(DELIVERY, (VENDOR_LOOK, PARTNER_LOOK)), "Partner <reports@vendor.example>", "help@partner.example",
            ["Partner", "Partner AG, Bern"],
        ),
        # And before that, its own sender.
        (
            Senders(DELIVERY.model_copy(update={"customers": OWN}), (VENDOR_LOOK, PARTNER_LOOK)),
            "Partner Care <sla@partner.example>", "help@partner.example", ["Partner Care", "Partner AG"],
        ),
        # A look of a customer that says only what the vendor's says, and a sender of branding that is no address.
        (
            Senders(BARE, (replace(VENDOR_LOOK, sender="The desk"), make_look("acme", "Vendor", "The desk", "Ours"))),
            "Vendor <reports@vendor.example>", None, ["Vendor", "Ours"],
        ),
    ],
)  # fmt: skip
def test_sender_is_that_of_the_customer_and_else_that_of_the_vendor(
    published: Published,
    tmp_path: Path,
    senders: Senders,
    sender: str,
    reply_to: str | None,
    closing: list[str],
) -> None:
    message = compose(published, tmp_path, senders=senders)
    mail = parse(message)
    assert (mail["From"], mail["Reply-To"]) == (sender, reply_to)
    assert text_of(message).splitlines()[-len(closing) :] == closing
    address = sender.rpartition("<")[2].rstrip(">")
    assert message.sender == address
    assert message.message_id.endswith(f"@{address.partition('@')[2]}>")


@pytest.mark.parametrize(
    "name",
    [
        "Partner\r\nBcc: eve@evil.example",
        "Partner\nX-Spam: no\n\nanother body",
        "=?utf-8?q?Partner=0D=0ABcc=3A_eve=40evil.example?=",
        "Partner\u2028Bcc: eve@evil.example",
        'Partner" <eve@evil.example>, "x',
        "P" * 5000,
    ],
)
def test_name_of_a_sender_adds_no_header_and_no_address(
    published: Published, tmp_path: Path, name: str
) -> None:
    looks = (VENDOR_LOOK, make_look("acme", name, name, name))
    message = compose(published, tmp_path, senders=Senders(DELIVERY, looks))
    mail = parse(message)
    assert [each.addr_spec for each in mail["From"].addresses] == ["reports@vendor.example"]
    # What is no address is none to answer to.
    assert [each.addr_spec for each in mail["Reply-To"].addresses] == ["help@vendor.example"]
    assert (
        mail.keys() == parse(compose(published, tmp_path, senders=Senders(DELIVERY, (VENDOR_LOOK,)))).keys()
    )
    assert mail["Bcc"] is None and mail["X-Spam"] is None


def test_sender_of_a_customer_that_there_is_not_is_refused_with_the_nearest_one() -> None:
    senders = Senders(DELIVERY.model_copy(update={"customers": OWN}))
    senders.check(Path("sla.yml"), {"acme", "beta"})
    with pytest.raises(
        ConfigurationError, match="delivery.customers.acme: 'acme' is not in customers.csv.*acme-ltd"
    ):
        senders.check(Path("sla.yml"), {"acme-ltd", "beta"})
