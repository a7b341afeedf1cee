"""The SQL clock and the plain-Python clock give the same second for random calendars, spans and pauses.

One Hypothesis draw holds CALENDARS_PER_DRAW calendars with their questions, asked in one go: one example is one calendar.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.generative.oracle import Oracle
from tests.generative.questions import ANCHORS, ask, cases, parse_instant

CALENDARS_PER_DRAW = 20
EXAMPLES = 2_000
LONG_EXAMPLES = 50_000
# The oracle walks this far before it gives up on a due instant.
REACH_SECONDS = 12 * 86_400

Case = tuple[dict[str, Any], list[dict[str, Any]]]


def compare(anchor: date, drawn: list[Case], folder: Path) -> None:
    by_name = {f"calendar_{index}": calendar for index, (calendar, _) in enumerate(drawn)}
    asked = [
        {"calendar": name, **question}
        for name, (_, questions) in zip(by_name, drawn, strict=True)
        for question in questions
    ]
    answers = ask(folder, by_name, asked)
    midnight = (anchor - date(1970, 1, 1)).days * 86_400
    reach = midnight + REACH_SECONDS
    oracles = {name: Oracle(calendar, midnight - 8 * 86_400, reach) for name, calendar in by_name.items()}
    for question, answer in zip(asked, answers, strict=True):
        oracle = oracles[question["calendar"]]
        context = (question, by_name[question["calendar"]], answer)
        if question["op"] == "is_open":
            assert answer["open"] == oracle.is_open(question["at"]), context
        elif question["op"] == "elapsed":
            assert answer["seconds"] == oracle.elapsed(
                question["start"], question["end"], question["pauses"]
            ), context
        else:
            expected = oracle.due(question["start"], question["seconds"], question["pauses"], reach)
            if expected is None:
                assert "error" in answer or parse_instant(answer["at"]) > reach, context
            else:
                assert parse_instant(answer.get("at", "1900-01-01T00:00:00Z")) == expected, (
                    expected,
                    context,
                )


# One day for all calendars of a draw: clocks reach from the first question to the last.
_DRAWS = st.sampled_from(sorted(ANCHORS)).flatmap(
    lambda anchor: st.tuples(
        st.just(anchor), st.lists(cases(anchor), min_size=CALENDARS_PER_DRAW, max_size=CALENDARS_PER_DRAW)
    )
)
_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clock")


@settings(
    max_examples=EXAMPLES // CALENDARS_PER_DRAW, deadline=None, suppress_health_check=_QUIET, database=None
)
@given(drawn=_DRAWS)
def test_clock_agrees_with_the_oracle_to_the_second(folder: Path, drawn: tuple[date, list[Case]]) -> None:
    compare(*drawn, folder)


@pytest.mark.long
@settings(
    max_examples=LONG_EXAMPLES // CALENDARS_PER_DRAW,
    deadline=None,
    suppress_health_check=_QUIET,
    database=None,
)
@given(drawn=_DRAWS)
def test_clock_agrees_with_the_oracle_to_the_second_over_many_examples(
    folder: Path, drawn: tuple[date, list[Case]]
) -> None:
    compare(*drawn, folder)
