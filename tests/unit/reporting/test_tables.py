from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from pipeline.reporting import queries, tables
from pipeline.reporting.queries import Published
from pipeline.reporting.records import EVERY_CUSTOMER, Scope, Selection

ACME = Scope(("acme",))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _written(table: tables.TextTable, stream: io.StringIO) -> str:
    tables.write(table, stream)
    return stream.getvalue()


def test_write_is_plain_and_aligned_into_a_pipe(published: Published) -> None:
    text = _written(
        tables.compliance_table(queries.compliance(published, ACME, by=("obligation",))), io.StringIO()
    )
    assert "\x1b" not in text
    assert "debug analysis (estimate)  100.0 % (1 of 1)" in text
    assert "total" in text


def test_write_is_plain_on_a_terminal_when_no_color_is_set(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = _written(tables.entitlements_table(queries.entitlements(published, ACME)), Terminal())
    assert "\x1b" not in text and "unlimited" in text and "not stated" in text


def test_write_prints_markup_of_a_subject_as_text_on_a_terminal(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = _written(tables.tickets_table(queries.tickets(published, ACME)), Terminal())
    assert "[red]boo[/red]" in text
    assert "\u202e" not in text and "[U+202E]" in text


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x9b31m", "\x07", "\u2028", "\u202e", "\x00"])
def test_printable_shows_what_could_steer_a_terminal(hostile: str) -> None:
    shown = tables.printable(f"a{hostile}b")
    assert hostile[0] not in shown and shown.startswith("a[U+")


def test_printable_keeps_text_on_one_line() -> None:
    assert tables.printable("a\r\nb\tc") == "a  b c"


def test_explanation_tables_state_verdict_clause_stop_and_what_was_passed_over(published: Published) -> None:
    stream = io.StringIO()
    tables.write(tables.explanation_tables(queries.explanation(published, ACME, "T-1")), stream)
    text = stream.getvalue()
    for part in (
        "Verdict: met; 6 h of 24 h; due 2026-07-07 09:00:00 UTC.",
        "clause first_response_regular",
        "Counted in all: 6 h",
        "Stopped by event T-1-reply",
        "Passed over: event T-1-1 at 2026-07-06 10:00:00 UTC, an automatic reply.",
        "events.csv:2",
    ):
        assert part in text


def test_json_has_integers_zoned_instants_and_rates_with_their_parts(published: Published) -> None:
    answer = json.loads(tables.to_json(queries.compliance(published, ACME, Selection(months=("2026-07",)))))
    assert answer["as_of"] == "2026-08-03T12:00:00Z"
    assert answer["total"]["compliance"] == {"met": 4, "counted": 5, "ratio": 0.8}
    listed = json.loads(tables.to_json(queries.tickets(published, ACME)))
    assert listed[0]["elapsed_seconds"] is not None or listed[0]["status"] == "not_covered"


def test_json_of_nothing_to_assess_has_a_null_ratio(published: Published) -> None:
    answer = json.loads(
        tables.to_json(queries.compliance(published, EVERY_CUSTOMER, Selection(months=("1999-01",)), by=()))
    )
    assert answer["total"]["compliance"] == {"met": 0, "counted": 0, "ratio": None}


@pytest.mark.parametrize("name", ["entitlements", "build_status", "ledger", "explanation"])
def test_json_can_be_read_back_for(published: Published, name: str) -> None:
    arguments = {"ledger": ("acme",), "explanation": ("T-1",)}.get(name, ())
    assert json.loads(tables.to_json(getattr(queries, name)(published, ACME, *arguments)))


def test_status_tables_count_passed_checks_and_list_the_others(published: Published) -> None:
    status = queries.build_status(published, EVERY_CUSTOMER)
    warned = replace(status.checks[0], check_name="newest_batch_is_recent", status="warned")
    stream = io.StringIO()
    tables.write(tables.status_tables(replace(status, checks=(*status.checks, warned))), stream)
    assert "1 passed, 1 warned" in stream.getvalue()
    assert "newest_batch_is_recent" in stream.getvalue() and "keys_are_unique" not in stream.getvalue()


def test_findings_tables_count_by_kind_on_top_and_name_the_line_of_each(published: Published) -> None:
    summary, rows = tables.findings_tables(queries.findings(published, EVERY_CUSTOMER))
    assert [(row[0], row[2]) for row in summary.rows] == [
        ("unlisted_requester", "3"),
        ("redeemed_too_often", "1"),
        ("unknown_customer", "1"),
        ("total", "5"),
    ]
    assert rows.rows[0][-1] == "reference/redemptions.csv:3"
    nothing = tables.findings_tables(queries.findings(published, EVERY_CUSTOMER, kinds=["waiver_of_nothing"]))
    assert [table.title for table in nothing] == ["Findings by kind"]


def test_alerts_table_says_what_is_consumed_of_what_and_what_follows_a_term(published: Published) -> None:
    told = queries.alerts(published, EVERY_CUSTOMER, Selection(customer_ids=("acme",)))
    assert [(line[0], line[4], line[7]) for line in tables.alerts_table(told).rows] == [
        ("likely to run out by 2026-09-30", "13 of 15", "–"),
        ("80 % reached", "9 of 11", "–"),
        ("term ends in 28 days", "–", "S-next"),
    ]
