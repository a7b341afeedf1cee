from __future__ import annotations

from pipeline.reporting.definitions import read_definitions


def test_every_published_table_is_defined_and_begins_with_its_grain() -> None:
    tables = {each.table: each for each in read_definitions()}
    assert {
        "marts.mart_manager__monthly_compliance",
        "core.fct_sla_obligations",
        "qc.rpt_qc__findings",
    } <= set(tables)
    assert [name for name, each in tables.items() if not each.description.startswith("One row")] == []


def test_definitions_hold_the_text_of_shared_blocks_and_no_template() -> None:
    columns = [column for table in read_definitions() for column in table.columns]
    assert [each.column for each in columns if "{{" in each.description or not each.description] == []
    month = next(each for each in columns if each.column == "month")
    assert month.description.startswith("YYYY-MM in the plan's time zone.")
