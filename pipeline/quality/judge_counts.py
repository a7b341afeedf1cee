"""Judges what was counted of a table with Great Expectations: one small frame a table, one suite for it.

The frame has one row. Of each expectation it holds the share of rows that keep it, and the suite expects of that share what the
expectation allows. A verdict depends on the frame and the suite alone, so each pair is judged once and its verdict kept in the
checkout: importing Great Expectations takes over two seconds, and the frame of a table that nothing breaks never changes.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from pipeline.settings import DBT_PROJECT
from pipeline.whole_files import seal, unseal, write_whole

# Beside what dbt keeps of a parse: generated, and made again when it is gone.
KEPT = DBT_PROJECT / "target" / "judged"
_KEPT_FILES = 500
# What can change a verdict on the same frame and suite.
_PACKAGES = ("great-expectations", "numpy", "pandas")
_RAISED_CLASS = re.compile(r"^(?:\w+\.)*(\w+(?:Error|Exception))(?=:|$)", re.MULTILINE)


@dataclass(frozen=True)
class Judged:
    """One expectation of a suite: the share of the rows that keep it, and the least share that it allows."""

    name: str  # unique in its table
    kept_share: float
    mostly: float
    severity: str
    notes: str


@dataclass(frozen=True)
class Verdict:
    """`error` names the classes of what was raised instead of an answer."""

    status: Literal["passed", "failed", "error"]
    error: str | None = None


def judge_counts(table: str, judged: Sequence[Judged], kept: Path = KEPT) -> list[Verdict]:
    """One verdict for each, in order. Whatever Great Expectations raises over a suite is raised here."""
    if not judged:
        return []
    file = kept / f"{_name(judged)}.json"
    found = _read_kept(file, judged)
    if found is not None:
        return found
    verdicts = _judge(table, judged)
    if all(verdict.error is None for verdict in verdicts):
        # Read only, or full: it is judged again next time.
        with suppress(OSError):
            write_whole(file, seal({"statuses": [verdict.status for verdict in verdicts]}))
            _remove_oldest(kept)
    return verdicts


def _remove_oldest(kept: Path) -> None:
    # Of a table that something breaks, most builds have another share.
    files = sorted(kept.glob("*.json"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for file in files[_KEPT_FILES:]:
        file.unlink(missing_ok=True)


def _name(judged: Sequence[Judged]) -> str:
    """A name for the frame, the suite and what judges them."""
    packages = {name: version(name) for name in _PACKAGES}
    pairs = [[one.name, one.kept_share, one.mostly, one.severity] for one in judged]
    return hashlib.sha256(json.dumps([packages, pairs], sort_keys=True).encode()).hexdigest()


def _read_kept(file: Path, judged: Sequence[Judged]) -> list[Verdict] | None:
    try:
        statuses = unseal(file.read_bytes(), needs_seal=True)["statuses"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if len(statuses) != len(judged) or not set(statuses) <= {"passed", "failed"}:
        return None
    return [Verdict(status) for status in statuses]


def _judge(table: str, judged: Sequence[Judged]) -> list[Verdict]:
    _import_great_expectations()
    import great_expectations
    import pandas
    from great_expectations import ExpectationSuite
    from great_expectations.expectations import ExpectColumnMinToBeBetween

    # Its context module logs every temporary folder it makes, at a level that it sets for itself.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
    context = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    suite = ExpectationSuite(
        name=table,
        expectations=[
            ExpectColumnMinToBeBetween(
                column=one.name, min_value=one.mostly, severity=one.severity, notes=one.notes
            )
            for one in judged
        ],
    )
    frame = pandas.DataFrame({one.name: [one.kept_share] for one in judged})
    asset = context.data_sources.add_pandas("counts").add_dataframe_asset(table)
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})
    results = batch.validate(suite, result_format="BASIC").results
    found = {result.expectation_config.kwargs["column"]: _read(result) for result in results}
    return [found.get(one.name, Verdict("error", "no answer")) for one in judged]


def _read(result: Any) -> Verdict:
    causes = _find_exceptions(result.exception_info or {})
    if causes:
        return Verdict("error", ", ".join(causes))
    return Verdict("passed" if result.success else "failed")


def _find_exceptions(exception_info: Mapping[str, Any]) -> list[str]:
    """Class names of what was raised: Great Expectations gives one record, or one per metric."""
    records = [exception_info] if "raised_exception" in exception_info else list(exception_info.values())
    tracebacks = [record["exception_traceback"] for record in records if record.get("raised_exception")]
    # The first class of a chain is the cause. Messages are left out: they may quote a value.
    chains = [_RAISED_CLASS.findall(traceback) for traceback in tracebacks]
    return sorted({chain[0] if chain else "unknown" for chain in chains})


def _import_great_expectations() -> None:
    # Read while it is imported.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    # It imports Spark where that is installed. Nothing here uses it, it takes seconds, and in a process whose main module has no
    # file it takes itself for a run of its doctests and ends the process with exit code 0. What of Spark is loaded already is
    # hidden too: its parts that are not loaded yet would be imported through it.
    loaded = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "pyspark"}
    for name in loaded:
        del sys.modules[name]
    sys.modules["pyspark"] = None  # type: ignore[assignment]
    try:
        import great_expectations.compatibility.pyspark
        import great_expectations.expectations  # noqa: F401
    finally:
        del sys.modules["pyspark"]
        sys.modules.update(loaded)
