"""Reads untrusted files in a process of its own, so that no file can take the run with it.

The child hashes, reads, judges and writes Parquet under temporary names, within limits of memory, time and output. The
parent alone makes a batch visible. A child that dies costs the file that it was at; the next file gets a new one.
Jobs go down pickled, answers come back as JSON: nothing that a file could do to the child is run by the parent.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pipeline import errors
from pipeline.child_process import follow_parent, say_death, start_child
from pipeline.errors import InputRejected, Problem, SlaError
from pipeline.ingest.files.exports import Export, ExportChanging, Fingerprint, reject
from pipeline.ingest.files.limits import (
    MEMORY_BYTES,
    OUTPUT_FREE_BYTES,
    OUTPUT_RATIO,
    RESERVED_BYTES,
    SECONDS_FREE,
    SECONDS_PER_MB,
    SECONDS_STALLED,
)
from pipeline.ingest.files.read_archive import measure_unpacked
from pipeline.ingest.tables import LANDED_TABLES
from pipeline.settings import Workspace

if TYPE_CHECKING:
    from pipeline.rules.source import Source

_REPORT_EVERY_SECONDS = 0.2
_LOOK_EVERY_SECONDS = 0.05
_SHORTER = "Export shorter periods. If the file is genuine and small, report it as a fault of this program."


@dataclass(frozen=True)
class Written:
    """What the child made of one file: Parquet under temporary names, and what to say about it."""

    rows_read: int
    rows_refused: int
    tables: dict[str, int]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    shape: dict[str, Any] | None = None


class LandingChild:
    """The parent's end. Use it in a `with` block; the process starts with the first file and again after a death.

    Every method raises InputRejected for a file that the child refused or that ended it, other SlaErrors as they were
    raised there. `on_rows` is told the records read so far of the file at hand.
    """

    def __init__(self) -> None:
        self.on_rows: Callable[[int], None] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> LandingChild:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child. Nothing that it had under way is visible."""
        if self._process is not None:
            # Killed, not asked: it holds nothing that has to be put away.
            self._process.kill()
            self._process.wait()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None

    def list_members(self, export: Export) -> list[Export]:
        """The exports in a file: itself, or the members of an archive."""
        answer = self._ask(export, "list_members", export)
        return [
            export if place is None else replace(export, name=name, given=given, member=place)
            for place, name, given in answer
        ]

    def identify(self, export: Export) -> Fingerprint:
        """What identifies the content."""
        return Fingerprint(**self._ask(export, "identify", export))

    def write(
        self,
        workspace: Workspace,
        source: Source,
        export: Export,
        identity: Fingerprint,
        file_stem: str,
        landed_at: str,
    ) -> Written:
        """Read and judge the content, and write its rows under temporary names of `file_stem`.

        `landed_at` (ISO with Z): since when the content is known; a record of a later instant is refused.
        """
        answer = self._ask(export, "write", workspace, source, export, identity, file_stem, landed_at)
        if not set(answer["tables"]) <= set(LANDED_TABLES):
            raise reject(export, "the process that read it wrote what is no landed table.", _SHORTER)
        problems, warnings = (
            tuple(Problem(**one) for one in answer.pop(key)) for key in ("problems", "warnings")
        )
        return Written(**answer, problems=problems, warnings=warnings)

    def preview(
        self,
        workspace: Workspace,
        source: Source,
        export: Export,
        identity: Fingerprint,
        row_count: int,
        landed_at: str,
    ) -> dict[str, Any]:
        """What reading the content would land, as JSON says it; nothing is written."""
        answer: dict[str, Any] = self._ask(
            export, "preview", workspace, source, export, identity, row_count, landed_at
        )
        return answer

    def keep(self, workspace: Workspace, export: Export, identity: Fingerprint) -> None:
        """Keep a compressed copy of the content (copies.py)."""
        self._ask(export, "keep", workspace, export, identity)

    def describe_columns(self, export: Export) -> dict[str, Any]:
        """What the columns of a file look like, as JSON says it: for a suggestion, never for a landing."""
        answer: dict[str, Any] = self._ask(export, "describe_columns", export)
        return answer

    def _ask(self, export: Export, job: str, *arguments: Any) -> Any:
        connection = self._send((job, SECONDS_FREE, arguments))
        worked, since = self._processor_ticks(), time.monotonic()
        has_answered = False
        try:
            while True:
                if not connection.poll(_LOOK_EVERY_SECONDS):
                    if self._resident_bytes() > MEMORY_BYTES:
                        raise _took_too_much(export)
                    if (ticks := self._processor_ticks()) != worked:
                        worked, since = ticks, time.monotonic()
                    elif time.monotonic() - since > SECONDS_STALLED:
                        raise _stalled(export)
                    continue
                answer = json.loads(connection.recv_bytes())
                if "rows" in answer:
                    if self.on_rows is not None:
                        self.on_rows(answer["rows"])
                    continue
                has_answered = not answer.get("is_last", False)
                if "refused" in answer:
                    raise _as_error(export, **answer["refused"])
                return answer["done"]
        except (EOFError, ConnectionError):
            raise self._explain_death(export) from None
        finally:
            # Too slow, dead or interrupted: whatever it was doing must not go on beside us.
            if not has_answered:
                self.close()

    def _send(self, message: Any) -> Connection:
        if self._connection is not None:
            try:
                self._connection.send(message)
                return self._connection
            except ConnectionError:
                # It died between two files, of neither of them.
                self.close()
        self._process, self._connection = start_child(__name__)
        self._connection.send(message)
        return self._connection

    @property
    def process_id(self) -> int | None:
        """Of the child that runs now."""
        return None if self._process is None else self._process.pid

    def _resident_bytes(self) -> int:
        """What the child holds in memory; 0 where the system does not tell."""
        assert self._process is not None
        try:
            pages = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split(" ")[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * resource.getpagesize()

    def _processor_ticks(self) -> int:
        """The processor time that the child has used, in ticks of the system; 0 where the system does not tell."""
        assert self._process is not None
        try:
            stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii")
            # The name of the program, in brackets, may hold blanks.
            fields = stat.rpartition(")")[2].split()
        except OSError:
            return 0
        return int(fields[11]) + int(fields[12])

    def _explain_death(self, export: Export) -> InputRejected:
        assert self._process is not None
        died = say_death(self._process)
        if self._process.returncode == -signal.SIGXCPU:
            return _took_too_long(export)
        return reject(
            export, f"the process that read it died ({died}), perhaps for lack of memory.", _SHORTER
        )


def _took_too_long(export: Export) -> InputRejected:
    return reject(export, "reading it took more processor time than a file of its size has.", _SHORTER)


def _stalled(export: Export) -> InputRejected:
    reason = f"nothing of it could be read for {SECONDS_STALLED // 60} minutes: its disk does not answer."
    return reject(export, reason, "Copy it to another disk, and put it into the inbox from there.")


def _took_too_much(export: Export) -> InputRejected:
    reason = f"reading it takes more than the {MEMORY_BYTES >> 20:,} MB of memory that a file may take."
    return reject(export, reason, _SHORTER)


def _as_error(
    export: Export, kind: str, message: str, problems: list[dict[str, Any]], rows_read: int
) -> SlaError:
    if kind == "ExportChanging":
        return ExportChanging(export)
    known = getattr(errors, kind, InputRejected)
    error: SlaError = known(message, [Problem(**one) for one in problems])
    if isinstance(error, InputRejected):
        error.rows_read = rows_read
    return error


def serve(connection: Connection) -> None:
    """The child's whole life: one job after the other, until the parent ends it."""
    _restrict_process()
    # Only here: the parent starts without the engine and the adapters.
    from pipeline.ingest.landing.write_content import ContentWriter

    writer = ContentWriter(_Reporter(connection).report)
    jobs: dict[str, Callable[..., Any]] = {
        "list_members": writer.list_members,
        "identify": writer.identify,
        "write": writer.write,
        "preview": writer.preview,
        "keep": writer.keep,
        "describe_columns": writer.describe_columns,
    }
    while True:
        try:
            job, seconds_free, arguments = connection.recv()
        except EOFError:
            return
        with _limit_job(seconds_free, arguments):
            answer = _answer(jobs[job], arguments)
        connection.send_bytes(json.dumps(answer).encode())
        if answer.get("is_last"):
            return


def _answer(job: Callable[..., Any], arguments: tuple[Any, ...]) -> dict[str, Any]:
    export = next(one for one in arguments if isinstance(one, Export))
    try:
        return {"done": job(*arguments)}
    except SlaError as refusal:
        return _refusal(refusal)
    except MemoryError:
        # What the file left behind in memory would be taken from the next one.
        return _refusal(_took_too_much(export), is_last=True)
    except RecursionError:
        return _refusal(reject(export, "it is nested too deeply.", "Export the file again."))
    except Exception as problem:
        # Whatever the failure, only this file is not landed; the words are for the developer who corrects the program.
        reason = f"the program failed on it ({type(problem).__name__}: {str(problem)[:300]})."
        return _refusal(reject(export, reason, "This is a fault of the program; report it with the file."))


def _refusal(refusal: SlaError, is_last: bool = False) -> dict[str, Any]:
    return {
        "is_last": is_last,
        "refused": {
            "kind": type(refusal).__name__,
            "message": refusal.message,
            "problems": [asdict(problem) for problem in refusal.problems],
            "rows_read": getattr(refusal, "rows_read", 0),
        },
    }


class _Reporter:
    """Tells the parent how far a file is, not more often than a person can read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._told_at = 0.0

    def report(self, rows: int) -> None:
        if time.monotonic() - self._told_at >= _REPORT_EVERY_SECONDS:
            self._connection.send_bytes(json.dumps({"rows": rows}).encode())
            self._told_at = time.monotonic()


def _restrict_process() -> None:
    follow_parent()
    # Sent when a process opens a file for writing at the moment when we ask whether one has.
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    # What a library prints while it dies is no message for a user.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        # Data, not address space: the engine reserves addresses freely and touches few of them.
        resource.setrlimit(resource.RLIMIT_DATA, (RESERVED_BYTES, RESERVED_BYTES))


@contextmanager
def _limit_job(seconds_free: int, arguments: tuple[Any, ...]) -> Iterator[None]:
    """Processor time and bytes written of one job; as soft limits, so that the next job can have its own."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    identity = next((one for one in arguments if isinstance(one, Fingerprint)), None)
    export = next(one for one in arguments if isinstance(one, Export))
    content_bytes = max(identity.bytes if identity else 0, measure_unpacked(export))
    seconds = seconds_free + SECONDS_PER_MB * (content_bytes >> 20)
    _set_soft(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + seconds)
    if identity is not None:
        _set_soft(resource.RLIMIT_FSIZE, OUTPUT_FREE_BYTES + OUTPUT_RATIO * identity.bytes)
    yield


def _set_soft(limit: int, value: int) -> None:
    _, hard = resource.getrlimit(limit)
    resource.setrlimit(limit, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
