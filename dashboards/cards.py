"""Figures that several pages begin with: a card per promise, and the trend with its volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from dashboards import charts, choices, downloads, frame
from dashboards.ticket_list import LIST_PAGE
from pipeline.reporting import figures
from pipeline.reporting.compliance import CutRow, TrendPoint, month_before
from pipeline.reporting.managers_pack import PromiseRow
from pipeline.reporting.overview import read_annotations
from pipeline.reporting.published import Ratio, Selection

_CARDS_IN_A_ROW = 4


def show_cards(
    page: frame.Page,
    cells: Sequence[CutRow],
    promises: Sequence[PromiseRow],
    selection: Selection,
    month: str,
) -> None:
    for at in range(0, len(cells), _CARDS_IN_A_ROW):
        columns = st.columns(min(max(len(cells), 2), _CARDS_IN_A_ROW))
        for column, cell in zip(columns, cells[at : at + _CARDS_IN_A_ROW], strict=False):
            targets = {t for row in promises if row.obligation == cell.obligation for t in row.targets}
            with column, st.container(border=True):
                show_card(page, cell, targets, selection, month)


def show_card(
    page: frame.Page, cell: CutRow, targets: set[tuple[int, str]], selection: Selection, month: str
) -> None:
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
    address = choices.address(
        replace(selection, obligations=(cell.obligation or "",)), month=month, status="breached"
    )
    page.link(LIST_PAGE, f"Breached: {cell.tally.breached}", address)


def say_undecided(rate: Ratio) -> str | None:
    """What the figure above does not say of its bounds."""
    if rate.bounds is None:
        return None
    undecided = f"{rate.undecided} not measurable: could be met or breached"
    is_said = rate.has_only_bounds and not figures.has_few(rate)
    return undecided if is_said else f"{figures.say_bounds(rate)}, with {undecided}"


def show_trend(page: frame.Page, months: Sequence[TrendPoint], selection: Selection) -> None:
    st.subheader("Compliance and volume by month")
    if not any(month.tally.bounded for month in months):
        st.caption("Nothing was counted in these 13 months.")
        return
    shown = {month.month for month in months}
    notes = [each for each in read_annotations(page.published, page.scope, selection) if each.month in shown]
    marks: dict[str, list[str]] = {}
    for number, each in enumerate(notes, 1):
        marks.setdefault(each.month, []).append(str(number))
    event = st.plotly_chart(
        charts.draw_overview(
            months, frame.ink(), {month: f"note {', '.join(own)}" for month, own in marks.items()}
        ),
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
    for number, each in enumerate(notes, 1):
        st.text(f"Note {number} · {figures.day(each.noted_on)}: {each.note}")
    with st.expander("The same as a table"):
        table = [describe_month(month) for month in reversed(months)]
        st.dataframe(table, hide_index=True, key="overview_months")
        downloads.offer_table("Download this table", table, "months", page.status, selection)
    for point in event["selection"]["points"]:
        preset = {"month": str(point["x"]), "status": charts.statuses_of(point)}
        page.open(LIST_PAGE, choices.address(selection, **preset))


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
