"""Asking the clock in a test: one calendar written as in a file, short questions, plain answers."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from pipeline.calendars.clock import answer_questions


def answer(folder: Path, calendar: Any, *questions: dict[str, Any] | str) -> list[dict[str, Any]]:
    """The answers to questions about the calendar `desk`; a question may be a raw line. Ids are positions."""
    file = folder / "calendars.yml"
    file.write_text(json.dumps({"calendars": {"desk": calendar}}), encoding="utf-8")
    lines = [
        q if isinstance(q, str) else json.dumps({"id": i, "calendar": "desk", **q})
        for i, q in enumerate(questions)
    ]
    out = io.StringIO()
    unanswered_count = answer_questions(io.StringIO("\n".join(lines)), file, out)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert unanswered_count == sum("error" in one for one in answers)
    return answers


def elapsed(start: str, end: str, *pauses: list[str | None]) -> dict[str, Any]:
    return {"op": "elapsed", "start": start, "end": end, "pauses": list(pauses)}


def due(start: str, seconds: int, *pauses: list[str | None]) -> dict[str, Any]:
    return {"op": "due", "start": start, "seconds": seconds, "pauses": list(pauses)}


def is_open(at: str) -> dict[str, Any]:
    return {"op": "is_open", "at": at}


def ask(folder: Path, calendar: Any, question: dict[str, Any]) -> Any:
    """The answer itself: seconds, instant, or open; an error as it stands."""
    (one,) = answer(folder, calendar, question)
    return next(value for key, value in one.items() if key != "id")
