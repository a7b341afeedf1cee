"""A run that is disturbed anywhere leaves a whole version, and the next plain run ends where an undisturbed one does.

Its last test prints how many disturbances of each kind came to which end. Marked `long`: 300 in all.
"""

from __future__ import annotations

import random
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.pointer import read_pointer
from pipeline.settings import Workspace
from tests.end_to_end.survival import (
    BROKEN,
    CALLS,
    FULL,
    QUOTA,
    READ_ONLY,
    Disturbance,
    Survival,
    flip,
    prepare_base,
    read_served,
    spread,
)
from tests.end_to_end.test_state_version import RELEASED

FEW = 1
# At least so many in all are tried by the tests that are marked long.
DISTURBANCES = 300


@pytest.fixture(scope="module")
def survival(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Survival]:
    scratch = tmp_path_factory.mktemp("survival")
    with tarfile.open(RELEASED) as archive:
        archive.extractall(scratch / "released", filter="data")
    suite = Survival(prepare_base(scratch / "released", scratch / "base"), scratch)
    yield suite


def long(*values: object) -> object:
    """A case that `make test` leaves out."""
    return pytest.param(*values, marks=pytest.mark.long)


def name_cases(names: Iterable[str], *quick: str) -> list[object]:
    """Each name as a case; all but the quick ones are long."""
    return [name if name in quick else long(name) for name in names]


@pytest.mark.parametrize("count", [FEW, long(60)])
@pytest.mark.parametrize("call", CALLS)
def test_run_killed_after_a_call_that_changes_the_disk_is_finished_by_the_next(
    survival: Survival, call: str, count: int
) -> None:
    for at in spread(survival.calls[call], count, random.Random(call)):
        survival.disturb(Disturbance(f"kill -9 after {call}", "kill", at, (call,)))


@pytest.mark.parametrize("count", [1, long(30)])
def test_run_that_is_terminated_is_finished_by_the_next(survival: Survival, count: int) -> None:
    for at in spread(sum(survival.calls.values()), count, random.Random(15)):
        survival.disturb(Disturbance("SIGTERM", "terminate", at))


@pytest.mark.parametrize("count", [1, long(20)])
@pytest.mark.parametrize(
    ("kind", "error"),
    [("disk full", FULL), long("disk broken", BROKEN), long("read-only", READ_ONLY), long("quota", QUOTA)],
)
def test_run_that_the_disk_refuses_says_so_and_is_finished_by_the_next(
    survival: Survival, kind: str, error: int, count: int
) -> None:
    for at in spread(survival.calls["fsync"] + survival.calls["replace"], count, random.Random(error)):
        survival.disturb(Disturbance(kind, error, at, ("fsync", "replace")))


VANISHED = {
    "kept": "warehouse/kept",
    "dbt": "warehouse/dbt",
    "seen": "warehouse/seen.json",
    "mark": "warehouse/state.json",
    "lock": "warehouse/lock",
    "runs": "warehouse/runs",
    "exports": "warehouse/exports",
    "reports": "reports/2026-02",
    "compared": "warehouse/closed/compared.json",
    "customers": "warehouse/closed/customers",
}


@pytest.mark.parametrize("name", name_cases(VANISHED, "kept"))
def test_folder_that_vanished_and_can_be_made_again_is_made_again(survival: Survival, name: str) -> None:
    root = survival.copy()
    path = root / VANISHED[name]
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    survival.finish(root, "vanished folder or file", "unharmed")


REPLACED = {
    "kept": "kept",
    "runs": "runs",
    "building": "building",
    "published": "published",
    "landed": "landed",
    "closed": "closed",
}


