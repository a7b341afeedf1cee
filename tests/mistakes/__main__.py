"""Print what becomes of every mistake: `python -m tests.mistakes`. Exit code 1 when one publishes a wrong figure in silence."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.mistakes.corpus import Mistake, list_mistakes
from tests.mistakes.judge import SILENT, Outcome, build_baseline, refuse_settings, run_mistakes

_SHOWN_LINES = 6


def _print(number: int, outcome: Outcome) -> None:
    print(f"{number:4}  {outcome.became}, exit code {outcome.code}: {outcome.name}")
    for line in outcome.lines[-_SHOWN_LINES:]:
        print(f"          {line[:240]}")
    sys.stdout.flush()


def main() -> int:
    """Judge all mistakes, or those whose names hold the words given."""
    words = sys.argv[1:]
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="sla-mistakes-") as folder:
        built: dict[str, list[Mistake]] = {}
        for mistake in list_mistakes():
            if not all(word in mistake.name for word in words):
                continue
            outcome = None if mistake.run else refuse_settings(mistake, Path(folder) / "settings")
            if outcome is None:
                built.setdefault(mistake.run, []).append(mistake)
            else:
                counts[outcome.became] += 1
                _print(counts.total(), outcome)
        baseline = build_baseline(Path(folder) / "right") if built else None
        for mistakes in built.values():
            assert baseline is not None
            for outcome in run_mistakes(mistakes, Path(folder) / "wrong", baseline):
                counts[outcome.became] += 1
                _print(counts.total(), outcome)
    print("; ".join(f"{became}: {count}" for became, count in counts.most_common()))
    return int(counts[SILENT] > 0)


if __name__ == "__main__":
    sys.exit(main())
