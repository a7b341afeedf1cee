"""Zendesk tickets as they arrive: one row per exported ticket version."""

from __future__ import annotations

from great_expectations.expectations import (
    ExpectColumnPairValuesAToBeGreaterThanB,
    ExpectColumnValuesToBeInSet,
    ExpectColumnValuesToNotBeNull,
    ExpectCompoundColumnsToBeUnique,
)

from expectations.checked_table import INSTANT, TEXT, WHOLE, CheckedTable
from expectations.landed.sane_instants import expect_sane_instants


def build() -> CheckedTable:
    return CheckedTable(
        table="raw.zendesk_tickets",
        columns={
            "batch_id": TEXT,
            "line_number": WHOLE,
            "ticket_id": TEXT,
            "status": TEXT,
            "organization_id": TEXT,
            "created_at": INSTANT,
            "updated_at": INSTANT,
        },
        expectations=(
            ExpectCompoundColumnsToBeUnique(
                column_list=["batch_id", "line_number", "ticket_id"],
                severity="critical",
                notes="A line, which may hold a page of them, names each once; twice is a file landed twice.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="ticket_id",
                severity="critical",
                notes="Without it no audit finds its ticket.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="created_at",
                severity="critical",
                notes="Every clock of a ticket starts from its submission.",
            ),
            *expect_sane_instants("created_at"),
            ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="updated_at",
                column_B="created_at",
                or_equal=True,
                ignore_row_if="either_value_is_missing",
                severity="warning",
                notes="Updated before it was created: columns exchanged, or two systems' clocks mixed.",
            ),
            ExpectColumnValuesToBeInSet(
                column="status",
                value_set=["new", "open", "pending", "hold", "solved", "closed", "deleted"],
                severity="warning",
                notes=(
                    "Zendesk may add statuses. An unknown one pauses nothing until sla.yml maps it, so the "
                    "build may go on."
                ),
            ),
            ExpectColumnValuesToNotBeNull(
                column="organization_id",
                mostly=0.5,
                severity="warning",
                notes=(
                    "Single requesters without organization are usual. Half of all tickets without is a "
                    "wrong export."
                ),
            ),
        ),
    )
