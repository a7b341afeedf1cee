"""Which faces print a text, and what stands for a character that none of them has.

The face of reports comes with the package; the extra `fonts` adds other scripts. One missing glyph would abort a whole document,
so what cannot be printed is shown by its code point instead: nothing is dropped, and the exact text stands in the attached rows.
"""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# What a line must not end within: a character, or the code point that stands for one.
_UNIT = re.compile(r"\[U\+[0-9A-F]{4,6}\]|.", re.DOTALL)

# Controls, format marks, surrogates, private use and unassigned: a standard forbids them or a reader cannot see them.
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Co", "Cn")
# They shape the letters beside them, in scripts that join letters, and are nothing elsewhere.
_JOINERS = ("\u200c", "\u200d")
_BREAK = "\u200b"
_WIDE = frozenset("MWmw@%ŒÆ—…")


@dataclass(frozen=True)
class Face:
    """A font of an installed package; `families` are its names, the one for a language first where it has several."""

    package: str
    file: str
    families: tuple[str, ...]

    @property
    def path(self) -> Path | None:
        """None where the package is not installed."""
        found = importlib.util.find_spec(self.package)
        if found is None or not found.submodule_search_locations:
            return None
        path = Path(found.submodule_search_locations[0]) / self.file
        return path if path.is_file() else None


MAIN_FACE = Face("fontpkg_source_sans_3", "files/SourceSans3[wght].ttf", ("Source Sans 3",))
_CJK = {"ja": "JP", "ko": "KR", "zh": "SC"}
# In the order in which they are asked for a character.
FACES = (
    MAIN_FACE,
    # It has Devanagari too.
    Face("fontpkg_noto_sans", "files/NotoSans[wdth,wght].ttf", ("Noto Sans",)),
    Face("fontpkg_noto_sans_arabic", "files/NotoSansArabic[wdth,wght].ttf", ("Noto Sans Arabic",)),
    Face("fontpkg_noto_sans_thai", "files/NotoSansThai[wdth,wght].ttf", ("Noto Sans Thai",)),
    Face("pylopdf_fonts_he", "NotoSansHebrew-Variable.ttf", ("Noto Sans Hebrew",)),
    Face(
        "noto_cjk_sans_otc",
        "NotoSansCJK-Regular.ttc",
        tuple(f"Noto Sans CJK {region}" for region in ("JP", "KR", "SC", "TC")),
    ),
)


@cache
def _characters(face: Face) -> frozenset[int]:
    from fontTools.ttLib import TTCollection, TTFont

    path = face.path
    if path is None:
        return frozenset()
    if path.suffix == ".ttc":
        with TTCollection(path, lazy=True) as collection:
            return frozenset(collection.fonts[0].getBestCmap())
    with TTFont(path, lazy=True) as font:
        return frozenset(font.getBestCmap())


@cache
def find_face(character: str) -> Face | None:
    """The first face that has a character; None where it cannot be printed."""
    if unicodedata.category(character) in _UNPRINTABLE:
        return None
    return next((face for face in FACES if ord(character) in _characters(face)), None)


def _find_plain_face(character: str) -> Face | None:
    category = unicodedata.category(character)
    is_plain = category not in _UNPRINTABLE and not category.startswith("M")
    return MAIN_FACE if is_plain and ord(character) in _characters(MAIN_FACE) else None


def find_faces(texts: Iterable[str]) -> tuple[Face, ...]:
    """The faces that texts, as `show` gives them, are printed with; the main one is always there."""
    needed = {find_face(character) for text in texts for character in set(text)}
    return tuple(face for face in FACES if face is MAIN_FACE or face in needed)


def list_families(faces: Iterable[Face], locale: str | None) -> list[str]:
    """The names of the faces in the order in which they are tried; Chinese characters look as the locale writes them."""
    region = _CJK.get((locale or "").replace("-", "_").partition("_")[0], "JP")
    if (locale or "").replace("-", "_") in ("zh_TW", "zh_HK"):
        region = "TC"
    return [
        name
        for face in faces
        for name in sorted(face.families, key=lambda name: not name.endswith(f" {region}"))
    ]


def show(text: str, *, is_plain: bool = False) -> str:
    """`text` with line breaks and tabs as spaces and every character without a glyph as '[U+65E5]'.

    `is_plain`: only what the main face has by itself, no joining marks: such a text can always be printed.
    """
    shown: list[str] = []
    before: Face | None = None
    for character in text:
        if character in "\n\r\t":
            shown.append(" ")
            continue
        if character in _JOINERS and before is not None and before is not MAIN_FACE:
            has_joiner = ord(character) in _characters(before)
            shown.append(character if has_joiner else f"[U+{ord(character):04X}]")
            continue
        face = _find_plain_face(character) if is_plain else find_face(character)
        before = face
        shown.append(character if face is not None else f"[U+{ord(character):04X}]")
    return "".join(shown)


def break_long_words(text: str, longest: int = 18, piece: int = 10) -> str:
    """`text`, as `show` gives it, with an invisible break offered every `piece` letters in words of more than `longest`.

    Wide letters count twice. No break parts a character from its marks, or the code point that stands for one.
    """
    return " ".join(_break(word, piece) if measure_word(word) > longest else word for word in text.split(" "))


def measure_word(word: str) -> int:
    """The width of a word in letters of usual width."""
    return sum(
        0 if unicodedata.category(letter).startswith("M")
        else 2 if letter in _WIDE or unicodedata.east_asian_width(letter) in "WF"
        else 1
        for letter in word
    )  # fmt: skip


def _break(word: str, piece: int) -> str:
    pieces = [""]
    for unit in _UNIT.findall(word):
        is_mark = unicodedata.category(unit[0]).startswith("M")
        is_joined = is_mark or unit in _JOINERS or pieces[-1].endswith(_JOINERS)
        if pieces[-1] and is_joined:
            pieces[-1] += unit
        elif measure_word(pieces[-1]) + measure_word(unit) > piece:
            pieces.append(unit)
        else:
            pieces[-1] += unit
    return _BREAK.join(one for one in pieces if one)
