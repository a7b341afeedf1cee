"""The managers' document: its figures against the queries of the command line, its classes, its words, its bytes."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pikepdf
import pypdf
import pytest

from pipeline.errors import ChecksFailed, ConfigurationError
from pipeline.reporting import figures
from pipeline.reporting.breaches import NOT_RECORDED, count_classes, read_breaches, sum_holdings
from pipeline.reporting.compliance import Tally, read_compliance
from pipeline.reporting.edition import Edition, number_pack
from pipeline.reporting.language import read_catalogue
from pipeline.reporting.managers_pack import ManagersPack, read_managers_pack
from pipeline.reporting.published import EVERY_CUSTOMER, Published, Scope, Selection, open_published
from pipeline.reporting.render_managers import PackFiles, compile_pack, render_pack
from pipeline.reporting.tickets import select_obligations
from pipeline.settings import DBT_PROJECT
from pipeline.vocabulary import BREACH_CLASSES, LANGUAGES
from pipeline.whole_files import hash_file
from tests.unit.reporting.published_build import ROWS, Row, publish

JULY = "2026-07"
HOUR = 3600
DRAFT = Edition("provisional", "DM-2026-07-0123456789")


@pytest.fixture(scope="module")
def pack(published: Published) -> ManagersPack:
    return read_managers_pack(published, EVERY_CUSTOMER, JULY)


@pytest.fixture(scope="module")
def files(published: Published, tmp_path_factory: pytest.TempPathFactory) -> PackFiles:
    return render_pack(published, EVERY_CUSTOMER, JULY, tmp_path_factory.mktemp("pack"), DRAFT)


def _text(pdf: bytes) -> str:
    pages = (page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    return re.sub(r"\s+", " ", " ".join(pages).replace("\u200b", ""))


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_every_cut_is_the_one_of_sla_compliance_and_adds_up_to_the_total(
    published: Published, pack: ManagersPack
) -> None:
    selection = Selection(months=(JULY,))
    cuts = {
        "plan": pack.by_plan,
        "severity": pack.by_severity,
        "obligation": pack.by_obligation,
        "customer": pack.by_customer,
    }
    for word, rows in cuts.items():
        found = read_compliance(published, EVERY_CUSTOMER, selection, (word,))
        assert [row.tally for row in rows] == [row.tally for row in found.rows]
        assert sum((row.tally for row in rows), Tally()) == found.total == pack.total
    # July of all customers: acme 3 + 1 met, 1 breached; other 1 met, 1 breached.
    assert (pack.total.met, pack.total.breached, pack.total.waived) == (3 + 1 + 1, 1 + 1, 1)
    # June: T-9 met, T-10 breached.
    assert (pack.previous_total.met, pack.previous_total.breached) == (1, 1)
    assert pack.year_ago_total == Tally()


def test_a_promise_stands_on_one_line_with_its_target_and_every_severity_that_shares_it(
    pack: ManagersPack,
) -> None:
    lines = {(row.obligation, row.severities): row for row in pack.promises if row.targets}
    assert all(row.plan == "standard" for row in lines.values())
    regular = next(
        row for (name, levels), row in lines.items() if name == "first_response" and levels and 3 in levels
    )
    assert regular.targets == ((24 * HOUR, "business_hours"),)
    # Severity 3: T-1, T-2 and SECRET-1 met, T-4 and SECRET-2 breached; T-9 met and T-10 breached in June.
    assert (regular.tally.met, regular.tally.breached) == (3, 2)
    assert (regular.previous.met, regular.previous.breached) == (1, 1)
    told = sum((row.tally for row in pack.promises), Tally())
    assert (told.met, told.breached) == (pack.total.met, pack.total.breached)


def test_classes_sum_to_the_breaches_of_the_month(pack: ManagersPack) -> None:
    counts = pack.class_counts
    assert counts == Counter(
        {("between_teams", "first_response"): 1, ("no_first_touch", "first_response"): 1}
    )
    assert sum(counts.values()) == pack.total.breached
    # Worst first: SECRET-2 is 40 h - 24 h over, T-4 one second.
    assert [(each.obligation.ticket_id, each.obligation.over_by_seconds) for each in pack.breaches] == [
        ("SECRET-2", 16 * HOUR), ("T-4", 1),
    ]  # fmt: skip
    assert pack.previous_class_counts == {("between_teams", "first_response"): 1}


def test_holdings_of_a_breach_sum_to_its_elapsed_seconds_and_before_it_was_due_to_its_target(
    published: Published,
) -> None:
    breached = select_obligations(published, EVERY_CUSTOMER, Selection(statuses=("breached",)))
    for row in breached:
        held = published.fetch(
            dict,
            """
            select sum(counted_seconds) as counted, sum(counted_before_due_seconds) as before_due
            from core.fct_sla_breach_holdings where obligation_key = $key
            """,
            {"key": row.obligation_key},
        )
        assert held == [{"counted": row.elapsed_seconds, "before_due": row.target_seconds}]
    summed = sum_holdings(published, EVERY_CUSTOMER)
    assert sum(each.counted_seconds for each in summed) == sum(row.elapsed_seconds or 0 for row in breached)
    assert sum(each.counted_before_due_seconds for each in summed) == sum(
        row.target_seconds or 0 for row in breached
    )
    assert list(summed) == sorted(summed, key=lambda each: -each.counted_seconds)


def test_breaches_cannot_be_limited_to_a_status(published: Published) -> None:
    with pytest.raises(ConfigurationError, match="one status"):
        read_breaches(published, EVERY_CUSTOMER, Selection(statuses=("met",)))
    with pytest.raises(ConfigurationError, match="one status"):
        count_classes(published, EVERY_CUSTOMER, Selection(statuses=("met",)))


def test_the_document_prints_the_figures_and_says_why(files: PackFiles, pack: ManagersPack) -> None:
    text = _text(files.pdf.read_bytes())
    for row in (*pack.by_plan, *pack.by_severity, *pack.by_obligation, *pack.promises):
        if row.tally.counted:
            assert (
                f"{figures.percent_alone(row.tally.compliance)} {figures.parts(row.tally.compliance)}" in text
            )
    assert "5 of 7 promises were met in July 2026. 2 were breached." in text
    for word in BREACH_CLASSES:
        assert read_catalogue("en")["breach_classes"][word] in text
    # Debug analysis, first response, all, and June.
    assert "All breaches 0 2 2 1" in text
    assert "SECRET & Co other 1 50.0 % 1 of 2" in text
    assert "Draft" in text and "DM-2026-07-0123456789" in text
    assert "ann@example.invalid" not in text and "lea" not in text.split()


def test_the_files_of_rows_are_attached_and_lie_beside_the_document(
    files: PackFiles, pack: ManagersPack
) -> None:
    with pikepdf.open(files.pdf) as pdf:
        attached = {name: pdf.attachments[name].get_file().read_bytes() for name in pdf.attachments}
        marks = pdf.open_metadata()
        assert (marks["pdfaid:part"], marks["pdfaid:conformance"], marks["pdfuaid:part"]) == ("3", "A", "1")
    assert attached == {path.name: path.read_bytes() for path in (files.compliance_csv, files.breaches_csv)}
    counts = [row for row in _rows(attached[files.compliance_csv.name]) if row["month"] == JULY]
    assert sum(int(row["met"]) for row in counts) == pack.total.met
    assert sum(int(row["breached"]) for row in counts) == pack.total.breached
    told = {row["ticket_id"]: row for row in _rows(attached[files.breaches_csv.name])}
    assert {ticket: row["breach_class"] for ticket, row in told.items()} == {
        "SECRET-2": "no_first_touch", "T-4": "between_teams",
    }  # fmt: skip
    assert told["T-4"]["counted_before_handover_seconds"] == str(12 * HOUR)
    assert (told["T-4"]["over_by_seconds"], told["SECRET-2"]["over_by_seconds"]) == ("1", str(16 * HOUR))


def test_the_same_figures_give_the_same_bytes(pack: ManagersPack, files: PackFiles) -> None:
    assert compile_pack(pack, DRAFT) == files.pdf.read_bytes()


@pytest.mark.parametrize("locale", ["de", "fr-CH"])
def test_the_document_is_written_in_the_language_that_is_asked_for(pack: ManagersPack, locale: str) -> None:
    pdf = compile_pack(pack, DRAFT, locale)
    words = read_catalogue(locale[:2])
    text = _text(pdf)
    for heading in ("why", "by_customer", "by_plan", "by_severity", "by_obligation"):
        assert words["managers"][heading] in text
    assert words["breach_classes"]["between_teams"] in text
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert str(opened.Root.Lang).startswith(locale[:2])


def test_a_name_of_200_letters_fits_and_a_customer_without_breaches_is_counted_only(
    pack: ManagersPack,
) -> None:
    long = "Österreichische Donaudampfschifffahrtsgesellschaft " * 4
    renamed = tuple(
        replace(row, customer_name=long[:200]) if row.tally.breached else row for row in pack.by_customer
    )
    assert long[:120] in _text(compile_pack(replace(pack, by_customer=renamed), DRAFT))


def test_a_month_without_tickets_says_so(tmp_path: Path) -> None:
    with open_published(publish(tmp_path, ())) as empty:
        pack = read_managers_pack(empty, EVERY_CUSTOMER, "2026-07")
        text = _text(compile_pack(pack, DRAFT))
    assert pack.total == Tally() and pack.breaches == ()
    assert "No promise came to a verdict in July 2026." in text
    assert "No customer had a breach in this month." in text


def test_a_month_outside_the_data_is_refused_with_those_that_there_are(published: Published) -> None:
    for month in ("2026-09", "2019-01"):
        with pytest.raises(ConfigurationError, match="2026-07"):
            read_managers_pack(published, EVERY_CUSTOMER, month)


def test_no_document_is_made_where_the_month_counts_other_breaches_than_the_tickets_show(
    tmp_path: Path,
) -> None:
    workspace = publish(tmp_path, ROWS)
    file = workspace.published / "build-1.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "update marts.mart_manager__monthly_compliance set breached_count = breached_count + 1 where month = '2026-07'"
        )
    pointer = workspace.published / "current.json"
    pointer.write_text(re.sub(r'"sha256": "\w+"', f'"sha256": "{hash_file(file)}"', pointer.read_text()))
    with open_published(workspace) as other, pytest.raises(ChecksFailed, match="breaches"):
        read_managers_pack(other, EVERY_CUSTOMER, JULY)


def test_a_build_from_before_the_classes_shows_its_breaches_as_not_recorded(tmp_path: Path) -> None:
    workspace = publish(tmp_path, (Row("T-1", "breached", elapsed_seconds=25 * HOUR),))
    file = workspace.published / "build-1.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("drop table core.fct_sla_breaches")
    pointer = workspace.published / "current.json"
    pointer.write_text(re.sub(r'"sha256": "\w+"', f'"sha256": "{hash_file(file)}"', pointer.read_text()))
    with open_published(workspace) as older:
        pack = read_managers_pack(older, EVERY_CUSTOMER, JULY)
        text = _text(compile_pack(pack, DRAFT))
    assert [each.breach_class for each in pack.breaches] == [NOT_RECORDED]
    assert "The month was closed before classes were recorded. 1 1 0" in text


def test_a_closed_month_says_when_and_how_many_corrections_there_are(pack: ManagersPack) -> None:
    closed = Edition("closed", number_pack(JULY), closed_at=datetime(2026, 8, 10, 7, tzinfo=UTC))
    text = _text(compile_pack(pack, closed, None, 2))
    assert "M-2026-07" in text and "Original, closed on 10 Aug 2026, 07:00:00 UTC" in text
    assert "2 corrections since the month was closed; the figures here are those of the closing." in text


def test_a_scope_keeps_other_customers_out_of_the_document(published: Published) -> None:
    pack = read_managers_pack(published, Scope(("acme",)), JULY)
    assert "SECRET" not in _text(compile_pack(pack, DRAFT))


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_class_has_words(code: str) -> None:
    words = read_catalogue(code)
    assert list(words["breach_classes"]) == list(words["breach_meanings"]) == [*BREACH_CLASSES, NOT_RECORDED]


def test_the_classes_are_looked_for_in_the_order_of_the_seed() -> None:
    # The order in which the model asks is the precedence that the decision log and the document state.
    sql = (DBT_PROJECT / "models" / "core" / "fct_sla_breaches.sql").read_text(encoding="utf-8")
    asked = re.findall(r"(?:then|else) '(\w+)'", sql)
    assert tuple(word for word in asked if word in BREACH_CLASSES) == BREACH_CLASSES
