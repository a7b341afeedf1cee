"""The README's pictures of the dashboard cannot age unseen: they were made of the pages as they are."""

from __future__ import annotations

import re

import pytest

from pipeline.settings import CHECKOUT
from tests.picture_inputs import PICTURES, RECORD, describe_inputs, describe_pictures, hash_meaning
from tests.pictures import PICTURES as MADE


def test_pictures_were_made_of_the_pages_as_they_are() -> None:
    recorded = RECORD.read_text(encoding="utf-8").splitlines()
    now = [*describe_inputs(), *describe_pictures()]
    changed = sorted({line.split()[0] for line in {*recorded} ^ {*now}})
    assert changed == [], (
        "changed since the pictures were made: run `make pictures`, look at them, and commit them"
    )


def test_every_picture_is_in_the_readme_and_every_one_of_the_readme_is_made() -> None:
    shown = set(
        re.findall(r"data/pictures/(dashboard-[\w-]+)\.png", (CHECKOUT / "README.md").read_text("utf-8"))
    )
    assert shown == set(MADE) == {path.stem for path in PICTURES.glob("dashboard-*.png")}


@pytest.mark.parametrize(
    ("name", "before", "after", "is_same"),
    [
        ("a.py", "x = 1\n", "x = 1  # why\n", True),
        ("a.py", 'def f():\n    "one"\n    return 1\n', 'def f():\n    "two"\n    return 1\n', True),
        ("a.py", 'say("a.b")\n', 'say("a.c")\n', False),
        ("en.yml", "a: b\n", "a: c\n", False),
    ],
)
def test_a_comment_makes_no_picture_old_and_a_word_does(
    name: str, before: str, after: str, is_same: bool
) -> None:
    assert (hash_meaning(name, before) == hash_meaning(name, after)) == is_same
