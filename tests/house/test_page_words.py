"""The words of the dashboard's pages: every key that a page uses exists in every language, with the same places, and no page has
a sentence of its own."""

from __future__ import annotations

import ast
import csv
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.reporting import glyphs
from pipeline.reporting.language import read_page_words
from pipeline.settings import DBT_PROJECT
from pipeline.vocabulary import ACTOR_KINDS, EVENT_TYPES, LANGUAGES, TICKET_STATUSES
from tests.house.checkout import python_files

OTHERS = [code for code in LANGUAGES if code != "en"]
# Its English sentences stand in the build itself.
ONLY_TRANSLATED = "finding_kinds"
PAGES = python_files("dashboards")
# The functions of `dashboards/language.py` that take text by its key, and what the key has before it.
BY_KEY = {"say": "", "count": "", "say_count": ""}
# What a person never reads: names of widgets and columns for programs, files, settings.
NOT_READ = {
    *(
        "key",
        "icon",
        "icon_position",
        "type",
        "on_select",
        "selection_mode",
        "mime",
        "config",
        "on_click",
        "width",
    ),
    *("horizontal", "gap", "layout", "position", "file_name", "query_params", "height"),
}
# Methods whose literals are a colour, a key or the like.
WORDLESS = {"html", "session_state", "secrets", "query_params", "switch_page", "Page", "columns", "open"}


def list_leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from list_leaves(one, f"{path}.{key}".lstrip("."))
    else:
        yield path, value


