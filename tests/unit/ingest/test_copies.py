"""Copies of exports: kept on demand only, for their owner alone, and read again once the inbox no longer has the export."""

from __future__ import annotations

import gzip
import io
import os
import stat
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from pipeline.ingest.landing.copies import copy_path
from pipeline.ingest.landing.manifest import read_batches
from pipeline.ingest.landing.reader import find_outdated
from pipeline.rules.load_sources import load_sources
from tests.older_reader import read_by_older_program, set_column
from tests.unit.ingest.conftest import Landing, make_source

TICKETS = (
    "ticket_id,customer_id,requester,channel,severity,submitted_at,subject,ticket_type,tags,updated_at\n"
)
TICKET = "T1,acme,ann,console,3,2026-07-01T09:00:00Z,Sync stops,incident,,\n"
MISREAD = set_column("subject", "misread")


@pytest.fixture
def keeping(landing: Landing) -> Landing:
    landing.config.keep_exports = True
    return landing


def copies(landing: Landing) -> list[Path]:
    return sorted(path for path in (landing.workspace.warehouse / "exports").rglob("*") if path.is_file())


def subjects(landing: Landing) -> list[str]:
    return sorted(landing.rows("ticket_versions", "subject"))


def lose_and_misread(landing: Landing) -> None:
    """Empty the inbox, and let an older program have read what landed."""
    for path in landing.workspace.inbox.rglob("*"):
        if path.is_file():
            path.unlink()
    read_by_older_program(landing.workspace.root, "ticket_versions", MISREAD)


def test_no_copy_is_kept_unless_sla_yml_says_so(landing: Landing, tmp_path: Path) -> None:
    landing.land("own", "a.csv", TICKETS + TICKET)
    assert copies(landing) == []
    (tmp_path / "sla.yml").write_text("sources: {}\n")
    assert load_sources(tmp_path / "sla.yml").keep_exports is False
    (tmp_path / "sla.yml").write_text("keep_exports: true\nsources: {}\n")
    assert load_sources(tmp_path / "sla.yml").keep_exports is True


def test_copy_is_named_after_the_content_and_only_its_owner_may_read_it(keeping: Landing) -> None:
    before = os.umask(0)
    try:
        result = keeping.land("own", "a.csv", TICKETS + TICKET)
    finally:
        os.umask(before)
    assert result.batch_id
    (copy,) = copies(keeping)
    assert copy == copy_path(keeping.workspace, result.batch_id)
    assert copy.name == f"{result.batch_id}.gz"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert gzip.decompress(copy.read_bytes()).decode() == TICKETS + TICKET


def test_same_content_gives_the_same_copy_from_whatever_file(keeping: Landing) -> None:
    keeping.land("own", "a.csv", TICKETS + TICKET)
    (first,) = copies(keeping)
    before = first.read_bytes()
    first.unlink()
    # A gzip with a name and a time of its own inside.
    packed = io.BytesIO()
    with gzip.GzipFile("another.csv", "wb", 1, packed, mtime=1_000_000_000) as stream:
        stream.write((TICKETS + TICKET).encode())
    assert keeping.land("own", "b.csv.gz", packed.getvalue()).status == "already_landed"
    assert [copy.read_bytes() for copy in copies(keeping)] == [before]


def test_copy_of_what_landed_before_is_kept_once_the_setting_is_on(landing: Landing) -> None:
    landing.land("own", "a.csv", TICKETS + TICKET)
    landing.config.keep_exports = True
    assert [result.status for result in landing.run()] == ["already_landed"]
    assert len(copies(landing)) == 1


def test_nothing_is_kept_of_a_file_that_is_refused(keeping: Landing) -> None:
    assert keeping.land("own", "a.csv", "no,such\nheader,here\n").status == "rejected"
    assert copies(keeping) == []


def test_copy_is_read_again_by_another_reader_when_the_export_is_gone(keeping: Landing) -> None:
    keeping.land("own", "a.csv", TICKETS + TICKET + "bad\n")
    (before,) = read_batches(keeping.workspace)
    rows = before.table_path(keeping.workspace, "ticket_versions").read_bytes()
    lose_and_misread(keeping)
    assert subjects(keeping) == ["misread"]
    (result,) = keeping.run()
    assert (result.file, result.status, result.rows_landed) == ("inbox/own/a.csv", "landed", 1)
    assert read_batches(keeping.workspace) == [before]
    assert before.table_path(keeping.workspace, "ticket_versions").read_bytes() == rows
    assert find_outdated(keeping.workspace, keeping.config.sources) == []
    # Nothing unpacked is left, and nothing is left to do.
    assert len(copies(keeping)) == 1
    assert keeping.run() == []


