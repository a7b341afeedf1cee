"""The command `sla send`, and the last step of `sla run`, against a real mail server: nothing is sent twice, whatever happens."""

from __future__ import annotations

import csv
import email
import hashlib
import html
import io
import json
import os
import re
import shutil
import signal
import time
import zipfile
from email.policy import default
from pathlib import Path
from typing import Any

import pypdf
import pytest
from filelock import FileLock

from pipeline.delivery.ledger import Entry, Ledger
from pipeline.periods.deliverable import documents_of_periods
from pipeline.periods.records import read_history
from pipeline.settings import Workspace
from pipeline.whole_files import seal
from tests.delivery.mail_server import MailServer, Received
from tests.delivery.settings import MONTH, configure, set_recipients
from tests.end_to_end.command_line import Finished, run_sla, start_sla
from tests.end_to_end.published import query, read_pointer

# Customers of the demo with a report of May 2026 whose figures are certain.
MULLER, HARBOUR, LEMERET, KESTREL = (
    "muller-sohne-logistik-gmbh",
    "harbour-light-studios",
    "groupe-lemeret-energie",
    "kestrel-aerospace-ltd",
)
# This one's are only bounds.
AURORA = "aurora-grid-oy"


@pytest.fixture
def vendor(demo_workspace: Path, tmp_path: Path) -> Path:
    """A copy of the published demo, in a folder with blanks in its name."""
    return shutil.copytree(demo_workspace, tmp_path / "support reporting")


def allow_all_domains(root: Path) -> None:
    """Those of the demo's own recipients, so that customers.csv stays as it was when the build was made."""
    with (root / "reference" / "customers.csv").open(encoding="utf-8", newline="") as file:
        recipients = [
            address for row in csv.DictReader(file) for address in row["report_recipients"].split(";")
        ]
    domains = sorted({address.partition("@")[2] for address in recipients if address})
    path = root / "sla.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[x.example]", f"[{', '.join(domains)}]"), encoding="utf-8")


def send(root: Path, *arguments: str, **changes: str) -> Finished:
    return run_sla("send", *arguments, workspace=root, **changes)


def statuses(finished: Finished) -> dict[str, str]:
    return {one["customer_id"]: one["status"] for one in json.loads(finished.out)["reports"]}


