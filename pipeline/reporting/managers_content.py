"""What the managers' document says, as finished text: the parts of customers' documents over all customers, and why promises were
breached.

Nothing here compares figures; counts of classes are those of `breaches.count_classes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.reporting import figures
from pipeline.reporting.breaches import NOT_RECORDED
from pipeline.reporting.compliance import TALLIED, Tally
from pipeline.reporting.edition import Edition
from pipeline.reporting.export_rows import write_csv
from pipeline.reporting.language import Language
from pipeline.reporting.managers_pack import CutRow, ManagersPack, PromiseRow
from pipeline.reporting.page_parts import Cell, Column, Pages, Raw, capital, unbroken
from pipeline.reporting.report_content import say_edition
from pipeline.vocabulary import BREACH_CLASSES

# Of the breaches the document lists the worst; the attached file has all.
LISTED_BREACHES = 50

COMPLIANCE_COLUMNS = (
    "month", "plan", "obligation", "obligation_kinds", "severity", "customer_id", "customer_name", *TALLIED,
)  # fmt: skip
BREACH_COLUMNS = (
    "month", "ticket_id", "customer_id", "customer_name", "plan", "obligation", "obligation_kind", "cycle_number",
    "severity_submitted", "severity_in_force", "status_as_submitted", "breach_class", "first_touched_at", "handover_count",
    "last_handover_at", "counted_before_handover_seconds", "submitted_at", "due_at", "breached_at", "stopped_at",
    "target_seconds", "elapsed_seconds", "over_by_seconds",
)  # fmt: skip


@dataclass(frozen=True)
class PackAttachments:
    """The names of the files that the document carries."""

    compliance: str
    breaches: str


def compliance_csv(pack: ManagersPack) -> bytes:
    """The counts of the three months at their finest cut; a rate of any cut is formed from their sums."""

    def rows() -> Iterator[list[Any]]:
        for row in pack.finest:
            told = {"obligation_kinds": " ".join(row.obligation_kinds)}
            yield [
                getattr(row.tally, name) if name in TALLIED else told.get(name, getattr(row, name))
                for name in COMPLIANCE_COLUMNS
            ]

    return write_csv(COMPLIANCE_COLUMNS, rows())


def breaches_csv(pack: ManagersPack) -> bytes:
    """Every breach of the month with its class and what that rests on."""

    def rows() -> Iterator[list[Any]]:
        for breach in pack.breaches:
            yield [
                breach.breach_class
                if name == "breach_class"
                else getattr(
                    breach.obligation if hasattr(breach.obligation, name) else breach.evidence, name, None
                )
                for name in BREACH_COLUMNS
            ]

    return write_csv(BREACH_COLUMNS, rows())


def build_pack_content(
    pack: ManagersPack,
    edition: Edition,
    language: Language,
    attachments: PackAttachments,
    corrections: int = 0,
) -> dict[str, Any]:
    """Everything that the template prints. `corrections`: how many there are of the month since it was closed."""
    return _PackContent(pack, edition, language, attachments, corrections).build()


def choose_pack_language(pack: ManagersPack, locale: str | None) -> Language:
    """The language of the document, with the words of the vendor's plans."""
    code = Language(locale).code
    return Language(locale, {**pack.labels.get("en", {}), **pack.labels.get(code, {})})


