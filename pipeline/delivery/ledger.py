"""The ledger of deliveries: what was handed over to whom, as lines that are only ever added.

Before anything leaves, the line `sending` is on the disk. A run that is killed behind it leaves the outcome unknown: that is
told, and never repeated unless an operator asks for it. `warehouse/deliveries.json` says how many lines there are, outside of the
folder: an older copy of the ledger would send again what was sent since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

from pipeline.errors import ConfigurationError
from pipeline.reporting.edition import rank_edition
from pipeline.settings import Workspace
from pipeline.state_version import VERSION, check_version, seal_state, unseal_state
from pipeline.whole_files import add_lines, seal_line, unseal, write_whole

State = Literal["prepared", "sending", "sent", "refused", "unknown", "dropped"]
STATES: tuple[State, ...] = ("prepared", "sending", "sent", "refused", "unknown", "dropped")


class Key(NamedTuple):
    """What is delivered at most once. `period` is a month, or what an alert is about; `edition` the report number, empty for
    an alert."""

    customer_id: str
    period: str
    kind: str
    edition: str
    channel: str

    def digest(self) -> str:
        """32 hexadecimal digits that stand for this key alone, wherever a message or a file is named after it."""
        return hashlib.sha256(json.dumps(self).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Entry:
    """One line. `message` is the Message-ID or the id of the digest; `content_sha256` that of all bytes that were handed over.

    `attempt` counts from 1, a resend is the next one. `refused` maps recipients to why the server did not take them,
    `documents` the attached files to their SHA-256; `to` names the channel's settings that were used. No line holds a secret or
    a text of a ticket.
    """

    key: Key
    state: State
    attempt: int
    at: str
    message: str
    content_sha256: str
    recipients: tuple[str, ...]
    to: str
    refused: Mapping[str, str]
    documents: Mapping[str, str]
    detail: str


class Ledger:
    """The lines of one workspace. The one who adds to it holds the workspace's lock.

    Raises ConfigurationError where a line is damaged or missing: what was sent already can then not be told.
    """

    def __init__(self, workspace: Workspace, *, counts: bool = True) -> None:
        self.path = workspace.deliveries / "ledger.ndjson"
        self._count_path = workspace.warehouse / "deliveries.json"
        self._last: dict[Key, Entry] = {}
        self._tail = ""
        self._count = 0
        self.entries: list[Entry] = []
        # Before the lines: a run may add some at any moment.
        count, tail = self._read_count() if counts else (0, "")
        for entry in self._read():
            self._last[entry.key] = entry
            self.entries.append(entry)
            if self._count == count and self._tail != tail:
                raise _damaged(self.path, count, "it is not the line that was added")
        if self._count < count:
            raise _damaged(
                self.path,
                self._count + 1,
                f"it is missing, and {self._count_path} says that there are {count} lines",
            )

    def find(self, key: Key) -> Entry | None:
        """The newest line of a key; None for what was never tried."""
        return self._last.get(key)

    def list_newest(self, *states: State) -> list[Entry]:
        """The newest line of each key that is in one of these states, in the order of the keys."""
        return [entry for _, entry in sorted(self._last.items()) if entry.state in states]

    def add(self, entries: Sequence[Entry]) -> None:
        """Add lines; they are on the disk when this returns. Raises OSError."""
        lines, tail = _chain(entries, self._tail)
        add_lines(self.path, b"".join(lines))
        self._tail = tail
        self._count += len(lines)
        # Behind the lines: a run that is killed in between leaves more than are counted, and the next ones are counted with them.
        self.write_count(self._count, tail)
        self._last.update((entry.key, entry) for entry in entries)
        self.entries += entries

    def write_count(self, count: int, tail: str) -> None:
        """Say outside of the folder how many lines there are, and which is the newest."""
        write_whole(self._count_path, seal_state({"lines": count, "newest_sha256": tail}))

    def close_killed(self, at: datetime, is_proven: Callable[[Entry], bool]) -> None:
        """What a killed run left as `sending` was sent where the channel can prove it, and has an unknown outcome where not."""
        killed = [
            replace(
                entry,
                state="sent" if is_proven(entry) else "unknown",
                at=write_instant(at),
                detail="the run was killed before the outcome was on record",
            )
            for entry in self.list_newest("sending")
        ]
        if killed:
            self.add(killed)

    def _read(self) -> Iterable[Entry]:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return
        # What stands behind the last line end was being written when its run was killed: it never was a line.
        for number, line in enumerate(content.split(b"\n")[:-1], 1):
            try:
                record = unseal(line, needs_seal=True)
                check_version(record.pop("version"), self.path)
                if record.pop("previous") != self._tail:
                    raise ValueError("a line before it is missing or was changed")
                key = Key(**record.pop("key"))
                recipients = tuple(record.pop("recipients"))
                entry = Entry(key=key, recipients=recipients, **record)
                if entry.state not in STATES:
                    raise ValueError(f"it has no known state: {entry.state!r}")
            except (ValueError, TypeError, KeyError) as problem:
                raise _damaged(self.path, number, problem) from problem
            self._tail = hashlib.sha256(line + b"\n").hexdigest()
            self._count = number
            yield entry

    def _read_count(self) -> tuple[int, str]:
        try:
            record = unseal_state(self._count_path.read_bytes(), self._count_path, needs_seal=True)
            return int(record["lines"]), str(record["newest_sha256"])
        except FileNotFoundError:
            return 0, ""
        except (ValueError, TypeError, KeyError) as problem:
            raise _damaged(self._count_path, 1, problem) from problem


def rewrite_people(workspace: Workspace, change: Callable[[str], str]) -> bool:
    """Write the lines again with `change` applied to every address in them, their chain too; whether a line changed.

    Killed between the lines and their count, the ledger is told as damaged until this is called again. The caller holds the
    workspace's lock. Raises ConfigurationError for a damaged line.
    """
    ledger = Ledger(workspace, counts=False)
    if not ledger.entries:
        return False
    changed = [
        replace(
            entry,
            recipients=tuple(map(change, entry.recipients)),
            refused={change(address): change(why) for address, why in entry.refused.items()},
            detail=change(entry.detail),
            to=change(entry.to),
        )
        for entry in ledger.entries
    ]
    lines, tail = _chain(changed, "")
    write_whole(ledger.path, b"".join(lines))
    ledger.write_count(len(lines), tail)
    return changed != ledger.entries


def list_open_outcomes(workspace: Workspace) -> list[Entry]:
    """Deliveries that an operator should look at: refused, of unknown outcome, or being sent by a run that may be killed."""
    ledger = Ledger(workspace)
    sent = {entry.key for entry in ledger.list_newest("sent")}
    return [
        entry
        for entry in ledger.list_newest("refused", "unknown", "sending")
        # A later edition that arrived settles it.
        if not any(
            entry.key._replace(edition=key.edition) == key
            and rank_edition(key.edition) > rank_edition(entry.key.edition)
            for key in sent
        )
    ]


def write_instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _chain(entries: Iterable[Entry], tail: str) -> tuple[list[bytes], str]:
    """The lines of entries, each naming the one before it, and the SHA-256 of the last."""
    lines = []
    for entry in entries:
        line = seal_line({"version": VERSION, "previous": tail, **asdict(entry), "key": entry.key._asdict()})
        lines.append(line)
        tail = hashlib.sha256(line).hexdigest()
    return lines, tail


def _damaged(path: Path, number: int, problem: Exception | str) -> ConfigurationError:
    return ConfigurationError(
        f"{path}, line {number}, is damaged: {problem}. What was sent already cannot be told, so nothing is delivered. "
        "Restore the file from a backup that holds every delivery; without one, ask your mail server which reports went out."
    )
