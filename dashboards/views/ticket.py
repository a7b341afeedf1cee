"""One ticket: each promise with its verdict and the sum behind it, the bands of its clock, messages, ledger, source lines."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import charts, frame, times
from dashboards.cards import capitalize
from dashboards.language import current, row, say, section
from dashboards.tables import say_line
from pipeline.errors import ConfigurationError
from pipeline.reporting import figures
from pipeline.reporting.entitlements import Movement
from pipeline.reporting.tickets import (
    Explanation,
    ObligationExplanation,
    Segment,
    TicketEvent,
    Waiver,
    read_explanation,
    read_waivers,
)

# What the segments say of hours outside of a clock, before its name.
_CLOSED = "outside the hours of "


def show(page: frame.Page) -> None:
    with st.sidebar:
        ticket_id = page.choices.text(say("columns.ticket"), "ticket")
    if not ticket_id:
        st.info(say("ticket.none_chosen"))
        return
    try:
        found = read_explanation(page.published, page.scope, ticket_id)
    except ConfigurationError as problem:
        st.info(say("ticket.no_such_ticket"))
        st.text(str(problem))
        return
    waivers = {each.waiver_id: each for each in read_waivers(page.published, page.scope, ticket_id)}
    show_head(found)
    for each in found.obligations:
        with st.container(border=True):
            show_verdict(each, waivers.get(each.obligation.waiver_id or ""))
    if not found.obligations:
        st.text(say("ticket.nothing_promised"))
    show_events(found.events)
    show_ledger(found.movements)


def show_head(found: Explanation) -> None:
    ticket, words = found.ticket, current()
    st.text(f"{ticket.ticket_id} · {ticket.subject or say('ticket.no_subject')}")
    before, now = (str(each or "–") for each in (ticket.severity_submitted, ticket.severity_now))
    severity = (
        words.say("severity", levels=before)
        if before == now
        else say("ticket.severity_changed", before=before, now=now)
    )
    parts = [
        found.customer_name or ticket.customer_id or say("tables.no_customer"),
        severity,
        say("ticket.status", status=words.word(ticket.ticket_status)),
        say("ticket.requester", requester=ticket.requester or "–", channel=words.word(ticket.channel)),
        say("ticket.submitted", instant=times.instant(ticket.submitted_at)),
        say("ticket.source", source=ticket.source, line=say_line(ticket.source_file, ticket.line_number)),
    ]
    st.text(" · ".join(parts))


def show_verdict(explained: ObligationExplanation, waiver: Waiver | None) -> None:
    obligation, words = explained.obligation, current()
    name = capitalize(words.word(obligation.obligation))
    st.subheader(say("ticket.verdict", promise=name, status=words.status(obligation.status)), anchor=False)
    if obligation.reason_label:
        st.text(words.reason(obligation.status_reason, obligation.reason_label, obligation.could_be))
    if obligation.target_seconds is not None:
        counted = [segment.counted_seconds for segment in explained.segments]
        st.text(figures.sum_of_verdict(obligation, counted, words))
        due = say("ticket.due", instant=times.instant(obligation.due_at))
        answered = (
            say("ticket.answered", instant=times.instant(obligation.stopped_at))
            if obligation.stopped_at
            else say("ticket.not_answered", instant=times.instant(obligation.as_of))
        )
        clock = say("ticket.clock", clock=words.word(obligation.clock_name))
        st.text(" · ".join((due, answered, clock)))
    st.text(
        say(
            "ticket.clause",
            plan=obligation.plan_version or "–",
            clause=obligation.clause_text or obligation.clause or "–",
        )
    )
    if waiver:
        st.text(
            say(
                "ticket.waiver",
                id=waiver.waiver_id,
                reason=waiver.reason or say("ticket.no_reason"),
                requester=waiver.requested_by or "–",
                approver=waiver.approved_by or "–",
                instant=times.instant(waiver.approved_at),
                line=say_line(waiver.source_file, waiver.line_number),
            )
        )
    if explained.stopped_by:
        stop = explained.stopped_by
        st.text(
            say(
                "ticket.stopped_by",
                event=words.word(stop.moment or stop.event_type),
                instant=times.instant(stop.event_at),
                line=say_line(stop.source_file, stop.line_number),
            )
        )
    if explained.passed_over:
        st.text(say("ticket.passed_over", number=len(explained.passed_over)))
    if explained.segments:
        show_bands(explained)


def show_bands(explained: ObligationExplanation) -> None:
    obligation = explained.obligation
    st.plotly_chart(
        charts.draw_segments(explained.segments, obligation, frame.ink()),
        config=charts.CONFIG,
        key=f"segments_{obligation.obligation_key}",
        alt=say("ticket.bands_alt"),
    )
    with st.expander(say("ticket.segments")):
        st.dataframe(
            [
                row(
                    starts=times.instant(segment.starts_at),
                    ends=times.instant(segment.ends_at),
                    kind=section("segment_kinds")[segment.segment_kind],
                    wall_time=figures.duration(segment.wall_seconds),
                    counted=figures.duration(segment.counted_seconds),
                    reason=say_segment_reason(segment),
                    calendar=segment.calendar_version,
                )
                for segment in explained.segments
            ],
            hide_index=True,
        )


def say_segment_reason(segment: Segment) -> str:
    """The name of the clock, of a pause or of a closure, as the plan and its calendar call it."""
    reason = segment.segment_reason or "–"
    clock = reason.removeprefix(_CLOSED)
    return current().word(reason) if clock == reason else say("ticket.outside", clock=current().word(clock))


def show_events(events: Sequence[TicketEvent]) -> None:
    st.subheader(say("ticket.events"))
    if not events:
        st.caption(say("ticket.no_events"))
        return
    st.dataframe([describe_event(each) for each in events], hide_index=True, key="events")


def describe_event(each: TicketEvent) -> dict[str, object]:
    words = current()
    seen = {True: say("ticket.public"), False: say("ticket.internal"), None: ""}[each.is_public]
    kinds = [seen] if each.event_type == "message" or each.is_public is not None else []
    kinds += [say("ticket.automatic_reply")] if each.is_automatic_reply else []
    kinds += [say("ticket.ai")] if each.is_ai_message else []
    return row(
        at=times.instant(each.event_at),
        what=words.word(each.moment or each.event_type),
        who=each.actor or words.word(each.actor_kind),
        side=words.word(each.actor_kind),
        kind=", ".join(kind for kind in kinds if kind),
        value=each.value or "",
        source_line=say_line(each.source_file, each.line_number),
    )


def show_ledger(movements: Sequence[Movement]) -> None:
    st.subheader(say("ticket.ledger"))
    if not movements:
        st.caption(say("ticket.no_ledger"))
        return
    words = current()
    st.dataframe(
        [
            row(
                at=times.instant(each.happened_at),
                pool=words.word(each.pool),
                what=words.say(each.movement_kind, "movements"),
                units=figures.signed(each.quantity) if each.quantity is not None else "",
                balance_after=each.balance_after,
                paid_by=figures.supply(each.payer_kind, each.payer_id, words),
                reason=words.movement_reason(each.reason),
            )
            for each in movements
        ],
        hide_index=True,
        key="ledger_effect",
    )


with frame.open_page("ticket") as page:
    show(page)
