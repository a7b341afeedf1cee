"""`sla clock`: business-time questions, answered with the very SQL that the models use.

Each line of the input is checked by itself; the rest of the work is one query over all questions of a batch. A pause counts
only where it lies within the question's span; overlapping pauses count once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from pipeline.calendars.calendar import Calendar
from pipeline.calendars.load_calendars import load_calendars
from pipeline.calendars.render_macros import render
from pipeline.calendars.steps import DUE_HORIZON_YEARS, build_clocks
from pipeline.declarations.problems import name_nearest
from pipeline.errors import ConfigurationError

OPERATIONS = ("elapsed", "due", "is_open")
# The questions come from outside, so what answers them reaches neither files nor network.
_HARDENED = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}
# Within these years the zone rules mean something, and a batch of questions stays small in memory.
FIRST_YEAR, LAST_YEAR = 1900, 2199
_BATCH_LINES = 200_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_LAST_EPOCH = (datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC) - _EPOCH) // _SECOND
# No target can pass within the horizon when it has more seconds than this.
_MAXIMUM_TARGET_SECONDS = (DUE_HORIZON_YEARS + 1) * 366 * 86_400

# A pause counts towards `due` when it begins before the target is used up; a pause without an end then makes it never due.
_ANSWERS = """
with
read_pauses as (
  select
    pauses.question_number,
    pauses.pause_number,
    pauses.resumes_epoch is null as is_endless,
    {{ open_seconds_at('pause_steps', 'clocks', 'pauses.pauses_epoch') }} as open_at_pause,
    {{ open_seconds_at('resume_steps', 'clocks', 'pauses.resumes_epoch') }}
      - {{ open_seconds_at('pause_steps', 'clocks', 'pauses.pauses_epoch') }} as paused_seconds
  from pauses
  join clocks on clocks.clock_name = pauses.clock_name
  {{ join_clock_steps('pause_steps', 'clocks', 'pauses.pauses_epoch') }}
  {{ join_clock_steps('resume_steps', 'clocks', 'pauses.resumes_epoch') }}
),

read_questions as (
  select
    questions.*,
    {{ open_seconds_at('from_steps', 'clocks', 'questions.starts_epoch') }} as open_from,
    {{ open_seconds_at('until_steps', 'clocks', 'questions.ends_epoch') }} as open_until
  from questions
  join clocks on clocks.clock_name = questions.clock_name
  {{ join_clock_steps('from_steps', 'clocks', 'questions.starts_epoch') }}
  {{ join_clock_steps('until_steps', 'clocks', 'questions.ends_epoch') }}
),

placed_pauses as (
  select
    read_pauses.*,
    read_questions.target_seconds,
    read_pauses.open_at_pause - read_questions.open_from - coalesce(sum(read_pauses.paused_seconds) over (
      partition by read_pauses.question_number order by read_pauses.pause_number rows between unbounded preceding and 1 preceding
    ), 0) as counted_at_pause
  from read_pauses
  join read_questions on read_questions.question_number = read_pauses.question_number
),

paused_questions as (
  select
    question_number,
    cast(coalesce(sum(paused_seconds), 0) as bigint) as paused_seconds,
    max(case when is_endless then 1 else 0 end) = 1 as is_endless
  from placed_pauses
  where target_seconds is null or counted_at_pause < target_seconds
  group by question_number
),

counted as (
  select
    read_questions.question_number,
    read_questions.clock_name,
    read_questions.starts_epoch,
    read_questions.open_until - read_questions.open_from - coalesce(paused_questions.paused_seconds, 0) as elapsed_seconds,
    read_questions.open_from + read_questions.target_seconds + coalesce(paused_questions.paused_seconds, 0) as open_at_due,
    coalesce(paused_questions.is_endless, false) as is_endless
  from read_questions
  left join paused_questions on paused_questions.question_number = read_questions.question_number
)

select
  counted.question_number,
  counted.elapsed_seconds,
  counted.is_endless,
  clocks.open_seconds_total = 0 as is_never_open,
  {{ instant_of_open_second('due_steps', 'clocks', 'counted.open_at_due') }} as reached_epoch
