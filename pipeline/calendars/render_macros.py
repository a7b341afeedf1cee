"""The business-time macros of the dbt project as SQL text outside dbt: the very files that the models use.

The macros need three things of dbt, which stand in here: `adapter.dispatch` (always the DuckDB side), `return` and `source`
(a table of that name on the connection at hand).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from pipeline.settings import DBT_PROJECT

_FOLDERS = ("engine", "business_time")


@cache
def load_macros() -> dict[str, Callable[..., str]]:
    """Macro name -> function that renders it. Arguments and results are SQL text."""
    from jinja2 import Environment, StrictUndefined

    files = [path for folder in _FOLDERS for path in sorted((DBT_PROJECT / "macros" / folder).glob("*.sql"))]
    macros: dict[str, Any] = {}

    class Adapter:
        def dispatch(self, macro: str) -> Any:
            return macros[f"duckdb__{macro}"]

    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - SQL, not HTML
    environment.globals.update(adapter=Adapter(), source=lambda schema, table: table)
    environment.globals["return"] = lambda value: value
    template = environment.from_string("\n".join(path.read_text(encoding="utf-8") for path in files))
    macros.update(vars(template.module))
    return {name: macro for name, macro in macros.items() if callable(macro)}


@cache
def render(text: str) -> str:
    """SQL with macro calls in it, `{{ open_seconds_at(...) }}`, as plain SQL for DuckDB."""
    from jinja2 import Environment, StrictUndefined

    return Environment(undefined=StrictUndefined, autoescape=False).from_string(text).render(**load_macros())  # noqa: S701
