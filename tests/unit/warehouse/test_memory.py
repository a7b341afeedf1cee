"""What a build's engine may take: half of the machine or of its container, whichever is less."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.warehouse.connection import open_database
from pipeline.warehouse.memory import engine_memory

GIB = 1 << 30


@pytest.fixture(autouse=True)
def _machine_with_24_gib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 24 * GIB // 4096}.__getitem__)


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
    (tmp_path / "memory.max").write_text(limit, encoding="ascii")
    assert engine_memory([tmp_path / "memory.max", tmp_path / "missing"]) == half


def test_a_database_is_opened_with_a_limit_and_a_folder_of_its_own_for_what_does_not_fit(
    tmp_path: Path,
) -> None:
    with open_database(tmp_path / "build.duckdb") as connection:
        [(memory, folder)] = connection.execute(
            "select current_setting('memory_limit'), current_setting('temp_directory')"
        ).fetchall()
    assert memory.endswith("GiB")
    assert Path(folder) == tmp_path / "spill"
