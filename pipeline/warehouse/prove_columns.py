"""Proves the plain tests of the dbt project (not_null, unique, unique_combination) in one pass a table, not in a query each.

dbt takes about 25 ms for a test however small the table is, and reads the table again for each: with 260 such tests that was a
sixth of a small build. A test that the pass does not prove is run by dbt itself, which has the last word and the rows to show.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.warehouse.run_dbt import DbtCheck, Engine, Project, describe_check, run_dbt

PLAIN = ("not_null", "unique", "unique_combination")
# The dbt selector for what is proved here.
PROVED_HERE = " ".join(f"test_name:{name}" for name in PLAIN)
# What a test may be configured with without saying something else than its name.
_USUAL = {"where": None, "limit": None, "error_if": "!= 0", "fail_calc": "count(*)", "enabled": True}


@dataclass(frozen=True)
class _Proof:
    """Two counts, as SQL, that are equal where the test passes."""

    node: Any
    counted: str
    expected: str


def prove_columns(
    database: Path, scratch: Path, project: Project, engine: Engine | None = None
) -> list[DbtCheck]:
    """One check for every plain test of the project; all its tables are there, in `database` or on `engine`. `scratch` is dbt's.

    Raises ChecksFailed, as `run_dbt` does, naming each critical test that failed.
    """
    from pipeline.warehouse.connection import open_database

    by_table: dict[str, list[_Proof]] = defaultdict(list)
    proved: list[Any] = []
    in_doubt: list[Any] = []
    for node in _list_plain_tests(project):
        table = project.manifest.nodes.get(node.attached_node)
        if table is None or not _is_usual(node):
            in_doubt.append(node)
        else:
            by_table[table.relation_name].append(_plan(node, engine.hash_name if engine else "hash"))
    with open_database(database) as connection:
        for relation, proofs in by_table.items():
            query = _select_proofs(relation, proofs)
            rows = engine.fetch(query, 1)[1] if engine else connection.execute(query).fetchall()
            for proof, holds in zip(proofs, rows[0], strict=True):
                (proved if holds else in_doubt).append(proof.node)
    checks = [describe_check(node, "passed", 0) for node in proved]
    if in_doubt:
        names = " ".join(sorted(node.name for node in in_doubt))
        checks += run_dbt(database, scratch, project=project, select=names, is_test_alone=True, engine=engine)
    return checks


def _list_plain_tests(project: Project) -> Iterator[Any]:
    for _, node in sorted(project.manifest.nodes.items()):
        metadata = getattr(node, "test_metadata", None)
        if node.resource_type == "test" and metadata is not None and metadata.name in PLAIN:
            yield node


def _is_usual(node: Any) -> bool:
    return all(getattr(node.config, option) == value for option, value in _USUAL.items())


def _plan(node: Any, hash_name: str) -> _Proof:
    # Names of columns are those of the project's own files. As many hashes as rows prove that all rows differ.
    if node.test_metadata.name == "unique_combination":
        columns = ", ".join(node.test_metadata.kwargs["columns"])
        return _Proof(node, f"count(distinct {hash_name}({columns}))", "count(*)")
    column = node.column_name
    if node.test_metadata.name == "unique":
        # Missing values have one hash together, and say nothing. A filter would cost as much again as the count.
        return _Proof(
            node,
            f"count(distinct {hash_name}({column}))",
            f"count({column}) + case when count(*) > count({column}) then 1 else 0 end",
        )
    return _Proof(node, f"count({column})", "count(*)")


def _select_proofs(relation: str, proofs: list[_Proof]) -> str:
    selected = ", ".join(f"{proof.counted} = {proof.expected}" for proof in proofs)
    return f"select {selected} from {relation}"
