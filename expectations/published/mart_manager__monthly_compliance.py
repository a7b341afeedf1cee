"""Monthly compliance as it leaves: one row per basis, month, customer, plan, obligation, severity and group."""

from __future__ import annotations

from expectations.checked_table import (
    TEXT,
    WHOLE,
    CheckedTable,
    Expectation,
    expect_column_pair_values_to_be_equal,
    expect_column_values_to_be_between,
    expect_column_values_to_be_in_set,
    expect_column_values_to_match_regex,
    expect_column_values_to_not_be_null,
)
from expectations.published.months import MONTH_PATTERN

TABLE = "marts.mart_manager__monthly_compliance"
COUNTS = (
    "met_count",
    "breached_count",
    "pending_count",
    "waived_count",
    "not_covered_count",
    "not_measurable_count",
    "met_only_by_ai_count",
    "raw_met_count",
    "raw_breached_count",
    "lower_met_count",
    "upper_met_count",
    "bounded_count",
    "raw_lower_met_count",
    "raw_upper_met_count",
    "raw_bounded_count",
)


def expect_count(column: str) -> tuple[Expectation, ...]:
    return (
        expect_column_values_to_not_be_null(
            column=column,
            severity="critical",
            notes="Zero means assessed and none found; a mart has assessed every row.",
        ),
        expect_column_values_to_be_between(
            column=column,
            min_value="0",
            severity="critical",
            notes="A count below zero hides as many rows elsewhere in the sum.",
        ),
    )


def build() -> CheckedTable:
    return CheckedTable(
        table=TABLE,
        columns={
            "month_basis": TEXT,
            "month": TEXT,
            "customer_id": TEXT,
            "plan": TEXT,
            "obligation": TEXT,
            "severity": WHOLE,
            **dict.fromkeys(COUNTS, WHOLE),
        },
        rows=f"""
            select
                compliance.month_basis, compliance.month, compliance.customer_id,
                {", ".join(COUNTS)},
                customers.customer_id is not null as is_known_customer,
                raw_met_count + raw_breached_count between met_count + breached_count
                    and met_count + breached_count + waived_count as waivers_add_up,
                bounded_count = met_count + breached_count + not_measurable_count
                    and raw_bounded_count = raw_met_count + raw_breached_count + not_measurable_count
                    and lower_met_count between met_count and upper_met_count
                    and upper_met_count <= met_count + not_measurable_count
                    and raw_lower_met_count - raw_met_count = lower_met_count - met_count
                    and raw_upper_met_count - raw_met_count = upper_met_count - met_count as bounds_enclose
            from {TABLE} as compliance
            left join core.dim_customers as customers on customers.customer_id = compliance.customer_id
        """,
        named_by=("month_basis", "month", "customer_id"),
        expectations=(
            expect_column_values_to_be_in_set(
                column="month_basis",
                value_set=["settled", "submitted"],
                severity="critical",
                notes="Two labelled cuts of the same obligations; a third would be added to both in a total.",
            ),
            expect_column_values_to_not_be_null(
                column="month",
                where="month_basis = 'submitted'",
                severity="critical",
                notes="Every obligation was submitted in some month.",
            ),
            expect_column_values_to_match_regex(
                column="month",
                regex=MONTH_PATTERN,
                severity="critical",
                notes="Months are filtered and sorted as YYYY-MM.",
            ),
            expect_column_values_to_be_in_set(
                column="is_known_customer",
                value_set=[True],
                where="customer_id is not null",
                severity="critical",
                notes=(
                    "A figure of a customer that the dimension lacks is missing from every report, though "
                    "not from the total."
                ),
            ),
            expect_column_values_to_be_in_set(
                column="waivers_add_up",
                value_set=[True],
                severity="critical",
                notes=(
                    "A waiver takes a verdict out of the count and nothing else: raw verdicts are the "
                    "counted ones plus some waived."
                ),
            ),
            expect_column_values_to_be_in_set(
                column="bounds_enclose",
                value_set=[True],
                severity="critical",
                notes=(
                    "Bounds are what is met with none, and with all, of the not measurable ones that could be: "
                    "others would promise too much or too little."
                ),
            ),
            *(expectation for column in COUNTS for expectation in expect_count(column)),
        ),
    )


def build_totals() -> CheckedTable:
    """One row per basis and status: what the mart sums to, beside how many obligations there are."""
    statuses = [count.removesuffix("_count") for count in COUNTS[:6]]
    counts = ", ".join(f"{status}_count::bigint as {status}" for status in statuses)
    return CheckedTable(
        table=TABLE,
        topic="totals",
        columns={},
        rows=f"""
            with bases as (select unnest(['settled', 'submitted']) as month_basis),
            statuses as (select unnest({statuses!r}) as status),
            mart_counts as (
                unpivot (select month_basis, {counts} from {TABLE})
                on {", ".join(statuses)} into name status value quantity
            ),
            mart_totals as (
                select month_basis, status, sum(quantity)::bigint as mart_quantity
                from mart_counts
                group by month_basis, status
            ),
            obligation_totals as (
                select status, count(*) as obligation_quantity from core.fct_sla_obligations group by status
            )
            select
                bases.month_basis, statuses.status,
                coalesce(mart_totals.mart_quantity, 0) as mart_quantity,
                coalesce(obligation_totals.obligation_quantity, 0) as obligation_quantity
            from bases
            cross join statuses
            left join mart_totals
                on mart_totals.month_basis = bases.month_basis and mart_totals.status = statuses.status
            left join obligation_totals on obligation_totals.status = statuses.status
        """,
        named_by=("month_basis", "status"),
        expectations=(
            expect_column_pair_values_to_be_equal(
                column_a="mart_quantity",
                column_b="obligation_quantity",
                severity="critical",
                notes=(
                    "Every obligation is counted once on each basis, so any total reconciles to the ticket "
                    "list."
                ),
            ),
        ),
    )
