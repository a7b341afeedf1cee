"""Runs of `sla run` that close months, render reports and send them, killed at random instants, and what became of each.

`python -m tests.delivery.killed_runs FOLDER --kills 100` tries it on a copy of FOLDER, a published demo, and prints a table.
"""

from __future__ import annotations

import argparse
import email
import json
import os
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.delivery.ledger import Ledger
from pipeline.periods.issue import list_issued
from pipeline.periods.records import Closing, read_history
from pipeline.settings import Workspace
from pipeline.whole_files import hash_file
from tests.delivery.mail_server import MailServer, start_mail_server
from tests.delivery.settings import configure
from tests.end_to_end.command_line import Finished, kill_sla, run_sla

# Customers of the demo with a report of that month whose figures are certain. Others are held back, so a run is short.
RECEIVING = (
    "groupe-lemeret-energie",
    "harbour-light-studios",
    "kestrel-aerospace-ltd",
    "muller-sohne-logistik-gmbh",
)


@dataclass(frozen=True)
class Undisturbed:
    """What a run that nothing disturbs leaves: the months that it closes, its documents by report number, and its duration."""

    closings: tuple[tuple[str, str, int, str], ...]
    documents: dict[str, dict[str, str]]
    seconds: float


@dataclass
class Outcomes:
    """How many kills came to each stage, and what the next run made of it."""

    stages: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    mails: Counter[str] = field(default_factory=Counter)
    expected_mails: Counter[str] = field(default_factory=Counter)
    most_of_one: int = 0

    def describe(self) -> list[str]:
        lines = [
            f"{'killed while':<28}{'kills':>6}{'reports sent':>14}{'unknown':>9}{'mails':>7}{'twice':>7}"
        ]
        for stage in STAGES:
            sent = self.expected_mails[stage]
            row = (self.stages[stage], sent, self.unknown[stage], self.mails[stage], 0)
            lines.append(f"{stage:<28}{row[0]:>6}{row[1]:>14}{row[2]:>9}{row[3]:>7}{row[4]:>7}")
        kills = sum(self.stages.values())
        lines.append(f"{kills} kills; most mails of one report: {self.most_of_one}; half closed: 0.")
        return lines


STAGES = (
    "before the first closing",
    "closing",
    "before the first report",
    "rendering and sending",
    "after the last report",
)


def prepare(demo: Path, root: Path, server: MailServer) -> None:
    """A copy of the demo in which no month is closed yet, although three are due, and whose reports go to the mail server."""
    shutil.copytree(demo, root)
    # As if its months had not been due when it was built: without another build.
    shutil.rmtree(root / "warehouse" / "closed")
    for count in ("closed.json", "published/closed.json"):
        (root / "warehouse" / count).unlink(missing_ok=True)
    configure(root, server)
    path = root / "sla.yml"
    domains = ", ".join(f"{customer_id}.example" for customer_id in RECEIVING)
    path.write_text(path.read_text(encoding="utf-8").replace("[x.example]", f"[{domains}]"), encoding="utf-8")
    assert not read_history(Workspace(root)).records


def run_undisturbed(prepared: Path, scratch: Path, server: MailServer) -> Undisturbed:
    root = copy_workspace(prepared, scratch / "undisturbed")
    server.clear()
    # The first command of a test process waits for the imports.
    run_sla("--version")
    started = time.monotonic()
    finished = run_sla("run", "--json", workspace=root)
    seconds = time.monotonic() - started
    assert set(statuses(finished).values()) == {"sent", "held"}
    assert len(server.received()) == len(RECEIVING)
    found = Undisturbed(list_closings(root), list_documents(root), seconds)
    assert len(found.closings) == 3 and len(found.documents) == len(RECEIVING)
    shutil.rmtree(root)
    return found


def try_kills(prepared: Path, scratch: Path, server: MailServer, kills: int, seed: int) -> Outcomes:
    """Kill that many runs, each in a workspace of its own, and let the next run finish; asserts what must hold after each."""
    whole = run_undisturbed(prepared, scratch, server)
    chance = random.Random(seed)
    outcomes = Outcomes()
    for number in range(kills):
        root = copy_workspace(prepared, scratch / f"killed {number}")
        server.clear()
        after, span = list_moments(root, whole)[number % _MOMENTS]
        kill_sla("run", workspace=root, seconds=span * chance.random(), after=after)
        stage = find_stage(root, whole)
        assert_nothing_is_half_done(root, whole)
        finished = run_sla("run", "--json", workspace=root)
        assert_finished(root, whole, server, finished)
        unknown = len(Ledger(Workspace(root)).list_newest("unknown"))
        outcomes.stages[stage] += 1
        outcomes.unknown[stage] += unknown
        outcomes.expected_mails[stage] += len(RECEIVING) - unknown
        outcomes.mails[stage] += len(server.received())
        outcomes.most_of_one = max(outcomes.most_of_one, *count_mails(server).values())
        shutil.rmtree(root)
    return outcomes


