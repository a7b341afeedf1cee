"""The data checks of a build as one HTML page that needs nothing else: no script, no network, the same bytes every time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from pipeline.errors import ConfigurationError
from pipeline.reporting import figures
from pipeline.reporting.status import BuildStatus, Check
from pipeline.whole_files import write_whole

TEMPLATE = Path(__file__).resolve().parent / "templates" / "checks.html"
# What each suite guards, in the order of a build.
SUITES = {
    "landed": "What arrived",
    "dbt": "What was built from it",
    "published": "What is shown",
}
_STATUSES = {
    "passed": "passed",
    "failed": "FAILED: the data breaks it",
    "error": "ERROR: no answer, it could not be evaluated",
}


def write_checks(status: BuildStatus, path: Path) -> None:
    """Write the page. Raises ConfigurationError when the file cannot be written; then the former one is untouched."""
    try:
        write_whole(path, render_checks(status))
    except OSError as problem:
        raise ConfigurationError(
            f"{path} cannot be written: {problem.strerror or problem}. Name a file in a folder that exists and is yours."
        ) from problem


def render_checks(status: BuildStatus) -> bytes:
    """The page as UTF-8: a summary, what did not pass, then every check by suite and table. Everything is escaped."""
    # Every value is foreign text to the page, also the names that are ours.
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        status=status,
        as_of=figures.instant(status.as_of),
        newest_landed_at=figures.instant(status.newest_landed_at),
        counts=Counter(check.status for check in status.checks),
        status_names=_STATUSES,
        broken=sorted((one for one in status.checks if one.status != "passed"), key=_urgency),
        suites=[
            (
                title,
                [
                    (table or "Across tables", list(checks))
                    for table, checks in _by_table(status.checks, suite)
                ],
            )
            for suite, title in SUITES.items()
        ],
    )
    return page.encode("utf-8", "replace")


def _by_table(checks: Iterable[Check], suite: str) -> Iterable[tuple[str, Iterable[Check]]]:
    listed = sorted(
        (one for one in checks if one.suite == suite), key=lambda one: (one.table_name or "", one.check_name)
    )
    return groupby(listed, key=lambda one: one.table_name or "")


def _urgency(check: Check) -> tuple[bool, bool, str]:
    return check.severity != "critical", check.status != "error", check.check_name