class _PackContent(Pages):
    def __init__(
        self,
        pack: ManagersPack,
        edition: Edition,
        language: Language,
        attachments: PackAttachments,
        corrections: int,
    ) -> None:
        super().__init__(language, pack.time_zone)
        self._pack, self._edition, self._attachments = pack, edition, attachments
        self._corrections = corrections
        self._own = language.section("managers")

    def build(self) -> dict[str, Any]:
        pack, say = self._pack, self._say
        return {
            "lang": Raw(say.code),
            "w": {**self._page, **{name: text for name, text in self._own.items() if isinstance(text, str)}},
            "title": say.say("title", "managers", month=say.month(pack.month)),
            "customer": self._own["all_customers"],
            "head": self._own["head"],
            "month": capital(say.month(pack.month)),
            "edition": say_edition(self._edition, say, self._zone),
            "report_number": self._edition.report_number,
            "build_id": pack.build.build_id,
            "date": {"year": pack.as_of.year, "month": pack.as_of.month, "day": pack.as_of.day},
            "brand": self._brand(pack.brand),
            "facts": self._facts(),
            "headline": self._headline(pack.total, pack.month),
            "compliance": figures.percent_alone(pack.total.compliance, say),
            "compliance_parts": figures.parts(pack.total.compliance, True, say),
            "has_only_bounds": pack.total.compliance.has_only_bounds,
            "has_breach": pack.total.breached > 0,
            "notes": self._notes(),
            "summary": self._rates(
                [self._page["promise"], self._page["target"]],
                [(self._promise_name(row), self._targets(row), row) for row in pack.promises],
                has_target=True,
            ),
            "by_plan": self._cut(self._page["plan"], pack.by_plan, self._plan_name),
            "by_severity": self._cut(
                self._say.say("severity_in_force", "columns"), pack.by_severity, self._severity_name
            ),
            "by_obligation": self._cut(self._page["promise"], pack.by_obligation, self._obligation_name),
            "trend": self._trend(pack.trend, pack.annotations),
            "why": self._why(),
            "customers": self._customers(),
            "without_breach": self._without_breach(),
            "breaches": self._breaches(),
            "definitions": [list(pair) for pair in say.definitions],
            "provenance": self._provenance(),
        }

    # ---- first page

    def _facts(self) -> list[list[Any]]:
        pack, say, page = self._pack, self._say, self._page
        period = "; ".join(say.period(each.starts_at, each.ends_at, each.time_zone) for each in pack.periods)
        if pack.is_partial:
            period = say.say("running_period", period=period)
        facts = [
            (page["report"], self._edition.report_number),
            (page["version"], say_edition(self._edition, say, self._zone)),
            (page["as_of"], say.instant(pack.as_of, self._zone)),
            (page["period"], period),
            (page["sources"], "; ".join(self._say_sources(pack.build.sources))),
            (page["time_zone"], self._zone),
        ]
        return [[name, Cell(value)] for name, value in facts if value]

    def _notes(self) -> list[str]:
        pack, say = self._pack, self._say
        notes = [
            say.count("corrections", self._corrections, "managers") if self._corrections else "",
            *(
                say.say(
                    "stale",
                    "managers",
                    source=stale.source,
                    instant=say.instant(stale.read_until, self._zone),
                )
                for stale in pack.stale_sources
            ),
            self._beside(pack.total, pack.total.pending),
            say.say("before_waivers", figure=unbroken(figures.percent(pack.total.raw_compliance, say)))
            if pack.total.waived
            else "",
            figures.met_only_by_ai(pack.total.met_only_by_ai, say) or "",
        ]
        return [note for note in notes if note]

    # ---- cuts

    def _rates(
        self,
        names: Sequence[str],
        lines: Sequence[tuple[list[str], list[str], PromiseRow | CutRow]],
        *,
        has_target: bool,
    ) -> dict[str, Any]:
        pack = self._pack
        total = self._rate_row(
            [self._page["all"]], [""], pack.total, pack.previous_total, pack.year_ago_total
        )
        return {
            "heads": self._rate_heads(names, pack.previous_month, pack.month_a_year_ago),
            "has_target": has_target,
            "rows": [
                self._rate_row(name, target, row.tally, row.previous, row.year_ago)
                for name, target, row in lines
            ],
            "total": total,
        }

    def _rate_row(
        self, name: list[str], target: list[str], tally: Tally, previous: Tally, year_ago: Tally
    ) -> dict[str, Any]:
        return {
            "name": [Cell(line) for line in name],
            "target": target,
            "rate": self._rate(tally.compliance),
            "changes": [
                self._change(tally.compliance, previous.compliance),
                self._change(tally.compliance, year_ago.compliance),
            ],
            "status": self._status(tally, tally.pending),
        }

    def _cut(self, head: str, rows: Sequence[CutRow], name: Any) -> dict[str, Any]:
        return self._rates([head], [([capital(name(row))], [], row) for row in rows], has_target=False)

    def _plan_name(self, row: CutRow | PromiseRow) -> str:
        return (
            self._own["no_plan"] if row.plan is None else (self._pack.plan_titles.get(row.plan) or row.plan)
        )

    def _severity_name(self, row: CutRow) -> str:
        if row.severity is None:
            return capital(self._own["no_severity"])
        return capital(self._levels((row.severity,)))

    def _obligation_name(self, row: CutRow | PromiseRow) -> str:
        name = capital(self._say.word(row.obligation))
        return self._say.say("estimate", name=name) if row.obligation_kinds == ("estimate",) else name

    def _promise_name(self, row: PromiseRow) -> list[str]:
        levels = self._own["no_severity"] if row.severities is None else self._levels(row.severities)
        return [self._obligation_name(row), f"{self._plan_name(row)}, {levels}"]

    def _targets(self, row: PromiseRow) -> list[str]:
        lines = [
            part
            for seconds, clock in row.targets
            for part in (unbroken(figures.duration(seconds)), self._say.word(clock))
        ]
        return lines or ["–"]

    # ---- why

    def _why(self) -> dict[str, Any]:
        """Class by obligation; the last line is the sum, which is the number of breaches of the month."""
        pack, say, own = self._pack, self._say, self._own
        labels, meanings = say.section("breach_classes"), say.section("breach_meanings")
        counts, before = pack.class_counts, pack.previous_class_counts
        obligations = [row.obligation or "" for row in pack.by_obligation]
        known = list(BREACH_CLASSES)
        if any(name == NOT_RECORDED for name, _ in (*counts, *before)):
            known.append(NOT_RECORDED)

        def line(name: list[str], classes: Sequence[str]) -> list[Any]:
            here = [sum(counts.get((each, obligation), 0) for each in classes) for obligation in obligations]
            earlier = sum(count for (each, _), count in before.items() if each in classes)
            return [name, *map(say.whole, here), say.whole(sum(here)), say.whole(earlier)]

        rows = [line([labels[each], meanings[each]], [each]) for each in known]
        columns = (
            Column(own["class"], 3, is_strong=True),
            *(Column(capital(say.word(obligation)), 1, "right") for obligation in obligations),
            Column(own["all_promises"], 0.8, "right", is_strong=True),
            Column(f"{say.short_month(pack.previous_month)} {pack.previous_month[:4]}", 0.8, "right"),
        )
        table = self._table(columns, rows, "", None)
        total = self._table(columns, [line([own["why_sum"]], known)], "", None)
        return {**table, "total": total["rows"][0]}

    def _customers(self) -> dict[str, Any]:
        say, page = self._say, self._page
        breached = [row for row in self._pack.by_customer if row.tally.breached]
        breached.sort(key=lambda row: (-row.tally.breached, row.customer_name or "", row.customer_id or ""))
        columns = (
            Column(page["customer"], 2), Column(capital(page["breached"]), align="right", is_strong=True),
            Column(page["compliance"], align="right"),
            Column(f"{say.short_month(self._pack.previous_month)} {self._pack.previous_month[:4]}", align="right"),
            Column(f"{say.short_month(self._pack.month_a_year_ago)} {self._pack.month_a_year_ago[:4]}", align="right"),
        )  # fmt: skip
        rows = [
            [
                [
                    row.customer_name or self._own["no_customer"],
                    *([row.customer_id] if row.customer_id else []),
                ],
                say.whole(row.tally.breached),
                self._rate(row.tally.compliance),
                say.whole(row.previous.breached),
                say.whole(row.year_ago.breached),
            ]
            for row in breached
        ]
        return self._table(columns, rows, self._own["no_customers"], self._attachments.compliance)

    def _without_breach(self) -> str:
        others = sum(
            1
            for row in self._pack.by_customer
            if row.tally.bounded and not row.tally.breached and row.customer_id
        )
        return self._say.count("without_breach", others, "managers") if others else ""

    def _breaches(self) -> dict[str, Any]:
        say, page = self._say, self._page
        labels = say.section("breach_classes")
        columns = (
            Column(page["ticket"]), Column(page["customer"], 1.4), Column(page["promise"], 1),
            Column(page["due_answered"]), Column(page["over_by"], align="right", is_strong=True),
            Column(self._own["class"], 1),
        )  # fmt: skip
        rows = [
            [
                breach.obligation.ticket_id,
                breach.obligation.customer_name or breach.obligation.customer_id or self._own["no_customer"],
                [
                    say.word(breach.obligation.obligation),
                    say.say("severity_unknown")
                    if breach.obligation.severity_in_force is None
                    else self._levels((breach.obligation.severity_in_force,)),
                ],
                [
                    say.instant(breach.obligation.due_at, self._zone),
                    say.instant(breach.obligation.stopped_at, self._zone)
                    if breach.obligation.stopped_at
                    else say.say("not_answered"),
                ],
                unbroken(figures.duration(breach.obligation.over_by_seconds)),
                labels[breach.breach_class],
            ]
            for breach in self._pack.breaches
        ]
        return self._table(columns, rows, page["no_breaches"], self._attachments.breaches, LISTED_BREACHES)

    # ---- appendix

    def _provenance(self) -> dict[str, Any]:
        pack, say, page = self._pack, self._say, self._page
        rows = [[each.source, say.instant(each.known_until, self._zone)] for each in pack.build.sources]
        return {
            "sources": self._table((Column(page["source"]), Column(page["known_until"], 1)), rows, "", None),
            "texts": [
                self._produced(pack.build),
                say.say(
                    "attached",
                    "managers",
                    compliance=self._attachments.compliance,
                    breaches=self._attachments.breaches,
                ),
                say.say("substitute", example="[U+65E5]"),
            ],
        }
