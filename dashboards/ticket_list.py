"""A list of promises, worst first; a row opens the page of its ticket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboards import downloads, frame, tables, times
from dashboards.language import count, current, row, say
from pipeline.reporting import export_rows, figures
from pipeline.reporting.published import Selection
from pipeline.reporting.tickets import Obligation

TICKET_PAGE = "views/ticket.py"
LIST_PAGE = "views/tickets.py"
# More of them at once make a browser slow, and are not read by people.
ROWS_OF_A_SHEET = 1000


def show(
    page: frame.Page,
    obligations: Sequence[Obligation],
    name: str,
    selection: Selection,
    reasons: Mapping[str, str] | None = None,
    key: str = "tickets",
) -> None:
    """The rows, and both downloads of all of them. `reasons`: obligation key -> why it was breached. `key` tells two lists of one
    page apart."""
    ticket_count = len({each.ticket_id for each in obligations})
    opens = page.may_open(TICKET_PAGE)
    promises = count("ticket_list.promises", len(obligations))
    told = say("ticket_list.of", promises=promises, tickets=count("ticket_list.tickets", ticket_count))
    st.caption(f"{told} {say('ticket_list.tick')}" if opens else told)
    if not page.shows_staff_data:
        reasons = None
    start, end = frame.choose_sheet(page, len(obligations), ROWS_OF_A_SHEET, f"sheet_{key}")
    shown = obligations[start:end]
    table = [describe(each, reasons) for each in shown]
    unused = [
        name
        for name in ("over_by", "left", "at_risk", "why")
        if not any(line[say(f"columns.{name}")] for line in table)
    ]
    if selection.customer_ids and len(selection.customer_ids) == 1:
        unused.append("customer")
    event = st.dataframe(
        tables.without(table, *unused),
        hide_index=True,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
    )
    # All of the list, however little of it is drawn; made on the click.
    if page.shows_staff_data:
        rows = list(export_rows.obligation_rows(obligations))
        downloads.offer(say("downloads.list"), export_rows.COLUMNS, rows, name, page.status, selection)
    else:
        whole = table if len(shown) == len(obligations) else [describe(each, reasons) for each in obligations]
        downloads.offer_table(say("downloads.list"), whole, name, page.status, selection)
    for ticked in event["selection"]["rows"][:1]:
        if ticked < len(shown):
            page.open(TICKET_PAGE, {"ticket": shown[ticked].ticket_id})


def describe(each: Obligation, reasons: Mapping[str, str] | None = None) -> dict[str, object]:
    words = current()
    is_running = each.status == "pending"
    why = words.reason(each.status_reason, each.reason_label, each.could_be) if each.reason_label else ""
    return row(
        ticket=each.ticket_id,
        status=words.status(each.status),
        over_by="" if each.over_by_seconds is None else figures.duration(each.over_by_seconds),
        left=figures.duration(each.remaining_seconds) if is_running else "",
        at_risk=(figures.risk(each.used, words) or "") if is_running else "",
        promise=words.word(each.obligation),
        severity=each.severity_in_force,
        customer=each.customer_name or each.customer_id,
        why=(reasons or {}).get(each.obligation_key, why),
        subject=each.subject,
        target=figures.duration(each.target_seconds),
        elapsed=figures.duration(each.elapsed_seconds),
        clock=words.word(each.clock_name),
        plan=each.plan,
        submitted=times.instant(each.submitted_at),
        due=times.instant(each.due_at),
        settled=times.instant(each.settled_at),
    )
