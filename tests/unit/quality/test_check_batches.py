"""The checks of landed rows by what was counted of each batch when it landed."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

import expectations.count_batch as count_batch_module
from expectations.count_batch import count_batch, has_counts
from expectations.count_rows import count_rows
from expectations.landed import build_landed
from pipeline.engine_memory import limit_engine
from pipeline.ingest.tables import LANDED_TABLES
from pipeline.quality.check_tables import CheckResult, check_landed
from tests.unit.quality.small_tables import make_landed


def land(connection: duckdb.DuckDBPyConnection, landed: Path, stem: str, source: str = "helpdesk") -> Any:
    """A batch with all rows that lie in the schema raw, counted as a landing does it and read back from its manifest."""
    tables = {}
    for table in LANDED_TABLES:
        (landed / table).mkdir(parents=True, exist_ok=True)
        file = landed / table / f"{stem}.parquet"
        connection.sql(f"select * from raw.{table}").write_parquet(str(file))
        [(tables[table],)] = connection.execute(f"select count(*) from raw.{table}").fetchall()
    checks = json.loads(json.dumps(count_batch(landed, tables, stem)))
    return SimpleNamespace(
        file=f"inbox/{source}/{stem}.csv", source_file=None, source=source, tables=tables, checks=checks
    )


def find(results: list[CheckResult], table: str, expectation: str, column: str) -> list[CheckResult]:
    return [
        each
        for each in results
        if (each.table, each.expectation, each.column) == (table, expectation, column)
    ]


def test_a_batch_is_counted_as_its_rows_are_and_leaves_nothing_behind(tmp_path):
    with make_landed() as connection:
        batch = land(connection, tmp_path, "ab")
        for table in build_landed():
            if not table.needs_all_batches:
                counted = count_rows(connection, table)
                kept = batch.checks[table.suite_name]
                assert kept["rows"] == counted.rows
                assert {name: one["broken"] for name, one in kept["counts"].items()} == {
                    name: one.broken for name, one in counted.counts.items()
                }
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(LANDED_TABLES)


def test_a_batch_is_counted_within_the_memory_that_is_set(tmp_path, monkeypatch):
    asked, count = [], count_batch_module.count_rows

    def note_memory(connection, table):
        asked.append(connection.execute("select current_setting('memory_limit')").fetchone())
        return count(connection, table)

    monkeypatch.setattr(count_batch_module, "count_rows", note_memory)
    limit_engine("600 MiB")
    try:
        with make_landed() as connection:
            land(connection, tmp_path, "ab")
    finally:
        limit_engine(None)
    assert set(asked) == {("600.0 MiB",)}


def test_counts_of_batches_are_added_up_and_name_the_lines_of_each(tmp_path):
    with make_landed() as connection:
        clean = land(connection, tmp_path, "aa")
        connection.execute("update raw.ticket_messages set said_at = null where message_id = 'E-1'")
        broken = [land(connection, tmp_path, "bb"), land(connection, tmp_path, "cc")]
        [(line,)] = connection.execute(
            "select line_number from raw.ticket_messages where message_id = 'E-1'"
        ).fetchall()
        results = check_landed(connection, [clean, *broken])
    [result] = find(results, "raw.ticket_messages", "column_values_to_not_be_null", "said_at")
    rows = 3 * clean.tables["ticket_messages"]
    assert (result.status, result.severity) == ("failed", "critical")
    assert result.observed == (
        f"2 of {rows} rows break it, such as inbox/helpdesk/bb.csv line {line}; inbox/helpdesk/cc.csv line {line}"
    )


def test_a_threshold_is_of_all_batches_and_not_of_each(tmp_path):
    with make_landed() as connection:
        connection.execute("delete from raw.ticket_versions where ticket_id <> 'T-1'")
        connection.execute("update raw.ticket_versions set submitted_at = timestamp '1970-01-01'")
        odd = land(connection, tmp_path, "aa")
        connection.execute("update raw.ticket_versions set submitted_at = timestamp '2026-06-01'")
        connection.execute(
            "insert into raw.ticket_versions select versions.* replace (100 + number as line_number)"
            " from raw.ticket_versions as versions, range(98) as numbers (number)"
        )
        good = land(connection, tmp_path, "bb")
        assert good.tables["ticket_versions"] == 99
        found = find(
            check_landed(connection, [odd, good]),
            "raw.ticket_versions",
            "column_values_to_be_between",
            "submitted_at",
        )
    assert {each.severity: each.status for each in found} == {"critical": "passed", "warning": "failed"}


def test_what_is_of_some_sources_alone_is_counted_in_their_batches_alone(tmp_path):
    organization = ("raw.ticket_versions (organizations)", "column_values_to_not_be_null", "organization_id")
    with make_landed() as connection:
        [(source,)] = connection.execute(
            "select source from raw.sources where customer_field like 'organization%'"
        ).fetchall()
        connection.execute("update raw.ticket_versions set organization_id = null, customer_id = null")
        batches = [land(connection, tmp_path, "aa", source), land(connection, tmp_path, "bb", "another")]
        [result] = find(check_landed(connection, batches), *organization)
        assert result.status == "failed"
        assert result.observed.startswith("{0} of {0} rows".format(batches[0].tables["ticket_versions"]))
        assert find(check_landed(connection, batches[1:]), *organization) == []


def test_a_batch_that_was_not_counted_does_not_pass(tmp_path):
    with make_landed() as connection:
        batch = land(connection, tmp_path, "aa")
        for checks in (None, {}, batch.checks | {"raw.people": {"rows": 1, "counts": {}}}):
            assert not has_counts(checks, batch.tables)
            uncounted = SimpleNamespace(**vars(batch) | {"checks": checks})
            with pytest.raises(ValueError, match="were not counted"):
                check_landed(connection, [uncounted])
