"""The checks with the real Great Expectations: good passes, each fault is named."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import duckdb
import pytest

from expectations.checked_table import (
    TEXT,
    CheckedTable,
    expect_column_pair_values_a_to_be_greater_than_b,
    expect_column_values_to_be_between,
    expect_column_values_to_be_unique,
    expect_column_values_to_match_regex,
    expect_column_values_to_not_be_null,
    expect_compound_columns_to_be_unique,
)
from expectations.landed import build_landed
from expectations.published import build_published
from pipeline.quality.check_tables import CheckResult, check_published, check_tables
from pipeline.settings import CHECKOUT
from tests.unit.quality.small_tables import make_landed, make_published


@pytest.fixture
def landed():
    with make_landed() as connection:
        yield connection


@pytest.fixture
def published():
    with make_published() as connection:
        yield connection


# All landed rows at once, and no batches: what is of some sources alone is of the rows of these.
LANDED = [
    table
    if table.sources is None
    else replace(table, rows=f"select * from ({table.rows}) where source in ({table.sources})", sources=None)
    for table in build_landed()
]


def check_landed(connection: duckdb.DuckDBPyConnection) -> list[CheckResult]:
    return check_tables(connection, "landed", LANDED)


def not_passed(results: list[CheckResult]) -> set[tuple[str, str, str | None, str, str]]:
    """Table (its last word), expectation, column, severity and status of what did not pass."""
    return {
        (each.table.split(".")[-1], each.expectation, each.column, each.severity, each.status)
        for each in results
        if each.status != "passed"
    }


class ChecksAfter:
    """The checks of a suite of which good tables fail none, run again where a fault changes the rows that they see.

    A check is a function of its rows, so it still passes where they are the same; two or three of fifteen tables are checked.
    """

    def __init__(self, suite: str, make: Callable[[], Any], tables: Sequence[CheckedTable]) -> None:
        self._suite, self._tables = suite, tables
        with make() as connection:
            self._seen = {table.suite_name: self._look(connection, table) for table in tables}

    @staticmethod
    def _look(connection: duckdb.DuckDBPyConnection, table: CheckedTable) -> object:
        columns = connection.execute(f"describe {table.table}").fetchall()
        return columns, sorted(map(repr, connection.execute(table.query).fetchall()))

    def find(self, connection: duckdb.DuckDBPyConnection, fault: str) -> set[tuple[Any, ...]]:
        connection.execute(fault)
        changed = [one for one in self._tables if self._look(connection, one) != self._seen[one.suite_name]]
        return not_passed(check_tables(connection, self._suite, changed))


@pytest.fixture(scope="module")
def landed_after() -> ChecksAfter:
    return ChecksAfter("landed", make_landed, LANDED)


@pytest.fixture(scope="module")
def published_after() -> ChecksAfter:
    return ChecksAfter("published", make_published, build_published())


def test_landed_checks_pass_on_good_tables(landed):
    results = check_landed(landed)
    assert not_passed(results) == set()
    assert {each.table for each in results} == {
        f"raw.{table}"
        for table in (
            "ticket_versions", "ticket_versions (organizations)", "ticket_changes", "ticket_changes (records)",
            "ticket_messages", "people",
            "organizations", "gaps", "vendor_sla_figures",
        )
    }  # fmt: skip


def test_published_checks_pass_on_good_tables(published):
    results = check_published(published)
    assert not_passed(results) == set()
    assert len({each.table for each in results}) == 16


# Each fault, and what must be found of it: nothing else may fail along with it.
PAIR = "column_pair_values_a_to_be_greater_than_b"
LANDED_FAULTS = [
    ("update raw.ticket_versions set ticket_id = null where ticket_id = 'T-1'",
     ("ticket_versions", "column_values_to_not_be_null", "ticket_id", "critical", "failed")),
    ("update raw.ticket_versions set line_number = 2, ticket_id = 'T-1', updated_at = null where ticket_id like 'T%'",
     ("ticket_versions", "compound_columns_to_be_unique",
      "batch_id, line_number, line_place, ticket_id, update_number, updated_at", "critical", "failed")),
    ("update raw.ticket_versions set submitted_at = null where ticket_id = 'T-2'",
     ("ticket_versions", "column_values_to_not_be_null", "submitted_at", "critical", "failed")),
    ("update raw.ticket_versions set updated_at = timestamp '2026-05-31 08:00:00' where ticket_id = 'T-1'",
     ("ticket_versions", PAIR, "updated_at, submitted_at", "warning", "failed")),
    ("update raw.ticket_versions set version_kind = 'log' where ticket_id = 'T-1'",
     ("ticket_versions", "column_values_to_be_in_set", "version_kind", "critical", "failed")),
    ("update raw.ticket_versions set evidence = 'messages everything' where ticket_id = 'Z-1'",
     ("ticket_versions", "column_values_to_match_regex", "evidence", "critical", "failed")),
    ("update raw.ticket_versions set customer_id = null where ticket_id = 'T-1'",
     ("ticket_versions", "column_values_to_not_be_null", "customer_id", "warning", "failed")),
    ("update raw.ticket_versions set severity = 'Urgent' where ticket_id in ('T-2', 'Z-1')",
     ("ticket_versions", "column_values_to_be_in_set", "severity", "warning", "failed")),
    ("update raw.ticket_versions set status = null where ticket_id in ('T-1', 'INC-1')",
     ("ticket_versions", "column_values_to_not_be_null", "status", "warning", "failed")),
    ("update raw.ticket_versions set update_number = -1 where ticket_id = 'INC-1'",
     ("ticket_versions", "column_values_to_be_between", "update_number", "warning", "failed")),
    ("update raw.ticket_versions set reopen_count = -1 where ticket_id = 'INC-1'",
     ("ticket_versions", "column_values_to_be_between", "reopen_count", "warning", "failed")),
    # Of the sources whose customers are organizations alone.
    ("update raw.ticket_versions set organization_id = null",
     ("ticket_versions (organizations)", "column_values_to_not_be_null", "organization_id", "warning", "failed")),
    ("update raw.ticket_changes set change_id = null where change_id = 'A-1'",
     ("ticket_changes", "column_values_to_not_be_null", "change_id", "critical", "failed")),
    ("insert into raw.ticket_changes select * from raw.ticket_changes where change_id = 'A-1'",
     ("ticket_changes", "compound_columns_to_be_unique", "batch_id, line_number, change_id, place", "critical", "failed")),
    ("update raw.ticket_changes set changed_at = null where change_id = 'A-1'",
     ("ticket_changes", "column_values_to_not_be_null", "changed_at", "critical", "failed")),
    ("update raw.ticket_changes set earliest_at = timestamp '2026-06-01 08:11:00' where change_kind = 'date'",
     ("ticket_changes", PAIR, "changed_at, earliest_at", "critical", "failed")),
    ("update raw.ticket_changes set change_kind = 'moved' where change_id = 'A-1'",
     ("ticket_changes", "column_values_to_be_in_set", "change_kind", "critical", "failed")),
    ("update raw.ticket_changes set field_name = null where change_id = 'A-1'",
     ("ticket_changes", "column_values_to_not_be_null", "field_name", "critical", "failed")),
    ("update raw.ticket_changes set field_name = 'phone_call' where change_id in ('A-1', 'E-2')",
     ("ticket_changes", "column_values_to_be_in_set", "field_name", "critical", "failed")),
    ("update raw.ticket_changes set author_kind = 'robot' where change_id = 'E-2'",
     ("ticket_changes", "column_values_to_be_in_set", "author_kind", "critical", "failed")),
    ("update raw.ticket_changes set update_number = -1 where update_number = 1",
     ("ticket_changes", "column_values_to_be_between", "update_number", "warning", "failed")),
    ("update raw.ticket_changes set value = null where change_id in ('E-2', 'audit:C-1')",
     ("ticket_changes", "column_values_to_not_be_null", "value", "warning", "failed")),
    # A date a second before the submission on its line; a change of an audit is held against nothing.
    ("update raw.ticket_changes set earliest_at = null, changed_at = timestamp '2026-06-01 07:59:59' "
     "where change_id in ('A-1', 'INC-2::status_changed:solved')",
     ("ticket_changes", PAIR, "changed_at, submitted_at", "warning", "failed")),
    # The same id in another source is another record.
    ("update raw.ticket_versions set source = 'other' where record_id = 'S-1'",
     ("ticket_changes (records)", "column_values_to_be_in_set", "is_ticket_known", "warning", "failed")),
    ("update raw.ticket_messages set message_id = null where message_id = 'E-1'",
     ("ticket_messages", "column_values_to_not_be_null", "message_id", "critical", "failed")),
    ("insert into raw.ticket_messages select * from raw.ticket_messages where message_id = 'E-1'",
     ("ticket_messages", "compound_columns_to_be_unique",
      "batch_id, line_number, message_id, update_id", "critical", "failed")),
    ("update raw.ticket_messages set ticket_id = null where message_id = 'E-1'",
     ("ticket_messages", "column_values_to_not_be_null", "ticket_id", "critical", "failed")),
    ("update raw.ticket_messages set said_at = null where message_id = 'E-1'",
     ("ticket_messages", "column_values_to_not_be_null", "said_at", "critical", "failed")),
    ("update raw.ticket_messages set earliest_at = timestamp '2026-06-01 09:01:00' where message_kind = 'date'",
     ("ticket_messages", PAIR, "said_at, earliest_at", "critical", "failed")),
    ("update raw.ticket_messages set message_kind = 'phone' where message_id = 'F-1'",
     ("ticket_messages", "column_values_to_be_in_set", "message_kind", "critical", "failed")),
    ("update raw.ticket_messages set author_kind = 'robot' where message_id = 'E-1'",
     ("ticket_messages", "column_values_to_be_in_set", "author_kind", "critical", "failed")),
    ("update raw.ticket_messages set is_public = null where message_id in ('E-1', 'F-1')",
     ("ticket_messages", "column_values_to_not_be_null", "is_public", "warning", "failed")),
    ("update raw.ticket_messages set author_id = null where message_id in ('E-1', 'A-2:message')",
     ("ticket_messages", "column_values_to_not_be_null", "author_id", "warning", "failed")),
    ("update raw.people set person_id = null",
     ("people", "column_values_to_not_be_null", "person_id", "critical", "failed")),
    ("insert into raw.people select * from raw.people",
     ("people", "compound_columns_to_be_unique", "batch_id, line_number, person_id", "critical", "failed")),
    ("update raw.people set role = 'owner'",
     ("people", "column_values_to_be_in_set", "role", "warning", "failed")),
    ("update raw.people set role = null",
     ("people", "column_values_to_not_be_null", "role", "warning", "failed")),
    ("update raw.organizations set organization_id = null",
     ("organizations", "column_values_to_not_be_null", "organization_id", "critical", "failed")),
    ("insert into raw.organizations select * from raw.organizations",
     ("organizations", "compound_columns_to_be_unique", "batch_id, line_number, organization_id", "critical", "failed")),
    ("update raw.gaps set ticket_id = null where ticket_id = 'T-1'",
     ("gaps", "column_values_to_not_be_null", "ticket_id", "critical", "failed")),
    ("update raw.gaps set evidence = 'some' where ticket_id = 'T-1'",
     ("gaps", "column_values_to_be_in_set", "evidence", "critical", "failed")),
    ("update raw.vendor_sla_figures set ticket_id = null",
     ("vendor_sla_figures", "column_values_to_not_be_null", "ticket_id", "critical", "failed")),
    ("update raw.vendor_sla_figures set figure_kind = 'guess'",
     ("vendor_sla_figures", "column_values_to_be_in_set", "figure_kind", "critical", "failed")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "found"), LANDED_FAULTS, ids=[found[0] + "-" + found[2] for _, found in LANDED_FAULTS]
)
def test_landed_checks_find_one_fault(landed, landed_after, fault, found):
    assert landed_after.find(landed, fault) == {found}


OBLIGATIONS = "fct_sla_obligations"
MART = "mart_manager__monthly_compliance"
BALANCES = "mart_account__entitlement_balances"
FORECASTS = "mart_account__entitlement_forecasts"
TOTALS = (
    f"{MART} (totals)",
    "column_pair_values_to_be_equal",
    "mart_quantity, obligation_quantity",
    "critical",
    "failed",
)
PUBLISHED_FAULTS = [
    ("source that lags behind the others",
     "update core.dim_sources set is_lagging = true",
     {("dim_sources", "column_values_to_be_in_set", "is_lagging", "warning", "failed")}),
    ("one second over target and still met",
     "update core.fct_sla_obligations set elapsed_seconds = 86401, remaining_seconds = -1 "
     "where status = 'met'",
     {(OBLIGATIONS, PAIR, "target_seconds, elapsed_seconds", "critical", "failed")}),
    ("exactly on target and yet breached",
     "update core.fct_sla_obligations set elapsed_seconds = 86400, remaining_seconds = 0 "
     "where status = 'breached'",
     {(OBLIGATIONS, PAIR, "elapsed_seconds, target_seconds", "critical", "failed")}),
    ("same key twice",
     "update core.fct_sla_obligations set obligation_key = 'O-1'",
     {(OBLIGATIONS, "column_values_to_be_unique", "obligation_key", "critical", "failed")}),
    ("no reason given",
     "update core.fct_sla_obligations set status_reason = null",
     {(OBLIGATIONS, "column_values_to_not_be_null", "status_reason", "critical", "failed")}),
    ("no target",
     "update core.fct_sla_obligations set target_seconds = null where status = 'met'",
     {(OBLIGATIONS, "column_values_to_not_be_null", "target_seconds", "critical", "failed")}),
    ("target of zero",
     "update core.fct_sla_obligations set target_seconds = 0, remaining_seconds = -elapsed_seconds "
     "where status = 'breached'",
     {(OBLIGATIONS, "column_values_to_be_between", "target_seconds", "critical", "failed")}),
    ("remainder does not add up",
     "update core.fct_sla_obligations set remaining_seconds = 1 where status = 'met'",
     {(OBLIGATIONS, "column_values_to_be_in_set", "remainder_adds_up", "critical", "failed")}),
    ("thirteenth month",
     "update core.fct_sla_obligations set settled_month = '2026-13' where status = 'met'",
     {(OBLIGATIONS, "column_values_to_match_regex", "settled_month", "critical", "failed")}),
    ("settled in the future",
     "update core.fct_sla_obligations set settled_at = timestamp '2026-07-01 00:00:01' where status = 'met'",
     {(OBLIGATIONS, PAIR, "as_of, settled_at", "critical", "failed")}),
    ("count below zero",
     "update marts.mart_manager__monthly_compliance set pending_count = -1",
     {(MART, "column_values_to_be_between", "pending_count", "critical", "failed"),
      TOTALS}),
    ("obligation lost on one basis",
     "delete from marts.mart_manager__monthly_compliance where month_basis = 'settled'",
     {TOTALS}),
    ("unknown customer",
     "update marts.mart_manager__monthly_compliance set customer_id = 'other'",
     {(MART, "column_values_to_be_in_set", "is_known_customer", "critical", "failed")}),
    ("waiver that adds a verdict",
     "update marts.mart_manager__monthly_compliance set raw_met_count = 2, raw_bounded_count = 3, raw_lower_met_count = 2, "
     "raw_upper_met_count = 2",
     {(MART, "column_values_to_be_in_set", "waivers_add_up", "critical", "failed")}),
    ("bounds that leave an undecided promise out",
     "update marts.mart_manager__monthly_compliance set bounded_count = 1",
     {(MART, "column_values_to_be_in_set", "bounds_enclose", "critical", "failed")}),
    ("verdict that could be another",
     "update core.fct_sla_obligations set could_be = 'either' where status = 'met'",
     {(OBLIGATIONS, "column_values_to_be_null", "could_be", "critical", "failed")}),
    ("ledger lost a movement",
     f"update marts.{BALANCES} set used_quantity = 4 where pool = 'regular'",
     {(BALANCES, "column_values_to_be_in_set", "balance_adds_up", "critical", "failed")}),
    ("silent negative instead of overage",
     f"update marts.{BALANCES} set remaining_quantity = -overage_quantity, overage_quantity = 0 "
     "where pool = 'level_5'",
     {(BALANCES, "column_values_to_be_between", "remaining_quantity", "critical", "failed")}),
    ("chance where there were too few tickets to say",
     f"update marts.{FORECASTS} set forecast_status = 'too_few_tickets'",
     {(FORECASTS, "column_values_to_be_in_set", "is_said_when_known", "critical", "failed")}),
    ("late date before the early one",
     f"update marts.{FORECASTS} set exhausted_on_mid = date '2026-10-31'",
     {(FORECASTS, "column_values_to_be_in_set", "is_in_order", "critical", "failed")}),
    ("forecast from another balance",
     f"update marts.{FORECASTS} set remaining_quantity = 12",
     {(FORECASTS, "column_values_to_be_in_set", "is_balance_equal", "critical", "failed")}),
    ("line that does not run on",
     "update core.fct_entitlement_movements set balance_after = 8 where movement_id = 'M-2'",
     {("fct_entitlement_movements", "column_values_to_be_in_set", "balance_runs_on", "critical", "failed")}),
    ("unit given back that was never taken",
     "update core.fct_entitlement_movements set undoes_movement_id = 'M-9' where movement_id = 'M-3'",
     {("fct_entitlement_movements", "column_values_to_be_in_set", "undoes_an_earlier_line", "critical", "failed")}),
    ("unit given back to another pool",
     "update core.fct_entitlement_movements set undoes_movement_id = 'M-4' where movement_id = 'M-3'",
     {("fct_entitlement_movements", "column_values_to_be_in_set", "undoes_an_earlier_line", "critical", "failed")}),
    ("unit of no cause",
     "update core.fct_entitlement_movements set cause_id = null where movement_id = 'M-2'",
     {("fct_entitlement_movements", "column_values_to_not_be_null", "cause_id", "critical", "failed")}),
    ("month that lost a line",
     "update core.fct_entitlement_months set closing_quantity = 11 where month = '2026-06'",
     {("fct_entitlement_months", "column_values_to_be_in_set", "month_adds_up", "critical", "failed")}),
    ("month that opens with another balance",
     "update core.fct_entitlement_months set opening_quantity = 8, closing_quantity = 9 where month = '2026-06'",
     {("fct_entitlement_months", "column_values_to_be_in_set", "month_follows_on", "critical", "failed")}),
    ("figure twice",
     "insert into core.fct_vendor_sla_figures select * from core.fct_vendor_sla_figures",
     {("fct_vendor_sla_figures", "column_values_to_be_unique", "vendor_figure_key", "critical", "failed")}),
    ("alert of tomorrow",
     "update marts.mart_account__alerts set raised_at = timestamp '2026-07-02'",
     {("mart_account__alerts", PAIR, "known_epoch, raised_epoch", "critical", "failed")}),
    ("alert at a limit that is not stated",
     "update marts.mart_account__alerts set threshold_pct = null",
     {("mart_account__alerts", "column_values_to_not_be_null", "threshold_pct", "critical", "failed")}),
    ("finding of a kind without a sentence",
     "update qc.rpt_qc__findings set finding = 'odd'",
     {("rpt_qc__findings", "column_values_to_be_in_set", "is_known_kind", "critical", "failed")}),
    ("ticket twice",
     "insert into core.dim_tickets select * from core.dim_tickets limit 1",
     {("dim_tickets", "column_values_to_be_unique", "ticket_id", "critical", "failed")}),
    ("report of no time zone",
     "update marts.mart_customer__monthly_report set time_zone = null",
     {("mart_customer__monthly_report", "column_values_to_not_be_null", "time_zone", "critical", "failed")}),
    ("promise twice in a report",
     "insert into marts.mart_customer__monthly_promises select * from marts.mart_customer__monthly_promises",
     {("mart_customer__monthly_promises", "compound_columns_to_be_unique", "customer_id, month, promise", "critical",
       "failed")}),
    ("promise to no level",
     "update marts.mart_customer__monthly_promises set severities = null",
     {("mart_customer__monthly_promises", "column_values_to_not_be_null", "severities", "critical", "failed")}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "found"), [case[1:] for case in PUBLISHED_FAULTS], ids=[case[0] for case in PUBLISHED_FAULTS]
)
def test_published_checks_find_one_fault(published, published_after, fault, found):
    assert published_after.find(published, fault) == found


def test_landed_checks_only_warn_about_one_odd_instant_in_a_hundred(landed):
    landed.execute("""
        insert into raw.ticket_versions by name
        select 'b2' as batch_id, line_number, 'N-' || line_number as ticket_id, 'acme' as customer_id,
            '3' as severity,
            timestamp '2026-06-01' as submitted_at
        from range(98) as lines (line_number)
    """)
    landed.execute(
        "update raw.ticket_versions set submitted_at = timestamp '1970-01-01' where ticket_id = 'N-1'"
    )
    instants = ("ticket_versions", "column_values_to_be_between", "submitted_at")
    assert not_passed(check_landed(landed)) == {(*instants, "warning", "failed")}
    landed.execute(
        "update raw.ticket_versions set submitted_at = timestamp '1970-01-01' where ticket_id = 'N-2'"
    )
    assert not_passed(check_landed(landed)) == {
        (*instants, "warning", "failed"),
        (*instants, "critical", "failed"),
    }


def test_check_of_empty_table_looks_at_its_schema_only(landed):
    landed.execute("delete from raw.ticket_versions")
    results = [each for each in check_landed(landed) if each.table == "raw.ticket_versions"]
    assert [(each.expectation, each.status) for each in results] == [("has_columns", "passed")]


def test_check_of_empty_table_names_a_column_that_is_missing_or_of_another_kind(landed):
    landed.execute("delete from raw.people")
    landed.execute("alter table raw.people drop column role")
    landed.execute("alter table raw.people alter column line_number type varchar")
    (result,) = [each for each in check_landed(landed) if each.table == "raw.people"]
    assert (result.expectation, result.status, result.severity) == ("has_columns", "failed", "critical")
    assert result.observed == "line_number is VARCHAR; role is missing"


def test_check_of_missing_table_is_an_error_and_stops_publishing(published):
    published.execute("drop table marts.mart_customer__monthly_report")
    (result,) = [each for each in check_published(published) if each.status != "passed"]
    assert (result.expectation, result.status, result.observed) == (
        "can_be_read",
        "error",
        "CatalogException",
    )
    assert result.stops_publishing


def test_an_expectation_that_cannot_be_evaluated_is_an_error_and_the_others_have_their_answers():
    connection = duckdb.connect()
    connection.execute("create table people as select 'Erika Mustermann' as person")
    raising = expect_column_values_to_be_between(
        column="person", min_value="3", severity="warning", notes="n"
    )
    holding = expect_column_values_to_not_be_null(column="person", severity="critical", notes="n")
    table = CheckedTable(table="people", columns={"person": TEXT}, expectations=(raising, holding))
    results = check_tables(connection, "landed", [table])
    (broken,) = [each for each in results if each.status != "passed"]
    assert (broken.status, broken.severity, broken.column) == ("error", "warning", "person")
    assert broken.observed == "not evaluated: BinderException"
    assert not broken.stops_publishing
    assert len(results) == 3


def test_checks_are_an_error_when_the_suite_evaluates_nothing():
    connection = duckdb.connect()
    connection.execute("create table people as select 'a person' as person")
    table = CheckedTable(table="people", columns={"person": TEXT}, expectations=())
    results = check_tables(connection, "landed", [table])
    assert [(each.expectation, each.status) for each in results] == [
        ("has_columns", "passed"),
        ("evaluates_something", "error"),
    ]
    assert results[1].stops_publishing


def check_values(values: str, *expectations: Any, named_by: tuple[str, ...] = ()) -> list[CheckResult]:
    """The results of expectations about rows (number, a, b), written as SQL values."""
    connection = duckdb.connect()
    connection.execute(f"create table seen as select * from (values {values}) as rows (number, a, b)")
    table = CheckedTable("seen", {}, expectations, rows="select number, a, b from seen", named_by=named_by)
    return check_tables(connection, "landed", [table])


def test_a_missing_value_breaks_no_expectation_but_that_it_is_there():
    results = check_values(
        "(1, null, null), (2, 'b', 'a'), (3, 'c', null), (4, null, 'd')",
        expect_column_values_to_be_unique(column="a", severity="critical", notes="n"),
        expect_column_values_to_match_regex(column="a", regex="[a-c]", severity="critical", notes="n"),
        expect_column_pair_values_a_to_be_greater_than_b(
            column_a="a", column_b="b", severity="critical", notes="n"
        ),
    )
    assert {each.status for each in results} == {"passed"}
    [missing] = check_values(
        "(1, null, null), (2, 'b', 'a'), (3, 'c', null), (4, null, 'd')",
        expect_column_values_to_not_be_null(column="a", severity="critical", notes="n"),
    )
    assert (missing.status, missing.observed) == ("failed", "2 of 4 rows break it")


def test_every_row_that_shares_its_values_is_counted_and_missing_values_are_equal():
    [result] = check_values(
        "(1, null, 'x'), (2, null, 'x'), (3, 'a', 'x'), (4, 'a', 'y'), (5, 'b', 'y'), (6, 'b', 'y')",
        expect_compound_columns_to_be_unique(column_list=["a", "b"], severity="critical", notes="n"),
        named_by=("number",),
    )
    assert result.status == "failed"
    assert result.observed == "4 of 6 rows break it, such as number 1; number 2; number 5"


@pytest.mark.parametrize(("broken", "status"), [(5, "passed"), (6, "failed")])
def test_an_expectation_of_most_rows_holds_up_to_its_share_of_those_that_have_a_value(broken, status):
    # 100 rows with a value, and as many without, which say nothing.
    rows = [(number, -1 if number < broken else 1) for number in range(100)]
    values = ", ".join(f"({number}, {value}, null)" for number, value in rows)
    nothing = ", ".join(f"({number}, null, null)" for number in range(100, 200))
    [result] = check_values(
        f"{values}, {nothing}",
        expect_column_values_to_be_between(
            column="a", min_value="0", mostly=0.95, severity="critical", notes="n"
        ),
    )
    assert (result.status, result.observed) == (status, f"{broken} of 200 rows break it")


def test_check_results_hold_no_value_of_a_row(landed):
    landed.execute(
        "update raw.ticket_changes set author_kind = 'erika@example.com', value = 'erika@example.com'"
    )
    landed.execute("update raw.people set role = 'erika@example.com'")
    results = check_landed(landed)
    assert any(each.status == "failed" for each in results)
    assert "erika" not in repr(results)


def test_every_expectation_gives_a_severity_and_a_reason_of_its_own():
    for table in (*build_landed(), *build_published()):
        for expectation in table.expectations:
            assert expectation.severity in ("critical", "warning")
            assert expectation.notes and expectation.notes.endswith("."), table.suite_name


def test_importing_the_checks_does_not_import_great_expectations():
    import subprocess
    import sys

    names = "'great_expectations' in sys.modules, 'pandas' in sys.modules"
    code = f"import sys, pipeline.quality.check_tables; print({names})"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert answer.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("loaded", ["nothing", "pyspark", "pyspark.sql"])
def test_checks_run_where_spark_is_installed_and_the_main_module_has_no_file(tmp_path, loaded):
    # What Spark does in a process of `python -c`, when Great Expectations imports it: it ends the process, with 0.
    spark = tmp_path / "pyspark"
    (spark / "sql" / "connect").mkdir(parents=True)
    ends = "raise SystemExit(0)\n"
    (spark / "__init__.py").write_text(ends if loaded == "nothing" else "")
    (spark / "sql" / "__init__.py").write_text("")
    (spark / "sql" / "connect" / "__init__.py").write_text(ends)
    program = (
        f"{'' if loaded == 'nothing' else f'import {loaded}'}\n"
        "from tests.unit.quality.small_tables import make_landed\n"
        "from expectations.landed import build_landed\n"
        "from pipeline.quality import judge_counts\n"
        "from pipeline.quality.check_tables import check_tables\n"
        "judge_counts._read_kept = lambda *of_this: None\n"
        "with make_landed() as connection: print(len(check_tables(connection, 'landed', build_landed())), 'checks')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "checks" in done.stdout, done.stderr
