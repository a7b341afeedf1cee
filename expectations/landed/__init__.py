"""Checks of what arrives: the landed tables, before any model reads them."""

from __future__ import annotations

from functools import cache

from expectations.checked_table import CheckedTable
from expectations.landed import (
    gaps,
    organizations,
    people,
    ticket_changes,
    ticket_messages,
    ticket_versions,
    vendor_sla_figures,
)


@cache
def build_landed() -> tuple[CheckedTable, ...]:
    """Every landed table with its checks."""
    return (
        ticket_versions.build(),
        ticket_versions.build_organizations(),
        ticket_changes.build(),
        ticket_changes.build_records(),
        ticket_messages.build(),
        people.build(),
        organizations.build(),
        vendor_sla_figures.build(),
        gaps.build(),
    )
