"""Runs the dbt project in this process: on DuckDB in one database file, or on another engine."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pipeline.errors import ChecksFailed, Problem, SlaError, explain_engine, explain_machine
from pipeline.interruption import stop_if_asked
from pipeline.settings import DBT_PROJECT

_SHOWN_FAILURES = 3
# Told what dbt begins with: the name of the model or test, its number in the run, and how many there are.
OnModel = Callable[[str, int, int], None]
# Told what a build is at: the step, and of one that dbt runs what it begins with, as above; else None, 0 and 0.
OnStep = Callable[[str, str | None, int, int], None]


def tell_nothing(step: str, model: str | None, number: int, total: int) -> None:
    """For a build of which nothing is shown."""


class Engine(Protocol):
    """An engine other than DuckDB in the build's database file. `target` names it in profiles.yml and `environment` is what that
    reads; `prefix` and an underscore stand before the schemas of its tables; `hash_name` is a function of 64 bits.
    """

    target: str
    prefix: str
    hash_name: str
    environment: dict[str, str]

    def fetch(self, query: str, most: int) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Columns and the first rows of a query."""


@dataclass(frozen=True)
class DbtCheck:
    """One dbt test that ran. `failures` counts the rows that broke it; None when it could not be evaluated."""

    check_name: str
    status: str
    failures: int | None
    severity: str
    # The model that it is a test of, what it tests and of which column; a test of its own has neither model nor column.
    table_name: str | None
    expectation: str
    column_name: str | None


@dataclass(frozen=True)
class NodeTime:
    """Seconds on the wall that dbt took for one model, seed or test, and the query of a model."""

    name: str
    kind: str
    seconds: float
    sql: str | None = None


# Where the times of nodes go while they are collected.
_collected: list[NodeTime] | None = None


@contextmanager
def collect_times() -> Iterator[list[NodeTime]]:
    """Gives a list that grows by every node that dbt runs in this process meanwhile."""
    global _collected
    before, _collected = _collected, []
    try:
        yield _collected
    finally:
        _collected = before


@dataclass(frozen=True)
class Project:
    """The dbt project as dbt parsed it, to be run without parsing it again, the names of all its tests, and what its engine puts
    before the names of schemas.
    """

    manifest: Any
    test_names: tuple[str, ...]
    prefix: str = ""

    def schema_of(self, node: Any) -> str:
        """The schema of a model, seed or source as readers know it."""
        return str(node.schema).removeprefix(self.prefix)

    def list_sources(self) -> list[tuple[str, str]]:
        """Schema and name of all that models read and none of them makes."""
        return sorted(
            (self.schema_of(source), source.identifier) for source in self.manifest.sources.values()
        )

    def list_made(self, *schemas: str) -> list[tuple[str, str]]:
        """Schema and name of all tables that models and seeds make in these schemas."""
        return sorted(
            (self.schema_of(node), node.alias)
            for node in self.manifest.nodes.values()
            if node.resource_type in ("model", "seed")
            and self.schema_of(node) in schemas
            and node.config.materialized != "view"
        )


def parse_project(database: Path, scratch: Path, engine: Engine | None = None) -> Project:
    """Read the whole project, whatever of it is run afterwards. Raises SlaError when it cannot be read."""
    outcome = _invoke(["parse"], database, scratch, is_trial=False, engine=engine)
    if outcome.exception is not None or outcome.result is None:
        raise _cannot_run(outcome, scratch)
    nodes = outcome.result.nodes.values()
    names = tuple(sorted(node.name for node in nodes if node.resource_type == "test"))
    return Project(outcome.result, names, "" if engine is None else f"{engine.prefix}_")


def list_sources_of_tag(project: Project, *tags: str) -> list[tuple[str, str]]:
    """Schema and name of every table or view that models and tests with one of the tags read, and that none of them makes."""
    nodes, wanted = project.manifest.nodes, set(tags)
    chosen = {unique_id for unique_id, node in nodes.items() if wanted & set(node.tags)}
    open_ids = [parent for unique_id in chosen for parent in nodes[unique_id].depends_on.nodes]
    found: set[tuple[str, str]] = set()
    seen: set[str] = set()
    while open_ids:
        unique_id = open_ids.pop()
        if unique_id in chosen or unique_id in seen:
            continue
        seen.add(unique_id)
        if unique_id in project.manifest.sources:
            source = project.manifest.sources[unique_id]
            found.add((project.schema_of(source), source.identifier))
        elif nodes[unique_id].config.materialized == "ephemeral":
            open_ids += nodes[unique_id].depends_on.nodes
        else:
            found.add((project.schema_of(nodes[unique_id]), nodes[unique_id].alias))
    return sorted(found)


