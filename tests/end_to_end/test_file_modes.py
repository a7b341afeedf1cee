"""What the program writes is for its user alone, whatever the umask; what is asked for elsewhere is as that umask says."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.private_files import close_to_others, list_open
from pipeline.settings import Workspace
from tests.delivery.settings import configure, set_recipients
from tests.end_to_end.command_line import run_sla
from tests.end_to_end.small_vendor import EVENTS, EVENTS_HEADER, drop_tickets, init_vendor, write_lines


@contextmanager
def umask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


def list_modes(root: Path) -> dict[str, str]:
    """Path -> its mode, for all that is not 0600 or, of a folder, 0700."""
    return {
        str(path.relative_to(root)): oct(mode)
        for path in sorted([root, *root.rglob("*")])
        if (mode := stat.S_IMODE(path.stat().st_mode)) != (0o700 if path.is_dir() else 0o600)
    }


def test_every_file_of_a_workspace_is_for_its_user_alone_whatever_the_umask(tmp_path: Path) -> None:
    root = tmp_path / "vendor"
    with umask(0):
        # A preloaded process has the umask that it was started with, so these start as a user starts them.
        run_sla("init", str(root), UMASK="stated").expect(0)
        assert list_modes(root) == {}
        shutil.rmtree(root)
        init_vendor(root)
        text = (root / "sla.yml").read_text(encoding="utf-8")
        (root / "sla.yml").write_text(
            text.replace("sources:", "keep_exports: true\nsources:"), encoding="utf-8"
        )
        configure(root)
        set_recipients(root, {"acme": "reports@x.example"})
        drop_tickets(root)
        write_lines(root / "inbox" / "desk" / "events.csv", EVENTS_HEADER, *EVENTS)
        run_sla("run", workspace=root, UMASK="stated")
        run_sla("report", "--all", "--month", "2026-02", "--evidence", workspace=root, UMASK="stated").expect(
            0
        )
        run_sla("report", "--managers", "--month", "2026-02", workspace=root, UMASK="stated").expect(0)
    written = [root / "warehouse", root / "reports"]
    assert {str(folder): list_modes(folder) for folder in written} == {str(folder): {} for folder in written}
    names = {path.suffix for path in root.rglob("*")}
    assert {".duckdb", ".parquet", ".gz", ".pdf", ".csv", ".xlsx", ".zip", ".json"} <= names


def test_demo_is_for_its_user_alone(demo_workspace: Path) -> None:
    assert list_modes(demo_workspace) == {}


def test_report_written_to_a_folder_of_the_user_has_the_modes_of_the_users_umask(
    demo_workspace: Path, tmp_path: Path
) -> None:
    file, folder = 0o660, 0o770
    out = tmp_path / "for the customer" / "june"
    with umask(0o007):
        run_sla(
            "report", "--customer", "kestrel-aerospace-ltd", "--month", "2026-05", "--out", str(out),
            workspace=demo_workspace, UMASK="stated",
        ).expect(0)  # fmt: skip
        run_sla(
            "quarantine", "--export", str(tmp_path / "q.csv"), workspace=demo_workspace, UMASK="s"
        ).expect(0)
    found = {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()}
    assert found == {file}
    assert {stat.S_IMODE(each.stat().st_mode) for each in (out, out.parent)} == {folder}
    assert stat.S_IMODE((tmp_path / "q.csv").stat().st_mode) == file


def test_doctor_names_files_that_others_can_read(demo_workspace: Path, tmp_path: Path) -> None:
    root = shutil.copytree(demo_workspace, tmp_path / "vendor")
    said = run_sla("doctor", workspace=root).out
    assert "other users of this machine can read" not in said
    pointer = root / "warehouse" / "published" / "current.json"
    pointer.chmod(0o644)
    said = run_sla("doctor", workspace=root).out
    assert f"other users of this machine can read {pointer}" in said
    assert list(list_open(Workspace(root))) == [pointer]
    assert close_to_others(list_open(Workspace(root))) == 1
    assert stat.S_IMODE(pointer.stat().st_mode) == 0o600
