"""Zendesk's JSON: tickets (with their comments, where the full export has them), audits, ticket metrics and their events,
users and organizations, one object a line, wrapped, or in pages of the API. The account's table and the XML export go to
modules of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import Problem
from pipeline.ingest.files.engine import quote
from pipeline.ingest.files.exports import Export
from pipeline.ingest.files.read_ndjson import Lines, explain_lines
from pipeline.ingest.files.read_table import find_kind, read_documents
from pipeline.ingest.files.refused import Refused
from pipeline.ingest.forms.check_records import (
    MANGLED_ID_SHAPE,
    Contract,
    Field,
    Rule,
    has_nul_escape,
    judge,
    judge_records,
    read_judged,
)
from pipeline.ingest.forms.mapped import land_form
from pipeline.ingest.forms.row_writer import RowWriter
from pipeline.ingest.forms.zendesk_xml import is_unread_list, read_zendesk_xml
from pipeline.ingest.tables import LANDED_TABLES

if TYPE_CHECKING:
    from pipeline.rules.source import Source

# The kinds of audit event that some rule reads. Bodies, notifications and the rest are not kept.
EVENT_KINDS = ("Create", "Change", "Comment", "VoiceComment", "ChatStartedEvent", "ChatEndedEvent")

# How the header of an account's table begins.
_TABLE_STARTS = (b"summation column,", b"id,", b'"id",', b'"summation column",')

_FEW_LINES = 50
# From here on two cursors are worth the second plan that they need.
_LINES_OF_A_PAIR = 2_000
_VIA = '"via": {"channel": "VARCHAR"}'
# Every value is asked for as text: a JSON number arrives with the digits it was written with, even
# above 2^53.
_TICKET_KEYS = '"via": {"channel": "VARCHAR", "source": {"rel": "VARCHAR"}}' + "".join(
    f', "{key}": "VARCHAR"'
    for key in (
        "id", "external_id", "created_at", "updated_at", "status", "priority", "type", "subject",
        "requester_id", "submitter_id", "organization_id", "tags", "custom_fields",
    )
)  # fmt: skip
_COMMENT_KEYS = (
    '"id": "VARCHAR", "author_id": "VARCHAR", "created_at": "VARCHAR", "public": "VARCHAR", ' + _VIA
)
_TICKET_KEYS += f', "comments": [{{{_COMMENT_KEYS}}}]'
# What Zendesk measured itself, in floored minutes: our word for it -> its key, and the obligation that it measures.
_METRICS = {
    "reply": ("reply_time_in_minutes", "first_response"),
    "first_resolution": ("first_resolution_time_in_minutes", "resolution"),
    "full_resolution": ("full_resolution_time_in_minutes", None),
}
_METRIC_ONLY_KEYS = ", ".join(
    f'"{key}": {{"calendar": "VARCHAR", "business": "VARCHAR"}}' for key, _ in _METRICS.values()
)
_METRIC_KEYS = f'"id": "VARCHAR", "ticket_id": "VARCHAR", "updated_at": "VARCHAR", {_METRIC_ONLY_KEYS}'
# The types that the reference of metric events lists, and `measure`, which real answers have. A breach may be written for a
# moment to come, and taken back with `deleted`.
_METRIC_EVENT_TYPES = (
    "activate", "pause", "fulfill", "apply_sla", "apply_group_sla", "breach", "update_status", "measure",
)  # fmt: skip
_METRIC_EVENT_ONLY_KEYS = (
    '"metric": "VARCHAR", "instance_id": "VARCHAR", "time": "VARCHAR", "deleted": "VARCHAR",'
    ' "sla": {"target": "VARCHAR", "business_hours": "VARCHAR"}'
)
# What a ticket calls `status` is a text; here it is an object, which is asked for as its JSON text.
_METRIC_EVENT_KEYS = f'"id": "VARCHAR", "ticket_id": "VARCHAR", "type": "VARCHAR", "status": "VARCHAR", {_METRIC_EVENT_ONLY_KEYS}'
_EVENT_KEYS = f"{_VIA}, " + ", ".join(
    f'"{key}": "VARCHAR"'
    for key in ("id", "type", "author_id", "field_name", "value", "previous_value", "public")
)
_AUDIT_ONLY_KEYS = f'"ticket_id": "VARCHAR", "author_id": "VARCHAR", "events": [{{{_EVENT_KEYS}}}]'
_AUDIT_KEYS = f'{_VIA}, "id": "VARCHAR", "created_at": "VARCHAR", {_AUDIT_ONLY_KEYS}'
_USER_ONLY_KEYS = '"role": "VARCHAR", "email": "VARCHAR", "name": "VARCHAR"'
_USER_KEYS = f'"id": "VARCHAR", "organization_id": "VARCHAR", "updated_at": "VARCHAR", {_USER_ONLY_KEYS}'
_ORGANIZATION_KEYS = '"id": "VARCHAR", "external_id": "VARCHAR", "name": "VARCHAR", "updated_at": "VARCHAR"'


@dataclass(frozen=True)
class _Entity:
    """One kind of object: its key when wrapped, its key in a page, where it lands, and from which SQL."""

    wrapper: str
    page: str
    keys: str
    table: str
    contract: Contract
    selected: str | None = None
    # A second table that the same objects fill, and its rows from what was judged.
    beside: tuple[str, str] | None = None


_AUDIT_COLUMNS = f"""
line_number,
    -- A kept event always has a name: the audit's own id and its place, where the export gives it none.
    case when event.id is null or event.id = '' or regexp_full_match(event.id, {quote(MANGLED_ID_SHAPE)})
         then audit_id || '-' || event_index else event.id end as change_id,
    change_id || ':message' as message_id, ticket_id, created_at, audit_id as update_id, event_index as place,
    -- A comment names its author where another account saved it (an API's, or that of an agent who forwarded a mail), and an
    -- event its channel where it is not the audit's.
    coalesce(nullif(event.author_id, ''), author_id) as author_id, author_id as updater_id,
    coalesce(event.via.channel, channel) as channel,
    case event.type when 'Create' then 'created' when 'Change' then 'changed' end as change_kind,
    case when event.type in ('Comment', 'VoiceComment') then 'comment'
         when event.type in ('ChatStartedEvent', 'ChatEndedEvent') then 'chat' end as message_kind,
    event.field_name as field_name,
    -- A chat's is its transcript.
    case when event.type in ('Create', 'Change') then event.value end as "value", event.previous_value as value_before,
    case lower(event.public) when 'true' then true when 'false' then false end as is_public
"""
_IS_KEPT = f"event.type in ({', '.join(quote(kind) for kind in EVENT_KINDS)})"
_AUDIT_EVENTS = f"""
select {_AUDIT_COLUMNS}
from (select *, unnest(events) as event, generate_subscripts(events, 1)::integer as event_index
      from judged where problem is null)
where {_IS_KEPT}
"""

# Which of these columns are those of a message, and which those of a change; null where it is the other one.
_COLUMNS_OF_AUDITS = {
    "ticket_messages": {
        "message_id": "message_id", "ticket_id": "ticket_id", "message_kind": "message_kind", "is_public": "is_public",
        "channel": "channel", "author_id": "author_id", "updater_id": "updater_id", "said_at": "created_at",
        "update_id": "update_id", "place": "place", "line_number": "line_number",
    },
    "ticket_changes": {
        "change_id": "change_id", "ticket_id": "ticket_id", "change_kind": "change_kind", "field_name": "field_name",
        "value_before": "value_before", "value": "value", "changed_at": "created_at", "update_id": "update_id",
        "place": "place", "channel": "channel", "author_id": "author_id", "updater_id": "updater_id",
        "line_number": "line_number",
    },
}  # fmt: skip

# Comments that stand in the ticket itself are audits of one event each; the opening one was written with the ticket.
_TICKET_COMMENTS = """
select line_number, comment.id || ':message' as message_id, ticket_id, 'comment' as message_kind,
    case lower(comment.public) when 'true' then true when 'false' then false else false end as is_public,
    comment.via.channel as channel, comment.author_id as author_id,
    coalesce(utc_instant(comment.created_at), submitted_at) as said_at, comment.id as update_id
from (select *, unnest(comments) as comment from judged where problem is null)
where comment.id is not null
"""
_DAMAGED_COMMENT = Rule(
    "len(list_filter(comments, lambda comment: comment.id is null or utc_instant(comment.created_at) is null)) > 0",
    "comments",
    "holds a comment without an id or a possible instant",
    "Export the ticket again; without one of its comments its first response could be another.",
)
_METRIC_FIGURES = "\nunion all by name\n".join(
    f"""
select line_number, ticket_id, {quote(key)} as figure, {quote(obligation) if obligation else "null::varchar"} as obligation,
    1 as cycle_number, 'elapsed' as figure_kind, {quote(clock_kind)} as clock_kind,
    60 * {name}_{clock_kind}::bigint as they_seconds, 60 as unit_seconds, updated_at as read_at
from judged where problem is null and {name}_{clock_kind} is not null
"""
    for name, (key, obligation) in _METRICS.items()
    for clock_kind in ("calendar", "business")
)

# Only these say something that can be compared: minutes so far, a breach, a target. The first instance of reply_time is the first
# response, the later ones are the next replies.
_METRIC_EVENT_MINUTES = "\nunion all\n".join(
    f"""
select line_number, ticket_id, figure, obligation, cycle_number, 'elapsed' as figure_kind, {quote(clock_kind)} as clock_kind,
    60 * {clock_kind}_minutes::bigint as they_seconds, 60 as unit_seconds, null::boolean as they_breached,
    null::bigint as goal_seconds, event_at as read_at
from figures where event_type = 'update_status' and {clock_kind}_minutes is not null
"""
    for clock_kind in ("calendar", "business")
)
_METRIC_EVENT_FIGURES = f"""
with figures as (
    select *, metric || ' ' || event_type as figure,
        case when metric = 'reply_time' then case when instance_id > 1 then 'next_reply' else 'first_response' end
             when metric = 'resolution_time' then 'resolution' end as obligation,
        case when metric = 'reply_time' and instance_id > 1 then instance_id - 1 else instance_id end as cycle_number
    from judged where problem is null
)
{_METRIC_EVENT_MINUTES}
union all
select line_number, ticket_id, figure, obligation, cycle_number, 'target', null, null, null, not coalesce(is_deleted, false),
    null, event_at
from figures where event_type = 'breach'
union all
select line_number, ticket_id, figure, obligation, cycle_number, 'target', if(is_business, 'business', 'calendar'),
    null, 60, null, 60 * target_minutes::bigint, event_at
from figures where event_type in ('apply_sla', 'apply_group_sla') and target_minutes is not null
order by line_number
"""


def _minutes_so_far(clock_kind: str) -> str:
    return (
        f"case when json_valid(object.status) then json_extract_string(object.status, '$.{clock_kind}') end"
    )


_ENTITIES = (
    _Entity(
        "ticket",
        "tickets",
        _TICKET_KEYS,
        "ticket_versions",
        Contract(
            (
                Field("ticket_id", "identifier", "object.id", "id", is_required=True),
                Field("submitted_at", "instant", "object.created_at", "created_at", is_required=True),
                Field("updated_at", "instant", "object.updated_at", is_required=True),
                Field("status", "text", "object.status"),
                Field("priority", "text", "object.priority"),
                Field("ticket_type", "text", "object.type", "type"),
                Field("subject", "text", "object.subject"),
                Field("channel", "text", "object.via.channel", "via.channel"),
                Field("requester_id", "identifier", "object.requester_id"),
                Field("opener", "identifier", "object.submitter_id", "submitter_id"),
                Field("organization_id", "identifier", "object.organization_id"),
                Field("tags", "text", "object.tags"),
                Field("fields", "text", "object.custom_fields", "custom_fields"),
                Field("comments", "as_is", "object.comments"),
                # The full export holds the comments; what the audits show, they show by being there.
                Field(
                    "evidence", "as_is", "case when object.comments is not null then 'messages' else '' end"
                ),
                Field("is_deleted", "as_is", "coalesce(object.status = 'deleted', false)"),
                Field("is_follow_up", "as_is", "coalesce(object.via.source.rel = 'follow_up', false)"),
            ),
            (_DAMAGED_COMMENT,),
        ),
        beside=("ticket_messages", _TICKET_COMMENTS),
    ),
    _Entity(
        "ticket_metric",
        "ticket_metrics",
        _METRIC_KEYS,
        "vendor_sla_figures",
        Contract(
            (
                Field("ticket_id", "identifier", "object.ticket_id", is_required=True),
                Field("updated_at", "instant", "object.updated_at"),
                *(
                    Field(
                        f"{name}_{clock_kind}", "integer", f"object.{key}.{clock_kind}", f"{key}.{clock_kind}"
                    )
                    for name, (key, _) in _METRICS.items()
                    for clock_kind in ("calendar", "business")
                ),
            )
        ),
        _METRIC_FIGURES,
    ),
    _Entity(
        "ticket_metric_event",
        "ticket_metric_events",
        _METRIC_EVENT_KEYS,
        "vendor_sla_figures",
        Contract(
            (
                Field("ticket_id", "identifier", "object.ticket_id", is_required=True),
                Field("metric", "text", "object.metric", is_required=True),
                Field(
                    "event_type",
                    "choice",
                    "object.type",
                    "type",
                    is_required=True,
                    choices=_METRIC_EVENT_TYPES,
                ),
                Field("instance_id", "integer", "object.instance_id", is_required=True),
                Field("event_at", "planned_instant", "object.time", "time", is_required=True),
                Field("calendar_minutes", "integer", _minutes_so_far("calendar"), "status.calendar"),
                Field("business_minutes", "integer", _minutes_so_far("business"), "status.business"),
                Field("target_minutes", "integer", "object.sla.target", "sla.target"),
                Field("is_business", "boolean", "object.sla.business_hours", "sla.business_hours"),
                Field("is_deleted", "boolean", "object.deleted", "deleted"),
            )
        ),
        _METRIC_EVENT_FIGURES,
    ),
    _Entity(
        "audit",
        "audits",
        _AUDIT_KEYS,
        "ticket_changes",
        Contract(
            (
                Field("audit_id", "identifier", "object.id", "id", is_required=True),
                Field("ticket_id", "identifier", "object.ticket_id", is_required=True),
                Field("created_at", "instant", "object.created_at", is_required=True),
                Field("author_id", "identifier", "object.author_id"),
                Field("channel", "text", "object.via.channel", "via.channel"),
                Field("events", "as_is", "object.events", is_required=True),
            )
        ),
        _AUDIT_EVENTS,
    ),
    _Entity(
        "user",
        "users",
        _USER_KEYS,
        "people",
        Contract(
            (
                Field("person_id", "identifier", "object.id", "id", is_required=True),
                Field("role", "text", "object.role"),
                Field("person", "text", "coalesce(nullif(object.email, ''), object.name)", "email"),
                Field("organization_id", "identifier", "object.organization_id"),
                Field("updated_at", "instant", "object.updated_at"),
            )
        ),
    ),
    _Entity(
        "organization",
        "organizations",
        _ORGANIZATION_KEYS,
        "organizations",
        Contract(
            (
                Field("organization_id", "identifier", "object.id", "id", is_required=True),
                Field("external_id", "text", "object.external_id"),
                Field("organization_name", "text", "object.name", "name"),
                Field("updated_at", "instant", "object.updated_at"),
            )
        ),
    ),
)

_TICKET_COLUMNS = [
    field.column for field in _ENTITIES[0].contract.fields if field.column in LANDED_TABLES["ticket_versions"]
]

_RAW_KEYS = (
    f"{_TICKET_KEYS}, {_AUDIT_ONLY_KEYS}, {_USER_ONLY_KEYS}, {_METRIC_ONLY_KEYS}, {_METRIC_EVENT_ONLY_KEYS}"
)
# One structure for all shapes, so that every line is parsed once. Files of bare objects are parsed with the
# smaller one, a quarter faster, in which a wrapper or a page is only noticed: then the lines are parsed again
# with the whole.
_BARE_STRUCTURE = (
    f"{{{_RAW_KEYS}, "
    + ", ".join(f'"{entity.wrapper}": "JSON", "{entity.page}": ["JSON"]' for entity in _ENTITIES)
    + "}"
)
_WHOLE_STRUCTURE = (
    f"{{{_RAW_KEYS}, "
    + ", ".join(
        f'"{entity.wrapper}": {{{entity.keys}}}, "{entity.page}": [{{{entity.keys}}}]' for entity in _ENTITIES
    )
    + "}"
)
_WRAPPED = " ".join(
    f"when object.{entity.wrapper} is not null then 'wrapped_{entity.wrapper}'" for entity in _ENTITIES
)
_PAGE_LENGTHS = ", ".join(f"len(object.{entity.page})" for entity in _ENTITIES)
_PAGE_COUNTS = ", ".join(f"coalesce(sum(len(object.{entity.page})), 0)::bigint" for entity in _ENTITIES)
_PARSE = f"""
create or replace temp table parsed as
-- Elements of a list may share a line, so a malformed one keeps its own text.
select * exclude line, case when shape = 'malformed' then line end as malformed_line
from (select line_number, line, object,
    case when object is null then 'malformed'
         when object.id is null then case
             {_WRAPPED}
             when coalesce({_PAGE_LENGTHS}) is not null then 'page'
         end end as wrapping,
    coalesce(wrapping, case
        when object.reply_time_in_minutes is not null then 'ticket_metric'
        when object.metric is not null then 'ticket_metric_event'
        when object.events is not null or object.ticket_id is not null then 'audit'
        when object.role is not null or object.email is not null then 'user'
        when coalesce(object.requester_id, object.status, object.subject, object.created_at) is not null
             and object.name is null then 'ticket'
        when object.name is not null then 'organization'
        else 'malformed' end) as shape
from (select line_number, line, try(from_json(line, $structure)) as object from lines))
"""
# Nearly every file holds one kind of bare object. Asked only for what tells that kind from the others, a line is parsed
# in two thirds of the time; a chunk in which any line is something else is parsed again with all shapes.
_ALIKE = {
    "audit": (
        f"{{{_AUDIT_KEYS}}}",
        "object.id is not null and object.events is not null",
    ),
    "ticket": (
        f'{{{_TICKET_KEYS}, "events": "JSON", "ticket_id": "VARCHAR", {_USER_ONLY_KEYS}}}',
        "object.id is not null and object.events is null and len(object.comments) is null"
        " and coalesce(object.ticket_id, object.role, object.email, object.name) is null"
        " and coalesce(object.requester_id, object.status, object.subject, object.created_at) is not null",
    ),
}
# Not a condition on the lines: the engine would parse each once to filter and once more to read.
_RECORDS_ALIKE = """
select line_number, 0 as place, object, coalesce({is_alike}, false) as is_alike
from (select line_number, try(from_json(line, {structure})) as object from lines)
"""
# What lands, in the same pass as the judging; a line with anything else to say keeps a row that says so.
_ROWS_ALIKE = {
    "audit": f"""
        select {_AUDIT_COLUMNS}, problem is null and is_alike as is_usable
        from (select *, unnest(seen) as event, generate_subscripts(seen, 1)::integer as event_index
              from (select *, case when problem is null and is_alike then events else [null] end as seen from judged))
        where {_IS_KEPT} or problem is not null or not is_alike
    """,
    "ticket": f"""
        select line_number, {", ".join(_TICKET_COLUMNS)}, problem is null and is_alike as is_usable
        from judged
    """,
}
_COUNT = f"""
select shape, count(*), {_PAGE_COUNTS} from parsed group by shape
"""


def land_zendesk(
    export: Export, start: bytes, source: Source, connection: duckdb.DuckDBPyConnection, writer: RowWriter
) -> tuple[int, list[Problem]]:
    """Land a file of JSON objects; the number of objects read, and warnings. Raises InputRejected."""
    header = start.split(b"\n", 1)[0].lower()
    if find_kind(start) == "xlsx" or header.startswith(_TABLE_STARTS) or b"created at" in header:
        return land_form(export, start, "zendesk_table", source, writer)
    if find_kind(start) != "xml":
        documents = read_documents(export)
    elif is_unread_list(start):
        reason = "lists accounts or groups, which no rule reads, so nothing of it was landed."
        return 0, [Problem(export.name, None, None, reason, "Nothing needs to be done.")]
    else:
        documents = read_zendesk_xml(export, start)
    with closing(_Pair(connection)) as pair:
        return _land_lines(documents, connection, writer, pair), []


def _land_lines(
    documents: Iterator[Lines], connection: duckdb.DuckDBPyConnection, writer: RowWriter, pair: _Pair
) -> int:
    rows_read = 0
    structure = _BARE_STRUCTURE
    for lines in documents:
        writer.refuse(lines.refused)
        rows_read += len(lines.refused)
        if pair.land(lines.table, writer):
            rows_read += lines.table.num_rows
            continue
        connection.register("lines", lines.table)
        may_hold_nul = has_nul_escape(connection)
        found = _parse(connection, structure)
        if structure == _BARE_STRUCTURE and any(
            shape == "page" or shape.startswith("wrapped_") for shape in found
        ):
            structure = _WHOLE_STRUCTURE
            found = _parse(connection, structure)
        for position, plain in enumerate(_ENTITIES, start=1):
            entity = replace(plain, contract=replace(plain.contract, may_hold_nul=may_hold_nul))
            rows_read += _land_entity(entity, found, position, connection, writer)
        if "malformed" in found:
            rows_read += found["malformed"][0]
            malformed = connection.execute(
                "select line_number, malformed_line from parsed where shape = 'malformed' order by line_number"
            ).fetchall()
            writer.refuse(explain_lines(malformed, lines.cut_off_line, "ticket, audit, user or organization"))
        connection.unregister("lines")
    return rows_read


class _Pair:
    """Lands lines of one kind of bare object, one half of a chunk on each of two cursors.

    A query reads what lies in memory with one thread only.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._cursors = (connection.cursor(), connection.cursor())
        self._beside = ThreadPoolExecutor(len(self._cursors))

    def close(self) -> None:
        self._beside.shutdown()
        for cursor in self._cursors:
            cursor.close()

    def land(self, lines: pa.Table, writer: RowWriter) -> bool:
        """Land the lines in file order; False, and nothing done, when they are not all of one kind."""
        if lines.num_rows < _LINES_OF_A_PAIR:
            return False
        # A few lines tell whether it is worth asking all of them.
        few = lines.slice(0, _FEW_LINES)
        entity = next((one for one in _ENTITIES if _judge_alike(self._cursors[0], one, few)), None)
        if entity is None:
            return False
        middle = lines.num_rows // 2
        halves = (lines.slice(0, middle), lines.slice(middle))
        judged = list(self._beside.map(_judge_alike, self._cursors, (entity, entity), halves))
        if any(one is None for one in judged):
            return False
        for one in judged:
            assert one is not None
            refused, rows = one
            writer.refuse(refused)
            for table, part in _by_table(entity.table, rows):
                writer.add(table, part)
        return True


def _by_table(table: str, rows: pa.Table) -> list[tuple[str, pa.Table]]:
    """The rows by the tables that they land in: an audit holds messages and changes."""
    if "message_kind" not in rows.column_names or "change_kind" not in rows.column_names:
        return [(table, rows)]
    is_message = pc.is_valid(rows.column("message_kind"))
    parts = []
    for name, mask in (("ticket_messages", is_message), ("ticket_changes", pc.invert(is_message))):
        columns = _COLUMNS_OF_AUDITS[name]
        found = rows.filter(mask)
        parts.append((name, pa.table({ours: found.column(written) for ours, written in columns.items()})))
    return parts


def _judge_alike(
    engine: duckdb.DuckDBPyConnection, entity: _Entity, lines: pa.Table
) -> tuple[list[Refused], pa.Table] | None:
    """What is refused and what lands of lines that are all bare objects of this kind; None when one is not."""
    if entity.wrapper not in _ALIKE:
        return None
    structure, is_alike = _ALIKE[entity.wrapper]
    engine.register("lines", lines)
    try:
        fields = (*entity.contract.fields, Field("is_alike", "as_is"))
        contract = replace(entity.contract, fields=fields, may_hold_nul=has_nul_escape(engine))
        records = _RECORDS_ALIKE.format(structure=quote(structure), is_alike=is_alike)
        rows = engine.sql(
            f"with judged as ({contract.judged(records)}) {_ROWS_ALIKE[entity.wrapper]}"
        ).to_arrow_table()
        if pc.all(rows.column("is_usable")).as_py() is not False:
            return [], rows.drop_columns(["is_usable"])
        judge(engine, contract, records, {})
        if engine.execute("select 1 from judged where not is_alike limit 1").fetchall():
            return None
        return read_judged(engine, entity.table, entity.selected)
    finally:
        engine.unregister("lines")


def _parse(connection: duckdb.DuckDBPyConnection, structure: str) -> dict[str, list[int]]:
    """Parse the registered lines into `parsed`; shape -> how many lines, then how many objects in pages by
    entity.
    """
    connection.execute(_PARSE, {"structure": structure})
    return {shape: counts for shape, *counts in connection.execute(_COUNT).fetchall()}


def _land_entity(
    entity: _Entity,
    found: dict[str, list[int]],
    position: int,
    connection: duckdb.DuckDBPyConnection,
    writer: RowWriter,
) -> int:
    """Land one kind of object from the parsed lines, in file order; how many there were."""
    branches = {
        entity.wrapper: "select line_number, 0 as place, object from parsed where shape = {shape}",
        f"wrapped_{entity.wrapper}": f"select line_number, 0 as place, object.{entity.wrapper} as object"
        " from parsed where shape = {shape}",
        "page": f"select line_number, generate_subscripts(object.{entity.page}, 1) as place,"
        f" unnest(object.{entity.page}) as object from parsed where shape = {{shape}}",
    }
    present = {
        shape: found[shape][position if shape == "page" else 0]
        for shape in branches
        if shape in found and (shape != "page" or found[shape][position])
    }
    rows: dict[str, list[pa.Table]] = {}
    for shape in present:
        records = branches[shape].format(shape=quote(shape))
        judged = judge_records(
            connection, writer, entity.contract, records, entity.table, {}, entity.selected
        )
        for table, part in _by_table(entity.table, judged):
            rows.setdefault(table, []).append(part)
        if entity.beside is not None:
            beside, selected = entity.beside
            rows.setdefault(beside, []).append(connection.sql(selected).to_arrow_table())
    for table, parts in rows.items():
        # A file mostly has one shape, whose rows are in file order by themselves.
        writer.add(table, parts[0] if len(parts) == 1 else pa.concat_tables(parts).sort_by("line_number"))
    return sum(present.values())
