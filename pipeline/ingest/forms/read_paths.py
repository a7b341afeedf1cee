"""Values of a nested document by their paths, and the elements of the lists inside it.

`fields.status.name` is a key inside two objects, `custom_fields[id=12].value` a key of the first element whose `id` is 12.
A key that is written with its dots counts before the path.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any

from pipeline.ingest.files.limits import LIST_ELEMENTS
from pipeline.ingest.forms.landed_rows import Unusable
from pipeline.ingest.forms.null_dates import is_null_date
from pipeline.rules.mapping import MappedColumn, NestedList

Find = Callable[[Any], Any]
FindText = Callable[[Any], str | None]

# What JSON may escape and no file can hold.
_HALF = re.compile("[\ud800-\udfff]")
_SELECTED = re.compile(r"([^\[\]]+)\[([^\[\]=]+)=([^\[\]]+)\](?:\.(.+))?")


class Several(str):
    """The text of an object or of a list, where one value may be expected."""

    __slots__ = ()


def text_of(value: Any) -> str | None:
    """A value of a document as text; None for null. Numbers are text already."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return Several(" ".join(value))
    return Several(json.dumps(value, ensure_ascii=False))


def is_selected(path: str) -> bool:
    """Whether a path picks an element of a list."""
    return _SELECTED.fullmatch(path) is not None


def compile_path(path: str) -> Find:
    """The function from an object to what lies at a path; None where nothing does. The empty path is the object itself."""
    if not path:
        return lambda holder: holder
    selected = _SELECTED.fullmatch(path)
    if selected is not None:
        return _compile_selected(*selected.groups(default=""))
    if "." not in path:
        return lambda holder: holder.get(path)
    keys = path.split(".")
    steps = [(".".join(keys[at:]), key) for at, key in enumerate(keys)]

    def walk(holder: Any) -> Any:
        for rest, key in steps:
            if rest in holder:
                return holder[rest]
            holder = holder.get(key)
            if type(holder) is not dict:
                return None
        return None

    return walk


def _compile_selected(path: str, key: str, wanted: str, rest: str) -> Find:
    find_list, find_key, find_rest = compile_path(path), compile_path(key), compile_path(rest)

    def select(holder: Any) -> Any:
        elements = find_list(holder)
        for one in elements if type(elements) is list else ():
            if type(one) is dict and text_of(find_key(one)) == wanted:
                return find_rest(one)
        return None

    return select


def compile_text(paths: Sequence[str], nulls: Collection[str], is_instant: bool) -> FindText:
    """The function from an object to the text at the first of some paths that holds one. It raises Unusable for a text with
    half a character.
    """
    finds = [compile_path(path) for path in paths]
    first, others = finds[0], finds[1:]

    def find(holder: Any) -> str | None:
        value = first(holder)
        if value is None:
            if others:
                value = next((found for one in others if (found := one(holder)) is not None), None)
            if value is None:
                return None
        text = value if type(value) is str else text_of(value)
        if text is None or text in nulls:
            return None
        if not text.isascii() and _HALF.search(text):
            raise Unusable(paths[0], text, "holds half a character", "Export it again; no text can hold it.")
        if type(text) is str:
            text = text.strip()
            if text in nulls or (is_instant and is_null_date(text)):
                return None
        return text

    return find


class ListReader:
    """Opens one nested list of a record: `chain` are the lists that it lies in, the outermost first, and itself."""

    def __init__(
        self,
        chain: Sequence[NestedList],
        columns: Sequence[MappedColumn],
        nulls: Collection[str],
        instants: Collection[str],
        is_xml: bool,
    ) -> None:
        self.columns: list[MappedColumn] = []
        self.shown = ""
        self._levels: list[tuple[NestedList, Find, str, list[FindText], bool]] = []
        shown = ""
        for one in chain:
            own = [column for column in columns if column.within == one.name]
            self.columns += own
            shown = f"{shown}{one.paths[0]}"
            inner = any(other.within == one.name for other in chain)
            self._levels.append(
                (
                    one,
                    _compile_elements(one, is_xml),
                    shown,
                    [compile_text(column.written, nulls, column.name in instants) for column in own],
                    inner or any(path for column in own for path in column.written),
                )
            )
            self.shown = shown
            shown += "."

    def read(self, document: dict[str, Any]) -> tuple[list[list[str | None]], bool]:
        """Per element what its columns and those of the lists around it hold, and whether all that was looked for was there.

        Raises Unusable for what is no list, for one that is too long, and for an element that is no object.
        """
        rows: list[list[str | None]] = []
        return rows, self._open(0, document, [], rows)

    def _open(
        self, level: int, holder: dict[str, Any], before: list[str | None], rows: list[list[str | None]]
    ) -> bool:
        one, find, shown, columns, needs_objects = self._levels[level]
        elements = find(holder)
        if elements is None:
            return one.is_empty_if_missing
        if type(elements) is not list:
            raise Unusable(
                shown,
                text_of(elements),
                "is not a list",
                "Export it again, or correct the path in the mapping.",
            )
        if len(rows) + len(elements) > LIST_ELEMENTS:
            raise Unusable(
                shown,
                None,
                f"has more than {LIST_ELEMENTS:,} elements",
                "Export its elements as records of their own, one a line.",
            )
        is_whole, is_last = True, level + 1 == len(self._levels)
        for element in elements:
            if needs_objects and type(element) is not dict:
                raise Unusable(
                    shown,
                    text_of(element),
                    "has an element that is not an object",
                    "Export it again, or correct the path in the mapping.",
                )
            cells = before + [read(element) for read in columns]
            if is_last:
                rows.append(cells)
            else:
                is_whole = self._open(level + 1, element, cells, rows) and is_whole
        return is_whole


def find_elements(one: NestedList, holder: dict[str, Any], is_xml: bool) -> Any:
    """What an object has where a nested list should be: a list, None where it has none, or something that is none."""
    return _compile_elements(one, is_xml)(holder)


@cache
def _compile_elements(one: NestedList, is_xml: bool) -> Find:
    finds = [compile_path(path) for path in one.paths]
    # The element that holds the others may stand there without one.
    holders = [compile_path(around) for path in one.paths if (around := path.rpartition(".")[0])]

    def find(holder: Any) -> Any:
        found = next((value for find in finds if (value := find(holder)) is not None), None)
        if not is_xml or isinstance(found, list):
            return found
        if found is None:
            return [] if any(around(holder) is not None for around in holders) else None
        # A single element has no sign of being one of many.
        return [] if found == "" else [found]

    return find


def compile_count(one: NestedList, is_xml: bool) -> FindText:
    """The function from a record to the number of elements of a list in it, as text; None where it has no such list."""
    find = _compile_elements(one, is_xml)

    def count(document: dict[str, Any]) -> str | None:
        found = find(document)
        if type(found) is list:
            return str(len(found))
        return "0" if found is None and one.is_empty_if_missing else None

    return count
