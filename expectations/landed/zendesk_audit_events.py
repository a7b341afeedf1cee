"""Zendesk audit events as they arrive: one row per kept event inside an audit, many to a line."""

from __future__ import annotations

from great_expectations.expectations import (
    ExpectColumnValuesToBeInSet,
    ExpectColumnValuesToNotBeNull,
    ExpectCompoundColumnsToBeUnique,
)
from great_expectations.expectations.row_conditions import Column

from expectations.checked_table import BOOLEAN, INSTANT, TEXT, WHOLE, CheckedTable
from expectations.landed.sane_instants import expect_sane_instants


def build() -> CheckedTable:
    return CheckedTable(
        table="raw.zendesk_audit_events",
        columns={
            "batch_id": TEXT,
            "line_number": WHOLE,
            "event_index": WHOLE,
            "audit_id": TEXT,
            "ticket_id": TEXT,
            "author_id": TEXT,
            "event_kind": TEXT,
            "field_name": TEXT,
            "is_public": BOOLEAN,
            "created_at": INSTANT,
        },
        expectations=(
            ExpectCompoundColumnsToBeUnique(
                column_list=["batch_id", "line_number", "audit_id", "event_index"],
                severity="critical",
                notes="The events of an audit are numbered; the same one twice is a file landed twice.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="audit_id",
                severity="critical",
                notes="Exports overlap; only the id tells that an audit came again.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="ticket_id",
                severity="critical",
                notes="An event of no ticket can stop no clock.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="created_at",
                severity="critical",
                notes="An event without its instant cannot be put in order.",
            ),
            *expect_sane_instants("created_at"),
            ExpectColumnValuesToBeInSet(
                column="event_kind",
                value_set=[
                    "Create",
                    "Change",
                    "Comment",
                    "VoiceComment",
                    "ChatStartedEvent",
                    "ChatEndedEvent",
                ],
                severity="critical",
                notes="Landing keeps these kinds alone; another one means that rule and adapter have parted.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="field_name",
                row_condition=Column("event_kind").is_in(["Create", "Change"]),
                severity="critical",
                notes="A change that does not name its field cannot be read as status, severity or tag.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="is_public",
                row_condition=Column("event_kind").is_in(["Comment", "VoiceComment"]),
                severity="warning",
                notes="A comment not said to be public is taken as internal and stops no clock.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="author_id",
                severity="warning",
                notes="Without an author nobody can tell a human's answer from an automatic one.",
            ),
        ),
    )
