"""ServiceNow incidents as they arrive: one row per exported row, so one per update in an audit log."""

from __future__ import annotations

from great_expectations.expectations import (
    ExpectColumnPairValuesAToBeGreaterThanB,
    ExpectColumnValuesToBeBetween,
    ExpectColumnValuesToBeInSet,
    ExpectColumnValuesToNotBeNull,
    ExpectCompoundColumnsToBeUnique,
)

from expectations.checked_table import INSTANT, TEXT, WHOLE, CheckedTable
from expectations.landed.sane_instants import expect_sane_instants


def build() -> CheckedTable:
    return CheckedTable(
        table="raw.servicenow_incidents",
        columns={
            "batch_id": TEXT,
            "line_number": WHOLE,
            "ticket_id": TEXT,
            "state": TEXT,
            "priority": TEXT,
            "update_number": WHOLE,
            "reopen_count": WHOLE,
            "export_kind": TEXT,
            "opened_at": INSTANT,
            "updated_at": INSTANT,
            "resolved_at": INSTANT,
            "closed_at": INSTANT,
        },
        expectations=(
            ExpectCompoundColumnsToBeUnique(
                column_list=["batch_id", "line_number", "ticket_id", "update_number", "updated_at"],
                severity="critical",
                notes=(
                    "A record is one update of an incident; twice means that a file was landed twice and counts "
                    "double."
                ),
            ),
            ExpectColumnValuesToNotBeNull(
                column="ticket_id",
                severity="critical",
                notes="Without its number an update belongs to no incident.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="opened_at",
                severity="critical",
                notes="Every clock of a ticket starts from its opening.",
            ),
            *expect_sane_instants("opened_at"),
            ExpectColumnValuesToBeInSet(
                column="export_kind",
                value_set=["audit_log", "rest"],
                severity="critical",
                notes=(
                    "Which kind it is decides what the rows can prove: only an audit log shows an earlier "
                    "status."
                ),
            ),
            ExpectColumnValuesToNotBeNull(
                column="state",
                mostly=0.95,
                severity="warning",
                notes="Real audit logs lack a state now and then; more than one in twenty is a wrong column.",
            ),
            ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="closed_at",
                column_B="opened_at",
                or_equal=True,
                ignore_row_if="either_value_is_missing",
                severity="warning",
                notes="Closed before it was opened: the order of day and month is likely wrong.",
            ),
            ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="resolved_at",
                column_B="opened_at",
                or_equal=True,
                ignore_row_if="either_value_is_missing",
                severity="warning",
                notes="Resolved before it was opened: the order of day and month is likely wrong.",
            ),
            ExpectColumnValuesToBeBetween(
                column="update_number",
                min_value=0,
                severity="warning",
                notes="A count of updates orders the rows of an incident; below zero it orders nothing.",
            ),
            ExpectColumnValuesToBeBetween(
                column="reopen_count",
                min_value=0,
                severity="warning",
                notes="A count; below zero the columns have shifted.",
            ),
        ),
    )
