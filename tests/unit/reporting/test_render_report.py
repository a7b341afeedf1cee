from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pypdf
import pytest

from pipeline.errors import ConfigurationError
from pipeline.reporting import figures, glyphs, render_report
from pipeline.reporting.compliance import Tally
from pipeline.reporting.draw_trend import describe_trend, draw_trend
from pipeline.reporting.edition import Edition
from pipeline.reporting.monthly_report import MonthlyReport, read_monthly_report
from pipeline.reporting.published import Published, Ratio, Scope, open_published
from tests.unit.reporting.published_build import Row, publish

ACME = Scope(("acme",))


@pytest.fixture(scope="module")
def files(published: Published, tmp_path_factory: pytest.TempPathFactory) -> render_report.ReportFiles:
    return render_report.render_report(published, ACME, "acme", "2026-07", tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="module")
def report(published: Published) -> MonthlyReport:
    return read_monthly_report(published, ACME, "acme", "2026-07")


def _text(pdf: bytes) -> str:
    """The text of all pages with every run of spaces as one: a line may end anywhere."""
    pages = (page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    return re.sub(r"\s+", " ", " ".join(pages).replace("\u200b", ""))


def _in_a_column(rate: Ratio) -> str:
    return (
        figures.percent(rate)
        if rate.bounds is None
        else f"{figures.percent_alone(rate)} {figures.parts(rate)}"
    )


def _compiled(report: MonthlyReport) -> str:
    return _text(
        render_report.compile_pdf(report, render_report.draft_edition(report), b"ticket_id\r\n", "rows.csv")
    )


def test_report_prints_the_same_numerators_as_the_queries(
    files: render_report.ReportFiles, report: MonthlyReport
) -> None:
    text = _text(files.pdf.read_bytes())
    for promise in report.promises:
        for rate in (promise.tally.compliance, promise.previous.compliance):
            assert _in_a_column(rate) in text
    assert _in_a_column(report.total.compliance) == "66.7 % to 83.3 % 4 met, 1 breached, 1 undecided"
    assert _in_a_column(report.total.compliance) in text
    assert (
        "Of 5 promises with a verdict 4 were met in July 2026; 1 was breached. "
        "Of 1 more the source does not carry enough evidence for a verdict." in text
    )
    assert (
        "Targets alone: 60.0 % to 80.0 % (3 met, 1 breached, 1 undecided). Estimates alone: 100.0 % (1 of 1)."
        in text
    )
    # A rate that has only bounds has no change to the month before.
    assert "change n/a" in text
    assert (
        "The source carries no evidence of the event that stops this promise (could be met or breached)"
        in text
    )
    assert "Sources known until helpdesk 2026-06-30 14:00:00 +02:00" in text


def test_report_lists_what_was_breached_waived_running_and_excluded(files: render_report.ReportFiles) -> None:
    text = _text(files.pdf.read_bytes())
    for part in (
        "2026-07-10 11:00:00 +02:00",  # T-4 was due
        "Customer's own network was down",
        "over 75 % used",
        "The ticket came through a channel that the plan does not support",
        "not stated", "unlimited", "Company day",
        "Plan table, row First Non-Automated response (Level 1-4 Tickets)",
        "the earlier of the old due instant and the new target counts",
    ):  # fmt: skip
        assert part in text


def test_report_is_tagged_titled_dated_and_numbered(files: render_report.ReportFiles) -> None:
    reader = pypdf.PdfReader(files.pdf)
    assert reader.metadata is not None
    assert "July 2026" in (reader.metadata.title or "")
    assert str(reader.metadata.creation_date)[:10] == "2026-08-03"
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert [str(entry.title) for entry in reader.outline if not isinstance(entry, list)][:2] == [
        "Summary",
        "Trend",
    ]
    last = len(reader.pages)
    assert f"Page {last} of {last}" in reader.pages[-1].extract_text()
    metadata = reader.trailer["/Root"]["/Metadata"].get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in metadata and "<pdfuaid:part>1</pdfuaid:part>" in metadata


def test_report_carries_its_rows_as_an_attachment(files: render_report.ReportFiles) -> None:
    (attached,) = pypdf.PdfReader(files.pdf).attachments.values()
    assert attached == [files.csv.read_bytes()]
    rows = list(csv.DictReader(io.StringIO(files.csv.read_bytes().decode("utf-8"), newline="")))
    # Nine obligations of July, and one that still runs and belongs to no finished month.
    assert len(rows) == 10


def test_report_is_the_same_bytes_twice(
    published: Published, files: render_report.ReportFiles, tmp_path: Path
) -> None:
    again = render_report.render_report(published, ACME, "acme", "2026-07", tmp_path / "new" / "folder")
    assert replace(again, pdf=files.pdf, csv=files.csv, xlsx=files.xlsx) == files
    assert hashlib.sha256(again.pdf.read_bytes()).hexdigest() == files.pdf_sha256
    assert sorted(path.suffix for path in (tmp_path / "new" / "folder").iterdir()) == [
        ".csv",
        ".pdf",
        ".xlsx",
    ]


def test_report_prints_hostile_text_as_text(files: render_report.ReportFiles) -> None:
    text = _text(files.pdf.read_bytes())
    assert 'Acmé & Söhne #1 *bold* <b> $x$ @ref [U+65E5][U+672C] [U+1F680] #read("/etc/passwd")' in text
    raw = files.pdf.read_bytes()
    assert b"/URI" not in raw and b"/JavaScript" not in raw and b"/Launch" not in raw


@pytest.mark.parametrize(
    "subject",
    ["日本語", "👩\u200d💻", "\ue000", "a\x00b", "\ud800", "\u202etxt", "مرحبا", "e\u0301\u0301\u0301",
    "x" * 500,
     '#import "@preview/x:1.0.0"', "#panic()", "\\", "]", "`", "$", "= heading", "//", "/*"],
)  # fmt: skip
def test_report_of_any_subject_is_made(report: MonthlyReport, subject: str) -> None:
    late = tuple(replace(row, subject=subject) for row in report.obligations)
    assert "Sync stalls" not in _compiled(replace(report, obligations=late, still_running=()))


# What a line that a page ends in the middle of is followed by: the foot, the next page's head, and the table's header again.
BETWEEN_PAGES = re.compile(r"R-2026-07-[0-9a-f]{10}·dataknownupto.*?Page[0-9]+of[0-9]+.*?OverbyReason")
LONG_WORDS = (
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenfabrikant",
    "https://support.example.invalid/a/path/with-parameters?ticket=4711&section=escalation-of-the-outage",
    "夜間バッチ処理がデータベース接続の失敗により停止しました",
    "सर्वर पर डेटाबेससेसंपर्कनहींहोपारहाहैऔरप्रतिक्रियाधीमीहै",
    "انقطاعالاتصالبقاعدةالبياناتأثناءالنسخالاحتياطي",
    "ไม่สามารถเชื่อมต่อกับฐานข้อมูลได้ในเวลากลางคืน",
    "e\u0301" * 40,
    "a" * 28 + " " + "b" * 29,
)


def test_report_says_how_many_promises_only_an_ai_met(tmp_path: Path) -> None:
    rows = (
        Row("T-1", "breached", elapsed_seconds=25 * 3600, is_met_only_by_ai=True),
        Row("T-2", "met"),
    )
    with open_published(publish(tmp_path, rows)) as published:
        files = render_report.render_report(published, ACME, "acme", "2026-07", tmp_path / "reports")
    assert "Met only by AI: 1 (an AI answered in time, no human did)." in _text(files.pdf.read_bytes())


def test_report_is_silent_about_ai_where_none_answered(files: render_report.ReportFiles) -> None:
    assert "Met only by AI" not in _text(files.pdf.read_bytes())


def test_report_prints_every_letter_of_long_words_and_no_sign_between_them(tmp_path: Path) -> None:
    late = timedelta(hours=25)
    rows = tuple(
        Row(f"LONG-{number}", "breached", subject=words, elapsed_seconds=int(late.total_seconds()))
        for number, words in enumerate(LONG_WORDS)
    )
    with open_published(publish(tmp_path, rows)) as published:
        files = render_report.render_report(published, ACME, "acme", "2026-07", tmp_path / "reports")
    pages = (page.extract_text() for page in pypdf.PdfReader(files.pdf).pages)
    printed = unicodedata.normalize("NFKC", re.sub(r"[\s\u200b]", "", "".join(pages)))
    printed = BETWEEN_PAGES.sub("", printed)
    assert "[U+200B]" not in printed
    for words in LONG_WORDS:
        expected = unicodedata.normalize("NFKC", glyphs.show(words)).replace(" ", "")
        assert expected in printed, words
    # The fonts have no letters of these; each stands there by its code point.
    assert "[U+591C][U+9593]" in printed and "[U+0938][U+0930]" in printed and "[U+0E44][U+0E21]" in printed


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("a" * 28, "a" * 28),
        ("a" * 29, "a" * 28 + "|a"),
        # A mark stays with its letter, and a code point is not cut.
        ("a" * 27 + "e\u0301" + "b", "a" * 27 + "e\u0301|b"),
        ("[U+591C]" * 4, "[U+591C]" * 3 + "|[U+591C]"),
        ("short and " + "c" * 30, "short and " + "c" * 28 + "|cc"),
        ("", ""),
    ],
)
def test_break_is_offered_between_letters_only(text: str, broken: str) -> None:
    assert glyphs.break_long_words(text) == broken.replace("|", "\u200b")