def stop_on_tests_that_did_not_run(project: Project, ran: Sequence[DbtCheck]) -> None:
    """Raise ChecksFailed unless every test of the project ran once: a build with fewer proves less than it says."""
    missing = sorted((Counter(project.test_names) - Counter(check.check_name for check in ran)).elements())
    if missing:
        raise ChecksFailed(
            f"{len(missing)} of the {len(project.test_names)} tests of the dbt project did not run, such as {missing[0]}; so "
            "nothing was published, and the version before is still served. Something outside of the project chose among its "
            "tests: look for settings of dbt on this machine."
        )


def run_dbt(
    database: Path,
    scratch: Path,
    *,
    project: Project | None = None,
    select: str | None = None,
    exclude: str | None = None,
    is_trial: bool = False,
    leave_out: Sequence[str] = ("unit_test",),
    is_test_alone: bool = False,
    is_one_at_a_time: bool = False,
    on_model: OnModel | None = None,
    engine: Engine | None = None,
) -> list[DbtCheck]:
    """Build the chosen models (all of them) into `database`, or on `engine`, and run the tests of their rows; returns the tests
    that ran. Without `project` it is parsed for this run.

    `select` and `exclude` are dbt selectors of ours. `leave_out` are kinds of resources: the unit tests of the models say
    nothing of the data. A trial builds the models that depend on the plan beside the real ones, without tests. With
    `is_test_alone` the chosen tests run and no model is built. With `is_one_at_a_time` no two models share the engine's memory.
    `scratch` is a folder of dbt's own.
    Raises ChecksFailed naming each model that could not be built and each critical test that failed.
    """
    command = ["run" if is_trial else "test" if is_test_alone else "build"]
    for kind in () if is_trial else leave_out:
        command += ["--exclude-resource-type", kind]
    command += ["--select", select] if select else []
    command += ["--exclude", exclude] if exclude else []
    command += ["--threads", "1"] if is_one_at_a_time else []
    outcome = _invoke(
        command, database, scratch, is_trial=is_trial, project=project, on_model=on_model, engine=engine
    )
    if outcome.exception is not None and outcome.result is None:
        raise _cannot_run(outcome, scratch)
    checks: list[DbtCheck] = []
    problems: list[Problem] = []
    for result in outcome.result.results:
        node = result.node
        if _collected is not None:
            sql = node.compiled_code if node.resource_type == "model" else None
            _collected.append(NodeTime(node.name, str(node.resource_type), result.execution_time, sql))
        status = str(result.status)
        if node.resource_type == "unit_test":
            verdict = "passed" if status == "pass" else "failed"
            # One that could not be compiled is named by its definition alone.
            model = (getattr(node, "tested_node_unique_id", None) or node.model).rpartition(".")[2]
            checks.append(DbtCheck(node.name, verdict, result.failures, "critical", model, "unit_test", None))
        if node.resource_type == "test":
            verdict = {"pass": "passed", "warn": "failed", "fail": "failed"}.get(status, "error")
            checks.append(describe_check(node, verdict, result.failures))
        if status == "fail" and node.resource_type == "test":
            rows = _read_failures(database, node.compiled_code, engine)
            reason = f"{result.failures} rows break it, such as {rows}."
            problems.append(
                Problem(node.original_file_path, None, node.name, reason, node.config.meta.get("hint"))
            )
        elif status in ("fail", "error", "runtime error"):
            reason = (result.message or status).strip().rstrip(".") + "."
            # Not the model's fault, and every later one fails with it.
            if (told := explain_engine(reason, node.name)) is not None:
                raise told
            problems.append(Problem(node.original_file_path, None, node.name, reason))
    if problems:
        raise ChecksFailed(
            f"{len(problems)} of the models and tests failed, so nothing was published; the version before is still served.",
            problems,
        )
    return checks


