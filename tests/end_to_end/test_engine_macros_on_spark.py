"""The claim that the SQL is portable, checked: every engine macro gives the same value on Apache Spark as on DuckDB.

Needs the extra `spark` and Java. No network: one local session, nothing kept but a temporary folder.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from jinja2 import Environment, StrictUndefined

from pipeline.settings import DBT_PROJECT

pytestmark = pytest.mark.spark

ENGINE_MACROS = DBT_PROJECT / "macros" / "engine"
STAGES = (
    DBT_PROJECT / "macros" / "stages.sql",
    DBT_PROJECT / "macros" / "materializations" / "stages_on_spark.sql",
)
CUSTOM_FIELDS = (
    '[{"id": 360001, "value": "sev_3"}, {"id": "360002", "value": null}, {"id": 360003, "value": true}]'
)

# Macro -> its type on either engine, and rows of arguments. Texts become SQL of the engine's own; None is null.
INSTANT, NUMBER, TEXT = "timestamp", "bigint", "text"
CASES: dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]] = {
    "epoch_seconds": (
        (INSTANT,),
        [
            ("1970-01-01 00:00:00",),
            ("2026-03-29 01:30:00",),
            ("2011-12-30 12:00:00",),
            ("2038-01-19 03:14:08",),
            (None,),
        ],
    ),
    "instant_from_epoch": ((NUMBER,), [(0,), (1_790_000_000,), (2_147_483_648,), (None,)]),
    # Whole steps of a clock: at, one before and one after the edge of a bucket.
    "whole_quotient": (
        (NUMBER, NUMBER),
        [(0, 3600), (3599, 3600), (3600, 3600), (3601, 3600), (10**15 + 1, 7), (None, 3600)],
    ),
    "utc_month": (
        (INSTANT,),
        [
            ("2026-02-28 23:59:59",),
            ("2026-03-01 00:00:00",),
            ("1999-12-31 23:59:59",),
            ("9999-12-31 00:00:00",),
            (None,),
        ],
    ),
    "json_list_contains": (
        (TEXT, TEXT),
        [
            ('["vip", "debug_requested"]', "debug_requested"),
            ('["vip"]', "debug_requested"),
            ('["debug_requested_not"]', "debug_requested"),
            ('["it\'s \\"quoted\\"", "Größe"]', "Größe"),
            ("[]", "vip"),
            (None, "vip"),
            ('["vip"]', None),
        ],
    ),
    "custom_field_value": (
        (TEXT, TEXT),
        [
            (CUSTOM_FIELDS, "360001"),
            (CUSTOM_FIELDS, "360002"),
            (CUSTOM_FIELDS, "360003"),
            (CUSTOM_FIELDS, "999999"),
            ("[]", "360001"),
            (None, "360001"),
            (CUSTOM_FIELDS, None),
        ],
    ),
    "json_field": (
        (TEXT, TEXT),
        [
            ('{"priority": "1 - Critical", "urgency": null}', "priority"),
            ('{"priority": "1 - Critical", "urgency": null}', "urgency"),
            ('{"priority": "1 - Critical", "urgency": null}', "impact"),
            ('{"company": "it\'s Größe"}', "company"),
            (CUSTOM_FIELDS, "priority"),
            (None, "priority"),
        ],
    ),
}


# What is no value of a row has a test of its own below.
NOT_OF_A_ROW = {"joined_texts", "with_recursive"}


def load_engine_macros(
    engine: str, run_query: Callable[[str], Any] = lambda sql: sql
) -> dict[str, Callable[..., str]]:
    """The macros of the engine folder, dispatched to one engine as dbt would; `run_query` is told what they run."""
    macros: dict[str, Any] = {}

    class Adapter:
        def dispatch(self, macro: str) -> Any:
            return macros[f"{engine}__{macro}"]

    def statement(name: str, caller: Callable[[], str], **options: object) -> str:
        run_query(caller())
        return ""

    environment = Environment(undefined=StrictUndefined, autoescape=False, extensions=["jinja2.ext.do"])
    environment.globals.update(adapter=Adapter(), run_query=run_query, statement=statement)
    environment.globals["return"] = lambda value: value
    files = [*sorted(ENGINE_MACROS.glob("*.sql")), *STAGES]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    macros.update(vars(environment.from_string(text).module))
    return macros


def literal(value: Any, kind: str, engine: str) -> str:
    """A value of this test as SQL; Spark reads backslashes in a text, DuckDB does not."""
    name = {"text": {"duckdb": "varchar", "spark": "string"}[engine]}.get(kind, kind)
    if value is None:
        return f"cast(null as {name})"
    if kind == NUMBER:
        return f"cast({value} as {name})"
    quoted = (
        str(value).replace("\\", "\\\\").replace("'", "\\'")
        if engine == "spark"
        else str(value).replace("'", "''")
    )
    return f"cast('{quoted}' as {name})"


def select_cases(engine: str, macro: str) -> str:
    """A query that calls the macro with columns, as models do, one row per case."""
    kinds, rows = CASES[macro]
    columns = [f"argument_{place}" for place in range(len(kinds))]
    listed = " union all ".join(
        f"select {number} as number, "
        + ", ".join(
            f"{literal(value, kind, engine)} as {column}"
            for value, kind, column in zip(row, kinds, columns, strict=True)
        )
        for number, row in enumerate(rows)
    )
    call = load_engine_macros(engine)[macro](*columns).strip()
    return f"select number, {call} as result from ({listed}) as cases order by number"


def comparable(value: Any) -> Any:
    """Spark hands instants out in the zone of this process; what they are is what is compared."""
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.astimezone()).timestamp())
    return value


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    SparkSession = importlib.import_module("pyspark.sql").SparkSession

    folder: Path = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.chdir(folder)
        session = (
            SparkSession.builder.master("local[1]")
            .config("spark.ui.enabled", "false")
            .config("spark.log.level", "OFF")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
            .config("spark.driver.extraJavaOptions", f"-Dderby.system.home={folder}")
            .getOrCreate()
        )
        yield session
        session.stop()


def test_every_engine_macro_has_cases() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in ENGINE_MACROS.glob("*.sql"))
    assert set(re.findall(r"adapter\.dispatch\('(\w+)'\)", text)) == set(CASES) | NOT_OF_A_ROW


@pytest.mark.parametrize("macro", sorted(CASES))
def test_engine_macro_gives_on_spark_what_it_gives_on_duckdb(spark: Any, macro: str) -> None:
    kinds, rows = CASES[macro]
    instants = macro == "instant_from_epoch"
    on_spark = [row["result"] for row in spark.sql(select_cases("spark", macro)).collect()]
    on_duckdb = [result for _, result in duckdb.sql(select_cases("duckdb", macro)).fetchall()]
    if instants:
        # DuckDB's timestamps have no zone and are UTC.
        on_duckdb = [None if value is None else value.replace(tzinfo=UTC) for value in on_duckdb]
    assert [comparable(value) for value in on_spark] == [comparable(value) for value in on_duckdb]
    assert len(on_spark) == len(rows)


def run_on_both(spark: Any, query: Callable[[str], str]) -> tuple[list[Any], list[Any]]:
    on_spark = [tuple(row) for row in spark.sql(query("spark")).collect()]
    return on_spark, duckdb.sql(query("duckdb")).fetchall()


def test_joined_texts_are_the_same_on_both_engines(spark: Any) -> None:
    texts = [
        ("a", "b"),
        ("a", "a"),
        ("a", "b"),
        ("a", None),
        ("b", None),
        ("c", "Größe"),
        ("c", "Z"),
        ("c", ""),
    ]

    def query(engine: str) -> str:
        rows = " union all ".join(
            f"select '{group}' as group_name, {literal(text, 'text', engine)} as word"
            for group, text in texts
        )
        joined = load_engine_macros(engine)["joined_texts"]("word", ", ").strip()
        return f"select group_name, {joined} as words from ({rows}) as given group by group_name order by 1"

    on_spark, on_duckdb = run_on_both(spark, query)
    assert on_spark == on_duckdb == [("a", "a, b"), ("b", None), ("c", ", Größe, Z")]


# Each group starts with 10 and goes through its own steps. A step takes what it says, or all that is left. Beside it stands the
# most that a step of its round takes: a window, which Spark's own recursion does not have.
FOLD = """
{{ with_recursive() }}
groups as (select cast(group_name as string) as group_name from (values ('a'), ('b'), ('c')) as listed(group_name)),
{{ stage('steps') }} as (
  select groups.group_name, listed.step_number, listed.taken
  from groups
  join (values ('a', 1, 3), ('a', 2, 9), ('a', 3, 1), ('b', 1, 4)) as listed(group_name, step_number, taken)
    on listed.group_name = groups.group_name
){{ end_stage() }},
{{ fold('walk', 'steps') }} as (
  select group_name, cast(0 as bigint) as step_number, cast(10 as bigint) as held, cast(0 as bigint) as most_taken
  from groups
  {{ next_round() }} union all
  select
    walk.group_name, cast(steps.step_number as bigint), cast(greatest(walk.held - steps.taken, 0) as bigint),
    cast(max(steps.taken) over (partition by steps.step_number) as bigint)
  from walk
  join steps on steps.group_name = walk.group_name and steps.step_number = walk.step_number + 1
){{ end_stage() }}
select group_name, step_number, held, most_taken from walk order by group_name, step_number
"""


class Relation:
    """What a macro asks of a model's relation."""

    def __init__(self, identifier: str) -> None:
        self.identifier = identifier

    def incorporate(self, path: dict[str, str]) -> Relation:
        return Relation(path["identifier"])

    def __str__(self) -> str:
        return self.identifier


