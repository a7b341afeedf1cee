"""The colours of documents and pages, of one file: `templates/palette.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipeline.reporting.typeset import TEMPLATES


@dataclass(frozen=True)
class Palette:
    """`#rrggbb` each. `marks` carry meaning, in this order; a theme is `document` (paper), `light` or `dark` (pages)."""

    marks: tuple[str, ...]
    document: dict[str, str]
    light: dict[str, str]
    dark: dict[str, str]


@cache
def read_palette() -> Palette:
    """The palette as the file has it."""
    told: dict[str, Any] = tomllib.loads((TEMPLATES / "palette.toml").read_text(encoding="utf-8"))
    return Palette(tuple(told.pop("marks")), **told)
