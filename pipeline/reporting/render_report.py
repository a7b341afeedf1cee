"""Renders one customer's month: a PDF with its rows embedded, and the same rows as CSV and XLSX.

The template gets finished text as JSON and nothing else; what a customer wrote is never part of the template.
Same figures, same bytes: every date in the files is the as-of instant. A failure concerns one customer and
names it.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pipeline.errors import SlaError
from pipeline.reporting import figures
from pipeline.reporting.compliance import Tally
from pipeline.reporting.draw_trend import describe_trend, draw_trend
from pipeline.reporting.entitlements import Statement
from pipeline.reporting.export_rows import to_csv, to_xlsx
from pipeline.reporting.glyphs import break_long_words, font_folder, show
from pipeline.reporting.monthly_report import MonthlyReport, Promise, read_monthly_report
from pipeline.reporting.published import Published, Ratio, Scope
from pipeline.reporting.tickets import Obligation
from pipeline.whole_files import write_whole

TEMPLATE = Path(__file__).resolve().parent / "templates" / "report.typ"

# Beyond this many rows a table is for a spreadsheet: typst needs seconds and gigabytes for tens of thousands.
MAXIMUM_ROWS = 2_000

# A subject is the customer's to choose; the attached rows hold it in full.
MAXIMUM_SUBJECT_LENGTH = 120

# A promise that did not start or was never made excludes no ticket; these are counted but not listed one by
# one.
_NOT_LISTED = ("not_started", "no_such_promise")


@dataclass(frozen=True)
class ReportFiles:
    """The finished files and the SHA-256 of each, hexadecimal."""

    customer_id: str
    report_id: str
    pdf: Path
    csv: Path
    xlsx: Path
    pdf_sha256: str
    csv_sha256: str
    xlsx_sha256: str


def render_report(
    published: Published, scope: Scope, customer_id: str, month: str, out_dir: Path
) -> ReportFiles:
    """Writes PDF, CSV and XLSX of one customer's month into `out_dir`, which is created.

    Raises ConfigurationError for an unknown customer or an empty month, StaleData where it would rest on a source that
    lags behind the others, ChecksFailed when the figures contradict each other, SlaError when the document cannot be
    made. Nothing half-written is ever left under a final name.
    """
    report = read_monthly_report(published, scope, customer_id, month)
    stem = file_stem(customer_id, month)
    # Promises still running from other months are in the document, so they belong to its rows.
    listed = {row.obligation_key for row in report.obligations}
    rows = [*report.obligations, *(row for row in report.still_running if row.obligation_key not in listed)]
    csv_bytes = to_csv(rows)
    xlsx_bytes = to_xlsx(rows, f"SLA report {month}", report.as_of)
    pdf_bytes = compile_pdf(report, csv_bytes, f"{stem}.csv")
    out_dir.mkdir(parents=True, exist_ok=True)
    paths = {ending: out_dir / f"{stem}.{ending}" for ending in ("csv", "xlsx", "pdf")}
    contents = {"csv": csv_bytes, "xlsx": xlsx_bytes, "pdf": pdf_bytes}
    for ending, path in paths.items():
        write_whole(path, contents[ending])
    digests = {ending: hashlib.sha256(content).hexdigest() for ending, content in contents.items()}
    return ReportFiles(
        customer_id=customer_id,
        report_id=report_id(report),
        pdf=paths["pdf"],
        csv=paths["csv"],
        xlsx=paths["xlsx"],
        pdf_sha256=digests["pdf"],
        csv_sha256=digests["csv"],
        xlsx_sha256=digests["xlsx"],
    )


def file_stem(customer_id: str, month: str) -> str:
    """A file name for any customer id: readable, confined to one folder, and distinct for distinct ids."""
    plain = unicodedata.normalize("NFKD", customer_id).encode("ascii", "ignore").decode("ascii").lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "customer"
    # The slug alone is not distinct: 'Acme/EU' and 'ACME EU' share it.
    return f"{slug}-{_digest(customer_id)[:8]}-{month}"


def report_id(report: MonthlyReport) -> str:
    """Names the figures: the same customer, month and build always get the same number, any other build
    another."""
    return number_report(report.customer_id, report.month, report.build.build_id)


def number_report(customer_id: str, month: str, build_id: str) -> str:
    """The report number of a customer's month in one build."""
    return f"R-{month}-{_digest(customer_id, month, build_id)[:10]}"


