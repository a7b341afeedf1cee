"""What people should review: contract records, ticket data, settings, refused records, checks."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import downloads, frame, tables
from dashboards.language import count, current, row, say, section
from dashboards.tables import say_line
from pipeline.reporting import figures
from pipeline.reporting.findings import (
    RefusedCount,
    RefusedRecord,
    read_findings,
    read_refused,
    read_refused_records,
)
from pipeline.reporting.published import Selection

RECORDS_OF_A_PAGE = 100


def show(page: frame.Page) -> None:
    with st.sidebar:
        part = page.choices.one(say("findings.show"), "part", section("finding_parts"), "contract")
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
        labels = {each.finding: tables.label_finding(each.finding, each.finding_label) for each in counts}
        kinds = page.choices.many(say("columns.finding"), "finding", labels)
    rows = [
        each for each in found.rows if each.finding_area == area and each.finding in (kinds or [each.finding])
    ]
    st.subheader(count("findings.head", len(rows), part=section("finding_parts")[area]))
    st.caption(say("findings.caption"))
    if not rows:
        st.info(say("findings.nothing"))
        return
    table = [
        # The count first: on a phone the words alone fill the width.
        row(count=each.finding_count, finding=labels[each.finding])
        for each in counts
        if each.finding in (kinds or [each.finding])
    ]
    st.dataframe(table, hide_index=True, key="finding_counts")
    st.caption(say("frame.tick_for_ticket"))
    listed = [tables.describe_finding(each) for each in rows]
    event = st.dataframe(
        listed,
        hide_index=True,
        key="finding_rows",
        on_select="rerun",
        selection_mode="single-row",
        column_config={say("columns.finding"): st.column_config.TextColumn(width="medium")},
    )
    downloads.offer_table(say("downloads.table"), listed, f"findings-{area}", page.status, selection)
    for ticked in event["selection"]["rows"][:1]:
        if ticked < len(rows) and rows[ticked].ticket_id:
            page.open("views/ticket.py", {"ticket": str(rows[ticked].ticket_id)})


def show_settings(page: frame.Page) -> None:
    """What sla.yml and the reference tables say that the data does not show."""
    status = page.status
    st.subheader(say("findings.settings"))
    table = [row(source=each.source, setting=each.setting, name=each.name) for each in status.unseen_names]
    if table:
        st.dataframe(table, hide_index=True, key="unseen_names")
        downloads.offer_table(say("downloads.table"), table, "settings", status)
    else:
        st.info(say("findings.all_shown"))
    for line in (
        *figures.wall_times(status.sources, current()),
        *figures.untranslated_locales(status.untranslated_locales, current()),
    ):
        st.text(line)


def show_refused(page: frame.Page) -> None:
    refused = read_refused(page.published, page.scope)
    st.subheader(count("findings.refused", sum(each.refused_count for each in refused)))
    if not refused:
        st.info(say("findings.none_refused"))
        return
    st.caption(say("findings.refused_caption"))
    table = [
        row(
            source=each.source,
            column=each.column_name or "",
            why=each.reason,
            records=each.refused_count,
        )
        for each in refused
    ]
    st.dataframe(table, hide_index=True, key="refused")
    downloads.offer_table(say("downloads.table"), table, "refused", page.status)
    show_refused_records(page, refused)


def show_refused_records(page: frame.Page, refused: Sequence[RefusedCount]) -> None:
    """Single records, a hundred on a page: where each stands, what is wrong with it and what to do."""
    with st.sidebar:
        known = {each.reason: each.reason for each in refused}
        reasons = page.choices.many(say("columns.why"), "reason", known)
    total = sum(each.refused_count for each in refused if reasons is None or each.reason in reasons)
    st.subheader(say("findings.single_records"))
    start, end = frame.choose_sheet(page, total, RECORDS_OF_A_PAGE, "sheet")
    records = read_refused_records(page.published, page.scope, reasons, RECORDS_OF_A_PAGE, start)
    table = [describe_record(each) for each in records]
    st.dataframe(table, hide_index=True, key="refused_records")
    downloads.offer_table(say("downloads.list"), table, f"refused-records-{start + 1}-to-{end}", page.status)


def describe_record(each: RefusedRecord) -> dict[str, object]:
    return row(
        source=each.source,
        where=say_line(each.source_file, each.line_number),
        ticket=each.ticket_id or "",
        column=each.column_name or "",
        value=each.raw_value or "",
        why=each.reason,
        what_to_do=each.hint or "",
    )


def show_checks(page: frame.Page) -> None:
    checks = sorted(page.status.checks, key=lambda each: (each.status == "passed", each.check_name))
    passed = sum(each.status == "passed" for each in checks)
    st.subheader(count("findings.checks", len(checks), passed=passed))
    table = [tables.describe_check(each) for each in checks]
    st.dataframe(table, hide_index=True, key="all_checks")
    downloads.offer_table(say("downloads.table"), table, "checks", page.status)


with frame.open_page("findings") as page:
    show(page)
