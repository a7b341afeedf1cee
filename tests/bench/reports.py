"""What the reports of one month cost for 500 customers, against Typst alone on the same finished documents in the same run.

A month that is not closed is rendered again by each run. The floor is one process that compiles documents whose content is
ready: no query, no table, no file. `SLA_BENCH_CUSTOMERS` sets how many customers.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from unittest.mock import patch

from pipeline.demo.generate import write_demo
from pipeline.reporting import render_report, typeset
from pipeline.reporting.monthly_report import MonthlyReport, read_customers_to_report, read_monthly_reports
from pipeline.reporting.published import EVERY_CUSTOMER, open_published
from pipeline.settings import Workspace
from tests.end_to_end.command_line import SLA, environment

CUSTOMERS = int(os.environ.get("SLA_BENCH_CUSTOMERS", "500"))
TICKETS_A_CUSTOMER = 12
MONTHS = 13
MONTH = "2026-05"
GOAL_SECONDS = 45
GOAL_MEMORY_GIB = 1.5
GOAL_KILOBYTES = 150
# Of so many documents the floor is measured, and scaled.
_COMPILED = 100
_LOOK_EVERY_SECONDS = 0.25


def main() -> bool:
    """Print the measurements, and the same as one line of JSON; True when every goal was met."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_demo(
            root / "vendor", tickets=CUSTOMERS * TICKETS_A_CUSTOMER, months=MONTHS, customers=CUSTOMERS
        )
        for command in ("ingest", "build"):
            _run(root / "vendor", command)
        measured = measure(root / "vendor", root / "reports")
    goals = {
        "wall_seconds": measured["wall_seconds"] <= GOAL_SECONDS * CUSTOMERS / 500,
        "memory_gib": measured["memory_gib"] < GOAL_MEMORY_GIB,
        "median_kilobytes": measured["median_kilobytes"] < GOAL_KILOBYTES,
    }
    print(
        f"{measured['reports']:,} reports of one month (PDF, CSV, XLSX) on {measured['processors']} processors"
    )
    print(f"  wall {measured['wall_seconds']:.1f} s (goal: {GOAL_SECONDS} for 500 on 2 processors)")
    print(
        f"  processors {measured['cpu_seconds']:.1f} s, {measured['cpu_seconds'] / measured['reports']:.3f} s a report; Typst "
        f"alone {measured['compile_cpu_seconds']:.1f} s: {measured['ratio']:.2f} times"
    )
    print(
        f"  memory of all processes {measured['memory_gib']:.2f} GiB at most (goal: under {GOAL_MEMORY_GIB})"
    )
    print(f"  median PDF {measured['median_kilobytes']:.0f} kB (goal: under {GOAL_KILOBYTES})")
    print(
        f"  {'ok' if all(goals.values()) else 'MISSED: ' + ', '.join(n for n, met in goals.items() if not met)}"
    )
    print(json.dumps({"reports": measured}))
    return all(goals.values())


def measure(workspace: Path, out: Path) -> dict[str, Any]:
    """Wall and processor seconds, GiB, kB (1000 bytes)."""
    floor = _compile_alone(Workspace(workspace))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = perf_counter()
    with _watch_memory() as peak:
        _run(workspace, "report", "--all", "--month", MONTH, "--out", str(out))
    wall = perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    sizes = [path.stat().st_size for path in out.glob("*.pdf")]
    return {
        "reports": len(sizes),
        "processors": len(os.sched_getaffinity(0)),
        "wall_seconds": round(wall, 2),
        "cpu_seconds": round(cpu, 2),
        "compile_cpu_seconds": round(floor * len(sizes), 2),
        "ratio": round(cpu / (floor * len(sizes)), 2),
        "memory_gib": round(peak[0] / (1 << 30), 3),
        "median_kilobytes": round(statistics.median(sizes) / 1000, 1),
    }


def _run(workspace: Path, *arguments: str) -> None:
    subprocess.run(
        [SLA, "--quiet", *arguments], env=environment(workspace), check=True, stdout=subprocess.DEVNULL
    )


def _compile_alone(workspace: Workspace) -> float:
    """Processor seconds of Typst for one document, whose content is ready."""
    with open_published(workspace) as published:
        customers = read_customers_to_report(published, EVERY_CUSTOMER, MONTH)[:_COMPILED]
        reports = read_monthly_reports(published, EVERY_CUSTOMER, customers, MONTH).values()
    compiler = typeset._compiler
    asked: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    class Recorder:
        def __init__(self, *chosen: Any) -> None:
            self.chosen = chosen

        def compile(self, **arguments: Any) -> bytes:
            asked.append((self.chosen, arguments))
            return b""

    with patch.object(typeset, "_compiler", Recorder):
        for report in reports:
            assert isinstance(report, MonthlyReport), report
            render_report.compile_pdf(report)
    chosen, arguments = asked[0]
    compiler(*chosen).compile(**arguments)
    started = process_time()
    for chosen, arguments in asked[1:]:
        compiler(*chosen).compile(**arguments)
    return (process_time() - started) / len(asked[1:])


@contextmanager
def _watch_memory() -> Iterator[list[int]]:
    """Gives a list with the most bytes that the descendants of this process had at a time, shared pages counted once."""
    peak, is_over = [0], threading.Event()

    def look() -> None:
        while not is_over.wait(_LOOK_EVERY_SECONDS):
            peak[0] = max(peak[0], sum(map(_read_memory, _list_descendants())))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield peak
    finally:
        is_over.set()
        watcher.join()


def _list_descendants() -> list[int]:
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, ours = [], {os.getpid()}
    while ours:
        ours = {child for child, parent in parents.items() if parent in ours}
        found += ours
    return found


def _read_memory(process: int) -> int:
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("Pss:")), 0)


if __name__ == "__main__":
    main()
