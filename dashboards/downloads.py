"""Download buttons whose files open safely in a spreadsheet: all the rows that are shown, as CSV and as XLSX."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import streamlit as st

from dashboards.language import count as say_count
from pipeline.reporting import export_rows
from pipeline.reporting.published import Selection
from pipeline.reporting.status import BuildStatus

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def offer(
    label: str,
    columns: Sequence[str],
    rows: Callable[[], Iterable[Sequence[object]]],
    row_count: int,
    name: str,
    status: BuildStatus,
    selection: Selection | None = None,
) -> None:
    """Two buttons for `row_count` rows. The files' names say what, of which filters, and as of when; rows are asked for and files
    written on the click."""
    file = f"{name_file(name, selection)}-as-of-{status.as_of:%Y%m%dT%H%M%SZ}"
    count = say_count("downloads.rows", row_count)
    with st.container(horizontal=True):
        for kind, mime, write in (
            ("CSV", "text/csv", export_rows.write_csv),
            ("XLSX", XLSX, export_rows.write_xlsx),
        ):
            st.download_button(
                f"{label} ({count}, {kind})",
                lambda write=write: write(columns, rows()),
                f"{file}.{kind.lower()}",
                mime,
                key=f"download_{name}_{kind}",
                icon=":material/download:",
                on_click="ignore",
            )


def offer_table(
    label: str,
    table: Sequence[Mapping[str, object]],
    name: str,
    status: BuildStatus,
    selection: Selection | None = None,
) -> None:
    """The same for a table as it is shown."""
    columns = list(table[0]) if table else []
    offer(label, columns, lambda: (list(row.values()) for row in table), len(table), name, status, selection)


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
