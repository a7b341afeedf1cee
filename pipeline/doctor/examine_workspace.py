"""One workspace: what it says, whether it can be written, whether what it keeps is whole, what killed runs left."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import partial

from pipeline.doctor.line import Check, Line, name_some
from pipeline.pointer import read_pointer
from pipeline.private_files import list_open
from pipeline.settings import Workspace
from pipeline.whole_files import hash_file

_MEGABYTE = 1024 * 1024
# A build writes its tables twice before it is published.
_BUILD_TIMES = 4
_LEAST_FREE = 200 * _MEGABYTE
_PLENTY_FREE = 1024 * _MEGABYTE


def list_checks(workspace: Workspace) -> list[tuple[str, Check]]:
    checks = {
        "settings": _examine_settings,
        "permissions": _examine_permissions,
        "disk": _examine_disk,
        "lock": _examine_lock,
        "leftovers": _examine_leftovers,
        "published build": _examine_published,
        "closed months": _examine_closed,
        "landed batches": _examine_landed,
    }
    return [(name, partial(check, workspace)) for name, check in checks.items()]


def _examine_settings(workspace: Workspace) -> Iterator[Line]:
    from pipeline.rules.load_rules import load_rules

    rules = load_rules(workspace)
    sources = rules.sources.sources
    if not sources:
        yield Line(
            "settings",
            "warning",
            f"{workspace.sla_yml} names no source",
            "Take the '#' from the block that fits.",
        )
        return
    yield Line(
        "settings",
        "ok",
        f"{len(sources)} sources, {len(rules.plans)} plans, {len(rules.calendars)} calendars",
    )


def _examine_permissions(workspace: Workspace) -> Iterator[Line]:
    readable = (workspace.root, workspace.inbox, workspace.reference)
    written = (workspace.root, workspace.warehouse, workspace.reports)
    blocked = [
        f"{path} cannot be read"
        for path in readable
        if path.exists() and not os.access(path, os.R_OK | os.X_OK)
    ]
    blocked += [
        f"{path} cannot be written"
        for path in written
        if path.exists() and not os.access(path, os.W_OK | os.X_OK)
    ]
    if blocked:
        yield Line(
            "permissions",
            "wrong",
            "; ".join(blocked),
            "Correct the permissions, or run as the user who owns it.",
        )
    else:
        yield Line("permissions", "ok", f"{workspace.root} can be read and written")
    shared = list(list_open(workspace))
    if shared:
        yield Line(
            "permissions",
            "warning",
            f"other users of this machine can read {name_some(shared)}",
            f"Run: chmod -R go= {workspace.warehouse} {workspace.reports}",
        )


def _examine_disk(workspace: Workspace) -> Iterator[Line]:
    free = shutil.disk_usage(workspace.root).free
    largest = max((file.stat().st_size for file in workspace.published.glob("*.duckdb")), default=0)
    needed = max(_LEAST_FREE, _BUILD_TIMES * largest)
    found = f"{free // _MEGABYTE:,} MB free, a build may need {needed // _MEGABYTE:,} MB"
    if free < needed:
        yield Line("disk", "wrong", found, "Make room before the next run.")
    elif free < max(_PLENTY_FREE, 2 * needed):
        yield Line("disk", "warning", found, "Make room soon.")
    else:
        yield Line("disk", "ok", found)


def _is_held(workspace: Workspace) -> bool:
    from pipeline.warehouse.build import is_held

    return is_held(workspace)


def _examine_lock(workspace: Workspace) -> Iterator[Line]:
    if _is_held(workspace):
        yield Line(
            "lock",
            "warning",
            "a run holds the workspace now",
            "Wait until it has ended. One that holds it for hours hangs: look for `sla` among the processes and end it; the "
            "next run finishes its work.",
        )
        return
    is_there = (workspace.warehouse / "lock").exists()
    yield Line("lock", "ok", "free; the file stays for the next run" if is_there else "free")


def _examine_leftovers(workspace: Workspace) -> Iterator[Line]:
    if _is_held(workspace):
        yield Line("leftovers", "ok", "not looked for: a run is writing")
        return
    folders = (workspace.warehouse, workspace.reports)
    temporary = sorted(path for folder in folders for path in folder.rglob(".*.tmp"))
    building = workspace.warehouse / "building"
    if building.exists():
        yield Line(
            "leftovers",
            "warning",
            f"{building} is of a run that was ended",
            "Nothing: the next build clears it.",
        )
    if temporary:
        yield Line(
            "leftovers",
            "warning",
            f"unfinished files: {name_some(temporary)}",
            "Nothing: the next run removes them once the process that wrote them has gone.",
        )
    if not building.exists() and not temporary:
        yield Line("leftovers", "ok", "none")


def _examine_published(workspace: Workspace) -> Iterator[Line]:
    pointer = read_pointer(workspace)
    if pointer is None:
        yield Line("published build", "warning", "nothing is published yet", "Run `sla run`.")
        return
    file = workspace.published / pointer.file
    if not file.is_file():
        yield Line("published build", "wrong", f"{file} is missing", "Run `sla build`.")
    elif hash_file(file) != pointer.sha256:
        yield Line("published build", "wrong", f"{file} is damaged: its bytes are others", "Run `sla build`.")
    else:
        yield Line("published build", "ok", f"{pointer.build_id}, data as of {pointer.as_of}, whole")


def _examine_closed(workspace: Workspace) -> Iterator[Line]:
    from pipeline.periods.records import read_history
    from pipeline.reporting.published import check_builds

    count = check_builds(workspace)
    closed = len(read_history(workspace).closed())
    yield Line("closed months", "ok", f"{closed} closed, on {count} builds, whole")


def _examine_landed(workspace: Workspace) -> Iterator[Line]:
    from pipeline.ingest.landing.manifest import find_damages, list_batches, list_damaged_manifests

    damages = [*list_damaged_manifests(workspace), *find_damages(workspace, reads_all=True)]
    for damage in damages:
        yield Line(
            "landed batches", "wrong", str(damage.problem), "Run `sla build`: it lands the export again."
        )
    if not damages:
        yield Line("landed batches", "ok", f"{len(list_batches(workspace))} batches, whole")
