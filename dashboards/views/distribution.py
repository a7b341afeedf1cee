"""How long answers took, as percentiles and a histogram, and at which hours tickets come in and promises are breached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from dashboards import charts, choices, downloads, frame, ticket_list
from pipeline.reporting import figures
from pipeline.reporting.compliance import read_trend
from pipeline.reporting.distribution import AnswerTimes, read_answer_times, read_hours
from pipeline.reporting.published import Selection

EVENTS = {"submitted": "tickets created", "breached": "promises breached"}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def show(page: frame.Page) -> None:
    with st.sidebar:
        months = read_trend(page.published, page.scope)
        names = {each.month: figures.month_of(each) for each in reversed(months)}
        month = page.choices.one("Month", "month", {"": "all months", **names}, figures.last_complete(months))
        event_kind = page.choices.one("Heat map of", "event", EVENTS, "submitted")
        selection = page.choices.selection(page.published, page.scope)
    chosen = replace(selection, months=(month,) if month else None)
    title = f" in {figures.month_name(month)}" if month else ""
    st.subheader(f"How long answers took{title}")
    times = read_answer_times(page.published, page.scope, chosen)
    if times:
        show_times(page, times, selection, month)
    else:
        st.info("No answered promise in this selection. The build has data: remove a filter to see it.")
    show_heat_map(page, chosen, event_kind, month)


def show_times(page: frame.Page, times: Sequence[AnswerTimes], selection: Selection, month: str) -> None:
    event = st.plotly_chart(
        charts.draw_histogram(times, frame.ink()),
        config=charts.CONFIG,
        key="histogram",
        on_select="rerun",
        selection_mode="points",
        alt="How many answers took which share of their target. The table below has the percentiles.",
    )
    st.caption(
        "Answers by the share of their target that they took, in steps of 10 %; the last bar has all over 200 %. "
        "Right of the line: over target. Click a bar for the tickets of its promise."
    )
    table = [describe(each) for each in times]
    st.dataframe(table, hide_index=True, key="percentiles")
    st.caption(
        "p50, p90, p95: the least time that at least 50, 90, 95 % of the answers did not exceed (nearest rank, no interpolation)."
        " Times are on the promise's own clock."
    )
    downloads.offer_table(
        "Download this table", table, f"answer-times-{month or 'all'}", page.status, selection
    )
    for point in event["selection"]["points"]:
        promise = str(point["customdata"][0])
        preset = {"month": month, "status": list(point["customdata"][1].split(","))}
        address = choices.address(replace(selection, obligations=(promise,)), **preset)
        page.open(ticket_list.LIST_PAGE, address)


def describe(each: AnswerTimes) -> dict[str, object]:
    return {
        "Promise": figures.words(each.obligation),
        "Plan": each.plan or "no plan",
        "Severity": figures.level_range(each.severities),
        "Target": figures.duration(each.target_seconds),
        "Answers": each.answered_count,
        "p50": figures.duration(each.p50_seconds),
        "p90": figures.duration(each.p90_seconds),
        "p95": figures.duration(each.p95_seconds),
        "Longest": figures.duration(each.longest_seconds),
        "Clock": figures.words(each.clock_name),
    }


def show_heat_map(page: frame.Page, selection: Selection, event_kind: str, month: str) -> None:
    what = EVENTS[event_kind]
    st.subheader(f"{what.capitalize()} by weekday and hour")
    hours = read_hours(page.published, page.scope, selection, event_kind)
    if not hours:
        st.caption("None in this selection.")
        return
    counts = {(each.weekday, each.hour_of_day): each.event_count for each in hours}
    rows = [[counts.get((weekday, hour), 0) for hour in range(24)] for weekday in range(1, 8)]
    st.plotly_chart(
        charts.draw_heat_map(WEEKDAYS, rows, what, frame.ink()),
        config=charts.CONFIG,
        key="heat_map",
        alt=f"{what.capitalize()} by weekday and hour. The table below has the counts.",
    )
    st.caption(
        "Hours of the wall clock in the plan's time zone (UTC without a plan). A breach is at the first second over its target. "
        "Of the newest build, also in closed months."
    )
    with st.expander("The same as a table"):
        table = [
            {"Weekday": name, **{f"{hour:02d}": row[hour] for hour in range(24)}}
            for name, row in zip(WEEKDAYS, rows, strict=True)
        ]
        st.dataframe(table, hide_index=True, key="hours")
        downloads.offer_table(
            "Download this table", table, f"{event_kind}-hours-{month or 'all'}", page.status
        )


with frame.open_page("Distribution") as page:
    show(page)
