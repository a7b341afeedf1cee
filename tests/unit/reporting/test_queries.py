from __future__ import annotations

import inspect
import itertools
import json
import re
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import ChecksFailed, ConfigurationError
from pipeline.reporting import queries
from pipeline.reporting.queries import Published
from pipeline.reporting.records import CUTS, EVERY_CUSTOMER, Ratio, Scope, Selection, Tally
from pipeline.settings import Workspace
from tests.unit.reporting.published_build import ODD_NAME, ROWS, Row, publish

ACME = Scope(("acme",))
JULY = Selection(months=("2026-07",))


def test_open_published_says_what_to_do_when_nothing_is_published(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Nothing is published yet.*`sla build`"):
        queries.open_published(Workspace(tmp_path))


def test_open_published_refuses_a_pointer_to_a_missing_file(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    (workspace.published / "build-1.duckdb").unlink()
    with pytest.raises(ConfigurationError, match="is missing"):
        queries.open_published(workspace)


@pytest.mark.parametrize("pointer", ["", "[]", "{}", '{"file": 7, "build_id": "x"}', '{"file": ".."}'])
def test_open_published_refuses_a_pointer_that_cannot_be_read(tmp_path: Path, pointer: str) -> None:
    workspace = publish(tmp_path)
    (workspace.published / "current.json").write_text(pointer, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="pointer"):
        queries.open_published(workspace)


def test_open_published_never_leaves_its_folder_when_the_pointer_says_so(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    duckdb.connect(str(tmp_path / "elsewhere.duckdb")).close()
    pointer = json.dumps({"file": "../../elsewhere.duckdb", "build_id": "x"})
    (workspace.published / "current.json").write_text(pointer, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="missing"):
        queries.open_published(workspace)


def test_open_published_refuses_a_damaged_file(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    (workspace.published / "build-1.duckdb").write_bytes(b"not a database" * 1000)
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        queries.open_published(workspace)


@pytest.mark.parametrize(
    "sql",
    ["select * from read_csv('/etc/hostname')", "attach '/tmp/other.duckdb' as other",
    "create table core.x(a int)",
     "set enable_external_access = true", "install httpfs"],
)  # fmt: skip
def test_published_reaches_nothing_but_its_file_and_changes_nothing(published: Published, sql: str) -> None:
    with pytest.raises(duckdb.Error):
        published.fetch(dict, sql)


def test_published_can_be_opened_twice_at_once(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    with queries.open_published(workspace) as first, queries.open_published(workspace) as second:
        assert queries.customers(first, ACME) == queries.customers(second, ACME)


def test_compliance_counts_the_other_statuses_beside_the_rate(published: Published) -> None:
    first_response = Selection(months=("2026-07",), obligations=("first_response",))
    (row,) = queries.compliance(published, ACME, first_response).rows
    # T-1, T-2, T-3 met; T-4 one second over; T-5 waived; T-7 by e-mail; T-8 without evidence. T-6 still runs
    # in August.
    assert row.tally == Tally(
        met=3, breached=1, waived=1, not_covered=1, not_measurable=1, raw_met=3, raw_breached=2
    )
    assert row.tally.compliance == Ratio(3, 4)
    assert row.tally.raw_compliance == Ratio(3, 5)
    assert row.obligation_kinds == ("target",)


@pytest.mark.parametrize("by", [by for size in range(6) for by in itertools.combinations(CUTS, size)])
@pytest.mark.parametrize("month_basis", ["settled", "submitted"])
def test_compliance_adds_up_to_the_ticket_list_for_every_cut(
    published: Published, by: tuple[str, ...], month_basis: str
) -> None:
    for selection in (Selection(), JULY, Selection(customer_ids=("other",)), Selection(severities=(5,))):
        result = queries.compliance(published, EVERY_CUSTOMER, selection, by, month_basis)
        listed = queries.tickets(published, EVERY_CUSTOMER, selection, month_basis)
        assert result.total == queries.count_by_status(listed)
        assert result.total.total == len(listed)


def test_compliance_without_any_cut_is_one_row_even_when_nothing_is_found(published: Published) -> None:
    (row,) = queries.compliance(published, ACME, Selection(months=("1999-01",)), by=()).rows
    assert row.tally.compliance == Ratio(0, 0)


@pytest.mark.parametrize(
    ("by", "selection", "message"),
    [
        (("team",), Selection(), "'team'.*month, customer, plan, severity, obligation"),
        (("month", "month"), Selection(), "twice"),
        (("month",), Selection(months=("2026-7",)), "such as 2026-07"),
        (("month",), Selection(months=("2026-13",)), "such as 2026-07"),
        (("month",), Selection(customer_ids=("acmee",)), "no customer 'acmee'.*'acme'"),
    ],
)
def test_compliance_refuses_unknown_words(
    published: Published, by: tuple[str, ...], selection: Selection, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        queries.compliance(published, EVERY_CUSTOMER, selection, by)


def test_compliance_trend_has_thirteen_months_and_marks_the_running_one(published: Published) -> None:
    points = queries.compliance_trend(published, ACME)
    assert [point.month for point in points][::6] == ["2025-08", "2026-02", "2026-08"]
    assert [point.is_partial for point in points] == [False] * 12 + [True]
    assert points[-2].tally.compliance == Ratio(4, 5)
    assert points[0].tally == Tally()


def test_tickets_selects_by_status(published: Published) -> None:
    found = queries.tickets(published, ACME, Selection(statuses=("pending", "waived")))
    assert [row.ticket_id for row in found] == ["T-5", "T-6"]
    with pytest.raises(ConfigurationError, match="'late'.*met, breached, pending"):
        queries.tickets(published, ACME, Selection(statuses=("late",)))


def test_tickets_over_by_is_a_single_second_for_the_narrowest_breach(published: Published) -> None:
    (row,) = queries.tickets(published, ACME, Selection(months=("2026-07",), statuses=("breached",)))
    assert (row.elapsed_seconds, row.target_seconds, row.over_by_seconds) == (24 * 3600 + 1, 24 * 3600, 1)


def test_entitlements_keep_unlimited_and_not_stated_apart(published: Published) -> None:
    pools = {row.pool: row for row in queries.entitlements(published, ACME)}
    assert pools["premium_regular"].is_unlimited and pools["premium_regular"].remaining_quantity is None
    assert not pools["assistance"].is_stated and not pools["assistance"].is_unlimited
    assert all(row.adds_up for row in pools.values())


def test_explanation_holds_the_segments_the_stop_and_what_was_passed_over(published: Published) -> None:
    explained = queries.explanation(published, ACME, "T-1")
    by_name = {why.obligation.obligation: why for why in explained.obligations}
    first_response = by_name["first_response"]
    assert sum(segment.counted_seconds for segment in first_response.segments) == 6 * 3600
    assert first_response.stopped_by is not None and first_response.stopped_by.moment == "agent_message"
    assert [event.moment for event in first_response.passed_over] == ["automatic_reply"]
    assert first_response.calendar_versions == ("business_hours@2020-01-01",)
    assert [event.line_number for event in explained.events] == [2, 3, 4]
    assert [movement.movement_kind for movement in explained.movements] == ["use"]


def test_explanation_of_an_unknown_ticket_offers_the_nearest_ids_in_scope(published: Published) -> None:
    with pytest.raises(ConfigurationError, match="no ticket 't-11x'.*'T-11'"):
        queries.explanation(published, ACME, "t-11x")
    with pytest.raises(ConfigurationError) as refused:
        queries.explanation(published, ACME, "SECRET-1")
    assert "no ticket 'SECRET-1'" in str(refused.value)
    assert "SECRET-2" not in str(refused.value)


def test_monthly_report_holds_every_promise_also_those_that_nothing_fell_under(published: Published) -> None:
    report = queries.monthly_report(published, ACME, "acme", "2026-06")
    assert [(row.obligation, row.severities, row.tally.counted) for row in report.promises] == [
        ("first_response", (1, 2, 3, 4), 2),
        ("first_response", (5,), 0),
        ("debug_analysis", (1, 2, 3, 4, 5), 0),
    ]
    assert report.customer_name == ODD_NAME
    assert report.still_running == ()


def test_monthly_report_promises_add_up_to_the_total(published: Published) -> None:
    report = queries.monthly_report(published, ACME, "acme", "2026-07")
    assert sum((row.tally for row in report.promises), report.outside_promises) == report.total
    assert [row.running for row in report.promises] == [1, 0, 0]
    assert [row.ticket_id for row in report.still_running] == ["T-6"]
    assert report.previous_total.compliance == Ratio(1, 2)
    assert [waiver.approved_by for waiver in report.waivers] == ["omar"]


def test_monthly_report_names_the_months_that_there_are(published: Published) -> None:
    with pytest.raises(ConfigurationError, match="nothing to report.*2025-01.*2026-06, 2026-07, 2026-08"):
        queries.monthly_report(published, ACME, "acme", "2025-01")
    with pytest.raises(ConfigurationError, match="no customer 'other'"):
        queries.monthly_report(published, ACME, "other", "2026-07")


def test_monthly_report_is_refused_when_the_mart_and_the_rows_contradict(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    with duckdb.connect(str(workspace.published / "build-1.duckdb")) as connection:
        connection.execute("update marts.mart_manager__monthly_compliance set met_count = met_count + 1")
    with queries.open_published(workspace) as published, pytest.raises(ChecksFailed, match="differ"):
        queries.monthly_report(published, ACME, "acme", "2026-07")


def test_monthly_report_is_refused_when_a_balance_is_not_the_sum_of_its_parts(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    with duckdb.connect(str(workspace.published / "build-1.duckdb")) as connection:
        connection.execute(
            "update core.fct_entitlement_months set closing_quantity = 7 where pool = 'regular'"
        )
    with queries.open_published(workspace) as published, pytest.raises(ChecksFailed, match="regular"):
        queries.monthly_report(published, ACME, "acme", "2026-07")


def test_alerts_come_with_the_most_pressing_first(published: Published) -> None:
    told = queries.alerts(published, EVERY_CUSTOMER, Selection(customer_ids=("acme",)))
    assert [(row.alert_rank, row.alert_kind, row.pool) for row in told] == [
        (3, "likely_to_run_out", "regular"),
        (4, "threshold_reached", "regular"),
        (5, "term_ends_soon", None),
    ]
    assert (told[0].lasts_ratio, told[0].raised_at) == (0.042, None)
    assert [row.consumed for row in told][1:] == [Ratio(9, 11), None]
    assert queries.alerts(published, EVERY_CUSTOMER)[0].consumed == Ratio(2, 1)


def test_findings_are_counted_by_kind_and_the_counts_add_up(published: Published) -> None:
    found = queries.findings(published, EVERY_CUSTOMER)
    assert [(row.finding, row.finding_count) for row in found.counts] == [
        ("unlisted_requester", 3),
        ("redeemed_too_often", 1),
        ("unknown_customer", 1),
    ]
    assert sum(row.finding_count for row in found.counts) == len(found.rows) == 3 + 1 + 1
    assert (found.rows[0].source_file, found.rows[0].line_number) == ("reference/redemptions.csv", 3)


def test_findings_are_limited_to_a_customer_and_to_kinds(published: Published) -> None:
    acme = queries.findings(
        published, EVERY_CUSTOMER, Selection(customer_ids=("acme",)), ["unlisted_requester"]
    )
    assert [row.ticket_id for row in acme.rows] == ["T-1", "T-2"]
    # What belongs to no customer is seen by a reader who may see all.
    assert "LOST-1" not in {row.ticket_id for row in queries.findings(published, ACME).rows}
    assert queries.findings(published, Scope(())).rows == ()
    assert queries.findings(published, EVERY_CUSTOMER, kinds=["waiver_of_nothing"]).counts == ()


def test_findings_of_a_kind_that_does_not_exist_are_refused_with_those_that_do(published: Published) -> None:
    with pytest.raises(
        ConfigurationError, match="--finding is 'unlisted'; it must be one of redeemed_too_often, "
    ):
        queries.findings(published, EVERY_CUSTOMER, kinds=["unlisted"])


# Every public function that reads, called with a scope. A new one has to be added here: the next test looks.
CALLS = {
    "build_status": lambda published, scope: queries.build_status(published, scope),
    "customers": lambda published, scope: queries.customers(published, scope),
    "months": lambda published, scope: queries.months(published, scope),
    "customers_to_report": lambda published, scope: queries.customers_to_report(published, scope, "2026-07"),
    "compliance": lambda published, scope: queries.compliance(published, scope, by=CUTS),
    "compliance_trend": lambda published, scope: queries.compliance_trend(published, scope),
    "tickets": lambda published, scope: queries.tickets(published, scope),
    "at_risk": lambda published, scope: queries.at_risk(published, scope),
    "entitlements": lambda published, scope: queries.entitlements(published, scope),
    "alerts": lambda published, scope: queries.alerts(published, scope),
    "findings": lambda published, scope: queries.findings(published, scope),
    "forecasts": lambda published, scope: queries.forecasts(published, scope),
    "ledger": lambda published, scope: queries.ledger(published, scope, "acme"),
    "plan_trial": lambda published, scope: queries.plan_trial(published, scope, "gold"),
    "explanation": lambda published, scope: queries.explanation(published, scope, "T-1"),
    "monthly_report": lambda published, scope: queries.monthly_report(published, scope, "acme", "2026-07"),
}


def test_scope_is_a_required_argument_of_every_function_that_reads() -> None:
    readers = {
        name
        for name in queries.__all__
        if inspect.isfunction(getattr(queries, name))
        and "published" in inspect.signature(getattr(queries, name)).parameters
    }
    assert readers == set(CALLS)
    for name in readers:
        assert (
            inspect.signature(getattr(queries, name)).parameters["scope"].default is inspect.Parameter.empty
        )


@pytest.mark.parametrize("name", sorted(CALLS))
def test_scope_keeps_another_customers_rows_away_from(published: Published, name: str) -> None:
    seen = repr(CALLS[name](published, ACME))
    assert "SECRET" not in seen and "LOST" not in seen


@pytest.mark.parametrize("name", ["customers", "months", "tickets", "entitlements", "alerts", "forecasts"])
def test_an_empty_scope_sees_nothing_in(published: Published, name: str) -> None:
    assert CALLS[name](published, Scope(())) == ()


def test_figures_of_one_customer_do_not_change_when_another_is_deleted(
    tmp_path: Path, published: Published
) -> None:
    alone: tuple[Row, ...] = tuple(row for row in ROWS if row.customer_id == "acme")
    with queries.open_published(publish(tmp_path, alone)) as other:
        for name in ("compliance", "compliance_trend", "tickets"):
            assert CALLS[name](other, EVERY_CUSTOMER) == CALLS[name](published, ACME)


def test_every_query_on_customers_rows_carries_the_scope() -> None:
    source = inspect.getsource(queries)
    statements = re.findall(r'f"""(.*?)"""', source, flags=re.DOTALL)
    of_customers = [
        text
        for text in statements
        if re.search(r"from (core\.(dim_tickets|dim_customers|fct_)|marts\.)", text)
    ]
    assert len(of_customers) >= 10
    assert all("_IN_SCOPE" in text for text in of_customers)
