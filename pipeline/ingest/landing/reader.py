"""What reads an export: the code, the libraries and the settings that decide which rows a content becomes.

A manifest records it. A batch that another reader landed is read again, so that an old and a new workspace hold the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from pyexpat import EXPAT_VERSION
from typing import TYPE_CHECKING, Any, Literal

from pipeline.ingest.forms.bind_mapping import bind_mapping
from pipeline.ingest.landing.manifest import Batch, find_batch, find_damage, list_batches
from pipeline.rules.mapping import fingerprint_mapping
from pipeline.settings import CHECKOUT, Workspace
from pipeline.vocabulary import ACTOR_KINDS, EVIDENCE_OF, TICKET_STATUSES

if TYPE_CHECKING:
    from pipeline.rules.load_sources import Source

# Everything that can change a landed row, below `pipeline/`. One list for all types of sources: a list for each would have to
# follow every import between the forms.
CODE = (
    "calendars/advance.py",
    "calendars/calendar.py",
    "calendars/expand.py",
    "calendars/intervals.py",
    "ingest/files",
    "ingest/forms",
    "ingest/landing/write_batch.py",
    "ingest/landing/write_content.py",
    "ingest/tables.py",
    # How a form file is read; and the nearest name, which the hint of a refused record gives.
    "declarations",
    "locales.py",
    "rules/load_mapping.py",
    "rules/mapping.py",
    "rules/mapping_file.py",
    "rules/plan.py",
    "vocabulary.py",
    "zones.py",
)
# A suggestion is printed and never lands.
SHOWN_ONLY = ("ingest/forms/describe_columns.py",)
# What parses, and what turns wall time into instants (`holidays`: a vendor's business minutes are counted with a calendar).
PACKAGES = ("babel", "duckdb", "holidays", "numpy", "pyarrow", "tzdata")

# The words that a record may use, which stand in the seeds of the dbt project.
_VOCABULARY = [list(EVIDENCE_OF.items()), TICKET_STATUSES, ACTOR_KINDS]

_LISTED_FILES = 5
_CAUSES = {"program": "by another version of this program", "settings": "with other settings"}

# These make landed rows at once, so what picks their columns and names their events is decided here.
_ADAPTED = ("jira", "freshdesk")


@dataclass(frozen=True)
class OutdatedBatch:
    """A batch whose rows would differ if its export were read now. `reason`: another `program` read it, or with other
    `settings`. `landed_at` is ISO with Z.
    """

    source: str
    file: str
    batch_id: str
    landed_at: str
    reason: Literal["program", "settings"]


@cache
def identify_reader() -> str:
    """SHA-256 (hex) over the code and the versions of the libraries that read exports in this installation."""
    return digest_reader(CHECKOUT / "pipeline", {name: version(name) for name in PACKAGES})


def digest_reader(pipeline: Path, packages: Mapping[str, str]) -> str:
    """The digest for a folder of code and versions of packages; the Python and Expat are those that run now."""
    digest = hashlib.sha256()
    for file in list_code(pipeline):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(pipeline).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    python = ".".join(platform.python_version_tuple()[:2])
    digest.update(json.dumps([dict(packages), python, EXPAT_VERSION, _VOCABULARY], sort_keys=True).encode())
    return digest.hexdigest()


def list_code(pipeline: Path) -> list[Path]:
    """The files that `CODE` names, sorted, without documents and without what only prints."""
    shown_only = {pipeline / name for name in SHOWN_ONLY}
    files = {
        file
        for name in CODE
        for file in ([pipeline / name] if (pipeline / name).is_file() else (pipeline / name).rglob("*"))
        if file.is_file() and file.suffix not in (".md", ".pyc")
    }
    return sorted(files - shown_only)


def is_current(batch: Batch, source: Source) -> bool:
    """Whether reading the batch's export now would give the rows that have landed."""
    return batch.reader == identify_reader() and batch.settings == describe_settings(source)


