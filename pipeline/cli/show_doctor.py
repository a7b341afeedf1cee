"""What the doctor found, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipeline.cli.tables import LEFT, TextTable
from pipeline.doctor.line import Line


def doctor_table(lines: Sequence[Line]) -> TextTable:
    """A row per line; what to do stands beside what was found."""
    counts: Counter[str] = Counter(line.state for line in lines)
    note = ", ".join(f"{counts[state]} {state}" for state in ("ok", "warning", "wrong") if counts[state])
    return TextTable(
        "Examination",
        (("state", LEFT), ("check", LEFT), ("found", LEFT), ("what to do", LEFT)),
        tuple((line.state, line.check, line.found, line.advice) for line in lines),
        (f"{note}.",),
    )
