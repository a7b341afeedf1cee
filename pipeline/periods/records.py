"""The history of closed months: one sealed record per closing, reopening and correction, numbered, never changed, never removed.

`warehouse/closed/000001.json` and on. A record names the build that it rests on, and that build is kept as long as the record is.
Each holds the SHA-256 of the one before it. `warehouse/closed.json` and `warehouse/published/closed.json` say how many there are,
outside of the folder: an older copy of it lacks months that were closed since.
Words as in the billing standard FOCUS: a closed period, and a correction that is an entry of its own beside what it corrects.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pipeline.errors import ConfigurationError
from pipeline.pointer import Pointer
from pipeline.settings import Workspace
from pipeline.state_version import seal_state, unseal_state
from pipeline.whole_files import write_whole

_NAME = re.compile(r"[0-9]{6}\.json")
# Where a record keeps the SHA-256 of the file of the one before it.
_CHAIN = "previous_sha256"


@dataclass(frozen=True)
class KeptBuild:
    """A published file that a record rests on: build, bare file name, SHA-256 of its bytes, and the as_of of its figures."""

    build_id: str
    file: str
    sha256: str
    as_of: datetime


@dataclass(frozen=True)
class Closing:
    """A month closed in one time zone of plans. `version` counts the closings of it: 2 follows a reopening and replaces 1.

    `closed_at` is lineage, never a figure. `figures_sha256` is over the month's figures; `inputs`: name -> SHA-256
    (packages: version).
    """

    number: int
    month: str
    time_zone: str
    version: int
    build: KeptBuild
    closed_at: datetime
    figures_sha256: str
    inputs: Mapping[str, str]
    replaces: int | None = None


@dataclass(frozen=True)
class Reopening:
    """A closed month opened again, with the reason; `reopens` is the number of the closing."""

    number: int
    month: str
    time_zone: str
    reopens: int
    reason: str
    reopened_at: datetime


@dataclass(frozen=True)
class CorrectedValue:
    """One value of a customer's closed month that later inputs changed. `old` None: it was not there; `new` None: it is
    no longer.

    `item` identifies the value among those of its customer and month, and `time_zone` is that of its closing; both with
    `what` are the key with which a correction is added to an original. `causes` names inputs.
    """

    time_zone: str
    item: str
    what: str
    ticket_id: str | None
    part: str | None
    old: str | None
    new: str | None
    causes: tuple[str, ...]


@dataclass(frozen=True)
class Correction:
    """What later inputs changed in one customer's closed month, after the records of lower numbers.

    `correction_number` counts from 1 within the closing `corrects`, in the month's latest closing of the customer's zones.
    """

    number: int
    customer_id: str
    month: str
    corrects: int
    correction_number: int
    build: KeptBuild
    issued_at: datetime
    changes: tuple[CorrectedValue, ...]


Record = Closing | Reopening | Correction
_KINDS: dict[str, type[Closing] | type[Reopening] | type[Correction]] = {
    "closing": Closing,
    "reopening": Reopening,
    "correction": Correction,
}
_R = TypeVar("_R", Closing, Reopening, Correction)


@dataclass(frozen=True)
class History:
    """All records, in the order of their numbers, and what follows from them."""

    records: tuple[Record, ...] = ()

    def of_kind(self, kind: type[_R]) -> Iterator[_R]:
        return (record for record in self.records if isinstance(record, kind))

    def closed(self) -> dict[tuple[str, str], Closing]:
        """(time zone, month) -> the closing in force; a reopened month is not closed."""
        found: dict[tuple[str, str], Closing] = {}
        for record in self.records:
            if isinstance(record, Closing):
                found[record.time_zone, record.month] = record
            elif isinstance(record, Reopening):
                found.pop((record.time_zone, record.month), None)
        return found

    def corrections(self, customer_id: str | None = None, month: str | None = None) -> list[Correction]:
        """The corrections in force, oldest first: those of closings that were not reopened; of one customer or month, or
        of all."""
        in_force = {closing.number for closing in self.closed().values()}
        return [
            record
            for record in self.of_kind(Correction)
            if record.corrects in in_force
            and customer_id in (None, record.customer_id)
            and month in (None, record.month)
        ]

    def until(self, instant: datetime) -> History:
        """What was on record at an instant. Raises nothing: before the first record it is empty."""
        return History(tuple(record for record in self.records if recorded_at(record) <= instant))

    def before(self, number: int) -> History:
        """The records up to and including `number`."""
        return History(tuple(record for record in self.records if record.number <= number))

    def without(self, month: str) -> History:
        """The records of all other months."""
        return History(tuple(record for record in self.records if record.month != month))

    def known_to(self, as_of: datetime) -> History:
        """The records that a build as of `as_of` takes into account: a look at an earlier instant knows no later closing."""
        late = {
            record.number
            for record in self.records
            if not isinstance(record, Reopening) and record.build.as_of > as_of
        }
        return History(
            tuple(
                record
                for record in self.records
                if record.number not in late
                and not (isinstance(record, Reopening) and record.reopens in late)
            )
        )

    def builds(self) -> dict[str, KeptBuild]:
        """Build id -> the file of every record, also of those that were reopened or followed by a correction."""
        return {
            record.build.build_id: record.build
            for record in self.records
            if not isinstance(record, Reopening)
        }

    @property
    def next_number(self) -> int:
        return self.records[-1].number + 1 if self.records else 1


def recorded_at(record: Record) -> datetime:
    """When a record was made."""
    if isinstance(record, Closing):
        return record.closed_at
    return record.reopened_at if isinstance(record, Reopening) else record.issued_at


def closed_folder(workspace: Workspace) -> Path:
    return workspace.warehouse / "closed"


def keep_build(pointer: Pointer) -> KeptBuild:
    """A published build as records name it."""
    return KeptBuild(pointer.build_id, pointer.file, pointer.sha256, _instant(pointer.as_of))


def read_history(workspace: Workspace) -> History:
    """Every record. Raises ConfigurationError for one that is damaged or missing: then it is unknown what is closed."""
    folder = closed_folder(workspace)
    # Before the folder is listed: a run may add a record at any moment.
    counts = [(path, *_read_count(path)) for path in _count_paths(workspace)]
    names = sorted(path.name for path in folder.glob("*.json") if _NAME.fullmatch(path.name))
    records: list[Record] = []
    digests, is_chained = [""], False
    for number, name in enumerate(names, 1):
        path = folder / name
        if name != _name(number):
            raise _unreadable(folder / _name(number), "it is missing, and a later one is there")
        content = path.read_bytes()
        try:
            document = unseal_state(content, path, needs_seal=True)
            # Records were not chained at first; one that is not, behind one that is, was put there by something else.
            previous = document.pop(_CHAIN, None)
            if previous is None and is_chained:
                raise ValueError("it does not name the record before it")
            if previous not in (None, digests[-1]):
                raise ValueError("the record before it is not the one that was there when it was written")
            records.append(_read(document, number))
        except (ValueError, TypeError, KeyError) as problem:
            raise _unreadable(path, str(problem)) from problem
        is_chained = previous is not None
        digests.append(_digest(content))
    for path, count, newest in counts:
        if len(records) < count:
            why = f"it is missing, and {path} says that there are {count} records"
            raise _unreadable(folder / _name(len(records) + 1), why)
        if newest and newest != digests[count]:
            raise _unreadable(folder / _name(count), f"it is not the record that {path} names")
    rewritten = read_rewritten(workspace)
    return History(tuple(_find_rewritten(record, rewritten) for record in records))


def read_rewritten(workspace: Workspace) -> dict[str, KeptBuild]:
    """SHA-256 of a build as records name it -> the file that holds it since personal values were taken out of it.

    Records are never changed, so what became of their builds stands beside them. Raises ConfigurationError where it is damaged.
    """
    path = _rewritten_path(workspace)
    try:
        record = unseal_state(path.read_bytes(), path, needs_seal=True)
        return {
            digest: KeptBuild(**{**build, "as_of": _instant(build["as_of"])})
            for digest, build in record["builds"].items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise _unreadable(path, str(problem)) from problem


def write_rewritten(workspace: Workspace, builds: Mapping[str, KeptBuild]) -> None:
    """Replace what `read_rewritten` gives. The caller holds the workspace's lock, and the files are there."""
    plain = {digest: _plain(asdict(build)) for digest, build in builds.items()}
    write_whole(_rewritten_path(workspace), seal_state({"builds": plain}))