def by_recipient(received: list[Received]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for one in received:
        counted[one.recipients[0]] = counted.get(one.recipients[0], 0) + 1
    return counted


def ledger_states(root: Path) -> dict[str, str]:
    """The newest state of each customer's report."""
    path = root / "warehouse" / "deliveries" / "ledger.ndjson"
    if not path.exists():
        return {}
    lines = path.read_bytes().split(b"\n")[:-1]
    records: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return {record["key"]["customer_id"]: record["state"] for record in records}


def test_each_customer_gets_its_own_report_once(vendor: Path, mail_server: MailServer) -> None:
    configure(vendor, mail_server)
    set_recipients(
        vendor, {MULLER: "m@x.example", HARBOUR: "h@x.example;h2@x.example", LEMERET: "l@x.example"}
    )
    first = send(vendor, "--json").expect(0)
    told = {one["customer_id"]: one for one in json.loads(first.out)["reports"]}
    assert told[HARBOUR]["status"] == "sent"
    assert told[HARBOUR]["recipients"] == ["h@x.example", "h2@x.example"]
    assert told[KESTREL]["status"] == "no_recipients"
    received = mail_server.received()
    assert [one.recipients for one in received] == [
        ("l@x.example",),
        ("h@x.example", "h2@x.example"),
        ("m@x.example",),
    ]
    assert all(one.is_encrypted for one in received)
    assert_mails_hold_their_own_customer_only(vendor, received, (LEMERET, HARBOUR, MULLER))
    again = send(vendor, "--json").expect(0)
    assert "sent" not in statuses(again).values()
    assert len(mail_server.received()) == 3
    assert set(ledger_states(vendor).values()) == {"sent"}


def assert_mails_hold_their_own_customer_only(
    root: Path, received: list[Received], customers: tuple[str, ...]
) -> None:
    """No ticket, subject or name of another customer stands in any part of a mail."""
    owners = dict(query(root, "select ticket_id, customer_id from core.dim_tickets"))
    names = dict(query(root, "select customer_id, customer_name from core.dim_customers"))
    for one, customer in zip(received, customers, strict=True):
        mail = email.message_from_bytes(one.content, policy=default)
        body = mail.get_body()  # type: ignore[attr-defined]
        text = body.get_content()
        [pdf, xlsx] = [part.get_content() for part in mail.iter_attachments()]  # type: ignore[attr-defined]
        reader = pypdf.PdfReader(io.BytesIO(pdf))
        printed = "\n".join(page.extract_text() for page in reader.pages)
        attached = b"".join(
            content for contents in reader.attachments.values() for content in contents
        ).decode()
        with zipfile.ZipFile(io.BytesIO(xlsx)) as parts:
            strings = parts.read("xl/sharedStrings.xml").decode()
        cells = [html.unescape(cell) for cell in re.findall(r"<t[^>]*>([^<]*)</t>", strings)]
        tickets = {cell for cell in cells if cell in owners}
        assert tickets and {owners[ticket] for ticket in tickets} == {customer}
        everything = "\n".join([str(mail["Subject"]), text, printed, attached, *cells])
        assert names[customer] in everything
        assert [name for other, name in names.items() if other != customer and name in everything] == []


def test_each_failure_is_its_own_customers_and_the_others_are_delivered(
    vendor: Path, mail_server: MailServer
) -> None:
    configure(vendor, mail_server)
    set_recipients(
        vendor,
        {
            MULLER: "r550@x.example",
            HARBOUR: "h@x.example",
            LEMERET: "drop@x.example",
            KESTREL: "d451@x.example",
        },
    )
    done = send(vendor, "--json").expect(
        5,
        f"{MULLER}, {MONTH}: refused: no recipient was taken (r550@x.example: 550 5.1.1 no such person here).",
    )
    assert {name: statuses(done)[name] for name in (MULLER, HARBOUR, LEMERET, KESTREL)} == {
        MULLER: "refused",
        HARBOUR: "sent",
        LEMERET: "unknown",
        KESTREL: "prepared",
    }
    # What was refused and what is not known are told again and not tried again; what did not leave is tried.
    set_recipients(
        vendor,
        {MULLER: "r550@x.example", HARBOUR: "h@x.example", LEMERET: "drop@x.example", KESTREL: "k@x.example"},
    )
    send(vendor).expect(5, f"{LEMERET}, {MONTH}: it may have arrived", f"{MULLER}, {MONTH}: refused")
    assert by_recipient(mail_server.received()) == {"h@x.example": 1, "k@x.example": 1}
    told = run_sla("status", workspace=vendor).expect(0).out
    assert "Deliveries to look at" in told and "may have arrived" in told
    # With another recipient, what was refused is another delivery.
    set_recipients(vendor, {MULLER: "m@x.example", LEMERET: "l@x.example"})
    send(vendor).expect(5, "1 of")
    assert by_recipient(mail_server.received()) == {"h@x.example": 1, "k@x.example": 1, "m@x.example": 1}
    send(vendor, "--customer", LEMERET, "--month", MONTH, "--arrived").expect(0)
    send(vendor).expect(0)
    assert len(mail_server.received()) == 3


def test_run_that_is_killed_between_sending_and_recording_sends_nothing_twice(
    vendor: Path, mail_server: MailServer
) -> None:
    configure(vendor, mail_server)
    set_recipients(vendor, {LEMERET: "hold@x.example", MULLER: "m@x.example"})
    process = start_sla("send", workspace=vendor)
    deadline = time.monotonic() + 60
    while not mail_server.received() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert ledger_states(vendor) == {LEMERET: "sending"}
    set_recipients(vendor, {LEMERET: "l@x.example", MULLER: "m@x.example"})
    send(vendor, "--json").expect(
        5, "it may have arrived", "the run was killed before the outcome was on record"
    )
    assert by_recipient(mail_server.received()) == {"hold@x.example": 1, "m@x.example": 1}
    # Sent again on request only, and recognizable as the same message.
    send(vendor, "--customer", LEMERET, "--month", MONTH, "--resend").expect(0)
    ids = [email.message_from_bytes(one.content)["Message-ID"] for one in mail_server.received()]
    assert len(ids) == 3 and len(set(ids)) == 2


def take_last_line_back(root: Path, whole: bytes) -> None:
    """As if the run had been killed before it added the last line to the ledger, and counted it."""
    kept = whole.splitlines(keepends=True)[:-1]
    (root / "warehouse" / "deliveries" / "ledger.ndjson").write_bytes(b"".join(kept))
    count = {"lines": len(kept), "newest_sha256": hashlib.sha256(kept[-1]).hexdigest()}
    (root / "warehouse" / "deliveries.json").write_bytes(seal(count))


def test_files_in_the_outbox_are_proven_after_a_kill(vendor: Path) -> None:
    configure(vendor)
    set_recipients(vendor, {LEMERET: "l@x.example"})
    send(vendor).expect(0)
    whole = (vendor / "warehouse" / "deliveries" / "ledger.ndjson").read_bytes()
    take_last_line_back(vendor, whole)
    send(vendor).expect(0)
    assert ledger_states(vendor) == {LEMERET: "sent"}
    [mail] = (vendor / "reports" / "outbox").iterdir()
    # Picked up in the meantime, it cannot be known.
    take_last_line_back(vendor, whole)
    mail.unlink()
    send(vendor).expect(5, "it may have arrived")
    assert list((vendor / "reports" / "outbox").iterdir()) == []


def test_mail_server_that_does_not_answer_is_exit_code_8_and_loses_nothing(
    vendor: Path, mail_server: MailServer
) -> None:
    configure(vendor, mail_server, port=1)
    set_recipients(vendor, {LEMERET: "l@x.example", MULLER: "m@x.example"})
    done = send(vendor, "--json").expect(8, "The mail server 127.0.0.1, port 1, cannot be used")
    assert statuses(done)[LEMERET] == "prepared"
    assert statuses(done)[MULLER] == "not_tried"
    configure(vendor, mail_server)
    send(vendor).expect(0)
    assert len(mail_server.received()) == 2


def test_report_of_bounds_is_held_back_until_they_are_allowed(vendor: Path) -> None:
    configure(vendor)
    set_recipients(vendor, {AURORA: "a@x.example", LEMERET: "l@x.example"})
    done = send(vendor, "--json").expect(
        4, f"{AURORA}, {MONTH}: held back: more is undecided than most_undecided_points of sla.yml allows (1)"
    )
    assert statuses(done)[LEMERET] == "sent"
    assert len(list((vendor / "reports" / "outbox").iterdir())) == 1
    configure(vendor, None, "  most_undecided_points: 100")
    send(vendor).expect(0)
    assert len(list((vendor / "reports" / "outbox").iterdir())) == 2


def test_recipient_outside_of_the_allowed_domains_gets_nothing(vendor: Path) -> None:
    configure(vendor)
    set_recipients(vendor, {LEMERET: "l@x.example;eve@other.example"})
    send(vendor).expect(
        5, f"{LEMERET}, {MONTH}: held back: the domain of eve@other.example is not under allowed_domains"
    )
    assert not (vendor / "reports" / "outbox").exists()


def test_dry_run_says_what_would_go_to_whom_and_leaves_nothing(vendor: Path, mail_server: MailServer) -> None:
    configure(vendor, mail_server)
    set_recipients(vendor, {LEMERET: "l@x.example", AURORA: "a@x.example"})
    before = sorted(path for path in vendor.rglob("*"))
    done = send(vendor, "--dry-run", "--json").expect(4)
    told = {one["customer_id"]: one for one in json.loads(done.out)["reports"]}
    assert (told[LEMERET]["status"], told[LEMERET]["recipients"]) == ("would_be_sent", ["l@x.example"])
    assert told[LEMERET]["subject"] == "Rapport SLA mai 2026 : Groupe Lémeret Énergie"
    assert "Engagements tenus : " in told[LEMERET]["body"]
    assert told[AURORA]["status"] == "held"
    assert sorted(path for path in vendor.rglob("*")) == before
    assert mail_server.received() == []


def test_damaged_ledger_stops_delivery_and_is_told_by_status(vendor: Path) -> None:
    configure(vendor)
    set_recipients(vendor, {LEMERET: "l@x.example"})
    send(vendor).expect(0)
    ledger = vendor / "warehouse" / "deliveries" / "ledger.ndjson"
    ledger.write_bytes(ledger.read_bytes().replace(b'"sent"', b'"lost"'))
    send(vendor).expect(2, "ledger.ndjson, line 3, is damaged", "so nothing is delivered")
    run_sla("status", workspace=vendor).expect(2, "is damaged")


def test_secrets_come_from_the_environment_or_a_file_of_mode_0600_and_are_never_shown(
    vendor: Path, mail_server: MailServer
) -> None:
    from tests.delivery.mail_server import PASSWORD, USER

    configure(vendor, mail_server, "  secrets_file: secrets", port=mail_server.ports["login"])
    set_recipients(vendor, {LEMERET: "l@x.example"})
    secrets = vendor / "secrets"
    secrets.write_text(f"SLA_SMTP_USER={USER}\nSLA_SMTP_PASSWORD={PASSWORD}\n", encoding="utf-8")
    secrets.chmod(0o644)
    send(vendor).expect(2, "has mode 0644, so other users may read it. Run: chmod 600")
    secrets.chmod(0o600)
    wrong = send(vendor, SLA_SMTP_PASSWORD="hunter2 is wrong").expect(8, "does not accept the login (535)")
    right = send(vendor).expect(0)
    assert len(mail_server.received()) == 1
    said = "".join([wrong.out, wrong.err, right.out, right.err])
    kept = (vendor / "warehouse" / "deliveries" / "ledger.ndjson").read_text(encoding="utf-8")
    assert "hunter2" not in said + kept and PASSWORD not in said + kept


def test_send_while_another_run_holds_the_workspace_is_exit_code_6(
    vendor: Path, mail_server: MailServer
) -> None:
    configure(vendor, mail_server)
    set_recipients(vendor, {LEMERET: "l@x.example"})
    with FileLock(vendor / "warehouse" / "lock"):
        send(vendor).expect(6, "Another run is writing")
    assert mail_server.received() == []


def test_run_delivers_what_is_due_once_and_says_in_one_document_who_got_what(
    vendor: Path, mail_server: MailServer
) -> None:
    before = read_pointer(vendor)
    without = run_sla("run", "--json", workspace=vendor).expect(0)
    assert [line for line in without.err.splitlines() if "deliver" in line] == [
        "Nothing is delivered: sla.yml has no section delivery."
    ]
    answers = json.loads(without.out)
    assert answers["deliveries"] is None
    assert {one["status"] for one in answers["landed"]} == {"already_landed"}
    # Who receives what changes no figure: the build stays.
    configure(vendor, mail_server)
    allow_all_domains(vendor)
    done = run_sla("run", "--json", workspace=vendor).expect(4, "held back: more is undecided")
    assert read_pointer(vendor) == before
    reports = {one["customer_id"]: one for one in json.loads(done.out)["deliveries"]["reports"]}
    assert (reports[LEMERET]["status"], reports[AURORA]["status"]) == ("sent", "held")
    assert len(reports[LEMERET]["recipients"]) == 2
    sent = by_recipient(mail_server.received())
    assert len(sent) > 20 and set(sent.values()) == {1}
    run_sla("run", workspace=vendor).expect(4)
    assert by_recipient(mail_server.received()) == sent


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("  secrets_file: no-such-file",), "secrets_file: {root}/no-such-file cannot be read as text"),
        (
            ("  webhook: {url: 'https://h.example/', allowed_hosts: [h.example]}",),
            "SLA_WEBHOOK_SECRET is not set, and alerts are only sent signed",
        ),
        (
            ("  customers: {groupe-lemeret: {sender: a@partner.example}}",),
            "delivery.customers.groupe-lemeret: 'groupe-lemeret' is not in customers.csv. "
            "Did you mean 'groupe-lemeret-energie'?",
        ),
    ],
)
def test_settings_with_which_nothing_could_be_sent_stop_a_run_before_it_lands_or_builds_anything(
    vendor: Path, lines: tuple[str, ...], words: str
) -> None:
    configure(vendor, None, *lines)
    # Something that a run would land and build.
    (vendor / "inbox" / "portal" / "tickets-new.csv").write_text("no,such,header\n1,2,3\n", encoding="utf-8")
    before = sorted(path for path in vendor.rglob("*"))
    told = run_sla("run", workspace=vendor).expect(2, words.format(root=vendor))
    assert "rejected" not in told.err and "Build" not in told.err
    # The run leaves its own record, and the mark of the state's version.
    warehouse = vendor / "warehouse"
    runs = {warehouse / "runs", *(warehouse / "runs").iterdir(), warehouse / "state.json"}
    assert sorted({*vendor.rglob("*")} - runs) == sorted({*before} - runs)


