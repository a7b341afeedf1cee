"""A second bookkeeper of the entitlement ledger: it walks through what happened, unit by unit, and keeps the account in hand.

The models derive every line from running sums. Here a pool is what is left in it, the units that it owes and the units that its
end has taken, and each line is written when its turn comes. It shares no code with the models or the pipeline; rules are the
mappings of plan files, instants whole seconds since 1970 UTC. Meant to be read, not to be fast.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.generative import ticket_oracle
from tests.generative.oracle import to_instant
from tests.generative.ticket_oracle import Ticket, Waiver

# Within one second: what begins, what dies, what is added, given back, drawn, what is given back of that, the end of the term.
GRANT, PACK_END, PURCHASE, CORRECTION, USE, LATE_CORRECTION, TERM_END = range(7)
# The seed's order of what may happen to a ticket's unit within one second.
PRECEDENCE = {"bug_confirmed": 60, "bug_rejected": 61, "merged": 70, "deleted": 71}
LAST_WORDS = ("merged", "deleted")
WAIVED_UNIT = "entitlement"


@dataclass(frozen=True)
class Term(ticket_oracle.Term):
    """One subscription term; with `stacks_on` its units are added to the account of that other one."""

    stacks_on: str = ""


@dataclass(frozen=True)
class Purchase:
    """A pack: `quantity` units for one pool of one term, from one local day until before another."""

    purchase_id: str
    subscription_id: str
    pool: str
    quantity: int
    purchased_on: str
    expires_on: str = ""
    returned_on: str = ""


@dataclass(frozen=True)
class Redemption:
    redemption_id: str
    subscription_id: str
    pool: str
    redeemed_on: str
    ticket_id: str = ""


@dataclass
class Lot:
    """Units that came together and die together: a pack, or what a term grants. `left` counts those that the end took as well."""

    lot_id: str
    quantity: int
    dies_at: int
    is_drawn_first: bool = False
    left: int = 0
    is_dead: bool = False

    @property
    def place(self) -> tuple[bool, int, str]:
        """Its place among the lots that are drawn on."""
        return not self.is_drawn_first, self.dies_at, self.lot_id


@dataclass(frozen=True)
class Cause:
    """Why a line is written, and when."""

    kind: str
    cause_id: str
    at: int
    ticket_id: str | None = None


@dataclass(frozen=True)
class Line:
    """One line of a statement. `number` counts the lines of its pool; `undoes` is (pool, number) of the same term."""

    pool: str
    number: int
    kind: str
    quantity: int | None
    balance_after: int | None
    cause: Cause
    undoes: tuple[str, int] | None = None
    # The lot whose unit it takes or gives back.
    paid_by: str | None = None


@dataclass
class Account:
    """One pool of one term while its statement is written."""

    pool: str
    is_limited: bool
    overflows_to: Account | None
    # What pays where there is no number: the first grant.
    first_grant: str
    lines: list[Line] = field(default_factory=list)
    remaining: int = 0
    lots: list[Lot] = field(default_factory=list)
    # Units owed, the latest last: the line that said so, and the line of the pool that lent the unit.
    owed: list[tuple[Line, Line | None]] = field(default_factory=list)
    # Units that the end of the term took, the latest last.
    taken_by_end: list[Line] = field(default_factory=list)
    has_ended: bool = False

    def write(
        self,
        kind: str,
        quantity: int | None,
        cause: Cause,
        undoes: Line | None = None,
        paid_by: str | None = None,
    ) -> Line:
        balance = None
        if self.is_limited:
            assert quantity is not None
            self.remaining += quantity
            balance = self.remaining
            assert balance >= 0, "a line that owes more than there is"
        number = len(self.lines) + 1
        place = None if undoes is None else (undoes.pool, undoes.number)
        line = Line(self.pool, number, kind, quantity, balance, cause, place, paid_by)
        self.lines.append(line)
        return line

    def take(self, kind: str, cause: Cause, undoes: Line | None = None) -> Line:
        """One unit out. Where none is left it is first lent: by the end of the term, by another pool, or as overage."""
        if not self.is_limited:
            return self.write(kind, -1, cause, undoes, self.first_grant)
        if self.remaining == 0 and not self.taken_by_end:
            if self.overflows_to is None:
                self.owed.append((self.write("overage", 1, cause), None))
                return self.write(kind, -1, cause, undoes)
            lent = self.overflows_to.take("overflow", cause)
            self.owed.append((self.write("overflow", 1, cause, paid_by=lent.paid_by), lent))
            return self.write(kind, -1, cause, undoes, lent.paid_by)
        lot = min((one for one in self.lots if one.left), key=lambda one: one.place)
        lot.left -= 1
        if self.remaining == 0:
            self.write("expiry", 1, cause, self.taken_by_end.pop(), lot.lot_id)
        return self.write(kind, -1, cause, undoes, lot.lot_id)

    def give(
        self,
        kind: str,
        quantity: int | None,
        cause: Cause,
        undoes: Line | None = None,
        lot: Lot | None = None,
    ) -> Line:
        """Units in: those of a new lot, or one that comes back. What is owed is paid first, the latest debt first; after the end
        of the term the rest is lost at once. What comes back goes to the lot that is drawn last of those that miss a unit."""
        came_back = None
        if not self.is_limited:
            came_back = self.first_grant if lot is None else None
        elif lot is not None:
            self.lots.append(lot)
            lot.left = lot.quantity - min(lot.quantity, len(self.owed))
        elif not self.owed:
            missing = [one for one in self.lots if one.left < one.quantity]
            filled = max(missing, key=lambda one: (not one.is_dead, one.place))
            filled.left += 1
            came_back = filled.lot_id
        paid_by = came_back if lot is None else lot.lot_id
        line = self.write(kind, quantity, cause, undoes, came_back)
        while self.owed and self.remaining:
            debt, lent = self.owed.pop()
            self.write(debt.kind, -1, cause, debt, paid_by)
            if lent is not None:
                assert self.overflows_to is not None
                self.overflows_to.give("overflow", 1, cause, lent)
        if self.has_ended:
            self.lose(self.remaining, cause, paid_by)
        return line

    def lose(self, quantity: int, cause: Cause, paid_by: str | None = None) -> None:
        if quantity:
            line = self.write("expiry", -quantity, cause, paid_by=paid_by)
            self.taken_by_end += [line] * quantity

    def end(self, cause: Cause) -> None:
        self.has_ended = True
        if self.is_limited:
            self.lose(self.remaining, cause)

    def add(self, kind: str, lot: Lot, cause: Cause) -> None:
        self.give(kind, lot.quantity if self.is_limited or kind == "purchase" else None, cause, lot=lot)

    def bury(self, kind: str, lot: Lot, cause: Cause) -> None:
        """The units that are left in a lot go: they expire, or are returned."""
        if not self.is_limited:
            return
        lot.is_dead = True
        if lot.left:
            self.write(kind, -lot.left, cause, paid_by=lot.lot_id)
            lot.left = 0


@dataclass(frozen=True)
class Statement:
    """What one pool of one term comes to."""

    term: Term
    pool: str
    is_limited: bool
    lines: tuple[Line, ...]

    def sum(self, kind: str, sign: int = 0) -> int:
        """Units of a kind; with a sign only those that came in (1) or went out (-1)."""
        return sum(
            line.quantity or 0
            for line in self.lines
            if line.kind == kind and (sign == 0 or (line.quantity or 0) * sign > 0)
        )

    def balance_at(self, at: int) -> int | None:
        """What is left after everything up to and including `at`; None where the pool has no number."""
        if not self.is_limited:
            return None
        return sum(line.quantity or 0 for line in self.lines if line.cause.at <= at)


class Bookkeeper:
    """All statements of all customers at `as_of`."""

    def __init__(
        self,
        plans: Sequence[Mapping[str, Any]],
        terms: Sequence[Term],
        purchases: Sequence[Purchase],
        redemptions: Sequence[Redemption],
        waivers: Sequence[Waiver],
        as_of: int,
    ) -> None:
        self.plans = {plan["plan"]: plan for plan in plans}
        self.terms, self.purchases, self.redemptions = terms, purchases, redemptions
        self.waivers, self.as_of = waivers, as_of

    def write_statements(self, tickets: Sequence[Ticket]) -> dict[tuple[str, str], Statement]:
        """(subscription_id, pool) -> its statement, for every pool of every term."""
        drawn: dict[str, list[tuple[str, Ticket]]] = {}
        for ticket in tickets:
            for subscription_id, pool in self._pools_drawn_by(ticket):
                drawn.setdefault(subscription_id, []).append((pool, ticket))
        statements = {}
        for term in self.terms:
            if not term.stacks_on:
                for statement in self._write_account(term, drawn.get(term.subscription_id, []), tickets):
                    statements[term.subscription_id, statement.pool] = statement
        return statements

    def _write_account(
        self, first: Term, drawn: Sequence[tuple[str, Ticket]], tickets: Sequence[Ticket]
    ) -> Iterator[Statement]:
        """The statements of a term, or of a term and all that stack on it: they share the account of the first."""
        terms = [term for term in self.terms if self._account(term) == first.subscription_id]
        names = {term.subscription_id for term in terms}
        begin, end = self._period(first)[0], max(self._period(term)[1] for term in terms)
        rules = {rule["pool"]: rule for rule in self._rules(first.plan, begin)["entitlements"]}
        named = {term.subscription_id: term for term in terms}
        bought = [one for one in self.purchases if one.subscription_id in names]
        contracted = {
            one.pool
            for one in bought
            if self._day(named[one.subscription_id], one.purchased_on) <= self.as_of
        }
        accounts: dict[str, Account] = {}

        def open_account(name: str) -> Account:
            if name not in accounts:
                quantity, target = rules[name]["quantity"], rules[name].get("overflows_to")
                # Where the plan states no number, the customer's contract may.
                is_limited = isinstance(quantity, int) or (quantity == "not_stated" and name in contracted)
                accounts[name] = Account(
                    name,
                    is_limited,
                    open_account(target) if target else None,
                    f"grant:{first.subscription_id}:{name}",
                )
            return accounts[name]

        # (when, what comes first in one second, whose it is, which turn) -> what to do
        agenda: list[tuple[tuple[int, int, str, int], Any]] = []

        def add_lot(
            account: Account, kind: str, lot: Lot, born: Cause, returned_at: int | None = None
        ) -> None:
            """A lot that comes at one instant and dies or is returned at another, unless the account ends first."""
            rank = GRANT if kind == "grant" else PURCHASE
            agenda.append(((born.at, rank, lot.lot_id, 0), (account.add, kind, lot, born)))
            gone_at, how = lot.dies_at, "expiry"
            if returned_at is not None and returned_at < lot.dies_at and returned_at <= self.as_of:
                gone_at, how = returned_at, "return"
            if gone_at < end:
                gone = Cause(born.kind, born.cause_id, gone_at)
                agenda.append(((gone_at, PACK_END, lot.lot_id, 0), (account.bury, how, lot, gone)))

        for name in rules:
            account = open_account(name)
            for term in terms:
                starts_at, ends_at = self._period(term)
                granted = {
                    rule["pool"]: rule["quantity"]
                    for rule in self._rules(term.plan, starts_at)["entitlements"]
                }[name]
                cause = Cause("term", term.subscription_id, starts_at)
                units = granted if isinstance(granted, int) else 0
                lot = Lot(f"grant:{term.subscription_id}:{name}", units, ends_at, len(terms) == 1)
                add_lot(account, "grant", lot, cause)
            cause = Cause("term", first.subscription_id, end)
            agenda.append(((end, TERM_END, account.pool, 0), (account.end, cause)))
        for pack in bought:
            bought_in = named[pack.subscription_id]
            dies_at = self._day(bought_in, pack.expires_on) if pack.expires_on else end
            lot = Lot(f"purchase:{pack.purchase_id}", pack.quantity, min(dies_at, end))
            cause = Cause("purchase", pack.purchase_id, self._day(bought_in, pack.purchased_on))
            returned_at = self._day(bought_in, pack.returned_on) if pack.returned_on else None
            add_lot(accounts[pack.pool], "purchase", lot, cause, returned_at)
        for name, cause in self._redeemed(named, tickets):
            if name in accounts and rules[name].get("redeemed"):
                place = (cause.at, USE, f"redemption:{cause.cause_id}", 0)
                agenda.append((place, (accounts[name].take, "use", cause)))
        for name, ticket in drawn:
            agenda += self._book_ticket(accounts[name], ticket)
        for place, (act, *arguments) in sorted(agenda, key=lambda entry: entry[0]):
            if place[0] <= self.as_of:
                act(*arguments)
        for account in accounts.values():
            yield Statement(first, account.pool, account.is_limited, tuple(account.lines))

    def _redeemed(self, named: Mapping[str, Term], tickets: Sequence[Ticket]) -> Iterator[tuple[str, Cause]]:
        """(pool, cause): the records of redemptions, and the events of tickets that no record names."""
        names = set(named)
        recorded = set()
        for one in self.redemptions:
            if one.subscription_id not in names:
                continue
            at = self._day(named[one.subscription_id], one.redeemed_on)
            if at <= self.as_of:
                recorded.add((one.ticket_id, one.pool))
                yield one.pool, Cause("redemption", one.redemption_id, at, one.ticket_id or None)
        for ticket in tickets:
            if ticket.submitted_at > self.as_of or self._covering(ticket, names) is None:
                continue
            for event in ticket.events:
                if (
                    event.event_type == "assistance_redeemed"
                    and (ticket.ticket_id, event.value) not in recorded
                ):
                    yield event.value, Cause("event", event.event_id, event.at, ticket.ticket_id)

    def _account(self, term: Term) -> str:
        """The first of the terms that a term stacks on, directly or through others."""
        while term.stacks_on:
            term = next(other for other in self.terms if other.subscription_id == term.stacks_on)
        return term.subscription_id

    def _covering(self, ticket: Ticket, names: set[str] | None = None) -> Term | None:
        """The term in force at a submission. Of two that stack the later one counts only after the earlier has ended."""
        covered_until: dict[str, int] = {}
        for term in self.terms:
            begin, end = self._period(term)
            account = self._account(term)
            begin = max(begin, covered_until.get(account, begin))
            covered_until[account] = max(end, covered_until.get(account, end))
            if term.customer_id == ticket.customer_id and begin <= ticket.submitted_at < end:
                return term if names is None or term.subscription_id in names else None
        return None

    def _book_ticket(self, account: Account, ticket: Ticket) -> Iterator[tuple[Any, Any]]:
        """The use of a ticket, and the credits and reversals of it, which take turns."""
        written: list[Line] = []

        def use(cause: Cause) -> None:
            written.append(account.take("use", cause))

        def credit(cause: Cause) -> None:
            written.append(account.give("credit", 1, cause, written[-1]))

        def reverse(cause: Cause) -> None:
            written.append(account.take("reversal", cause, written[-1]))

        cause = Cause("ticket", ticket.ticket_id, ticket.submitted_at, ticket.ticket_id)
        yield (cause.at, USE, ticket.ticket_id, 0), (use, cause)
        is_credited = False
        for turn, (cause, is_free) in enumerate(self._reasons(ticket), 1):
            if is_free != is_credited:
                is_credited = is_free
                # Nothing is given back before it was drawn: in the second of the submission the use comes first.
                rank = CORRECTION if cause.at > ticket.submitted_at else LATE_CORRECTION
                yield (cause.at, rank, ticket.ticket_id, turn), (credit if is_free else reverse, cause)

    def _reasons(self, ticket: Ticket) -> Iterator[tuple[Cause, bool]]:
        """Everything that bears on whether the ticket's unit is charged, in order, and whether it is free from then on."""
        told: list[tuple[tuple[int, int, int, str], str, str]] = []
        for event in ticket.events:
            if event.event_type in PRECEDENCE:
                order = (event.at, PRECEDENCE[event.event_type], len(event.event_id), event.event_id)
                told.append((order, "event", event.event_type))
        for waiver in self.waivers:
            ends_at = waiver.expires_at
            if waiver.ticket_id != ticket.ticket_id or waiver.obligation != WAIVED_UNIT:
                continue
            if ends_at is not None and ends_at <= ticket.submitted_at:
                continue
            told.append(((waiver.approved_at, 0, 0, waiver.waiver_id), "waiver", "approved"))
            if ends_at is not None:
                told.append(((ends_at, 99, 0, waiver.waiver_id), "waiver", "expired"))
        is_bug, waivers = False, set()
        for (at, _, _, name), kind, word in sorted(told):
            if at > self.as_of:
                return
            cause = Cause(kind, name, max(at, ticket.submitted_at), ticket.ticket_id)
            if word in LAST_WORDS:
                yield cause, True
                return
            if kind == "waiver":
                waivers.add(name) if word == "approved" else waivers.discard(name)
            else:
                is_bug = word == "bug_confirmed"
            yield cause, is_bug or bool(waivers)

    def _pools_drawn_by(self, ticket: Ticket) -> Iterator[tuple[str, str]]:
        """(subscription_id, pool): one, or none where the ticket is not counted."""
        term = self._covering(ticket)
        if term is None or ticket.submitted_at > self.as_of:
            return
        promised = self._rules(term.plan, ticket.submitted_at)
        channels, licence = promised["channels"], promised["license"]
        is_heard = ticket.channel in ("", *channels["supported"]) or (
            ticket.channel not in channels["unsupported"] and channels["default_supported"]
        )
        is_counted = (
            term.license_status == licence["required_status"]
            and term.license_type not in licence["types_not_counted"]
        )
        if not is_heard or not is_counted:
            return
        account = self._account(term)
        first = next(other for other in self.terms if other.subscription_id == account)
        submitted, in_force = self._levels(ticket)
        for rule in self._rules(first.plan, self._period(first)[0])["entitlements"]:
            level = in_force if rule.get("draws_on") == "in_force" else submitted
            if level in rule.get("severities", ()):
                yield account, rule["pool"]

    def _levels(self, ticket: Ticket) -> tuple[int | None, int | None]:
        """The level that the ticket was submitted with, and the last one that it was given before it ended."""
        known = [event for event in ticket.events if event.at <= self.as_of]
        ended_at = min((event.at for event in known if event.event_type in LAST_WORDS), default=self.as_of)
        changes = sorted(
            (event for event in known if event.event_type == "severity_changed" and event.at <= ended_at),
            key=lambda event: (event.at, len(event.event_id), event.event_id),
        )
        levels = [int(event.value) for event in changes]
        submitted = int(ticket.severity) if ticket.severity else next(iter(levels), None)
        return submitted, levels[-1] if levels else submitted

    def _rules(self, plan: str, at: int) -> Mapping[str, Any]:
        for version in self.plans[plan]["versions"]:
            zone = version["time_zone"]
            ends = _start_of_day(version["valid_to"], zone) if "valid_to" in version else at + 1
            if _start_of_day(version["valid_from"], zone) <= at < ends:
                rules: Mapping[str, Any] = version
                return rules
        raise LookupError(f"{plan} has no version then")

    def _zone(self, term: Term) -> str:
        zone: str = self.plans[term.plan]["versions"][0]["time_zone"]
        return zone

    def _period(self, term: Term) -> tuple[int, int]:
        return self._day(term, term.starts_on), _start_of_day(term.ends_on, self._zone(term))

    def _day(self, term: Term, day: str) -> int:
        """When a day of a term begins. The first one begins when the term before ended, in whatever zone that ended."""
        if day == term.starts_on:
            for other in self.terms:
                if other.customer_id == term.customer_id and other.ends_on == day:
                    return _start_of_day(day, self._zone(other))
        return _start_of_day(day, self._zone(term))


def _start_of_day(day: str, zone: str) -> int:
    return to_instant(datetime.fromisoformat(day), zone)
