"""Where a workspace lies and what the environment says: the only module that reads the environment or a clock."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import ConfigurationError

CHECKOUT = Path(__file__).resolve().parent.parent
DBT_PROJECT = CHECKOUT / "dbt_project"


@dataclass(frozen=True)
class Workspace:
    """The folders of one vendor's data. Paths only; nothing is created or read here."""

    root: Path

    @property
    def sla_yml(self) -> Path:
        return self.root / "sla.yml"

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def reference(self) -> Path:
        return self.root / "reference"

    @property
    def plans(self) -> Path:
        return self.reference / "plans"

    @property
    def calendars(self) -> Path:
        return self.reference / "calendars"

    @property
    def mappings(self) -> Path:
        return self.reference / "mappings"

    @property
    def words(self) -> Path:
        return self.reference / "words.yml"

    @property
    def branding(self) -> Path:
        return self.root / "branding"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse"

    @property
    def forgetting(self) -> Path:
        """There while a request to forget is on record and not finished."""
        return self.warehouse / "forgetting.json"

    @property
    def landed(self) -> Path:
        return self.warehouse / "landed"

    @property
    def published(self) -> Path:
        return self.warehouse / "published"

    @property
    def deliveries(self) -> Path:
        return self.warehouse / "deliveries"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def outbox(self) -> Path:
        return self.reports / "outbox"


def find_workspace(given: Path | None) -> Workspace:
    """The workspace to use: the one given, else `SLA_WORKSPACE`, else the checkout's `data/`.

    Raises ConfigurationError when the folder does not exist.
    """
    root = given or Path(os.environ.get("SLA_WORKSPACE") or CHECKOUT / "data")
    if not root.is_dir():
        raise ConfigurationError(
            f"The workspace {root} is not a folder. Create one with `sla init {root}`, or name another "
            "with --workspace or SLA_WORKSPACE."
        )
    return Workspace(root.resolve())


def read_secret(name: str) -> str | None:
    """What the environment says under the name of a secret, which a caller must not print; None where it is not set or empty."""
    return os.environ.get(name) or None


def find_java() -> str | None:
    """The Java that JAVA_HOME names, else the one on the path."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")


def read_clock() -> datetime:
    """This moment, UTC, to the second: for lineage (when a batch landed), never for a figure.

    `SOURCE_DATE_EPOCH`, the convention of reproducible builds, fixes it.
    """
    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    if fixed is None:
        return datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - the one place
    try:
        return datetime.fromtimestamp(int(fixed), UTC)
    except (ValueError, OverflowError, OSError) as problem:
        raise ConfigurationError(
            f"SOURCE_DATE_EPOCH is {fixed!r}; it must be whole seconds since 1970. Correct or unset it."
        ) from problem


def parse_instant(text: str, what: str) -> datetime:
    """An instant with a zone, as UTC to the second. Raises ConfigurationError naming `what`."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ConfigurationError(
            f"{what} is {text!r}; it must be an ISO instant with its zone, such as 2026-07-01T00:00:00Z."
        )
    return instant.astimezone(UTC).replace(microsecond=0)