def test_customer_with_a_sender_of_its_own_gets_its_mail_from_there(
    vendor: Path, mail_server: MailServer
) -> None:
    own = '{sender: sla@partner.example, sender_name: "Partner, Care", footer: Partner AG}'
    configure(vendor, mail_server, f"  customers: {{{LEMERET}: {own}}}")
    set_recipients(vendor, {LEMERET: "l@x.example", MULLER: "m@x.example"})
    send(vendor).expect(0)
    mails = {
        one.recipients: (one.sender, email.message_from_bytes(one.content, policy=default))
        for one in mail_server.received()
    }
    sender, mail = mails[("l@x.example",)]
    assert (sender, mail["From"]) == ("sla@partner.example", '"Partner, Care" <sla@partner.example>')
    # What branding says of the vendor, where nothing else is said.
    sender, mail = mails[("m@x.example",)]
    assert (sender, mail["From"]) == ("reports@vendor.example", "Fernhill Support <reports@vendor.example>")
    assert mail["Reply-To"] == "service-reports@vendor.example"


def test_run_with_a_rejected_file_delivers_nothing(vendor: Path, mail_server: MailServer) -> None:
    configure(vendor, mail_server)
    allow_all_domains(vendor)
    (vendor / "inbox" / "portal" / "tickets-new.csv").write_text("no,such,header\n1,2,3\n", encoding="utf-8")
    run_sla("run", workspace=vendor).expect(3, "Nothing was closed or delivered: files were rejected")
    assert mail_server.received() == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--resend",), "--resend and --arrived are for named reports"),
        (("--resend", "--customer", LEMERET), "add --customer ID and --month YYYY-MM"),
        (("--month", "2026-01"), "2026-01 lies before first_month of sla.yml, 2026-05"),
        (
            ("--customer", "no-such-customer"),
            "There is no closed month of customer 'no-such-customer' since 2026-05",
        ),
        (("--arrived", "--dry-run", "--customer", LEMERET, "--month", MONTH), "--arrived sends nothing"),
    ],
)
def test_wrong_question_is_refused(vendor: Path, arguments: tuple[str, ...], words: str) -> None:
    configure(vendor)
    send(vendor, *arguments).expect(2, words)