def compile_pdf(report: MonthlyReport, csv_bytes: bytes, csv_name: str) -> bytes:
    """The document as PDF/A-3a and PDF/UA-1 with the rows attached."""
    import typst

    try:
        pdf = typst.compile(
            str(TEMPLATE),
            pdf_standards=["a-3a", "ua-1"],
            timestamp=report.as_of,
            **_typst_inputs(report, csv_bytes, csv_name),
        )
    except typst.TypstError as problem:
        raise SlaError(
            f"The PDF of customer {report.customer_id!r} for {report.month} could not be made: "
            f"{problem.message} Other customers are not affected."
        ) from problem
    assert isinstance(pdf, bytes)
    return pdf


def _typst_inputs(report: MonthlyReport, csv_bytes: bytes, csv_name: str) -> dict[str, Any]:
    content = _content(report) | {
        "csv_name": csv_name,
        "trend_svg": draw_trend(report.trend),
        "csv": csv_bytes.decode("utf-8"),
    }
    return {
        "sys_inputs": {"report": json.dumps(content, ensure_ascii=False)},
        "root": str(TEMPLATE.parent),
        "font_paths": [str(font_folder())],
        "ignore_system_fonts": True,
    }


def _content(report: MonthlyReport) -> dict[str, Any]:
    """Everything that the template prints, as finished text without a character that the fonts lack."""
    zone = report.time_zone
    listed = {
        status: [row for row in report.obligations if row.status == status]
        for status in ("breached", "waived", "not_covered", "not_measurable")
    }
    running = sorted(
        report.still_running, key=lambda row: (row.remaining_seconds is None, row.remaining_seconds or 0)
    )
    excluded = [
        row
        for row in (*listed["not_covered"], *listed["not_measurable"])
        if row.status_reason not in _NOT_LISTED
    ]
    waivers = {waiver.waiver_id: waiver for waiver in report.waivers}

    def waiver_of(row: Obligation) -> str:
        waiver = waivers.get(row.waiver_id or "")
        if waiver is None:
            return f"Recorded exception {row.waiver_id or ''}".strip()
        return (
            f"{waiver.reason} ({waiver.waiver_id}: asked for by {waiver.requested_by}, approved by "
            f"{waiver.approved_by} on {figures.instant(waiver.approved_at, zone)})"
        )

    def judged(row: Obligation, reason: str) -> list[str]:
        return [
            row.ticket_id,
            _subject(row),
            *_obligation_name(row),
            figures.instant(row.due_at, zone),
            figures.instant(row.stopped_at, zone) if row.stopped_at else "not answered yet",
            figures.duration(row.over_by_seconds),
            reason,
        ]

    titles = {term.plan: term.plan_title for term in report.plan_terms}
    content = {
        "title": f"SLA report – {report.customer_name} – {figures.month_name(report.month)}",
        "customer": report.customer_name,
        "customer_id": report.customer_id,
        "month": figures.month_name(report.month),
        "previous_month": figures.month_name(report.previous_month),
        "is_partial": report.is_partial,
        "plans": ", ".join(titles.get(plan, plan) for plan in report.plans) or "no plan in this month",
        "time_zone": zone,
        "as_of": figures.instant(report.as_of, zone),
        "as_of_utc": figures.instant(report.as_of),
        "sources": [figures.known_until(source, zone) for source in report.build.sources],
        "date": {"year": report.as_of.year, "month": report.as_of.month, "day": report.as_of.day},
        "report_id": report_id(report),
        "build_id": report.build.build_id,
        "versions": f"time zones: tzdata {report.build.tzdata_version}; "
        f"holidays: {report.build.holidays_version}",
        "tickets_submitted": str(report.tickets_submitted_count),
        "headline": _headline(report),
        "totals": _counts(report.total),
        "compliance": figures.percent_alone(report.total.compliance),
        "has_only_bounds": report.total.compliance.has_only_bounds,
        "compliance_parts": figures.parts(report.total.compliance, "met"),
        "compliance_before_waivers": figures.percent(report.total.raw_compliance)
        if report.total.waived else None,
        "met_only_by_ai": figures.met_only_by_ai(report.total.met_only_by_ai),
        "running": str(len(report.still_running)),
        "previous_compliance": figures.percent(report.previous_total.compliance),
        "change": figures.points_between(report.total.compliance, report.previous_total.compliance),
        "promises": [_promise_line(promise, titles) for promise in report.promises],
        "outside": _counts(report.outside_promises)
        | {
            "running": str(report.outside_running),
            "undecided": f"{report.outside_promises.undecided} undecided" if report.outside_promises.undecided else "–",
        }
        if _has_verdict(report.outside_promises) or report.outside_running else None,
        "by_kind": _by_kind(report.promises),
        "total_line": {
            "compliance": _rate(report.total.compliance),
            "previous": _rate(report.previous_total.compliance),
        },
        "trend_text": describe_trend(report.trend),
        "substitute_example": show("日"),
        "has_undecided_month": any(point.tally.undecided for point in report.trend),
        "has_partial_month": any(point.is_partial for point in report.trend),
        "breached": _table([judged(row, _breach_reason(row)) for row in listed["breached"]]),
        "waived": _table([judged(row, waiver_of(row)) for row in listed["waived"]]),
        "running_list": _table([
            [
                row.ticket_id,
                _subject(row),
                *_obligation_name(row),
                figures.instant(row.due_at, zone),
                figures.duration(row.remaining_seconds),
                figures.risk(row.used) or "on track",
            ]
            for row in running
        ]),
        "excluded": _table([
            [
                row.ticket_id,
                _subject(row),
                figures.words(row.obligation),
                figures.STATUS_NAMES[row.status],
                figures.reason(row.reason_label, row.status_reason, row.could_be),
            ]
            for row in excluded
        ]),
        "exclusion_counts": [
            [figures.STATUS_NAMES[status], label, str(count)]
            for (status, label), count in sorted(
                Counter(
                    (row.status, figures.reason(row.reason_label, row.status_reason, row.could_be))
                    for row in (*listed["not_covered"], *listed["not_measurable"])
                ).items(),
                key=lambda item: (item[0][0], -item[1], item[0][1]),
            )
        ],
        "terms": _terms(report.statements),
        "movements": _table(_movements(report.statements, zone)),
        "clauses": _clauses(report),
        "calendars": sorted({figures.words(term.clock_name) for term in report.plan_terms}),
        "closures": [
            [figures.words(closure.clock_name), closure.reason,
             figures.instant(closure.starts_at, zone), figures.instant(closure.ends_at, zone)]
            for closure in report.closures
        ],
        "rules": [
            [statement.plan_version, figures.words(statement.statement), statement.statement_value or "–",
             statement.clause_text or statement.clause or "–"]
            for statement in report.plan_statements if not statement.is_reading
        ],
        "readings": _readings(report),
    }  # fmt: skip
    return _shown(content)


