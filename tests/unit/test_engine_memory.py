"""What the engine may take: half of the machine or of its container, whichever is less, or what sla.yml says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipeline.engine_memory import MEMORY, engine_memory, fits_beside, limit_engine
from pipeline.warehouse.connection import open_database

GIB = 1 << 30


@pytest.fixture(autouse=True)
def _machine_with_24_gib(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("os.sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 24 * GIB // 4096}.__getitem__)
    yield
    limit_engine(None)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
    return path


@pytest.mark.parametrize(
    ("limit", "half"),
    [
        ("4294967296\n", 2 * GIB),
        # No limit, in the words of version 2 and of version 1.
        ("max\n", 12 * GIB),
        ("9223372036854771712\n", 12 * GIB),
        # Half of it would not hold a build.
        ("536870912\n", GIB // 2),
    ],
)
def test_the_engine_takes_half_of_what_the_container_may_take(tmp_path: Path, limit: str, half: int) -> None:
    write(tmp_path / "memory.max", limit)
    assert engine_memory(tmp_path, tmp_path / "missing") == half


@pytest.mark.parametrize(
    ("own", "file"),
    [
        # Version 2 names no controllers; version 1 has a folder for each.
        ("0::/system.slice/sla.service\n", "system.slice/sla.service/memory.max"),
        ("0::/system.slice/sla.service\n", "system.slice/memory.high"),
        ("4:memory:/jobs/sla\n3:cpu:/\n", "memory/jobs/sla/memory.limit_in_bytes"),
        ("4:cpu,memory:/jobs/sla\n", "memory/jobs/memory.limit_in_bytes"),
    ],
)
def test_the_group_of_the_process_and_those_around_it_limit_the_engine(
    tmp_path: Path, own: str, file: str
) -> None:
    write(tmp_path / "groups" / file, f"{4 * GIB}\n")
    assert engine_memory(tmp_path / "groups", write(tmp_path / "own", own)) == 2 * GIB


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("25 %", 6 * GIB),
        ("100%", 24 * GIB),
        ("3 GiB", 3 * GIB),
        ("1.5GiB", 3 * GIB // 2),
        ("2048 MiB", 2 * GIB),
        # More than there is, and less than a build needs.
        ("64 GiB", 24 * GIB),
        ("1 MiB", GIB // 2),
    ],
)
def test_a_share_or_an_amount_of_sla_yml_is_what_the_engine_takes(
    tmp_path: Path, said: str, taken: int
) -> None:
    assert re.search(MEMORY, said)
    limit_engine(said)
    assert engine_memory(tmp_path, tmp_path / "missing") == taken


@pytest.mark.parametrize("said", ["0 %", "101 %", "50", "4 GB", "GiB", "-1 GiB", "4 GiB or so"])
def test_what_says_no_amount_is_not_taken_for_one(said: str) -> None:
    assert not re.search(MEMORY, said)


def test_a_database_is_opened_with_a_limit_and_a_folder_of_its_own_for_what_does_not_fit(
    tmp_path: Path,
) -> None:
    limit_engine("3 GiB")
    with open_database(tmp_path / "build.duckdb") as connection:
        [(memory, folder)] = connection.execute(
            "select current_setting('memory_limit'), current_setting('temp_directory')"
        ).fetchall()
    assert memory == "3.0 GiB"
    assert Path(folder) == tmp_path / "spill"


def test_a_query_may_hold_a_quarter_of_the_engines_memory_before_it_spills(tmp_path: Path) -> None:
    limit_engine("2 GiB")
    with open_database(tmp_path / "build.duckdb") as connection:
        limits = connection.execute(
            "select current_setting('memory_limit'), current_setting('operator_memory_limit')"
        ).fetchall()
    assert limits == [("2.0 GiB", "512.0 MiB")]


@pytest.mark.parametrize(("memory", "threads"), [("512 MiB", 1), ("1 GiB", 1), ("2047 MiB", 1), ("2 GiB", 2)])
def test_an_engine_takes_a_thread_a_gib_and_not_more_than_there_are_processors(
    tmp_path: Path, memory: str, threads: int
) -> None:
    limit_engine(memory)
    with duckdb.connect() as connection:
        [(processors,)] = connection.execute("select current_setting('threads')").fetchall()
    with open_database(tmp_path / "build.duckdb") as connection:
        found = connection.execute("select current_setting('threads')").fetchall()
    assert found == [(min(threads, processors),)]


@pytest.mark.parametrize(("landed_rows", "fits"), [(GIB // 1024, True), (GIB // 1024 + 1, False)])
def test_models_are_built_one_at_a_time_where_a_kilobyte_a_landed_row_is_more_than_the_engine_has(
    landed_rows: int, fits: bool
) -> None:
    limit_engine("1 GiB")
    assert fits_beside(landed_rows) is fits
