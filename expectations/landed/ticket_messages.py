"""Messages of tickets as they arrive: one row per message, or date of a first answer."""

from __future__ import annotations

from expectations.checked_table import (
    BOOLEAN,
    INSTANT,
    TEXT,
    WHOLE,
    CheckedTable,
    expect_column_pair_values_a_to_be_greater_than_b,
    expect_column_values_to_be_in_set,
    expect_column_values_to_not_be_null,
    expect_compound_columns_to_be_unique,
)
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
        named_by=("line_number",),
        expectations=(
            expect_column_values_to_not_be_null(
                column="message_id",
                severity="critical",
                notes="Exports overlap; only the id tells that a message came again.",
            ),
            expect_compound_columns_to_be_unique(
                column_list=["batch_id", "line_number", "message_id", "update_id"],
                severity="critical",
                notes="A record names a message once; twice means that a file was landed twice.",
            ),
            expect_column_values_to_not_be_null(
                column="ticket_id",
                where="record_id is null",
                severity="critical",
                notes="A message of no ticket can stop no clock.",
            ),
            expect_column_values_to_not_be_null(
                column="said_at",
                severity="critical",
                notes="A message without its instant cannot be put in order.",
            ),
            *expect_sane_instants("said_at"),
            expect_column_pair_values_a_to_be_greater_than_b(
                column_a="said_at",
                column_b="earliest_at",
                or_equal=True,
                severity="critical",
                notes="The window of an instant ends before it begins: the form derived it wrongly.",
            ),
            expect_column_values_to_be_in_set(
                column="message_kind",
                value_set=["comment", "chat", "date"],
                severity="critical",
                notes="The vocabulary is closed; staging reads a message by its kind.",
            ),
            expect_column_values_to_be_in_set(
                column="author_kind",
                value_set=list(ACTOR_KINDS),
                severity="critical",
                notes="Only an agent's message stops a clock; null where the record does not state the side.",
            ),
            expect_column_values_to_not_be_null(
                column="is_public",
                where="message_kind = 'comment'",
                severity="warning",
                notes="A message not said to be public is taken as internal, unless sla.yml declares what comments are.",
            ),
            expect_column_values_to_not_be_null(
                column="author_id",
                where="message_kind = 'comment' and author_kind is null",
                severity="warning",
                notes="Without an author a human's answer cannot be told from an automatic one.",
            ),
        ),
    )
