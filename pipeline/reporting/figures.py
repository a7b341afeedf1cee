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
from pipeline.reporting.tickets import AT_RISK_FROM, Obligation

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

# The bands of running promises, the most pressing first: the step that they have reached.
BANDS = (*map(str, reversed(AT_RISK_FROM)), "0")


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
    undecided = (
        [language.say("undecided", "figures", count=language.whole(ratio.undecided))]
        if ratio.undecided
        else []
    )
    return ", ".join(known + undecided)


def change_on(now: Ratio, before: Ratio, month: str, language: Language = TERMINAL) -> str:
    """'+1.2 points on May 2026 (93.5 %)'; without points where a side has few or only bounds: 'May 2026: 2 of 2'."""
    name = language.month(month)
    if not before.denominator and not before.undecided:
        return language.say("nothing_counted", "figures", month=name)
    change = None if has_few(now) or has_few(before) else signed_points(now, before, language)
    if change is None:
        return language.say("rate_of_month", "figures", month=name, rate=rate_or_count(before, language))
    if now.value == before.value:
        return language.say("no_change", "figures", month=name)
    points = language.say("points", value=change)
    return language.say("change", "figures", points=points, month=name, rate=percent_alone(before, language))


def chance(ratio: float, language: Language = TERMINAL) -> str:
    """An estimated chance or share, already rounded where it was made: '95.3 %'."""
    return language.say("percent", value=language.tenths(round(ratio * 1000)))


def band(step: str, language: Language = TERMINAL) -> str:
    """One of `BANDS` in words: 'over 75 % used', 'under 50 % used'."""
    key, told = ("over_step", step) if step != "0" else ("under_step", str(AT_RISK_FROM[0]))
    return language.say(key, "figures", step=told)


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


def risk(used: Ratio | None, language: Language = TERMINAL) -> str | None:
    """How near its target a running promise is: 'over 75 % used', or None below the lowest step."""
    step = risk_step(used)
    return band(str(step), language) if step else None


def risk_step(used: Ratio | None) -> int | None:
    """The highest step of `AT_RISK_FROM`, in percent of the target, that a running promise has reached; None below the lowest."""
    if used is None or not used.denominator:
        return None
    passed = [step for step in AT_RISK_FROM if used.numerator * 100 >= step * used.denominator]
    return passed[-1] if passed else None


def targets(promised: Collection[tuple[int, str]], language: Language = TERMINAL) -> str | None:
    """What a promise's (seconds, clock) pairs say: 'target 2 h on clock always'; of several the shortest and the longest; None
    where there are none."""
    ordered = sorted(promised)
    if not ordered:
        return None
    shortest, longest = duration(ordered[0][0]), duration(ordered[-1][0])
    if len(ordered) == 1:
        return language.say("target", "figures", target=shortest, clock=language.word(ordered[0][1]))
    if shortest == longest:
        return language.say(
            "target_on_clocks", "figures", target=shortest, count=language.whole(len(ordered))
        )
    return language.say("targets", "figures", shortest=shortest, longest=longest)


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


def sum_of_verdict(obligation: Obligation, counted: Sequence[int], language: Language = TERMINAL) -> str:
    """The sum behind a verdict: 'Counted 8 h + 16 h 01 s = elapsed 24 h 01 s of 24 h: over by 1 s'. `counted` are the seconds of
    each segment, which sum to the elapsed time; many of them are told by their number."""
    parts = [seconds for seconds in counted if seconds]
    told = " + ".join(map(duration, parts[:_SHOWN_PARTS]))
    if len(parts) > _SHOWN_PARTS:
        told = language.count("intervals", len(parts), "figures")
    left = obligation.remaining_seconds
    if obligation.over_by_seconds is not None:
        verdict = language.say("over_by", "figures", duration=duration(obligation.over_by_seconds))
    elif left is None:
        verdict = language.say("no_time_left", "figures")
    else:
        verdict = language.say("left", "figures", duration=duration(left))
    return language.say(
        "counted" if told else "elapsed",
        "figures",
        **({"parts": told} if told else {}),
        elapsed=duration(obligation.elapsed_seconds),
        target=duration(obligation.target_seconds),
        verdict=verdict,
    )


def signed(value: int) -> str:
    """'+3', '−1', '0': what a movement or a difference adds."""
    return f"{'+' if value > 0 else '−'}{abs(value)}" if value else "0"


