"""The life of one demo ticket: who did what at which instant, before any export format.

The desk aims at the promises of the three plans, which is why `_AIMS` repeats their targets. That table
decides only how quickly the invented agents answer; every figure is still computed from the plan files.

Instants are whole epoch seconds (UTC). A life is cut at the end of the data: later steps are not known yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from pipeline.demo.cast import AGENTS, ASSISTANT, AUTOMATION, Customer, Person, pick

MINUTE = 60
HOUR = 3600
DAY = 86400
WEEK = 7 * DAY

# The desk's own hours, 06:00-21:00 UTC Monday to Friday.
_OPENS = 6 * HOUR
_OPEN_A_DAY = 15 * HOUR
_OPEN_A_WEEK = 5 * _OPEN_A_DAY
# 1970-01-01 was a Thursday; weeks are counted from the Monday before.
_MONDAY_BEFORE_EPOCH = 3 * DAY


class Aim(NamedTuple):
    """What the desk works towards on one plan: seconds, and whether they run around the clock."""

    regular_seconds: int
    is_regular_always: bool
    critical_seconds: int
    debug_seconds: int
    critical_debug_seconds: int


_AIMS = {
    "standard": Aim(24 * HOUR, False, 8 * HOUR, 72 * HOUR, 72 * HOUR),
    "enhanced": Aim(12 * HOUR, False, 6 * HOUR, 48 * HOUR, 48 * HOUR),
    "premium": Aim(8 * HOUR, True, 2 * HOUR, 24 * HOUR, 8 * HOUR),
}


class Act(NamedTuple):
    """One thing done in a step. `message` has value public|internal; the others are canonical events."""

    kind: str
    value: str = ""


class Step(NamedTuple):
    """What one actor did at one instant."""

    at: int
    actor: Person
    acts: tuple[Act, ...]


class Draft(NamedTuple):
    """A submission before anything happened to it. `staging` is empty, or a name that `live` knows."""

    at: int
    customer_number: int
    serial: int
    channel: str
    severity: int | None
    staging: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket with its whole life up to the end of the data.

    Steps have rising instants; the first one submits it. `late_answer_at` is None unless the desk's first
    answer came too late. `has_history` False = the export lacks its audits.
    """

    ticket_id: str
    number: int
    customer: Customer
    customer_id: str
    organization_id: int | None
    requester: Person
    opener: Person
    channel: str
    severity: int | None
    submitted_at: int
    subject: str
    ticket_type: str
    has_history: bool
    late_answer_at: int | None
    steps: tuple[Step, ...]


SUBJECTS = (
    "Agent stays offline after a reboot", "Job does not start on schedule", "Upload to cloud storage is slow",
    "Question about agent groups", "Files are locked during synchronisation", "Upgrade of the console failed",
    "How do we rotate certificates?", "Disk usage of the tracker grows", "Transfer stops at 99 %",
    "Permissions are lost on the target", "E-mail alerts arrive twice",
    "Feature request: export of job history",
    "High memory use on a Linux agent", "Proxy settings are ignored", "Bandwidth schedule has no effect",
    "Console shows a wrong peer count", "Symbolic links are not followed", "Error “database is locked”",
    "Déploiement d'un nouvel agent", "Übertragung bricht nachts ab", "Job run is stuck in 'indexing'",
    "Renaming a folder starts a full resync", "SSO login loops", "Agents behind NAT can't connect",
)  # fmt: skip
_URGENT_SUBJECTS = (
    "All agents disconnected", "Production job is down at every site", "Console does not start",
    "Data missing on the target after a job",
)  # fmt: skip

_SEVERITIES = (0, 1, 2, 3, 4, 5)
_SEVERITY_WEIGHTS_UP_TO = (0.045, 0.265, 0.525, 0.79, 0.955, 1.0)


def open_seconds_before(instant: int) -> int:
    """Desk-open seconds from the Monday before the epoch to `instant`."""
    weeks, rest = divmod(instant + _MONDAY_BEFORE_EPOCH, WEEK)
    day, second = divmod(rest, DAY)
    if day >= 5:
        return (weeks + 1) * _OPEN_A_WEEK
    return weeks * _OPEN_A_WEEK + day * _OPEN_A_DAY + min(max(second - _OPENS, 0), _OPEN_A_DAY)


def instant_of_open_second(open_seconds: int) -> int:
    """The instant at which so many desk-open seconds have passed; at a closing, the next opening."""
    weeks, rest = divmod(open_seconds, _OPEN_A_WEEK)
    day, second = divmod(rest, _OPEN_A_DAY)
    return weeks * WEEK - _MONDAY_BEFORE_EPOCH + day * DAY + _OPENS + second


def advance(instant: int, seconds: int, is_always: bool) -> int:
    """`instant` moved on by so many seconds of the clock; back in time when `seconds` is negative."""
    if is_always:
        return instant + seconds
    return instant_of_open_second(open_seconds_before(instant) + seconds)


