"""What single tickets were promised: one row per obligation with its verdict, and everything behind the verdicts of one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import TypeVar

from pipeline.errors import ConfigurationError
from pipeline.reporting.compliance import TALLIED, Tally
from pipeline.reporting.entitlements import Movement, select_movements
from pipeline.reporting.published import (
    EVERYTHING,
    IN_SCOPE,
    MONTH_BASES,
    NO_GROUP,
    Published,
    Ratio,
    Scope,
    Selection,
    bind_values,
    check_selection,
    check_words,
    list_columns,
    say_unknown,
    where_chosen,
    where_selected,
)
from pipeline.reporting.status import read_status

# Percent of the target that a running promise has used: the steps by which lists and alerts tell how pressing it is.
AT_RISK_FROM = (50, 75, 90)
_Record = TypeVar("_Record")

# The month that an obligation is counted in, as in the monthly mart: what still runs stands in the month of
# as_of, so that every obligation has exactly one month on either basis.
_MONTH = {
    "settled": "obligations.compliance_month",
    "submitted": "obligations.submitted_month",
}


def month_key(month: str | None, obligation_key: str) -> str:
    return f"{month or ''} {obligation_key}"


@dataclass(frozen=True)
class Obligation:
    """One promise to one ticket, with its verdict. `month` is the month it is counted in on the asked basis;
    durations are seconds on `clock_name`; `remaining_seconds` is negative when over target. `could_be` (met, breached,
    either) is what the evidence leaves of a status `not_measurable`."""

    obligation_key: str
    ticket_id: str
    cycle_number: int
    customer_id: str
    customer_name: str | None
    subscription_id: str | None
    subject: str | None
    requester: str | None
    channel: str | None
    plan: str | None
    plan_version: str | None
    clause: str | None
    clause_text: str | None
    obligation: str
    obligation_kind: str | None
    severity_submitted: int | None
    severity_in_force: int | None
    clock_name: str | None
    submitted_at: datetime | None
    starts_at: datetime | None
    due_at: datetime | None
    settled_at: datetime | None
    stopped_at: datetime | None
    breached_at: datetime | None
    target_seconds: int | None
    elapsed_seconds: int | None
    remaining_seconds: int | None
    status: str
    status_reason: str | None
    reason_label: str | None
    could_be: str | None
    status_before_waiver: str | None
    status_as_submitted: str | None
    status_by_humans: str | None
    status_with_ai: str | None
    is_met_only_by_ai: bool
    waiver_id: str | None
    month: str | None
    settled_month: str | None
    submitted_month: str | None
    as_of: datetime

    @property
    def month_key(self) -> str:
        """Names the promise in the month that its verdict is counted in: a closed month may count one that has moved since."""
        return month_key(self.settled_month, self.obligation_key)

    @property
    def used(self) -> Ratio | None:
        """The part of the target that is used up, or None where no target was promised."""
        if self.target_seconds is None or self.elapsed_seconds is None:
            return None
        return Ratio(self.elapsed_seconds, self.target_seconds)

    @property
    def over_by_seconds(self) -> int | None:
        """Seconds over target, or None while within it."""
        if self.target_seconds is None or self.elapsed_seconds is None:
            return None
        over = self.elapsed_seconds - self.target_seconds
        return over if over > 0 else None


@dataclass(frozen=True)
class Segment:
    """One segment of an obligation's wall time: `counted`, `closed`, `holiday` or `paused`."""

    obligation_key: str
    segment_number: int
    segment_kind: str
    starts_at: datetime
    ends_at: datetime
    counted_seconds: int
    wall_seconds: int
    segment_reason: str | None
    calendar_version: str | None


@dataclass(frozen=True)
class TicketEvent:
    """One event of a ticket, in the order in which the rules read them, with the source line it comes
    from."""

    event_id: str
    ticket_id: str
    event_at: datetime
    event_order: int
    moment: str | None
    event_type: str
    actor_kind: str | None
    actor: str | None
    is_public: bool | None
    value: str | None
    is_automatic_reply: bool | None
    is_ai_message: bool | None
    source: str
    source_file: str
    line_number: int


@dataclass(frozen=True)
class Ticket:
    """One ticket as the rules see it, with the source line it comes from."""

    ticket_id: str
    source: str
    customer_id: str | None
    requester: str | None
    channel: str | None
    severity_submitted: int | None
    severity_now: int | None
    submitted_at: datetime
    subject: str | None
    ticket_type: str | None
    ticket_status: str | None
    source_file: str
    line_number: int


