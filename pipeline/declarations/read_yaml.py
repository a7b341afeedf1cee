"""YAML with line numbers: plain data, and the line on which each value stands."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import ConfigurationError, Problem

Key = str | int
_MOST_VALUES = 100_000
# What follows a value on its line. Where the value is not in quotation marks, YAML reads it as a comment; a comment that is meant
# as one has a space after its mark.
_COMMENT = re.compile(r"[ \t]+(#[^\s#][^\r\n]*)")
# The same behind a key whose value begins with #.
_COMMENT_FOR_VALUE = re.compile(rf"[ \t]*:{_COMMENT.pattern}")


@dataclass(frozen=True)
class YamlDocument:
    """A parsed file: `data` is plain dicts, lists and scalars, `lines` the 1-based line of each path.

    `mappings`: the path of every mapping by its identity, for a reader that holds the mapping and not its path.
    """

    file: str
    data: Any
    lines: dict[tuple[Key, ...], int]
    mappings: dict[int, tuple[Key, ...]]

    def line_of(self, *path: Key) -> int:
        """The line of the value at `path`, or of the nearest parent that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: tuple[Key, ...], reason: str, hint: str | None = None) -> Problem:
        """A `Problem` at the place of `path`."""
        field = ".".join(str(key) for key in path) or None
        return Problem(self.file, self.line_of(*path), field, reason, hint)


class _Loader(yaml.CSafeLoader):
    """Safe YAML in which only true, false, null and whole numbers are more than text.

    YAML 1.1 would read `2026-12-25` as a date, `24:00` as the number 1440 and the key `on` as a boolean.
    """


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])
# At most 18 digits: the tables hold 64 bits, and a longer one is an id.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]{0,17})$"), list("-0123456789")
)


def read_yaml(path: Path) -> YamlDocument:
    """Read one YAML file. Raises ConfigurationError with file and line of what cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigurationError(f"{path} cannot be read as UTF-8 text: {problem}.") from problem
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        document = YamlDocument(str(path), None, {}, {})
        data = None if node is None else _plain(loader, node, (), document, text)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        line = None if mark is None else mark.line + 1
        reason = getattr(problem, "problem", None) or str(problem)
        raise ConfigurationError(
            f"{path} is not valid YAML.",
            [Problem(str(path), line, None, f"{reason}.", "Check indentation, quotes and colons.")],
        ) from problem
    except RecursionError as problem:
        raise ConfigurationError(f"{path} is nested too deeply, or an alias holds itself.") from problem
    finally:
        loader.dispose()
    return replace(document, data=data)


def _plain(loader: _Loader, node: yaml.Node, path: tuple[Key, ...], document: YamlDocument, text: str) -> Any:
    lines, file = document.lines, document.file
    lines[path] = node.start_mark.line + 1
    if len(lines) > _MOST_VALUES:
        # A few aliases of aliases would otherwise grow into more values than memory holds.
        raise ConfigurationError(f"{file} holds more than {_MOST_VALUES} values. Write them without aliases.")
    if isinstance(node, yaml.MappingNode):
        mapping: dict[Key, Any] = {}
        document.mappings[id(mapping)] = path
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = loader.construct_object(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if key is None or isinstance(key, bool):
                raise ConfigurationError(
                    f"{file} is not usable.",
                    [Problem(file, line, None, "a key is neither text nor a number.", "Put it in quotes.")],
                )
            if key in mapping:
                raise ConfigurationError(
                    f"{file} names the same key twice.",
                    [Problem(file, line, str(key), "this key is there already.", "Keep one of the two.")],
                )
            mapping[key] = _plain(loader, value_node, (*path, key), document, text)
            comment = _COMMENT_FOR_VALUE.match(text, key_node.end_mark.index)
            if mapping[key] is None and comment:
                raise _taken_for_comment(file, line, (*path, key), comment[1], "the key has no value")
            lines[(*path, key)] = line
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, item, (*path, index), document, text) for index, item in enumerate(node.value)]
    value = loader.construct_object(node)
    # A value in quotation marks says itself where it ends, and null is a value of no other word.
    is_quoted = isinstance(node, yaml.ScalarNode) and bool(node.style)
    comment = None if is_quoted else _COMMENT.match(text, node.end_mark.index)
    if comment and (value is not None if node.value else isinstance(path[-1] if path else "", int)):
        what = "the list has an item without a value" if value is None else f"the value is {value!r} only"
        raise _taken_for_comment(file, node.end_mark.line + 1, path, comment[1], what)
    return value


def _taken_for_comment(
    file: str, line: int, path: tuple[Key, ...], comment: str, what: str
) -> ConfigurationError:
    shown = ".".join(str(step) for step in path) or None
    reason = f"YAML takes {comment.rstrip()!r} for a comment, so {what}."
    hint = "Put the value in quotation marks; if it is a comment, write a space after the #."
    return ConfigurationError(f"{file} is not usable.", [Problem(file, line, shown, reason, hint)])
