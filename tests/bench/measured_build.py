"""One build in a process of its own, whose steps and models are timed: `python -m tests.bench.measured_build WORKSPACE`.

The last line printed is JSON: the steps of the build with their seconds, and the seconds of each model, seed and test.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from pipeline.settings import Workspace
from pipeline.warehouse.build import build_workspace, lock_workspace
from pipeline.warehouse.profile_build import Profile
from pipeline.warehouse.run_dbt import tell_nothing


def main(root: Path) -> None:
    profile, workspace = Profile(), Workspace(root)
    with lock_workspace(workspace), profile.watch(tell_nothing) as tell:
        build_workspace(workspace, None, tell)
    nodes: dict[str, float] = {}
    for node in profile.nodes:
        nodes[f"{node.kind} {node.name}"] = nodes.get(f"{node.kind} {node.name}", 0.0) + node.seconds
    print(json.dumps({"steps": [asdict(step) for step in profile.steps], "nodes": nodes}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
