"""The engine that runs the models reaches the landed batches and the seeds, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import ChecksFailed
from pipeline.settings import CHECKOUT, DBT_PROJECT
from pipeline.warehouse import run_dbt
from pipeline.warehouse.connection import open_database

# In a process of its own: dbt keeps the project that it has read.
RUN = """
import os, sys
from pathlib import Path
from pipeline.engine_memory import limit_engine
from pipeline.errors import ChecksFailed, MachineFailed
from pipeline.warehouse import run_dbt

run_dbt.DBT_PROJECT = Path(sys.argv[1])
limit_engine(os.environ.get("SLA_TEST_MEMORY"))
database, scratch = Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve()
try:
    begun = []
    ran = run_dbt.run_dbt(database, scratch, select=sys.argv[4], on_model=lambda *one: begun.append(one))
    print(*begun, file=sys.stderr)
    print(*sorted(check.check_name for check in ran))
    if "--all" in sys.argv:
        run_dbt.stop_on_tests_that_did_not_run(run_dbt.parse_project(database, scratch), ran)
except MachineFailed as refusal:
    print(refusal.message)
    sys.exit(refusal.exit_code)
except ChecksFailed as refusal:
    print(*[problem.reason for problem in refusal.problems] or [refusal.message])
    sys.exit(4)
"""


def copy_project(place: Path) -> Path:
    """The project with its settings, macros and seeds. No models: parsing them takes most of the time, and none is run."""
    shutil.copytree(DBT_PROJECT, place, ignore=shutil.ignore_patterns("target", "logs", "models", "tests"))
    return place


def run_model(folder: Path, sql: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one model in a copy of the project, standing in the folder of the landed batches as a build does."""
    project = copy_project(folder / "project")
    (project / "models" / "core").mkdir(parents=True)
    (project / "models" / "core" / "reaching_out.sql").write_text(
        "{{ config(contract={'enforced': false}) }}\n" + sql, encoding="utf-8"
    )
    landed = folder / "landed"
    landed.mkdir()
    (landed / "batch.csv").write_text("a\n1\n", encoding="utf-8")
    return run_project(project, folder, "reaching_out", **environment)


def run_project(
    project: Path, folder: Path, select: str, *more: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            RUN,
            str(project),
            str(folder / "build.duckdb"),
            str(folder / "scratch"),
            select,
            *more,
        ],
        cwd=folder / "landed",
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_model_that_needs_more_memory_than_the_engine_has_is_told_with_its_name_and_the_setting(
    tmp_path: Path,
) -> None:
    # Texts that cannot leave memory: one list of all of them.
    sql = "select list(repeat('word', 100) || number) as words from range(10_000_000) as numbers (number)"
    ran = run_model(tmp_path, sql, SLA_TEST_MEMORY="512 MiB")
    assert ran.returncode == 1, ran.stderr
    assert "used up by reaching_out (" in ran.stdout
    assert "Set `memory` in sla.yml to more" in ran.stdout


def test_a_model_is_made_with_one_thread_where_the_engine_has_a_gib(tmp_path: Path) -> None:
    ran = run_model(tmp_path, "select current_setting('threads') as held", SLA_TEST_MEMORY="1 GiB")
    assert ran.returncode == 0, ran.stderr
    with open_database(tmp_path / "build.duckdb") as connection:
        assert connection.execute("from core.reaching_out").fetchall() == [(1,)]


def test_a_model_may_hold_a_quarter_of_the_engines_memory_before_it_spills(tmp_path: Path) -> None:
    ran = run_model(
        tmp_path, "select current_setting('operator_memory_limit') as held", SLA_TEST_MEMORY="2 GiB"
    )
    assert ran.returncode == 0, ran.stderr
    with open_database(tmp_path / "build.duckdb") as connection:
        assert connection.execute("from core.reaching_out").fetchall() == [("512.0 MiB",)]


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("select * from read_csv('{outside}')", id="a file elsewhere"),
        pytest.param(
            "select * from read_text('https://vendor.example/a')", id="the network", marks=pytest.mark.long
        ),
    ],
)
def test_a_model_cannot_reach(tmp_path: Path, sql: str) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("a\n1\n", encoding="utf-8")
    done = run_model(tmp_path, sql.format(outside=outside))
    assert done.returncode == 4, done.stderr
    assert "Permission Error" in done.stdout and "disabled" in done.stdout


