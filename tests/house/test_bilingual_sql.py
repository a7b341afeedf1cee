"""The SQL is one dialect that DuckDB and Spark read alike, found without either: names, types, functions, the place of nulls.

Some of it would not fail on Spark and give other rows: a name in double quotes is a text there, nulls come first in an ascending
order, a backslash in a text escapes. What is not listed here as known to both is an engine macro's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.tokens import Token, TokenType

from pipeline.ingest.tables import LANDED_TABLES
from pipeline.rules.tables import RULE_TABLES
from tests.house.checkout import described_models
from tests.house.rendered_sql import NEITHER, render_project

# Both engines have them, with the same result and the same type.
TYPES = frozenset({"bigint", "boolean", "date", "decimal", "double", "integer", "string", "timestamp"})

# Both engines have them and give the same. Not here, since they differ: string_agg, functions of lists, arithmetic of dates, and
# length (INT on Spark).
_FUNCTION_NAMES = """
abs bool_or cast coalesce count dense_rank first_value greatest lag lead least lower lpad max md5 min nullif
regexp_extract regexp_replace replace row_number substr sum trim try_cast
"""
FUNCTIONS = frozenset(_FUNCTION_NAMES.split())
# Words that may stand before a bracket and are no function.
_WORDS = """
all and as by case else exists from in join not on or over select then union values when where with
"""
NO_FUNCTIONS = frozenset(_WORDS.split())


@cache
def rendered() -> dict[Path, str]:
    return render_project(NEITHER)


@cache
def tokens_of(path: Path) -> list[Token]:
    return sqlglot.tokenize(rendered()[path], dialect="duckdb")


@cache
def parsed() -> dict[Path, exp.Expression]:
    """Every model and test as Spark reads it."""
    return {path: parse(sql) for path, sql in rendered().items()}


def parse(sql: str) -> exp.Expression:
    """Where nulls are told to come first they are told to come last, so that what is left to come first is what was not told."""
    readable = sql.replace("engine__with_recursive()", "with")
    return sqlglot.parse_one(re.sub(r"\bnulls first\b", "nulls last", readable), dialect="spark")


def find_double_quotes(path: Path) -> Iterator[str]:
    for token in tokens_of(path):
        if token.token_type is TokenType.IDENTIFIER:
            yield f'{path}: "{token.text}"'


def find_backslashes(path: Path) -> Iterator[str]:
    for token in tokens_of(path):
        if token.token_type is TokenType.STRING and "\\" in token.text:
            yield f"{path}: '{token.text}'"


def find_unknown_functions(path: Path) -> Iterator[str]:
    tokens = tokens_of(path)
    for token, following in zip(tokens, tokens[1:], strict=False):
        name = token.text.lower()
        is_call = following.token_type is TokenType.L_PAREN and re.fullmatch(r"[a-z_]\w*", name)
        if is_call and name not in FUNCTIONS | TYPES | NO_FUNCTIONS and not name.startswith("engine__"):
            yield f"{path}: {name}()"


def find_unfinished_patterns(path: Path) -> Iterator[str]:
    for call in re.findall(r"regexp_(?:extract|replace)\((?:[^()']|'[^']*'|\([^()]*\))*\)", rendered()[path]):
        if not re.search(
            r", [0-9]\)$" if call.startswith("regexp_extract") else r"'\^[^']*', '[^']*'\)$", call
        ):
            yield f"{path}: {call}"


def find_unknown_types(path: Path) -> Iterator[str]:
    # What stands after `as` in a cast, as it is written: the parser knows more names for one type than the engines do.
    tokens = tokens_of(path)
    open_casts: list[bool] = []
    for place, token in enumerate(tokens):
        if token.token_type is TokenType.L_PAREN:
            open_casts.append(place > 0 and tokens[place - 1].text.lower() == "cast")
        elif token.token_type is TokenType.R_PAREN:
            open_casts.pop()
        elif token.text.lower() == "as" and open_casts and open_casts[-1]:
            kind = tokens[place + 1].text.lower()
            if kind not in TYPES:
                yield f"{path}: cast as {kind}"
        elif token.text == "::":
            yield f"{path}: ::"


def find_bare_numbers(path: Path) -> Iterator[str]:
    """A case that begins with a bare number, which is an INT, and goes on with values that may be a BIGINT: Sail takes the type
    of the first."""
    for case in parsed()[path].find_all(exp.Case):
        values = [one.args["true"] for one in case.args["ifs"]] + [case.args.get("default")]
        given = [value for value in values if value is not None and not isinstance(value, exp.Null)]
        is_bare = [
            isinstance(value, exp.Literal) and not value.is_string
            for value in (one.this if isinstance(one, exp.Neg) else one for one in given)
        ]
        if is_bare and is_bare[0] and not all(is_bare):
            yield f"{path}: {case.sql()[:100]}"


def find_recursion(path: Path) -> Iterator[str]:
    if re.search(r"\bwith\s+recursive\b", rendered()[path], re.IGNORECASE):
        yield f"{path}: with recursive"


@cache
def never_null() -> frozenset[str]:
    """Names of columns that a test proves not null wherever the name is described."""
    proved: dict[str, bool] = {}
    for model in described_models().values():
        for column in model.get("columns", ()):
            tests = [
                test if isinstance(test, str) else next(iter(test)) for test in column.get("data_tests", ())
            ]
            proved[column["name"]] = proved.get(column["name"], True) and "not_null" in tests
    return frozenset(name for name, is_proved in proved.items() if is_proved)


# Of these a null may come with any row.
_RAW = frozenset(
    column for tables in (LANDED_TABLES, RULE_TABLES) for columns in tables.values() for column in columns
)


@cache
def numbered() -> frozenset[str]:
    """Names that queries give to the number of a row or a count, and that no landed column has."""
    names = set()
    for alias in (alias for tree in parsed().values() for alias in tree.find_all(exp.Alias)):
        value = alias.this.this if isinstance(alias.this, exp.Cast) else alias.this
        counted = value.this if isinstance(value, exp.Window) else value
        if isinstance(counted, (exp.RowNumber, exp.DenseRank, exp.Count)) or (
            isinstance(counted, exp.Anonymous) and counted.name.lower() in ("row_number", "dense_rank")
        ):
            names.add(alias.alias)
    return frozenset(names) - _RAW


def is_never_null(key: exp.Expression, known: frozenset[str]) -> bool:
    if isinstance(key, (exp.Literal, exp.Boolean)):
        return True
    if isinstance(key, exp.Column):
        return key.name in known
    if isinstance(key, exp.Coalesce):
        return any(is_never_null(value, known) for value in (key.this, *key.expressions))
    if isinstance(key, exp.Case):
        results = [branch.args["true"] for branch in key.args["ifs"]] + [key.args.get("default")]
        return all(result is not None and is_never_null(result, known) for result in results)
    if isinstance(key, (exp.Paren, exp.Cast, exp.Min, exp.Max, exp.Neg, exp.MD5)):
        return is_never_null(key.this, known)
    return False


def find_nulls_in_no_place(path: Path) -> Iterator[str]:
    """Ascending keys of an order that may be null, where it is not said whether nulls come first or last."""
    for ordered in parsed()[path].find_all(exp.Ordered):
        is_told = ordered.args.get("desc") or not ordered.args.get("nulls_first")
        if not is_told and not is_never_null(ordered.this, never_null() | numbered()):
            yield f"{path}: order by {ordered.this.sql(dialect='spark')}"


def found(find: object) -> list[str]:
    assert len(rendered()) > 100
    return [line for path in rendered() for line in find(path)]  # type: ignore[operator]


def test_sql_quotes_no_name() -> None:
    # On Spark, "value" is a text: the model builds, and is wrong.
    assert found(find_double_quotes) == []


def test_sql_escapes_nothing_in_a_text() -> None:
    assert found(find_backslashes) == []


def test_sql_casts_to_types_that_both_engines_have() -> None:
    assert found(find_unknown_types) == []


def test_sql_calls_functions_that_both_engines_have() -> None:
    assert found(find_unknown_functions) == []


def test_patterns_name_their_group_or_begin_at_the_begin() -> None:
    # Otherwise DuckDB takes the whole match and the first one, and Spark the first group and all of them.
    assert found(find_unfinished_patterns) == []


def test_sql_says_where_nulls_come_in_an_ascending_order() -> None:
    assert found(find_nulls_in_no_place) == []


def test_case_begins_with_no_bare_number_beside_other_values() -> None:
    assert found(find_bare_numbers) == []


def test_models_recurse_through_the_engine_macro_only() -> None:
    assert found(find_recursion) == []


def test_contracts_promise_types_that_both_engines_have() -> None:
    promised = {
        (name, column["name"], column["data_type"])
        for name, model in described_models().items()
        for column in model.get("columns", ())
        if "data_type" in column
    }
    assert len(promised) > 500
    assert [each for each in sorted(promised) if re.sub(r"\(.*", "", each[2]) not in TYPES] == []


@pytest.mark.parametrize(
    ("sql", "finds"),
    [
        ('select "value" from core.dim_words', find_double_quotes),
        ("select '\\d' as word", find_backslashes),
        ("select cast(1 as varchar)", find_unknown_types),
        ("select cast((1) as hugeint)", find_unknown_types),
        ("select 1::bigint", find_unknown_types),
        ("select string_agg(word) from core.dim_words", find_unknown_functions),
        ("select regexp_extract(word, '(a)b') from core.dim_words", find_unfinished_patterns),
        ("select regexp_replace(word, 'a', 'b') from core.dim_words", find_unfinished_patterns),
        ("with recursive numbers as (select 1) select * from numbers", find_recursion),
        ("select case when is_open then 0 else quantity end from core.dim_words", find_bare_numbers),
    ],
)
def test_rule_finds_what_it_is_for(sql: str, finds: object, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path("models/wrong.sql")
    monkeypatch.setattr("tests.house.test_bilingual_sql.rendered", lambda: {path: sql})
    monkeypatch.setattr("tests.house.test_bilingual_sql.parsed", lambda: {path: parse(sql)})
    tokens_of.cache_clear()
    try:
        assert list(finds(path)) != []  # type: ignore[operator]
    finally:
        tokens_of.cache_clear()


@pytest.mark.parametrize(
    ("keys", "is_found"),
    [
        ("happened", True),
        ("happened nulls last", False),
        ("happened nulls first", False),
        ("happened desc", False),
        ("coalesce(happened, 0)", False),
        ("case when happened > 0 then 1 end", True),
        ("case when happened > 0 then 1 else 2 end", False),
        ("ticket_key, happened", True),
    ],
)
def test_order_of_nulls_is_asked_for_where_a_key_may_be_null(
    keys: str, is_found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path("models/wrong.sql")
    sql = f"select row_number() over (partition by a order by {keys}) as place_of_it from core.dim_words"
    monkeypatch.setattr("tests.house.test_bilingual_sql.parsed", lambda: {path: parse(sql)})
    assert bool(list(find_nulls_in_no_place(path))) is is_found
