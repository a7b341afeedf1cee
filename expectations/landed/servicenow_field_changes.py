"""Changes of incidents' fields as they arrive: one row per row of the field history that some rule reads."""

from __future__ import annotations

from great_expectations.expectations import (
    ExpectColumnValuesToBeBetween,
    ExpectColumnValuesToBeInSet,
    ExpectColumnValuesToNotBeNull,
)

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
            "update_number": WHOLE,
            "source": TEXT,
        },
        rows="""
            select
                changes.ticket_sys_id, changes.field_name, changes.new_value, changes.changed_at, changes.update_number,
                incidents.sys_id is not null as is_incident_known
            from raw.servicenow_field_changes as changes
            left join (select distinct source, sys_id from raw.servicenow_incidents) as incidents
              on incidents.source = changes.source and incidents.sys_id = changes.ticket_sys_id
        """,
        expectations=(
            ExpectColumnValuesToNotBeNull(
                column="ticket_sys_id",
                severity="critical",
                notes="A change of no incident pauses none.",
            ),
            ExpectColumnValuesToBeInSet(
                column="is_incident_known",
                value_set=[True],
                severity="warning",
                notes=(
                    "A history names incidents by their sys_id only; a change of one that no export holds changes nothing. "
                    "Export the incidents with their sys_id, and it is read."
                ),
            ),
            *expect_sane_instants("changed_at"),
            ExpectColumnValuesToBeBetween(
                column="update_number",
                min_value=0,
                severity="warning",
                notes="A count of updates orders the changes of one second; below zero it orders nothing.",
            ),
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
