"""The real command `sla`, run as a user runs it: another process, its own environment, its exit code and its words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

SLA = Path(sys.executable).with_name("sla")

# Fixes the one clock that is read (when a batch landed), so that runs can be compared byte by byte.
LANDED_EPOCH = "1790000000"
_SECONDS_ALLOWED = 240
# What dbt parsed of the project, as it keeps it in a workspace; lent to workspaces that have none yet, because parsing takes
# three seconds of every first build.
_PARSED = Path("warehouse", "dbt", "target", "partial_parse.msgpack")
_LENT = tempfile.TemporaryDirectory(prefix="sla-parsed-")


@dataclass(frozen=True)
class Finished:
    """One command that ended: what it was, its exit code, stdout and stderr."""

    command: tuple[str, ...]
    code: int
    out: str
    err: str

    def expect(self, code: int, *words: str) -> Finished:
        """This, after asserting the exit code and that stderr says each of `words`."""
        assert self.code == code, f"{self.command} left with {self.code}:\n{self.err}"
        for part in words:
            assert part in self.err, f"{self.command} does not say {part!r}:\n{self.err}"
        return self


def environment(workspace: Path | None = None, **changes: str) -> dict[str, str]:
    """This process's environment with the lineage clock fixed and no workspace but the given one."""
    base = {name: value for name, value in os.environ.items() if name != "SLA_WORKSPACE"}
    chosen = {} if workspace is None else {"SLA_WORKSPACE": str(workspace)}
    return {**base, "SOURCE_DATE_EPOCH": LANDED_EPOCH, **chosen, **changes}


def run_sla(
    *arguments: str, workspace: Path | None = None, cores: set[int] | None = None, **changes: str
) -> Finished:
    """Run `sla` to its end. No command may ever show a traceback, so none is accepted here.

    `cores` limits the processors that it may use, and with them DuckDB's threads.
    """
    builds = workspace is not None and arguments[0] in ("build", "run")
    lent = Path(_LENT.name, _PARSED.name)
    if builds and lent.is_file() and not (workspace / _PARSED).parent.exists():
        (workspace / _PARSED).parent.mkdir(parents=True)
        shutil.copy(lent, workspace / _PARSED)
    done = subprocess.run(
        [SLA, *arguments],
        env=environment(workspace, **changes),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=_SECONDS_ALLOWED,
        stdin=subprocess.DEVNULL,
        preexec_fn=None if cores is None else lambda: os.sched_setaffinity(0, cores),
    )
    finished = Finished(arguments, done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in finished.err + finished.out, finished.err
    if builds and not lent.is_file() and (workspace / _PARSED).is_file() and finished.code == 0:
        shutil.copy(workspace / _PARSED, lent)
    return finished


def start_sla(*arguments: str, workspace: Path) -> subprocess.Popen[str]:
    """Start `sla` and do not wait: for runs that are killed, and for two at once."""
    return subprocess.Popen(
        [SLA, *arguments],
        env=environment(workspace),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
