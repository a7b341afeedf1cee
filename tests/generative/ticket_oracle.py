"""A second judge of a whole ticket, from the words of semantics.md and the decision log: plain Python, one ticket at a time.

It shares no code with the models or the pipeline. It reads plans as the mapping that a plan file holds, calendars through the
minute walk of `oracle.py`, and instants as whole seconds since 1970 UTC. Meant to be read, not to be fast.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tests.generative.oracle import MINUTE, Oracle, read_zone, to_instant

CANCELLED = "status:cancelled"
ENDS = {"merged": "ticket_merged", "deleted": "ticket_deleted", CANCELLED: "cancelled"}
FINISHED = ("status:solved", "status:closed")
CORRECTION_SECONDS = 7 * 86_400
ANSWERS = frozenset({"agent_message", "ai_message"})
NOT_MEASURABLE = ("unknown_severity", "stop_before_start")
OPEN_END = 1 << 40


@dataclass(frozen=True)
class Event:
    """One line of a canonical export of events."""

    event_id: str
    at: int
    event_type: str
    actor_kind: str = ""
    actor: str = ""
    is_public: bool | None = None
    value: str = ""


@dataclass(frozen=True)
class Ticket:
    """A ticket of a canonical export, and its events. `customer_id` is the one at the submission.

    `records` are later lines of the ticket: (when it was written, the customer that it names).
    """

    ticket_id: str
    customer_id: str
    requester: str
    channel: str
    severity: str
    submitted_at: int
    events: tuple[Event, ...] = ()
    records: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Term:
    """One subscription term; days of the plan's time zone, the last one not included."""

    subscription_id: str
    customer_id: str
    plan: str
    starts_on: str
    ends_on: str
    license_type: str = "paid"
    license_status: str = "active"


@dataclass(frozen=True)
class Licence:
    """A dated status of a term's licence, in days of the plan's time zone, the last one not included."""

    subscription_id: str
    license_status: str
    valid_from: str
    valid_to: str


@dataclass(frozen=True)
class Waiver:
    waiver_id: str
    ticket_id: str
    obligation: str
    approved_at: int
    expires_at: int | None = None
    valid_from: int | None = None
    cycle_number: int | None = None


@dataclass(frozen=True)
class Verdict:
    """One obligation row, in the words of core.fct_sla_obligations. Instants are seconds since 1970."""

    ticket_id: str
    obligation: str
    cycle_number: int
    status: str
    status_reason: str | None
    status_before_waiver: str
    status_as_submitted: str
    status_by_humans: str | None
    status_with_ai: str | None
    severity_in_force: int | None
    elapsed_seconds: int | None
    due_at: int | None
    breached_at: int | None
    settled_month: str | None

    @property
    def key(self) -> tuple[str, str, int]:
        return self.ticket_id, self.obligation, self.cycle_number


