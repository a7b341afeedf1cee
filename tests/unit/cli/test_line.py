"""The command line's own work: global options anywhere, every error with its exit code, no traceback."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from pipeline import errors
from pipeline.cli import line
from pipeline.errors import Problem, SlaError


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        (["tickets", "--json"], ["--json", "tickets"]),
        (
            ["tickets", "--workspace", "w", "--status", "met"],
            ["--workspace", "w", "tickets", "--status", "met"],
        ),
        (["tickets", "--workspace=w"], ["--workspace=w", "tickets"]),
        (
            ["build", "--as-of", "2026-07-01T00:00:00Z", "-q"],
            ["--as-of", "2026-07-01T00:00:00Z", "-q", "build"],
        ),
        (["explain", "--", "--json"], ["explain", "--", "--json"]),
        (["tickets", "--workspace"], ["--workspace", "tickets"]),
        ([], []),
    ],
)
def test_global_options_are_understood_anywhere(typed: list[str], understood: list[str]) -> None:
    assert line._hoist_globals(typed) == understood


EXIT_CODES = {
    errors.SlaError: 1,
    errors.ConfigurationError: 2,
    errors.InputRejected: 3,
    errors.ChecksFailed: 4,
    errors.PartlyDone: 5,
    errors.WorkspaceLocked: 6,
    errors.StaleData: 7,
    errors.DeliveryFailed: 8,
}


def run_main(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    def fail(**_: Any) -> None:
        raise error

    monkeypatch.setattr(sys, "argv", ["sla", "status"])
    monkeypatch.setattr(line, "app", fail)
    with pytest.raises(SystemExit) as stop:
        line.main()
    assert isinstance(stop.value.code, int)
    return stop.value.code


@pytest.mark.parametrize("kind", EXIT_CODES)
def test_error_leaves_with_its_words_and_its_exit_code(
    kind: type[SlaError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = Problem("plan.yml", 3, "target", "'24' has no unit.", "Write 24h.")
    assert run_main(monkeypatch, kind("It went wrong.", [problem])) == EXIT_CODES[kind]
    said = capsys.readouterr()
    assert said.err == "sla: It went wrong.\n  plan.yml:3: target: '24' has no unit. Write 24h.\n"
    assert said.out == ""


def test_every_error_has_an_exit_code_of_its_own() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, SlaError)}
    assert kinds == set(EXIT_CODES)
    assert {kind: kind.exit_code for kind in kinds} == EXIT_CODES


def test_unexpected_error_is_admitted_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(line.options, "verbosity", 0)
    assert run_main(monkeypatch, ZeroDivisionError("division by zero")) == 1
    said = capsys.readouterr().err
    assert "unexpected ZeroDivisionError: division by zero" in said
    assert "a fault of the program, not of your data" in said
    assert "Traceback" not in said


def test_interrupt_leaves_with_130_and_says_what_becomes_of_the_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main(monkeypatch, KeyboardInterrupt()) == 130
    assert "what was not finished will be done by the next run" in capsys.readouterr().err


def test_problem_without_a_line_names_its_file() -> None:
    assert str(Problem("tickets.csv", None, None, "the file is empty.")) == "tickets.csv: the file is empty."
