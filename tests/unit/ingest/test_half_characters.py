"""Half a character in JSON, and a character whose bytes were cut: that one record is refused with its line, by every reader."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.ingest.conftest import Landing

AT = "2026-07-01T09:00:00Z"
OFFSET = "2026-07-01T09:00:00.000+0000"
WALL = "2026-07-01 09:00:00"
SLA_YML = """\
sources:
  zen: {type: zendesk, customer: {constant: acme}, severity: {field: priority, values: {high: 3}}}
  snow: {type: servicenow, time_zone: UTC, date_format: "%Y-%m-%d %H:%M:%S", customer: {constant: acme},
    severity: {field: priority, values: {"1": 3}}}
  fresh: {type: freshdesk, customer: {constant: acme}, severity: {field: priority, values: {"1": 3}}}
  jira: {type: jira, agents: {actors: [a]}, customer: {constant: acme}, severity: {field: priority, values: {High: 3}}}
  desk: {type: mapped, mapping: mappings/desk.yml}
"""
MAPPING = """\
evidence: []
time_zone: UTC
dates: ["%Y-%m-%d %H:%M:%S"]
files:
  issues:
    format: json
    tickets:
      ticket_id: key
      submitted_at: created
      subject: subject
"""


def make_record(source: str, number: int, subject: str) -> dict[str, Any]:
    ticket = {"id": number, "subject": subject, "created_at": AT, "updated_at": AT}
    return {
        "zen": {**ticket, "priority": "high", "status": "open"},
        "fresh": {**ticket, "priority": 1, "status": 2},
        "jira": {
            "id": str(number),
            "key": f"A-{number}",
            "fields": {
                "summary": subject,
                "created": OFFSET,
                "updated": OFFSET,
                "priority": {"name": "High"},
            },
        },
        "snow": {
            "number": f"INC{number}",
            "sys_id": str(number),
            "short_description": subject,
            "opened_at": WALL,
            "sys_created_on": WALL,
            "sys_updated_on": WALL,
            "priority": "1",
        },
        "desk": {"key": f"K-{number}", "created": WALL, "subject": subject},
    }[source]


@pytest.fixture
def landing(declare: Callable[[str], Landing], tmp_path: Any) -> Landing:
    mapping = tmp_path / "reference" / "mappings" / "desk.yml"
    mapping.parent.mkdir(parents=True)
    mapping.write_text(MAPPING, encoding="utf-8")
    return declare(SLA_YML)


@pytest.mark.parametrize("name", ["lines.ndjson", "list.json"])
@pytest.mark.parametrize("source", ["zen", "snow", "fresh", "jira", "desk"])
def test_record_with_half_a_character_is_refused_and_those_beside_it_land(
    landing: Landing, source: str, name: str
) -> None:
    records = [make_record(source, 1, "whole"), make_record(source, 2, "cut \ud83d")]
    # A key with one, a whole character in two escapes, and a backslash that only looks like an escape.
    records += [make_record(source, 3, "key") | {"k\udc00": 1}, make_record(source, 4, "smile \U0001f600")]
    records += [make_record(source, 5, "path \\ud83d")]
    texts = [json.dumps(record) for record in records]
    content = f"[{', '.join(texts)}]" if name.endswith("json") and "list" in name else "\n".join(texts) + "\n"
    result = landing.land(source, name, content)
    assert (result.status, result.rows_read, result.rows_landed) == ("landed", 5, 3)
    told = [str(problem) for problem in result.problems]
    assert len(told) == 2
    assert all(
        "holds half a character: an escape such as \\ud83d without its other half" in one for one in told
    )
    if "ndjson" in name:
        assert [problem.line for problem in result.problems] == [2, 3]


@pytest.mark.parametrize("source", ["zen", "snow", "fresh", "jira", "desk"])
def test_record_whose_last_character_lost_a_byte_is_refused_and_those_beside_it_land(
    landing: Landing, source: str
) -> None:
    texts = [
        json.dumps(make_record(source, number, f"ö{number}"), ensure_ascii=False) for number in (1, 2, 3)
    ]
    content = "\n".join(texts).encode().replace("ö2".encode(), b"\xc32")
    result = landing.land(source, "lines.ndjson", content)
    assert (result.status, result.rows_read, result.rows_landed) == ("landed", 3, 2)
    [told] = result.problems
    assert told.line == 2 and "is not UTF-8" in str(told)


@pytest.mark.parametrize(("source", "page"), [("fresh", "tickets"), ("jira", "issues"), ("snow", "result")])
def test_record_with_half_a_character_in_a_page_of_an_api_is_refused_alone(
    landing: Landing, source: str, page: str
) -> None:
    records = [make_record(source, number, text) for number, text in ((1, "x"), (2, "y\udfff"), (3, "z"))]
    result = landing.land(source, "page.json", json.dumps({page: records}))
    assert (result.status, result.rows_read, result.rows_landed) == ("landed", 3, 2)
    assert "holds half a character" in str(result.problems[0])