def quantity(
    number: int | None,
    *,
    is_unlimited: bool = False,
    is_stated: bool = True,
    language: Language = TERMINAL,
) -> str:
    """A number of tickets, or one of the two answers that are not numbers."""
    if is_unlimited:
        return language.say("unlimited", "figures")
    if not is_stated or number is None:
        return language.say("not_stated", "figures")
    return str(number)


def instant(moment: datetime | None, time_zone: str = "UTC") -> str:
    """'2026-07-03 16:05:09 +02:00' in a named zone, '… UTC' in UTC: no time stands without its zone."""
    return TERMINAL.instant(moment, time_zone)


def known_until(source: SourceStatus, time_zone: str = "UTC", language: Language = TERMINAL) -> str:
    """'south 2026-06-20 09:00:00 UTC, lags behind the others'; a source without rows is known until '–'."""
    told = f"{source.source} {language.instant(source.known_until, time_zone)}"
    return language.say("lagging", "figures", source=told) if source.is_lagging else told


def freshness(status: BuildStatus, time_zone: str = "UTC", language: Language = TERMINAL) -> str:
    """The line that heads every page: up to when the data is known (for each source where they differ), when it was built, its
    checks, and what could not be read or judged."""
    known = {source.known_until for source in status.sources}
    if len(known) == 1:
        parts = [language.say("known_until", "figures", instant=language.instant(known.pop(), time_zone))]
    else:
        sources = ", ".join(known_until(source, time_zone, language) for source in status.sources)
        parts = [language.say("known_until_each", "figures", sources=sources or "–")]
    passed = sum(check.status == "passed" for check in status.checks)
    parts += [
        language.say("as_of", "figures", instant=language.instant(status.as_of, time_zone)),
        language.say("built", "figures", instant=language.instant(status.published_at, time_zone)),
        language.say(
            "checks",
            "figures",
            passed=language.whole(passed),
            warned=language.whole(len(status.checks) - passed),
        ),
        *(
            language.say(
                f"{what}_short",
                "figures",
                count=language.whole(one.affected_count),
                whole=language.whole(one.whole_count),
            )
            for what in _UNJUDGED
            for one in status.unjudged
            if one.what == what and one.cause is None
        ),
    ]
    return " · ".join(parts)


def month_name(month: str) -> str:
    """'July 2026' from '2026-07'."""
    return TERMINAL.month(month)


def month_of(point: TrendPoint, language: Language = TERMINAL) -> str:
    """'July 2026, still running'."""
    name = language.month(point.month)
    return language.say("still_running", "figures", month=name) if point.is_partial else name


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


def supply(kind: str | None, supply_id: str | None, language: Language = TERMINAL) -> str:
    """The supply that pays a unit, in words: 'term S-1' for what it includes, 'pack P-1', or a dash."""
    if kind is None or supply_id is None:
        return "–"
    if kind == "purchase":
        return language.say("pack", "figures", id=supply_id)
    if kind == "term":
        return language.say("term", "figures", id=supply_id)
    return f"{language.word(kind)} {supply_id}"


def alert(told: Alert, language: Language = TERMINAL) -> str:
    """An alert in words: 'used beyond the pool', 'used up', '80 % reached', 'likely to run out by
    2026-09-14', 'term ends in 90 days'."""
    if told.pool is None:
        return language.count("term_ends", told.days_left, "figures")
    if told.alert_kind == "likely_to_run_out":
        if told.exhausted_on_mid is None:
            return language.say("likely_to_run_out", "figures")
        return language.say("likely_to_run_out_by", "figures", day=language.day(told.exhausted_on_mid))
    if told.overage_quantity:
        return language.say("used_beyond", "figures")
    consumed = told.consumed
    if consumed is not None and consumed.numerator >= consumed.denominator:
        return language.say("used_up", "figures")
    return language.say("reached", "figures", step=told.threshold_pct)


# What was refused or not judged: records, and tickets. Each is the key of its sentences.
_UNJUDGED = ("record", "ticket")
_SHOWN_CAUSES = 5


