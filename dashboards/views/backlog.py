"""What is open at the end of each day, by status, severity or age, and what came in and went out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import streamlit as st

from dashboards import charts, downloads, frame, ticket_list, times
from pipeline.reporting import figures
from pipeline.reporting.backlog import (
    CUTS,
    BacklogDay,
    OpenTicket,
    read_ages,
    read_backlog,
    read_backlog_levels,
    read_open_tickets,
)
from pipeline.reporting.published import Selection

SPANS = {"30": "30 days", "90": "90 days", "365": "a year", "": "all days"}


def show(page: frame.Page) -> None:
    ages = {str(each.age_days_from): each.age_label for each in read_ages(page.published, page.scope)}
    with st.sidebar:
        by = page.choices.one("Open tickets by", "by", {each: each for each in CUTS}, "status")
        span = page.choices.one("Last", "span", SPANS, "90")
        selection = page.choices.selection(page.published, page.scope, ("customer", "plan", "severity"))
        explain_counting()
    every_day = read_backlog(page.published, page.scope, selection)
    if not every_day:
        st.info("No tickets in this selection. The build has data: remove a filter to see it.")
        return
    days = every_day[-int(span) :] if span else every_day
    show_head(days)
    levels = read_backlog_levels(page.published, page.scope, selection, by)
    if by == "age":
        names = ages
    else:
        found = {each.value for each in levels if each.value is not None}
        names = {
            each: f"severity {each}" if by == "severity" else figures.words(each) for each in sorted(found)
        }
    event = st.plotly_chart(
        charts.draw_backlog([each.day for each in days], levels, names, frame.ink()),
        config=charts.CONFIG,
        key="backlog",
        on_select="rerun",
        selection_mode="points",
        alt="Open tickets at the end of each day. The table below has the figures.",
    )
    st.caption(
        "Days are those of the plan's time zone. Click a bar for the tickets that were open at the end of its day."
    )
    day = choose_day(page, days, [str(point["x"])[:10] for point in event["selection"]["points"]])
    show_tickets(page, selection, day, ages)
    show_days(page, days, selection)


def show_head(days: Sequence[BacklogDay]) -> None:
    last = days[-1]
    when = "as of the data" if last.is_day_running else f"at the end of {figures.day(last.day)}"
    st.subheader(f"{last.open_count} open ticket{'' if last.open_count == 1 else 's'} {when}")
    changed = sum(each.changed_count for each in days)
    parts = [
        f"{sum(each.opened_count for each in days)} opened",
        f"{sum(each.reopened_count for each in days)} reopened",
        f"{sum(each.ended_count for each in days)} ended",
        *([f"{figures.signed(changed)} by a change of severity"] if changed else []),
    ]
    st.text(f"In the {len(days)} day{'' if len(days) == 1 else 's'} shown: {', '.join(parts)}.")
    if last.unobserved_count:
        st.text(
            f"Not counted: {last.unobserved_count} ticket{'' if last.unobserved_count == 1 else 's'} without a recorded history "
            "of statuses. It is not known how long they were open."
        )


def choose_day(page: frame.Page, days: Sequence[BacklogDay], clicked: Sequence[str]) -> date:
    known = {each.day.isoformat(): each.day for each in reversed(days)}
    if clicked and clicked[0] in known and clicked[0] != st.session_state.get("day_clicked"):
        st.query_params["day"] = clicked[0]
    st.session_state["day_clicked"] = clicked[0] if clicked else ""
    last = days[-1].day.isoformat()
    chosen = page.choices.one("Tickets open at the end of", "day", {each: each for each in known}, last)
    return known[chosen]


def show_tickets(page: frame.Page, selection: Selection, day: date, ages: dict[str, str]) -> None:
    tickets = read_open_tickets(page.published, page.scope, selection, day)
    st.caption(
        f"{len(tickets)} ticket{'' if len(tickets) == 1 else 's'}, the oldest first. Tick a row to open its ticket."
    )
    if not tickets:
        return
    table = [describe(each, ages) for each in tickets]
    event = st.dataframe(
        table, hide_index=True, key="open_tickets", on_select="rerun", selection_mode="single-row"
    )
    downloads.offer_table("Download this list", table, f"open-{day}", page.status, selection)
    for row in event["selection"]["rows"][:1]:
        if row < len(tickets):
            page.open(ticket_list.TICKET_PAGE, {"ticket": tickets[row].ticket_id})


def describe(each: OpenTicket, ages: dict[str, str]) -> dict[str, object]:
    return {
        "Ticket": each.ticket_id,
        "Status": figures.words(each.ticket_status),
        "Severity": each.severity,
        "Age": ages[str(each.age_days_from)],
        "Submitted": times.instant(each.submitted_at),
        "Customer": each.customer_name or each.customer_id,
        "Plan": each.plan,
        "Subject": each.subject,
    }


def show_days(page: frame.Page, days: Sequence[BacklogDay], selection: Selection) -> None:
    with st.expander("Each day"):
        changes = any(each.changed_count for each in days)
        table = [
            {
                "Day": f"{figures.day(each.day)}{' (as of the data)' if each.is_day_running else ''}",
                "Opened": each.opened_count,
                "Reopened": each.reopened_count,
                "Ended": each.ended_count,
                **({"Severity changed": figures.signed(each.changed_count)} if changes else {}),
                "Open": each.open_count,
                "Without history": each.unobserved_count,
            }
            for each in reversed(days)
        ]
        st.dataframe(table, hide_index=True, key="backlog_days")
        downloads.offer_table("Download these days", table, "backlog", page.status, selection)


def explain_counting() -> None:
    with st.popover("How is this counted?"):
        st.markdown(
            """
            - **Open**: neither solved nor closed, deleted, merged or cancelled. Before its first recorded status a ticket is new.
            - **At the end of a day** of the plan's time zone (UTC without a plan); of the day that still runs, as of the data.
            - Open = open the day before + opened + reopened − ended.
            - **Age** counts from the submission, in days of 24 hours, also after a ticket was reopened.
            - Tickets without a recorded history of statuses are counted apart: it is not known how long they were open.
            """
        )


with frame.open_page("Backlog") as page:
    show(page)
