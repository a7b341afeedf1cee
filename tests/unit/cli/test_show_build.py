"""What a build tells a terminal, and that it tells nothing else."""

from __future__ import annotations

from io import StringIO

import pytest

from pipeline.cli.show_build import show_build


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def tell_all(stream: StringIO, is_quiet: bool) -> str:
    with show_build(stream, is_quiet) as on_step:
        on_step("landed rows, and checks of them", None, 0, 0)
        on_step("models", "int_promises__verdicts", 3, 170)
        on_step("plan [red]gold[/red] on the same tickets", "fct_sla_obligations", 1, 9)
    return stream.getvalue()


def test_a_terminal_shows_the_step_the_model_and_how_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    # Rich asks for the width of a terminal that is none.
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    shown = tell_all(Terminal(), is_quiet=False)
    # What is shown last stands there when the line is written for the last time.
    assert "fct_sla_obligations" in shown and "1 of 9" in shown
    assert "plan [red]gold[/red] on the same tickets" in shown


@pytest.mark.parametrize(
    ("stream", "is_quiet"), [(StringIO(), False), (Terminal(), True)], ids=["a log", "quiet"]
)
def test_a_log_and_a_quiet_command_are_told_nothing(stream: StringIO, is_quiet: bool) -> None:
    assert tell_all(stream, is_quiet) == ""
