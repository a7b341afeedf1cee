"""Which files land, once, whole or not at all, and under names that are data."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import ConfigurationError, InputRejected
from pipeline.ingest.files import read_csv, read_json_list, read_ndjson
from pipeline.ingest.landing import write_batch
from pipeline.ingest.landing.land import land_damaged
from pipeline.ingest.landing.manifest import read_batches
from pipeline.ingest.landing.preview import preview_exports
from pipeline.ingest.tables import LANDED_TABLES, LINEAGE

TICKETS = (
    "ticket_id,customer_id,requester,channel,severity,submitted_at,subject,ticket_type,tags,updated_at\n"
)
TICKET = "T1,acme,ann,console,3,2026-07-01T09:00:00Z,Sync stops,incident,,\n"


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_every_landed_table_ends_with_the_lineage_columns():
    assert all(list(columns)[-4:] == list(LINEAGE) for columns in LANDED_TABLES.values())


def test_same_content_under_another_name_is_already_landed(landing):
    first = landing.land("own", "a.csv", TICKETS + TICKET)
    before = snapshot(landing.workspace.landed)
    second = landing.land("own", "b.csv", TICKETS + TICKET)
    assert (second.status, second.batch_id, second.rows_landed) == ("already_landed", first.batch_id, 1)
    assert snapshot(landing.workspace.landed) == before


def test_same_content_from_another_source_is_another_batch(landing):
    landing.config.sources["other"] = landing.config.sources["own"]
    assert (
        landing.land("own", "a.csv", TICKETS + TICKET).batch_id
        != landing.land("other", "a.csv", TICKETS + TICKET).batch_id
    )
    assert sorted(landing.rows("ticket_versions", "source")) == ["other", "own"]


def test_same_input_gives_the_same_parquet_bytes_at_another_time_and_place(
    landing, tmp_path_factory, monkeypatch
):
    content = TICKETS + TICKET + "bad\n"
    landing.land("own", "a.csv", content)
    first = snapshot(landing.workspace.landed)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    landing.workspace = type(landing.workspace)(tmp_path_factory.mktemp("elsewhere"))
    landing.land("own", "a.csv", content)
    second = snapshot(landing.workspace.landed)
    parquet = [name for name in first if name.endswith(".parquet")]
    assert len(parquet) == 2
    assert all(first[name] == second[name] for name in parquet)


@pytest.mark.parametrize(
    "name",
    [
        "[x].csv",
        "*.csv",
        "a;b'.csv",
        'it\'s "1" --.csv',
        "line\nbreak.csv",
        "Zürich 報告 🙂.csv",
        "$(x)`y`.csv",
        "%s.csv",
    ],
)
def test_file_names_are_only_data(landing, name):
    landing.put("own", "x.csv", TICKETS + TICKET.replace("T1", "decoy"))
    result = landing.land("own", name, TICKETS + TICKET)
    assert (result.status, landing.rows("ticket_versions", "ticket_id")) == ("landed", ["T1"])
    (shown,) = landing.rows("ticket_versions", "source_file")
    assert shown == "inbox/own/" + name.replace("\n", "\\n")


def test_file_name_of_stray_bytes_is_shown_escaped(landing):
    result = landing.land("own", os.fsdecode(b"gr\xfcn.csv"), TICKETS + TICKET)
    assert result.file == r"inbox/own/gr\xfcn.csv"


def test_inbox_is_landed_in_order_without_hidden_and_unfinished_files(landing):
    for at, name in enumerate(
        ["b.csv", "sub/c.csv", "a.csv", ".hidden.csv", "x.csv.tmp", "y.csv.part", ".d/z.csv"]
    ):
        landing.put("own", name, TICKETS + TICKET.replace("T1", f"T{at}"))
    assert [(result.file.removeprefix("inbox/own/"), result.status) for result in landing.run()] == [
        ("a.csv", "landed"),
        ("b.csv", "landed"),
        ("x.csv.tmp", "left"),
        ("y.csv.part", "left"),
        ("sub/c.csv", "landed"),
    ]
    assert {result.status for result in landing.run()} == {"already_landed", "left"}


def test_one_rejected_file_does_not_stop_the_others(landing):
    landing.put("own", "a.csv", "")
    landing.put("own", "b.csv", TICKETS + TICKET)
    assert [result.status for result in landing.run()] == ["rejected", "landed"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission_is_rejected(landing):
    landing.put("own", "a.csv", TICKETS).chmod(0)
    (result,) = landing.run()
    assert result.problems[0].reason == "the file cannot be read: Permission denied."


def test_link_to_nowhere_is_rejected(landing):
    landing.put("own", "b.csv", TICKETS + TICKET)
    (landing.workspace.inbox / "own" / "a.csv").symlink_to("nowhere")
    assert [result.status for result in landing.run()] == ["rejected", "landed"]


def test_named_pipe_is_rejected_without_waiting(landing):
    landing.put("own", "b.csv", TICKETS + TICKET)
    os.mkfifo(landing.workspace.inbox / "own" / "a.csv")
    assert [result.status for result in landing.run()] == ["rejected", "landed"]


def test_path_outside_the_inbox_needs_a_source(landing, tmp_path):
    path = tmp_path / "export.csv"
    path.write_text(TICKETS + TICKET)
    with pytest.raises(
        ConfigurationError,
        match=r"Add --source NAME, or move it to inbox/<source>/; known sources: desk, own, snow\.",
    ):
        landing.run([path])
    (result,) = landing.run([path], "own")
    assert (result.file, landing.rows("ticket_versions", "source_file")) == (str(path), ["export.csv"])


def test_path_that_does_not_exist_is_a_usage_error(landing):
    with pytest.raises(ConfigurationError, match="does not exist"):
        landing.run([Path("nowhere.csv")], "own")


def test_path_in_the_inbox_of_another_source_is_a_usage_error(landing):
    path = landing.put("own", "a.csv", TICKETS)
    with pytest.raises(ConfigurationError, match="lies in the inbox of 'own', but --source says 'desk'"):
        landing.run([path], "desk")


def test_unknown_source_names_the_nearest(landing):
    with pytest.raises(
        ConfigurationError,
        match=r"--source names the source 'dsk', which sla.yml does not have. Did you mean 'desk'\?",
    ):
        landing.run(None, "dsk")


def test_what_is_no_export_of_a_source_is_named_and_the_rest_lands(landing, tmp_path):
    inbox = landing.workspace.inbox
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "secret.csv").write_text(TICKETS + TICKET)
    (inbox / "stray.csv").write_text(TICKETS)
    landing.put("owm", "a.csv", TICKETS)
    landing.put("own", "b.csv", TICKETS + TICKET)
    (inbox / "own" / "linked").symlink_to(elsewhere)
    (inbox / "desk").symlink_to(elsewhere)
    results = landing.run()
    assert [(result.file, result.status) for result in results] == [
        ("inbox/own/b.csv", "landed"),
        ("inbox/desk", "rejected"),
        ("inbox/owm", "rejected"),
        ("inbox/own/linked", "rejected"),
        ("inbox/stray.csv", "rejected"),
    ]
    said = {result.file: str(result.problems[0]) for result in results if result.problems}
    known = "nown sources: desk, own, snow."
    assert said == {
        "inbox/desk": "inbox/desk: it is a linked folder. Put the folder itself there.",
        "inbox/own/linked": "inbox/own/linked: it is a linked folder. Put the folder itself there.",
        "inbox/owm": "inbox/owm: the folder names the source 'owm', which sla.yml does not have. Did you mean 'own'? K"
        + known,
        "inbox/stray.csv": "inbox/stray.csv: it lies in no source's folder. Move it to inbox/<source>/; k"
        + known,
    }
    assert landing.rows("ticket_versions", "ticket_id") == ["T1"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folder_without_permission_is_named_and_the_rest_lands(landing):
    landing.put("own", "a.csv", TICKETS + TICKET)
    landing.put("own", "closed/b.csv", TICKETS + TICKET)
    closed = landing.workspace.inbox / "own" / "closed"
    closed.chmod(0)
    try:
        results = landing.run()
    finally:
        closed.chmod(0o755)
    assert [result.status for result in results] == ["landed", "rejected"]
    assert results[1].problems[0].reason == "the folder cannot be read: Permission denied."


def test_preview_says_what_has_landed_and_what_is_still_being_written(landing):
    def statuses():
        previews = preview_exports(landing.workspace, landing.config, None, None, 5, child=landing.child)
        return {preview.file.rpartition("/")[2]: preview.status for preview in previews}

    landing.put("own", "a.csv", TICKETS + TICKET)
    landing.put("own", "b.csv.part", TICKETS + TICKET)
    (landing.workspace.inbox / "stray.csv").write_text(TICKETS)
    before = {"b.csv.part": "would_be_left", "stray.csv": "would_be_rejected"}
    assert statuses() == before | {"a.csv": "would_land"}
    landing.run()
    assert statuses() == before | {"a.csv": "already_landed"}
    (batch,) = read_batches(landing.workspace)
    # Damaged, it would land again.
    change_a_value(batch.table_path(landing.workspace, "ticket_versions"))
    assert statuses() == before | {"a.csv": "would_land"}


# Each name is a place in landing where the process is killed as hard as it can be.
KILL = """
import os, signal, sys
from pathlib import Path
from types import SimpleNamespace
import pipeline.ingest.landing.land as land, pipeline.ingest.landing.write_batch as write_batch
from pipeline.settings import Workspace

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