def _find_rewritten(record: Record, rewritten: Mapping[str, KeptBuild]) -> Record:
    if isinstance(record, Reopening) or record.build.sha256 not in rewritten:
        return record
    return replace(record, build=rewritten[record.build.sha256])


def append_record(workspace: Workspace, record: Record) -> None:
    """Write the next record: there whole or not at all. The caller holds the workspace's lock."""
    path = closed_folder(workspace) / _name(record.number)
    if path.exists():
        raise ValueError(f"{path} exists: a record is never written over")
    [kind] = [name for name, of in _KINDS.items() if isinstance(record, of)]
    before = closed_folder(workspace) / _name(record.number - 1)
    previous = _digest(before.read_bytes()) if record.number > 1 else ""
    content = seal_state({"kind": kind, _CHAIN: previous, **_plain(asdict(record))})
    write_whole(path, content)
    # Behind the record: a run that is killed in between leaves one more than are counted, and the next record counts both.
    for count_path in _count_paths(workspace):
        write_whole(count_path, seal_state({"records": record.number, "newest_sha256": _digest(content)}))


def add_corrections(
    original: Mapping[Any, str], corrections: Sequence[Iterable[CorrectedValue]]
) -> dict[Any, str]:
    """The figures of a customer's month after its corrections, oldest first: (time zone, item, what) -> value.

    Raises ValueError where a correction does not fit: its old value is not the one that stands.
    """
    figures = dict(original)
    for changes in corrections:
        for change in changes:
            key = (change.time_zone, change.item, change.what)
            if figures.get(key) != change.old:
                raise ValueError(
                    f"{key} is {figures.get(key)!r}, and a correction of {change.old!r} was recorded"
                )
            if change.new is None:
                figures.pop(key, None)
            else:
                figures[key] = change.new
    return figures


