"""What is open at the end of each day, by status, severity or age, and what came in and went out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import streamlit as st

from dashboards import charts, downloads, frame, ticket_list, times
from dashboards.language import count, current, row, say, section
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


def show(page: frame.Page) -> None:
    labels = section("ages")
    ages = {
        (key := str(each.age_days_from)): labels.get(f"from_{key}", each.age_label)
        for each in read_ages(page.published, page.scope)
    }
    cuts, spans = section("backlog_cuts"), section("spans")
    with st.sidebar:
        by = page.choices.one(say("backlog.by"), "by", {each: cuts[each] for each in CUTS}, "status")
        days_shown = {name.removeprefix("last_").removeprefix("all"): told for name, told in spans.items()}
        span = page.choices.one(say("backlog.span"), "span", days_shown, "90")
        selection = page.choices.selection(page.published, page.scope, ("customer", "plan", "severity"))
        explain_counting()
    every_day = read_backlog(page.published, page.scope, selection)
    if not every_day:
        st.info(say("backlog.no_rows"))
        return
    days = every_day[-int(span) :] if span else every_day
    show_head(days)
    levels = read_backlog_levels(page.published, page.scope, selection, by)
    if by == "age":
        names = ages
    else:
        found = {each.value for each in levels if each.value is not None}
        names = {
            each: current().say("severity", levels=each) if by == "severity" else current().word(each)
            for each in sorted(found)
        }
    event = st.plotly_chart(
        charts.draw_backlog([each.day for each in days], levels, names, frame.ink()),
        config=charts.CONFIG,
        key="backlog",
        on_select="rerun",
        selection_mode="points",
        alt=say("backlog.alt"),
    )
    st.caption(say("backlog.caption"))
    day = choose_day(page, days, [str(point["x"])[:10] for point in event["selection"]["points"]])
    show_tickets(page, selection, next(each for each in days if each.day == day), ages)
    show_days(page, days, selection)


def show_head(days: Sequence[BacklogDay]) -> None:
    last = days[-1]
    if last.is_day_running:
        st.subheader(count("backlog.open_now", last.open_count))
    else:
        st.subheader(count("backlog.open_at", last.open_count, day=current().day(last.day)))
    changed = sum(each.changed_count for each in days)
    parts = [
        say("backlog.opened", number=sum(each.opened_count for each in days)),
        say("backlog.reopened", number=sum(each.reopened_count for each in days)),
        say("backlog.ended", number=sum(each.ended_count for each in days)),
        *([say("backlog.changed", number=figures.signed(changed))] if changed else []),
    ]
    st.text(count("backlog.flow", len(days), parts=", ".join(parts)))
    if last.unobserved_count:
        st.text(count("backlog.unobserved", last.unobserved_count))


def choose_day(page: frame.Page, days: Sequence[BacklogDay], clicked: Sequence[str]) -> date:
    known = {each.day.isoformat(): each.day for each in reversed(days)}
    if clicked and clicked[0] in known and clicked[0] != st.session_state.get("day_clicked"):
        st.query_params["day"] = clicked[0]
    st.session_state["day_clicked"] = clicked[0] if clicked else ""
    last = days[-1].day.isoformat()
    names = {each: current().day(day) for each, day in known.items()}
    chosen = page.choices.one(say("backlog.day"), "day", names, last)
    return known[chosen]


def show_tickets(page: frame.Page, selection: Selection, day: BacklogDay, ages: dict[str, str]) -> None:
    st.caption(count("backlog.listed", day.open_count))
    if not day.open_count:
        return
    asked = (page.scope, selection, day.day)
    start, end = frame.choose_sheet(page, day.open_count, ticket_list.ROWS_OF_A_SHEET, "sheet")
    tickets = read_open_tickets(page.published, *asked, first=start, size=end - start)
    table = [describe(each, ages) for each in tickets]
    event = st.dataframe(
        table, hide_index=True, key="open_tickets", on_select="rerun", selection_mode="single-row"
    )
    downloads.offer(
        say("downloads.list"),
        list(table[0]),
        lambda published: (
            list(describe(each, ages).values()) for each in read_open_tickets(published, *asked)
        ),
        day.open_count,
        f"open-{day.day}",
        page,
        selection,
    )
    for ticked in event["selection"]["rows"][:1]:
        if ticked < len(tickets):
            page.open(ticket_list.TICKET_PAGE, {"ticket": tickets[ticked].ticket_id})


def describe(each: OpenTicket, ages: dict[str, str]) -> dict[str, object]:
    return row(
        ticket=each.ticket_id,
        status=current().word(each.ticket_status),
        severity=each.severity,
        age=ages[str(each.age_days_from)],
        submitted=times.instant(each.submitted_at),
        customer=each.customer_name or each.customer_id,
        plan=each.plan,
        subject=each.subject,
    )


def show_days(page: frame.Page, days: Sequence[BacklogDay], selection: Selection) -> None:
    with st.expander(say("backlog.each_day")):
        changes = any(each.changed_count for each in days)
        table = [
            row(
                day=say("backlog.running_day", day=current().day(each.day))
                if each.is_day_running
                else current().day(each.day),
                opened=each.opened_count,
                reopened=each.reopened_count,
                ended=each.ended_count,
                **({"severity_changed": figures.signed(each.changed_count)} if changes else {}),
                open=each.open_count,
                without_history=each.unobserved_count,
            )
            for each in reversed(days)
        ]
        st.dataframe(table, hide_index=True, key="backlog_days")
        downloads.offer_table(say("downloads.table"), table, "backlog", page.status, selection)


def explain_counting() -> None:
    with st.popover(say("frame.how_counted")):
        st.markdown(say("backlog.counting"))


with frame.open_page("backlog") as page:
    show(page)
