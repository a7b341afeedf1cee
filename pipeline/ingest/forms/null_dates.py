"""What exports write where there is no date: read as no value in every column of instants, whatever the file or the form."""

from __future__ import annotations

import re

# `-` and `NULL`; day 0 or 1 of spreadsheets, also as the bare number; 0000-00-00 of databases; year 1. In any order of the
# parts, at midnight. None of them lies in the years that a ticket can have (1970 to 2200), so no date is lost. The engine reads
# the same expression.
_SEPARATOR = "[-/.]"
_DATES = (
    "0000S00S00",
    "00S00S0000",
    "(1900|0001)S0?1S0?1",
    "0?1S0?1S(1900|0001)",
    "1899S12S3[01]",
    "3[01]S12S1899",
    "12S3[01]S1899",
)
_TIME = r"([T, ]+(0?0:00(:00([.,]0+)?)?|12:00(:00)? ?[aA][mM]))?( ?(Z|z|[+-]00:?00))?"
NULL_DATE_SHAPE = rf"-+|[nN][uU][lL][lL]|[01]([.]0+)?|({'|'.join(_DATES).replace('S', _SEPARATOR)}){_TIME}"
_NULL_DATE = re.compile(NULL_DATE_SHAPE)


def is_null_date(text: str) -> bool:
    """Whether the text of a column of instants stands for no value."""
    return _NULL_DATE.fullmatch(text.strip()) is not None
