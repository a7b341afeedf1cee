"""More than 500 files that are wrong on purpose, through the real command: each ends with words that help, none with harm.

What is held for every file: no traceback, a few seconds of work at most, under 512 MB for the processes
together, rows read = landed + quarantined, and a message that names the file, the line and column where there are any, and
the reason. What is held for each: the outcome that stands beside it in `hostile_files.py`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest.files.exports import printable
from pipeline.ingest.landing.manifest import list_batches
from pipeline.settings import Workspace
from tests.end_to_end.command_line import SLA, environment, run_sla
from tests.end_to_end.hostile_files import Hostile, all_hostile_files
from tests.end_to_end.hostile_kinds import more_hostile_files
from tests.end_to_end.small_vendor import write_lines

GROUPS = all_hostile_files() | more_hostile_files()
# Of processor time, which a busy machine changes little: for all the files of a group together, twice what one may take.
SECONDS_A_GROUP = 20
SECONDS_UNTIL_HUNG = 240
MEMORY_MB = 512
# A process begins with the peak of the one that started it, so a small one stands between pytest and the command.
LAUNCHER = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
open(sys.argv[1], "w").write(f"{used.ru_maxrss / 1024} {used.ru_utime + used.ru_stime}")
sys.exit(code)
"""


@dataclass(frozen=True)
class Landed:
    """What one run said of a group of files, the most memory that any of its processes had, and what all of them worked."""

    results: dict[str, list[dict[str, Any]]]
    said: str
    peak_mb: float
    seconds: float
    root: Path


def land(root: Path, cases: list[Hostile]) -> Landed:
    run_sla("init", str(root)).expect(0)
    write_lines(
        root / "sla.yml",
        "sources:",
        "  desk: {type: canonical}",
        "  zen: {type: zendesk, customer: {constant: acme}, severity: {field: priority, values: {high: 3}}}",
        '  snow: {type: servicenow, time_zone: Europe/Berlin, date_format: "%d-%m-%Y %H:%M", customer: {constant: acme},'
        " severity: {field: priority, values: {high: 3}}}",
    )
    for case in cases:
        path = root / "inbox" / case.source / case.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(case.content):
            case.content(path)
        else:
            path.write_bytes(case.content)
    done = subprocess.run(
        [sys.executable, "-c", LAUNCHER, str(root / "peak"), str(SLA), "--json", "ingest"],
        env=environment(root),
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=SECONDS_UNTIL_HUNG,
    )
    assert done.returncode in (0, 3), done.stderr
    out, said = done.stdout, done.stderr
    peak_mb, seconds = (root / "peak").read_text(encoding="utf-8").split(" ")
    results: dict[str, list[dict[str, Any]]] = {}
    for result in json.loads(out):
        results.setdefault(
            result["file"].partition("!")[0] if ".zip!" in result["file"] else result["file"], []
        ).append(result)
    return Landed(results, said + out, float(peak_mb), float(seconds), root)


@pytest.fixture(scope="module", params=GROUPS)
def landed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Hostile], Landed]:
    cases = GROUPS[request.param]
    return cases, land(tmp_path_factory.mktemp("hostile") / "vendor", cases)


def results_of(case: Hostile, landed: Landed) -> list[dict[str, Any]]:
    return landed.results[f"inbox/{case.source}/{printable(case.name)}"]


def problem_of(case: Hostile, landed: Landed) -> dict[str, Any] | None:
    """The first thing said of a file."""
    for result in results_of(case, landed):
        for problem in [*result["problems"], *result["warnings"]]:
            return problem
    return None


def show(problem: dict[str, Any]) -> str:
    return f"{problem['file']}:{problem['line']}: {problem['field']}: {problem['reason']} {problem['hint']}"


def find_outcome(results: list[dict[str, Any]]) -> str:
    statuses = {result["status"] for result in results}
    if statuses & {"rejected", "left"}:
        return "rejected" if "rejected" in statuses else "left"
    if any(result["rows_rejected"] for result in results):
        return "quarantined"
    return "warned" if any(result["warnings"] for result in results) else "landed"


def test_every_file_has_the_outcome_that_stands_beside_it(landed: tuple[list[Hostile], Landed]) -> None:
    cases, done = landed
    wrong = []
    for case in cases:
        found = find_outcome(results_of(case, done))
        if found != case.outcome:
            wrong.append((case.name, case.outcome, found, problem_of(case, done)))
    assert wrong == []


def test_no_file_shows_a_traceback_or_a_fault_of_the_program(landed: tuple[list[Hostile], Landed]) -> None:
    _, done = landed
    assert "Traceback" not in done.said
    assert "fault of the program" not in done.said
    assert "the process that read it died" not in done.said


def test_rows_read_are_rows_landed_and_rows_quarantined(landed: tuple[list[Hostile], Landed]) -> None:
    cases, done = landed
    for case in cases:
        results = results_of(case, done)
        assert all(one["rows_read"] == one["rows_landed"] + one["rows_rejected"] for one in results), (
            case.name
        )
        if case.rows is not None:
            counted = (sum(one["rows_read"] for one in results), sum(one["rows_landed"] for one in results))
            assert counted == case.rows, case.name


def test_every_message_names_file_line_column_and_reason(landed: tuple[list[Hostile], Landed]) -> None:
    cases, done = landed
    wrong = []
    for case in cases:
        problem = problem_of(case, done)
        if problem is None:
            assert case.outcome == "landed", case.name
            continue
        is_named = problem["file"].startswith(f"inbox/{case.source}/{printable(case.name)}")
        is_placed = (case.line is None or problem["line"] == case.line) and (
            case.column is None or problem["field"] == case.column
        )
        # The words may stand in the first message or, of a rejected file, in the one of its first record.
        said = " ".join(
            show(one)
            for result in results_of(case, done)
            for one in [*result["problems"], *result["warnings"]]
        )
        if not (
            is_named
            and is_placed
            and problem["reason"]
            and problem["hint"] is not None
            or case.outcome == "warned"
        ) or any(word not in said for word in case.words):
            wrong.append((case.name, case.line, case.column, case.words, show(problem)[:400]))
    assert wrong == []


def test_no_file_takes_more_memory_than_it_may(landed: tuple[list[Hostile], Landed]) -> None:
    _, done = landed
    assert done.peak_mb < MEMORY_MB


def test_no_file_keeps_the_processor_busy(landed: tuple[list[Hostile], Landed]) -> None:
    _, done = landed
    assert done.seconds < SECONDS_A_GROUP


def test_rejected_files_leave_nothing_behind(landed: tuple[list[Hostile], Landed]) -> None:
    _, done = landed
    workspace = Workspace(done.root)
    folder = workspace.landed
    # A file's name tells its batch and the reader that read it.
    of_batches = {path for batch in list_batches(workspace) for path in batch.paths(workspace)}
    assert set(folder.rglob("*.parquet")) == of_batches
    assert list(folder.rglob("*.tmp")) == []


def test_corpus_has_at_least_five_hundred_files() -> None:
    names = [(case.source, case.name) for cases in GROUPS.values() for case in cases]
    assert len(names) == len(set(names)) >= 500


def test_corpus_has_at_least_four_hundred_files_of_other_bytes() -> None:
    contents = {
        case.content for cases in GROUPS.values() for case in cases if isinstance(case.content, bytes)
    }
    assert len(contents) >= 400
