"""The shipped JSON Schemas: as the models are today, named in the first line of every file, and they agree with the reader."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pipeline.declarations.read_yaml import read_yaml
from pipeline.rules.init_workspace import init_workspace
from pipeline.rules.write_schemas import DECLARED_FILES, SCHEMAS_FOLDER, render_schema
from pipeline.settings import CHECKOUT

SHIPPED = CHECKOUT / "data" / "reference"
TEMPLATE = CHECKOUT / "pipeline" / "rules" / "workspace_template" / "sla.yml"
MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")


def named_schema(path: Path) -> str:
    """The path of the schema that a file names in its first line."""
    match = MODELINE.match(path.read_text(encoding="utf-8"))
    assert match, f"{path} names no schema in its first line"
    return match[1]


def as_json(value: Any) -> Any:
    """YAML data as an editor sees it: every key is text."""
    if isinstance(value, dict):
        return {str(key): as_json(one) for key, one in value.items()}
    return [as_json(one) for one in value] if isinstance(value, list) else value


def find_errors(kind: str, data: object) -> list[str]:
    schema = json.loads((SCHEMAS_FOLDER / f"{kind}.schema.json").read_text(encoding="utf-8"))
    return [error.message for error in Draft202012Validator(schema).iter_errors(as_json(data))]


@pytest.mark.parametrize("kind", sorted(DECLARED_FILES))
def test_shipped_schema_is_that_of_the_model_today(kind: str) -> None:
    shipped = (SCHEMAS_FOLDER / f"{kind}.schema.json").read_text(encoding="utf-8")
    assert shipped == render_schema(DECLARED_FILES[kind]), "run `make schemas`"


def test_no_schema_is_shipped_without_a_model() -> None:
    assert {path.name for path in SCHEMAS_FOLDER.iterdir()} == {
        f"{kind}.schema.json" for kind in DECLARED_FILES
    }


def test_every_file_of_a_new_workspace_names_a_schema_that_is_there(tmp_path: Path) -> None:
    init_workspace(tmp_path / "new")
    files = sorted((tmp_path / "new").rglob("*.yml"))
    assert files
    assert [path for path in files if not (path.parent / named_schema(path)).is_file()] == []


@pytest.mark.parametrize("folder", ["plans", "calendars", "mappings"])
def test_an_example_names_its_schema_from_the_folder_it_is_copied_to(folder: str) -> None:
    examples = sorted((SHIPPED / folder / "examples").glob("*.yml"))
    assert examples
    assert [path for path in examples if not (SHIPPED / folder / named_schema(path)).is_file()] == []


@pytest.mark.parametrize(
    ("folder", "kind"), [("plans", "plan"), ("calendars", "calendars"), ("mappings", "mapping")]
)
def test_shipped_files_are_valid_by_their_schema(folder: str, kind: str) -> None:
    files = sorted((SHIPPED / folder).rglob("*.yml"))
    assert {path.name: find_errors(kind, read_yaml(path).data) for path in files} == {
        path.name: [] for path in files
    }


def test_shipped_forms_are_valid_by_the_schema_of_mappings() -> None:
    files = sorted((CHECKOUT / "pipeline" / "ingest" / "forms" / "shipped").glob("*.yml"))
    assert files
    assert [path.name for path in files if find_errors("mapping", read_yaml(path).data)] == []


def test_template_is_valid_by_its_schema_with_and_without_its_examples(tmp_path: Path) -> None:
    assert find_errors("sla", read_yaml(TEMPLATE).data) == []
    head, examples = TEMPLATE.read_text(encoding="utf-8").split("sources:\n")
    blocks = [line.removeprefix("#") for line in examples.splitlines() if line.startswith("#  ")]
    (tmp_path / "sla.yml").write_text("\n".join([f"{head}sources:", *blocks, ""]), encoding="utf-8")
    assert find_errors("sla", read_yaml(tmp_path / "sla.yml").data) == []


@pytest.mark.parametrize(
    ("kind", "data", "is_valid"),
    [
        (
            "calendars",
            {"calendars": {"desk": {"time_zone": "UTC", "weekly": {"mon": ["09:00-17:00"]}}}},
            True,
        ),
        ("calendars", {"calendars": {"desk": {"time_zone": "UTC", "weekly": {"monday": []}}}}, False),
        ("calendars", {"calendars": {"desk": {"time_zone": "UTC", "weekly": {"mon": ["9 to 5"]}}}}, False),
        ("sla", {"sources": {"desk": {"type": "canonical", "bots": {"actors": [7, "mia"]}}}}, True),
        ("sla", {"sources": {"desk": {"type": "canonicl"}}}, False),
        ("sla", {"sources": {"desk": {"type": "canonical", "customer": {"constant": "acme"}}}}, False),
        ("sla", {"sources": {}, "alerts": {"runs_out_chance_pct": 100}}, True),
        ("sla", {"sources": {}, "alerts": {"runs_out_chance_pct": 101}}, False),
        ("plan", {"plan": "Gold Plus", "clauses": {}, "versions": []}, False),
        ("mapping", {"files": {"a": {"format": "json", "lists": {"note": "notes"}}}}, True),
        ("mapping", {"files": {"a": {"format": "json", "lists": {"note": {"path": "notes"}}}}}, False),
    ],
)
def test_schema_refuses_what_the_reader_refuses(kind: str, data: object, is_valid: bool) -> None:
    assert (find_errors(kind, data) == []) == is_valid
