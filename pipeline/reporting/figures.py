"""Turns figures into text: the one place that rounds, for the terminal, the PDF and the dashboard alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from pipeline.reporting.compliance import TrendPoint
from pipeline.reporting.entitlements import Alert
from pipeline.reporting.language import TERMINAL, Language
from pipeline.reporting.periods import ClosedMonth
from pipeline.reporting.published import Ratio
from pipeline.reporting.status import BuildStatus, SourceStatus, Unjudged, UnseenName, UntranslatedLocale
from pipeline.reporting.tickets import Obligation

STATUS_NAMES = {
    "met": "met",
    "breached": "breached",
    "pending": "running",
    "waived": "waived",
    "not_covered": "not covered",
    "not_measurable": "not measurable",
}

# What the evidence leaves of a promise that is not measurable.
_COULD_BE = {
    "met": "could only be met",
    "breached": "could only be breached",
    "either": "could be met or breached",
}

# A rate of fewer promises is shown as its parts on the pages: one of them moves it by more than ten points.
FEWEST_FOR_A_RATE = 10

# Share of the target used up, in percent, from which a running promise is called at risk.
AT_RISK_FROM = (50, 75, 90)

# The bands of running promises, the most pressing first, by the step that they have reached.
BANDS = {
    **{str(step): f"over {step} % used" for step in reversed(AT_RISK_FROM)},
    "0": f"under {AT_RISK_FROM[0]} % used",
}


def percent(ratio: Ratio, language: Language = TERMINAL) -> str:
    """A rate with its parts: '94.7 % (18 of 19)'; 'n/a (0 of 0)' when there was nothing to assess.

    Bounds stand beside it: '99.0 % (980 of 990; 98.0 % to 99.0 % with 10 undecided)'. Wide ones stand instead of it:
    '68.1 % to 100 % (9,454 met, 0 breached, 4,424 undecided)'.
    """
    return f"{percent_alone(ratio, language)} ({parts(ratio, language=language)})"


def percent_alone(ratio: Ratio, language: Language = TERMINAL) -> str:
    """One decimal, half up, but never the limit before it is reached: 1999 of 2000 is 99.9 %, not 100.0 %.

    '68.1 % to 100 %' where there are only bounds. Only for places where `parts` stand beside it.
    """
    bounds = say_bounds(ratio, language)
    if bounds is not None and ratio.has_only_bounds:
        return bounds
    tenths = tenths_of_percent(ratio)
    return (
        language.say("not_available")
        if tenths is None
        else language.say("percent", value=language.tenths(tenths))
    )


def met_only_by_ai(count: int, language: Language = TERMINAL) -> str | None:
    """What is said of promises that only an AI answered in time; None where there are none."""
    return language.count("met_only_by_ai", count) if count else None


def parts(ratio: Ratio, is_met_said: bool = False, language: Language = TERMINAL) -> str:
    """What a rate is made of, and its bounds where they stand beside it: '980 of 990', or '980 of 990 met'."""
    if ratio.has_only_bounds:
        breached = ratio.denominator - ratio.numerator
        return language.say(
            "only_bounds",
            met=language.whole(ratio.numerator),
            breached=language.whole(breached),
            undecided=language.whole(ratio.undecided),
        )
    known = language.say(
        "of_met" if is_met_said else "of", part=str(ratio.numerator), whole=str(ratio.denominator)
    )
    if ratio.bounds is None:
        return known
    bounds = say_bounds(ratio, language)
    return language.say("with_bounds", parts=known, bounds=bounds, undecided=str(ratio.undecided))


def say_bounds(ratio: Ratio, language: Language = TERMINAL) -> str | None:
    """'68.1 % to 100 %': all that is undecided breached, all of it met, as far as each could be. None where nothing is."""
    if ratio.bounds is None:
        return None
    ends = (Ratio(end, ratio.bounds.of) for end in (ratio.bounds.lower, ratio.bounds.upper))
    lower, upper = (
        # A limit that is reached is exact.
        language.say("percent", value=str(100 * (end.numerator > 0)))
        if end.numerator in (0, end.denominator)
        else percent_alone(end, language)
        for end in ends
    )
    return language.say("between", lower=lower, upper=upper)


def has_few(ratio: Ratio) -> bool:
    """Whether a rate rests on so little that its parts say more, with what is undecided."""
    return ratio.denominator + ratio.undecided < FEWEST_FOR_A_RATE


def rate_or_count(ratio: Ratio, language: Language = TERMINAL) -> str:
    """For cells and cards: '94.7 %', or '3 of 4, 1 undecided' where there are few; 'n/a' where nothing was counted."""
    if not ratio.denominator and not ratio.undecided:
        return language.say("not_available")
    if not has_few(ratio):
        return percent_alone(ratio, language)
    known = [parts(Ratio(ratio.numerator, ratio.denominator), language=language)] if ratio.denominator else []
    undecided = [f"{ratio.undecided} undecided"] if ratio.undecided else []
    return ", ".join(known + undecided)


def change_on(now: Ratio, before: Ratio, month: str) -> str:
    """'+1.2 points on May 2026 (93.5 %)'; without points where a side has few or only bounds: 'May 2026: 2 of 2'."""
    if not before.denominator and not before.undecided:
        return f"{month_name(month)}: nothing counted"
    change = None if has_few(now) or has_few(before) else signed_points(now, before)
    if change is None:
        return f"{month_name(month)}: {rate_or_count(before)}"
    if now.value == before.value:
        return f"no change on {month_name(month)}"
    return f"{TERMINAL.say('points', value=change)} on {month_name(month)} ({percent_alone(before)})"


def chance(ratio: float) -> str:
    """An estimated chance or share, already rounded where it was made: '95.3 %'."""
    return f"{ratio * 100:.1f} %"


def points_between(now: Ratio, before: Ratio) -> str:
    """The change of a rate in words: '+1.2 points'; 'n/a' where it cannot be stated."""
    change = signed_points(now, before)
    return TERMINAL.say("not_available") if change is None else TERMINAL.say("points", value=change)


def signed_points(now: Ratio, before: Ratio, language: Language = TERMINAL) -> str | None:
    """The change of a rate in percentage points: '+1.2'. None when either side had nothing to assess, or has bounds: then it
    could be another."""
    if now.value is None or before.value is None or now.bounds is not None or before.bounds is not None:
        return None
    # From the exact values: the difference of two rounded numbers can be off by a tenth.
    thousandths = (now.value - before.value) * 1000
    tenths = int(abs(thousandths) + type(thousandths)(1, 2))
    if not thousandths:
        return f"±{language.tenths(0)}"
    # A difference is never told as none.
    return f"{'+' if thousandths > 0 else '−'}{language.tenths(tenths or 1)}"


def decimal_ratio(ratio: Ratio) -> float | None:
    """For machines: the rate from 0 to 1, cut (not rounded) after six digits, so it is 1.0 only when all were
    met. None when there was nothing to assess, or where there are only bounds."""
    if not ratio.denominator or ratio.has_only_bounds:
        return None
    return ratio.numerator * 1_000_000 // ratio.denominator / 1_000_000


def decimal_bounds(ratio: Ratio) -> tuple[float, float] | None:
    """For machines: the bounds of a rate, each from 0 to 1 and cut like it. None where nothing is undecided."""
    if ratio.bounds is None:
        return None
    lower, upper = (
        end * 1_000_000 // ratio.bounds.of / 1_000_000 for end in (ratio.bounds.lower, ratio.bounds.upper)
    )
    return lower, upper


def tenths_of_percent(ratio: Ratio) -> int | None:
    """The proportion in tenths of a percent, half up, and never a limit before it is reached; None for 0 of 0."""
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
    step = risk_step(used)
    return f"over {step} % used" if step else None


def risk_step(used: Ratio | None) -> int | None:
    """The highest step of `AT_RISK_FROM`, in percent of the target, that a running promise has reached; None below the lowest."""
    if used is None or not used.denominator:
        return None
    passed = [step for step in AT_RISK_FROM if used.numerator * 100 >= step * used.denominator]
    return passed[-1] if passed else None


def targets(promised: Collection[tuple[int, str]]) -> str | None:
    """What a promise's (seconds, clock) pairs say: 'target 2 h on clock always'; of several the shortest and the longest; None
    where there are none."""
    ordered = sorted(promised)
    if not ordered:
        return None
    if len(ordered) == 1:
        return f"target {duration(ordered[0][0])} on clock {words(ordered[0][1])}"
    if ordered[0][0] == ordered[-1][0]:
        return f"target {duration(ordered[0][0])} on {len(ordered)} clocks"
    return f"targets from {duration(ordered[0][0])} to {duration(ordered[-1][0])}"


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


_SHOWN_PARTS = 6


def sum_of_verdict(obligation: Obligation, counted: Sequence[int]) -> str:
    """The sum behind a verdict: 'Counted 8 h + 16 h 01 s = elapsed 24 h 01 s of 24 h: over by 1 s'. `counted` are the seconds of
    each segment, which sum to the elapsed time; many of them are told by their number."""
    parts = [seconds for seconds in counted if seconds]
    told = f"{len(parts)} intervals" if len(parts) > _SHOWN_PARTS else " + ".join(map(duration, parts))
    left = obligation.remaining_seconds
    if obligation.over_by_seconds is not None:
        verdict = f"over by {duration(obligation.over_by_seconds)}"
    else:
        verdict = "no time left" if left is None else f"{duration(left)} left"
    elapsed = (
        f"elapsed {duration(obligation.elapsed_seconds)} of {duration(obligation.target_seconds)}: {verdict}"
    )
    return f"Counted {told} = {elapsed}" if told else elapsed.capitalize()


def signed(value: int) -> str:
    """'+3', '−1', '0': what a movement or a difference adds."""
    return f"{'+' if value > 0 else '−'}{abs(value)}" if value else "0"


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


def known_until(source: SourceStatus, time_zone: str = "UTC") -> str:
    """'south 2026-06-20 09:00:00 UTC, lags behind the others'; a source without rows is known until '–'."""
    told = f"{source.source} {instant(source.known_until, time_zone)}"
    return f"{told}, lags behind the others" if source.is_lagging else told


def freshness(status: BuildStatus, time_zone: str = "UTC") -> str:
    """The line that heads every page: up to when the data is known (for each source where they differ), when it was built, its
    checks, and what could not be read or judged."""
    known = {source.known_until for source in status.sources}
    if len(known) == 1:
        parts = [f"Data known until {instant(known.pop(), time_zone)}"]
    else:
        sources = ", ".join(known_until(source, time_zone) for source in status.sources)
        parts = [f"Data known until: {sources or '–'}"]
    passed = [check for check in status.checks if check.status == "passed"]
    parts += [
        f"as of {instant(status.as_of, time_zone)}",
        f"built {instant(status.published_at, time_zone)}",
        f"checks: {len(passed)} passed, {len(status.checks) - len(passed)} warned",
        *(
            f"{one.affected_count} of {one.whole_count} {noun} {verb.lower()}"
            for what, (verb, noun) in _UNJUDGED.items()
            for one in status.unjudged
            if one.what == what and one.cause is None
        ),
    ]
    return " · ".join(parts)


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


def month_of(point: TrendPoint) -> str:
    """'July 2026, still running'."""
    return f"{month_name(point.month)}{', still running' if point.is_partial else ''}"


def last_complete(months: Sequence[TrendPoint]) -> str:
    """The last month of a trend that has ended everywhere; the last one where none has."""
    return next((each.month for each in reversed(months) if not each.is_partial), months[-1].month)


def words(name: str | None) -> str:
    """A vocabulary word as prose: 'first_response' as 'first response'."""
    return "–" if name is None else name.replace("_", " ")


def reason(label: str | None, code: str | None, could_be: str | None = None) -> str:
    """Why a status is what it is: 'The source carries no evidence of pauses (could be met or breached)'."""
    told = label or words(code)
    return f"{told} ({_COULD_BE[could_be]})" if could_be else told


def supply(kind: str | None, supply_id: str | None) -> str:
    """The supply that pays a unit, in words: 'term S-1' for what it includes, 'pack P-1', or a dash."""
    if kind is None or supply_id is None:
        return "–"
    return f"pack {supply_id}" if kind == "purchase" else f"{kind} {supply_id}"


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


def untranslated_locales(found: Sequence[UntranslatedLocale]) -> tuple[str, ...]:
    """One sentence for locales of reference/customers.csv whose language reports have no words for; nothing without any."""
    if not found:
        return ()
    named = ", ".join(
        f"{one.locale} ({one.customer_count} customer{'' if one.customer_count == 1 else 's'})"
        for one in found
    )
    return (f"Reports are written in English for locales without a translation: {named}.",)


def describe_state(status: BuildStatus) -> tuple[str, ...]:
    """What a run, the status and the pages say last of what the figures rest on."""
    return (
        *wall_times(status.sources),
        *unseen_names(status.unseen_names),
        *untranslated_locales(status.untranslated_locales),
        *unjudged(status.unjudged),
    )


def describe_closed_months(closed: Sequence[ClosedMonth]) -> tuple[str, ...]:
    """What is said beside figures of closed months: that they no longer change, and how many corrections stand beside them."""
    if not closed:
        return ()
    corrected = tuple(corrections_since(each.month, each.corrections) for each in closed if each.corrections)
    return (f"Closed, as on record: {_runs_of_months([each.month for each in closed])}.", *corrected)


def corrections_since(month: str, count: int) -> str:
    """'2026-05: 2 corrections since it was closed.'"""
    return f"{month}: {count} correction{'s' if count != 1 else ''} since it was closed."


def _runs_of_months(months: Sequence[str]) -> str:
    """'2026-01, 2026-03 to 2026-05'."""
    runs: list[list[str]] = []
    for month in months:
        if runs and _count_months(month) == _count_months(runs[-1][-1]) + 1:
            runs[-1].append(month)
        else:
            runs.append([month])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def _count_months(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:])


def severities(levels: tuple[int, ...]) -> str:
    """'severity 5', 'severities 1–4', 'severities 1, 3'."""
    return f"{'severity' if len(levels) == 1 else 'severities'} {level_range(levels)}"


def level_range(levels: tuple[int, ...]) -> str:
    """'5', '1–4', '1, 3'."""
    is_run = len(levels) > 2 and levels == tuple(range(levels[0], levels[-1] + 1))
    return f"{levels[0]}–{levels[-1]}" if is_run else ", ".join(map(str, levels))


def day(value: date | None) -> str:
    return "–" if value is None else value.isoformat()
