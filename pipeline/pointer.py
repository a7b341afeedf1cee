"""Which build is served: the pointer in the folder of the published builds, changed in one step."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path

from pipeline.errors import ConfigurationError
from pipeline.settings import Workspace
from pipeline.state_version import seal_state, unseal_state
from pipeline.whole_files import write_whole

POINTER = "current.json"
AGAIN = "Run `sla build` to publish one."
_BARE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Pointer:
    """What warehouse/published/current.json says. `file` is a bare name in the same folder; instants are ISO with Z."""

    build_id: str
    file: str
    sha256: str
    as_of: str
    published_at: str


def pointer_path(workspace: Workspace) -> Path:
    return workspace.published / POINTER


def read_pointer(workspace: Workspace) -> Pointer | None:
    """The version served now; None before the first build. Raises ConfigurationError when the pointer is damaged."""
    path = pointer_path(workspace)
    try:
        pointer = _read(path)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as problem:
        raise ConfigurationError(
            f"{path} is damaged, so which build is served cannot be told: {problem}. {AGAIN}"
        ) from problem
    return pointer


def write_pointer(workspace: Workspace, pointer: Pointer) -> None:
    """Let the pointer name another build: in one step, and durably."""
    write_whole(pointer_path(workspace), seal_state(asdict(pointer)))


def note_publication(workspace: Workspace, pointer: Pointer) -> None:
    """Keep beside the file when it was published, for the question what was known at an instant."""
    at = datetime.fromisoformat(pointer.published_at)
    name = f"published-{at:%Y%m%dT%H%M%SZ}-{pointer.build_id}.json"
    write_whole(workspace.published / name, seal_state(asdict(pointer)))


def list_publications(workspace: Workspace) -> list[tuple[Path, Pointer]]:
    """Every publication on record, oldest first, with its file. What cannot be read is left out: no figure rests on it."""
    found = []
    for path in workspace.published.glob("published-*.json"):
        try:
            found.append((path, _read(path)))
        except (ValueError, TypeError):
            continue
    return sorted(found, key=lambda each: (each[1].published_at, each[0].name))


def _read(path: Path) -> Pointer:
    pointer = Pointer(**unseal_state(path.read_bytes(), path))
    if not all(isinstance(getattr(pointer, field.name), str) for field in fields(pointer)):
        raise ValueError("a field is no text")
    # It becomes a part of a path.
    if not _BARE_NAME.fullmatch(pointer.file):
        raise ValueError("it names no file of its folder")
    return pointer
