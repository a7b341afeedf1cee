"""Which characters the report's fonts can print. One missing glyph would abort a whole document, so what
cannot be printed is shown by its code point instead: nothing is dropped, and the exact text stands in the
CSV."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

# The faces that the template uses. A character counts as printable when all of them have it.
_FACES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")

# What a line must not end within: a character, or the code point that stands for one.
_UNIT = re.compile(r"\[U\+[0-9A-F]{4,6}\]|.", re.DOTALL)

# Controls, format marks, surrogates, private use and unassigned: a standard forbids them or a reader cannot
# see them.
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Co", "Cn")


def font_folder() -> Path:
    """The folder of DejaVu Sans, which comes with matplotlib."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"


@cache
def _printable() -> frozenset[int]:
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    faces = [set(TTFont(font_folder() / face, lazy=True).getBestCmap()) for face in _FACES]
    return frozenset(set.intersection(*faces))


def show(text: str) -> str:
    """`text` with line breaks and tabs as spaces and every character without a glyph as '[U+65E5]'."""
    return "".join(" " if character in "\n\r\t" else _shown(character) for character in text)


@cache
def _shown(character: str) -> str:
    if ord(character) in _printable() and unicodedata.category(character) not in _UNPRINTABLE:
        return character
    return f"[U+{ord(character):04X}]"


def break_long_words(text: str, longest: int = 28) -> str:
    """`text`, as `show` gives it, with an invisible break offered in words that would not fit into a column.

    No break parts a character from its marks, or the code point that stands for one.
    """
    return " ".join(_break(word, longest) if len(word) > longest else word for word in text.split(" "))


def _break(word: str, longest: int) -> str:
    pieces = [""]
    for unit in _UNIT.findall(word):
        if pieces[-1] and unicodedata.category(unit[0]).startswith("M"):
            pieces[-1] += unit
        elif len(pieces[-1]) + len(unit) > longest:
            pieces.append(unit)
        else:
            pieces[-1] += unit
    return "\u200b".join(piece for piece in pieces if piece)
