"""`sla clock`: pauses, refusals, order, and the clock's independence of the machine."""

from __future__ import annotations

import io
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.calendars.clock import answer_questions
from pipeline.errors import ConfigurationError
from tests.unit.calendars.clock_answers import answer, ask, due, elapsed, is_open

HOUR = 3600
DESK: dict[str, Any] = {
    "time_zone": "UTC",
    "weekly": {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
}


def at(clock: str) -> str:
    """That time on Wednesday 2026-07-01."""
    return f"2026-07-01T{clock}:00Z"


@pytest.mark.parametrize(
    ("pauses", "paused_hours"),
    [
        ([], 0),
        ([[at("10:00"), at("11:00")]], 1),
        ([[at("10:00"), at("12:00")], [at("11:00"), at("13:00")]], 3),
        ([[at("10:00"), at("14:00")], [at("11:00"), at("12:00")]], 4),
        ([[at("11:00"), at("12:00")], [at("10:00"), at("11:00")]], 2),
        ([[at("10:00"), at("10:00")]], 0),
        ([[at("06:00"), at("10:00")]], 1),
        ([[at("16:00"), None]], 1),
        ([[at("16:00")]], 1),
        ([[at("19:00"), at("20:00")]], 0),
        ([["2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z"]], 0),
        ([["2025-01-01T00:00:00Z", "9999-12-31T00:00:00Z"]], 8),
    ],
)
def test_elapsed_takes_out_the_open_part_of_pauses_once(
    tmp_path: Path, pauses: list[Any], paused_hours: int
) -> None:
    assert ask(tmp_path, DESK, elapsed(at("09:00"), at("18:00"), *pauses)) == (8 - paused_hours) * HOUR


@pytest.mark.parametrize(
    ("seconds", "pauses", "expected"),
    [
        (2 * HOUR, [[at("10:00"), at("12:00")]], at("13:00")),
        # Used up exactly when the pause begins: the pause changes nothing.
        (1 * HOUR, [[at("10:00"), at("12:00")]], at("10:00")),
        (1 * HOUR + 1, [[at("10:00"), at("12:00")]], "2026-07-01T12:00:01Z"),
        # A pause from noon to the next day's noon holds 5 open hours of this day and 3 of the next.
        (4 * HOUR, [[at("12:00"), "2026-07-02T12:00:00Z"]], "2026-07-02T13:00:00Z"),
        (
            4 * HOUR,
            [[at("10:00"), at("12:00")], [at("11:00"), at("13:00")], [at("14:00"), at("15:00")]],
            at("17:00"),
        ),
        (2 * HOUR, [[at("11:00"), None]], at("11:00")),
        (2 * HOUR, [[at("06:00"), at("10:00")]], at("12:00")),
        (0, [[at("08:00"), at("12:00")]], at("09:00")),
    ],
)
def test_due_moves_by_the_open_part_of_pauses_that_begin_before_it(
    tmp_path: Path, seconds: int, pauses: list[Any], expected: str
) -> None:
    assert ask(tmp_path, DESK, due(at("09:00"), seconds, *pauses)) == expected


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (
            {"op": "is_open", "at": at("10:00"), "calendar": "dsek"},
            "unknown calendar 'dsek'. Did you mean 'desk'?",
        ),
        ({"op": "is_open", "at": at("10:00"), "calendar": None}, "unknown calendar None"),
        ({"op": "is_closed", "at": at("10:00")}, "unknown op 'is_closed'. Did you mean 'is_open'?"),
        ({"op": "is_open"}, "'at' is missing"),
        ({"op": "is_open", "at": "2026-07-01T10:00:00"}, "with its zone"),
        ({"op": "is_open", "at": "noon"}, "must be an instant"),
        ({"op": "is_open", "at": 1_782_900_000}, "must be an instant"),
        ({"op": "is_open", "at": "1899-12-31T23:59:59Z"}, "outside the years 1900 to 2199"),
        (elapsed(at("10:00"), at("09:59")), "the end lies before the start"),
        (due(at("10:00"), -1), "must not be negative"),
        ({**due(at("10:00"), 1), "seconds": 1.5}, "must be a whole number"),
        ({**due(at("10:00"), 1), "seconds": True}, "must be a whole number"),
        ({**due(at("10:00"), 1), "seconds": None}, "must be a whole number"),
        (elapsed(at("09:00"), at("10:00"), [at("09:30"), at("09:29")]), "ends before it starts"),
        (elapsed(at("09:00"), at("10:00"), ["soon", at("09:29")]), "the start of a pause is 'soon'"),
        ({**elapsed(at("09:00"), at("10:00")), "pauses": at("09:00")}, "'pauses' must be a list"),
        ({**elapsed(at("09:00"), at("10:00")), "pauses": [at("09:00")]}, "is not [start, end]"),
        (due(at("09:00"), 2 * HOUR + 1, [at("11:00"), None]), "never due: a pause that does not end"),
        (due(at("09:00"), 10**18), "not due within 100 years"),
    ],
)
def test_a_question_without_an_answer_gets_its_reason_and_the_others_their_answers(
    tmp_path: Path, question: dict[str, Any], reason: str
) -> None:
    first, refused, last = answer(tmp_path, DESK, is_open(at("10:00")), question, is_open(at("08:00")))
    assert (first, last) == ({"id": 0, "open": True}, {"id": 2, "open": False})
    assert refused["id"] == 1
    assert reason in refused["error"]


