"""Commands that fill a workspace: the demo, landing exports, building and publishing."""

from __future__ import annotations

import sys
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.line import app, open_build, options, say, show_result
from pipeline.cli.recording import recorded, step
from pipeline.errors import ConfigurationError, InputRejected, PartlyDone, SlaError
from pipeline.private_files import handed_over
from pipeline.settings import CHECKOUT, Workspace

if TYPE_CHECKING:
    from pipeline.rules.load_sources import SourcesConfig
    from pipeline.warehouse.profile_build import Profile


class BuildEngine(StrEnum):
    """What `sla build --engine` takes."""

    duckdb = "duckdb"
    spark = "spark"
    sail = "sail"


# Of so many models `sla build --profile` prints the plan; each of their queries runs once more.
PROFILED_MODELS = 5


@app.command()
def demo(
    directory: Annotated[
        Path | None,
        typer.Option("--dir", help="Where the demo workspace goes (default: --workspace, else data/demo)."),
    ] = None,
    tickets: Annotated[int, typer.Option(min=1, help="How many tickets.")] = 4000,
    months: Annotated[int, typer.Option(min=1, help="How many months.")] = 24,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 1,
) -> None:
    """Write an invented vendor's exports and run the whole job on them.

    Example: sla demo --dir /tmp/vendor --tickets 500 --months 6
    """
    from pipeline.demo.generate import write_demo

    if directory is not None and options.workspace not in (None, directory):
        raise ConfigurationError(
            f"--dir is {directory} and --workspace is {options.workspace}; the demo goes to one folder. Give one of the two."
        )
    chosen = directory or options.workspace or CHECKOUT / "data" / "demo"
    summary = write_demo(chosen, tickets=tickets, months=months, seed=seed)
    say(f"Exports of {summary.tickets} tickets of {summary.customers} customers lie in {summary.root}.")
    options.workspace = summary.root
    run()
    workspace = options.find_workspace()
    with open_build(verifies=True) as published:
        from pipeline.demo.summarize_run import summarize_run
        from pipeline.reporting.monthly_report import read_months
        from pipeline.reporting.published import EVERY_CUSTOMER

        month = read_months(published, EVERY_CUSTOMER)[-1]
        out = workspace.reports / month
        from pipeline.cli.documents import write_reports

        written = write_reports(workspace, month, None, out)
        from pipeline.periods.managers import write_pack

        write_pack(workspace, month, out)
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
    say(
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
    workspace = options.find_workspace()
    if dry_run:
        _preview(workspace, paths, source, mapping, rows)
        return
    with lock_workspace(workspace), recorded(workspace, "ingest"):
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
        # A reviewed mapping is not to be lost to a second suggestion.
        with handed_over(None, out.parent) as given, out.open("x", encoding="utf-8") as file:
            file.write(text)
            given.append(out)
    except OSError as problem:
        raise ConfigurationError(
            f"{out} was not written: {problem.strerror or problem}. Name a new file in a folder that exists."
        ) from problem
    say(
        f"{out} holds a suggestion. Review it, then: sla ingest EXPORT --source NAME --mapping {out} --dry-run"
    )


def _load_sources(workspace: Workspace, source: str | None, mapping: Path | None) -> SourcesConfig:
    """The sources of sla.yml, one of them read with `mapping`. Where sla.yml does not name it yet, it is said what to add."""
    from dataclasses import replace

    from pipeline.rules.load_sources import check_source_name, load_sources, mapped_source

    config = load_sources(workspace.sla_yml)
    if mapping is None:
        return config
    from pipeline.rules.load_mapping import load_mapping

    if source is None:
        raise ConfigurationError("--mapping says how to read a source's files. Add --source NAME.")
    known = config.sources.get(source)
    if known is not None and known.source_type != "mapped":
        raise ConfigurationError(
            f"The source {source!r} has the type {known.source_type}; only one of type mapped is read with a mapping."
        )
    loaded = load_mapping(mapping, str(mapping))
    if known is None:
        check_source_name(source)
        say(
            f"sla.yml does not name the source {source!r} yet, so no figure counts it. Copy {mapping} to "
            f"reference/mappings/{source}.yml and add below sources: of sla.yml\n"
            f"  {source}:\n    type: mapped\n    mapping: mappings/{source}.yml"
        )
    chosen = mapped_source(source, loaded) if known is None else replace(known, mapping=loaded)
    return replace(config, sources={**config.sources, source: chosen})


def _preview(
    workspace: Workspace, paths: list[Path] | None, source: str | None, mapping: Path | None, rows: int
) -> None:
    from pipeline.cli.show_landing import preview_tables
    from pipeline.cli.tables import to_json, write_tables
    from pipeline.ingest.landing.preview import preview_exports

    config = _load_sources(workspace, source, mapping)
    previews = preview_exports(workspace, config, paths, source, rows)
    if options.is_json:
        typer.echo(to_json(previews))
    else:
        for preview in previews:
            write_tables(preview_tables(preview), sys.stdout)
            status = {"would_be_left": "would be left for the next run"}.get(
                preview.status, preview.status.replace("_", " ")
            )
            typer.echo(
                f"{preview.file}: {status}, {preview.rows_read} rows read = "
                f"{preview.rows_landed} landed + {preview.rows_rejected} rejected"
            )
            for problem in (*preview.problems, *preview.warnings):
                say(f"  {problem}")
    if not previews:
        say("There is nothing in inbox/.")
    rejected = [preview.file for preview in previews if preview.status == "would_be_rejected"]
    if rejected:
        raise InputRejected(
            f"{len(rejected)} of {len(previews)} files would be rejected: {', '.join(rejected)}."
        )


def _ingest(
    workspace: Workspace,
    paths: list[Path] | None,
    source: str | None,
    mapping: Path | None = None,
    answers: dict[str, Any] | None = None,
) -> None:
    """`answers`: where a run of several steps keeps what it prints as one JSON document at its end."""
    from pipeline.ingest.landing.land import land_exports
    from pipeline.ingest.landing.show_progress import show_progress

    config = _load_sources(workspace, source, mapping)
    is_quiet = options.verbosity < 0 or options.is_json or options.log_format == "json"
    with show_progress(sys.stderr, is_quiet) as on_progress, step("ingest") as landing:
        results = land_exports(workspace, config, paths, source, on_progress=on_progress)
        new = [result for result in results if result.status in ("landed", "rejected")]
        landing.rows_in = sum(result.rows_read for result in new)
        landing.rows_out = sum(result.rows_landed for result in new)
        landing.rows_refused = sum(result.rows_rejected for result in new)
    if options.is_json:
        from pipeline.cli.tables import to_json

        if answers is None:
            typer.echo(to_json(results))
        else:
            answers["landed"] = results
    else:
        for result in results:
            if result.status == "already_landed":
                continue
            if result.status == "left":
                for problem in result.problems:
                    say(f"  {problem}")
                continue
            typer.echo(
                f"{result.file}: {result.status}, {result.rows_read} rows read = {result.rows_landed} landed + "
                f"{result.rows_rejected} rejected"
            )
            if result.status != "rejected":
                for problem in (*result.problems, *result.warnings):
                    say(f"  {problem}")
    known = sum(result.status == "already_landed" for result in results)
    if known == len(results):
        say("There is nothing new" + (f": {known} files landed before." if known else " in inbox/."))
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
        # A user who names a file means this run, not the next one.
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
    from pipeline.cli.show_landing import quarantine_csv, quarantine_table, retried_table
    from pipeline.ingest.landing.quarantine import list_quarantine, retry_quarantine
    from pipeline.rules.load_sources import load_sources

    workspace = options.find_workspace()
    if retry:
        from pipeline.warehouse.build import lock_workspace

        with lock_workspace(workspace):
            retried = retry_quarantine(workspace, load_sources(workspace.sla_yml), source)
        show_result(retried, retried_table)
        for problem in (problem for file in retried for problem in file.problems):
            say(f"  {problem}")
        if any(file.still_refused for file in retried):
            left = sum(file.still_refused for file in retried)
            raise PartlyDone(f"Still refused: {left}. `sla quarantine` lists what is wrong with each.")
        return
    records = list_quarantine(workspace, source)
    if export is not None:
        try:
            with handed_over(workspace, export.parent) as given:
                export.write_bytes(quarantine_csv(records))
                given.append(export)
        except OSError as problem:
            raise ConfigurationError(
                f"{export} cannot be written: {problem.strerror or problem}."
            ) from problem
        say(f"{export} holds all refused records: {len(records)}.")
        return
    show_result(records, quarantine_table)


@app.command()
def build(
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="Judge every ticket again. Without it, tickets of which nothing changed keep their rows.",
        ),
    ] = False,
    profile: Annotated[
        bool,
        typer.Option(
            "--profile", help="Print where the time went, and the engine's plans of the slowest models."
        ),
    ] = False,
    engine: Annotated[
        BuildEngine | None,
        typer.Option("--engine", help="On which engine the models run, instead of what sla.yml says."),
    ] = None,
) -> None:
    """Run the models and the checks, and publish the result.

    Example: sla build --as-of 2026-07-01T00:00:00Z
    """
    from pipeline.warehouse.build import lock_workspace

    workspace = options.find_workspace()
    if profile and engine in (BuildEngine.spark, BuildEngine.sail):
        raise ConfigurationError(
            "--profile shows DuckDB's own plans, and Spark has its own pages for them: leave out one of --profile and "
            f"--engine {engine}."
        )
    with lock_workspace(workspace), recorded(workspace, "build"):
        finish_forgetting(workspace)
        if profile:
            _build_with_profile(workspace, is_full=full)
        else:
            _build(workspace, is_full=full, engine=None if engine is None else engine.value)
        _try_plans(workspace)
        _say_state(workspace)


