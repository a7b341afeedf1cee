"""Which customers a closed month is of, by closing: kept beside the records, so that no build is opened to tell what is due.

A build on record never changes, and so does not what it says of its month. What is kept can be made again from the build at any
time; where it is missing or damaged, the build is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipeline.periods.records import Closing, History, closed_folder
from pipeline.reporting.published import open_of_record
from pipeline.settings import Workspace
from pipeline.whole_files import seal, unseal, write_whole


def read_customers(workspace: Workspace, closing: Closing, history: History) -> dict[str, tuple[str, ...]]:
    """Customer with something to report in the month of a closing -> the time zones of its plans, as the closing's build has it.

    Raises ConfigurationError where nothing is kept and the build is gone or damaged.
    """
    return _read_kept(workspace, closing) or _read_build(workspace, closing, history)


def keep_customers(workspace: Workspace, history: History, closings: Iterable[Closing]) -> None:
    """Keep what `read_customers` gives of each closing, where it is not kept yet. The caller holds the workspace's lock."""
    for closing in closings:
        if _read_kept(workspace, closing) is None:
            found = _read_build(workspace, closing, history)
            record = {"build_sha256": closing.build.sha256, "month": closing.month, "customers": found}
            write_whole(_path(workspace, closing), seal(record))


def _read_kept(workspace: Workspace, closing: Closing) -> dict[str, tuple[str, ...]] | None:
    try:
        record = unseal(_path(workspace, closing).read_bytes(), needs_seal=True)
        if (record["build_sha256"], record["month"]) != (closing.build.sha256, closing.month):
            return None
        return {customer_id: tuple(zones) for customer_id, zones in record["customers"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _read_build(workspace: Workspace, closing: Closing, history: History) -> dict[str, tuple[str, ...]]:
    with open_of_record(workspace, closing.build, history) as published:
        rows = published.fetch(
            dict,
            """
            select reports.customer_id, list(zones.time_zone order by zones.time_zone) as zones
            from marts.mart_customer__monthly_report as reports
            join core.dim_customer_zones as zones on zones.customer_id = reports.customer_id
            where reports.month = $month
            group by reports.customer_id
            order by reports.customer_id
            """,
            {"month": closing.month},
        )
    return {row["customer_id"]: tuple(row["zones"]) for row in rows}


def _path(workspace: Workspace, closing: Closing) -> Path:
    return closed_folder(workspace) / "customers" / f"{closing.number:06d}.json"
