"""What the figures mean, how fresh each source is, and which builds were published."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from dashboards import downloads, frame, times
from pipeline.pointer import list_publications
from pipeline.reporting.definitions import read_definitions
from pipeline.reporting.language import TERMINAL


def show(page: frame.Page) -> None:
    definitions = {each.table: each for each in read_definitions()}
    with st.sidebar:
        name = page.choices.one(
            "Table", "table", {each: each for each in definitions}, next(iter(definitions))
        )
    st.subheader("Words")
    for word, meaning in TERMINAL.definitions:
        st.text(f"{word}: {meaning}")
    show_sources(page)
    st.subheader("Columns of the published tables")
    st.text(f"{name}: {definitions[name].description}")
    columns = [{"Column": each.column, "Meaning": each.description} for each in definitions[name].columns]
    st.dataframe(columns, hide_index=True, key="columns")
    downloads.offer_table("Download these columns", columns, f"columns-{name}", page.status)
    show_builds(page)


def show_sources(page: frame.Page) -> None:
    st.subheader("How fresh each source is")
    table = [
        {
            "Source": each.source,
            "Known until": times.instant(each.known_until),
            "State": "lags behind the others" if each.is_lagging else "up to date with the others",
            "Times without a zone are read in": each.time_zone or "",
        }
        for each in page.status.sources
    ]
    st.dataframe(table, hide_index=True, key="sources")


def show_builds(page: frame.Page) -> None:
    st.subheader("Published builds")
    status = page.status
    st.text(
        f"This page: build {status.build_id[:12]}, as of {times.instant(status.as_of)}, tzdata {status.tzdata_version}, "
        f"holidays {status.holidays_version}, {status.landed_rows} landed rows in {status.batches} batches."
    )
    st.caption("Those of which the file is kept, the newest first.")
    table = [
        {
            "Published": times.instant(datetime.fromisoformat(each.published_at)),
            "As of": times.instant(datetime.fromisoformat(each.as_of)),
            "Build": each.build_id[:12],
            "Shown here": "yes" if each.build_id == status.build_id else "",
        }
        for _, each in reversed(list_publications(page.workspace))
    ]
    st.dataframe(table, hide_index=True, key="builds")


with frame.open_page("About these figures") as page:
    show(page)