root, place = Path(sys.argv[1]), sys.argv[2]
if place == "before any rename":
    land.commit_files = die
elif place == "between two renames":
    write_batch.sync = die
elif place == "before the manifest":
    land.write_manifest = die
elif place == "before the manifest's rename":
    replace = Path.replace
    Path.replace = lambda self, to: die() if ".json." in self.name else replace(self, to)
source = SimpleNamespace(source_type="canonical", time_zone=None, date_formats=(), null_markers=("", "?"))
land.land_exports(Workspace(root), SimpleNamespace(sources={"own": source}, keep_exports=False, memory=None), None, None)
"""


@pytest.mark.parametrize(
    "place",
    ["before any rename", "between two renames", "before the manifest", "before the manifest's rename"],
)
def test_batch_is_absent_after_a_kill_and_whole_after_the_next_run(landing, tmp_path, place):
    landing.put("own", "a.csv", TICKETS + TICKET + "bad\n")
    command = [sys.executable, "-c", KILL, str(tmp_path), place]
    assert subprocess.run(command, timeout=60, check=False).returncode == -signal.SIGKILL
    assert list(landing.workspace.landed.rglob("*.*"))
    assert read_batches(landing.workspace) == []
    (result,) = landing.run()
    assert (result.status, result.rows_landed, result.rows_rejected) == ("landed", 1, 1)
    assert landing.rows("ticket_versions", "ticket_id") == ["T1"]
    assert not list(landing.workspace.landed.rglob("*.tmp"))


def test_manifest_tells_what_landed_and_how_it_was_read(landing, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    content = TICKETS + TICKET + "bad\n"
    result = landing.land("own", "a.csv", content)
    (batch,) = read_batches(landing.workspace)
    assert batch.batch_id == result.batch_id
    assert (batch.source, batch.source_type, batch.file, batch.bytes) == (
        "own",
        "canonical",
        "inbox/own/a.csv",
        len(content),
    )
    assert (batch.landed_at, batch.tables) == ("2026-09-21T14:13:20Z", {"ticket_versions": 1})
    assert (batch.rows_read, batch.rows_landed, batch.rows_rejected) == (2, 1, 1)
    assert batch.settings == {
        "source_type": "canonical",
        "time_zone": None,
        "date_formats": [],
        "null_markers": ["", "?"],
    }


@pytest.mark.parametrize("table", ["ticket_versions", "quarantine"])
def test_lost_parquet_is_refused_by_readers_and_corrected_by_the_next_landing(landing, table):
    result = landing.land("own", "a.csv", TICKETS + TICKET + "bad\n")
    (batch,) = read_batches(landing.workspace)
    assert batch.batch_id == result.batch_id
    batch.table_path(landing.workspace, table).unlink()
    with pytest.raises(
        InputRejected, match=f"warehouse/landed/{table}/{batch.file_stem}.parquet: is missing or unreadable"
    ):
        read_batches(landing.workspace)
    assert [again.status for again in landing.run()] == ["landed"]
    assert len(read_batches(landing.workspace)) == 1


def test_damaged_manifest_is_named_and_its_batch_lands_again_from_the_inbox(landing):
    result = landing.land("own", "a.csv", TICKETS + TICKET)
    before = read_batches(landing.workspace)
    path = landing.workspace.landed / "manifest" / f"{result.batch_id}.json"
    path.write_bytes(path.read_bytes().replace(b"inbox/own/a.csv", b"inbox/own/b.csv"))
    with pytest.raises(
        InputRejected, match=f"warehouse/landed/manifest/{path.name}: the manifest is damaged"
    ):
        read_batches(landing.workspace)
    (again,) = landing.run()
    assert (again.status, again.rows_landed) == ("landed", 1)
    assert [str(problem) for problem in again.warnings] == [
        f"warehouse/landed/manifest/{path.name}: the manifest is damaged, so its batch is not there: its digest is another; "
        "it landed again from its export."
    ]
    assert [batch.parquet_sha256 for batch in read_batches(landing.workspace)] == [before[0].parquet_sha256]


def change_a_value(path):
    """Other rows in a Parquet file that is whole in itself: no count of rows shows it."""
    rows = pq.read_table(path)
    at = rows.column_names.index("subject")
    pq.write_table(rows.set_column(at, "subject", pa.array(["Sync is fine"] * rows.num_rows)), path)


def test_parquet_with_other_values_is_landed_again_and_nothing_beside_it(landing):
    first = landing.land("own", "a.csv", TICKETS + TICKET)
    landing.put("own", "new.csv", TICKETS + TICKET.replace("T1", "T2"))
    (batch,) = read_batches(landing.workspace)
    before = snapshot(landing.workspace.landed)
    change_a_value(batch.table_path(landing.workspace, "ticket_versions"))
    with pytest.raises(InputRejected, match=r"is damaged: its bytes are not those that landed\."):
        read_batches(landing.workspace)
    (again,) = land_damaged(landing.workspace, landing.config, child=landing.child)
    assert (again.status, again.batch_id) == ("landed", first.batch_id)
    assert snapshot(landing.workspace.landed) == before
    assert land_damaged(landing.workspace, landing.config, child=landing.child) == []


def test_damaged_parquet_whose_export_is_gone_or_renamed_or_outside(landing, tmp_path):
    inside = landing.put("own", "a.csv", TICKETS + TICKET)
    outside = tmp_path / "elsewhere.csv"
    outside.write_text(TICKETS + TICKET.replace("T1", "T2"))
    gone = landing.put("own", "c.csv", TICKETS + TICKET.replace("T1", "T3"))
    landing.run()
    landing.run([outside], "own")
    before = snapshot(landing.workspace.landed)
    inside.rename(inside.with_name("renamed.csv"))
    gone.unlink()
    for batch in read_batches(landing.workspace):
        change_a_value(batch.table_path(landing.workspace, "ticket_versions"))
    again = land_damaged(landing.workspace, landing.config, child=landing.child)
    assert sorted(result.file for result in again) == sorted([str(outside), "inbox/own/renamed.csv"])
    # What could not be landed again stops a build, by name and with what to do.
    with pytest.raises(InputRejected) as stopped:
        read_batches(landing.workspace)
    (problem,) = stopped.value.problems
    assert problem.hint == (
        "Put inbox/own/c.csv back into the inbox and run `sla run`, or restore this file from a backup."
    )
    gone.write_text(TICKETS + TICKET.replace("T1", "T3"))
    landing.run()
    parquet = {name: content for name, content in before.items() if name.endswith(".parquet")}
    after = snapshot(landing.workspace.landed)
    # A batch whose file has another name since names that one in its rows.
    assert {name for name in parquet if after[name] != parquet[name]} == {
        name for name in parquet if b"renamed" in after[name]
    }


@pytest.mark.parametrize(("module", "name", "limit"), [
    (read_ndjson, "a.ndjson", "LINE_LIMIT_BYTES"), (read_json_list, "a.json", "DOCUMENT_BYTES"),
])  # fmt: skip
def test_record_of_just_the_longest_length_lands_and_a_longer_one_is_refused(
    landing_here, monkeypatch, module, name, limit
):
    one = '{"ticket_id": "T1", "customer_id": "acme", "submitted_at": "2026-07-01T09:00:00Z", "subject": "x"}'
    is_list = name.endswith(".json")
    content = f"[{one},\n{one}]" if is_list else f"{one}\n{one}\n"
    # A line counts with its end.
    longest = len(one) if is_list else len(one) + 1
    monkeypatch.setattr(module, limit, longest - 1)
    refused = landing_here.land("own", name, content)
    assert (refused.status, refused.problems[0].line) == ("rejected", 1)
    assert "longer than" in refused.problems[0].reason
    monkeypatch.setattr(module, limit, longest)
    assert landing_here.land("own", name, content).rows_landed == 2


GOOD = "".join(TICKET.replace("T1", f"T{number}") for number in range(4))


@pytest.mark.parametrize(
    ("content", "status"),
    [
        # As many as are allowed, and one more; that one is forgiven where more records are usable.
        (TICKETS + "x\n" * 3 + TICKET, "landed"),
        (TICKETS + "x\n" * 4 + TICKET, "rejected"),
        (TICKETS + GOOD + "x\n" * 4, "landed"),
        (TICKETS + GOOD + "x\n" * 5, "rejected"),
    ],
)
def test_long_file_of_which_most_is_refused_is_refused_whole(landing_here, monkeypatch, content, status):
    monkeypatch.setattr(write_batch, "REFUSED_ROWS", 3)
    monkeypatch.setattr(read_csv, "LINES_AT_ONCE", 2)
    monkeypatch.setattr(read_csv, "CHUNK_BYTES", 300)
    result = landing_here.land("own", "a.csv", content)
    assert result.status == status
    if status == "rejected":
        assert result.problems[0].reason == "more than 3 of its records cannot be used, and fewer can."
        assert result.problems[1].line == content.split("\n").index("x") + 1


@pytest.mark.parametrize("lines_at_once", [1, 2, 3, 1000])
def test_lines_have_their_numbers_however_many_are_looked_at_together(
    landing_here, monkeypatch, lines_at_once
):
    for module in (read_csv, read_ndjson):
        monkeypatch.setattr(module, "LINES_AT_ONCE", lines_at_once)
    result = landing_here.land("own", "a.csv", TICKETS + "\n\r\nx\n" + TICKET + '"T2,\n\n' + TICKET)
    assert [problem.line for problem in result.problems] == [4, 6]
    assert landing_here.rows("ticket_versions", "line_number") == [5, 8]
    one = '{"ticket_id": "T9", "customer_id": "acme", "submitted_at": "2026-07-01T09:00:00Z", "subject": "x"}'
    result = landing_here.land("own", "b.ndjson", f"{one}\n\n \n\r\n{{x\n{one}\n7\n{one}\n{{cut")
    assert [(problem.line, problem.reason.partition(" ")[2][:12]) for problem in result.problems] == [
        (5, "not valid JS"),
        (7, "a number, no"),
        (9, "truncated: t"),
    ]
    assert sorted(landing_here.rows("ticket_versions", "line_number")) == [1, 5, 6, 8, 8]
