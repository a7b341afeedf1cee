"""Write a whole demo workspace: exports, contract records and `sla.yml` of an invented vendor.

Same arguments, same bytes: one seeded generator, drawn from in one order; no clock, no hash order. Tickets
are generated month by month and written at once, so memory grows with a month and not with the demo.
"""

from __future__ import annotations

import json
import shutil
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

from pipeline.demo.cast import AGENTS, HELPDESK, MANAGERS, PORTAL, Customer, Person, draw_customers, pick
from pipeline.demo.lives import (
    DAY,
    HOUR,
    MINUTE,
    Draft,
    Ticket,
    advance,
    aim_first_response,
    draw_severity,
    draw_subject,
    live,
)
from pipeline.demo.windows import Month, epoch_of, instant_text, list_months
from pipeline.demo.write_forms import SOURCES, write_form
from pipeline.demo.write_helpdesk import HelpdeskWriter, organization_row
from pipeline.demo.write_portal import PortalWriter, csv_line
from pipeline.errors import ConfigurationError
from pipeline.settings import CHECKOUT, Workspace

MARKER = ".sla-demo"
# The plan files hold from November 2020 on; earlier demo tickets would have no promise at all.
MOST_MONTHS = 60

_FIRST_HELPDESK_NUMBER = 10001
_WEEKDAY_WEIGHTS = (1.15, 1.2, 1.1, 1.05, 0.9, 0.16, 0.12)
_HOUR_WEIGHTS = (
    0.05, 0.04, 0.03, 0.03, 0.04, 0.08, 0.2, 0.5, 1.0, 1.5, 1.6, 1.4,
    0.9, 1.1, 1.4, 1.4, 1.2, 0.8, 0.4, 0.25, 0.2, 0.15, 0.12, 0.08,
)  # fmt: skip
_HOUR_LIMITS = tuple(accumulate(_HOUR_WEIGHTS))
_ASSISTANCES = (
    "remote_installation_assistance",
    "remote_deployment_assistance",
    "remote_configuration_upgrade_assistance",
    "custom_builds",
)
_WAIVER_REASONS = (
    "Outage of the customer's own mail gateway held the answer back",
    "Answered by telephone in time, confirmed by the customer",
    "Customer asked us to wait for its maintenance window",
    "Duplicate of an incident that was being handled on the bridge call",
)
# Open, unanswered tickets at the end: plan, severity, share of the target that is used up by then.
_STAGED = (
    ("premium", 3, 0.82), ("enhanced", 2, 0.94), ("standard", 4, 1.35), ("premium", 5, 0.55),
    ("standard", 1, 0.78), ("premium", 2, 2.4), ("enhanced", 3, 0.3), ("standard", 3, 0.91),
    ("premium", 4, 1.1), ("enhanced", 5, 0.76),
)  # fmt: skip

_CLOSED_MONTHS = 3
_SHIPPED = Workspace(CHECKOUT / "data")
_SLA_YML = """\
# The demo's two sources. Customers come from one of them each.
sources:
  helpdesk:
    type: zendesk
    time_zone: UTC
    customer: {field: organization_external_id}
    severity:
      field: "custom_field:360001"
      values: {sev_0: 0, sev_1: 1, sev_2: 2, sev_3: 3, sev_4: 4, sev_5: 5}
    channels: {values: {web: web_form, api: console, email: email}}
    events:
      debug_requested: {field: tags, value: debug_requested}
      debug_logs_received: {field: tags, value: debug_logs_received}
      debug_delivered: {field: tags, value: debug_delivered}
      bug_confirmed: {field: "custom_field:360002", value: confirmed}
      bug_rejected: {field: "custom_field:360002", value: rejected}
      merged: {field: tags, value: closed_by_merge}
      deleted: {field: status, value: deleted}
    # 900001 is the assistant's own seat; triggers and automations write through the channel `rule`.
    bots: {actors: ["900001"], channels: [rule, trigger]}
  portal:
    type: canonical

branding:
  vendor_name: Fernhill Support
  logo: fernhill.svg
  primary_colour: "#1b4d4a"
  accent_colour: "#23766f"
  footer: Fernhill Software is invented, and so are its customers.
  sender: service-reports@vendor.example
"""
# Two hills and a sun: shapes only, so that no font is needed.
_LOGO_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 60" width="120" height="60">
  <circle cx="84" cy="20" r="11" fill="#d98a1f"/>
  <path d="M0 56 Q30 4 60 36 T120 56 Z" fill="#23766f"/>
  <path d="M40 56 Q72 18 120 56 Z" fill="#1b4d4a"/>