def test_copy_is_read_again_after_a_change_of_the_settings(keeping: Landing) -> None:
    keeping.land("own", "a.csv", TICKETS + TICKET.replace("ann", "-"))
    assert keeping.rows("ticket_versions", "requester") == ["-"]
    (keeping.workspace.inbox / "own" / "a.csv").unlink()
    keeping.config.sources["own"] = make_source("canonical", null_markers=("", "-"))
    keeping.run()
    assert keeping.rows("ticket_versions", "requester") == [None]


def test_copy_gives_back_the_rows_of_a_lost_file(keeping: Landing) -> None:
    keeping.land("own", "a.csv", TICKETS + TICKET)
    (keeping.workspace.inbox / "own" / "a.csv").unlink()
    (batch,) = read_batches(keeping.workspace)
    batch.table_path(keeping.workspace, "ticket_versions").unlink()
    keeping.run()
    assert subjects(keeping) == ["Sync stops"]


def test_copies_of_members_of_an_archive_and_of_a_workbook_are_read_again(keeping: Landing) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("one.csv", TICKETS + TICKET)
    keeping.land("own", "months.zip", archive.getvalue())
    book = io.BytesIO()
    with xlsxwriter.Workbook(book, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for number, line in enumerate((TICKETS + TICKET.replace("T1", "T2")).splitlines()):
            sheet.write_row(number, 0, line.split(","))
    keeping.land("own", "book.xlsx", book.getvalue())
    files = sorted(batch.file for batch in read_batches(keeping.workspace))
    lose_and_misread(keeping)
    assert subjects(keeping) == ["misread", "misread"]
    assert sorted(result.file for result in keeping.run()) == files
    assert subjects(keeping) == ["Sync stops", "Sync stops"]


def test_file_from_outside_the_inbox_keeps_its_bare_name_when_its_copy_is_read(
    keeping: Landing, tmp_path: Path
) -> None:
    path = tmp_path / "export.csv"
    path.write_text(TICKETS + TICKET)
    keeping.run([path], "own")
    path.unlink()
    lose_and_misread(keeping)
    assert [(result.file, result.status) for result in keeping.run()] == [(str(path), "landed")]
    assert keeping.rows("ticket_versions", "source_file") == ["export.csv"]


def test_copies_stay_and_are_still_read_once_the_setting_is_gone(keeping: Landing) -> None:
    keeping.land("own", "a.csv", TICKETS + TICKET)
    lose_and_misread(keeping)
    keeping.config.keep_exports = False
    keeping.land("own", "b.csv", TICKETS + TICKET.replace("T1", "T2"))
    assert len(copies(keeping)) == 1
    keeping.run()
    assert subjects(keeping) == ["Sync stops", "Sync stops"]


@pytest.mark.parametrize("damage", ["other content", "cut off", "no gzip", "longer"])
def test_damaged_copy_changes_nothing_and_is_named(keeping: Landing, damage: str) -> None:
    keeping.land("own", "a.csv", TICKETS + TICKET)
    lose_and_misread(keeping)
    (copy,) = copies(keeping)
    whole = (TICKETS + TICKET).encode()
    copy.write_bytes(
        {
            "other content": gzip.compress(whole.replace(b"T1", b"T9")),
            "cut off": copy.read_bytes()[:-12],
            "no gzip": whole,
            "longer": gzip.compress(whole + TICKET.encode() * 100_000),
        }[damage]
    )
    (result,) = keeping.run()
    assert result.status == "rejected"
    assert str(result.problems[0]).startswith(
        f"warehouse/exports/{copy.name}: the copy of inbox/own/a.csv is damaged. Put the export back into inbox/own/"
    )
    assert subjects(keeping) == ["misread"]
    assert copies(keeping) == [copy]


def test_what_a_killed_run_left_of_copies_is_removed(keeping: Landing) -> None:
    folder = keeping.workspace.warehouse / "exports"
    (folder / "unpacked").mkdir(parents=True)
    (folder / "unpacked" / "texts").write_text("people's texts")
    (folder / "half.gz.tmp").write_text("half")
    keeping.run()
    assert copies(keeping) == []
