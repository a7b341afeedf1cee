"""What is wrong in a file that a person wrote: collected with its place, told with the nearest known name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.declarations.read_yaml import Key, YamlDocument
from pipeline.errors import ConfigurationError, Problem

SHOWN_PROBLEMS = 20


def name_nearest(word: object, known: Iterable[str]) -> str:
    """A hint: the known name nearest to `word`, and the list when it is short enough to read."""
    names = sorted(known)
    by_lower = {name.lower(): name for name in names}
    nearest = difflib.get_close_matches(str(word).lower(), by_lower, n=1, cutoff=0.6)
    hints = [f"Did you mean {by_lower[nearest[0]]!r}?"] if nearest else []
    if names and len(names) <= 20:
        hints.append(f"Known: {', '.join(names)}.")
    return " ".join(hints) or "None is known here."


def refuse(what: str, problems: Sequence[Problem]) -> ConfigurationError:
    """The error that names the first problems of unusable rule files and counts the rest."""
    rest = len(problems) - SHOWN_PROBLEMS
    more = f" The first {SHOWN_PROBLEMS} of {len(problems)} problems:" if rest > 0 else ""
    return ConfigurationError(f"{what} cannot be used.{more}", problems[:SHOWN_PROBLEMS])


def describe(value: object) -> str:
    """A value as a message names it."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return repr(value)


@dataclass(frozen=True)
class Place:
    """One value of a file, and the problems found in the files so far."""

    document: YamlDocument
    path: tuple[Key, ...]
    problems: list[Problem]

    def at(self, *path: Key) -> Place:
        """A place within this one."""
        return Place(self.document, (*self.path, *path), self.problems)

    def names_at(self, *path: Key) -> tuple[Key, ...]:
        """The keys of the mapping at `path` as the file has them, also those whose values are of no use."""
        here = (*self.path, *path)
        is_mapping = here in self.document.mappings.values()
        return tuple(one[-1] for one in self.document.lines if is_mapping and one and one[:-1] == here)

    def line_of(self, *path: Key) -> int:
        return self.document.line_of(*self.path, *path)

    def report(self, path: Sequence[Key], reason: str, hint: str | None = None) -> None:
        """Add a problem at `path`, which counts from here."""
        self.problems.append(self.document.problem((*self.path, *path), reason, hint))

    def check_name(self, path: Sequence[Key], name: object, known: Iterable[str]) -> bool:
        """Whether `name` is one of `known`; reported with the nearest of them where it is not."""
        names = tuple(known)
        if name not in names:
            self.report(path, f"{name!r} is not known here.", name_nearest(name, names))
        return name in names
