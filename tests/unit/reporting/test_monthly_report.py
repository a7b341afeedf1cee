from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipeline.errors import ChecksFailed, ConfigurationError
from pipeline.reporting.monthly_report import (
    read_monthly_report,
)
from pipeline.reporting.published import EVERY_CUSTOMER, Published, Ratio, Scope, open_published
from pipeline.reporting.status import UntranslatedLocale, read_status
from tests.unit.published_models import build_mart
from tests.unit.reporting.published_build import ODD_NAME, publish

ACME = Scope(("acme",))


def test_monthly_report_holds_every_promise_also_those_that_nothing_fell_under(published: Published) -> None:
    report = read_monthly_report(published, ACME, "acme", "2026-06")
    assert [(row.obligation, row.severities, row.tally.counted) for row in report.promises] == [
        ("first_response", (1, 2, 3, 4), 2),
        ("first_response", (5,), 0),
        ("debug_analysis", (1, 2, 3, 4, 5), 0),
    ]
    assert report.customer_name == ODD_NAME
    assert report.still_running == ()


def test_monthly_report_promises_add_up_to_the_total(published: Published) -> None:
    report = read_monthly_report(published, ACME, "acme", "2026-07")
    assert sum((row.tally for row in report.promises), report.outside_promises) == report.total
    assert [row.running for row in report.promises] == [1, 0, 0]
    assert [row.ticket_id for row in report.still_running] == ["T-6"]
    assert report.previous_total.compliance == Ratio(1, 2)
    assert [waiver.reason for waiver in report.waivers] == ["Customer's own network was down"]


def test_monthly_report_compares_a_promise_with_the_same_one_of_an_earlier_plan_version(
    tmp_path: Path,
) -> None:
    # June's version promises the same first response as July's, and debug analysis in 71 h instead of 72 h.
    workspace = publish(tmp_path)
    with duckdb.connect(str(workspace.published / "build-1.duckdb")) as connection:
        connection.execute("""
            update core.fct_sla_obligations set plan_version = 'standard@2019' where submitted_month = '2026-06';
            insert into core.dim_plan_terms by name
            select * replace (
                'standard@2019' as plan_version,
                target_seconds - if(obligation = 'first_response', 0, 3600) as target_seconds)
            from core.dim_plan_terms;
            update core.dim_plan_versions set valid_from = '2026-07-01';
            insert into core.dim_plan_versions by name
            select * replace ('standard@2019' as plan_version, '2019-01-01' as valid_from, '2026-07-01' as valid_to)
            from core.dim_plan_versions;
        """)
        build_mart(connection, "mart_customer__monthly_promises")
    with open_published(workspace) as published:
        june, july = (read_monthly_report(published, ACME, "acme", month) for month in ("2026-06", "2026-07"))
    assert [(row.target_seconds, row.tally.compliance) for row in june.promises] == [
        (24 * 3600, Ratio(1, 2)),
        (8 * 3600, Ratio(0, 0)),
        (71 * 3600, Ratio(0, 0)),
    ]
    assert [(row.target_seconds, row.previous.compliance) for row in july.promises] == [
        (24 * 3600, Ratio(1, 2)),
        (8 * 3600, Ratio(0, 0)),
        (72 * 3600, Ratio(0, 0)),
    ]


def test_monthly_report_names_the_closed_days_of_the_month_in_the_plans_time_zone(tmp_path: Path) -> None:
    # 1 July in Berlin begins on 30 June 22:00 UTC: it is a day of July's report only. With a plan in UTC, two hours of June
    # are closed.
    july_first = "timestamp '2026-06-30 22:00:00', timestamp '2026-07-01 22:00:00'"
    closed = {}
    for time_zone in ("Europe/Berlin", "UTC"):
        workspace = publish(tmp_path / time_zone)
        with duckdb.connect(str(workspace.published / "build-1.duckdb")) as connection:
            connection.execute(f"update core.dim_plan_terms set time_zone = '{time_zone}'")
            connection.execute(
                f"insert into core.dim_clock_closures values ('business_hours', '1 July', {july_first})"
            )
        with open_published(workspace) as published:
            for month in ("2026-06", "2026-07"):
                report = read_monthly_report(published, ACME, "acme", month)
                closed[time_zone, month] = [closure.reason for closure in report.closures]
    assert closed == {
        ("Europe/Berlin", "2026-06"): [],
        ("Europe/Berlin", "2026-07"): ["1 July", "Company day"],
        ("UTC", "2026-06"): ["1 July"],
        ("UTC", "2026-07"): ["1 July", "Company day"],
    }


def test_monthly_report_names_the_months_that_there_are(published: Published) -> None:
    with pytest.raises(ConfigurationError, match="nothing to report.*2025-01.*2026-06, 2026-07, 2026-08"):
        read_monthly_report(published, ACME, "acme", "2025-01")
    with pytest.raises(ConfigurationError, match="no customer 'other'"):
        read_monthly_report(published, ACME, "other", "2026-07")


def test_monthly_report_is_refused_when_the_mart_and_the_rows_contradict(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    with duckdb.connect(str(workspace.published / "build-1.duckdb")) as connection:
        connection.execute("update marts.mart_manager__monthly_compliance set met_count = met_count + 1")
    with open_published(workspace) as published, pytest.raises(ChecksFailed, match="differ"):
        read_monthly_report(published, ACME, "acme", "2026-07")


def test_monthly_report_is_refused_when_its_promises_do_not_add_up_to_the_total(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    with duckdb.connect(str(workspace.published / "build-1.duckdb")) as connection:
        connection.execute(
            "update marts.mart_customer__monthly_promises set met_count = met_count + 1 where promise is null"
        )
    with open_published(workspace) as published, pytest.raises(ChecksFailed, match="do not add up"):
        read_monthly_report(published, ACME, "acme", "2026-07")


def test_monthly_report_is_refused_when_a_balance_is_not_the_sum_of_its_parts(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    with duckdb.connect(str(workspace.published / "build-1.duckdb")) as connection:
        connection.execute(
            "update core.fct_entitlement_months set closing_quantity = 7 where pool = 'regular'"
        )
    with open_published(workspace) as published, pytest.raises(ChecksFailed, match="regular"):
        read_monthly_report(published, ACME, "acme", "2026-07")


def test_status_names_locales_without_a_translation_to_the_operator_only(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    with duckdb.connect(str(workspace.published / "build-1.duckdb")) as connection:
        connection.execute("update core.dim_customers set locale = 'sv-SE' where customer_id = 'other'")
        connection.execute("update core.dim_customers set locale = 'de-AT' where customer_id = 'acme'")
    with open_published(workspace) as published:
        assert read_status(published, EVERY_CUSTOMER).untranslated_locales == (
            UntranslatedLocale("sv-SE", 1),
        )
        assert read_status(published, ACME).untranslated_locales == ()
