"""Tables of a hand-made build, as the models' contracts state them.

A column that a fixture names wrongly is one that its table does not have; what a fixture leaves out is null. A mart can be
made by its own SQL of the tables that the test wrote.
"""

from __future__ import annotations

from functools import cache

import duckdb
import yaml
from jinja2 import Environment, StrictUndefined

from pipeline.calendars.render_macros import load_macros
from pipeline.settings import DBT_PROJECT

_CONTRACTS = {
    "core": ("core/_core__models.yml",),
    "marts": ("marts/_marts__models.yml", "marts/_forecasts__sources.yml"),
    "qc": ("qc/_qc__models.yml",),
}


@cache
def read_contracts(schema: str) -> dict[str, dict[str, str]]:
    """Table -> column -> data type, as the YAML beside the models states them, in its order."""
    found = []
    for file in _CONTRACTS[schema]:
        stated = yaml.load((DBT_PROJECT / "models" / file).read_text(encoding="utf-8"), yaml.CSafeLoader)
        found += stated.get("models", []) + [
            table for source in stated.get("sources", []) for table in source["tables"]
        ]
    return {
        table["name"]: {column["name"]: column["data_type"] for column in table["columns"]} for table in found
    }


def create_published(connection: duckdb.DuckDBPyConnection) -> None:
    """Every published table without rows, and the seeds of `core` with theirs."""
    for schema in _CONTRACTS:
        connection.execute(f"create schema {schema}")
        for table, columns in read_contracts(schema).items():
            stated = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            connection.execute(f"create table {schema}.{table} ({stated})")
    for seed in (
        "backlog_ages",
        "finding_kinds",
        "share_causes",
        "sla_status_reasons",
        "vendor_figure_reasons",
    ):
        connection.execute(
            f"create table core.{seed} as from read_csv(?)", [str(DBT_PROJECT / "seeds" / f"{seed}.csv")]
        )


def build_mart(connection: duckdb.DuckDBPyConnection, model: str) -> None:
    """The rows of the mart, made by its model of the tables of schema `core` on the connection."""
    rendered = _render_mart(model)
    # `by name` would leave a column empty that the model does not make.
    assert sorted(connection.sql(rendered).columns) == sorted(read_contracts("marts")[model])
    connection.execute(f"delete from marts.{model}; insert into marts.{model} by name {rendered}")


@cache
def _render_mart(model: str) -> str:
    macros = (DBT_PROJECT / "macros" / "tally.sql").read_text(encoding="utf-8")
    sql = (DBT_PROJECT / "models" / "marts" / f"{model}.sql").read_text(encoding="utf-8")
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - SQL, not HTML
    environment.globals.update(load_macros(), ref=lambda name: f"core.{name}")
    return environment.from_string(macros + sql).render()
