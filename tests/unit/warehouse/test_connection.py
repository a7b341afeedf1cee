"""Connections reach for nothing outside, and names cannot leave their quotes."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipeline.warehouse.connection import HARDENING, open_database, quote


def test_database_is_opened_without_automatic_extensions(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "build.duckdb")
    for setting in HARDENING:
        assert connection.execute("select current_setting(?)", [setting]).fetchall() == [(False,)]
    connection.close()


def test_database_reads_no_zone_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Apia")
    connection = open_database(tmp_path / "build.duckdb")
    assert connection.execute("select current_setting('TimeZone')").fetchall() == [("UTC",)]
    connection.close()


@pytest.mark.parametrize("name", ["plain", 'it "is" quoted', "'; drop schema core; --", "Größe"])
def test_quoted_name_is_one_name(name: str) -> None:
    connection = duckdb.connect()
    connection.execute(f"create table {quote(name)} (a integer)")
    assert connection.execute("select table_name from duckdb_tables()").fetchall() == [(name,)]
