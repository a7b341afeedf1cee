"""Records of tickets as they arrive: one row per exported version of a ticket."""

from __future__ import annotations

from expectations.checked_table import (
    INSTANT,
    TEXT,
    WHOLE,
    CheckedTable,
    expect_column_pair_values_a_to_be_greater_than_b,
    expect_column_values_to_be_between,
    expect_column_values_to_be_in_set,
    expect_column_values_to_match_regex,
    expect_column_values_to_not_be_null,
    expect_compound_columns_to_be_unique,
)
from expectations.landed.sane_instants import expect_sane_instants
from pipeline.ingest.tables import EVIDENCE

_WORD = "|".join((*EVIDENCE, "messages_if_any", "statuses_if_any", "resolution_if_any"))


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
        named_by=("line_number",),
        expectations=(
            expect_compound_columns_to_be_unique(
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
            expect_column_values_to_not_be_null(
                column="ticket_id",
                severity="critical",
                notes="Without it no message and no change finds its ticket.",
            ),
            expect_column_values_to_not_be_null(
                column="submitted_at",
                severity="critical",
                notes="Every clock of a ticket starts from its submission.",
            ),
            *expect_sane_instants("submitted_at"),
            expect_column_pair_values_a_to_be_greater_than_b(
                column_a="updated_at",
                column_b="submitted_at",
                or_equal=True,
                severity="warning",
                notes="Updated before it was submitted: mixed time zones, or columns exchanged.",
            ),
            expect_column_values_to_be_in_set(
                column="version_kind",
                value_set=["update"],
                severity="critical",
                notes="Which kind it is decides what the rows can prove: only a row per update shows an earlier status.",
            ),
            expect_column_values_to_match_regex(
                column="evidence",
                regex=rf"(?:(?:{_WORD})(?: (?:{_WORD}))*)?",
                severity="critical",
                notes="The vocabulary is closed; a word that the models do not know would prove nothing and say nothing.",
            ),
            expect_column_values_to_not_be_null(
                column="customer_id",
                where="evidence is null",
                severity="warning",
                notes="Such a ticket belongs to no contract. Findings list it; one alone must not stop a build.",
            ),
            expect_column_values_to_be_in_set(
                column="severity",
                value_set=["0", "1", "2", "3", "4", "5"],
                # Records that say what they came with keep the words of their helpdesk.
                where="evidence is null",
                severity="warning",
                notes="The canonical source has the plan's levels 0 to 5; others become findings and are not covered.",
            ),
            expect_column_values_to_not_be_null(
                column="status",
                where="version_kind = 'update'",
                mostly=0.95,
                severity="warning",
                notes="Real logs lack a state now and then; more than one in twenty is a wrong column.",
            ),
            expect_column_values_to_be_between(
                column="update_number",
                min_value="0",
                severity="warning",
                notes="A count of updates orders the rows of a ticket; below zero it orders nothing.",
            ),
            expect_column_values_to_be_between(
                column="reopen_count",
                min_value="0",
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
        rows="select source, organization_id, line_number from raw.ticket_versions where customer_id is null",
        named_by=("line_number",),
        sources="select source from raw.sources where customer_field like 'organization%'",
        expectations=(
            expect_column_values_to_not_be_null(
                column="organization_id",
                mostly=0.5,
                severity="warning",
                notes="Single requesters without organization are usual. Half of all tickets without is a wrong export.",
            ),
        ),
    )
