from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from datetime import date
from pathlib import Path

import pytest

from pipeline import reporting
from pipeline.reporting.backlog import read_ages, read_backlog, read_backlog_levels, read_open_tickets
from pipeline.reporting.breaches import (
    NOT_RECORDED,
    count_classes,
    find_keys_of_classes,
    read_breaches,
    read_classes,
    sum_holdings,
)
from pipeline.reporting.compliance import (
    CUTS,
    read_comparison,
    read_compliance,
    read_customers,
    read_trend,
    read_trends,
)
from pipeline.reporting.customers import read_customer_lines
from pipeline.reporting.distribution import read_answer_times, read_hours
from pipeline.reporting.entitlements import (
    read_alerts,
    read_balances,
    read_forecasts,
    read_ledger,
    read_ledgers,
    read_plans,
    select_movements,
)
from pipeline.reporting.findings import (
    read_findings,
    read_refused,
    read_refused_records,
    read_vendor_figures,
)
from pipeline.reporting.managers_pack import read_managers_pack, read_promises
from pipeline.reporting.monthly_report import (
    read_customers_to_report,
    read_look,
    read_monthly_report,
    read_monthly_reports,
    read_months,
)
from pipeline.reporting.overview import read_annotations, read_attention
from pipeline.reporting.periods import read_closed_months, read_month_states, read_zones
from pipeline.reporting.plan_trials import read_trial
from pipeline.reporting.published import (
    EVERY_CUSTOMER,
    EVERYTHING,
    Published,
    Scope,
    Selection,
    open_published,
)
from pipeline.reporting.status import read_status
from pipeline.reporting.tickets import (
    count_by_obligation,
    count_tickets,
    read_at_risk,
    read_explanation,
    read_tickets,
    read_waivers,
    read_worst_tickets,
    select_obligations,
)
from tests.unit.reporting.published_build import ROWS, Row, publish

ACME = Scope(("acme",))


# Every public function that reads, called with a scope. A new one has to be added here: the next test looks.
CALLS = {
    "read_status": lambda published, scope: read_status(published, scope),
    "read_customers": lambda published, scope: read_customers(published, scope),
    "read_months": lambda published, scope: read_months(published, scope),
    "read_customers_to_report": lambda published, scope: read_customers_to_report(
        published, scope, "2026-07"
    ),
    "read_look": lambda published, scope: read_look(published, scope),
    "read_breaches": lambda published, scope: read_breaches(published, scope),
    "count_classes": lambda published, scope: count_classes(published, scope),
    "count_by_obligation": lambda published, scope: count_by_obligation(published, scope, EVERYTHING),
    "sum_holdings": lambda published, scope: sum_holdings(published, scope),
    # Promises of every customer are asked for: the scope keeps their classes away.
    "read_classes": lambda published, scope: read_classes(
        published, scope, read_tickets(published, EVERY_CUSTOMER, Selection(statuses=("breached",)))
    ).values(),
    "find_keys_of_classes": lambda published, scope: find_keys_of_classes(
        published, scope, EVERYTHING, (NOT_RECORDED,)
    ),
    "read_managers_pack": lambda published, scope: read_managers_pack(published, scope, "2026-07"),
    "read_compliance": lambda published, scope: read_compliance(published, scope, by=CUTS),
    "read_comparison": lambda published, scope: read_comparison(
        published, scope, EVERYTHING, "2026-07", ("customer", "plan")
    ),
    "read_refused_records": lambda published, scope: read_refused_records(published, scope),
    "read_promises": lambda published, scope: read_promises(published, scope, EVERYTHING, "2026-07"),
    "read_attention": lambda published, scope: read_attention(published, scope, EVERYTHING, "2026-07"),
    "read_waivers": lambda published, scope: read_waivers(published, scope, "T-1"),
    "read_month_states": lambda published, scope: read_month_states(published, scope),
    "read_closed_months": lambda published, scope: read_closed_months(published, scope),
    "read_trend": lambda published, scope: read_trend(published, scope),
    "read_trends": lambda published, scope: read_trends(published, scope, ("acme",), "2026-07"),
    "read_tickets": lambda published, scope: read_tickets(published, scope),
    "read_worst_tickets": lambda published, scope: read_worst_tickets(published, scope),
    "count_tickets": lambda published, scope: count_tickets(published, scope),
    "read_at_risk": lambda published, scope: read_at_risk(published, scope),
    "read_balances": lambda published, scope: read_balances(published, scope),
    "read_alerts": lambda published, scope: read_alerts(published, scope),
    "read_findings": lambda published, scope: read_findings(published, scope),
    "read_annotations": lambda published, scope: read_annotations(published, scope),
    "read_zones": lambda published, scope: read_zones(published, scope),
    "read_plans": lambda published, scope: read_plans(published, scope),
    "read_ages": lambda published, scope: read_ages(published, scope),
    "read_backlog": lambda published, scope: read_backlog(published, scope),
    "read_backlog_levels": lambda published, scope: read_backlog_levels(
        published, scope, EVERYTHING, "status"
    ),
    "read_open_tickets": lambda published, scope: read_open_tickets(
        published, scope, EVERYTHING, date(2026, 7, 1)
    ),
    "read_answer_times": lambda published, scope: read_answer_times(published, scope),
    "read_hours": lambda published, scope: read_hours(published, scope, EVERYTHING, "submitted"),
    "read_refused": lambda published, scope: read_refused(published, scope),
    "read_customer_lines": lambda published, scope: read_customer_lines(
        published, scope, EVERYTHING, "2026-07"
    ),
    "read_vendor_figures": lambda published, scope: read_vendor_figures(published, scope),
    "read_forecasts": lambda published, scope: read_forecasts(published, scope),
    "read_ledger": lambda published, scope: read_ledger(published, scope, "acme"),
    "read_ledgers": lambda published, scope: read_ledgers(published, scope, ("acme",)),
    "read_trial": lambda published, scope: read_trial(published, scope, "gold"),
    "read_explanation": lambda published, scope: read_explanation(published, scope, "T-1"),
    "read_monthly_report": lambda published, scope: read_monthly_report(published, scope, "acme", "2026-07"),
    # One that is out of scope is like one that does not exist.
    "read_monthly_reports": lambda published, scope: read_monthly_reports(
        published, scope, ("acme", "other"), "2026-07"
    ),
    "select_movements": lambda published, scope: select_movements(published, scope),
    "select_obligations": lambda published, scope: select_obligations(published, scope, EVERYTHING),
}
# They take a scope and hand it on, and give no rows back.
WITHOUT_ROWS = {"check_selection", "is_tried", "render_pack", "render_report"}
MODULES = [
    importlib.import_module(f"pipeline.reporting.{module.name}")
    for module in pkgutil.iter_modules(reporting.__path__)
]


