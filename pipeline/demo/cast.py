"""Who takes part in the demo: customers, their people and subscription terms, and the vendor's desk.

Everything is invented. Addresses end in `.example`, which is reserved and never delivered.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import NamedTuple, TypeVar

T = TypeVar("T")

HELPDESK = "helpdesk"
PORTAL = "portal"
MAIL_DOMAIN = "vendor.example"
# Customers beyond the hand-written ones appear only when forty could not send so many tickets.
TICKETS_PER_EXTRA_CUSTOMER = 500


class Person(NamedTuple):
    """A person or program that writes on tickets. `kind` is customer, agent or bot; `user_id` is the helpdesk's number."""

    kind: str
    user_id: int
    name: str
    email: str


class Term(NamedTuple):
    """One subscription term, half-open: it covers `starts_on` and not `ends_on`."""

    subscription_id: str
    plan: str
    starts_on: date
    ends_on: date
    license_type: str
    license_status: str


class Contact(NamedTuple):
    """A designated representative, half-open validity; `valid_to` None = still designated."""

    email: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class Customer:
    """One customer and its part in the story.

    `utc_offset_hours` only shapes the daily rhythm (standard time, no DST): the bytes of the demo must not
    depend on a time-zone database. `weight` is the customer's share of all tickets, relative to the others.
    `people` are listed representatives first, then `unlisted_count` who are on no list.
    """

    customer_id: str
    name: str
    time_zone: str
    utc_offset_hours: float
    locale: str
    source: str
    role: str
    weight: float
    organization_id: int | None
    people: tuple[Person, ...]
    unlisted_count: int
    contacts: tuple[Contact, ...]
    terms: tuple[Term, ...]

    def term_on(self, day: date) -> Term | None:
        """The term in force on `day`, or None in a gap."""
        return next((term for term in self.terms if term.starts_on <= day < term.ends_on), None)


# name, time zone, its standard offset in hours, locale, first plan, role in the story
_CUSTOMERS: tuple[tuple[str, str, float, str, str, str], ...] = (
    ("Müller & Söhne Logistik GmbH", "Europe/Berlin", 1, "de", "premium", "noisy"),
    ("Harbour Light Studios", "Europe/London", 0, "en", "standard", ""),
    ("O'Hara Media Group", "America/New_York", -5, "en", "enhanced", "upgrade:premium"),
    ("Groupe Lémeret Énergie", "Europe/Paris", 1, "fr", "premium", ""),
    ("Norðvík Fisheries hf.", "Atlantic/Reykjavik", 0, "en", "standard", "gap"),
    ("Cascade Geospatial, Inc.", "America/Los_Angeles", -8, "en", "premium", "burst"),
    ("Ångström Instruments AB", "Europe/Stockholm", 1, "en", "enhanced", ""),
    ("Fjällräven Broadcast Services", "Europe/Stockholm", 1, "en", "standard", "upgrade:enhanced"),
    ("Banco Nuevo Río S.A.", "America/Argentina/Buenos_Aires", -3, "en", "premium", ""),
    ("Crèmerie D'Aubigny & Fils", "Europe/Paris", 1, "fr", "standard", ""),
    ("Tasman Survey Partners", "Pacific/Auckland", 12, "en", "enhanced", ""),
    ("Żurawski Render Farm", "Europe/Warsaw", 1, "en", "standard", "trial"),
    ("Brightwater Water Authority", "Australia/Sydney", 10, "en", "premium", ""),
    ("Weingut Großkopf KG", "Europe/Vienna", 1, "de", "standard", ""),
    ("Lakeshore Robotics, LLC", "America/Chicago", -6, "en", "enhanced", "gap_long"),
    ("Çelik Gemi Tersanesi A.Ş.", "Europe/Istanbul", 3, "en", "standard", ""),
    ("Smith, Jones & Okafor LLP", "Europe/London", 0, "en", "enhanced", ""),
    ("Kestrel Aerospace Ltd", "Europe/London", 0, "en", "premium", ""),
    ("Données du Saint-Laurent inc.", "America/Toronto", -5, "fr", "enhanced", "early_end"),
    ("Peñalara Audiovisual S.L.", "Europe/Madrid", 1, "en", "standard", ""),
    ("Rheinbrücken Verlag AG", "Europe/Zurich", 1, "de", "enhanced", ""),
    ("Silverpine Games", "America/Vancouver", -8, "en", "standard", "upgrade:enhanced"),
    ("Sundarban Cargo Pvt Ltd", "Asia/Kolkata", 5.5, "en", "premium", ""),
    ("Østerbro Arkitekter A/S", "Europe/Copenhagen", 1, "en", "standard", "six_contacts"),
    ("Merlion Port Systems", "Asia/Singapore", 8, "en", "premium", ""),
    ("Universitätsklinik Hohenau", "Europe/Berlin", 1, "de", "enhanced", ""),
    ("Sentosa Film Lab", "Asia/Singapore", 8, "en", "standard", ""),
    ("Cooperativa Sãojoanense", "America/Sao_Paulo", -3, "en", "standard", ""),
    ("Ferncliff County Schools", "America/Denver", -7, "en", "enhanced", "downgrade:standard"),
    ("Kōwhai Health Trust", "Pacific/Auckland", 12, "en", "enhanced", ""),
    ("Überland Spedition AG", "Europe/Zurich", 1, "de", "standard", "inactive"),
    ("Golden Acacia Mining", "Africa/Johannesburg", 2, "en", "enhanced", ""),
    ("Loch Arden Distillers", "Europe/London", 0, "en", "standard", ""),
    ("Quatre Vents Production", "Europe/Brussels", 1, "fr", "enhanced", ""),
    ("Aurora Grid Oy", "Europe/Helsinki", 2, "en", "premium", ""),
    ("D'Angelo e Figli S.p.A.", "Europe/Rome", 1, "en", "standard", ""),
    ("Blue Heron Biotech", "America/New_York", -5, "en", "enhanced", ""),
    ("Nagai Precision Tools", "Asia/Tokyo", 9, "en", "premium", ""),
    ("Maison Éloise", "Europe/Paris", 1, "fr", "standard", ""),
    ("Tide & Timber Construction", "Europe/Dublin", 0, "en", "enhanced", ""),
)
_EXTRA_STEMS = ("Alder", "Birch", "Copper", "Delta", "Ember", "Falcon", "Granite", "Heron", "Iris", "Juniper")
_EXTRA_KINDS = (
    "Analytics",
    "Builders",
    "Clinics",
    "Data",
    "Energy",
    "Foods",
    "Networks",
    "Pictures",
    "Telecom",
)

