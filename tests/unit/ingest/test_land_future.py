"""Nothing lies in the future: a record of an instant more than five minutes after its landing is quarantined, in every form.

The clock that says when a file landed stands at 2026-07-01 12:00:00 UTC here.
"""

from __future__ import annotations

import json

import pytest

from pipeline.rules.load_sources import load_sources
from tests.unit.ingest.conftest import Landing

FRESHDESK = "sources:\n  fresh: {type: freshdesk, customer: {constant: acme}, severity: {field: priority, values: {1: 3}}}\n"
LANDED_EPOCH = "1782907200"
IN_TIME, TOO_LATE = "2026-07-01T12:05:00Z", "2026-07-01T12:05:01Z"


def _canonical(at: str) -> str:
    header = "event_id,ticket_id,event_at,event_type,actor_kind,actor,is_public,value\n"
    return f"{header}E-1,T-1,2026-06-30T08:00:00Z,message,agent,anna,true,\nE-2,T-1,{at},message,agent,anna,true,\n"


def _zendesk(at: str) -> str:
    lines = [
        {"id": number, "ticket_id": 1, "created_at": when, "author_id": 8, "events": [{"id": 100 + number, "type": "Comment"}]}
        for number, when in ((1, "2026-06-30T08:00:00Z"), (2, at))
    ]  # fmt: skip
    return "".join(json.dumps(line) + "\n" for line in lines)


def _freshdesk(at: str) -> str:
    lines = [
        {"id": number, "ticket_id": 1, "incoming": True, "private": False, "created_at": when}
        for number, when in ((1, "2026-06-30T08:00:00Z"), (2, at))
    ]
    return "".join(json.dumps(line) + "\n" for line in lines)


@pytest.mark.parametrize(
    ("source", "name", "write", "line"),
    [
        ("own", "e.csv", _canonical, 3),
        ("desk", "a.ndjson", _zendesk, 2),
        ("fresh", "c.ndjson", _freshdesk, 2),
    ],
)
def test_record_later_than_five_minutes_after_its_landing_is_quarantined_with_its_line(
    landing: Landing, monkeypatch: pytest.MonkeyPatch, source: str, name: str, write: object, line: int
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", LANDED_EPOCH)
    sla_yml = landing.workspace.root / "fresh.yml"
    sla_yml.write_text(FRESHDESK, encoding="utf-8")
    landing.config.sources["fresh"] = load_sources(sla_yml).sources["fresh"]
    assert callable(write)
    assert landing.land(source, name, write(IN_TIME)).rows_rejected == 0
    result = landing.land(source, f"later-{name}", write(TOO_LATE))
    assert (result.rows_read, result.rows_landed, result.rows_rejected) == (2, 1, 1)
    [problem] = result.problems
    assert problem.line == line
    assert "lies in the future" in problem.reason
    assert TOO_LATE in problem.reason
