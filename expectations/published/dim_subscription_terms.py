"""Terms as they leave: one row per subscription term."""

from __future__ import annotations

from expectations.checked_table import (
    TEXT,
    CheckedTable,
    expect_column_values_to_be_in_set,
)

TABLE = "core.dim_subscription_terms"


def build() -> CheckedTable:
    return CheckedTable(
        table=TABLE,
        columns={"subscription_id": TEXT},
        rows=f"""
            select terms.subscription_id, findings.finding is not null as ends_a_day_early
            from {TABLE} as terms
            left join qc.rpt_qc__findings as findings
              on findings.subscription_id = terms.subscription_id and findings.finding = 'term_ends_a_day_early'
        """,
        named_by=("subscription_id",),
        expectations=(
            expect_column_values_to_be_in_set(
                column="ends_a_day_early",
                value_set=[False],
                severity="warning",
                notes=(
                    "A term ends the day before the next one begins. term_ends_on is the first day after a term, so tickets of "
                    "that day are not covered: is that meant? `sla findings --finding term_ends_a_day_early` names them."
                ),
            ),
        ),
    )
