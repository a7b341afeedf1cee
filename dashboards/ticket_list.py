"""The obligations behind a month's figures, and why each verdict is what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from dashboards import charts, choices, frame
from dashboards.downloads import offer_csv
from pipeline.reporting import export_rows, figures
from pipeline.reporting.compliance import TrendPoint
from pipeline.reporting.published import Selection
from pipeline.reporting.tickets import Obligation, ObligationExplanation, read_explanation, read_tickets


def show(page: frame.Page, selection: Selection, months: Sequence[TrendPoint], basis: str) -> None:
    """One row per obligation of one month; choosing one explains its ticket."""
    st.subheader("Tickets behind a month")
    complete = [month.month for month in months if not month.is_partial]
    names = {
        month.month: f"{figures.month_name(month.month)}{' (partial)' if month.is_partial else ''}"
        for month in reversed(months)
    }
    left, right = st.columns([1, 3])
    with left:
        month = choices.choose_one("Month", "month", names, complete[-1])
    with right:
        statuses = choices.choose_many("Status", "status", figures.STATUS_NAMES)
    chosen = replace(selection, months=(month,), statuses=statuses)
    obligations = read_tickets(page.published, page.scope, chosen, basis)
    if not obligations:
        frame.say_no_rows()
        return
    ticket_ids = list(dict.fromkeys(each.ticket_id for each in obligations))
    st.caption(f"{len(obligations)} obligations of {len(ticket_ids)} tickets. Choose a row to see why.")
    table = [describe_obligation(each) for each in obligations]
    event = st.dataframe(
        table, hide_index=True, key="tickets", on_select="rerun", selection_mode="single-row"
    )
    offer_csv(
        "Download this list",
        export_rows.to_csv(obligations),
        len(obligations),
        f"obligations-{month}-{basis}",
        page.status,
    )
    rows = event["selection"]["rows"]
    if rows:
        st.session_state["ticket"] = obligations[rows[0]].ticket_id
    ticket_id = choices.choose_one(
        "Explain ticket", "ticket", {"": "none", **{each: each for each in ticket_ids}}, ""
    )
    if ticket_id:
        show_explanation(page, ticket_id)


def describe_obligation(each: Obligation) -> dict[str, object]:
    return {
        "Ticket": each.ticket_id,
        "Customer": each.customer_name or each.customer_id,
        "Obligation": figures.words(each.obligation),
        "Severity": each.severity_in_force,
        "Status": figures.STATUS_NAMES[each.status],
        "Reason": figures.reason(each.reason_label, None, each.could_be) if each.reason_label else "",
        "Target": figures.duration(each.target_seconds),
        "Elapsed": figures.duration(each.elapsed_seconds),
        "Remaining": figures.duration(each.remaining_seconds),
        "At risk": (figures.risk(each.used) or "") if each.status == "pending" else "",
        "Subject": each.subject,
        "Plan": each.plan,
        "Submitted": figures.instant(each.submitted_at),
        "Due": figures.instant(each.due_at),
        "Settled": figures.instant(each.settled_at),
    }


def show_explanation(page: frame.Page, ticket_id: str) -> None:
    explanation = read_explanation(page.published, page.scope, ticket_id)
    for each in explanation.obligations:
        with st.container(border=True):
            _show_verdict(each)


def _show_verdict(explained: ObligationExplanation) -> None:
    obligation = explained.obligation
    verdict = f"{figures.words(obligation.obligation)}: {figures.STATUS_NAMES[obligation.status]}"
    if obligation.reason_label:
        verdict += f" ({figures.reason(obligation.reason_label, None, obligation.could_be)})"
    if obligation.target_seconds is not None:
        verdict += (
            f" · elapsed {figures.duration(obligation.elapsed_seconds)}"
            f" of {figures.duration(obligation.target_seconds)} on clock {obligation.clock_name}"
            f" · due {figures.instant(obligation.due_at)}"
        )
    st.text(verdict)
    st.text(
        f"Plan {obligation.plan_version or '–'}, clause: {obligation.clause_text or obligation.clause or '–'}"
    )
    if explained.stopped_by:
        stop = explained.stopped_by
        st.text(
            f"Stopped by {figures.words(stop.moment or stop.event_type)} at {figures.instant(stop.event_at)}"
            f" ({stop.source_file}, line {stop.line_number})"
        )
    if explained.passed_over:
        st.text(f"Automatic replies passed over, none of which stops a clock: {len(explained.passed_over)}")
    if explained.segments:
        st.plotly_chart(
            charts.draw_segments(explained.segments),
            config=charts.CONFIG,
            key=f"segments_{obligation.obligation_key}",
        )
        st.dataframe(
            [
                {
                    "From": figures.instant(segment.starts_at),
                    "To": figures.instant(segment.ends_at),
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