def _headline(report: MonthlyReport) -> str:
    total = report.total
    month = figures.month_name(report.month)
    undecided = (
        f" Of {total.undecided} more the source does not carry enough evidence for a verdict."
        if total.undecided
        else ""
    )
    if not total.counted:
        return f"No promise came to a verdict in {month}.{undecided}"
    verdict = f"{total.met} of {total.counted} promises were met in {month}"
    if total.undecided:
        verdict = f"Of {total.counted} promises with a verdict {total.met} were met in {month}"
    if total.breached:
        return f"{verdict}; {total.breached} {'was' if total.breached == 1 else 'were'} breached.{undecided}"
    # "None was breached" would be more than is known.
    return f"{verdict}; none was breached." if not total.undecided else f"{verdict}.{undecided}"


def _counts(tally: Tally) -> dict[str, str]:
    return {field.name: str(getattr(tally, field.name)) for field in fields(Tally)}


def _promise_line(promise: Promise, titles: dict[str, str]) -> dict[str, Any]:
    return {
        "name": figures.words(promise.obligation).capitalize(),
        "is_estimate": promise.obligation_kind == "estimate",
        "scope": f"{titles.get(promise.plan, promise.plan)}, {figures.severities(promise.severities)}",
        "target": figures.duration(promise.target_seconds),
        "clock": figures.words(promise.clock_name),
        "compliance": _rate(promise.tally.compliance),
        "previous": _rate(promise.previous.compliance),
        "has_breach": promise.tally.breached > 0,
        **_counts(promise.tally),
        "running": str(promise.running),
    }


