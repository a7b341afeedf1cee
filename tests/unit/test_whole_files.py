"""Files that are whole or not there, and records in which every changed bit is seen."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.whole_files import hash_file, remove_leftovers, seal, unseal, write_whole

RECORD = {"build_id": "b1", "rows": 3, "settings": {"null_markers": ["", "é"]}, "reader": None}


def test_a_file_keeps_the_old_content_when_the_new_one_cannot_be_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "current.json"
    write_whole(path, b"old")

    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space left") as failed:
        write_whole(path, b"new")
    assert (failed.value.errno, failed.value.filename) == (errno.ENOSPC, str(path))
    assert [file.name for file in tmp_path.iterdir()] == ["current.json"]
    assert path.read_bytes() == b"old"


def test_a_sealed_record_comes_back_as_it_was() -> None:
    assert unseal(seal(RECORD)) == RECORD


def test_every_changed_bit_of_a_sealed_record_is_seen() -> None:
    sealed = seal(RECORD)
    for place in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[place // 8] ^= 1 << place % 8
        try:
            record = unseal(bytes(changed))
        except ValueError:
            continue
        # A changed name of the digest is a field that no record has: who reads a batch or a pointer refuses it.
        assert record == RECORD or set(record) - set(RECORD)


def test_a_record_without_a_digest_is_of_an_older_version_and_taken_as_it_is() -> None:
    assert unseal(b'{"build_id": "b1"}') == {"build_id": "b1"}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b"7", b'{"build_id": "b1", "record_sha256": "0"}']
)
def test_what_is_no_sealed_record_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        unseal(content)


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    # The published test vector of SHA-256 for these three letters.
    assert hash_file(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_leftover_of_a_process_that_has_gone_is_removed_and_one_at_work_is_left(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    names = (
        f".a.json.{gone.pid}.tmp",
        f".b.json.{os.getpid()}.tmp",
        ".c.json.tmp",
        ".d.json.99999999999999999999.tmp",
        "e.tmp",
    )
    for name in names:
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])
