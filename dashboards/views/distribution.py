"""How long answers took, as percentiles and a histogram, and at which hours tickets come in and promises are breached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from dashboards import charts, choices, downloads, frame, ticket_list
from dashboards.language import current, row, say, section
from pipeline.reporting import figures
from pipeline.reporting.compliance import read_trend
from pipeline.reporting.distribution import AnswerTimes, read_answer_times, read_hours
from pipeline.reporting.published import Selection


def show(page: frame.Page) -> None:
    with st.sidebar:
        months = read_trend(page.published, page.scope)
        month = frame.choose_any_month(page, months)
        event_kind = page.choices.one(
            say("distribution.heat_map_of"), "event", section("hour_events"), "submitted"
        )
        selection = page.choices.selection(page.published, page.scope)
    chosen = replace(selection, months=(month,) if month else None)
    if month:
        st.subheader(say("distribution.took_in", month=current().month(month)))
    else:
        st.subheader(say("distribution.took"))
    times = read_answer_times(page.published, page.scope, chosen)
    if times:
        show_times(page, times, selection, month)
    else:
        st.info(say("distribution.no_rows"))
    show_heat_map(page, chosen, event_kind, month)


def show_times(page: frame.Page, times: Sequence[AnswerTimes], selection: Selection, month: str) -> None:
    event = st.plotly_chart(
        charts.draw_histogram(times, frame.ink()),
        config=charts.CONFIG,
        key="histogram",
        on_select="rerun",
        selection_mode="points",
        alt=say("distribution.alt"),
    )
    st.caption(say("distribution.caption"))
    table = [describe(each) for each in times]
    st.dataframe(table, hide_index=True, key="percentiles")
    st.caption(say("distribution.percentiles"))
    downloads.offer_table(
        say("downloads.table"), table, f"answer-times-{month or 'all'}", page.status, selection
    )
    for point in event["selection"]["points"]:
        promise = str(point["customdata"][0])
        preset = {"month": month, "status": list(point["customdata"][1].split(","))}
        address = choices.address(replace(selection, obligations=(promise,)), **preset)
        page.open(ticket_list.LIST_PAGE, address)


def describe(each: AnswerTimes) -> dict[str, object]:
    return row(
        promise=current().word(each.obligation),
        plan=each.plan or say("tables.no_plan"),
        severity=figures.level_range(each.severities),
        target=figures.duration(each.target_seconds),
        answers=each.answered_count,
        p50=figures.duration(each.p50_seconds),
        p90=figures.duration(each.p90_seconds),
        p95=figures.duration(each.p95_seconds),
        longest=figures.duration(each.longest_seconds),
        clock=current().word(each.clock_name),
    )


def show_heat_map(page: frame.Page, selection: Selection, event_kind: str, month: str) -> None:
    what = section("hour_events")[event_kind]
    weekdays = tuple(section("weekdays").values())
    title = section("heat_map_titles")[event_kind]
    st.subheader(title)
    hours = read_hours(page.published, page.scope, selection, event_kind)
    if not hours:
        st.caption(say("distribution.none"))
        return
    counts = {(each.weekday, each.hour_of_day): each.event_count for each in hours}
    rows = [[counts.get((weekday, hour), 0) for hour in range(24)] for weekday in range(1, 8)]
    st.plotly_chart(
        charts.draw_heat_map(weekdays, rows, what, frame.ink()),
        config=charts.CONFIG,
        key="heat_map",
        alt=say("distribution.heat_map_alt", title=title),
    )
    st.caption(say("distribution.heat_map_caption"))
    with st.expander(say("frame.as_table")):
        table = [
            row(weekday=name) | {f"{hour:02d}": counted[hour] for hour in range(24)}
            for name, counted in zip(weekdays, rows, strict=True)
        ]
        st.dataframe(table, hide_index=True, key="hours")
        downloads.offer_table(
            say("downloads.table"), table, f"{event_kind}-hours-{month or 'all'}", page.status
        )


with frame.open_page("distribution") as page:
    show(page)
