"""Who may read what this program writes: the user it runs as, whatever the umask.

A workspace holds names, addresses and texts of tickets. Files are made with mode 0600 and folders with 0700, by every process and
library, because the command line sets the umask of all of them once. A file that the user asked for by a path outside of the
workspace is handed over as the user's own umask says.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.settings import Workspace

_OTHERS = 0o077
_users_umask: int | None = None


def write_privately() -> None:
    """From here on this process, and those that it starts, write what its user alone can read."""
    global _users_umask
    given = os.umask(_OTHERS)
    # Called again within one process, the first umask is still the user's.
    _users_umask = given if _users_umask is None else _users_umask


@contextmanager
def handed_over(workspace: Workspace | None, folder: Path) -> Iterator[list[Path]]:
    """The files put into the list are handed over when the block ends: outside of the workspace their modes, and that of `folder`
    where it was not there before, become those that the user's umask gives. Nothing is changed inside of the workspace.
    """
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    files: list[Path] = []
    yield files
    if _users_umask is None:
        return
    for path in (*made, *files):
        if workspace is not None and path.resolve().is_relative_to(workspace.root):
            continue
        # A folder of another system may know no modes.
        with suppress(OSError):
            path.chmod((0o777 if path.is_dir() else 0o666) & ~_users_umask)


def list_open(workspace: Workspace) -> Iterator[Path]:
    """What this program keeps in a workspace and others than its user can read: files and folders of warehouse/ and reports/.

    Links are left out. Raises OSError.
    """
    for root in (workspace.warehouse, workspace.reports):
        yield from _list_open(root)


def close_to_others(paths: Iterable[Path]) -> int:
    """Take every right of others away, as from files of a release that left them to the umask; how many were changed. Those of
    another user stay as they are: `sla doctor` names them."""
    changed = 0
    for path in paths:
        with suppress(OSError):
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_OTHERS)
            changed += 1
    return changed


def _list_open(path: Path) -> Iterator[Path]:
    try:
        state = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(state.st_mode):
        return
    if state.st_mode & _OTHERS:
        yield path
    if stat.S_ISDIR(state.st_mode):
        for entry in sorted(os.scandir(path), key=lambda each: each.name):
            yield from _list_open(Path(entry.path))
