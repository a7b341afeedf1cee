"""What becomes of a mistake: refused, nothing published, told in the last lines, or no figure changed. All else is silence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import SlaError
from pipeline.rules.load_rules import load_rules
from pipeline.settings import Workspace
from tests.end_to_end.command_line import run_sla
from tests.end_to_end.published import query
from tests.mistakes.corpus import Mistake
from tests.mistakes.workspace import write_files, write_workspace

SILENT = "PUBLISHED IN SILENCE"
# Everything that a customer or a manager is told.
_FIGURES = (
    """
    select ticket_id, obligation, cycle_number, status, status_reason, elapsed_seconds, customer_id, settled_month
    from core.fct_sla_obligations order by all
    """,
    """
    select subscription_id, pool, remaining_quantity, overage_quantity, expired_quantity, credited_quantity
    from core.fct_entitlement_balances order by all
    """,
)
# Lines that every run may say in another way: the name of the build, and how far a file is read.
_PASSING = re.compile(r"Build [0-9a-f]{16}, |.* rows so far, ")


@dataclass(frozen=True)
class Outcome:
    """What became of a mistake. `lines`: what the run said last."""

    name: str
    became: str
    code: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Baseline:
    """The workspace without a mistake: its figures, and every line that its run says."""

    figures: object
    lines: frozenset[str]


def _last_lines(text: str, root: Path) -> list[str]:
    """What the run says beside the lines about single files."""
    return [line for line in text.replace(str(root), ".").splitlines() if not _PASSING.match(line)]


def _read_figures(root: Path) -> object:
    return [query(root, figures) for figures in _FIGURES]


def build_baseline(root: Path) -> Baseline:
    """Run the job on the workspace without a mistake."""
    write_workspace(root, write_files(delivers=False))
    done = run_sla("run", workspace=root).expect(0)
    return Baseline(_read_figures(root), frozenset(_last_lines(done.err, root)))


def refuse_settings(mistake: Mistake, root: Path) -> Outcome | None:
    """The refusal of the rule files, which is the first thing that a build reads; None where they are taken."""
    files = write_files()
    mistake.change(files)
    write_workspace(root, files)
    try:
        load_rules(Workspace(root))
    except SlaError as refusal:
        lines = tuple(str(refusal).replace(str(root), ".").splitlines())
        return Outcome(mistake.name, "refused", refusal.exit_code, lines)
    return None


def run_mistakes(mistakes: Sequence[Mistake], root: Path, baseline: Baseline) -> list[Outcome]:
    """Run the job once on the workspace with these mistakes; each must be told by a line of its own."""
    files = write_files(delivers=False)
    for mistake in mistakes:
        mistake.change(files)
    write_workspace(root, files)
    done = run_sla("run", workspace=root)
    told = [line for line in _last_lines(done.err, root) if line not in baseline.lines]
    is_published = (root / "warehouse" / "published" / "current.json").is_file()
    is_same = is_published and _read_figures(root) == baseline.figures
    outcomes = []
    for mistake in mistakes:
        own = tuple(line for line in told if re.search(mistake.told_by, line))
        if not is_published:
            became = "nothing published" if own else SILENT
        elif is_same:
            became = "no figure differs"
        else:
            became = "told" if own else SILENT
        outcomes.append(Outcome(mistake.name, became, done.code, own or tuple(told)))
    return outcomes
