"""The SQL of the dbt project as one engine gets it, rendered without dbt, an engine or a database: in about half a second.

Nothing here knows what a model means. A build of everything is rendered: no trial, and no rows taken over from a basis.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined

from pipeline.settings import DBT_PROJECT
from tests.house.checkout import MACROS, MODELS

# Stands for an engine that is neither: what an engine macro gives is a call of a function by its name.
NEITHER = "neither"


class _Relation:
    """What `ref` and `source` give: a name with its schema."""

    def __init__(self, schema: str, name: str) -> None:
        self.schema, self.identifier = schema, name

    def include(self, **_: Any) -> _Relation:
        return self

    def __str__(self) -> str:
        return f"{self.schema}.{self.identifier}"


class _Adapter:
    def __init__(self, engine: str, macros: dict[str, Any]) -> None:
        self.engine, self.macros = engine, macros

    def dispatch(self, macro: str, *_: Any) -> Any:
        if self.engine == NEITHER:
            return lambda *arguments: f"engine__{macro}({', '.join(map(str, arguments))})"
        return self.macros[f"{self.engine}__{macro}"]


@cache
def render_project(engine: str) -> dict[Path, str]:
    """Every model and singular test as `engine` (duckdb, spark or `NEITHER`) gets it, by path within the dbt project."""
    environment = Environment(
        undefined=StrictUndefined, autoescape=False, extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"]
    )
    macros: dict[str, Any] = {}
    project = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    schemas = _list_schemas()
    environment.globals.update(
        adapter=_Adapter(engine, macros),
        ref=lambda name: _Relation(schemas[name], name),
        source=lambda schema, name: _Relation(schema, name),
        var=lambda name: project["vars"][name],
        config=lambda **_: "",
        target={"type": engine},
        execute=False,
        # A template writes text, and the text of a falsehood must be none.
        **{"return": lambda value: "" if value is False else value},
    )
    macro_files = [path for path in sorted(MACROS.rglob("*.sql")) if path.parent.name != "materializations"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in macro_files)
    macros.update(vars(environment.from_string(text).module))
    environment.globals.update({name: macro for name, macro in macros.items() if not name.startswith("_")})
    files = [*sorted(MODELS.rglob("*.sql")), *sorted((DBT_PROJECT / "tests").glob("*.sql"))]
    return {
        path.relative_to(DBT_PROJECT): environment.from_string(path.read_text(encoding="utf-8")).render()
        for path in files
    }


def _list_schemas() -> dict[str, str]:
    """Model or seed -> its layer."""
    layers = {path.stem: path.relative_to(MODELS).parts[0] for path in MODELS.rglob("*.sql")}
    return layers | {path.stem: "core" for path in (DBT_PROJECT / "seeds").glob("*.csv")}
