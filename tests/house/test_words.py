"""Rules for the words of documents: a reader whose first language is not English understands each at first reading."""

from __future__ import annotations

import re

import pytest

from pipeline.settings import CHECKOUT
from tests.house.checkout import tracked_text

# The kinds of files that are held.
HELD = (".md", ".py", ".sql", ".typ", ".yml")

# This file holds the words that it looks for.
EXEMPT = "tests/house/test_words.py"

# Pattern -> what to write instead. Only words that are rare, literary, or make a thing act like a person.
WORDS = {
    r"gainsa(y|ys|ying|id)": "contradict, be inconsistent",
    r"foretell\w*|foretold": "predict",
    r"(bear|bears|bearing|bore|borne)( (it|that|this|them|him|itself|themselves))? out": "confirm, be consistent",
    r"belie[sd]?|belying": "contradict",
    r"vouch\w*": "prove, show",
    r"who(m|so)?ever": "the user who, a reader who, name the role",
    r"(nobody|no one)('s)?": "no agent, no reader, is not known, name the role",
    r"(some|any|every)(body|one)('s)?(?!@)": "a person, another user, every user, name the role",
    r"speaks?|spoke of|spoken of": "name, mean, belong to, count",
    r"tells? of": "name, show",
    r"(tell|tells|telling|told) apart": "distinguish",
    r"ha(s|ve) a say": "has an effect, changes",
    r"heed\w*": "follow, read",
    r"mend(s|ed|ing)?": "correct, repair",
    r"beget\w*|bequeath\w*|befall\w*|befell|bestow\w*|behold|beware": "cause, give, happen, note",
    r"stretch(es)?": "interval, segment",
    r"made-up": "invented",
    r"(lead|leads|led) back": "count back, look up",
    r"for good": "permanently",
    r"anew": "again, new",
    r"aloud": "in a message",
    r"likewise": "also",
    r"all the same": "still",
    r"(came|comes?) along": "is in the export",
    r"a hole": "a gap, a missing part",
    r"yonder|betimes|whence|hither|thither|hitherto|thereof|therein|therewith|henceforth|hence": "from here, of it, so",
    r"lest|albeit|whilst|amid|amidst|athwart|upon|unto": "so that not, although, while, between, on, to",
    r"ere|oft|nigh|nay|aught|naught|nought|perchance": "before, often, near, no, nothing, perhaps",
    r"trice|twain|dice": "at once, two, random numbers",
}
_FIND = re.compile(
    # Where a word cannot begin, none of them is tried.
    rf"(?<![A-Za-z])(?:{'|'.join(f'(?P<w{number}>{word})' for number, word in enumerate(WORDS))})(?![A-Za-z])",
    re.IGNORECASE,
)


def find_replacement(line: str) -> tuple[str, str] | None:
    """The first held word of a line, and what to write instead; None in a line without one."""
    found = _FIND.search(line)
    if not found or not found.lastgroup:
        return None
    return found[0], list(WORDS.values())[int(found.lastgroup.removeprefix("w"))]


def test_documents_use_words_that_are_understood_at_first_reading() -> None:
    found = [
        f"{name}:{number}: {word!r}: {instead}"
        for path, text in tracked_text().items()
        if path.suffix in HELD and (name := path.relative_to(CHECKOUT).as_posix()) != EXEMPT
        for number, line in enumerate(text.splitlines(), 1)
        for word, instead in [find_replacement(line) or ("", "")]
        if word
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("Audits that gainsay each other", "gainsay"),
        ("the history must bear that out", "bear that out"),
        ("Whoever opened it answers nothing", "Whoever"),
        ("a level that nobody maps", "nobody"),
        ("of whom somebody's list says nothing", "somebody's"),
        ("the last version speaks", "speaks"),
    ],
)
def test_word_that_is_read_twice_is_found_in_any_case(line: str, word: str) -> None:
    found = find_replacement(line)
    assert found and found[0] == word


@pytest.mark.parametrize(
    "line",
    [
        "someone@example.com",
        "a bearing of 90 degrees",
        "the recommended value",
        "the forecast",
        "a speaker",
        "amended",
    ],
)
def test_word_that_only_looks_like_one_is_not_found(line: str) -> None:
    assert find_replacement(line) is None