@dataclass(frozen=True)
class Waiver:
    """A recorded exception of one promise of a ticket, in force or not, with the source line it comes from."""

    waiver_id: str
    obligation: str
    reason: str | None
    requested_by: str | None
    approved_by: str | None
    approved_at: datetime | None
    expires_at: datetime | None
    source_file: str
    line_number: int


@dataclass(frozen=True)
class ObligationExplanation:
    """Why one verdict: its segments add up to the elapsed seconds; `passed_over` are automatic replies
    and answers of an AI between the start and the stop; `stopped_by` is the event that stopped the clock."""

    obligation: Obligation
    segments: tuple[Segment, ...]
    stopped_by: TicketEvent | None
    passed_over: tuple[TicketEvent, ...]
    calendar_versions: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """Everything behind one ticket's verdicts."""

    ticket: Ticket
    customer_name: str | None
    obligations: tuple[ObligationExplanation, ...]
    events: tuple[TicketEvent, ...]
    movements: tuple[Movement, ...]
    as_of: datetime
    build_id: str


@dataclass(frozen=True)
class Cut:
    """What a list of promises is limited to beside a selection; None leaves it open.

    `zones` are those of the plan, `groups` those that had the ticket last (NO_GROUP where none is stated), `bands` the highest
    step of `AT_RISK_FROM` that a running promise has reached (0 below the lowest), `month_keys` single promises in single months.
    """

    zones: Collection[str] | None = None
    groups: Collection[str] | None = None
    bands: Collection[int] | None = None
    month_keys: Collection[str] | None = None


UNCUT = Cut()


@dataclass(frozen=True)
class Length:
    """How many promises a list has, and of how many tickets they are."""

    promise_count: int
    ticket_count: int


def read_tickets(
    published: Published,
    scope: Scope,
    selection: Selection = EVERYTHING,
    month_basis: str = "settled",
    cut: Cut = UNCUT,
) -> tuple[Obligation, ...]:
    """One row per obligation, in order of submission."""
    check_words("The month basis", (month_basis,), MONTH_BASES)
    check_selection(published, scope, selection)
    return select_obligations(published, scope, selection, month_basis, cut=cut)


def count_tickets(
    published: Published,
    scope: Scope,
    selection: Selection = EVERYTHING,
    month_basis: str = "settled",
    cut: Cut = UNCUT,
) -> Length:
    """How long the list of `read_tickets` is."""
    check_words("The month basis", (month_basis,), MONTH_BASES)
    check_selection(published, scope, selection)
    counted = "select count(*) as promise_count, count(distinct ticket_id) as ticket_count from chosen"
    return _select(Length, published, scope, selection, month_basis, cut, counted)[0]


def count_by_obligation(published: Published, scope: Scope, selection: Selection) -> dict[str, int]:
    """How many rows `read_tickets` has of each obligation, for a selection that is already checked."""
    counted = (
        "select obligation, count(*) as promise_count from chosen group by obligation order by obligation"
    )
    rows = _select(dict, published, scope, selection, "settled", UNCUT, counted)
    return {row["obligation"]: row["promise_count"] for row in rows}


def read_worst_tickets(
    published: Published,
    scope: Scope,
    selection: Selection = EVERYTHING,
    month_basis: str = "settled",
    cut: Cut = UNCUT,
    *,
    first: int = 0,
    size: int | None = None,
) -> tuple[Obligation, ...]:
    """The list of `read_tickets` with the most time over its target first, then the least time left, then what has no target, in
    order of submission: `size` rows (all) from row number `first`, which counts from 0."""
    check_words("The month basis", (month_basis,), MONTH_BASES)
    check_selection(published, scope, selection)
    part = (
        f"select * from chosen order by remaining_seconds nulls last, {_SUBMISSION} limit $size offset $first"
    )
    return tuple(
        _select(Obligation, published, scope, selection, month_basis, cut, part, first=first, size=size)
    )


def read_at_risk(
    published: Published, scope: Scope, selection: Selection = EVERYTHING
) -> tuple[Obligation, ...]:
    """What still runs, the least remaining time on its own clock first. `figures.risk` names the band of each."""
    running = read_tickets(published, scope, replace(selection, statuses=("pending",)))
    return tuple(
        sorted(running, key=lambda row: (row.remaining_seconds or 0, row.due_at is None, row.obligation_key))
    )


