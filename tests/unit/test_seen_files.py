"""A file that has not changed is not read again; one that has, in any way that its disk tells, is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from unittest.mock import patch

import pytest

from pipeline import seen_files as module
from pipeline.seen_files import SeenFiles
from pipeline.whole_files import hash_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "export.csv"
    path.write_bytes(b"a,b\n1,2\n")
    age(path)
    return path


def age(path: Path, seconds: int = 60) -> None:
    """Let the file have changed so long ago; the time of the entry itself cannot be set, so the clock is moved."""
    now = path.stat().st_mtime_ns
    os.utime(path, ns=(now - seconds * 10**9, now - seconds * 10**9))


@pytest.fixture(autouse=True)
def _a_minute_later() -> object:
    clock = module.read_clock
    from datetime import timedelta

    with patch.object(module, "read_clock", lambda: clock() + timedelta(minutes=1)):
        yield


def count_readings(seen: SeenFiles, path: Path) -> int:
    with patch.object(module, "hash_file", side_effect=hash_file) as reading:
        assert seen.hash_file(path) == hash_file(path)
    return reading.call_count


def test_an_unchanged_file_is_read_once_and_by_the_next_process_not_at_all(
    file: Path, tmp_path: Path
) -> None:
    seen = SeenFiles(tmp_path / "seen.json")
    assert [count_readings(seen, file), count_readings(seen, file)] == [1, 0]
    seen.save()
    assert count_readings(SeenFiles(tmp_path / "seen.json"), file) == 0


def test_a_file_with_the_same_size_and_the_time_of_before_is_read_again(file: Path, tmp_path: Path) -> None:
    seen = SeenFiles(tmp_path / "seen.json")
    before = file.stat()
    assert count_readings(seen, file) == 1
    file.write_bytes(b"a,b\n1,3\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert count_readings(seen, file) == 1


def test_another_file_under_the_name_is_read_again(file: Path, tmp_path: Path) -> None:
    seen = SeenFiles(tmp_path / "seen.json")
    assert count_readings(seen, file) == 1
    other = tmp_path / "other.csv"
    other.write_bytes(file.read_bytes())
    other.replace(file)
    assert count_readings(seen, file) == 1


def test_what_was_read_within_two_seconds_of_a_change_is_not_kept(file: Path, tmp_path: Path) -> None:
    seen = SeenFiles(tmp_path / "seen.json")
    from datetime import UTC, datetime

    changed = max(file.stat().st_ctime_ns, file.stat().st_mtime_ns) / 1e9
    with patch.object(module, "read_clock", lambda: datetime.fromtimestamp(changed + 1.9, UTC)):
        assert [count_readings(seen, file), count_readings(seen, file)] == [1, 1]
    with patch.object(module, "read_clock", lambda: datetime.fromtimestamp(changed + 2.1, UTC)):
        assert [count_readings(seen, file), count_readings(seen, file)] == [1, 0]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"files": {"x": 1}}', b'{"files": {}, "record_sha256": "0"}', b"\xff"]
)
def test_a_damaged_record_is_worth_no_more_than_none(file: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "seen.json").write_bytes(content)
    assert count_readings(SeenFiles(tmp_path / "seen.json"), file) == 1


def test_files_that_are_gone_leave_the_record(file: Path, tmp_path: Path) -> None:
    seen = SeenFiles(tmp_path / "seen.json")
    seen.hash_file(file)
    file.unlink()
    seen.save()
    assert json.loads((tmp_path / "seen.json").read_bytes())["files"] == {}