_FIRST_NAMES = (
    "Amélie", "Björn", "Chloé", "Daniel", "Eszter", "Farid", "Grace", "Håkon", "Ingrid", "José", "Katarzyna",
    "Liam", "Mónica", "Noor", "Oskar", "Priya", "Rosa", "Søren", "Tomáš", "Yuki",
)  # fmt: skip
_LAST_NAMES = (
    "Abbott", "Bergström", "Castro", "Dvořák", "Eriksen", "Fischer", "García", "Hughes", "Ito", "Jansen",
    "Keller", "Lefèvre", "Murphy", "Nowak", "O'Brien", "Patel", "Quist", "Rossi", "Schröder", "Yılmaz",
)  # fmt: skip

AGENTS = tuple(
    Person("agent", 900010 + number, name, f"{handle}@{MAIL_DOMAIN}")
    for number, (name, handle) in enumerate(
        (
            ("Dana Whitfield", "dana"),
            ("Iker Zabala", "iker"),
            ("Jürgen Pohl", "juergen"),
            ("Mina Achterberg", "mina"),
            ("Rafael Lindqvist", "rafael"),
            ("Siobhán Daly", "siobhan"),
            ("Tomoko Hara", "tomoko"),
        )
    )
)
MANAGERS = (f"petra.stein@{MAIL_DOMAIN}", f"callum.reid@{MAIL_DOMAIN}")
# A bot with a seat of its own, and the helpdesk acting by itself (triggers, automations): neither is a human.
ASSISTANT = Person("bot", 900001, "Answer Assistant", f"assistant@{MAIL_DOMAIN}")
AUTOMATION = Person("bot", -1, "Automation", f"automation@{MAIL_DOMAIN}")

_FIRST_END_USER_ID = 361_500_000_001
_FIRST_ORGANIZATION_ID = 361_900_000_001
_WEIGHT_OF_PLAN = {"standard": 0.8, "enhanced": 2.0, "premium": 11.0}


def pick(rng: Random, items: Sequence[T]) -> T:
    """One item. Only `Random.random` is drawn on, whose sequence Python keeps stable between versions."""
    return items[int(rng.random() * len(items))]


