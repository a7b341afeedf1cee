"""The name of a build: one digest over everything that can change a figure of it.

Equal names mean equal figures, so a build with the name of the one that is served need not run.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.settings import CHECKOUT, Workspace

if TYPE_CHECKING:
    from pipeline.ingest.landing.manifest import Batch
    from pipeline.rules.load_rules import Rules

# The code that computes, below the checkout. What reads exports is part of the name of each batch (`Batch.file_stem`); what
# only prints (`pipeline/reporting`, `dashboards`, `pipeline/cli`, documents) changes no figure and is not listed.
CODE = (
    "dbt_project",
    "expectations",
    "pipeline/calendars",
    "pipeline/declarations",
    "pipeline/forecasting",
    "pipeline/ingest/landed_views.py",
    "pipeline/ingest/landing/manifest.py",
    "pipeline/ingest/tables.py",
    "pipeline/quality",
    "pipeline/rules",
    "pipeline/seen_files.py",
    "pipeline/settings.py",
    "pipeline/vocabulary.py",
    "pipeline/warehouse",
    "pipeline/zones.py",
)
_CODE_ENDINGS = (".csv", ".py", ".sql", ".yml")
_GENERATED = {"__pycache__", "dbt_packages", "logs", "target"}
# What computes on Spark instead of DuckDB.
ENGINE_PACKAGES = {
    "duckdb": (),
    "spark": ("dbt-spark", "pyspark"),
    "sail": ("dbt-spark", "pyspark", "pysail"),
}
# What computes, reads the rules, or says what open time is.
PACKAGES = (
    "babel",
    "dbt-adapters",
    "dbt-common",
    "dbt-core",
    "dbt-duckdb",
    "duckdb",
    "great-expectations",
    "holidays",
    "jinja2",
    "numpy",
    "pandas",
    "pyarrow",
    "pytz",
    "pyyaml",
    "scipy",
    "tzdata",
)


@dataclass(frozen=True)
class Input:
    """One thing that a build is made from. `kind`: landed, rules, program, package or as_of; `digest` is the SHA-256 of
    its bytes, or a version. `reading` names how a landed file was read, `batch_id` the batch.
    """

    kind: str
    name: str
    digest: str
    reading: str | None = None
    batch_id: str | None = None


def fingerprint(
    batches: Sequence[Batch], rules: Rules, as_of: datetime | None, engine: str = "duckdb"
) -> str:
    """The name of the build that these batches and rules give in this installation: 16 hexadecimal digits.

    A build on another engine has a name of its own: that it gives the same figures is tested, not given.
    """
    named = describe_inputs(batches, rules, as_of) | describe_program()
    packages = ENGINE_PACKAGES[engine]
    return name_build(named | {"engine": {name: version(name) for name in packages}} if packages else named)


def describe_inputs(batches: Sequence[Batch], rules: Rules, as_of: datetime | None) -> dict[str, object]:
    """What a build is made from. A batch counts with its content, its reader and its settings.

    Not when it landed: the same exports give the same figures, and the same reports to the byte, on any day.
    """
    return {
        "batches": sorted(batch.file_stem for batch in batches),
        "rules": rules.fingerprint,
        "as_of": None if as_of is None else as_of.isoformat(),
    }


def list_inputs(
    workspace: Workspace, batches: Sequence[Batch], as_of: datetime | None, engine: str = "duckdb"
) -> list[Input]:
    """The parts of what names a build, one by one: every landed file, every rule file, the code, the packages."""
    from pipeline.rules.load_rules import hash_rules

    inputs = [
        Input("landed", batch.source_file or batch.file, batch.file_sha256, batch.file_stem, batch.batch_id)
        for batch in batches
    ]
    inputs += [Input("rules", name, digest) for name, digest in hash_rules(workspace).items()]
    inputs.append(Input("program", "code", hash_code(CHECKOUT)))
    inputs.append(Input("program", "python", platform.python_version()))
    inputs += [Input("package", name, version(name)) for name in (*PACKAGES, *ENGINE_PACKAGES[engine])]
    if as_of is not None:
        inputs.append(Input("as_of", "stated as_of", as_of.isoformat()))
    return inputs


def describe_program() -> dict[str, object]:
    """What a build is made by: the code that computes, the packages and the Python under it."""
    return {
        "code": hash_code(CHECKOUT),
        "packages": {name: version(name) for name in PACKAGES},
        "python": platform.python_version(),
    }


def name_build(described: Mapping[str, object]) -> str:
    """The name for what `describe_inputs` and `describe_program` say."""
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:16]


def hash_code(checkout: Path) -> str:
    """SHA-256 (hex) over the names and the bytes of the files that `CODE` lists."""
    digest = hashlib.sha256()
    for file in list_code(checkout):
        content = file.read_bytes()
        # The length keeps a byte from moving between two files unseen.
        digest.update(f"{file.relative_to(checkout).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def list_code(checkout: Path) -> list[Path]:
    """The files that `CODE` lists, sorted, without documents and without what dbt and Python generate."""
    files = (
        file
        for name in CODE
        for file in ([checkout / name] if (checkout / name).is_file() else (checkout / name).rglob("*"))
    )
    return sorted(
        file
        for file in files
        if file.suffix in _CODE_ENDINGS and not _GENERATED & set(file.relative_to(checkout).parts)
    )
