"""Download buttons whose files open safely in a spreadsheet: all the rows that are shown, as CSV and as XLSX."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import copy_context
from typing import TYPE_CHECKING

import streamlit as st

from dashboards.language import count as say_count
from pipeline.reporting import export_rows
from pipeline.reporting.published import Published, Selection
from pipeline.reporting.status import BuildStatus

if TYPE_CHECKING:
    from dashboards.frame import Page

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def offer(
    label: str,
    columns: Sequence[str],
    rows: Callable[[Published], Iterable[Sequence[object]]],
    row_count: int,
    name: str,
    page: Page,
    selection: Selection | None = None,
) -> None:
    """Two buttons for `row_count` rows of the page's build. The files' names say what, of which filters, and as of when; rows
    are asked for and files written on the click, when the page's run has ended and its connection is closed."""

    def read() -> Iterator[Sequence[object]]:
        with page.published.open_again() as published:
            yield from rows(published)

    offer_files(label, columns, read, row_count, name, page.status, selection)


def offer_table(
    label: str,
    table: Sequence[Mapping[str, object]],
    name: str,
    status: BuildStatus,
    selection: Selection | None = None,
) -> None:
    """The same for a table as it is shown."""
    columns = list(table[0]) if table else []
    offer_files(
        label, columns, lambda: (list(row.values()) for row in table), len(table), name, status, selection
    )


def offer_files(
    label: str,
    columns: Sequence[str],
    read: Callable[[], Iterable[Sequence[object]]],
    row_count: int,
    name: str,
    status: BuildStatus,
    selection: Selection | None,
) -> None:
    """Two buttons for what `read` gives on the click."""
    file = f"{name_file(name, selection)}-as-of-{status.as_of:%Y%m%dT%H%M%SZ}"
    count = say_count("downloads.rows", row_count)
    # The click runs in a thread that knows nothing of this run, such as its language. Two clicks may meet: each has its own copy.
    context = copy_context()
    with st.container(horizontal=True):
        for kind, mime, write in (
            ("CSV", "text/csv", export_rows.write_csv),
            ("XLSX", XLSX, export_rows.write_xlsx),
        ):
            st.download_button(
                f"{label} ({count}, {kind})",
                lambda write=write: context.copy().run(lambda: write(columns, read())),
                f"{file}.{kind.lower()}",
                mime,
                key=f"download_{name}_{kind}",
                icon=":material/download:",
                on_click="ignore",
            )


def name_file(name: str, selection: Selection | None = None) -> str:
    """'tickets-2026-06-first-response': what and of which filters, in characters that every file system takes."""
    chosen = (
        value
        for values in (
            selection and selection.customer_ids,
            selection and selection.plans,
            selection and selection.severities and [f"severity {level}" for level in selection.severities],
            selection and selection.obligations,
        )
        for value in values or ()
    )
    words = (re.sub(r"[^A-Za-z0-9]+", "-", str(word)).strip("-") for word in (name, *chosen))
    return "-".join(word for word in words if word)[:120]
