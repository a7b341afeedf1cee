"""Changes of tickets as they arrive: one row per change of a field, or event that the export names itself."""

from __future__ import annotations

from great_expectations.expectations import (
    ExpectColumnPairValuesAToBeGreaterThanB,
    ExpectColumnValuesToBeBetween,
    ExpectColumnValuesToBeInSet,
    ExpectColumnValuesToNotBeNull,
)
from great_expectations.expectations.row_conditions import Column

from expectations.checked_table import INSTANT, TEXT, WHOLE, CheckedTable
from expectations.landed.sane_instants import expect_sane_instants

# What an export may name itself, in the words of the canonical form.
EVENT_TYPES = [
    "status_changed",
    "severity_changed",
    "debug_requested",
    "debug_logs_received",
    "debug_delivered",
    "bug_confirmed",
    "bug_rejected",
    "merged",
    "deleted",
    "assistance_redeemed",
]


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
            "earliest_at": INSTANT,
            "changed_at": INSTANT,
        },
        expectations=(
            ExpectColumnValuesToNotBeNull(
                column="change_id",
                severity="critical",
                notes="Exports overlap; only the id tells that a change came again.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="ticket_id",
                row_condition=Column("record_id").is_null(),
                severity="critical",
                notes="A change of no ticket can stop no clock.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="changed_at",
                severity="critical",
                notes="A change without its instant cannot be put in order.",
            ),
            *expect_sane_instants("changed_at"),
            ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="changed_at",
                column_B="earliest_at",
                or_equal=True,
                ignore_row_if="either_value_is_missing",
                severity="critical",
                notes="The window of an instant ends before it begins: the form derived it wrongly.",
            ),
            ExpectColumnValuesToBeInSet(
                column="change_kind",
                value_set=["created", "changed", "event", "date"],
                severity="critical",
                notes="The vocabulary is closed; staging reads a change by its kind.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="field_name",
                severity="critical",
                notes="A change that does not name its field cannot be read as status, level or tag.",
            ),
            ExpectColumnValuesToBeInSet(
                column="field_name",
                value_set=EVENT_TYPES,
                row_condition=Column("change_kind") == "event",
                severity="critical",
                notes="The vocabulary is closed; an unknown type may be the event that the promise waits for.",
            ),
            ExpectColumnValuesToBeInSet(
                column="author_kind",
                value_set=["customer", "agent", "bot"],
                severity="critical",
                notes="What a record states of its author must be certain; null where it states nothing.",
            ),
            ExpectColumnValuesToBeBetween(
                column="update_number",
                min_value=0,
                severity="warning",
                notes="A count of updates orders the changes of one instant; below zero it orders nothing.",
            ),
        ),
    )
