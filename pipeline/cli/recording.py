"""The run that is at work: its record in the workspace, and its log as JSON lines where `--log-format json` asks for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from pipeline.cli.line import find_exit_code, log, options
from pipeline.run_records import Recorder, Step

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pipeline.settings import Workspace

_at_work: list[Recorder] = []


@contextmanager
def recorded(workspace: Workspace, command: str) -> Iterator[None]:
    """Keep a record of this command. The caller holds the workspace's lock."""
    recorder = Recorder(workspace, command, _tell)
    _at_work.append(recorder)
    log.run_id = recorder.record.run_id
    try:
        with recorder.run(find_exit_code):
            yield
    finally:
        _at_work.pop()
        done = recorder.record
        if options.log_format == "json":
            # The steps have their own lines.
            typer.echo(
                json.dumps(
                    log.stamp("info") | {**asdict(done), "steps": len(done.steps), "message": "run ended"}
                ),
                err=True,
            )
        log.run_id = None


def step(name: str) -> AbstractContextManager[Step]:
    """A step of the run at work; of none where a command keeps no record."""
    return _at_work[-1].step(name) if _at_work else nullcontext(Step(name))


def _tell(run_id: str, done: Step) -> None:
    if options.log_format == "json":
        level = "info" if done.outcome == "done" else "error"
        typer.echo(
            json.dumps(log.stamp(level) | asdict(done) | {"message": f"step {done.step} {done.outcome}"}),
            err=True,
        )
