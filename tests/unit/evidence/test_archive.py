"""The archive: the same rows give the same bytes, and any other byte is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import InputRejected
from pipeline.evidence.archive import pack, parse_rows, unpack

ROWS = [{"ticket_id": "T-1", "subject": 'Ünïcode "quoted"\r\nsecond line', "elapsed_seconds": 7200}]
ABOUT = {"customer_id": "acme", "month": "2026-07"}


def packed(folder: Path, content: bytes | None = None) -> Path:
    path = folder / "evidence.zip"
    path.write_bytes(
        pack({"obligations": ROWS}, {"figures.json": b"{}"}, ABOUT) if content is None else content
    )
    return path


def test_rows_come_out_as_they_went_in(tmp_path: Path) -> None:
    manifest, members = unpack(packed(tmp_path))
    assert parse_rows(members, "obligations") == ROWS
    assert (manifest["customer_id"], sorted(members)) == ("acme", ["figures.json", "obligations.jsonl"])


def test_the_same_rows_give_the_same_bytes() -> None:
    assert pack({"a": ROWS, "b": []}, {}, ABOUT) == pack({"b": [], "a": ROWS}, {}, ABOUT)


def test_every_single_flipped_byte_is_found(tmp_path: Path) -> None:
    whole = packed(tmp_path).read_bytes()
    for at in range(len(whole)):
        flipped = bytes([*whole[:at], whole[at] ^ 0x20, *whole[at + 1 :]])
        with pytest.raises(InputRejected):
            unpack(packed(tmp_path, flipped))


def test_a_flipped_byte_within_the_rows_names_their_file(tmp_path: Path) -> None:
    whole = packed(tmp_path).read_bytes()
    with pytest.raises(InputRejected, match=r"^obligations\.jsonl in "):
        unpack(packed(tmp_path, whole.replace(b"7200", b"7201")))


@pytest.mark.parametrize("kept", [0, 1, 40, -1])
def test_a_cut_archive_is_refused(tmp_path: Path, kept: int) -> None:
    with pytest.raises(InputRejected):
        unpack(packed(tmp_path, packed(tmp_path).read_bytes()[:kept]))
