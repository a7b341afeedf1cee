"""The real command `sla`: another process, its own environment, its exit code and its words.

Most commands are forked from one process that has imported the libraries already (`preloaded.py`), since a build spends half of
its time on imports. A command whose environment or processors are stated starts as a user starts it, and so does `sla demo`.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType

SLA = Path(sys.executable).with_name("sla")

# Fixes the one clock that is read (when a batch landed), so that runs can be compared byte by byte.
LANDED_EPOCH = "1790000000"
_SECONDS_ALLOWED = 600
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.end_to_end.preloaded"])


@dataclass(frozen=True)
class Finished:
    """One command that ended: what it was, its exit code, stdout and stderr."""

    command: tuple[str, ...]
    code: int
    out: str
    err: str

    def expect(self, code: int, *words: str) -> Finished:
        """This, after asserting the exit code and that stderr says each of `words`."""
        assert self.code == code, f"{self.command} left with {self.code}:\n{self.err}"
        for part in words:
            assert part in self.err, f"{self.command} does not say {part!r}:\n{self.err}"
        return self


def environment(workspace: Path | None = None, **changes: str) -> dict[str, str]:
    """This process's environment with the lineage clock fixed and no workspace but the given one."""
    base = {name: value for name, value in os.environ.items() if name != "SLA_WORKSPACE"}
    chosen = {} if workspace is None else {"SLA_WORKSPACE": str(workspace)}
    return {**base, "SOURCE_DATE_EPOCH": LANDED_EPOCH, **chosen, **changes}


def run_sla(
    *arguments: str,
    workspace: Path | None = None,
    cores: set[int] | None = None,
    seconds_allowed: int = _SECONDS_ALLOWED,
    **changes: str,
) -> Finished:
    """Run `sla` to its end. No command may ever show a traceback, so none is accepted here.

    `cores` limits the processors that it may use, and with them DuckDB's threads.
    """
    # The lineage clock is read by the command itself; other variables may be read while Python or a library starts.
    starts_alone = bool(changes.keys() - {"SOURCE_DATE_EPOCH"}) or cores is not None or arguments[0] == "demo"
    finished = (
        _start(arguments, environment(workspace, **changes), cores, seconds_allowed)
        if starts_alone
        else _fork(arguments, environment(workspace, **changes), seconds_allowed)
    )
    assert "Traceback" not in finished.err + finished.out, finished.err
    return finished


def _start(
    arguments: tuple[str, ...], variables: dict[str, str], cores: set[int] | None, seconds_allowed: int
) -> Finished:
    done = subprocess.run(
        [SLA, *arguments],
        env=variables,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=seconds_allowed,
        stdin=subprocess.DEVNULL,
        preexec_fn=None if cores is None else lambda: os.sched_setaffinity(0, cores),
    )
    return Finished(arguments, done.returncode, done.stdout, done.stderr)


def _fork(arguments: tuple[str, ...], variables: dict[str, str], seconds_allowed: int) -> Finished:
    with tempfile.TemporaryDirectory(prefix="sla-said-") as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = _start_fork(arguments, variables, out, err)
        process.join(seconds_allowed)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"{arguments} was still running after {seconds_allowed} s")
        return Finished(arguments, process.exitcode, *(path.read_bytes().decode() for path in (out, err)))


def _start_fork(arguments: tuple[str, ...], variables: dict[str, str], out: Path, err: Path) -> BaseProcess:
    process = _FORKS.Process(target=_answer, args=(arguments, variables, Path.cwd(), out, err))
    # A new process imports the main module of this one, and Streamlit's test client leaves a page in its place.
    main_module, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    try:
        process.start()
    finally:
        sys.modules["__main__"] = main_module
    return process


def run_at_once(*calls: tuple[str, ...], workspace: Path) -> list[Finished]:
    """Several commands, two at a time, each to its end."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda call: run_sla(*call, workspace=workspace), calls))


def kill_sla(
    *arguments: str, workspace: Path, seconds: float, after: Callable[[], bool] = lambda: True
) -> bool:
    """Start `sla` with its imports done, and kill it and all that it started; whether it was still running.

    `seconds` count from the start, or from when `after` is first true.
    """
    process = _start_fork(arguments, environment(workspace), Path(os.devnull), Path(os.devnull))
    while process.is_alive() and not after():
        time.sleep(0.001)
    process.join(seconds)
    was_running = process.exitcode is None
    with suppress(ProcessLookupError):
        os.killpg(process.pid or 0, signal.SIGKILL)
    # It had not become the first of its group yet.
    process.kill()
    process.join()
    return was_running


def _answer(
    arguments: tuple[str, ...], variables: dict[str, str], folder: Path, out: Path, err: Path
) -> None:
    """The command itself, in the forked process, the first of a group of its own."""
    os.setsid()
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    sys.argv = [str(SLA), *arguments]
    from pipeline.cli import main

    main()


def start_sla(*arguments: str, workspace: Path) -> subprocess.Popen[str]:
    """Start `sla` and do not wait: for runs that are killed, and for two at once."""
    return subprocess.Popen(
        [SLA, *arguments],
        env=environment(workspace),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