class Clock:
    """Open seconds of one calendar, added up minute by minute from `first` to `last`; None is open always."""

    def __init__(self, calendar: Mapping[str, Any] | None, first: int, last: int) -> None:
        self.first = first // MINUTE * MINUTE
        minutes = range(self.first // MINUTE, last // MINUTE)
        walker = None if calendar is None else Oracle(calendar, first, last)
        self.is_open = [walker is None or walker.is_open(minute * MINUTE) for minute in minutes]
        self.before = [0]
        for is_open in self.is_open:
            self.before.append(self.before[-1] + MINUTE * is_open)

    def count(self, start: int, end: int) -> int:
        """Open seconds from start to end."""
        return self._until(end) - self._until(start) if end > start else 0

    def find(self, start: int, end: int, seconds: int) -> int:
        """The earliest instant in (start, end] with `seconds` (at least one) open seconds since `start`."""
        low, high = start, end
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.count(start, middle) >= seconds else (middle, high)
        return high

    def _until(self, second: int) -> int:
        minute, rest = divmod(second - self.first, MINUTE)
        return self.before[minute] + (rest if rest and self.is_open[minute] else 0)


@dataclass(frozen=True)
class Moment:
    """What an event stands for. Within a second: the submission, then by the numbers at the end of the ids."""

    at: int
    event_id: str
    name: str
    value: str = ""

    @property
    def order(self) -> tuple[int, int]:
        return self.at, int(self.event_id.rpartition("-")[2]) if self.event_id else -1


@dataclass
class Cycle:
    """One run of a promise: from its start to its stop; `gaps` lie between a stop and the moment that resumed it."""

    start: Moment
    stop: Moment | None = None
    gaps: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Leg:
    """One deadline: so many seconds on a clock from an instant on. Its level came into force at `holds_from`."""

    counts_from: int
    target: int
    clock: Clock
    holds_from: int


@dataclass(frozen=True)
class Reading:
    """What the clocks show for one run. `read_until` is the stop, the end of the ticket or as_of."""

    status: str
    elapsed: int
    due_at: int
    breached_at: int | None


class TicketOracle:
    """Judges tickets under plans, calendars, terms, licences and waivers, with what is known at `as_of`."""

    def __init__(
        self,
        plans: Sequence[Mapping[str, Any]],
        calendars: Mapping[str, Mapping[str, Any]],
        terms: Sequence[Term],
        customers: Sequence[str],
        as_of: int,
        horizon: tuple[int, int],
        licences: Sequence[Licence] = (),
    ) -> None:
        self.plans = {plan["plan"]: plan for plan in plans}
        self.clocks = {name: Clock(calendar, *horizon) for name, calendar in calendars.items()}
        self.clocks["always"] = Clock(None, *horizon)
        self.horizon_end = horizon[1] - MINUTE
        # Every promise that any plan declares has a row on every ticket, if only to say that it was not made here.
        every = (
            o["obligation"] for plan in plans for version in plan["versions"] for o in version["obligations"]
        )
        self.obligations = sorted(set(every))
        self.terms, self.customers, self.as_of, self.licences = terms, customers, as_of, licences

    def judge(self, ticket: Ticket, waivers: Sequence[Waiver] = ()) -> list[Verdict]:
        """Every obligation row of the ticket; none when it was submitted after as_of."""
        if ticket.submitted_at > self.as_of:
            return []
        exclusion, version = self._find_version(ticket)
        moments, end = self._list_moments(ticket)
        rows: list[Verdict] = []
        promised = {one["obligation"]: one for one in version["obligations"]} if version else {}
        for name in self.obligations:
            obligation = promised.get(name)
            cycles: list[Cycle | None] = []
            if obligation and not exclusion:
                is_awaited = _is_first_response(obligation) and _is_opened_by_vendor(ticket)
                cycles = list(_run(obligation, _await_customer(moments) if is_awaited else moments))
            for number, cycle in enumerate(cycles or [None], 1):
                row = self._judge_cycle(
                    ticket, name, number, version, obligation, cycle, moments, end, exclusion
                )
                if obligation and cycle and (other := _run_otherwise(obligation, cycle, moments)):
                    beside = self._judge_cycle(
                        ticket, name, number, version, obligation, other, moments, end, exclusion
                    )
                    # The plan's own verdict is the one with the AI where the plan lets an AI stop the promise.
                    both = (beside, row) if "ai_message" in obligation["stops_on"] else (row, beside)
                    humans, with_ai = (one.status for one in both)
                    row = replace(row, status_by_humans=humans, status_with_ai=with_ai)
                rows.append(self._waive(row, ticket, waivers))
        return rows

    # --- which promise applies -----------------------------------------------------------------------------------

    def _find_version(self, ticket: Ticket) -> tuple[str | None, Mapping[str, Any] | None]:
        """Why no promise applies (the first reason in the seed's order), and the plan version at submission."""
        customer = self._find_customer(ticket)
        if customer not in self.customers:
            return "unknown_customer", None
        own = [term for term in self.terms if term.customer_id == customer]
        if any(_overlap(one, other) for one in own for other in own if one is not other):
            # What was agreed is not known, so nothing was, on any day.
            return "contract_contradicts", None
        for term in own:
            # The term before, if it ended on that day, says when this one begins: in its own zone.
            before = next(
                (other for other in own if other.ends_on == term.starts_on),
                term,
            )
            begin = _midnight(term.starts_on, self._version_of(before.plan, None)["time_zone"])
            end = _midnight(term.ends_on, self._version_of(term.plan, None)["time_zone"])
            if begin <= ticket.submitted_at < end:
                break
        else:
            return "no_plan_term", None
        version = self._version_of(term.plan, ticket.submitted_at)
        licence = version.get("license", {})
        status = self._find_license_status(term, version["time_zone"], ticket.submitted_at)
        if status != licence.get("required_status", status):
            return "no_active_license", version
        if term.license_type in licence.get("types_not_counted", []):
            return "no_active_license", version
        channels = version.get("channels")
        if channels and ticket.channel:
            default = channels["default_supported"] and ticket.channel not in channels.get("unsupported", [])
            if not default and ticket.channel not in channels.get("supported", []):
                return "unsupported_channel", version
        return None, version

    def _find_customer(self, ticket: Ticket) -> str:
        """The customer of the last record within seven days of the submission that names one, else of the first after."""
        records = [(ticket.submitted_at, ticket.customer_id), *sorted(ticket.records)]
        named = [(at, customer) for at, customer in records if customer and at <= self.as_of]
        early = [customer for at, customer in named if at <= ticket.submitted_at + CORRECTION_SECONDS]
        return early[-1] if early else named[0][1] if named else ""

    def _find_license_status(self, term: Term, zone: str, at: int) -> str:
        for licence in self.licences:
            is_named = licence.subscription_id == term.subscription_id
            if is_named and _midnight(licence.valid_from, zone) <= at < _midnight(licence.valid_to, zone):
                return licence.license_status
        return term.license_status

    def _version_of(self, plan: str, at: int | None) -> Mapping[str, Any]:
        for version in self.plans[plan]["versions"]:
            zone = version["time_zone"]
            begin = _midnight(version["valid_from"], zone)
            end = _midnight(version["valid_to"], zone) if "valid_to" in version else OPEN_END
            if at is None or begin <= at < end:
                return version
        raise AssertionError(f"{plan} has no version at {at}: such histories are not generated")

    # --- what happened -------------------------------------------------------------------------------------------

    def _list_moments(self, ticket: Ticket) -> tuple[list[Moment], Moment | None]:
        """The moments known at as_of in order, up to the one that ended the ticket, which is given beside them."""
        found = [self._moment(ticket.submitted_at, "", "submitted")]
        for event in {event.event_id: event for event in ticket.events}.values():
            if event.at <= self.as_of:
                found.append(self._moment(event.at, event.event_id, _name(event, ticket), event.value))
        found.sort(key=lambda moment: moment.order)
        before = ""
        # A cancellation that is taken back leaves no trace.
        for moment in [one for one in found if one.name.startswith("status:") and one.name != CANCELLED]:
            if before in FINISHED and moment.name not in FINISHED:
                found.append(self._moment(moment.at, moment.event_id, "reopened"))
            before = moment.name
        # A reopening has the order of its status; sorting keeps it behind that, and before whatever comes next.
        found.sort(key=lambda moment: moment.order)
        end = next(
            (
                one
                for one in found
                if one.name in ENDS and not any(_takes_back(later, one) for later in found)
            ),
            None,
        )
        return [moment for moment in found if end is None or moment.order < end.order], end

    def _moment(self, at: int, event_id: str, name: str, value: str = "") -> Moment:
        return Moment(at, event_id, name, value)

    # --- the verdict ---------------------------------------------------------------------------------------------

    def _judge_cycle(
        self,
        ticket: Ticket,
        name: str,
        number: int,
        version: Mapping[str, Any] | None,
        obligation: Mapping[str, Any] | None,
        cycle: Cycle | None,
        moments: Sequence[Moment],
        end: Moment | None,
        exclusion: str | None,
    ) -> Verdict:
        named = [moment for moment in moments if moment.name == "severity_changed"]
        submitted = int(ticket.severity) if ticket.severity in set("012345") else None
        if submitted is None and named:
            # The first level that the ticket is given is the submitted one, and no change.
            submitted = int(named.pop(0).value)
        zone = "UTC" if version is None else version["time_zone"]
        stop = cycle.stop if cycle else None
        level, changes = submitted, []
        for moment in named:
            if cycle is None or moment.order < cycle.start.order:
                level = int(moment.value)
            elif stop is None or moment.order < stop.order:
                changes.append((moment.at, int(moment.value)))
        in_force = changes[-1][1] if changes else level
        row = Verdict(
            ticket.ticket_id,
            name,
            number,
            status="not_covered",
            status_reason=exclusion,
            status_before_waiver="not_covered",
            status_as_submitted="not_covered",
            status_by_humans=None,
            status_with_ai=None,
            severity_in_force=in_force,
            elapsed_seconds=None,
            due_at=None,
            breached_at=None,
            settled_month=_month(ticket.submitted_at, zone),
        )
        if exclusion is not None or version is None:
            return row
        if obligation is None:
            return replace(row, status_reason="no_such_promise")
        doubt: str | None = None
        if cycle is None and _is_first_response(obligation) and _is_opened_by_vendor(ticket):
            doubt = "opened_by_vendor"
        elif cycle is None:
            doubt = "not_started"
        elif not cycle.start.event_id and _is_stopped_early(obligation, ticket):
            doubt = "stop_before_start"
        reading = self._judge_levels(version, obligation, cycle, moments, end, level, changes, doubt)
        as_submitted = self._judge_levels(version, obligation, cycle, moments, end, submitted, [], doubt)
        row = replace(row, **self._describe(reading, stop, zone))
        status = self._describe(as_submitted, stop, zone)["status"]
        return replace(row, status_before_waiver=row.status, status_as_submitted=status)

    def _describe(self, reading: Reading | str, stop: Moment | None, zone: str) -> dict[str, Any]:
        """The columns that say what the clocks showed. Without a verdict the row stays settled at submission."""
        if isinstance(reading, str):
            status = "not_measurable" if reading in NOT_MEASURABLE else "not_covered"
            return {"status": status, "status_reason": reading}
        if reading.status in ENDS.values():
            return {"status": "not_covered", "status_reason": reading.status, "due_at": reading.due_at}
        settled = {"met": stop.at if stop else None, "breached": reading.breached_at}.get(reading.status)
        return {
            "status": reading.status,
            "elapsed_seconds": reading.elapsed,
            "due_at": reading.due_at,
            "breached_at": reading.breached_at,
            "settled_month": None if settled is None else _month(settled, zone),
        }

    def _judge_levels(
        self,
        version: Mapping[str, Any],
        obligation: Mapping[str, Any],
        cycle: Cycle | None,
        moments: Sequence[Moment],
        end: Moment | None,
        level: int | None,
        changes: Sequence[tuple[int, int]],
        doubt: str | None,
    ) -> Reading | str:
        """What the clocks show, or the reason why nothing was promised or nothing can be said."""
        if cycle is None or doubt:
            assert doubt is not None
            # Nothing is doubtful about what was not promised.
            last = changes[-1][1] if changes else level
            lack = self._name_lack(version, obligation, last) if doubt in NOT_MEASURABLE else None
            return lack or doubt
        start = cycle.start.at
        read_until = cycle.stop.at if cycle.stop else end.at if end else self.as_of
        still = [*cycle.gaps, *_list_pauses(obligation, moments, read_until)]
        legs = self._add_leg(obligation, level, start, start)
        for at, new in changes:
            assert level is not None
            if new != level:
                policy = version["severity_change"]["raised" if new > level else "lowered"]
                if policy == "adds":
                    legs = legs + self._add_leg(obligation, new, at, at)
                else:
                    assert policy == "replaces"
                    # A deadline that was missed while its level was in force stays missed.
                    legs = [leg for leg in legs if self._is_missed_before(leg, still, at)]
                    legs += self._add_leg(obligation, new, start, at)
            level = new
        if not legs:
            return self._name_lack(version, obligation, level) or "unknown_severity"
        reading = self._read(legs, still, read_until, cycle.stop is not None)
        if reading.status == "pending" and end is not None:
            return replace(reading, status=ENDS[end.name])
        return reading

    def _name_lack(
        self, version: Mapping[str, Any], obligation: Mapping[str, Any], level: int | None
    ) -> str | None:
        """Why the plan promises nothing for the level; None where it does, or where no level is known."""
        if level is None or self._add_leg(obligation, level, 0, 0):
            return None
        return "no_such_promise" if version["severities"][level]["is_covered"] else "severity_not_covered"

    def _is_missed_before(self, leg: Leg, still: Sequence[tuple[int, int]], at: int) -> bool:
        return leg.holds_from < at and _elapsed(leg, still, at - 1) > leg.target

    def _add_leg(
        self, obligation: Mapping[str, Any], level: int | None, counts_from: int, holds_from: int
    ) -> list[Leg]:
        for promise in obligation["promises"]:
            if level in promise["severities"]:
                clock = self.clocks[promise["clock"]]
                return [Leg(counts_from, _seconds(promise["target"]), clock, holds_from)]
        return []

    def _read(
        self, legs: Sequence[Leg], still: Sequence[tuple[int, int]], read_until: int, is_stopped: bool
    ) -> Reading:
        """Of the deadlines missed, the one missed first decides; without any, the one that is due first.

        What stands still takes no time on any clock.
        """
        dues = [(self._reach(leg, still, leg.target), leg) for leg in legs]
        missed = [leg for leg in legs if _elapsed(leg, still, read_until) > leg.target]
        if not missed:
            due_at, leg = min(dues, key=lambda one: one[0])
            status = "met" if is_stopped else "pending"
            return Reading(status, _elapsed(leg, still, read_until), due_at, None)
        misses = [(self._reach(leg, still, leg.target + 1), due, leg) for due, leg in dues if leg in missed]
        breached_at, due_at, leg = min(misses, key=lambda one: one[:2])
        return Reading("breached", _elapsed(leg, still, read_until), due_at, breached_at)

    def _reach(self, leg: Leg, still: Sequence[tuple[int, int]], seconds: int) -> int:
        for begin, finish in _running(leg.counts_from, self.horizon_end, still):
            counted = leg.clock.count(begin, finish)
            if counted >= seconds:
                return leg.clock.find(begin, finish, seconds)
            seconds -= counted
        raise AssertionError("the horizon of the oracle is too near")

    def _waive(self, row: Verdict, ticket: Ticket, waivers: Sequence[Waiver]) -> Verdict:
        """An approved waiver forgives the breaches in its window, and changes nothing else."""
        if row.status != "breached":
            return row
        assert row.breached_at is not None
        for waiver in waivers:
            if (waiver.ticket_id, waiver.obligation) != (ticket.ticket_id, row.obligation):
                continue
            if waiver.cycle_number not in (None, row.cycle_number):
                continue
            opens = ticket.submitted_at if waiver.valid_from is None else waiver.valid_from
            closes = waiver.approved_at if waiver.expires_at is None else waiver.expires_at
            if waiver.approved_at <= self.as_of and opens <= row.breached_at < closes:
                return replace(row, status="waived", status_reason="waiver")
        return row


def _is_first_response(obligation: Mapping[str, Any]) -> bool:
    """The promise of an answer to the submission, whatever its name."""
    return obligation["starts_on"] == ["submitted"] and not ANSWERS.isdisjoint(obligation["stops_on"])


def _is_vendor_message(event: Event) -> bool:
    """A public message of a person on the vendor's side. The canonical form states the side, also for the requester."""
    return event.event_type == "message" and event.is_public is True and event.actor_kind == "agent"


def _is_opened_by_vendor(ticket: Ticket) -> bool:
    """The vendor wrote publicly in the second of the submission, and no customer's text opened the ticket."""
    opening = [event for event in ticket.events if event.at == ticket.submitted_at]
    opening = [event for event in opening if event.event_type == "message" and event.is_public]
    texts = [event for event in opening if event.actor_kind not in ("bot", "ai")]
    return bool(texts) and all(_is_vendor_message(event) for event in texts)


def _is_stopped_early(obligation: Mapping[str, Any], ticket: Ticket) -> bool:
    """Something that stops the promise is dated before the submission: which instant is wrong is not known."""
    early = [event for event in ticket.events if event.at < ticket.submitted_at]
    answers = any(_is_vendor_message(event) for event in early)
    is_solved = any(_name(event, ticket) in FINISHED for event in early)
    stops = set(obligation["stops_on"])
    return (answers and "agent_message" in stops) or (is_solved and bool(stops & set(FINISHED)))


def _await_customer(moments: Sequence[Moment]) -> list[Moment]:
    """The same with the customer's first message in the place of the submission; without any, no submission."""
    first = next((one for one in moments if one.name == "customer_message"), None)
    awaited = [one for one in moments if one.name != "submitted"]
    return [replace(one, name="submitted") if one == first else one for one in awaited]


def _takes_back(later: Moment, end: Moment) -> bool:
    """A deleted ticket is restored; a cancelled one gets another status, to be closed is none. A merge is never taken back."""
    if later.order <= end.order:
        return False
    if end.name == CANCELLED:
        return later.name.startswith("status:") and later.name not in (CANCELLED, "status:closed")
    return end.name == "deleted" and later.name == "restored"


def _overlap(one: Term, other: Term) -> bool:
    return one.starts_on < other.ends_on and other.starts_on < one.ends_on


def _name(event: Event, ticket: Ticket) -> str:
    if event.event_type == "status_changed":
        return f"status:{event.value}"
    if event.event_type != "message":
        return event.event_type
    if event.at <= ticket.submitted_at:
        return "opener_message"
    if not event.is_public:
        return "internal_note"
    if event.actor_kind == "customer":
        return "customer_message"
    if event.actor_kind == "bot":
        return "automatic_reply"
    return "ai_message" if event.actor_kind == "ai" else "agent_message"


def _run(obligation: Mapping[str, Any], moments: Sequence[Moment]) -> Iterator[Cycle]:
    cycle: Cycle | None = None
    for moment in moments:
        if cycle is not None and cycle.stop is None:
            if moment.name not in obligation["stops_on"]:
                continue
            cycle.stop = moment
            if obligation["cycles"] == "resume":
                continue
        starts = moment.name in obligation["starts_on"]
        if cycle is None:
            cycle = Cycle(moment) if starts else None
        elif obligation["cycles"] == "repeat" and starts:
            # The moment that stopped the last run may start this one.
            yield cycle
            cycle = Cycle(moment)
        elif obligation["cycles"] == "resume" and moment.name in obligation["resumes_on"]:
            assert cycle.stop is not None
            cycle.gaps.append((cycle.stop.at, moment.at))
            cycle.stop = None
    if cycle is not None:
        yield cycle


def _run_otherwise(obligation: Mapping[str, Any], cycle: Cycle, moments: Sequence[Moment]) -> Cycle | None:
    """Where an AI answered first, the same run with the other stop: the AI's answer, or what stops it without any AI."""
    stops = set(obligation["stops_on"])
    if obligation["cycles"] == "resume" or ANSWERS.isdisjoint(stops):
        return None
    later = [one for one in moments if one.order > cycle.start.order]
    by_ai = next((one for one in later if one.name == "ai_message"), None)
    if by_ai is None or (cycle.stop is not None and by_ai.order > cycle.stop.order):
        return None
    if "ai_message" not in stops:
        return Cycle(cycle.start, by_ai)
    by_human = (one for one in later if one.order > by_ai.order and one.name in stops - {"ai_message"})
    return Cycle(cycle.start, next(by_human, None))


def _list_pauses(
    obligation: Mapping[str, Any], moments: Sequence[Moment], read_until: int
) -> list[tuple[int, int]]:
    """Spans that do not count, none later than read_until: who waits at that instant is not waited for after it."""
    found = []
    for pause in obligation.get("pauses_on", []):
        is_status = isinstance(pause, str)
        begin: int | None = None
        for moment in moments:
            opens = moment.name == (pause if is_status else pause["from"])
            closes = (
                moment.name.startswith("status:") and not opens
                if is_status
                else moment.name == pause["until"]
            )
            if begin is None and opens:
                begin = moment.at
            elif begin is not None and closes:
                found.append((begin, moment.at))
                begin = None
        if begin is not None:
            found.append((begin, read_until))
    return [(begin, min(finish, read_until)) for begin, finish in found if begin < min(finish, read_until)]


def _running(start: int, end: int, still: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The spans of [start, end) outside of `still`, which may overlap."""
    at = start
    for begin, finish in sorted(still):
        if at < min(begin, end):
            yield at, min(begin, end)
        at = max(at, finish)
    if at < end:
        yield at, end


def _elapsed(leg: Leg, still: Sequence[tuple[int, int]], until: int) -> int:
    return sum(leg.clock.count(begin, finish) for begin, finish in _running(leg.counts_from, until, still))


def _seconds(target: str) -> int:
    return int(target[:-1]) * {"s": 1, "m": 60, "h": 3600}[target[-1]]


def _midnight(day: str, zone: str) -> int:
    return to_instant(datetime.fromisoformat(day), zone)


def _month(at: int, zone: str) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone(read_zone(zone)).strftime("%Y-%m")
