"""Commands that print published figures."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.line import app, open_build, select, show_result
from pipeline.errors import ConfigurationError


@app.command()
def compliance(
    month: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="One month only.")] = None,
    by: Annotated[
        str, typer.Option(help="Cuts, separated by commas: month, customer, plan, severity, obligation.")
    ] = "month,obligation",
    basis: Annotated[
        str, typer.Option(help="settled: the month of the verdict; submitted: the month of the ticket.")
    ] = "settled",
) -> None:
    """The managers' figures: met of counted, with everything else beside it.

    Example: sla compliance --month 2026-06 --by plan,severity
    """
    from pipeline.reporting import queries, tables
    from pipeline.reporting.records import EVERY_CUSTOMER

    with open_build() as published:
        cuts = tuple(cut.strip() for cut in by.split(",") if cut.strip())
        result = queries.compliance(
            published, EVERY_CUSTOMER, select(months=month), by=cuts, month_basis=basis
        )
        show_result(result, tables.compliance_table)


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

    Example: sla entitlements --customer C-0001
    """
    from pipeline.reporting import queries, tables
    from pipeline.reporting.records import EVERY_CUSTOMER

    with open_build() as published:
        selection = select(customer_ids=customer)
        if alerts:
            show_result(queries.alerts(published, EVERY_CUSTOMER, selection), tables.alerts_table)
        elif forecast:
            from pipeline.cli import show_forecasts

            show_result(
                queries.forecasts(published, EVERY_CUSTOMER, selection), show_forecasts.forecasts_table
            )
        else:
            show_result(queries.entitlements(published, EVERY_CUSTOMER, selection), tables.entitlements_table)


@app.command()
def backtest() -> None:
    """How often the forecast's 80 % interval would have held in past quarters.

    Example: sla backtest --json
    """
    from pipeline.cli import show_forecasts
    from pipeline.forecasting import backtest as past
    from pipeline.reporting.records import EVERY_CUSTOMER

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

    Example: sla ledger C-0001 --month 2026-06
    """
    from pipeline.reporting import queries, tables
    from pipeline.reporting.records import EVERY_CUSTOMER

    with open_build() as published:
        show_result(queries.ledger(published, EVERY_CUSTOMER, customer, month), tables.ledger_tables)


@app.command()
def whatif(
    plan: Annotated[str, typer.Option(help="The plan to try.")],
    customer: Annotated[list[str] | None, typer.Option(help="A customer id; may be repeated.")] = None,
) -> None:
    """The same tickets under another plan: compliance, overage, and every difference explained.

    Example: sla whatif --plan PLAN --customer CUSTOMER
    """
    from pipeline.reporting import queries, tables
    from pipeline.reporting.records import EVERY_CUSTOMER

    with open_build() as published:
        selection = select(customer_ids=customer)
        show_result(queries.plan_trial(published, EVERY_CUSTOMER, plan, selection), tables.trial_tables)


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
    from pipeline.reporting import queries, tables
    from pipeline.reporting.records import EVERY_CUSTOMER

    with open_build() as published:
        selection = select(statuses=status, customer_ids=customer, months=month)
        if at_risk:
            if status or month:
                raise ConfigurationError("--at-risk lists what runs now; leave out --status and --month.")
            show_result(queries.at_risk(published, EVERY_CUSTOMER, selection), tables.at_risk_table)
            return
        show_result(
            queries.tickets(published, EVERY_CUSTOMER, selection, month_basis=basis), tables.tickets_table
        )


@app.command()
def vendor_figures(
    customer: Annotated[list[str] | None, typer.Option(help="A customer id.")] = None,
    obligation: Annotated[
        list[str] | None, typer.Option(help="An obligation, such as first_response.")
    ] = None,
    reason: Annotated[list[str] | None, typer.Option(help="A reason, such as equal or unexplained.")] = None,
) -> None:
    """What the helpdesk itself says, what we say, and why the two differ.

    Example: sla vendor-figures --reason unexplained
    """
    from pipeline.reporting import queries, tables
    from pipeline.reporting.records import EVERY_CUSTOMER

    with open_build() as published:
        selection = select(customer_ids=customer, obligations=obligation)
        compared = queries.vendor_figures(published, EVERY_CUSTOMER, selection, reason)
        show_result(compared, tables.vendor_figures_table)


@app.command()
def explain(ticket: Annotated[str, typer.Argument(help="A ticket id.")]) -> None:
    """Why a ticket has its verdicts: promise, clause, clock, every segment, the message that stopped it.

    Example: sla explain 10042
    """
    from pipeline.reporting import queries, tables
    from pipeline.reporting.records import EVERY_CUSTOMER

    with open_build() as published:
        show_result(queries.explanation(published, EVERY_CUSTOMER, ticket), tables.explanation_tables)
