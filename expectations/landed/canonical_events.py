"""Canonical events as they arrive: one row per line of an export."""

from __future__ import annotations

from great_expectations.expectations import (
    ExpectColumnValuesToBeInSet,
    ExpectColumnValuesToNotBeNull,
    ExpectCompoundColumnsToBeUnique,
)
from great_expectations.expectations.row_conditions import Column

from expectations.checked_table import BOOLEAN, INSTANT, TEXT, WHOLE, CheckedTable
from expectations.landed.sane_instants import expect_sane_instants

# Rows of adapters say how they know (evidence_kind) and keep the helpdesk's own words; only sla.yml knows which are known.
EVENT_TYPES = [
    "message",
    "status_changed",
    "severity_changed",
    "debug_requested",
    "debug_logs_received",
    "debug_delivered",
    "bug_confirmed",
    "bug_rejected",
    "merged",
    "deleted",
    "assistance_redeemed",
]


def build() -> CheckedTable:
    return CheckedTable(
        table="raw.canonical_events",
        columns={
            "batch_id": TEXT,
            "line_number": WHOLE,
            "event_id": TEXT,
            "ticket_id": TEXT,
            "event_at": INSTANT,
            "event_type": TEXT,
            "actor_kind": TEXT,
            "is_public": BOOLEAN,
            "value": TEXT,
            "evidence_kind": TEXT,
        },
        expectations=(
            ExpectCompoundColumnsToBeUnique(
                column_list=["batch_id", "line_number", "event_id"],
                severity="critical",
                notes="A record names an event once; twice means that a file was landed twice.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="event_id",
                severity="critical",
                notes="Exports overlap; only the id tells that an event came again.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="ticket_id",
                severity="critical",
                notes="An event of no ticket can stop no clock.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="event_at",
                severity="critical",
                notes="An event without its instant cannot be put in order.",
            ),
            *expect_sane_instants("event_at"),
            ExpectColumnValuesToBeInSet(
                column="event_type",
                value_set=EVENT_TYPES,
                severity="critical",
                notes=(
                    "The vocabulary is closed; an unknown type may be the answer that the promise waits for."
                ),
            ),
            ExpectColumnValuesToBeInSet(
                column="actor_kind",
                value_set=["customer", "agent", "bot", "unknown"],
                severity="critical",
                notes="Only an agent's message stops a clock, so who acted must be certain, or known to be unknown.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="is_public",
                row_condition=Column("event_type") == "message",
                severity="warning",
                notes="A message not said to be public is taken as internal and stops no clock.",
            ),
            ExpectColumnValuesToBeInSet(
                column="value",
                value_set=["new", "open", "pending", "on_hold", "solved", "closed"],
                row_condition=(Column("event_type") == "status_changed") & Column("evidence_kind").is_null(),
                severity="warning",
                notes="Plans pause on these statuses; an unknown one pauses nothing.",
            ),
            ExpectColumnValuesToBeInSet(
                column="value",
                value_set=["0", "1", "2", "3", "4", "5"],
                row_condition=(Column("event_type") == "severity_changed")
                & Column("evidence_kind").is_null(),
                severity="warning",
                notes="A change to an unknown level leaves the ticket without a promise from then on.",
            ),
        ),
    )
