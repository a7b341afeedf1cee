"""Closing months, reopening them, and recording what later inputs change in them.

A month is closed per time zone of plans, with the build that is served, once its grace period has passed at as_of. The caller
holds the workspace's lock. Every record is written whole, so a run that was killed leaves the next one the rest to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pipeline.errors import ConfigurationError, StaleData
from pipeline.periods.compare import digest_figures, find_changes, read_by_closing
from pipeline.periods.customers import keep_customers
from pipeline.periods.records import (
    Closing,
    Correction,
    History,
    KeptBuild,
    Reopening,
    append_record,
    closed_folder,
    keep_build,
    read_history,
)
from pipeline.pointer import Pointer
from pipeline.reporting.periods import MonthState, read_month_states
from pipeline.reporting.published import EVERY_CUSTOMER, Published
from pipeline.rules.periods import PeriodRules
from pipeline.seen_files import seen_files
from pipeline.settings import Workspace, read_clock
from pipeline.whole_files import seal, unseal, write_whole


@dataclass(frozen=True)
class Waiting:
    """A month that is due and was not closed, and why: a source of its reports lags."""

    month: str
    time_zone: str
    reason: str


@dataclass(frozen=True)
class Closed:
    """What a run closed, and what it left. `idle`: months that are due while nothing says from which on months close by
    themselves."""

    closings: tuple[Closing, ...]
    waiting: tuple[Waiting, ...]
    idle: tuple[str, ...] = ()


def close_month(
    workspace: Workspace, published: Published, pointer: Pointer, month: str, dry_run: bool
) -> Closed:
    """Close one month in every zone in which it is due. `dry_run`: as it would be, nothing is written.

    Raises ConfigurationError for a month that is not due or is closed already, StaleData where a source of its reports lags.
    """
    states = [state for state in _read_states(workspace, published) if state.month == month]
    if not states:
        raise ConfigurationError(
            f"There are no figures of {month}, so there is nothing to close. Months are written like 2026-07."
        )
    if all(state.state == "closed" for state in states):
        raise ConfigurationError(
            f"{month} is closed already. What arrives later becomes corrections. To close it again with other figures, reopen it "
            f"first: sla close --month {month} --reopen --reason TEXT."
        )
    due = [state for state in states if state.state == "due"]
    if not due:
        wait = ", ".join(
            f"{state.time_zone} ({_say_when(state)})" for state in states if state.state != "closed"
        )
        raise ConfigurationError(
            f"{month} is not due to be closed yet: {wait}. The data is known up to {_iso(published.read_as_of())}. "
            "Close it later, or change periods.grace_business_days in sla.yml."
        )
    waiting = _find_waiting(published, due)
    if waiting:
        raise StaleData(
            f"{month} was not closed, because its reports would lack what is not exported yet: "
            + "; ".join(f"{each.time_zone}: {each.reason}" for each in waiting)
            + ". Put the newer exports into the inbox and call `sla run`, or say that they are complete: "
            f"sla build --as-of {_iso(published.read_as_of())}."
        )
    return Closed(_close(workspace, pointer, due, dry_run), ())


def close_due(workspace: Workspace, published: Published, pointer: Pointer, rules: PeriodRules) -> Closed:
    """Close every month that is due, once, oldest first: from `first_month` on, or from the month after the first that
    was closed.

    A month that was reopened waits for a user. One whose source lags waits, and so does every later one of its zone.
    """
    history = read_history(workspace)
    states = [state for state in _read_states(workspace, published) if state.state == "due"]
    first = _first_month(history, rules)
    if first is None:
        return Closed((), (), idle=tuple(sorted({state.month for state in states})))
    reopened = {(record.time_zone, record.month) for record in history.of_kind(Reopening)}
    wanted = [
        state for state in states if state.month >= first and (state.time_zone, state.month) not in reopened
    ]
    waiting = _find_waiting(published, wanted)
    held = {
        zone: min(each.month for each in waiting if each.time_zone == zone)
        for zone in {w.time_zone for w in waiting}
    }
    closable = [state for state in wanted if state.month < held.get(state.time_zone, "9999-99")]
    return Closed(_close(workspace, pointer, closable, dry_run=False), tuple(waiting))


def reopen_month(workspace: Workspace, month: str, reason: str) -> tuple[Reopening, ...]:
    """Open a closed month again, in every zone; its closing stays on record. Raises ConfigurationError when it is not closed."""
    if not reason.strip():
        raise ConfigurationError("Say why the month is opened again: --reason TEXT. It stays on record.")
    history = read_history(workspace)
    closings = [closing for (_, each), closing in sorted(history.closed().items()) if each == month]
    if not closings:
        known = sorted({each for _, each in history.closed()})
        raise ConfigurationError(
            f"{month} is not closed, so it cannot be reopened. Closed months: {', '.join(known) or 'none'}."
        )
    now = _next_instant(history)
    reopenings = tuple(
        Reopening(history.next_number + place, month, closing.time_zone, closing.number, reason.strip(), now)
        for place, closing in enumerate(closings)
    )
    for reopening in reopenings:
        append_record(workspace, reopening)
    return reopenings


def record_corrections(workspace: Workspace, pointer: Pointer) -> tuple[Correction, ...]:
    """Record what the served build changes in closed months: a numbered correction for each customer and month.

    What was compared already with all that is on record is not compared again, and no build is opened for it.
    """
    history = read_history(workspace)
    build = _keep_build(history, pointer)
    if _is_compared(workspace, build, history):
        return ()
    now = _next_instant(history)
    recorded = []
    for number, found in enumerate(find_changes(workspace, history, build), history.next_number):
        before = history.corrections(found.customer_id, found.month)
        correction = Correction(
            number=number,
            customer_id=found.customer_id,
            month=found.month,
            corrects=found.corrects,
            correction_number=1 + max((each.correction_number for each in before), default=0),
            build=build,
            issued_at=now,
            changes=found.changes,
        )
        append_record(workspace, correction)
        recorded.append(correction)
    history = read_history(workspace)
    keep_customers(workspace, history, history.closed().values())
    for kept in history.builds().values():
        seen_files(workspace.warehouse).hash_file(workspace.published / kept.file, never_changes=True)
    compared = {"build_id": build.build_id, "records": len(history.records)}
    write_whole(_compared_path(workspace), seal(compared))
    return tuple(recorded)


def _keep_build(history: History, pointer: Pointer) -> KeptBuild:
    """The build that is served as records name it. Trials publish one again in another file, with the same figures: where one of
    its files is on record, that one is kept."""
    on_record = history.builds().get(pointer.build_id)
    return keep_build(pointer) if on_record is None or on_record.file == pointer.file else on_record


def _is_compared(workspace: Workspace, build: KeptBuild, history: History) -> bool:
    try:
        found = unseal(_compared_path(workspace).read_bytes(), needs_seal=True)
    except (OSError, ValueError):
        return False
    return (found.get("build_id"), found.get("records")) == (build.build_id, len(history.records))


def _compared_path(workspace: Workspace) -> Path:
    return closed_folder(workspace) / "compared.json"


def _read_states(workspace: Workspace, published: Published) -> list[MonthState]:
    """The states of all months, with every closing on record: a build as of an earlier instant shows a month as it was
    before its closing, and must not close it again."""
    closed = read_history(workspace).closed()
    return [
        replace(state, state="closed") if (state.time_zone, state.month) in closed else state
        for state in read_month_states(published, EVERY_CUSTOMER)
    ]


def _close(
    workspace: Workspace, pointer: Pointer, states: Iterable[MonthState], dry_run: bool
) -> tuple[Closing, ...]:
    history = read_history(workspace)
    build, now = _keep_build(history, pointer), _next_instant(history)
    due = sorted(states, key=lambda state: (state.month, state.time_zone))
    inputs = _read_inputs(workspace, pointer) if due else {}
    closings: list[Closing] = []
    for state in due:
        before = [
            closing
            for closing in history.of_kind(Closing)
            if (closing.time_zone, closing.month) == (state.time_zone, state.month)
        ]
        closing = Closing(
            number=history.next_number + len(closings),
            month=state.month,
            time_zone=state.time_zone,
            version=len(before) + 1,
            build=build,
            closed_at=now,
            figures_sha256="",
            inputs=inputs,
            replaces=before[-1].number if before else None,
        )
        closings.append(closing)
    figures = read_by_closing(workspace, build, closings) if closings else {}
    sealed = tuple(
        replace(closing, figures_sha256=digest_figures(figures[closing.number])) for closing in closings
    )
    if not dry_run:
        for closing in sealed:
            append_record(workspace, closing)
        keep_customers(workspace, read_history(workspace), sealed)
    return sealed


def _read_inputs(workspace: Workspace, pointer: Pointer) -> dict[str, str]:
    """Name -> digest of everything that the build was made from."""
    with Published(workspace.published / pointer.file, pointer) as published:
        rows = published.fetch(
            dict, "select kind, name, digest, reading from meta.inputs order by kind, name, digest, reading"
        )
    inputs: dict[str, str] = {}
    for row in rows:
        name = f"{row['kind']}: {row['name']}"
        # Two exports of one name are two inputs.
        inputs[name if name not in inputs else f"{name} (read as {row['reading']})"] = row["digest"]
    return inputs


def _find_waiting(published: Published, states: Iterable[MonthState]) -> list[Waiting]:
    wanted = {(state.time_zone, state.month) for state in states}
    rows = published.fetch(
        dict,
        """
        select distinct zones.time_zone, reports.month, reports.stale_source, reports.stale_source_read_until
        from marts.mart_customer__monthly_report as reports
        join core.dim_customer_zones as zones on zones.customer_id = reports.customer_id
        where reports.stale_source is not null
        order by 2, 1, 3
        """,
    )
    return [
        Waiting(
            row["month"],
            row["time_zone"],
            f"source {row['stale_source']!r} is known until {_iso(row['stale_source_read_until'])} only",
        )
        for row in rows
        if (row["time_zone"], row["month"]) in wanted
    ]


def _first_month(history: History, rules: PeriodRules) -> str | None:
    """From which month on months are closed by themselves: the one of sla.yml, else that of the first closing by hand."""
    if rules.first_month is not None:
        return rules.first_month
    return min((closing.month for closing in history.of_kind(Closing)), default=None)


def _next_instant(history: History) -> datetime:
    """Now, and never before the newest record, so that what was known at an instant is a beginning of the history."""
    from pipeline.periods.records import recorded_at

    now = read_clock()
    return max([now, *(recorded_at(record) for record in history.records[-1:])])


def _say_when(state: MonthState) -> str:
    if state.state == "open":
        return f"it ends at {_iso(state.ends_at)}"
    return "its grace period goes on" if state.closes_at is None else f"from {_iso(state.closes_at)} on"


def _iso(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