def finish_forgetting(workspace: Workspace) -> None:
    """Finish a request to forget that is on record, also one of a run that was killed, before anything else is made from what it
    concerns. The caller holds the workspace's lock."""
    if not workspace.forgetting.exists():
        return
    from pipeline.cli.show_forgetting import show_forgetting
    from pipeline.privacy.forget import carry_out, finish

    done = carry_out(workspace)
    _build(workspace, is_full=True)
    done = finish(workspace, done)
    show_forgetting(workspace, done)
    if done.left:
        raise PartlyDone(
            f"{len(done.left)} files still hold one of the values, and are not changed by this program: "
            f"{', '.join(str(path) for path in done.left[:10])}. Edit or remove them."
        )


def _build_with_profile(workspace: Workspace, *, is_full: bool) -> None:
    from pipeline.cli.show_profile import profile_tables
    from pipeline.warehouse.profile_build import Profile

    profile = Profile()
    _build(workspace, profile, is_full=is_full, engine=BuildEngine.duckdb.value)
    if profile.nodes:
        show_result(profile, profile_tables)
    else:
        say("Nothing was built, so there is nothing to measure.")


def _build(
    workspace: Workspace,
    profile: Profile | None = None,
    *,
    is_full: bool = False,
    engine: str | None = None,
) -> None:
    from pipeline.cli.show_build import show_build
    from pipeline.ingest.landing.land import land_damaged
    from pipeline.ingest.landing.reader import explain_outdated, find_outdated
    from pipeline.rules.load_sources import load_sources
    from pipeline.warehouse.build import build_workspace

    # What is damaged is landed again first; what could not be stops the build, by name.
    for landed in land_damaged(workspace, load_sources(workspace.sla_yml)):
        for problem in landed.warnings:
            say(f"warning: {problem}")
    is_quiet = options.verbosity < 0 or options.is_json or options.log_format == "json"
    with show_build(sys.stderr, is_quiet) as on_step, step("build") as building:
        if profile is None:
            result = build_workspace(workspace, options.as_of, on_step, is_full=is_full, engine=engine)
        else:
            with profile.watch(on_step) as tell:
                explain = partial(profile.explain, count=PROFILED_MODELS)
                result = build_workspace(
                    workspace, options.as_of, tell, explain, is_full=is_full, engine=engine
                )
        building.rows_in, building.rows_out = result.landed_rows, result.obligations
    for warning in result.warnings:
        say(f"warning: {warning}")
    state = (
        f"published, {result.checks_passed} checks passed"
        if result.is_new
        else "unchanged since the last build"
    )
    say(f"Build {result.pointer.build_id}, data as of {result.pointer.as_of}: {state}.")
    if result.judged:
        say(result.judged)
    for message in explain_outdated(find_outdated(workspace, load_sources(workspace.sla_yml).sources)):
        say(f"warning: {message}")
    _correct(workspace)


