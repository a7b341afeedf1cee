"""What Babel knows of a locale: the same words whatever other locales were asked for in this process."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import babel


@cache
def find_locale(name: str) -> babel.Locale:
    """The locale of a name such as fr or fr_CA. Raises ValueError, and babel.UnknownLocaleError for a locale that Babel lacks.

    Babel reads tables that a language shares with its regions, and writes into them what a region's own table refers to: July is
    "juil." in fr, and became "juill." once fr_CA had been asked for. Each locale has a copy of its own here.
    """
    import babel

    locale = babel.Locale.parse(name)
    # Babel loads the tables with the first value that is read.
    assert locale.character_order
    return deepcopy(locale)
