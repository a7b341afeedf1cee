"""A mapping of a YAML rule file while it is read: every value checked, every problem kept with its line.

Readers go through the whole file before they give up, so that one run names everything that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pipeline.declarations.problems import Place, describe, name_nearest
from pipeline.declarations.read_yaml import Key, YamlDocument
from pipeline.errors import Problem

NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Section(Place):
    """One mapping of a file. Reading a wrong value adds a problem and gives a harmless stand-in."""

    values: dict[Key, object]

    def problem(self, path: Sequence[Key], reason: str, hint: str | None = None) -> Problem:
        """A problem at `path`, not added yet."""
        return self.document.problem((*self.path, *path), reason, hint)

    def require_keys(self, required: Collection[str], optional: Collection[str] = ()) -> None:
        """Report the keys that are missing and those that nobody knows."""
        known = {*required, *optional}
        for key in self.values:
            if key not in known:
                self.report([key], "this key is not known here.", name_nearest(key, known))
        for key in required:
            if key not in self.values:
                self.report([], f"the key {key!r} is missing.", "Add it.")

    def has(self, key: Key) -> bool:
        return self.values.get(key) is not None

    def text(self, key: Key, default: str = "") -> str:
        """Text, whole numbers included as they are written."""
        value = self.values.get(key)
        if value is None:
            if key in self.values and default == "":
                self.report([key], "the value is empty.", "Write one.")
            return default
        if isinstance(value, bool) or not isinstance(value, str | int):
            self.report([key], f"{describe(value)} stands where text is expected.", "Put the text in quotes.")
            return default
        if not str(value).strip():
            self.report([key], "the value is empty.", "Write one.")
        return str(value)

    def name(self, key: Key) -> str:
        """A name that other files refer to: lower case letters, digits, underscores."""
        value = self.text(key)
        if value and not NAME.fullmatch(value):
            self.report(
                [key],
                f"{value!r} is not a usable name.",
                "Use lower case letters, digits and underscores, beginning with a letter.",
            )
        return value

    def choice(self, key: Key, known: Collection[str], default: str = "") -> str:
        """One of `known`, else a problem that names the nearest."""
        value = self.text(key, default)
        if value and value not in known:
            self.report([key], f"{value!r} is not known here.", name_nearest(value, known))
        return value

    def flag(self, key: Key, default: bool = False) -> bool:
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            self.report([key], f"{value!r} is neither true nor false.", "Write true or false.")
            return default
        return value

    def whole_number(self, key: Key, minimum: int, maximum: int, default: int | None = None) -> int | None:
        value = self.values.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
            self.report([key], f"{value!r} is not a whole number from {minimum} to {maximum}.", "Correct it.")
            return default
        return value

    def texts(self, key: Key, known: Collection[str] | None = None) -> tuple[str, ...]:
        """A list of texts without repetition; each one of `known`, where that is given."""
        found: list[str] = []
        for index, value in enumerate(self.items(key)):
            if isinstance(value, bool) or not isinstance(value, str | int):
                self.report(
                    [key, index],
                    f"{describe(value)} stands where text is expected.",
                    "Put the text in quotes.",
                )
            elif known is not None and str(value) not in known:
                self.report([key, index], f"{value!r} is not known here.", name_nearest(value, known))
            elif str(value) in found:
                self.report([key, index], f"{value!r} stands here twice.", "Keep one of the two.")
            else:
                found.append(str(value))
        return tuple(found)

    def items(self, key: Key) -> list[object]:
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.report(
                [key],
                f"{describe(value)} stands where a list is expected.",
                "Write [first, second] or one '- ' line each.",
            )
            return []
        return value

    def section(self, key: Key) -> Section:
        """The mapping under `key`; an empty one where there is none."""
        return self.open([key], self.values.get(key))

    def sections(self, key: Key) -> list[Section]:
        """The mappings of the list under `key`."""
        return [self.open([key, index], value) for index, value in enumerate(self.items(key))]

    def open(self, path: Sequence[Key], value: object) -> Section:
        """`value`, which stands at `path`, as a section."""
        if value is not None and not isinstance(value, dict):
            self.report(
                path, f"{describe(value)} stands where a mapping is expected.", "Write 'key: value' lines."
            )
        return Section(
            self.document, (*self.path, *path), self.problems, value if isinstance(value, dict) else {}
        )


def open_document(document: YamlDocument, problems: list[Problem]) -> Section:
    """The whole file as a section."""
    return Section(document, (), problems, {}).open([], document.data)
