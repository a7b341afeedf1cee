"""What is published: the build, how fresh it is, and the outcome of each data check."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.reporting.published import Published, Scope, list_columns
from pipeline.vocabulary import LANGUAGES


@dataclass(frozen=True)
class Check:
    """One data check of the build. `observed` and `detail` are withheld from a limited scope.

    `suite`: landed, dbt or published; a dbt test of its own has no table.
    """

    check_name: str
    suite: str
    table_name: str | None
    expectation: str
    column_name: str | None
    severity: str
    status: str
    observed: str | None
    detail: str | None


@dataclass(frozen=True)
class SourceStatus:
    """A source: the newest instant that its rows prove (None: nothing landed), whether that lags behind the others, and the
    zone and format in which sla.yml says that times without a zone are written.
    """

    source: str
    known_until: datetime | None
    is_lagging: bool
    time_zone: str | None
    instant_format: str | None


@dataclass(frozen=True)
class Unjudged:
    """How many records were refused (`what` is record) or tickets could not be judged (ticket) for one cause, of how many.

    `part`: the column that was wrong, or the promise that is not measurable. `cause` None: all causes of the kind together.
    `cause_code`: its word in the vocabulary of reasons, where it is of it.
    """

    what: str
    part: str | None
    cause: str | None
    affected_count: int
    whole_count: int
    cause_code: str | None = None


@dataclass(frozen=True)
class UnseenName:
    """A person, channel or event that sla.yml names under `setting` of a source and that no landed record shows."""

    source: str
    setting: str
    name: str


@dataclass(frozen=True)
class UntranslatedLocale:
    """A locale of customers for whose language documents have no words: they are written in English."""

    locale: str
    customer_count: int


@dataclass(frozen=True)
class BuildStatus:
    """What is published and how fresh it is."""

    build_id: str
    as_of: datetime
    published_at: datetime | None
    tzdata_version: str
    holidays_version: str
    landed_rows: int
    batches: int
    newest_landed_at: datetime | None
    checks: tuple[Check, ...]
    sources: tuple[SourceStatus, ...]
    unjudged: tuple[Unjudged, ...]
    unseen_names: tuple[UnseenName, ...]
    untranslated_locales: tuple[UntranslatedLocale, ...] = ()


def read_status(published: Published, scope: Scope) -> BuildStatus:
    """What is published and how fresh. A limited scope sees each check's outcome but not what it observed,
    and no count over all customers.
    """

    @dataclass(frozen=True)
    class Build:
        build_id: str
        as_of: datetime
        tzdata_version: str
        holidays_version: str
        landed_rows: int
        batches: int
        newest_landed_at: datetime | None

    builds = published.fetch(Build, f"select {list_columns(Build)} from meta.build")
    checks = published.fetch(
        Check,
        f"""
        select {list_columns(Check, as_text=("observed", "detail"))}
        from meta.checks
        order by check_name, detail
        """,
    )
    if scope.customer_ids is not None:
        checks = [replace(check, observed=None, detail=None) for check in checks]
    sources = published.fetch(
        SourceStatus, f"select {list_columns(SourceStatus)} from core.dim_sources order by source"
    )
    unjudged = published.fetch(
        Unjudged,
        """
        select unjudged.what, unjudged.part, coalesce(reasons.reason_label, unjudged.cause) as cause, unjudged.affected_count,
          unjudged.whole_count, reasons.status_reason as cause_code
        from qc.rpt_qc__unjudged as unjudged
        left join core.sla_status_reasons as reasons on unjudged.what = 'ticket' and reasons.status_reason = unjudged.cause
        order by unjudged.what, unjudged.cause is not null, unjudged.affected_count desc, unjudged.unjudged_key
        """,
    )
    unseen = published.fetch(
        UnseenName,
        f"select {list_columns(UnseenName)} from core.dim_declared_names where not is_shown order by declared_name_key",
    )
    locales = published.fetch(
        UntranslatedLocale,
        """
        select locale, count(*) as customer_count
        from core.dim_customers
        where not list_contains($languages::varchar[], regexp_extract(locale, '^[a-z]+'))
        group by locale
        order by customer_count desc, locale
        """,
        {"languages": list(LANGUAGES)},
    )
    build = builds[0]
    return BuildStatus(
        **vars(build),
        published_at=published.published_at,
        checks=tuple(checks),
        sources=tuple(sources),
        unjudged=tuple(unjudged) if scope.customer_ids is None else (),
        unseen_names=tuple(unseen) if scope.customer_ids is None else (),
        untranslated_locales=tuple(locales) if scope.customer_ids is None else (),
    )
