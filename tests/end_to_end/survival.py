"""Runs of `sla run` that are disturbed at a counted point, and whether the next plain run ends where an undisturbed one does.

The workspace is small, and a file has come that it has not landed: a disturbed run lands, builds, publishes, corrects, renders
and delivers. The rows of the models are those that one real run has made: SQL inside of the engine touches no file of the
workspace but the database in `building/`, so each disturbed run takes a copy of it instead of making it again. All that writes
other files is real.
"""

from __future__ import annotations

import errno
import os
import pickle
import random
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from pipeline.delivery.ledger import Ledger
from pipeline.periods.issue import list_issued
from pipeline.periods.records import read_history
from pipeline.pointer import read_pointer
from pipeline.settings import Workspace
from tests.end_to_end import command_line
from tests.end_to_end.command_line import Finished, environment
from tests.end_to_end.small_vendor import EVENTS_HEADER, write_lines

# Calls after which a run may die: each has just made something durable, visible, or gone.
CALLS = ("fsync", "replace", "unlink")


@dataclass(frozen=True)
class Disturbance:
    """What happens to a run at its call number `at` (from 1) of those that `calls` names. `act`: kill or terminate after it, or
    the number of an error of the system that the call raises instead of doing its work."""

    kind: str
    act: str | int
    at: int
    calls: tuple[str, ...] = CALLS


@dataclass(frozen=True)
class Result:
    """What a workspace holds at its end, as far as it must be the same: rows of the published tables as hashes, the build, closed
    months, documents by report number, landed files, and what is on record of each delivery."""

    build_id: str
    tables: dict[str, tuple[int, int]]
    closings: tuple[tuple[str, str, int, str], ...]
    documents: dict[str, dict[str, str]]
    landed: dict[str, int]
    deliveries: dict[str, str]


