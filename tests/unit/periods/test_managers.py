"""The managers' document of a month: the build that its figures are from, and what it is called."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pypdf
import pytest

from pipeline.errors import ConfigurationError
from pipeline.periods.close import close_due, record_corrections, reopen_month
from pipeline.periods.managers import list_missing_packs, write_pack
from pipeline.reporting.published import open_published
from pipeline.rules.periods import PeriodRules
from pipeline.settings import Workspace
from tests.unit.periods.kept_builds import Figures, make_workspace, publish_figures
from tests.unit.periods.test_editions import ACME, BETA, CLOSING, FIGURES, LATER, WAIVED, at


def text_of(path: Path) -> str:
    pages = (page.extract_text() for page in pypdf.PdfReader(io.BytesIO(path.read_bytes())).pages)
    return re.sub(r"\s+", " ", " ".join(pages))


def publish_and_close(workspace: Workspace, name: str, figures: Figures) -> None:
    pointer = publish_figures(workspace, name, figures)
    record_corrections(workspace, pointer)
    with open_published(workspace) as published:
        close_due(workspace, published, pointer, PeriodRules(first_month="2026-05"))


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """May is closed on 10 June with one breach of two promises."""
    at(monkeypatch, CLOSING)
    made = make_workspace(tmp_path / "workspace")
    publish_and_close(made, "build-a", FIGURES)
    return made


def test_a_closed_month_keeps_the_figures_of_its_closing_and_counts_its_corrections(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = write_pack(workspace, "2026-05", tmp_path / "before")
    assert before.report_id == "M-2026-05"
    assert "1 of 2 promises was met in May 2026. 1 was breached." in text_of(before.pdf)
    at(monkeypatch, LATER)
    # The breach is waived.
    waived = replace(FIGURES, as_of=LATER, verdicts=(WAIVED, BETA)).change_input(
        "reference/waivers.csv", "w2"
    )
    publish_and_close(workspace, "build-b", waived)
    after = write_pack(workspace, "2026-05", tmp_path / "after")
    text = text_of(after.pdf)
    assert "1 of 2 promises was met in May 2026. 1 was breached." in text
    assert "1 correction since the month was closed" in text
    assert (after.compliance_csv_sha256, after.breaches_csv_sha256) == (
        before.compliance_csv_sha256,
        before.breaches_csv_sha256,
    )
    assert write_pack(workspace, "2026-05", tmp_path / "again").pdf_sha256 == after.pdf_sha256


def test_a_later_build_that_corrects_nothing_changes_no_byte_of_a_closed_month(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = write_pack(workspace, "2026-05", tmp_path / "before")
    at(monkeypatch, LATER)
    publish_and_close(workspace, "build-b", replace(FIGURES, as_of=LATER))
    assert write_pack(workspace, "2026-05", tmp_path / "after").pdf_sha256 == before.pdf_sha256


def test_a_month_that_is_not_closed_is_a_draft_of_the_build_that_is_served(
    workspace: Workspace, tmp_path: Path
) -> None:
    files = write_pack(workspace, "2026-06", tmp_path)
    assert files.report_id.startswith("DM-2026-06-")
    assert "Draft" in text_of(files.pdf)


def test_a_month_that_was_reopened_is_a_draft_again(workspace: Workspace, tmp_path: Path) -> None:
    reopen_month(workspace, "2026-05", "wrong contract file")
    assert write_pack(workspace, "2026-05", tmp_path).report_id.startswith("DM-2026-05-")


def test_closed_months_without_a_document_are_those_that_a_run_writes(workspace: Workspace) -> None:
    with open_published(workspace) as published:
        assert list_missing_packs(workspace, published) == ["2026-05"]
        write_pack(workspace, "2026-05", workspace.reports)
        assert list_missing_packs(workspace, published) == []


def test_nothing_published_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Nothing is published yet"):
        write_pack(make_workspace(tmp_path / "new"), "2026-05", tmp_path)


def test_a_breach_that_is_waived_is_no_breach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, CLOSING)
    made = make_workspace(tmp_path / "workspace")
    publish_figures(made, "build-a", Figures(CLOSING, (ACME, replace(WAIVED, ticket_id="T-9"))))
    text = text_of(write_pack(made, "2026-05", tmp_path).pdf)
    assert "1 was breached." in text and "1 waived" in text
