"""Random tickets for the whole-ticket oracle, and the workspace that holds them: plans, calendars, terms and exports.

Three plans of the product and one that is made up to be difficult: clocks with a lunch break, a shift over midnight, a holiday, a
change of offset; months cut in a zone far from UTC; two versions with different policies. One seed gives one world.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from tests.generative.ticket_oracle import MINUTE, Event, Licence, Term, Ticket, TicketOracle, Waiver

CHECKOUT = Path(__file__).parents[2]
HOUR, DAY = 3600, 86_400


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def show(at: int | None) -> str:
    return (
        ""
        if at is None
        else (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%SZ")
    )


# Berlin loses an hour on 29 March; Auckland's March ends at 31 March 11:00 UTC, and it gains an hour on 5 April.
FIRST, LAST = instant("2026-03-20T00:00:00Z"), instant("2026-04-10T00:00:00Z")
AS_OF = instant("2026-04-08T10:17:33Z")
HORIZON = (FIRST - 30 * DAY, LAST + 150 * DAY)
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]

CALENDARS: dict[str, Any] = {
    "lunch": {
        "time_zone": "Europe/Berlin",
        "weekly": {day: ["09:00-12:30", "13:00-17:00"] for day in WEEKDAYS},
        "holidays": ["2026-04-03"],
        "overrides": {"2026-03-31": ["10:00-14:00"], "2026-04-04": ["10:00-11:00"]},
        "breaks": {"2026-04-01": ["15:00-15:45"]},
    },
    "night": {
        "time_zone": "Europe/Berlin",
        "weekly": {day: ["22:00-06:00"] for day in ["mon", "wed", "fri", "sat"]},
        "holidays": ["2026-04-06"],
    },
    "auckland": {
        "time_zone": "Pacific/Auckland",
        "weekly": {
            "mon": ["08:00-18:00"],
            "tue": ["08:00-18:00"],
            "thu": ["08:00-18:00"],
            "sun": ["01:00-05:00"],
        },
    },
}


def _promises(*rows: tuple[Sequence[int], str, str]) -> dict[str, Any]:
    listed = [
        {"severities": list(levels), "target": target, "clock": clock} for levels, target, clock in rows
    ]
    return {"promises": [row | {"clause": "made_up"} for row in listed]}


def _obligation(name: str, cycles: str, starts: Sequence[str], stops: Sequence[str]) -> dict[str, Any]:
    rules = {
        "obligation": name,
        "kind": "estimate" if name == "debug_analysis" else "target",
        "cycles": cycles,
    }
    return rules | {"starts_on": list(starts), "stops_on": list(stops)}


def _difficult_plan() -> dict[str, Any]:
    waits = {"pauses_on": ["status:pending", "status:on_hold"]}
    first = _obligation("first_response", "once", ["submitted"], ["agent_message"])
    debug = _obligation(
        "debug_analysis", "once", ["debug_requested", "debug_logs_received"], ["debug_delivered"]
    )
    solve = _obligation("resolution", "resume", ["submitted"], ["status:solved", "status:closed"])
    solve |= {"resumes_on": ["reopened"]}
    reply = _obligation("next_reply", "repeat", ["customer_message"], ["agent_message"])
    # The message that ends one run begins the next.
    update = _obligation(
        "periodic_update", "repeat", ["submitted", "agent_message"], ["agent_message", "status:solved"]
    )
    common: dict[str, Any] = {
        "time_zone": "Pacific/Auckland",
        "calendar": "lunch",
        "channels": {
            "supported": ["console", "web_form"],
            "unsupported": ["email"],
            "default_supported": True,
        },
        "license": {"required_status": "active", "types_not_counted": ["trial"]},
        "severities": {level: {"label": f"Level {level}", "is_covered": level > 0} for level in range(6)},
    }
    lunch_or_always = _promises(([1, 2, 3], "24h", "always"), ([4, 5], "4h", "lunch"))
    older = common | {
        "version": "older",
        "valid_from": "2026-01-01",
        "valid_to": "2026-03-28",
        "severity_change": {"raised": "adds", "lowered": "replaces"},
        "obligations": [
            first | _promises(([1, 2, 3], "4h", "lunch"), ([4], "3h", "night"), ([5], "45m", "always")),
            debug | waits | _promises(([1, 2, 3, 4], "16h", "lunch"), ([5], "6h", "night")),
            solve
            | waits
            | _promises(([1, 2], "20h", "lunch"), ([3, 4], "14h", "night"), ([5], "9h", "always")),
            # Nothing is promised for level 2.
            reply | _promises(([1, 3, 4], "2h", "lunch"), ([5], "1800s", "always")),
        ],
    }
    waits_for_customer = {
        "pauses_on": ["status:on_hold", {"from": "agent_message", "until": "customer_message"}]
    }
    newer = common | {
        "version": "newer",
        "valid_from": "2026-03-28",
        "severity_change": {"raised": "replaces", "lowered": "adds"},
        "obligations": [
            first | _promises(([1, 2], "5h", "auckland"), ([3, 4], "5h", "night"), ([5], "90m", "always")),
            debug | waits | _promises(([1, 2, 3], "12h", "night"), ([4, 5], "7h", "lunch")),
            solve | waits_for_customer | _promises(([1, 2, 3], "18h", "auckland"), ([4, 5], "10h", "always")),
            reply
            | {"pauses_on": ["status:on_hold"]}
            | _promises(([1, 2, 3, 4], "3h", "lunch"), ([5], "1h", "night")),
            # An AI may end a run, and begins none.
            update
            | {"stops_on": [*update["stops_on"], "ai_message"], "pauses_on": ["status:pending"]}
            | lunch_or_always,
        ],
    }
    clauses = {"made_up": "Made up by a test"}
    return {"plan": "difficult", "title": "Difficult", "clauses": clauses, "versions": [older, newer]}


def _read_plan(name: str) -> dict[str, Any]:
    plan: dict[str, Any] = yaml.safe_load(
        (CHECKOUT / "data/reference/plans" / f"{name}.yml").read_text(encoding="utf-8")
    )
    return plan


def _read_product_calendars() -> dict[str, Any]:
    text = (CHECKOUT / "data/reference/calendars/business_hours.yml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["calendars"]
    return found


PLANS = [_read_plan("standard"), _read_plan("enhanced"), _read_plan("premium"), _difficult_plan()]
TERMS = [
    Term("S-1", "standard_co", "standard", "2026-01-01", "2027-01-01"),
    Term("S-2", "enhanced_co", "enhanced", "2026-01-01", "2027-01-01"),
    Term("S-3", "premium_co", "premium", "2026-01-01", "2027-01-01"),
    Term("S-4", "difficult_co", "difficult", "2026-02-01", "2027-02-01"),
    # From one plan to another in the middle of the window, then a week without any, in the difficult plan's days.
    Term("S-5", "moving_co", "difficult", "2026-02-01", "2026-03-30"),
    Term("S-6", "moving_co", "premium", "2026-03-30", "2026-04-02"),
    Term("S-7", "trial_co", "difficult", "2026-01-01", "2027-01-01", license_type="trial"),
    Term("S-8", "lapsed_co", "standard", "2026-01-01", "2027-01-01", license_status="expired"),
    Term("S-9", "paused_co", "difficult", "2026-01-01", "2027-01-01"),
    # Two plans at once from the middle of the window on.
    Term("S-10", "torn_co", "difficult", "2026-01-01", "2027-01-01"),
    Term("S-11", "torn_co", "premium", "2026-04-01", "2026-05-01"),
]
LICENCES = [Licence("S-9", "suspended", "2026-03-27", "2026-03-31")]
CUSTOMERS = sorted({term.customer_id for term in TERMS} | {"planless_co"})
# Who submits, by weight; "" and a stranger map to no customer.
_SUBMITTERS = ["difficult_co"] * 40 + ["standard_co", "enhanced_co", "premium_co"] * 14 + ["moving_co"] * 12
_SUBMITTERS += ["paused_co"] * 4 + [
    "trial_co",
    "lapsed_co",
    "planless_co",
    "torn_co",
    "torn_co",
    "stranger_co",
    "",
]

AGENTS, OPENER_AGENT = ["mia", "ole"], "pia"


@dataclass(frozen=True)
class World:
    """Everything of one build. `seed` makes it again."""

    seed: int
    tickets: tuple[Ticket, ...]
    waivers: tuple[Waiver, ...]
    as_of: int

    def oracle(self) -> TicketOracle:
        return TicketOracle(
            PLANS, CALENDARS | _read_product_calendars(), TERMS, CUSTOMERS, self.as_of, HORIZON, LICENCES
        )


def draw_world(seed: int, count: int) -> World:
    """`count` tickets. Many answers are aimed at the second in which a verdict turns, which takes an oracle without answers."""
    chance = random.Random(seed)
    as_of = AS_OF if seed % 2 == 0 else chance.randrange(FIRST + 8 * DAY, LAST)
    world = World(seed, (), (), as_of)
    # Everything is visible to the aim: a history does not know where as_of will cut it.
    aim = replace(world, as_of=LAST + 20 * DAY).oracle()
    # Each ticket has its own chance: it stays what it is when there are more of them.
    tickets = [_draw_ticket(random.Random(f"{seed} {number}"), number, aim, as_of) for number in range(count)]
    return replace(
        world, tickets=tuple(tickets), waivers=tuple(_draw_waivers(chance, tickets, world.oracle()))
    )


def _draw_instant(chance: random.Random, begin: int, end: int) -> int:
    at = chance.randrange(begin, end)
    kind = chance.randrange(4)
    if kind == 0:
        return at
    at -= at % (15 * MINUTE)
    return at if kind < 3 else at + chance.choice([-1, 1])


def _draw_ticket(chance: random.Random, number: int, aim: TicketOracle, as_of: int) -> Ticket:
    begin = FIRST if chance.random() < 0.7 else max(FIRST, as_of - 2 * DAY)
    customer = chance.choice(_SUBMITTERS)
    ticket = Ticket(
        ticket_id=f"T-{number}",
        customer_id=customer,
        requester=chance.choice([OPENER_AGENT, "ann", "ann", "ann", "ben"]),
        channel=chance.choice(
            ["console", "web_form", "web_form", "web_form", "console", "console", "chat", "email", ""]
        ),
        severity=chance.choice(
            ["1", "2", "3", "4", "5", "3", "4", "5", "2", "3", "0", chance.choice(["", "7", "urgent"])]
        ),
        submitted_at=_draw_instant(chance, begin, as_of + HOUR),
    )
    # Numbers of different lengths, drawn in no order: within a second they are the sequence, not the order of the file.
    ids = [f"{ticket.ticket_id}-{number}" for number in chance.sample([*range(1, 30), *range(95, 115)], 48)]
    at, events = ticket.submitted_at, []
    for _ in range(chance.choice([0, 1, 2, 3, 4, 5, 7, 10, 16])):
        # Often in the second before, mostly soon, sometimes days later.
        gap = chance.randrange(chance.choice([1, 1, 1, 2, MINUTE, HOUR, 8 * HOUR, 3 * DAY]))
        at = at + gap if gap < HOUR or chance.random() < 0.5 else _draw_instant(chance, at, at + gap + 1)
        events.append(_draw_event(chance, ids.pop(), max(at, ticket.submitted_at), ticket))
    if chance.random() < 0.2:
        events.append(_draw_opening(chance, ids.pop(), ticket))
    for _ in range(chance.choice([0, 1, 1, 2])):
        events += _aim_event(chance, replace(ticket, events=tuple(events)), aim, ids)
    chance.shuffle(events)
    return replace(ticket, events=tuple(events), records=tuple(_draw_records(chance, ticket)))


def _draw_opening(chance: random.Random, event_id: str, ticket: Ticket) -> Event:
    """What stands in the second of the submission, or before it, where only a contradiction can be an answer."""
    at = ticket.submitted_at - chance.choice([0, 0, 0, 1, 30])
    early = [Event(event_id, at, "message", "agent", chance.choice([*AGENTS, OPENER_AGENT]), True)] * 5
    early += [
        Event(event_id, at, "message", "agent", "mia", False),
        Event(event_id, at, "message", "customer", "ann", True),
        Event(event_id, at, "message", "bot", "robot", True),
        Event(event_id, at, "message", "ai", "assistant", True),
        Event(event_id, at, "status_changed", "agent", "mia", None, chance.choice(["solved", "closed"])),
        Event(event_id, at, "status_changed", "agent", "mia", None, "solved"),
    ]
    return chance.choice(early)


def _draw_records(chance: random.Random, ticket: Ticket) -> Iterable[tuple[int, str]]:
    """Later lines that name a customer, often at the second at which a correction ends, or one beside it."""
    written: set[int] = set()
    for _ in range(chance.choice([0, 0, 0, 0, 0, 1, 1, 2])):
        after = chance.choice([HOUR, 7 * DAY - 1, 7 * DAY, 7 * DAY + 1, chance.randrange(1, 12 * DAY)])
        customer_id = chance.choice(_SUBMITTERS) or "standard_co"
        # Two at one instant would have no order.
        if after not in written:
            yield ticket.submitted_at + after, customer_id
        written.add(after)


_KINDS = ["agent"] * 4 + ["customer"] * 4 + ["status"] * 8 + ["severity"] * 5
_KINDS += ["debug_requested", "debug_logs_received", "debug_delivered"] * 2
_KINDS += [
    "bot",
    "ai",
    "ai",
    "internal",
    "opener",
    "internal_customer",
    "bug_confirmed",
    "bug_rejected",
    "assistance_redeemed",
]
_ENDS = ["merged", "deleted", "deleted", "restored", "restored", "cancelled", "cancelled"]


def _draw_event(chance: random.Random, event_id: str, at: int, ticket: Ticket) -> Event:
    kind = chance.choice(_KINDS if chance.random() < 0.96 else _ENDS)
    if kind in ("status", "cancelled"):
        value = chance.choice(
            ["open", "open", "pending", "pending", "on_hold", "solved", "solved", "closed", "new"]
        )
        value = "cancelled" if kind == "cancelled" else value
        return Event(event_id, at, "status_changed", chance.choice(["agent", "bot", ""]), "", None, value)
    if kind == "severity":
        return Event(
            event_id,
            at,
            "severity_changed",
            "agent",
            chance.choice(AGENTS),
            None,
            chance.choice("0122333445555"),
        )
    if kind in ("agent", "internal"):
        return Event(
            event_id, at, "message", "agent", chance.choice([*AGENTS, OPENER_AGENT, ""]), kind == "agent"
        )
    if kind in ("customer", "internal_customer"):
        return Event(event_id, at, "message", "customer", chance.choice(["ann", "ben"]), kind == "customer")
    if kind == "bot":
        return Event(event_id, at, "message", "bot", "robot", True)
    if kind == "ai":
        return Event(event_id, at, "message", "ai", "assistant", True)
    if kind == "opener":
        is_agent = ticket.requester == OPENER_AGENT
        return Event(event_id, at, "message", "agent" if is_agent else "customer", ticket.requester, True)
    value = {"merged": "T-0", "assistance_redeemed": "custom_builds"}.get(kind, "")
    return Event(event_id, at, kind, "agent", chance.choice(AGENTS), None, value)


def _aim_event(chance: random.Random, ticket: Ticket, aim: TicketOracle, ids: list[str]) -> list[Event]:
    """Something that matters, at the second at which a promise of the ticket is due, or one beside it."""
    rows = [row for row in aim.judge(ticket) if row.due_at is not None]
    if not rows:
        return []
    row = chance.choice(rows)
    assert row.due_at is not None
    at = max(row.due_at + chance.choice([-1, 0, 1, 1, 0]), ticket.submitted_at)
    stop = {
        "first_response": Event("", at, "message", "agent", "mia", True),
        "next_reply": Event("", at, "message", "agent", "ole", True),
        "periodic_update": Event("", at, "message", "agent", "ole", True),
        "debug_analysis": Event("", at, "debug_delivered", "agent", "mia"),
        "resolution": Event("", at, "status_changed", "agent", "mia", None, "solved"),
    }[row.obligation]
    other = chance.choice(
        [
            Event("", at, "merged", "agent", "mia", None, "T-0"),
            Event("", at, "deleted", "agent", "mia"),
            Event("", at, "message", "ai", "assistant", True),
            Event("", at, "status_changed", "agent", "mia", None, "cancelled"),
            Event("", at, "severity_changed", "agent", "mia", None, chance.choice("12345")),
            Event("", at, "status_changed", "agent", "mia", None, chance.choice(["pending", "open"])),
        ]
    )
    chosen = [stop] if chance.random() < 0.6 else [other] if chance.random() < 0.7 else [stop, other]
    return [replace(event, event_id=ids.pop()) for event in chosen]


def _draw_waivers(chance: random.Random, tickets: Iterable[Ticket], oracle: TicketOracle) -> Iterable[Waiver]:
    """Waivers whose windows open, close and are approved beside the breaches that they may forgive."""
    number = 0
    for ticket in tickets:
        breaches = [row for row in oracle.judge(ticket) if row.breached_at is not None]
        for row in breaches:
            if chance.random() < 0.6:
                continue
            assert row.breached_at is not None
            near = [row.breached_at + beside for beside in (-DAY, -1, 0, 1, DAY)]
            approved = chance.choice([*near, oracle.as_of - 1, oracle.as_of, oracle.as_of + 1])
            expires = chance.choice([None, None, *near, oracle.as_of])
            opens = chance.choice([None, None, None, *near])
            cycle = chance.choice([None, None, row.cycle_number, row.cycle_number + 1])
            # A window that never opens is refused with the whole file.
            if opens is None or opens < (approved if expires is None else expires):
                number += 1
                names = f"W-{number}", ticket.ticket_id, row.obligation
                yield Waiver(*names, approved, expires, opens, cycle)


def write_workspace(root: Path, world: World) -> None:
    """The workspace's rules, without any export. JSON is YAML, and quicker to write."""
    reference = root / "reference"
    for folder in (reference / "plans", reference / "calendars", root / "inbox" / "desk"):
        folder.mkdir(parents=True, exist_ok=True)
    # Unknown words are as frequent here as the known ones.
    allowed = {"unknown_levels": 100, "missing_levels": 100, "unknown_customers": 100}
    settings = {"sources": {"desk": {"type": "canonical", "allow": allowed}}, "compare_plans": []}
    (root / "sla.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    (reference / "calendars" / "all.yml").write_text(
        json.dumps({"calendars": CALENDARS | _read_product_calendars()})
    )
    for plan in PLANS:
        # Whole numbers as keys are what a plan file has and JSON lacks.
        (reference / "plans" / f"{plan['plan']}.yml").write_text(
            yaml.safe_dump(plan, sort_keys=False), encoding="utf-8"
        )
    _write_csv(
        reference / "customers.csv",
        ["customer_id", "name", "time_zone", "locale", "report_recipients"],
        [[customer, customer.title(), "UTC", "en", ""] for customer in CUSTOMERS],
    )
    _write_csv(
        reference / "subscriptions.csv",
        [
            "subscription_id",
            "customer_id",
            "plan",
            "term_starts_on",
            "term_ends_on",
            "license_type",
            "license_status",
        ],
        [
            [
                t.subscription_id,
                t.customer_id,
                t.plan,
                t.starts_on,
                t.ends_on,
                t.license_type,
                t.license_status,
            ]
            for t in TERMS
        ],
    )
    _write_csv(
        reference / "licenses.csv",
        ["subscription_id", "license_status", "valid_from", "valid_to"],
        [[one.subscription_id, one.license_status, one.valid_from, one.valid_to] for one in LICENCES],
    )
    _write_csv(
        reference / "waivers.csv",
        [
            "waiver_id",
            "ticket_id",
            "obligation",
            "reason",
            "requested_by",
            "approved_by",
            "approved_at",
            "expires_on",
            "valid_from",
            "cycle_number",
        ],
        [
            [
                w.waiver_id,
                w.ticket_id,
                w.obligation,
                "agreed",
                "mia",
                "zoe",
                show(w.approved_at),
                show(w.expires_at),
                show(w.valid_from),
                "" if w.cycle_number is None else str(w.cycle_number),
            ]
            for w in world.waivers
        ],
    )


