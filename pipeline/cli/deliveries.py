"""Commands about what leaves the house: sending reports and alerts, and whether the installation works."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.line import app, open_build, options, say, show_result
from pipeline.cli.recording import recorded, step
from pipeline.errors import ConfigurationError, SlaError

if TYPE_CHECKING:
    from pipeline.delivery.run import Asked, Outcomes
    from pipeline.settings import Workspace


@app.command()
def send(
    month: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="One month only.")] = None,
    customer: Annotated[list[str] | None, typer.Option(help="A customer id; may be repeated.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would go to whom; write and send nothing.")
    ] = False,
    resend: Annotated[
        bool, typer.Option("--resend", help="Also what was sent, was refused or may have arrived.")
    ] = False,
    arrived: Annotated[
        bool, typer.Option("--arrived", help="Put on record that what may have arrived did; send nothing.")
    ] = False,
    digest: Annotated[
        str | None, typer.Option(metavar="ID", help="The alerts of one digest, with --arrived or --resend.")
    ] = None,
) -> None:
    """Deliver what is due: closed months' reports to customers, new alerts to account teams. Nothing is sent twice.

    Example: sla send --dry-run
    """
    from pipeline.delivery.run import Asked
    from pipeline.rules.load_sources import load_sources
    from pipeline.warehouse.build import lock_workspace

    if digest is not None and (customer or month or not (resend or arrived)):
        raise ConfigurationError(
            "--digest names alerts that may have arrived. Give it with --arrived or --resend, and without --customer and --month."
        )
    if (resend or arrived) and not (digest or (customer and month)):
        raise ConfigurationError(
            "--resend and --arrived are for named reports or alerts: add --customer ID and --month YYYY-MM, or --digest ID."
        )
    if arrived and (resend or dry_run):
        raise ConfigurationError("--arrived sends nothing; give it without --resend and --dry-run.")
    asked = Asked(tuple(customer or ()), month, digest, dry_run, resend, arrived)
    workspace = options.find_workspace()
    if load_sources(workspace.sla_yml).delivery is None:
        raise ConfigurationError(
            f"{workspace.sla_yml} has no section delivery, so nothing may be sent. `sla init` writes a commented one into a new "
            "folder."
        )
    if dry_run:
        _finish(deliver_due(workspace, asked))
        return
    with lock_workspace(workspace), recorded(workspace, "send"):
        with step("deliver") as delivering:
            outcomes = deliver_due(workspace, asked)
            assert outcomes is not None
            delivering.rows_in = len(outcomes.reports)
            delivering.rows_out = sum(each.status == "sent" for each in outcomes.reports)
        _finish(outcomes)


def _finish(outcomes: Outcomes | None) -> None:
    assert outcomes is not None
    show_outcomes(outcomes)
    problem = explain_outcomes(outcomes)
    if problem is not None:
        raise problem


def deliver_due(workspace: Workspace, asked: Asked | None = None) -> Outcomes | None:
    """Deliver, and give what became of it; None where sla.yml has no section delivery. The caller holds the lock."""
    from pipeline.rules.load_sources import load_sources

    config = load_sources(workspace.sla_yml)
    delivery = config.delivery
    if delivery is None:
        return None
    from pipeline.cli.progress import count_steps
    from pipeline.delivery.run import Asked, deliver
    from pipeline.periods.deliverable import documents_of_periods

    with (
        open_build(verifies=True) as published,
        count_steps(sys.stderr, options.verbosity < 0, "reports") as count,
    ):
        documents = documents_of_periods(workspace)
        return deliver(workspace, delivery, config.looks, published, documents, asked or Asked(), count)


def check_delivery(workspace: Workspace) -> None:
    """Raises ConfigurationError where reports or alerts could not be handed over as the section delivery of sla.yml stands."""
    from pipeline.rules.load_sources import load_sources

    config = load_sources(workspace.sla_yml)
    if config.delivery is not None:
        from pipeline.delivery.run import check_settings

        check_settings(workspace, config.delivery, config.looks)


def show_outcomes(outcomes: Outcomes) -> None:
    """Who got what. A run with nothing to deliver says so in a message, so that a quiet one prints nothing."""
    from pipeline.cli.show_deliveries import outcome_tables

    if options.is_json or outcome_tables(outcomes):
        show_result(outcomes, outcome_tables)
    else:
        say("Nothing is due.")


def explain_outcomes(outcomes: Outcomes) -> SlaError | None:
    """The error that a run with these outcomes ends with. Of two, the one with reports; the other is said."""
    from pipeline.delivery.deliver import explain_results
    from pipeline.delivery.post_webhook import explain_digest

    problems = [
        problem
        for problem in (
            explain_results(outcomes.reports),
            explain_digest(outcomes.alerts) if outcomes.alerts else None,
        )
        if problem is not None
    ]
    for problem in problems[1:]:
        say(f"sla: {problem}")
    return problems[0] if problems else None


@app.command()
def doctor(
    smtp: Annotated[
        bool, typer.Option("--smtp", help="Also connect to the mail server and log in; nothing is sent.")
    ] = False,
) -> None:
    """What is wrong with this installation and workspace, and what to do. Exit code 2 where something is wrong.

    Example: sla doctor --smtp
    """
    from pipeline.cli.show_doctor import doctor_table
    from pipeline.doctor import examine_delivery, examine_installation, examine_workspace
    from pipeline.doctor.line import Line, examine

    checks = examine_installation.list_checks()
    lines: list[Line] = []
    try:
        workspace = options.find_workspace()
        checks += [*examine_workspace.list_checks(workspace), *examine_delivery.list_checks(workspace, smtp)]
    except ConfigurationError as problem:
        lines.append(Line("workspace", "wrong", problem.message, "Name one, or create it."))
    lines = [line for name, check in checks for line in examine(name, check)] + lines
    show_result(lines, doctor_table)
    wrong = sum(line.state == "wrong" for line in lines)
    if wrong:
        raise ConfigurationError(f"{wrong} of {len(lines)} checks found something wrong.")
