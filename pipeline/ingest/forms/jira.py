"""Jira Service Management's REST answers: issues with `expand=changelog`, one a line, a list, or pages of a search; and
the SLA pages of a request. Tables go to their own module.

An issue does not say who belongs to the vendor, and only some answers say which comments a customer can see. Both are
declared in sla.yml or read from the issue, never guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb

from pipeline.errors import Problem
from pipeline.ingest.files.exports import Export
from pipeline.ingest.files.read_table import find_kind
from pipeline.ingest.files.refused import Refused
from pipeline.ingest.forms.canonical_rows import (
    Adapted,
    CanonicalRows,
    Unusable,
    read_identifier,
    read_instant,
    read_instant_or_none,
)
from pipeline.ingest.forms.mapped import land_form
from pipeline.ingest.forms.read_objects import JsonObject, as_text, dig, read_objects
from pipeline.ingest.forms.row_writer import RowWriter

if TYPE_CHECKING:
    from pipeline.rules.load_sources import Source

_REQUEST_LINK = re.compile(r"/request/([^/]+)/sla\b")
_DEBUG_EVENTS = {"debug_requested", "debug_logs_received", "debug_delivered"}


def land_jira(
    export: Export, start: bytes, source: Source, connection: duckdb.DuckDBPyConnection, writer: RowWriter
) -> tuple[int, list[Problem]]:
    """Land a file of issues or SLA pages; the number of objects read, and warnings. Raises InputRejected."""
    if find_kind(start) in ("csv", "xlsx", "parquet"):
        return land_form(export, start, "jira_table", source, writer)
    rows = CanonicalRows(writer)
    unmarked_comments = unnamed_levels = 0
    for line_number, found in read_objects(export, ("issues",), "an issue"):
        if isinstance(found, Refused):
            rows.refuse(found)
            continue
        with rows.record(line_number) as adapted:
            if isinstance(found.get("values"), list):
                _add_request_slas(adapted, found)
            else:
                issue = _Issue(found, source)
                unmarked_comments += issue.add_to(adapted)
                unnamed_levels += issue.is_level_unnamed
    warnings = []
    withheld: tuple[str, ...] = ()
    if unmarked_comments:
        # Issues without such a comment are not judged either: only the unanswered ones would be left, all of them breached.
        withheld = ("first_response", "messages")
        warnings.append(
            Problem(
                export.name,
                None,
                None,
                f"{unmarked_comments} comments do not say whether the customer could see them: no first response of this "
                "file is measurable.",
                "Export them with jsdPublic, or declare `comments: public` (or internal) for this source in sla.yml.",
            )
        )
    if unnamed_levels:
        warnings.append(
            Problem(
                export.name,
                None,
                None,
                f"the histories of {unnamed_levels} issues name custom fields by what people read, so nobody knows when "
                f"{source.severity_field} changed: their severity is unknown.",
                "Declare what the history calls it for this source in sla.yml: severity: {field: ..., name: ...}.",
            )
        )
    return rows.finish(withheld), warnings


@dataclass(frozen=True)
class _Change:
    """One changed field of an issue's changelog; `name` is unique within the issue. Data Center gives no `field_id`."""

    at: datetime
    place: int
    name: str
    field: str | None
    field_id: str | None
    is_custom: bool
    before: str | None
    now: str | None
    author: Any


