"""Messages of tickets as they arrive: one row per message, or date of a first answer."""

from __future__ import annotations

from great_expectations.expectations import (
    ExpectColumnPairValuesAToBeGreaterThanB,
    ExpectColumnValuesToBeInSet,
    ExpectColumnValuesToNotBeNull,
    ExpectCompoundColumnsToBeUnique,
)
from great_expectations.expectations.row_conditions import Column

from expectations.checked_table import BOOLEAN, INSTANT, TEXT, WHOLE, CheckedTable
from expectations.landed.sane_instants import expect_sane_instants
from pipeline.vocabulary import ACTOR_KINDS


def build() -> CheckedTable:
    return CheckedTable(
        table="raw.ticket_messages",
        columns={
            "batch_id": TEXT,
            "line_number": WHOLE,
            "message_id": TEXT,
            "ticket_id": TEXT,
            "record_id": TEXT,
            "message_kind": TEXT,
            "is_public": BOOLEAN,
            "author_id": TEXT,
            "author_kind": TEXT,
            "update_id": TEXT,
            "earliest_at": INSTANT,
            "moves_with_submission": BOOLEAN,
            "said_at": INSTANT,
        },
        expectations=(
            ExpectColumnValuesToNotBeNull(
                column="message_id",
                severity="critical",
                notes="Exports overlap; only the id tells that a message came again.",
            ),
            ExpectCompoundColumnsToBeUnique(
                column_list=["batch_id", "line_number", "message_id", "update_id"],
                severity="critical",
                notes="A record names a message once; twice means that a file was landed twice.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="ticket_id",
                row_condition=Column("record_id").is_null(),
                severity="critical",
                notes="A message of no ticket can stop no clock.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="said_at",
                severity="critical",
                notes="A message without its instant cannot be put in order.",
            ),
            *expect_sane_instants("said_at"),
            ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="said_at",
                column_B="earliest_at",
                or_equal=True,
                ignore_row_if="either_value_is_missing",
                severity="critical",
                notes="The window of an instant ends before it begins: the form derived it wrongly.",
            ),
            ExpectColumnValuesToBeInSet(
                column="message_kind",
                value_set=["comment", "chat", "date"],
                severity="critical",
                notes="The vocabulary is closed; staging reads a message by its kind.",
            ),
            ExpectColumnValuesToBeInSet(
                column="author_kind",
                value_set=list(ACTOR_KINDS),
                severity="critical",
                notes="Only an agent's message stops a clock; null where the record does not state the side.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="is_public",
                row_condition=Column("message_kind") == "comment",
                severity="warning",
                notes="A message not said to be public is taken as internal, unless sla.yml declares what comments are.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="author_id",
                row_condition=(Column("message_kind") == "comment") & Column("author_kind").is_null(),
                severity="warning",
                notes="Without an author a human's answer cannot be told from an automatic one.",
            ),
        ),
    )
