"""A build on Apache Spark: the same models and tests, and one published file as before. Not ready: spark.md says what is shown.

What a build starts from goes to Spark as folders of Parquet, in schemas of this build alone; dbt runs there; what is published
comes back into the build's own database. Nothing else of a build knows of it, so readers, reports and pages are the same.
Spark itself is an extra (`make extras`) with a Java, or a platform that is there already. Sail, which understands the same
dialect and needs no Java, is another one.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyarrow import dataset, parquet

from pipeline.engine_memory import engine_memory
from pipeline.errors import ConfigurationError
from pipeline.ingest.tables import LANDED_TABLES, QUARANTINE_TABLE
from pipeline.settings import Workspace, find_java
from pipeline.warehouse.connection import open_database, quote
from pipeline.warehouse.run_dbt import Engine, Project, list_sources_of_tag, run_dbt

if TYPE_CHECKING:
    import duckdb

    from pipeline.ingest.landing.manifest import Batch
    from pipeline.rules.engine_file import EngineRules

# What a figure depends on; sla.yml cannot say it otherwise. Instants are UTC, and a wrong cast is an error.
MEANING = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}
_QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
# DuckDB's name of a type -> Spark's.
_TYPES = {
    "VARCHAR": "string",
    "BIGINT": "bigint",
    "INTEGER": "int",
    "BOOLEAN": "boolean",
    "TIMESTAMP": "timestamp",
    "DATE": "date",
    "DOUBLE": "double",
}
# Spark's name of a type -> its class in pyspark.
_TYPE_CLASSES = {
    "string": "StringType",
    "bigint": "LongType",
    "int": "IntegerType",
    "boolean": "BooleanType",
    "timestamp": "TimestampType",
    "date": "DateType",
    "double": "DoubleType",
}
_NEEDED = ("pyspark", "dbt.adapters.spark", "pysail")

# The layers of a build; each is a schema and a folder on Spark.
SCHEMAS = ("raw", "staging", "intermediate", "core", "marts", "qc")
_PUBLISHED = ("core", "marts", "qc")
# The models of the plan, and those that compare plans: what they read is kept for trials, which run on DuckDB.
_OF_TRIALS = ("plan_dependent", "plan_comparison")


class Spark(Engine):
    """The session of one build, its folder and its schemas. `prefix` and an underscore stand before the name of every schema.

    The process stands in the folder of the landed batches.
    """

    target = "spark"
    hash_name = "xxhash64"

    def __init__(
        self,
        session: Any,
        folder: Path,
        prefix: str,
        database: Path,
        batches: Sequence[Batch],
        remote: str | None,
    ) -> None:
        self._session, self._folder, self._database, self._batches = session, folder, database, batches
        self.prefix = prefix
        # dbt asks for the session by itself and must find this one.
        self.environment = {"SLA_BUILD_SCHEMA": prefix} | ({"SPARK_REMOTE": remote} if remote else {})
        self._taken: set[tuple[str, str]] = set()
        self._brought: set[tuple[str, str]] = set()

    def take(self, project: Project) -> None:
        """Make known to Spark what models read and none makes, as far as the database has it and Spark does not.

        Landed batches are linked, or copied where the storage is another disk; all else is written as Parquet.
        """
        with open_database(self._database) as connection:
            found = connection.execute(
                "select table_schema, table_name from information_schema.tables"
            ).fetchall()
            for schema, name in sorted(set(project.list_sources()) & set(found) - self._taken):
                relation = f"{quote(schema)}.{quote(name)}"
                columns = connection.execute(f"describe {relation}").fetchall()
                folder = self._folder / schema / name
                folder.mkdir(parents=True)
                if name in LANDED_TABLES or name == QUARANTINE_TABLE:
                    self._link_batches(name, folder)
                else:
                    rows = connection.sql(f"select * from {relation}").to_arrow_table()
                    parquet.write_table(rows, folder / "rows.parquet")
                fields = {column: _TYPES[kind] for column, kind, *_ in columns}
                self._session.catalog.createTable(
                    f"{self.prefix}_{schema}.{name}", str(folder), source="parquet", schema=_describe(fields)
                )
                self._taken.add((schema, name))

    def bring(self, project: Project) -> None:
        """Copy what is published, and what trials of plans start from, into the database: what is made and not there yet."""
        wanted = {*project.list_made(*_PUBLISHED), *list_sources_of_tag(project, *_OF_TRIALS)}
        with open_database(self._database) as connection:
            for schema, name in sorted(each for each in wanted - self._brought if each[0] != "raw"):
                relation = f"{self.prefix}_{schema}.{name}"
                if (schema, name) not in self._taken and self._session.catalog.tableExists(relation):
                    self._bring_table(connection, schema, name, self._session.table(relation).schema)
                    self._brought.add((schema, name))

    def _bring_table(
        self, connection: duckdb.DuckDBPyConnection, schema: str, name: str, fields: Any
    ) -> None:
        kinds = {field.name: _name_in_duckdb(field.dataType.simpleString()) for field in fields}
        table = f"{quote(schema)}.{quote(name)}"
        columns = ", ".join(f"{quote(column)} {kind}" for column, kind in kinds.items())
        connection.execute(f"create schema if not exists {quote(schema)}")
        connection.execute(f"create table {table} ({columns})")
        files = sorted(str(file) for file in (self._folder / schema / name).glob("*.parquet"))
        if files:
            # A path is handed over as a value and never as SQL, in which it could be a pattern.
            connection.register("incoming", dataset.dataset(files, format="parquet"))
            values = ", ".join(f"cast({quote(column)} as {kind})" for column, kind in kinds.items())
            connection.execute(f"insert into {table} select {values} from incoming")
            connection.unregister("incoming")

    def make_views(self, scratch: Path) -> None:
        """Make the views that are published: they are text of the engine that answers readers, which is DuckDB."""
        kinds = ("unit_test", "test", "seed")
        run_dbt(self._database, scratch, select="config.materialized:view,path:models/core", leave_out=kinds)

    def fetch(self, query: str, most: int) -> tuple[list[str], list[tuple[Any, ...]]]:
        found = self._session.sql(query).limit(most)
        return list(found.columns), [tuple(row) for row in found.collect()]

    def create_schemas(self) -> None:
        """Every schema has its folder, in which Spark puts the tables that dbt makes."""
        for schema in SCHEMAS:
            folder = str(self._folder / schema).replace("\\", "\\\\").replace("'", "\\'")
            self._session.sql(f"create schema {self.prefix}_{schema} location '{folder}'")

    def drop_schemas(self, prefix: str) -> None:
        """Drop the schemas whose names begin so, with their tables."""
        for name, *_ in self._session.sql("show schemas").collect():
            if name.startswith(prefix):
                self._session.sql(f"drop schema if exists {name} cascade")

    def _link_batches(self, table: str, folder: Path) -> None:
        for batch in self._batches:
            has_rows = batch.rows_rejected if table == QUARANTINE_TABLE else table in batch.tables
            file = Path(table) / f"{batch.file_stem}.parquet"
            if has_rows:
                try:
                    os.link(file, folder / file.name)
                except OSError:
                    shutil.copyfile(file, folder / file.name)


@contextmanager
def open_spark(
    workspace: Workspace,
    rules: EngineRules,
    database: Path,
    build_id: str,
    batches: Sequence[Batch],
    *,
    is_sail: bool = False,
) -> Iterator[Spark]:
    """A session for one build, whose schemas and folder are gone when it ends; those of a build that was killed go first.
    `is_sail`: Sail in this process stands in for Spark.

    Raises ConfigurationError, in one sentence, where Spark, its Java or its place is missing.
    """
    _require_parts(rules, is_sail)
    # Workspaces may share a place and a catalog.
    owner = f"sla_{sha256(str(workspace.root).encode()).hexdigest()[:8]}"
    place = Path(rules.storage) if rules.storage else database.parent / "spark"
    try:
        place.mkdir(parents=True, exist_ok=True)
        for left in place.glob(f"{owner}_*"):
            shutil.rmtree(left)
        folder = place.resolve() / f"{owner}_{build_id}"
        folder.mkdir()
    except OSError as problem:
        raise ConfigurationError(
            f"A build on Spark needs a folder that this machine and Spark can write, and {place} is not one "
            f"({problem.strerror or problem}): name another as `storage` under `engine` in sla.yml."
        ) from problem
    log = workspace.warehouse / "dbt" / "spark.log"
    with _serve_sail() if is_sail else nullcontext(rules.remote) as remote:
        session = _start(rules.model_copy(update={"remote": remote}), folder, log)
        spark = Spark(session, folder, f"{owner}_{build_id}", database, batches, remote)
        try:
            spark.drop_schemas(f"{owner}_")
            spark.create_schemas()
            yield spark
        finally:
            # What a session or a platform that is gone leaves behind is removed by the next build.
            with suppress(Exception):
                spark.drop_schemas(spark.prefix)
            _stop(session)
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _serve_sail() -> Iterator[str]:
    """A Sail server in this process, by its address. It writes no log unless RUST_LOG asks for one."""
    os.environ.setdefault("RUST_LOG", "off")
    server = importlib.import_module("pysail.spark").SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    try:
        _, port = server.listening_address
        yield f"sc://127.0.0.1:{port}"
    finally:
        server.stop()


def _require_parts(rules: EngineRules, is_sail: bool) -> None:
    for part in _NEEDED:
        try:
            is_there = importlib.util.find_spec(part) is not None
        except ModuleNotFoundError:
            is_there = False
        if not is_there:
            raise ConfigurationError(
                "A build on Spark needs the extra `spark`, which is not installed: run `make extras`, or build with "
                "--engine duckdb."
            )
    if not is_sail and rules.remote is None and find_java() is None:
        raise ConfigurationError(
            "A build on Spark needs Java 17, and there is none on the path: install it from the operating system (Debian: "
            "openjdk-17-jre-headless), name a Spark Connect address as `remote` under `engine` in sla.yml, or build with "
            "--engine duckdb."
        )


def _start(rules: EngineRules, folder: Path, log: Path) -> Any:
    with warnings.catch_warnings():
        # Of its own pandas functions, which nothing here calls.
        warnings.simplefilter("ignore", FutureWarning)
        sql = importlib.import_module("pyspark.sql")
    builder = sql.SparkSession.builder.appName("sla build")
    builder = builder.remote(rules.remote) if rules.remote else builder.master(rules.master)
    for name, value in gather_settings(rules, folder).items():
        builder = builder.config(name, value)
    where = rules.remote or rules.master
    try:
        with _write_errors_to(log):
            return builder.getOrCreate()
    except Exception as problem:
        raise ConfigurationError(
            f"Spark could not be started or reached at {where} ({str(problem).splitlines()[0]}): correct `engine` in sla.yml, or "
            f"build with --engine duckdb. What Spark wrote is in {log}."
        ) from problem


@contextmanager
def _write_errors_to(log: Path) -> Iterator[None]:
    """A process that is started meanwhile writes its errors there: Java warns at every start of what is no concern here."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    before = os.dup(2)
    try:
        with log.open("wb") as file:
            os.dup2(file.fileno(), 2)
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)


