"""Freshdesk's API (v2): tickets with `include=stats,conversations`, one object a line, a list, or a list a line.

A ticket carries no history: of its statuses only the last instants of a few are known, of its conversations the first
ten. What that can show is said per ticket.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any

import duckdb

from pipeline.errors import Problem
from pipeline.ingest.files.exports import Export
from pipeline.ingest.files.read_table import find_kind
from pipeline.ingest.files.refused import Refused
from pipeline.ingest.forms.landed_rows import (
    Adapted,
    LandedRows,
    read_identifier,
    read_instant,
    read_instant_or_none,
)
from pipeline.ingest.forms.mapped import land_form
from pipeline.ingest.forms.read_objects import JsonObject, as_text, dig, read_objects
from pipeline.ingest.forms.row_writer import RowWriter

if TYPE_CHECKING:
    from pipeline.rules.source import Source

# A ticket object holds at most so many conversations, the earliest ones.
_EMBEDDED_CONVERSATIONS = 10
# A conversation of this source is mail forwarded to another address: no answer to the customer.
_FORWARDED = "8"
# What Freshdesk writes, in English, into a ticket that was merged into another one, and into that one.
_MERGED_INTO = re.compile(
    r"\s*This ticket is closed and merged into ticket\D{0,80}?(\d{1,19})", re.IGNORECASE
)
_MERGED_FROM = re.compile(r"\s*Merged from ticket\D{0,80}?\d{1,19}", re.IGNORECASE)
_ELEMENT = re.compile(r"<[^<>]{0,1000}>")
# As much of a text as the line can take, with the elements that it may stand in.
_LINE_LENGTH = 2000
# The dates of a ticket's stats, and the status that each says was set then.
_STATUS_DATES = (("reopened_at", "open"), ("resolved_at", "solved"), ("closed_at", "closed"))


def land_freshdesk(
    export: Export, start: bytes, source: Source, connection: duckdb.DuckDBPyConnection, writer: RowWriter
) -> tuple[int, list[Problem]]:
    """Land a file of tickets or conversations; the number of objects read, and warnings. Raises InputRejected."""
    if find_kind(start) in ("csv", "xlsx", "parquet"):
        return land_form(export, start, "freshdesk_table", source, writer)
    rows = LandedRows(writer)
    blind_tickets = 0
    for line_number, found in read_objects(export, ("tickets", "results"), "a ticket"):
        if isinstance(found, Refused):
            rows.refuse(found)
            continue
        with rows.record(line_number) as adapted:
            if "incoming" in found and "ticket_id" in found:
                _add_conversation(adapted, found, read_identifier("ticket_id", found["ticket_id"]), None)
            else:
                _add_ticket(adapted, found, source)
                is_blind = not isinstance(found.get("stats"), dict) or bool(source.non_humans)
                blind_tickets += is_blind and not isinstance(found.get("conversations"), list)
    warnings = []
    if blind_tickets:
        warnings.append(
            Problem(
                export.name,
                None,
                None,
                f"{blind_tickets} tickets come without conversations and without usable stats: their first response is not "
                "measurable.",
                "Ask the API for include=conversations,stats. Stats do not say who answered, so they do not serve a "
                "source whose bots or assistants have seats of agents.",
            )
        )
    return rows.finish(), warnings


def _add_ticket(adapted: Adapted, ticket: JsonObject, source: Source) -> None:
    ticket_id = read_identifier("id", ticket.get("id"))
    submitted_at = read_instant("created_at", ticket.get("created_at"))
    updated_at = read_instant_or_none("updated_at", ticket.get("updated_at")) or submitted_at
    stats = ticket.get("stats") if isinstance(ticket.get("stats"), dict) else None
    dates = {
        key: read_instant_or_none(f"stats.{key}", (stats or {}).get(key))
        for key in ("first_responded_at", *(key for key, _ in _STATUS_DATES))
    }
    evidence = [] if stats is None else ["response_date", "resolution"]
    conversations = ticket.get("conversations")
    if isinstance(conversations, list):
        for conversation in conversations:
            _add_conversation(adapted, conversation, ticket_id, updated_at)
        evidence.append("messages" if len(conversations) < _EMBEDDED_CONVERSATIONS else "first_messages")
    if dates["first_responded_at"]:
        # The date does not say who answered: an agent, as far as the vendor knows.
        adapted.add(
            "ticket_messages",
            message_id=f"{ticket_id}:first_responded",
            ticket_id=ticket_id,
            message_kind="date",
            is_public=True,
            author_kind="agent",
            said_at=dates["first_responded_at"],
            version_at=updated_at,
        )
    for place, (key, status) in enumerate(_STATUS_DATES):
        if dates[key]:
            adapted.add(
                "ticket_changes",
                change_id=f"{ticket_id}:{key}",
                ticket_id=ticket_id,
                change_kind="date",
                field_name="status",
                value=status,
                changed_at=dates[key],
                # What is resolved is closed then; whether it was reopened before or after, two dates do not say.
                place=None if status == "open" else place,
                version_at=updated_at,
            )
    for event_type in _find_marks(ticket, source):
        # A merge closes the ticket. Of anything else the record says that it is so, not since when.
        closed_at = dates["closed_at"] if event_type == "merged" else None
        adapted.add(
            "ticket_changes",
            change_id=f"{ticket_id}:{event_type}",
            ticket_id=ticket_id,
            change_kind="mark" if closed_at is None else "date",
            field_name=event_type,
            changed_at=closed_at or updated_at,
            version_at=updated_at,
        )
    requester_id = as_text(ticket.get("requester_id"))
    adapted.add(
        "ticket_versions",
        ticket_id=ticket_id,
        customer_id=_find(ticket, source.customer_field),
        requester=as_text(dig(ticket, "requester", "email")) or as_text(ticket.get("email")),
        requester_id=requester_id,
        opener=requester_id,
        channel=as_text(ticket.get("source")),
        severity=_find(ticket, source.severity_field),
        submitted_at=submitted_at,
        subject=as_text(ticket.get("subject")),
        ticket_type=as_text(ticket.get("type")),
        tags=json.dumps(ticket.get("tags") or []),
        updated_at=updated_at,
        status=as_text(ticket.get("status")),
        evidence=" ".join(evidence),
        # After a reopening the stats hold the last resolution only; without that word in them nothing says that there was none.
        reopen_count=int(dates["reopened_at"] is not None) if "reopened_at" in (stats or {}) else None,
        is_deleted=ticket.get("deleted") is True or ticket.get("spam") is True,
    )
    for figure, obligation, stop in (
        ("fr_escalated", "first_response", "first_responded_at"),
        ("is_escalated", "resolution", "resolved_at"),
    ):
        if isinstance(ticket.get(figure), bool):
            adapted.add(
                "vendor_sla_figures",
                ticket_id=ticket_id,
                figure=figure,
                obligation=obligation,
                cycle_number=1,
                figure_kind="target",
                they_breached=ticket[figure],
                they_started_at=submitted_at,
                they_stopped_at=dates[stop],
                read_at=updated_at,
            )


def _find_marks(ticket: JsonObject, source: Source) -> list[str]:
    """The events that sla.yml declares and of which the ticket bears the sign."""
    found: dict[str, None] = {}
    for sign in source.events:
        held = ticket.get("tags") if sign.field_name == "tags" else [_find(ticket, sign.field_name)]
        if isinstance(held, list) and any(as_text(one) == sign.field_value for one in held):
            found[sign.event_type] = None
    return list(found)


def _find(ticket: JsonObject, name: str | None) -> str | None:
    """A field of the ticket by its name in the API; custom fields need no prefix beyond their own `cf_`."""
    if name is None:
        return None
    found = as_text(ticket.get(name))
    return as_text(dig(ticket, "custom_fields", name)) if found is None else found


def _read_sender(conversation: JsonObject) -> str | None:
    """The address that an incoming mail came from; of an outgoing one it is the desk's."""
    written = as_text(conversation.get("from_email"))
    if written is None or conversation.get("incoming") is not True:
        return None
    return parseaddr(written)[1] or None