class _Issue:
    """One issue while it becomes a ticket and its events."""

    def __init__(self, issue: JsonObject, source: Source) -> None:
        self.source = source
        self.key = read_identifier("key", issue.get("key"))
        fields = issue.get("fields")
        if not isinstance(fields, dict):
            raise Unusable("fields", None, "is missing", "Export issues with their fields.")
        self.fields: JsonObject = fields
        self.created_at = read_instant("fields.created", fields.get("created"))
        self.updated_at = read_instant_or_none("fields.updated", fields.get("updated")) or self.created_at
        self.reporter_id = _account(fields.get("reporter"))
        self.changelog = issue.get("changelog")
        self.histories = _list_whole(self.changelog, "histories")
        self.comments = _list_whole(fields.get("comment"), "comments")
        self.evidence: set[str] = set()
        self.changes = (
            []
            if self.histories is None
            else sorted(self._list_changes(), key=lambda one: (one.at, one.place))
        )
        # Data Center names a custom field by what people read; which of them is the level, only sla.yml can say.
        self.is_level_unnamed = (
            source.severity_name is None
            and (source.severity_field or "").startswith("customfield_")
            and any(change.is_custom and change.field_id is None for change in self.changes)
        )

    def add_to(self, adapted: Adapted) -> int:
        """Add everything; the number of comments by others than customers whose visibility is unknown."""
        source, fields = self.source, self.fields
        unmarked = self._add_comments(adapted)
        # Of a history that came in part only, nobody knows with which severity it began.
        is_cut_off = self.histories is None and isinstance(self.changelog, dict)
        severity = None if is_cut_off or self.is_level_unnamed else self._field(source.severity_field)
        if self.histories is not None:
            self._add_changes(adapted)
            self.evidence |= {"statuses", "resolution"}
            if any(event.event_type in _DEBUG_EVENTS for event in source.events):
                self.evidence.add("debug")
            if any(event.event_type.startswith("bug_") for event in source.events):
                self.evidence.add("bugs")
        elif isinstance(dig(fields, "resolutiondate"), str):
            resolved_at = read_instant("fields.resolutiondate", fields["resolutiondate"])
            adapted.events.append(self._event("resolved", resolved_at, "status_changed", value="solved"))
        if self.histories is None and "resolutiondate" in fields:
            self.evidence.add("resolution")
        adapted.tickets.append(
            {
                "ticket_id": self.key,
                "customer_id": source.customer_constant or self._field(source.customer_field),
                "requester": _person(fields.get("reporter")),
                "opener": _account(fields.get("creator")) or self.reporter_id,
                "channel": source.channel_constant or self._field(source.channel_field),
                "severity": severity,
                "submitted_at": self.created_at,
                "subject": as_text(fields.get("summary")),
                "ticket_type": as_text(fields.get("issuetype")),
                "tags": json.dumps(fields.get("labels") or []),
                "updated_at": self.updated_at,
                "ticket_status": as_text(fields.get("status")),
                "evidence": " ".join(self.evidence),
            }
        )
        for value in fields.values():
            if isinstance(value, dict) and ("completedCycles" in value or "ongoingCycle" in value):
                _add_sla(adapted, value, self.key, self.updated_at)
        return unmarked

    def _field(self, name: str | None) -> str | None:
        if name is None:
            return None
        if name == "reporter":
            return _person(self.fields.get("reporter"))
        if name == "project":
            return as_text(dig(self.fields, "project", "key"))
        return as_text(self.fields.get(name))

    def _event(self, name: str, event_at: datetime, event_type: str, **values: Any) -> dict[str, Any]:
        return {
            "event_id": f"{self.key}:{name}",
            "ticket_id": self.key,
            "event_at": event_at,
            "event_type": event_type,
            "actor_kind": "unknown",
            "is_public": True,
            "evidence_kind": "recorded",
            **values,
        }

    def _add_comments(self, adapted: Adapted) -> int:
        if self.comments is None:
            return 0
        unmarked = 0
        for comment in self.comments:
            author = comment.get("author")
            kind = self._kind_of(author)
            is_public = _is_public(comment)
            if is_public is None:
                is_public = self.source.unmarked_comments == "public"
                unmarked += self.source.unmarked_comments is None and kind != "customer"
            adapted.events.append(
                self._event(
                    f"comment:{read_identifier('comment.id', comment.get('id'))}",
                    read_instant("comment.created", comment.get("created")),
                    "message",
                    actor_kind=kind,
                    actor=_account(author),
                    is_public=is_public,
                )
            )
        self.evidence |= {"first_response", "messages"}
        return unmarked

    def _kind_of(self, author: Any) -> str:
        account, agents = _account(author), self.source.agents
        address = as_text(dig(author, "emailAddress")) or ""
        account_type = as_text(dig(author, "accountType"))
        if account is None:
            return "unknown"
        if account in agents.actors or address in agents.actors:
            return "agent"
        if account == self.reporter_id or account_type == "customer" or account.startswith("qm:"):
            return "customer"
        if account_type == "app":
            return "bot"
        if account_type in agents.account_types or address.rpartition("@")[2].lower() in agents.domains:
            return "agent"
        return "unknown"

    def _add_changes(self, adapted: Adapted) -> None:
        """Statuses and severities from the first one on, and the changes that sla.yml declares as events."""
        level = None if self.is_level_unnamed else self.source.severity_field
        for column, event_type in (("status", "status_changed"), (level, "severity_changed")):
            mine = [change for change in self.changes if column and self._is_of(change, column)]
            # The history begins with the first change; the ticket was submitted with what that one changed.
            first = mine[0].before if mine else as_text(self.fields.get(column or ""))
            if first is not None:
                adapted.events.append(
                    self._event(f"created:{event_type}", self.created_at, event_type, value=first)
                )
            for change in mine:
                if change.now is not None:
                    adapted.events.append(self._event_of(change, event_type, value=change.now))
        for change in self.changes:
            # An issue that moved to another project has a new key: what was exported under the old one is this ticket.
            if change.field == "Key" and not change.is_custom and change.before not in (None, self.key):
                adapted.events.append(
                    self._event(f"{change.name}:merged", self.created_at, "merged", ticket_id=change.before,
                                value=self.key)
                )  # fmt: skip
        for event in self.source.events:
            for change in self.changes:
                columns = (change.field, change.field_id)
                if event.field_name not in columns:
                    continue
                if "labels" in columns:
                    is_sign = (
                        event.field_value in (change.now or "").split()
                        and event.field_value not in (change.before or "").split()
                    )
                else:
                    is_sign = change.now == event.field_value
                if is_sign:
                    adapted.events.append(self._event_of(change, event.event_type))

    def _event_of(self, change: _Change, event_type: str, **values: Any) -> dict[str, Any]:
        return self._event(f"{change.name}:{event_type}", change.at, event_type, actor=_account(change.author),
                           actor_kind=self._kind_of(change.author), **values)  # fmt: skip

    def _is_of(self, change: _Change, column: str) -> bool:
        """Whether a change is of the field with that id; a custom field may be called like one of the system."""
        if change.field_id is not None:
            return change.field_id == column
        if change.is_custom:
            return column == self.source.severity_field and change.field == self.source.severity_name
        return change.field == column

    def _list_changes(self) -> Iterator[_Change]:
        assert self.histories is not None
        place = 0
        # The answer may list the newest first; within one second the id of the history is the order.
        for history in sorted(self.histories, key=lambda one: (len(str(one.get("id"))), str(one.get("id")))):
            at = read_instant("changelog.created", history.get("created"))
            items = history.get("items")
            for index, item in enumerate(items if isinstance(items, list) else []):
                place += 1
                yield _Change(
                    at,
                    place,
                    f"{read_identifier('changelog.id', history.get('id'))}:{index}",
                    as_text(dig(item, "field")),
                    as_text(dig(item, "fieldId")),
                    as_text(dig(item, "fieldtype")) == "custom",
                    as_text(dig(item, "fromString")),
                    as_text(dig(item, "toString")),
                    history.get("author"),
                )


