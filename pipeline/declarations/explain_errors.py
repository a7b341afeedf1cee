"""What pydantic finds wrong, in our words: the one place where its kinds of errors become sentences.

A type that has words of its own (`values.py`) carries them in its error; everything else is told by the kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from pipeline.declarations.problems import describe, name_nearest
from pipeline.declarations.read_yaml import Key

# A problem: where it lies within the value, the reason, the hint.
Explained = tuple[tuple[Key, ...], str, str | None]

_EMPTY = ("the value is empty.", "Write one.")
_EXPECTED = {
    "string_type": ("text", "Put the text in quotes."),
    "tuple_type": ("a list", "Write [first, second] or one '- ' line each."),
    "dict_type": ("a mapping", "Write 'key: value' lines."),
    "model_type": ("a mapping", "Write 'key: value' lines."),
    "model_attributes_type": ("a mapping", "Write 'key: value' lines."),
}


def refused(reason: str, hint: str, path: tuple[Key, ...] = ()) -> PydanticCustomError:
    """The error for a validator of a single value to raise; `path` leads to what is meant within the value."""
    return PydanticCustomError("refused", "{reason}", {"reason": reason, "hint": hint, "path": path})


def explain_error(error: Mapping[str, Any]) -> Iterator[Explained]:
    """The problems that one entry of `ValidationError.errors()` stands for."""
    kind, value, told = error["type"], error["input"], error.get("ctx", {})
    location = error.get("loc", ())
    if value is None and (kind in _EXPECTED or "{value}" in told.get("reason", "") or kind == "unknown_name"):
        yield (), *_EMPTY
    elif kind == "refused":
        yield told["path"], told["reason"], told["hint"]
    elif kind == "wrong_value":
        yield (), told["reason"].replace("{value}", describe(value)), told["hint"]
    elif kind == "unknown_name":
        if isinstance(value, bool | dict | list):
            yield from explain_error({**error, "type": "string_type"})
        else:
            is_key = location[-1:] == ("[key]",)
            what = "this key" if is_key else repr(str(value))
            yield (), f"{what} is not known here.", name_nearest(value, told["known"])
    elif kind in _EXPECTED:
        expected, hint = _EXPECTED[kind]
        yield (), f"{describe(value)} stands where {expected} is expected.", hint
    elif kind == "bool_type":
        yield (), f"{value!r} is neither true nor false.", "Write true or false."
    elif kind == "unknown_kind":
        key = told["key"]
        if not isinstance(value, dict):
            yield from explain_error({**error, "type": "model_type"})
        elif key in value:
            inner = explain_error({"type": "unknown_name", "input": value[key], "ctx": told})
            yield from (((key,), reason, hint) for _, reason, hint in inner)
        else:
            # Without its kind no other key can be judged, but one that is nearly the missing one can.
            for near in (one for one in value if name_nearest(one, [key]).startswith("Did you mean")):
                yield (near,), "this key is not known here.", name_nearest(near, [key])
            yield (), f"the key {key!r} is missing.", "Add it."
    else:
        # No declared type leads here; the words are pydantic's, the place is right.
        yield (), f"{error['msg']}.", None