_TICKET_COLUMNS = [
    "ticket_id",
    "customer_id",
    "requester",
    "channel",
    "severity",
    "submitted_at",
    "updated_at",
]
_TICKET_COLUMNS += ["subject", "ticket_type", "tags"]
_EVENT_COLUMNS = [
    "event_id",
    "ticket_id",
    "event_at",
    "event_type",
    "actor_kind",
    "actor",
    "is_public",
    "value",
]


def write_exports(
    root: Path, tickets: Sequence[Ticket], events: Sequence[tuple[str, Event]], name: str
) -> None:
    """One file of tickets and one of (ticket_id, event), in the order given."""
    inbox = root / "inbox" / "desk"
    ticket_rows = []
    for ticket in tickets:
        for written_at, customer_id in [(ticket.submitted_at, ticket.customer_id), *ticket.records]:
            row = [ticket.ticket_id, customer_id, ticket.requester, ticket.channel, ticket.severity]
            ticket_rows.append([*row, show(ticket.submitted_at), show(written_at), "", "", ""])
    _write_csv(inbox / f"tickets-{name}.csv", _TICKET_COLUMNS, ticket_rows)
    flags = {True: "true", False: "false", None: ""}
    event_rows = []
    for ticket_id, event in events:
        start = [event.event_id, ticket_id, show(event.at), event.event_type]
        event_rows.append([*start, event.actor_kind, event.actor, flags[event.is_public], event.value])
    _write_csv(inbox / f"events-{name}.csv", _EVENT_COLUMNS, event_rows)


def _write_csv(file: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines, lineterminator="\n").writerows([header, *rows])
