"""Builds of all stories that stay between runs, in which single models are run again (`python -m tests.scenarios`)."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from contextlib import chdir
from pathlib import Path

import pytest

from pipeline.settings import CHECKOUT, DBT_PROJECT
from pipeline.warehouse.run_dbt import run_dbt
from tests.scenarios.vendor import AS_OF, EARLIER, fill_vendor, load_scenarios

# as_of -> database. Where it is set, the stories are read from there.
KEPT_BUILDS = pytest.StashKey[Mapping[str, Path]]()
KEPT = DBT_PROJECT / "target" / "stories"
# What the tables are made from besides models. After a change of it they are made again.
_INPUTS = ("tests/scenarios", "data/reference", "pipeline", "dbt_project/macros", "dbt_project/seeds")


def _digest(paths: Iterable[Path]) -> str:
    told = hashlib.sha256()
    for path in sorted(paths):
        if path.is_file() and path.suffix != ".pyc":
            told.update(
                f"{path.relative_to(CHECKOUT)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode()
            )
    return told.hexdigest()


def _read_state() -> dict[str, str]:
    """Name of a model, or `inputs` -> digest of what it was when it last ran."""
    state = {path.stem: _digest([path]) for path in (DBT_PROJECT / "models").rglob("*.sql")}
    return state | {"inputs": _digest(path for folder in _INPUTS for path in (CHECKOUT / folder).rglob("*"))}


def run_models(named: Iterable[str]) -> tuple[dict[str, Path], list[str]]:
    """Run the named models, or those that have changed since the last time, with all that is made from them, and their tests.

    Returns as_of -> database, and the models. Raises ChecksFailed when a model or a test fails; it then runs again next time.
    """
    places = {as_of: KEPT / as_of.replace(":", "") for as_of in (EARLIER, AS_OF)}
    databases = {as_of: place / "building" / "build.duckdb" for as_of, place in places.items()}
    file, state = KEPT / "state.json", _read_state()
    before = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if before.get("inputs") != state["inputs"]:
        shutil.rmtree(KEPT, ignore_errors=True)
        fill_vendor(KEPT, load_scenarios())
        models = []
    else:
        models = sorted({*named} | {name for name, digest in state.items() if before.get(name) != digest})
    for as_of in databases if models else ():
        with chdir(places[as_of] / "landed"):
            run_dbt(
                databases[as_of], KEPT / "dbt", select=" ".join(f"{name}+" for name in models), leave_out=()
            )
    file.write_text(json.dumps(state), encoding="utf-8")
    return databases, models
