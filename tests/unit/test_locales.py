"""The words of a locale are its own, whatever was asked for before."""

from __future__ import annotations

import subprocess
import sys

import pytest

SAY_JULY = """
import sys
from datetime import date
from babel.dates import format_date
from pipeline.locales import find_locale
print({name: format_date(date(2026, 7, 1), "LLL", locale=find_locale(name)) for name in sys.argv[1:]})
"""


@pytest.mark.parametrize("order", [("fr", "fr_CA"), ("fr_CA", "fr")])
def test_a_month_is_called_the_same_whichever_locale_is_asked_for_first(order: tuple[str, str]) -> None:
    # In a process of its own: Babel keeps its tables until a process ends.
    told = subprocess.run(
        [sys.executable, "-c", SAY_JULY, *order], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == str({name: {"fr": "juil.", "fr_CA": "juill."}[name] for name in order})
