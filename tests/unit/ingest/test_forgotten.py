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
    time_zone: UTC
    customer: {field: organization_external_id}
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
    change: dict[str, Any] = {"field_name": "tags", "field_id": None, "change_kind": "changed"}
    found = redact(tmp_path / "rows", "ticket_changes", named, **change, value=tags, value_before=tags)
    assert (found["value"], found["value_before"]) == (left, left)


@pytest.mark.parametrize(
    ("field_id", "value", "left"),
    [
        ("360001", "sev_1", "sev_1"),
        # A name of our own settings, a part of a field's id, and one that only a comment names.
        ("type", "Ann Other", "forgotten"),
        ("36000", "Ann Other", "forgotten"),
        ("360009", "Ann Other", "forgotten"),
        ("Attachment", "Ann_Other.pdf", "forgotten"),
        ("status", "open", "open"),
        ("made_sla", "true", "true"),
    ],
)
def test_fields_that_neither_settings_nor_seeds_name_are_forgotten(
    tmp_path: Path, named: frozenset[str], field_id: str, value: str, left: str
) -> None:
    change: dict[str, Any] = {"field_name": field_id, "field_id": field_id, "change_kind": "changed"}
    found = redact(tmp_path / "rows", "ticket_changes", named, **change, value=value, value_before=value)
    assert (found["value"], found["value_before"]) == (left, left)
    fields = f'[{{"id":"{field_id}","value":"{value}"}}]'
    found = redact(tmp_path / "rows", "ticket_versions", named, fields=fields)
    assert found["fields"] == f'[{{"id":"{field_id}","value":"{left}"}}]'


def test_numbers_of_a_forgotten_ticket_are_forgotten_and_truth_values_stay(
    tmp_path: Path, named: frozenset[str]
) -> None:
    fields = '{"phone":491701234567,"vip":true,"site":null,"360001":1}'
    found = redact(tmp_path / "rows", "ticket_versions", named, fields=fields)
    assert found["fields"] == '{"phone":"forgotten","vip":true,"site":null,"360001":1}'


def test_a_declared_field_is_named_as_the_models_read_it(tmp_path: Path) -> None:
    settings = """
sources:
  desk:
    type: jira
    agents: {domains: [vendor.example]}
    customer: {field: customfield_1}
    severity: {field: customfield_2, values: {High: 1}}
    events: {bug_confirmed: {field: "custom_field:Cause: hard/soft", value: Bug}}
"""
    (tmp_path / "sla.yml").write_text(settings, encoding="utf-8")
    named = read_named(Workspace(tmp_path))
    assert {"cause: hard/soft", "bug", "customfield_1", "customfield_2"} <= named
    assert not {"customer", "field", "desk", "jira", "cause"} & named


def test_a_mapping_that_no_source_uses_is_not_asked(tmp_path: Path, named: frozenset[str]) -> None:
    (tmp_path / "reference/mappings").mkdir(parents=True)
    (tmp_path / "reference/mappings/old.yml").write_text("a: [", encoding="utf-8")
    assert read_named(Workspace(tmp_path)) == named