def _list_whole(container: Any, key: str) -> list[JsonObject] | None:
    """The objects under a key of a paged part of an issue; None when it is missing or not all of it came."""
    listed = dig(container, key) if isinstance(container, dict) else None
    if not isinstance(listed, list):
        return None
    total = as_text(container.get("total"))
    is_whole = total is None or (total.isdigit() and int(total) <= len(listed))
    return [one for one in listed if isinstance(one, dict)] if is_whole else None


def _account(person: Any) -> str | None:
    """The id of a user: of Cloud, or of Data Center."""
    return next((as_text(dig(person, key)) for key in ("accountId", "key", "name") if dig(person, key)), None)


def _person(person: Any) -> str | None:
    return next(
        (as_text(dig(person, key)) for key in ("emailAddress", "displayName") if dig(person, key)),
        _account(person),
    )


def _is_public(comment: JsonObject) -> bool | None:
    """Whether the customer could see a comment; None when the answer does not say."""
    if comment.get("visibility"):
        return False
    if isinstance(comment.get("jsdPublic"), bool):
        return bool(comment["jsdPublic"])
    properties = comment.get("properties")
    for one in properties if isinstance(properties, list) else []:
        internal = dig(one, "value", "internal")
        if dig(one, "key") == "sd.public.comment" and internal is not None:
            return as_text(internal) != "true"
    return None


