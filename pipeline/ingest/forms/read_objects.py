"""JSON objects of an export, one by one, whatever they are wrapped in: one a line, a list, the pages of an API, or XML.

Numbers stay the text that they were written as, so that an id above 2^53 keeps its digits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.ingest.files.exports import Export
from pipeline.ingest.files.read_ndjson import HALF_HINT, HALF_REASON, explain_lines, holds_half_character
from pipeline.ingest.files.read_table import read_documents
from pipeline.ingest.files.refused import Refused

_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)

JsonObject = dict[str, Any]


def read_objects(
    export: Export, pages: tuple[str, ...], expected: str, element: str | None = None
) -> Iterator[tuple[int, JsonObject | Refused]]:
    """The objects with the line that each begins in; what is no object comes as Refused.

    `pages`: the keys under which an API's answer holds its list; `expected`: what an object is called in messages;
    `element`: the name of an object in XML, else the children of the root. Raises InputRejected.
    """
    for lines in read_documents(export, element):
        for refused in lines.refused:
            yield refused.line_number, refused
        numbers, texts = lines.table.column("line_number"), lines.table.column("line")
        for number, text in zip(numbers.to_pylist(), texts.to_pylist(), strict=True):
            try:
                value = _DECODER.decode(text)
            except (ValueError, RecursionError):
                value = None
            if isinstance(value, dict):
                has_half = holds_half_character(text)
                for at, one in _open(value, number, pages, expected):
                    yield at, (refuse_half(at, one) if has_half else None) or one
            else:
                yield number, explain_lines([(number, text)], lines.cut_off_line, expected)[0]


def _open(
    value: JsonObject, number: int, pages: tuple[str, ...], expected: str
) -> Iterator[tuple[int, JsonObject | Refused]]:
    listed = next((value[page] for page in pages if isinstance(value.get(page), list)), None)
    for one in [value] if listed is None else listed:
        yield number, one if isinstance(one, dict) else _refuse(number, one, expected)


def refuse_half(line_number: int, value: object) -> Refused | None:
    """The refusal of a record with half a character in it, None for one without."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return Refused(line_number, None, json.dumps(value)[:500], HALF_REASON, HALF_HINT)
    return None


def _refuse(line_number: int, value: object, expected: str) -> Refused:
    return Refused(
        line_number,
        None,
        json.dumps(value)[:500],
        f"is not an object but should be {expected}",
        "Check that the file belongs to this source and its type.",
    )


def dig(value: Mapping[str, Any], *keys: str) -> Any:
    """What lies under the keys, one inside the other; None where one is missing or holds something else."""
    found: Any = value
    for key in keys:
        if not isinstance(found, Mapping):
            return None
        found = found.get(key)
    return found


def as_text(value: Any) -> str | None:
    """A scalar as text, the name of an object that stands for one choice, None for nothing and for what is many.

    An API writes a choice as `{"value": "High"}`, `{"name": "High", "id": "2"}` or `{"display_value": "High"}`, and a
    list of choices even where there can be only one.
    """
    if isinstance(value, list):
        return as_text(value[0]) if len(value) == 1 else None
    if isinstance(value, Mapping):
        return next(
            (
                as_text(value[key])
                for key in ("value", "name", "display_value", "key", "id")
                if value.get(key)
            ),
            None,
        )
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or value == "":
        return None
    return str(value)