def aim_first_response(plan: str, severity: int | None) -> tuple[int, bool]:
    """Seconds and whether they run around the clock."""
    aim = _AIMS[plan]
    if severity == 5:
        return aim.critical_seconds, True
    return aim.regular_seconds, aim.is_regular_always


def draw_severity(rng: Random) -> int | None:
    """0 to 5 by weight; rarely None, a form sent without one."""
    if rng.random() < 0.004:
        return None
    draw = rng.random()
    return next(
        level for level, limit in zip(_SEVERITIES, _SEVERITY_WEIGHTS_UP_TO, strict=True) if draw < limit
    )


def draw_subject(rng: Random, severity: int | None) -> str:
    if severity == 0:
        return "More debug logs for the open ticket"
    return pick(rng, _URGENT_SUBJECTS if severity == 5 else SUBJECTS)


def live(
    rng: Random,
    draft: Draft,
    requester: Person,
    opener: Person,
    plan: str,
    met_share: float,
    merge_into: str | None,
    ends_at: int,
) -> tuple[tuple[Step, ...], int | None]:
    """Everything that happens to one ticket before `ends_at`, and the instant of its first answer if late.

    `met_share` is the share of answers given in time in that month. `merge_into` names the ticket that this
    one turns out to repeat, None for nearly all.
    """
    chance = rng.random
    agent = pick(rng, AGENTS)
    at = draft.at
    steps = [Step(at, opener, (Act("message", "public"),))]

    def do(instant: float, actor: Person, *acts: Act) -> None:
        steps.append(Step(int(instant), actor, acts))

    def say(instant: float, actor: Person, *acts: Act) -> None:
        do(instant, actor, Act("message", "public"), *acts)

    if chance() < 0.85:
        say(at + 2 + int(chance() * 9), ASSISTANT if chance() < 0.5 else AUTOMATION)

    if draft.staging == "unanswered":
        if chance() < 0.5:
            do(
                at + 20 * MINUTE + chance() * HOUR,
                agent,
                Act("status_changed", "open"),
                Act("message", "internal"),
            )
        return _finish(steps, ends_at), None
    fate = chance()
    if merge_into is not None:
        say(
            at + (0.2 + 6 * chance()) * HOUR,
            agent,
            Act("merged", merge_into),
            Act("status_changed", "closed"),
        )
        return _finish(steps, ends_at), None
    if fate < 0.005:
        do(at + (0.1 + 2 * chance()) * HOUR, agent, Act("deleted"))
        return _finish(steps, ends_at), None
    if fate < 0.010:
        # Dealt with by telephone: a note and a solved ticket, but never an answer on record.
        do(at + (1 + 5 * chance()) * HOUR, agent, Act("message", "internal"), Act("status_changed", "solved"))
        do(steps[-1].at + 4 * DAY, AUTOMATION, Act("status_changed", "closed"))
        return _finish(steps, ends_at), None

    answered_at, is_late, severity = _answer(rng, draft, plan, met_share, opener, steps, agent)
    is_waiting_for_customer = chance() < 0.5
    say(answered_at, agent, Act("status_changed", "pending" if is_waiting_for_customer else "open"))
    now = float(answered_at)

    if severity != 0:
        for _ in range(int(chance() * 3.2)):
            now += (0.3 + 30 * chance() * chance()) * HOUR
            say(now, requester, *([Act("status_changed", "open")] if is_waiting_for_customer else []))
            now = advance(int(now), int((0.2 + 9 * chance()) * HOUR), plan == "premium")
            is_waiting_for_customer = chance() < 0.6
            say(now, agent, *([Act("status_changed", "pending")] if is_waiting_for_customer else []))
        if chance() < (0.3 if severity in (4, 5) else 0.12):
            now = _analyse(
                rng, now, requester, agent, plan, severity, met_share, is_waiting_for_customer, say
            )
            is_waiting_for_customer = True
        if chance() < 0.08:
            now += (1 + 4 * chance()) * HOUR
            do(now, agent, Act("message", "internal"), Act("status_changed", "on_hold"))
            now += (1 + 9 * chance()) * DAY
            do(now, agent, Act("status_changed", "open"))
    now += (0.5 + 60 * chance() * chance()) * HOUR
    say(now, agent, Act("status_changed", "solved"))
    if chance() < 0.06:
        now += (2 + 60 * chance()) * HOUR
        say(now, requester, Act("status_changed", "open"))
        now = advance(int(now), int((0.5 + 10 * chance()) * HOUR), plan == "premium")
        say(now, agent, Act("status_changed", "pending"))
        now += (4 + 40 * chance()) * HOUR
        do(now, agent, Act("status_changed", "solved"))
    if severity not in (0, 1) and chance() < 0.10:
        # Engineering decides days or months later, often in another term than the ticket's own.
        now += (1 + 260 * chance() * chance()) * DAY
        do(now, agent, Act("bug_confirmed"))
        if chance() < 0.2:
            now += (1 + 20 * chance()) * DAY
            do(now, agent, Act("bug_rejected"))
            if chance() < 0.6:
                now += (1 + 20 * chance()) * DAY
                do(now, agent, Act("bug_confirmed"))
    do(now + 4 * DAY, AUTOMATION, Act("status_changed", "closed"))
    return _finish(steps, ends_at), answered_at if is_late else None


