"""What a forgotten ticket keeps: the fields and tags that settings name, and nothing else that people write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.ingest.landing.forgotten import Forgotten, new_forgotten, read_named, redact_rows
from pipeline.settings import Workspace

SETTINGS = """
sources:
  desk:
    type: zendesk
    severity: {field: "custom_field:360001", values: {sev_1: 1}}
    events: {merged: {field: tags, value: closed_by_merge}}
# A comment names 360009 and customer_ann.
"""


@pytest.fixture
def named(tmp_path: Path) -> frozenset[str]:
    (tmp_path / "sla.yml").write_text(SETTINGS, encoding="utf-8")
    return read_named(Workspace(tmp_path))


def forget_ticket(ticket_id: str) -> Forgotten:
    empty = new_forgotten()
    return Forgotten(empty.salt, 1, tickets=frozenset({empty.hash("ticket", "desk", ticket_id)}))


def redact(path: Path, table: str, named: frozenset[str], **row: str | bool | None) -> dict[str, Any]:
    pq.write_table(pa.Table.from_pylist([{"ticket_id": "T-1", "record_id": None, **row}]), path)
    [(rows, _)] = redact_rows(table, path, "desk", forget_ticket("T-1"), named)
    [found] = rows.to_pylist()
    return found


@pytest.mark.parametrize(
    ("tags", "left"),
    [
        ('["closed_by_merge","customer_ann"]', '["closed_by_merge","forgotten"]'),
        ("closed_by_merge customer_ann", "closed_by_merge forgotten"),
        ("Closed_By_Merge;customer_ann,merge", "Closed_By_Merge;forgotten,forgotten"),
        ('["closed_by_merge"]', '["closed_by_merge"]'),
        ("[]", "[]"),
    ],
)
def test_tags_that_no_setting_names_are_forgotten(
    tmp_path: Path, named: frozenset[str], tags: str, left: str
) -> None:
    assert redact(tmp_path / "rows", "ticket_versions", named, tags=tags)["tags"] == left
    change: dict[str, Any] = {"field_name": "tags", "field_id": None, "is_custom_field": False}
    found = redact(tmp_path / "rows", "ticket_changes", named, **change, value=tags, value_before=tags)
    assert (found["value"], found["value_before"]) == (left, left)


@pytest.mark.parametrize(
    ("field_id", "value", "left"),
    [("360001", "sev_1", "sev_1"), ("360009", "Ann Other", "forgotten"), ("36000", "Ann Other", "forgotten")],
)
def test_own_fields_that_no_setting_names_are_forgotten(
    tmp_path: Path, named: frozenset[str], field_id: str, value: str, left: str
) -> None:
    change: dict[str, Any] = {"field_name": field_id, "field_id": field_id, "is_custom_field": True}
    found = redact(tmp_path / "rows", "ticket_changes", named, **change, value=value, value_before=value)
    assert (found["value"], found["value_before"]) == (left, left)
    fields = f'[{{"id":"{field_id}","value":"{value}"}}]'
    found = redact(tmp_path / "rows", "ticket_versions", named, fields=fields)
    assert found["fields"] == f'[{{"id":"{field_id}","value":"{left}"}}]'
