"""Which months are closed, provisional or due, and what was corrected, as lines and as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.cli.tables import LEFT, RIGHT, TextTable
from pipeline.periods.close import Closed
from pipeline.periods.records import Correction, Reopening
from pipeline.reporting import figures
from pipeline.reporting.periods import ClosedMonth, MonthState


def describe_periods(
    closed: Sequence[ClosedMonth], states: Sequence[MonthState], first_month: str | None
) -> tuple[str, ...]:
    """What a reader must know of the state of months, one line each."""
    due = sorted({state.month for state in states if state.state == "due"})
    idle = (say_idle(due),) if due and first_month is None and not closed else ()
    return (*idle, *figures.describe_closed_months(closed))


def say_idle(due: Sequence[str]) -> str:
    """What to do where months could be closed and nothing closes them."""
    return (
        f"No month is closed, and none closes by itself: {_span(due)} could be. Set periods.first_month in sla.yml, or "
        f"close one: sla close --month {due[-1]}."
    )


def periods_table(
    closed: Sequence[ClosedMonth], states: Sequence[MonthState], notes: Sequence[str]
) -> TextTable:
    """One line per closed month, and per month in each zone that is not closed, from the first closed one on (else the
    last three)."""
    by_month = {each.month: each for each in closed}
    first = min(by_month, default=max((state.month for state in states), default=""))
    lines = []
    for each in closed:
        lines.append(
            (
                each.month,
                ", ".join(each.time_zones),
                "closed",
                f"closed {figures.instant(each.closed_at)}",
                str(each.corrections),
            )
        )
    for state in states:
        if state.state != "closed" and (state.month >= first or state.state in ("open", "provisional")):
            when = (
                f"ends {figures.instant(state.ends_at)}"
                if state.state == "open"
                else f"closes {figures.instant(state.closes_at)}"
            )
            lines.append((state.month, state.time_zone, state.state, when, ""))
    columns = (("month", LEFT), ("zone", LEFT), ("state", LEFT), ("when", LEFT), ("corrections", RIGHT))
    return TextTable("Months", columns, tuple(sorted(lines)), tuple(notes))


def describe_closed(result: Closed, *, is_dry: bool = False) -> list[str]:
    """What a run closed and left, one line each."""
    lines = []
    for closing in result.closings:
        again = "" if closing.version == 1 else f" (closing {closing.version} of it)"
        lines.append(
            f"{closing.month} ({closing.time_zone}): {'would be closed' if is_dry else 'closed'}{again} with build "
            f"{closing.build.build_id}, data as of {figures.instant(closing.build.as_of)}, {len(closing.inputs)} inputs "
            f"on record."
        )
    lines += [
        f"warning: {each.month} ({each.time_zone}) is due and was not closed: {each.reason}. Put its newer export into the inbox."
        for each in result.waiting
    ]
    return [*lines, say_idle(result.idle)] if result.idle else lines


def describe_corrections(corrections: Iterable[Correction]) -> list[str]:
    """One line per correction: which month of which customer, how many values, and the inputs behind them."""
    lines = []
    for correction in corrections:
        causes = sorted({cause for change in correction.changes for cause in change.causes})
        shown = "; ".join(causes[:3]) + (f"; and {len(causes) - 3} more" if len(causes) > 3 else "")
        whose = f"customer {correction.customer_id}" if correction.customer_id else "no customer"
        lines.append(
            f"Correction {correction.correction_number} of {correction.month}, {whose}: {len(correction.changes)} values differ "
            f"because of {shown}."
        )
    return lines


def describe_reopened(reopenings: Iterable[Reopening]) -> list[str]:
    return [
        f"{each.month} ({each.time_zone}): open again, because: {each.reason}. It stays open until it is closed with `sla close`."
        for each in reopenings
    ]


def _span(months: Sequence[str]) -> str:
    return months[0] if len(months) == 1 else f"{months[0]} to {months[-1]} ({len(months)} months)"
