"""Records of tickets as they arrive: one row per exported version of a ticket."""

from __future__ import annotations

from great_expectations.expectations import (
    ExpectColumnPairValuesAToBeGreaterThanB,
    ExpectColumnValuesToBeBetween,
    ExpectColumnValuesToBeInSet,
    ExpectColumnValuesToMatchRegex,
    ExpectColumnValuesToNotBeNull,
    ExpectCompoundColumnsToBeUnique,
)
from great_expectations.expectations.row_conditions import Column

from expectations.checked_table import INSTANT, TEXT, WHOLE, CheckedTable
from expectations.landed.sane_instants import expect_sane_instants
from pipeline.ingest.tables import EVIDENCE

_EVIDENCE = (*EVIDENCE, "messages_if_any", "statuses_if_any", "resolution_if_any")


def build() -> CheckedTable:
    return CheckedTable(
        table="raw.ticket_versions",
        columns={
            "batch_id": TEXT,
            "line_number": WHOLE,
            "line_place": WHOLE,
            "ticket_id": TEXT,
            "customer_id": TEXT,
            "severity": TEXT,
            "status": TEXT,
            "version_kind": TEXT,
            "evidence": TEXT,
            "update_number": WHOLE,
            "reopen_count": WHOLE,
            "submitted_at": INSTANT,
            "latest_submitted_at": INSTANT,
            "updated_at": INSTANT,
            "latest_updated_at": INSTANT,
        },
        expectations=(
            ExpectCompoundColumnsToBeUnique(
                column_list=[
                    "batch_id",
                    "line_number",
                    "line_place",
                    "ticket_id",
                    "update_number",
                    "updated_at",
                ],
                severity="critical",
                notes="A record is one version of a ticket; twice means that a file was landed twice and counts double.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="ticket_id",
                severity="critical",
                notes="Without it no message and no change finds its ticket.",
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
            ExpectColumnValuesToBeInSet(
                column="version_kind",
                value_set=["update"],
                severity="critical",
                notes="Which kind it is decides what the rows can prove: only a row per update shows an earlier status.",
            ),
            ExpectColumnValuesToMatchRegex(
                column="evidence",
                regex=rf"^(?:(?:{'|'.join(_EVIDENCE)})(?: (?=\w)|$))*$",
                severity="critical",
                notes="The vocabulary is closed; a word that the models do not know would prove nothing and say nothing.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="customer_id",
                row_condition=Column("evidence").is_null(),
                severity="warning",
                notes="Such a ticket belongs to no contract. Findings list it; one alone must not stop a build.",
            ),
            ExpectColumnValuesToBeInSet(
                column="severity",
                value_set=["0", "1", "2", "3", "4", "5"],
                # Records that say what they came with keep the words of their helpdesk.
                row_condition=Column("evidence").is_null(),
                severity="warning",
                notes="The canonical source has the plan's levels 0 to 5; others become findings and are not covered.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="status",
                row_condition=Column("version_kind") == "update",
                mostly=0.95,
                severity="warning",
                notes="Real logs lack a state now and then; more than one in twenty is a wrong column.",
            ),
            ExpectColumnValuesToBeBetween(
                column="update_number",
                min_value=0,
                severity="warning",
                notes="A count of updates orders the rows of a ticket; below zero it orders nothing.",
            ),
            ExpectColumnValuesToBeBetween(
                column="reopen_count",
                min_value=0,
                severity="warning",
                notes="A count; below zero the columns have shifted.",
            ),
        ),
    )


def build_organizations() -> CheckedTable:
    return CheckedTable(
        table="raw.ticket_versions",
        topic="organizations",
        columns={"organization_id": TEXT, "customer_id": TEXT, "source": TEXT},
        rows="select ticket_versions.organization_id from raw.ticket_versions"
        " join raw.sources on sources.source = ticket_versions.source"
        " where sources.customer_field like 'organization%' and ticket_versions.customer_id is null",
        expectations=(
            ExpectColumnValuesToNotBeNull(
                column="organization_id",
                mostly=0.5,
                severity="warning",
                notes="Single requesters without organization are usual. Half of all tickets without is a wrong export.",
            ),
        ),
    )
