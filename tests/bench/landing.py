"""How long Zendesk's full export takes to land, against the engine's own reader on the same bytes in the same run.

The tickets are those of `desk.py`. `SLA_BENCH_TICKETS` sets how many.
"""

from __future__ import annotations

import os
import resource
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from types import SimpleNamespace

import duckdb

from pipeline.ingest.files.exports import Export, fingerprint
from pipeline.ingest.landing.land import land_exports
from pipeline.ingest.landing.write_content import ContentWriter
from pipeline.settings import Workspace
from tests.bench.desk import add_tickets

TICKETS = int(os.environ.get("SLA_BENCH_TICKETS", "200000"))
GOAL_RATIO = 1.5
GOAL_MEMORY_GB = 3.0


def main() -> bool:
    """Print the measurements; True when every goal was met."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        files = add_tickets(Workspace(root), 0, TICKETS)
        print(f"{TICKETS:,} tickets with audits, {sum(file.stat().st_size for file in files) / 1e9:.2f} GB")
        # First, because a process begins with the peak of the one that starts it.
        memory = land_in_child(root)
        plain = [read_plainly(file) for file in files]
        ours = [land_here(root, file) for file in files]
        for name, (wall, work) in {"the engine's read_json": add(plain), "landing": add(ours)}.items():
            print(f"  {name:<24} {wall:7.2f} s, {work:7.2f} s of processors")
        ratios = [ours_one / plain_one for ours_one, plain_one in zip(add(ours), add(plain), strict=True)]
        print(
            f"  landing takes {ratios[0]:.2f} times as long, {ratios[1]:.2f} times the work (goal: {GOAL_RATIO})"
        )
        print(
            f"  in a run, the process that reads had {memory:.2f} GB at most (goal: under {GOAL_MEMORY_GB} in all)"
        )
        return ratios[0] <= GOAL_RATIO and memory < GOAL_MEMORY_GB


def read_plainly(file: Path) -> tuple[float, float]:
    with duckdb.connect(config={"threads": 2}) as connection:
        wall, work = perf_counter(), process_time()
        connection.execute("set enable_progress_bar = false")
        connection.execute(
            "create table plain as select * from read_json($file, format = 'newline_delimited')",
            {"file": str(file)},
        )
        return perf_counter() - wall, process_time() - work


def land_here(root: Path, file: Path) -> tuple[float, float]:
    """What the child does with a file: hash, read, judge, write."""
    source = SimpleNamespace(source_type="zendesk", null_markers=("",), time_zone=None, date_formats=())
    export = Export(file, "desk", file.name, file.name)
    writer = ContentWriter(lambda rows: None)
    wall, work = perf_counter(), process_time()
    identity = fingerprint(export)
    written = writer.write(
        Workspace(root), source, export, identity, identity.batch_id, "2200-01-01T00:00:00Z"
    )
    assert written["rows_refused"] == 0
    return perf_counter() - wall, process_time() - work


def land_in_child(root: Path) -> float:
    """The whole landing as a run does it; GB that the child had at most."""
    source = SimpleNamespace(source_type="zendesk", null_markers=("",), time_zone=None, date_formats=())
    results = land_exports(
        Workspace(root),
        SimpleNamespace(sources={"desk": source}, keep_exports=False, memory=None),
        None,
        None,
    )
    assert {result.status for result in results} == {"landed"}, results
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1 << 20)


def add(times: list[tuple[float, float]]) -> tuple[float, float]:
    return sum(wall for wall, _ in times), sum(work for _, work in times)
