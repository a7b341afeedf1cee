"""Obligations as they leave: one row per ticket, promise and cycle, each with its verdict."""

from __future__ import annotations

from collections.abc import Collection

from expectations.checked_table import (
    INSTANT,
    TEXT,
    WHOLE,
    CheckedTable,
    expect_column_pair_values_a_to_be_greater_than_b,
    expect_column_values_to_be_between,
    expect_column_values_to_be_in_set,
    expect_column_values_to_be_null,
    expect_column_values_to_be_unique,
    expect_column_values_to_match_regex,
    expect_column_values_to_not_be_null,
)
from expectations.published.months import MONTH_PATTERN
from pipeline.vocabulary import SLA_STATUSES

STATUSES = list(SLA_STATUSES)
MEASURED = ["met", "breached", "pending"]
COUNTED = ["met", "breached"]
EXPLAINED = ["waived", "not_covered", "not_measurable"]


def build() -> CheckedTable:
    return CheckedTable(
        table="core.fct_sla_obligations",
        columns={
            "obligation_key": TEXT,
            "ticket_id": TEXT,
            "obligation": TEXT,
            "status": TEXT,
            "status_reason": TEXT,
            "could_be": TEXT,
            "status_as_submitted": TEXT,
            "clause": TEXT,
            "plan_version": TEXT,
            "target_seconds": WHOLE,
            "elapsed_seconds": WHOLE,
            "remaining_seconds": WHOLE,
            "submitted_month": TEXT,
            "settled_month": TEXT,
            "starts_at": INSTANT,
            "settled_at": INSTANT,
            "as_of": INSTANT,
        },
        rows="""
            select
                obligation_key, ticket_id, status, status_reason, could_be, status_as_submitted, clause, plan_version,
                target_seconds, elapsed_seconds, submitted_month, settled_month, settled_at, as_of,
                elapsed_seconds + remaining_seconds = target_seconds as remainder_adds_up
            from core.fct_sla_obligations
        """,
        named_by=("obligation_key",),
        expectations=(
            expect_column_values_to_not_be_null(
                column="obligation_key",
                severity="critical",
                notes="The key joins a verdict to its segments and its report line.",
            ),
            expect_column_values_to_be_unique(
                column="obligation_key",
                severity="critical",
                notes="An obligation twice is counted twice in every percentage.",
            ),
            expect_column_values_to_not_be_null(
                column="ticket_id",
                severity="critical",
                notes="A verdict without a ticket cannot be explained.",
            ),
            expect_column_values_to_not_be_null(
                column="status",
                severity="critical",
                notes="Null would leave both the numerator and the denominator.",
            ),
            expect_column_values_to_be_in_set(
                column="status",
                value_set=STATUSES,
                severity="critical",
                notes="The set is closed: another status would be counted nowhere, without an error.",
            ),
            expect_column_values_to_be_in_set(
                column="status_as_submitted",
                value_set=STATUSES,
                severity="critical",
                notes="The verdict by the severity first submitted is a verdict of the same closed set.",
            ),
            expect_column_values_to_not_be_null(
                column="target_seconds",
                where=_status_in(MEASURED),
                severity="critical",
                notes="Met, breached and pending are judged against a target, so there must be one.",
            ),
            expect_column_values_to_be_between(
                column="target_seconds",
                min_value="1",
                where=_status_in(MEASURED),
                severity="critical",
                notes="A target of zero or less breaches every ticket.",
            ),
            expect_column_values_to_not_be_null(
                column="elapsed_seconds",
                where=_status_in(MEASURED),
                severity="critical",
                notes="Judged by elapsed time, so it must have been measured.",
            ),
            expect_column_values_to_be_between(
                column="elapsed_seconds",
                min_value="0",
                severity="critical",
                notes="Less than no time has passed: an answer was paired with a later start.",
            ),
            expect_column_pair_values_a_to_be_greater_than_b(
                column_a="target_seconds",
                column_b="elapsed_seconds",
                or_equal=True,
                where=_status_in(("met", "pending")),
                severity="critical",
                notes="Met means elapsed <= target, to the second; pending is not over target either.",
            ),
            expect_column_pair_values_a_to_be_greater_than_b(
                column_a="elapsed_seconds",
                column_b="target_seconds",
                where="status = 'breached'",
                severity="critical",
                notes="Breached means elapsed over target; exactly on target is met.",
            ),
            expect_column_values_to_be_in_set(
                column="remainder_adds_up",
                value_set=[True],
                where=_status_in(MEASURED),
                severity="critical",
                notes="People plan their day by what remains; it is the target less what has elapsed.",
            ),
            expect_column_values_to_not_be_null(
                column="clause",
                where=_status_in(MEASURED),
                severity="critical",
                notes="A verdict that names no clause of the plan cannot be defended before a customer.",
            ),
            expect_column_values_to_not_be_null(
                column="status_reason",
                where=_status_in(EXPLAINED),
                severity="critical",
                notes="What stays outside the percentage must say why, or it is a hiding place.",
            ),
            expect_column_values_to_be_in_set(
                column="could_be",
                value_set=["met", "breached", "either"],
                severity="critical",
                notes="The set is closed: another word would be in no bound of a percentage.",
            ),
            expect_column_values_to_not_be_null(
                column="could_be",
                where="status = 'not_measurable'",
                severity="critical",
                notes="What is not measurable widens the bounds of a percentage by what it could be.",
            ),
            expect_column_values_to_be_null(
                column="could_be",
                where=_status_in((*MEASURED, "waived", "not_covered")),
                severity="critical",
                notes="Where a verdict was found, or nothing was promised, nothing is undecided.",
            ),
            expect_column_values_to_not_be_null(
                column="settled_at",
                where=_status_in(COUNTED),
                severity="critical",
                notes="Met and breached count in the month of this instant.",
            ),
            expect_column_values_to_be_null(
                column="settled_at",
                where="status = 'pending'",
                severity="critical",
                notes="Pending means that nothing has settled it yet.",
            ),
            expect_column_pair_values_a_to_be_greater_than_b(
                column_a="as_of",
                column_b="settled_at",
                or_equal=True,
                severity="critical",
                notes="Nothing after the as_of instant is known, so nothing can have been settled by it.",
            ),
            expect_column_values_to_not_be_null(
                column="settled_month",
                where=_status_in(COUNTED),
                severity="critical",
                notes="Without its month a verdict is in no monthly figure.",
            ),
            expect_column_values_to_match_regex(
                column="settled_month",
                regex=MONTH_PATTERN,
                severity="critical",
                notes="Months are filtered and sorted as YYYY-MM.",
            ),
            expect_column_values_to_not_be_null(
                column="submitted_month",
                severity="critical",
                notes="The second cut of every figure is by submission.",
            ),
            expect_column_values_to_match_regex(
                column="submitted_month",
                regex=MONTH_PATTERN,
                severity="critical",
                notes="Months are filtered and sorted as YYYY-MM.",
            ),
        ),
    )


def _status_in(words: Collection[str]) -> str:
    listed = ", ".join(f"'{word}'" for word in words)
    return f"status in ({listed})"
