"""Tickets as they leave: one row per ticket."""

from __future__ import annotations

from great_expectations.expectations import ExpectColumnValuesToBeUnique, ExpectColumnValuesToNotBeNull

from expectations.checked_table import INSTANT, TEXT, CheckedTable


def build() -> CheckedTable:
    return CheckedTable(
        table="core.dim_tickets",
        columns={"ticket_id": TEXT, "source": TEXT, "submitted_at": INSTANT},
        expectations=(
            ExpectColumnValuesToNotBeNull(
                column="ticket_id",
                severity="critical",
                notes="Every figure is explained down to its ticket.",
            ),
            ExpectColumnValuesToBeUnique(
                column="ticket_id",
                severity="critical",
                notes=(
                    "Two sources with the same ticket numbers: one of them needs a ticket_prefix in sla.yml."
                ),
            ),
            ExpectColumnValuesToNotBeNull(
                column="submitted_at",
                severity="critical",
                notes="Every clock of a ticket starts from its submission.",
            ),
        ),
    )
