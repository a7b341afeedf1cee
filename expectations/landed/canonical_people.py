"""People of mapped sources as they arrive: one row per line of a table of people."""

from __future__ import annotations

from great_expectations.expectations import ExpectColumnValuesToBeInSet, ExpectColumnValuesToNotBeNull

from expectations.checked_table import TEXT, WHOLE, CheckedTable


def build() -> CheckedTable:
    return CheckedTable(
        table="raw.canonical_people",
        columns={"batch_id": TEXT, "line_number": WHOLE, "person_id": TEXT, "actor_kind": TEXT},
        expectations=(
            ExpectColumnValuesToNotBeNull(
                column="person_id",
                severity="critical",
                notes="Events name their author by this id; without it nobody is found.",
            ),
            ExpectColumnValuesToBeInSet(
                column="actor_kind",
                value_set=["customer", "agent", "bot"],
                severity="critical",
                notes="Only an agent's message stops a clock; null where nobody knows whose side somebody is on.",
            ),
        ),
    )
