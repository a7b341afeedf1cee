"""Commands that print published figures."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pipeline.cli.line import app, open_build, options, say, select, show_result
from pipeline.errors import ConfigurationError


@app.command()
def compliance(
    month: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="One month only.")] = None,
    by: Annotated[
        str,
        typer.Option(
            help="Cuts, separated by commas: month, customer, plan, severity, obligation, zone (the plan's), "
            "group (that had the ticket last)."
        ),
    ] = "month,obligation",
    basis: Annotated[
        str, typer.Option(help="settled: the month of the verdict; submitted: the month of the ticket.")
    ] = "settled",
) -> None:
    """The managers' figures: met of counted, with everything else beside it.

    Example: sla compliance --month 2026-06 --by plan,severity
    """
    from pipeline.cli.show_compliance import compliance_table
    from pipeline.reporting.compliance import read_compliance
    from pipeline.reporting.published import EVERY_CUSTOMER

    with open_build() as published:
        cuts = tuple(cut.strip() for cut in by.split(",") if cut.strip())
        result = read_compliance(published, EVERY_CUSTOMER, select(months=month), by=cuts, month_basis=basis)
        show_result(result, compliance_table)


@app.command()
def entitlements(
    customer: Annotated[list[str] | None, typer.Option(help="A customer id; may be repeated.")] = None,
    alerts: Annotated[
        bool,
        typer.Option(
            "--alerts", help="Only pools at a threshold or likely to run out, and terms that end soon."
        ),
    ] = False,
    forecast: Annotated[
        bool, typer.Option("--forecast", help="Until when each limited pool is likely to last.")
    ] = False,
) -> None:
    """What each customer has left of every pool.

    Example: sla entitlements --customer kestrel-aerospace-ltd
    """
    from pipeline.cli.show_entitlements import alerts_table, entitlements_table
    from pipeline.reporting.entitlements import read_alerts, read_balances, read_forecasts
    from pipeline.reporting.published import EVERY_CUSTOMER

    with open_build() as published:
        selection = select(customer_ids=customer)
        if alerts:
            show_result(read_alerts(published, EVERY_CUSTOMER, selection), alerts_table)
        elif forecast:
            from pipeline.cli import show_forecasts

            show_result(read_forecasts(published, EVERY_CUSTOMER, selection), show_forecasts.forecasts_table)
        else:
            show_result(read_balances(published, EVERY_CUSTOMER, selection), entitlements_table)


@app.command()
def backtest() -> None:
    """How often the forecast's 80 % interval would have held in past quarters.

    Example: sla backtest --json
    """
    from pipeline.cli import show_forecasts
    from pipeline.forecasting import backtest as past
    from pipeline.reporting.published import EVERY_CUSTOMER

    with open_build() as published:
        show_result(
            past.backtest(show_forecasts.read_history(published, EVERY_CUSTOMER)),
            show_forecasts.backtest_table,
        )


@app.command()
def ledger(
    customer: Annotated[str, typer.Argument(help="A customer id.")],
    month: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="One month only.")] = None,
) -> None:
    """A customer's statement: every movement of every pool, from the opening to the closing balance.

    Example: sla ledger kestrel-aerospace-ltd --month 2026-06
    """
    from pipeline.cli.show_entitlements import ledger_tables
    from pipeline.reporting.entitlements import read_ledger
    from pipeline.reporting.published import EVERY_CUSTOMER

    with open_build() as published:
        show_result(read_ledger(published, EVERY_CUSTOMER, customer, month), ledger_tables)


@app.command()
def whatif(
    plan: Annotated[str, typer.Option(help="The plan to try.")],
    customer: Annotated[list[str] | None, typer.Option(help="A customer id; may be repeated.")] = None,
) -> None:
    """The same tickets under another plan: compliance, overage, and every difference explained.

    A plan that is asked for the first time since a build is tried first, which takes as long as a small build.

    Example: sla whatif --plan PLAN --customer kestrel-aerospace-ltd
    """
    from pipeline.cli.show_plan_trials import trial_tables
    from pipeline.reporting.plan_trials import is_tried, read_trial
    from pipeline.reporting.published import EVERY_CUSTOMER

    selection = select(customer_ids=customer)
    with open_build() as published:
        has_trial = is_tried(published, EVERY_CUSTOMER, plan, selection)
    if not has_trial:
        _try_plan(plan)
    with open_build() as published:
        show_result(read_trial(published, EVERY_CUSTOMER, plan, selection), trial_tables)


def _try_plan(plan: str) -> None:
    from pipeline.cli.show_build import show_build
    from pipeline.warehouse.build import lock_workspace
    from pipeline.warehouse.try_plans import find_untried, try_plans

    workspace = options.find_workspace()
    with lock_workspace(workspace):
        # Another run may have tried it in the meantime.
        if untried := find_untried(workspace, [plan]):
            say(f"Trying the plan {plan!r} on the same tickets; this build keeps the answer.")
            with show_build(sys.stderr, options.verbosity < 0 or options.is_json) as on_step:
                try_plans(workspace, untried, on_step)


@app.command()
def tickets(
    status: Annotated[
        list[str] | None, typer.Option(help="met, breached, pending, waived, not_covered, not_measurable.")
    ] = None,
    customer: Annotated[list[str] | None, typer.Option(help="A customer id.")] = None,
    month: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="One month only.")] = None,
    basis: Annotated[str, typer.Option(help="settled or submitted.")] = "settled",
    at_risk: Annotated[
        bool, typer.Option("--at-risk", help="Only what still runs, the least time left first.")
    ] = False,
) -> None:
    """One row per obligation.

    Example: sla tickets --status breached --month 2026-06
    """
    from pipeline.cli.show_tickets import at_risk_table, tickets_table
    from pipeline.reporting.published import EVERY_CUSTOMER
    from pipeline.reporting.tickets import read_at_risk, read_tickets

    with open_build() as published:
        selection = select(statuses=status, customer_ids=customer, months=month)
        if at_risk:
            if status or month:
                raise ConfigurationError("--at-risk lists what runs now; leave out --status and --month.")
            show_result(read_at_risk(published, EVERY_CUSTOMER, selection), at_risk_table)
            return
        show_result(read_tickets(published, EVERY_CUSTOMER, selection, month_basis=basis), tickets_table)


@app.command()
def vendor_figures(
    customer: Annotated[list[str] | None, typer.Option(help="A customer id.")] = None,
    obligation: Annotated[
        list[str] | None, typer.Option(help="An obligation, such as first_response.")
    ] = None,
    reason: Annotated[list[str] | None, typer.Option(help="A reason, such as equal or unexplained.")] = None,
) -> None:
    """What the helpdesk itself says, what we say, why the two differ, and who is right; like differences as one group.

    Example: sla vendor-figures --reason unexplained
    """
    from pipeline.cli.show_findings import vendor_figures_tables
    from pipeline.reporting.findings import read_vendor_figures
    from pipeline.reporting.published import EVERY_CUSTOMER

    with open_build() as published:
        selection = select(customer_ids=customer, obligations=obligation)
        compared = read_vendor_figures(published, EVERY_CUSTOMER, selection, reason)
        show_result(compared, vendor_figures_tables)


@app.command()
def explain(ticket: Annotated[str, typer.Argument(help="A ticket id.")]) -> None:
    """Why a ticket has its verdicts: promise, clause, clock, every segment, the message that stopped it.

    Example: sla explain 10042
    """
    from pipeline.cli.show_tickets import explanation_tables
    from pipeline.reporting.published import EVERY_CUSTOMER
    from pipeline.reporting.tickets import read_explanation

    with open_build() as published:
        show_result(read_explanation(published, EVERY_CUSTOMER, ticket), explanation_tables)
