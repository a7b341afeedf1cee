"""Rules for the decision log: its index lists every stance, and every stance has a date, a rule and an example."""

from __future__ import annotations

import re
from datetime import date

import pytest

from pipeline.settings import DBT_PROJECT

DECISIONS = {path.name: path for path in sorted((DBT_PROJECT / "decisions").glob("*.md"))}
LINE_LENGTH = 110


def read_topics(name: str) -> dict[str, list[str]]:
    """Topic -> headings of its stances, in the order of the file."""
    topics: dict[str, list[str]] = {}
    for line in DECISIONS[name].read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            topics[line.removeprefix("## ")] = []
        elif line.startswith("### "):
            topics[list(topics)[-1]].append(line.removeprefix("### "))
    return topics


def read_index() -> dict[str, dict[str, list[str]]]:
    """File -> topic -> stances, as DECISIONLOG.md lists them."""
    index: dict[str, dict[str, list[str]]] = {}
    stances: list[str] = []
    for line in (DBT_PROJECT / "DECISIONLOG.md").read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"## (.+) · \[(\w+\.md)\]\(decisions/\2\)", line):
            stances = index.setdefault(match[2], {}).setdefault(match[1], [])
        elif index and line.startswith("- "):
            stances.append(line.removeprefix("- "))
    return index


def test_index_lists_every_stance_under_its_topic_and_file() -> None:
    assert read_index() == {name: read_topics(name) for name in sorted(DECISIONS)}


def test_no_two_stances_have_the_same_heading() -> None:
    headings = [heading for name in DECISIONS for topic in read_topics(name).values() for heading in topic]
    assert sorted(set(headings)) == sorted(headings)


@pytest.mark.parametrize("name", DECISIONS)
def test_every_stance_has_a_date_a_rule_and_an_example(name: str) -> None:
    _, *stances = re.split(r"^### ", DECISIONS[name].read_text(encoding="utf-8"), flags=re.MULTILINE)
    for stance in stances:
        heading, second, *rest = stance.splitlines()
        dated = re.match(r"(\d{4}-\d{2}-\d{2})\. Rule: \S", second)
        assert dated, heading
        date.fromisoformat(dated[1])
        assert any(line.startswith(("Example", "- Example")) for line in rest), f"no example: {heading}"


@pytest.mark.parametrize("name", DECISIONS)
def test_no_line_of_a_stance_is_too_long_to_read(name: str) -> None:
    lines = DECISIONS[name].read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > LINE_LENGTH] == []
