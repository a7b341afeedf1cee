"""Which edition of a customer's month is shown, what it is called, and what was known at an instant."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from pipeline.errors import ConfigurationError
from pipeline.periods import close as close_module
from pipeline.periods import customers as customers_module
from pipeline.periods.close import close_due, close_month, record_corrections, reopen_month
from pipeline.periods.compare import CustomerMonth, find_changes
from pipeline.periods.editions import Issue, find_issues, list_issues
from pipeline.periods.issue import name_files
from pipeline.periods.records import closed_folder, read_history
from pipeline.pointer import read_pointer
from pipeline.reporting import published as published_module
from pipeline.reporting.edition import Change
from pipeline.reporting.published import check_builds, check_of_record, open_published
from pipeline.rules.periods import PeriodRules
from pipeline.settings import Workspace
from pipeline.whole_files import hash_file
from tests.unit.periods.kept_builds import HOUR, Figures, Verdict, make_workspace, publish_figures, utc

CLOSING, LATER, LATEST = (utc(f"2026-06-{day}T12:00:00") for day in (10, 20, 25))
ACME = Verdict("T-1", "breached", utc("2026-05-06T15:00:00"), elapsed_seconds=30 * HOUR)
BETA = Verdict("T-2", "met", utc("2026-05-07T10:00:00"), customer_id="beta")
FIGURES = Figures(CLOSING, (ACME, BETA), names={"acme": "Acme", "beta": "Beta"})
WAIVED = replace(ACME, status="waived", waiver_id="W-1")


def at(monkeypatch: pytest.MonkeyPatch, instant: datetime) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(instant.timestamp())))


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """May is closed on 10 June, acme is corrected on 20 June and back on 25 June."""
    made = make_workspace(tmp_path)
    waived = replace(FIGURES, as_of=LATER, verdicts=(WAIVED, BETA)).change_input(
        "reference/waivers.csv", "w2"
    )
    for instant, name, figures in (
        (CLOSING, "build-a", FIGURES),
        (LATER, "build-b", waived),
        (LATEST, "build-c", replace(FIGURES, as_of=LATEST)),
    ):
        at(monkeypatch, instant)
        pointer = publish_figures(made, name, figures)
        record_corrections(made, pointer)
        with open_published(made) as published:
            close_due(made, published, pointer, PeriodRules(first_month="2026-05"))
    return made


def numbers(issues: tuple[Issue, ...]) -> list[str]:
    """Report numbers with the digest of customer and month left out."""
    return [
        f"{issue.customer_id} {re.sub('-[0-9a-f]{10}', '', issue.edition.report_number)}" for issue in issues
    ]


def test_closed_month_has_the_latest_correction_or_the_original(workspace: Workspace) -> None:
    issues = find_issues(workspace, "2026-05")
    assert numbers(issues) == ["acme R-2026-05-C2", "beta R-2026-05"]
    acme, beta = issues
    assert (acme.build.build_id, beta.build.build_id) == ("build-c", "build-a")
    assert acme.edition.corrects == acme.edition.report_number.removesuffix("-C2")
    assert (acme.edition.closed_at, acme.edition.issued_at) == (CLOSING, LATEST)
    assert (beta.edition.corrects, beta.edition.issued_at, beta.edition.changes) == (None, None, ())


def test_original_stays_readable_beside_its_corrections(workspace: Workspace) -> None:
    issues = find_issues(workspace, "2026-05", is_original=True)
    assert numbers(issues) == ["acme R-2026-05", "beta R-2026-05"]
    assert {issue.build.build_id for issue in issues} == {"build-a"}


def test_correction_says_in_words_what_changed_and_why(workspace: Workspace) -> None:
    [issue] = find_issues(workspace, "2026-05", ["acme"], as_known_at=LATER)
    file = ("reference/waivers.csv",)
    assert issue.edition.changes == (
        Change("reason", "T-1", "first_response", None, "waiver", file),
        Change("status", "T-1", "first_response", "breached", "waived", file),
        Change("waiver", "T-1", "first_response", None, "W-1", file),
    )


@pytest.mark.parametrize(
    ("instant", "known"),
    [
        ("2026-06-10T12:00:00", "acme R-2026-05"),
        ("2026-06-20T11:59:59", "acme R-2026-05"),
        ("2026-06-20T12:00:00", "acme R-2026-05-C1"),
        ("2026-06-25T11:59:59", "acme R-2026-05-C1"),
        ("2026-06-25T12:00:00", "acme R-2026-05-C2"),
    ],
)
def test_edition_of_an_instant_is_the_last_one_issued_by_then(
    workspace: Workspace, instant: str, known: str
) -> None:
    assert numbers(find_issues(workspace, "2026-05", ["acme"], as_known_at=utc(instant))) == [known]


def test_open_month_is_a_draft_of_the_build_that_was_served_at_the_instant(workspace: Workspace) -> None:
    before, now = (
        find_issues(workspace, "2026-06", ["acme"], as_known_at=instant)[0] for instant in (LATER, LATEST)
    )
    assert (before.build.build_id, now.build.build_id) == ("build-b", "build-c")
    assert (before.edition.state, numbers((before,))) == ("open", ["acme D-2026-06"])
    assert before.edition.report_number != now.edition.report_number


def test_instant_without_a_customer_to_report_on_is_an_error_too(workspace: Workspace) -> None:
    with pytest.raises(
        ConfigurationError, match="any customer in 2026-05 at 2026-06-10T11:59:59Z is not kept.*2026-05"
    ):
        find_issues(workspace, "2026-05", as_known_at=utc("2026-06-10T11:59:59"))


def test_instant_before_everything_that_is_kept_is_an_error_that_says_what_is(workspace: Workspace) -> None:
    with pytest.raises(
        ConfigurationError, match="is not kept.*published since 2026-06-10T12:00:00Z.*2026-05"
    ):
        find_issues(workspace, "2026-05", ["acme"], as_known_at=utc("2026-06-10T11:59:59"))


def test_reopened_month_is_a_draft_and_closed_again_a_second_version(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    reopen_month(workspace, "2026-05", "wrong contract file")
    [draft] = find_issues(workspace, "2026-05", ["acme"])
    assert (draft.edition.state, numbers((draft,))) == ("provisional", ["acme D-2026-05"])
    pointer = publish_figures(workspace, "build-d", replace(FIGURES, as_of=LATEST))
    with open_published(workspace) as published:
        close_month(workspace, published, pointer, "2026-05", dry_run=False)
    [again] = find_issues(workspace, "2026-05", ["acme"])
    assert numbers((again,)) == ["acme R-2026-05-V2"]
    assert again.edition.corrects == again.edition.report_number.removesuffix("-V2")


def test_customer_that_joins_a_closed_month_has_a_correction_and_no_original(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path)
    pointer = publish_figures(
        workspace, "build-a", replace(FIGURES, verdicts=(ACME,), names={"acme": "Acme"})
    )
    with open_published(workspace) as published:
        close_due(workspace, published, pointer, PeriodRules(first_month="2026-05"))
    record_corrections(workspace, publish_figures(workspace, "build-b", replace(FIGURES, as_of=LATER)))
    [beta] = find_issues(workspace, "2026-05", ["beta"])
    assert (numbers((beta,)), beta.edition.corrects) == (["beta R-2026-05-C1"], None)
    with pytest.raises(
        ConfigurationError, match="There is no original report of customer 'beta' for 2026-05"
    ):
        find_issues(workspace, "2026-05", ["beta"], is_original=True)


def test_list_for_a_delivery_has_every_edition_with_the_original_first(workspace: Workspace) -> None:
    assert numbers(list_issues(workspace, "2026-05")) == [
        "acme R-2026-05",
        "acme R-2026-05-C1",
        "acme R-2026-05-C2",
        "beta R-2026-05",
    ]
    assert list_issues(workspace, "2026-06") == ()


def test_files_of_editions_never_have_the_same_name(workspace: Workspace) -> None:
    names = [name_files(issue) for issue in list_issues(workspace, "2026-05")]
    assert len(set(names)) == 4
    assert names[1] == f"{names[0]}-C1"


def test_report_number_is_that_of_customer_and_month_alone(workspace: Workspace) -> None:
    first = find_issues(workspace, "2026-05", ["beta"])[0].edition.report_number
    assert re.fullmatch(r"R-2026-05-[0-9a-f]{10}", first)
    assert first == find_issues(workspace, "2026-05", ["beta"], as_known_at=CLOSING)[0].edition.report_number


def test_telling_what_is_due_opens_no_build_and_a_damaged_list_of_customers_is_made_up_for(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = numbers(list_issues(workspace, "2026-05"))
    kept = closed_folder(workspace) / "customers" / "000001.json"
    content = kept.read_bytes()
    for damaged in (content[:-5], content.replace(b"beta", b"gama"), None):
        kept.unlink()
        if damaged is not None:
            kept.write_bytes(damaged)
        assert numbers(list_issues(workspace, "2026-05")) == due
        kept.write_bytes(content)
    opened: list[str] = []
    monkeypatch.setattr(customers_module, "open_of_record", lambda *of: opened.append("a build"))
    assert numbers(list_issues(workspace, "2026-05")) == due
    assert opened == []


def test_build_that_was_compared_is_not_compared_again_until_something_is_on_record_since(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    pointer = read_pointer(workspace)
    assert pointer is not None
    compared: list[str] = []

    def note(*of: object) -> list[CustomerMonth]:
        compared.append("all builds")
        return find_changes(*of)  # type: ignore[arg-type]

    monkeypatch.setattr(close_module, "find_changes", note)
    assert record_corrections(workspace, pointer) == ()
    assert compared == []
    reopen_month(workspace, "2026-05", "wrong contract")
    record_corrections(workspace, pointer)
    record_corrections(workspace, pointer)
    assert compared == ["all builds"]
    # What is kept of it is of no weight: without it, or damaged, the builds are compared.
    (closed_folder(workspace) / "compared.json").write_text("{", encoding="utf-8")
    record_corrections(workspace, pointer)
    assert len(compared) == 2


def test_builds_of_record_are_read_once_and_again_when_they_were_touched(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []

    def note(path: Path) -> str:
        hashed.append(path.name)
        return hash_file(path)

    monkeypatch.setattr(published_module, "hash_file", note)
    published_module._is_whole.cache_clear()
    find_issues(workspace, "2026-05")
    assert "build-a.duckdb" not in hashed
    # The same bytes, copied there: it is read, and nothing is wrong.
    file = workspace.published / "build-a.duckdb"
    content, times = file.read_bytes(), file.stat()
    file.write_bytes(content)
    builds = read_history(workspace).builds()
    check_of_record(file, builds["build-a"])
    assert hashed == ["build-a.duckdb"]
    # Another byte, and the time of the last change set back.
    published_module._is_whole.cache_clear()
    file.write_bytes(content[:-1] + b"x")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(ConfigurationError, match="on which closed months rest, is damaged"):
        check_of_record(file, builds["build-a"])
    published_module._is_whole.cache_clear()
    with pytest.raises(ConfigurationError, match=r"build-a\.duckdb, on which closed months rest"):
        check_builds(workspace)
    file.write_bytes(content)
    published_module._is_whole.cache_clear()
    assert check_builds(workspace) == 3
