"""Errors that a user can act on, each with the exit code that the command line promises.

Every message says what is wrong, where (file, line, field), why it matters and what to do. What the machine refuses (a full
disk, a permission, memory) is told by `explain_machine`. Anything else is a bug of ours; the command line reports it as exit
code 1 without a traceback.
"""

from __future__ import annotations

import errno
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# What steers a terminal, turns the direction of a line, or cannot be written at all.
_UNSAFE = ("Cc", "Cf", "Cs", "Zl", "Zp")
_JOINER = "\u200d"
# A value of a file that stands in a message is shown to be recognized, not to be read.
_QUOTED_CHARACTERS = 120
_WORD_CHARACTERS = 500
_QUOTED = re.compile(rf"(?<!\w)'[^'\n]{{{_QUOTED_CHARACTERS + 1},}}'")
_WORD = re.compile(rf"\S{{{_WORD_CHARACTERS + 1},}}")


def clean(message: str) -> str:
    """A message that is safe on a terminal: long values cut, and what could steer it shown as `[U+001B]`. Line ends stay."""
    shorter = _QUOTED.sub(lambda found: f"{found[0][:_QUOTED_CHARACTERS]}…'", message)
    shorter = _WORD.sub(lambda found: f"{found[0][:_WORD_CHARACTERS]}…", shorter)
    return "".join(
        character if character == "\n" or is_safe(character) else f"[U+{ord(character):04X}]"
        for character in shorter
    )


def is_safe(character: str) -> bool:
    """Whether a terminal only shows a character. The joiner of emoji and Indian scripts is needed to show them."""
    return unicodedata.category(character) not in _UNSAFE or character == _JOINER


@dataclass(frozen=True)
class Problem:
    """One thing wrong in one place of one file. `line` is 1-based; None where the whole file is meant.

    Values of the file that stand in its words are cut, and nothing in them steers a terminal.
    """

    file: str
    line: int | None
    field: str | None
    reason: str
    hint: str | None = None

    def __post_init__(self) -> None:
        for name in ("field", "reason", "hint"):
            text = getattr(self, name)
            if text is not None:
                object.__setattr__(self, name, clean(text))

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


class MachineFailed(SlaError):
    """The machine could not do it: its disk is full or damaged, or it has no memory left. Nothing is wrong with the data."""


# How the engine begins when its memory is used up. Its own memory is meant, which sla.yml sets, and not the machine's.
_ENGINE_FULL = "Out of Memory Error"
# What it says when the disk has no room for what does not fit into its memory.
_SPILL_FULL = "max_temp_directory_size"
_RUN_AGAIN = "then run again; what was not finished will be done by that run."
_PERMISSION = (
    "this user may not use it",
    "Correct the permissions, or run as the user who owns it, " + _RUN_AGAIN,
)
_ROOM = f"Make room, {_RUN_AGAIN}"
_DISK = f"Look at the disk (the machine's log names it) and restore what it lost from a backup, {_RUN_AGAIN}"
_PATH = "Move away what stands in the way, or name another path."
# What the system says -> what it means and what to do. A fault of the workspace as it stands is one of configuration.
_MACHINE: dict[int, tuple[type[SlaError], str, str]] = {
    errno.ENOSPC: (MachineFailed, "the disk is full", _ROOM),
    errno.EDQUOT: (MachineFailed, "this user's share of the disk is used up", _ROOM),
    errno.EIO: (MachineFailed, "the disk cannot be read or written there", _DISK),
    errno.ESTALE: (MachineFailed, "the network drive has gone", f"Connect it again, {_RUN_AGAIN}"),
    errno.ENODEV: (MachineFailed, "the drive has gone", f"Connect it again, {_RUN_AGAIN}"),
    errno.ETIMEDOUT: (MachineFailed, "the network drive does not answer", f"Connect it again, {_RUN_AGAIN}"),
    errno.ENOMEM: (MachineFailed, "there is not enough memory", f"End other programs, {_RUN_AGAIN}"),
    errno.EMFILE: (MachineFailed, "too many files are open", f"Raise the limit (`ulimit -n`), {_RUN_AGAIN}"),
    errno.ENFILE: (MachineFailed, "too many files are open", f"End other programs, {_RUN_AGAIN}"),
    errno.EFBIG: (
        MachineFailed,
        "a file may not grow that far",
        f"Raise the limit (`ulimit -f`), {_RUN_AGAIN}",
    ),
    errno.EROFS: (ConfigurationError, "it may only be read", f"Make it writable, {_RUN_AGAIN}"),
    errno.EACCES: (ConfigurationError, *_PERMISSION),
    errno.EPERM: (ConfigurationError, *_PERMISSION),
    errno.EISDIR: (ConfigurationError, "there is a folder where a file should be", _PATH),
    errno.ENOTDIR: (ConfigurationError, "there is a file where a folder should be", _PATH),
    errno.EEXIST: (ConfigurationError, "there is something else of that name", _PATH),
    errno.ELOOP: (ConfigurationError, "it is a link that points to itself", _PATH),
    errno.ENAMETOOLONG: (ConfigurationError, "the path is too long", "Choose a shorter one."),
}
# The engine tells the same in its own words, with those of the system inside.
_ENGINES = ("duckdb", "_duckdb", "pyarrow", "dbt")


def explain_machine(problem: BaseException) -> SlaError | None:
    """What the machine refused, if that is what an error or one of its causes is about; None for a fault of the program."""
    for one in _list_causes(problem):
        if type(one).__name__ == "OutOfMemoryException":
            return _say_engine_full(str(one))
        if isinstance(one, MemoryError):
            return _say_machine(errno.ENOMEM, None, "out of memory")
        if isinstance(one, OSError) and one.errno in _MACHINE:
            path = one.filename if isinstance(one.filename, str) else None
            return _say_machine(one.errno, path, one.strerror or os.strerror(one.errno))
        if isinstance(one, OSError) or type(one).__module__.partition(".")[0] in _ENGINES:
            told = explain_engine(str(one))
            if told is not None:
                return told
    return None


def explain_engine(message: str, at: str | None = None) -> SlaError | None:
    """What the machine refused, if a message of an engine is about that. `at`: the table that the engine was making."""
    for number in _MACHINE:
        if os.strerror(number) in message:
            return _say_machine(number, None, message.splitlines()[0])
    if _ENGINE_FULL in message:
        return _say_engine_full(message[message.index(_ENGINE_FULL) :], at)
    return None


def _say_engine_full(words: str, at: str | None = None) -> SlaError:
    if _SPILL_FULL in words:
        return _say_machine(errno.ENOSPC, None, words.splitlines()[0])
    by = f" by {at}" if at else ""
    return MachineFailed(
        f"The memory that the engine may take is used up{by} ({words.splitlines()[0]}). Set `memory` in sla.yml to more (half of "
        f"the machine or container is taken where nothing is set), or give the container more, {_RUN_AGAIN}"
    )


def _say_machine(number: int, path: str | None, words: str) -> SlaError:
    kind, meaning, advice = _MACHINE[number]
    where = f"{path}: " if path else ""
    return kind(f"{where}{meaning} ({words}). {advice}")


def _list_causes(problem: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = problem
    for _ in range(10):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or seen.__context__