def select_obligations(
    published: Published,
    scope: Scope,
    selection: Selection,
    month_basis: str = "settled",
    ticket_id: str | None = None,
    cut: Cut = UNCUT,
) -> tuple[Obligation, ...]:
    """Like `read_tickets`, for a selection that is already checked: the obligations of one ticket, or of all."""
    in_order = f"select * from chosen order by {_SUBMISSION}"
    return tuple(
        _select(Obligation, published, scope, selection, month_basis, cut, in_order, ticket_id=ticket_id)
    )


_SUBMISSION = "submitted_at, ticket_id, obligation, cycle_number"
# As `figures.risk_step`, of promises that run.
_BAND = f"""
    case
        when obligations.status <> 'pending' then null
        {
    " ".join(
        f"when target_seconds > 0 and elapsed_seconds * 100 >= {step} * target_seconds then '{step}'"
        for step in reversed(AT_RISK_FROM)
    )
}
        else '0'
    end
"""


def _select(
    record: type[_Record],
    published: Published,
    scope: Scope,
    selection: Selection,
    month_basis: str,
    cut: Cut,
    sql: str,
    *,
    ticket_id: str | None = None,
    **bound: int | None,
) -> list[_Record]:
    """What `sql` says of `chosen`, the obligations of the selection; `bound` are parameters of its own."""
    from_elsewhere = {
        "customer_name": "customers.customer_name",
        "subject": "tickets.subject",
        "requester": "tickets.requester",
        "channel": "tickets.channel",
        "reason_label": "reasons.reason_label",
        "month": _MONTH[month_basis],
    }
    columns = ", ".join(
        f"{from_elsewhere.get(field.name, f'obligations.{field.name}')} as {field.name}"
        for field in fields(Obligation)
    )
    # Subjects and names are those of the build of the verdict. A build from before there were groups is not asked for them.
    group_name = "null::varchar" if cut.groups is None else "tickets.group_name"
    rows = f"""
        select {columns}, obligations.time_zone, {group_name} as group_name
        from {{build}}core.fct_sla_obligations as obligations
        left join {{build}}core.dim_tickets as tickets on tickets.ticket_id = obligations.ticket_id
        left join {{build}}core.dim_customers as customers on customers.customer_id = obligations.customer_id
        left join {{build}}core.sla_status_reasons as reasons on reasons.status_reason = obligations.status_reason
    """
    chosen = f"""
        with chosen as (
            select {", ".join(field.name for field in fields(Obligation))}
            from {{of_record}} as obligations
            where {IN_SCOPE.format(customer_id="obligations.customer_id")}
              and ($ticket_id::varchar is null or obligations.ticket_id = $ticket_id)
              and {where_selected("obligations.")}
              and {where_chosen("statuses", "obligations.status")}
              and {where_chosen("zones", "obligations.time_zone")}
              and {where_chosen("groups", f"coalesce(obligations.group_name, '{NO_GROUP}')")}
              and {where_chosen("bands", _BAND)}
              and (
                $month_keys::varchar[] is null
                or coalesce(obligations.settled_month, '') || ' ' || obligations.obligation_key
                    in (select unnest($month_keys::varchar[]))
              )
        )
    """
    limits = {
        "zones": cut.zones,
        "groups": cut.groups,
        "bands": None if cut.bands is None else list(map(str, cut.bands)),
        "month_keys": cut.month_keys,
    }
    parameters = bind_values(scope, selection) | {"ticket_id": ticket_id} | bound
    parameters |= {name: None if values is None else list(values) for name, values in limits.items()}
    # By month of submission, and for one ticket, the newest build says what is known.
    is_frozen = month_basis == "settled" and ticket_id is None
    return published.fetch_of_record(record, rows, f"{chosen} {sql}", parameters, is_frozen=is_frozen)


def count_by_status(obligations: Iterable[Obligation]) -> Tally:
    """The same tally that the monthly table holds, counted from single rows."""
    counts = dict.fromkeys(TALLIED, 0)
    for row in obligations:
        counts[row.status] += 1
        counts["met_only_by_ai"] += row.is_met_only_by_ai
        before = row.status_before_waiver or row.status
        if before in ("met", "breached"):
            counts[f"raw_{before}"] += 1
        for prefix, verdict in (("", row.status), ("raw_", before)):
            counts[f"{prefix}lower_met"] += "met" in (verdict, row.could_be)
            counts[f"{prefix}upper_met"] += verdict == "met" or row.could_be in ("met", "either")
            counts[f"{prefix}bounded"] += verdict in ("met", "breached", "not_measurable")
    return Tally(**counts)


