"""The canonical source: tickets and events as a table or as JSON, with ISO instants.

Any helpdesk can be brought into it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from pipeline.errors import Problem
from pipeline.ingest.files.engine import quote
from pipeline.ingest.files.exports import Export, reject
from pipeline.ingest.files.read_csv import check_names
from pipeline.ingest.files.read_ndjson import explain_lines
from pipeline.ingest.files.read_table import find_kind, read_documents, read_header, read_records
from pipeline.ingest.forms.check_records import (
    Contract,
    Field,
    Rule,
    has_nul_escape,
    judge,
    judge_records,
    read_judged,
)
from pipeline.ingest.forms.row_writer import RowWriter
from pipeline.rules.mapping import GAPS
from pipeline.rules.plan import SEVERITIES
from pipeline.vocabulary import ACTOR_KINDS, EVENT_TYPES, EVIDENCE_OF, TICKET_STATUSES

if TYPE_CHECKING:
    from pipeline.rules.source import Source

# Severity stays as written: whether it is one of 0..5 is a finding of the models, not a reason to lose the
# ticket.
_TICKETS = Contract(
    fields=(
        Field("ticket_id", "identifier", is_required=True),
        Field("customer_id", "identifier"),
        Field("requester"),
        Field("channel"),
        Field("severity"),
        Field("submitted_at", "instant", is_required=True),
        Field("subject"),
        Field("ticket_type"),
        Field("tags"),
        Field("updated_at", "instant"),
    ),
    has_null_markers=True,
)
_EVENTS = Contract(
    fields=(
        Field("event_id", "identifier", is_required=True),
        Field("ticket_id", "identifier", is_required=True),
        Field("event_at", "instant", is_required=True),
        Field("event_type", "choice", is_required=True, choices=EVENT_TYPES),
        Field("actor_kind", "choice", choices=ACTOR_KINDS),
        Field("actor"),
        Field("is_public", "boolean"),
        Field("value"),
        Field("sequence", "whole"),
        Field("updated_at", "instant"),
    ),
    rules=(
        Rule(
            f"event_type = 'status_changed' and coalesce(value, '') not in "
            f"({', '.join(quote(one) for one in TICKET_STATUSES)})",
            "value",
            "is not a status",
            f"Write one of {', '.join(TICKET_STATUSES)}.",
        ),
        # An unknown level has no clock; without the event the ticket would keep a clock that it no longer has.
        Rule(
            f"event_type = 'severity_changed' and coalesce(value, '') not in "
            f"({', '.join(quote(str(one)) for one in SEVERITIES)})",
            "value",
            "is not a severity",
            "Write one of 0 to 5.",
        ),
        # Without these two, whether the message answered the customer would be a guess.
        Rule(
            "event_type = 'message' and actor_kind is null",
            "actor_kind",
            "is missing on a message",
            f"Write one of {', '.join(ACTOR_KINDS)}.",
        ),
        Rule(
            "event_type = 'message' and is_public is null",
            "is_public",
            "is missing on a message",
            "Write true or false.",
        ),
    ),
    has_null_markers=True,
)
_CONTRACTS = {"tickets": _TICKETS, "events": _EVENTS}
_MESSAGES = """
select line_number, event_id as message_id, ticket_id, 'comment' as message_kind, is_public, actor as author_id,
    actor_kind as author_kind, event_at as said_at, event_id as update_id, "sequence" as update_number, place,
    updated_at as version_at
from judged where problem is null and event_type = 'message'
"""
_CHANGES = """
select line_number, event_id as change_id, ticket_id, 'event' as change_kind, event_type as field_name, "value",
    event_at as changed_at, is_public, actor as author_id, actor_kind as author_kind, event_id as update_id,
    "sequence" as update_number, place, updated_at as version_at
from judged where problem is null and event_type <> 'message'
"""
# Which part of a ticket is missing when one of its events is refused: of an unknown type, all of it.
_GAPS = f"""
select line_number, ticket_id, case
    {" ".join(f"when event_type = {quote(kind)} then {quote(word)}" for kind, word in EVIDENCE_OF.items() if word in GAPS)}
    end as evidence
