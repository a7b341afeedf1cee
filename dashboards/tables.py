"""Rows of tables that several pages show, as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dashboards import times
from dashboards.language import current, row, say, section
from pipeline.reporting import figures
from pipeline.reporting.entitlements import Alert, Balance
from pipeline.reporting.findings import Finding
from pipeline.reporting.status import Check


def describe_alert(each: Alert) -> dict[str, object]:
    words = current()
    return row(
        alert=figures.alert(each, words),
        customer=each.customer_name,
        plan=each.plan,
        alert_about=words.word(each.pool)
        if each.pool
        else words.say("term", "figures", id=each.subscription_id),
        consumed=each.consumed_quantity,
        available=each.available_quantity,
        over=each.overage_quantity,
        term_ends_on=words.day(each.term_ends_on),
        days_to_the_end=each.days_left,
        next_term="" if each.pool else each.next_subscription_id or say("tables.none"),
        since=times.instant(each.raised_at),
    )


def describe_balance(each: Balance) -> dict[str, object]:
    words = current()

    def number(quantity: int | None) -> str:
        return figures.quantity(
            quantity, is_unlimited=each.is_unlimited, is_stated=each.is_stated, language=words
        )

    return row(
        customer=each.customer_name,
        pool=words.word(each.pool),
        remaining=number(each.remaining_quantity),
        overage=each.overage_quantity,
        granted=number(each.granted_quantity),
        used=each.used_quantity,
        ends_on=words.day(each.term_ends_on),
        days_left=each.days_left,
        plan=each.plan,
        purchased=each.purchased_quantity,
        credited=each.credited_quantity,
        flowed_in=each.overflowed_in_quantity,
        flowed_out=each.overflowed_out_quantity,
        expired=each.expired_quantity,
        carried=each.carried_quantity,
        state=words.word(each.term_status),
        term=say("tables.span", start=words.day(each.term_starts_on), end=words.day(each.term_ends_on)),
    )


def without(table: Iterable[Mapping[str, object]], *names: str) -> list[dict[str, object]]:
    """The table without columns that would say the same on every row of a page; `names` as in `language.row`."""
    heads = {section("columns")[name] for name in names}
    return [{name: value for name, value in line.items() if name not in heads} for line in table]


def describe_finding(each: Finding) -> dict[str, object]:
    return row(
        ticket=each.ticket_id or "",
        customer=each.customer_id or "",
        finding=label_finding(each.finding, each.finding_label),
        effect=each.effect,
        evidence=each.evidence,
        source_line=say_line(each.source_file, each.line_number),
    )


def label_finding(finding: str, label: str) -> str:
    """A kind of finding in words; `label` is the English sentence of the vocabulary."""
    return section("finding_kinds").get(finding, label)


def say_line(file: str | None, number: int | None) -> str:
    """'tickets.csv, line 2'; the file alone where it has no lines, and nothing where it is not about a file."""
    if not file or number is None:
        return file or ""
    return say("tables.line", file=file, number=str(number))


def describe_check(each: Check) -> dict[str, object]:
    words = current()
    return row(
        check=each.check_name,
        check_severity=words.word(each.severity),
        outcome=words.word(each.status),
        found=each.observed,
        why_it_matters=each.detail,
    )