@pytest.mark.parametrize("name", name_cases(REPLACED, "runs"))
def test_file_in_the_place_of_a_folder_is_named_or_does_no_harm(survival: Survival, name: str) -> None:
    root = survival.copy()
    path = root / "warehouse" / REPLACED[name]
    aside = root / "aside"
    if path.exists():
        path.rename(aside)
    path.write_text("a file", encoding="utf-8")
    finished = survival.run(root)
    assert finished.code in (0, 1, 2), finished.err
    assert "This is a fault of the program" not in finished.err, finished.err
    # Once it is a folder again, all is as it was.
    if path.is_file():
        assert finished.code == 0 or str(path) in finished.err or REPLACED[name] in finished.err, finished.err
        path.unlink()
        if aside.exists():
            aside.rename(path)
    survival.finish(root, "file in the place of a folder", "told" if finished.code else "unharmed")


FLIPPED = {
    "pointer": ("published/current.json", True),
    "manifest": ("landed/manifest/*.json", True),
    "batch": ("landed/*/*.parquet", True),
    "seen": ("seen.json", True),
    "state": ("state.json", True),
    "run record": ("runs/*.json", True),
    "delivery ledger": ("deliveries/ledger.ndjson", False),
    "count of deliveries": ("deliveries.json", False),
    "closed month": ("closed/000001.json", False),
    "count of closed months": ("closed.json", False),
}


@pytest.mark.parametrize("count", [1, long(5)])
@pytest.mark.parametrize("name", name_cases(FLIPPED, "pointer", "delivery ledger"))
def test_flipped_bit_is_repaired_from_the_export_or_named(survival: Survival, name: str, count: int) -> None:
    pattern, is_repaired = FLIPPED[name]
    chance = random.Random(name)
    for _ in range(count):
        root = survival.copy()
        path = chance.choice(sorted((root / "warehouse").glob(pattern)))
        flip(path, chance)
        if is_repaired:
            survival.finish(root, f"bit flipped: {name}", "unharmed")
        else:
            survival.tell(f"bit flipped: {name}", root, (path.name, "damaged", "newer program"))


@pytest.mark.parametrize("count", [1, long(5)])
def test_flipped_bit_of_the_served_database_on_which_a_month_rests_is_named(
    survival: Survival, count: int
) -> None:
    chance = random.Random("database")
    for _ in range(count):
        root = survival.copy()
        pointer = read_pointer(Workspace(root))
        assert pointer is not None
        flip(root / "warehouse/published" / pointer.file, chance)
        finished = survival.run(root)
        # A month that is closed rests on other bytes: nothing is built over them in silence.
        assert finished.code in (0, 2) and "Traceback" not in finished.err
        assert finished.code == 0 or pointer.file in finished.err, finished.err
        survival.outcomes.add("bit flipped: database", "told" if finished.code else "unharmed")
        shutil.rmtree(root)


@pytest.mark.parametrize("epoch", name_cases(("0", "1000000000", "4000000000"), "1000000000"))
def test_clock_that_jumps_changes_no_row_and_closes_nothing_twice(survival: Survival, epoch: str) -> None:
    root = survival.copy()
    finished = survival.run(root, SOURCE_DATE_EPOCH=epoch)
    assert finished.code in (0, 3), finished.err
    served = "new version" if read_served(root) == survival.whole.build_id else "old version"
    # What is issued meanwhile says so with the day that the clock showed.
    survival.finish(root, "clock jump", served, is_dated_otherwise=served == "new version")


@pytest.mark.parametrize("runs", [2, pytest.param(8, marks=pytest.mark.long)])
def test_runs_at_once_end_with_one_that_worked_and_others_that_were_told(
    survival: Survival, runs: int
) -> None:
    root = survival.copy()
    with ThreadPoolExecutor(runs) as pool:
        # Each has a place of its own for what it says.
        ended = list(pool.map(lambda number: survival.run(root, place=f"{number}"), range(runs)))
    assert {finished.code for finished in ended} <= {0, 6}
    assert any(finished.code == 0 for finished in ended)
    assert all("Another run is writing" in finished.err for finished in ended if finished.code == 6)
    survival.finish(root, f"{runs} runs at once", "new version")


@pytest.mark.long
def test_as_many_disturbances_as_promised_were_tried(
    survival: Survival, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print("\n" + "\n".join(survival.outcomes.describe()))
    assert survival.outcomes.total >= DISTURBANCES
