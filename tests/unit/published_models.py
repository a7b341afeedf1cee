"""Tables of a hand-made build that a model makes: its own SQL reads the tables that the test wrote.

A column that a fixture names wrongly is one that the model does not find. The result must have the columns of the
model's contract.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import duckdb
import yaml
from jinja2 import Environment, StrictUndefined

from pipeline.calendars.render_macros import load_macros
from pipeline.settings import DBT_PROJECT


@cache
def read_contract(schema: str, model: str) -> dict[str, str]:
    """Column -> data type, as the model's YAML states them, in its order."""
    [found] = [each for each in _read_models(schema) if each["name"] == model]
    return {column["name"]: column["data_type"] for column in found["columns"]}


@cache
def _read_models(schema: str) -> list[dict[str, Any]]:
    text = (DBT_PROJECT / "models" / schema / f"_{schema}__models.yml").read_text(encoding="utf-8")
    models: list[dict[str, Any]] = yaml.safe_load(text)["models"]
    return models


def create_empty(connection: duckdb.DuckDBPyConnection, schema: str, model: str) -> None:
    """The table as the contract states it, without rows."""
    columns = ", ".join(f"{name} {kind}" for name, kind in read_contract(schema, model).items())
    connection.execute(f"create table {schema}.{model} ({columns})")


def build_mart(connection: duckdb.DuckDBPyConnection, model: str) -> None:
    """The mart, made by its model of the tables of schema `core` on the connection."""
    macros = (DBT_PROJECT / "macros" / "tally.sql").read_text(encoding="utf-8")
    sql = (DBT_PROJECT / "models" / "marts" / f"{model}.sql").read_text(encoding="utf-8")
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - SQL, not HTML
    environment.globals.update(load_macros(), ref=lambda name: f"core.{name}")
    rendered = environment.from_string(macros + sql).render()
    # `by name` would leave a column empty that the model does not make.
    assert sorted(connection.sql(rendered).columns) == sorted(read_contract("marts", model))
    create_empty(connection, "marts", model)
    connection.execute(f"insert into marts.{model} by name {rendered}")
