"""Rules for the SQL: no clock, no zone, no layer skipped, no plan's value, engine words in one folder."""

from __future__ import annotations

import re
from itertools import takewhile

import pytest

from pipeline.ingest.tables import LANDED_TABLES
from pipeline.settings import CHECKOUT, DBT_PROJECT
from tests.house.checkout import (
    MACROS,
    MODELS,
    PUBLISHED_LAYERS,
    find_words,
    model_files,
    sql_files,
    strip_comments,
    tracked_files,
)

ALL_SQL = sql_files(MODELS, MACROS, DBT_PROJECT / "tests")

# Two runs on the same inputs must give the same bytes, so nothing in SQL may know when or how often it runs.
NOT_REPEATABLE = (
    r"\b(current_timestamp|current_date|current_time|localtimestamp|now\s*\(|today\s*\(|getdate\s*\(|sysdate|random\s*\(|rand\s*\("
    r"|uuid\s*\(|gen_random_uuid|run_started_at|modules\.datetime|invocation_id)"
)

# The engine does no zone arithmetic for a figure: instants come as UTC, months by a table that Python made.
ZONE_WORDS = r"(\bat\s+time\s+zone\b|\btimezone\s*\(|\btimestamptz\b|\bwith\s+time\s+zone\b|from_utc_timestamp|to_utc_timestamp)"

# Each of these differs between DuckDB and Spark, so each has a small macro with a side for either engine.
ENGINE_WORDS = (
    r"(\blist_contains\b|\blist_filter\b|\barray_contains\b|\bfrom_json\b|\bepoch_us\b|\bepoch_ms\b|\bepoch\s*\(|\bstrftime\b|\bdate_format\b"
    r"|\bmake_timestamp\b|\bto_timestamp\b|\bunix_timestamp\b|\btimestamp_seconds\b|\blambda\b|//|\bstruct_pack\b|\bdate_diff\b|\bdatediff\b"
    r"|\bstring_split\b|\bexclude\s*\(|\bqualify\b|\bgroup by all\b|\border by all\b|::)"
)


def test_sql_is_found() -> None:
    assert len(ALL_SQL) > 40


def test_sql_reads_no_clock_and_draws_no_random_number() -> None:
    assert find_words(ALL_SQL, NOT_REPEATABLE) == []


def test_sql_does_no_time_zone_arithmetic() -> None:
    assert find_words(ALL_SQL, ZONE_WORDS) == []


def test_sql_keeps_words_of_one_engine_in_the_engine_macros() -> None:
    elsewhere = {
        path: text for path, text in ALL_SQL.items() if (CHECKOUT / path).parent != MACROS / "engine"
    }
    assert find_words(elsewhere, ENGINE_WORDS) == []


def test_engine_macros_have_a_side_for_each_engine() -> None:
    text = "\n".join(sql_files(MACROS / "engine").values())
    names = set(re.findall(r"\{%-? macro (\w+)\(", text))
    dispatched = {name for name in names if not name.startswith(("duckdb__", "spark__"))}
    assert dispatched
    for name in dispatched:
        assert {f"duckdb__{name}", f"spark__{name}"} <= names, f"{name} lacks the side of an engine"
        assert f"adapter.dispatch('{name}')" in text, f"{name} does not dispatch"
    assert {name.split("__")[1] for name in names - dispatched} == dispatched


@pytest.mark.parametrize("word", ["standard", "enhanced", "premium"])
def test_sql_names_no_plan(word: str) -> None:
    assert find_words(ALL_SQL, rf"\b{word}\b") == []


def test_sql_holds_no_target_and_no_included_quantity() -> None:
    # A promise is data of a plan file. What SQL may know: 0, 1, and units of time inside the engine macros.
    models = sql_files(MODELS)
    hours = {hours * 3600 for hours in (2, 6, 8, 12, 24, 48, 72)} | {
        hours * 60 for hours in (2, 6, 8, 12, 24, 48, 72)
    }
    found = [
        line
        for line in find_words(models, r"(?<![\w.'])\d{2,}(?![\w'-])")
        for number in re.findall(r"(?<![\w.'])\d{2,}(?![\w'-])", line.split(": ", 1)[1])
        if int(number) in hours | {6, 8, 10, 12, 20, 24, 48, 72}
    ]
    assert found == []


def reads_of(sql: str) -> tuple[set[str], set[str]]:
    """Models and sources that a model reads."""
    text = strip_comments(sql)
    refs = set(re.findall(r"ref\(\s*'(\w+)'\s*\)", text))
    sources = set(re.findall(r"source\(\s*'\w+'\s*,\s*'(\w+)'\s*\)", text))
    return refs, sources


