"""Runs that are killed, and two at once: the version served is always a whole one, and the next plain run finishes the work."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen, TimeoutExpired

import pytest

from pipeline.periods.records import read_history
from pipeline.settings import Workspace
from pipeline.warehouse.publish import hash_file
from tests.end_to_end.command_line import run_sla, start_sla
from tests.end_to_end.published import dump_tables, query, read_pointer


@pytest.fixture
def vendor(demo_workspace: Path, tmp_path: Path) -> Path:
    """A copy of the published demo, and one more export that has not landed: what a night's run finds."""
    root = shutil.copytree(demo_workspace, tmp_path / "vendor")
    # A plan that is tried runs its models once more, and a killed run is the same without it.
    sla_yml = root / "sla.yml"
    sla_yml.write_text(
        sla_yml.read_text(encoding="utf-8").replace("compare_plans: [premium]", "compare_plans: []"),
        encoding="utf-8",
    )
    events = root / "inbox" / "portal" / "events.csv"
    header = events.read_text(encoding="utf-8").splitlines()[0]
    one_more = "EV-NEW,P-00012,2026-07-01T08:00:00Z,message,agent,mia,true,"
    (events.parent / "events-2026-07.csv").write_text(f"{header}\n{one_more}\n", encoding="utf-8")
    return root


def kill_after(process: Popen[str], seconds: float) -> None:
    """Let it run that long, then SIGKILL to it and to all that it started."""
    try:
        process.wait(timeout=seconds)
    except TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    finally:
        process.communicate()


def assert_served_version_is_whole(root: Path) -> str:
    """The pointer names a file with the very bytes that it was published with; gives its build id."""
    pointer = read_pointer(root)
    file = root / "warehouse" / "published" / pointer["file"]
    assert hash_file(file) == pointer["sha256"]
    assert query(root, "select build_id from meta.build") == [(pointer["build_id"],)]
    return pointer["build_id"]


def moments_of_death(count: int, until_seconds: float) -> Iterator[float]:
    """Spread over the run, different within each part, the same in every run of the test."""
    chance = random.Random(20260701)
    part = until_seconds / count
    for index in range(count):
        yield part * (index + chance.random())


def test_killed_ingest_is_finished_by_the_next_one(demo_workspace: Path, tmp_path: Path) -> None:
    root = tmp_path / "vendor"
    root.mkdir()
    shutil.copy(demo_workspace / "sla.yml", root)
    for folder in ("inbox", "branding"):
        shutil.copytree(demo_workspace / folder, root / folder)
    for seconds in moments_of_death(5, 0.8):
        kill_after(start_sla("ingest", workspace=root), seconds)
    run_sla("ingest", workspace=root).expect(0)
    landed, whole = root / "warehouse" / "landed", demo_workspace / "warehouse" / "landed"
    assert read_landed(landed) == read_landed(whole)


def read_landed(landed: Path) -> dict[str, bytes]:
    return {str(path.relative_to(landed)): path.read_bytes() for path in landed.rglob("*") if path.is_file()}


def test_build_killed_halfway_leaves_the_version_before_and_is_finished_by_the_next_run(vendor: Path) -> None:
    before = assert_served_version_is_whole(vendor)
    # Two seconds are enough to be in the middle of it and too few to be through.
    kill_after(start_sla("run", workspace=vendor), 2)
    assert assert_served_version_is_whole(vendor) == before
    run_sla("compliance", workspace=vendor).expect(0)
    run_sla("run", workspace=vendor).expect(0)
    assert assert_served_version_is_whole(vendor) != before
    assert query(vendor, "select count(*) from core.fct_ticket_events where event_id like '%EV-NEW%'") != [
        (0,)
    ]