def gather_settings(rules: EngineRules, folder: Path) -> dict[str, str]:
    """What a session is opened with: ours, those of sla.yml in their place, and over both what figures rest on."""
    ours = {} if rules.remote else _QUIET | _describe_driver(rules.master, folder)
    return ours | rules.settings | MEANING


def _describe_driver(master: str, folder: Path) -> dict[str, str]:
    """Of a driver that runs beside this process."""
    settings = {
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": str(folder),
        "spark.driver.memory": f"{engine_memory() >> 20}m",
    }
    if master.startswith("local"):
        # Small tables gain nothing from many parts, and nothing outside of this machine is to reach the driver.
        settings |= {
            "spark.sql.shuffle.partitions": "4",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
        }
    return settings


def _stop(session: Any) -> None:
    """End the session and the Java process behind it, whose memory the rest of a run needs."""
    with suppress(Exception):
        session.stop()
    context = importlib.import_module("pyspark").SparkContext
    gateway = getattr(context, "_gateway", None)
    if gateway is not None:
        with suppress(Exception):
            gateway.shutdown()
            gateway.proc.stdin.close()
            gateway.proc.wait(30)
        context._gateway = context._jvm = None


def _describe(fields: dict[str, str]) -> Any:
    types = importlib.import_module("pyspark.sql.types")
    # A name and a type of our own tables; a landed column can be null.
    return types.StructType(
        [types.StructField(name, getattr(types, _TYPE_CLASSES[kind])()) for name, kind in fields.items()]
    )


def _name_in_duckdb(kind: str) -> str:
    names = {spark: duckdb for duckdb, spark in _TYPES.items()}
    return names.get(kind, kind)