_MOMENTS = 5


def list_moments(root: Path, whole: Undisturbed) -> list[tuple[Callable[[], bool], float]]:
    """From when on, and within how many seconds, a run is killed: anywhere, and where a step has just begun to be on the disk.

    Of a run's time, closing takes a hundredth, and a message is on its way for less.
    """
    warehouse = root / "warehouse"
    ledger = warehouse / "deliveries" / "ledger.ndjson"

    def count_sending() -> int:
        return ledger.read_bytes().count(b'"sending"') if ledger.exists() else 0

    return [
        (lambda: True, whole.seconds),
        (lambda: (warehouse / "closed").exists(), 0.2),
        (lambda: (warehouse / "closed" / "documents").exists(), whole.seconds / 5),
        (lambda: count_sending() > 0, 0.05),
        (lambda: count_sending() > 2, 0.05),
    ]


def assert_nothing_is_half_done(root: Path, whole: Undisturbed) -> None:
    """What is closed is a beginning of what would have been, and each document has the bytes of an undisturbed run."""
    closings = list_closings(root)
    assert closings == whole.closings[: len(closings)]
    documents = list_documents(root)
    assert documents.items() <= whole.documents.items()
    for digests in documents.values():
        for ending, digest in digests.items():
            assert hash_file(root / "warehouse" / "closed" / "documents" / f"{digest}.{ending}") == digest
    # It can be read: no line is cut or counted twice.
    Ledger(Workspace(root))


def assert_finished(root: Path, whole: Undisturbed, server: MailServer, finished: Finished) -> None:
    """All is closed once, with the figures and documents of an undisturbed run, and nothing was sent twice."""
    assert list_closings(root) == whole.closings
    assert list_documents(root) == whole.documents
    mails = count_mails(server)
    states = {}
    for entry in Ledger(Workspace(root)).list_newest("prepared", "sending", "sent", "refused", "unknown"):
        states[entry.key.customer_id] = entry.state
        assert mails[entry.message] == 1 if entry.state == "sent" else mails[entry.message] <= 1
    assert states.keys() == set(RECEIVING)
    assert set(states.values()) <= {"sent", "unknown"}
    # What is not known is told; what an earlier run delivered is not repeated.
    told = statuses(finished)
    assert {each for each, state in states.items() if state == "unknown"} == {
        each for each, status in told.items() if status == "unknown"
    }
    assert {each for each, status in told.items() if status == "sent"} <= {
        each for each, state in states.items() if state == "sent"
    }


def statuses(finished: Finished) -> dict[str, str]:
    """Customer -> what the run said of its report. It ends with 5: the reports of most customers are held back."""
    reports = json.loads(finished.expect(5).out)["deliveries"]["reports"]
    return {each["customer_id"]: each["status"] for each in reports}


def count_mails(server: MailServer) -> Counter[str]:
    """Message-ID -> how often it was taken."""
    return Counter(str(email.message_from_bytes(one.content)["Message-ID"]) for one in server.received())


def find_stage(root: Path, whole: Undisturbed) -> str:
    closed = len(list_closings(root))
    entries = Ledger(Workspace(root)).list_newest("prepared", "sending", "sent", "refused", "unknown")
    if closed < len(whole.closings):
        return "closing" if closed else "before the first closing"
    if not list_documents(root):
        return "before the first report"
    sent = [entry for entry in entries if entry.state == "sent"]
    return "after the last report" if len(sent) == len(RECEIVING) else "rendering and sending"


def list_closings(root: Path) -> tuple[tuple[str, str, int, str], ...]:
    """Month, time zone, version and figures of each closing, in the order of the records."""
    return tuple(
        (each.month, each.time_zone, each.version, each.figures_sha256)
        for each in read_history(Workspace(root)).of_kind(Closing)
    )


def list_documents(root: Path) -> dict[str, dict[str, str]]:
    """Report number -> the SHA-256 of its documents."""
    return {each.report_number: each.digests for each in list_issued(Workspace(root))}


def copy_workspace(root: Path, target: Path) -> Path:
    """A copy in which what never changes is the same file: published builds and landed batches."""

    def copy(source: str, destination: str) -> object:
        if source.endswith((".duckdb", ".parquet")):
            return os.link(source, destination)
        return shutil.copy2(source, destination)

    return Path(shutil.copytree(root, target, copy_function=copy))


def main(arguments: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("demo", type=Path)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=20260805)
    asked = parser.parse_args(None if arguments is None else list(arguments))
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        with start_mail_server(scratch / "server") as server:
            prepare(asked.demo, scratch / "prepared", server)
            outcomes = try_kills(scratch / "prepared", scratch, server, asked.kills, asked.seed)
    print("\n".join(outcomes.describe()))


if __name__ == "__main__":
    main()
