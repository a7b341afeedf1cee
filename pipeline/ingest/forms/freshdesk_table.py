"""Freshdesk's and Freshservice's export as a table: the columns that somebody ticked, labels instead of numbers, wall times
of an account or an agent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import Problem
from pipeline.ingest.files.exports import Export
from pipeline.ingest.files.refused import Refused
from pipeline.ingest.forms.canonical_rows import Adapted, CanonicalRows
from pipeline.ingest.forms.read_rows import Layout, Row, read_rows
from pipeline.ingest.forms.row_writer import RowWriter

if TYPE_CHECKING:
    from pipeline.rules.source import Source

_DATE_FORMAT = "%Y-%m-%d %H:%M:%S"
_COLUMNS = {
    "ticket_id": ("Ticket ID",),
    "subject": ("Subject",),
    "status": ("Status",),
    "priority": ("Priority",),
    "channel": ("Source",),
    "ticket_type": ("Type",),
    "created_at": ("Created time",),
    "updated_at": ("Last update time", "Last updated time"),
    "resolved_at": ("Resolved time",),
    "closed_at": ("Closed time",),
    "responded_at": ("Initial response time",),
    "requester": ("Email", "Requester email", "Full name", "Requester name"),
    "company": ("Company name",),
    "tags": ("Tags",),
    "response_time": ("First response time (in hrs)",),
    "response_status": ("First response status",),
    "resolution_time": ("Resolution time (in hrs)",),
    "resolution_status": ("Resolution status",),
}
_VERDICTS = {"within sla": False, "sla violated": True}


def land_freshdesk_table(export: Export, source: Source, writer: RowWriter) -> tuple[int, list[Problem]]:
    """Land a table of tickets; the number of rows read, and warnings. Raises InputRejected."""
    layout, found_rows, notes = read_rows(export, source, _COLUMNS, ("ticket_id", "created_at"), _DATE_FORMAT)
    rows = CanonicalRows(writer)
    for line_number, row in found_rows:
        if isinstance(row, Refused):
            rows.refuse(row)
            continue
        with rows.record(line_number) as adapted:
            _add_ticket(adapted, row, layout, source)
    warnings = list(notes)
    if "responded_at" not in layout:
        warnings.append(
            Problem(
                export.name,
                1,
                None,
                "the first response is not measurable: the file lacks 'Initial response time'.",
                "Tick that column in the export. A duration alone names no instant, and can be negative.",
            )
        )
    return rows.finish(), warnings


def _add_ticket(adapted: Adapted, row: Row, layout: Layout, source: Source) -> None:
    ticket_id, created_at = row.identifier("ticket_id"), row.required_instant("created_at")
    instants = {
        column: row.instant(column) for column in ("responded_at", "resolved_at", "closed_at", "updated_at")
    }
    known = [at for at in (created_at, *instants.values()) if at is not None]
    updated_at = instants["updated_at"] or max(known)
    evidence = [
        word
        for column, word in (("responded_at", "response_date"), ("resolved_at", "resolution"))
        if column in layout
    ]
    if instants["responded_at"] is not None:
        adapted.add(
            "ticket_messages",
            message_id=f"{ticket_id}:first_responded",
            ticket_id=ticket_id,
            message_kind="date",
            is_public=True,
            author_kind="agent",
            version_at=updated_at,
            **row.window("said_at", instants["responded_at"]),
        )
    for column, status in (("resolved_at", "solved"), ("closed_at", "closed")):
        at = instants[column]
        if at:
            adapted.add(
                "ticket_changes",
                change_id=f"{ticket_id}:{column}",
                ticket_id=ticket_id,
                change_kind="date",
                field_name="status",
                value=status,
                version_at=updated_at,
                **row.window("changed_at", at),
            )
    adapted.add(
        "ticket_versions",
        ticket_id=ticket_id,
        customer_id=_find(row, layout, source.customer_field, "company"),
        requester=row.text("requester"),
        channel=row.text("channel"),
        severity=_find(row, layout, source.severity_field, "priority"),
        submitted_at=created_at,
        subject=row.text("subject"),
        ticket_type=row.text("ticket_type"),
        tags=row.text("tags"),
        updated_at=updated_at,
        status=row.text("status"),
        evidence=" ".join(evidence),
    )
    for name, obligation, stop in (
        ("response", "first_response", "responded_at"),
        ("resolution", "resolution", "resolved_at"),
    ):
        verdict = (row.text(f"{name}_status") or "").casefold()
        seconds = row.clock_seconds(f"{name}_time")
        if seconds is not None or verdict in _VERDICTS:
            adapted.add(
                "vendor_sla_figures",
                ticket_id=ticket_id,
                figure=layout.shown(f"{name}_time" if seconds is not None else f"{name}_status"),
                obligation=obligation,
                cycle_number=1,
                figure_kind="elapsed" if seconds is not None else "target",
                clock_kind="business",
                they_seconds=seconds,
                unit_seconds=1,
                they_breached=_VERDICTS.get(verdict),
                they_started_at=created_at,
                they_stopped_at=instants[stop],
                read_at=updated_at,
            )


def _find(row: Row, layout: Layout, name: str | None, column: str) -> str | None:
    """What sla.yml names: our own word for a column, or the header's."""
    return row.text(name if name == column else layout.find(name))
