"""Download buttons whose files open safely in a spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from pipeline.reporting import export_rows
from pipeline.reporting.status import BuildStatus


def offer_csv(label: str, content: bytes, row_count: int, name: str, status: BuildStatus) -> None:
    """A button for all the rows that are shown. The file's name says what, and as of when."""
    st.download_button(
        f"{label} ({row_count} rows, CSV)",
        content,
        f"{name}-as-of-{status.as_of:%Y%m%dT%H%M%SZ}.csv",
        "text/csv",
        key=f"download_{name}",
        icon=":material/download:",
        on_click="ignore",
    )


def write_csv(rows: Sequence[Mapping[str, object]]) -> bytes:
    """All rows, none left out; text that a spreadsheet would run is made harmless."""
    return export_rows.write_csv(list(rows[0]) if rows else [], (list(row.values()) for row in rows))
