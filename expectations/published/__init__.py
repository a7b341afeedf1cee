"""Checks of what leaves: the tables that commands, reports and pages read."""

from __future__ import annotations

from expectations.checked_table import CheckedTable
from expectations.published import (
    dim_customers,
    dim_sources,
    dim_subscription_terms,
    dim_tickets,
    fct_entitlement_months,
    fct_entitlement_movements,
    fct_sla_obligations,
    fct_vendor_sla_figures,
    mart_account__alerts,
    mart_account__entitlement_balances,
    mart_account__entitlement_forecasts,
    mart_customer__monthly_promises,
    mart_customer__monthly_report,
    mart_manager__monthly_compliance,
    rpt_qc__findings,
)


def build_published() -> tuple[CheckedTable, ...]:
    """Every published table that a figure is read from, with its checks."""
    return (
        dim_customers.build(),
        dim_sources.build(),
        dim_subscription_terms.build(),
        dim_tickets.build(),
        fct_sla_obligations.build(),
        fct_vendor_sla_figures.build(),
        fct_entitlement_movements.build(),
        fct_entitlement_months.build(),
        mart_manager__monthly_compliance.build(),
        mart_manager__monthly_compliance.build_totals(),
        mart_account__entitlement_balances.build(),
        mart_account__entitlement_forecasts.build(),
        mart_account__alerts.build(),
        mart_customer__monthly_report.build(),
        mart_customer__monthly_promises.build(),
        rpt_qc__findings.build(),
    )
