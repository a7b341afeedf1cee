"""What a manager looks at first: a figure per promise, the trend, and what needs attention now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from dashboards import charts, choices, downloads, frame
from dashboards.ticket_list import LIST_PAGE
from pipeline.reporting import figures
from pipeline.reporting.compliance import CutRow, TrendPoint, month_before, read_comparison, read_trend
from pipeline.reporting.managers_pack import PromiseRow, read_promises
from pipeline.reporting.overview import Attention, read_attention
from pipeline.reporting.published import Ratio, Selection

_CARDS_IN_A_ROW = 4


def show(page: frame.Page) -> None:
    with st.sidebar:
        newest = read_trend(page.published, page.scope)
        names = {each.month: figures.month_of(each) for each in reversed(newest)}
        month = page.choices.one("Month", "month", {"": "last complete", **names}, "")
        selection = page.choices.selection(page.published, page.scope)
    month = month or figures.last_complete(newest)
    months = read_trend(page.published, page.scope, selection)
    promises = read_promises(page.published, page.scope, selection, month)
    cells = read_comparison(page.published, page.scope, selection, month, ("obligation",))
    cells = tuple(cell for cell in cells if cell.tally.total)
    st.subheader(f"Promises in {figures.month_name(month)}")
    if cells:
        show_cards(cells, promises, selection, month)
    else:
        frame.say_no_rows()
    show_attention(read_attention(page.published, page.scope, selection, newest[-1].month), selection)
    show_trend(page, months, selection)
    if promises:
        st.subheader("Every promise and its target")
        st.caption("Tick a row for its tickets.")
        table = [describe_promise(each, month) for each in promises]
        event = st.dataframe(
            table, hide_index=True, key="promises", on_select="rerun", selection_mode="single-row"
        )
        downloads.offer_table("Download this table", table, f"promises-{month}", page.status, selection)
        for row in event["selection"]["rows"][:1]:
            open_list(promises[row], selection, month)


def open_list(promise: PromiseRow, selection: Selection, month: str) -> None:
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
    st.switch_page(LIST_PAGE, query_params=choices.address(chosen, month=month))


def show_cards(
    cells: Sequence[CutRow], promises: Sequence[PromiseRow], selection: Selection, month: str
) -> None:
    for at in range(0, len(cells), _CARDS_IN_A_ROW):
        columns = st.columns(min(max(len(cells), 2), _CARDS_IN_A_ROW))
        for column, cell in zip(columns, cells[at : at + _CARDS_IN_A_ROW], strict=False):
            targets = {t for row in promises if row.obligation == cell.obligation for t in row.targets}
            with column, st.container(border=True):
                show_card(cell, targets, selection, month)


def show_card(cell: CutRow, targets: set[tuple[int, str]], selection: Selection, month: str) -> None:
    rate = cell.tally.compliance
    is_estimate = cell.obligation_kinds == ("estimate",)
    st.caption(f"{figures.words(cell.obligation).capitalize()}{' (estimate)' if is_estimate else ''}")
    st.header(figures.rate_or_count(rate), anchor=False)
    lines = [
        f"{cell.tally.met} met of {cell.tally.counted} counted, {cell.tally.pending} running",
        say_undecided(rate),
        figures.targets(targets),
        figures.change_on(rate, cell.previous.compliance, month_before(month)),
        figures.change_on(rate, cell.year_ago.compliance, month_before(month, 12)),
    ]
    st.caption("  \n".join(line for line in lines if line))
    st.page_link(
        LIST_PAGE,
        label=f"Breached: {cell.tally.breached}",
        icon=":material/arrow_forward:",
        icon_position="right",
        query_params=choices.address(
            replace(selection, obligations=(cell.obligation or "",)), month=month, status="breached"
        ),
    )


def say_undecided(rate: Ratio) -> str | None:
    """What the figure above does not say of its bounds."""
    if rate.bounds is None:
        return None
    undecided = f"{rate.undecided} not measurable: could be met or breached"
    is_said = rate.has_only_bounds and not figures.has_few(rate)
    return undecided if is_said else f"{figures.say_bounds(rate)}, with {undecided}"


def show_attention(now: Attention, selection: Selection) -> None:
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
            st.page_link(
                target,
                label=label,
                query_params=address,
                icon=":material/arrow_forward:",
                icon_position="right",
            )
    if now.refused or now.not_judged:
        st.caption(
            f"Refused records: {now.refused}. Tickets not judged: {now.not_judged}. The causes stand above, under "
            "'What these figures rest on'; the command 'sla quarantine' lists the records."
        )


def show_trend(page: frame.Page, months: Sequence[TrendPoint], selection: Selection) -> None:
    st.subheader("Compliance and volume by month")
    if not any(month.tally.bounded for month in months):
        st.caption("Nothing was counted in these 13 months.")
        return
    event = st.plotly_chart(
        charts.draw_overview(months, frame.ink()),
        config=charts.CONFIG,
        key="overview_trend",
        on_select="rerun",
        selection_mode="points",
        alt="Compliance of each of 13 months, with bars of the promises counted. The table below has the figures.",
    )
    st.caption(
        "Line: met of all that was counted. Bars: how much that was. Hatched: the month still runs. No point: fewer than "
        f"{figures.FEWEST_FOR_A_RATE} counted. Grey spans: only bounds are known. Click a point or a bar for its tickets."
    )
    with st.expander("The same as a table"):
        table = [describe_month(month) for month in reversed(months)]
        st.dataframe(table, hide_index=True, key="overview_months")
        downloads.offer_table("Download this table", table, "months", page.status, selection)
    for point in event["selection"]["points"]:
        preset = {"month": str(point["x"]), "status": charts.statuses_of(point)}
        st.switch_page(LIST_PAGE, query_params=choices.address(selection, **preset))


def describe_month(month: TrendPoint) -> dict[str, object]:
    tally = month.tally
    return {
        "Month": figures.month_of(month),
        "Compliance": figures.rate_or_count(tally.compliance),
        "Bounds": figures.say_bounds(tally.compliance) or "",
        "Met": tally.met,
        "Breached": tally.breached,
        "Counted": tally.counted,
        "Running": tally.pending,
        "Waived": tally.waived,
        "Not measurable": tally.not_measurable,
    }


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
