"""What each step of the job costs on a helpdesk of any size, against the engine's plain reading of the same files in one run.

`SLA_BENCH_SIZES` sets the numbers of tickets, by commas; 1000000 needs 40 GB of disk, below `SLA_BENCH_FOLDER` where that is set.
Every command is a process of its own, so its memory is its own; the parts of a build share that of the build.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

from pipeline.settings import Workspace
from tests.bench.desk import add_tickets, write_desk
from tests.end_to_end.command_line import SLA, environment

SIZES = tuple(int(size) for size in os.environ.get("SLA_BENCH_SIZES", "10000,100000").split(","))
_READ = """
import sys, duckdb
connection = duckdb.connect(config={"threads": 2})
connection.execute("set enable_progress_bar = false")
for file in sys.argv[1:]:
    connection.execute("create or replace temp table plain as from read_json(?, format = 'newline_delimited')", [file])
"""
# The parts of a build by its steps (pipeline/warehouse/build.py); dbt runs its own tests within the models.
_PARTS = {
    "checks": ("landed rows, and checks of them", "checks of what is published"),
    "models": ("models", "forecasts", "alerts"),
    "tests": ("tests of columns and keys",),
    "publish": ("publishing",),
}
# Step -> at most so many times the wall time of the plain reading. Of the steps below, seconds at any size.
GOAL_READS = {"landing": 1.5, "build": 2.0}
GOAL_SECONDS = {"unchanged": 1.5, "1 % more": 20.0, "compliance": 1.0, "explain": 0.5}
GOAL_GIB = 4.0
# Ten times the tickets take at most so many times the time; what takes less than this is start-up.
GOAL_GROWTH = 10.5
_LEAST_SECONDS = 0.5
_SHOWN_MODELS = 12
# A backlog that no agent closes: as many tickets, of so many, without an answer since 2021.
_OLD, _OLD_DESK = 14_000, 20_000
GOAL_OLD = 1.5
_DASHBOARD_PORT = 8597


@dataclass(frozen=True)
class Step:
    """Seconds of wall and processors, and GiB, of one process and its children. A part of a build has no GiB of its own."""

    name: str
    wall: float
    processors: float
    gib: float | None


@dataclass(frozen=True)
class Measured:
    """All steps of one size, and the seconds of every model, seed and test of the build."""

    steps: list[Step]
    nodes: dict[str, float]


def main() -> bool:
    """Print a table for each size, the growth between sizes, and all of it as one line of JSON; True when every goal was met."""
    measured = {size: measure(size) for size in SIZES}
    met = [print_table(size, found.steps) for size, found in measured.items()]
    met += [print_growth(pair, measured) for pair in pairwise(SIZES)]
    met.append(compare_old())
    as_json = {
        size: {"steps": [asdict(step) for step in found.steps], "nodes": found.nodes}
        for size, found in measured.items()
    }
    print(json.dumps({"job": as_json}))
    return all(met)


def measure(tickets: int) -> Measured:
    with tempfile.TemporaryDirectory(dir=os.environ.get("SLA_BENCH_FOLDER")) as folder:
        workspace = write_desk(Path(folder) / "desk", tickets)
        files = sorted(str(file) for file in (workspace.inbox / "desk").iterdir())
        reading, _ = _take_time("plain reading", workspace, [sys.executable, "-c", _READ, *files])
        landing, _ = _take_time("landing", workspace, [SLA, "--quiet", "ingest"])
        build, printed = _take_time(
            "build", workspace, [sys.executable, "-m", "tests.bench.measured_build", str(workspace.root)]
        )
        told = json.loads(printed.splitlines()[-1])
        reports = str(Path(folder) / "reports")
        commands = {
            "trials": ["whatif", "--plan", "premium"],
            "unchanged": ["run"],
            "compliance": ["--json", "compliance"],
            "explain": ["--json", "explain", "1000001"],
            "reports": ["report", "--all", "--month", "2025-10", "--out", reports],
        }
        rest = [_take_time(name, workspace, [SLA, "--quiet", *words])[0] for name, words in commands.items()]
        add_tickets(workspace, tickets, tickets + tickets // 100)
        rest.append(_take_time("1 % more", workspace, [SLA, "--quiet", "run"])[0])
        steps = [reading, landing, build, *_list_parts(told["steps"]), *rest]
        return Measured([*steps, _open_dashboard(workspace)], told["nodes"])


def compare_old() -> bool:
    """A build in which most promises run since years, against one of as many tickets without them; whether it stays near."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("SLA_BENCH_FOLDER")) as folder:
        without, of_old = (_build_desk(Path(folder) / str(old), _OLD_DESK, old) for old in (0, _OLD))
    ratio = of_old.processors / without.processors
    is_met = ratio <= GOAL_OLD
    print(
        f"{_OLD_DESK:,} tickets, {_OLD:,} of them unanswered since years: {of_old.processors:.1f} s of processors, "
        f"{of_old.gib} GiB; without them {without.processors:.1f} s; {ratio:.2f} times (goal {GOAL_OLD})  "
        f"{'ok' if is_met else 'MISSED'}"
    )
    return is_met