from counted
join clocks on clocks.clock_name = counted.clock_name
{{ join_clock_due_steps('due_steps', 'clocks', 'counted.open_at_due') }}
order by counted.question_number
"""


class _Unanswerable(Exception):
    """Why one question has no answer, in words for the person who asked."""


@dataclass(frozen=True)
class _Question:
    """One question, checked. Epoch seconds; pauses are merged, sorted, within the span; None = never ends."""

    calendar: str
    operation: str
    starts_epoch: int
    ends_epoch: int | None = None
    target_seconds: int | None = None
    pauses: list[tuple[int, int | None]] = field(default_factory=list)


def answer_questions(questions: Path | TextIO, calendars: Path, out: TextIO) -> int:
    """Answer NDJSON questions line by line into `out`, in order; returns how many could not be answered.

    Raises ConfigurationError when the calendars (a file or a folder) or the file of questions cannot be read.
    """
    known = load_calendars(calendars)
    if not isinstance(questions, Path):
        return _answer_lines(questions, known, out)
    try:
        with questions.open("rb") as lines:
            return _answer_lines(lines, known, out)
    except OSError as problem:
        raise ConfigurationError(
            f"The questions {questions} cannot be read: {problem.strerror}."
        ) from problem


def _answer_lines(
    lines: Iterable[str] | Iterable[bytes], calendars: Mapping[str, Calendar], out: TextIO
) -> int:
    written = (line for line in lines if line.strip())
    unanswered_count = 0
    while batch := list(islice(written, _BATCH_LINES)):
        for answer in _answer_batch(batch, calendars):
            unanswered_count += "error" in answer
            out.write(json.dumps(answer, ensure_ascii=False) + "\n")
    return unanswered_count


def _answer_batch(lines: list[Any], calendars: Mapping[str, Calendar]) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    asked: dict[int, _Question] = {}
    for number, line in enumerate(lines):
        answer: dict[str, Any] = {"id": None}
        try:
            raw = _read_line(line)
            answer["id"] = raw.get("id")
            asked[number] = _check(raw, calendars)
        except _Unanswerable as problem:
            answer["error"] = str(problem)
        answers.append(answer)
    for number, elapsed_seconds, is_endless, is_never_open, reached_epoch in _compute(asked, calendars):
        question, answer = asked[number], answers[number]
        if question.operation == "elapsed":
            answer["seconds"] = elapsed_seconds
        elif question.operation == "is_open":
            answer["open"] = elapsed_seconds == 1
        elif is_endless:
            answer["error"] = "never due: a pause that does not end begins before the time is used up"
        elif reached_epoch is not None:
            answer["at"] = _format(max(question.starts_epoch, reached_epoch))
        elif is_never_open:
            answer["error"] = f"never due: the calendar {question.calendar!r} never opens"
        else:
            answer["error"] = f"not due within {DUE_HORIZON_YEARS} years"
    return answers


def _compute(asked: Mapping[int, _Question], calendars: Mapping[str, Calendar]) -> Iterator[tuple[Any, ...]]:
    """(question number, elapsed seconds, is endless, is never open, epoch at which the target is reached or None)."""
    if not asked:
        return
    import duckdb
    import pyarrow

    questions = asked.values()
    instants = [epoch for q in questions for epoch in (q.starts_epoch, q.ends_epoch) if epoch is not None]
    instants += [epoch for q in questions for pause in q.pauses for epoch in pause if epoch is not None]
    targets: dict[str, int] = {}
    for question in questions:
        targets[question.calendar] = max(targets.get(question.calendar, 0), question.target_seconds or 0)
    used = {name: calendars[name] for name in targets}
    first, last = (_EPOCH + timedelta(seconds=epoch) for epoch in (min(instants), max(instants)))
    tables = build_clocks(used, first, last, targets, with_explanations=False).by_name()
    whole, text = pyarrow.int64(), pyarrow.string()
    tables["questions"] = pyarrow.table(
        {
            "question_number": pyarrow.array(asked.keys(), whole),
            "clock_name": pyarrow.array([q.calendar for q in questions], text),
            "starts_epoch": pyarrow.array([q.starts_epoch for q in questions], whole),
            "ends_epoch": pyarrow.array([q.ends_epoch for q in questions], whole),
            "target_seconds": pyarrow.array([q.target_seconds for q in questions], whole),
        }
    )
    pauses = [
        (n, q.calendar, index, *pause) for n, q in asked.items() for index, pause in enumerate(q.pauses)
    ]
    columns = {
        "question_number": whole,
        "clock_name": text,
        "pause_number": whole,
        "pauses_epoch": whole,
        "resumes_epoch": whole,
    }
    tables["pauses"] = pyarrow.table(
        {
            name: pyarrow.array([row[index] for row in pauses], kind)
            for index, (name, kind) in enumerate(columns.items())
        }
    )
    with duckdb.connect(":memory:", config=dict(_HARDENED)) as connection:
        for name, table in tables.items():
            # Copied, because DuckDB knows the least and greatest key of a table of its own only.
            connection.register("arriving", table)
            connection.execute(f'create table "{name}" as select * from arriving')
            connection.unregister("arriving")
        yield from connection.execute(render(_ANSWERS)).fetchall()


def _read_line(line: str | bytes) -> dict[str, Any]:
    try:
        raw = json.loads(line.decode("utf-8-sig") if isinstance(line, bytes) else line.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as problem:
        raise _Unanswerable("this line is not JSON") from problem
    if not isinstance(raw, dict):
        raise _Unanswerable('this line is not a JSON object such as {"id": 1, "op": "is_open", …}')
    return raw


def _check(raw: Mapping[str, Any], calendars: Mapping[str, Calendar]) -> _Question:
    calendar, operation = raw.get("calendar"), raw.get("op")
    if not isinstance(calendar, str) or calendar not in calendars:
        raise _Unanswerable(f"unknown calendar {calendar!r}. {name_nearest(calendar, calendars)}")
    if operation == "is_open":
        at = _read_instant(raw, "at")
        return _Question(calendar, operation, at, at + 1)
    if operation == "elapsed":
        start, end = _read_instant(raw, "start"), _read_instant(raw, "end")
        if end < start:
            raise _Unanswerable("the end lies before the start")
        return _Question(calendar, operation, start, end, pauses=_read_pauses(raw, start, end))
    if operation == "due":
        start, seconds = _read_instant(raw, "start"), _read_seconds(raw)
        return _Question(
            calendar, operation, start, target_seconds=seconds, pauses=_read_pauses(raw, start, None)
        )
    raise _Unanswerable(f"unknown op {operation!r}. {name_nearest(operation, OPERATIONS)}")


def _read_seconds(raw: Mapping[str, Any]) -> int:
    seconds = raw.get("seconds")
    if isinstance(seconds, float) and seconds.is_integer():
        seconds = int(seconds)
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise _Unanswerable(f"'seconds' is {seconds!r}; it must be a whole number")
    if seconds < 0:
        raise _Unanswerable(f"'seconds' is {seconds}; it must not be negative")
    return min(seconds, _MAXIMUM_TARGET_SECONDS)


def _read_instant(raw: Mapping[str, Any], key: str) -> int:
    if key not in raw:
        raise _Unanswerable(f"'{key}' is missing")
    epoch, year = _parse(raw[key], f"'{key}'")
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise _Unanswerable(f"'{key}' lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return epoch


def _read_pauses(raw: Mapping[str, Any], start: int, end: int | None) -> list[tuple[int, int | None]]:
    """The pauses as disjoint, sorted parts of the span. One that lasts beyond LAST_YEAR is taken as never ending."""
    given = raw.get("pauses")
    if given is None:
        return []
    if not isinstance(given, list):
        raise _Unanswerable("'pauses' must be a list of [start, end]")
    clipped = []
    for pause in given:
        if not isinstance(pause, list) or not 1 <= len(pause) <= 2:
            raise _Unanswerable(f"the pause {json.dumps(pause)} is not [start, end]")
        paused, _ = _parse(pause[0], "the start of a pause")
        resumed, year = (
            (None, 0) if len(pause) == 1 or pause[1] is None else _parse(pause[1], "the end of a pause")
        )
        if resumed is not None and resumed < paused:
            raise _Unanswerable(f"the pause {json.dumps(pause)} ends before it starts")
        if year > LAST_YEAR:
            resumed = None
        paused = min(paused, _LAST_EPOCH)
        if end is not None:
            resumed = end if resumed is None else min(resumed, end)
        if resumed is None or max(paused, start) < resumed:
            clipped.append((max(paused, start), resumed))
    merged: list[tuple[int, int | None]] = []
    for paused, resumed in sorted(clipped, key=lambda pause: pause[0]):
        last = merged[-1] if merged else None
        if last is None or (last[1] is not None and paused > last[1]):
            merged.append((paused, resumed))
        elif last[1] is not None and (resumed is None or resumed > last[1]):
            merged[-1] = (last[0], resumed)
    return merged


def _parse(value: Any, what: str) -> tuple[int, int]:
    """Epoch seconds, fractions cut off downwards, and the UTC year."""
    try:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is not None:
            instant = instant.astimezone(UTC)
            return (instant - _EPOCH) // _SECOND, instant.year
    except (ValueError, TypeError, OverflowError):
        pass
    raise _Unanswerable(
        f"{what} is {value!r}; it must be an instant with its zone, such as 2026-07-01T08:00:00Z"
    )


def _format(epoch: int) -> str:
    return (_EPOCH + timedelta(seconds=epoch)).strftime("%Y-%m-%dT%H:%M:%SZ")
