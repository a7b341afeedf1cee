"""State of an older program is read, told and brought to this version by the next run; that of a newer one is refused by name.

`state_version_1.tar.xz` is a workspace as the release before versions left it: landed, published, February closed, its report
delivered as a file. What a run makes again (`kept/`, `dbt/`, `seen.json`) is left out.
"""

from __future__ import annotations

import json
import shutil
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline import state_version
from pipeline.errors import SlaError
from pipeline.settings import Workspace
from pipeline.state_version import VERSION, NewerState, describe_older, list_older, migrate
from pipeline.whole_files import seal, unseal, write_whole
from tests.end_to_end.command_line import run_sla

RELEASED = Path(__file__).with_name("state_version_1.tar.xz")
MONTH = "2026-02"


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of version 1. Read only: copy it."""
    root = tmp_path_factory.mktemp("released") / "vendor"
    with tarfile.open(RELEASED) as archive:
        archive.extractall(root, filter="data")
    return root


@pytest.fixture
def vendor(released: Path, tmp_path: Path) -> Path:
    return shutil.copytree(released, tmp_path / "vendor")


def read_files(root: Path, *folders: str) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for folder in folders
        for path in sorted((root / folder).rglob("*"))
        if path.is_file()
    }


def test_older_state_is_read_and_told_and_then_brought_to_this_version(vendor: Path) -> None:
    before = read_files(vendor, "warehouse/closed/documents", "reports/2026-02", "reports/outbox")
    ledger = (vendor / "warehouse/deliveries/ledger.ndjson").read_bytes()
    records = read_files(vendor, "warehouse/closed/issued")
    figures = run_sla("compliance", "--month", MONTH, workspace=vendor).expect(0)
    told = run_sla("status", workspace=vendor).expect(0).out
    assert (
        "State of an older program: closed months (version 1), deliveries (version 1), landed batches" in told
    )
    assert f"The next `sla run` brings it to version {VERSION}." in told
    assert read_files(vendor, "warehouse/landed/manifest") != {}
    [pdf] = (vendor / "reports/2026-02").glob("*.pdf")
    assert "Its figures stand" in run_sla("verify", str(pdf), workspace=vendor).expect(0).out

    run_sla("run", workspace=vendor).expect(0)
    assert "older program" not in run_sla("status", workspace=vendor).expect(0).out
    assert json.loads(run_sla("status", "--json", workspace=vendor).out)["older_state"] == {}
    # What is of record keeps its bytes, nothing is closed or sent again, and the figures are the same.
    assert read_files(vendor, "warehouse/closed/documents", "reports/2026-02", "reports/outbox") == before
    assert read_files(vendor, "warehouse/closed/issued") == records
    assert (vendor / "warehouse/deliveries/ledger.ndjson").read_bytes() == ledger
    assert run_sla("compliance", "--month", MONTH, workspace=vendor).out == figures.out
    for name in ("landed/manifest", "published"):
        for path in (vendor / "warehouse" / name).glob("*.json"):
            assert json.loads(path.read_bytes())["state_version"] == VERSION
    pointer = json.loads((vendor / "warehouse/published/current.json").read_bytes())
    with duckdb.connect(str(vendor / "warehouse/published" / pointer["file"]), read_only=True) as connection:
        assert connection.execute("select state_version from meta.build").fetchall() == [(VERSION,)]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (vendor / "warehouse").rglob("*")}
    assert modes == {0o600, 0o700}
    run_sla("check", workspace=vendor).expect(0)


def test_migration_that_dies_anywhere_is_finished_by_the_next(
    released: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Workspace(shutil.copytree(released, tmp_path / "whole"))
    assert migrate(whole).keys() == {
        "landed batches",
        "pointer",
        "publications",
        "closed months",
        "deliveries",
    }
    expected = read_files(whole.root, "warehouse")

    class Killed(BaseException):
        pass

    for deaths in range(1, 20):
        workspace = Workspace(shutil.copytree(released, tmp_path / f"killed {deaths}"))
        left = deaths

        def die(path: Path, content: bytes) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed
            write_whole(path, content)

        monkeypatch.setattr(state_version, "write_whole", die)
        try:
            migrate(workspace)
        except Killed:
            pass
        else:
            break
        finally:
            monkeypatch.setattr(state_version, "write_whole", write_whole)
        # Half of it is told as older, and can be read.
        assert describe_older(list_older(workspace)) != ""
        assert run_sla("compliance", "--month", MONTH, workspace=workspace.root).code == 0
        migrate(workspace)
        assert read_files(workspace.root, "warehouse") == expected
    # Two batches, a publication, two counts of closed months, one of deliveries, the mark.
    assert deaths == 7 + 1
    assert migrate(whole) == {}


def reseal(path: Path, **changes: object) -> None:
    path.write_bytes(seal(unseal(path.read_bytes()) | changes))


def rename_version_of_ledger(root: Path) -> None:
    path = root / "warehouse/deliveries/ledger.ndjson"
    first, *rest = path.read_text(encoding="utf-8").splitlines(keepends=True)
    record = unseal(first.encode()) | {"version": VERSION + 1}
    path.write_text(json.dumps(json.loads(seal(record))) + "\n" + "".join(rest), encoding="utf-8")


def rename_version_of_file(root: Path) -> None:
    pointer = unseal((root / "warehouse/published/current.json").read_bytes())
    file = root / "warehouse/published" / str(pointer["file"])
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"alter table meta.build add column state_version integer default {VERSION + 1}")


NEWER: dict[str, tuple[str, Callable[[Path], None], tuple[str, ...]]] = {
    "mark": (
        "state.json",
        lambda root: write_whole(root / "warehouse/state.json", seal({"state_version": VERSION + 1})),
        ("run",),
    ),
    "pointer": (
        "current.json",
        lambda root: reseal(root / "warehouse/published/current.json", state_version=VERSION + 1),
        ("compliance",),
    ),
    "manifest": (
        "manifest",
        lambda root: reseal(
            sorted((root / "warehouse/landed/manifest").iterdir())[0], state_version=VERSION + 1
        ),
        ("run",),
    ),
    "closed month": (
        "000001.json",
        lambda root: reseal(root / "warehouse/closed/000001.json", state_version=VERSION + 1),
        ("compliance",),
    ),
    "count of closed months": (
        "closed.json",
        lambda root: reseal(root / "warehouse/closed.json", state_version=VERSION + 1),
        ("build",),
    ),
    "delivery ledger": ("ledger.ndjson", rename_version_of_ledger, ("send",)),
    "count of deliveries": (
        "deliveries.json",
        lambda root: reseal(root / "warehouse/deliveries.json", state_version=VERSION + 1),
        ("run",),
    ),
    "published file": (".duckdb", rename_version_of_file, ("tickets",)),
}


@pytest.mark.parametrize("kind", NEWER)
def test_state_of_a_newer_program_is_refused_by_name_and_nothing_is_changed(vendor: Path, kind: str) -> None:
    file, change, command = NEWER[kind]
    change(vendor)
    # A command that only looks must not start to bring the rest to this version.
    before = read_files(vendor, "warehouse", "reports")
    said = run_sla(*command, workspace=vendor).expect(
        2, f"written by a newer program: version {VERSION + 1}, this program knows {VERSION}. Install"
    )
    assert file in said.err
    after = read_files(vendor, "warehouse", "reports")
    if kind != "delivery ledger":
        assert after | {"warehouse/lock": b""} == before | {"warehouse/lock": b""}


@pytest.mark.parametrize("version", [0, "2", None, 1.0, True])
def test_version_that_is_no_number_is_damage_and_not_a_newer_program(version: object) -> None:
    with pytest.raises(ValueError, match="is no version"):
        state_version.check_version(version, Path("manifest.json"))


def test_refusal_of_a_newer_program_is_a_fault_of_the_installation() -> None:
    assert issubclass(NewerState, SlaError) and NewerState.exit_code == 2
