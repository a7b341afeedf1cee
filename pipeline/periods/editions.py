"""Which edition of a customer's month is the one to show: a draft, the original of a closed month, or its latest correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from pipeline.errors import ConfigurationError
from pipeline.periods.customers import read_customers
from pipeline.periods.records import (
    Closing,
    CorrectedValue,
    Correction,
    History,
    KeptBuild,
    keep_build,
    read_history,
    recorded_at,
)
from pipeline.pointer import AGAIN, list_publications, read_pointer
from pipeline.reporting import figures
from pipeline.reporting.edition import Change, Edition, number_draft, number_original
from pipeline.reporting.monthly_report import read_customers_to_report
from pipeline.reporting.published import EVERY_CUSTOMER, Published, open_of_record
from pipeline.settings import Workspace, read_clock


@dataclass(frozen=True)
class Issue:
    """One edition of one customer's month: the build that its figures are read from, and the history beside them (other
    months)."""

    customer_id: str
    month: str
    edition: Edition
    build: KeptBuild
    history: History = field(repr=False)


@dataclass(frozen=True)
class _Known:
    """What was known at an instant: the build served then, None where it is no longer kept, and the history."""

    served: KeptBuild | None
    history: History
    instant: datetime | None


def find_issues(
    workspace: Workspace,
    month: str,
    customer_ids: Sequence[str] | None = None,
    *,
    is_original: bool = False,
    as_known_at: datetime | None = None,
) -> tuple[Issue, ...]:
    """The edition of record of a month for the named customers, or for all with something to report, by customer.

    `is_original`: the one before any correction. `as_known_at`: the one of that instant. Raises ConfigurationError where
    there is none.
    """
    known = _find_known(workspace, as_known_at)
    closings = _closings_of(known.history, month)
    corrections = _corrections_of(known.history, month)
    closed_for = _find_closings(workspace, closings, known.history)
    if customer_ids is None:
        listed = {customer_id for customer_id in (*closed_for, *corrections) if customer_id}
        if known.served is not None and not (closings and _is_closed_everywhere(workspace, known, month)):
            with open_of_record(workspace, known.served, known.history) as published:
                listed |= _list_drafts(published, month, is_needed=not listed)
        if not listed and known.served is None:
            raise ConfigurationError(_say_nothing_kept(workspace, known, "any customer", month))
        wanted: Sequence[str] = sorted(listed)
    else:
        wanted = customer_ids
    issues = []
    drafts = [each for each in wanted if each not in closed_for and not corrections.get(each)]
    state_of = _read_draft_states(workspace, known, drafts, month)
    for customer_id in wanted:
        mine = corrections.get(customer_id, [])
        closing = closed_for.get(customer_id)
        if closing is None and not mine:
            issues.append(_draft(known, customer_id, month, state_of[customer_id]))
        elif mine and not is_original:
            issues.append(_corrected(known.history, customer_id, month, closing, mine))
        elif closing is None:
            raise ConfigurationError(
                f"There is no original report of customer {customer_id!r} for {month}: the customer had nothing in it "
                "when it was closed. Leave --original away for the correction."
            )
        else:
            issues.append(_original(known.history, customer_id, month, closing))
    return tuple(issues)


def list_issues(workspace: Workspace, first_month: str) -> tuple[Issue, ...]:
    """Every edition of every closed month from `first_month` on, for a delivery: by month and customer, the original before its
    corrections. A month that is open or was reopened has none."""
    history = read_history(workspace)
    issues: list[Issue] = []
    for month in sorted({month for _, month in history.closed() if month >= first_month}):
        closed_for = _find_closings(workspace, _closings_of(history, month), history)
        corrections = _corrections_of(history, month)
        for customer_id in sorted({each for each in (*closed_for, *corrections) if each}):
            closing = closed_for.get(customer_id)
            if closing is not None:
                issues.append(_original(history, customer_id, month, closing))
            own = corrections.get(customer_id, [])
            issues += [
                _corrected(history, customer_id, month, closing, own[: number + 1])
                for number in range(len(own))
            ]
    return tuple(issues)


def print_change(change: CorrectedValue) -> Change:
    """A corrected value in words."""
    return Change(
        what=change.what,
        ticket_id=change.ticket_id,
        obligation=change.part,
        old=_print_value(change.what, change.old),
        new=_print_value(change.what, change.new),
        causes=change.causes,
    )


def _print_value(what: str, value: str | None) -> str | None:
    if value is None:
        return None
    if what == "status":
        return figures.STATUS_NAMES[value]
    if what in ("target", "time counted"):
        return figures.duration(int(value))
    if what == "due":
        return figures.instant(datetime.fromisoformat(value).replace(tzinfo=UTC))
    return figures.words(value) if what == "reason" else value


def _find_known(workspace: Workspace, instant: datetime | None) -> _Known:
    history = read_history(workspace)
    if instant is not None and instant > (latest := _find_latest(workspace, history)):
        raise ConfigurationError(
            f"--as-known-at is {instant:%Y-%m-%dT%H:%M:%SZ}, which lies in the future: what will be known then cannot be told. "
            f"Give an instant up to {latest:%Y-%m-%dT%H:%M:%SZ}, or leave the option away."
        )
    if instant is None:
        pointer = read_pointer(workspace)
        if pointer is None:
            raise ConfigurationError(
                f"Nothing is published yet in {workspace.root}, so there is nothing to report. {AGAIN}"
            )
        return _Known(keep_build(pointer), history, None)
    kept = [
        pointer
        for _, pointer in list_publications(workspace)
        if (workspace.published / pointer.file).is_file()
        and datetime.fromisoformat(pointer.published_at) <= instant
    ]
    return _Known(keep_build(kept[-1]) if kept else None, history.until(instant), instant)


def _find_latest(workspace: Workspace, history: History) -> datetime:
    """Now, or when the newest thing on record was made, where the clock of the machine was set back since."""
    published = [
        datetime.fromisoformat(pointer.published_at) for _, pointer in list_publications(workspace)[-1:]
    ]
    return max([read_clock(), *published, *(recorded_at(record) for record in history.records[-1:])])


def _closings_of(history: History, month: str) -> dict[str, Closing]:
    """Time zone -> the closing of the month in force there."""
    return {zone: closing for (zone, each), closing in history.closed().items() if each == month}


def _corrections_of(history: History, month: str) -> dict[str, list[Correction]]:
    """Customer -> the corrections of the month, in their order."""
    found: dict[str, list[Correction]] = {}
    for correction in history.corrections(month=month):
        found.setdefault(correction.customer_id, []).append(correction)
    return found


def _find_closings(
    workspace: Workspace, closings: dict[str, Closing], history: History
) -> dict[str, Closing]:
    """Customer -> the closing whose build has the month of record: the last of the customer's zones, once all of them
    are closed."""
    found: dict[str, Closing] = {}
    for closing in sorted(closings.values(), key=lambda each: each.number):
        found |= {
            customer_id: closing
            for customer_id, zones in read_customers(workspace, closing, history).items()
            if closing.time_zone in zones
            and all(zone in closings and closings[zone].number <= closing.number for zone in zones)
        }
    return found


def _is_closed_everywhere(workspace: Workspace, known: _Known, month: str) -> bool:
    from pipeline.reporting.periods import read_month_states

    assert known.served is not None
    with open_of_record(workspace, known.served, known.history) as published:
        states = [
            state.state for state in read_month_states(published, EVERY_CUSTOMER) if state.month == month
        ]
    return bool(states) and all(state == "closed" for state in states)


def _list_drafts(published: Published, month: str, *, is_needed: bool) -> set[str]:
    try:
        return set(read_customers_to_report(published, EVERY_CUSTOMER, month))
    except ConfigurationError:
        if is_needed:
            raise
        return set()


def _read_draft_states(
    workspace: Workspace, known: _Known, customer_ids: Sequence[str], month: str
) -> dict[str, Literal["open", "provisional"]]:
    """How far the month of each customer is; of several zones it is open until it has ended in the last of them."""
    if not customer_ids:
        return {}
    if known.served is None:
        raise ConfigurationError(_say_nothing_kept(workspace, known, f"customer {customer_ids[0]!r}", month))
    with open_of_record(workspace, known.served, known.history) as published:
        rows = published.fetch(
            dict,
            """
            select distinct zones.customer_id
            from core.dim_months as months
            join core.dim_customer_zones as zones on zones.time_zone = months.time_zone
            where list_contains($customer_ids::varchar[], zones.customer_id) and months.month = $month
              and months.period_state = 'open'
            """,
            {"customer_ids": list(customer_ids), "month": month},
        )
    open_for = {row["customer_id"] for row in rows}
    return {each: "open" if each in open_for else "provisional" for each in customer_ids}


def _draft(known: _Known, customer_id: str, month: str, state: Literal["open", "provisional"]) -> Issue:
    assert known.served is not None
    number = number_draft(customer_id, month, known.served.build_id)
    return Issue(customer_id, month, Edition(state, number), known.served, known.history)


def _original(history: History, customer_id: str, month: str, closing: Closing) -> Issue:
    number = _number_original(customer_id, month, closing)
    edition = Edition(
        "closed",
        number,
        # A month that was closed again replaces its first original.
        corrects=None if closing.version == 1 else _number_version(customer_id, month, closing.version - 1),
        closed_at=closing.closed_at,
    )
    return Issue(customer_id, month, edition, closing.build, history.before(closing.number).without(month))


def _corrected(
    history: History, customer_id: str, month: str, closing: Closing | None, corrections: list[Correction]
) -> Issue:
    last = corrections[-1]
    of_month = [each for each in history.closed().values() if each.month == month]
    base = closing or max(of_month, key=lambda each: each.number)
    original = _number_original(customer_id, month, base)
    edition = Edition(
        "closed",
        f"{original}-C{last.correction_number}",
        correction_number=last.correction_number,
        # Nothing was issued to a customer that joined the month after it was closed.
        corrects=None if closing is None else original,
        closed_at=base.closed_at,
        issued_at=last.issued_at,
        changes=tuple(print_change(change) for each in corrections for change in each.changes),
    )
    return Issue(customer_id, month, edition, last.build, history.before(last.number).without(month))


def _number_original(customer_id: str, month: str, closing: Closing) -> str:
    return _number_version(customer_id, month, closing.version)


def _number_version(customer_id: str, month: str, version: int) -> str:
    number = number_original(customer_id, month)
    return number if version == 1 else f"{number}-V{version}"


def _say_nothing_kept(workspace: Workspace, known: _Known, whom: str, month: str) -> str:
    kept = [
        pointer.published_at
        for _, pointer in list_publications(workspace)
        if (workspace.published / pointer.file).is_file()
    ]
    closed = sorted({each for _, each in read_history(workspace).closed()})
    instant = f"{known.instant:%Y-%m-%dT%H:%M:%SZ}" if known.instant else "now"
    return (
        f"What was known of {whom} in {month} at {instant} is not kept: the month was not closed then, "
        f"and no build of that time is left. Kept are builds published since {min(kept, default='never')}, and closed months for "
        f"every instant since they were closed ({', '.join(closed) or 'none'})."
    )
