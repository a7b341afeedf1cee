"""Run one model, with all that is made from it, on the stories' workspace, and then the stories.

    python -m tests.scenarios int_promises__verdicts [--stories WORDS]

Without a model, those run whose SQL has changed since the last time. WORDS choose stories, as `-k` of pytest does. The first
run builds all stories, in about a minute, and so does one after a change of anything but models.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.errors import ChecksFailed
from tests.scenarios.kept import KEPT_BUILDS, run_models


class _Kept:
    """Tells the stories where their builds are."""

    def __init__(self, databases: Mapping[str, Path]) -> None:
        self._databases = databases

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[KEPT_BUILDS] = self._databases


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.scenarios", description="Run models and stories.")
    parser.add_argument("model", nargs="*", help="the name of a model, such as int_promises__verdicts")
    parser.add_argument("--stories", metavar="WORDS", help="only these stories, as -k of pytest chooses them")
    options = parser.parse_args()
    try:
        databases, models = run_models(options.model)
    except ChecksFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    print(
        "ran with all that is made from them:", ", ".join(models) or "nothing, all of it is new or unchanged"
    )
    chosen = ["-k", options.stories] if options.stories else []
    arguments = ["-q", "-p", "no:cacheprovider", str(Path(__file__).with_name("test_scenarios.py")), *chosen]
    return int(pytest.main(arguments, plugins=[_Kept(databases)]))


if __name__ == "__main__":
    sys.exit(main())
