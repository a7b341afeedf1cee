"""What each run did: one record per command that writes to a workspace, `warehouse/runs/<run id>.json`.

It holds numbers and names of steps, never a text of a ticket, a name or a message. A run that cannot write its record works on: a
record proves nothing of the figures. One that is killed leaves its record as `running`, which is told as `killed` once it has
let go of the workspace.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from pipeline.settings import Workspace, read_clock
from pipeline.state_version import NewerState, seal_state, unseal_state
from pipeline.whole_files import write_whole

Outcome = Literal["running", "done", "failed", "stopped", "killed"]
# About a year of nightly runs.
KEPT_RUNS = 400
_KIBIBYTE = 1024


@dataclass
class Step:
    """One step. Rows are records of exports, rows of a build, or reports, as the step counts them; memory is the most that this
    process, or a child that has ended, has had at the end of the step."""

    step: str
    rows_in: int = 0
    rows_out: int = 0
    rows_refused: int = 0
    seconds: float = 0.0
    memory_bytes: int = 0
    outcome: Outcome = "running"


@dataclass(frozen=True)
class RunRecord:
    """One run. `started_at` is ISO with Z; `seconds` of the whole; `exit_code` None while it runs or when it was killed."""

    run_id: str
    command: str
    started_at: str
    process: int
    outcome: Outcome = "running"
    exit_code: int | None = None
    seconds: float = 0.0
    memory_bytes: int = 0
    steps: tuple[Step, ...] = field(default=())


class Recorder:
    """Writes the record of one run. `on_step` is told each step that has ended."""

    def __init__(self, workspace: Workspace, command: str, on_step: Callable[[str, Step], None]) -> None:
        now = read_clock()
        started = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        # Two runs of one second differ by their process; a process runs one command.
        run_id = f"{now:%Y%m%dT%H%M%SZ}-{os.getpid()}"
        self.record = RunRecord(run_id, command, started, os.getpid())
        self._folder, self._on_step, self._started = _folder(workspace), on_step, time.perf_counter()
        self._steps: list[Step] = []

    @contextmanager
    def run(self, find_code: Callable[[BaseException], int]) -> Iterator[Recorder]:
        """The run itself. `find_code`: the exit code that an error leads to."""
        self._write()
        code = 0
        outcome: Outcome = "done"
        try:
            yield self
        except KeyboardInterrupt:
            code, outcome = 130, "stopped"
            raise
        except BaseException as problem:
            code = find_code(problem)
            outcome = "failed" if code else "done"
            raise
        finally:
            seconds = round(time.perf_counter() - self._started, 3)
            self.record = replace(
                self.record,
                seconds=seconds,
                memory_bytes=read_memory(),
                exit_code=code,
                outcome=outcome,
                steps=tuple(self._steps),
            )
            self._write()
            self._remove_older()

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        started = time.perf_counter()
        step = Step(name)
        self._steps.append(step)
        self._write()
        try:
            yield step
            step.outcome = "done"
        except BaseException:
            step.outcome = "failed"
            raise
        finally:
            step.seconds = round(time.perf_counter() - started, 3)
            step.memory_bytes = read_memory()
            self._on_step(self.record.run_id, step)
            self._write()

    def _write(self) -> None:
        record = replace(self.record, steps=tuple(self._steps))
        with suppress(OSError):
            write_whole(self._folder / f"{record.run_id}.json", seal_state(asdict(record)))

    def _remove_older(self) -> None:
        with suppress(OSError):
            for path in sorted(self._folder.glob("*.json"))[:-KEPT_RUNS]:
                path.unlink()


def read_runs(workspace: Workspace, is_held: bool) -> list[RunRecord]:
    """Every run on record, oldest first. `is_held`: whether a run holds the workspace now; if none does, one that says `running`
    was killed. A record that cannot be read is left out: nothing rests on it."""
    found = []
    paths = sorted(_folder(workspace).glob("*.json"))
    for path in paths:
        try:
            record = unseal_state(path.read_bytes(), path, needs_seal=True)
            run = RunRecord(**{**record, "steps": tuple(Step(**step) for step in record["steps"])})
        except NewerState:
            raise
        except (OSError, ValueError, TypeError, KeyError):
            continue
        # Of several that never ended only the newest can still be at work.
        is_over = run.outcome == "running" and (not is_held or path != paths[-1])
        found.append(replace(run, outcome="killed") if is_over else run)
    return found


def run_path(workspace: Workspace, run: RunRecord) -> Path:
    """Where the record of a run lies."""
    return _folder(workspace) / f"{run.run_id}.json"


def read_memory() -> int:
    """The most memory in bytes that this process, or a child of it that has ended, has had."""
    unit = 1 if sys.platform == "darwin" else _KIBIBYTE
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return unit * max(resource.getrusage(kind).ru_maxrss for kind in kinds)


def _folder(workspace: Workspace) -> Path:
    return workspace.warehouse / "runs"
