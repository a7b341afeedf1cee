"""The engine that runs the models reaches the landed batches and the seeds, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.settings import CHECKOUT, DBT_PROJECT
from pipeline.warehouse import run_dbt

# In a process of its own: dbt keeps the project that it has read.
RUN = """
import sys
from pathlib import Path
from pipeline.errors import ChecksFailed
from pipeline.warehouse import run_dbt

run_dbt.DBT_PROJECT = Path(sys.argv[1])
try:
    run_dbt.run_dbt(Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve(), select=sys.argv[4])
except ChecksFailed as refusal:
    print(*(problem.reason for problem in refusal.problems))
    sys.exit(4)
"""


def copy_project(place: Path) -> Path:
    """The project with its settings, macros and seeds. No models: parsing them takes most of the time, and none is run."""
    shutil.copytree(DBT_PROJECT, place, ignore=shutil.ignore_patterns("target", "logs", "models", "tests"))
    return place


def run_model(folder: Path, sql: str) -> subprocess.CompletedProcess[str]:
    """Run one model in a copy of the project, standing in the folder of the landed batches as a build does."""
    project = copy_project(folder / "project")
    (project / "models" / "core").mkdir(parents=True)
    (project / "models" / "core" / "reaching_out.sql").write_text(
        "{{ config(contract={'enforced': false}) }}\n" + sql, encoding="utf-8"
    )
    landed = folder / "landed"
    landed.mkdir()
    (landed / "batch.csv").write_text("a\n1\n", encoding="utf-8")
    return run_project(project, folder, "reaching_out")


def run_project(project: Path, folder: Path, select: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            RUN,
            str(project),
            str(folder / "build.duckdb"),
            str(folder / "scratch"),
            select,
        ],
        cwd=folder / "landed",
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )


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


def test_another_checkout_reads_its_own_seeds_in_the_same_workspace(tmp_path: Path) -> None:
    (tmp_path / "landed").mkdir()
    for checkout in ("before", "after"):
        project = copy_project(tmp_path / checkout / "project")
        done = run_project(project, tmp_path, "ticket_moments")
        assert done.returncode == 0, done.stdout + done.stderr
        # The next one builds into a database of its own, as every build does, and what it may read is what is there.
        (tmp_path / "build.duckdb").unlink()
        shutil.rmtree(project.parent)


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
