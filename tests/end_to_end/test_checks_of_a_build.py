"""What the checks of a build cost and find: counts kept with each batch, and the law of segments without making the segments."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.errors import ChecksFailed
from pipeline.ingest.landing.manifest import keep_counts, list_batches, read_batches, write_manifest
from pipeline.settings import Workspace
from pipeline.warehouse.run_dbt import run_dbt
from tests.end_to_end.published import read_pointer

SUMS = "assert_elapsed_seconds_are_open_and_not_paused"
PIECES = "assert_intervals_and_pauses_are_disjoint"
SAMPLE = "assert_segments_of_a_sample_tile_their_obligation"
MEASURED = (
    "from core.fct_sla_obligations where elapsed_seconds is not null and counts_from_at < read_until_at"
)
SAMPLED = f"select obligation_key {MEASURED} order by md5(obligation_key) limit 200"


@pytest.fixture
def database(demo_workspace: Path, tmp_path: Path) -> Path:
    pointer = read_pointer(demo_workspace)
    file = demo_workspace / "warehouse" / "published" / pointer["file"]
    return Path(shutil.copy(file, tmp_path / "build.duckdb"))


def find_broken(database: Path, fault: str) -> set[str]:
    """The tests of the law that fail after this change of the published rows."""
    with duckdb.connect(str(database)) as connection:
        connection.execute(fault)
    scratch = database.parent / "dbt"
    with chdir(database.parent):
        try:
            run_dbt(database, scratch, select=f"{SUMS} {PIECES} {SAMPLE}", is_test_alone=True)
        except ChecksFailed as failure:
            return {str(problem.field) for problem in failure.problems}
    return set()


def test_a_second_too_many_is_found_in_every_row_and_its_segments_in_the_sample(database: Path) -> None:
    others = f"select obligation_key {MEASURED} and obligation_key not in ({SAMPLED}) order by 1 limit 1"
    second_more = (
        "update core.fct_sla_obligations set elapsed_seconds = elapsed_seconds + 1 where obligation_key ="
    )
    assert find_broken(database, f"{second_more} ({others})") == {SUMS}
    assert find_broken(database, f"{second_more} ({SAMPLED.replace('200', '1')})") == {SUMS, SAMPLE}


def test_pieces_of_time_that_overlap_are_found(database: Path) -> None:
    # The same hours twice are counted once by the segments, and twice by a sum.
    twice = "insert into core.dim_clock_intervals select * from core.dim_clock_intervals where clock_name = 'business_hours'"
    assert find_broken(database, twice) == {SUMS, PIECES}


def test_every_batch_of_a_landing_has_its_counts_and_one_without_them_gets_them_once(
    demo_workspace: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "workspace"
    shutil.copytree(demo_workspace / "warehouse" / "landed", copy / "warehouse" / "landed")
    workspace = Workspace(copy)
    landed = list_batches(workspace)
    assert all(batch.checks is not None for batch in landed)
    assert keep_counts(workspace, landed) == landed
    for batch in landed[:3]:
        write_manifest(workspace, replace(batch, checks=None))
    assert keep_counts(workspace, list_batches(workspace)) == landed
    assert read_batches(workspace) == landed


@pytest.mark.parametrize(
    "filtered", ["ticket_id = $ticket", "list_contains($keys::varchar[], obligation_key)"]
)
def test_a_filter_of_the_segments_reaches_the_obligations_before_any_segment_is_made(
    demo_workspace: Path, filtered: str
) -> None:
    pointer = read_pointer(demo_workspace)
    file = demo_workspace / "warehouse" / "published" / pointer["file"]
    with duckdb.connect(str(file), read_only=True) as connection:
        [(ticket, key)] = connection.execute(
            f"select ticket_id, obligation_key {MEASURED} order by obligation_key limit 1"
        ).fetchall()
        sql = f"select * from core.fct_sla_segments where {filtered}"
        bound = {"ticket": ticket} if "$ticket" in filtered else {"keys": [key]}
        segments = len(connection.execute(sql, bound).fetchall())
        [(_, plan)] = connection.execute(f"explain (analyze, format json) {sql}", bound).fetchall()
        obligations = len(connection.execute(f"select 1 {MEASURED} and ticket_id = ?", [ticket]).fetchall())
    # The step that makes segments of edges sees those of one ticket alone: one edge more than segments of each obligation.
    windows = list(find_windows(json.loads(plan)["operator"]))
    assert windows
    assert max(windows) <= segments + obligations


def find_windows(operators: list[dict[str, Any]]) -> Iterator[int]:
    """How many rows each window of a plan has seen."""
    for operator in operators:
        if "WINDOW" in operator["type"]:
            yield operator["intermediate_rows"]
        yield from find_windows(operator.get("children", []))