def _add_request_slas(adapted: Adapted, page: JsonObject) -> None:
    """A page of a request's SLAs; the issue is named by the page's own link only."""
    link = as_text(dig(page, "_links", "self")) or as_text(dig(page, "values", "_links", "self")) or ""
    found = _REQUEST_LINK.search(link)
    if found is None:
        raise Unusable(
            "_links.self",
            link or None,
            "does not name the request of these SLAs",
            "Keep the page as the API gave it, with its links, or export the issues with their SLA fields.",
        )
    for sla in page["values"]:
        if isinstance(sla, dict):
            _add_sla(adapted, sla, found.group(1), None)


def _add_sla(adapted: Adapted, sla: JsonObject, ticket_id: str, read_at: datetime | None) -> None:
    cycles = sla.get("completedCycles")
    listed = [one for one in cycles if isinstance(one, dict)] if isinstance(cycles, list) else []
    if isinstance(sla.get("ongoingCycle"), dict):
        listed.append(sla["ongoingCycle"])
    name = as_text(sla.get("name"))
    for number, cycle in enumerate(listed, 1):
        elapsed, goal = _seconds(cycle.get("elapsedTime")), _seconds(cycle.get("goalDuration"))
        adapted.figures.append(
            {
                "ticket_id": ticket_id,
                "figure": name,
                "obligation": _obligation(name),
                "cycle_number": number,
                "figure_kind": "elapsed",
                "clock_kind": "business",
                "they_seconds": elapsed,
                "unit_seconds": 1,
                "they_breached": cycle["breached"] if isinstance(cycle.get("breached"), bool) else None,
                "goal_seconds": goal,
                "they_started_at": _sla_instant(cycle.get("startTime")),
                "they_stopped_at": _sla_instant(cycle.get("stopTime")),
                "read_at": read_at,
            }
        )


def _obligation(name: str | None) -> str | None:
    """Which of our obligations a vendor's SLA of this name speaks of; None where it has no counterpart."""
    words = (name or "").lower()
    return "first_response" if "first response" in words else "resolution" if "resolution" in words else None


def _seconds(duration: Any) -> int | None:
    written = as_text(dig(duration, "millis"))
    try:
        return None if written is None else int(written) // 1000
    except ValueError:
        raise Unusable(
            "millis", written, "is not a whole number of milliseconds", "Export the SLA again."
        ) from None


def _sla_instant(date: Any) -> datetime | None:
    written = as_text(dig(date, "epochMillis"))
    if written is None:
        return read_instant_or_none("iso8601", dig(date, "iso8601"))
    try:
        return datetime.fromtimestamp(int(written) // 1000, UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        raise Unusable("epochMillis", written, "is not a possible instant", "Export the SLA again.") from None