def test_scope_is_a_required_argument_of_every_function_that_reads() -> None:
    readers = {
        name: inspect.signature(function).parameters
        for module in MODULES
        for name, function in vars(module).items()
        if inspect.isfunction(function)
        and function.__module__ == module.__name__
        and not name.startswith("_")
        and "published" in inspect.signature(function).parameters
    }
    assert set(readers) == set(CALLS) | WITHOUT_ROWS
    for parameters in readers.values():
        assert parameters["scope"].default is inspect.Parameter.empty


@pytest.mark.parametrize("name", sorted(CALLS))
def test_scope_keeps_another_customers_rows_away_from(published: Published, name: str) -> None:
    seen = repr(CALLS[name](published, ACME))
    assert "SECRET" not in seen and "LOST" not in seen


@pytest.mark.parametrize(
    "name",
    ["read_customers", "read_months", "read_tickets", "read_balances", "read_alerts", "read_forecasts"],
)
def test_an_empty_scope_sees_nothing_in(published: Published, name: str) -> None:
    assert CALLS[name](published, Scope(())) == ()


def test_figures_of_one_customer_do_not_change_when_another_is_deleted(
    tmp_path: Path, published: Published
) -> None:
    alone: tuple[Row, ...] = tuple(row for row in ROWS if row.customer_id == "acme")
    with open_published(publish(tmp_path, alone)) as other:
        for name in ("read_compliance", "read_trend", "read_tickets"):
            assert CALLS[name](other, EVERY_CUSTOMER) == CALLS[name](published, ACME)


def test_every_query_on_customers_rows_carries_the_scope() -> None:
    statements = [
        text
        for module in MODULES
        for text in re.findall(r'f"""(.*?)"""', inspect.getsource(module), flags=re.DOTALL)
    ]
    of_customers = [
        text
        for text in statements
        if re.search(r"from (core\.(dim_tickets|dim_customers|fct_)|marts\.)", text)
    ]
    assert len(of_customers) >= 10
    assert all("IN_SCOPE" in text for text in of_customers)
