"""Changes of tickets as they arrive: one row per change of a field, or event that the export names itself."""

from __future__ import annotations

from expectations.checked_table import (
    BOOLEAN,
    INSTANT,
    TEXT,
    WHOLE,
    CheckedTable,
    expect_column_pair_values_a_to_be_greater_than_b,
    expect_column_values_to_be_between,
    expect_column_values_to_be_in_set,
    expect_column_values_to_not_be_null,
    expect_compound_columns_to_be_unique,
)
from expectations.landed.sane_instants import expect_sane_instants
from pipeline import vocabulary

# What an export may name itself; messages land in a table of their own.
EVENT_TYPES = [kind for kind in vocabulary.EVENT_TYPES if kind != "message"]


def build() -> CheckedTable:
    return CheckedTable(
        table="raw.ticket_changes",
        columns={
            "batch_id": TEXT,
            "line_number": WHOLE,
            "change_id": TEXT,
            "ticket_id": TEXT,
            "record_id": TEXT,
            "change_kind": TEXT,
            "field_name": TEXT,
            "value": TEXT,
            "author_kind": TEXT,
            "update_number": WHOLE,
            "place": WHOLE,
            "earliest_at": INSTANT,
            "moves_with_submission": BOOLEAN,
            "changed_at": INSTANT,
        },
        # A date that stands in a ticket's own record is held against the submission that stands there too.
        rows="""
            select changes.*, case when changes.change_kind = 'date' then versions.submitted_at end as submitted_at
            from raw.ticket_changes as changes
            left join (
                select batch_id, line_number, ticket_id, max(submitted_at) as submitted_at
                from raw.ticket_versions group by batch_id, line_number, ticket_id
            ) as versions
              on versions.batch_id = changes.batch_id and versions.line_number = changes.line_number
              and versions.ticket_id = changes.ticket_id
        """,
        named_by=("line_number",),
        expectations=(
            expect_column_values_to_not_be_null(
                column="change_id",
                severity="critical",
                notes="Exports overlap; only the id tells that a change came again.",
            ),
            expect_compound_columns_to_be_unique(
                column_list=["batch_id", "line_number", "change_id", "place"],
                severity="critical",
                notes="A record names a change once; twice means that a file was landed twice.",
            ),
            expect_column_pair_values_a_to_be_greater_than_b(
                column_a="changed_at",
                column_b="submitted_at",
                or_equal=True,
                severity="warning",
                notes="Resolved or closed before it was submitted: the order of day and month is likely wrong.",
            ),
            expect_column_values_to_not_be_null(
                column="value",
                where="record_id is not null",
                severity="warning",
                notes="A status or level that was emptied leaves the ticket without one from then on.",
            ),
            expect_column_values_to_not_be_null(
                column="ticket_id",
                where="record_id is null",
                severity="critical",
                notes="A change of no ticket can stop no clock.",
            ),
            expect_column_values_to_not_be_null(
                column="changed_at",
                severity="critical",
                notes="A change without its instant cannot be put in order.",
            ),
            *expect_sane_instants("changed_at"),
            expect_column_pair_values_a_to_be_greater_than_b(
                column_a="changed_at",
                column_b="earliest_at",
                or_equal=True,
                severity="critical",
                notes="The window of an instant ends before it begins: the form derived it wrongly.",
            ),
            expect_column_values_to_be_in_set(
                column="change_kind",
                value_set=["created", "changed", "event", "date", "mark", "line"],
                severity="critical",
                notes="The vocabulary is closed; staging reads a change by its kind.",
            ),
            expect_column_values_to_not_be_null(
                column="field_name",
                severity="critical",
                notes="A change that does not name its field cannot be read as status, level or tag.",
            ),
            expect_column_values_to_be_in_set(
                column="field_name",
                value_set=EVENT_TYPES,
                where="change_kind in ('event', 'mark', 'line')",
                severity="critical",
                notes="The vocabulary is closed; an unknown type may be the event that the promise waits for.",
            ),
            expect_column_values_to_be_in_set(
                column="author_kind",
                value_set=list(vocabulary.ACTOR_KINDS),
                severity="critical",
                notes="What a record states of its author must be certain; null where it states nothing.",
            ),
            expect_column_values_to_be_between(
                column="update_number",
                min_value="0",
                severity="warning",
                notes="A count of updates orders the changes of one instant; below zero it orders nothing.",
            ),
        ),
    )


def build_records() -> CheckedTable:
    """Changes that name their ticket by the id of its record, which another export may hold: of all batches together."""
    return CheckedTable(
        table="raw.ticket_changes",
        topic="records",
        columns={"ticket_id": TEXT, "record_id": TEXT, "source": TEXT},
        rows="""
            select changes.source_file, changes.line_number, records.record_id is not null as is_ticket_known
            from raw.ticket_changes as changes
            left join (select distinct source, record_id from raw.ticket_versions) as records
              on records.source = changes.source and records.record_id = changes.record_id
            where changes.ticket_id is null
        """,
        named_by=("source_file", "line_number"),
        needs_all_batches=True,
        expectations=(
            expect_column_values_to_be_in_set(
                column="is_ticket_known",
                value_set=[True],
                severity="warning",
                notes=(
                    "A history may name its ticket by the id of its record only; a change of one that no export holds "
                    "changes nothing. Export the tickets with that id, and it is read."
                ),
            ),
        ),
    )
