"""Random histories of entitlements, a customer each, and the workspace that holds them all. One seed gives one world.

Small pools, so that they run out; few instants, so that things happen in one second, on the day of a renewal and on the day on
which a pack dies.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from tests.generative.ledger_oracle import Bookkeeper, Purchase, Redemption, Statement, Term, place
from tests.generative.ticket_histories import DAY, HOUR, instant, show, write_exports
from tests.generative.ticket_oracle import Event, Ticket, Waiver

AS_OF = instant("2026-07-01T00:00:00Z")
# After the last instant of any history: what lies in the future of its landing is refused.
LANDED_AT = instant("2032-01-01T00:00:00Z")


def _plan(name: str, *pools: dict[str, Any], zone: str = "UTC", later: Sequence[Any] = ()) -> dict[str, Any]:
    """A plan with one promise; `later` are the pools of a second version, from 2026."""
    first_response = {
        "obligation": "first_response",
        "starts_on": ["submitted"],
        "stops_on": ["agent_message"],
        "promises": [{"severities": [1, 2, 3, 4, 5], "target": "8h", "clock": "always", "clause": "made_up"}],
    }
    common: dict[str, Any] = {
        "time_zone": zone,
        "calendar": "always",
        "channels": {"supported": ["web_form"], "unsupported": ["email"], "default_supported": False},
        "license": {"required_status": "active", "types_not_counted": ["trial"]},
        "severities": {level: {"label": f"Level {level}", "is_covered": level > 0} for level in range(6)},
        "obligations": [first_response],
    }
    versions = [common | {"version": "first", "valid_from": "2020-01-01", "entitlements": list(pools)}]
    if later:
        versions[0]["valid_to"] = "2026-01-01"
        versions.append(
            common | {"version": "second", "valid_from": "2026-01-01", "entitlements": list(later)}
        )
    return {"plan": name, "title": name.title(), "clauses": {"made_up": "By a test"}, "versions": versions}


def _pool(name: str, quantity: int | str, *levels: int, **rules: Any) -> dict[str, Any]:
    drawn = {"severities": list(levels)} if levels else {"redeemed": True}
    return {"pool": name, "quantity": quantity, "clause": "made_up", **drawn, **rules}


def _two(regular: int | str, level_5: int | str, **rules: Any) -> list[dict[str, Any]]:
    return [
        _pool("regular", regular, 1, 2, 3, 4, **rules),
        _pool("level_5", level_5, 5, overflows_to="regular", **rules),
    ]


_ASSISTANCES = [_pool("installation", "not_stated"), _pool("custom_builds", 1)]
PLANS = [
    _plan("small", *_two(2, 1), *_ASSISTANCES),
    _plan("far_away", *_two(3, 1), *_ASSISTANCES, zone="Pacific/Auckland"),
    _plan("nothing_included", *_two(0, 0), *_ASSISTANCES),
    _plan("without_limit", *_two("unlimited", 1), *_ASSISTANCES),
    _plan("silent", *_two("not_stated", 0), *_ASSISTANCES),
    _plan("apart", _pool("regular", 2, 1, 2, 3, 4), _pool("level_5", 1, 5), *_ASSISTANCES),
    _plan("by_level_in_force", *_two(2, 1, draws_on="in_force"), *_ASSISTANCES),
    _plan("changed", *_two(3, 2), *_ASSISTANCES, later=[*_two(1, 1), *_ASSISTANCES]),
]
_PLAN_NAMES = ["small"] * 4 + ["far_away"] * 2 + [plan["plan"] for plan in PLANS[2:]]
_POOLS = ["regular"] * 4 + ["level_5"] * 3 + ["installation", "custom_builds"]
# Terms begin on ordinary days, on the last day of February, and on the 31st, which most months do not have.
_STARTS = [date(2024, 2, 29), date(2025, 1, 31), date(2025, 3, 31), date(2025, 8, 31), date(2026, 2, 28)]


@dataclass(frozen=True)
class History:
    """Everything that one customer's statements rest on."""

    customer_id: str
    terms: tuple[Term, ...]
    tickets: tuple[Ticket, ...]
    purchases: tuple[Purchase, ...]
    redemptions: tuple[Redemption, ...]
    waivers: tuple[Waiver, ...]

    @property
    def size(self) -> int:
        parts = (self.terms, self.tickets, self.purchases, self.redemptions, self.waivers)
        return sum(map(len, parts)) + sum(len(ticket.events) for ticket in self.tickets)

    def tell(self) -> Iterable[str]:
        for term in self.terms:
            yield (
                f"{term.subscription_id}: {term.plan} {term.starts_on} to {term.ends_on}"
                f" {term.license_type} {term.license_status} {term.stacks_on}".rstrip()
            )
        for pack in self.purchases:
            dies = f" until {pack.expires_on}" if pack.expires_on else ""
            dies += f" returned on {pack.returned_on}" if pack.returned_on else ""
            yield (
                f"{pack.purchase_id}: {pack.quantity} {pack.pool} in {pack.subscription_id} on {pack.purchased_on}{dies}"
            )
        for one in self.redemptions:
            yield f"{one.redemption_id}: {one.pool} in {one.subscription_id} redeemed on {one.redeemed_on} {one.ticket_id}"
        for ticket in sorted(self.tickets, key=lambda one: (one.submitted_at, one.ticket_id)):
            told = [
                f"{show(event.at)} {event.event_id} {event.event_type} {event.value}".strip()
                for event in sorted(ticket.events, key=place)
            ]
            told += [
                f"waiver {one.waiver_id} of {one.obligation} {show(one.approved_at)} to {show(one.expires_at) or 'ever'}"
                for one in self.waivers
                if one.ticket_id == ticket.ticket_id
            ]
            level = f"level {ticket.severity or 'none'}, {ticket.channel or 'no channel'}"
            yield f"{ticket.ticket_id}: {show(ticket.submitted_at)} {level}; {'; '.join(told)}"


