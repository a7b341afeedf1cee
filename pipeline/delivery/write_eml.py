"""The channel `eml`: each message is a file in reports/outbox, which a mail program or a relay picks up."""

from __future__ import annotations

from pathlib import Path

from pipeline.delivery.channel import ChannelFailed, Outcome
from pipeline.delivery.compose_mail import Message
from pipeline.delivery.ledger import Entry, Key
from pipeline.errors import explain_machine
from pipeline.settings import Workspace
from pipeline.whole_files import hash_file, write_whole


class EmlFolder:
    """Files named after month and key, so that no customer's text is part of a path. A resend is a file of its own."""

    name = "eml"
    to = "reports/outbox"

    def __init__(self, workspace: Workspace) -> None:
        self._folder = workspace.outbox

    def open(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise self._failed(problem) from problem

    def hand_over(self, message: Message, attempt: int) -> Outcome:
        path = self._path(message.key, attempt)
        try:
            write_whole(path, message.content)
        except OSError as problem:
            path.unlink(missing_ok=True)
            raise self._failed(problem) from problem
        return Outcome("sent", path.name)

    def is_proven(self, entry: Entry) -> bool:
        path = self._path(entry.key, entry.attempt)
        return path.is_file() and hash_file(path) == entry.content_sha256

    def close(self) -> None:
        pass

    def _path(self, key: Key, attempt: int) -> Path:
        again = f"-{attempt}" if attempt > 1 else ""
        return self._folder / f"{key.period}-{key.digest()[:16]}{again}.eml"

    def _failed(self, problem: OSError) -> ChannelFailed:
        told = explain_machine(problem)
        return ChannelFailed(
            f"{self._folder}: {told or problem} Nothing was written there for the messages that are left."
        )
