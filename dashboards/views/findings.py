"""What people should review: contract records, ticket data, settings, refused records, checks."""

from __future__ import annotations

import streamlit as st

from dashboards import downloads, frame, tables
from pipeline.reporting import figures
from pipeline.reporting.findings import read_findings, read_refused
from pipeline.reporting.published import Selection

PARTS = {
    "contract": "contract records",
    "data": "ticket data",
    "settings": "settings",
    "quarantine": "refused records",
    "checks": "checks",
}


def show(page: frame.Page) -> None:
    with st.sidebar:
        part = page.choices.one("Show", "part", PARTS, "contract")
        selection = page.choices.selection(page.published, page.scope, ("customer",))
    if part in ("contract", "data"):
        show_findings(page, part, selection)
    elif part == "settings":
        show_settings(page)
    elif part == "quarantine":
        show_refused(page)
    else:
        show_checks(page)


def show_findings(page: frame.Page, area: str, selection: Selection) -> None:
    found = read_findings(page.published, page.scope, selection)
    counts = [each for each in found.counts if each.finding_area == area]
    with st.sidebar:
        kinds = page.choices.many("Finding", "finding", {each.finding: each.finding_label for each in counts})
    rows = [
        each for each in found.rows if each.finding_area == area and each.finding in (kinds or [each.finding])
    ]
    st.subheader(f"{len(rows)} finding{'' if len(rows) == 1 else 's'} in {PARTS[area]}")
    st.caption(
        "Findings are suspicious, not wrong: the figures are published with them, and each says what it did to the figures."
    )
    if not rows:
        st.info("Nothing to review in this selection.")
        return
    table = [
        {"Finding": each.finding_label, "Count": each.finding_count}
        for each in counts
        if each.finding in (kinds or [each.finding])
    ]
    st.dataframe(table, hide_index=True, key="finding_counts")
    st.caption("Tick a row to open its ticket.")
    listed = [tables.describe_finding(each) for each in rows]
    event = st.dataframe(
        listed,
        hide_index=True,
        key="finding_rows",
        on_select="rerun",
        selection_mode="single-row",
        column_config={"Finding": st.column_config.TextColumn(width="medium")},
    )
    downloads.offer_table("Download the findings", listed, f"findings-{area}", page.status, selection)
    for row in event["selection"]["rows"][:1]:
        if row < len(rows) and rows[row].ticket_id:
            page.open("views/ticket.py", {"ticket": str(rows[row].ticket_id)})


def show_settings(page: frame.Page) -> None:
    """What sla.yml and the reference tables say that the data does not show."""
    status = page.status
    st.subheader("Settings that the data does not confirm")
    table = [
        {"Source": each.source, "Setting": each.setting, "Name": each.name} for each in status.unseen_names
    ]
    if table:
        st.dataframe(table, hide_index=True, key="unseen_names")
        downloads.offer_table("Download this table", table, "settings", status)
    else:
        st.info("Every name in sla.yml is shown by a record.")
    for line in (
        *figures.wall_times(status.sources),
        *figures.untranslated_locales(status.untranslated_locales),
    ):
        st.text(line)


def show_refused(page: frame.Page) -> None:
    refused = read_refused(page.published, page.scope)
    count = sum(each.refused_count for each in refused)
    st.subheader(f"{count} refused record{'' if count == 1 else 's'}")
    if not refused:
        st.info("No record was refused.")
        return
    st.caption(
        "Records that could not be read are left out of every figure. The command 'sla quarantine' lists each with its file, "
        "line, value and hint; correct the export or the mapping, then call 'sla quarantine --retry'."
    )
    table = [
        {
            "Source": each.source,
            "Column": each.column_name or "",
            "Why": each.reason,
            "Records": each.refused_count,
        }
        for each in refused
    ]
    st.dataframe(table, hide_index=True, key="refused")
    downloads.offer_table("Download this table", table, "refused", page.status)


def show_checks(page: frame.Page) -> None:
    checks = sorted(page.status.checks, key=lambda each: (each.status == "passed", each.check_name))
    passed = sum(each.status == "passed" for each in checks)
    st.subheader(f"{len(checks)} check{'' if len(checks) == 1 else 's'}, {passed} passed")
    table = [tables.describe_check(each) for each in checks]
    st.dataframe(table, hide_index=True, key="all_checks")
    downloads.offer_table("Download the checks", table, "checks", page.status)


with frame.open_page("Findings") as page:
    show(page)
