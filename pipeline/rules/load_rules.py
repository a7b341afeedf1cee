"""All rules of a workspace at once: plans, calendars, sources, reference tables, and their fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.declarations.problems import name_nearest, refuse
from pipeline.declarations.read_yaml import read_yaml
from pipeline.errors import Problem
from pipeline.rules.flatten_plans import flatten_plans
from pipeline.rules.load_plans import load_plans
from pipeline.rules.load_reference import REFERENCE_FILES, load_reference
from pipeline.rules.load_sources import SourcesConfig, flatten_sources, load_sources
from pipeline.rules.plan import Plan
from pipeline.rules.tables import RuleTable
from pipeline.rules.words_file import load_words
from pipeline.settings import Workspace

if TYPE_CHECKING:
    from pipeline.calendars.calendar import Calendar


@dataclass(frozen=True)
class Rules:
    """What a build applies. `tables`: name -> rows, all of `pipeline.rules.tables.RULE_TABLES`."""

    plans: tuple[Plan, ...]
    sources: SourcesConfig
    calendars: Mapping[str, Calendar]
    tables: Mapping[str, RuleTable]
    fingerprint: str


# Parts of sla.yml: whom a report goes to, who may log in, which plans are tried once a build is published, and how much memory it
# may take, on which engine it runs, and how long its traces are kept.
_NO_FIGURES = {"auth", "delivery", "compare_plans", "memory", "engine", "retention"}


def load_rules(workspace: Workspace) -> Rules:
    """Read and check every rule file. Raises ConfigurationError (YAML) or InputRejected (CSV)."""
    from pipeline.calendars.load_calendars import load_calendars

    calendars = load_calendars(workspace.calendars)
    plans = load_plans(workspace.plans, calendars)
    sources = load_sources(workspace.sla_yml)
    _check_compared_plans(workspace, plans, sources)
    tables = (
        flatten_plans(plans)
        | flatten_sources(sources)
        | load_words(workspace)
        | load_reference(workspace, plans, sources.sources)
    )
    customer_ids = [row["customer_id"] for row in tables["customers"].to_pylist()]
    _check_looks(workspace, sources, customer_ids)
    return Rules(tuple(plans), sources, calendars, tables, fingerprint_rules(workspace))


def _check_compared_plans(workspace: Workspace, plans: Iterable[Plan], sources: SourcesConfig) -> None:
    known = [plan.plan for plan in plans]
    problems = [
        Problem(
            str(workspace.sla_yml),
            None,
            "compare_plans",
            f"{plan!r} is not a plan.",
            name_nearest(plan, known),
        )
        for plan in sources.compared_plans
        if plan not in known
    ]
    if problems:
        raise refuse(str(workspace.sla_yml), problems)


def _check_looks(workspace: Workspace, sources: SourcesConfig, customers: list[str]) -> None:
    problems = [
        Problem(
            str(workspace.sla_yml),
            None,
            f"branding.customers.{look.customer_id}",
            f"{look.customer_id!r} is not in customers.csv.",
            name_nearest(look.customer_id, customers),
        )
        for look in sources.looks
        if look.customer_id is not None and look.customer_id not in customers
    ]
    if problems:
        raise refuse(str(workspace.sla_yml), problems)


def fingerprint_rules(workspace: Workspace) -> str:
    """SHA-256 (hex) over the name and the content of every rule file, in the order of their names.

    Names count from the workspace, so a copy elsewhere has the same fingerprint. Only files that rules are
    read from count, and of sla.yml not who receives what and which plans are tried on a build: that changes no figure of it.
    """
    digest = hashlib.sha256()
    for path in sorted(
        _list_rule_files(workspace), key=lambda path: path.relative_to(workspace.root).as_posix()
    ):
        content = _read_content(workspace, path)
        # The length keeps a byte from moving between two files unseen.
        digest.update(f"{path.relative_to(workspace.root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def hash_rules(workspace: Workspace) -> dict[str, str]:
    """The name of every rule file, counted from the workspace -> the SHA-256 (hex) of its content, as in the fingerprint."""
    return {
        path.relative_to(workspace.root).as_posix(): hashlib.sha256(
            _read_content(workspace, path)
        ).hexdigest()
        for path in sorted(_list_rule_files(workspace))
    }


def _read_content(workspace: Workspace, path: Path) -> bytes:
    """What counts of a rule file: its bytes, and of sla.yml what is said but for what changes no figure of a build."""
    if path != workspace.sla_yml:
        return path.read_bytes()
    data = read_yaml(path).data
    kept = (
        {key: value for key, value in data.items() if key not in _NO_FIGURES}
        if isinstance(data, dict)
        else data
    )
    return json.dumps(kept).encode()


def _list_rule_files(workspace: Workspace) -> list[Path]:
    reference = [workspace.reference / f"{name}.csv" for name in REFERENCE_FILES]
    dated = [
        path
        for folder in (workspace.plans, workspace.calendars, workspace.mappings)
        for path in folder.glob("*")
        if path.suffix in {".yml", ".yaml"}
    ]
    logos = [path for path in workspace.branding.rglob("*") if path.suffix.lower() in {".svg", ".png"}]
    single = (workspace.sla_yml, workspace.words)
    return [path for path in (*single, *reference, *dated, *logos) if path.is_file()]