def draw_customers(
    rng: Random, *, tickets: int, starts_on: date, ends_on: date, count: int | None = None
) -> tuple[Customer, ...]:
    """The customers in a fixed order, with people, and with terms around the data by their roles: at least those written by hand,
    and `count` in all, or as many as could send the tickets."""
    rows = [*_CUSTOMERS]
    wanted = tickets // TICKETS_PER_EXTRA_CUSTOMER if count is None else count
    for number in range(max(0, wanted - len(_CUSTOMERS))):
        stem = _EXTRA_STEMS[number % len(_EXTRA_STEMS)]
        kind = _EXTRA_KINDS[number // len(_EXTRA_STEMS) % len(_EXTRA_KINDS)]
        plan = ("standard", "enhanced", "premium", "enhanced")[number % 4]
        rows.append((f"{stem} {kind} {number + 1}", "Europe/London", 0, "en", plan, ""))
    customers = []
    next_user_id = _FIRST_END_USER_ID
    for number, (name, time_zone, offset, locale, plan, role) in enumerate(rows):
        customer_id = _slug(name)
        source = PORTAL if number % 12 in (1, 3, 5, 8) else HELPDESK
        is_joining_late = number % 3 == 2 and role in ("", "six_contacts")
        terms = _draw_terms(rng, f"SUB-{number + 1:03d}", plan, role, is_joining_late, starts_on, ends_on)
        listed_count = 6 if role == "six_contacts" else 3 + int(rng.random() * 3)
        people = _draw_people(rng, listed_count + 2, customer_id, next_user_id)
        next_user_id += len(people)
        # The second representative of every fourth customer left half-way; tickets under that name go on.
        left_on = starts_on + (ends_on - starts_on) / 2 if number % 4 == 0 else None
        contacts = tuple(
            Contact(person.email, terms[0].starts_on, left_on if position == 1 else None)
            for position, person in enumerate(people[:listed_count])
            if left_on is None or position != 1 or left_on > terms[0].starts_on
        )
        weight = _WEIGHT_OF_PLAN[plan] * (0.45 + 1.1 * rng.random())
        if role == "noisy":
            weight = 24.0
        elif role in ("gap", "gap_long", "early_end", "inactive", "trial"):
            weight = 2.5
        customers.append(
            Customer(
                customer_id, name, time_zone, offset, locale, source, role, weight,
                _FIRST_ORGANIZATION_ID + number if source == HELPDESK else None,
                people, 2, contacts, terms,
            )
        )  # fmt: skip
    return tuple(customers)


def _draw_terms(
    rng: Random, prefix: str, plan: str, role: str, is_joining_late: bool, starts_on: date, ends_on: date
) -> tuple[Term, ...]:
    window_days = (ends_on - starts_on).days
    days_before = int(rng.random() * 330)
    if is_joining_late:
        begins = starts_on + timedelta(days=int(window_days * (0.1 + 0.4 * rng.random())))
    else:
        begins = starts_on - timedelta(days=days_before)
    begins = begins.replace(day=min(begins.day, 28))
    verb, _, other_plan = role.partition(":")
    terms: list[Term] = []
    has_renewed = False
    while begins < ends_on or (terms and begins < ends_on + timedelta(days=40)):
        ends = begins.replace(year=begins.year + 1)
        is_first_renewal = bool(terms) and not has_renewed
        if is_first_renewal:
            has_renewed = True
            if verb in ("upgrade", "downgrade"):
                plan = other_plan
            elif verb == "early_end":
                ends = (begins + timedelta(days=150)).replace(day=1)
        terms.append(Term(f"{prefix}-{len(terms) + 1}", plan, begins, ends, "paid", "active"))
        if verb == "early_end" and is_first_renewal:
            break
        begins = ends
        # A renewal signed late leaves days without any term; the customer still writes.
        if not has_renewed and verb in ("gap", "gap_long"):
            begins = ends + timedelta(days=45 if verb == "gap" else 21)
    if role == "trial":
        terms = [term._replace(license_type="trial") for term in terms]
    elif role == "inactive":
        current = max(number for number, term in enumerate(terms) if term.starts_on < ends_on)
        terms[current] = terms[current]._replace(license_status="inactive")
    return tuple(terms)


def _draw_people(rng: Random, count: int, customer_id: str, first_user_id: int) -> tuple[Person, ...]:
    people: dict[str, Person] = {}
    while len(people) < count:
        first, last = pick(rng, _FIRST_NAMES), pick(rng, _LAST_NAMES)
        email = f"{_slug(first)}.{_slug(last)}@{customer_id}.example"
        if email not in people:
            people[email] = Person("customer", first_user_id + len(people), f"{first} {last}", email)
    return tuple(people.values())


def _slug(text: str) -> str:
    """Lower-case ASCII words joined by hyphens: the accents of Latin letters go, everything else is a gap."""
    spelled = text.replace("ß", "ss").replace("Ø", "O").replace("ø", "o").replace("ð", "d").replace("ı", "i")
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode().replace("'", "")
    return "-".join("".join(letter if letter.isalnum() else " " for letter in plain.lower()).split())
