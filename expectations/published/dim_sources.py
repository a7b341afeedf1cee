"""Sources as they leave: one row per source of sla.yml."""

from __future__ import annotations

from expectations.checked_table import (
    BOOLEAN,
    TEXT,
    CheckedTable,
    expect_column_values_to_be_in_set,
)


def build() -> CheckedTable:
    return CheckedTable(
        table="core.dim_sources",
        columns={"source": TEXT, "is_lagging": BOOLEAN},
        named_by=("source",),
        expectations=(
            expect_column_values_to_be_in_set(
                column="is_lagging",
                value_set=[False],
                severity="warning",
                notes=(
                    "A source ends earlier than the others by more than its usual rhythm: its waiting tickets are pending "
                    "only because it is not exported. `sla status` names it."
                ),
            ),
        ),
    )