def test_send_without_the_section_says_what_is_missing(demo_workspace: Path) -> None:
    send(demo_workspace, "--dry-run").expect(2, "has no section delivery, so nothing may be sent")


def test_correction_of_a_delivered_month_goes_to_its_own_customer_once(
    corrected_workspace: Path, tmp_path: Path
) -> None:
    root = shutil.copytree(corrected_workspace, tmp_path / "vendor")
    configure(root, None, "  most_undecided_points: 100")
    allow_all_domains(root)
    workspace = Workspace(root)
    originals = [
        due for due in documents_of_periods(workspace).list_since(MONTH) if not due.edition.correction_number
    ]
    # As if the run before the correction had delivered all of them.
    ledger = Ledger(workspace)
    ledger.add(
        [
            Entry(
                due.key("eml"),
                "sent",
                1,
                "2026-09-21T14:13:20Z",
                "<m@v.example>",
                "0" * 64,
                (),
                "",
                {},
                {},
                "",
            )
            for due in originals
        ]
    )
    done = send(root, "--json").expect(0)
    sent = {one["customer_id"]: one for one in json.loads(done.out)["reports"]}
    corrected = {each.customer_id for each in read_history(workspace).corrections(month=MONTH)}
    assert corrected and set(sent) == corrected < {due.customer_id for due in originals}
    assert {one["edition"] for one in sent.values()} == {1}
    numbers = {due.customer_id: due.edition.report_number for due in originals}
    for path in (root / "reports" / "outbox").iterdir():
        subject = str(email.message_from_bytes(path.read_bytes(), policy=default)["Subject"])
        assert any(f" 1 of {number})" in subject or f" 1 zu {number})" in subject or f" 1 de {number})" in subject
                   for customer, number in numbers.items() if customer in corrected)  # fmt: skip
    assert len(list((root / "reports" / "outbox").iterdir())) == len(corrected)
    again = send(root, "--json").expect(0)
    assert json.loads(again.out)["reports"] == []
