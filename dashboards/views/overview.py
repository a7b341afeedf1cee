"""What a manager looks at first: a figure per promise, the trend, and what needs attention now."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboards import cards, choices, downloads, frame
from dashboards.language import current, row, say
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
    st.subheader(say("cards.promises_in", month=current().month(month)))
    if cells:
        cards.show_cards(page, cells, promises, selection, month)
    else:
        frame.say_no_rows()
    show_attention(page, read_attention(page.published, page.scope, selection, newest[-1].month), selection)
    cards.show_trend(page, months, selection)
    if promises:
        st.subheader(say("overview.every_promise"))
        st.caption(say("frame.tick_for_tickets"))
        table = [describe_promise(each, month) for each in promises]
        event = st.dataframe(
            table, hide_index=True, key="promises", on_select="rerun", selection_mode="single-row"
        )
        downloads.offer_table(say("downloads.table"), table, f"promises-{month}", page.status, selection)
        for ticked in event["selection"]["rows"][:1]:
            open_list(page, promises[ticked], selection, month)


def open_list(page: frame.Page, promise: PromiseRow, selection: Selection, month: str) -> None:
    """The tickets behind one line of the table."""
    if promise.plan is None or promise.severities is None:
        st.info(say("overview.no_filter"))
        return
    chosen = replace(
        selection,
        plans=(promise.plan,),
        severities=promise.severities,
        obligations=(promise.obligation,),
    )
    page.open(LIST_PAGE, choices.address(chosen, month=month))


def show_attention(page: frame.Page, now: Attention, selection: Selection) -> None:
    st.subheader(say("overview.attention"))
    accounts = choices.address(Selection(selection.customer_ids, plans=selection.plans), term="current")
    month = current().month(now.month)
    links = [
        (
            say("overview.at_risk", number=now.at_risk, running=now.running),
            "views/at_risk.py",
            choices.address(selection),
        ),
        (
            say("overview.newly_breached", month=month, number=now.newly_breached),
            LIST_PAGE,
            choices.address(selection, month=now.month, status="breached"),
        ),
        (
            say("overview.pools", number=now.pools),
            "views/entitlements.py",
            {**accounts, "alert": ["pools"]},
        ),
        (
            say("overview.terms", number=now.terms),
            "views/entitlements.py",
            {**accounts, "alert": ["terms"]},
        ),
    ]
    with st.container(horizontal=True, gap="medium"):
        for label, target, address in links:
            page.link(target, label, address)
    if now.refused or now.not_judged:
        st.caption(say("overview.refused", refused=now.refused or 0, not_judged=now.not_judged or 0))


def describe_promise(each: PromiseRow, month: str) -> dict[str, object]:
    rate = each.tally.compliance
    words = current()
    return row(
        promise=words.word(each.obligation),
        plan=each.plan or say("tables.no_plan"),
        severity=figures.level_range(each.severities) if each.severities else say("tables.unknown"),
        target=figures.targets(set(each.targets), words) or say("tables.none"),
        compliance=figures.rate_or_count(rate, words),
        met=each.tally.met,
        counted=each.tally.counted,
        not_measurable=each.tally.not_measurable,
        month_before=figures.change_on(rate, each.previous.compliance, month_before(month), words),
        year_before=figures.change_on(rate, each.year_ago.compliance, month_before(month, 12), words),
    )


with frame.open_page("overview") as page:
    show(page)
