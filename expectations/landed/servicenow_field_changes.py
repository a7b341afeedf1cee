"""Changes of incidents' fields as they arrive: one row per row of the field history that some rule reads."""

from __future__ import annotations

from great_expectations.expectations import ExpectColumnValuesToBeInSet, ExpectColumnValuesToNotBeNull

from expectations.checked_table import INSTANT, TEXT, WHOLE, CheckedTable
from expectations.landed.sane_instants import expect_sane_instants


def build() -> CheckedTable:
    return CheckedTable(
        table="raw.servicenow_field_changes",
        columns={
            "batch_id": TEXT,
            "line_number": WHOLE,
            "change_id": TEXT,
            "ticket_sys_id": TEXT,
            "field_name": TEXT,
            "new_value": TEXT,
            "changed_at": INSTANT,
        },
        expectations=(
            ExpectColumnValuesToNotBeNull(
                column="ticket_sys_id",
                severity="critical",
                notes="A change of no incident pauses none.",
            ),
            *expect_sane_instants("changed_at"),
            ExpectColumnValuesToBeInSet(
                column="field_name",
                value_set=["state", "incident_state", "priority", "severity", "impact", "urgency"],
                severity="critical",
                notes="Staging reads these fields by name; another one would be taken for a level.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="new_value",
                severity="warning",
                notes="A state or level that was emptied leaves the incident without one from then on.",
            ),
        ),
    )
