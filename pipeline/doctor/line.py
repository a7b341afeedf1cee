"""One line of the examination, and how a check that fails becomes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.errors import SlaError, clean, explain_machine


@dataclass(frozen=True)
class Line:
    """`found` is what is so, `advice` what to do; empty where there is nothing to do."""

    check: str
    state: Literal["ok", "warning", "wrong"]
    found: str
    advice: str = ""


# A line that names all of many things is not read.
_SHOWN = 5


def name_some(things: Sequence[object]) -> str:
    """The first few, and how many more there are."""
    more = f", and {len(things) - _SHOWN} more" if len(things) > _SHOWN else ""
    return f"{', '.join(map(str, things[:_SHOWN]))}{more}"


Check = Callable[[], Iterator[Line]]


def examine(name: str, check: Check) -> list[Line]:
    """The lines of one check. What it raises is the last of them, so that the other checks still run."""
    lines: list[Line] = []
    try:
        lines.extend(check())
    except SlaError as problem:
        lines.append(Line(name, "wrong", clean(str(problem)), "Do what the message says."))
    except Exception as problem:
        told = explain_machine(problem)
        found = str(told) if told else f"{type(problem).__name__}: {problem}"
        lines.append(Line(name, "wrong", clean(found), "Correct it, then examine again."))
    return lines
