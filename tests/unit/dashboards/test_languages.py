"""The pages in each language: which one is chosen, and that words, numbers and dates on the page are its own."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from streamlit.testing.v1 import AppTest

from dashboards import charts, language
from dashboards.language import PageLanguage
from dashboards.pages import PAGES
from pipeline.reporting.compliance import Tally, TrendPoint
from pipeline.settings import Workspace
from tests.unit.dashboards.small_build import publish
from tests.unit.dashboards.test_pages import open_page

NAMES = [page.name for page in PAGES]
# What a page shows more of with an address.
ADDRESSES: dict[str, dict[str, str | list[str]]] = {
    "customer": {"customer": "acme"},
    "ticket": {"ticket": "T-4"},
    "entitlements": {"pool": "standard-term/regular"},
    "compliance": {"by": "plan,severity"},
}
# What stands in data, or is the same in these languages.
SAME = {"Ticket", "Tickets", "Plan", "Status", "Name", "Id", "Source", "Distribution", "Bot <1>"}


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Workspace:
    return publish(tmp_path_factory.mktemp("languages"))


@pytest.fixture
def workspace(root, monkeypatch) -> Workspace:
    monkeypatch.setenv("SLA_WORKSPACE", str(root.root))
    return root


def list_words(app: AppTest) -> set[str]:
    """Every text of the page that is longer than a name: sentences, labels, heads of tables."""
    told = [
        str(each.value)
        for kind in (
            app.title,
            app.header,
            app.subheader,
            app.caption,
            app.info,
            app.warning,
            app.text,
            app.markdown,
        )
        for each in kind
    ]
    told += [
        each.label for kind in (app.expander, app.selectbox, app.multiselect, app.text_input) for each in kind
    ]
    told += [option for each in app.selectbox for option in each.options]
    told += [str(column) for each in app.dataframe for column in each.value.columns]
    return {line for text in told for line in text.split("\n") if re.search(r"[A-Za-z]{3,}", line)}


def check_translated(name: str, code: str) -> None:
    english = list_words(open_page(name, **ADDRESSES.get(name, {})))
    other = list_words(open_page(name, lang=code, **ADDRESSES.get(name, {})))
    assert len(other) > 10
    # Two words and more in a row that are on both pages would be English on one of them.
    shared = {
        text
        for text in english & other
        if text not in SAME and re.search(r"[a-z]{2,} [A-Za-z]{3,}", text) and "beacon" not in text
    }
    assert {text for text in shared if not re.match(FROM_DATA, text)} == set()


# Sentences of the build itself: what checks, findings and models say in English, and notes.
FROM_DATA = r"[a-z_.]+: One row|Note \d|(English|UTC)|.*(Acme|Beta|Söhne|[Ff]irst response|Ledger of)"


@pytest.mark.parametrize("name", ["overview", "backlog"])
def test_words_of_a_page_are_those_of_its_language(workspace, name):
    check_translated(name, "de")


@pytest.mark.long
@pytest.mark.parametrize("code", ["de", "fr"])
@pytest.mark.parametrize("name", NAMES)
def test_words_of_every_page_are_those_of_its_language(workspace, name, code):
    check_translated(name, code)


def test_language_of_the_address_holds_on_the_next_page_and_is_written_into_its_address(workspace):
    app = open_page("overview", lang="de")
    assert [each.value for each in app.title] == ["Überblick"]
    app.query_params.clear()
    app.switch_page("views/at_risk.py").run()
    assert [each.value for each in app.title] == ["Gefährdet"]
    assert app.query_params["lang"] in ("de", ["de"])


def test_language_that_does_not_exist_is_english_and_leaves_the_address(workspace):
    app = open_page("overview", lang="xx' or 1=1")
    assert [each.value for each in app.title] == ["Overview"]
    assert "lang" not in app.query_params


def test_language_is_changed_by_the_switch_and_figures_stay_the_same(workspace):
    app = open_page("overview", month="2026-06")
    before = [each.value for each in app.header]
    app.selectbox(key="language").set_value("fr").run()
    assert [each.value for each in app.title] == ["Vue d'ensemble"]
    assert "4 tenus sur 6 comptés, 0 en cours" in "\n".join(each.value for each in app.caption)
    assert before == ["4 of 6"]
    assert [each.value for each in app.header] == ["4 sur 6"]
    assert app.text[0].value.startswith(
        "Données connues jusqu'au 30 juin 2026, 12:00:00 UTC · état du 15 juil. 2026, 00:00:00 UTC"
    )


@pytest.mark.parametrize(
    ("code", "rows", "instant", "day"),
    [
        ("en", "12,345 rows", "3 Jul 2026, 18:05:09 +02:00", "3 Jul 2026"),
        ("de", "12.345 Zeilen", "03.07.2026, 18:05:09 +02:00", "03.07.2026"),
        ("fr", "12 345 lignes", "3 juil. 2026, 18:05:09 +02:00", "3 juil. 2026"),
    ],
)
def test_numbers_and_dates_are_written_as_in_the_documents(code, rows, instant, day):
    words = PageLanguage(code)
    assert words.tell_count("downloads.rows", 12345).replace("\u202f", " ").replace("\u00a0", " ") == rows
    moment = datetime(2026, 7, 3, 16, 5, 9, tzinfo=UTC)
    assert words.instant(moment, "Europe/Berlin").replace("\u00a0", " ") == instant
    assert words.day(date(2026, 7, 3)).replace("\u00a0", " ") == day


@pytest.mark.parametrize(("code", "one", "none"), [("en", "1 row", "0 rows"), ("fr", "1 ligne", "0 ligne")])
def test_plural_forms_are_those_of_the_language(code, one, none):
    words = PageLanguage(code)
    assert (words.tell_count("downloads.rows", 1), words.tell_count("downloads.rows", 0)) == (one, none)


def test_words_of_the_plan_are_those_of_the_reference_files():
    words = PageLanguage("de", {"first_response": "erste Antwort"})
    assert (words.word("first_response"), words.word("on_hold")) == ("erste Antwort", "zurückgestellt")
    assert words.word("custom_builds") == "custom builds"


def test_axes_are_written_in_the_language_and_hand_back_the_month(monkeypatch):
    monkeypatch.setattr(charts, "current", lambda: PageLanguage("de"))
    monkeypatch.setattr(language, "current", lambda: PageLanguage("de"))
    figure = charts.draw_overview([TrendPoint("2026-05", False, Tally(met=10))], "#000000")
    assert list(figure.layout.xaxis.ticktext) == ["Mai 2026"]
    assert list(figure.data[0].x) == ["2026-05"]
    assert [text.replace("\u00a0", " ") for text in figure.layout.yaxis.ticktext][:2] == ["0 %", "25 %"]
    assert figure.data[1].name == "erfüllt"
