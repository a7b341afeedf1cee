"""The process that reads: what ends it costs one file, what it may not do it cannot, and it never outlives a run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from io import StringIO
from pathlib import Path

import pytest

from pipeline.ingest.files.engine import connect
from pipeline.ingest.landing import landing_child, show_progress
from pipeline.ingest.landing.land import land_exports
from pipeline.ingest.landing.landing_child import LandingChild

TICKETS = (
    "ticket_id,customer_id,requester,channel,severity,submitted_at,subject,ticket_type,tags,updated_at\n"
)
TICKET = "T1,acme,ann,console,3,2026-07-01T09:00:00Z,Sync stops,incident,,\n"


def kill_when_writing(child: LandingChild, number: int) -> None:
    """Kill the child as soon as it is asked to write the first file."""
    ask = child._ask

    def ask_and_kill(export, job, *arguments):
        if job == "write" and child.process_id:
            child._ask = ask
            os.kill(child.process_id, number)
        return ask(export, job, *arguments)

    child._ask = ask_and_kill


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGXCPU])
def test_child_that_dies_costs_the_file_it_was_at_and_no_other(landing, number):
    landing.put("own", "a.csv", TICKETS + TICKET)
    landing.put("own", "b.csv", TICKETS + TICKET.replace("T1", "T2"))
    with LandingChild() as child:
        kill_when_writing(child, number)
        results = land_exports(landing.workspace, landing.config, None, None, child=child)
    # Killed before it had the job, the file may have gone to a new child.
    assert results[1].status == "landed"
    assert results[0].status in ("landed", "rejected")
    assert not list(landing.workspace.landed.rglob("*.tmp"))


def test_child_that_dies_while_it_writes_leaves_nothing_of_its_file(landing):
    landing.put("own", "a.csv", TICKETS + TICKET)
    with LandingChild() as child:
        child.list_members(next(iter_exports(landing)))
        os.kill(child.process_id, signal.SIGSTOP)
        threading.Timer(0.3, os.kill, (child.process_id, signal.SIGKILL)).start()
        (result,) = land_exports(landing.workspace, landing.config, None, None, child=child)
    assert result.status == "rejected"
    (problem,) = result.problems
    assert str(problem) == (
        "inbox/own/a.csv: the process that read it died (signal SIGKILL), perhaps for lack of memory. Export "
        "shorter periods. If the file is genuine and small, report it as a fault of this program."
    )
    assert not list(landing.workspace.landed.rglob("*.*"))


def iter_exports(landing):
    from pipeline.ingest.landing.find_exports import find_exports

    return iter(find_exports(landing.workspace, landing.config.sources, None, None).exports)


def test_child_that_takes_too_long_is_ended(landing, monkeypatch):
    monkeypatch.setattr(landing_child, "SECONDS_FREE", 0)
    landing.put("own", "a.csv", TICKETS + TICKET)
    with LandingChild() as child:
        (result,) = land_exports(landing.workspace, landing.config, None, None, child=child)
        assert child.process_id is None
    assert (result.status, result.problems[0].reason) == (
        "rejected",
        "reading it took more processor time than a file of its size has.",
    )


def test_file_of_a_busy_machine_is_read_however_long_it_takes(landing, monkeypatch):
    # Stopped for longer than it may work: no processor time is used, so nothing is held against the file.
    monkeypatch.setattr(landing_child, "SECONDS_FREE", 4)
    landing.put("own", "a.csv", TICKETS + TICKET)
    with LandingChild() as child:
        child.list_members(next(iter_exports(landing)))
        os.kill(child.process_id, signal.SIGSTOP)
        threading.Timer(6, os.kill, (child.process_id, signal.SIGCONT)).start()
        (result,) = land_exports(landing.workspace, landing.config, None, None, child=child)
    assert result.status == "landed"


def test_file_of_a_disk_that_does_not_answer_is_given_up(landing, monkeypatch):
    monkeypatch.setattr(landing_child, "SECONDS_STALLED", 1)
    landing.put("own", "a.csv", TICKETS + TICKET)
    with LandingChild() as child:
        child.list_members(next(iter_exports(landing)))
        os.kill(child.process_id, signal.SIGSTOP)
        (result,) = land_exports(landing.workspace, landing.config, None, None, child=child)
    assert result.status == "rejected"
    assert result.problems[0].reason.endswith("its disk does not answer.")


def test_child_dies_with_its_parent(tmp_path):
    program = (
        "import sys, time\nfrom pathlib import Path\n"
        "from pipeline.ingest.files.exports import Export\nfrom pipeline.ingest.landing.landing_child import LandingChild\n"
        "child = LandingChild()\nchild.list_members(Export(Path('nothing'), 'own', 'n', 'n'))\n"
        "print(child.process_id, flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    child = int(parent.stdout.readline())
    state = Path(f"/proc/{child}/stat")
    assert state.exists()
    parent.kill()
    parent.communicate()
    for _ in range(100):
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        threading.Event().wait(0.05)
    raise AssertionError("the child outlived its parent")


def test_file_that_a_process_is_writing_is_left_for_the_next_run(landing):
    path = landing.put("own", "a.csv", TICKETS + TICKET)
    with path.open("a") as stream:
        (result,) = landing.run()
        assert (result.status, result.rows_read) == ("left", 0)
        assert str(result.problems[0]) == (
            "inbox/own/a.csv: the file is still being written, so it was left for the next run. Write exports as "
            "*.part and rename them when they are complete."
        )
        stream.write(TICKET.replace("T1", "T2"))
    (result,) = landing.run()
    assert (result.status, result.rows_landed) == ("landed", 2)


def test_engine_reaches_no_file_no_network_and_no_extension(tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n")
    connection = connect()
    for statement in (
        f"select * from read_csv('{tmp_path}/a.csv')",
        f"copy (select 1) to '{tmp_path}/b.csv'",
        f"attach '{tmp_path}/c.duckdb'",
        "install httpfs",
        "load httpfs",
        "select * from read_csv('http://127.0.0.1:9/a.csv')",
        "set enable_external_access = true",
    ):
        with pytest.raises(
            Exception, match=r"disabled|not allowed|Cannot enable|enable_external_access|not be loaded"
        ):
            connection.execute(statement).fetchall()
    settings = dict(
        connection.execute(
            "select name, value from duckdb_settings() where name in ('autoinstall_known_extensions',"
            " 'autoload_known_extensions', 'allow_community_extensions', 'enable_external_access')"
        ).fetchall()
    )
    assert set(settings.values()) == {"false"}


def test_progress_is_a_line_now_and_then_and_none_when_quiet():
    seconds = iter(range(0, 1000, 4))
    said = StringIO()
    tell = show_progress._write_lines(said, lambda: float(next(seconds)))
    for rows in (0, 1_000, 2_000, 3_000):
        tell("inbox/own/a.csv", rows)
    assert said.getvalue().splitlines()[0].startswith("inbox/own/a.csv: ")
    assert "rows so far, " in said.getvalue()
    with show_progress.show_progress(said, is_quiet=True) as nothing:
        assert nothing is None


def test_rows_of_a_long_file_are_told_while_it_is_read(landing):
    told = []
    landing.put("own", "a.csv", TICKETS + "".join(TICKET.replace("T1", f"T{n}") for n in range(200_000)))
    land_exports(
        landing.workspace,
        landing.config,
        None,
        None,
        child=landing.child,
        on_progress=lambda file, rows: told.append((file, rows)),
    )
    assert told and {file for file, _ in told} == {"inbox/own/a.csv"}
    assert [rows for _, rows in told] == sorted(rows for _, rows in told)
    assert json.dumps(told)