def _rate(ratio: Ratio) -> dict[str, str | None]:
    """A rate for a narrow column: its parts in a line of their own where it has bounds."""
    if ratio.bounds is None:
        return {"figure": figures.percent(ratio), "parts": None}
    # Lines end between two parts, never inside one.
    parts = re.sub(r"(?<![,;]) (?!with)", "\u00a0", figures.parts(ratio))
    return {"figure": _unbroken(figures.percent_alone(ratio)), "parts": parts}


def _obligation_name(row: Obligation) -> tuple[str, str]:
    estimate = " (estimate)" if row.obligation_kind == "estimate" else ""
    severity = "unknown" if row.severity_in_force is None else row.severity_in_force
    return f"{figures.words(row.obligation)}{estimate}", f"severity {severity}"


def _subject(row: Obligation) -> str:
    subject = row.subject or "–"
    return subject if len(subject) <= MAXIMUM_SUBJECT_LENGTH else f"{subject[:MAXIMUM_SUBJECT_LENGTH]}…"


def _breach_reason(row: Obligation) -> str:
    if row.reason_label or row.status_reason:
        return row.reason_label or figures.words(row.status_reason)
    elapsed, target = figures.duration(row.elapsed_seconds), figures.duration(row.target_seconds)
    took = f"{_unbroken(elapsed)} of {_unbroken(target)}"
    return f"took {took}" if row.stopped_at else f"unanswered after {took}"


class _Cell(str):
    """Text of a narrow column."""


