"""A build on Apache Spark, or on Sail, publishes what one on DuckDB publishes: every row of core, marts and qc, the same reports.

Needs the extra `spark` and Java; no network, and one Java process at a time. Spark plans and compiles every query again, which
takes longer than the small tables here, so its compilers are turned down: that changes no row. Sail has no stories here: its
planner gives up on one of their models (pipeline/warehouse/spark.md).
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from pathlib import Path

import pypdf
import pytest

from pipeline.settings import Workspace
from tests.compare_checkouts import LINEAGE, SCHEMAS, compare_files
from tests.end_to_end.command_line import run_sla, start_sla
from tests.end_to_end.published import query, read_pointer
from tests.end_to_end.small_vendor import EVENTS, EVENTS_HEADER, drop_tickets, init_vendor, write_lines
from tests.scenarios.vendor import AS_OF, load_scenarios, write_vendor

pytestmark = pytest.mark.spark

# The demo took 550 s on two cores beside other work.
SECONDS_ALLOWED = 2400
ENGINE = """
memory: 2 GiB
engine:
  master: {master}
  settings:
    spark.sql.shuffle.partitions: "2"
    spark.sql.codegen.wholeStage: "false"
    spark.driver.extraJavaOptions: -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
"""


def published(root: Path) -> Path:
    return root / "warehouse" / "published" / read_pointer(root)["file"]


def say_engine(root: Path, master: str = "local[2]") -> None:
    with (root / "sla.yml").open("a", encoding="utf-8") as file:
        file.write(ENGINE.format(master=master))


def build_on_spark(root: Path, *options: str, engine: str = "spark") -> None:
    command = (*options, "build", "--engine", engine)
    run_sla(*command, workspace=root, seconds_allowed=SECONDS_ALLOWED, SPARK_LOCAL_IP="127.0.0.1").expect(0)


def build_on_both(
    root: Path, *options: str, master: str = "local[2]", engine: str = "spark"
) -> tuple[Path, Path]:
    """Build a landed workspace with DuckDB and, in a copy, with Spark or Sail; gives both workspaces."""
    say_engine(root, master)
    on_spark = shutil.copytree(root, root.with_name("on-spark"))
    run_sla(*options, "build", workspace=root).expect(0)
    # In a process of its own, which ends with its Java.
    build_on_spark(on_spark, *options, engine=engine)
    return root, on_spark


def assert_tables_are_equal(left: Path, right: Path, least_rows: int) -> None:
    tables = compare_files(published(left), published(right), LINEAGE)
    assert {table.name.split(".")[0] for table in tables} == set(SCHEMAS)
    assert sum(table.rows for table in tables) >= least_rows
    assert [(table.name, table.told, table.examples) for table in tables if table.differs] == []


def print_reports(root: Path, month: str) -> dict[str, object]:
    """Every document of a month without the names that the build gives: tables as they are, of a PDF the text of each page and
    what is attached."""
    out = root / "printed"
    run_sla("report", "--all", "--month", month, "--out", str(out), workspace=root).expect(0)
    build_id = str(read_pointer(root)["build_id"])

    def neutral(text: str) -> str:
        # A place where a line may break stands within the number of a report.
        joined = text.replace("\u200b", "").replace(build_id, "BUILD")
        return re.sub(r"D-\d{4}-\d{2}-[0-9a-f]{10}", "REPORT", joined)

    documents: dict[str, object] = {}
    for file in sorted(out.rglob("*")):
        if file.suffix == ".csv":
            documents[file.name] = neutral(file.read_text(encoding="utf-8"))
        elif file.suffix == ".pdf":
            reader = pypdf.PdfReader(file)
            pages = [neutral(page.extract_text()) for page in reader.pages]
            attached = {
                name: [neutral(one.decode()) for one in contents]
                for name, contents in reader.attachments.items()
            }
            documents[file.name] = (pages, attached)
    return documents


@pytest.fixture
def small_vendor(tmp_path: Path) -> Path:
    root = init_vendor(tmp_path / "vendor")
    drop_tickets(root)
    write_lines(root / "inbox" / "desk" / "events.csv", EVENTS_HEADER, *EVENTS)
    run_sla("ingest", workspace=root).expect(0)
    return root


@pytest.mark.long
@pytest.mark.parametrize("engine", ["spark", "sail"])
def test_small_vendor_has_the_same_tables_from_another_engine_as_from_duckdb(
    small_vendor: Path, engine: str
) -> None:
    root, on_spark = build_on_both(small_vendor, engine=engine)
    assert_tables_are_equal(root, on_spark, least_rows=100)
    verdicts = (
        "select ticket_id, status, elapsed_seconds from core.fct_sla_obligations"
        " where obligation = 'first_response' order by 1"
    )
    assert query(on_spark, verdicts) == [
        ("T-1", "met", 4 * 3600),
        ("T-2", "breached", query(root, verdicts)[1][2]),
    ]
    # The view that readers ask for the segments of one obligation is there, and every check of a build ran.
    assert query(on_spark, "select count(*) from core.fct_sla_segments") == query(
        root, "select count(*) from core.fct_sla_segments"
    )
    names = "select check_name, status from meta.checks order by all"
    assert query(on_spark, names) == query(root, names)
    assert read_pointer(on_spark)["build_id"] != read_pointer(root)["build_id"]
    assert query(on_spark, "select count(*) from meta.inputs where name = 'pyspark'") == [(1,)]
    # Nothing of it is left behind.
    assert not (on_spark / "warehouse" / "building").exists()


@pytest.mark.long
@pytest.mark.parametrize("engine", ["spark", "sail"])
def test_demo_has_the_same_tables_and_reports_from_another_engine_as_from_duckdb(
    demo_workspace: Path, tmp_path: Path, engine: str
) -> None:
    root = tmp_path / "vendor"
    # Landed and never published: without closed months, which rest on what was.
    (root / "warehouse").mkdir(parents=True)
    for name in ("inbox", "reference", "branding", "sla.yml", "warehouse/landed"):
        part = demo_workspace / name
        (shutil.copytree if part.is_dir() else shutil.copy)(part, root / name)
    root, on_spark = build_on_both(root, engine=engine)
    assert_tables_are_equal(root, on_spark, least_rows=10_000)
    month = query(root, "select max(month) from marts.mart_customer__monthly_report")[0][0]
    reports = [print_reports(workspace, month) for workspace in (root, on_spark)]
    assert reports[0]
    assert reports[0] == reports[1]


@pytest.mark.long
def test_stories_have_the_same_tables_from_spark_as_from_duckdb(tmp_path: Path) -> None:
    root = tmp_path / "vendor"
    root.mkdir()
    write_vendor(Workspace(root), load_scenarios())
    run_sla("ingest", workspace=root)
    root, on_spark = build_on_both(root, "--as-of", AS_OF)
    assert_tables_are_equal(root, on_spark, least_rows=200_000)


@pytest.mark.long
def test_small_vendor_has_the_same_tables_from_two_executors(small_vendor: Path) -> None:
    root, on_spark = build_on_both(small_vendor, master="local-cluster[2,1,1024]")
    assert_tables_are_equal(root, on_spark, least_rows=100)


@pytest.mark.long
def test_killed_build_on_spark_leaves_the_version_before_served(small_vendor: Path) -> None:
    say_engine(small_vendor)
    run_sla("build", workspace=small_vendor).expect(0)
    before = read_pointer(small_vendor)
    process = start_sla("build", "--engine", "spark", workspace=small_vendor)
    core = small_vendor / "warehouse" / "building" / "spark"
    # In the middle of the models: some of core are there.
    while process.poll() is None and not list(core.glob("*/core/*")):
        time.sleep(0.2)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert read_pointer(small_vendor) == before
    assert query(small_vendor, "select build_id from meta.build") == [(before["build_id"],)]
    build_on_spark(small_vendor)
    assert read_pointer(small_vendor)["build_id"] != before["build_id"]
