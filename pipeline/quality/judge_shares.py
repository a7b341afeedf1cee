"""Says which settings cannot fit the exports: the shares that the build has judged (qc.rpt_qc__source_shares), in words.

What a share is, and whether it is over its limit, stands in that model alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from pipeline.errors import ChecksFailed, Problem
from pipeline.quality.check_tables import CheckResult

TABLE = "qc.rpt_qc__source_shares"
_EXPECTATION = "settings_fit_the_exports"
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True)
class Share:
    """A cause that a source has in more than its limit. `limited_as`: the key of `allow` in sla.yml that sets the limit."""

    source: str
    cause: str
    limited_as: str
    affected_count: int
    whole_count: int
    limit_pct: int
    stops_publishing: bool
    word: str | None
    word_count: int | None
    label: str
    hint: str

    @property
    def needed_pct(self) -> int:
        """The least whole limit that lets it pass."""
        return -(-self.affected_count * 100 // self.whole_count)

    @property
    def observed(self) -> str:
        """Counts only: what is kept with a build quotes no value of a row."""
        # Rounded up, so that what is over its limit is never shown as equal to it.
        tenths = -(-self.affected_count * 1000 // self.whole_count)
        return (
            f"{self.affected_count} of {self.whole_count} {self.label} ({tenths // 10}.{tenths % 10} %; "
            f"{self.limit_pct} % are allowed)"
        )

    def explain(self) -> Problem:
        """The share with the word that shows it most often, and what to do."""
        word = "" if self.word is None else f", such as {self.word[:_SHOWN_CHARACTERS]!r} ({self.word_count})"
        way_out = f"If it is right as it is, write allow: {{{self.limited_as}: {self.needed_pct}}} there."
        return Problem(
            "sla.yml", None, f"sources.{self.source}", f"{self.observed}{word}.", f"{self.hint} {way_out}"
        )


def read_shares_over_limit(connection: duckdb.DuckDBPyConnection) -> list[Share]:
    """What is over its limit, those that stop first, the largest first."""
    rows = connection.execute(
        f"""
        select
          shares.source, shares.cause, shares.limited_as, shares.affected_count, shares.whole_count, shares.limit_pct,
          shares.stops_publishing, shares.word, shares.word_count,
          case when kinds.finding is null then causes.cause_label else 'tickets: ' || kinds.finding_label end as label,
          causes.hint
        from {TABLE} as shares
        join core.share_causes as causes on causes.cause = shares.limited_as
        left join core.finding_kinds as kinds on kinds.finding = shares.cause and shares.limited_as = 'findings'
        where shares.is_over_limit
        order by shares.stops_publishing desc, shares.affected_count desc, shares.source, shares.cause
        """
    ).fetchall()
    return [Share(*row) for row in rows]


def check_shares(shares: Sequence[Share]) -> list[CheckResult]:
    """One check for all sources, or one for each share that is over its limit."""
    results = [
        CheckResult(
            "published",
            TABLE,
            f"{_EXPECTATION}: {share.source}, {share.cause}",
            None,
            "critical" if share.stops_publishing else "warning",
            "failed",
            share.observed,
            share.hint,
        )
        for share in shares
    ]
    if any(share.stops_publishing for share in shares):
        return results
    passed = CheckResult(
        "published",
        TABLE,
        _EXPECTATION,
        None,
        "critical",
        "passed",
        "no share over its limit that stops publishing",
        "Where more than a share of a source is unmapped, unlisted or refused, its settings do not fit its exports.",
    )
    return [*results, passed]


def stop_on_shares(shares: Sequence[Share]) -> None:
    """Raises ChecksFailed where the settings of a source cannot fit its exports."""
    stopping = [share for share in shares if share.stops_publishing]
    if stopping:
        raise ChecksFailed(
            "The settings do not fit the exports, so nothing was published; the version before is still served.",
            [share.explain() for share in stopping],
        )
