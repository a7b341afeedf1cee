"""Suspicions for people to review, as they leave: one row per finding."""

from __future__ import annotations

from expectations.checked_table import (
    TEXT,
    CheckedTable,
    expect_column_values_to_be_in_set,
    expect_column_values_to_be_unique,
    expect_column_values_to_not_be_null,
)

TABLE = "qc.rpt_qc__findings"


def build() -> CheckedTable:
    return CheckedTable(
        table=TABLE,
        columns={"finding_key": TEXT, "finding": TEXT, "evidence": TEXT, "effect": TEXT},
        rows=f"""
            select findings.finding_key, findings.evidence, findings.effect, kinds.finding is not null as is_known_kind,
              findings.finding = 'waiver_of_unknown_ticket' as names_unknown_ticket
            from {TABLE} as findings
            left join core.finding_kinds as kinds on kinds.finding = findings.finding
        """,
        expectations=(
            expect_column_values_to_be_unique(
                column="finding_key",
                severity="critical",
                notes="The same suspicion twice is reviewed twice.",
            ),
            expect_column_values_to_be_in_set(
                column="is_known_kind",
                value_set=[True],
                severity="critical",
                notes="A kind without a sentence cannot be shown.",
            ),
            expect_column_values_to_be_in_set(
                column="names_unknown_ticket",
                value_set=[False],
                severity="warning",
                notes=(
                    "A waiver names a ticket that no export holds and forgives nothing: is the ticket_prefix of its source "
                    "missing? `sla findings --finding waiver_of_unknown_ticket` names it."
                ),
            ),
            expect_column_values_to_not_be_null(
                column="evidence",
                severity="critical",
                notes="A suspicion must say what it rests on.",
            ),
            expect_column_values_to_not_be_null(
                column="effect",
                severity="critical",
                notes="A reader must know what it did to the figures.",
            ),
        ),
    )
