"""Entries of ServiceNow's journal as they arrive: one row per comment or work note."""

from __future__ import annotations

from great_expectations.expectations import ExpectColumnValuesToBeInSet, ExpectColumnValuesToNotBeNull

from expectations.checked_table import INSTANT, TEXT, WHOLE, CheckedTable
from expectations.landed.sane_instants import expect_sane_instants


def build() -> CheckedTable:
    return CheckedTable(
        table="raw.servicenow_journal_entries",
        columns={
            "batch_id": TEXT,
            "line_number": WHOLE,
            "entry_id": TEXT,
            "ticket_sys_id": TEXT,
            "element": TEXT,
            "actor_kind": TEXT,
            "created_at": INSTANT,
        },
        expectations=(
            ExpectColumnValuesToNotBeNull(
                column="entry_id",
                severity="critical",
                notes="Exports overlap; only the id tells that an entry came again.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="ticket_sys_id",
                severity="critical",
                notes="An entry of no incident can answer none.",
            ),
            *expect_sane_instants("created_at"),
            ExpectColumnValuesToBeInSet(
                column="actor_kind",
                value_set=["agent", "unknown"],
                severity="critical",
                notes="Only an agent's comment stops a clock, so who wrote must be certain, or known to be unknown.",
            ),
            ExpectColumnValuesToBeInSet(
                column="element",
                value_set=["comments", "work_notes"],
                severity="warning",
                notes="Entries of other fields are not read; a journal of nothing else answers no incident.",
            ),
        ),
    )
