"""`make mutants`: applies every mutant of mutants.toml to a copy of the checkout and runs the tests that are said to kill it.

`python -m tests.mutants WORD...` takes those whose file or new text holds one of the words. Exit code 1 when a mutant survived
or does not fit the code any more, 2 when the tests fail without any mutant.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.settings import CHECKOUT

_LIST = Path(__file__).parent / "mutants.toml"
_COPIED = ("pipeline", "dbt_project", "expectations", "dashboards", "data", "tests", "pyproject.toml")
_RUN = (sys.executable, "-m", "pytest", "-q", "-n", "0", "-x", "-p", "no:cacheprovider")


@dataclass(frozen=True)
class Mutant:
    """One change of one place. `killed_by`: the name of a story, or a test as pytest names it."""

    file: str
    old: str
    new: str
    killed_by: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return f"{self.file}: {' '.join(self.old.split())!r} -> {' '.join(self.new.split())!r}"

    @property
    def tests(self) -> list[str]:
        return [_name_test(name) for name in self.killed_by]

    def fits(self, checkout: Path) -> bool:
        """Whether the old text stands exactly once in its file."""
        file = checkout / self.file
        return file.is_file() and file.read_text(encoding="utf-8").count(self.old) == 1


def load_mutants() -> list[Mutant]:
    listed = tomllib.loads(_LIST.read_text(encoding="utf-8"))["mutant"]
    return [Mutant(one["file"], one["old"], one["new"], tuple(one["killed_by"])) for one in listed]


def main(words: list[str]) -> int:
    mutants = [
        one for one in load_mutants() if not words or any(word in one.file + one.new for word in words)
    ]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in _COPIED:
            copy_one = shutil.copytree if (CHECKOUT / name).is_dir() else shutil.copy
            copy_one(CHECKOUT / name, copy / name)
        if _run(copy, {test for mutant in mutants for test in mutant.tests}) != 0:
            print("The tests of these mutants fail without them; nothing can be told.", file=sys.stderr)
            return 2
        survived = [mutant for mutant in mutants if not _is_killed(copy, mutant)]
    print(f"{len(mutants) - len(survived)} of {len(mutants)} killed")
    return 1 if survived else 0


def _is_killed(copy: Path, mutant: Mutant) -> bool:
    if not mutant.fits(copy):
        print(f"does not fit  {mutant.sentence}", flush=True)
        return False
    file = copy / mutant.file
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        # 1: tests failed. Anything else, such as a test that is not there, is no kill.
        is_killed = _run(copy, mutant.tests) == 1
    finally:
        file.write_text(text, encoding="utf-8")
    print(f"{'killed' if is_killed else 'SURVIVED':12}  {mutant.sentence}", flush=True)
    return is_killed


def _run(copy: Path, tests: Iterable[str]) -> int:
    """pytest's exit code in the copy, whose modules come before the installed ones."""
    return subprocess.run([*_RUN, *sorted(tests)], cwd=copy, capture_output=True, check=False).returncode


def _name_test(name: str) -> str:
    if "/" in name:
        return name
    return f"tests/scenarios/test_scenarios.py::test_scenario[{name.replace('_', ' ')}]"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