def _answer(
    rng: Random, draft: Draft, plan: str, met_share: float, opener: Person, steps: list[Step], agent: Person
) -> tuple[int, bool, int | None]:
    """Append what precedes the first answer; give its instant, whether it is late, the severity by then."""
    chance = rng.random
    at, severity = draft.at, draft.severity
    target, is_always = aim_first_response(plan, severity)
    is_late = chance() >= met_share
    if is_late:
        share = 1.03 + rng.expovariate(2.2)
    elif chance() < 0.004:
        share = 1.0  # exactly on target
    else:
        share = 0.03 + 0.95 * chance() ** 1.7
    if draft.channel == "email":
        # No promise holds for e-mail, and the desk takes its time.
        share *= 2.5
        is_late = False
    answered_at = advance(at, max(int(target * share), 45), is_always)

    if chance() < 0.06 and severity:
        changed_at = at + int((answered_at - at) * (0.1 + 0.6 * chance()))
        if severity == 1 or (severity < 5 and chance() < 0.6):
            severity = 5 if severity == 4 or chance() < 0.4 else severity + 1
            new_target, is_new_always = aim_first_response(plan, severity)
            due = min(advance(at, target, is_always), advance(changed_at, new_target, is_new_always))
            if is_late:
                answered_at = max(answered_at, due + int(new_target * (share - 1)))
            elif answered_at > due:
                answered_at = changed_at + 1 + int((due - changed_at - 1) * chance())
        else:
            severity -= 1
        # Sometimes the requester corrects the form, sometimes the desk does.
        who = agent if chance() < 0.6 else opener
        steps.append(Step(changed_at, who, (Act("severity_changed", str(severity)),)))
    if chance() < 0.3:
        noted_at = at + int((answered_at - at) * (0.1 + 0.8 * chance()))
        acts = [Act("message", "internal")] if chance() < 0.6 else []
        steps.append(Step(noted_at, agent, (Act("status_changed", "open"), *acts)))
    return answered_at, is_late, severity


def _analyse(
    rng: Random,
    now: float,
    requester: Person,
    agent: Person,
    plan: str,
    severity: int | None,
    met_share: float,
    is_waiting_for_customer: bool,
    say: Callable[..., None],
) -> float:
    """Logs asked for and received, perhaps a question, the analysis delivered. Gives the last instant."""
    chance = rng.random
    aim = _AIMS[plan]
    seconds = aim.critical_debug_seconds if severity == 5 else aim.debug_seconds
    is_always = plan == "premium"
    if not is_waiting_for_customer:
        now += (0.2 + 2 * chance()) * HOUR
        say(now, agent, Act("status_changed", "pending"))
    now += (0.5 + 40 * chance() * chance()) * HOUR
    asked = [Act("debug_requested")] if chance() < 0.25 else []
    say(now, requester, *asked, Act("debug_logs_received"), Act("status_changed", "open"))
    share = 1.04 + rng.expovariate(3) if chance() >= met_share - 0.02 else 0.1 + 0.88 * chance()
    spent_before_question = 0.0
    if chance() < 0.3:
        spent_before_question = share * (0.2 + 0.5 * chance())
        now = advance(int(now), int(seconds * spent_before_question), is_always)
        say(now, agent, Act("status_changed", "pending"))
        now += (1 + 50 * chance()) * HOUR
        say(now, requester, Act("status_changed", "open"))
    now = advance(int(now), int(seconds * (share - spent_before_question)), is_always)
    say(now, agent, Act("debug_delivered"), Act("status_changed", "pending"))
    return now + HOUR


def _finish(steps: list[Step], ends_at: int) -> tuple[Step, ...]:
    """In order of time, one instant a step, nothing from `ends_at` on, no status set that holds already."""
    finished: list[Step] = []
    latest = -1
    status = "new"
    for step in sorted(steps, key=_instant):
        at = max(step.at, latest + 1)
        if at >= ends_at:
            break
        acts = []
        for act in step.acts:
            if act.kind == "status_changed":
                if act.value == status:
                    continue
                status = act.value
            acts.append(act)
        if acts:
            finished.append(Step(at, step.actor, tuple(acts)))
            latest = at
    return tuple(finished)


def _instant(step: Step) -> int:
    return step.at
