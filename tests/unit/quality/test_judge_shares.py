"""The shares of a build in words; what is over its limit stands in the model, so the rows here say it."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from pipeline.errors import ChecksFailed
from pipeline.quality.judge_shares import check_shares, read_shares_over_limit, stop_on_shares
from tests.unit.published_models import create_published

_LEVELS = ("desk", "unknown_levels", "unknown_levels", 3, 140, 2, True, True, "Hihg", 2)
_FINDING = ("desk", "event_before_ticket", "findings", 9, 100, 5, False, True, None, None)
_WITHIN = ("desk", "unknown_statuses", "unknown_statuses", 2, 100, 2, True, False, "Paused", 2)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        create_published(opened)
        yield opened


def _insert(connection: duckdb.DuckDBPyConnection, *rows: tuple[object, ...]) -> None:
    connection.executemany(
        "insert into qc.rpt_qc__source_shares values (null, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
    )


def test_share_over_its_limit_stops_with_the_word_and_the_way_out(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    _insert(connection, _LEVELS, _FINDING, _WITHIN)
    with pytest.raises(ChecksFailed) as stopped:
        stop_on_shares(read_shares_over_limit(connection))
    assert str(stopped.value).splitlines()[1:] == [
        "  sla.yml: sources.desk: 3 of 140 tickets with a level that no setting maps (2.2 %; 2 % are allowed), "
        "such as 'Hihg' (2). Map the words: severity.values of the source in sla.yml, or the values of its mapping. "
        "If it is right as it is, write allow: {unknown_levels: 3} there."
    ]


def test_finding_over_its_limit_warns_and_stops_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    _insert(connection, _FINDING, _WITHIN)
    shares = read_shares_over_limit(connection)
    stop_on_shares(shares)
    assert [(one.severity, one.status, one.observed) for one in check_shares(shares)] == [
        (
            "warning",
            "failed",
            "9 of 100 tickets: An event is dated before its ticket (9.0 %; 5 % are allowed)",
        ),
        ("critical", "passed", "no share over its limit that stops publishing"),
    ]


def test_check_keeps_no_word_of_the_export(connection: duckdb.DuckDBPyConnection) -> None:
    _insert(connection, _LEVELS)
    assert "Hihg" not in repr(check_shares(read_shares_over_limit(connection)))


def test_limit_that_is_offered_lets_the_share_pass(connection: duckdb.DuckDBPyConnection) -> None:
    # 3 of 140 is 2.14 %: 2 is too little, 3 is enough.
    _insert(connection, _LEVELS)
    [share] = read_shares_over_limit(connection)
    assert share.affected_count * 100 > (share.needed_pct - 1) * share.whole_count
    assert share.affected_count * 100 <= share.needed_pct * share.whole_count
