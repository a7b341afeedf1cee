"""The landed tables: their names, columns and DuckDB types. One Parquet file per table and batch.

Instants are `TIMESTAMP` without a zone, always UTC, whole seconds. Everything else is text unless it says
otherwise: ids above all, because a number loses leading zeros and, above 2^53, digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow

# Where every landed row came from. `line_number` is 1-based and physical: the line an editor jumps to.
LINEAGE = {"source": "VARCHAR", "batch_id": "VARCHAR", "source_file": "VARCHAR", "line_number": "BIGINT"}

# What a record of an export came with. Null says: everything. The models judge what that proves.
# `messages`: all messages; `first_messages`: the earliest ones; `unmarked_messages`: all, and none says who could see it;
# `response_date`, `first_response`: the instant of the first answer alone; `history`: all changes since the submission;
# `statuses`: all changes of the status; `resolution`: the instant of the last resolution; `debug`, `bugs`: these events.
# `assignments`: all changes of the group and the assignee.
# A mapped source may say `messages_if_any`, `statuses_if_any`, `resolution_if_any`: of the tickets that have one at all.
EVIDENCE = (
    "first_response",
    "response_date",
    "messages",
    "first_messages",
    "unmarked_messages",
    "history",
    "statuses",
    "resolution",
    "debug",
    "bugs",
    "assignments",
)

# Who wrote a message or changed a field, as the export says it; what of it makes an agent, the models judge.
_AUTHOR = {
    "author_id": "VARCHAR",
    # The side that the record itself states: customer, agent or bot.
    "author_kind": "VARCHAR",
    "author_address": "VARCHAR",
    "author_role": "VARCHAR",
    # Who saved it, which need not be who wrote it.
    "updater_id": "VARCHAR",
}

# What orders the events of one instant, as far as the export says it: the id of the update that made it (or the event's own),
# the number of that update or a declared sequence, and the place in the update, else in the line. Null: it does not say it.
_ORDER = {"update_id": "VARCHAR", "update_number": "BIGINT", "place": "INTEGER"}

LANDED_TABLES: dict[str, dict[str, str]] = {
    # One row per ticket record of an export; the same ticket may come again, older or newer.
    "ticket_versions": {
        "ticket_id": "VARCHAR",
        # By this the messages and changes of some exports name the ticket.
        "record_id": "VARCHAR",
        # The customer and the level in the source's own words, where the record names them itself.
        "customer_id": "VARCHAR",
        "severity": "VARCHAR",
        "organization_id": "VARCHAR",
        "requester": "VARCHAR",
        "requester_id": "VARCHAR",
        # Who opened it where that is not the requester.
        "opener": "VARCHAR",
        "channel": "VARCHAR",
        "status": "VARCHAR",
        "priority": "VARCHAR",
        "ticket_type": "VARCHAR",
        "subject": "VARCHAR",
        "tags": "VARCHAR",
        # Other fields that sla.yml may name, as JSON: an object of texts, or a list of {id, value}.
        "fields": "VARCHAR",
        # `update`: one row per update of the ticket, which together are its history; else null.
        "version_kind": "VARCHAR",
        # What the record came with (see EVIDENCE).
        "evidence": "VARCHAR",
        # The number of the update, or a declared sequence; and the place of the record in its line.
        "update_number": "BIGINT",
        "line_place": "INTEGER",
        "reopen_count": "INTEGER",
        "is_deleted": "BOOLEAN",
        # It continues a closed ticket, and was created with the tags and fields of that one.
        "is_follow_up": "BOOLEAN",
        # The last second in which each can lie, where the export cuts it (to the minute, to the day) or its wall time comes
        # twice; null: the instant is exact.
        "submitted_at": "TIMESTAMP",
        "latest_submitted_at": "TIMESTAMP",
        "updated_at": "TIMESTAMP",
        "latest_updated_at": "TIMESTAMP",
        **LINEAGE,
    },
    # One row per change of a field, or per event that the export names itself.
    "ticket_changes": {
        "change_id": "VARCHAR",
        "ticket_id": "VARCHAR",
        "record_id": "VARCHAR",
        # `created`: the field at submission; `changed`: a later change; `event`: field_name is the type of an event;
        # `date`: a date that stands in the ticket's own record; `mark`: the record shows it, and nothing dates it but the record;
        # `line`: a text that the helpdesk writes when it does what field_name says.
        "change_kind": "VARCHAR",
        "field_name": "VARCHAR",
        "field_id": "VARCHAR",
        "is_custom_field": "BOOLEAN",
        "value_before": "VARCHAR",
        "value": "VARCHAR",
        # It happened from earliest_at (null: at changed_at) to changed_at.
        "earliest_at": "TIMESTAMP",
        "changed_at": "TIMESTAMP",
        # The export counted it from the submission: it moves with the submission within the window of that.
        "moves_with_submission": "BOOLEAN",
        **_ORDER,
        "is_public": "BOOLEAN",
        "channel": "VARCHAR",
        **_AUTHOR,
        # The instant of the ticket's version whose record holds it; null where it is a record of its own.
        "version_at": "TIMESTAMP",
        **LINEAGE,
    },
    # One row per message.
    "ticket_messages": {
        "message_id": "VARCHAR",
        "ticket_id": "VARCHAR",
        "record_id": "VARCHAR",
        # `comment`, `chat` (of which only the fact is known) or `date` (the instant of the first answer, in the ticket's record).
        "message_kind": "VARCHAR",
        # Null: the export does not say whether the customer could see it.
        "is_public": "BOOLEAN",
        "channel": "VARCHAR",
        **_AUTHOR,
        "earliest_at": "TIMESTAMP",
        "said_at": "TIMESTAMP",
        "moves_with_submission": "BOOLEAN",
        **_ORDER,
        "version_at": "TIMESTAMP",
        **LINEAGE,
    },
    # One row per exported version of a person: whose side they are on, from when.
    "people": {
        "person_id": "VARCHAR",
        "person": "VARCHAR",
        "role": "VARCHAR",
        "organization_id": "VARCHAR",
        "updated_at": "TIMESTAMP",
        **LINEAGE,
    },
    # One row per exported version of an organization.
    "organizations": {
        "organization_id": "VARCHAR",
        "external_id": "VARCHAR",
        "organization_name": "VARCHAR",
        "updated_at": "TIMESTAMP",
        **LINEAGE,
    },
    # One row per figure that a vendor computed itself: kept beside ours, never used for one of ours.
    "vendor_sla_figures": {
        "ticket_id": "VARCHAR",
        "figure": "VARCHAR",
        "obligation": "VARCHAR",
        "cycle_number": "INTEGER",
        "figure_kind": "VARCHAR",
        "clock_kind": "VARCHAR",
        "they_seconds": "BIGINT",
        "unit_seconds": "INTEGER",
        "they_breached": "BOOLEAN",
        "goal_seconds": "BIGINT",
        "they_started_at": "TIMESTAMP",
        "they_stopped_at": "TIMESTAMP",
        "read_at": "TIMESTAMP",
        **LINEAGE,
    },
    # One row per refused record whose ticket is known: which part of that ticket is missing; null: all of it.
    "gaps": {
        "ticket_id": "VARCHAR",
        "record_id": "VARCHAR",
        "evidence": "VARCHAR",
        **LINEAGE,
    },
}

# One row per refused record: the first thing wrong with it. `raw_value` is cut to 500 characters.
QUARANTINE_TABLE = "quarantine"
QUARANTINE_COLUMNS: dict[str, str] = {
    "batch_id": "VARCHAR",
    "source": "VARCHAR",
    "source_file": "VARCHAR",
    "line_number": "BIGINT",
    "column_name": "VARCHAR",
    "raw_value": "VARCHAR",
    "reason": "VARCHAR",
    "hint": "VARCHAR",
}


def arrow_schema(columns: dict[str, str]) -> pyarrow.Schema:
    """The Arrow schema of a table above; what is written to Parquet has exactly these columns in this
    order.
    """
    # Here and not above: commands that only read ask for names of columns, and the import takes a fifth of their time.
    import pyarrow

    types = {
        "VARCHAR": pyarrow.string(),
        "BIGINT": pyarrow.int64(),
        "INTEGER": pyarrow.int32(),
        "BOOLEAN": pyarrow.bool_(),
        "TIMESTAMP": pyarrow.timestamp("us"),
    }
    return pyarrow.schema([(name, types[duckdb_type]) for name, duckdb_type in columns.items()])
