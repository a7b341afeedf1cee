from __future__ import annotations

from datetime import datetime

import pytest

from pipeline.cli.show_compliance import compliance_table
from pipeline.reporting.compliance import Compliance, Tally


@pytest.mark.parametrize(
    ("count", "notes"), [(0, []), (2, ["Met only by AI: 2 (an AI answered in time, no human did)."])]
)
def test_what_only_an_ai_answered_in_time_is_counted_where_there_is_any(count: int, notes: list[str]) -> None:
    result = Compliance((), "settled", (), Tally(breached=3, met_only_by_ai=count), datetime(2026, 7, 1))
    assert [note for note in compliance_table(result).notes if "AI" in note] == notes
