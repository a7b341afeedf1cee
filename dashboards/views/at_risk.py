"""What still runs, by the time left on each promise's own clock as of the data."""

from __future__ import annotations

import streamlit as st

from dashboards import frame, ticket_list, times
from pipeline.reporting import figures
from pipeline.reporting.overview import count_bands, of_bands
from pipeline.reporting.tickets import read_at_risk


def show(page: frame.Page) -> None:
    with st.sidebar:
        bands = page.choices.many("At risk", "band", figures.BANDS)
        selection = page.choices.selection(page.published, page.scope)
    running = read_at_risk(page.published, page.scope, selection)
    if not running:
        st.info("Nothing is running in this selection: no promise is open within its target.")
        return
    counts = count_bands(running)
    for column, (band, name) in zip(st.columns(len(figures.BANDS)), figures.BANDS.items(), strict=True):
        with column, st.container(border=True):
            st.caption(name)
            st.header(counts[int(band)], anchor=False)
    st.caption(
        "Share of the target that is used up. The time left is that of the promise's own clock, which stands still outside "
        f"its hours, as of {times.instant(page.status.as_of)}."
    )
    shown = of_bands(running, [int(band) for band in bands]) if bands else running
    if not shown:
        frame.say_no_rows()
        return
    name = "-".join(["at-risk", *(bands or ())])
    ticket_list.show(page, shown, name, selection)


with frame.open_page("At risk") as page:
    show(page)
