"""Which files to land, and for which source: everything in `inbox/<source>/`, or the given paths."""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ConfigurationError, Problem
from pipeline.ingest.files.exports import Export, printable
from pipeline.settings import Workspace

# What is still being written, by the convention of browsers and transfer tools.
_UNFINISHED_SUFFIXES = (".tmp", ".part", ".partial", ".crdownload", ".filepart")


@dataclass(frozen=True)
class Found:
    """The files to land, and what lies among them that is none: each with its place, why, and what to do."""

    exports: list[Export]
    strays: list[Problem]


def find_exports(
    workspace: Workspace, sources: Collection[str], paths: Sequence[Path] | None, source: str | None
) -> Found:
    """The files to land, sorted by path within each folder, each with its source.

    Without `paths`: everything under `inbox/<source>/`, or only that of `source`. What lies in the inbox and belongs to no
    source, a linked folder and a folder that may not be read are strays: the rest lands. Raises ConfigurationError for a
    source that `sla.yml` does not name, a path that does not exist, and a path whose source cannot be told.
    """
    if source is not None:
        _check_source(source, sources, "--source")
    if paths:
        found = [one for path in paths for one in _find_given(workspace, sources, path, source)]
    else:
        found = list(_find_in_inbox(workspace, sources, source))
    return Found(
        [one for one in found if isinstance(one, Export)], [one for one in found if isinstance(one, Problem)]
    )


def _find_in_inbox(
    workspace: Workspace, sources: Collection[str], source: str | None
) -> Iterator[Export | Problem]:
    if not workspace.inbox.is_dir():
        return
    for entry in sorted(workspace.inbox.iterdir()):
        if _is_ignored(entry) or source not in (None, entry.name):
            continue
        shown = printable(_within(workspace, entry))
        if not entry.is_dir():
            hint = f"Move it to inbox/<source>/; {_known(sources)}."
            yield Problem(shown, None, None, "it lies in no source's folder.", hint)
        elif entry.name not in sources:
            yield Problem(shown, None, None, *_say_unknown(entry.name, sources, "the folder"))
        elif entry.is_symlink():
            yield _linked(shown)
        else:
            for path in _walk(workspace, entry):
                if isinstance(path, Problem):
                    yield path
                    continue
                shown = printable(_within(workspace, path))
                yield Export(path, entry.name, shown, shown)


def _find_given(
    workspace: Workspace, sources: Collection[str], given: Path, source: str | None
) -> Iterator[Export | Problem]:
    if not given.exists():
        raise ConfigurationError(f"{printable(given)} does not exist.")
    resolved = given.parent.resolve() / given.name if given.name not in ("", "..") else given.resolve()
    in_inbox = _source_by_folder(workspace, resolved)
    if in_inbox is not None:
        _check_source(in_inbox, sources, "The folder of the inbox")
    if in_inbox and source and in_inbox != source:
        raise ConfigurationError(
            f"{printable(given)} lies in the inbox of {in_inbox!r}, but --source says {source!r}. Give "
            f"one of the two."
        )
    named = source or in_inbox
    if named is None:
        raise ConfigurationError(
            f"Which source does {printable(given)} come from? Add --source NAME, or move it to "
            f"inbox/<source>/; "
            f"{_known(sources)}."
        )
    for path in _walk(workspace, resolved) if resolved.is_dir() else [resolved]:
        if isinstance(path, Problem):
            yield path
            continue
        # Outside the inbox the bare name is kept: where a user's folder lies must not change the landed
        # bytes.
        if in_inbox:
            shown = kept = _within(workspace, path)
        else:
            shown, kept = Path(path.name), given if path == resolved else given / path.relative_to(resolved)
        yield Export(path, named, printable(shown), printable(kept))


def _source_by_folder(workspace: Workspace, path: Path) -> str | None:
    inbox = workspace.inbox.resolve()
    return path.relative_to(inbox).parts[0] if path.is_relative_to(inbox) and path != inbox else None


def _within(workspace: Workspace, path: Path) -> Path:
    for root in (workspace.root, workspace.root.resolve()):
        if path.is_relative_to(root):
            return path.relative_to(root)
    return Path(path.name)


def _walk(workspace: Workspace, folder: Path) -> Iterator[Path | Problem]:
    """The files below a folder. Links to folders are named and not followed: they could show what is no export, or loop."""
    unreadable: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=unreadable.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for path in (Path(parent, name) for name in folders):
            if path.is_symlink():
                yield _linked(printable(_within(workspace, path)))
        for name in sorted(names):
            path = Path(parent, name)
            if not _is_ignored(path):
                yield path
    for problem in unreadable:
        shown = printable(_within(workspace, Path(os.fsdecode(problem.filename))))
        yield Problem(
            shown, None, None, f"the folder cannot be read: {problem.strerror}.", "Correct its permissions."
        )


def _linked(shown: str) -> Problem:
    return Problem(shown, None, None, "it is a linked folder.", "Put the folder itself there.")


def _is_ignored(path: Path) -> bool:
    return path.name.startswith(".")


def is_unfinished(export: Export) -> bool:
    """Whether the name says that the file is still being written."""
    return export.path.name.endswith(_UNFINISHED_SUFFIXES)


def _check_source(name: str, sources: Collection[str], where: str) -> None:
    if name not in sources:
        raise ConfigurationError(" ".join(_say_unknown(name, sources, where)))


def _say_unknown(name: str, sources: Collection[str], where: str) -> tuple[str, str]:
    """What is wrong with the name of a source, and what may have been meant."""
    nearest = difflib.get_close_matches(name, sources, n=1, cutoff=0.5)
    meant = f"Did you mean {nearest[0]!r}? " if nearest else ""
    return (
        f"{where} names the source {printable(name)!r}, which sla.yml does not have.",
        f"{meant}{_known(sources).capitalize()}.",
    )


def _known(sources: Collection[str]) -> str:
    return f"known sources: {', '.join(sorted(sources))}" if sources else "sla.yml names no source yet"
