"""Sources as they leave: one row per source of sla.yml."""

from __future__ import annotations

from great_expectations.expectations import ExpectColumnValuesToBeInSet

from expectations.checked_table import BOOLEAN, TEXT, CheckedTable


def build() -> CheckedTable:
    return CheckedTable(
        table="core.dim_sources",
        columns={"source": TEXT, "is_lagging": BOOLEAN},
        expectations=(
            ExpectColumnValuesToBeInSet(
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
