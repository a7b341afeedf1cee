"""Jira Service Management's REST answers: issues with `expand=changelog`, one a line, a list, or pages of a search; and
the SLA pages of a request. Tables go to their own module.

An issue does not say who belongs to the vendor, and only some answers say which comments a customer can see. Both are
declared in sla.yml or read from the issue, never guessed.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb

from pipeline.errors import Problem
from pipeline.ingest.files.exports import Export
from pipeline.ingest.files.read_table import find_kind
from pipeline.ingest.files.refused import Refused
from pipeline.ingest.forms.landed_rows import (
    Adapted,
    LandedRows,
    Unusable,
    read_identifier,
    read_instant,
    read_instant_or_none,
)
from pipeline.ingest.forms.mapped import land_form
from pipeline.ingest.forms.read_objects import JsonObject, as_text, dig, read_objects
from pipeline.ingest.forms.row_writer import RowWriter

if TYPE_CHECKING:
    from pipeline.rules.source import Source

_REQUEST_LINK = re.compile(r"/request/([^/]+)/sla\b")

# The accounts of a portal's customers are named by themselves.
_PORTAL_ACCOUNT = "qm:"


def portal_role(account: str | None) -> str | None:
    """The role that the id of an account shows; None for all but customers of a portal."""
    return "customer" if account is not None and account.startswith(_PORTAL_ACCOUNT) else None


def land_jira(
    export: Export, start: bytes, source: Source, connection: duckdb.DuckDBPyConnection, writer: RowWriter
) -> tuple[int, list[Problem]]:
    """Land a file of issues or SLA pages; the number of objects read, and warnings. Raises InputRejected."""
    if find_kind(start) in ("csv", "xlsx", "parquet"):
        return land_form(export, start, "jira_table", source, writer)
    rows = LandedRows(writer)
    unmarked_comments = unnamed_levels = 0
    for line_number, found in read_objects(export, ("issues",), "an issue"):
        if isinstance(found, Refused):
            rows.refuse(found)
            continue
        with rows.record(line_number) as adapted:
            if isinstance(found.get("values"), list):
                _add_request_slas(adapted, found)
            else:
                _add_issue(adapted, found, source)
                unmarked_comments += _count_unmarked(adapted, found)
                unnamed_levels += source.severity_name is None and any(
                    table == "ticket_changes" and row["is_custom_field"] and row["field_id"] is None
                    for table, row in adapted.rows
                )
    warnings = []
    if unmarked_comments and source.unmarked_comments is None:
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
    if unnamed_levels and (source.severity_field or "").startswith("customfield_"):
        warnings.append(
            Problem(
                export.name,
                None,
                None,
                f"the histories of {unnamed_levels} issues name custom fields by what people read, so it is not known when "
                f"{source.severity_field} changed: their severity is unknown.",
                "Declare what the history calls it for this source in sla.yml: severity: {field: ..., name: ...}.",
            )
        )
    return rows.finish(), warnings


def _count_unmarked(adapted: Adapted, issue: JsonObject) -> int:
    """Comments that do not say whether the customer could see them, without those that a customer wrote."""
    reporter_id = _account(dig(issue, "fields", "reporter"))
    return sum(
        table == "ticket_messages"
        and row["is_public"] is None
        and row["author_role"] != "customer"
        and (row["author_id"] is None or row["author_id"] != reporter_id)
        for table, row in adapted.rows
    )


def _add_issue(adapted: Adapted, issue: JsonObject, source: Source) -> None:
    """A ticket, its comments and the changes of its history."""
    key = read_identifier("key", issue.get("key"))
    fields = issue.get("fields")
    if not isinstance(fields, dict):
        raise Unusable("fields", None, "is missing", "Export issues with their fields.")
    created_at = read_instant("fields.created", fields.get("created"))
    updated_at = read_instant_or_none("fields.updated", fields.get("updated")) or created_at
    histories = _list_whole(issue.get("changelog"), "histories")
    comments = _list_whole(fields.get("comment"), "comments")
    evidence = []
    if comments is not None:
        evidence.append("messages")
        for comment in comments:
            _add_comment(adapted, comment, key, updated_at)
    if histories is not None:
        evidence.append("history")
        for history in histories:
            _add_history(adapted, history, key, created_at, updated_at)
    elif "resolutiondate" in fields:
        evidence.append("resolution")
        if isinstance(fields["resolutiondate"], str):
            adapted.add(
                "ticket_changes",
                change_id=f"{key}:resolved",
                ticket_id=key,
                change_kind="date",
                field_name="status",
                field_id=None,
                is_custom_field=False,
                value="solved",
                changed_at=read_instant("fields.resolutiondate", fields["resolutiondate"]),
                version_at=updated_at,
            )
    # Of a history that came in part only, it is not known with which level it began.
    is_cut_off = histories is None and isinstance(issue.get("changelog"), dict)
    reporter_id = _account(fields.get("reporter"))
    adapted.add(
        "ticket_versions",
        ticket_id=key,
        customer_id=_field(fields, source.customer_field),
        requester=_person(fields.get("reporter")),
        requester_id=reporter_id,
        opener=_account(fields.get("creator")) or reporter_id,
        channel=_field(fields, source.channel_field),
        severity=None if is_cut_off else _field(fields, source.severity_field),
        submitted_at=created_at,
        subject=as_text(fields.get("summary")),
        ticket_type=as_text(fields.get("issuetype")),
        tags=json.dumps(fields.get("labels") or []),
        updated_at=updated_at,
        status=as_text(fields.get("status")),
        evidence=" ".join(evidence),
    )
    for value in fields.values():
        if isinstance(value, dict) and ("completedCycles" in value or "ongoingCycle" in value):
            _add_sla(adapted, value, key, updated_at)


def _field(fields: JsonObject, name: str | None) -> str | None:
    """The text of a field that sla.yml names."""
    if name is None:
        return None
    if name == "reporter":
        return _person(fields.get("reporter"))
    if name == "project":
        return as_text(dig(fields, "project", "key"))
    return as_text(fields.get(name))


def _add_comment(adapted: Adapted, comment: JsonObject, key: str, version_at: datetime) -> None:
    comment_id = read_identifier("comment.id", comment.get("id"))
    adapted.add(
        "ticket_messages",
        message_id=f"{key}:comment:{comment_id}",
        ticket_id=key,
        message_kind="comment",
        is_public=_is_public(comment),
        said_at=read_instant("comment.created", comment.get("created")),
        # Comments are counted apart from the entries of the changelog.
        update_id=f"comment:{comment_id}",
        version_at=version_at,
        **_author(comment.get("author")),
    )


def _add_history(
    adapted: Adapted, history: JsonObject, key: str, created_at: datetime, version_at: datetime
) -> None:
    """The changed fields of one entry of a changelog. Data Center gives no `fieldId`."""
    changed_at = read_instant("changelog.created", history.get("created"))
    items = history.get("items")
    for place, item in enumerate(items if isinstance(items, list) else []):
        update_id = read_identifier("changelog.id", history.get("id"))
        field_name = as_text(dig(item, "field"))
        is_custom = as_text(dig(item, "fieldtype")) == "custom"
        before, now = as_text(dig(item, "fromString")), as_text(dig(item, "toString"))
        if field_name == "labels":
            before, now = (json.dumps((words or "").split()) for words in (before, now))
        adapted.add(
            "ticket_changes",
            change_id=f"{key}:{update_id}:{place}",
            ticket_id=key,
            change_kind="changed",
            field_name=field_name,
            field_id=as_text(dig(item, "fieldId")),
            is_custom_field=is_custom,
            value_before=before,
            value=now,
            changed_at=changed_at,
            update_id=update_id,
            place=place,
            version_at=version_at,
            **_author(history.get("author")),
        )
        # An issue that moved to another project has a new key: what was exported under the old one is this ticket.
        if field_name == "Key" and not is_custom and before not in (None, key):
            adapted.add(
                "ticket_changes",
                change_id=f"{key}:{update_id}:{place}:merged",
                ticket_id=before,
                change_kind="event",
                field_name="merged",
                field_id=None,
                is_custom_field=False,
                value=key,
                changed_at=created_at,
                version_at=version_at,
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


def _author(person: Any) -> dict[str, Any]:
    """The landed columns of who wrote something."""
    account = _account(person)
    return {
        "author_id": account,
        "author_address": as_text(dig(person, "emailAddress")),
        "author_role": portal_role(account) or as_text(dig(person, "accountType")),
    }


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
        adapted.add(
            "vendor_sla_figures",
            ticket_id=ticket_id,
            figure=name,
            obligation=_obligation(name),
            cycle_number=number,
            figure_kind="elapsed",
            clock_kind="business",
            they_seconds=elapsed,
            unit_seconds=1,
            they_breached=cycle["breached"] if isinstance(cycle.get("breached"), bool) else None,
            goal_seconds=goal,
            they_started_at=_sla_instant(cycle.get("startTime")),
            they_stopped_at=_sla_instant(cycle.get("stopTime")),
            read_at=read_at,
        )


def _obligation(name: str | None) -> str | None:
    """Which of our obligations a vendor's SLA of this name measures; None where it has no counterpart."""
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
