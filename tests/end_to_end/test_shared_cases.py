"""Small workspaces made from public fault reports, beside the checkout: what each says must come out of the command line.

A case names the sources of its sla.yml, its inbox, its reference files, and facts: a row of `sla --json <from>` that is found by
`where` must show `is`. Cases with `workspace: shared` are loaded together, so that one helpdesk can never answer for another.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import SHARED_DATA
from tests.end_to_end.command_line import run_sla

CASES = sorted(path.parent for path in SHARED_DATA.glob("cases/*/expected.json"))


def _expected(case: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    return found


def _write_workspace(root: Path, cases: list[Path]) -> None:
    run_sla("init", str(root)).expect(0)
    shutil.rmtree(root / "inbox", ignore_errors=True)
    sources: dict[str, Any] = {}
    tables: dict[str, list[str]] = {}
    for case in cases:
        sources |= json.loads((case / "sources.json").read_text(encoding="utf-8"))
        shutil.copytree(case / "inbox", root / "inbox", dirs_exist_ok=True)
        for file in sorted((case / "reference").rglob("*")):
            if file.suffix == ".csv":
                header, *rows = file.read_text(encoding="utf-8").splitlines()
                tables.setdefault(file.name, [header]).extend(rows)
            elif file.is_file():
                target = root / file.relative_to(case)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target)
    for name, lines in tables.items():
        (root / "reference" / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (root / "sla.yml").write_text(yaml.safe_dump({"sources": sources, "compare_plans": []}), encoding="utf-8")


def _matches(found: Any, wanted: Any) -> bool:
    return found in wanted["any"] if isinstance(wanted, Mapping) else bool(found == wanted)


def _check(root: Path, case: Path) -> list[str]:
    wrong = []
    for fact in _expected(case)["facts"]:
        answer = json.loads(run_sla(fact["from"], "--workspace", str(root), "--json").expect(0).out)
        rows = answer if isinstance(answer, list) else next(v for v in answer.values() if isinstance(v, list))
        found = [row for row in rows if all(row.get(name) == value for name, value in fact["where"].items())]
        shown = [{name: row.get(name) for name in fact["is"]} for row in found]
        if len(found) != 1 or not all(_matches(found[0].get(n), wanted) for n, wanted in fact["is"].items()):
            wrong.append(f"{case.name}: {fact['where']} should show {fact['is']}, shows {shown}")
    return wrong


@pytest.mark.skipif(
    not CASES, reason="Needs the cases in ../shared/data, which are not part of the repository."
)
def test_every_case_shows_the_facts_that_must_come_out(tmp_path: Path) -> None:
    shared = [case for case in CASES if _expected(case)["workspace"] == "shared"]
    alone = [case for case in CASES if case not in shared]
    wrong: list[str] = []
    for number, cases in enumerate([shared, *([case] for case in alone)]):
        root = tmp_path / str(number)
        _write_workspace(root, cases)
        as_of = _expected(cases[0])["as_of"]
        exits: set[int] = set()
        for case in cases:
            code = _expected(case)["run_exit"]
            exits |= {code} if isinstance(code, int) else set(code)
        stated = ("--as-of", as_of) if as_of else ()
        done = run_sla("run", "--workspace", str(root), *stated)
        assert done.code in exits, done.err
        wrong += [line for case in cases for line in _check(root, case)]
    assert wrong == []