def test_show_replaces_only_what_the_font_lacks() -> None:
    assert glyphs.show("Söhne – Ω ✓\n日\x00") == "Söhne – Ω ✓ [U+65E5][U+0000]"


def test_report_says_how_many_rows_it_leaves_to_the_attachment(
    report: MonthlyReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render_report, "MAXIMUM_ROWS", 3)
    late = next(row for row in report.obligations if row.status == "breached")
    text = _compiled(replace(report, obligations=(late,) * 5))
    assert (
        "Only the first 3 of 5 rows are printed here; 2 are not. "
        "The full list is in the attached file rows.csv." in text
    )


def test_report_repeats_table_headers_on_every_page(report: MonthlyReport) -> None:
    late = next(row for row in report.obligations if row.status == "breached")
    text = _compiled(replace(report, obligations=(late,) * 120))
    assert text.count("Due, answered") >= 4


def test_report_of_a_month_without_any_verdict_says_so(published: Published) -> None:
    text = _compiled(read_monthly_report(published, ACME, "acme", "2026-08"))
    assert "No promise came to a verdict in August 2026." in text
    assert "n/a (0 of 0)" in text
    assert "(still running)" in text


@pytest.mark.parametrize(
    "customer_id", ["../../etc/passwd", "", "a/b\\c", "ACME EU", "日本", "CON", "x" * 400, "a\0b"]
)
def test_file_stem_stays_in_its_folder_for_any_customer_id(customer_id: str) -> None:
    assert re.fullmatch(
        r"[a-z0-9-]{1,40}-[0-9a-f]{8}-2026-07", render_report.file_stem(customer_id, "2026-07")
    )