def test_a_model_reads_what_has_landed(tmp_path: Path) -> None:
    done = run_model(tmp_path, "select * from read_csv('batch.csv')")
    assert done.returncode == 0, done.stdout + done.stderr
    # What dbt begins with is told: its name, its number and how many there are.
    assert "('reaching_out', 1, 1)" in done.stderr


def test_another_checkout_reads_its_own_seeds_in_the_same_workspace(tmp_path: Path) -> None:
    (tmp_path / "landed").mkdir()
    for checkout in ("before", "after"):
        project = copy_project(tmp_path / checkout / "project")
        done = run_project(project, tmp_path, "ticket_moments")
        assert done.returncode == 0, done.stdout + done.stderr
        # The next one builds into a database of its own, as every build does, and what it may read is what is there.
        (tmp_path / "build.duckdb").unlink()
        shutil.rmtree(project.parent)


def test_no_variable_of_dbt_leaves_out_a_test_and_tests_that_did_not_run_are_counted(tmp_path: Path) -> None:
    (tmp_path / "landed").mkdir()
    plain = run_project(DBT_PROJECT, tmp_path, "ticket_moments")
    assert plain.returncode == 0, plain.stdout + plain.stderr
    assert plain.stdout.strip()
    (tmp_path / "build.duckdb").unlink()
    # Each of these alone leaves out the tests, or the rows that they look at.
    chosen = {
        "DBT_EXCLUDE_RESOURCE_TYPES": "test",
        "DBT_ENGINE_RESOURCE_TYPES": "seed",
        "DBT_INDIRECT_SELECTION": "empty",
        "DBT_EMPTY": "true",
    }
    steered = run_project(DBT_PROJECT, tmp_path, "ticket_moments", "--all", **chosen)
    assert steered.stdout.startswith(plain.stdout)
    # One seed's tests are not the project's, so such a build would not be published.
    assert steered.returncode == 4, steered.stdout + steered.stderr
    assert "tests of the dbt project did not run, such as" in steered.stdout


def test_the_environment_is_what_it_was_after_a_run_of_dbt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_EXCLUDE_RESOURCE_TYPES", "test")
    monkeypatch.setenv("DO_NOT_TRACK", "0")
    before = dict(os.environ)
    with run_dbt._environment(DO_NOT_TRACK="1", SLA_BUILD_DATABASE="build.duckdb"):
        assert [name for name in os.environ if name.startswith("DBT_")] == []
        assert (os.environ["DO_NOT_TRACK"], os.environ["SLA_BUILD_DATABASE"]) == ("1", "build.duckdb")
    assert dict(os.environ) == before


def test_a_test_that_ran_once_too_few_stops_a_build() -> None:
    def check(name: str) -> run_dbt.DbtCheck:
        return run_dbt.DbtCheck(name, "passed", 0, "critical", None, name, None)

    project = run_dbt.Project(None, ("accepted", "unique", "unique"))
    run_dbt.stop_on_tests_that_did_not_run(project, [check("unique"), check("accepted"), check("unique")])
    with pytest.raises(
        ChecksFailed, match="1 of the 3 tests of the dbt project did not run, such as unique;"
    ):
        run_dbt.stop_on_tests_that_did_not_run(project, [check("unique"), check("accepted")])


def test_what_one_workspace_parsed_is_read_by_the_next_and_moved_in_one_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_dbt, "DBT_PROJECT", tmp_path / "project")
    first, second = tmp_path / "first" / "target", tmp_path / "second" / "target"
    first.mkdir(parents=True)
    assert run_dbt._find_parsed(first) is None
    (first / "partial_parse.msgpack").write_bytes(b"parsed")
    run_dbt._share_parsed(first)
    shared = run_dbt._find_parsed(second)
    assert shared is not None
    assert shared.read_bytes() == b"parsed"
    assert list(first.iterdir()) == []
    assert [path.name for path in shared.parent.iterdir()] == ["partial_parse.msgpack"]


def test_a_checkout_that_cannot_be_written_leaves_the_parsed_project_in_its_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A file where the folder would be: nothing can be written, also by the user root.
    monkeypatch.setattr(run_dbt, "DBT_PROJECT", tmp_path / "project")
    (tmp_path / "project").write_text("", encoding="utf-8")
    own = tmp_path / "target"
    own.mkdir()
    (own / "partial_parse.msgpack").write_bytes(b"parsed")
    run_dbt._share_parsed(own)
    assert run_dbt._find_parsed(own) == own / "partial_parse.msgpack"
