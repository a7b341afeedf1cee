from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipeline.errors import ChecksFailed, ConfigurationError
from pipeline.reporting.monthly_report import (
    read_monthly_report,
)
from pipeline.reporting.published import Published, Ratio, Scope, open_published
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
    assert [waiver.approved_by for waiver in report.waivers] == ["omar"]


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


def test_monthly_report_is_refused_when_a_balance_is_not_the_sum_of_its_parts(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    with duckdb.connect(str(workspace.published / "build-1.duckdb")) as connection:
        connection.execute(
            "update core.fct_entitlement_months set closing_quantity = 7 where pool = 'regular'"
        )
    with open_published(workspace) as published, pytest.raises(ChecksFailed, match="regular"):
        read_monthly_report(published, ACME, "acme", "2026-07")