def _read(document: dict[str, Any], number: int) -> Record:
    kind = _KINDS[document.pop("kind")]
    if set(document) != {field.name for field in fields(kind)} or document["number"] != number:
        raise ValueError("it holds other fields than a record of its kind and number")
    for name in ("closed_at", "reopened_at", "issued_at"):
        if name in document:
            document[name] = _instant(document[name])
    if "build" in document:
        build = document["build"]
        document["build"] = KeptBuild(**{**build, "as_of": _instant(build["as_of"])})
    if "changes" in document:
        document["changes"] = tuple(
            CorrectedValue(**{**change, "causes": tuple(change["causes"])}) for change in document["changes"]
        )
    return kind(**document)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant has no zone")
    return instant.astimezone(UTC)


def _rewritten_path(workspace: Workspace) -> Path:
    return workspace.warehouse / "closed" / "rewritten.json"


def _count_paths(workspace: Workspace) -> tuple[Path, Path]:
    """Two, so that the newest record and one of them can be removed together without that being overlooked."""
    return workspace.warehouse / "closed.json", workspace.published / "closed.json"


def _read_count(path: Path) -> tuple[int, str]:
    """How many records there are, and the SHA-256 of the newest."""
    try:
        record = unseal_state(path.read_bytes(), path, needs_seal=True)
        return int(record["records"]), str(record.get("newest_sha256", ""))
    except FileNotFoundError:
        return 0, ""
    except (ValueError, TypeError, KeyError) as problem:
        raise _unreadable(path, str(problem)) from problem


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _name(number: int) -> str:
    return f"{number:06d}.json"


def _unreadable(path: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path} is damaged, so which months are closed is not known: {why}. Restore it from a backup; nothing was changed."
    )
