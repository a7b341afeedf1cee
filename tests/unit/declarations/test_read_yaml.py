"""YAML as our rule files use it: little of it is more than text, and nothing in it is ambiguous."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.declarations.read_yaml import YamlDocument, read_yaml
from pipeline.errors import ConfigurationError


def read(folder: Path, text: str) -> YamlDocument:
    (folder / "rules.yml").write_text(text, encoding="utf-8")
    return read_yaml(folder / "rules.yml")


def test_scalars_stay_text_when_yaml_would_read_more_into_them(tmp_path: Path) -> None:
    text = (
        "{a: 2026-12-25, b: 24:00, on: no, c: 010, d: 1.5, e: 12, f: true, g: null, h: 1234567890123456789}"
    )
    assert read(tmp_path, text).data == {
        "a": "2026-12-25",
        "b": "24:00",
        "on": "no",
        "c": "010",
        "d": "1.5",
        "e": 12,
        "f": True,
        "g": None,
        "h": "1234567890123456789",
    }


def test_line_of_a_missing_value_is_that_of_its_nearest_parent(tmp_path: Path) -> None:
    document = read(tmp_path, "a:\n  b:\n    - c: 1\n    - c: 2\n")
    assert document.line_of("a", "b", 1, "c") == 4
    assert document.line_of("a", "b", 1, "missing", "deeper") == 4
    assert document.line_of("a", "missing") == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: 1\na: 2\n",
            "names the same key twice.\n  {file}:2: a: this key is there already. Keep one of the two.",
        ),
        (
            "a: [1\n",
            "is not valid YAML.\n  {file}:2: did not find expected ',' or ']'. "
            "Check indentation, quotes and colons.",
        ),
        ("? [a]\n: 1\n", "is not usable.\n  {file}:1: a key is neither text nor a number. Put it in quotes."),
        ("true: 1\n", "is not usable.\n  {file}:1: a key is neither text nor a number. Put it in quotes."),
        ("a: &a [*a]\n", "is nested too deeply, or an alias holds itself."),
        (
            "a:\n  größe: #1f4e79\n  b: 1\n",
            "is not usable.\n  {file}:2: a.größe: YAML takes '#1f4e79' for a comment, so the key has no value. "
            "Put the value in quotation marks; if it is a comment, write a space after the #.",
        ),
        (
            "{a: 1,\n 'b' :\t#2 of 3\n}\n",
            "is not usable.\n  {file}:2: b: YAML takes '#2 of 3' for a comment, so the key has no value. "
            "Put the value in quotation marks; if it is a comment, write a space after the #.",
        ),
        (
            "a:\n  footer: Über Support #1 of 2\n",
            "is not usable.\n  {file}:2: a.footer: YAML takes '#1 of 2' for a comment, so the value is 'Über Support' only. "
            "Put the value in quotation marks; if it is a comment, write a space after the #.",
        ),
        (
            "a: [x, two\n  lines #y\n ]\n",
            "is not usable.\n  {file}:2: a.1: YAML takes '#y' for a comment, so the value is 'two lines' only. "
            "Put the value in quotation marks; if it is a comment, write a space after the #.",
        ),
        (
            "a: 24 #7\n",
            "is not usable.\n  {file}:1: a: YAML takes '#7' for a comment, so the value is 24 only. "
            "Put the value in quotation marks; if it is a comment, write a space after the #.",
        ),
        (
            "a:\n  - x\n  - #y\n",
            "is not usable.\n  {file}:3: a.1: YAML takes '#y' for a comment, so the list has an item without a value. "
            "Put the value in quotation marks; if it is a comment, write a space after the #.",
        ),
    ],
)
def test_file_is_refused_when_it_cannot_be_read_in_one_way(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "rules.yml"
    with pytest.raises(ConfigurationError) as refusal:
        read(tmp_path, text)
    assert str(refusal.value) == f"{file} {message.format(file=file)}"


@pytest.mark.parametrize("value", ['"#1f4e79"', "", "# nothing yet", "## nothing yet", "#", "null #1"])
def test_value_may_hold_a_mark_of_a_comment_or_be_left_out_with_a_comment(tmp_path: Path, value: str) -> None:
    assert read(tmp_path, f"a: {value}\nb: 1\n").data == {"a": "#1f4e79" if '"' in value else None, "b": 1}


@pytest.mark.parametrize(
    "value", ["Support # 1", "Support # and more", "Support ## 1", "'Support' #1", "Support #"]
)
def test_comment_behind_a_value_is_one_where_nothing_else_can_be_meant(tmp_path: Path, value: str) -> None:
    assert read(tmp_path, f"a: {value}\nb: [{value}\n]\n").data == {"a": "Support", "b": ["Support"]}


def test_mark_of_a_comment_within_a_word_or_in_quotation_marks_is_text(tmp_path: Path) -> None:
    assert read(tmp_path, 'a: C#1\nb: "Support #1"\nc: |\n  Support #1\n').data == {
        "a": "C#1",
        "b": "Support #1",
        "c": "Support #1\n",
    }


def test_comment_may_stand_between_a_key_and_what_is_below_it(tmp_path: Path) -> None:
    assert read(tmp_path, "a: #list\n  - 1\nb: #mapping\n  c: 2\n").data == {"a": [1], "b": {"c": 2}}


def test_file_is_refused_when_its_aliases_grow_beyond_measure(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{depth}: &a{depth} [{', '.join([f'*a{depth - 1}'] * 10)}]" for depth in range(1, 9)]
    with pytest.raises(
        ConfigurationError, match="holds more than 100000 values. Write them without aliases."
    ):
        read(tmp_path, "\n".join(lines))
