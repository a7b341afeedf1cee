"""Errors that a user can act on, each with the exit code that the command line promises.

Every message says what is wrong, where (file, line, field), why it matters and what to do. Anything that is not
an `SlaError` is a bug of ours; the command line reports it as exit code 1 without a traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing wrong in one place of one file. `line` is 1-based; None where the whole file is meant."""

    file: str
    line: int | None
    field: str | None
    reason: str
    hint: str | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        field = f" {self.field}:" if self.field else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{place}:{field} {self.reason}{hint}"


class SlaError(Exception):
    """Base of all errors that a user can act on."""

    exit_code = 1

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        self.message = message
        self.problems = tuple(problems)
        super().__init__("\n".join([message, *(f"  {problem}" for problem in self.problems)]))


class ConfigurationError(SlaError):
    """The command, `sla.yml`, a plan file or a calendar file cannot be used as it stands."""

    exit_code = 2


class InputRejected(SlaError):
    """An export or a reference table was refused; nothing of the refused file was kept."""

    exit_code = 3
    # How many records had been read when an export was refused for all of them.
    rows_read = 0


class ChecksFailed(SlaError):
    """The new build failed a critical check; the version published before is still served."""

    exit_code = 4


class PartlyDone(SlaError):
    """Some of the work was done and some failed; the message names both."""

    exit_code = 5


class WorkspaceLocked(SlaError):
    """Another run holds the workspace."""

    exit_code = 6


class StaleData(SlaError):
    """The published data is older than what was asked for."""

    exit_code = 7


class DeliveryFailed(SlaError):
    """A finished report could not be handed over."""

    exit_code = 8