def _table(rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    printed = [[_Cell(cell) for cell in row] for row in rows[:MAXIMUM_ROWS]]
    return {"rows": printed, "count": len(rows), "cut": max(0, len(rows) - MAXIMUM_ROWS)}


def _has_verdict(tally: Tally) -> bool:
    return bool(tally.counted or tally.waived or tally.undecided)


def _by_kind(promises: Sequence[Promise]) -> str | None:
    """Targets and estimates apart, where a plan has both: the total holds the two."""
    tallies: dict[str, Tally] = {}
    for promise in promises:
        tallies[promise.obligation_kind] = tallies.get(promise.obligation_kind, Tally()) + promise.tally
    if len(tallies) < 2:
        return None
    target, estimate = (
        _unbroken(figures.percent(tallies.get(kind, Tally()).compliance)) for kind in ("target", "estimate")
    )
    return f"Targets alone: {target}. Estimates alone: {estimate}."


def _unbroken(figure: str) -> str:
    """A figure within a sentence, never parted from its unit by the end of a line."""
    return figure.replace(" ", "\u00a0")


def _terms(statements: Iterable[Statement]) -> list[dict[str, Any]]:
    """The month's statement: term by term, pool by pool, from the opening to the closing balance."""
    terms: dict[str, dict[str, Any]] = {}
    for statement in statements:
        [row] = statement.months
        term = terms.setdefault(row.subscription_id, {
            "name": f"{row.subscription_id} ({row.plan})",
            "period": f"From {figures.day(row.term_starts_on)} until {figures.day(row.term_ends_on)} (exclusive).",
            "pools": [],
        })  # fmt: skip
        kind = {"is_unlimited": row.is_unlimited, "is_stated": row.is_stated}
        term["pools"].append([
            figures.words(row.pool),
            figures.quantity(row.opening_quantity, **kind),
            "–" if row.granted_quantity is None else str(row.granted_quantity),
            str(row.purchased_quantity),
            str(row.used_quantity),
            str(row.credited_quantity),
            _signed(row.overflowed_out_quantity - row.overflowed_in_quantity),
            _signed(row.overage_quantity),
            str(row.expired_quantity),
            _signed(row.carried_quantity),
            figures.quantity(row.closing_quantity, **kind),
            str(row.overage_to_date_quantity),
        ])  # fmt: skip
    return list(terms.values())


def _movements(statements: Iterable[Statement], zone: str) -> list[list[str]]:
    """Every line of the month behind those sums."""
    return [
        [
            figures.instant(line.happened_at, zone),
            figures.words(line.pool),
            figures.words(line.movement_kind),
            line.reason or "–",
            line.ticket_id or (line.cause_id if line.cause_kind == "purchase" else "–"),
            figures.supply(line.payer_kind, line.payer_id),
            "–" if line.quantity is None else _signed(line.quantity),
            "–" if line.balance_after is None else str(line.balance_after),
        ]
        for statement in statements
        for line in statement.lines
    ]


def _signed(value: int) -> str:
    return f"{'+' if value > 0 else '−'}{abs(value)}" if value else "0"


def _clauses(report: MonthlyReport) -> list[list[str]]:
    """Each promise and pool with where it stands in the plan, once."""
    titles = {term.plan: term.plan_title for term in report.plan_terms}
    promised = [
        (
            f"{titles.get(promise.plan, promise.plan)}: {figures.words(promise.obligation)}, "
            f"{figures.severities(promise.severities)}",
            next(
                (
                    term.clause_text
                    for term in report.plan_terms
                    if term.clause == promise.clause and term.clause_text
                ),
                promise.clause,
            ),
        )
        for promise in report.promises
    ]
    included = [
        (
            f"{titles.get(pool.plan, pool.plan)}: pool {figures.words(pool.pool)}",
            pool.clause_text or pool.clause,
        )
        for pool in report.plan_pools
    ]
    return [[what, clause or "not stated"] for what, clause in dict.fromkeys((*promised, *included))]


def _readings(report: MonthlyReport) -> list[str]:
    """What we read into a plan where it is silent, each with what it is about, once."""
    notes: dict[tuple[str, str], list[int]] = {}
    for term in report.plan_terms:
        if term.note:
            notes.setdefault((figures.words(term.obligation), term.note), []).append(term.severity)
    told = [
        f"{name}, {figures.severities(tuple(sorted(set(levels))))}: {note}"
        for (name, note), levels in notes.items()
    ]
    pools: dict[str, list[str]] = {}
    for pool in report.plan_pools:
        if pool.note:
            pools.setdefault(pool.note, []).append(figures.words(pool.pool))
    told.extend(f"{', '.join(dict.fromkeys(names))}: {note}" for note, names in pools.items())
    told.extend(
        f"{figures.words(statement.statement)}: {statement.note}"
        for statement in report.plan_statements
        if statement.is_reading and statement.note
    )
    return [text[:1].upper() + text[1:] for text in dict.fromkeys(told)]


def _shown(value: Any) -> Any:
    # Breaks come last: what is shown is asked for glyphs, and a break has none.
    if isinstance(value, _Cell):
        return break_long_words(show(value))
    if isinstance(value, str):
        return show(value)
    if isinstance(value, dict):
        return {key: _shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return value


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
