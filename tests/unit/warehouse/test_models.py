"""The unit tests that stand beside the models: what one model decides, from rows written out. No build is needed."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path

from pipeline.warehouse.run_dbt import run_dbt


def test_each_deciding_model_decides_as_its_unit_tests_say(tmp_path: Path) -> None:
    # The folders of a workspace, so that what is parsed of the project is not parsed again.
    (tmp_path / "building").mkdir()
    (tmp_path / "landed").mkdir()
    with chdir(tmp_path / "landed"):
        database = tmp_path / "building" / "build.duckdb"
        ran = run_dbt(database, tmp_path / "dbt", select="test_type:unit", leave_out=(), is_test_alone=True)
    assert {check.status for check in ran} == {"passed"}
    assert {check.table_name for check in ran} >= {
        "fct_ticket_open_spans",
        "int_entitlements__credits",
        "int_helpdesk__histories",
        "int_promises__pauses",
        "int_promises__turns",
        "int_ticket_timeline__moments",
        "stg_helpdesk__vendor_figures",
    }
