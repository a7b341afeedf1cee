"""What still runs, by the time left on each promise's own clock as of the data."""

from __future__ import annotations

import streamlit as st

from dashboards import frame, ticket_list, times
from dashboards.language import current, say
from pipeline.reporting import figures
from pipeline.reporting.overview import count_bands, of_bands
from pipeline.reporting.tickets import read_at_risk


def show(page: frame.Page) -> None:
    with st.sidebar:
        names = {step: figures.band(step, current()) for step in figures.BANDS}
        bands = page.choices.many(say("columns.at_risk"), "band", names)
        selection = page.choices.selection(page.published, page.scope)
    running = read_at_risk(page.published, page.scope, selection)
    if not running:
        st.info(say("at_risk.nothing"))
        return
    counts = count_bands(running)
    for column, (band, name) in zip(st.columns(len(names)), names.items(), strict=True):
        with column, st.container(border=True):
            st.caption(name)
            st.header(current().whole(counts[int(band)]), anchor=False)
    st.caption(say("at_risk.caption", instant=times.instant(page.status.as_of)))
    shown = of_bands(running, [int(band) for band in bands]) if bands else running
    if not shown:
        frame.say_no_rows()
        return
    name = "-".join(["at-risk", *(bands or ())])
    ticket_list.show(page, ticket_list.whole(shown), name, selection)


with frame.open_page("at_risk") as page:
    show(page)
