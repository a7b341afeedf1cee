"""The line as it is typed: global options, exit codes, and how a command says what it found."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import ConfigurationError, SlaError, StaleData, clean, explain_machine
from pipeline.interruption import is_asked, listen
from pipeline.private_files import write_privately
from pipeline.settings import Workspace, find_workspace, parse_instant, read_clock

if TYPE_CHECKING:
    from pipeline.reporting.published import Published, Selection

app = typer.Typer(
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="SLA compliance and ticket entitlements, computed from helpdesk exports and explained to the second.\n\n"
    "Start with `sla demo`, or `sla init DIR` for a workspace of your own.\n\n"
    "Global options may stand anywhere on the line. Exit codes: 0 ok, 1 unexpected, 2 usage or configuration, 3 input rejected, "
    "4 checks failed and nothing published, 5 partly done, 6 locked, 7 stale data, 8 delivery failed.",
)

# Options that every command knows, wherever they stand on the line; the value says whether an argument follows.
_GLOBAL_OPTIONS = {"--workspace": True, "--as-of": True, "--log-format": True} | dict.fromkeys(
    ("--json", "-q", "--quiet", "-v", "--verbose"), False
)


@dataclass
class Options:
    """What the global options said; filled before any command runs."""

    workspace: Path | None = None
    as_of: datetime | None = None
    is_json: bool = False
    verbosity: int = 0
    log_format: str = "text"

    def find_workspace(self) -> Workspace:
        return find_workspace(self.workspace)


options = Options()


@dataclass
class Log:
    """What every line of the JSON log carries. `run_id` names the record of the run at work."""

    run_id: str | None = None

    def stamp(self, level: str) -> dict[str, Any]:
        return {"at": read_clock().strftime("%Y-%m-%dT%H:%M:%SZ"), "level": level, "run_id": self.run_id}


log = Log()


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"sla {version('sla-entitlements')}")
        raise typer.Exit


@app.callback()
def _read_globals(
    workspace: Annotated[
        Path | None, typer.Option(help="The workspace (default: SLA_WORKSPACE, else the checkout's data/).")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Up to when the data counts as known.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print no progress.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Print more about what is done.")] = False,
    log_format: Annotated[
        str, typer.Option("--log-format", metavar="text|json", help="How messages on stderr are written.")
    ] = "text",
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    options.workspace = workspace
    options.as_of = None if as_of is None else parse_instant(as_of, "--as-of")
    options.is_json = as_json
    options.verbosity = int(verbose) - int(quiet)
    if log_format not in ("text", "json"):
        raise ConfigurationError(f"--log-format is {log_format!r}; it must be text or json.")
    options.log_format = log_format


def main() -> None:
    """Run the command line; every error leaves with its message and exit code, never with a traceback."""
    listen()
    write_privately()
    _outlive_readers()
    try:
        outcome = app(args=_hoist_globals(sys.argv[1:]), prog_name="sla", standalone_mode=False)
        sys.stdout.flush()
        code = outcome if isinstance(outcome, int) else 0
    except typer.Exit as stop:
        code = stop.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except Exception as problem:
        # What a library makes of Ctrl-C is no fault to report.
        code = 130 if is_asked() else _say_error(problem)
    # The option parser may have turned Ctrl-C into its exit code already.
    if code == 130:
        _say("error", "sla: stopped; what was not finished will be done by the next run.")
    try:
        sys.stdout.flush()
    except OSError as problem:
        # Python would try once more while it ends, and fail with a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code or _say_error(problem)
    raise SystemExit(code)


class _Pipe(io.FileIO):
    """An output whose reader may go, as `| head` does: what comes after is written to nowhere, and the work is finished."""

    def write(self, content: Any, /) -> int:
        try:
            return super().write(content)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            return len(content)


def _outlive_readers() -> None:
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        # What a test or another program put in its place is not ours to replace.
        if stream is None or stream is not getattr(sys, f"__{name}__"):
            continue
        raw = _Pipe(stream.fileno(), "w", closefd=False)
        buffered = io.BufferedWriter(raw)
        wrapped = io.TextIOWrapper(
            buffered, stream.encoding, stream.errors, line_buffering=name == "stderr" or stream.line_buffering
        )
        setattr(sys, name, wrapped)


def _say_error(problem: Exception) -> int:
    # Usage errors come from the option parser with a message and an exit code of their own.
    show = getattr(problem, "format_message", None)
    if show is not None:
        _say("error", f"sla: {clean(show())} Try `sla --help`.")
        return 2
    told = problem if isinstance(problem, SlaError) else explain_machine(problem)
    if told is not None:
        _say("error", f"sla: {clean(str(told))}")
        return told.exit_code
    if options.verbosity > 0:
        raise problem
    _say(
        "error",
        f"sla: unexpected {type(problem).__name__}: {clean(str(problem))}\n  This is a fault of the program, not of your data. "
        "Run it again with -v for the details.",
    )
    return 1


def find_exit_code(problem: BaseException) -> int:
    """The exit code that an error leads to, as `main` would leave with it; 0 for what is no error."""
    if isinstance(problem, typer.Exit):
        return problem.exit_code
    if is_asked() or isinstance(problem, KeyboardInterrupt | typer.Abort):
        return 130
    told = problem if isinstance(problem, SlaError) else explain_machine(problem)
    return 1 if told is None else told.exit_code


def _hoist_globals(arguments: list[str]) -> list[str]:
    """Move global options in front of the command, so that `sla tickets --json` works like `sla --json tickets`."""
    front: list[str] = []
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        name, has_value, _ = argument.partition("=")
        if argument == "--":
            rest += [argument, *remaining]
        elif name in _GLOBAL_OPTIONS and (has_value or not _GLOBAL_OPTIONS[name]):
            front.append(argument)
        elif name in _GLOBAL_OPTIONS:
            front += [argument, *[value for value in [next(remaining, None)] if value is not None]]
        else:
            rest.append(argument)
    return front + rest


def say(message: str) -> None:
    if options.verbosity >= 0:
        _say("info", clean(message))


def _say(level: str, message: str) -> None:
    if options.log_format == "json":
        message = json.dumps(log.stamp(level) | {"message": message})
    typer.echo(message, err=True)


def open_build(verifies: bool = False) -> Published:
    """The published build. `verifies`: its bytes are compared with those that were published first."""
    from pipeline.reporting.published import open_published

    published = open_published(options.find_workspace(), verifies=verifies)
    if options.as_of is not None:
        from pipeline.reporting.published import EVERY_CUSTOMER
        from pipeline.reporting.status import read_status

        known = read_status(published, EVERY_CUSTOMER).as_of
        if known != options.as_of:
            raise StaleData(
                f"The published figures are as of {known:%Y-%m-%dT%H:%M:%SZ}, not {options.as_of:%Y-%m-%dT%H:%M:%SZ}. "
                f"Build them first: sla build --as-of {options.as_of:%Y-%m-%dT%H:%M:%SZ}."
            )
    return published


def show_result(result: Any, as_tables: Callable[[Any], Any]) -> None:
    from pipeline.cli.tables import to_json, write_tables

    if options.is_json:
        typer.echo(to_json(result))
    else:
        shown = as_tables(result)
        write_tables(shown if isinstance(shown, list | tuple) else [shown], sys.stdout)


def select(**given: Any) -> Selection:
    from pipeline.reporting.published import Selection

    chosen = {
        name: tuple(values) if isinstance(values, list | tuple) else (values,)
        for name, values in given.items()
        if values
    }
    return Selection(**chosen)
