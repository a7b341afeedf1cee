"""Obligations, and the explanation of one ticket, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.cli.show_entitlements import movements_table
from pipeline.cli.tables import LEFT, RIGHT, TextTable, say_number
from pipeline.reporting import figures
from pipeline.reporting.tickets import Explanation, Obligation


def tickets_table(obligations: Sequence[Obligation]) -> TextTable:
    """One line per obligation."""
    rows = tuple(
        (
            row.ticket_id,
            row.customer_id or "–",
            figures.words(row.obligation),
            "–" if row.severity_in_force is None else str(row.severity_in_force),
            figures.STATUS_NAMES[row.status],
            figures.instant(row.due_at),
            figures.duration(row.elapsed_seconds),
            figures.duration(row.target_seconds),
            figures.duration(row.over_by_seconds),
            figures.reason(row.reason_label, row.status_reason, row.could_be),
            row.subject or "–",
        )
        for row in obligations
    )
    columns = (
        ("ticket", LEFT), ("customer", LEFT), ("obligation", LEFT), ("severity", RIGHT), ("status", LEFT),
        ("due", LEFT), ("elapsed", RIGHT), ("target", RIGHT), ("over by", RIGHT), ("reason", LEFT),
        ("subject", LEFT),
    )  # fmt: skip
    notes = (f"{len(rows)} obligations of {len({row.ticket_id for row in obligations})} tickets.",)
    return TextTable("Obligations", columns, rows, notes)


def at_risk_table(running: Sequence[Obligation]) -> TextTable:
    """One line per running obligation, in the order given, with the band of its target that is used up."""
    rows = tuple(
        (
            row.ticket_id,
            row.customer_id or "–",
            figures.words(row.obligation),
            say_number(row.severity_in_force),
            figures.duration(row.remaining_seconds),
            figures.instant(row.due_at),
            row.clock_name or "–",
            figures.risk(row.used) or "on track",
            row.subject or "–",
        )
        for row in running
    )
    columns = (
        ("ticket", LEFT), ("customer", LEFT), ("obligation", LEFT), ("severity", RIGHT), ("time left", RIGHT),
        ("due", LEFT), ("clock", LEFT), ("at risk", LEFT), ("subject", LEFT),
    )  # fmt: skip
    notes = (f"{len(rows)} obligations still run. Time left is on the clock of the promise.",)
    return TextTable("At risk", columns, rows, notes)


def explanation_tables(explained: Explanation) -> tuple[TextTable, ...]:
    """The ticket, then each obligation with every segment, then every event in order."""
    ticket = explained.ticket
    facts = (
        (
            "customer",
            " ".join(part for part in (ticket.customer_id, explained.customer_name) if part) or "none",
        ),
        ("subject", ticket.subject or "–"),
        (
            "submitted",
            f"{figures.instant(ticket.submitted_at)} by {ticket.requester or '–'} ({ticket.channel or '–'})",
        ),
        (
            "severity",
            f"submitted {say_number(ticket.severity_submitted)}, now {say_number(ticket.severity_now)}",
        ),
        ("status", ticket.ticket_status or "–"),
        ("source", f"{ticket.source}: {ticket.source_file}, line {ticket.line_number}"),
        ("known up to", f"{figures.instant(explained.as_of)} (build {explained.build_id})"),
    )
    tables = [TextTable(f"Ticket {ticket.ticket_id}", (("", LEFT), ("", LEFT)), facts)]
    for why in explained.obligations:
        row = why.obligation
        notes = [_verdict(row)]
        if row.target_seconds is not None:
            kind = "estimate" if row.obligation_kind == "estimate" else "target"
            notes.append(f"Promise: {kind} {figures.duration(row.target_seconds)} on clock {row.clock_name}, "
                         f"plan {row.plan_version}, clause {row.clause or '–'}.")  # fmt: skip
        if row.clause_text:
            notes.append(f"The clause: {row.clause_text}")
        if why.segments:
            counted = sum(segment.counted_seconds for segment in why.segments)
            notes.append(f"Counted in all: {figures.duration(counted)}; "
                         f"calendars: {', '.join(why.calendar_versions) or '–'}.")  # fmt: skip
        if why.stopped_by:
            event = why.stopped_by
            notes.append(f"Stopped by event {event.event_id} ({figures.words(event.moment)} of "
                         f"{event.actor or '–'}): "
                         f"{event.source_file}, line {event.line_number}.")  # fmt: skip
        notes.extend(
            f"Passed over: event {event.event_id} at {figures.instant(event.event_at)}, "
            f"{'an answer of an AI' if event.is_ai_message else 'an automatic reply'}."
            for event in why.passed_over
        )
        if row.status_by_humans and row.status_with_ai:
            notes.append(
                f"An AI answered. By humans alone: {figures.STATUS_NAMES[row.status_by_humans]}; "
                f"with the AI's answer: {figures.STATUS_NAMES[row.status_with_ai]}."
            )
        if row.status_as_submitted and row.status_as_submitted != row.status_before_waiver:
            notes.append(
                f"With the severity as submitted it would be {figures.STATUS_NAMES[row.status_as_submitted]}."
            )
        segments = tuple(
            (
                figures.instant(segment.starts_at),
                figures.instant(segment.ends_at),
                segment.segment_kind,
                figures.duration(segment.counted_seconds),
                figures.duration(segment.wall_seconds),
                segment.segment_reason or "–",
            )
            for segment in why.segments
        )
        columns = (
            ("from", LEFT),
            ("to", LEFT),
            ("kind", LEFT),
            ("counted", RIGHT),
            ("wall time", RIGHT),
            ("reason", LEFT),
        )
        cycle = f", cycle {row.cycle_number}" if row.cycle_number > 1 else ""
        tables.append(TextTable(f"{figures.words(row.obligation)}{cycle}", columns, segments, tuple(notes)))
    events = tuple(
        (
            figures.instant(event.event_at),
            figures.words(event.moment or event.event_type),
            " ".join(part for part in (event.actor_kind, event.actor) if part) or "–",
            event.value or "–",
            f"{event.source_file}:{event.line_number}",
        )
        for event in explained.events
    )
    heads = (("at", LEFT), ("event", LEFT), ("by", LEFT), ("value", LEFT), ("source", LEFT))
    tables.append(
        TextTable("Events", heads, events, () if events else ("The source carries no event of it.",))
    )
    if explained.movements:
        tables.append(movements_table(explained.movements))
    return tuple(tables)


def _verdict(row: Obligation) -> str:
    parts = [f"Verdict: {figures.STATUS_NAMES[row.status]}"]
    if row.elapsed_seconds is not None and row.target_seconds is not None:
        parts.append(f"{figures.duration(row.elapsed_seconds)} of {figures.duration(row.target_seconds)}")
    if row.over_by_seconds:
        parts.append(f"over by {figures.duration(row.over_by_seconds)}")
    if row.due_at:
        parts.append(f"due {figures.instant(row.due_at)}")
    if row.reason_label or row.status_reason:
        parts.append(figures.reason(row.reason_label, row.status_reason, row.could_be))
    return "; ".join(parts) + "."
