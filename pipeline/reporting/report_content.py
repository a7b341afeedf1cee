"""What one customer's document says, as finished text in the customer's language: sections, tables, the numbers of its charts.

The template places what it gets and nothing else. Nothing here counts or compares; figures become text in `figures`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pipeline.reporting import figures
from pipeline.reporting.compliance import Tally
from pipeline.reporting.edition import Edition
from pipeline.reporting.entitlements import Forecast, Movement, Statement
from pipeline.reporting.language import Language
from pipeline.reporting.monthly_report import MonthlyReport, Promise, ResponseTimes
from pipeline.reporting.page_parts import Cell, Column, Pages, Raw, capital, cut_head, unbroken
from pipeline.reporting.tickets import Obligation
from pipeline.zones import find_zone

# A subject is the customer's to choose; the attached rows hold it in full.
MAXIMUM_SUBJECT_LENGTH = 120

# A promise that did not start or was never made leaves no ticket out; these are counted but not listed one by one.
_NOT_LISTED = ("not_started", "no_such_promise")
_BINS = ("quarter", "half", "three_quarters", "whole", "half_over", "beyond")
# What a movement is that was recorded as a day, not as an instant.
_OF_A_DAY = ("term", "purchase", "redemption")


@dataclass(frozen=True)
class Attachments:
    """The names of the files that the document carries."""

    obligations: str
    movements: str


def build_content(
    report: MonthlyReport, edition: Edition, language: Language, attachments: Attachments
) -> dict[str, Any]:
    """Everything that the template prints. Values are text, lists, mappings, and the numbers of charts."""
    return _Content(report, edition, language, attachments).build()


def choose_language(report: MonthlyReport) -> Language:
    """The language of a customer's document, with the words of its vendor's plans: in English where they have no other."""
    language = Language(report.locale)
    labels = {**report.labels.get("en", {}), **report.labels.get(language.code, {})}
    return Language(report.locale, labels)


def say_edition(edition: Edition, language: Language, time_zone: str) -> str:
    """'Original, closed on …', 'Correction 2 of R-…', or which kind of draft it is."""
    if edition.state != "closed":
        return language.say(edition.state, "editions")
    if edition.correction_number:
        said = language.say(
            "correction", "editions", number=edition.correction_number, original=edition.corrects or "–"
        )
        key, moment = "issued", edition.issued_at
    else:
        said, key, moment = language.say("original", "editions"), "closed", edition.closed_at
    if moment is None:
        return said
    return language.say(key, "editions", edition=said, instant=language.instant(moment, time_zone))


def find_day(line: Movement, statement: Statement, plan_zone: str) -> date | None:
    """The day of a movement that was recorded as a day, whatever the zone of the reader; None for an instant."""
    month = statement.months[0]
    if line.cause_kind == "term" and line.movement_kind == "grant":
        return month.term_starts_on
    if line.cause_kind == "term" and line.movement_kind == "expiry":
        return month.term_ends_on
    if line.cause_kind in _OF_A_DAY:
        return line.happened_at.astimezone(find_zone(plan_zone)).date()
    # A waiver may be approved on a day of UTC or at an instant; midnight is the day.
    is_midnight = line.happened_at.astimezone(UTC).time() == datetime.min.time()
    return line.happened_at.astimezone(UTC).date() if line.cause_kind == "waiver" and is_midnight else None


def find_plan_zones(report: MonthlyReport) -> dict[str, str]:
    """Plan version -> its time zone."""
    return {term.plan_version: term.time_zone for term in report.plan_terms}


def say_supply(line: Movement, language: Language) -> str:
    """What pays a unit: 'term', 'pack P-1', or a dash."""
    if line.payer_kind is None or line.payer_id is None:
        return "–"
    if line.payer_kind == "purchase":
        return language.say("pack", id=line.payer_id)
    return language.say("term_supply")


def say_name(row: Obligation, language: Language) -> str:
    """'first response', 'debug analysis (estimate)'."""
    name = language.word(row.obligation)
    return language.say("estimate", name=name) if row.obligation_kind == "estimate" else name


class _Content(Pages):
    def __init__(
        self, report: MonthlyReport, edition: Edition, language: Language, attachments: Attachments
    ) -> None:
        super().__init__(language, report.time_zone)
        self._report, self._edition, self._attachments = report, edition, attachments
        self._by_status = {
            status: [row for row in report.obligations if row.status == status]
            for status in ("breached", "waived", "not_covered", "not_measurable")
        }

    def build(self) -> dict[str, Any]:
        report, say = self._report, self._say
        name = report.customer_name
        return {
            "lang": Raw(say.code),
            "w": dict(self._page),
            "title": say.say("title", customer=name, month=say.month(report.month)),
            "customer": name,
            "head": cut_head(name),
            "month": capital(say.month(report.month)),
            "edition": say_edition(self._edition, say, self._zone),
            "is_original": self._edition.state == "closed" and not self._edition.correction_number,
            "report_number": self._edition.report_number,
            "build_id": report.build.build_id,
            "date": {"year": report.as_of.year, "month": report.as_of.month, "day": report.as_of.day},
            "brand": self._brand(report.brand),
            "facts": self._facts(),
            "headline": self._headline(report.total, report.month, report.tickets_submitted_count),
            "compliance": figures.percent_alone(report.total.compliance, say),
            "compliance_parts": figures.parts(report.total.compliance, True, say),
            "has_only_bounds": report.total.compliance.has_only_bounds,
            "has_breach": report.total.breached > 0,
            "notes": self._notes(),
            "summary": self._summary(),
            "changes": self._changes(),
            "trend": self._trend(report.trend, report.annotations),
            "times": self._times(),
            "breaches": self._judged(self._worst_first("breached"), self._page["no_breaches"]),
            "open": self._open(),
            "terms": self._terms(),
            "packs": self._packs(),
            "forecasts": self._forecasts(),
            "movements": self._movements(),
            "waived": self._judged(self._worst_first("waived"), self._page["no_waived"]),
            "uncovered_counts": self._reason_counts("not_covered"),
            "uncovered": self._listed("not_covered"),
            "unmeasured_counts": self._reason_counts("not_measurable"),
            "unmeasured": self._listed("not_measurable"),
            "definitions": [list(pair) for pair in say.definitions],
            "clocks": self._clocks(),
            "closures": self._closures(),
            "clauses": self._clauses(),
            "rules": self._rules(),
            "readings": self._readings(),
            "provenance": self._provenance(),
        }

    # ---- first page

    def _facts(self) -> list[list[Any]]:
        report, say, page = self._report, self._say, self._page
        period = "; ".join(
            say.period(each.starts_at, each.ends_at, each.time_zone) for each in report.periods
        )
        if report.is_partial:
            period = say.say("running_period", period=period)
        plans = ", ".join(report.plan_titles.get(plan, plan) for plan in report.plans)
        facts = [
            (page["customer"], report.customer_id),
            (page["report"], self._edition.report_number),
            (page["plan"], plans or say.say("no_plan")),
            (page["version"], say_edition(self._edition, say, self._zone)),
            (
                page["term"],
                "; ".join(
                    say.say(
                        "term",
                        name=term.subscription_id,
                        start=say.day(term.term_starts_on),
                        end=say.day(term.term_ends_on),
                    )
                    for term in report.terms
                ),
            ),
            (page["as_of"], say.instant(report.as_of, self._zone)),
            (page["period"], period),
            (page["sources"], "; ".join(self._say_sources(report.build.sources))),
            (page["tickets"], say.count("tickets_submitted", report.tickets_submitted_count)),
            (page["time_zone"], self._zone),
            (page["contact"], report.brand.sender or ""),
        ]
        return [[name, Cell(value)] for name, value in facts if value]

    def _notes(self) -> list[str]:
        report, say = self._report, self._say
        total = report.total
        notes = [self._beside(total, len(report.still_running))]
        if total.waived:
            notes.append(
                say.say("before_waivers", figure=unbroken(figures.percent(total.raw_compliance, say)))
            )
        kinds: dict[str, Tally] = {}
        for promise in report.promises:
            kinds[promise.obligation_kind] = kinds.get(promise.obligation_kind, Tally()) + promise.tally
        if len(kinds) > 1:
            targets, estimates = (
                unbroken(figures.percent(kinds.get(kind, Tally()).compliance, say))
                for kind in ("target", "estimate")
            )
            notes.append(say.say("by_kind", targets=targets, estimates=estimates))
        by_ai = figures.met_only_by_ai(total.met_only_by_ai, say)
        return [*notes, by_ai] if by_ai else notes

    def _summary(self) -> dict[str, Any]:
        report, page = self._report, self._page
        rows = [self._promise_row(promise) for promise in report.promises]
        outside = report.outside_promises
        if outside.counted or outside.waived or outside.undecided or report.outside_running:
            rows.append(
                {
                    "name": [page["outside"]],
                    "target": ["–"],
                    "rate": self._rate(outside.compliance),
                    "changes": [["–"], ["–"]],
                    "status": self._status(outside, report.outside_running),
                }
            )
        total = {
            "name": [page["all"]],
            "target": [""],
            "rate": self._rate(report.total.compliance),
            "changes": [
                self._change(report.total.compliance, report.previous_total.compliance),
                self._change(report.total.compliance, report.year_ago_total.compliance),
            ],
            "status": self._status(report.total, len(report.still_running)),
        }
        return {
            "heads": self._rate_heads(
                [page["promise"], page["target"]], report.previous_month, report.month_a_year_ago
            ),
            "has_target": True,
            "rows": rows,
            "total": total,
        }

    def _promise_row(self, promise: Promise) -> dict[str, Any]:
        return {
            "name": self._promise_name(promise),
            "target": [
                unbroken(figures.duration(promise.target_seconds)), self._say.word(promise.clock_name)
            ],
            "rate": self._rate(promise.tally.compliance),
            "changes": [
                self._change(promise.tally.compliance, promise.previous.compliance),
                self._change(promise.tally.compliance, promise.year_ago.compliance),
            ],
            "status": self._status(promise.tally, promise.running),
        }  # fmt: skip

    def _promise_name(self, promise: Promise | ResponseTimes) -> list[str]:
        say = self._say
        name = capital(say.word(promise.obligation))
        if promise.obligation_kind == "estimate":
            name = say.say("estimate", name=name)
        title = self._report.plan_titles.get(promise.plan, promise.plan)
        return [name, f"{title}, {self._levels(promise.severities)}"]

    def _changes(self) -> dict[str, Any] | None:
        if not self._edition.changes:
            return None
        page, say = self._page, self._say
        rows = [
            [
                say.word(change.what),
                [change.ticket_id or "–", *([say.word(change.obligation)] if change.obligation else [])],
                change.old or "–",
                change.new or "–",
                "; ".join(change.causes) or "–",
            ]
            for change in self._edition.changes
        ]
        columns = (
            Column(page["value"]), Column(page["ticket"]), Column(page["old"], 1), Column(page["new"], 1),
            Column(page["cause"], 1.4),
        )  # fmt: skip
        return self._table(columns, rows, "", None)

    # ---- charts

    def _times(self) -> dict[str, Any] | None:
        say, page = self._say, self._page
        bins = say.section("bins")
        rows = []
        for times in self._report.response_times:
            name = self._promise_name(times)
            name.append(f"{page['target']} {unbroken(figures.duration(times.target_seconds))}")
            rows.append({
                "name": name,
                "count": say.whole(times.answered_count),
                "times": [
                    unbroken(figures.duration(seconds))
                    for seconds in (
                        times.p50_seconds, times.p90_seconds, times.p95_seconds, times.longest_seconds
                    )
                ],
                "bins": list(times.bins),
                "highest": max(times.bins),
                "alt": say.say(
                    "histogram",
                    name=", ".join(name),
                    bins="; ".join(
                        say.say("histogram_bin", bin=bins[key], count=count)
                        for key, count in zip(_BINS, times.bins, strict=True)
                    ),
                ),
            })  # fmt: skip
        if not rows:
            return None
        return {"rows": rows, "bins": [unbroken(bins[key]) for key in _BINS], "note": page["times_note"]}

    # ---- lists

    def _worst_first(self, status: str) -> list[Obligation]:
        return sorted(self._by_status[status], key=lambda row: -(row.over_by_seconds or 0))

    def _judged(self, rows: Sequence[Obligation], empty: str) -> dict[str, Any]:
        say, page = self._say, self._page
        waivers = {waiver.waiver_id: waiver for waiver in self._report.waivers}

        def waiver_of(row: Obligation) -> str:
            if row.waiver_id is None:
                return "–"
            waiver = waivers.get(row.waiver_id)
            if waiver is None:
                return say.say("waiver_without_record", waiver_id=row.waiver_id)
            approved_on = waiver.approved_at.astimezone(UTC).date()
            return say.say(
                "waiver", reason=waiver.reason, waiver_id=waiver.waiver_id, day=say.day(approved_on)
            )

        columns = (
            Column(page["ticket"]), Column(page["subject"], 1.2), Column(page["promise"]),
            Column(page["due_answered"]), Column(page["over_by"], align="right", is_strong=True),
            Column(page["reason"], 1), Column(page["waiver"], 1.2, is_kept=False),
        )  # fmt: skip
        listed = [
            [
                row.ticket_id,
                _subject(row),
                [say_name(row, say), self._level(row)],
                [
                    say.instant(row.due_at, self._zone),
                    say.instant(row.stopped_at, self._zone) if row.stopped_at else say.say("not_answered"),
                ],
                unbroken(figures.duration(row.over_by_seconds)),
                self._why_breached(row),
                waiver_of(row),
            ]
            for row in rows
        ]
        return self._table(columns, listed, empty, self._attachments.obligations)

    def _level(self, row: Obligation) -> str:
        if row.severity_in_force is None:
            return self._say.say("severity_unknown")
        return self._say.say("severity", levels=row.severity_in_force)

    def _why_breached(self, row: Obligation) -> str:
        if row.status != "waived" and (row.reason_label or row.status_reason):
            return self._say.reason(row.status_reason, row.reason_label)
        return self._say.say(
            "took" if row.stopped_at else "unanswered",
            elapsed=unbroken(figures.duration(row.elapsed_seconds)),
            target=unbroken(figures.duration(row.target_seconds)),
        )

    def _open(self) -> dict[str, Any]:
        say, page = self._say, self._page
        running = sorted(
            self._report.still_running,
            key=lambda row: (row.remaining_seconds is None, row.remaining_seconds or 0),
        )
        columns = (
            Column(page["ticket"]), Column(page["subject"], 1.4), Column(page["promise"]), Column(page["due"]),
            Column(page["time_left"], align="right", is_strong=True), Column(page["risk"], 0.8),
        )  # fmt: skip
        rows = []
        for row in running:
            step = figures.risk_step(row.used)
            rows.append([
                row.ticket_id,
                _subject(row),
                [say_name(row, say), self._level(row)],
                say.instant(row.due_at, self._zone),
                unbroken(figures.duration(row.remaining_seconds)),
                say.say("used_over", share=step) if step else say.say("on_track"),
            ])  # fmt: skip
        return self._table(columns, rows, page["no_open"], self._attachments.obligations)

    def _reason_counts(self, status: str) -> dict[str, Any]:
        say, page = self._say, self._page
        counts = Counter(
            say.reason(row.status_reason, row.reason_label, row.could_be) for row in self._by_status[status]
        )
        rows = [
            [reason, say.whole(count)]
            for reason, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
        ]
        columns = (Column(page["reason"], 1), Column(page["number"], align="right", is_strong=True))
        empty = page["no_uncovered" if status == "not_covered" else "all_measured"]
        return self._table(columns, rows, empty, None)

    def _listed(self, status: str) -> dict[str, Any]:
        say, page = self._say, self._page
        columns = (
            Column(page["ticket"]), Column(page["subject"], 1.2), Column(page["promise"]), Column(page["reason"], 1.6),
            Column(page["could_be"], 0.8, is_kept=False),
        )  # fmt: skip
        rows = [
            [
                row.ticket_id,
                _subject(row),
                [say_name(row, say), self._level(row)],
                say.reason(row.status_reason, row.reason_label),
                say.say(row.could_be, "could_be") if row.could_be else "–",
            ]
            for row in self._by_status[status]
            if row.status_reason not in _NOT_LISTED
        ]
        return self._table(columns, rows, "", self._attachments.obligations)

    # ---- entitlements

    def _terms(self) -> list[dict[str, Any]]:
        """The month's statement: term by term, pool by pool, from the opening to the closing balance."""
        say, page = self._say, self._page
        heads: dict[str, dict[str, Any]] = {}
        for statement in self._report.statements:
            [row] = statement.months
            term = heads.setdefault(row.subscription_id, {
                "name": say.say(
                    "term_heading",
                    plan=self._report.plan_titles.get(row.plan, row.plan),
                    id=row.subscription_id,
                    start=say.day(row.term_starts_on),
                    end=say.day(row.term_ends_on),
                ),
                "rows": [],
            })  # fmt: skip
            kind = {"is_unlimited": row.is_unlimited, "is_stated": row.is_stated}
            term["rows"].append([
                say.word(row.pool),
                self._quantity(row.opening_quantity, **kind),
                "–" if row.granted_quantity is None else str(row.granted_quantity),
                str(row.purchased_quantity),
                str(row.used_quantity),
                str(row.credited_quantity),
                figures.signed(row.overflowed_out_quantity - row.overflowed_in_quantity),
                figures.signed(row.overage_quantity),
                str(row.expired_quantity),
                figures.signed(row.carried_quantity),
                self._quantity(row.closing_quantity, **kind),
                str(row.overage_to_date_quantity),
            ])  # fmt: skip
        names = (
            "opening", "granted", "bought", "used", "credited", "overflow", "overage", "expired", "carried", "closing",
            "over_so_far",
        )  # fmt: skip
        always = ("opening", "used", "closing")
        columns = (
            Column(page["pool"], 1.8),
            *(
                Column(page[name], 1, "right", is_strong=name == "closing", is_kept=name in always)
                for name in names
            ),
        )
        return [
            {"name": term["name"], "table": self._table(columns, term["rows"], "", None)}
            for term in heads.values()
        ]

    def _quantity(self, number: int | None, *, is_unlimited: bool, is_stated: bool) -> str:
        if is_unlimited:
            return self._say.say("unlimited")
        return str(number) if is_stated and number is not None else self._say.say("not_stated")

    def _packs(self) -> dict[str, Any] | None:
        say, page = self._say, self._page
        zone = self._report.periods[0].time_zone if self._report.periods else "UTC"
        rows = [
            [
                pack.cause_id,
                say.word(pack.pool),
                str(pack.quantity),
                str(pack.drawn_quantity),
                str(pack.left_quantity),
                str(pack.expired_quantity),
                str(pack.returned_quantity),
                "–" if pack.ends_at is None else say.day(pack.ends_at.astimezone(find_zone(zone)).date()),
            ]
            for pack in self._report.packs
        ]
        columns = (
            Column(page["pack"]), Column(page["pool"], 1.6), Column(page["size"], 0.6, "right"),
            Column(page["drawn"], 0.6, "right"), Column(page["left"], 0.6, "right", is_strong=True),
            Column(page["lost"], 0.6, "right", is_kept=False), Column(page["returned"], 0.8, "right", is_kept=False),
            Column(page["expires"], 1, "right"),
        )  # fmt: skip
        return self._table(columns, rows, "", None) if rows else None

    def _forecasts(self) -> dict[str, Any] | None:
        say, page = self._say, self._page
        rows = []
        for forecast in self._report.forecasts:
            amounts = "–"
            if forecast.draws_mid_quantity is not None:
                amounts = say.say(
                    "forecast_range",
                    low=forecast.draws_low_quantity,
                    mid=forecast.draws_mid_quantity,
                    high=forecast.draws_high_quantity,
                )
            rows.append(
                [
                    say.word(forecast.pool),
                    str(forecast.remaining_quantity),
                    amounts,
                    self._say_forecast(forecast),
                ]
            )
        columns = (
            Column(page["pool"], 1), Column(page["left"], align="right", is_strong=True),
            Column(page["until_end"], 1.2, is_kept=False), Column(page["forecast_says"], 1.6),
        )  # fmt: skip
        return self._table(columns, rows, "", None) if rows else None

    def _say_forecast(self, forecast: Forecast) -> str:
        say = self._say
        plain = {
            "exhausted": "forecast_used_up",
            "too_few_tickets": "forecast_too_few",
            "no_active_license": "forecast_no_license",
        }
        if forecast.forecast_status in plain:
            return say.say(plain[forecast.forecast_status])
        if forecast.exhausted_on_mid is None:
            return say.say("forecast_lasts", day=say.day(forecast.term_ends_on))
        days = {"low": say.day(forecast.exhausted_on_low), "mid": say.day(forecast.exhausted_on_mid)}
        if forecast.exhausted_on_high is None:
            return say.say("forecast_day_open", **days)
        return say.say("forecast_day", **days, high=say.day(forecast.exhausted_on_high))

    def _movements(self) -> dict[str, Any]:
        """Every line of the month behind the statement."""
        say, page = self._say, self._page
        zones = find_plan_zones(self._report)
        rows = []
        for statement in self._report.statements:
            zone = zones.get(statement.plan_version, self._zone)
            for line in statement.lines:
                day = find_day(line, statement, zone)
                rows.append([
                    say.instant(line.happened_at, self._zone) if day is None else say.day(day),
                    say.word(line.pool),
                    say.say(line.movement_kind, "movements"),
                    say.movement_reason(line.reason),
                    line.ticket_id or (line.cause_id if line.cause_kind == "purchase" else "–"),
                    say_supply(line, say),
                    "–" if line.quantity is None else figures.signed(line.quantity),
                    "–" if line.balance_after is None else str(line.balance_after),
                ])  # fmt: skip
        columns = (
            Column(page["when"]), Column(page["pool"], 1), Column(page["movement"]), Column(page["why"], 1.6),
            Column(page["ticket"], is_kept=False), Column(page["paid_by"], 0.8, is_kept=False),
            Column(page["units"], align="right", is_strong=True), Column(page["balance"], align="right"),
        )  # fmt: skip
        return self._table(columns, rows, page["no_movements"], self._attachments.movements)

    # ---- appendix

    def _clocks(self) -> str:
        clocks = sorted({self._say.word(term.clock_name) for term in self._report.plan_terms})
        return self._say.say("clocks", clocks=", ".join(clocks)) if clocks else ""

    def _closures(self) -> dict[str, Any]:
        say, page = self._say, self._page
        zone = self._report.periods[0].time_zone if self._report.periods else self._zone
        rows = [
            [
                say.word(closure.clock_name),
                closure.reason,
                say.instant(closure.starts_at, zone),
                say.instant(closure.ends_at, zone),
            ]
            for closure in self._report.closures
        ]
        columns = (
            Column(page["clock"]),
            Column(page["reason"], 1),
            Column(page["from"]),
            Column(page["until"]),
        )
        return self._table(columns, rows, page["no_closures"], None)

    def _clauses(self) -> dict[str, Any]:
        """Each promise and pool with where it stands in the contract, once."""
        report, say, page = self._report, self._say, self._page
        texts = {term.clause: term.clause_text for term in report.plan_terms if term.clause_text}
        promised = [
            (
                say.say(
                    "promise_clause",
                    plan=report.plan_titles.get(promise.plan, promise.plan),
                    name=say.word(promise.obligation),
                    levels=self._levels(promise.severities),
                ),
                texts.get(promise.clause) or say.say("not_named"),
            )
            for promise in report.promises
        ]
        included = [
            (
                say.say(
                    "clause_of", plan=report.plan_titles.get(pool.plan, pool.plan), name=say.word(pool.pool)
                ),
                pool.clause_text or say.say("not_named"),
            )
            for pool in report.plan_pools
        ]
        rows = [list(pair) for pair in dict.fromkeys((*promised, *included))]
        return self._table((Column(page["what"], 1), Column(page["where"], 1.6)), rows, "", None)

    def _rules(self) -> dict[str, Any]:
        say, page = self._say, self._page
        rows = [
            [
                say.say(
                    "rule_of",
                    plan=statement.plan_title or statement.plan,
                    day=say.day(statement.plan_valid_from.astimezone(find_zone(statement.time_zone)).date()),
                ),
                say.word(statement.statement),
                say.word(statement.statement_value),
                statement.clause_text or say.say("not_named"),
            ]
            for statement in self._report.plan_statements
            if not statement.is_reading
        ]
        columns = [Column(page["rule"], 1), Column(page["value"], 1.2), Column(page["clause"], 1.6)]
        plans = {plan for plan, *_ in rows}
        if len(plans) > 1:
            return self._table([Column(page["plan"], 0.9), *columns], rows, "", None) | {
                "title": page["rules"]
            }
        title = "; ".join([page["rules"], *plans])
        return self._table(columns, [rest for _, *rest in rows], "", None) | {"title": title}

    def _readings(self) -> list[str]:
        say = self._say
        return list(
            dict.fromkeys(
                say.say(
                    "reading",
                    name=capital(say.word(statement.statement)),
                    value=say.word(statement.statement_value),
                )
                for statement in self._report.plan_statements
                if statement.is_reading and statement.statement_value
            )
        )

    def _provenance(self) -> dict[str, Any]:
        report, say, page = self._report, self._say, self._page
        rows = [
            [source.source, say.instant(source.known_until, self._zone)] for source in report.build.sources
        ]
        return {
            "sources": self._table((Column(page["source"]), Column(page["known_until"], 1)), rows, "", None),
            "texts": [
                self._produced(report.build),
                say.say("all_attached", file=self._attachments.obligations),
                say.say("substitute", example="[U+65E5]"),
            ],
        }


def _subject(row: Obligation) -> str:
    subject = row.subject or "–"
    return subject if len(subject) <= MAXIMUM_SUBJECT_LENGTH else f"{subject[:MAXIMUM_SUBJECT_LENGTH]}…"
