"""No mistake in the settings publishes a wrong figure in silence: it is refused, nothing is published, or the run says it.

`python -m tests.mistakes` prints what becomes of each.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mistakes.corpus import Mistake, list_mistakes
from tests.mistakes.judge import SILENT, Baseline, build_baseline, refuse_settings, run_mistakes

MISTAKES = list_mistakes()
REFUSED = [mistake for mistake in MISTAKES if not mistake.run]
RUNS = sorted({mistake.run for mistake in MISTAKES if mistake.run})
# One of each kind; the rest is of the same kinds and takes as long again.
FEW = [mistake for mistake in REFUSED if mistake.name.startswith("sla.yml: the key ")][::8] + REFUSED[-30::4]


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    return build_baseline(tmp_path_factory.mktemp("right") / "workspace")


def _names(mistakes: list[Mistake]) -> list[str]:
    return [mistake.name for mistake in mistakes]


def test_corpus_holds_more_than_four_hundred_mistakes_of_every_kind() -> None:
    assert len(MISTAKES) > 400
    for kind in (
        "the key sources.",
        "the key periods.",
        "the key delivery.",
        "the key branding.",
        "the column ",
        " swapped",
        " in utf-16",
        " in latin-1",
    ):
        assert any(kind in mistake.name for mistake in MISTAKES), kind


@pytest.mark.parametrize("mistake", FEW, ids=_names(FEW))
def test_wrong_settings_are_refused_before_anything_is_built(tmp_path: Path, mistake: Mistake) -> None:
    outcome = refuse_settings(mistake, tmp_path / "workspace")
    assert outcome is not None, f"taken: {mistake.name}"
    assert outcome.code in (2, 3)
    assert len(outcome.lines) > 1 or "cannot be read" in outcome.lines[0]


@pytest.mark.long
@pytest.mark.parametrize("mistake", REFUSED, ids=_names(REFUSED))
def test_each_of_all_wrong_settings_is_refused(tmp_path: Path, mistake: Mistake) -> None:
    assert refuse_settings(mistake, tmp_path / "workspace") is not None, f"taken: {mistake.name}"


@pytest.mark.long
@pytest.mark.parametrize("run", RUNS)
def test_mistake_that_only_the_exports_show_publishes_nothing_or_is_told(
    tmp_path: Path, run: str, baseline: Baseline
) -> None:
    mistakes = [mistake for mistake in MISTAKES if mistake.run == run]
    outcomes = run_mistakes(mistakes, tmp_path / "workspace", baseline)
    assert [(one.name, one.lines) for one in outcomes if one.became == SILENT] == []