</svg>
"""


@dataclass(frozen=True)
class DemoSummary:
    """What a demo workspace holds: submitted tickets, customers on record, and files below `root`."""

    root: Path
    tickets: int
    customers: int
    files: int


def write_demo(
    root: Path,
    *,
    tickets: int = 4000,
    months: int = 24,
    seed: int = 1,
    ends_on: date = date(2026, 7, 1),
    customers: int | None = None,
) -> DemoSummary:
    """Write the demo workspace below `root`, or leave it as it is when the same arguments wrote it.

    The data covers the `months` calendar months before `ends_on`, which must be the first of a month; its
    newest instant lies in the last minute before. `customers`: how many, if more than their tickets ask for. `root`
    must be missing, empty, or a demo of the same arguments, which an interrupted run may have left half written.
    Raises ConfigurationError otherwise, and for arguments out of range; nothing is changed then.
    """
    _check_arguments(tickets, months, ends_on)
    arguments = {"tickets": tickets, "months": months, "seed": seed, "ends_on": ends_on.isoformat()}
    if customers is not None:
        arguments["customers"] = customers
    done = _read_marker(root, arguments)
    if done is not None:
        return done
    _find_rule_files()
    root.mkdir(parents=True, exist_ok=True)
    _write_marker(root, arguments, None)
    summary = _Demo(root, tickets, months, seed, ends_on, customers).write()
    _write_marker(root, arguments, summary)
    return summary


def write_in_form(root: Path, form: str, *, tickets: int, months: int, seed: int = 1) -> None:
    """Write a workspace whose tickets all come from one helpdesk in one vendor's form (`write_forms.SOURCES`).

    The same arguments give the same tickets in every form. Tickets that an agent opened for a customer are left out: the
    canonical form names no opener beside the requester.
    """
    _Demo(root, tickets, months, seed, date(2026, 7, 1)).write_in_form(form)


def _check_arguments(tickets: int, months: int, ends_on: date) -> None:
    if tickets < 1:
        raise ConfigurationError(
            f"The demo cannot hold {tickets} tickets. Ask for at least 1 with --tickets."
        )
    if not 1 <= months <= MOST_MONTHS:
        raise ConfigurationError(
            f"The demo cannot cover {months} months. Ask for 1 to {MOST_MONTHS} with --months."
        )
    if ends_on.day != 1:
        raise ConfigurationError(
            f"The demo cannot end on {ends_on}: it covers whole months. Name the first of a month."
        )


def _read_marker(root: Path, arguments: dict[str, Any]) -> DemoSummary | None:
    """The finished demo of the same arguments, or None where a demo may be written."""
    if root.exists() and not root.is_dir():
        raise ConfigurationError(f"{root} is a file, not a folder. Name a new folder with --dir.")
    if not root.is_dir() or not any(root.iterdir()):
        return None
    try:
        marker = json.loads((root / MARKER).read_text(encoding="utf-8"))
        written_with, summary = marker["arguments"], marker["summary"]
        finished = (
            None
            if summary is None
            else DemoSummary(root, summary["tickets"], summary["customers"], summary["files"])
        )
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise ConfigurationError(
            f"{root} is not empty and was not made by the demo, so nothing was written. "
            "Name a new folder with --dir."
        ) from problem
    if written_with != arguments:
        made_with = ", ".join(f"{name} {value}" for name, value in sorted(written_with.items()))
        raise ConfigurationError(
            f"{root} holds a demo made with other settings ({made_with}); what was landed from it would mix "
            "with the new files. Name another folder with --dir, or delete this one."
        )
    return finished


def _write_marker(root: Path, arguments: dict[str, Any], summary: DemoSummary | None) -> None:
    """`summary` None = writing has begun; the next run of the same arguments writes every file again."""
    counts = (
        None
        if summary is None
        else {"tickets": summary.tickets, "customers": summary.customers, "files": summary.files}
    )
    text = json.dumps({"arguments": arguments, "summary": counts}, indent=2, sort_keys=True)
    (root / MARKER).write_text(text + "\n", encoding="utf-8", newline="\n")


def _find_rule_files() -> list[Path]:
    """The checkout's plans, calendars and words, in a fixed order."""
    found = [sorted(folder.glob("*.yml")) for folder in (_SHIPPED.plans, _SHIPPED.calendars)]
    if not all(found) or not _SHIPPED.words.is_file():
        raise ConfigurationError(
            f"The plans, calendars and words that the demo copies are missing below {_SHIPPED.reference}. "
            "Restore them from the repository."
        )
    return [*found[0], *found[1], _SHIPPED.words]


