"""What a run leaves of itself: a record, a log as JSON lines, text for Prometheus; never a text of the data."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pipeline.run_records import KEPT_RUNS, Recorder, RunRecord, Step, read_runs
from pipeline.settings import Workspace
from tests.end_to_end.command_line import run_sla
from tests.end_to_end.small_vendor import EVENTS, EVENTS_HEADER, drop_tickets, init_vendor, write_lines

SUBJECT = "Sync is slow"


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs: one that built, one that found nothing new. The tests only read it, but for the last."""
    root = init_vendor(tmp_path_factory.mktemp("recorded") / "vendor")
    drop_tickets(root)
    write_lines(
        root / "inbox/desk/events.csv", EVENTS_HEADER, *EVENTS, "E-9,T-1,no instant,message,agent,mia,true,"
    )
    first = run_sla("run", "--log-format", "json", workspace=root).expect(0)
    (root / "said").write_text(first.err, encoding="utf-8")
    run_sla("run", workspace=root, SOURCE_DATE_EPOCH="1790000060").expect(0)
    return root


def test_log_is_one_json_object_a_line_with_the_steps_and_their_rows(vendor: Path) -> None:
    lines = [json.loads(line) for line in (vendor / "said").read_text(encoding="utf-8").splitlines()]
    assert {line["run_id"] for line in lines} == {lines[0]["run_id"]} and lines[0]["run_id"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line["at"]) for line in lines)
    steps = {line["step"]: line for line in lines if "step" in line}
    assert list(steps) == ["ingest", "build", "close", "managers", "deliver"]
    ingest = steps["ingest"]
    # Two tickets and three events came, and one of these has no instant.
    assert (ingest["rows_in"], ingest["rows_out"], ingest["rows_refused"]) == (2 + 3, 2 + 2, 1)
    assert steps["build"]["rows_in"] >= 2 + 2 and steps["build"]["rows_out"] > 0
    assert all(line["seconds"] >= 0 and line["memory_bytes"] > 1 << 20 for line in steps.values())
    [ended] = [line for line in lines if line["message"] == "run ended"]
    assert (ended["outcome"], ended["exit_code"], ended["steps"]) == ("done", 0, 5)
    assert any(line["message"].startswith("Build ") for line in lines)


def test_every_run_leaves_a_record_that_holds_no_text_of_the_data(vendor: Path) -> None:
    runs = json.loads(run_sla("status", "--runs", "--json", workspace=vendor).expect(0).out)
    assert [(run["command"], run["outcome"], run["exit_code"]) for run in runs] == [("run", "done", 0)] * 2
    assert runs[1]["steps"][0]["rows_in"] == 0
    shown = run_sla("status", "--runs", workspace=vendor).out
    assert "Runs: the last 2 of 2" in shown and "ingest" in shown
    for path in (vendor / "warehouse/runs").iterdir():
        text = path.read_text(encoding="utf-8")
        assert not any(word in text for word in (SUBJECT, "ann@acme.example", "Acme", "T-1"))


def test_prometheus_reads_what_is_printed_for_it(vendor: Path) -> None:
    text = run_sla("status", "--format", "prometheus", workspace=vendor).expect(0).out
    sample = re.compile(r"[a-z_]+(\{[a-z_]+=\"[^\"\\]*\"(,[a-z_]+=\"[^\"\\]*\")*\})? -?[0-9.e+]+")
    described = re.compile(r"# (HELP [a-z_]+ .+|TYPE [a-z_]+ gauge)")
    lines = text.splitlines()
    assert [line for line in lines if not sample.fullmatch(line) and not described.fullmatch(line)] == []
    assert text.endswith("\n") and 'sla_runs{command="run",outcome="done"} 2' in lines
    assert 'sla_last_run_exit_code{command="run"} 0' in lines
    names = [line.partition(" ")[0] for line in lines if not line.startswith("#")]
    assert len(names) == len(set(names)), "a series stands twice"
    run_sla("status", "--format", "xml", workspace=vendor).expect(2, "must be prometheus")


def test_run_that_fails_is_on_record_with_its_exit_code_and_another_form_of_log_is_refused(
    vendor: Path,
) -> None:
    run_sla("build", "--log-format", "yaml", workspace=vendor).expect(2, "--log-format is 'yaml'")
    rejected = vendor / "inbox/desk/broken.csv"
    rejected.write_text("<html>login</html>", encoding="utf-8")
    said = (
        run_sla("ingest", "--log-format", "json", workspace=vendor, SOURCE_DATE_EPOCH="1790000120")
        .expect(3)
        .err
    )
    assert [json.loads(line)["level"] for line in said.splitlines()][-1] == "error"
    last = json.loads(run_sla("status", "--runs", "--json", workspace=vendor).out)[-1]
    assert (last["command"], last["outcome"], last["exit_code"]) == ("ingest", "failed", 3)
    assert last["steps"][0]["rows_refused"] == 0
    rejected.unlink()


def test_run_that_was_killed_is_told_as_killed_and_one_at_work_as_running(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    recorder = Recorder(workspace, "run", lambda run_id, step: None)
    recorder._write()
    assert [run.outcome for run in read_runs(workspace, is_held=True)] == ["running"]
    assert [run.outcome for run in read_runs(workspace, is_held=False)] == ["killed"]
    (tmp_path / "warehouse/runs/damaged.json").write_text("{", encoding="utf-8")
    assert len(read_runs(workspace, is_held=False)) == 1


def test_record_that_cannot_be_written_ends_no_run_and_old_ones_are_removed(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    folder = tmp_path / "warehouse/runs"
    folder.mkdir(parents=True)
    for number in range(KEPT_RUNS + 5):
        (folder / f"2020-{number:04d}.json").touch()
    told: list[Step] = []
    recorder = Recorder(workspace, "run", lambda run_id, step: told.append(step))
    with pytest.raises(ZeroDivisionError), recorder.run(lambda problem: 1), recorder.step("ingest"):
        raise ZeroDivisionError
    assert told[0].outcome == "failed"
    assert len(list(folder.iterdir())) == KEPT_RUNS
    [run] = read_runs(workspace, is_held=False)
    assert isinstance(run, RunRecord) and (run.outcome, run.exit_code) == ("failed", 1)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.write_text("a file where the folder should be", encoding="utf-8")
    with Recorder(workspace, "run", lambda run_id, step: None).run(lambda problem: 1):
        pass