class Answer:
    """What `run_query` gives in dbt, as far as macros read it."""

    def __init__(self, rows: list[Any]) -> None:
        self.columns = [self]
        self._rows = rows

    def values(self) -> list[Any]:
        return [row[0] for row in self._rows]


def test_fold_takes_its_rounds_one_after_the_other_on_both_engines(spark: Any) -> None:
    asked: list[str] = []

    def run_query(sql: str) -> Answer:
        asked.append(sql.strip())
        return Answer(spark.sql(sql).collect())

    compiled = {
        engine: Environment(autoescape=False).from_string(FOLD).render(load_engine_macros(engine))
        for engine in ("spark", "duckdb")
    }
    made = load_engine_macros("spark", run_query)["make_stages"](Relation("lines"), compiled["spark"])
    on_spark = [tuple(row) for row in spark.sql(made).collect()]
    assert on_spark == duckdb.sql(compiled["duckdb"]).fetchall()
    assert on_spark == [
        ("a", 0, 10, 0),
        ("a", 1, 7, 4),
        ("a", 2, 0, 9),
        ("a", 3, 0, 1),
        ("b", 0, 10, 0),
        ("b", 1, 6, 4),
        ("c", 0, 10, 0),
    ]
    # The two stages, the question how many rounds there are, and three of them.
    assert [sql.split()[0] for sql in asked] == ["create", "create", "select", "insert", "insert", "insert"]
    assert spark.sql("select count(*) from lines__walk").collect()[0][0] == len(on_spark)


def test_clock_questions_have_known_answers_on_duckdb() -> None:
    # Two engines could be wrong alike: one value of each macro worked out by hand.
    by_hand = {
        "epoch_seconds": 0,
        "instant_from_epoch": datetime(1970, 1, 1),
        "whole_quotient": 0,
        "utc_month": "2026-02",
        "json_list_contains": True,
        "custom_field_value": "sev_3",
        "json_field": "1 - Critical",
    }
    found = {macro: duckdb.sql(select_cases("duckdb", macro)).fetchall()[0][1] for macro in CASES}
    assert found == by_hand