def is_landed(workspace: Workspace, source: Source, batch_id: str) -> bool:
    """Whether a content has landed as it would land now, and is whole, so that landing it again changes nothing."""
    batch = find_batch(workspace, batch_id)
    return batch is not None and is_current(batch, source) and find_damage(workspace, batch) is None


def find_outdated(workspace: Workspace, sources: Mapping[str, Source]) -> list[OutdatedBatch]:
    """The batches that another reader landed, by source and file.

    After a landing of the whole inbox these are the ones whose export is gone or is refused now. Of a source that is not among
    `sources` only the program is compared. Raises InputRejected for a damaged manifest.
    """
    found = []
    for batch in list_batches(workspace):
        source = sources.get(batch.source)
        reason: Literal["program", "settings"] | None = None
        if batch.reader != identify_reader():
            reason = "program"
        elif source is not None and batch.settings != describe_settings(source):
            reason = "settings"
        if reason is not None:
            found.append(OutdatedBatch(batch.source, batch.file, batch.batch_id, batch.landed_at, reason))
    return sorted(found, key=lambda batch: (batch.source, batch.file, batch.batch_id))


def explain_outdated(outdated: Iterable[OutdatedBatch]) -> list[str]:
    """One message per source: what may differ, and which files to put back."""
    by_source: dict[str, list[OutdatedBatch]] = {}
    for batch in outdated:
        by_source.setdefault(batch.source, []).append(batch)
    messages = []
    for source, batches in by_source.items():
        files = [batch.file for batch in batches]
        listed = ", ".join(files[:_LISTED_FILES])
        more = len(files) - _LISTED_FILES
        rest = f" and {more} more (`sla status --json` lists all)" if more > 0 else ""
        reasons = {batch.reason for batch in batches}
        cause = " or ".join(words for reason, words in _CAUSES.items() if reason in reasons)
        messages.append(
            f"Figures of source {source} may differ from those of a new workspace (batches read {cause}: {len(batches)}). "
            f"Put what is gone of these back into inbox/{source}/ and run `sla run`: {listed}{rest}."
        )
    return messages


def describe_settings(source: Source) -> dict[str, Any]:
    """What of `sla.yml` and of the mapping file decides how a file of this source is read, as JSON says it."""
    settings: dict[str, Any] = {
        "source_type": source.source_type,
        "time_zone": source.time_zone,
        "date_formats": list(source.date_formats),
        "null_markers": sorted(source.null_markers),
    }
    if source.source_type in _ADAPTED:
        settings |= {
            "customer": [source.customer_field, source.customer_constant],
            "severity": source.severity_field,
            "channel": [source.channel_field, source.channel_constant],
            "events": [[event.event_type, event.field_name, event.field_value] for event in source.events],
            # Groups are read by the models alone.
            "agents": [list(values) for values in source.agents[:3]],
            "comments": source.unmarked_comments,
            "bots": list(source.non_humans),
            **_table_settings(source),
        }
    elif source.source_type == "zendesk" and source.time_zone is not None:
        # Only a table of tickets, which needs the zone, lands what these pick; the objects land whole.
        settings |= {
            "customer": [source.customer_field, source.customer_constant],
            "severity": source.severity_field,
            "bots": list(source.non_humans),
            **_table_settings(source),
        }
    elif source.source_type == "mapped":
        settings["mapping"] = source.mapping and fingerprint_mapping(bind_mapping(source.mapping, source))
    elif source.source_type == "servicenow":
        settings["events"] = [
            [event.event_type, event.field_name, event.field_value] for event in source.events
        ]
        if any(source.agents[:3]):
            settings["agents"] = [list(values) for values in source.agents[:3]]
    return settings


def _table_settings(source: Source) -> dict[str, Any]:
    return {
        "columns": {column: list(names) for column, names in sorted(source.columns.items())},
        "date_locale": source.date_locale,
        "business_calendar": repr(source.business_calendar) if source.business_calendar else None,
    }