def list_fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def name_call(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def list_calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def list_used(text: str) -> tuple[set[str], set[str], list[int]]:
    """Keys of texts, sections, and the lines of calls whose key is not written out."""
    keys, sections, unclear = set(), set(), []
    for call in list_calls(ast.parse(text)):
        name, first = name_call(call), call.args[0] if call.args else None
        is_by_name = isinstance(call.func, ast.Name)
        if is_by_name and name in BY_KEY:
            if isinstance(first, ast.Constant):
                keys.add(str(first.value))
            elif isinstance(first, ast.JoinedStr) and isinstance(first.values[0], ast.Constant):
                # 'columns.' and a name out of a list of the page's own.
                sections.add(str(first.values[0].value).rstrip("."))
            else:
                unclear.append(call.lineno)
        elif is_by_name and name == "section" and isinstance(first, ast.Constant):
            sections.add(str(first.value))
        elif is_by_name and name == "row":
            keys |= {f"columns.{name}" for name in list_cells(call)}
    return keys, sections, unclear


def list_cells(call: ast.Call) -> Iterator[str]:
    """The columns of `row(ticket=…, **({"severity_changed": …} if …))`."""
    for word in call.keywords:
        if word.arg:
            yield word.arg
        for node in ast.walk(word.value) if word.arg is None else ():
            if isinstance(node, ast.Dict):
                yield from (str(key.value) for key in node.keys if isinstance(key, ast.Constant))


def list_own_sentences(text: str) -> list[str]:
    """Words that a page gives to Streamlit itself, in the language of its code."""
    found = []
    for call in list_calls(ast.parse(text)):
        function = call.func
        if not isinstance(function, ast.Attribute) or function.attr in WORDLESS:
            continue
        owner = ast.unparse(function.value)
        # `st.text`, a column's own methods, and what passes a label on.
        is_state = "session_state" in owner or "context" in owner
        if is_state or not (
            owner == "st" or owner.startswith("st.") or owner in ("page", "page.choices", "downloads")
        ):
            continue
        skipped = 1 if (owner, function.attr) == ("page", "link") else 0
        given = [*call.args[skipped:], *(word.value for word in call.keywords if word.arg not in NOT_READ)]
        if owner == "page.choices" or owner == "downloads":
            given = given[:1]
        for argument in given:
            for node in list_constants(argument):
                if re.search(r"[A-Za-z]{2,}", node):
                    found.append(f"line {call.lineno}: {node!r}")
    return found


def list_constants(node: ast.AST) -> Iterator[str]:
    """The literals of an expression that reach the page: not those of calls in it, nor keys."""
    if isinstance(node, ast.Call | ast.Subscript | ast.Dict | ast.ListComp | ast.List | ast.Lambda):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from list_constants(child)


@pytest.mark.parametrize("code", OTHERS)
def test_no_text_of_a_page_lacks_a_translation(code: str) -> None:
    english = dict(list_leaves(read_page_words("en")))
    other = {
        path: text
        for path, text in list_leaves(read_page_words(code))
        if not path.startswith(f"{ONLY_TRANSLATED}.")
    }
    english.pop(ONLY_TRANSLATED, None)
    assert other.keys() == english.keys()
    assert all(isinstance(text, str) and text.strip() for text in other.values())


@pytest.mark.parametrize("code", OTHERS)
def test_translations_of_pages_have_the_places_of_the_english_text(code: str) -> None:
    english = dict(list_leaves(read_page_words("en")))
    for path, text in list_leaves(read_page_words(code)):
        # In one form of the plural, a language may leave the number out.
        if not path.startswith(f"{ONLY_TRANSLATED}.") and not path.endswith(".one"):
            assert list_fields(text) == list_fields(english[path]), (code, path)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_text_that_a_page_uses_exists(code: str) -> None:
    words = read_page_words(code)
    missing = []
    for path, text in PAGES.items():
        keys, sections, unclear = list_used(text)
        missing += [f"{path}: line {line}: the key is not written out" for line in unclear]
        missing += [f"{path}: {name}" for name in sections if name not in words]
        for key in keys:
            section, _, name = key.partition(".")
            if name not in words.get(section, {}):
                missing.append(f"{path}: {key}")
    # `language.py` passes keys on.
    assert [each for each in missing if "language.py" not in each] == []


def test_every_text_is_used_by_a_page() -> None:
    used, sections = set(), {"finding_kinds", "vocabulary", "charts"}
    for text in PAGES.values():
        keys, whole, _ = list_used(text)
        used |= keys
        sections |= whole - {"columns"}
    known = {
        f"{section}.{name}"
        for section, words in read_page_words("en").items()
        if section not in sections
        for name in words
    }
    assert sorted(known - used) == []


def test_no_page_has_a_sentence_of_its_own() -> None:
    found = {str(path): own for path, text in PAGES.items() if (own := list_own_sentences(text))}
    assert found == {}


@pytest.mark.parametrize(
    ("code", "is_found"),
    [
        ('st.caption("Nothing was counted.")', True),
        ('st.text(f"Build {name}")', True),
        ('st.plotly_chart(figure, alt="A chart")', True),
        ('page.link("views/at_risk.py", f"At risk: {number}", {})', True),
        ('page.choices.one("Month", "month", options, "")', True),
        ('downloads.offer_table("Download", table, "why", status)', True),
        ('st.info("one" if many else say("x.y"))', True),
        ('st.text(say("ticket.due", instant="x"))', False),
        ('st.text(f"{name} · {number}")', False),
        ('st.dataframe(table, key="customers", on_select="rerun")', False),
    ],
)
def test_sentences_of_a_page_are_found(code: str, is_found: bool) -> None:
    assert bool(list_own_sentences(code)) == is_found


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_word_of_a_closed_vocabulary_has_one_on_the_pages(code: str) -> None:
    words = read_page_words(code)
    known = words["vocabulary"]
    with (DBT_PROJECT / "seeds" / "ticket_moments.csv").open(encoding="utf-8", newline="") as lines:
        moments = [row["moment"] for row in csv.DictReader(lines)]
    assert [
        word for word in (*TICKET_STATUSES, *ACTOR_KINDS, *EVENT_TYPES, *moments) if word not in known
    ] == []
    with (DBT_PROJECT / "seeds" / "backlog_ages.csv").open(encoding="utf-8", newline="") as lines:
        assert list(words["ages"]) == [f"from_{row['age_days_from']}" for row in csv.DictReader(lines)]


@pytest.mark.parametrize("code", OTHERS)
def test_every_kind_of_finding_is_translated(code: str) -> None:
    with (DBT_PROJECT / "seeds" / "finding_kinds.csv").open(encoding="utf-8", newline="") as lines:
        kinds = [row["finding"] for row in csv.DictReader(lines)]
    assert list(read_page_words(code)[ONLY_TRANSLATED]) == kinds


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_text_of_a_page_has_a_letter_outside_of_its_languages(code: str) -> None:
    for path, text in list_leaves(read_page_words(code)):
        if path != ONLY_TRANSLATED:
            assert {glyphs.find_face(letter) for letter in text if letter != "\n"} <= {glyphs.MAIN_FACE}, path


def test_pages_are_where_they_are_looked_for() -> None:
    assert {"views/overview.py", "charts.py", "frame.py"} <= {
        str(Path(path).relative_to("dashboards")) for path in PAGES
    }
