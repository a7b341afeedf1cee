"""Freshdesk's API (v2): tickets with `include=stats,conversations`, one object a line, a list, or a list a line.

A ticket carries no history: of its statuses only the last instants of a few are known, of its conversations the first
ten. What that can show is said per ticket.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb

from pipeline.errors import Problem
from pipeline.ingest.files.exports import Export
from pipeline.ingest.files.read_table import find_kind
from pipeline.ingest.files.refused import Refused
from pipeline.ingest.forms.canonical_rows import (
    Adapted,
    CanonicalRows,
    read_identifier,
    read_instant,
    read_instant_or_none,
)
from pipeline.ingest.forms.mapped import land_form
from pipeline.ingest.forms.read_objects import JsonObject, as_text, dig, read_objects
from pipeline.ingest.forms.row_writer import RowWriter

if TYPE_CHECKING:
    from pipeline.rules.load_sources import Source

# A ticket object holds at most so many conversations, the earliest ones.
_EMBEDDED_CONVERSATIONS = 10
# The stats and the conversation of one answer differ by seconds.
_STATS_LAG = timedelta(minutes=1)
# A conversation of this source is mail forwarded to somebody else: no answer to the customer.
_FORWARDED = "8"


def land_freshdesk(
    export: Export, start: bytes, source: Source, connection: duckdb.DuckDBPyConnection, writer: RowWriter
) -> tuple[int, list[Problem]]:
    """Land a file of tickets or conversations; the number of objects read, and warnings. Raises InputRejected."""
    if find_kind(start) in ("csv", "xlsx", "parquet"):
        return land_form(export, start, "freshdesk_table", source, writer)
    rows = CanonicalRows(writer)
    blind_tickets = 0
    for line_number, found in read_objects(export, ("tickets", "results"), "a ticket"):
        if isinstance(found, Refused):
            rows.refuse(found)
            continue
        with rows.record(line_number) as adapted:
            if "incoming" in found and "ticket_id" in found:
                _add_conversation(adapted, found, read_identifier("ticket_id", found["ticket_id"]))
            else:
                _add_ticket(adapted, found, source)
                blind_tickets += "first_response" not in adapted.tickets[0]["evidence"]
    warnings = []
    if blind_tickets:
        warnings.append(
            Problem(
                export.name,
                None,
                None,
                f"{blind_tickets} tickets show neither conversations nor stats, or ones that gainsay each other: "
                "their first response is not measurable.",
                "Ask the API for include=conversations,stats. Stats do not say who answered, so they do not serve a "
                "source whose bots have seats of agents.",
            )
        )
    return rows.finish(), warnings


def _add_ticket(adapted: Adapted, ticket: JsonObject, source: Source) -> None:
    ticket_id = read_identifier("id", ticket.get("id"))
    submitted_at = read_instant("created_at", ticket.get("created_at"))
    updated_at = read_instant_or_none("updated_at", ticket.get("updated_at")) or submitted_at
    stats = ticket.get("stats") if isinstance(ticket.get("stats"), dict) else None
    answered_at = read_instant_or_none("stats.first_responded_at", (stats or {}).get("first_responded_at"))
    evidence = set()
    conversations = ticket.get("conversations")
    if isinstance(conversations, list):
        for conversation in conversations:
            _add_conversation(adapted, conversation, ticket_id)
        answers = [
            one["event_at"]
            for one in adapted.events
            if one["actor_kind"] == "agent" and one["is_public"] and one["actor"] not in source.bot_actors
        ]
        # A conversation can be deleted, or go to another ticket: then the stats know of an answer that is not here.
        is_gainsaid = (
            answered_at is not None
            and not source.bot_actors
            and answered_at + _STATS_LAG < min(answers, default=datetime.max)
        )
        if not is_gainsaid and len(conversations) < _EMBEDDED_CONVERSATIONS:
            evidence |= {"first_response", "messages"}
        elif not is_gainsaid and answers:
            evidence.add("first_response")
    # Stats give the first answer to the second but not who gave it; a robot on an agent's seat would pass for one.
    has_all = isinstance(conversations, list) and len(conversations) < _EMBEDDED_CONVERSATIONS
    if stats is not None and not has_all and "first_response" not in evidence and not source.bot_actors:
        evidence.add("first_response")
        if answered_at:
            adapted.events.append(
                _event(
                    ticket_id, "first_responded", answered_at, "message", actor_kind="agent", is_public=True
                )
            )
    if stats is not None:
        for key, status in (("reopened_at", "open"), ("resolved_at", "solved"), ("closed_at", "closed")):
            at = read_instant_or_none(f"stats.{key}", stats.get(key))
            if at:
                adapted.events.append(_event(ticket_id, key, at, "status_changed", value=status))
        # After a reopening the stats hold the last resolution only; when the ticket was first solved is lost.
        if not stats.get("reopened_at"):
            evidence.add("resolution")
    if ticket.get("deleted") is True or ticket.get("spam") is True:
        adapted.events.append(_event(ticket_id, "deleted", updated_at, "deleted"))
    requester_id = as_text(ticket.get("requester_id"))
    adapted.tickets.append(
        {
            "ticket_id": ticket_id,
            "customer_id": source.customer_constant or _find(ticket, source.customer_field),
            "requester": as_text(dig(ticket, "requester", "email"))
            or as_text(ticket.get("email"))
            or requester_id,
            "opener": requester_id,
            "channel": as_text(ticket.get("source")),
            "severity": _find(ticket, source.severity_field),
            "submitted_at": submitted_at,
            "subject": as_text(ticket.get("subject")),
            "ticket_type": as_text(ticket.get("type")),
            "tags": json.dumps(ticket.get("tags") or []),
            "updated_at": updated_at,
            "ticket_status": as_text(ticket.get("status")),
            "evidence": " ".join(evidence),
        }
    )
    for figure, obligation, stop in (
        ("fr_escalated", "first_response", "first_responded_at"),
        ("is_escalated", "resolution", "resolved_at"),
    ):
        if isinstance(ticket.get(figure), bool):
            adapted.figures.append(
                {
                    "ticket_id": ticket_id,
                    "figure": figure,
                    "obligation": obligation,
                    "cycle_number": 1,
                    "figure_kind": "target",
                    "they_breached": ticket[figure],
                    "they_started_at": submitted_at,
                    "they_stopped_at": read_instant_or_none(f"stats.{stop}", (stats or {}).get(stop)),
                    "read_at": updated_at,
                }
            )


def _find(ticket: JsonObject, name: str | None) -> str | None:
    """A field of the ticket by its name in the API; custom fields need no prefix beyond their own `cf_`."""
    if name is None:
        return None
    found = as_text(ticket.get(name))
    return as_text(dig(ticket, "custom_fields", name)) if found is None else found


def _add_conversation(adapted: Adapted, conversation: Any, ticket_id: str) -> None:
    said_at = read_instant("created_at", dig(conversation, "created_at"))
    conversation_id = read_identifier("id", dig(conversation, "id"))
    adapted.events.append(
        _event(
            ticket_id,
            conversation_id,
            said_at,
            "message",
            actor_kind="customer" if conversation.get("incoming") is True else "agent",
            actor=as_text(conversation.get("user_id")),
            is_public=conversation.get("private") is False
            and as_text(conversation.get("source")) != _FORWARDED,
        )
    )


def _event(ticket_id: str, name: str, event_at: Any, event_type: str, **values: Any) -> dict[str, Any]:
    return {
        "event_id": f"{ticket_id}:{name}",
        "ticket_id": ticket_id,
        "event_at": event_at,
        "event_type": event_type,
        "actor_kind": "unknown",
        "is_public": True,
        "evidence_kind": "recorded",
        **values,
    }
