"""Read customers, terms, licences, contacts, purchases, redemptions and waivers, and refuse what is wrong.

A refused file is refused whole: a report must never rest on the half of a table that happened to parse. A contract that
contradicts itself is read, and marked: it is one customer's, and stops no other one.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from pipeline.declarations.dates import hint_zone, parse_date, parse_moment
from pipeline.declarations.problems import SHOWN_PROBLEMS, name_nearest
from pipeline.errors import InputRejected, Problem
from pipeline.rules.mail_addresses import judge_address
from pipeline.rules.plan import LICENSE_STATUSES, LICENSE_TYPES, Plan
from pipeline.rules.tables import OPEN_END, RuleTable, build_table
from pipeline.settings import Workspace
from pipeline.zones import known_zones, start_of_day

# File (without .csv) -> its columns, in any order in the file. Nothing else may stand in it.
REFERENCE_FILES: dict[str, tuple[str, ...]] = {
    "customers": ("customer_id", "name", "time_zone", "locale", "report_recipients"),
    "customer_words": ("customer_id", "word"),
    "subscriptions": (
        "subscription_id",
        "customer_id",
        "plan",
        "term_starts_on",
        "term_ends_on",
        "license_type",
        "license_status",
    ),
    "licenses": ("subscription_id", "license_status", "valid_from", "valid_to"),
    "contacts": ("customer_id", "contact", "valid_from", "valid_to"),
    "purchases": (
        "purchase_id",
        "customer_id",
        "subscription_id",
        "pool",
        "quantity",
        "purchased_on",
        "expires_on",
    ),
    "redemptions": (
        "redemption_id",
        "customer_id",
        "subscription_id",
        "entitlement",
        "redeemed_on",
        "ticket_id",
    ),
    "waivers": (
        "waiver_id",
        "ticket_id",
        "obligation",
        "reason",
        "requested_by",
        "approved_by",
        "approved_at",
        "expires_on",
    ),
    "annotations": ("noted_on", "note"),
}
# What `sla init` writes above the header of a file; lines that begin with # are skipped there.
HEADER_COMMENTS: dict[str, str] = {
    "subscriptions": "# term_ends_on is the first day after the term, on which the next may begin: 2026-01-01 to 2027-01-01",
    "licenses": "# valid_to is the first day on which the status no longer holds",
    "contacts": "# valid_to is the first day on which the person is no longer named",
    "purchases": "# expires_on is the first day on which the units no longer count",
    "annotations": "# notes on the dashboard's trend, such as a migration; with a column customer_id, of one customer",
}
# Columns that a file may also have; where it has not, every value is empty.
OPTIONAL_COLUMNS: dict[str, tuple[str, ...]] = {
    "customer_words": ("source",),
    "subscriptions": ("stacks_on",),
    "purchases": ("returned_on",),
    "waivers": ("cycle_number", "valid_from"),
    "annotations": ("customer_id",),
}
_REQUIRED_FILES = ("customers", "subscriptions")
# What a waiver names to give back a ticket's unit instead of forgiving a missed promise.
UNIT_WAIVER = "entitlement"
_LOCALE = re.compile(r"[a-z]{2,3}([-_][A-Z]{2})?")
_SPREADSHEET_NUMBER = re.compile(r"[0-9](\.[0-9]+)?E\+?[0-9]+")
_LARGEST_QUANTITY = 1_000_000_000
_LONGEST_NOTE = 200


@dataclass(frozen=True)
class _Row:
    """One record: its values by column, outer blanks removed, and the line it begins on."""

    line: int
    values: Mapping[str, str]


@dataclass(frozen=True)
class _Term:
    """One subscription term; half-open, in days of the plan's time zone and in naive UTC.

    A term that begins on the day on which another one of its customer ends begins at the instant of that end, whatever
    the time zones.
    """

    subscription_id: str
    customer_id: str
    plan: Plan
    starts_on: date
    ends_on: date
    row: _Row
    time_zone: str
    license_type: str
    license_status: str
    starts_at: datetime
    ends_at: datetime

    @property
    def place(self) -> tuple[datetime, str]:
        """Its place in time among the terms of a customer."""
        return self.starts_at, self.subscription_id

    def start_of(self, day: date) -> datetime:
        """The first instant of a day of the term; its first day begins with it."""
        return self.starts_at if day == self.starts_on else start_of_day(day, self.time_zone)


class _Table:
    """One reference file being read: its rows, and the problems found so far."""

    def __init__(self, workspace: Workspace, name: str, optional_columns: Iterable[str] = ()) -> None:
        self.path = workspace.reference / f"{name}.csv"
        self.columns = REFERENCE_FILES[name]
        self.optional_columns = (*OPTIONAL_COLUMNS.get(name, ()), *optional_columns)
        self.source_file = f"reference/{name}.csv"
        self.problems: list[Problem] = []
        self.rows = self._read(name)

    def report(self, line: int | None, field: str | None, reason: str, hint: str) -> None:
        self.problems.append(Problem(str(self.path), line, field, reason, hint))

    def refuse_if_wrong(self) -> None:
        """Raise InputRejected with the first problems, if there are any."""
        count = len(self.problems)
        if count:
            counted = f"{count} problem{'s' if count > 1 else ''}"
            first = f", the first {SHOWN_PROBLEMS} of them" if count > SHOWN_PROBLEMS else ""
            shown = sorted(self.problems, key=lambda problem: problem.line or 0)[:SHOWN_PROBLEMS]
            raise InputRejected(f"{self.source_file} was refused: {counted}{first}.", shown)

    def lineage(self, row: _Row) -> tuple[str, int]:
        return self.source_file, row.line

    def _read(self, name: str) -> list[_Row]:
        if not self.path.is_file():
            if name in _REQUIRED_FILES:
                self.report(None, None, "there is no such file.", f"Its header is {','.join(self.columns)}.")
                self.refuse_if_wrong()
            return []
        content = self.path.read_bytes()
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            line = content.count(b"\n", 0, problem.start) + 1
            self.report(line, None, "the text is not UTF-8.", "Save the table as CSV in UTF-8.")
            self.refuse_if_wrong()
        if not text.strip():
            self.report(None, None, "the file is empty.", f"Its first line must be {','.join(self.columns)}.")
        elif text.lstrip().startswith("<"):
            self.report(
                1,
                None,
                "this is a web page, not a table.",
                "A login page was probably saved instead; export it again as CSV.",
            )
        self.refuse_if_wrong()
        records = self._read_records(text)
        header_line, header = next(records)
        while header[0].startswith("#"):
            header_line, header = next(records, (header_line, [""]))
        self._check_header(header_line, header)
        self.refuse_if_wrong()
        rows: list[_Row] = []
        for line, record in records:
            if len(record) != len(header):
                self.report(
                    line,
                    None,
                    f"the line has {len(record)} values, the header has {len(header)}.",
                    "Put a value that holds a comma in quotes.",
                )
                continue
            values = dict.fromkeys(self.optional_columns, "") | dict(zip(header, record, strict=True))
            row = _Row(line, values)
            for field, value in row.values.items():
                if any(unicodedata.category(character) == "Cc" for character in value):
                    self.report(
                        line, field, "the value holds a control character or a line break.", "Remove it."
                    )
            rows.append(row)
        return rows

    def _read_records(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """Every record that is not blank, with the line it begins on; outer blanks of values are dropped."""
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        line = 1
        try:
            for record in reader:
                values = [value.strip() for value in record]
                if any(values):
                    yield line, values
                line = reader.line_num + 1
        except csv.Error:
            self.report(
                line, None, "a quote that opens here does not close.", 'Write a quote within a value as "".'
            )
            self.refuse_if_wrong()

    def _check_header(self, line: int, header: Sequence[str]) -> None:
        if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
            self.report(
                line, None, "the columns are not separated by commas.", "Export it again with commas."
            )
            return
        for index, column in enumerate(header):
            known = (*self.columns, *self.optional_columns)
            if column not in known:
                self.report(
                    line, column or None, "this column is not known here.", name_nearest(column, known)
                )
            elif column in header[:index]:
                self.report(line, column, "this column stands in the header twice.", "Keep one of the two.")
        for column in self.columns:
            if column not in header:
                self.report(line, column, "the header does not have this column.", "Add it; it may be empty.")

    def text(self, row: _Row, field: str) -> str:
        """A value that must be there; reported and empty where it is not."""
        value = row.values[field]
        if not value:
            self.report(row.line, field, "the value is missing.", "Every line needs one.")
        return value

    def identity(self, row: _Row, field: str) -> str:
        """An id: text that a spreadsheet has not turned into a rounded number."""
        value = self.text(row, field)
        if _SPREADSHEET_NUMBER.fullmatch(value):
            self.report(
                row.line,
                field,
                f"{value!r} is an id that a spreadsheet turned into a number; its last digits are lost.",
                "Export it again with the column as text.",
            )
        return value

    def new_identity(self, row: _Row, field: str, lines: dict[str, int]) -> str:
        """An id that no earlier line has; `lines` remembers them."""
        value = self.identity(row, field)
        first = lines.setdefault(value, row.line)
        if value and first != row.line:
            self.report(
                row.line, field, f"{value!r} stands on line {first} already.", "Every line needs its own."
            )
        return value

    def choice(self, row: _Row, field: str, known: Collection[str]) -> str:
        value = self.text(row, field)
        if value and value not in known:
            self.report(row.line, field, f"{value!r} is not known here.", name_nearest(value, known))
        return value

    def day(self, row: _Row, field: str) -> date | None:
        """A date; None and reported where it is missing or no date."""
        value = self.text(row, field)
        day = parse_date(value)
        if value and day is None:
            self.report(row.line, field, f"{value!r} is not a date.", "Write it like 2026-11-22.")
        return day

    def instant(self, row: _Row, field: str, zone: str) -> datetime | None:
        """A date (the first instant of the day in `zone`) or an instant with its zone, as naive UTC."""
        value = self.text(row, field)
        instant = parse_moment(value, zone)
        if value and instant is None:
            self.report(
                row.line,
                field,
                f"{value!r} is neither a date nor an instant with its zone.",
                "Write it like 2026-11-22, or like 2026-11-22T06:00:00Z.",
            )
        return instant

    def count(self, row: _Row, field: str) -> int | None:
        """A number of something, 1 or more; None and reported where it is none."""
        value = self.text(row, field)
        if re.fullmatch(r"[1-9][0-9]{0,8}", value):
            return int(value)
        self.report(row.line, field, f"{value!r} is not a whole number from 1 on.", "Write it like 2.")
        return None

    def check_order(self, row: _Row, field: str, begins: Any, ends: Any) -> bool:
        """Whether both are there and `ends` is later; reported at `field` where it is not."""
        if begins is None or ends is None:
            return False
        if ends <= begins:
            self.report(
                row.line, field, "the end is not later than the begin.", "The end itself is not included."
            )
        return bool(begins < ends)


def load_reference(
    workspace: Workspace, plans: Iterable[Plan], sources: Collection[str] | None = None
) -> dict[str, RuleTable]:
    """All reference tables of a workspace, each row with its file and line.

    Dates become the first instant of the day in the time zone of the plan that the customer has then (UTC
    without one). `sources` are the names that customer_words.csv may use; None: any. Raises InputRejected for the first
    file that is wrong, with its problems (20 are shown).
    """
    known_plans = {plan.plan: plan for plan in plans}
    customers, customer_rows = _read_customers(_Table(workspace, "customers"))
    subscriptions = _Table(workspace, "subscriptions")
    terms = _read_terms(subscriptions, customers, known_plans)
    contradictions: dict[str, list[str]] = {name: [] for name in terms}
    license_rows = _read_licenses(_Table(workspace, "licenses"), terms, contradictions)
    scope_items = _list_scope_items(known_plans.values())
    redemption_rows, redemption_scope_rows = _read_redemptions(
        _Table(workspace, "redemptions", scope_items), customers, terms, scope_items
    )
    rows = {
        "customers": customer_rows,
        "customer_words": _read_customer_words(_Table(workspace, "customer_words"), customers, sources),
        "subscriptions": _list_subscriptions(subscriptions, terms, contradictions),
        "licenses": license_rows,
        "contacts": _read_contacts(_Table(workspace, "contacts"), customers, terms),
        "purchases": _read_purchases(_Table(workspace, "purchases"), customers, terms),
        "redemptions": redemption_rows,
        "redemption_scopes": redemption_scope_rows,
        "waivers": _read_waivers(_Table(workspace, "waivers"), known_plans),
        "annotations": _read_annotations(_Table(workspace, "annotations"), customers),
    }
    return {name: build_table(name, table_rows) for name, table_rows in rows.items()}


@dataclass(frozen=True)
class Customer:
    """A customer as reference/customers.csv lists it; `recipients` are those of its own reports, in order, each once."""

    customer_id: str
    name: str
    locale: str | None
    recipients: tuple[str, ...]


def load_customers(workspace: Workspace) -> dict[str, Customer]:
    """The customers by id, as the file is now. Raises InputRejected with file and line of all that is wrong in it."""
    _, rows = _read_customers(_Table(workspace, "customers"))
    return {
        customer_id: Customer(
            customer_id, name, locale, tuple(dict.fromkeys(_split_recipients(recipients or "")))
        )
        for customer_id, name, _, locale, recipients, *_ in rows
    }


def _split_recipients(recipients: str) -> Iterator[str]:
    return (part.strip() for part in recipients.split(";") if recipients)


def _read_customers(table: _Table) -> tuple[frozenset[str], list[tuple[Any, ...]]]:
    lines: dict[str, int] = {}
    zones = known_zones()
    rows: list[tuple[Any, ...]] = []
    for row in table.rows:
        customer_id = table.new_identity(row, "customer_id", lines)
        name = table.text(row, "name")
        zone, locale, recipients = (
            row.values[field] for field in ("time_zone", "locale", "report_recipients")
        )
        if zone and zone not in zones:
            table.report(row.line, "time_zone", f"{zone!r} is not a time zone.", hint_zone(zone, zones))
        if locale and not _LOCALE.fullmatch(locale):
            table.report(row.line, "locale", f"{locale!r} is not a locale.", "Write it like en, de or fr-CA.")
        for address in _split_recipients(recipients):
            wrong = judge_address(address, "Separate several with semicolons.")
            if wrong:
                table.report(row.line, "report_recipients", *wrong)
        rows.append(
            (customer_id, name, zone or None, locale or None, recipients or None, *table.lineage(row))
        )
    table.refuse_if_wrong()
    return frozenset(lines), rows


def _read_annotations(table: _Table, customers: frozenset[str]) -> list[tuple[Any, ...]]:
    """Dated notes, of one customer or of none."""
    rows: list[tuple[Any, ...]] = []
    for row in table.rows:
        noted_on, note = table.day(row, "noted_on"), table.text(row, "note")
        if len(note) > _LONGEST_NOTE:
            table.report(
                row.line,
                "note",
                f"the note has {len(note)} characters.",
                f"Write at most {_LONGEST_NOTE}: it stands beside a chart.",
            )
        customer_id = _read_customer_id(table, row, customers) if row.values["customer_id"] else None
        rows.append((noted_on, note, customer_id, *table.lineage(row)))
    table.refuse_if_wrong()
    return rows


def _read_customer_words(
    table: _Table, customers: frozenset[str], sources: Collection[str] | None
) -> list[tuple[Any, ...]]:
    """Other words of a source for a customer, such as its subsidiaries; without a source they hold in all of them."""
    rows: list[tuple[Any, ...]] = []
    lines: dict[str, dict[str, int]] = {}
    for row in table.rows:
        customer_id = _read_customer_id(table, row, customers)
        word, source = table.text(row, "word"), row.values["source"]
        if source and sources is not None and source not in sources:
            table.report(
                row.line, "source", f"{source!r} is not a source of sla.yml.", name_nearest(source, sources)
            )
        if word in customers and word != customer_id:
            table.report(
                row.line,
                "word",
                f"{word!r} is a customer of its own.",
                "Take its line out of customers.csv, or write another word.",
            )
        known = lines.setdefault(word, {})
        clash = known.get(source, known.get("")) if source else next(iter(known.values()), None)
        if clash is not None:
            table.report(
                row.line,
                "word",
                f"{word!r} stands for a customer on line {clash} already.",
                "Write a word once for all sources, or once for each source.",
            )
        known[source] = row.line
        rows.append((customer_id, word, source or None, *table.lineage(row)))
    table.refuse_if_wrong()
    return rows


def _read_terms(table: _Table, customers: frozenset[str], plans: Mapping[str, Plan]) -> dict[str, _Term]:
    lines: dict[str, int] = {}
    terms: dict[str, _Term] = {}
    for row in table.rows:
        subscription_id = table.new_identity(row, "subscription_id", lines)
        customer_id = _read_customer_id(table, row, customers)
        plan = plans.get(table.choice(row, "plan", plans))
        starts_on, ends_on = table.day(row, "term_starts_on"), table.day(row, "term_ends_on")
        license_type = table.choice(row, "license_type", LICENSE_TYPES)
        license_status = table.choice(row, "license_status", LICENSE_STATUSES)
        if not table.check_order(row, "term_ends_on", starts_on, ends_on) or plan is None:
            continue
        assert starts_on and ends_on
        zone = _zone_of_plan(plan, starts_on)
        terms[subscription_id] = _Term(
            subscription_id,
            customer_id,
            plan,
            starts_on,
            ends_on,
            row,
            zone,
            license_type,
            license_status,
            start_of_day(starts_on, zone),
            start_of_day(ends_on, zone),
        )
    table.refuse_if_wrong()
    return _join_terms(terms)


def _list_subscriptions(
    table: _Table, terms: Mapping[str, _Term], contradictions: Mapping[str, list[str]]
) -> list[tuple[Any, ...]]:
    """The rows of the terms; what contradicts in them is added to `contradictions`."""
    accounts = {name: _find_account(term, terms, contradictions) for name, term in terms.items()}
    covers_from = _find_covers(terms.values(), accounts, contradictions)
    return [
        (
            term.subscription_id,
            term.customer_id,
            term.plan.plan,
            term.starts_at,
            term.ends_at,
            term.starts_on,
            term.ends_on,
            term.license_type,
            term.license_status,
            accounts[term.subscription_id],
            covers_from[term.subscription_id],
            " ".join(contradictions[term.subscription_id]) or None,
            *table.lineage(term.row),
        )
        for term in terms.values()
    ]


def _read_licenses(
    table: _Table, terms: Mapping[str, _Term], contradictions: Mapping[str, list[str]]
) -> list[tuple[Any, ...]]:
    """Dated statuses of licences; outside of them the status of the term's own line holds.

    Two that overlap contradict each other; the one that begins first holds then.
    """
    dated: dict[str, list[tuple[datetime, datetime, str, _Row]]] = {}
    for row in table.rows:
        subscription_id = table.identity(row, "subscription_id")
        term = terms.get(subscription_id)
        if subscription_id and term is None:
            hint = name_nearest(subscription_id, terms)
            table.report(
                row.line, "subscription_id", f"{subscription_id!r} is not in subscriptions.csv.", hint
            )
        status = table.choice(row, "license_status", LICENSE_STATUSES)
        zone = term.time_zone if term else "UTC"
        valid_from = table.instant(row, "valid_from", zone)
        valid_to: datetime | None = OPEN_END
        if row.values["valid_to"]:
            valid_to = table.instant(row, "valid_to", zone)
        if not table.check_order(row, "valid_to", valid_from, valid_to) or term is None:
            continue
        assert valid_from and valid_to
        dated.setdefault(subscription_id, []).append((valid_from, valid_to, status, row))
    table.refuse_if_wrong()
    rows: list[tuple[Any, ...]] = []
    for subscription_id, own in dated.items():
        own.sort(key=lambda one: (one[0], one[3].line))
        covered_until = datetime.min
        for valid_from, valid_to, status, row in own:
            if valid_from < covered_until:
                contradictions[subscription_id].append(
                    f"Line {row.line} of {table.source_file} gives the licence a second status at one time."
                )
            begins = max(valid_from, covered_until)
            if begins < valid_to:
                rows.append((subscription_id, status, begins, valid_to, *table.lineage(row)))
            covered_until = max(covered_until, valid_to)
    return rows


def _join_terms(terms: Mapping[str, _Term]) -> dict[str, _Term]:
    """The terms, each beginning where the one before ended: midnights of two time zones leave no gap and no overlap."""
    ends: dict[tuple[str, date], datetime] = {}
    for term in terms.values():
        key = term.customer_id, term.ends_on
        ends[key] = max(term.ends_at, ends.get(key, term.ends_at))
    return {
        name: replace(term, starts_at=ends.get((term.customer_id, term.starts_on), term.starts_at))
        for name, term in terms.items()
    }


def _find_account(term: _Term, terms: Mapping[str, _Term], contradictions: Mapping[str, list[str]]) -> str:
    """The first subscription of the stack that the term is declared to belong to; its own id without one."""
    named = term.row.values["stacks_on"]
    if not named:
        return term.subscription_id
    other = terms.get(named)
    if other is None:
        reason = "which is not a subscription of this file"
    elif other.customer_id != term.customer_id:
        reason = f"which belongs to {other.customer_id!r}"
    elif other.plan.plan != term.plan.plan:
        reason = f"which has the plan {other.plan.plan!r}, not {term.plan.plan!r}"
    elif not other.starts_on <= term.starts_on < other.ends_on or not other.place < term.place:
        reason = f"which runs from {other.starts_on} to {other.ends_on}, so there is nothing to stack on"
    else:
        # Every step leads to an earlier place, so this ends. What is wrong with the other term stands in its own line.
        return _find_account(other, terms, {name: [] for name in terms})
    contradictions[term.subscription_id].append(f"stacks_on names {named!r}, {reason}.")
    return term.subscription_id


def _find_covers(
    terms: Iterable[_Term], accounts: Mapping[str, str], contradictions: Mapping[str, list[str]]
) -> dict[str, datetime]:
    """From when each term covers tickets, so that at any instant one term holds: from where those that began before end.

    Two terms of different accounts that overlap contradict each other: one holds at a time.
    """
    by_customer: dict[str, list[_Term]] = {}
    for term in terms:
        by_customer.setdefault(term.customer_id, []).append(term)
    covers_from: dict[str, datetime] = {}
    for own in by_customer.values():
        own.sort(key=lambda term: term.place)
        for index, term in enumerate(own):
            covers_from[term.subscription_id] = max(
                [term.starts_at, *(other.ends_at for other in own[:index])]
            )
            for other in own[:index]:
                # By instants: the same day begins earlier in the east than in the west.
                if (
                    accounts[other.subscription_id] != accounts[term.subscription_id]
                    and term.starts_at < other.ends_at
                ):
                    later, earlier = sorted((term, other), key=lambda one: -one.row.line)
                    contradictions[later.subscription_id].append(_describe_overlap(later, earlier))
    return covers_from


def _describe_overlap(term: _Term, other: _Term) -> str:
    zones = f" ({term.time_zone} and {other.time_zone})" if term.time_zone != other.time_zone else ""
    return (
        f"The term {term.starts_on} to {term.ends_on} ({term.plan.plan}) overlaps that of line {other.row.line}, "
        f"{other.starts_on} to {other.ends_on} ({other.plan.plan}){zones}. One term holds at a time; term_ends_on is the "
        "first day after a term. Where the included tickets of both add up, stacks_on of the later one names the other."
    )


def _read_contacts(
    table: _Table, customers: frozenset[str], terms: Mapping[str, _Term]
) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    periods: dict[tuple[str, str], list[tuple[datetime, datetime, int]]] = {}
    for row in table.rows:
        customer_id = _read_customer_id(table, row, customers)
        contact = table.text(row, "contact")
        valid_from = table.instant(
            row, "valid_from", _zone_of_customer(customer_id, row, "valid_from", terms)
        )
        valid_to: datetime | None = OPEN_END
        if row.values["valid_to"]:
            valid_to = table.instant(row, "valid_to", _zone_of_customer(customer_id, row, "valid_to", terms))
        if not table.check_order(row, "valid_to", valid_from, valid_to):
            continue
        assert valid_from and valid_to
        earlier = periods.setdefault((customer_id, contact.casefold()), [])
        for other_from, other_to, line in earlier:
            if valid_from < other_to and other_from < valid_to:
                table.report(
                    row.line,
                    "valid_from",
                    f"{contact!r} is a contact of {customer_id!r} on line {line} already, at the same time.",
                    "Let the periods of one contact follow each other; valid_to itself is not included.",
                )
        earlier.append((valid_from, valid_to, row.line))
        rows.append((customer_id, contact, valid_from, valid_to, *table.lineage(row)))
    table.refuse_if_wrong()
    return rows


def _read_purchases(
    table: _Table, customers: frozenset[str], terms: Mapping[str, _Term]
) -> list[tuple[Any, ...]]:
    lines: dict[str, int] = {}
    rows: list[tuple[Any, ...]] = []
    for row in table.rows:
        purchase_id = table.new_identity(row, "purchase_id", lines)
        customer_id = _read_customer_id(table, row, customers)
        term = _read_term(table, row, customer_id, terms)
        pool = table.choice(row, "pool", term.plan.pools) if term else table.text(row, "pool")
        quantity = _read_quantity(table, row)
        purchased_on = table.day(row, "purchased_on")
        expires_on = table.day(row, "expires_on") if row.values["expires_on"] else None
        if expires_on:
            table.check_order(row, "expires_on", purchased_on, expires_on)
        returned_on = table.day(row, "returned_on") if row.values["returned_on"] else None
        if returned_on:
            table.check_order(row, "returned_on", purchased_on, returned_on)
        if term and purchased_on:
            rows.append(
                (
                    purchase_id,
                    customer_id,
                    term.subscription_id,
                    pool,
                    quantity,
                    term.start_of(purchased_on),
                    term.start_of(expires_on) if expires_on else None,
                    term.start_of(returned_on) if returned_on else None,
                    *table.lineage(row),
                )
            )
    table.refuse_if_wrong()
    return rows


def _list_scope_items(plans: Iterable[Plan]) -> tuple[str, ...]:
    """The optional columns of redemptions.csv: every item that the scope of a redeemed pool of some plan counts.

    An item without a number anywhere cannot be exceeded, and one that is called like a column stays the column.
    """
    counted = {
        item
        for plan in plans
        for version in plan.versions
        for entitlement in version.entitlements
        if entitlement.is_redeemed
        for item, maximum in entitlement.scope_maxima.items()
        if maximum is not None
    }
    return tuple(sorted(counted - set(REFERENCE_FILES["redemptions"])))


def _read_redemptions(
    table: _Table,
    customers: frozenset[str],
    terms: Mapping[str, _Term],
    scope_items: Iterable[str],
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """The redemptions, and what each of them says that it covered."""
    lines: dict[str, int] = {}
    rows: list[tuple[Any, ...]] = []
    scope_rows: list[tuple[Any, ...]] = []
    for row in table.rows:
        redemption_id = table.new_identity(row, "redemption_id", lines)
        customer_id = _read_customer_id(table, row, customers)
        term = _read_term(table, row, customer_id, terms)
        redeemed_on = table.day(row, "redeemed_on")
        entitlement = table.text(row, "entitlement")
        if term and entitlement:
            redeemed = [pool for pool, found in term.plan.pools.items() if found.is_redeemed]
            table.choice(row, "entitlement", redeemed)
        scope_rows += [
            (redemption_id, item, quantity)
            for item in scope_items
            if row.values[item] and (quantity := _read_covered(table, row, item)) is not None
        ]
        if term and redeemed_on:
            rows.append(
                (
                    redemption_id,
                    customer_id,
                    term.subscription_id,
                    entitlement,
                    term.start_of(redeemed_on),
                    row.values["ticket_id"] or None,
                    *table.lineage(row),
                )
            )
    table.refuse_if_wrong()
    return rows, scope_rows


def _read_waivers(table: _Table, plans: Mapping[str, Plan]) -> list[tuple[Any, ...]]:
    """Waivers name a ticket, whose plan is not known here: their dates are days of UTC."""
    obligations = {
        obligation.obligation
        for plan in plans.values()
        for version in plan.versions
        for obligation in version.obligations
    }
    lines: dict[str, int] = {}
    rows: list[tuple[Any, ...]] = []
    for row in table.rows:
        waiver_id = table.new_identity(row, "waiver_id", lines)
        ticket_id = table.identity(row, "ticket_id")
        obligation = table.choice(row, "obligation", {*obligations, UNIT_WAIVER})
        reason, requested_by, approved_by = (
            table.text(row, field) for field in ("reason", "requested_by", "approved_by")
        )
        if approved_by and approved_by.casefold() == requested_by.casefold():
            table.report(
                row.line,
                "approved_by",
                f"{approved_by!r} approved what the same person requested.",
                "A waiver needs a second person.",
            )
        approved_at = table.instant(row, "approved_at", "UTC")
        expires_at = table.instant(row, "expires_on", "UTC") if row.values["expires_on"] else None
        valid_from = table.instant(row, "valid_from", "UTC") if row.values["valid_from"] else None
        if obligation == UNIT_WAIVER:
            # The unit is given back at the approval.
            opens_at = approved_at
        else:
            # Without `valid_from` the window opens at the submission, which is not known here.
            opens_at = valid_from
            if valid_from and approved_at and not row.values["expires_on"] and approved_at <= valid_from:
                table.report(
                    row.line,
                    "approved_at",
                    "the waiver closes at its approval, which is not later than valid_from: it forgives nothing.",
                    "Write the end of its window into expires_on.",
                )
        if opens_at and expires_at:
            table.check_order(row, "expires_on", opens_at, expires_at)
        rows.append(
            (
                waiver_id,
                ticket_id,
                obligation,
                reason,
                requested_by,
                approved_by,
                approved_at,
                expires_at,
                table.count(row, "cycle_number") if row.values["cycle_number"] else None,
                valid_from,
                *table.lineage(row),
            )
        )
    table.refuse_if_wrong()
    return rows


def _read_customer_id(table: _Table, row: _Row, customers: frozenset[str]) -> str:
    customer_id = table.identity(row, "customer_id")
    if customer_id and customer_id not in customers:
        hint = name_nearest(customer_id, customers)
        table.report(row.line, "customer_id", f"{customer_id!r} is not in customers.csv.", hint)
    return customer_id


def _read_term(table: _Table, row: _Row, customer_id: str, terms: Mapping[str, _Term]) -> _Term | None:
    subscription_id = table.identity(row, "subscription_id")
    term = terms.get(subscription_id)
    if subscription_id and term is None:
        hint = name_nearest(subscription_id, terms)
        table.report(row.line, "subscription_id", f"{subscription_id!r} is not in subscriptions.csv.", hint)
    elif term and customer_id and term.customer_id != customer_id:
        table.report(
            row.line,
            "subscription_id",
            f"{subscription_id!r} belongs to {term.customer_id!r}, not to {customer_id!r}.",
            "Correct one of the two.",
        )
    return term


def _read_quantity(table: _Table, row: _Row) -> int | None:
    text = table.text(row, "quantity")
    if re.fullmatch(r"[0-9]{1,10}", text) and 0 < int(text) <= _LARGEST_QUANTITY:
        return int(text)
    if text:
        table.report(
            row.line,
            "quantity",
            f"{text!r} is not a whole number over zero.",
            "Write the tickets bought, such as 5.",
        )
    return None


def _read_covered(table: _Table, row: _Row, item: str) -> int | None:
    """How much of a scope's item a redemption covered; zero says that there was none of it."""
    text = row.values[item]
    if re.fullmatch(r"[0-9]{1,10}", text) and int(text) <= _LARGEST_QUANTITY:
        return int(text)
    table.report(
        row.line,
        item,
        f"{text!r} is not a whole number.",
        "Write how many the assistance covered, such as 5, or nothing.",
    )
    return None


def _zone_of_plan(plan: Plan, day: date) -> str:
    """The zone of the version that is in force when the day begins there; of the oldest before any was."""
    in_force = [
        version for version in plan.versions if version.valid_from <= start_of_day(day, version.time_zone)
    ]
    return (in_force[-1] if in_force else plan.versions[0]).time_zone


def _zone_of_customer(customer_id: str, row: _Row, field: str, terms: Mapping[str, _Term]) -> str:
    """The zone of the customer's term on the day that stands in `field`; else of the first term; else UTC."""
    own = sorted(
        (term for term in terms.values() if term.customer_id == customer_id), key=lambda term: term.starts_on
    )
    day = parse_date(row.values[field])
    for term in own:
        if day and term.starts_on <= day < term.ends_on:
            return term.time_zone
    return own[0].time_zone if own else "UTC"
