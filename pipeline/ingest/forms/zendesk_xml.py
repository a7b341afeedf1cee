"""Zendesk's XML export: tickets with their comments, users and organizations, as the objects that the JSON export has.

Names and numbers are those of the first version of the API (vendor documentation of v1; importers of real exports read the
same): `nice-id`, `status-id`, `priority-id`, `via-id`, and the sum of `roles`. A number that is not listed there stays a
number, which no status, severity or channel of sla.yml is, so nothing is guessed from it. Status 6 (hold) is younger than that
documentation: general knowledge. Comments have no id there; theirs is their place in the ticket.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element

from pipeline.ingest.files.exports import Export
from pipeline.ingest.files.read_ndjson import Lines
from pipeline.ingest.files.read_xml import read_xml

_STATUSES = {"0": "new", "1": "open", "2": "pending", "3": "solved", "4": "closed", "6": "hold"}
# 0 is no priority and no type, which JSON writes as null.
_PRIORITIES = {"0": None, "1": "low", "2": "normal", "3": "high", "4": "urgent"}
_TYPES = {"0": None, "1": "question", "2": "incident", "3": "problem", "4": "task"}
_CHANNELS = {"0": "web", "4": "email", "5": "api"}
_ROLES = {"0": "end-user", "2": "admin", "4": "agent"}

_LISTS = {"tickets", "users", "organizations"}
# Parts of a full export that no rule reads.
_UNREAD_LISTS = {"accounts", "account", "groups"}
_ROOT = re.compile(rb"<([A-Za-z][\w.-]*)")


def find_root(start: bytes) -> str:
    """The name of the root of an XML file that begins like this; empty where it does not show."""
    found = _ROOT.search(start)
    return found[1].decode() if found else ""


def is_unread_list(start: bytes) -> bool:
    """Whether the file is the part of an XML export that lists accounts or groups."""
    return find_root(start) in _UNREAD_LISTS


def read_zendesk_xml(export: Export, start: bytes) -> Iterator[Lines]:
    """Tickets, users and organizations as texts of wrapped JSON objects, with the line where each begins.

    Raises InputRejected for what is no XML that may be read.
    """
    # Of a list every child must be known; elsewhere (one ticket, lists in a list) the elements are looked for.
    is_list = find_root(start) in _LISTS
    names = None if is_list else frozenset(_OBJECTS)
    yield from read_xml(export, names, _as_object, may_be_empty=is_list)


def _as_object(element: Element) -> dict[str, Any]:
    convert = _OBJECTS.get(element.tag)
    return {} if convert is None else {element.tag: convert(element)}


def _ticket(element: Element) -> dict[str, Any]:
    ticket_id = _text(element, "nice-id") or _text(element, "id")
    ticket: dict[str, Any] = {
        "id": ticket_id,
        "external_id": _text(element, "external-id"),
        "created_at": _text(element, "created-at"),
        "updated_at": _text(element, "updated-at"),
        "status": _word(element, "status-id", _STATUSES),
        "priority": _word(element, "priority-id", _PRIORITIES),
        "type": _word(element, "ticket-type-id", _TYPES),
        "subject": _text(element, "subject"),
        "requester_id": _text(element, "requester-id"),
        "submitter_id": _text(element, "submitter-id"),
        "organization_id": _text(element, "organization-id"),
        "via": {"channel": _word(element, "via-id", _CHANNELS)},
        "tags": (_text(element, "current-tags") or "").split(),
        "custom_fields": [
            {"id": _number(_text(entry, "ticket-field-id")), "value": _text(entry, "value")}
            for entry in element.findall("ticket-field-entries/ticket-field-entry")
        ],
    }
    comments = element.find("comments")
    if comments is not None:
        ticket["comments"] = [
            {
                "id": f"{ticket_id}-{place}",
                "author_id": _text(comment, "author-id"),
                "created_at": _text(comment, "created-at"),
                "public": _text(comment, "is-public"),
                "via": {"channel": _word(comment, "via-id", _CHANNELS)},
            }
            for place, comment in enumerate(comments.findall("comment"), start=1)
        ]
    return ticket


def _user(element: Element) -> dict[str, Any]:
    return {
        "id": _text(element, "id"),
        "role": _word(element, "roles", _ROLES),
        "email": _text(element, "email"),
        "name": _text(element, "name"),
        "organization_id": _text(element, "organization-id"),
        "updated_at": _text(element, "updated-at"),
    }


def _organization(element: Element) -> dict[str, Any]:
    return {
        "id": _text(element, "id"),
        "external_id": _text(element, "external-id"),
        "name": _text(element, "name"),
        "updated_at": _text(element, "updated-at"),
    }


_OBJECTS = {"ticket": _ticket, "user": _user, "organization": _organization}


def _text(element: Element, name: str) -> str | None:
    """What a child says; None for a child that is missing, empty or declared to be nothing."""
    return (element.findtext(name) or "").strip() or None


def _word(element: Element, name: str, words: Mapping[str, str | None]) -> str | None:
    written = _text(element, name)
    return None if written is None else words.get(written, written)


def _number(written: str | None) -> int | str | None:
    """An id of a custom field as JSON writes it."""
    return int(written) if written is not None and re.fullmatch(r"[1-9]\d{0,17}", written) else written
