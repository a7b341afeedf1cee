"""Obligations as they leave: one row per ticket, promise and cycle, each with its verdict."""

from __future__ import annotations

from great_expectations.expectations import (
    ExpectColumnPairValuesAToBeGreaterThanB,
    ExpectColumnValuesToBeBetween,
    ExpectColumnValuesToBeInSet,
    ExpectColumnValuesToBeNull,
    ExpectColumnValuesToBeUnique,
    ExpectColumnValuesToMatchRegex,
    ExpectColumnValuesToNotBeNull,
)
from great_expectations.expectations.row_conditions import Column

from expectations.checked_table import INSTANT, TEXT, WHOLE, CheckedTable
from expectations.published.months import MONTH_PATTERN
from pipeline.vocabulary import SLA_STATUSES

STATUSES = list(SLA_STATUSES)
MEASURED = ["met", "breached", "pending"]
COUNTED = ["met", "breached"]
EXPLAINED = ["waived", "not_covered", "not_measurable"]

status = Column("status")


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
        expectations=(
            ExpectColumnValuesToNotBeNull(
                column="obligation_key",
                severity="critical",
                notes="The key joins a verdict to its segments and its report line.",
            ),
            ExpectColumnValuesToBeUnique(
                column="obligation_key",
                severity="critical",
                notes="An obligation twice is counted twice in every percentage.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="ticket_id",
                severity="critical",
                notes="A verdict without a ticket cannot be explained.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="status",
                severity="critical",
                notes="Null would leave both the numerator and the denominator.",
            ),
            ExpectColumnValuesToBeInSet(
                column="status",
                value_set=STATUSES,
                severity="critical",
                notes="The set is closed: another status would be counted nowhere, without an error.",
            ),
            ExpectColumnValuesToBeInSet(
                column="status_as_submitted",
                value_set=STATUSES,
                severity="critical",
                notes="The verdict by the severity first submitted is a verdict of the same closed set.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="target_seconds",
                row_condition=status.is_in(MEASURED),
                severity="critical",
                notes="Met, breached and pending are judged against a target, so there must be one.",
            ),
            ExpectColumnValuesToBeBetween(
                column="target_seconds",
                min_value=1,
                row_condition=status.is_in(MEASURED),
                severity="critical",
                notes="A target of zero or less breaches every ticket.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="elapsed_seconds",
                row_condition=status.is_in(MEASURED),
                severity="critical",
                notes="Judged by elapsed time, so it must have been measured.",
            ),
            ExpectColumnValuesToBeBetween(
                column="elapsed_seconds",
                min_value=0,
                severity="critical",
                notes="Less than no time has passed: an answer was paired with a later start.",
            ),
            ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="target_seconds",
                column_B="elapsed_seconds",
                or_equal=True,
                row_condition=status.is_in(["met", "pending"]),
                ignore_row_if="either_value_is_missing",
                severity="critical",
                notes="Met means elapsed <= target, to the second; pending is not over target either.",
            ),
            ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="elapsed_seconds",
                column_B="target_seconds",
                row_condition=status == "breached",
                ignore_row_if="either_value_is_missing",
                severity="critical",
                notes="Breached means elapsed over target; exactly on target is met.",
            ),
            ExpectColumnValuesToBeInSet(
                column="remainder_adds_up",
                value_set=[True],
                row_condition=status.is_in(MEASURED),
                severity="critical",
                notes="People plan their day by what remains; it is the target less what has elapsed.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="clause",
                row_condition=status.is_in(MEASURED),
                severity="critical",
                notes="A verdict that names no clause of the plan cannot be defended before a customer.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="status_reason",
                row_condition=status.is_in(EXPLAINED),
                severity="critical",
                notes="What stays outside the percentage must say why, or it is a hiding place.",
            ),
            ExpectColumnValuesToBeInSet(
                column="could_be",
                value_set=["met", "breached", "either"],
                severity="critical",
                notes="The set is closed: another word would be in no bound of a percentage.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="could_be",
                row_condition=status == "not_measurable",
                severity="critical",
                notes="What is not measurable widens the bounds of a percentage by what it could be.",
            ),
            ExpectColumnValuesToBeNull(
                column="could_be",
                row_condition=status.is_in([*MEASURED, "waived", "not_covered"]),
                severity="critical",
                notes="Where a verdict was found, or nothing was promised, nothing is undecided.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="settled_at",
                row_condition=status.is_in(COUNTED),
                severity="critical",
                notes="Met and breached count in the month of this instant.",
            ),
            ExpectColumnValuesToBeNull(
                column="settled_at",
                row_condition=status == "pending",
                severity="critical",
                notes="Pending means that nothing has settled it yet.",
            ),
            ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="as_of",
                column_B="settled_at",
                or_equal=True,
                ignore_row_if="either_value_is_missing",
                severity="critical",
                notes="Nothing after the as_of instant is known, so nothing can have been settled by it.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="settled_month",
                row_condition=status.is_in(COUNTED),
                severity="critical",
                notes="Without its month a verdict is in no monthly figure.",
            ),
            ExpectColumnValuesToMatchRegex(
                column="settled_month",
                regex=MONTH_PATTERN,
                severity="critical",
                notes="Months are filtered and sorted as YYYY-MM.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="submitted_month",
                severity="critical",
                notes="The second cut of every figure is by submission.",
            ),
            ExpectColumnValuesToMatchRegex(
                column="submitted_month",
                regex=MONTH_PATTERN,
                severity="critical",
                notes="Months are filtered and sorted as YYYY-MM.",
            ),
        ),
    )