def unjudged(found: Sequence[Unjudged], language: Language = TERMINAL) -> tuple[str, ...]:
    """A sentence each for refused records and for tickets that could not be judged, by cause, the largest first:
    'Not judged: 3 of 300 tickets: No plan term covers the day of submission (2); …'.
    """
    told = []
    for what in _UNJUDGED:
        sums = [one for one in found if one.what == what and one.cause is None]
        causes = [
            language.say(
                "cause", "figures", cause=_say_cause(one, language), count=language.whole(one.affected_count)
            )
            for one in found
            if one.what == what and one.cause is not None
        ]
        if len(causes) > _SHOWN_CAUSES:
            rest = len(causes) - _SHOWN_CAUSES
            causes[_SHOWN_CAUSES:] = [language.count("other_causes", rest, "figures")]
        for one in sums:
            count = (
                language.whole(one.affected_count) if one.affected_count else language.say("none", "figures")
            )
            head = language.say(what, "figures", count=count, whole=language.whole(one.whole_count))
            told.append(
                language.say("with_causes", "figures", told=head, causes="; ".join(causes))
                if causes
                else language.say("without_causes", "figures", told=head)
            )
    return tuple(told)


def _say_cause(one: Unjudged, language: Language) -> str:
    cause = language.reason(one.cause_code, one.cause)
    return (
        language.say("of_part", "figures", part=language.word(one.part), cause=cause) if one.part else cause
    )


def unseen_names(found: Sequence[UnseenName], language: Language = TERMINAL) -> tuple[str, ...]:
    """One sentence for what sla.yml names and no record shows, such as a misspelt robot; nothing where all is shown."""
    if not found:
        return ()
    named = [
        f"{one.source} {one.setting}" + ("" if one.setting.startswith("events.") else f" {one.name[:60]!r}")
        for one in found
    ]
    return (language.say("no_record_shows", "figures", names="; ".join(named)),)


def wall_times(found: Sequence[SourceStatus], language: Language = TERMINAL) -> tuple[str, ...]:
    """One sentence that says how times without a zone are read: a zone that exists and is the wrong one shows in nothing else."""
    named = [
        f"{one.source} {one.time_zone}" + (f" ({one.instant_format})" if one.instant_format else "")
        for one in found
        if one.time_zone
    ]
    return (language.say("zones_of_sources", "figures", sources="; ".join(named)),) if named else ()


def untranslated_locales(
    found: Sequence[UntranslatedLocale], language: Language = TERMINAL
) -> tuple[str, ...]:
    """One sentence for locales of reference/customers.csv whose language reports have no words for; nothing without any."""
    if not found:
        return ()
    named = ", ".join(
        language.count("locale", one.customer_count, "figures", locale=one.locale) for one in found
    )
    return (language.say("untranslated", "figures", locales=named),)


def describe_state(status: BuildStatus, language: Language = TERMINAL) -> tuple[str, ...]:
    """What a run, the status and the pages say last of what the figures rest on."""
    return (
        *wall_times(status.sources, language),
        *unseen_names(status.unseen_names, language),
        *untranslated_locales(status.untranslated_locales, language),
        *unjudged(status.unjudged, language),
    )


def describe_closed_months(closed: Sequence[ClosedMonth], language: Language = TERMINAL) -> tuple[str, ...]:
    """What is said beside figures of closed months: that they no longer change, and how many corrections stand beside them."""
    if not closed:
        return ()
    corrected = tuple(
        corrections_since(each.month, each.corrections, language) for each in closed if each.corrections
    )
    runs = _runs_of_months([each.month for each in closed], language)
    return (language.say("closed", "figures", months=runs), *corrected)


def corrections_since(month: str, count: int, language: Language = TERMINAL) -> str:
    """'2026-05: 2 corrections since it was closed.'"""
    return language.count("corrections", count, "figures", month=_name_month(month, language))


def _name_month(month: str, language: Language) -> str:
    # The command line names months as its options take them.
    return month if language is TERMINAL else language.month(month)


def _runs_of_months(months: Sequence[str], language: Language) -> str:
    """'2026-01, 2026-03 to 2026-05'."""
    runs: list[list[str]] = []
    for month in months:
        if runs and _count_months(month) == _count_months(runs[-1][-1]) + 1:
            runs[-1].append(month)
        else:
            runs.append([month])
    named = [(_name_month(run[0], language), _name_month(run[-1], language)) for run in runs]
    return ", ".join(
        first if first == last else language.say("months", "figures", first=first, last=last)
        for first, last in named
    )


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
    return TERMINAL.day(value)
