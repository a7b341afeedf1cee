"""Turns finished content into a PDF: PDF/A-3a and PDF/UA-1, with rows attached.

The template gets finished text as JSON and nothing else; what a customer wrote is never part of the template.
Same content, same bytes: every date in the file is the as-of instant.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import SlaError
from pipeline.reporting.glyphs import Face, break_long_words, find_faces, list_families, show
from pipeline.reporting.page_parts import Cell, Raw, list_texts

if TYPE_CHECKING:
    import typst

TEMPLATES = Path(__file__).resolve().parent / "templates"


def typeset(
    template: str,
    content: dict[str, Any],
    attached: Mapping[str, bytes],
    locale: str | None,
    as_of: datetime,
    whose: str,
) -> bytes:
    """The document of a template of `TEMPLATES`; `attached`: name of a CSV -> its bytes. `whose` names it in messages.

    Raises SlaError when it cannot be made.
    """
    import typst

    try:
        return _compile(template, content, attached, locale, as_of, show)
    except typst.TypstError:
        # Two characters may each have a face and no face both together. Code points can always be printed.
        try:
            return _compile(
                template, content, attached, locale, as_of, lambda text: show(text, is_plain=True)
            )
        except typst.TypstError as problem:
            raise SlaError(
                f"The PDF {whose} could not be made: {problem.message} Other reports are not affected."
            ) from problem


def _compile(
    template: str,
    content: dict[str, Any],
    attached: Mapping[str, bytes],
    locale: str | None,
    as_of: datetime,
    shown: Callable[[str], str],
) -> bytes:
    printed = _print(content, shown)
    faces = find_faces(list_texts(printed))
    printed["fonts"] = list_families(faces, locale)
    printed["attached"] = [{"name": name, "content": rows.decode("utf-8")} for name, rows in attached.items()]
    pdf = _compiler(template, faces).compile(
        sys_inputs={"report": json.dumps(printed, ensure_ascii=False)},
        pdf_standards=["a-3a", "ua-1"],
        timestamp=as_of,
    )
    assert isinstance(pdf, bytes)
    return pdf


@cache
def _compiler(template: str, faces: tuple[Face, ...]) -> typst.Compiler:
    """Reading the fonts takes longer than a document; few sets of them are ever needed."""
    import typst

    paths = [str(face.path.parent) for face in faces if face.path is not None]
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=paths)
    return typst.Compiler(
        str(TEMPLATES / template), root=str(TEMPLATES), font_paths=fonts, ignore_system_fonts=True
    )


def _print(value: Any, shown: Callable[[str], str]) -> Any:
    """Content whose texts have no character that the fonts lack."""
    if isinstance(value, Raw):
        return value
    if isinstance(value, Cell):
        # Breaks come last: what is shown is asked for glyphs, and a break has none.
        return break_long_words(shown(value))
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, dict):
        return {key: _print(item, shown) for key, item in value.items()}
    if isinstance(value, list):
        return [_print(item, shown) for item in value]
    return value
