"""Canonical tickets as they arrive: one row per line of an export."""

from __future__ import annotations

from great_expectations.expectations import (
    ExpectColumnPairValuesAToBeGreaterThanB,
    ExpectColumnValuesToBeInSet,
    ExpectColumnValuesToNotBeNull,
    ExpectCompoundColumnsToBeUnique,
)
from great_expectations.expectations.row_conditions import Column

from expectations.checked_table import INSTANT, TEXT, WHOLE, CheckedTable
from expectations.landed.sane_instants import expect_sane_instants


def build() -> CheckedTable:
    return CheckedTable(
        table="raw.canonical_tickets",
        columns={
            "batch_id": TEXT,
            "line_number": WHOLE,
            "ticket_id": TEXT,
            "customer_id": TEXT,
            "severity": TEXT,
            "submitted_at": INSTANT,
            "updated_at": INSTANT,
            "evidence": TEXT,
        },
        expectations=(
            ExpectCompoundColumnsToBeUnique(
                column_list=["batch_id", "line_number", "ticket_id"],
                severity="critical",
                notes=(
                    "A record is one version of a ticket; twice means that a file was landed twice and "
                    "counts double."
                ),
            ),
            ExpectColumnValuesToNotBeNull(
                column="ticket_id",
                severity="critical",
                notes="Without it no event finds its ticket.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="submitted_at",
                severity="critical",
                notes="Every clock of a ticket starts from its submission.",
            ),
            *expect_sane_instants("submitted_at"),
            ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="updated_at",
                column_B="submitted_at",
                or_equal=True,
                ignore_row_if="either_value_is_missing",
                severity="warning",
                notes="Updated before it was submitted: mixed time zones, or columns exchanged.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="customer_id",
                severity="warning",
                notes=(
                    "Such a ticket belongs to no contract. Findings list it; one alone must not stop a build."
                ),
            ),
            ExpectColumnValuesToBeInSet(
                column="severity",
                value_set=["0", "1", "2", "3", "4", "5"],
                # Tickets of adapters name their evidence and keep the helpdesk's own words.
                row_condition=Column("evidence").is_null(),
                severity="warning",
                notes=(
                    "The canonical source has the plan's levels 0 to 5; others become findings and are not "
                    "covered."
                ),
            ),
        ),
    )
