"""Why promises were breached: classes that sum to the breaches of a month, and who had the tickets meanwhile."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboards import charts, choices, downloads, frame, ticket_list
from dashboards.cards import capitalize
from dashboards.language import count, current, row, say
from pipeline.reporting import figures
from pipeline.reporting.breaches import (
    NOT_RECORDED,
    Held,
    count_classes,
    find_keys_of_classes,
    sum_classes,
    sum_holdings,
)
from pipeline.reporting.compliance import read_trend
from pipeline.reporting.published import Selection
from pipeline.reporting.tickets import Cut


def show(page: frame.Page) -> None:
    words = current()
    labels, meanings = words.section("breach_classes"), words.section("breach_meanings")
    with st.sidebar:
        months = read_trend(page.published, page.scope)
        month = frame.choose_any_month(page, months)
        chosen_classes = page.choices.many(say("why.class"), "class", labels)
        selection = page.choices.selection(page.published, page.scope)
    chosen = replace(selection, months=(month,) if month else None)
    by_promise = count_classes(page.published, page.scope, chosen)
    counts = sum_classes(by_promise)
    if month:
        st.subheader(count("why.breaches_in", counts.total(), month=words.month(month)))
    else:
        st.subheader(count("why.breaches", counts.total()))
    if not by_promise:
        st.info(say("why.none"))
        return
    known = [name for name in labels if name != NOT_RECORDED or counts[name]]
    left, right = st.columns([2, 3])
    with left:
        event = st.plotly_chart(
            charts.draw_classes(
                [labels[name] for name in known], known, [counts[name] for name in known], frame.ink()
            ),
            config=charts.CONFIG,
            key="classes",
            on_select="rerun",
            selection_mode="points",
            alt=say("why.alt"),
        )
        st.caption(say("why.caption"))
    with right:
        promises = sorted({obligation for _, obligation in by_promise})
        table = [
            row(why=labels[name], breaches=counts[name])
            | {capitalize(words.word(each)): by_promise[name, each] for each in promises}
            | row(means=meanings[name])
            for name in known
        ]
        st.dataframe(table, hide_index=True, key="class_table")
        downloads.offer_table(say("downloads.table"), table, f"why-{month or 'all'}", page.status, selection)
    preset = {"month": month, "status": "breached", "basis": "settled"}
    for point in event["selection"]["points"]:
        page.open(
            ticket_list.LIST_PAGE,
            choices.address(selection, **preset, **{"class": known[point["point_index"]]}),
        )
    show_holdings(page, chosen)
    st.subheader(say("titles.tickets"))
    keys = None
    if chosen_classes:
        keys = find_keys_of_classes(page.published, page.scope, chosen, chosen_classes)
    breached = replace(chosen, statuses=("breached",))
    listed = ticket_list.worst_first(page, breached, cut=Cut(month_keys=keys))
    if not listed.length.promise_count:
        frame.say_no_rows()
        return
    name = "-".join(["breaches", month or "all", *(chosen_classes or ())])
    ticket_list.show(page, listed, name, selection, lambda shown: ticket_list.name_classes(page, shown))


def show_holdings(page: frame.Page, selection: Selection) -> None:
    st.subheader(say("why.holders"))
    held = sum_holdings(page.published, page.scope, selection)
    if not held:
        st.caption(say("why.no_holders"))
        return
    table = [describe_held(each) for each in held]
    st.dataframe(table, hide_index=True, key="holdings")
    st.caption(say("why.holders_caption"))
    downloads.offer_table(say("downloads.table"), table, "holders", page.status, selection)


def describe_held(each: Held) -> dict[str, object]:
    return row(
        group=each.group_name or say("why.unassigned"),
        assignee=each.assignee or say("why.unassigned"),
        held_for=figures.duration(each.counted_seconds),
        before_due=figures.duration(each.counted_before_due_seconds),
        promises=each.promise_count,
    )


with frame.open_page("why") as page:
    show(page)
