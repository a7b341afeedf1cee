"""Commands about a published build as a whole: customers' reports, status, checks, findings, the dashboard."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.line import app, open_build, options, select, show_result
from pipeline.errors import ChecksFailed, ConfigurationError, InputRejected, PartlyDone, SlaError, StaleData
from pipeline.private_files import handed_over
from pipeline.settings import Workspace, parse_instant

if TYPE_CHECKING:
    from pipeline.periods.editions import Issue
    from pipeline.reporting.render_report import ReportFiles


@app.command()
def report(
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="The month to report.")],
    customer: Annotated[list[str] | None, typer.Option(help="A customer id; may be repeated.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every customer with something to report.")] = False,
    managers: Annotated[
        bool, typer.Option("--managers", help="One document over all customers, for your own managers.")
    ] = False,
    locale: Annotated[
        str | None, typer.Option(help="The language of --managers, such as de or fr-CH (default: en).")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write (default: the workspace's reports/).")
    ] = None,
    original: Annotated[
        bool, typer.Option("--original", help="Of a closed month the original, also where it was corrected.")
    ] = False,
    as_known_at: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="The report as it was known at an instant.")
    ] = None,
    evidence: Annotated[
        bool,
        typer.Option("--evidence", help="Also write an archive that proves the figures: see `sla verify`."),
    ] = False,
) -> None:
    """Write customers' PDF reports of a month, with the CSV and XLSX of the same rows; or one over all customers, for managers.

    A closed month gives the edition of record: the original, or its latest correction, always the same bytes. Any other a draft.
    That of the managers has the figures of the closing, and is never sent to a customer.

    Example: sla report --customer kestrel-aerospace-ltd --month 2026-06
    """
    if sum((bool(customer), every, managers)) != 1:
        raise ConfigurationError(
            "Say whose report to write: --customer ID (may be repeated), --all, or --managers."
        )
    if managers:
        if original or evidence or as_known_at is not None:
            raise ConfigurationError(
                "--original, --as-known-at and --evidence are for customers' reports. Leave them away with --managers."
            )
        _report_to_managers(month, out, locale)
        return
    if locale is not None:
        raise ConfigurationError(
            "--locale is for --managers. A customer's language is the locale of reference/customers.csv."
        )
    known_at = None if as_known_at is None else parse_instant(as_known_at, "--as-known-at")
    _report(month, customer, out or options.find_workspace().reports, original, known_at, evidence)


def _report_to_managers(month: str, out: Path | None, locale: str | None) -> None:
    from pipeline.cli.tables import to_json
    from pipeline.periods.managers import write_pack
    from pipeline.reporting.language import check_locale

    workspace = options.find_workspace()
    if locale is not None:
        check_locale(locale)
    folder = out or workspace.reports
    with open_build(verifies=True), handed_over(workspace, folder) as given:
        files = write_pack(workspace, month, folder, locale)
        given += (files.pdf, files.compliance_csv, files.breaches_csv)
    if options.is_json:
        typer.echo(to_json(files))
        return
    for path in (files.pdf, files.compliance_csv, files.breaches_csv):
        typer.echo(path)


def _report(
    month: str,
    customer_ids: list[str] | None,
    out: Path,
    is_original: bool,
    as_known_at: datetime | None,
    proves: bool,
) -> None:
    from pipeline.cli.proof import write_evidence
    from pipeline.cli.tables import to_json

    workspace = options.find_workspace()
    with handed_over(workspace, out) as given:
        written = write_reports(
            workspace, month, customer_ids, out, is_original=is_original, as_known_at=as_known_at
        )
        given += (path for _, files in written for path in (files.pdf, files.csv, files.xlsx))
        archives = write_evidence(workspace, [issue for issue, _ in written], out) if proves else []
        given += archives
    if options.is_json:
        proofs: Sequence[Path | None] = archives or [None] * len(written)
        typer.echo(
            to_json(
                [
                    {**vars(files), "evidence": proof}
                    for (_, files), proof in zip(written, proofs, strict=True)
                ]
            )
        )
    else:
        for path in (*(files.pdf for _, files in written), *archives):
            typer.echo(path)


def write_reports(
    workspace: Workspace,
    month: str,
    customer_ids: list[str] | None,
    out: Path,
    *,
    is_original: bool = False,
    as_known_at: datetime | None = None,
) -> list[tuple[Issue, ReportFiles]]:
    """The files of every edition that could be written. Raises where one could not, after the others."""
    from pipeline.cli.progress import count_steps
    from pipeline.periods.editions import find_issues
    from pipeline.periods.issue_many import issue_reports
    from pipeline.reporting.published import EVERY_CUSTOMER, Selection, check_selection

    with open_build(verifies=True) as published:
        check_selection(published, EVERY_CUSTOMER, Selection(months=(month,)))
    issues = find_issues(workspace, month, customer_ids, is_original=is_original, as_known_at=as_known_at)
    with count_steps(sys.stderr, options.verbosity < 0, f"reports of {month}") as count:
        on_progress = count(len(issues))
        results = issue_reports(workspace, issues, out, lambda issue: on_progress(issue.customer_id))
    failed = [
        (issue, result) for issue, result in zip(issues, results, strict=True) if isinstance(result, SlaError)
    ]
    if failed:
        if customer_ids is not None and len(customer_ids) == 1:
            raise failed[0][1]
        is_only_stale = all(isinstance(problem, StaleData) for _, problem in failed)
        raise (StaleData if is_only_stale else PartlyDone)(
            f"{len(failed)} of {len(issues)} reports could not be written:\n  "
            + "\n  ".join(f"{issue.customer_id}: {problem}" for issue, problem in failed)
        )
    return [
        (issue, result)
        for issue, result in zip(issues, results, strict=True)
        if not isinstance(result, SlaError)
    ]


@app.command()
def status(
    runs: Annotated[
        bool, typer.Option("--runs", help="The runs on record, and the steps of the last one.")
    ] = False,
    form: Annotated[
        str | None, typer.Option("--format", metavar="prometheus", help="The runs as text for Prometheus.")
    ] = None,
) -> None:
    """What is published, how fresh it is, which batches would be read differently now, and which deliveries to look at.

    Example: sla status --runs
    """
    if runs or form is not None:
        _show_runs(form)
        return
    _show_status()


def _show_runs(form: str | None) -> None:
    from pipeline.cli.show_runs import runs_tables, to_prometheus
    from pipeline.pointer import read_pointer
    from pipeline.run_records import read_runs
    from pipeline.warehouse.build import is_held

    if form not in (None, "prometheus"):
        raise ConfigurationError(f"--format is {form!r}; it must be prometheus, or left away.")
    workspace = options.find_workspace()
    found = read_runs(workspace, is_held(workspace))
    if form == "prometheus":
        typer.echo(to_prometheus(found, read_pointer(workspace)), nl=False)
    else:
        show_result(found, runs_tables)


def _show_status() -> None:
    from pipeline.cli.show_deliveries import open_outcomes_tables
    from pipeline.cli.show_landing import outdated_tables
    from pipeline.cli.show_periods import describe_periods, periods_table
    from pipeline.cli.show_status import older_state_tables, status_tables
    from pipeline.delivery.ledger import list_open_outcomes
    from pipeline.ingest.landing.manifest import list_damaged_manifests
    from pipeline.ingest.landing.reader import explain_outdated, find_outdated
    from pipeline.reporting.periods import read_closed_months, read_month_states
    from pipeline.reporting.published import EVERY_CUSTOMER
    from pipeline.reporting.status import read_status
    from pipeline.rules.load_sources import load_sources
    from pipeline.state_version import describe_older, list_older

    workspace = options.find_workspace()
    older = list_older(workspace)
    with open_build() as published:
        found = read_status(published, EVERY_CUSTOMER)
        states = read_month_states(published, EVERY_CUSTOMER)
        closed = read_closed_months(published, EVERY_CUSTOMER)
    try:
        config = load_sources(workspace.sla_yml)
        sources, first_month = config.sources, config.periods.first_month
    except ConfigurationError:
        # What is published can be told whatever has happened to sla.yml since; only changed settings then stay unseen.
        sources, first_month = {}, None
    outdated = find_outdated(workspace, sources)
    rows = [(batch.source, batch.file, batch.landed_at, batch.reason) for batch in outdated]
    periods = periods_table(closed, states, describe_periods(closed, states, first_month))
    damaged_ledger: ConfigurationError | None = None
    try:
        deliveries = list_open_outcomes(workspace)
    except ConfigurationError as problem:
        # What is published can be told whatever has happened to the ledger.
        damaged_ledger, deliveries = problem, []
    show_result(
        {
            **vars(found),
            "outdated_batches": outdated,
            "months": states,
            "closed_months": closed,
            "deliveries_to_look_at": deliveries,
            "older_state": older,
        },
        lambda _: [
            *status_tables(found),
            periods,
            *outdated_tables(rows, explain_outdated(outdated)),
            *open_outcomes_tables(deliveries),
            *older_state_tables(describe_older(older)),
        ],
    )
    if damaged_ledger is not None:
        raise damaged_ledger
    damages = list_damaged_manifests(workspace)
    if damages:
        raise InputRejected(
            f"{len(damages)} batches are not there for the next build, because their manifests are damaged.",
            [damage.problem for damage in damages],
        )


@app.command()
def check(
    html: Annotated[Path | None, typer.Option(help="Also write every check as a page to this file.")] = None,
) -> None:
    """The data checks of the published version; exit code 4 when one did not pass. A damaged file is told before it is opened.

    So is a damaged build on which closed months rest: every byte of all of them is read.

    Example: sla check --html checks.html
    """
    from pipeline.cli.show_status import status_tables
    from pipeline.reporting.published import EVERY_CUSTOMER, check_builds
    from pipeline.reporting.status import read_status

    # The bytes first: what a damaged file says of its checks proves nothing.
    check_builds(options.find_workspace())
    with open_build(verifies=True) as published:
        result = read_status(published, EVERY_CUSTOMER)
        if html is not None:
            from pipeline.reporting.render_checks import write_checks

            with handed_over(options.find_workspace(), html.parent) as given:
                write_checks(result, html)
                given.append(html)
        show_result(result, status_tables)
    if any(done.status != "passed" and done.severity == "critical" for done in result.checks):
        raise ChecksFailed("A critical check did not pass.")


@app.command()
def findings(
    customer: Annotated[list[str] | None, typer.Option(help="A customer id; may be repeated.")] = None,
    finding: Annotated[list[str] | None, typer.Option(help="A kind of finding; may be repeated.")] = None,
) -> None:
    """What is suspicious in tickets and contract records, and what it did to the figures.

    Example: sla findings --customer kestrel-aerospace-ltd --finding redeemed_too_often
    """
    from pipeline.cli.show_findings import findings_tables
    from pipeline.reporting.findings import read_findings
    from pipeline.reporting.published import EVERY_CUSTOMER

    with open_build() as published:
        found = read_findings(published, EVERY_CUSTOMER, select(customer_ids=customer), finding or None)
        show_result(found, findings_tables)


@app.command()
def dashboard(port: Annotated[int, typer.Option(help="The port on 127.0.0.1.")] = 8501) -> None:
    """Open the dashboard on 127.0.0.1.

    Example: sla dashboard --port 8600
    """
    from dashboards.serve import serve

    raise typer.Exit(serve(options.find_workspace(), port))