from judged where problem is not null and ticket_id is not null
"""
# Columns of events that a file need not have.
_OPTIONAL = {"tickets": (), "events": ("sequence", "updated_at")}
_NAMES = {entity: [field.column for field in contract.fields] for entity, contract in _CONTRACTS.items()}


def land_canonical(
    export: Export, start: bytes, source: Source, connection: duckdb.DuckDBPyConnection, writer: RowWriter
) -> tuple[int, list[Problem]]:
    """Land a file of tickets or events; the number of records read, and warnings. Raises InputRejected."""
    parameters = {"null_markers": ["", *source.null_markers]}
    # Only what calls itself lines of JSON is judged line by line when its first line is none.
    says_ndjson = export.name.removesuffix(".gz").endswith((".ndjson", ".jsonl"))
    if find_kind(start) in ("json", "xml") or says_ndjson:
        return _land_documents(export, connection, writer, parameters), []
    return _land_table(export, connection, writer, parameters)


def _land_table(
    export: Export, connection: duckdb.DuckDBPyConnection, writer: RowWriter, parameters: dict[str, Any]
) -> tuple[int, list[Problem]]:
    names = read_header(export)
    entity = max(_NAMES, key=lambda one: len(set(_NAMES[one]) & set(names)))
    known = _NAMES[entity]
    if not set(known) & set(names):
        raise reject(
            export,
            f"the header is not that of a canonical export: {', '.join(names[:12])}.",
            f"Tickets have {', '.join(_NAMES['tickets'])}; events have {', '.join(_NAMES['events'])}.",
            1,
        )
    required = [name for name in known if name not in _OPTIONAL[entity]]
    unknown = check_names(export, names, known, required, entity)
    if unknown:
        raise reject(
            export,
            f"the header of {entity} has unknown columns: {', '.join(repr(name) for name in unknown[:20])}.",
            f"It has {', '.join(known)}, in any order, and no others.",
            1,
        )
    absent = "".join(f", null::varchar as {name}" for name in known if name not in names)
    contract = _CONTRACTS[entity]
    rows_read = 0
    notes: list[Problem] = []
    for records in read_records(export, names):
        notes += records.notes
        writer.refuse(records.refused)
        rows_read += len(records.rows) + len(records.refused)
        columns = list(zip(*records.rows, strict=True)) or [()] * len(names)
        rows = pa.table(
            {"line_number": pa.array(records.line_numbers, pa.int64())}
            | {name: pa.array(values, pa.string()) for name, values in zip(names, columns, strict=True)}
        )
        connection.register("records", rows)
        _land(connection, writer, entity, contract, f"select *, 0 as place{absent} from records", parameters)
        connection.unregister("records")
    return rows_read, notes


_KEYS = sorted({name for names in _NAMES.values() for name in names})
_STRUCTURE = "{" + ", ".join(f'"{key}": "VARCHAR"' for key in _KEYS) + "}"
_IDENTIFIERS = [
    field.column
    for contract in _CONTRACTS.values()
    for field in contract.fields
    if field.kind == "identifier"
]
# try(): a line that is no JSON gives null instead of ending the batch. Keys are checked line by line, since
# an unknown key is as much an unknown column as one in a header.
_PARSE = f"""
create or replace temp table parsed as
select line_number, place, record,
    -- Elements of a list may share a line, so a malformed one keeps its own text.
    case when entity = 'malformed' then line end as malformed_line, entity,
    unknown_key, doubled_key, nested_key
