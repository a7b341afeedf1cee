"""A second bookkeeper of the entitlement ledger: it walks through what happened, unit by unit, and keeps the account in hand.

The models derive every line from running sums. Here a pool is what is left in it, the units that it owes and the units that its
end has taken, and each line is written when its turn comes. It shares no code with the models or the pipeline; rules are the
mappings of plan files, instants whole seconds since 1970 UTC. Meant to be read, not to be fast.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.generative import ticket_oracle
from tests.generative.oracle import to_instant
from tests.generative.ticket_oracle import Event, Ticket, Waiver

# Within one second: what begins, what dies, what is added, what goes on into the next term, what is given back, drawn,
# what is given back of that, the end of the term.
GRANT, PACK_END, PURCHASE, RENEWAL, CORRECTION, USE, LATE_CORRECTION, TERM_END = range(8)
# What an event may say of a ticket's unit.
SAID_OF_UNIT = ("bug_confirmed", "bug_rejected", "merged", "deleted")
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


@dataclass(eq=False)
class Lot:
    """Units that came together and die together: a pack, or what a term grants. `left` counts, per account, those that the end of
    that account took as well; `drawn` those that are out. A pack that outlives its term is `held_by` one account after the other.
    """

    lot_id: str
    quantity: int
    dies_at: int
    is_drawn_first: bool = False
    is_dead: bool = False
    held_by: Account | None = None
    left: Counter[int] = field(default_factory=Counter)
    drawn: Counter[int] = field(default_factory=Counter)

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


@dataclass(eq=False)
class Account:
    """One pool of one term while its statement is written."""

    pool: str
    is_limited: bool
    overflows_to: Account | None
    # What pays where there is no number: the first grant.
    first_grant: str
    starts_at: int
    ends_at: int
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

    def is_dead(self, lot: Lot) -> bool:
        """Whether a lot can hold no unit for this account any more: its own end came, or that of the term that it dies with."""
        return lot.is_dead or (self.has_ended and lot.dies_at <= self.ends_at)

    def take(self, kind: str, cause: Cause, undoes: Line | None = None) -> Line:
        """One unit out. Where none is left it comes from the account that a pack of this one has gone on to; else it is lent: by
        another pool, or as overage."""
        if not self.is_limited:
            return self.write(kind, -1, cause, undoes, self.first_grant)
        here = [one for one in self.lots if one.left[id(self)]]
        gone_on = [
            one
            for one in self.lots
            if one.held_by is not None
            and one.held_by is not self
            and one.left[id(one.held_by)]
            and not one.is_dead
        ]
        if here:
            lot = min(here, key=lambda one: one.place)
            lot.left[id(self)] -= 1
            if self.has_ended and self.is_dead(lot):
                self.write("expiry", 1, cause, self.taken_by_end.pop(), lot.lot_id)
        elif gone_on and not self.owed:
            lot = min(gone_on, key=lambda one: one.place)
            assert lot.held_by is not None
            lot.left[id(lot.held_by)] -= 1
            lot.held_by.write("carry_over", -1, cause, paid_by=lot.lot_id)
            self.write("carry_over", 1, cause, paid_by=lot.lot_id)
        elif self.overflows_to is None:
            self.owed.append((self.write("overage", 1, cause), None))
            return self.write(kind, -1, cause, undoes)
        else:
            lent = self.overflows_to.take("overflow", cause)
            self.owed.append((self.write("overflow", 1, cause, paid_by=lent.paid_by), lent))
            return self.write(kind, -1, cause, undoes, lent.paid_by)
        lot.drawn[id(self)] += 1
        return self.write(kind, -1, cause, undoes, lot.lot_id)

    def give(self, kind: str, cause: Cause, undoes: Line | None = None) -> Line:
        """One unit comes back: it settles the latest debt, or goes to the lot that is drawn last of those that this account has
        drawn on, wherever that lot is by now. What a dead lot gets is lost at once where the term has ended."""
        if not self.is_limited:
            return self.write(kind, 1, cause, undoes, self.first_grant)
        if self.owed:
            line = self.write(kind, 1, cause, undoes)
            self.settle(1, cause, None)
            return line
        drawn_on = [one for one in self.lots if one.drawn[id(self)]]
        lot = max(drawn_on, key=lambda one: (not self.is_dead(one), one.place))
        lot.drawn[id(self)] -= 1
        line = self.write(kind, 1, cause, undoes, lot.lot_id)
        if not self.is_dead(lot) and lot.held_by is not None and lot.held_by is not self:
            self.write("carry_over", -1, cause, paid_by=lot.lot_id)
            lot.held_by.receive("carry_over", 1, lot, cause)
        else:
            lot.left[id(self)] += 1
            if self.has_ended and self.is_dead(lot):
                self.lose(1, cause, lot.lot_id)
        return line

    def receive(self, kind: str, quantity: int, lot: Lot, cause: Cause) -> None:
        """Units of a lot come in: those that are owed are settled first; what dies with a term that has ended is lost at once."""
        if lot not in self.lots:
            self.lots.append(lot)
        shown = quantity if self.is_limited or kind != "grant" else None
        self.write(kind, shown, cause, paid_by=lot.lot_id if kind == "carry_over" else None)
        settled = self.settle(quantity, cause, lot.lot_id)
        lot.drawn[id(self)] += settled
        lot.left[id(self)] += quantity - settled
        if self.is_limited and self.has_ended and self.is_dead(lot):
            self.lose(quantity - settled, cause, lot.lot_id)

    def settle(self, quantity: int, cause: Cause, paid_by: str | None) -> int:
        """Pay so many of the units that are owed, the latest debt first; how many that were."""
        settled = 0
        while self.owed and settled < quantity:
            debt, lent = self.owed.pop()
            self.write(debt.kind, -1, cause, debt, paid_by)
            if lent is not None:
                assert self.overflows_to is not None
                self.overflows_to.give("overflow", cause, lent)
            settled += 1
        return settled

    def lose(self, quantity: int, cause: Cause, paid_by: str | None = None) -> None:
        if quantity:
            line = self.write("expiry", -quantity, cause, paid_by=paid_by)
            self.taken_by_end += [line] * quantity

    def end(self, cause: Cause) -> None:
        """The term takes what is left in it, except in packs that outlive it."""
        self.has_ended = True
        if self.is_limited:
            dying = [one for one in self.lots if self.is_dead(one)]
            for one in dying:
                one.is_dead = True
            self.lose(sum(one.left[id(self)] for one in dying), cause)

    def add(self, kind: str, lot: Lot, cause: Cause) -> None:
        lot.held_by = self
        self.receive(kind, lot.quantity, lot, cause)

    def take_over(self, lot: Lot, cause: Cause) -> None:
        """A pack goes on into this term."""
        before = lot.held_by
        assert before is not None
        lot.held_by = self
        quantity, lot.left[id(before)] = lot.left[id(before)], 0
        if quantity:
            before.write("carry_over", -quantity, cause, paid_by=lot.lot_id)
            self.receive("carry_over", quantity, lot, cause)
        elif lot not in self.lots:
            self.lots.append(lot)

    def bury(self, kind: str, lot: Lot, cause: Cause) -> None:
        """The units that are left in a lot go: they expire, or are returned."""
        if not self.is_limited:
            return
        lot.is_dead = True
        if lot.left[id(self)]:
            self.write(kind, -lot.left[id(self)], cause, paid_by=lot.lot_id)
            lot.left[id(self)] = 0


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
        firsts = [term for term in self.terms if not term.stacks_on]
        accounts = {
            (first.subscription_id, account.pool): account
            for first in firsts
            for account in self._open_accounts(first)
        }
        # (when, what comes first in one second, whose it is, which turn) -> what to do
        agenda: list[tuple[tuple[int, int, str, int], Any]] = []
        for first in firsts:
            name = first.subscription_id
            agenda += self._plan_supplies(first, accounts)
            own = {pool: account for (owner, pool), account in accounts.items() if owner == name}
            agenda += self._plan_redemptions(first, own, tickets)
            for pool, ticket in drawn.get(name, []):
                agenda += self._book_ticket(own[pool], ticket)
        for place, (act, *arguments) in sorted(agenda, key=lambda entry: entry[0]):
            if place[0] <= self.as_of:
                act(*arguments)
        return {
            (first.subscription_id, account.pool): Statement(
                first, account.pool, account.is_limited, tuple(account.lines)
            )
            for first in firsts
            for (owner, _), account in accounts.items()
            if owner == first.subscription_id
        }

    def _terms_of(self, first: Term) -> list[Term]:
        """A term and all that stack on it: they share the account of the first."""
        return [term for term in self.terms if self._account(term) == first.subscription_id]

    def _span(self, first: Term) -> tuple[int, int]:
        return self._period(first)[0], max(self._period(term)[1] for term in self._terms_of(first))

    def _packs(self) -> Iterator[tuple[Purchase, Term, int, int, int | None]]:
        """(pack, the first term of its account, bought, dies, returned). Without an end of its own a pack dies with its term."""
        named = {term.subscription_id: term for term in self.terms}
        for pack in self.purchases:
            term = named[pack.subscription_id]
            first = named[self._account(term)]
            dies_at = self._day(term, pack.expires_on) if pack.expires_on else self._span(first)[1]
            returned_at = self._day(term, pack.returned_on) if pack.returned_on else None
            if returned_at is not None and (returned_at >= dies_at or returned_at > self.as_of):
                returned_at = None
            yield pack, first, self._day(term, pack.purchased_on), dies_at, returned_at

    def _open_accounts(self, first: Term) -> Iterator[Account]:
        begin, end = self._span(first)
        rules = {rule["pool"]: rule for rule in self._rules(first.plan, begin)["entitlements"]}
        # Where the plan states no number, the customer's contract may: a pack bought for the term, or one that lives on in it.
        contracted = {
            pack.pool
            for pack, home, bought_at, dies_at, returned_at in self._packs()
            if bought_at <= self.as_of
            and (
                home is first
                or (
                    self._span(home)[1] <= begin <= self.as_of
                    and bought_at < end
                    and begin < (dies_at if returned_at is None else returned_at)
                    and pack.pool
                    in {rule["pool"] for rule in self._rules(home.plan, self._span(home)[0])["entitlements"]}
                )
            )
        }
        accounts: dict[str, Account] = {}

        def open_account(name: str) -> Account:
            if name not in accounts:
                quantity, target = rules[name]["quantity"], rules[name].get("overflows_to")
                accounts[name] = Account(
                    name,
                    isinstance(quantity, int) or (quantity == "not_stated" and name in contracted),
                    open_account(target) if target else None,
                    f"grant:{first.subscription_id}:{name}",
                    begin,
                    end,
                )
            return accounts[name]

        for name in rules:
            open_account(name)
        return iter(accounts.values())

    def _plan_supplies(
        self, first: Term, accounts: Mapping[tuple[str, str], Account]
    ) -> Iterator[tuple[tuple[int, int, str, int], Any]]:
        """What a term grants, the packs that were bought for it, wherever these go, and its end."""
        terms = self._terms_of(first)
        own = [account for (owner, _), account in accounts.items() if owner == first.subscription_id]
        for account in own:
            for term in terms:
                starts_at, ends_at = self._period(term)
                granted = {
                    rule["pool"]: rule["quantity"]
                    for rule in self._rules(term.plan, starts_at)["entitlements"]
                }[account.pool]
                cause = Cause("term", term.subscription_id, starts_at)
                units = granted if isinstance(granted, int) else 0
                lot = Lot(f"grant:{term.subscription_id}:{account.pool}", units, ends_at, len(terms) == 1)
                yield (starts_at, GRANT, lot.lot_id, 0), (account.add, "grant", lot, cause)
                if ends_at < account.ends_at:
                    gone = Cause("term", term.subscription_id, ends_at)
                    yield (ends_at, PACK_END, lot.lot_id, 0), (account.bury, "expiry", lot, gone)
            cause = Cause("term", first.subscription_id, account.ends_at)
            yield (account.ends_at, TERM_END, account.pool, 0), (account.end, cause)
        for pack, home, bought_at, dies_at, returned_at in self._packs():
            if home is not first:
                continue
            lot = Lot(f"purchase:{pack.purchase_id}", pack.quantity, dies_at)
            account = accounts[first.subscription_id, pack.pool]
            cause = Cause("purchase", pack.purchase_id, bought_at)
            yield (bought_at, PURCHASE, lot.lot_id, 0), (account.add, "purchase", lot, cause)
            gone_at = dies_at if returned_at is None else returned_at
            later = [
                one
                for (_, pool), one in accounts.items()
                if pool == pack.pool
                and one.is_limited
                and account.ends_at <= one.starts_at < gone_at
                and bought_at < one.ends_at
            ]
            holder = account
            for holder in sorted(later, key=lambda one: one.starts_at):
                at = max(holder.starts_at, bought_at)
                cause = Cause("purchase", pack.purchase_id, at)
                yield (at, RENEWAL, lot.lot_id, 0), (holder.take_over, lot, cause)
            if returned_at is not None or gone_at != holder.ends_at:
                gone = Cause("purchase", pack.purchase_id, gone_at)
                how = "expiry" if returned_at is None else "return"
                yield (gone_at, PACK_END, lot.lot_id, 0), (holder.bury, how, lot, gone)

    def _plan_redemptions(
        self, first: Term, own: Mapping[str, Account], tickets: Sequence[Ticket]
    ) -> Iterator[tuple[tuple[int, int, str, int], Any]]:
        terms = {term.subscription_id: term for term in self._terms_of(first)}
        rules = {rule["pool"]: rule for rule in self._rules(first.plan, self._span(first)[0])["entitlements"]}
        for name, cause in self._redeemed(terms, tickets):
            if name in own and rules[name].get("redeemed"):
                yield (cause.at, USE, f"redemption:{cause.cause_id}", 0), (own[name].take, "use", cause)

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
            written.append(account.give("credit", cause, written[-1]))

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
        # Within one second: a waiver that begins, the events by their numbers, a waiver that ends.
        told: list[tuple[tuple[int, int, int, str], str, str]] = []
        for event in ticket.events:
            if event.event_type in SAID_OF_UNIT:
                at, number = place(event)
                told.append(((at, 1, number, event.event_id), "event", event.event_type))
        for waiver in self.waivers:
            ends_at = waiver.expires_at
            if waiver.ticket_id != ticket.ticket_id or waiver.obligation != WAIVED_UNIT:
                continue
            if ends_at is not None and ends_at <= ticket.submitted_at:
                continue
            told.append(((waiver.approved_at, 0, 0, waiver.waiver_id), "waiver", "approved"))
            if ends_at is not None:
                told.append(((ends_at, 2, 0, waiver.waiver_id), "waiver", "expired"))
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
        levels = []
        for event in sorted(ticket.events, key=place):
            if event.at > self.as_of or event.event_type in LAST_WORDS:
                break
            if event.event_type == "severity_changed":
                levels.append(int(event.value))
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


def place(event: Event) -> tuple[int, int]:
    """Events of one second follow the numbers at the end of their ids, whatever they say and in whatever file they stand."""
    return event.at, int(event.event_id.rpartition("-")[2])


def _start_of_day(day: str, zone: str) -> int:
    return to_instant(datetime.fromisoformat(day), zone)