@dataclass
class Outcomes:
    """How many disturbances of each kind came to which end."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, kind: str, outcome: str) -> None:
        self.counts.setdefault(kind, Counter())[outcome] += 1

    @property
    def total(self) -> int:
        return sum(sum(each.values()) for each in self.counts.values())

    def describe(self) -> list[str]:
        ends = ("old version", "new version", "told", "unharmed")
        lines = [f"{'disturbed by':<34}{'runs':>6}" + "".join(f"{end:>13}" for end in ends)]
        for kind, found in sorted(self.counts.items()):
            lines.append(f"{kind:<34}{sum(found.values()):>6}" + "".join(f"{found[end]:>13}" for end in ends))
        return [
            *lines,
            f"{self.total} disturbances; after each, the next plain run gave the undisturbed rows or named the file.",
        ]


class Survival:
    """A workspace before a run, what that run leaves, and the rows it makes."""

    def __init__(self, base: Path, scratch: Path) -> None:
        self.base, self.scratch = base, scratch
        self.rows = scratch / "rows"
        self.outcomes = Outcomes()
        self._number = 0
        root = self.copy()
        self.old = read_result(root)
        finished = self.run(root)
        finished.expect(0)
        self.whole = read_result(root)
        assert self.whole.build_id != self.old.build_id
        count = self.copy()
        self.run(count, count_only=True).expect(0)
        # The rows may be taken from the real run: the result is the same.
        assert read_result(count) == self.whole
        self.calls = {
            line.split()[0]: int(line.split()[1])
            for line in (count / "calls").read_text(encoding="utf-8").splitlines()
        }
        shutil.rmtree(root)
        shutil.rmtree(count)

    def copy(self) -> Path:
        """A copy in which files that are only ever replaced as a whole are the same file."""
        self._number += 1
        target = self.scratch / f"run {self._number}"

        def copy(source: str, destination: str) -> object:
            if source.endswith((".duckdb", ".parquet", ".pdf", ".xlsx", ".gz")):
                return os.link(source, destination)
            return shutil.copy2(source, destination)

        return Path(shutil.copytree(self.base, target, copy_function=copy))

    def run(
        self,
        root: Path,
        disturbance: Disturbance | None = None,
        *,
        count_only: bool = False,
        place: str = "",
        **changes: str,
    ) -> Finished:
        """`sla run` in a process of its own; killed, its code is the negative number of the signal."""
        out, err = root / f"said-out{place}", root / f"said-err{place}"
        process = command_line._FORKS.Process(
            target=_run,
            args=(root, self.rows, disturbance, count_only, environment(root, **changes), out, err),
        )
        process.start()
        process.join(600)
        assert process.exitcode is not None, "it hangs"
        said = [path.read_text(encoding="utf-8") if path.exists() else "" for path in (out, err)]
        assert "Traceback" not in said[1], said[1]
        return Finished(("run",), process.exitcode, *said)

    def disturb(
        self, disturbance: Disturbance, prepare: Callable[[Path], object] = lambda root: None
    ) -> None:
        """One disturbed run and the plain one after it; asserts that the end is that of an undisturbed run."""
        root = self.copy()
        prepare(root)
        first = self.run(root, disturbance)
        between = read_served(root)
        assert between in (self.old.build_id, self.whole.build_id), f"{disturbance}: half a version is served"
        if isinstance(disturbance.act, int) and first.code not in (0, 5):
            # What the system refused is told in words, with the next step.
            assert first.code in (1, 2, 8), f"{disturbance} left with {first.code}: {first.err}"
            assert "This is a fault of the program" not in first.err, first.err
        self.finish(
            root, disturbance.kind, "new version" if between == self.whole.build_id else "old version"
        )

    def finish(self, root: Path, kind: str, outcome: str, *, is_dated_otherwise: bool = False) -> None:
        """The next plain run, and its end. `is_dated_otherwise`: a document may name another day on which it was issued."""
        again = self.run(root)
        found, whole = read_result(root), self.whole
        if is_dated_otherwise:
            found, whole = without_dates(found), without_dates(whole)
        unknown = {key for key, state in found.deliveries.items() if state == "unknown"}
        # A message that may be on its way is told and not repeated; nothing else may be left.
        assert again.code == (8 if unknown else 0) or (again.code == 5 and unknown), f"{kind}: {again.err}"
        expected = whole.deliveries | dict.fromkeys(unknown, "unknown")
        assert found == Result(**{**vars(whole), "deliveries": expected}), f"{kind}: {describe(found, whole)}"
        left = [path for path in (root / "warehouse").rglob("*") if path.name.endswith((".tmp", ".part"))]
        assert left == [] and not (root / "warehouse/building").exists(), f"{kind} leaves {left}"
        self.outcomes.add(kind, outcome)
        shutil.rmtree(root)

    def tell(self, kind: str, root: Path, words: tuple[str, ...], codes: tuple[int, ...] = (2,)) -> None:
        """What cannot be repaired from the exports is named. A run publishes before it delivers, so either version is served."""
        finished = self.run(root)
        assert finished.code in codes, f"{kind}: {finished.code} {finished.err}"
        assert any(word in finished.err for word in words), f"{kind}: {finished.err}"
        assert read_served(root) in (self.old.build_id, self.whole.build_id)
        self.outcomes.add(kind, "told")
        shutil.rmtree(root)


def without_dates(result: Result) -> Result:
    """Of each document what names no day of issue: the rows that it rests on."""
    rows = {number: {"csv": files["csv"]} for number, files in result.documents.items()}
    return replace(result, documents=rows)


def prepare_base(released: Path, root: Path) -> Path:
    """A vendor with a closed month and a delivered report, brought to this version, and a file that has not landed yet: the next
    run corrects the closed month and renders and delivers the correction."""
    shutil.copytree(released, root)
    command_line.run_sla("run", workspace=root).expect(0)
    write_lines(
        root / "inbox/desk/events-late.csv",
        EVENTS_HEADER,
        # It answers T-2 in time: one promise of February fewer is breached.
        "E-0,T-2,2026-02-02T10:00:00Z,message,agent,mia,true,",
    )
    return root


def read_served(root: Path) -> str:
    """The build that is served, after its file was compared with the bytes that the pointer names."""
    from pipeline.whole_files import hash_file

    pointer = read_pointer(Workspace(root))
    assert pointer is not None
    assert hash_file(root / "warehouse/published" / pointer.file) == pointer.sha256
    return pointer.build_id


def read_result(root: Path) -> Result:
    workspace = Workspace(root)
    pointer = read_pointer(workspace)
    assert pointer is not None
    with duckdb.connect(str(workspace.published / pointer.file), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where schema_name in ('core', 'marts', 'qc') order by all"
        ).fetchall()
        hashes = {
            f"{schema}.{table}": connection.execute(
                f'select count(*), coalesce(bit_xor(hash(rows)), 0) from "{schema}"."{table}" as rows'
            ).fetchall()[0]
            for schema, table in tables
        }
    history = read_history(workspace)
    return Result(
        pointer.build_id,
        hashes,
        tuple((each.month, each.time_zone, each.version, each.figures_sha256) for each in history.closed().values()),
        {each.report_number: each.digests for each in list_issued(workspace)},
        {str(path.relative_to(workspace.landed)): path.stat().st_size for path in workspace.landed.rglob("*.parquet")},
        {str(entry.key.edition): entry.state for entry in Ledger(workspace).list_newest("sending", "sent", "refused", "unknown")},
    )  # fmt: skip


def describe(found: Result, expected: Result) -> str:
    return "; ".join(
        f"{name}: {getattr(found, name)} is not {getattr(expected, name)}"
        for name in vars(expected)
        if getattr(found, name) != getattr(expected, name)
    )[:2000]


def flip(path: Path, chance: random.Random) -> None:
    """Change one bit of a file, which may be linked: the others keep their bytes."""
    content = bytearray(path.read_bytes())
    place = chance.randrange(len(content))
    content[place] ^= 1 << chance.randrange(8)
    path.unlink()
    path.write_bytes(content)


def spread(count: int, wanted: int, chance: random.Random) -> Iterator[int]:
    """So many call numbers from 1 to `count`, one in each part of the run; all of them where there are no more."""
    if wanted >= count:
        yield from range(1, count + 1)
        return
    part = count / wanted
    for index in range(wanted):
        yield 1 + int(part * (index + chance.random()))


def _run(
    root: Path,
    rows: Path,
    disturbance: Disturbance | None,
    count_only: bool,
    variables: dict[str, str],
    out: Path,
    err: Path,
) -> None:
    """The command itself, in the forked process."""
    os.setsid()
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.environ.clear()
    os.environ.update(variables)
    _take_rows(rows)
    counts: Counter[str] = Counter()
    _watch(counts, disturbance)
    import sys

    from pipeline.cli import main

    sys.argv = [str(command_line.SLA), "run"]
    try:
        main()
    finally:
        if count_only:
            (root / "calls").write_text(
                "".join(f"{name} {count}\n" for name, count in counts.items()), encoding="utf-8"
            )


def _take_rows(rows: Path) -> None:
    """Let a build take the folder `building/` from `rows`, filled by the first run of the same inputs."""
    from pipeline.warehouse import build

    real = build.fill_database

    def fill(database: Path, inputs: Any, scratch: Path, **options: Any) -> Any:
        kept = rows / build.fingerprint(inputs.batches, inputs.rules, inputs.as_of)
        if not kept.exists():
            filled = real(database, inputs, scratch, **options)
            arriving = kept.with_suffix(".arriving")
            shutil.copytree(database.parent, arriving)
            (arriving / "filled.pickle").write_bytes(pickle.dumps(filled))
            arriving.rename(kept)
            return filled
        shutil.copytree(kept, database.parent, dirs_exist_ok=True)
        filled_path = database.parent / "filled.pickle"
        return pickle.loads(filled_path.read_bytes())

    build.fill_database = fill  # type: ignore[assignment]


def _watch(counts: Counter[str], disturbance: Disturbance | None) -> None:
    """Count the calls of this process, and disturb the one that is meant."""

    def watched(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            counts[name] += 1
            is_meant = (
                disturbance is not None
                and name in disturbance.calls
                and sum(counts[each] for each in disturbance.calls) == disturbance.at
            )
            if is_meant and disturbance is not None and isinstance(disturbance.act, int):
                raise OSError(disturbance.act, os.strerror(disturbance.act))
            answer = real(*arguments, **named)
            if is_meant and disturbance is not None:
                os.kill(os.getpid(), signal.SIGKILL if disturbance.act == "kill" else signal.SIGTERM)
            return answer

        return call

    for name in CALLS:
        setattr(os, name, watched(name, getattr(os, name)))
    os.rename = os.replace
    os.remove = os.unlink


FULL, BROKEN, READ_ONLY, QUOTA = errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT
