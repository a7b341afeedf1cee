"""One build: landed batches and rules in, a published version out, or the old version untouched."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, chdir, contextmanager, nullcontext, suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.engine_memory import fits_beside, limit_engine
from pipeline.errors import ChecksFailed, Problem, WorkspaceLocked
from pipeline.interruption import stop_if_asked
from pipeline.pointer import Pointer
from pipeline.seen_files import seen_files
from pipeline.settings import Workspace, read_clock
from pipeline.state_version import VERSION, migrate
from pipeline.warehouse.fingerprint import Input, fingerprint, list_inputs
from pipeline.warehouse.incremental import (
    NO_BASIS,
    Basis,
    BuildEverything,
    Everything,
    TicketsMissed,
    choose_tickets,
    find_basis,
    keep,
    list_models_by_ticket,
    remove_older,
    stop_on_missed_tickets,
)
from pipeline.warehouse.publish import compact, find_served, publish
from pipeline.warehouse.run_dbt import OnStep, tell_nothing
from pipeline.whole_files import remove_leftovers

if TYPE_CHECKING:
    from pipeline.ingest.landing.manifest import Batch
    from pipeline.quality.check_tables import CheckResult
    from pipeline.quality.judge_shares import Share
    from pipeline.warehouse.load_raw import RawInputs
    from pipeline.warehouse.run_dbt import DbtCheck, Project
    from pipeline.warehouse.spark import Spark


@dataclass(frozen=True)
class BuildResult:
    """`is_new` is false when nothing had changed since the version that is served. `judged` says how many tickets were judged
    again, or why all of them. `landed_rows` and `obligations` count what went in and what came out; 0 where nothing was built.
    """

    pointer: Pointer
    is_new: bool
    checks_passed: int
    warnings: tuple[str, ...]
    judged: str = ""
    landed_rows: int = 0
    obligations: int = 0


_SECONDS_TO_WAIT = 0.5


@contextmanager
def lock_workspace(workspace: Workspace, *, migrates: bool = True) -> Iterator[None]:
    """Hold the workspace for writing, its state brought to this program's version unless it is only looked at.

    Raises WorkspaceLocked within a second when another run holds it, NewerState where a newer program has written.

    The lock is the operating system's: it is free again the moment its holder is gone, whatever file is left behind.
    """
    from filelock import FileLock, Timeout

    workspace.warehouse.mkdir(parents=True, exist_ok=True)
    # A command that only asks whether a run is at work holds it for less than that.
    lock = FileLock(workspace.warehouse / "lock", timeout=_SECONDS_TO_WAIT)
    try:
        lock.acquire()
    except Timeout as problem:
        raise WorkspaceLocked(
            f"Another run is writing to {workspace.root}. Wait until it has ended and try again; nothing was changed."
        ) from problem
    try:
        if migrates:
            migrate(workspace)
            _clean(workspace)
        yield
    finally:
        # Without it the next run reads more than it needs to, and that is all.
        with suppress(OSError):
            seen_files(workspace.warehouse).save()
        lock.release()


def _clean(workspace: Workspace) -> None:
    """Remove what killed runs left. The lock is held, so no build is at work; reports are also written without it, and of their
    temporary files only those of processes that have gone are removed."""
    shutil.rmtree(workspace.warehouse / "building", ignore_errors=True)
    for folder in (workspace.warehouse, workspace.reports):
        remove_leftovers(folder)


def is_held(workspace: Workspace) -> bool:
    """Whether a run holds the workspace now."""
    if not (workspace.warehouse / "lock").exists():
        return False
    try:
        with lock_workspace(workspace, migrates=False):
            return False
    except WorkspaceLocked:
        return True


def build_workspace(
    workspace: Workspace,
    as_of: datetime | None,
    on_step: OnStep = tell_nothing,
    on_filled: Callable[[Path], None] | None = None,
    *,
    is_full: bool = False,
    engine: str | None = None,
) -> BuildResult:
    """Run models and checks on what changed since the version that is served, and publish the result. The caller holds the
    workspace's lock. `on_step` is told what it is at; `on_filled` may look at the database with all of its tables, before it is
    published. `is_full`: judge every ticket, also where nothing changed. `engine`: duckdb, spark or sail, instead of what sla.yml
    says.

    Raises ConfigurationError or InputRejected for rules that cannot be used, ChecksFailed when a critical check failed.
    """
    from pipeline.ingest.landing.manifest import keep_counts, read_batches
    from pipeline.quality.check_tables import check_published
    from pipeline.quality.judge_shares import TABLE as SHARES
    from pipeline.quality.judge_shares import check_shares
    from pipeline.rules.load_rules import load_rules
    from pipeline.warehouse.connection import open_database
    from pipeline.warehouse.load_raw import RawInputs
    from pipeline.warehouse.try_plans import has_trial_tables, serve_trial_tables

    rules = load_rules(workspace)
    limit_engine(rules.sources.memory)
    batches = read_batches(workspace)
    engine = engine or rules.sources.engine.use
    build_id = fingerprint(batches, rules, as_of, engine)
    served = find_served(workspace, build_id)
    if served is not None and not is_full and has_trial_tables(workspace, build_id):
        return BuildResult(served, False, 0, ())

    batches = keep_counts(workspace, batches)
    inputs = list_inputs(workspace, batches, as_of, engine)
    building = workspace.warehouse / "building"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    workspace.landed.mkdir(parents=True, exist_ok=True)
    database = building / "build.duckdb"
    # The views over landed batches name their files relative to this folder (load_raw says why).
    basis: Basis | Everything
    place: Callable[[], AbstractContextManager[Spark | None]] = nullcontext
    if engine != "duckdb":
        from pipeline.warehouse.spark import open_spark

        basis = Everything("a build on Spark judges all of them")
        place = partial(
            open_spark, workspace, rules.sources.engine, database, build_id, batches, is_sail=engine == "sail"
        )
    else:
        basis = Everything("--full asks for it") if is_full else find_basis(workspace, batches, rules, as_of)
    with chdir(workspace.landed):
        filled = fill_database(
            database,
            RawInputs(batches, rules, as_of),
            workspace.warehouse / "dbt",
            basis=basis,
            on_step=on_step,
            place=place,
        )
        if on_filled is not None:
            on_filled(database)
        on_step("checks of what is published", None, 0, 0)
        connection = open_database(database)
        try:
            published_checks = [*check_published(connection), *check_shares(filled.shares)]
            _write_meta(
                connection,
                build_id,
                filled.as_of,
                batches,
                filled.dbt_checks,
                [*filled.landed_checks, *published_checks],
            )
            _write_inputs(connection, inputs)
            [(obligations,)] = connection.execute("select count(*) from core.fct_sla_obligations").fetchall()
        finally:
            connection.close()
    _stop_on_critical(published_checks)
    on_step("publishing", None, 0, 0)
    compacted = building / f"{build_id}.duckdb"
    compact(database, compacted)
    stop_if_asked()
    serve_trial_tables(workspace, database, build_id)
    if engine == "duckdb":
        keep(workspace, database, build_id, filled.models_by_ticket, batches, rules)
    kept = rules.sources.retention.versions
    pointer = publish(workspace, compacted, build_id, filled.as_of, read_clock(), kept)
    remove_older(workspace, build_id)
    shutil.rmtree(building, ignore_errors=True)
    checks = [*filled.landed_checks, *published_checks]
    passed = sum(check.status == "passed" for check in checks) + sum(
        check.status == "passed" for check in filled.dbt_checks
    )
    # The shares are told in words of their own, before what the other checks found.
    told = [str(share.explain()) for share in filled.shares]
    told += [_describe(check) for check in checks if check.status != "passed" and check.table != SHARES]
    landed = sum(sum(batch.tables.values()) for batch in batches)
    return BuildResult(pointer, True, passed, tuple(told), filled.judged, landed, obligations)


_PASSES = 3


@dataclass(frozen=True)
class Filled:
    """The tables of a build: its as_of, the checks that ran on the way, the shares of sources that are over a limit without
    stopping the build, the models with rows by ticket that are not published, and how many tickets were judged.
    """

    as_of: datetime
    landed_checks: list[CheckResult]
    dbt_checks: list[DbtCheck]
    shares: list[Share]
    models_by_ticket: tuple[str, ...]
    judged: str


def fill_database(
    database: Path,
    inputs: RawInputs,
    scratch: Path,
    *,
    basis: Basis | Everything = NO_BASIS,
    is_checked: bool = True,
    on_step: OnStep = tell_nothing,
    place: Callable[[], AbstractContextManager[Spark | None]] = nullcontext,
) -> Filled:
    """Make every table of a build in a new database: what the basis does not have, or everything. `place` may open Spark for it.

    The process must stand in the folder of the landed batches. `scratch` is dbt's. Unchecked, it takes half the time; only tests
    ask for that. Raises ChecksFailed when a critical check of what landed failed, a model or a test of dbt, or a share.
    """
    missed: list[str] = []
    passes = 1
    while True:
        try:
            return _fill(database, inputs, scratch, basis, missed, is_checked, on_step, place)
        except TicketsMissed as found:
            # Other tickets of a source can change who finds a pool used up, which changes no further ticket.
            passes += 1
            basis = basis if passes <= _PASSES else Everything("which tickets are over quota kept changing")
            missed += found.tickets
        except BuildEverything as told:
            basis = Everything(str(told))
        on_step("more tickets than the new files name", None, 0, 0)
        database.unlink()


def _fill(
    database: Path,
    inputs: RawInputs,
    scratch: Path,
    basis: Basis | Everything,
    missed: Sequence[str],
    is_checked: bool,
    on_step: OnStep,
    place: Callable[[], AbstractContextManager[Spark | None]],
) -> Filled:
    from pipeline.quality.check_tables import check_landed
    from pipeline.warehouse.connection import open_database
    from pipeline.warehouse.load_raw import load_raw

    on_step("landed rows, and checks of them", None, 0, 0)
    connection = open_database(database)
    try:
        known_until = load_raw(connection, inputs)
        landed_checks = check_landed(connection, inputs.batches) if is_checked else []
        judged = choose_tickets(connection, basis, inputs.batches, missed)
    finally:
        connection.close()
    _stop_on_critical(landed_checks)
    stop_if_asked()
    is_one_at_a_time = not fits_beside(sum(sum(batch.tables.values()) for batch in inputs.batches))
    on_step("models", None, 0, 0)
    with place() as spark:
        dbt_checks, shares, project = _run_models(
            database, scratch, basis, is_checked, is_one_at_a_time, on_step, spark
        )
    return Filled(known_until, landed_checks, dbt_checks, shares, list_models_by_ticket(project), judged)


def _run_models(
    database: Path,
    scratch: Path,
    basis: Basis | Everything,
    is_checked: bool,
    is_one_at_a_time: bool,
    on_step: OnStep,
    spark: Spark | None,
) -> tuple[list[DbtCheck], list[Share], Project]:
    from pipeline.forecasting.forecast_pools import AFTER_FORECASTS, forecast_pools
    from pipeline.quality.judge_shares import read_shares_over_limit, stop_on_shares
    from pipeline.warehouse.connection import open_database
    from pipeline.warehouse.prove_columns import PROVED_HERE, prove_columns
    from pipeline.warehouse.run_dbt import parse_project, run_dbt, stop_on_tests_that_did_not_run
    from pipeline.warehouse.try_plans import COMPARING, keep_trial_tables, prepare_trials

    # What compares plans needs a place for trials, and alerts need the forecasts; both are made from core.
    made_last = f"{COMPARING} {AFTER_FORECASTS}"
    # Plain tests of columns and keys are proved at the end, one pass a table.
    tested_last = PROVED_HERE if is_checked else ""
    left_out = ("unit_test",) if is_checked else ("unit_test", "test")
    project = parse_project(database, scratch, spark)
    if spark is not None:
        spark.take(project)
    dbt_checks = run_dbt(
        database,
        scratch,
        project=project,
        exclude=f"{made_last} {tested_last}".rstrip(),
        leave_out=left_out,
        is_one_at_a_time=is_one_at_a_time,
        on_model=partial(on_step, "models"),
        engine=spark,
    )
    if spark is not None:
        on_step("tables from Spark", None, 0, 0)
        spark.bring(project)
    with open_database(database) as connection:
        stop_on_missed_tickets(connection, basis)
    shares: list[Share] = []
    if is_checked:
        with open_database(database) as connection:
            shares = read_shares_over_limit(connection)
        stop_on_shares(shares)
    prepare_trials(database)
    if is_checked:
        keep_trial_tables(database, project, basis.trials if isinstance(basis, Basis) else None)
    on_step("forecasts", None, 0, 0)
    with open_database(database) as connection:
        forecast_pools(connection)
    if spark is not None:
        spark.take(project)
    dbt_checks += run_dbt(
        database,
        scratch,
        project=project,
        select=made_last,
        exclude=tested_last or None,
        leave_out=left_out,
        is_one_at_a_time=is_one_at_a_time,
        on_model=partial(on_step, "alerts"),
        engine=spark,
    )
    if is_checked:
        on_step("tests of columns and keys", None, 0, 0)
        dbt_checks += prove_columns(database, scratch, project, spark)
        stop_on_tests_that_did_not_run(project, dbt_checks)
    if spark is not None:
        on_step("tables from Spark", None, 0, 0)
        spark.bring(project)
        spark.make_views(scratch)
    return dbt_checks, shares, project


def _stop_on_critical(checks: Sequence[CheckResult]) -> None:
    broken = [check for check in checks if check.severity == "critical" and check.status != "passed"]
    if broken:
        raise ChecksFailed(
            f"{len(broken)} critical checks failed, so nothing was published; the version before is still served.",
            [
                Problem(
                    check.table, None, check.column, f"{check.expectation}: {check.observed}.", check.reason
                )
                for check in broken
            ],
        )


def _write_meta(
    connection: object,
    build_id: str,
    as_of: datetime,
    batches: Sequence[Batch],
    dbt_checks: Sequence[DbtCheck],
    checks: Sequence[CheckResult],
) -> None:
    import duckdb
    import pyarrow as pa

    assert isinstance(connection, duckdb.DuckDBPyConnection)
    connection.execute("create schema meta")
    landed_rows = sum(sum(batch.tables.values()) for batch in batches)
    newest = datetime.fromisoformat(max(batch.landed_at for batch in batches)).replace(tzinfo=None)
    connection.execute(
        """
        create table meta.build as
        select cast(? as varchar) as build_id, cast(? as timestamp) as as_of, cast(? as varchar) as tzdata_version,
          cast(? as varchar) as holidays_version, cast(? as bigint) as landed_rows, cast(? as bigint) as batches,
          cast(? as timestamp) as newest_landed_at, cast(? as integer) as state_version
        """,
        [
            build_id,
            as_of.astimezone(UTC).replace(tzinfo=None),
            version("tzdata"),
            version("holidays"),
            landed_rows,
            len(batches),
            newest,
            VERSION,
        ],
    )
    rows = [
        (
            "dbt: " + check.check_name,
            "dbt",
            check.table_name,
            check.expectation,
            check.column_name,
            check.severity,
            check.status,
            f"{check.failures} rows break it",
            "A test of the dbt project.",
        )
        for check in dbt_checks
    ]
    rows += [
        (
            check.check_name,
            check.suite,
            check.table,
            check.expectation,
            check.column,
            check.severity,
            check.status,
            check.observed,
            check.reason,
        )
        for check in checks
    ]
    names = (
        "check_name", "suite", "table_name", "expectation", "column_name", "severity", "status", "observed", "detail",
    )  # fmt: skip
    columns = {name: pa.array([row[place] for row in rows], pa.string()) for place, name in enumerate(names)}
    connection.register("incoming", pa.table(columns))
    connection.execute("create table meta.checks as select * from incoming order by check_name")
    connection.unregister("incoming")


def _write_inputs(connection: object, inputs: Sequence[Input]) -> None:
    import duckdb
    import pyarrow as pa

    assert isinstance(connection, duckdb.DuckDBPyConnection)
    names = [field.name for field in fields(Input)]
    columns = {name: pa.array([getattr(each, name) for each in inputs], pa.string()) for name in names}
    connection.register("incoming", pa.table(columns))
    connection.execute(
        "create table meta.inputs as select * from incoming order by kind, name, digest, reading"
    )
    connection.unregister("incoming")


def _describe(check: CheckResult) -> str:
    return f"{check.table} {check.column or ''}: {check.expectation} {check.status} ({check.observed}). {check.reason}"
