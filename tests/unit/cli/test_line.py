"""The command line's own work: global options anywhere, every error with its exit code, no traceback."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline import errors
from pipeline.cli import line
from pipeline.errors import Problem, SlaError
from pipeline.settings import CHECKOUT


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
    errors.MachineFailed: 1,
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


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/w/a"),
            1,
            "/w/a: the disk is full (No space left",
        ),
        (
            OSError(errno.EIO, "Input/output error", "/w/a"),
            1,
            "/w/a: the disk cannot be read or written there",
        ),
        (OSError(errno.EROFS, "Read-only file system", "/w/a"), 2, "/w/a: it may only be read"),
        (PermissionError(errno.EACCES, "Permission denied", "/w/a"), 2, "/w/a: this user may not use it"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "/w/a"), 2, "a folder where a file should be"),
        (MemoryError(), 1, "there is not enough memory"),
        (duckdb.IOException('Could not write file "/w/a": No space left on device'), 1, "the disk is full"),
        (
            duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate"),
            1,
            "Set `memory` in sla.yml to more",
        ),
        # The engine's own words for a full disk below its folder of spilled rows.
        (
            duckdb.OutOfMemoryException("limit was set by the 'max_temp_directory_size' setting"),
            1,
            "the disk is full",
        ),
    ],
)
def test_what_the_machine_refuses_is_told_as_that(
    error: Exception,
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # A library may tell it as its own error.
    outer = RuntimeError("it did not work")
    outer.__cause__ = error
    for one in (error, outer):
        assert run_main(monkeypatch, one) == code
        said = capsys.readouterr().err
        assert words in said
        assert "run again" in said or "name another path" in said
        assert "fault of the program" not in said


def test_words_of_the_system_in_a_fault_of_the_program_excuse_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(line.options, "verbosity", 0)
    assert run_main(monkeypatch, ValueError("a subject: No space left on device")) == 1
    assert "a fault of the program, not of your data" in capsys.readouterr().err


def test_message_steers_no_terminal_and_a_long_value_in_it_is_cut(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    escape, right_to_left = "\x1b]0;title\x07\x9b2J", "\u202e"
    reason = f"'{'x' * 10_000}' is no column, nor is {escape}{right_to_left}; {'y' * 10_000}."
    problem = Problem("tickets.csv", 1, f"a{escape}b", reason, None)
    run_main(monkeypatch, errors.InputRejected(f"It {escape} went wrong.", [problem]))
    said = capsys.readouterr().err
    assert [character for character in said if character != "\n" and not character.isprintable()] == []
    assert "It [U+001B]]0;title[U+0007][U+009B]2J went wrong." in said
    assert f"'{'x' * 119}…' is no column" in said
    assert len(said) < 1_000


# A pipe holds 64 KB: a reader that goes after one line leaves most of this unwritten.
MANY_LINES = """
import sys
import typer
from pipeline.cli import line

def app(**_):
    for number in range(100_000):
        typer.echo(f"row {number}")
    typer.echo("all rows were written", err=True)
    return 4

line.app = app
line.main()
"""


def test_reader_that_goes_early_ends_no_work_and_changes_no_exit_code() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", MANY_LINES],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    ) as command:
        assert command.stdout is not None and command.stderr is not None
        assert command.stdout.readline() == "row 0\n"
        command.stdout.close()
        assert command.stderr.read() == "all rows were written\n"
    assert command.returncode == 4


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_output_that_cannot_be_written_is_told() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", "from pipeline.cli.line import main; main()", "--version"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("sla: the disk is full (No space left on device).")
    assert "Traceback" not in done.stderr


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
