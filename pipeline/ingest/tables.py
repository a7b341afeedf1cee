"""The landed tables: their names, columns and DuckDB types. One Parquet file per table and batch.

Instants are `TIMESTAMP` without a zone, always UTC, whole seconds. Everything else is text unless it says
otherwise: ids above all, because a number loses leading zeros and, above 2^53, digits.
"""

from __future__ import annotations

import pyarrow as pa

# Where every landed row came from. `line_number` is 1-based and physical: the line an editor jumps to.
LINEAGE = {"source": "VARCHAR", "batch_id": "VARCHAR", "source_file": "VARCHAR", "line_number": "BIGINT"}

# What an export can show of a ticket. `first_response` is the first answer alone; `messages` are all of them. A mapped
# source may also say `messages_if_any` and `statuses_if_any`: shown of the tickets that have one at all.
EVIDENCE = ("first_response", "messages", "statuses", "resolution", "debug", "bugs")

LANDED_TABLES: dict[str, dict[str, str]] = {
    # One row per ticket record of an export; the same ticket may come again with a later updated_at.
    "canonical_tickets": {
        "ticket_id": "VARCHAR",
        "customer_id": "VARCHAR",
        "requester": "VARCHAR",
        "channel": "VARCHAR",
        "severity": "VARCHAR",
        "submitted_at": "TIMESTAMP",
        "subject": "VARCHAR",
        "ticket_type": "VARCHAR",
        "tags": "VARCHAR",
        "updated_at": "TIMESTAMP",
        # Who opened it where that is not the requester, and the state as exported, in the source's own word.
        "opener": "VARCHAR",
        "ticket_status": "VARCHAR",
        # What of the ticket the export can show, as words with a space between (see EVIDENCE); null: all of it.
        "evidence": "VARCHAR",
        **LINEAGE,
    },
    # One row per event record of an export.
    "canonical_events": {
        "event_id": "VARCHAR",
        "ticket_id": "VARCHAR",
        "event_at": "TIMESTAMP",
        "event_type": "VARCHAR",
        "actor_kind": "VARCHAR",
        "actor": "VARCHAR",
        "is_public": "BOOLEAN",
        "value": "VARCHAR",
        # Where the export says it: what the status or level was until this change.
        "value_before": "VARCHAR",
        # `recorded`, or `derived` from a figure of the vendor: then the event happened from earliest_at to event_at.
        "evidence_kind": "VARCHAR",
        "earliest_at": "TIMESTAMP",
        **LINEAGE,
    },
    # One row per person of a mapped source's table of people: whose side they are on.
    "canonical_people": {
        "person_id": "VARCHAR",
        "person": "VARCHAR",
        "actor_kind": "VARCHAR",
        **LINEAGE,
    },
    # One row per refused record whose ticket could be told: which evidence of that ticket has a hole; null: all of it.
    "canonical_gaps": {
        "ticket_id": "VARCHAR",
        "evidence": "VARCHAR",
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
    # One row per ticket object; pages of the incremental API overlap, so a ticket may come several times.
    "zendesk_tickets": {
        "ticket_id": "VARCHAR",
        "external_id": "VARCHAR",
        "created_at": "TIMESTAMP",
        "updated_at": "TIMESTAMP",
        "status": "VARCHAR",
        "priority": "VARCHAR",
        "ticket_type": "VARCHAR",
        "subject": "VARCHAR",
        "channel": "VARCHAR",
        "requester_id": "VARCHAR",
        "submitter_id": "VARCHAR",
        "organization_id": "VARCHAR",
        "tags": "VARCHAR",
        "custom_fields": "VARCHAR",
        # Whether the object holds its comments, as those of the full export do.
        "has_comments": "BOOLEAN",
        **LINEAGE,
    },
    # One row per kept event of an audit; event_index is its 1-based place in the audit, before dropping the
    # others.
    "zendesk_audit_events": {
        "audit_id": "VARCHAR",
        "event_id": "VARCHAR",
        "event_index": "INTEGER",
        "ticket_id": "VARCHAR",
        "created_at": "TIMESTAMP",
        "author_id": "VARCHAR",
        # Who saved it, which need not be who wrote it.
        "updater_id": "VARCHAR",
        "channel": "VARCHAR",
        "event_kind": "VARCHAR",
        "field_name": "VARCHAR",
        "value": "VARCHAR",
        "previous_value": "VARCHAR",
        "is_public": "BOOLEAN",
        **LINEAGE,
    },
    # One row per user object.
    "zendesk_users": {
        "user_id": "VARCHAR",
        "role": "VARCHAR",
        "person": "VARCHAR",
        "organization_id": "VARCHAR",
        "updated_at": "TIMESTAMP",
        **LINEAGE,
    },
    # One row per organization object.
    "zendesk_organizations": {
        "organization_id": "VARCHAR",
        "external_id": "VARCHAR",
        "organization_name": "VARCHAR",
        "updated_at": "TIMESTAMP",
        **LINEAGE,
    },
    # One row per exported row: per update in an audit log, per incident in a table export.
    "servicenow_incidents": {
        "ticket_id": "VARCHAR",
        "state": "VARCHAR",
        "opened_at": "TIMESTAMP",
        "created_at": "TIMESTAMP",
        "updated_at": "TIMESTAMP",
        "resolved_at": "TIMESTAMP",
        "closed_at": "TIMESTAMP",
        "priority": "VARCHAR",
        "severity": "VARCHAR",
        "impact": "VARCHAR",
        "urgency": "VARCHAR",
        "channel": "VARCHAR",
        "requester": "VARCHAR",
        "company": "VARCHAR",
        "opened_by": "VARCHAR",
        "subject": "VARCHAR",
        "update_number": "INTEGER",
        "reopen_count": "INTEGER",
        "made_sla": "VARCHAR",
        "export_kind": "VARCHAR",
        "sys_id": "VARCHAR",
        **LINEAGE,
    },
    # One row per entry of an incident's journal: a comment, which the customer sees, or a work note.
    "servicenow_journal_entries": {
        "entry_id": "VARCHAR",
        "ticket_sys_id": "VARCHAR",
        "element": "VARCHAR",
        "author": "VARCHAR",
        "actor_kind": "VARCHAR",
        "created_at": "TIMESTAMP",
        **LINEAGE,
    },
    # One row per change of a field of an incident that some rule reads (sys_audit); the values as stored.
    "servicenow_field_changes": {
        "change_id": "VARCHAR",
        "ticket_sys_id": "VARCHAR",
        "field_name": "VARCHAR",
        "old_value": "VARCHAR",
        "new_value": "VARCHAR",
        "changed_at": "TIMESTAMP",
        # The number of the update that changed it, counted per record; null where the export does not give it.
        "update_number": "INTEGER",
        **LINEAGE,
    },
    # One row per refused entry or change whose incident could be told: which evidence of that incident has a hole.
    "servicenow_gaps": {
        "ticket_sys_id": "VARCHAR",
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

_ARROW_TYPES = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us"),
}


def arrow_schema(columns: dict[str, str]) -> pa.Schema:
    """The Arrow schema of a table above; what is written to Parquet has exactly these columns in this
    order.
    """
    return pa.schema([(name, _ARROW_TYPES[duckdb_type]) for name, duckdb_type in columns.items()])
