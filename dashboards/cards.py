"""Figures that several pages begin with: a card per promise, and the trend with its volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from dashboards import charts, choices, downloads, frame
from dashboards.language import current, row, say
from dashboards.ticket_list import LIST_PAGE
from pipeline.reporting import figures
from pipeline.reporting.compliance import CutRow, TrendPoint, month_before
from pipeline.reporting.managers_pack import PromiseRow
from pipeline.reporting.overview import notes_of_trend, read_annotations
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
            targets = {t for each in promises if each.obligation == cell.obligation for t in each.targets}
            with column, st.container(border=True):
                show_card(page, cell, targets, selection, month)


def show_card(
    page: frame.Page, cell: CutRow, targets: set[tuple[int, str]], selection: Selection, month: str
) -> None:
    rate = cell.tally.compliance
    words = current()
    name = capitalize(words.word(cell.obligation))
    is_estimate = cell.obligation_kinds == ("estimate",)
    st.caption(words.say("estimate", name=name) if is_estimate else name)
    st.header(figures.rate_or_count(rate, words), anchor=False)
    lines = [
        say("cards.met_of", met=cell.tally.met, counted=cell.tally.counted, running=cell.tally.pending),
        say_undecided(rate),
        figures.targets(targets, words),
        figures.change_on(rate, cell.previous.compliance, month_before(month), words),
        figures.change_on(rate, cell.year_ago.compliance, month_before(month, 12), words),
    ]
    st.caption("  \n".join(line for line in lines if line))
    address = choices.address(
        replace(selection, obligations=(cell.obligation or "",)), month=month, status="breached"
    )
    page.link(LIST_PAGE, say("cards.breached", number=cell.tally.breached), address)


def say_undecided(rate: Ratio) -> str | None:
    """What the figure above does not say of its bounds."""
    if rate.bounds is None:
        return None
    undecided = say("cards.undecided", number=rate.undecided)
    is_said = rate.has_only_bounds and not figures.has_few(rate)
    if is_said:
        return undecided
    return say("cards.bounds", bounds=figures.say_bounds(rate, current()), undecided=undecided)


def show_trend(page: frame.Page, months: Sequence[TrendPoint], selection: Selection) -> None:
    st.subheader(say("cards.trend"))
    if not any(month.tally.bounded for month in months):
        st.caption(say("cards.nothing_counted"))
        return
    notes = notes_of_trend(read_annotations(page.published, page.scope, selection), months)
    marks: dict[str, list[str]] = {}
    for number, each in enumerate(notes, 1):
        marks.setdefault(each.month, []).append(str(number))
    event = st.plotly_chart(
        charts.draw_overview(
            months,
            frame.ink(),
            {month: say("cards.mark", numbers=", ".join(own)) for month, own in marks.items()},
        ),
        config=charts.CONFIG,
        key="overview_trend",
        on_select="rerun",
        selection_mode="points",
        alt=say("cards.trend_alt"),
    )
    st.caption(say("cards.trend_caption", fewest=figures.FEWEST_FOR_A_RATE))
    for number, each in enumerate(notes, 1):
        st.text(say("cards.note", number=number, day=current().day(each.noted_on), note=each.note))
    with st.expander(say("frame.as_table")):
        table = [describe_month(month) for month in reversed(months)]
        st.dataframe(table, hide_index=True, key="overview_months")
        downloads.offer_table(say("downloads.table"), table, "months", page.status, selection)
    for point in event["selection"]["points"]:
        preset = {"month": str(point["x"]), "status": charts.statuses_of(point)}
        page.open(LIST_PAGE, choices.address(selection, **preset))


def describe_month(month: TrendPoint) -> dict[str, object]:
    tally = month.tally
    return row(
        month=figures.month_of(month, current()),
        compliance=figures.rate_or_count(tally.compliance, current()),
        bounds=figures.say_bounds(tally.compliance, current()) or "",
        met=tally.met,
        breached=tally.breached,
        counted=tally.counted,
        running=tally.pending,
        waived=tally.waived,
        not_measurable=tally.not_measurable,
    )


def capitalize(words: str) -> str:
    """Words at the head of a card or column; German nouns keep their capitals."""
    return words[:1].upper() + words[1:]