def _invoke(
    command: list[str],
    database: Path,
    scratch: Path,
    *,
    is_trial: bool,
    project: Project | None = None,
    on_model: OnModel | None = None,
    engine: Engine | None = None,
) -> Any:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    from pipeline.engine_memory import engine_memory, engine_threads, operator_memory
    from pipeline.warehouse.connection import SPILL

    scratch.mkdir(parents=True, exist_ok=True)
    # A variable that changes makes dbt parse everything again. So a trial keeps a parse of its own, and one that another
    # checkout left in the workspace is not used: it names that checkout's files.
    variables = {"seeds_folder": str(DBT_PROJECT / "seeds")} | ({"is_trial": True} if is_trial else {})
    target = scratch / ("trial" if is_trial else "target" if engine is None else engine.target)
    # Elsewhere the schemas have the name of the build, so nothing that was parsed before is of use.
    parsed = _find_parsed(target) if engine is None else None
    command += ["--target", "duckdb" if engine is None else engine.target]
    command += ["--partial-parse-file-path", str(parsed)] if parsed else []
    command += [
        "--project-dir",
        str(DBT_PROJECT),
        "--profiles-dir",
        str(DBT_PROJECT),
        "--vars",
        json.dumps(variables),
        "--target-path",
        str(target),
        "--log-path",
        str(scratch / "logs"),
        "--log-level",
        "none",
        "--no-use-colors",
        # Nothing reads dbt's artifacts, and writing them takes a twentieth of a build.
        "--no-write-json",
    ]
    with _environment(
        # Relative, because dbt parses everything again when the path changes: a workspace may be moved.
        SLA_BUILD_DATABASE=os.path.relpath(database),
        SLA_BUILD_SPILL=os.path.relpath(database.with_name(SPILL)),
        SLA_BUILD_MEMORY=f"{engine_memory()}B",
        SLA_BUILD_OPERATORS=f"{operator_memory()}B",
        SLA_BUILD_THREADS=str(engine_threads()),
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
        DO_NOT_TRACK="1",
        **({} if engine is None else engine.environment),
    ):
        try:
            outcome = dbtRunner(
                manifest=project.manifest if project else None,
                callbacks=[_listen(on_model)] if on_model else [],
            ).invoke(command)
        finally:
            # dbt keeps its connection, and with it the write lock, until the process ends.
            DuckDBConnectionManager.close_all_connections()
    stop_if_asked()
    if engine is None:
        _share_parsed(target)
    return outcome


def _listen(on_model: OnModel) -> Callable[[Any], None]:
    """A callback of dbt's that tells the beginning of every model and test. dbt calls it from several threads."""

    def hear(event: Any) -> None:
        if event.info.name == "LogStartLine":
            on_model(event.data.node_info.node_name, event.data.index, event.data.total)

    return hear


def _cannot_run(outcome: Any, scratch: Path) -> SlaError:
    log = scratch / "logs" / "dbt.log"
    told = explain_machine(outcome.exception) if outcome.exception is not None else None
    if told is not None:
        return told
    return SlaError(f"The dbt project could not be run: {outcome.exception}. Its log is {log}.")


# The name that dbt gives to what it parsed of a project.
_PARSED = "partial_parse.msgpack"


def _find_parsed(target: Path) -> Path | None:
    """What is already parsed of the project; dbt reads only what has changed since.

    Parsing all of it takes a third of a small build, so the workspaces of a checkout share one file, which lies in the checkout.
    A workspace keeps its own where the checkout cannot be written.
    """
    places = (target / _PARSED, DBT_PROJECT / "target" / "parsed" / target.name / _PARSED)
    return next((place for place in places if place.is_file()), None)


def _share_parsed(target: Path) -> None:
    """Move what dbt has just parsed to where the next workspace looks for it, in one step: several may build at once."""
    own = target / _PARSED
    shared = DBT_PROJECT / "target" / "parsed" / target.name / _PARSED
    if not own.is_file():
        return
    arriving = shared.with_name(f"{_PARSED}.{os.getpid()}")
    try:
        shared.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(own, arriving)
        arriving.replace(shared)
    except OSError:
        # Read only, or full. The workspace goes on with its own.
        with suppress(OSError):
            arriving.unlink(missing_ok=True)
        return
    own.unlink()


def describe_check(node: Any, status: str, failures: int | None) -> DbtCheck:
    """What became of a dbt test that ran."""
    severity = "warning" if str(node.config.severity).lower() == "warn" else "critical"
    return DbtCheck(node.name, status, failures, severity, *_describe_test(node))


def _describe_test(node: Any) -> tuple[str | None, str, str | None]:
    """The model, the kind of test and the column of a dbt test; of a test of its own, its name alone."""
    attached = getattr(node, "attached_node", None)
    metadata = getattr(node, "test_metadata", None)
    return (
        None if attached is None else attached.rpartition(".")[2],
        node.name if metadata is None else metadata.name,
        getattr(node, "column_name", None),
    )


def _read_failures(database: Path, query: str, engine: Engine | None) -> str:
    """The first rows that a failed test found, in words."""
    from pipeline.warehouse.connection import open_database

    if engine is not None:
        columns, rows = engine.fetch(query, _SHOWN_FAILURES)
    else:
        with open_database(database) as connection:
            found = connection.execute(query)
            columns = [column[0] for column in found.description or ()]
            rows = found.fetchmany(_SHOWN_FAILURES)
    return "; ".join(
        ", ".join(f"{name} {value}" for name, value in zip(columns, row, strict=True)) for row in rows
    )


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """The environment with these values and without any other variable of dbt.

    Every option of dbt has one, and an option that stands there for another project would choose models or leave out tests.
    """
    foreign = {name: value for name, value in os.environ.items() if name.upper().startswith("DBT_")}
    before = foreign | {name: os.environ[name] for name in values if name in os.environ}
    for name in foreign:
        del os.environ[name]
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            del os.environ[name]
        os.environ.update(before)
