"""Checks of what arrives: the landed tables, before any model reads them."""

from __future__ import annotations

from expectations.checked_table import CheckedTable
from expectations.landed import (
    canonical_events,
    canonical_gaps,
    canonical_people,
    canonical_tickets,
    servicenow_field_changes,
    servicenow_gaps,
    servicenow_incidents,
    servicenow_journal_entries,
    vendor_sla_figures,
    zendesk_audit_events,
    zendesk_organizations,
    zendesk_tickets,
    zendesk_users,
)


def build_landed() -> tuple[CheckedTable, ...]:
    """Every landed table with its checks."""
    return (
        canonical_tickets.build(),
        canonical_events.build(),
        canonical_people.build(),
        canonical_gaps.build(),
        vendor_sla_figures.build(),
        zendesk_tickets.build(),
        zendesk_audit_events.build(),
        zendesk_users.build(),
        zendesk_organizations.build(),
        servicenow_incidents.build(),
        servicenow_journal_entries.build(),
        servicenow_field_changes.build(),
        servicenow_gaps.build(),
    )