@pytest.mark.long
def test_build_killed_at_any_point_is_never_half_visible(vendor: Path, tmp_path: Path) -> None:
    whole = shutil.copytree(vendor, tmp_path / "undisturbed")
    run_sla("run", workspace=whole).expect(0)
    versions = {read_pointer(vendor)["build_id"], read_pointer(whole)["build_id"]}
    for seconds in moments_of_death(10, 14):
        kill_after(start_sla("run", workspace=vendor), seconds)
        assert assert_served_version_is_whole(vendor) in versions
        run_sla("compliance", workspace=vendor).expect(0)
    run_sla("run", workspace=vendor).expect(0)
    assert assert_served_version_is_whole(vendor) == read_pointer(whole)["build_id"]
    assert dump_tables(vendor, "core", "marts", "qc") == dump_tables(whole, "core", "marts", "qc")


def test_interrupted_run_says_that_the_next_one_will_finish(vendor: Path) -> None:
    before = assert_served_version_is_whole(vendor)
    process = start_sla("run", workspace=vendor)
    try:
        process.wait(timeout=2)
    except TimeoutExpired:
        process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped; what was not finished will be done by the next run." in said
    assert "Traceback" not in said
    assert assert_served_version_is_whole(vendor) == before


@pytest.mark.long
def test_month_whose_closing_is_killed_at_any_point_is_closed_whole_or_not_at_all(
    vendor: Path, tmp_path: Path
) -> None:
    records = vendor / "warehouse" / "closed"
    before = len(read_history(Workspace(vendor)).records)
    for seconds in moments_of_death(20, 3):
        kill_after(start_sla("close", "--month", "2026-02", workspace=vendor), seconds)
        history = read_history(Workspace(vendor))
        assert len(history.records) in (before, before + 1)
        run_sla("compliance", "--month", "2026-02", workspace=vendor).expect(0)
    if len(history.records) == before:
        run_sla("close", "--month", "2026-02", workspace=vendor).expect(0)
    assert sorted(path.name for path in records.glob("[0-9]*.json"))[-1] == f"{before + 1:06d}.json"
    run_sla("close", "--month", "2026-02", workspace=vendor).expect(2, "2026-02 is closed already")


@pytest.mark.long
def test_report_that_is_killed_while_it_is_issued_has_the_bytes_of_an_undisturbed_one(
    vendor: Path, tmp_path: Path
) -> None:
    whole = shutil.copytree(vendor, tmp_path / "undisturbed")
    options = ("report", "--all", "--month", "2026-05", "--out")
    run_sla(*options, str(tmp_path / "whole"), workspace=whole).expect(0)
    for seconds in moments_of_death(10, 6):
        kill_after(start_sla(*options, str(tmp_path / "killed"), workspace=vendor), seconds)
    run_sla(*options, str(tmp_path / "killed"), workspace=vendor).expect(0)
    made, expected = (
        {
            path.name: path.read_bytes()
            for path in (tmp_path / name).iterdir()
            if not path.name.startswith(".")
        }
        for name in ("killed", "whole")
    )
    assert made == expected


@pytest.mark.long
def test_two_runs_at_once_end_with_one_that_worked_and_one_that_was_told(vendor: Path) -> None:
    first, second = start_sla("run", workspace=vendor), start_sla("run", workspace=vendor)
    said = [first.communicate(timeout=200)[1], second.communicate(timeout=200)[1]]
    assert sorted([first.returncode, second.returncode]) == [0, 6]
    told = said[0] if first.returncode == 6 else said[1]
    assert f"Another run is writing to {vendor}." in told
    assert "Traceback" not in "".join(said)
    assert_served_version_is_whole(vendor)


@pytest.mark.long
def test_reader_keeps_its_version_while_a_new_one_is_published(vendor: Path) -> None:
    import duckdb

    pointer = read_pointer(vendor)
    with duckdb.connect(str(vendor / "warehouse" / "published" / pointer["file"]), read_only=True) as reader:
        before = reader.execute("select count(*) from core.fct_ticket_events").fetchall()
        run_sla("run", workspace=vendor).expect(0)
        assert read_pointer(vendor)["build_id"] != pointer["build_id"]
        assert reader.execute("select count(*) from core.fct_ticket_events").fetchall() == before
