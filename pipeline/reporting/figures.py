"""Turns figures into text: the one place that rounds, for the terminal, the PDF and the dashboard alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from pipeline.reporting.entitlements import Alert
from pipeline.reporting.published import Ratio

if TYPE_CHECKING:
    from pipeline.reporting.status import BuildStatus, SourceStatus, Unjudged, UnseenName

STATUS_NAMES = {
    "met": "met",
    "breached": "breached",
    "pending": "running",
    "waived": "waived",
    "not_covered": "not covered",
    "not_measurable": "not measurable",
}

# Share of the target used up, in percent, from which a running promise is called at risk.
AT_RISK_FROM = (50, 75, 90)


def percent(ratio: Ratio) -> str:
    """A rate with its parts: '94.7 % (18 of 19)'; 'n/a (0 of 0)' when there was nothing to assess."""
    return f"{percent_alone(ratio)} ({ratio.numerator} of {ratio.denominator})"


def percent_alone(ratio: Ratio) -> str:
    """One decimal, half up, but never the limit before it is reached: 1999 of 2000 is 99.9 %, not 100.0 %.

    Only for places where the parts stand in the next column.
    """
    tenths = _tenths_of_percent(ratio)
    return "n/a" if tenths is None else f"{tenths // 10}.{tenths % 10} %"


def chance(ratio: float) -> str:
    """An estimated chance or share, already rounded where it was made: '95.3 %'."""
    return f"{ratio * 100:.1f} %"


def points_between(now: Ratio, before: Ratio) -> str:
    """The change of a rate in percentage points: '+1.2 points'; 'n/a' when either side had nothing to
    assess."""
    if now.value is None or before.value is None:
        return "n/a"
    # From the exact values: the difference of two rounded numbers can be off by a tenth.
    thousandths = (now.value - before.value) * 1000
    tenths = int(abs(thousandths) + type(thousandths)(1, 2))
    if not tenths:
        return "±0.0 points" if not thousandths else f"{'+' if thousandths > 0 else '−'}0.1 points"
    return f"{'+' if thousandths > 0 else '−'}{tenths // 10}.{tenths % 10} points"


def decimal_ratio(ratio: Ratio) -> float | None:
    """For machines: the rate from 0 to 1, cut (not rounded) after six digits, so it is 1.0 only when all were
    met."""
    if not ratio.denominator:
        return None
    return ratio.numerator * 1_000_000 // ratio.denominator / 1_000_000


def _tenths_of_percent(ratio: Ratio) -> int | None:
    numerator, denominator = ratio.numerator, ratio.denominator
    if not denominator:
        return None
    tenths = (2000 * numerator + denominator) // (2 * denominator)
    if tenths >= 1000 and numerator < denominator:
        return 999
    if tenths == 0 and numerator > 0:
        return 1
    return tenths


def risk(used: Ratio | None) -> str | None:
    """How near its target a running promise is: 'over 75 % used', or None below the lowest step."""
    if used is None or not used.denominator:
        return None
    passed = [step for step in AT_RISK_FROM if used.numerator * 100 >= step * used.denominator]
    return f"over {passed[-1]} % used" if passed else None


def duration(seconds: int | None) -> str:
    """'7 h 12 min 05 s' from whole seconds; trailing zero parts are left out, so that a target reads '24
    h'."""
    if seconds is None:
        return "–"
    sign, seconds = ("−", -seconds) if seconds < 0 else ("", seconds)
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    parts = [f"{hours} h"] if hours else []
    if minutes or (hours and rest):
        parts.append(f"{minutes:02d} min" if parts else f"{minutes} min")
    if rest or not parts:
        parts.append(f"{rest:02d} s" if parts else f"{rest} s")
    return sign + " ".join(parts)


def quantity(number: int | None, *, is_unlimited: bool = False, is_stated: bool = True) -> str:
    """A number of tickets, or one of the two answers that are not numbers."""
    if is_unlimited:
        return "unlimited"
    if not is_stated or number is None:
        return "not stated"
    return str(number)


