"""Many editions, written by several processes: some customers at a time, so that memory grows with those and not with the list.

The order of the processes decides nothing: every edition has files of its own, and the same bytes whichever process writes
them. A failure concerns one customer. A process that dies costs the edition that it was at.
"""

from __future__ import annotations

import os
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from pipeline import errors
from pipeline.child_process import Process, follow_parent, say_death, start_child
from pipeline.errors import MachineFailed, SlaError
from pipeline.interruption import stop_if_asked
from pipeline.periods.editions import Issue
from pipeline.periods.issue import Builds, is_read_with, issue_batch, needs_rendering
from pipeline.reporting.render_report import ReportFiles
from pipeline.settings import Workspace

# So many customers are read and held at a time by a process.
BATCH = 16
# A process takes as long to start as it takes to write so many reports.
_WORTH_A_PROCESS = 10
# A process that is asked to stop writes the edition that it is at.
_SECONDS_TO_END = 10
_LOOK_EVERY_SECONDS = 0.5

Written = ReportFiles | SlaError
OnDone = Callable[[Issue], None]


def issue_reports(
    workspace: Workspace, issues: Sequence[Issue], out_dir: Path, on_done: OnDone = lambda issue: None
) -> list[Written]:
    """The files of each edition in `out_dir`, in the order of `issues`, or why it could not be written; see `issue_report`."""
    results: dict[int, Written] = {}

    def finish(number: int, written: Written) -> None:
        results[number] = written
        on_done(issues[number])

    jobs = _split(issues)
    rendered = sum(needs_rendering(workspace, issue) for issue in issues)
    processes = min(_count_processors(), rendered // _WORTH_A_PROCESS, len(jobs))
    if processes > 1:
        _Crew(workspace, issues, out_dir, finish).work(jobs, processes)
    else:
        with Builds(workspace) as builds:
            for job in jobs:
                batch = issue_batch(builds, [issues[number] for number in job], out_dir)
                for number, written in zip(job, batch, strict=True):
                    finish(number, written)
                    stop_if_asked()
    return [results[number] for number in range(len(issues))]


def _split(issues: Sequence[Issue]) -> list[list[int]]:
    """The places of editions, in batches of one month and one build."""
    groups: list[list[int]] = []
    for number, issue in enumerate(issues):
        for group in groups:
            first = issues[group[0]]
            if first.month == issue.month and is_read_with(first, issue):
                group.append(number)
                break
        else:
            groups.append([number])
    return [group[start : start + BATCH] for group in groups for start in range(0, len(group), BATCH)]


def _count_processors() -> int:
    # Those that this process may use, where the system tells.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class _Worker:
    """A process with what it has to write: places of editions, those that are written taken out."""

    process: Process
    connection: Connection
    job: deque[int] = field(default_factory=deque)

    def end(self) -> None:
        self.connection.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_SECONDS_TO_END)
        self.process.kill()
        self.process.wait()


class _Crew:
    def __init__(
        self,
        workspace: Workspace,
        issues: Sequence[Issue],
        out_dir: Path,
        finish: Callable[[int, Written], None],
    ) -> None:
        self._workspace, self._issues, self._out_dir, self._finish = workspace, issues, out_dir, finish

    def work(self, jobs: Sequence[Sequence[int]], processes: int) -> None:
        left = deque(jobs)
        with ExitStack() as stack:
            workers = [self._start(stack) for _ in range(processes)]
            while left or any(worker.job for worker in workers):
                stop_if_asked()
                for worker in workers:
                    if left and not worker.job:
                        self._give(worker, left.popleft())
                busy = {worker.connection: worker for worker in workers if worker.job}
                for connection in wait(list(busy), _LOOK_EVERY_SECONDS):
                    worker = busy[connection]  # type: ignore[index]
                    try:
                        self._take(worker, worker.connection.recv())
                    except (EOFError, ConnectionError):
                        workers[workers.index(worker)] = self._start(stack)
                        left.extendleft([number] for number in reversed(self._bury(worker)))

    def _start(self, stack: ExitStack) -> _Worker:
        worker = _Worker(*start_child(__name__))
        stack.callback(worker.end)
        return worker

    def _give(self, worker: _Worker, job: Sequence[int]) -> None:
        worker.job.extend(job)
        # A process that has died is seen by its silence.
        with suppress(ConnectionError):
            worker.connection.send((self._workspace, [self._issues[number] for number in job], self._out_dir))

    def _take(self, worker: _Worker, answer: tuple[str, Any]) -> None:
        kind, what = answer
        if kind == "broken":
            raise _as_error(*what)
        self._finish(worker.job.popleft(), what if kind == "written" else _as_error(*what))

    def _bury(self, worker: _Worker) -> list[int]:
        """What a process that died leaves to be written, one by one: what it was at is not known where it had several."""
        died = say_death(worker.process)
        rest, worker.job = list(worker.job), deque()
        if len(rest) > 1:
            return rest
        issue = self._issues[rest[0]]
        problem = (
            f"The process that wrote the report of customer {issue.customer_id!r} for {issue.month} died ({died}), perhaps for "
            "lack of memory. End other programs, then write it again. Other customers are not affected."
        )
        self._finish(rest[0], MachineFailed(problem))
        return []


def _as_error(kind: str, message: str, problems: tuple[errors.Problem, ...] = ()) -> Any:
    known = getattr(errors, kind, None)
    return known(message, problems) if known else RuntimeError(f"{kind}: {message}")


def serve(connection: Connection) -> None:
    """The whole life of a process that writes reports: one batch after the other, until the parent ends it or is gone."""
    follow_parent()
    builds: Builds | None = None
    with ExitStack() as stack, suppress(EOFError, ConnectionError):
        while True:
            workspace, issues, out_dir = connection.recv()
            if builds is None:
                builds = stack.enter_context(Builds(workspace))
            try:
                for written in issue_batch(builds, issues, out_dir):
                    connection.send(_answer(written))
            except ConnectionError:
                raise
            except Exception as problem:
                # What the machine refuses, or a fault of the program: the parent tells it as if it had happened there.
                told = errors.explain_machine(problem)
                connection.send(
                    _answer(told, "broken") if told else ("broken", (type(problem).__name__, str(problem)))
                )


def _answer(written: Written, kind: str = "failed") -> tuple[str, Any]:
    # An error is not pickled: it would come back without its parts.
    if isinstance(written, SlaError):
        return kind, (type(written).__name__, written.message, written.problems)
    return "written", written