class _Demo:
    """One run of the generator."""

    def __init__(
        self, root: Path, tickets: int, months: int, seed: int, ends_on: date, customers: int | None = None
    ) -> None:
        self._workspace = Workspace(root)
        self._tickets_count = tickets
        self._rng = Random(seed)
        self._months = list_months(ends_on, months)
        self._starts_at = self._months[0].starts_at
        self._ends_at = self._months[-1].ends_at
        self._ends_on = ends_on
        self._starts_on = date.fromisoformat(f"{self._months[0].label}-01")
        self._customers = draw_customers(
            self._rng, tickets=tickets, starts_on=self._starts_on, ends_on=ends_on, count=customers
        )
        self._met_shares = self._draw_met_shares()
        self._next_number = {HELPDESK: _FIRST_HELPDESK_NUMBER, PORTAL: 1}
        self._latest_ticket_id: dict[str, str] = {}
        self._redemptions_wanted = self._draw_redemptions_wanted()
        self._redemptions: list[tuple[str, ...]] = []
        self._waivers: list[tuple[str, ...]] = []
        self._strangers = _draw_strangers()

    def write(self) -> DemoSummary:
        """Write everything; `files` counts all but the marker."""
        helpdesk = HelpdeskWriter(self._workspace.inbox / HELPDESK, self._months)
        portal = PortalWriter(self._workspace.inbox / PORTAL)
        # The last stranger's organization is absent from the export: deleted since, as happens.
        known = [(row, person) for row, person in self._strangers if row["name"] != ""]
        helpdesk.write_people(self._customers, known)
        counts = self._spread_over_months()
        for number, count in enumerate(counts):
            for draft in self._draft_month(number, count):
                ticket = self._make_ticket(number, draft)
                if ticket.customer.source == HELPDESK:
                    helpdesk.write(ticket)
                else:
                    portal.write(ticket)
            helpdesk.finish_month(number)
        files = helpdesk.close() + portal.close() + self._write_reference()
        return DemoSummary(self._workspace.root, sum(counts), len(self._customers), files)

    def write_in_form(self, form: str) -> None:
        """The contract records, and every ticket in one form below inbox/desk."""
        written = [
            ticket
            for number, count in enumerate(self._spread_over_months())
            for draft in self._draft_month(number, count)
            if (ticket := self._make_ticket(number, draft)).opener is ticket.requester
        ]
        self._write_reference()
        sla_yml = f"sources:\n  desk:\n{SOURCES[form]}"
        self._workspace.sla_yml.write_text(sla_yml, encoding="utf-8", newline="\n")
        write_form(form, written, self._workspace.inbox / "desk")

    def _draw_met_shares(self) -> list[float]:
        """For each month the share of first answers given in time. Three months are visibly weak."""
        count = len(self._months)
        shares = [0.935 + 0.035 * self._rng.random() for _ in range(count)]
        for place, share in ((0.34, 0.88), (0.38, 0.905), (0.75, 0.88)):
            if count >= 6:
                shares[int(count * place)] = share
        return shares

    def _spread_over_months(self) -> list[int]:
        """Tickets a month: growth, a quiet August and December, a little noise; they add up exactly."""
        count = len(self._months)
        weights = []
        for number, month in enumerate(self._months):
            season = {"08": 0.86, "12": 0.8}.get(month.label[-2:], 1.0)
            weights.append((1 + 0.7 * number / count) * season * (0.94 + 0.12 * self._rng.random()))
        limits = list(accumulate(weights))
        ends = [round(self._tickets_count * limit / limits[-1]) for limit in limits]
        return [end - start for start, end in zip([0, *ends], ends, strict=False)]

    def _draft_month(self, number: int, count: int) -> list[Draft]:
        """The month's submissions in order of time."""
        rng, month = self._rng, self._months[number]
        drafts: list[Draft] = []
        if number == len(self._months) - 1:
            drafts = self._stage_ending(count)
        if number == len(self._months) // 2:
            drafts += self._stage_burst(number, min(count // 3, self._tickets_count // 80, 5000))
        limits = list(accumulate(self._weigh(customer, month) for customer in self._customers))
        day_limits = list(
            accumulate(
                _WEEKDAY_WEIGHTS[(day // DAY + 3) % 7] for day in range(month.starts_at, month.ends_at, DAY)
            )
        )
        for serial in range(len(drafts), count):
            customer_number = bisect_right(limits, rng.random() * limits[-1])
            local_day = bisect_right(day_limits, rng.random() * day_limits[-1])
            local_hour = bisect_right(_HOUR_LIMITS, rng.random() * _HOUR_LIMITS[-1])
            offset = int(self._customers[customer_number].utc_offset_hours * HOUR)
            at = month.starts_at + local_day * DAY + local_hour * HOUR + int(rng.random() * HOUR) - offset
            # The local day may begin in the month before or end in the next one; a week keeps the weekday.
            if at < month.starts_at:
                at += 7 * DAY
            elif at >= month.ends_at - MINUTE:
                at -= 7 * DAY
            draw = rng.random()
            channel = "web_form" if draw < 0.62 else "console" if draw < 0.965 else "email"
            drafts.append(Draft(at, customer_number, serial, channel, draw_severity(rng), ""))
        return sorted(drafts, key=_draft_order)

    def _weigh(self, customer: Customer, month: Month) -> float:
        """The customer's share of a month: none before its first term, little after its last one."""
        if (
            month.starts_at < epoch_of(customer.terms[0].starts_on)
            and customer.terms[0].starts_on > self._starts_on
        ):
            return 0.0
        if month.starts_at >= epoch_of(customer.terms[-1].ends_on):
            return customer.weight * 0.4
        return customer.weight

    def _stage_ending(self, count: int) -> list[Draft]:
        """The open, unanswered tickets at the end, and one of each source in the last minute."""
        drafts: list[Draft] = []
        for source, seconds_before in ((HELPDESK, 25), (PORTAL, 40)):
            if len(drafts) < count:
                place = self._find_customer("premium", source, 0)
                drafts.append(
                    Draft(self._ends_at - seconds_before, place, len(drafts), "web_form", 3, "last_minute")
                )
        for skip, (plan, severity, share) in enumerate(_STAGED):
            if len(drafts) >= count // 4:
                break
            target, is_always = aim_first_response(plan, severity)
            at = advance(self._ends_at, -int(target * share), is_always)
            place = self._find_customer(plan, (HELPDESK, PORTAL)[skip % 2], skip)
            drafts.append(Draft(at, place, len(drafts), "web_form", severity, "unanswered"))
        return drafts

    def _find_customer(self, plan: str, source: str, skip: int) -> int:
        """The place of the `skip`-th ordinary customer of the source that is on the plan at the end."""
        last_day = self._ends_on - timedelta(days=14)
        places = []
        for place, customer in enumerate(self._customers):
            term = customer.term_on(last_day)
            is_ordinary = customer.role in ("", "noisy", "burst", "six_contacts") or ":" in customer.role
            if customer.source == source and is_ordinary and term is not None and term.plan == plan:
                places.append(place)
        return places[skip % len(places)] if places else self._find_customer("premium", source, skip)

    def _stage_burst(self, number: int, count: int) -> list[Draft]:
        """A batch import: one customer's console files many tickets within an hour."""
        place = next(place for place, customer in enumerate(self._customers) if customer.role == "burst")
        month = self._months[number]
        # The second Tuesday of the month, 14:00 UTC.
        day = (1 - (month.starts_at // DAY + 3)) % 7 + 7
        starts_at = month.starts_at + day * DAY + 14 * HOUR
        return [
            Draft(
                starts_at + int(self._rng.random() * HOUR),
                place,
                1_000_000_000 + serial,
                "console",
                1 + serial % 2,
                "burst",
            )
            for serial in range(count)
        ]

    def _make_ticket(self, month_number: int, draft: Draft) -> Ticket:
        rng = self._rng
        customer = self._customers[draft.customer_number]
        requester = self._draw_requester(customer, draft)
        customer_id, organization_id = customer.customer_id, customer.organization_id
        if not draft.staging and rng.random() < 0.006:
            customer_id, organization_id, requester = self._misplace(customer, requester)
        number = self._next_number[customer.source]
        self._next_number[customer.source] = number + 1
        ticket_id = str(number) if customer.source == HELPDESK else f"P-{number:05d}"
        merge_into = (
            self._latest_ticket_id.get(customer.customer_id)
            if not draft.staging and rng.random() < 0.012
            else None
        )
        is_on_behalf = not draft.staging and draft.channel != "email" and rng.random() < 0.03
        opener = pick(rng, AGENTS) if is_on_behalf else requester
        day = date.fromordinal(719163 + draft.at // DAY)
        term = customer.term_on(day)
        plan = "standard" if term is None else term.plan
        met_share = self._met_shares[month_number] + (0.01 if plan == "premium" else -0.01)
        staging = "unanswered" if draft.staging == "unanswered" else ""
        steps, late_answer_at = live(
            rng,
            draft._replace(staging=staging),
            requester,
            opener,
            plan,
            met_share,
            merge_into,
            self._ends_at,
        )
        self._latest_ticket_id[customer.customer_id] = ticket_id
        ticket = Ticket(
            ticket_id=ticket_id,
            number=number,
            customer=customer,
            customer_id=customer_id,
            organization_id=organization_id,
            requester=requester,
            opener=opener,
            channel=draft.channel,
            severity=draft.severity,
            submitted_at=draft.at,
            subject=draw_subject(rng, draft.severity),
            ticket_type=pick(rng, ("question", "incident", "incident", "problem")),
            has_history=bool(draft.staging) or rng.random() >= 0.005,
            late_answer_at=late_answer_at,
            steps=steps,
        )
        if customer_id == customer.customer_id:
            self._redeem(ticket, day)
            self._waive(ticket)
        return ticket

    def _draw_requester(self, customer: Customer, draft: Draft) -> Person:
        people = customer.people
        if draft.staging:
            return people[0]
        draw = self._rng.random()
        if customer.role == "noisy" and draw < 0.7:
            return people[0]
        listed_count = len(people) - customer.unlisted_count
        if draw > 0.975:
            return people[listed_count + int(self._rng.random() * customer.unlisted_count)]
        return people[int(self._rng.random() ** 1.6 * listed_count)]

    def _misplace(self, customer: Customer, requester: Person) -> tuple[str, int | None, Person]:
        """A ticket that no customer on record accounts for."""
        if customer.source == PORTAL:
            return "umbra-prospects", None, requester
        draw = self._rng.random()
        if draw < 0.3:
            return "", None, requester
        row, person = self._strangers[0 if draw < 0.65 else 1]
        return "", row["id"], person

    def _draw_redemptions_wanted(self) -> dict[str, list[tuple[str, str, date, date]]]:
        """By customer: subscription, assistance, and the days between which the next ticket asks for it."""
        wanted: dict[str, list[tuple[str, str, date, date]]] = {}
        for customer in self._customers:
            for term in customer.terms:
                for assistance in _ASSISTANCES:
                    if self._rng.random() < 0.14:
                        begins = max(term.starts_on, self._starts_on) + timedelta(
                            days=int(self._rng.random() * 90)
                        )
                        row = (term.subscription_id, assistance, begins, term.ends_on - timedelta(days=10))
                        wanted.setdefault(customer.customer_id, []).append(row)
        return wanted

    def _redeem(self, ticket: Ticket, day: date) -> None:
        waiting = self._redemptions_wanted.get(ticket.customer_id, [])
        for row in waiting:
            subscription_id, assistance, begins, ends = row
            redeemed_on = day + timedelta(days=2)
            if begins <= day < ends and redeemed_on < self._ends_on:
                waiting.remove(row)
                number = f"RED-{len(self._redemptions) + 1:04d}"
                self._redemptions.append(
                    (
                        number,
                        ticket.customer_id,
                        subscription_id,
                        assistance,
                        redeemed_on.isoformat(),
                        ticket.ticket_id,
                    )
                )
                return

    def _waive(self, ticket: Ticket) -> None:
        """Some late first answers are excused: asked for by an agent, approved by a manager days later."""
        if ticket.late_answer_at is None or self._rng.random() >= 0.12:
            return
        approved_at = ticket.late_answer_at + DAY + int(self._rng.random() * 3 * DAY)
        if approved_at >= self._ends_at:
            return
        number = len(self._waivers) + 1
        expires_on = ""
        if number % 10 == 0:
            expires_on = (date.fromordinal(719163 + approved_at // DAY) + timedelta(days=365)).isoformat()
        self._waivers.append(
            (
                f"WAI-{number:04d}",
                ticket.ticket_id,
                "first_response",
                pick(self._rng, _WAIVER_REASONS),
                pick(self._rng, AGENTS).email,
                pick(self._rng, MANAGERS),
                instant_text(approved_at),
                expires_on,
            )
        )

    def _purchases(self) -> Iterator[tuple[str, ...]]:
        """Packs bought by customers with a counted pool, and assistances granted by contract records."""
        rng = self._rng
        for customer in self._customers:
            for term in customer.terms:
                if term.starts_on >= self._ends_on:
                    continue
                if rng.random() < 0.3:
                    yield (
                        customer.customer_id, term.subscription_id, pick(rng, _ASSISTANCES), "1",
                        term.starts_on.isoformat(), term.ends_on.isoformat(),
                    )  # fmt: skip
                if term.plan == "premium" or rng.random() < 0.55:
                    continue
                bought_on = term.starts_on + timedelta(days=60 + int(rng.random() * 240))
                if bought_on < min(self._ends_on, term.ends_on):
                    # Some packs end with the term, some a year after purchase, some never.
                    expires = pick(
                        rng, (term.ends_on.isoformat(), (bought_on + timedelta(days=365)).isoformat(), "")
                    )
                    pool, quantity = (
                        ("level_5", "1") if rng.random() < 0.15 else ("regular", pick(rng, ("5", "5", "10")))
                    )
                    yield (
                        customer.customer_id,
                        term.subscription_id,
                        pool,
                        quantity,
                        bought_on.isoformat(),
                        expires,
                    )

    def _describe_workspace(self) -> str:
        """sla.yml: the sources, and the months that are closed: the last three that can be, of longer demos."""
        first = self._months[max(0, len(self._months) - 1 - _CLOSED_MONTHS)].label
        closing = "# Months close by themselves from here on, once their grace period has passed."
        trying = "# Plans that are tried as soon as a build is published; `sla whatif` tries the others when it is asked."
        return (
            f'{_SLA_YML}{closing}\nperiods: {{first_month: "{first}"}}\n{trying}\ncompare_plans: [premium]\n'
        )

    def _write_reference(self) -> int:
        """sla.yml with its logo, the contract records, plans, calendars and words. Gives the number of files."""
        workspace = self._workspace
        workspace.reference.mkdir(parents=True, exist_ok=True)
        workspace.sla_yml.write_text(self._describe_workspace(), encoding="utf-8", newline="\n")
        workspace.branding.mkdir(exist_ok=True)
        (workspace.branding / "fernhill.svg").write_text(_LOGO_SVG, encoding="utf-8", newline="\n")
        purchases = sorted(self._purchases(), key=lambda row: (row[4], row))
        tables: dict[str, tuple[str, Sequence[tuple[str, ...]]]] = {
            "customers": (
                "customer_id,name,time_zone,locale,report_recipients",
                [
                    (
                        customer.customer_id, customer.name, customer.time_zone, customer.locale,
                        ";".join(person.email for person in customer.people[: 1 + place % 2]),
                    )
                    for place, customer in enumerate(self._customers)
                ],
            ),
            "subscriptions": (
                "subscription_id,customer_id,plan,term_starts_on,term_ends_on,license_type,license_status",
                [
                    (
                        term.subscription_id, customer.customer_id, term.plan, term.starts_on.isoformat(),
                        term.ends_on.isoformat(), term.license_type, term.license_status,
                    )
                    for customer in self._customers
                    for term in customer.terms
                ],
            ),
            "contacts": (
                "customer_id,contact,valid_from,valid_to",
                [
                    (
                        customer.customer_id, contact.email, contact.valid_from.isoformat(),
                        "" if contact.valid_to is None else contact.valid_to.isoformat(),
                    )
                    for customer in self._customers
                    for contact in customer.contacts
                ],
            ),
            "purchases": (
                "purchase_id,customer_id,subscription_id,pool,quantity,purchased_on,expires_on",
                [(f"PUR-{number + 1:04d}", *row) for number, row in enumerate(purchases)],
            ),
            "redemptions": (
                "redemption_id,customer_id,subscription_id,entitlement,redeemed_on,ticket_id",
                self._redemptions,
            ),
            "waivers": (
                "waiver_id,ticket_id,obligation,reason,requested_by,approved_by,approved_at,expires_on",
                self._waivers,
            ),
        }  # fmt: skip
        for name, (header, rows) in tables.items():
            text = "\n".join([header, *(csv_line(*row) for row in rows)]) + "\n"
            (workspace.reference / f"{name}.csv").write_text(text, encoding="utf-8", newline="\n")
        rule_files = _find_rule_files()
        for path in rule_files:
            copy = workspace.reference / path.relative_to(_SHIPPED.reference)
            copy.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, copy)
        return 2 + len(tables) + len(rule_files)


def _draft_order(draft: Draft) -> tuple[int, int]:
    return draft.at, draft.serial


def _draw_strangers() -> list[tuple[dict[str, Any], Person]]:
    """Organizations of no customer: one unknown to the contracts, one missing from the export."""
    updated_at = "2023-05-02T08:00:00Z"
    prospect = organization_row(361_999_000_001, "umbra-prospects", "Umbra Prospects", updated_at)
    deleted = organization_row(361_999_000_002, None, "", updated_at)
    return [
        (prospect, Person("customer", 361_599_000_001, "Paula Umbra", "paula.umbra@umbra-prospects.example")),
        (deleted, Person("customer", 361_599_000_002, "Former User", "former.user@nowhere.example")),
    ]
