"""The page of the data checks: everything escaped, nothing fetched, failed and not evaluated distinguished, the same bytes."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipeline.errors import ConfigurationError
from pipeline.reporting.render_checks import render_checks, write_checks
from pipeline.reporting.status import BuildStatus, Check

PASSED = Check(
    "core.dim_tickets column_values_to_be_unique ticket_id", "published", "core.dim_tickets", "column_values_to_be_unique",
    "ticket_id", "critical", "passed", "0 of 12 rows break it", "A ticket twice is counted twice.",
)  # fmt: skip
FAILED = replace(
    PASSED, check_name="b", suite="landed", table_name="raw.users", severity="warning", status="failed"
)
UNKNOWN = replace(
    PASSED, check_name="c", expectation="column_values_to_be_sane", severity="warning", status="error"
)
OF_DBT = replace(
    PASSED,
    check_name="dbt: sums_add_up",
    suite="dbt",
    table_name=None,
    expectation="sums_add_up",
    column_name=None,
)


def status(*checks: Check) -> BuildStatus:
    at = datetime(2026, 7, 15, tzinfo=UTC)
    return BuildStatus("5ma11b01d000", at, at, "2026.1", "0.80", 24, 2, at, checks, (), (), ())


class Text(HTMLParser):
    """What the page says, and the tags and attributes that it has."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.said, self.tags, self.attributes = "", [], []
        self.feed(page.decode())
        self.said = re.sub(r"\s+", " ", self.said)

    def handle_data(self, data: str) -> None:
        self.said += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def test_the_summary_counts_and_what_did_not_pass_comes_first() -> None:
    said = Text(render_checks(status(PASSED, FAILED, UNKNOWN, OF_DBT))).said
    assert "2 passed, 1 failed, 1 could not be evaluated" in said
    # What has no answer before what is known to be broken, both before the lists of everything.
    places = [
        said.index(part)
        for part in (
            "To look at",
            "column values to be sane",
            "FAILED: the data",
            "What arrived",
            "raw.users",
        )
    ]
    assert places[:4] == sorted(places[:4])
    assert "ERROR: no answer" in said and "sums add up" in said and "A ticket twice is counted twice." in said


def test_a_build_whose_checks_all_passed_says_so() -> None:
    said = Text(render_checks(status(PASSED))).said
    assert "Nothing: every check passed." in said and "No check was run." in said


@pytest.mark.parametrize(
    "field", ["check_name", "table_name", "expectation", "column_name", "observed", "detail", "severity"]
)
def test_whatever_a_check_is_called_is_text(field: str) -> None:
    hostile = "</td><script src='//x.example'>alert(1)</script><img onerror=x> {{ 7*7 }} &amp;"
    page = Text(render_checks(status(replace(FAILED, **{field: hostile}))))
    assert not {"script", "img"} & set(page.tags)
    assert field == "check_name" or hostile.replace("_", " ") in page.said.replace("_", " ")


def test_the_page_is_the_same_every_time_and_fetches_nothing() -> None:
    told = status(PASSED, FAILED, UNKNOWN)
    page = render_checks(told)
    assert page == render_checks(replace(told, checks=told.checks[::-1]))
    assert not {"script", "link", "img", "iframe"} & set(Text(page).tags)
    assert not {"src", "href"} & {name for name, _ in Text(page).attributes} and b"http" not in page.replace(
        b"http-equiv", b""
    )


def test_a_page_that_cannot_be_written_leaves_the_former_one(tmp_path: Path) -> None:
    file = tmp_path / "checks.html"
    write_checks(status(PASSED), file)
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_checks(status(PASSED), file / "checks.html")
    assert file.read_bytes() == render_checks(status(PASSED))
    assert list(tmp_path.iterdir()) == [file]
