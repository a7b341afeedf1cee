"""A customer's month as a workbook: summary, promises, movements, definitions. Typed cells; text is text and nothing else.

Instants are the customer's wall time, with the zone in the head of the column; durations are seconds.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from pipeline.reporting import figures
from pipeline.reporting.compliance import Tally
from pipeline.reporting.customer_rows import (
    MOVEMENT_COLUMNS,
    OBLIGATION_COLUMNS,
    Value,
    movement_values,
    obligation_values,
)
from pipeline.reporting.edition import Edition
from pipeline.reporting.export_rows import LONGEST_TEXT, NOTHING_ACTIVE, xml_text
from pipeline.reporting.language import Language
from pipeline.reporting.monthly_report import MonthlyReport
from pipeline.reporting.report_content import choose_language, say_edition
from pipeline.zones import find_zone

SUMMARY_COLUMNS = (
    "plan", "obligation", "obligation_kind", "severities", "target_seconds", "clock", "met", "breached", "counted",
    "compliance", "lower", "upper", "running", "waived", "not_covered", "not_measurable",
)  # fmt: skip
_RATES = ("compliance", "lower", "upper")


def to_workbook(report: MonthlyReport, edition: Edition) -> bytes:
    """The XLSX file. `as_of` stands in for the time of writing, so that the same figures give the same bytes."""
    import xlsxwriter

    language = choose_language(report)
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, NOTHING_ACTIVE)
    title = language.say("title", customer=report.customer_name, month=language.month(report.month))
    book.set_properties({"title": xml_text(title), "created": report.as_of.replace(tzinfo=None)})
    writer = _Writer(book, language, report.time_zone)
    writer.add_sheet("summary", SUMMARY_COLUMNS, _summary(report, language))
    writer.add_sheet("obligations", OBLIGATION_COLUMNS, obligation_values(report, language))
    writer.add_sheet("movements", MOVEMENT_COLUMNS, movement_values(report, language))
    writer.add_definitions(_definitions(report, edition, language))
    book.close()
    return stream.getvalue()


def _summary(report: MonthlyReport, language: Language) -> Iterator[list[Value]]:
    for promise in report.promises:
        yield [
            report.plan_titles.get(promise.plan, promise.plan),
            language.word(promise.obligation),
            language.say(f"kinds_{promise.obligation_kind}", "columns"),
            figures.level_range(promise.severities),
            promise.target_seconds,
            language.word(promise.clock_name),
            *_counts(promise.tally, promise.running),
        ]
    if report.outside_promises.total or report.outside_running:
        outside = language.section("page")["outside"]
        yield [
            None,
            outside,
            None,
            None,
            None,
            None,
            *_counts(report.outside_promises, report.outside_running),
        ]
    all_promises = language.section("page")["all"]
    yield [None, all_promises, None, None, None, None, *_counts(report.total, len(report.still_running))]


def _counts(tally: Tally, running: int) -> list[Value]:
    bounds = figures.decimal_bounds(tally.compliance)
    return [
        tally.met,
        tally.breached,
        tally.counted,
        figures.decimal_ratio(tally.compliance),
        bounds[0] if bounds else None,
        bounds[1] if bounds else None,
        running,
        tally.waived,
        tally.not_covered,
        tally.not_measurable,
    ]


def _definitions(report: MonthlyReport, edition: Edition, language: Language) -> list[tuple[str, str]]:
    page = language.section("page")
    sources = [
        (f"{page['known_until']}: {source.source}", language.instant(source.known_until, report.time_zone))
        for source in report.build.sources
    ]
    return [
        (page["customer"], f"{report.customer_name} ({report.customer_id})"),
        (page["report"], edition.report_number),
        (page["version"], say_edition(edition, language, report.time_zone)),
        *(
            (page["period"], language.period(period.starts_at, period.ends_at, period.time_zone))
            for period in report.periods
        ),
        (page["as_of"], language.instant(report.as_of, report.time_zone)),
        *sources,
        *language.definitions,
    ]


class _Writer:
    def __init__(self, book: Any, language: Language, time_zone: str) -> None:
        self._book, self._language = book, language
        self._zone_name, self._zone = time_zone, find_zone(time_zone)
        self._head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self._instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        # Six digits of the ratio are kept and none of them is rounded away: 100 % is shown only when it is reached.
        self._rate = book.add_format({"num_format": "0.0###%"})
        self._wrapped = book.add_format({"text_wrap": True, "valign": "top"})

    def add_sheet(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
        sheet = self._book.add_worksheet(self._language.say(name, "sheets"))
        for place, column in enumerate(columns):
            sheet.write_string(0, place, self._title(column), self._head)
            sheet.set_column(
                place, place, 21 if column.endswith("_at") else 30 if column in ("subject", "reason") else 14
            )
        last = 0
        for number, values in enumerate(rows, start=1):
            last = number
            for place, value in enumerate(values):
                self._write(sheet, number, place, columns[place], value)
        sheet.freeze_panes(1, 2)
        sheet.autofilter(0, 0, max(1, last), len(columns) - 1)

    def add_definitions(self, pairs: Iterable[tuple[str, str]]) -> None:
        sheet = self._book.add_worksheet(self._language.say("definitions", "sheets"))
        sheet.set_column(0, 0, 28)
        sheet.set_column(1, 1, 110, self._wrapped)
        heads = (self._language.say("word", "sheets"), self._language.say("meaning", "sheets"))
        for number, (word, meaning) in enumerate([heads, *pairs]):
            style = None if number else self._head
            sheet.write_string(number, 0, xml_text(word)[:LONGEST_TEXT], style)
            sheet.write_string(number, 1, xml_text(meaning)[:LONGEST_TEXT], style or self._wrapped)
        sheet.freeze_panes(1, 0)

    def _title(self, column: str) -> str:
        name = self._language.say(column, "columns")
        if column.endswith("_at"):
            return self._language.say("in_zone", "sheets", name=name, zone=self._zone_name)
        if column.endswith("_seconds"):
            return self._language.say("in_seconds", "sheets", name=name)
        return name

    def _write(self, sheet: Any, row: int, place: int, column: str, value: Value) -> None:
        if value is None:
            return
        if isinstance(value, datetime):
            sheet.write_datetime(row, place, value.astimezone(self._zone).replace(tzinfo=None), self._instant)
        elif isinstance(value, date):
            sheet.write_datetime(row, place, datetime(value.year, value.month, value.day), self._day)
        elif isinstance(value, int | float):
            sheet.write_number(row, place, value, self._rate if column in _RATES else None)
        else:
            sheet.write_string(row, place, xml_text(value)[:LONGEST_TEXT])
