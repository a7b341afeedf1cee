"""Which of the project's plain tests one pass over a table proves, and which are left to dbt."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from pipeline.warehouse import prove_columns as module
from pipeline.warehouse.run_dbt import DbtCheck, Project

COLUMNS = {"not_null": "column_name", "unique": "column_name", "unique_combination": "columns"}


def plain_test(name: str, of: Any, **config: Any) -> Any:
    usual = {"where": None, "limit": None, "error_if": "!= 0", "fail_calc": "count(*)", "enabled": True}
    return SimpleNamespace(
        name=f"{name}_{'_'.join(of)}",
        resource_type="test",
        attached_node="model.sla.seen",
        column_name=None if name == "unique_combination" else of,
        test_metadata=SimpleNamespace(name=name, kwargs={COLUMNS[name]: of}),
        config=SimpleNamespace(**usual | {"severity": "ERROR"} | config),
    )


def prove(monkeypatch: Any, folder: Path, rows: str, tests: list[Any]) -> tuple[list[str], list[str]]:
    """The names of the tests that the pass proved, and of those that dbt was asked to run."""
    database = folder / "build.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"create table seen as select * from (values {rows}) as rows (a, b)")
    table = SimpleNamespace(resource_type="model", relation_name='"build"."main"."seen"')
    nodes = {"model.sla.seen": table} | {f"test.sla.{one.name}": one for one in tests}
    asked: list[str] = []

    def run(*arguments: Any, select: str, is_test_alone: bool, **others: Any) -> list[DbtCheck]:
        assert is_test_alone
        asked.extend(select.split(" "))
        return []

    monkeypatch.setattr(module, "run_dbt", run)
    project = Project(SimpleNamespace(nodes=nodes), ())
    return [check.check_name for check in module.prove_columns(database, folder, project)], asked


@pytest.mark.parametrize(
    ("rows", "test", "holds"),
    [
        ("(1, 1), (2, 2)", plain_test("not_null", "a"), True),
        ("(1, 1), (null, 2)", plain_test("not_null", "a"), False),
        ("(1, 1), (2, 1)", plain_test("unique", "a"), True),
        ("(1, 1), (1, 2)", plain_test("unique", "a"), False),
        # dbt's test leaves missing values out, and the one of a combination does not.
        ("(1, 1), (null, 1), (null, 2)", plain_test("unique", "a"), True),
        ("(1, 1), (1, 2), (null, 1), (null, 2)", plain_test("unique_combination", ["a", "b"]), True),
        ("(1, 1), (null, 1), (null, 1)", plain_test("unique_combination", ["a", "b"]), False),
    ],
)
def test_a_plain_test_is_proved_by_its_counts_or_left_to_dbt(monkeypatch, tmp_path, rows, test, holds):
    assert prove(monkeypatch, tmp_path, rows, [test]) == (([test.name], []) if holds else ([], [test.name]))


def test_a_test_with_a_condition_of_its_own_is_left_to_dbt(monkeypatch, tmp_path):
    tests = [plain_test("not_null", "a", where="b = 1"), plain_test("unique", "b", error_if="> 5")]
    proved, asked = prove(monkeypatch, tmp_path, "(1, 1), (2, 2)", [*tests, plain_test("not_null", "b")])
    assert proved == ["not_null_b"]
    assert asked == ["not_null_a", "unique_b"]


def test_an_empty_table_breaks_nothing(monkeypatch, tmp_path):
    tests = [plain_test("not_null", "a"), plain_test("unique", "b")]
    database = tmp_path / "build.duckdb"
    proved, asked = prove(monkeypatch, tmp_path, "(1, 1)", tests)
    assert (proved, asked) == (["not_null_a", "unique_b"], [])
    with duckdb.connect(str(database)) as connection:
        connection.execute("delete from seen")
    nodes = {"model.sla.seen": SimpleNamespace(resource_type="model", relation_name='"build"."main"."seen"')}
    nodes |= {f"test.sla.{one.name}": one for one in tests}
    checks = module.prove_columns(database, tmp_path, Project(SimpleNamespace(nodes=nodes), ()))
    assert [check.status for check in checks] == ["passed", "passed"]
