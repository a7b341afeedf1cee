"""Rules for tests/mutants: the place that a mutant changes is there, and so are the tests that are said to kill it.

`make mutants` takes half an hour and runs seldom; without these rules a change of the code takes mutants out of use unseen.
"""

from __future__ import annotations

from pipeline.settings import CHECKOUT
from tests.mutants.__main__ import load_mutants


def test_the_old_text_of_every_mutant_stands_once_in_its_file() -> None:
    misfits = [mutant.sentence for mutant in load_mutants() if not mutant.fits(CHECKOUT)]
    assert misfits == [], "renew these entries of mutants.toml, or take them out"


def test_no_mutant_stands_twice() -> None:
    changes = [(mutant.file, mutant.old, mutant.new) for mutant in load_mutants()]
    assert [change for change in changes if changes.count(change) > 1] == []


def test_every_test_that_is_said_to_kill_a_mutant_is_there() -> None:
    stories = {file.parent.name for file in (CHECKOUT / "tests" / "scenarios").glob("*/*/scenario.yml")}
    named = {name for mutant in load_mutants() for name in mutant.killed_by}
    assert sorted(name for name in named if not _is_there(name, stories)) == []


def _is_there(name: str, stories: set[str]) -> bool:
    if "/" not in name:
        return name in stories
    file, _, test = name.partition("::")
    function = f"def {test.partition('[')[0]}("
    return (CHECKOUT / file).is_file() and function in (CHECKOUT / file).read_text(encoding="utf-8")
