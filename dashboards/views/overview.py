"""What a manager looks at first: a figure per promise, the trend, and what needs attention now."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboards import cards, choices, downloads, frame
from dashboards.ticket_list import LIST_PAGE
from pipeline.reporting import figures
from pipeline.reporting.compliance import month_before, read_comparison, read_trend
from pipeline.reporting.managers_pack import PromiseRow, read_promises
from pipeline.reporting.overview import Attention, read_attention
from pipeline.reporting.published import Selection


def show(page: frame.Page) -> None:
    with st.sidebar:
        month, newest = frame.choose_month(page)
        selection = page.choices.selection(page.published, page.scope)
    months = read_trend(page.published, page.scope, selection)
    promises = read_promises(page.published, page.scope, selection, month)
    cells = read_comparison(page.published, page.scope, selection, month, ("obligation",))
    cells = tuple(cell for cell in cells if cell.tally.total)
    st.subheader(f"Promises in {figures.month_name(month)}")
    if cells:
        cards.show_cards(page, cells, promises, selection, month)
    else:
        frame.say_no_rows()
    show_attention(page, read_attention(page.published, page.scope, selection, newest[-1].month), selection)
    cards.show_trend(page, months, selection)
    if promises:
        st.subheader("Every promise and its target")
        st.caption("Tick a row for its tickets.")
        table = [describe_promise(each, month) for each in promises]
        event = st.dataframe(
            table, hide_index=True, key="promises", on_select="rerun", selection_mode="single-row"
        )
        downloads.offer_table("Download this table", table, f"promises-{month}", page.status, selection)
        for row in event["selection"]["rows"][:1]:
            open_list(page, promises[row], selection, month)


def open_list(page: frame.Page, promise: PromiseRow, selection: Selection, month: str) -> None:
    """The tickets behind one line of the table."""
    if promise.plan is None or promise.severities is None:
        st.info(
            "These tickets have no plan or level to filter by. The page Tickets lists them among the others."
        )
        return
    chosen = replace(
        selection,
        plans=(promise.plan,),
        severities=promise.severities,
        obligations=(promise.obligation,),
    )
    page.open(LIST_PAGE, choices.address(chosen, month=month))


def show_attention(page: frame.Page, now: Attention, selection: Selection) -> None:
    st.subheader("What needs attention now")
    accounts = choices.address(Selection(selection.customer_ids, plans=selection.plans), term="current")
    month = figures.month_name(now.month)
    links = [
        (f"At risk: {now.at_risk} of {now.running} running", "views/at_risk.py", choices.address(selection)),
        (
            f"Newly breached in {month}: {now.newly_breached}",
            LIST_PAGE,
            choices.address(selection, month=now.month, status="breached"),
        ),
        (f"Pools running out: {now.pools}", "views/entitlements.py", {**accounts, "alert": ["pools"]}),
        (f"Terms ending: {now.terms}", "views/entitlements.py", {**accounts, "alert": ["terms"]}),
    ]
    with st.container(horizontal=True, gap="medium"):
        for label, target, address in links:
            page.link(target, label, address)
    if now.refused or now.not_judged:
        st.caption(
            f"Refused records: {now.refused}. Tickets not judged: {now.not_judged}. The causes stand above, under "
            "'What these figures rest on'; the command 'sla quarantine' lists the records."
        )


def describe_promise(each: PromiseRow, month: str) -> dict[str, object]:
    rate = each.tally.compliance
    return {
        "Promise": figures.words(each.obligation),
        "Plan": each.plan or "no plan",
        "Severity": figures.level_range(each.severities) if each.severities else "unknown",
        "Target": figures.targets(set(each.targets)) or "none",
        "Compliance": figures.rate_or_count(rate),
        "Met": each.tally.met,
        "Counted": each.tally.counted,
        "Not measurable": each.tally.not_measurable,
        "Month before": figures.change_on(rate, each.previous.compliance, month_before(month)),
        "Year before": figures.change_on(rate, each.year_ago.compliance, month_before(month, 12)),
    }


with frame.open_page("Overview") as page:
    show(page)
