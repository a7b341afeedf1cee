"""JSON objects of an export, one by one, whatever they are wrapped in: one a line, a list, or the pages of an API.

Numbers stay the text that they were written as, so that an id above 2^53 keeps its digits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.ingest.exports import Export, open_export, reject
from pipeline.ingest.read_ndjson import LINE_LIMIT_BYTES, explain_lines, read_lines
from pipeline.ingest.write_batch import Refused

_BETWEEN = re.compile(r"[\s,]*")
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)

JsonObject = dict[str, Any]


def read_objects(
    export: Export, start: bytes, pages: tuple[str, ...], expected: str
) -> Iterator[tuple[int, JsonObject | Refused]]:
    """The objects with the line that each begins in; what is no object comes as Refused.

    `start` is the start of the file, `pages` the keys under which an API's answer holds its list, `expected` what an
    object is called in messages. Raises InputRejected for a list that is no JSON, which cannot be read in part.
    """
    if start.startswith(b"["):
        yield from _read_list(export, expected)
        return
    for lines in read_lines(export):
        for refused in lines.refused:
            yield refused.line_number, refused
        numbers, texts = lines.table.column("line_number"), lines.table.column("line")
        for number, text in zip(numbers.to_pylist(), texts.to_pylist(), strict=True):
            try:
                value = _DECODER.decode(text)
            except (ValueError, RecursionError):
                value = None
            if not isinstance(value, dict):
                yield number, explain_lines([(number, text)], lines.cut_off_line, expected)[0]
                continue
            yield from _open(value, number, pages, expected)


def _open(
    value: JsonObject, number: int, pages: tuple[str, ...], expected: str
) -> Iterator[tuple[int, JsonObject | Refused]]:
    listed = next((value[page] for page in pages if isinstance(value.get(page), list)), None)
    for one in [value] if listed is None else listed:
        yield number, one if isinstance(one, dict) else _refuse(number, one, expected)


def _read_list(export: Export, expected: str) -> Iterator[tuple[int, JsonObject | Refused]]:
    with open_export(export) as stream:
        content = stream.read(LINE_LIMIT_BYTES + 1)
    if len(content) > LINE_LIMIT_BYTES:
        raise reject(
            export,
            f"the file is one JSON list of more than {LINE_LIMIT_BYTES >> 20} MB.",
            "Export one JSON object a line, or smaller pages.",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content[: problem.start].count(b"\n") + 1
        raise reject(export, "the list is not UTF-8.", "Export the file as UTF-8.", line) from None
    at = text.index("[") + 1
    line_number, counted_to = 1, 0
    while True:
        between = _BETWEEN.match(text, at)
        assert between is not None
        at = between.end()
        line_number += text.count("\n", counted_to, at)
        counted_to = at
        if text[at : at + 1] == "]":
            return
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            # What follows a damaged element cannot be told from it, so nothing of the file is taken.
            raise reject(
                export,
                "the JSON list is damaged or cut off.",
                "Export the file again, or export one JSON object a line.",
                line_number,
            ) from None
        yield line_number, value if isinstance(value, dict) else _refuse(line_number, value, expected)


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