def instant(moment: datetime | None, time_zone: str = "UTC") -> str:
    """'2026-07-03 16:05:09 +02:00' in a named zone, '… UTC' in UTC: no time stands without its zone."""
    if moment is None:
        return "–"
    from pipeline.zones import find_zone

    local = moment.astimezone(find_zone(time_zone))
    offset = local.isoformat()[19:]
    return f"{local:%Y-%m-%d %H:%M:%S} {'UTC' if offset == '+00:00' and time_zone == 'UTC' else offset}"


def month_name(month: str) -> str:
    """'July 2026' from '2026-07'."""
    names = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ]
    return f"{names[int(month[5:]) - 1]} {month[:4]}"


def words(name: str | None) -> str:
    """A vocabulary word as prose: 'first_response' as 'first response'."""
    return "–" if name is None else name.replace("_", " ")


def alert(told: Alert) -> str:
    """An alert in words: 'used beyond the pool', 'used up', '80 % reached', 'likely to run out by
    2026-09-14', 'term ends in 90 days'."""
    if told.pool is None:
        return f"term ends in {told.days_left} day{'' if told.days_left == 1 else 's'}"
    if told.alert_kind == "likely_to_run_out":
        return "likely to run out" + (f" by {day(told.exhausted_on_mid)}" if told.exhausted_on_mid else "")
    if told.overage_quantity:
        return "used beyond the pool"
    consumed = told.consumed
    if consumed is not None and consumed.numerator >= consumed.denominator:
        return "used up"
    return f"{told.threshold_pct} % reached"


_UNJUDGED = {"record": ("Refused", "records"), "ticket": ("Not judged", "tickets")}
_SHOWN_CAUSES = 5


def unjudged(found: Sequence[Unjudged]) -> tuple[str, ...]:
    """A sentence each for refused records and for tickets that could not be judged, by cause, the largest first:
    'Not judged: 3 of 300 tickets: No plan term covers the day of submission (2); …'.
    """
    told = []
    for what, (verb, noun) in _UNJUDGED.items():
        sums = [one for one in found if one.what == what and one.cause is None]
        causes = [
            f"{f'{words(one.part)}: ' if one.part else ''}{one.cause} ({one.affected_count})"
            for one in found
            if one.what == what and one.cause is not None
        ]
        if len(causes) > _SHOWN_CAUSES:
            rest = len(causes) - _SHOWN_CAUSES
            causes[_SHOWN_CAUSES:] = [f"{rest} other cause{'' if rest == 1 else 's'}"]
        for one in sums:
            count = f"{one.affected_count or 'none'} of {one.whole_count} {noun}"
            told.append(f"{verb}: {count}{': ' if causes else ''}{'; '.join(causes)}.")
    return tuple(told)


def unseen_names(found: Sequence[UnseenName]) -> tuple[str, ...]:
    """One sentence for what sla.yml names and no record shows, such as a misspelt robot; nothing where all is shown."""
    if not found:
        return ()
    named = [
        f"{one.source} {one.setting}" + ("" if one.setting.startswith("events.") else f" {one.name[:60]!r}")
        for one in found
    ]
    return (f"No record shows what sla.yml names: {'; '.join(named)}.",)


def wall_times(found: Sequence[SourceStatus]) -> tuple[str, ...]:
    """One sentence that says how times without a zone are read: a zone that exists and is the wrong one shows in nothing else."""
    named = [
        f"{one.source} {one.time_zone}" + (f" ({one.instant_format})" if one.instant_format else "")
        for one in found
        if one.time_zone
    ]
    return (f"Times without a zone are read in: {'; '.join(named)}.",) if named else ()


def describe_state(status: BuildStatus) -> tuple[str, ...]:
    """What a run, the status and the pages say last of what the figures rest on."""
    return (
        *wall_times(status.sources),
        *unseen_names(status.unseen_names),
        *unjudged(status.unjudged),
    )


def severities(levels: tuple[int, ...]) -> str:
    """'severity 5', 'severities 1–4', 'severities 1, 3'."""
    if len(levels) == 1:
        return f"severity {levels[0]}"
    is_run = len(levels) > 2 and levels == tuple(range(levels[0], levels[-1] + 1))
    return f"severities {levels[0]}–{levels[-1]}" if is_run else f"severities {', '.join(map(str, levels))}"


def day(value: date | None) -> str:
    return "–" if value is None else value.isoformat()
