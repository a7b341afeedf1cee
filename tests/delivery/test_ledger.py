"""The ledger of deliveries: its lines are only added, a torn one never was a line, and a damaged one stops delivery."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.delivery import ledger as ledger_module
from pipeline.delivery.ledger import Entry, Key, Ledger, list_open_outcomes
from pipeline.errors import ConfigurationError
from pipeline.reporting.edition import rank_edition
from pipeline.settings import Workspace

KEY = Key("acme", "2026-07", "report", "R-2026-07-1", "smtp")
PREPARED = Entry(
    KEY,
    "prepared",
    1,
    "2026-08-03T12:00:00Z",
    "<m@v.example>",
    "0" * 64,
    ("a@acme.example",),
    "to",
    {},
    {},
    "",
)


def write(root: Path, *states: str) -> Ledger:
    ledger = Ledger(Workspace(root))
    for state in states:
        ledger.add([replace(PREPARED, state=state)])  # type: ignore[arg-type]
    return ledger


def test_newest_line_of_a_key_is_what_is_known_of_it(tmp_path: Path) -> None:
    write(tmp_path, "prepared", "sending", "sent")
    read = Ledger(Workspace(tmp_path))
    assert read.find(KEY) == replace(PREPARED, state="sent")
    assert read.find(KEY._replace(edition="R-2026-07-1-C1")) is None
    assert read.list_newest("prepared", "sending") == []


def test_killed_run_leaves_an_unknown_outcome_unless_the_channel_proves_it(tmp_path: Path) -> None:
    at = datetime(2026, 8, 4, tzinfo=UTC)
    ledger = write(tmp_path / "one", "prepared", "sending")
    ledger.close_killed(at, lambda entry: False)
    found = Ledger(Workspace(tmp_path / "one")).find(KEY)
    assert found is not None and (found.state, found.at) == ("unknown", "2026-08-04T00:00:00Z")
    proven = write(tmp_path / "two", "prepared", "sending")
    proven.close_killed(at, lambda entry: True)
    found = Ledger(Workspace(tmp_path / "two")).find(KEY)
    assert found is not None and found.state == "sent"


@pytest.mark.parametrize("cut", [1, 20, 300])
def test_torn_last_line_never_was_one_and_is_cut_off_by_the_next(tmp_path: Path, cut: int) -> None:
    path = write(tmp_path, "prepared").path
    count = Workspace(tmp_path).warehouse / "deliveries.json"
    counted = count.read_bytes()
    write(tmp_path, "sending")
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    # A line is counted once it is on the disk whole.
    count.write_bytes(counted)
    torn = Ledger(Workspace(tmp_path))
    found = torn.find(KEY)
    assert found is not None and found.state == "prepared"
    torn.add([replace(PREPARED, state="sending")])
    assert path.read_bytes() == whole


def change(path: Path, damage: str) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    if damage == "state":
        lines[2] = lines[2].replace(b'"sent"', b'"prepared"')
    elif damage == "recipient":
        lines[0] = lines[0].replace(b"a@acme", b"b@acme")
    elif damage == "missing":
        del lines[1]
    elif damage == "swapped":
        lines[0], lines[1] = lines[1], lines[0]
    elif damage == "unsealed":
        record = json.loads(lines[2])
        del record["record_sha256"]
        lines[2] = json.dumps(record | {"state": "prepared"}).encode() + b"\n"
    else:
        lines[1] = b"\0" * 80 + b"\n"
    path.write_bytes(b"".join(lines))


@pytest.mark.parametrize("damage", ["state", "recipient", "missing", "swapped", "unsealed", "zeros"])
def test_damaged_ledger_is_refused_because_nothing_is_known_then(tmp_path: Path, damage: str) -> None:
    path = write(tmp_path, "prepared", "sending", "sent").path
    change(path, damage)
    with pytest.raises(ConfigurationError, match="is damaged: .* nothing is delivered"):
        Ledger(Workspace(tmp_path))


@pytest.mark.parametrize("left", [0, 1, 2])
def test_older_copy_of_the_ledger_is_refused_because_it_would_repeat_deliveries(
    tmp_path: Path, left: int
) -> None:
    ledger = write(tmp_path, "prepared", "sending", "sent")
    lines = ledger.path.read_bytes().splitlines(keepends=True)
    ledger.path.write_bytes(b"".join(lines[:left]))
    with pytest.raises(ConfigurationError, match=f"line {left + 1}, is damaged: it is missing"):
        Ledger(Workspace(tmp_path))
    shutil.rmtree(ledger.path.parent)
    with pytest.raises(ConfigurationError, match="line 1, is damaged: it is missing"):
        Ledger(Workspace(tmp_path))


def test_other_ledger_of_the_same_length_is_refused(tmp_path: Path) -> None:
    own, other = write(tmp_path / "own", "prepared"), write(tmp_path / "other", "sent")
    own.path.write_bytes(other.path.read_bytes())
    with pytest.raises(ConfigurationError, match="line 1, is damaged: it is not the line that was added"):
        Ledger(Workspace(tmp_path / "own"))


def test_run_that_is_killed_behind_a_line_leaves_a_whole_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "prepared")

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(ledger_module, "write_whole", die)
        with pytest.raises(Killed):
            write(tmp_path, "sending")
    found = Ledger(Workspace(tmp_path)).find(KEY)
    assert found is not None and found.state == "sending"
    write(tmp_path, "sent")
    found = Ledger(Workspace(tmp_path)).find(KEY)
    assert found is not None and found.state == "sent"


def test_every_flipped_bit_of_a_line_is_seen(tmp_path: Path) -> None:
    path = write(tmp_path, "sent").path
    whole = path.read_bytes()
    unseen = []
    for place in range(len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            if Ledger(Workspace(tmp_path)).find(KEY) is not None:
                unseen.append(place)
        except ConfigurationError:
            pass
    assert unseen == []


def test_outcome_of_an_edition_is_settled_by_a_later_one_that_arrived(tmp_path: Path) -> None:
    ledger = write(tmp_path, "prepared", "sending", "unknown")
    other = replace(PREPARED, key=KEY._replace(customer_id="other"), state="refused")
    ledger.add([other])
    assert len(list_open_outcomes(Workspace(tmp_path))) == 2
    ledger.add([replace(PREPARED, key=KEY._replace(edition="R-2026-07-1-C1"), state="sent")])
    assert list_open_outcomes(Workspace(tmp_path)) == [other]


def test_editions_are_ranked_by_closing_and_then_by_correction() -> None:
    numbers = ["R-2026-07-0123456789" + end for end in ("", "-C1", "-C2", "-C10", "-V2", "-V2-C1", "-V10")]
    turned = list(reversed(numbers))
    assert sorted(turned, key=rank_edition) == numbers