from (select line_number, place, line, record,
    case when record is null or not starts_with(ltrim(line), '{{') then 'malformed'
         when coalesce(record.event_id, record.event_at, record.event_type) is not null then 'events'
         when coalesce({", ".join(f"record.{name}" for name in _NAMES["tickets"])}) is not null then 'tickets'
         else 'malformed' end as entity,
    list_filter(keys, lambda key: not list_contains([{", ".join(quote(key) for key in _KEYS)}], key))[1]
        as unknown_key,
    case when len(keys) > len(list_distinct(keys))
         then list_filter(keys, lambda key: len(list_filter(keys, lambda one: one = key)) > 1)[1] end
        as doubled_key,
    -- Asked of JSON itself: as a text, an object cannot be told from a subject that is written like one. Tags may be a list.
    list_filter(list_zip([{", ".join(map(quote, _KEYS))}], types), lambda one: one[2] = 'OBJECT'
        or (one[2] = 'ARRAY' and one[1] <> 'tags')
        or (one[2] = 'BOOLEAN' and one[1] in ({", ".join(map(quote, _IDENTIFIERS))})))[1][1] as nested_key
from (select line_number, place, line, try(from_json(line, $structure)) as record, try(json_keys(line)) as keys,
    try(json_type(line, [{", ".join(quote(f"$.{key}") for key in _KEYS)}])) as types from lines))
"""


def _land(
    connection: duckdb.DuckDBPyConnection,
    writer: RowWriter,
    entity: str,
    contract: Contract,
    records: str,
    parameters: dict[str, Any],
) -> None:
    if entity == "tickets":
        writer.add(
            "ticket_versions",
            judge_records(connection, writer, contract, records, "ticket_versions", parameters),
        )
        return
    judge(connection, contract, records, parameters)
    refused, messages = read_judged(connection, "ticket_messages", _MESSAGES)
    writer.refuse(refused)
    writer.add("ticket_messages", messages)
    writer.add("ticket_changes", connection.sql(_CHANGES).to_arrow_table())
    if refused:
        writer.add("gaps", connection.sql(_GAPS).to_arrow_table())


def _of_json(entity: str) -> Contract:
    contract = _CONTRACTS[entity]
    fields = tuple(
        Field(one.column, one.kind, f"record.{one.column}", None, one.is_required, one.choices)
        for one in contract.fields
    )
    unknown = Rule(
        "raw_unknown_key is not null",
        "unknown_key",
        "is not a field of this record",
        f"{entity.capitalize()} have {', '.join(_NAMES[entity])}, and no others.",
        column_expression="raw_unknown_key",
    )
    # Readers of JSON differ in which of the two values counts, so neither does.
    doubled = Rule(
        "raw_doubled_key is not null",
        "doubled_key",
        "is there more than once",
        "Export each field once; which of the values is meant cannot be told.",
        column_expression="raw_doubled_key",
    )
    nested = Rule(
        "raw_nested_key is not null",
        "nested_key",
        "holds a list, an object, or true or false as an id",
        "Export one text or number there.",
        column_expression="raw_nested_key",
    )
    keys = tuple(Field(key, "as_is") for key in ("unknown_key", "doubled_key", "nested_key"))
    return Contract((*fields, *keys), (*contract.rules, unknown, doubled, nested), contract.has_null_markers)


def _land_documents(
    export: Export, connection: duckdb.DuckDBPyConnection, writer: RowWriter, parameters: dict[str, Any]
) -> int:
    rows_read = 0
    for lines in read_documents(export):
        writer.refuse(lines.refused)
        # Elements of a list may share a line, so their order is counted.
        places = pa.array(range(rows_read, rows_read + lines.table.num_rows), pa.int32())
        rows_read += lines.table.num_rows + len(lines.refused)
        connection.register("lines", lines.table.append_column("place", places))
        connection.execute(_PARSE, {"structure": _STRUCTURE})
        may_hold_nul = has_nul_escape(connection)
        for entity in _CONTRACTS:
            contract = replace(_of_json(entity), may_hold_nul=may_hold_nul)
            records = f"select * from parsed where entity = {quote(entity)}"
            _land(connection, writer, entity, contract, records, parameters)
        malformed = connection.execute(
            "select line_number, malformed_line from parsed where entity = 'malformed' order by line_number"
        ).fetchall()
        writer.refuse(explain_lines(malformed, lines.cut_off_line, "the fields of a ticket or an event"))
        connection.unregister("lines")
    return rows_read
