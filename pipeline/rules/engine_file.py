"""The section `engine` of `sla.yml`: on which engine builds run."""

from __future__ import annotations

from typing import Annotated

from pipeline.declarations.declared import Declared
from pipeline.declarations.values import OneOf, Text, matching

ENGINES = ("duckdb", "spark", "sail")


class EngineRules(Declared):
    """Where the models run; each line may be left out."""

    use: Annotated[str, OneOf(ENGINES)] = "duckdb"
    """duckdb (this process), spark, or sail (as Spark, in this process and without Java); `sla build --engine` says it once."""
    master: Text = "local[*]"
    """Of Spark: local[2], spark://host:7077, yarn, k8s://..."""
    remote: (
        Annotated[
            Text,
            *matching(r"^sc://[^\s]+$", "is no Spark Connect address.", "Write it like sc://host:15002."),
        ]
        | None
    ) = None
    """The address of a Spark Connect server, in place of a master."""
    storage: Text | None = None
    """A folder that this machine and every executor see under the same path; beside the build unless said."""
    settings: dict[
        Annotated[str, *matching(r"^spark\.", "is no setting of Spark.", "They begin with spark.")], Text
    ] = {}
    """Settings of Spark's own, such as spark.executor.memory: 8g."""


DEFAULT_ENGINE = EngineRules()
