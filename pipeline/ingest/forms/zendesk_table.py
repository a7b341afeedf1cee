"""Zendesk's account export as a table (CSV, XLSX): one row per ticket, in the account's zone, without any message.

The first reply is there as floored minutes only, so it is derived: it happened somewhere in one minute.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.calendars.advance import advance
from pipeline.errors import Problem
from pipeline.ingest.files.exports import Export
from pipeline.ingest.files.refused import Refused
from pipeline.ingest.forms.canonical_rows import Adapted, CanonicalRows
from pipeline.ingest.forms.read_rows import Layout, Row, read_rows
from pipeline.ingest.forms.row_writer import RowWriter

if TYPE_CHECKING:
    from pipeline.rules.source import Source

_DATE_FORMAT = "%Y-%m-%d %H:%M:%S"
_WITHIN = " within business hours"
_COLUMNS = {
    "ticket_id": ("Id", "Ticket ID"),
    "requester": ("Requester email", "Requester"),
    "requester_id": ("Requester id",),
    "submitter": ("Submitter",),
    "subject": ("Subject",),
    "tags": ("Tags",),
    "status": ("Status",),
    "priority": ("Priority",),
    "channel": ("Via",),
    "ticket_type": ("Ticket type",),
    "created_at": ("Created at",),
    "updated_at": ("Updated at",),
    "solved_at": ("Solved at",),
    "organization": ("Organization",),
    "reopens": ("Reopens",),
    "reply_calendar": ("First reply time in minutes",),
    "reply_business": (f"First reply time in minutes{_WITHIN}",),
    "first_resolution_calendar": ("First resolution time in minutes",),
    "first_resolution_business": (f"First resolution time in minutes{_WITHIN}",),
    "full_resolution_calendar": ("Full resolution time in minutes",),
    "full_resolution_business": (f"Full resolution time in minutes{_WITHIN}",),
}
_FIGURES = {"reply": "first_response", "first_resolution": "resolution", "full_resolution": None}


def land_zendesk_table(export: Export, source: Source, writer: RowWriter) -> tuple[int, list[Problem]]:
    """Land the account's table; the number of rows read, and warnings. Raises InputRejected."""
    layout, found_rows, notes = read_rows(
        export, source, _COLUMNS, ("ticket_id", "created_at", "updated_at"), _DATE_FORMAT
    )
    rows = CanonicalRows(writer)
    for line_number, row in found_rows:
        if isinstance(row, Refused):
            rows.refuse(row)
            continue
        with rows.record(line_number) as adapted:
            _add_ticket(adapted, row, layout, source)
    warnings = list(notes)
    if not _can_derive(layout, source):
        warnings.append(
            Problem(
                export.name,
                1,
                None,
                "the first response is not measurable: the file lacks 'First reply time in minutes'.",
                "Export that column. Of the minutes within business hours an instant can only be derived where sla.yml names "
                "the calendar that Zendesk counted with: business_calendar.",
            )
        )
    if source.customer_constant is None and source.customer_field != "organization_name":
        warnings.append(
            Problem(
                export.name,
                1,
                None,
                "no ticket has a customer: the table names organizations by their names only.",
                "Use customer: {field: organization_name} for a source of tables.",
            )
        )
    return rows.finish(), warnings


def _can_derive(layout: Layout, source: Source) -> bool:
    # Robots on seats count as agents in Zendesk's own figures, and the figure does not say who replied.
    has_minutes = "reply_calendar" in layout or (
        "reply_business" in layout and source.business_calendar is not None
    )
    return has_minutes and not source.bot_actors


def _add_ticket(adapted: Adapted, row: Row, layout: Layout, source: Source) -> None:
    ticket_id = row.identifier("ticket_id")
    created_at, updated_at = row.required_instant("created_at"), row.required_instant("updated_at")
    evidence = []
    if _can_derive(layout, source):
        evidence.append("response_date")
        window = _derive_reply(row, created_at, source)
        if window is not None:
            # What is in the file happened before the ticket was last updated.
            latest = min(window[1], updated_at) if updated_at >= window[0] else window[1]
            adapted.add(
                "ticket_messages",
                message_id=f"{ticket_id}:first_reply",
                ticket_id=ticket_id,
                message_kind="date",
                is_public=True,
                author_kind="agent",
                said_at=latest,
                earliest_at=window[0],
                version_at=updated_at,
            )
    solved_at = row.instant("solved_at")
    if "solved_at" in layout and row.whole_number("reopens") is not None:
        evidence.append("resolution")
    if solved_at is not None:
        adapted.add(
            "ticket_changes",
            change_id=f"{ticket_id}:solved",
            ticket_id=ticket_id,
            change_kind="date",
            field_name="status",
            value="solved",
            version_at=updated_at,
            **row.window("changed_at", solved_at),
        )
    severity_field = source.severity_field or ""
    adapted.add(
        "ticket_versions",
        ticket_id=ticket_id,
        customer_id=row.text("organization") if source.customer_field == "organization_name" else None,
        requester=row.text("requester") or row.text("requester_id"),
        channel=row.text("channel"),
        severity=row.text("priority")
        if severity_field == "priority"
        else row.text(layout.find(severity_field.removeprefix("column:"))),
        submitted_at=created_at,
        subject=row.text("subject"),
        ticket_type=row.text("ticket_type"),
        tags=row.text("tags"),
        updated_at=updated_at,
        status=row.text("status"),
        # Of a ticket that was reopened only the last solving is left.
        reopen_count=row.whole_number("reopens"),
        evidence=" ".join(evidence),
    )
    for name, obligation in _FIGURES.items():
        for clock_kind in ("calendar", "business"):
            minutes = row.whole_number(f"{name}_{clock_kind}")
            if minutes is not None:
                adapted.add(
                    "vendor_sla_figures",
                    ticket_id=ticket_id,
                    figure=layout.shown(f"{name}_{clock_kind}"),
                    obligation=obligation,
                    cycle_number=1,
                    figure_kind="elapsed",
                    clock_kind=clock_kind,
                    they_seconds=60 * minutes,
                    unit_seconds=60,
                    they_started_at=created_at,
                    read_at=updated_at,
                )


def _derive_reply(row: Row, created_at: datetime, source: Source) -> tuple[datetime, datetime] | None:
    """The first and the last second in which the first reply can have been given; None where there was none.

    Minutes of the calendar are exact but for the seconds that were cut off. Minutes within business hours lead back over
    the declared calendar; the time in which it is closed belongs to the same minute.
    """
    minutes = row.whole_number("reply_calendar")
    if minutes is not None:
        earliest, latest = (
            created_at + timedelta(minutes=minutes),
            created_at + timedelta(minutes=minutes, seconds=59),
        )
    else:
        minutes = row.whole_number("reply_business")
        if minutes is None or source.business_calendar is None:
            return None
        found = advance(source.business_calendar, created_at, 60 * minutes)
        following = advance(source.business_calendar, created_at, 60 * minutes + 60)
        if found is None or following is None:
            return None
        earliest, latest = found, following - timedelta(seconds=1)
    if not row.layout.has_seconds:
        latest += timedelta(seconds=59)
    # A reply comes after the submission, so never in its very second.
    return max(earliest, created_at + timedelta(seconds=1)), max(latest, created_at + timedelta(seconds=1))
