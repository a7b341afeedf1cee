"""What is published, and its checks, as tables."""

from __future__ import annotations

from collections import Counter

from pipeline.cli.tables import LEFT, TextTable
from pipeline.reporting import figures
from pipeline.reporting.status import BuildStatus


def older_state_tables(told: str) -> tuple[TextTable, ...]:
    """What an older program kept, and that the next run brings it to this version; nothing where there is none."""
    return (TextTable("State of the workspace", (("", LEFT),), ((told,),)),) if told else ()


def status_tables(status: BuildStatus) -> tuple[TextTable, ...]:
    """What is published, up to when each source is known, what was refused and not judged, and each check that did not pass."""
    facts = (
        ("build", status.build_id),
        ("data known up to", figures.instant(status.as_of)),
        ("published", figures.instant(status.published_at)),
        ("newest batch landed", figures.instant(status.newest_landed_at)),
        ("rows landed", f"{status.landed_rows} in {status.batches} batches"),
        ("time zones, holidays", f"tzdata {status.tzdata_version}, holidays {status.holidays_version}"),
    )
    outcomes = Counter(check.status for check in status.checks)
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())) or "none was run"
    notable = tuple(
        (check.check_name, check.severity, check.status, check.observed or "–", check.detail or "–")
        for check in status.checks
        if check.status != "passed"
    )
    columns = (
        ("check", LEFT),
        ("severity", LEFT),
        ("status", LEFT),
        ("observed", LEFT),
        ("detail", LEFT),
    )
    build = TextTable("Published build", (("", LEFT), ("", LEFT)), (*facts, ("checks", told)))
    sources = TextTable(
        "Sources",
        (("source", LEFT), ("known until", LEFT), ("", LEFT)),
        tuple(
            (
                source.source,
                figures.instant(source.known_until),
                "lags behind the others: what is not exported yet is not silence"
                if source.is_lagging
                else "",
            )
            for source in status.sources
        ),
    )
    state = TextTable(
        "What the figures rest on",
        (("", LEFT),),
        tuple((line,) for line in figures.describe_state(status)),
    )
    notes = (TextTable("Checks to look at", columns, notable),) if notable else ()
    return (build, sources, state, *notes)
