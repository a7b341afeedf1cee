from __future__ import annotations

import io
import json
import re
from collections.abc import Callable

import pytest

from pipeline.cli.show_compliance import compliance_table
from pipeline.cli.show_entitlements import entitlements_table
from pipeline.cli.show_tickets import tickets_table
from pipeline.cli.tables import TextTable, printable, to_json, write_tables
from pipeline.reporting.compliance import read_compliance
from pipeline.reporting.entitlements import read_balances, read_ledger
from pipeline.reporting.published import EVERY_CUSTOMER, Published, Scope, Selection
from pipeline.reporting.status import read_status
from pipeline.reporting.tickets import read_explanation, read_tickets

ACME = Scope(("acme",))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _written(table: TextTable, stream: io.StringIO) -> str:
    write_tables(table, stream)
    return stream.getvalue()


def test_write_is_plain_and_aligned_into_a_pipe(published: Published) -> None:
    text = _written(compliance_table(read_compliance(published, ACME, by=("obligation",))), io.StringIO())
    assert "\x1b" not in text
    lines = [re.sub(r" +", " ", line) for line in text.splitlines()]
    assert "debug analysis (estimate) 100.0 % (1 of 1) 1 0 0 0 1 0" in lines
    assert "first response 57.1 % to 71.4 % (4 met, 2 breached, 1 undecided) 4 2 1 1 1 1" in lines
    assert any(line.startswith("Undecided = not measurable.") for line in lines)
    assert "total" in text


def test_write_is_plain_on_a_terminal_when_no_color_is_set(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = _written(entitlements_table(read_balances(published, ACME)), Terminal())
    assert "\x1b" not in text and "unlimited" in text and "not stated" in text


def test_write_prints_markup_of_a_subject_as_text_on_a_terminal(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = _written(tickets_table(read_tickets(published, ACME)), Terminal())
    assert "[red]boo[/red]" in text
    assert "\u202e" not in text and "[U+202E]" in text


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x9b31m", "\x07", "\u2028", "\u202e", "\x00"])
def test_printable_shows_what_could_steer_a_terminal(hostile: str) -> None:
    shown = printable(f"a{hostile}b")
    assert hostile[0] not in shown and shown.startswith("a[U+")


def test_printable_keeps_text_on_one_line() -> None:
    assert printable("a\r\nb\tc") == "a  b c"


def test_json_has_integers_zoned_instants_and_rates_with_their_parts(published: Published) -> None:
    answer = json.loads(to_json(read_compliance(published, ACME, Selection(months=("2026-07",)))))
    assert answer["as_of"] == "2026-08-03T12:00:00Z"
    assert answer["total"]["compliance"] == {
        "met": 4, "counted": 5, "ratio": None, "undecided": 1, "lower": 0.666666, "upper": 0.833333,
    }  # fmt: skip
    listed = json.loads(to_json(read_tickets(published, ACME)))
    assert listed[0]["elapsed_seconds"] is not None or listed[0]["status"] == "not_covered"


def test_json_of_nothing_to_assess_has_a_null_ratio(published: Published) -> None:
    answer = json.loads(
        to_json(read_compliance(published, EVERY_CUSTOMER, Selection(months=("1999-01",)), by=()))
    )
    assert answer["total"]["compliance"] == {
        "met": 0, "counted": 0, "ratio": None, "undecided": 0, "lower": None, "upper": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("read", "arguments"),
    [(read_balances, ()), (read_status, ()), (read_ledger, ("acme",)), (read_explanation, ("T-1",))],
)
def test_json_can_be_read_back_for(
    published: Published, read: Callable[..., object], arguments: tuple[str, ...]
) -> None:
    assert json.loads(to_json(read(published, ACME, *arguments)))