def _read_line(conversation: JsonObject) -> str:
    """The beginning of a conversation's text, without the elements that it may stand in."""
    for name in ("body_text", "body"):
        text = conversation.get(name)
        if isinstance(text, str) and text.strip():
            return _ELEMENT.sub(" ", text[:_LINE_LENGTH])
    return ""


def _add_conversation(
    adapted: Adapted, conversation: Any, ticket_id: str, version_at: datetime | None
) -> None:
    said_at = read_instant("created_at", dig(conversation, "created_at"))
    conversation_id = read_identifier("id", dig(conversation, "id"))
    is_incoming = conversation.get("incoming") is True
    text = "" if is_incoming else _read_line(conversation)
    merged_into = _MERGED_INTO.match(text)
    if merged_into:
        adapted.add(
            "ticket_changes",
            change_id=f"{ticket_id}:{conversation_id}:merged",
            ticket_id=ticket_id,
            change_kind="line",
            field_name="merged",
            value=merged_into[1],
            changed_at=said_at,
            version_at=version_at,
        )
    # The line that a merge writes has the author of the merge, and answers nothing.
    author_kind = "bot" if merged_into or _MERGED_FROM.match(text) else "agent"
    if is_incoming:
        author_kind = "customer"
    adapted.add(
        "ticket_messages",
        message_id=f"{ticket_id}:{conversation_id}",
        ticket_id=ticket_id,
        message_kind="comment",
        is_public=conversation.get("private") is False and as_text(conversation.get("source")) != _FORWARDED,
        author_id=as_text(conversation.get("user_id")),
        author_address=_read_sender(conversation),
        author_kind=author_kind,
        said_at=said_at,
        update_id=conversation_id,
        version_at=version_at,
    )
