"""`reference/words.yml`: what reports print for a word of a plan or a calendar, by language."""

from __future__ import annotations

from typing import Annotated

from pipeline.declarations.declared import Declared, read_declared
from pipeline.declarations.problems import refuse
from pipeline.declarations.read_yaml import read_yaml
from pipeline.declarations.values import OneOf, Text
from pipeline.errors import Problem
from pipeline.rules.tables import RuleTable, build_table
from pipeline.settings import Workspace
from pipeline.vocabulary import LANGUAGES


class WordsFile(Declared):
    """What customers read instead of the short names and the sentences of plans and calendars."""

    words: dict[Text, dict[Annotated[str, OneOf(LANGUAGES)], Text]] = {}
    """The word or sentence as it is written elsewhere -> language -> what reports print. In a language that is left out, they
    print the English words, and without them the word itself with blanks for underscores."""


def load_words(workspace: Workspace) -> dict[str, RuleTable]:
    """The table `words`; empty where there is no such file. Raises ConfigurationError."""
    path = workspace.words
    words: dict[str, dict[str, str]] = {}
    if path.is_file():
        problems: list[Problem] = []
        file, _ = read_declared(WordsFile, read_yaml(path), problems)
        if problems:
            raise refuse(str(path), problems)
        words = file.words
    rows = [(word, language, label) for word, labels in words.items() for language, label in labels.items()]
    return {"words": build_table("words", rows)}