@pytest.mark.parametrize("model", sorted(model_files("marts")))
def test_mart_reads_only_dimensions_and_facts(model: str) -> None:
    refs, sources = reads_of(model_files("marts")[model].read_text(encoding="utf-8"))
    # Forecasts are a mart that the package makes from core, so a mart may read them as it reads facts.
    assert sources <= {"mart_account__entitlement_forecasts"}
    assert {name for name in refs if not name.startswith(("dim_", "fct_"))} == set()


@pytest.mark.parametrize("model", sorted(model_files("qc")))
def test_quality_report_reads_only_dimensions_facts_and_vocabularies(model: str) -> None:
    refs, sources = reads_of(model_files("qc")[model].read_text(encoding="utf-8"))
    assert sources == set()
    seeds = {seed.stem for seed in (DBT_PROJECT / "seeds").glob("*.csv")}
    # A refused record became no fact: its list reads what landed. The report of all findings puts together those of each subject.
    refused = {"stg_helpdesk__refused"} if model == "rpt_qc__refused_records" else set()
    others = {name for name in refs - seeds if not name.startswith(("dim_", "fct_", "rpt_qc__"))}
    assert others == refused


@pytest.mark.parametrize("model", sorted(model_files("staging")))
def test_staging_model_reads_only_its_own_folder_and_vocabularies(model: str) -> None:
    path = model_files("staging")[model]
    refs, _ = reads_of(path.read_text(encoding="utf-8"))
    seeds = {seed.stem for seed in (DBT_PROJECT / "seeds").glob("*.csv")}
    assert {name for name in refs - seeds if not name.startswith(f"stg_{path.parent.name}__")} == set()
    assert refs - seeds <= set(model_files("staging"))


@pytest.mark.parametrize("model", sorted(model_files("intermediate", *PUBLISHED_LAYERS)))
def test_landed_table_is_read_in_staging_only(model: str) -> None:
    path = model_files("intermediate", *PUBLISHED_LAYERS)[model]
    _, sources = reads_of(path.read_text(encoding="utf-8"))
    assert sources & set(LANDED_TABLES) == set()


# What is particular to a helpdesk is a row of a seed or a column that staging declares.
HELPDESKS = (
    r"(zendesk|jira|atlassian|service.?now|freshdesk|freshservice|freshworks|otrs|znuny|osticket|zammad|intercom|hubspot|salesforce"
    r"|help.?scout|canonical|\bmapped\b|\bincidents?\b|sys_audit|sys_id|customfield|changelog)"
)


def test_intermediate_names_no_helpdesk() -> None:
    # Comments and descriptions too: a word there would show a rule that holds for one helpdesk only.
    texts = {
        path.relative_to(CHECKOUT): path.read_text(encoding="utf-8")
        for path in tracked_files()
        if path.is_relative_to(MODELS / "intermediate") and path.name != "README.md"
    }
    assert len(texts) > 30
    assert find_words(texts, HELPDESKS) == []
    assert [path for path in texts if re.search(HELPDESKS, path.name, re.IGNORECASE)] == []


@pytest.mark.parametrize("model", sorted(model_files("intermediate", "core")))
def test_model_reads_no_later_layer(model: str) -> None:
    refs, _ = reads_of(model_files("intermediate", "core")[model].read_text(encoding="utf-8"))
    forbidden = ("mart_", "rpt_") if model.startswith(("dim_", "fct_")) else ("mart_", "rpt_", "dim_", "fct_")
    assert [name for name in refs if name.startswith(forbidden)] == []


@pytest.mark.parametrize("model", sorted(model_files("core", "marts", "qc")))
def test_published_model_lists_its_columns(model: str) -> None:
    # The last select: one star there, and a column appears in a published table because some other model got one.
    text = strip_comments(model_files("core", "marts", "qc")[model].read_text(encoding="utf-8"))
    listed = text[text.rfind("\nselect") :].split("\nfrom", 1)[0]
    assert not re.search(r"(select|,)\s+(\w+\.)?\*", listed)


@pytest.mark.parametrize("model", sorted(model_files("staging", "intermediate", "core", "marts", "qc")))
def test_model_begins_with_a_header_of_at_most_five_lines_naming_its_grain(model: str) -> None:
    lines = (
        model_files("staging", "intermediate", "core", "marts", "qc")[model]
        .read_text(encoding="utf-8")
        .splitlines()
    )
    lines = [line for line in lines if not line.startswith(("{{ config", "{#"))]
    header = list(takewhile(lambda line: line.startswith("--"), lines))
    assert header
    assert header[0].startswith("-- Grain: one row")
    assert len(header) <= 5
