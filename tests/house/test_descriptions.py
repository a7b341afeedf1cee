"""Rules for what stands beside the SQL: tables say their grain, columns what they hold, macros how they are called."""

from __future__ import annotations

import re
from functools import cache

import pytest
import yaml

from pipeline.settings import DBT_PROJECT
from tests.house.checkout import MACROS, MODELS, PUBLISHED_LAYERS, described_models, model_files

ALL_MODELS = model_files("staging", "intermediate", *PUBLISHED_LAYERS)
PUBLISHED = sorted(model_files(*PUBLISHED_LAYERS))


def test_every_model_is_described_and_every_description_has_a_model() -> None:
    assert set(described_models()) == set(ALL_MODELS)


@pytest.mark.parametrize("model", sorted(ALL_MODELS))
def test_model_description_begins_with_its_grain(model: str) -> None:
    assert described_models()[model]["description"].startswith("One row")


@pytest.mark.parametrize("model", PUBLISHED)
def test_published_column_has_a_type_and_a_description(model: str) -> None:
    columns = described_models()[model]["columns"]
    assert [column["name"] for column in columns if not column.get("description", "").strip()] == []
    assert [column["name"] for column in columns if not column.get("data_type")] == []


@pytest.mark.parametrize("layer", PUBLISHED_LAYERS)
def test_contract_is_enforced_in_every_published_layer(layer: str) -> None:
    settings = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["models"]["sla"]
    assert settings[layer]["+contract"] == {"enforced": True}
    for model in model_files(layer):
        assert "contract" not in described_models()[model].get("config", {}), (
            f"{model} has a contract of its own"
        )
        # The word alone is one of the trade: purchases and redemptions are contract records.
        sql = model_files(layer)[model].read_text(encoding="utf-8")
        assert not re.search(r"config\s*\([^)]*contract", sql)


def has_tested_key(model: dict) -> bool:
    """One column that is unique and not null, or a combination of columns that is."""
    in_columns = any(
        {"unique", "not_null"} <= set(map(str, column.get("data_tests", []))) for column in model["columns"]
    )
    return in_columns or any("unique_combination" in test for test in model.get("data_tests", []))


# A model that no build may expand in full -> the test that expands a part of it and looks at its key.
EXPANDED_IN_PART = {"fct_sla_segments": "assert_segments_of_a_sample_tile_their_obligation"}


@pytest.mark.parametrize("model", PUBLISHED)
def test_published_model_has_a_tested_key(model: str) -> None:
    if model in EXPANDED_IN_PART:
        # A test of it by name would make every row of it.
        assert not any("data_tests" in column for column in described_models()[model]["columns"])
        test = (DBT_PROJECT / "tests" / f"{EXPANDED_IN_PART[model]}.sql").read_text(encoding="utf-8")
        assert "segment_number <> place" in test
        assert f"ref('{model}')" not in test
    else:
        assert has_tested_key(described_models()[model])


@cache
def described(kind: str) -> dict[str, dict]:
    """Name -> entry of every `kind` (macros, sources, seeds) in the project's yml files."""
    files = [
        path for folder in (MODELS, MACROS, DBT_PROJECT / "seeds") for path in sorted(folder.rglob("*.yml"))
    ]
    return {
        entry["name"]: entry
        for path in files
        for entry in yaml.safe_load(path.read_text(encoding="utf-8")).get(kind, [])
    }


def written_macros() -> dict[str, list[str]]:
    """Macro that models call -> its arguments, in order. The sides of an engine are parts of their macro."""
    found = {}
    for path in sorted(MACROS.rglob("*.sql")):
        for name, arguments in re.findall(
            r"\{%-?\s*macro\s+(\w+)\((.*?)\)", path.read_text(encoding="utf-8")
        ):
            if not name.startswith(("duckdb__", "spark__")):
                found[name] = [
                    argument.split("=")[0].strip() for argument in arguments.split(",") if argument.strip()
                ]
    return found


def test_every_macro_is_described_and_every_description_has_a_macro() -> None:
    assert set(described("macros")) == set(written_macros())


@pytest.mark.parametrize("macro", sorted(written_macros()))
def test_macro_description_has_an_example_and_its_arguments(macro: str) -> None:
    entry = described("macros")[macro]
    # dbt renders descriptions, so a call in braces would run the macro while the project is parsed.
    assert "{{" not in entry["description"]
    assert re.search(rf"Example: `{macro}\(", entry["description"])
    assert [argument["name"] for argument in entry["arguments"]] == written_macros()[macro]
    assert all(argument["type"] and argument["description"] for argument in entry["arguments"])


def test_every_raw_table_says_its_grain() -> None:
    tables = described("sources")["raw"]["tables"]
    assert [table["name"] for table in tables if not table["description"].startswith("One row")] == []


def test_every_raw_table_that_a_model_reads_is_declared_and_the_other_way_round() -> None:
    declared = {table["name"] for table in described("sources")["raw"]["tables"]}
    text = "\n".join(
        path.read_text(encoding="utf-8") for folder in (MODELS, MACROS) for path in folder.rglob("*.sql")
    )
    read = set(re.findall(r"source\(\s*'raw'\s*,\s*'(\w+)'\s*\)", text))
    assert read == declared


def test_every_text_for_columns_is_used() -> None:
    texts = set(re.findall(r"\{% docs (\w+) %\}", (MODELS / "columns.md").read_text(encoding="utf-8")))
    used = {
        name
        for folder in (MODELS, DBT_PROJECT / "seeds")
        for path in folder.rglob("*.yml")
        for name in re.findall(r"doc\('(\w+)'\)", path.read_text(encoding="utf-8"))
    }
    assert used <= texts
    assert texts - used == set()


@pytest.mark.parametrize("seed", sorted(path.stem for path in (DBT_PROJECT / "seeds").glob("*.csv")))
def test_seed_is_described_column_by_column(seed: str) -> None:
    header = (DBT_PROJECT / "seeds" / f"{seed}.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    entry = described("seeds")[seed]
    assert entry["description"].startswith("One row")
    assert {column["name"] for column in entry["columns"] if column.get("description")} == set(header)