@dataclass(frozen=True)
class World:
    """All histories of one build. `seed` makes it again."""

    seed: int
    histories: tuple[History, ...]
    as_of: int

    def without(self, customers: Iterable[str]) -> World:
        """The same world, as if these customers had never been."""
        gone = set(customers)
        return replace(self, histories=tuple(one for one in self.histories if one.customer_id not in gone))

    def write_statements(self, history: History) -> dict[tuple[str, str], Statement]:
        keeper = Bookkeeper(
            PLANS, history.terms, history.purchases, history.redemptions, history.waivers, self.as_of
        )
        return keeper.write_statements(history.tickets)


def draw_world(seed: int, count: int) -> World:
    """`count` customers. Each has its own chance: it stays what it is when there are more of them."""
    as_of = AS_OF if seed % 2 == 0 else AS_OF + random.Random(seed).randrange(-200 * DAY, 200 * DAY)
    chances = ((number, random.Random(f"{seed} {number}")) for number in range(count))
    return World(seed, tuple(_draw_history(chance, f"c{number}", as_of) for number, chance in chances), as_of)


def _draw_history(chance: random.Random, customer_id: str, as_of: int) -> History:
    terms = _draw_terms(chance, customer_id)
    days = _choose_days(chance, terms)
    purchases = tuple(
        _draw_purchase(chance, f"{customer_id}-p{number}", chance.choice(terms), days)
        for number in range(chance.choice([0, 0, 1, 1, 2, 3, 5]))
    )
    redemptions = tuple(
        Redemption(
            f"{customer_id}-r{number}",
            chance.choice(terms).subscription_id,
            chance.choice(["installation", "custom_builds"]),
            chance.choice(days).isoformat(),
            chance.choice(["", f"{customer_id}-t0", f"{customer_id}-t1"]),
        )
        for number in range(chance.choice([0, 0, 0, 1, 1, 2]))
    )
    instants = _choose_instants(chance, days)
    tickets = tuple(
        _draw_ticket(chance, f"{customer_id}-t{number}", customer_id, instants)
        for number in range(chance.choice([0, 1, 2, 3, 4, 5, 6, 8, 12]))
    )
    waivers = tuple(waiver for ticket in tickets for waiver in _draw_waivers(chance, ticket, instants, as_of))
    return History(customer_id, terms, tickets, purchases, redemptions, waivers)


def _draw_terms(chance: random.Random, customer_id: str) -> tuple[Term, ...]:
    """One to four terms, with and without gaps, some of them ended early, on the same plan or another one."""
    begin = (
        chance.choice(_STARTS)
        if chance.random() < 0.4
        else date(2024, 6, 1) + timedelta(chance.randrange(800))
    )
    plan = chance.choice(_PLAN_NAMES)
    terms: list[Term] = []
    for number in range(chance.choice([1, 1, 2, 2, 3, 4])):
        stacks_on = ""
        if terms and chance.random() < 0.2:
            before = terms[-1]
            days = (date.fromisoformat(before.ends_on) - date.fromisoformat(before.starts_on)).days
            stacks_on, plan = before.subscription_id, before.plan
            begin = date.fromisoformat(before.starts_on) + timedelta(chance.randrange(days))
        end = _later(begin, chance.choice([1, 2, 12, 12, 12]))
        if chance.random() < 0.15:
            end = begin + timedelta(chance.randrange(1, max(2, (end - begin).days)))
        kind, status = "paid", "active"
        if chance.random() < 0.04:
            kind, status = chance.choice([("trial", "active"), ("paid", "expired")])
        name, starts_on, ends_on = f"{customer_id}-s{number}", begin.isoformat(), end.isoformat()
        terms.append(Term(name, customer_id, plan, starts_on, ends_on, kind, status, stacks_on))
        begin = max(date.fromisoformat(term.ends_on) for term in terms)
        begin = begin if chance.random() < 0.7 else begin + timedelta(chance.randrange(1, 60))
        if chance.random() < 0.3:
            plan = chance.choice(_PLAN_NAMES)
    return tuple(terms)