def read_explanation(published: Published, scope: Scope, ticket_id: str) -> Explanation:
    """Why a ticket's verdicts are what they are.

    Raises ConfigurationError, naming the nearest ids, for a ticket that does not exist or is out of scope:
    the two cannot be distinguished.
    """
    bound = bind_values(scope) | {"ticket_id": ticket_id}
    found = published.fetch(
        Ticket,
        f"""
        select {list_columns(Ticket)}
        from core.dim_tickets
        where {IN_SCOPE.format(customer_id="customer_id")} and ticket_id = $ticket_id
        """,
        bound,
    )
    if not found:
        nearest = published.fetch(
            dict,
            f"""
            select ticket_id
            from core.dim_tickets
            where {IN_SCOPE.format(customer_id="customer_id")}
            order by levenshtein(lower(ticket_id), lower($ticket_id)), ticket_id
            limit 3
            """,
            bound,
        )
        raise ConfigurationError(say_unknown("ticket", ticket_id, [row["ticket_id"] for row in nearest]))
    segments = published.fetch(
        Segment,
        f"""
        select {list_columns(Segment)}
        from core.fct_sla_segments
        where {IN_SCOPE.format(customer_id="customer_id")} and ticket_id = $ticket_id
        order by obligation_key, segment_number
        """,
        bound,
    )
    events = published.fetch(
        TicketEvent,
        f"""
        select {list_columns(TicketEvent)}
        from core.fct_ticket_events
        where {IN_SCOPE.format(customer_id="customer_id")} and ticket_id = $ticket_id
        order by event_order, event_id, moment
        """,
        bound,
    )
    stops = published.fetch(
        dict,
        f"""
        select obligation_key, stopping_event_id
        from core.fct_sla_obligations
        where {IN_SCOPE.format(customer_id="customer_id")} and ticket_id = $ticket_id
        """,
        bound,
    )
    stopped_by = {row["obligation_key"]: row["stopping_event_id"] for row in stops}
    obligations = select_obligations(published, scope, EVERYTHING, ticket_id=ticket_id)
    build = read_status(published, scope)
    return Explanation(
        ticket=found[0],
        customer_name=obligations[0].customer_name if obligations else None,
        obligations=tuple(
            _explain(obligation, segments, events, stopped_by.get(obligation.obligation_key))
            for obligation in obligations
        ),
        events=tuple(events),
        movements=select_movements(published, scope, ticket_id=ticket_id),
        as_of=build.as_of,
        build_id=build.build_id,
    )


def read_waivers(published: Published, scope: Scope, ticket_id: str) -> tuple[Waiver, ...]:
    """The recorded exceptions of one ticket, by id; none for a ticket out of scope."""
    sql = f"""
        select {list_columns(Waiver, "waivers")}
        from core.dim_waivers as waivers
        join core.dim_tickets as tickets on tickets.ticket_id = waivers.ticket_id
        where {IN_SCOPE.format(customer_id="tickets.customer_id")} and waivers.ticket_id = $ticket_id
        order by waivers.waiver_id
    """
    return tuple(published.fetch(Waiver, sql, bind_values(scope) | {"ticket_id": ticket_id}))


def _explain(
    obligation: Obligation,
    segments: Iterable[Segment],
    events: Iterable[TicketEvent],
    stopping_event_id: str | None,
) -> ObligationExplanation:
    own = tuple(segment for segment in segments if segment.obligation_key == obligation.obligation_key)
    starts_at, ends_at = obligation.starts_at, obligation.stopped_at or obligation.as_of
    return ObligationExplanation(
        obligation=obligation,
        segments=own,
        stopped_by=next((event for event in events if event.event_id == stopping_event_id), None),
        passed_over=tuple(
            event
            for event in events
            if event.event_id != stopping_event_id
            and (event.is_automatic_reply or event.is_ai_message)
            and starts_at is not None
            and starts_at <= event.event_at <= ends_at
        ),
        calendar_versions=tuple(
            sorted({segment.calendar_version for segment in own if segment.calendar_version})
        ),
    )