def _build_desk(root: Path, tickets: int, old: int) -> Step:
    workspace = write_desk(root, tickets, old=old)
    _take_time("landing", workspace, [SLA, "--quiet", "ingest"])
    return _take_time("build", workspace, [SLA, "--quiet", "build"])[0]


def _take_time(name: str, workspace: Workspace, command: Sequence[str | Path]) -> tuple[Step, str]:
    """The step, and what the command printed."""
    started = perf_counter()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        process = subprocess.Popen(command, env=environment(workspace.root), stdout=output)
        _, status, used = os.wait4(process.pid, 0)
        wall = perf_counter() - started
        assert os.waitstatus_to_exitcode(status) == 0, command
        output.seek(0)
        return _describe(name, wall, used), output.read()


def _describe(name: str, wall: float, used: Any) -> Step:
    return Step(
        name,
        round(wall, 2),
        round(used.ru_utime + used.ru_stime, 2),
        round(used.ru_maxrss / (1 << 20), 2),
    )


def _list_parts(steps: Sequence[dict[str, Any]]) -> Iterator[Step]:
    """The parts of a build; what none of them holds is start-up and rules."""
    known = {step for names in _PARTS.values() for step in names}
    parts = {**_PARTS, "rules": tuple({one["step"] for one in steps} - known)}
    for name, names in parts.items():
        chosen = [one for one in steps if one["step"] in names]
        wall, processors = (sum(one[key] for one in chosen) for key in ("wall_seconds", "processor_seconds"))
        yield Step(f"  {name}", round(wall, 2), round(processors, 2), None)


def _open_dashboard(workspace: Workspace) -> Step:
    """From the start of the server until it answers; the pages themselves are measured in the browser's tests."""
    started = perf_counter()
    process = subprocess.Popen(
        [SLA, "--quiet", "dashboard", "--port", str(_DASHBOARD_PORT)],
        env=environment(workspace.root),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while perf_counter() - started < 60:
            with (
                suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{_DASHBOARD_PORT}/_stcore/health") as answer,
            ):
                assert answer.status == 200
                break
            time.sleep(0.05)
        else:
            raise AssertionError("the dashboard did not answer within a minute")
        wall = perf_counter() - started
    finally:
        process.terminate()
        _, _, used = os.wait4(process.pid, 0)
    return _describe("dashboard", wall, used)


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
        if step.gib is not None:
            goals.append((step.gib <= GOAL_GIB, f"{GOAL_GIB} GiB"))
        missed = [goal for is_met, goal in goals if not is_met]
        all_met &= not missed
        verdict = f"MISSED: {', '.join(missed)}" if missed else "ok" if goals else ""
        gib = "" if step.gib is None else f"{step.gib:.2f}"
        print(f"  {step.name:<14} {step.wall:8.2f} {step.processors:8.2f} {reads:7.2f} {gib:>6}  {verdict}")
    return all_met


def print_growth(sizes: tuple[int, int], measured: dict[int, Measured]) -> bool:
    """The models that take longest at the larger size, and how many times as long as at the smaller; whether none grows too much.

    Growth is compared with the growth of the tickets: 10.5 for ten times as many.
    """
    small, large = (measured[size].nodes for size in sizes)
    goal = GOAL_GROWTH / 10 * sizes[1] / sizes[0]
    print(f"growth from {sizes[0]:,} to {sizes[1]:,} tickets (goal: at most {goal:.1f} times)")
    all_met = True
    for name, seconds in sorted(large.items(), key=lambda item: -item[1])[:_SHOWN_MODELS]:
        growth = seconds / max(small.get(name, 0.0), 0.001)
        is_met = growth <= goal or seconds < _LEAST_SECONDS
        all_met &= is_met
        print(
            f"  {name:<60} {small.get(name, 0.0):8.2f} {seconds:8.2f} {growth:7.1f}  {'ok' if is_met else 'MISSED'}"
        )
    whole = [sum(nodes.values()) for nodes in (small, large)]
    print(f"  {'all':<60} {whole[0]:8.2f} {whole[1]:8.2f} {whole[1] / whole[0]:7.1f}")
    return all_met and whole[1] / whole[0] <= goal


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
