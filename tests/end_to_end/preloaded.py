"""What the process that every command of the tests is forked from has imported: half of a small build is imports.

Great Expectations reads its telemetry switch while it is imported, so the switch stands in front, as the checks set it.
"""

# ruff: noqa: E402, F401

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["GX_ANALYTICS_ENABLED"] = "false"
# pyspark, which Great Expectations imports where it is installed, ends a process whose main module has no file.
if not hasattr(sys.modules["__main__"], "__file__"):
    sys.modules["__main__"].__file__ = str(Path(__file__).with_name("__init__.py"))

import dbt.adapters.duckdb
import dbt.cli.main
import duckdb
import great_expectations
import pandas
import pyarrow.parquet

import expectations.landed
import expectations.published
import pipeline.cli
import pipeline.delivery.run
import pipeline.ingest.landing.land
import pipeline.ingest.landing.preview
import pipeline.reporting.plan_trials
import pipeline.reporting.render_report
import pipeline.warehouse.build
import tests.end_to_end.command_line
