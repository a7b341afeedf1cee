"""One ticket: each promise with its verdict and the sum behind it, the bands of its clock, messages, ledger, source lines."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import charts, frame, times
from pipeline.errors import ConfigurationError
from pipeline.reporting import figures
from pipeline.reporting.entitlements import Movement
from pipeline.reporting.tickets import (
    Explanation,
    ObligationExplanation,
    TicketEvent,
    Waiver,
    read_explanation,
    read_waivers,
)


def show(page: frame.Page) -> None:
    with st.sidebar:
        ticket_id = page.choices.text("Ticket", "ticket")
    if not ticket_id:
        st.info("No ticket is chosen. Write its id in the field at the left, or tick a row of a list.")
        return
    try:
        found = read_explanation(page.published, page.scope, ticket_id)
    except ConfigurationError as problem:
        st.info("This build has no such ticket.")
        st.text(str(problem))
        return
    waivers = {each.waiver_id: each for each in read_waivers(page.published, page.scope, ticket_id)}
    show_head(found)
    for each in found.obligations:
        with st.container(border=True):
            show_verdict(each, waivers.get(each.obligation.waiver_id or ""))
    if not found.obligations:
        st.text("Nothing was promised for this ticket.")
    show_events(found.events)
    show_ledger(found.movements)


def show_head(found: Explanation) -> None:
    ticket = found.ticket
    st.text(f"{ticket.ticket_id} · {ticket.subject or 'no subject'}")
    severity = f"severity {ticket.severity_submitted or '–'}"
    if ticket.severity_now != ticket.severity_submitted:
        severity += f" at submission, {ticket.severity_now or '–'} now"
    parts = [
        found.customer_name or ticket.customer_id or "no customer",
        severity,
        f"status {ticket.ticket_status or '–'}",
        f"by {ticket.requester or '–'} over {figures.words(ticket.channel)}",
        f"submitted {times.instant(ticket.submitted_at)}",
        f"source {ticket.source}: {ticket.source_file}, line {ticket.line_number}",
    ]
    st.text(" · ".join(parts))


def show_verdict(explained: ObligationExplanation, waiver: Waiver | None) -> None:
    obligation = explained.obligation
    st.subheader(
        f"{figures.words(obligation.obligation).capitalize()}: {figures.STATUS_NAMES[obligation.status]}",
        anchor=False,
    )
    if obligation.reason_label:
        st.text(figures.reason(obligation.reason_label, None, obligation.could_be))
    if obligation.target_seconds is not None:
        st.text(
            figures.sum_of_verdict(obligation, [segment.counted_seconds for segment in explained.segments])
        )
        due = f"Due {times.instant(obligation.due_at)}"
        answered = (
            f"answered {times.instant(obligation.stopped_at)}"
            if obligation.stopped_at
            else f"not answered as of {times.instant(obligation.as_of)}"
        )
        st.text(f"{due} · {answered} · clock {figures.words(obligation.clock_name)}")
    st.text(
        f"Plan {obligation.plan_version or '–'}, clause: {obligation.clause_text or obligation.clause or '–'}"
    )
    if waiver:
        st.text(
            f"Waiver {waiver.waiver_id}: {waiver.reason or 'no reason'} · asked for by {waiver.requested_by or '–'}, "
            f"approved by {waiver.approved_by or '–'} at {times.instant(waiver.approved_at)} "
            f"({waiver.source_file}, line {waiver.line_number})"
        )
    if explained.stopped_by:
        stop = explained.stopped_by
        st.text(
            f"Stopped by {figures.words(stop.moment or stop.event_type)} at {times.instant(stop.event_at)}"
            f" ({stop.source_file}, line {stop.line_number})"
        )
    if explained.passed_over:
        st.text(
            "Automatic replies and answers of an AI passed over, none of which stops this clock: "
            f"{len(explained.passed_over)}"
        )
    if explained.segments:
        show_bands(explained)


def show_bands(explained: ObligationExplanation) -> None:
    obligation = explained.obligation
    st.plotly_chart(
        charts.draw_segments(explained.segments, obligation, frame.ink()),
        config=charts.CONFIG,
        key=f"segments_{obligation.obligation_key}",
        alt="When the clock counted and when it stood still, with the due time. The table below has each segment.",
    )
    with st.expander("Each segment"):
        st.dataframe(
            [
                {
                    "From": times.instant(segment.starts_at),
                    "To": times.instant(segment.ends_at),
                    "Kind": segment.segment_kind,
                    "Wall time": figures.duration(segment.wall_seconds),
                    "Counted": figures.duration(segment.counted_seconds),
                    "Reason": segment.segment_reason,
                    "Calendar": segment.calendar_version,
                }
                for segment in explained.segments
            ],
            hide_index=True,
        )


def show_events(events: Sequence[TicketEvent]) -> None:
    st.subheader("Messages and changes")
    if not events:
        st.caption("The source shows none.")
        return
    st.dataframe([describe_event(each) for each in events], hide_index=True, key="events")


def describe_event(each: TicketEvent) -> dict[str, object]:
    seen = {True: "public", False: "internal", None: ""}[each.is_public]
    kinds = [seen] if each.event_type == "message" or each.is_public is not None else []
    kinds += ["automatic reply"] if each.is_automatic_reply else []
    kinds += ["AI"] if each.is_ai_message else []
    return {
        "At": times.instant(each.event_at),
        "What": figures.words(each.moment or each.event_type),
        "Who": each.actor or figures.words(each.actor_kind),
        "Side": figures.words(each.actor_kind),
        "Kind": ", ".join(kind for kind in kinds if kind),
        "Value": each.value or "",
        "Source line": f"{each.source_file}, line {each.line_number}",
    }


def show_ledger(movements: Sequence[Movement]) -> None:
    st.subheader("What it took from the entitlement")
    if not movements:
        st.caption("Nothing: no pool was drawn on.")
        return
    st.dataframe(
        [
            {
                "At": times.instant(each.happened_at),
                "Pool": figures.words(each.pool),
                "What": figures.words(each.movement_kind),
                "Units": figures.signed(each.quantity) if each.quantity is not None else "",
                "Balance after": each.balance_after,
                "Paid by": figures.supply(each.payer_kind, each.payer_id),
                "Reason": figures.words(each.reason),
            }
            for each in movements
        ],
        hide_index=True,
        key="ledger_effect",
    )


with frame.open_page("Ticket") as page:
    show(page)
