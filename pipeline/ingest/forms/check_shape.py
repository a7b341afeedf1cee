"""What a file of a source looked like when it last landed, and how this one differs: columns and what they hold."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import Problem
from pipeline.ingest.files.exports import Export, reject
from pipeline.rules.mapping import Mapping

_WHOLE = re.compile(r"-?\d+")
_DECIMAL = re.compile(r"-?\d*[.,]\d+")
# From what says most to what says least; only a step to the right is a change of type.
KINDS = ("whole numbers", "decimal numbers", "text")


@dataclass(frozen=True)
class Shape:
    """The header of a landed file, and of each column that carries meaning what it held."""

    file: str
    header: tuple[str, ...]
    kinds: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"file": self.file, "header": list(self.header), "kinds": self.kinds}


def read_shape(stored: dict[str, Any] | None) -> Shape | None:
    """A shape as the manifest keeps it."""
    return None if not stored else Shape(stored["file"], tuple(stored["header"]), dict(stored["kinds"]))


def kind_of(text: str) -> str:
    """What one text is, as a word of KINDS."""
    if _WHOLE.fullmatch(text):
        return KINDS[0]
    return KINDS[1] if _DECIMAL.fullmatch(text) else KINDS[2]


def check_header(
    export: Export, mapping: Mapping, earlier: Shape | None, header: Sequence[str], used: Sequence[str]
) -> list[Problem]:
    """Warnings for allowed changes of the header. Raises InputRejected, naming all others.

    `used`: the names of this header that the mapping reads.
    """
    if earlier is None:
        unused = [name for name in dict.fromkeys(header) if name not in used]
        if not unused:
            return []
        return [
            Problem(
                export.name,
                1,
                None,
                f"not used, {len(unused)} of {len(header)} columns: {_list(unused)}.",
                None,
            )
        ]
    new = [name for name in dict.fromkeys(header) if name not in earlier.header]
    dropped = [name for name in dict.fromkeys(earlier.header) if name not in header]
    problems: list[tuple[str, Problem]] = []
    for name in dropped:
        renamed = difflib.get_close_matches(name.casefold(), [one.casefold() for one in new], n=1, cutoff=0.6)
        as_new = next((one for one in new if renamed and one.casefold() == renamed[0]), None)
        said = f"the column {name!r} is no longer there" + (f"; is it {as_new!r} now?" if as_new else ".")
        problems.append(("dropped_columns", Problem(export.name, 1, name, said, None)))
    problems += [
        ("new_columns", Problem(export.name, 1, name, f"the column {name!r} was not there before.", None))
        for name in new
    ]
    return _judge(export, mapping, problems)


def check_kinds(
    export: Export, mapping: Mapping, earlier: Shape | None, kinds: dict[str, tuple[str, int, str]]
) -> list[Problem]:
    """The same for what columns hold; `kinds`: column -> kind, and line and text of the first one of that kind."""
    problems = []
    for name, (kind, line, text) in kinds.items():
        before = earlier.kinds.get(name) if earlier else None
        if before in KINDS and KINDS.index(kind) > KINDS.index(before):
            said = f"the column held {before} and now holds {kind}, such as {text[:60]!r}."
            problems.append(("retyped_columns", Problem(export.name, line, name, said, None)))
    return _judge(export, mapping, problems)


def _judge(export: Export, mapping: Mapping, problems: list[tuple[str, Problem]]) -> list[Problem]:
    refused = [drift for drift, _ in problems if drift not in mapping.allowed]
    if refused:
        drifts = ", ".join(dict.fromkeys(refused))
        hint = (
            "If the helpdesk changed and the figures still mean the same, correct the mapping or add "
            f"allow: [{drifts}] to {mapping.file}."
        )
        error = reject(export, "it does not look as it did when it last landed.", hint)
        error.problems = (*error.problems, *(one for drift, one in problems if drift in refused))
        error.args = ("\n".join([error.message, *(f"  {problem}" for problem in error.problems)]),)
        raise error
    return [problem for _, problem in problems]


def _list(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:12]) + (" …" if len(names) > 12 else "")
