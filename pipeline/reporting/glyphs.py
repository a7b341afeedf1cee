"""Which characters the report's fonts can print. One missing glyph would abort a whole document, so what
cannot be printed is shown by its code point instead: nothing is dropped, and the exact text stands in the
CSV."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

# The faces that the template uses. A character counts as printable when all of them have it.
_FACES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")

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
    """`text` with an invisible break offered in words that would not fit into a column."""
    words = text.split(" ")
    return " ".join(
        "\u200b".join(word[start : start + longest] for start in range(0, len(word), longest))
        if word
        else word
        for word in words
    )
