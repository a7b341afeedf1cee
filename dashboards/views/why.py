"""Why promises were breached: classes that sum to the breaches of a month, and who had the tickets meanwhile."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboards import charts, choices, downloads, frame, ticket_list
from pipeline.reporting import figures
from pipeline.reporting.breaches import (
    NOT_RECORDED,
    Held,
    count_classes,
    read_breaches,
    read_holdings,
    sum_classes,
    sum_holdings,
)
from pipeline.reporting.compliance import read_trend
from pipeline.reporting.language import TERMINAL
from pipeline.reporting.published import Selection


def show(page: frame.Page) -> None:
    labels, meanings = TERMINAL.section("breach_classes"), TERMINAL.section("breach_meanings")
    with st.sidebar:
        months = read_trend(page.published, page.scope)
        names = {each.month: figures.month_of(each) for each in reversed(months)}
        month = page.choices.one("Month", "month", {"": "all months", **names}, figures.last_complete(months))
        chosen_classes = page.choices.many("Why breached", "class", labels)
        selection = page.choices.selection(page.published, page.scope)
    chosen = replace(selection, months=(month,) if month else None)
    breaches = read_breaches(page.published, page.scope, chosen)
    st.subheader(
        f"{len(breaches)} breach{'' if len(breaches) == 1 else 'es'}"
        f"{f' in {figures.month_name(month)}' if month else ''}, by what held each up"
    )
    if not breaches:
        st.info("No promise was breached in this selection.")
        return
    counts = sum_classes(breaches)
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
            alt="How many breaches there are of each class. The table beside it has the same figures.",
        )
        st.caption("Each breach has one class. Click a bar for its tickets.")
    with right:
        by_promise = count_classes(breaches)
        promises = sorted({each.obligation.obligation for each in breaches})
        table = [
            {
                "Why": labels[name],
                "Breaches": counts[name],
                **{figures.words(each).capitalize(): by_promise[name, each] for each in promises},
                "Means": meanings[name],
            }
            for name in known
        ]
        st.dataframe(table, hide_index=True, key="class_table")
        downloads.offer_table("Download", table, f"why-{month or 'all'}", page.status, selection)
    preset = {"month": month, "status": "breached", "basis": "settled"}
    for point in event["selection"]["points"]:
        page.open(
            ticket_list.LIST_PAGE,
            choices.address(selection, **preset, **{"class": known[point["point_index"]]}),
        )
    show_holdings(page, chosen)
    st.subheader("Tickets")
    shown = [each for each in breaches if not chosen_classes or each.breach_class in chosen_classes]
    if not shown:
        frame.say_no_rows()
        return
    name = "-".join(["breaches", month or "all", *(chosen_classes or ())])
    reasons = {each.obligation.obligation_key: labels[each.breach_class] for each in shown}
    ticket_list.show(page, [each.obligation for each in shown], name, selection, reasons)


def show_holdings(page: frame.Page, selection: Selection) -> None:
    st.subheader("Who had the tickets while the clocks ran")
    held = sum_holdings(read_holdings(page.published, page.scope, selection))
    if not held:
        st.caption("The sources do not show who had these tickets.")
        return
    table = [describe_held(each) for each in held]
    st.dataframe(table, hide_index=True, key="holdings")
    st.caption(
        "Time on the promises' own clocks, of the newest build. It sums to the time that elapsed on these promises."
    )
    downloads.offer_table("Download", table, "holders", page.status, selection)


def describe_held(each: Held) -> dict[str, object]:
    return {
        "Group": each.group_name or "unassigned",
        "Assignee": each.assignee or "unassigned",
        "Held for": figures.duration(each.counted_seconds),
        "Of it before due": figures.duration(each.counted_before_due_seconds),
        "Promises": each.promise_count,
    }


with frame.open_page("Why we breach") as page:
    show(page)
