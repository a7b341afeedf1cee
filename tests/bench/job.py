"""What each step of the job costs on a helpdesk of any size, against the engine's plain reading of the same files in one run.

`SLA_BENCH_SIZES` sets the numbers of tickets, by commas; 1000000 needs 40 GB of disk. Every step is a process of its own, so its
memory is its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

from pipeline.settings import Workspace
from tests.bench.desk import write_desk
from tests.end_to_end.command_line import SLA, environment

SIZES = tuple(int(size) for size in os.environ.get("SLA_BENCH_SIZES", "10000,100000").split(","))
_READ = """
import sys, duckdb
connection = duckdb.connect(config={"threads": 2})
connection.execute("set enable_progress_bar = false")
for file in sys.argv[1:]:
    connection.execute("create or replace temp table plain as from read_json(?, format = 'newline_delimited')", [file])
"""
# Step -> at most so many times the wall time of the plain reading. Of the steps below, seconds at any size.
GOAL_READS = {"landing": 1.5, "build": 2.0}
GOAL_SECONDS = {"unchanged": 1.5, "compliance": 1.0, "explain": 0.5}
GOAL_GIB = 4.0


@dataclass(frozen=True)
class Step:
    """Seconds of wall and processors, and GiB, of one process and those that it started."""

    name: str
    wall: float
    processors: float
    gib: float


def main() -> bool:
    """Print a table for each size, and all of it as one line of JSON; True when every goal was met."""
    measured = {size: measure(size) for size in SIZES}
    met = [print_table(size, steps) for size, steps in measured.items()]
    print(json.dumps({"job": {size: [asdict(step) for step in steps] for size, steps in measured.items()}}))
    return all(met)


def measure(tickets: int) -> list[Step]:
    with tempfile.TemporaryDirectory(dir=os.environ.get("SLA_BENCH_FOLDER")) as folder:
        workspace = write_desk(Path(folder) / "desk", tickets)
        files = sorted(str(file) for file in (workspace.inbox / "desk").iterdir())
        commands = {
            "landing": ["ingest"],
            "build": ["build"],
            "unchanged": ["run"],
            "compliance": ["--json", "compliance"],
            "explain": ["--json", "explain", "1000001"],
            "report": [
                "report",
                "--customer",
                "c1",
                "--month",
                "2025-10",
                "--out",
                str(Path(folder) / "reports"),
            ],
        }
        return [
            _take_time("plain reading", workspace, [sys.executable, "-c", _READ, *files]),
            *(_take_time(name, workspace, [SLA, "--quiet", *words]) for name, words in commands.items()),
        ]


def _take_time(name: str, workspace: Workspace, command: list[str]) -> Step:
    started = perf_counter()
    process = subprocess.Popen(command, env=environment(workspace.root), stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, command
    return Step(
        name,
        round(perf_counter() - started, 2),
        round(used.ru_utime + used.ru_stime, 2),
        round(used.ru_maxrss / (1 << 20), 2),
    )


def print_table(tickets: int, steps: list[Step]) -> bool:
    """One line a step; whether each goal was met."""
    read = steps[0]
    print(
        f"{tickets:,} tickets (wall seconds, seconds of processors, times the plain reading, GiB of the largest process)"
    )
    all_met = True
    for step in steps:
        reads = step.wall / read.wall
        goals = []
        if step.name in GOAL_READS:
            goals.append((reads <= GOAL_READS[step.name], f"{GOAL_READS[step.name]} readings"))
        if step.name in GOAL_SECONDS:
            goals.append((step.wall <= GOAL_SECONDS[step.name], f"{GOAL_SECONDS[step.name]} s"))
        goals.append((step.gib <= GOAL_GIB, f"{GOAL_GIB} GiB"))
        missed = [goal for is_met, goal in goals if not is_met]
        all_met &= not missed
        verdict = f"MISSED: {', '.join(missed)}" if missed else "ok"
        print(
            f"  {step.name:<14} {step.wall:8.2f} {step.processors:8.2f} {reads:7.2f} {step.gib:6.2f}  {verdict}"
        )
    return all_met


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
