"""The command `sla`: thin commands over the rooms beside this file. Data goes to stdout, messages to stderr.

Nothing heavy is imported before the command that needs it runs, so that `sla --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import ChecksFailed, ConfigurationError, InputRejected, PartlyDone, SlaError, StaleData
from pipeline.interruption import is_asked, listen, stop_if_asked
from pipeline.settings import CHECKOUT, Workspace, find_workspace, parse_instant

if TYPE_CHECKING:
    from pipeline.reporting.queries import Published
    from pipeline.reporting.records import Selection
    from pipeline.reporting.render_report import ReportFiles
    from pipeline.rules.load_sources import SourcesConfig

app = typer.Typer(
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="SLA compliance and ticket entitlements, computed from helpdesk exports and explained to the second.\n\n"
    "Start with `sla demo`, or `sla init DIR` for a workspace of your own.\n\n"
    "Global options may stand anywhere on the line. Exit codes: 0 ok, 1 unexpected, 2 usage or configuration, 3 input rejected, "
    "4 checks failed and nothing published, 5 partly done, 6 locked, 7 stale data, 8 delivery failed.",
)

# Options that every command knows, wherever they stand on the line; the value says whether an argument follows.
_GLOBAL_OPTIONS = {"--workspace": True, "--as-of": True} | dict.fromkeys(
    ("--json", "-q", "--quiet", "-v", "--verbose"), False
)


@dataclass
class _Globals:
    """What the global options said; filled before any command runs."""

    workspace: Path | None = None
    as_of: datetime | None = None
    is_json: bool = False
    verbosity: int = 0

    def find_workspace(self) -> Workspace:
        return find_workspace(self.workspace)


_globals = _Globals()


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"sla {version('sla-entitlements')}")
        raise typer.Exit


@app.callback()
def _read_globals(
    workspace: Annotated[
        Path | None, typer.Option(help="The workspace (default: SLA_WORKSPACE, else the checkout's data/).")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Up to when the data counts as known.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print no progress.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Print more about what is done.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    _globals.workspace = workspace
    _globals.as_of = None if as_of is None else parse_instant(as_of, "--as-of")
    _globals.is_json = as_json
    _globals.verbosity = int(verbose) - int(quiet)


def main() -> None:
    """Run the command line; every error leaves with its message and exit code, never with a traceback."""
    listen()
    try:
        outcome = app(args=_hoist_globals(sys.argv[1:]), prog_name="sla", standalone_mode=False)
        code = outcome if isinstance(outcome, int) else 0
    except typer.Exit as stop:
        code = stop.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except BrokenPipeError:
        # The reader of our output has gone, as `| head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as problem:
        # What a library makes of Ctrl-C is no fault to report.
        code = 130 if is_asked() else _say_error(problem)
    # The option parser may have turned Ctrl-C into its exit code already.
    if code == 130:
        typer.echo("sla: stopped; what was not finished will be done by the next run.", err=True)
    sys.stdout.flush()
    raise SystemExit(code)


def _say_error(problem: Exception) -> int:
    if isinstance(problem, SlaError):
        typer.echo(f"sla: {problem}", err=True)
        return problem.exit_code
    # Usage errors come from the option parser with a message and an exit code of their own.
    show = getattr(problem, "format_message", None)
    if show is not None:
        typer.echo(f"sla: {show()} Try `sla --help`.", err=True)
        return 2
    if _globals.verbosity > 0:
        raise problem
    typer.echo(
        f"sla: unexpected {type(problem).__name__}: {problem}\n  This is a fault of the program, not of your data. "
        "Run it again with -v for the details.",
        err=True,
    )
    return 1


def _hoist_globals(arguments: list[str]) -> list[str]:
    """Move global options in front of the command, so that `sla tickets --json` works like `sla --json tickets`."""
    front: list[str] = []
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        name, has_value, _ = argument.partition("=")
        if argument == "--":
            rest += [argument, *remaining]
        elif name in _GLOBAL_OPTIONS and (has_value or not _GLOBAL_OPTIONS[name]):
            front.append(argument)
        elif name in _GLOBAL_OPTIONS:
            front += [argument, *[value for value in [next(remaining, None)] if value is not None]]
        else:
            rest.append(argument)
    return front + rest


def _say(message: str) -> None:
    if _globals.verbosity >= 0:
        typer.echo(message, err=True)


@app.command()
def demo(
    directory: Annotated[Path, typer.Option("--dir", help="Where the demo workspace goes.")] = CHECKOUT
    / "data"
    / "demo",
    tickets: Annotated[int, typer.Option(min=1, help="How many tickets.")] = 4000,
    months: Annotated[int, typer.Option(min=1, help="How many months.")] = 24,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 1,
) -> None:
    """Write a made-up vendor's exports and run the whole job on them.

    Example: sla demo --dir /tmp/vendor --tickets 500 --months 6
    """
    from pipeline.demo.generate import write_demo

    summary = write_demo(directory, tickets=tickets, months=months, seed=seed)
    _say(f"Exports of {summary.tickets} tickets of {summary.customers} customers lie in {summary.root}.")
    _globals.workspace = summary.root
    run()
    workspace = _globals.find_workspace()
    with _published() as published:
        from pipeline.demo.summarize_run import summarize_run
        from pipeline.reporting import queries
        from pipeline.reporting.records import EVERY_CUSTOMER

        month = queries.months(published, EVERY_CUSTOMER)[-1]
        out = workspace.reports / month
        written = _write_reports(published, month, None, out)
        for line in summarize_run(published, workspace.root, out, len(written)):
            typer.echo(line)


@app.command()
def init(directory: Annotated[Path, typer.Argument(help="A new or empty folder.")]) -> None:
    """Write an empty, commented workspace.

    Example: sla init support-reporting
    """
    from pipeline.rules.init_workspace import init_workspace

    for file in init_workspace(directory):
        typer.echo(file)
    _say(
        f"Next: describe your helpdesk in {directory / 'sla.yml'}, drop its exports into inbox/<source>/, then `sla run`."
    )


@app.command()
def ingest(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Exports (default: everything new in inbox/).")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="The source in sla.yml that the files belong to.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="A mapping file to read them with, instead of the source's own.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the first rows as they would land; write nothing.")
    ] = False,
    rows: Annotated[int, typer.Option(min=1, max=1000, help="How many rows --dry-run shows.")] = 5,
    suggest: Annotated[
        bool, typer.Option("--suggest", help="Write a mapping for one file, to be reviewed; land nothing.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Where --suggest writes (default: stdout).")] = None,
) -> None:
    """Land exports as immutable batches.

    Example: sla ingest tickets-2026-06.json --source helpdesk
    """
    from pipeline.warehouse.build import lock_workspace

    if suggest:
        _suggest(paths, out)
        return
    if out is not None:
        raise ConfigurationError("--out belongs to --suggest; what lands goes to the warehouse.")
    workspace = _globals.find_workspace()
    if dry_run:
        _preview(workspace, paths, source, mapping, rows)
        return
    with lock_workspace(workspace):
        _ingest(workspace, paths, source, mapping)


def _suggest(paths: list[Path] | None, out: Path | None) -> None:
    from pipeline.ingest.landing.suggest_mapping import suggest_mapping

    if not paths or len(paths) != 1:
        raise ConfigurationError("--suggest looks at one export. Name it: sla ingest EXPORT --suggest.")
    text = suggest_mapping(paths[0])
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        # Somebody's reviewed mapping is not to be lost to a second suggestion.
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as problem:
        raise ConfigurationError(
            f"{out} was not written: {problem.strerror or problem}. Name a new file in a folder that exists."
        ) from problem
    _say(
        f"{out} holds a suggestion. Review it, then: sla ingest EXPORT --source NAME --mapping {out} --dry-run"
    )


def _load_sources(
    workspace: Workspace, source: str | None, mapping: Path | None, is_trial: bool
) -> SourcesConfig:
    from dataclasses import replace

    from pipeline.rules.load_mapping import load_mapping
    from pipeline.rules.load_sources import load_sources, mapped_source

    config = load_sources(workspace.sla_yml)
    if mapping is None:
        return config
    if source is None:
        raise ConfigurationError("--mapping says how to read a source's files. Add --source NAME.")
    known = config.sources.get(source)
    if known is None and not is_trial:
        raise ConfigurationError(
            f"sla.yml does not name the source {source!r}. Add it with type: mapped before its files land; "
            "--dry-run works without."
        )
    if known is not None and known.source_type != "mapped":
        raise ConfigurationError(
            f"The source {source!r} has the type {known.source_type}; only one of type mapped is read with a mapping."
        )
    loaded = load_mapping(mapping, str(mapping))
    chosen = mapped_source(source, loaded) if known is None else replace(known, mapping=loaded)
    return replace(config, sources={**config.sources, source: chosen})


def _preview(
    workspace: Workspace, paths: list[Path] | None, source: str | None, mapping: Path | None, rows: int
) -> None:
    from pipeline.ingest.landing.preview import preview_exports
    from pipeline.reporting import tables
    from pipeline.reporting.show_landing import preview_tables

    config = _load_sources(workspace, source, mapping, is_trial=True)
    previews = preview_exports(workspace, config, paths, source, rows)
    if _globals.is_json:
        typer.echo(tables.to_json(previews))
    else:
        for preview in previews:
            tables.write(preview_tables(preview), sys.stdout)
            typer.echo(
                f"{preview.file}: {preview.status.replace('_', ' ')}, {preview.rows_read} rows read = "
                f"{preview.rows_landed} landed + {preview.rows_rejected} rejected"
            )
            for problem in (*preview.problems, *preview.warnings):
                _say(f"  {problem}")
    if not previews:
        _say("There is nothing in inbox/.")
    rejected = [preview.file for preview in previews if preview.status == "would_be_rejected"]
    if rejected:
        raise InputRejected(
            f"{len(rejected)} of {len(previews)} files would be rejected: {', '.join(rejected)}."
        )


def _ingest(
    workspace: Workspace, paths: list[Path] | None, source: str | None, mapping: Path | None = None
) -> None:
    from pipeline.ingest.landing.land import land_exports
    from pipeline.ingest.landing.show_progress import show_progress

    config = _load_sources(workspace, source, mapping, is_trial=False)
    with show_progress(sys.stderr, _globals.verbosity < 0) as on_progress:
        results = land_exports(workspace, config, paths, source, on_progress=on_progress)
    if _globals.is_json:
        from pipeline.reporting.tables import to_json

        typer.echo(to_json(results))
    else:
        for result in results:
            if result.status == "already_landed":
                continue
            if result.status == "left":
                for problem in result.problems:
                    _say(f"  {problem}")
                continue
            typer.echo(
                f"{result.file}: {result.status}, {result.rows_read} rows read = {result.rows_landed} landed + "
                f"{result.rows_rejected} rejected"
            )
            if result.status != "rejected":
                for problem in (*result.problems, *result.warnings):
                    _say(f"  {problem}")
    known = sum(result.status == "already_landed" for result in results)
    if known == len(results):
        _say("There is nothing new" + (f": {known} files landed before." if known else " in inbox/."))
    rejected = [result.file for result in results if result.status == "rejected"]
    if rejected:
        problems = [
            problem for result in results if result.status == "rejected" for problem in result.problems
        ]
        raise InputRejected(
            f"{len(rejected)} of {len(results)} files were rejected; nothing of them was kept.", problems
        )
    left = [result.file for result in results if result.status == "left"]
    if left and paths:
        # Somebody who names a file means this run, not the next one.
        raise PartlyDone(
            f"{', '.join(left)} is still being written and was not landed. Run again when it is complete."
        )


@app.command()
def quarantine(
    source: Annotated[str | None, typer.Option(help="One source only.")] = None,
    export: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="Write all of it as CSV.")] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Read the files again whose mapping or settings changed since.")
    ] = False,
) -> None:
    """The records that were refused: file, line, column, value, reason and hint.

    Files that were refused whole keep nothing here; they are read again by every `sla ingest`.

    Example: sla quarantine --source helpdesk --export refused.csv
    """
    from pipeline.ingest.landing.quarantine import list_quarantine, retry_quarantine
    from pipeline.reporting.show_landing import quarantine_csv, quarantine_table, retried_table
    from pipeline.rules.load_sources import load_sources

    workspace = _globals.find_workspace()
    if retry:
        from pipeline.warehouse.build import lock_workspace

        with lock_workspace(workspace):
            retried = retry_quarantine(workspace, load_sources(workspace.sla_yml), source)
        _print(retried, retried_table)
        for problem in (problem for file in retried for problem in file.problems):
            _say(f"  {problem}")
        if any(file.still_refused for file in retried):
            left = sum(file.still_refused for file in retried)
            raise PartlyDone(f"Still refused: {left}. `sla quarantine` lists what is wrong with each.")
        return
    records = list_quarantine(workspace, source)
    if export is not None:
        try:
            export.write_bytes(quarantine_csv(records))
        except OSError as problem:
            raise ConfigurationError(
                f"{export} cannot be written: {problem.strerror or problem}."
            ) from problem
        _say(f"{export} holds all refused records: {len(records)}.")
        return
    _print(records, quarantine_table)


@app.command()
def build() -> None:
    """Run the models and the checks, and publish the result.

    Example: sla build --as-of 2026-07-01T00:00:00Z
    """
    from pipeline.warehouse.build import lock_workspace

    workspace = _globals.find_workspace()
    with lock_workspace(workspace):
        _build(workspace)


def _build(workspace: Workspace) -> None:
    from pipeline.ingest.landing.reader import explain_outdated, find_outdated
    from pipeline.rules.load_sources import load_sources
    from pipeline.warehouse.build import build_workspace

    result = build_workspace(workspace, _globals.as_of)
    for warning in result.warnings:
        _say(f"warning: {warning}")
    state = (
        f"published, {result.checks_passed} checks passed"
        if result.is_new
        else "unchanged since the last build"
    )
    _say(f"Build {result.pointer.build_id}, data as of {result.pointer.as_of}: {state}.")
    for message in explain_outdated(find_outdated(workspace, load_sources(workspace.sla_yml).sources)):
        _say(f"warning: {message}")


@app.command()
def run() -> None:
    """Land what is new, build and publish. Safe to call any number of times.

    Example: sla run --workspace support-reporting
    """
    from pipeline.warehouse.build import lock_workspace

    workspace = _globals.find_workspace()
    with lock_workspace(workspace):
        rejected: InputRejected | None = None
        try:
            _ingest(workspace, None, None)
        except InputRejected as problem:
            # The files that did land are still worth a build; the ones that did not are still an error at the end.
            rejected = problem
        _build(workspace)
    if rejected is not None:
        raise rejected


def _published() -> Published:
    from pipeline.reporting.queries import open_published

    published = open_published(_globals.find_workspace())
    if _globals.as_of is not None:
        from pipeline.reporting.queries import build_status
        from pipeline.reporting.records import EVERY_CUSTOMER

        known = build_status(published, EVERY_CUSTOMER).as_of
        if known != _globals.as_of:
            raise StaleData(
                f"The published figures are as of {known:%Y-%m-%dT%H:%M:%SZ}, not {_globals.as_of:%Y-%m-%dT%H:%M:%SZ}. "
                f"Build them first: sla build --as-of {_globals.as_of:%Y-%m-%dT%H:%M:%SZ}."
            )
    return published


def _print(result: Any, as_tables: Callable[[Any], Any]) -> None:
    from pipeline.reporting import tables

    if _globals.is_json:
        typer.echo(tables.to_json(result))
    else:
        shown = as_tables(result)
        tables.write(shown if isinstance(shown, list | tuple) else [shown], sys.stdout)


def _select(**given: Any) -> Selection:
    from pipeline.reporting.records import Selection

    chosen = {
        name: tuple(values) if isinstance(values, list | tuple) else (values,)
        for name, values in given.items()
        if values
    }
    return Selection(**chosen)


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

    with _published() as published:
        cuts = tuple(cut.strip() for cut in by.split(",") if cut.strip())
        result = queries.compliance(
            published, EVERY_CUSTOMER, _select(months=month), by=cuts, month_basis=basis
        )
        _print(result, tables.compliance_table)


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

    with _published() as published:
        selection = _select(customer_ids=customer)
        if alerts:
            _print(queries.alerts(published, EVERY_CUSTOMER, selection), tables.alerts_table)
        elif forecast:
            _print(queries.forecasts(published, EVERY_CUSTOMER, selection), tables.forecasts_table)
        else:
            _print(queries.entitlements(published, EVERY_CUSTOMER, selection), tables.entitlements_table)


@app.command()
def backtest() -> None:
    """How often the forecast's 80 % interval would have held in past quarters.

    Example: sla backtest --json
    """
    from pipeline.forecasting import backtest as past
    from pipeline.reporting import queries, tables
    from pipeline.reporting.records import EVERY_CUSTOMER

    with _published() as published:
        _print(past.backtest(queries.draw_history(published, EVERY_CUSTOMER)), tables.backtest_table)


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

    with _published() as published:
        _print(queries.ledger(published, EVERY_CUSTOMER, customer, month), tables.ledger_tables)


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

    with _published() as published:
        selection = _select(customer_ids=customer)
        _print(queries.plan_trial(published, EVERY_CUSTOMER, plan, selection), tables.trial_tables)


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

    with _published() as published:
        selection = _select(statuses=status, customer_ids=customer, months=month)
        if at_risk:
            if status or month:
                raise ConfigurationError("--at-risk lists what runs now; leave out --status and --month.")
            _print(queries.at_risk(published, EVERY_CUSTOMER, selection), tables.at_risk_table)
            return
        _print(queries.tickets(published, EVERY_CUSTOMER, selection, month_basis=basis), tables.tickets_table)


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

    with _published() as published:
        selection = _select(customer_ids=customer, obligations=obligation)
        compared = queries.vendor_figures(published, EVERY_CUSTOMER, selection, reason)
        _print(compared, tables.vendor_figures_table)


@app.command()
def explain(ticket: Annotated[str, typer.Argument(help="A ticket id.")]) -> None:
    """Why a ticket has its verdicts: promise, clause, clock, every segment, the message that stopped it.

    Example: sla explain 10042
    """
    from pipeline.reporting import queries, tables
    from pipeline.reporting.records import EVERY_CUSTOMER

    with _published() as published:
        _print(queries.explanation(published, EVERY_CUSTOMER, ticket), tables.explanation_tables)


@app.command()
def clock(
    questions: Annotated[Path, typer.Argument(help="NDJSON, one question a line.")],
    calendars: Annotated[Path, typer.Option(help="A calendar file.")],
) -> None:
    """Answer business-time questions with the very SQL that the models use.

    Example: sla clock questions.ndjson --calendars data/reference/calendars/business_hours.yml
    """
    from pipeline.calendars.clock import answer_questions

    if answer_questions(questions, calendars, sys.stdout) != 0:
        raise PartlyDone("Some questions could not be answered; each of them says why in its own line.")


@app.command()
def schedules(
    file: Annotated[Path, typer.Argument(help="Zendesk's schedules or Freshdesk's business hours, as JSON.")],
) -> None:
    """A helpdesk's own schedules as a file for reference/calendars, on stdout.

    Example: sla schedules schedules.json > reference/calendars/helpdesk.yml
    """
    from pipeline.calendars.read_schedules import write_calendars

    typer.echo(write_calendars(file), nl=False)


@app.command()
def report(
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="The month to report.")],
    customer: Annotated[list[str] | None, typer.Option(help="A customer id; may be repeated.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every customer with something to report.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Where to write (default: the workspace's reports/).")
    ] = None,
) -> None:
    """Write customers' PDF reports of a month, with the CSV and XLSX of the same rows.

    Example: sla report --customer C-0001 --month 2026-06
    """
    if bool(customer) == every:
        raise ConfigurationError("Say whose report to write: --customer ID (may be repeated), or --all.")
    _report(month, customer, out or _globals.find_workspace().reports)


def _report(month: str, customer_ids: list[str] | None, out: Path) -> None:
    from pipeline.reporting.tables import to_json

    with _published() as published:
        written = _write_reports(published, month, customer_ids, out)
    if _globals.is_json:
        typer.echo(to_json(written))
    else:
        for files in written:
            typer.echo(files.pdf)


def _write_reports(
    published: Published, month: str, customer_ids: list[str] | None, out: Path
) -> list[ReportFiles]:
    from pipeline.reporting import queries
    from pipeline.reporting.records import EVERY_CUSTOMER
    from pipeline.reporting.render_report import render_report

    written, failed = [], []
    for customer_id in customer_ids or queries.customers_to_report(published, EVERY_CUSTOMER, month):
        stop_if_asked()
        try:
            written.append(render_report(published, EVERY_CUSTOMER, customer_id, month, out))
        except SlaError as problem:
            if customer_ids is not None and len(customer_ids) == 1:
                raise
            # One customer's trouble must not take the others' reports away.
            failed.append(f"{customer_id}: {problem}")
    if failed:
        raise PartlyDone(
            f"{len(failed)} of {len(written) + len(failed)} reports could not be written:\n  "
            + "\n  ".join(failed)
        )
    return written


@app.command()
def status() -> None:
    """What is published, how fresh it is, and which batches would be read differently now.

    Example: sla status --json
    """
    from pipeline.ingest.landing.reader import explain_outdated, find_outdated
    from pipeline.reporting import queries, tables
    from pipeline.reporting.records import EVERY_CUSTOMER
    from pipeline.reporting.show_landing import outdated_tables
    from pipeline.rules.load_sources import load_sources

    workspace = _globals.find_workspace()
    with _published() as published:
        found = queries.build_status(published, EVERY_CUSTOMER)
    try:
        sources = load_sources(workspace.sla_yml).sources
    except ConfigurationError:
        # What is published can be told whatever has happened to sla.yml since; only changed settings then stay unseen.
        sources = {}
    outdated = find_outdated(workspace, sources)
    _print(
        {**vars(found), "outdated_batches": outdated},
        lambda _: [*tables.status_tables(found), *outdated_tables(outdated, explain_outdated(outdated))],
    )


@app.command()
def check(
    html: Annotated[Path | None, typer.Option(help="Also write every check as a page to this file.")] = None,
) -> None:
    """The data checks of the published version; exit code 4 when one did not pass.

    Example: sla check --html checks.html
    """
    from pipeline.reporting import queries, tables
    from pipeline.reporting.records import EVERY_CUSTOMER
    from pipeline.warehouse.publish import hash_file, read_pointer

    pointer = read_pointer(_globals.find_workspace())
    with _published() as published:
        result = queries.build_status(published, EVERY_CUSTOMER)
        if html is not None:
            from pipeline.reporting.render_checks import write_checks

            write_checks(result, html)
        _print(result, tables.status_tables)
        if pointer is None or hash_file(published.path) != pointer.sha256:
            raise ChecksFailed(
                f"{published.path.name} is not the file that was published: its hash differs. Publish again with `sla build`."
            )
    if any(done.status != "passed" and done.severity == "critical" for done in result.checks):
        raise ChecksFailed("A critical check did not pass.")


@app.command()
def findings(
    customer: Annotated[list[str] | None, typer.Option(help="A customer id; may be repeated.")] = None,
    finding: Annotated[list[str] | None, typer.Option(help="A kind of finding; may be repeated.")] = None,
) -> None:
    """What is suspicious in tickets and contract records, and what it did to the figures.

    Example: sla findings --customer C-0001 --finding redeemed_too_often
    """
    from pipeline.reporting import queries, tables
    from pipeline.reporting.records import EVERY_CUSTOMER

    with _published() as published:
        found = queries.findings(published, EVERY_CUSTOMER, _select(customer_ids=customer), finding or None)
        _print(found, tables.findings_tables)


@app.command()
def dashboard(port: Annotated[int, typer.Option(help="The port on 127.0.0.1.")] = 8501) -> None:
    """Open the dashboard on 127.0.0.1.

    Example: sla dashboard --port 8600
    """
    from dashboards.serve import serve

    raise typer.Exit(serve(_globals.find_workspace(), port))
