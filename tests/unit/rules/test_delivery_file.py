"""The section `delivery` of sla.yml, and the addresses in it and in customers.csv: what is taken, what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ConfigurationError, InputRejected
from pipeline.rules.delivery_file import Delivery
from pipeline.rules.load_reference import Customer, load_customers
from pipeline.rules.load_rules import fingerprint_rules
from pipeline.rules.load_sources import load_sources
from pipeline.rules.mail_addresses import judge_address
from pipeline.settings import Workspace

SMALLEST = """\
delivery:
  sender: reports@vendor.example
  first_month: 2026-07
  allowed_domains: [acme.example]
"""


def read(folder: Path, text: str) -> Delivery | None:
    (folder / "sla.yml").write_text(f"sources: {{}}\n{text}", encoding="utf-8")
    return load_sources(folder / "sla.yml").delivery


def test_without_the_section_nothing_is_delivered(tmp_path: Path) -> None:
    assert read(tmp_path, "") is None


def test_smallest_section_writes_files_and_allows_one_undecided_point(tmp_path: Path) -> None:
    delivery = read(tmp_path, SMALLEST)
    assert delivery is not None
    assert (delivery.channel, delivery.most_undecided_points, delivery.webhook) == ("eml", 1, None)


def test_mail_server_is_encrypted_and_has_the_port_of_its_kind(tmp_path: Path) -> None:
    for security, port in (("starttls", 587), ("tls", 465)):
        smtp = f"  channel: smtp\n  smtp: {{host: mail.vendor.example, security: {security}}}\n"
        delivery = read(tmp_path, SMALLEST + smtp)
        assert delivery is not None and delivery.smtp is not None
        assert delivery.smtp.port_used == port


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("delivery: {}\n", "the key 'first_month' is missing."),
        (
            SMALLEST.replace("[acme.example]", "[]"),
            "sla.yml:5: delivery.allowed_domains: no domain is allowed. List the domains of your customers",
        ),
        (
            SMALLEST.replace("[acme.example]", "['*']"),
            "sla.yml:5: delivery.allowed_domains.0: '*' is not a domain. Write it like acme.example.",
        ),
        (
            SMALLEST + "  reply_to: a@v.example;b@v.example\n",
            "delivery.reply_to: 'a@v.example;b@v.example' is not a mail address. Write one, like ann@acme.example.",
        ),
        (SMALLEST.replace("2026-07", "2026-13"), "delivery.first_month: '2026-13' is not a month."),
        (
            SMALLEST.replace("reports@", "reports @"),
            "delivery.sender: 'reports @vendor.example' is not a mail",
        ),
        (SMALLEST + "  channel: smtp\n", "delivery.channel: the mail server is missing. Add smtp: {host:"),
        (
            SMALLEST + "  chanel: smtp\n",
            "delivery.chanel: this key is not known here. Did you mean 'channel'?",
        ),
        (SMALLEST + "  channel: fax\n", "delivery.channel: 'fax' is not known here."),
        (
            SMALLEST + "  smtp: {host: m.example, security: none}\n",
            "delivery.smtp.security: 'none' is not known",
        ),
        (SMALLEST + "  most_undecided_points: 101\n", "101 is not a whole number from 0 to 100."),
        (SMALLEST + '  sender_name: "Support\\r\\nBcc: x@y.example"\n', "is no single line of at most 200"),
        (
            SMALLEST + "  webhook: {url: 'http://h.example/', allowed_hosts: [h.example]}\n",
            "delivery.webhook.url: 'http://h.example/' is no https address.",
        ),
        (
            SMALLEST + "  webhook: {url: 'https://u:p@h.example/', allowed_hosts: [h.example]}\n",
            "holds a user or a fragment.",
        ),
        (
            SMALLEST + "  webhook: {url: 'https://h.example/', allowed_hosts: [other.example]}\n",
            "delivery.webhook.url: its host 'h.example' is not under allowed_hosts.",
        ),
        (
            SMALLEST
            + "  webhook: {url: 'https://h.example/', allowed_hosts: [h.example], quiet_hours: "
            + "{time_zone: Berlin, hours: ['20:00-07:00']}}\n",
            "delivery.webhook.quiet_hours.time_zone: 'Berlin' is not a time zone.",
        ),
    ],
)
def test_wrong_value_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(tmp_path, text)
    assert message in str(refused.value)


def test_who_receives_what_does_not_change_the_name_of_a_build(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    read(tmp_path, "")
    without = fingerprint_rules(workspace)
    read(tmp_path, SMALLEST)
    assert fingerprint_rules(workspace) == without
    read(tmp_path, "keep_exports: true\n")
    assert fingerprint_rules(workspace) != without


@pytest.mark.parametrize(
    "address",
    ["ann@acme.example", "ann.o'hara+sla@mail.acme.example", "a@xn--mller-kva.example", "ann@ACME.example"],
)
def test_plain_address_is_taken(address: str) -> None:
    assert judge_address(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "ann",
        "@acme.example",
        "ann@",
        "ann@acme..example",
        "ann@-acme.example",
        "ann@acme.example.",
        "ann@1.2.3.4",
        ".ann@acme.example",
        "a..b@acme.example",
        '"a b"@acme.example',
        "ann@acme.example,eve@other.example",
        "ann<eve@other.example>",
        "ann@acme.example\r\nBcc: eve@other.example",
        "ann@acme.example\u2028",
        "ann\u200b@acme.example",
        "ann@аcme.example",  # the first letter is Cyrillic
        "ann@müller.example",
        "ännchen@acme.example",
        "ann@xn--acme.example",
        "ann@xn--a.example",
        "a@b@acme.example",
        f"{'a' * 65}@acme.example",
        f"ann@{'a' * 64}.example",
        f"ann@{'a.' * 126}example",
    ],
)
def test_address_that_could_be_read_as_another_is_refused(address: str) -> None:
    assert judge_address(address) is not None


def test_customer_has_its_own_recipients_each_once(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.reference.mkdir()
    (workspace.reference / "customers.csv").write_text(
        "customer_id,name,time_zone,locale,report_recipients\n"
        "acme,Acme,UTC,de,ann@acme.example; bob@acme.example;ann@acme.example\n"
        "beta,Beta,UTC,,\n",
        encoding="utf-8",
    )
    assert load_customers(workspace) == {
        "acme": Customer("acme", "Acme", "de", ("ann@acme.example", "bob@acme.example")),
        "beta": Customer("beta", "Beta", None, ()),
    }


def test_recipient_outside_of_ascii_is_refused_with_its_line(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.reference.mkdir()
    (workspace.reference / "customers.csv").write_text(
        "customer_id,name,time_zone,locale,report_recipients\nacme,Acme,UTC,de,ann@аcme.example\n",
        encoding="utf-8",
    )
    with pytest.raises(InputRejected) as refused:
        load_customers(workspace)
    assert "customers.csv:2: report_recipients: 'ann@аcme.example' holds letters outside of ASCII." in str(
        refused.value
    )
