"""What the figures mean, how fresh each source is, and which builds were published."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from dashboards import downloads, frame, times
from dashboards.language import current, row, say
from pipeline.pointer import list_publications
from pipeline.reporting.definitions import read_definitions


def show(page: frame.Page) -> None:
    definitions = {each.table: each for each in read_definitions()}
    with st.sidebar:
        name = page.choices.one(
            say("about.table"), "table", {each: each for each in definitions}, next(iter(definitions))
        )
    st.subheader(say("about.words"))
    for word, meaning in current().definitions:
        st.text(f"{word}: {meaning}")
    show_sources(page)
    st.subheader(say("about.columns"))
    st.caption(say("about.columns_caption"))
    st.text(f"{name}: {definitions[name].description}")
    columns = [row(column=each.column, meaning=each.description) for each in definitions[name].columns]
    st.dataframe(columns, hide_index=True, key="columns")
    downloads.offer_table(say("downloads.table"), columns, f"columns-{name}", page.status)
    show_builds(page)


def show_sources(page: frame.Page) -> None:
    st.subheader(say("about.sources"))
    table = [
        row(
            source=each.source,
            known_until=times.instant(each.known_until),
            state=say("about.lagging") if each.is_lagging else say("about.up_to_date"),
            wall_zone=each.time_zone or "",
        )
        for each in page.status.sources
    ]
    st.dataframe(table, hide_index=True, key="sources")


def show_builds(page: frame.Page) -> None:
    st.subheader(say("about.builds"))
    status = page.status
    st.text(
        say(
            "about.build",
            build=status.build_id[:12],
            instant=times.instant(status.as_of),
            tzdata=status.tzdata_version,
            holidays=status.holidays_version,
            rows=status.landed_rows,
            batches=status.batches,
        )
    )
    st.caption(say("about.builds_caption"))
    table = [
        row(
            published=times.instant(datetime.fromisoformat(each.published_at)),
            as_of=times.instant(datetime.fromisoformat(each.as_of)),
            build=each.build_id[:12],
            shown_here=say("about.yes") if each.build_id == status.build_id else "",
        )
        for _, each in reversed(list_publications(page.workspace))
    ]
    st.dataframe(table, hide_index=True, key="builds")


with frame.open_page("about") as page:
    show(page)
