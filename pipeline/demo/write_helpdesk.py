"""The helpdesk's export as Zendesk's incremental API gives it, fetched once a month.

Each month's fetch starts `OVERLAP_SECONDS` before the month, so tickets and audits near a month's end come
twice, and a ticket that lived in several months comes in several states. Keys are those of real responses.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.demo.cast import AGENTS, ASSISTANT, AUTOMATION, Customer, Person
from pipeline.demo.lives import DAY, Act, Step, Ticket
from pipeline.demo.windows import Month, PartedFile, instant_text

OVERLAP_SECONDS = DAY
# The API gives 1,000 a page; pages are joined so that a million tickets do not become a thousand files.
TICKETS_A_PAGE = 5_000
SEVERITY_FIELD = 360001
BUG_FIELD = 360002
# The group that every ticket is in first, and the one to which some are handed over.
FIRST_LINE, EXPERTS = 360_100_001, 360_100_002
# Of so many tickets on which an agent works before the answer one is handed over with it.
HANDED_OVER_ONE_IN = 3
API = "https://vendor.zendesk.example/api/v2"

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_VIA_CHANNELS = {"web_form": "web", "console": "api", "email": "email"}
_STATUSES = {"on_hold": "hold"}
_FIELD_OF_ACT = {
    "severity_changed": str(SEVERITY_FIELD),
    "bug_confirmed": str(BUG_FIELD),
    "bug_rejected": str(BUG_FIELD),
}
_TAG_OF_ACT = {
    "debug_requested": "debug_requested",
    "debug_logs_received": "debug_logs_received",
    "debug_delivered": "debug_delivered",
    "merged": "closed_by_merge",
}
_BODIES = {
    ("customer", True): (
        "Thank you, we tried this and will report back.", "The problem is still there, logs are attached.",
        "Could you please look into this?", "It happened again last night.", "Das hat geholfen, danke.",
    ),
    ("agent", True): (
        "Thank you for the report, we are looking into it.", "Please restart the agent and send us the logs.",
        "We found the cause and describe the fix below.", "Does the error still occur with the newest build?",
        "This setting can be changed in the job profile.",
    ),
    ("agent", False): (
        "Called the customer, will write it up later.", "Looks like the known indexing problem.",
        "Asked engineering for an opinion.", "Reproduced in the lab.",
    ),
    ("bot", True): (
        "We have received your request. An engineer will answer within the time of your plan.",
        "Thank you for contacting support. These articles may help.",
    ),
}  # fmt: skip


class HelpdeskWriter:
    """Writes tickets in the order given. `finish_month` ends a month, `close` comes last.

    Held in memory: one open page of tickets for each month, no audits.
    """

    def __init__(self, folder: Path, months: Sequence[Month]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._months = months
        self._audits = [PartedFile(folder, f"audits-{month.label}", "ndjson") for month in months]
        self._pages: list[list[tuple[str, int, str]]] = [[] for _ in months]
        self._pages_count = [0 for _ in months]
        self._files_count = 0

    def write_people(
        self, customers: Sequence[Customer], extra: Sequence[tuple[dict[str, Any], Person]]
    ) -> None:
        """users.ndjson and organizations.ndjson. `extra`: organizations of no customer, and a person each."""
        last_update = instant_text(self._months[-1].starts_at)
        with (
            PartedFile(self._folder, "users", "ndjson") as users,
            PartedFile(self._folder, "organizations", "ndjson") as organizations,
        ):
            for person in (ASSISTANT, *AGENTS):
                users.write(_encode(_user(person, None, "Etc/UTC", last_update)))
            for customer in customers:
                if customer.organization_id is None:
                    continue
                row = organization_row(
                    customer.organization_id, customer.customer_id, customer.name, last_update
                )
                organizations.write(_encode(row))
                for person in customer.people:
                    users.write(
                        _encode(_user(person, customer.organization_id, customer.time_zone, last_update))
                    )
            for row, person in extra:
                organizations.write(_encode(row))
                users.write(_encode(_user(person, row["id"], "Etc/UTC", last_update)))
        self._files_count += users.files_count + organizations.files_count

    def write(self, ticket: Ticket) -> None:
        """The audits into the months in which they happened, the ticket into every month that changed it."""
        months = self._months
        state = _TicketState(ticket)
        number = next(place for place, month in enumerate(months) if ticket.submitted_at < month.ends_at)
        for index, step in enumerate(ticket.steps):
            if step.at >= months[number].ends_at:
                self._add_snapshot(number, state)
                is_in_overlap = state.updated_at >= months[number].ends_at - OVERLAP_SECONDS
                if is_in_overlap and step.at >= months[number + 1].ends_at:
                    self._add_snapshot(number + 1, state)
                while step.at >= months[number].ends_at:
                    number += 1
            line = _encode(state.apply(index, step))
            if ticket.has_history:
                self._audits[number].write(line)
                if step.at >= months[number].ends_at - OVERLAP_SECONDS and number + 1 < len(months):
                    self._audits[number + 1].write(line)
        self._add_snapshot(number, state)
        if state.updated_at >= months[number].ends_at - OVERLAP_SECONDS and number + 1 < len(months):
            self._add_snapshot(number + 1, state)

    def _add_snapshot(self, number: int, state: _TicketState) -> None:
        page = self._pages[number]
        page.append((instant_text(state.updated_at), state.ticket.number, _encode(state.snapshot())))
        if len(page) >= TICKETS_A_PAGE:
            self._write_page(number, is_last=False)

    def _write_page(self, number: int, *, is_last: bool) -> None:
        page = sorted(self._pages[number])
        self._pages[number] = []
        if not page and self._pages_count[number]:
            return
        self._pages_count[number] += 1
        self._files_count += 1
        month = self._months[number]
        cursor = f"{month.label}-{self._pages_count[number]:03d}"
        end_of_stream = "true" if is_last else "false"
        path = self._folder / f"tickets-{cursor}.json"
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.write('{"tickets":[' + ",".join(line for _, _, line in page) + "],")
            file.write(
                f'"after_url":"{API}/incremental/tickets/cursor.json?cursor={cursor}","before_url":null,'
            )
            file.write(f'"after_cursor":"{cursor}","before_cursor":null,"end_of_stream":{end_of_stream}}}\n')

    def finish_month(self, number: int) -> None:
        """Write what is left of a month."""
        self._write_page(number, is_last=True)
        self._audits[number].close()
        self._files_count += self._audits[number].files_count

    def close(self) -> int:
        """The number of files written."""
        return self._files_count


class _TicketState:
    """A ticket as the helpdesk shows it after the steps applied so far."""

    def __init__(self, ticket: Ticket) -> None:
        self.ticket = ticket
        self.status = "new"
        self.severity = None if ticket.severity is None else f"sev_{ticket.severity}"
        self.bug: str | None = None
        self.tags = ["connect"]
        self.updated_at = ticket.submitted_at
        self.group_id = FIRST_LINE
        self.assignee_id: int | None = None
        self._priority = {4: "high", 5: "urgent"}.get(ticket.severity or 0)

    def apply(self, index: int, step: Step) -> dict[str, Any]:
        """Take over what the step does and give its audit. Step 0 is the submission."""
        ticket = self.ticket
        audit_id = 365_000_000_000 + ticket.number * 100 + index
        self.updated_at = step.at
        events: list[dict[str, Any]] = []
        if index == 0:
            events.extend(self._create_events())
        for act in step.acts:
            if act.kind == "message":
                events.append(_comment(step, act, index, ticket.number, audit_id))
            else:
                events.append(self._change(act))
        if index == 0:
            events.append(
                {
                    "type": "Notification",
                    "subject": "[Request received]",
                    "body": "…",
                    "recipients": [ticket.requester.user_id],
                }
            )
        events.extend(self._assign(index, step))
        first_id = audit_id * 10
        return {
            "id": audit_id,
            "ticket_id": ticket.number,
            "created_at": instant_text(step.at),
            "author_id": step.actor.user_id,
            "metadata": {"system": {"client": None, "ip_address": None, "location": None}, "custom": {}},
            "events": [{"id": first_id + place, **event} for place, event in enumerate(events)],
            "via": _via(ticket, step),
        }

    def _create_events(self) -> list[dict[str, Any]]:
        ticket = self.ticket
        values: list[tuple[str, Any]] = [
            ("subject", ticket.subject),
            ("status", "new"),
            ("priority", self._priority),
            ("type", ticket.ticket_type),
            ("requester_id", str(ticket.requester.user_id)),
            ("organization_id", None if ticket.organization_id is None else str(ticket.organization_id)),
            ("tags", list(self.tags)),
            (str(SEVERITY_FIELD), self.severity),
        ]
        return [
            {"type": "Create", "value": value, "field_name": name}
            for name, value in values
            if value is not None
        ]

    def _assign(self, index: int, step: Step) -> list[dict[str, Any]]:
        """Who has the ticket: a group from its creation on, then the first agent who works on it, now and then another group."""
        if index == 0:
            return [{"type": "Create", "value": str(self.group_id), "field_name": "group_id"}]
        if step.actor.kind != "agent" or self.assignee_id is not None:
            return []
        self.assignee_id = step.actor.user_id
        events = [_set("assignee_id", self.assignee_id, None)]
        is_answer = Act("message", "public") in step.acts
        if not is_answer and self.ticket.number % HANDED_OVER_ONE_IN == 0:
            events.append(_set("group_id", EXPERTS, self.group_id))
            self.group_id = EXPERTS
        return events

    def _change(self, act: Act) -> dict[str, Any]:
        previous: Any
        value: Any
        if act.kind in _TAG_OF_ACT:
            previous = list(self.tags)
            self.tags = sorted({*self.tags, _TAG_OF_ACT[act.kind]})
            return {
                "type": "Change",
                "value": list(self.tags),
                "field_name": "tags",
                "previous_value": previous,
            }
        if act.kind == "severity_changed":
            previous, self.severity = self.severity, f"sev_{act.value}"
            value = self.severity
        elif act.kind in ("bug_confirmed", "bug_rejected"):
            previous, self.bug = self.bug, act.kind.removeprefix("bug_")
            value = self.bug
        else:
            previous = self.status
            self.status = "deleted" if act.kind == "deleted" else _STATUSES.get(act.value, act.value)
            value = self.status
        field = _FIELD_OF_ACT.get(act.kind, "status")
        return {"type": "Change", "value": value, "field_name": field, "previous_value": previous}

    def snapshot(self) -> dict[str, Any]:
        """The ticket object."""
        ticket = self.ticket
        fields = [{"id": SEVERITY_FIELD, "value": self.severity}, {"id": BUG_FIELD, "value": self.bug}]
        return {
            "id": ticket.number,
            "url": f"{API}/tickets/{ticket.number}.json",
            "external_id": None,
            "via": {"channel": _VIA_CHANNELS[ticket.channel], "source": {"from": {}, "to": {}, "rel": None}},
            "created_at": instant_text(ticket.submitted_at),
            "updated_at": instant_text(self.updated_at),
            "generated_timestamp": self.updated_at,
            "type": ticket.ticket_type,
            "subject": ticket.subject,
            "raw_subject": ticket.subject,
            "description": ticket.subject + ".",
            "priority": self._priority,
            "status": self.status,
            "recipient": None,
            "requester_id": ticket.requester.user_id,
            "submitter_id": ticket.opener.user_id,
            "assignee_id": self.assignee_id,
            "organization_id": ticket.organization_id,
            "group_id": self.group_id,
            "collaborator_ids": [],
            "follower_ids": [],
            "email_cc_ids": [],
            "forum_topic_id": None,
            "problem_id": None,
            "has_incidents": False,
            "is_public": True,
            "due_at": None,
            "tags": self.tags,
            "custom_fields": fields,
            "satisfaction_rating": {"score": "unoffered"},
            "sharing_agreement_ids": [],
            "custom_status_id": None,
            "fields": fields,
            "followup_ids": [],
            "ticket_form_id": 360_200_001,
            "brand_id": 360_300_001,
            "allow_channelback": False,
            "allow_attachments": True,
            "from_messaging_channel": False,
        }


def organization_row(
    organization_id: int, external_id: str | None, name: str, updated_at: str
) -> dict[str, Any]:
    """One organization object."""
    return {
        "id": organization_id,
        "url": f"{API}/organizations/{organization_id}.json",
        "name": name,
        "shared_tickets": False,
        "shared_comments": False,
        "external_id": external_id,
        "created_at": "2021-01-04T09:00:00Z",
        "updated_at": updated_at,
        "domain_names": [] if external_id is None else [f"{external_id}.example"],
        "details": None,
        "notes": None,
        "group_id": None,
        "tags": [],
        "organization_fields": {},
    }


def _user(person: Person, organization_id: int | None, time_zone: str, updated_at: str) -> dict[str, Any]:
    return {
        "id": person.user_id,
        "url": f"{API}/users/{person.user_id}.json",
        "name": person.name,
        "email": person.email,
        "created_at": "2021-01-04T09:00:00Z",
        "updated_at": updated_at,
        "iana_time_zone": time_zone,
        "locale": "en-US",
        "external_id": None,
        "organization_id": organization_id,
        "role": "end-user" if person.kind == "customer" else "agent",
        "verified": True,
        "active": True,
        "suspended": False,
        "tags": [],
        "user_fields": {},
    }


def _set(field_name: str, value: int, previous: int | None) -> dict[str, Any]:
    """A change of a field of the system; ids are texts in an audit."""
    return {
        "type": "Change",
        "value": str(value),
        "field_name": field_name,
        "previous_value": None if previous is None else str(previous),
    }


def _comment(step: Step, act: Act, index: int, number: int, audit_id: int) -> dict[str, Any]:
    is_public = act.value == "public"
    bodies = _BODIES[step.actor.kind, is_public]
    body = bodies[(number + index) % len(bodies)]
    return {
        "type": "Comment",
        "author_id": step.actor.user_id,
        "body": body,
        "public": is_public,
        "attachments": [],
        "audit_id": audit_id,
    }


def _via(ticket: Ticket, step: Step) -> dict[str, Any]:
    if step.actor is AUTOMATION:
        if step.acts[0].kind == "message":
            source = {
                "from": {"deleted": False, "title": "Acknowledge a new request", "id": 360_400_001},
                "rel": "trigger",
            }
        else:
            source = {
                "from": {"deleted": False, "title": "Close four days after solved", "id": 360_400_002},
                "rel": "automation",
            }
        return {"channel": "rule", "source": {**source, "to": {}}}
    channel = _VIA_CHANNELS[ticket.channel] if step.actor is ticket.opener else "web"
    return {"channel": channel, "source": {"from": {}, "to": {}, "rel": None}}