def _later(day: date, months: int) -> date:
    """The same day so many months on, or the last one of the month that has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in range(day.day, 27, -1):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    return date(year, month + 1, day.day)


def _choose_days(chance: random.Random, terms: Sequence[Term]) -> list[date]:
    """Few days, so that several things fall on one: renewals, the days beside them, some within the terms, some outside."""
    edges = sorted({date.fromisoformat(day) for term in terms for day in (term.starts_on, term.ends_on)})
    first, last = edges[0], edges[-1]
    days = list(edges)
    days += [day + timedelta(chance.choice([-1, 1])) for day in edges]
    days += [first + timedelta(chance.randrange((last - first).days)) for _ in range(6)]
    days += [first - timedelta(chance.randrange(1, 40)), last + timedelta(chance.randrange(1, 40))]
    return sorted(days)


def _choose_instants(chance: random.Random, days: Sequence[date]) -> list[int]:
    """The first and the last second of these days in two zones, and some in between."""
    instants = []
    for day in days:
        midnight = instant(f"{day.isoformat()}T00:00:00Z")
        instants += [midnight + chance.choice([0, 0, -1, 11 * HOUR, -13 * HOUR, -12 * HOUR])]
        instants += [midnight + chance.randrange(DAY) for _ in range(3)]
    return instants


def _draw_purchase(chance: random.Random, purchase_id: str, term: Term, days: Sequence[date]) -> Purchase:
    begin, end = date.fromisoformat(term.starts_on), date.fromisoformat(term.ends_on)
    inside = [day for day in days if begin <= day < end]
    bought = chance.choice(inside if chance.random() < 0.85 else days)
    dies = ""
    later = [day for day in days if day > bought]
    if later and chance.random() < 0.6:
        dies = chance.choice(later).isoformat()
    returned = chance.choice(later).isoformat() if later and chance.random() < 0.2 else ""
    pool = chance.choice(_POOLS)
    return Purchase(
        purchase_id,
        term.subscription_id,
        pool,
        chance.choice([1, 1, 2, 2, 3, 5]),
        bought.isoformat(),
        dies,
        returned,
    )


def _draw_ticket(chance: random.Random, ticket_id: str, customer_id: str, instants: Sequence[int]) -> Ticket:
    submitted_at = chance.choice(instants)
    # Numbers of different lengths, drawn in no order: within a second they are the sequence, not the order of the file.
    numbers = [1, 2, 3, 8, 9, 10, 11, 19, 20, 99, 100, 101]
    chance.shuffle(numbers)
    names = [f"{ticket_id}-{number}" for number in numbers]
    severity = chance.choice(["5"] * 8 + ["1", "2", "3", "3", "4", "4", "4", "0", ""])
    later = [at for at in instants if at >= submitted_at]
    kinds: list[str] = []
    for _ in range(chance.choice([0, 0, 0, 1, 1, 2, 3, 5])):
        kinds.append(
            chance.choice(
                ["bug_confirmed"] * 3 + ["bug_rejected"] * 3 + ["severity_changed", "assistance_redeemed"]
            )
        )
    if chance.random() < 0.15:
        kinds.append(chance.choice(["merged", "deleted"]))
    if severity == "" and chance.random() < 0.8:
        kinds.append("severity_changed")
    events = []
    for kind in kinds:
        at = chance.choice(later) if chance.random() < 0.6 else submitted_at + chance.randrange(90 * DAY)
        if chance.random() < 0.06:
            at = submitted_at
        if chance.random() < 0.03:
            at = submitted_at - chance.randrange(1, 3 * DAY)
        if kind == "assistance_redeemed" and kind in {event.event_type for event in events}:
            continue
        value = {
            "severity_changed": chance.choice("12345"),
            "assistance_redeemed": chance.choice(["installation", "custom_builds"]),
            "merged": f"{customer_id}-t0",
        }.get(kind, "")
        events.append(Event(names.pop(), at, kind, "agent", "mia", None, value))
    return Ticket(
        ticket_id,
        customer_id,
        chance.choice(["ann", "ben"]),
        chance.choice(["web_form"] * 12 + ["email", "", "chat"]),
        severity,
        submitted_at,
        tuple(events),
    )


def _draw_waivers(
    chance: random.Random, ticket: Ticket, instants: Sequence[int], as_of: int
) -> Iterable[Waiver]:
    """Waivers of the unit, some of them one after the other without a gap, and some of another promise."""
    if chance.random() < 0.8:
        return
    # A second that no event of the histories has: which of both came first would be unknown.
    begins_at = chance.choice([*instants, ticket.submitted_at, as_of]) // 60 * 60 + 7
    for number in range(chance.choice([1, 1, 2])):
        days = chance.choice([None, 1, 30, 200])
        ends_at = None if days is None else begins_at // DAY * DAY + days * DAY
        if ends_at is not None and ends_at <= begins_at:
            return
        obligation = "entitlement" if chance.random() < 0.85 else "first_response"
        yield Waiver(f"{ticket.ticket_id}-w{number}", ticket.ticket_id, obligation, begins_at, ends_at)
        if ends_at is not None and chance.random() < 0.5:
            begins_at = ends_at


def write_workspace(root: Path, world: World, shuffle: random.Random | None = None) -> None:
    """Rules and reference tables of the world, without any export; the rows in order or shuffled."""
    reference = root / "reference"
    for folder in (reference / "plans", reference / "calendars", root / "inbox" / "desk"):
        folder.mkdir(parents=True, exist_ok=True)
    (root / "sla.yml").write_text(
        # What lies after the day of the test is refused, and is after as_of anyway.
        "compare_plans: []\nsources:\n  desk: {type: canonical, allow: {refused_records: 100}}\n",
        encoding="utf-8",
    )
    for plan in PLANS:
        (reference / "plans" / f"{plan['plan']}.yml").write_text(
            yaml.safe_dump(plan, sort_keys=False), encoding="utf-8"
        )

    def write(name: str, header: str, rows: Iterable[Sequence[object]], *, is_ordered: bool = False) -> None:
        listed = list(rows)
        if shuffle is not None and not is_ordered:
            shuffle.shuffle(listed)
        with (reference / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header.split(","), *listed])

    histories = list(world.histories)
    if shuffle is not None:
        shuffle.shuffle(histories)
    write(
        "customers",
        "customer_id,name,time_zone,locale,report_recipients",
        ([one.customer_id, one.customer_id.upper(), "UTC", "en", ""] for one in histories),
    )
    write(
        "subscriptions",
        "subscription_id,customer_id,plan,term_starts_on,term_ends_on,license_type,license_status,stacks_on",
        (
            [
                term.subscription_id,
                term.customer_id,
                term.plan,
                term.starts_on,
                term.ends_on,
                term.license_type,
                term.license_status,
                term.stacks_on,
            ]
            for one in histories
            for term in one.terms
        ),
        # A term stands below the one that it stacks on; otherwise the file is refused.
        is_ordered=True,
    )
    write(
        "purchases",
        "purchase_id,customer_id,subscription_id,pool,quantity,purchased_on,expires_on,returned_on",
        (
            [
                pack.purchase_id,
                one.customer_id,
                pack.subscription_id,
                pack.pool,
                pack.quantity,
                pack.purchased_on,
                pack.expires_on,
                pack.returned_on,
            ]
            for one in histories
            for pack in one.purchases
        ),
    )
    write(
        "redemptions",
        "redemption_id,customer_id,subscription_id,entitlement,redeemed_on,ticket_id",
        (
            [
                used.redemption_id,
                one.customer_id,
                used.subscription_id,
                used.pool,
                used.redeemed_on,
                used.ticket_id,
            ]
            for one in histories
            for used in one.redemptions
        ),
    )
    write(
        "waivers",
        "waiver_id,ticket_id,obligation,reason,requested_by,approved_by,approved_at,expires_on",
        (
            [
                waiver.waiver_id,
                waiver.ticket_id,
                waiver.obligation,
                "agreed",
                "mia",
                "zoe",
                show(waiver.approved_at),
                show(waiver.expires_at),
            ]
            for one in histories
            for waiver in one.waivers
        ),
    )


def write_one_batch(root: Path, world: World) -> None:
    tickets = [ticket for one in world.histories for ticket in one.tickets]
    events = [(ticket.ticket_id, event) for ticket in tickets for event in ticket.events]
    write_exports(root, tickets, events, "all")


def split_into_batches(world: World, chance: random.Random, count: int) -> list[tuple[list[Any], list[Any]]]:
    """The same lines in `count` batches of (tickets, events), shuffled; some stand in two of them."""
    tickets = [ticket for one in world.histories for ticket in one.tickets]
    events = [(ticket.ticket_id, event) for ticket in tickets for event in ticket.events]
    batches: list[tuple[list[Any], list[Any]]] = [([], []) for _ in range(count)]
    for part, lines in enumerate((tickets, events)):
        for line in chance.sample(lines, len(lines)):  # type: ignore[arg-type]
            for batch in chance.sample(range(count), chance.choice([1, 1, 2])):
                batches[batch][part].append(line)
    return batches
