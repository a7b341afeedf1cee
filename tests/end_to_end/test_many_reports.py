"""Reports of many customers, written by several processes: the same bytes, in order, and one that fails costs no other one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import child_process
from pipeline.errors import ConfigurationError, MachineFailed
from pipeline.periods import issue_many
from pipeline.periods.editions import Issue, find_issues
from pipeline.reporting.monthly_report import MonthlyReport, read_monthly_report, read_monthly_reports
from pipeline.reporting.published import EVERY_CUSTOMER, Scope, open_published
from pipeline.reporting.render_report import ReportFiles
from pipeline.settings import Workspace

# Still open: its drafts leave nothing in the workspace, which is read only.
MONTH = "2026-06"


@pytest.fixture
def issues(demo_workspace: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Issue, ...]:
    """Ten drafts, for two processes and four batches."""
    monkeypatch.setattr(issue_many, "BATCH", 3)
    monkeypatch.setattr(issue_many, "_WORTH_A_PROCESS", 1)
    monkeypatch.setattr(issue_many, "_count_processors", lambda: 2)
    found = find_issues(Workspace(demo_workspace), MONTH)[:10]
    assert len(found) == 10 and {issue.edition.state for issue in found} == {"open"}
    return found


def write(
    workspace: Path, issues: tuple[Issue, ...], out: Path, on_done: issue_many.OnDone = lambda issue: None
) -> list[issue_many.Written]:
    return issue_many.issue_reports(Workspace(workspace), issues, out, on_done)


def digests(written: list[issue_many.Written]) -> list[tuple[str, ...]]:
    for each in written:
        assert isinstance(each, ReportFiles), each
    return [(each.customer_id, each.pdf_sha256, each.csv_sha256, each.xlsx_sha256) for each in written]  # type: ignore[union-attr]


def test_processes_write_the_bytes_that_one_process_writes_and_one_failure_stays_alone(
    demo_workspace: Path, issues: tuple[Issue, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    with_stranger = (*issues[:4], replace(issues[0], customer_id="stranger"), *issues[4:])
    several = write(
        demo_workspace, with_stranger, tmp_path / "several", lambda issue: told.append(issue.customer_id)
    )
    stranger = several.pop(4)
    assert isinstance(stranger, ConfigurationError) and "no customer 'stranger'" in stranger.message
    assert sorted(told) == sorted(issue.customer_id for issue in with_stranger)
    monkeypatch.setattr(issue_many, "_count_processors", lambda: 1)
    alone = write(demo_workspace, issues, tmp_path / "alone")
    assert digests(several) == digests(alone)
    assert [files[0] for files in digests(alone)] == [issue.customer_id for issue in issues]
    assert sorted(path.name for path in (tmp_path / "several").iterdir()) == sorted(
        path.name for path in (tmp_path / "alone").iterdir()
    )


def test_reports_of_a_process_that_was_killed_are_written_by_another_one(
    demo_workspace: Path, issues: tuple[Issue, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = remember_processes(monkeypatch)
    written = write(demo_workspace, issues, tmp_path, lambda issue: started[0].kill())
    assert [files[0] for files in digests(written)] == [issue.customer_id for issue in issues]
    assert len(started) == 3
    assert all(process.poll() is not None for process in started)


def test_a_report_that_always_ends_its_process_fails_with_its_customers_name(
    demo_workspace: Path, issues: tuple[Issue, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember_processes(monkeypatch, lambda process: process.kill())
    written = write(demo_workspace, issues[:4], tmp_path)
    for issue, problem in zip(issues, written, strict=False):
        assert isinstance(problem, MachineFailed)
        assert repr(issue.customer_id) in problem.message and "signal SIGKILL" in problem.message


def remember_processes(
    monkeypatch: pytest.MonkeyPatch,
    then: Callable[[child_process.Process], None] = lambda process: None,
) -> list[child_process.Process]:
    started: list[child_process.Process] = []

    def start(module: str) -> tuple[child_process.Process, child_process.Connection]:
        process, connection = child_process.start_child(module)
        started.append(process)
        then(process)
        return process, connection

    monkeypatch.setattr(issue_many, "start_child", start)
    return started


def test_reports_read_together_say_what_each_says_to_a_reader_of_one_customer(demo_workspace: Path) -> None:
    with open_published(Workspace(demo_workspace)) as published:
        customers = [issue.customer_id for issue in find_issues(Workspace(demo_workspace), "2026-05")][:12]
        together = read_monthly_reports(published, EVERY_CUSTOMER, customers, "2026-05")
        for customer_id in customers:
            alone = read_monthly_report(published, Scope((customer_id,)), customer_id, "2026-05")
            report = together[customer_id]
            assert isinstance(report, MonthlyReport)
            # What the checks observed is withheld from a reader of one customer.
            assert replace(report, build=alone.build) == alone
        hidden = read_monthly_reports(published, Scope(tuple(customers[:1])), customers[:2], "2026-05")
        assert isinstance(hidden[customers[0]], MonthlyReport)
        assert isinstance(hidden[customers[1]], ConfigurationError)