def _try_plans(workspace: Workspace) -> None:
    """Try the plans that sla.yml names on what is published: at the end, so that no figure and no report waits for it."""
    from pipeline.cli.show_build import show_build
    from pipeline.rules.load_sources import load_sources
    from pipeline.warehouse.try_plans import find_untried, try_plans

    untried = find_untried(workspace, load_sources(workspace.sla_yml).compared_plans)
    if untried:
        with step("plans tried"), show_build(sys.stderr, options.verbosity < 0 or options.is_json) as on_step:
            try_plans(workspace, untried, on_step)
        say(f"Tried on the same tickets: {', '.join(untried)}.")


def _say_state(workspace: Workspace) -> None:
    """The last lines: what was refused, and what was not judged."""
    from pipeline.reporting import figures
    from pipeline.reporting.published import EVERY_CUSTOMER, open_published
    from pipeline.reporting.status import read_status

    with open_published(workspace) as published:
        status = read_status(published, EVERY_CUSTOMER)
    for line in figures.describe_state(status):
        say(line)


def _correct(workspace: Workspace) -> None:
    """Record what the build that is served changes in closed months."""
    from pipeline.cli.show_periods import describe_corrections
    from pipeline.periods.close import record_corrections
    from pipeline.pointer import read_pointer

    pointer = read_pointer(workspace)
    assert pointer is not None
    for line in describe_corrections(record_corrections(workspace, pointer)):
        say(line)


