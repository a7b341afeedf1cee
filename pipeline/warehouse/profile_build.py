"""Where the time of a build goes: its steps, its models and tests, and the engine's own plans of the slowest models.

Times are of one run on one machine; nothing of this is published. A plan is the engine's profile of the model's query, run once
more in the finished database, so that what is measured is the query alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from pipeline.warehouse.connection import open_database
from pipeline.warehouse.incremental import attach_basis_of
from pipeline.warehouse.run_dbt import NodeTime, OnStep, collect_times


@dataclass(frozen=True)
class StepTime:
    """Seconds of a step of the build, on the wall and of all processors."""

    step: str
    wall_seconds: float
    processor_seconds: float


@dataclass(frozen=True)
class Operator:
    """One operator of a query's plan: its own seconds, of all threads; the rows that it gave; what the engine says of it."""

    kind: str
    seconds: float
    rows: int
    details: dict[str, Any]
    children: tuple[Operator, ...] = ()

    @property
    def total_seconds(self) -> float:
        """Seconds of this operator and of all below it."""
        return self.seconds + sum(child.total_seconds for child in self.children)


@dataclass
class Profile:
    """What a build took, filled while it runs: its steps in turn, the models, seeds and tests that dbt ran, and by name the plans
    of the slowest models.
    """

    steps: list[StepTime] = field(default_factory=list)
    nodes: list[NodeTime] = field(default_factory=list)
    plans: dict[str, Operator] = field(default_factory=dict)
    # The step that is not over yet, and wall and processor seconds at its beginning.
    _step: str = field(default="", repr=False)
    _since: tuple[float, float] = field(default=(0.0, 0.0), repr=False)

    @contextmanager
    def watch(self, on_step: OnStep) -> Iterator[OnStep]:
        """Give what the build names its steps to; the times are complete, slowest nodes first, when this ends."""
        self._step, self._since = "rules", (perf_counter(), process_time())

        def tell(step: str, model: str | None, number: int, total: int) -> None:
            self._begin(step)
            on_step(step, model, number, total)

        with collect_times() as self.nodes:
            yield tell
        self._begin("")
        self.nodes.sort(key=_by_time)

    def explain(self, database: Path, count: int) -> None:
        """Run the queries of the `count` slowest models again in the filled database, and keep their plans."""
        self._begin("plans of the slowest models")
        models = [node for node in self.nodes if node.kind == "model" and node.sql]
        with open_database(database) as connection:
            attach_basis_of(connection)
            for node in sorted(models, key=_by_time)[:count]:
                [(_, plan)] = connection.execute(f"explain (analyze, format json) {node.sql}").fetchall()
                [root] = json.loads(plan)["operator"]
                self.plans[node.name] = _read_operator(root)

    def _begin(self, step: str) -> None:
        # dbt names its models from several threads, all within one step.
        if step == self._step:
            return
        now = (perf_counter(), process_time())
        self.steps.append(StepTime(self._step, now[0] - self._since[0], now[1] - self._since[1]))
        self._step, self._since = step, now


def _by_time(node: NodeTime) -> tuple[float, str]:
    return -node.seconds, node.name


def _read_operator(read: dict[str, Any]) -> Operator:
    children = tuple(_read_operator(child) for child in read.get("children", ()))
    # The engine wraps what it explains into operators of its own.
    if read["type"] in ("RESULT_COLLECTOR", "EXPLAIN_ANALYZE") and len(children) == 1:
        return children[0]
    details = {name: value for name, value in read["extra_info"].items() if value}
    return Operator(read["type"], read["timing"], read["intermediate_rows"], details, children)
