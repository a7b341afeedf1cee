"""Single bits change in what a workspace keeps: no figure ever differs, and what happened is told as what it is.

Whether a changed bit is found needs no build, so all of them are tried on the verification; whole runs follow for a sample.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.ingest.landing.manifest import LandedDamaged, list_batches, read_batches
from pipeline.settings import Workspace
from tests.end_to_end.command_line import Finished, run_sla
from tests.end_to_end.published import dump_tables, read_pointer
from tests.end_to_end.small_vendor import drop_tickets, init_vendor

pytestmark = pytest.mark.long

FLIPS_IN_LANDED = 120
FLIPS_IN_PUBLISHED = 32
FLIPS_IN_MANIFEST = 12
FLIPS_IN_POINTER = 12
FIGURES = ("core", "marts", "qc")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = init_vendor(tmp_path_factory.mktemp("damaged") / "vendor")
    drop_tickets(root)
    run_sla("run", workspace=root).expect(0)
    return root


@pytest.fixture
def vendor(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "vendor")


def choose_bits(files: list[Path], count: int) -> Iterator[tuple[Path, int]]:
    """Bits of these files, the same in every run of the test."""
    chance = random.Random(20261129)
    for _ in range(count):
        file = chance.choice(sorted(files))
        yield file, chance.randrange(8 * file.stat().st_size)


def flip(file: Path, bit: int) -> None:
    with file.open("r+b") as stream:
        stream.seek(bit // 8)
        [value] = stream.read(1)
        stream.seek(bit // 8)
        stream.write(bytes([value ^ 1 << bit % 8]))


@contextmanager
def flipped(file: Path, bit: int) -> Iterator[None]:
    flip(file, bit)
    try:
        yield
    finally:
        flip(file, bit)


def expect_truth(done: Finished, said: str) -> None:
    """The command gave what it gives on a whole workspace, or said that the file is damaged and what to do."""
    assert "fault of the program" not in done.err, done.err
    if done.code == 0:
        assert done.out == said
    else:
        done.expect(2, "damaged", "Run `sla build`")


def list_parquet(root: Path) -> list[Path]:
    workspace = Workspace(root)
    return [path for batch in list_batches(workspace) for path in batch.paths(workspace)]


def test_every_changed_bit_of_a_landed_file_is_found_and_named(vendor: Path) -> None:
    for file, bit in choose_bits(list_parquet(vendor), FLIPS_IN_LANDED):
        with flipped(file, bit), pytest.raises(LandedDamaged) as found:
            read_batches(Workspace(vendor))
        assert [problem.file for problem in found.value.problems] == [file.relative_to(vendor).as_posix()]
    read_batches(Workspace(vendor))


def test_damaged_landed_files_land_again_and_no_figure_changes(vendor: Path) -> None:
    figures, pointer = dump_tables(vendor, *FIGURES), read_pointer(vendor)
    before = {file: file.read_bytes() for file in list_parquet(vendor)}
    for command, (file, bit) in zip(("run", "build"), choose_bits(list(before), 2), strict=True):
        flip(file, bit)
        run_sla(command, workspace=vendor).expect(0)
        assert {file: file.read_bytes() for file in before} == before
    assert read_pointer(vendor) == pointer
    # A build of all of it gives the same figures; no variable of dbt takes a test from it.
    checks = run_sla("check", "--json", workspace=vendor).expect(0).out
    shutil.rmtree(vendor / "warehouse" / "published")
    run_sla("build", workspace=vendor, DBT_EXCLUDE_RESOURCE_TYPES="test", DBT_EMPTY="true").expect(0)
    assert dump_tables(vendor, *FIGURES) == figures
    assert run_sla("check", "--json", workspace=vendor).expect(0).out == checks


def test_damaged_landed_file_whose_export_is_gone_stops_the_build_by_name(vendor: Path) -> None:
    served = run_sla("compliance", "--json", workspace=vendor).expect(0).out
    [(file, bit)] = choose_bits(list_parquet(vendor), 1)
    flip(file, bit)
    shutil.move(vendor / "inbox", vendor / "taken away")
    for command in ("run", "build"):
        done = run_sla(command, workspace=vendor)
        done.expect(3, f"{file.relative_to(vendor)}: is damaged", "back into the inbox and run `sla run`")
        assert "fault of the program" not in done.err
    assert run_sla("compliance", "--json", workspace=vendor).expect(0).out == served
    shutil.move(vendor / "taken away", vendor / "inbox")
    run_sla("run", workspace=vendor).expect(0)


def test_changed_bits_of_the_published_file_show_the_same_figures_or_none(vendor: Path) -> None:
    commands = (("compliance", "--json"), ("tickets", "--json"), ("status", "--json"))
    said = {command: run_sla(*command, workspace=vendor).expect(0).out for command in commands}
    file = vendor / "warehouse" / "published" / read_pointer(vendor)["file"]
    for number, (_, bit) in enumerate(choose_bits([file], FLIPS_IN_PUBLISHED)):
        command = commands[number % len(commands)]
        with flipped(file, bit):
            expect_truth(run_sla(*command, workspace=vendor), said[command])
            if number < 3:
                # These read all bytes before they open the file.
                for verifying in (("check",), ("report", "--all", "--month", "2026-02")):
                    run_sla(*verifying, workspace=vendor).expect(2, "is damaged", "Run `sla build`")
    assert run_sla("compliance", "--json", workspace=vendor).expect(0).out == said[commands[0]]


def test_changed_bits_of_manifests_are_found_and_land_again(vendor: Path) -> None:
    pointer = read_pointer(vendor)
    manifests = sorted((vendor / "warehouse" / "landed" / "manifest").glob("*.json"))
    before = {file: file.read_bytes() for file in manifests}
    for file, bit in choose_bits(manifests, FLIPS_IN_MANIFEST):
        flip(file, bit)
        done = run_sla("run", workspace=vendor).expect(0)
        assert "fault of the program" not in done.err
        # The lineage clock of the tests stands still, so the manifest that comes back is the one that was there.
        assert {file: file.read_bytes() for file in manifests} == before
    assert read_pointer(vendor) == pointer


def test_changed_bits_of_the_pointer_are_told_and_the_next_build_serves_again(vendor: Path) -> None:
    served = run_sla("compliance", "--json", workspace=vendor).expect(0).out
    before = read_pointer(vendor)
    file = vendor / "warehouse" / "published" / "current.json"
    for _, bit in choose_bits([file], FLIPS_IN_POINTER):
        with flipped(file, bit):
            expect_truth(run_sla("compliance", "--json", workspace=vendor), served)
    [(_, bit)] = choose_bits([file], 1)
    flip(file, bit)
    run_sla("build", workspace=vendor).expect(0)
    assert read_pointer(vendor)["build_id"] == before["build_id"]
    assert run_sla("compliance", "--json", workspace=vendor).expect(0).out == served
