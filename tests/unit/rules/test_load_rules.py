"""A workspace as `sla init` writes it, read as a whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.errors import ConfigurationError
from pipeline.rules.init_workspace import init_workspace
from pipeline.rules.load_rules import fingerprint_rules, load_rules
from pipeline.rules.tables import RULE_TABLES
from pipeline.settings import Workspace


def test_new_workspace_can_be_read_at_once(tmp_path: Path) -> None:
    files = init_workspace(tmp_path / "new")
    assert [path.relative_to(tmp_path / "new").as_posix() for path in files] == [
        "reference/annotations.csv",
        "reference/calendars/business_hours.yml",
        "reference/contacts.csv",
        "reference/customer_words.csv",
        "reference/customers.csv",
        "reference/licenses.csv",
        "reference/mappings/my_helpdesk.yml",
        "reference/plans/enhanced.yml",
        "reference/plans/premium.yml",
        "reference/plans/standard.yml",
        "reference/purchases.csv",
        "reference/redemptions.csv",
        "reference/schemas/access.schema.json",
        "reference/schemas/calendars.schema.json",
        "reference/schemas/mapping.schema.json",
        "reference/schemas/plan.schema.json",
        "reference/schemas/sla.schema.json",
        "reference/schemas/words.schema.json",
        "reference/subscriptions.csv",
        "reference/waivers.csv",
        "reference/words.yml",
        "sla.yml",
    ]
    rules = load_rules(Workspace(tmp_path / "new"))
    assert [plan.plan for plan in rules.plans] == ["enhanced", "premium", "standard"]
    assert rules.sources.sources == {}
    assert "business_hours" in rules.calendars
    assert set(rules.tables) == set(RULE_TABLES)


def test_options_of_the_template_are_usable_once_uncommented_too(tmp_path: Path) -> None:
    # Blocks, and within them what stands behind a second mark; a line that only explains is no option.
    init_workspace(tmp_path / "new")
    lines = (tmp_path / "new" / "sla.yml").read_text(encoding="utf-8").splitlines()
    blocks = [line.removeprefix("#") for line in lines if line.startswith("#  ")]
    text = "\n".join(re.sub(r"^    # (?=( *)[a-z_]+: )|^    # (?=events:)", "    ", line) for line in blocks)
    # The block about `allow` belongs to any source.
    text = text.partition("  helpdesk:\n")[2]
    (tmp_path / "new" / "sla.yml").write_text(f"sources:\n  helpdesk:\n{text}\n", encoding="utf-8")
    sources = load_rules(Workspace(tmp_path / "new")).sources.sources
    assert {name: source.source_type for name, source in sources.items()} == {
        "helpdesk": "zendesk",
        "helpdesk_table": "zendesk",
        "incidents": "servicenow",
        "service_project": "jira",
        "service_table": "jira",
        "freshdesk": "freshdesk",
        "freshdesk_table": "freshdesk",
        "other": "canonical",
        "any_table": "mapped",
    }
    assert sources["helpdesk"].events and sources["helpdesk_table"].business_calendar
    assert sources["incidents"].is_journal_whole and sources["service_table"].date_locale == "es"


def test_folder_that_holds_anything_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigurationError) as refusal:
        init_workspace(tmp_path)
    assert (
        str(refusal.value) == f"{tmp_path} is not empty. Name a new or an empty folder; nothing was written."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_file_in_place_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigurationError) as refusal:
        init_workspace(file)
    assert str(refusal.value) == f"{file} is a file. Name a new or an empty folder."


def test_fingerprint_is_the_same_elsewhere_and_another_after_any_change(tmp_path: Path) -> None:
    for name in ("one", "two"):
        init_workspace(tmp_path / name)
    one, two = (Workspace(tmp_path / name) for name in ("one", "two"))
    same = fingerprint_rules(one)
    assert fingerprint_rules(two) == same
    (two.reference / "notes.txt").write_text("read by no rule", encoding="utf-8")
    assert fingerprint_rules(two) == same
    (two.reference / "waivers.csv").open("a", encoding="utf-8").write("\n")
    changed = fingerprint_rules(two)
    (two.plans / "standard.yml").rename(two.plans / "basic.yml")
    assert len({same, changed, fingerprint_rules(two)}) == 3
