"""What was counted, judged by the real Great Expectations once and never twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.quality import judge_counts as module
from pipeline.quality.judge_counts import Judged, Verdict, judge_counts

PASSING = Judged("column_values_to_not_be_null ticket_id (1)", 1.0, 1.0, "critical", "A reason.")
MOSTLY = Judged("column_values_to_be_between submitted_at (2)", 0.99, 0.99, "critical", "A reason.")
FAILING = Judged("column_values_to_be_between submitted_at (3)", 0.99, 1.0, "warning", "A reason.")


def refuse(*arguments: object) -> list[Verdict]:
    raise AssertionError("it was judged again")


def test_a_share_is_judged_by_the_least_share_that_is_allowed(tmp_path):
    short = replace(MOSTLY, name="short (4)", kept_share=0.9899)
    verdicts = judge_counts("raw.ticket_versions", [PASSING, MOSTLY, FAILING, short], tmp_path)
    assert [verdict.status for verdict in verdicts] == ["passed", "passed", "failed", "failed"]


def test_the_same_shares_are_not_judged_again(tmp_path, monkeypatch):
    judged = [PASSING, FAILING]
    first = judge_counts("raw.people", judged, tmp_path)
    monkeypatch.setattr(module, "_judge", refuse)
    assert judge_counts("raw.people", judged, tmp_path) == first


@pytest.mark.parametrize(
    "other",
    [
        [PASSING, replace(FAILING, kept_share=0.98)],
        [PASSING, replace(FAILING, mostly=0.9)],
        [PASSING],
    ],
)
def test_other_shares_and_another_suite_are_judged(tmp_path, monkeypatch, other):
    monkeypatch.setattr(module, "_judge", lambda table, judged: [Verdict("passed") for _ in judged])
    judge_counts("raw.people", [PASSING, FAILING], tmp_path)
    monkeypatch.setattr(module, "_judge", refuse)
    with pytest.raises(AssertionError):
        judge_counts("raw.people", other, tmp_path)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"statuses": ["passed", "passed"]}'])
def test_a_damaged_verdict_is_not_taken_for_one(tmp_path, monkeypatch, content):
    monkeypatch.setattr(module, "_judge", lambda table, judged: [Verdict("failed") for _ in judged])
    judge_counts("raw.people", [PASSING, FAILING], tmp_path)
    [file] = tmp_path.iterdir()
    file.write_bytes(content)
    verdicts = judge_counts("raw.people", [PASSING, FAILING], tmp_path)
    assert [verdict.status for verdict in verdicts] == ["failed", "failed"]


def test_what_gave_no_answer_is_judged_again(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_judge", lambda table, judged: [Verdict("error", "TypeError")])
    judge_counts("raw.people", [PASSING], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_only_so_many_verdicts_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_KEPT_FILES", 3)
    monkeypatch.setattr(module, "_judge", lambda table, judged: [Verdict("failed")])
    for broken in range(1, 6):
        judge_counts("raw.people", [replace(FAILING, kept_share=1 - broken / 10)], tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