@pytest.mark.parametrize("line", ["{", "[]", "null", '"text"', '{"id": 1', "\x00", "[" * 100_000])
def test_a_line_that_is_no_question_is_answered_without_id(tmp_path: Path, line: str) -> None:
    refused, answered = answer(tmp_path, DESK, line, is_open(at("10:00")))
    assert refused["id"] is None
    assert "not" in refused["error"]
    assert answered == {"id": 1, "open": True}


def test_bytes_that_are_no_text_are_answered_without_id(tmp_path: Path) -> None:
    (tmp_path / "calendars.yml").write_text(json.dumps({"calendars": {"desk": DESK}}))
    questions = tmp_path / "questions.ndjson"
    good = json.dumps(
        {"id": "ü", "calendar": "always", "op": "is_open", "at": at("10:00")}, ensure_ascii=False
    )
    questions.write_bytes(b"\xff\xfe\n\n\xef\xbb\xbf" + good.encode())
    out = io.StringIO()
    assert answer_questions(questions, tmp_path / "calendars.yml", out) == 1
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [
        {"id": None, "error": "this line is not JSON"},
        {"id": "ü", "open": True},
    ]


def test_a_calendar_that_never_opens_is_never_due(tmp_path: Path) -> None:
    never = {"time_zone": "UTC", "weekly": {}}
    assert ask(tmp_path, never, due(at("09:00"), 1)) == "never due: the calendar 'desk' never opens"
    assert ask(tmp_path, never, due(at("09:00"), 0)) == at("09:00")
    assert ask(tmp_path, never, elapsed(at("09:00"), at("10:00"))) == 0


def test_ids_come_back_as_they_were_in_the_same_order(tmp_path: Path) -> None:
    ids = [7, "seven", None, 7, {"a": [1]}, 1.5]
    answers = answer(tmp_path, DESK, *({**is_open(at("10:00")), "id": one} for one in ids))
    assert [one["id"] for one in answers] == ids


def test_no_questions_give_no_answers(tmp_path: Path) -> None:
    assert answer(tmp_path, DESK) == []


def test_bad_calendars_refuse_the_whole_call(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not a time zone"):
        answer(tmp_path, {**DESK, "time_zone": "Mars/Base"}, is_open(at("10:00")))
    with pytest.raises(ConfigurationError, match="neither a calendar file nor a folder"):
        answer_questions(io.StringIO(), tmp_path / "missing.yml", io.StringIO())
    (tmp_path / "calendars.yml").write_text(json.dumps({"calendars": {}}))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        answer_questions(tmp_path / "missing.ndjson", tmp_path / "calendars.yml", io.StringIO())


@pytest.mark.parametrize("host_zone", ["UTC", "Pacific/Kiritimati", "America/St_Johns", "Europe/Berlin"])
def test_answers_do_not_depend_on_the_time_zone_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host_zone: str
) -> None:
    monkeypatch.setenv("TZ", host_zone)
    time.tzset()
    try:
        berlin = {**DESK, "time_zone": "Europe/Berlin"}
        got = answer(
            tmp_path,
            berlin,
            elapsed("2026-03-27T00:00:00Z", "2026-03-30T08:00:00Z"),
            due(at("06:00"), 9 * HOUR),
        )
        # Friday 8 hours, Monday from 07:00 UTC; in summer the desk opens at 07:00 UTC and closes at 15:00.
        assert got == [{"id": 0, "seconds": (8 + 1) * HOUR}, {"id": 1, "at": "2026-07-02T08:00:00Z"}]
    finally:
        os.environ.pop("TZ", None)
        monkeypatch.undo()
        time.tzset()