def _close_due(workspace: Workspace) -> None:
    from pipeline.cli.show_periods import describe_closed
    from pipeline.periods.close import close_due
    from pipeline.pointer import read_pointer
    from pipeline.reporting.published import open_published
    from pipeline.rules.load_sources import load_sources

    rules = load_sources(workspace.sla_yml).periods
    pointer = read_pointer(workspace)
    assert pointer is not None
    with step("close") as closing, open_published(workspace) as published:
        result = close_due(workspace, published, pointer, rules)
        closing.rows_out = len(result.closings)
    for line in describe_closed(result):
        say(line)


@app.command()
def close(
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="The month to close.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be closed; write nothing.")
    ] = False,
    reopen: Annotated[
        bool, typer.Option("--reopen", help="Open a closed month again. Its closing stays on record.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why it is opened again; it stays on record.")] = None,
) -> None:
    """Close a month with the published figures, which then never change; later changes become numbered corrections.

    Example: sla close --month 2026-06
    """
    from pipeline.cli.show_periods import describe_closed, describe_reopened
    from pipeline.cli.tables import to_json
    from pipeline.periods.close import close_month, reopen_month
    from pipeline.pointer import read_pointer
    from pipeline.reporting.published import EVERY_CUSTOMER, Selection, check_selection
    from pipeline.warehouse.build import lock_workspace

    if reason is not None and not reopen:
        raise ConfigurationError("--reason says why a month is opened again. Add --reopen.")
    if reopen and dry_run:
        raise ConfigurationError("--dry-run shows what closing would do. Leave --reopen away.")
    workspace = options.find_workspace()
    with lock_workspace(workspace), recorded(workspace, "close"), open_build(verifies=True) as published:
        check_selection(published, EVERY_CUSTOMER, Selection(months=(month,)))
        if reopen:
            reopened = reopen_month(workspace, month, reason or "")
            result: object = reopened
            lines = describe_reopened(reopened)
        else:
            pointer = read_pointer(workspace)
            assert pointer is not None
            closed = close_month(workspace, published, pointer, month, dry_run)
            result, lines = closed.closings, describe_closed(closed, is_dry=dry_run)
    if options.is_json:
        typer.echo(to_json(result))
        return
    for line in lines:
        typer.echo(line)


