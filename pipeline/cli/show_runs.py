"""Runs on record, as a table and as Prometheus text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from pipeline.cli.tables import LEFT, RIGHT, TextTable
from pipeline.pointer import Pointer
from pipeline.run_records import RunRecord
from pipeline.state_version import VERSION

_MEGABYTE = 1024 * 1024
_SHOWN_RUNS = 20


def runs_tables(runs: Sequence[RunRecord]) -> tuple[TextTable, ...]:
    """The newest runs, newest first, and the steps of the last one."""
    shown = list(reversed(runs))[:_SHOWN_RUNS]
    table = TextTable(
        f"Runs: the last {len(shown)} of {len(runs)}",
        (
            ("run", LEFT), ("command", LEFT), ("started", LEFT), ("outcome", LEFT), ("exit", RIGHT),
            ("seconds", RIGHT), ("memory, MB", RIGHT), ("rows in", RIGHT), ("out", RIGHT), ("refused", RIGHT),
        ),
        tuple(
            (
                run.run_id, run.command, run.started_at, run.outcome, "–" if run.exit_code is None else str(run.exit_code),
                f"{run.seconds:.1f}", str(run.memory_bytes // _MEGABYTE), *_sum_rows(run),
            )
            for run in shown
        ),
    )  # fmt: skip
    if not shown:
        return (table,)
    steps = TextTable(
        f"Steps of {shown[0].run_id}",
        (
            ("step", LEFT), ("outcome", LEFT), ("seconds", RIGHT), ("memory, MB", RIGHT), ("rows in", RIGHT), ("out", RIGHT),
            ("refused", RIGHT),
        ),
        tuple(
            (
                step.step, step.outcome, f"{step.seconds:.1f}", str(step.memory_bytes // _MEGABYTE),
                str(step.rows_in), str(step.rows_out), str(step.rows_refused),
            )
            for step in shown[0].steps
        ),
    )  # fmt: skip
    return (table, steps)


def _sum_rows(run: RunRecord) -> tuple[str, str, str]:
    landing = [step for step in run.steps if step.step == "ingest"]
    return (
        str(sum(step.rows_in for step in landing)),
        str(sum(step.rows_out for step in landing)),
        str(sum(step.rows_refused for step in landing)),
    )


def to_prometheus(runs: Sequence[RunRecord], pointer: Pointer | None) -> str:
    """The text format that Prometheus reads, for a file of its textfile collector. No label holds a text of the data."""
    return "".join(f"{line}\n" for line in _write_metrics(runs, pointer))


def _write_metrics(runs: Sequence[RunRecord], pointer: Pointer | None) -> Iterator[str]:
    yield from _describe("sla_state_version", "Version of the state that this program writes.")
    yield f"sla_state_version {VERSION}"
    if pointer is not None:
        yield from _describe(
            "sla_published_timestamp_seconds", "When the build that is served was published."
        )
        yield f"sla_published_timestamp_seconds {_seconds(pointer.published_at)}"
        yield from _describe(
            "sla_data_as_of_timestamp_seconds", "Up to when the data of that build is known."
        )
        yield f"sla_data_as_of_timestamp_seconds {_seconds(pointer.as_of)}"
    outcomes = Counter((run.command, run.outcome) for run in runs)
    yield from _describe("sla_runs", "Runs on record by command and outcome.")
    for (command, outcome), count in sorted(outcomes.items()):
        yield f'sla_runs{{command="{command}",outcome="{outcome}"}} {count}'
    last = {run.command: run for run in runs}
    for name, text in (
        ("sla_last_run_timestamp_seconds", "When the last run of a command started."),
        ("sla_last_run_exit_code", "Exit code of the last run; -1 while it runs, or when it was killed."),
        ("sla_last_run_seconds", "How long it took."),
        ("sla_last_run_memory_bytes", "The most memory that it had."),
    ):
        yield from _describe(name, text)
        for command, run in sorted(last.items()):
            value: float = {
                "sla_last_run_timestamp_seconds": _seconds(run.started_at),
                "sla_last_run_exit_code": -1 if run.exit_code is None else run.exit_code,
                "sla_last_run_seconds": run.seconds,
                "sla_last_run_memory_bytes": run.memory_bytes,
            }[name]
            yield f'{name}{{command="{command}"}} {value}'
    yield from _describe("sla_last_run_step_seconds", "How long each step of it took.")
    for command, run in sorted(last.items()):
        for step in run.steps:
            yield f'sla_last_run_step_seconds{{command="{command}",step="{step.step}"}} {step.seconds}'
    yield from _describe("sla_last_run_rows", "Rows that each step took in, gave out and refused.")
    for command, run in sorted(last.items()):
        for step in run.steps:
            for kind in ("in", "out", "refused"):
                count = getattr(step, f"rows_{kind}")
                yield f'sla_last_run_rows{{command="{command}",step="{step.step}",kind="{kind}"}} {count}'


def _describe(name: str, text: str) -> tuple[str, str]:
    return f"# HELP {name} {text}", f"# TYPE {name} gauge"


def _seconds(instant: str) -> int:
    return int(datetime.fromisoformat(instant).timestamp())