def test_file_stem_differs_for_ids_that_read_alike() -> None:
    alike = ["Acme/EU", "ACME EU", "Acmé EU", "acme\u00a0eu", "acme-eu"]
    assert len({render_report.file_stem(customer_id, "2026-07") for customer_id in alike}) == len(alike)


def test_number_of_a_draft_changes_with_the_build(report: MonthlyReport) -> None:
    other = replace(report, build=replace(report.build, build_id="build-2"))
    numbers = [render_report.draft_edition(each).report_number for each in (report, other)]
    assert numbers[0] != numbers[1]
    assert all(re.fullmatch(r"D-2026-07-[0-9a-f]{10}", number) for number in numbers)


def test_report_prints_the_number_of_its_edition(published: Published, tmp_path: Path) -> None:
    edition = Edition(
        "closed", "R-2026-07-0123456789-C2", correction_number=2, corrects="R-2026-07-0123456789"
    )
    files = render_report.render_report(published, ACME, "acme", "2026-07", tmp_path, edition)
    assert files.report_id == "R-2026-07-0123456789-C2"
    assert "R-2026-07-0123456789-C2" in _text(files.pdf.read_bytes())


def test_render_report_writes_nothing_for_an_unknown_customer(published: Published, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no customer 'unlisted'.*'acme'"):
        render_report.render_report(published, ACME, "unlisted", "2026-07", tmp_path / "reports")
    assert not (tmp_path / "reports").exists()


def test_report_of_one_breach_in_two_thousand_never_says_one_hundred_percent(report: MonthlyReport) -> None:
    tally = Tally(met=1999, breached=1, lower_met=1999, upper_met=1999, bounded=2000)
    promise = replace(report.promises[0], tally=tally)
    trend = (*report.trend[:-1], replace(report.trend[-1], tally=tally))
    text = _compiled(replace(report, total=tally, promises=(promise,), trend=trend))
    assert "99.9 % (1999 of 2000)" in text
    assert "100.0 % (" not in text


def test_report_counts_what_is_undecided_under_no_promise(report: MonthlyReport) -> None:
    unknown_level = Tally(not_measurable=2, upper_met=2, bounded=2)
    text = _compiled(replace(report, outside_promises=unknown_level))
    assert "Under no promise – 0 0 0 0 2 undecided –" in text


def test_trend_has_no_point_and_no_line_where_there_are_only_bounds(report: MonthlyReport) -> None:
    half = Tally(met=2, not_measurable=2, lower_met=2, upper_met=4, bounded=4)
    assert "50.0 % to 100 % (2 met, 0 breached, 2 undecided)" in describe_trend(
        [replace(report.trend[0], tally=half)]
    )
    known = Tally(met=2, breached=2, lower_met=2, upper_met=2, bounded=4)
    drawn = [draw_trend([replace(point, tally=tally) for point in report.trend]) for tally in (known, half)]
    # A wide grey span a month stands for the point and the line.
    assert [svg.count("stroke: #9aa5b1; stroke-width: 4") for svg in drawn] == [0, 13]
    with_points, without = (svg.count("stroke: #2b6cb0") for svg in drawn)
    assert (with_points > 13, without) == (
        True,
        1,
    )  # the one left is the line, which has no place to go through
