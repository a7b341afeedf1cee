from __future__ import annotations

import io
from dataclasses import replace

from pipeline.cli.show_tickets import explanation_tables
from pipeline.cli.tables import write_tables
from pipeline.reporting.published import Published, Scope
from pipeline.reporting.tickets import read_explanation

ACME = Scope(("acme",))


def test_explanation_names_both_verdicts_and_the_answer_of_an_ai(published: Published) -> None:
    explained = read_explanation(published, ACME, "T-1")
    why = next(one for one in explained.obligations if one.obligation.obligation == "first_response")
    obligation = replace(why.obligation, status="breached", status_by_humans="breached", status_with_ai="met")
    answer = replace(why.passed_over[0], is_automatic_reply=False, is_ai_message=True)
    stream = io.StringIO()
    told = replace(why, obligation=obligation, passed_over=(answer,))
    write_tables(explanation_tables(replace(explained, obligations=(told,))), stream)
    for part in (
        "An AI answered. By humans alone: breached; with the AI's answer: met.",
        "Passed over: event T-1-1 at 2026-07-06 10:00:00 UTC, an answer of an AI.",
    ):
        assert part in stream.getvalue()


def test_explanation_tables_state_verdict_clause_stop_and_what_was_passed_over(published: Published) -> None:
    stream = io.StringIO()
    write_tables(explanation_tables(read_explanation(published, ACME, "T-1")), stream)
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