@app.command()
def run() -> None:
    """Land what is new, build, publish, close the months that are due and deliver. Safe to call any number of times.

    Example: sla run --workspace support-reporting
    """
    from pipeline.warehouse.build import lock_workspace

    workspace = options.find_workspace()
    answers: dict[str, Any] = {"landed": [], "deliveries": None}
    try:
        with lock_workspace(workspace), recorded(workspace, "run"):
            finish_forgetting(workspace)
            _run(workspace, answers)
    finally:
        if options.is_json:
            from pipeline.cli.tables import to_json

            typer.echo(to_json(answers))


def _run(workspace: Workspace, answers: dict[str, Any]) -> None:
    from pipeline.cli.deliveries import check_delivery

    # What delivery lacks is told before anything is built, and not behind a build that is published and never sent.
    check_delivery(workspace)
    rejected: InputRejected | None = None
    try:
        _ingest(workspace, None, None, answers=answers)
    except InputRejected as problem:
        # The files that did land are still worth a build; the ones that did not are still an error at the end.
        rejected = problem
    try:
        _build(workspace)
    except SlaError:
        # What the build lacks may be what was rejected, so both are told.
        if rejected is not None:
            say(f"sla: {rejected}")
        raise
    try:
        _close_and_deliver(workspace, answers, rejected)
        _try_plans(workspace)
    finally:
        _say_state(workspace)


def _close_and_deliver(workspace: Workspace, answers: dict[str, Any], rejected: InputRejected | None) -> None:
    from pipeline.cli.deliveries import deliver_due, explain_outcomes, show_outcomes

    if rejected is not None:
        say("Nothing was closed or delivered: files were rejected, so the figures may lack what they hold.")
        raise rejected
    _close_due(workspace)
    with step("managers"):
        unwritten = _write_missing_packs(workspace)
    with step("deliver") as delivering:
        outcomes = deliver_due(workspace)
        if outcomes is not None:
            delivering.rows_in = len(outcomes.reports)
            delivering.rows_out = sum(each.status == "sent" for each in outcomes.reports)
            delivering.rows_refused = sum(each.status == "refused" for each in outcomes.reports)
    if outcomes is None:
        say("Nothing is delivered: sla.yml has no section delivery.")
    else:
        answers["deliveries"] = outcomes
        if not options.is_json:
            show_outcomes(outcomes)
        undelivered = explain_outcomes(outcomes)
        if undelivered is not None:
            raise undelivered
    if unwritten is not None:
        raise unwritten


def _write_missing_packs(workspace: Workspace) -> PartlyDone | None:
    """The managers' document of each closed month that has none yet; what could not be written, for the end of the run."""
    from pipeline.periods.managers import list_missing_packs, write_pack
    from pipeline.reporting.published import open_published

    with open_published(workspace) as published:
        months = list_missing_packs(workspace, published)
    failed = []
    for month in months:
        try:
            say(f"For managers: {write_pack(workspace, month, workspace.reports).pdf}")
        except SlaError as problem:
            # The customers' reports are delivered nevertheless.
            failed.append(f"{month}: {problem}")
    if not failed:
        return None
    return PartlyDone(
        f"{len(failed)} of {len(months)} documents for managers could not be written:\n  "
        + "\n  ".join(failed)
    )
