"""What a build on Spark says where a part of it is missing; tests/end_to_end/test_spark_build.py shows what it does with all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.engine_memory import limit_engine
from pipeline.errors import ConfigurationError
from pipeline.rules.engine_file import EngineRules
from pipeline.settings import Workspace, find_java
from pipeline.warehouse import spark as on_spark


def open_it(tmp_path: Path, **rules: Any) -> None:
    database = tmp_path / "building" / "build.duckdb"
    with on_spark.open_spark(Workspace(tmp_path), EngineRules(**rules), database, "0" * 16, []):
        raise AssertionError("a session was opened")


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The parts that can be found."""
    found = set(on_spark._NEEDED)
    monkeypatch.setattr(
        on_spark.importlib.util, "find_spec", lambda part: object() if part in found else None
    )
    return found


@pytest.mark.parametrize("part", on_spark._NEEDED)
def test_missing_part_is_told_in_a_sentence_with_the_way_out(
    parts: set[str], part: str, tmp_path: Path
) -> None:
    parts.remove(part)
    with pytest.raises(ConfigurationError) as told:
        open_it(tmp_path)
    assert str(told.value) == (
        "A build on Spark needs the extra `spark`, which is not installed: run `make extras`, or build with --engine duckdb."
    )


def test_missing_java_is_told_in_a_sentence_with_the_ways_out(
    parts: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        ConfigurationError,
        match=r"needs Java 17, and there is none.*openjdk-17-jre-headless.*--engine duckdb",
    ):
        open_it(tmp_path)
    # A Java that JAVA_HOME names counts, wherever the path leads.
    java = tmp_path / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.touch(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "java"))
    assert find_java() == str(java)


def test_storage_that_is_no_folder_is_told_before_a_java_is_started(parts: set[str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        ConfigurationError,
        match=r"needs a folder that this machine and Spark can write.*`storage` under `engine`",
    ):
        open_it(tmp_path, storage=str(tmp_path / "file"), remote="sc://127.0.0.1:15002")


def test_errors_of_a_process_that_is_started_go_to_its_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "dbt" / "spark.log"
    with on_spark._write_errors_to(log):
        subprocess.run([sys.executable, "-c", "import sys; print('WARN', file=sys.stderr)"], check=True)
    os.write(2, b"after\n")
    assert log.read_text(encoding="utf-8") == "WARN\n"
    assert capfd.readouterr().err == "after\n"


@pytest.mark.parametrize("place", [{"remote": "sc://127.0.0.1:15002"}, {"master": "local[2]"}])
def test_settings_that_figures_rest_on_cannot_be_said_in_sla_yml(
    place: dict[str, str], tmp_path: Path
) -> None:
    said = {
        "spark.sql.session.timeZone": "Europe/Berlin",
        "spark.executor.memory": "8g",
        "spark.driver.memory": "1g",
    }
    settings = on_spark.gather_settings(EngineRules(settings=said, **place), tmp_path)
    assert settings["spark.sql.session.timeZone"] == "UTC"
    assert settings["spark.executor.memory"] == "8g"
    assert settings["spark.driver.memory"] == "1g"


def test_driver_beside_this_process_takes_the_memory_of_the_engine(tmp_path: Path) -> None:
    limit_engine("1 GiB")
    try:
        settings = on_spark.gather_settings(EngineRules(master="local[2]"), tmp_path)
    finally:
        limit_engine(None)
    assert settings["spark.driver.memory"] == "1024m"
    assert settings["spark.driver.bindAddress"] == "127.0.0.1"
