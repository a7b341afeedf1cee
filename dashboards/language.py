"""The language of one run of a page, and the words that it takes its text from.

The words stand in `pipeline/reporting/words/pages/`, a file for each language. The language is the one that the address names
(`lang`), else the one chosen before in this session, else that of the browser, else English. Numbers, dates and plural forms are
those of the documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache

import streamlit as st

from pipeline.reporting.language import Language, find_language, read_page_words
from pipeline.vocabulary import LANGUAGES

KEY = "lang"
NAMES = {"en": "English", "de": "Deutsch", "fr": "Français"}
_KEPT, _WIDGET = "language_kept", "language"


class PageLanguage(Language):
    """A language with the words of pages. `labels`: what reference/words.yml says for words of plans and calendars."""

    def __init__(self, code: str, labels: Mapping[str, str] | None = None) -> None:
        super().__init__(code, {**read_page_words(code)["vocabulary"], **(labels or {})})

    def page_words(self, section: str) -> Mapping[str, str]:
        """All words of a section."""
        words: Mapping[str, str] = read_page_words(self.code)[section]
        return words

    def tell(self, key: str, **values: object) -> str:
        """The text of 'section.name' with its values in place; whole numbers are written as the language does."""
        section, _, name = key.partition(".")
        return self.page_words(section)[name].format(**self._write_numbers(values))

    def tell_count(self, key: str, number: int, **values: object) -> str:
        """The text of 'section.name' in the plural form of a number, which it names `{count}`."""
        section, _, name = key.partition(".")
        forms: Mapping[str, str] = read_page_words(self.code)[section][name]
        form = self.locale.plural_form(number)
        told = self._write_numbers({"count": number, **values})
        return forms.get(form, forms["other"]).format(**told)

    def _write_numbers(self, values: Mapping[str, object]) -> dict[str, object]:
        return {
            name: self.whole(value) if isinstance(value, int) and not isinstance(value, bool) else value
            for name, value in values.items()
        }


@cache
def _english() -> PageLanguage:
    return PageLanguage("en")


# Of this run: Streamlit runs each page of each person in a thread of its own.
_CURRENT: ContextVar[PageLanguage | None] = ContextVar("page_language", default=None)


def begin() -> None:
    """Decide the language of this run; of a link that names one, it holds for the pages after it too."""
    by_default = find_language(st.context.locale)
    asked = st.query_params.get(KEY)
    code = asked if asked in LANGUAGES else st.session_state.get(_KEPT, by_default)
    st.session_state[_KEPT] = code
    # So that a link shows another person the same words; what the browser asks for is not written.
    if code != by_default and asked != code:
        st.query_params[KEY] = code
    elif asked is not None and asked not in LANGUAGES:
        del st.query_params[KEY]
    _CURRENT.set(PageLanguage(code))


def use_labels(labels: Mapping[str, Mapping[str, str]]) -> None:
    """From now on in this run, words of plans and calendars are those of the build: language -> word -> what is printed."""
    code = current().code
    _CURRENT.set(PageLanguage(code, {**labels.get("en", {}), **labels.get(code, {})}))


def offer() -> None:
    """The switch."""
    st.session_state[_WIDGET] = current().code
    st.selectbox(
        say("frame.language"), LANGUAGES, format_func=NAMES.__getitem__, key=_WIDGET, on_change=_keep
    )


def current() -> PageLanguage:
    """The language of this run; English outside of one."""
    return _CURRENT.get() or _english()


def say(key: str, **values: object) -> str:
    """A text of the pages in the language of this run."""
    return current().tell(key, **values)


def count(key: str, number: int, **values: object) -> str:
    """The same in the plural form of a number."""
    return current().tell_count(key, number, **values)


def section(name: str) -> Mapping[str, str]:
    """All words of a section of the pages, such as the options of a filter."""
    return current().page_words(name)


def row(**cells: object) -> dict[str, object]:
    """A row of a table under the heads that the language has for its columns (the section `columns`)."""
    heads = section("columns")
    return {heads[name]: value for name, value in cells.items()}


def _keep() -> None:
    code = st.session_state[_WIDGET]
    st.session_state[_KEPT] = code
    st.query_params[KEY] = code
