"""A list of promises, worst first; a row opens the page of its ticket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboards import downloads, frame, times
from pipeline.reporting import export_rows, figures
from pipeline.reporting.published import Selection
from pipeline.reporting.tickets import Obligation

TICKET_PAGE = "views/ticket.py"
LIST_PAGE = "views/tickets.py"


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
    st.caption(
        f"{len(obligations)} promise{'' if len(obligations) == 1 else 's'} of {ticket_count} "
        f"ticket{'' if ticket_count == 1 else 's'}, worst first.{' Tick a row to open its ticket.' if opens else ''}"
    )
    if not page.shows_staff_data:
        reasons = None
    table = [describe(each, reasons) for each in obligations]
    unused = [name for name in ("Over by", "Left", "At risk", "Why") if not any(row[name] for row in table)]
    if selection.customer_ids and len(selection.customer_ids) == 1:
        unused.append("Customer")
    event = st.dataframe(
        [{name: value for name, value in row.items() if name not in unused} for row in table],
        hide_index=True,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
    )
    if page.shows_staff_data:
        rows = list(export_rows.obligation_rows(obligations))
        downloads.offer("Download this list", export_rows.COLUMNS, rows, name, page.status, selection)
    else:
        downloads.offer_table("Download this list", table, name, page.status, selection)
    for ticked in event["selection"]["rows"][:1]:
        if ticked < len(obligations):
            page.open(TICKET_PAGE, {"ticket": obligations[ticked].ticket_id})


def describe(each: Obligation, reasons: Mapping[str, str] | None = None) -> dict[str, object]:
    is_running = each.status == "pending"
    why = figures.reason(each.reason_label, None, each.could_be) if each.reason_label else ""
    return {
        "Ticket": each.ticket_id,
        "Status": figures.STATUS_NAMES[each.status],
        "Over by": "" if each.over_by_seconds is None else figures.duration(each.over_by_seconds),
        "Left": figures.duration(each.remaining_seconds) if is_running else "",
        "At risk": (figures.risk(each.used) or "") if is_running else "",
        "Promise": figures.words(each.obligation),
        "Severity": each.severity_in_force,
        "Customer": each.customer_name or each.customer_id,
        "Why": (reasons or {}).get(each.obligation_key, why),
        "Subject": each.subject,
        "Target": figures.duration(each.target_seconds),
        "Elapsed": figures.duration(each.elapsed_seconds),
        "Clock": figures.words(each.clock_name),
        "Plan": each.plan,
        "Submitted": times.instant(each.submitted_at),
        "Due": times.instant(each.due_at),
        "Settled": times.instant(each.settled_at),
    }
