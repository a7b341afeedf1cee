"""Recomputing: an archive of one obligation, worked out by hand, and one changed value at a time."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from pipeline.evidence.archive import pack
from pipeline.evidence.recompute import recompute_evidence

# Thursday 9 July 20:00 to Friday 10 July 08:00, open 06:00 to 21:00: 1 h on Thursday and 2 h on Friday; the customer was waited
# for from 06:30 to 07:00, so 2 h 30 min = 9,000 seconds count.
OBLIGATION = {
    "obligation_key": "T-1:first_response:1", "ticket_id": "T-1", "plan_version": "standard@2020-11-16",
    "obligation": "first_response", "severity_in_force": 3, "clock_name": "business_hours",
    "counts_from_at": "2026-07-09T20:00:00Z", "read_until_at": "2026-07-10T08:00:00Z", "stopped_at": "2026-07-10T08:00:00Z",
    "stopping_event_id": "E-2", "breached_at": None, "target_seconds": 9_000, "elapsed_seconds": 9_000, "status": "met",
    "status_before_waiver": None, "could_be": None, "is_met_only_by_ai": False, "compliance_month": "2026-07",
}  # fmt: skip
TERM = {
    "plan": "standard", "plan_version": "standard@2020-11-16", "obligation": "first_response", "obligation_kind": "target",
    "severity": 3, "target_seconds": 9_000, "clock_name": "business_hours", "clause": "c1",
}  # fmt: skip
COUNTS = {
    "met": 1, "breached": 0, "pending": 0, "waived": 0, "not_covered": 0, "not_measurable": 0, "met_only_by_ai": 0,
    "raw_met": 1, "raw_breached": 0, "lower_met": 1, "upper_met": 1, "bounded": 1, "raw_lower_met": 1, "raw_upper_met": 1,
    "raw_bounded": 1,
}  # fmt: skip
TABLES: dict[str, list[dict[str, Any]]] = {
    "obligations": [OBLIGATION],
    "segments": [{"obligation_key": "T-1:first_response:1", "counted_seconds": seconds} for seconds in (3_600, 1_800, 3_600)],
    "pauses": [
        {"obligation_key": "T-1:first_response:1", "pauses_at": "2026-07-10T06:30:00Z", "resumes_at": "2026-07-10T07:00:00Z"}
    ],
    "events": [{"ticket_id": "T-1", "event_id": "E-2"}],
    "intervals": [
        {"clock_name": "business_hours", "opens_at": f"2026-07-{day}T06:00:00Z", "closes_at": f"2026-07-{day}T21:00:00Z"}
        for day in ("09", "10")
    ],
    "plan_terms": [TERM],
    # 10 units at the start of the month, one used.
    "statements": [{"subscription_id": "S-1", "pool": "regular", "opening_quantity": 10, "closing_quantity": 9}],
    "movements": [
        {
            "movement_id": "M-1", "subscription_id": "S-1", "pool": "regular", "statement_line": 2, "quantity": -1,
            "balance_after": 9,
        }
    ],
}  # fmt: skip
FIGURES = {
    "total": COUNTS,
    "outside_promises": dict.fromkeys(COUNTS, 0),
    "promises": [
        {**{name: TERM[name] for name in TERM if name not in ("severity", "plan_version")}, "tally": COUNTS}
    ],
}
ABOUT = {
    "customer_id": "acme",
    "customer_name": "Acme",
    "month": "2026-07",
    "build_id": "b",
    "as_of": "2026-08-03T12:00:00Z",
}


def differences(folder: Path, tables: dict[str, Any], figures: dict[str, Any]) -> list[str]:
    path = folder / "evidence.zip"
    path.write_bytes(pack(tables, {"figures.json": json.dumps(figures).encode()}, ABOUT))
    return [str(each) for each in recompute_evidence(path).differences]


def test_the_rows_give_the_figures(tmp_path: Path) -> None:
    assert differences(tmp_path, TABLES, FIGURES) == []


@pytest.mark.parametrize(
    ("table", "column", "value", "found"),
    [
        (
            "obligations",
            "elapsed_seconds",
            8_999,
            "elapsed_seconds: the archive says 8999, its rows give 9000",
        ),
        ("obligations", "target_seconds", 8_999, "status: the archive says met, its rows give breached"),
        ("obligations", "stopping_event_id", "E-3", "the archive says E-3, its rows give none"),
        ("obligations", "status", "breached", "status: the archive says breached, its rows give met"),
        ("segments", "counted_seconds", 3_601, "the archive says 9000, its rows give 9001"),
        ("pauses", "resumes_at", "2026-07-10T07:00:01Z", "the archive says 9000, its rows give 8999"),
        ("intervals", "opens_at", "2026-07-09T20:00:01Z", "the archive says 9000, its rows give 8999"),
        ("plan_terms", "clause", "c2", "the archive says not listed, its rows give counted"),
        ("statements", "closing_quantity", 10, "closing_quantity: the archive says 10, its rows give 9"),
        ("movements", "balance_after", 8, "M-1: the archive says 8, its rows give 9"),
    ],
)
def test_one_changed_value_is_found(
    tmp_path: Path, table: str, column: str, value: object, found: str
) -> None:
    changed = deepcopy(TABLES)
    changed[table][0][column] = value
    assert any(found in each for each in differences(tmp_path, changed, FIGURES))


def test_one_changed_count_is_found(tmp_path: Path) -> None:
    changed = deepcopy(FIGURES)
    changed["promises"][0]["tally"]["met"] = 2
    assert any("met of the promise" in each for each in differences(tmp_path, TABLES, changed))
