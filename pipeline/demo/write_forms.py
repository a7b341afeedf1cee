"""The demo's tickets in every vendor's form, so that each way in can be compared with the canonical one.

What a form cannot say is left out as the real one leaves it out: a table has no history, minutes are floored, a ticket
that was deleted is in no account export. Wall times are those of a fixed offset, two hours east of UTC.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from pipeline.demo.cast import AGENTS, ASSISTANT, AUTOMATION, Person
from pipeline.demo.lives import HOUR, Act, Step, Ticket
from pipeline.demo.windows import instant_text
from pipeline.demo.write_portal import PortalWriter

_LABELS = (
    "debug_requested", "debug_logs_received", "debug_delivered", "bug_confirmed", "bug_rejected", "merged", "deleted",
)  # fmt: skip
_PRIORITIES = {0: "None", 1: "Lowest", 2: "Low", 3: "Medium", 4: "High", 5: "Highest"}
_JIRA_STATUSES = {
    "new": "Waiting for support", "open": "In Progress", "pending": "Waiting for customer", "on_hold": "Pending",
    "solved": "Resolved", "closed": "Closed",
}  # fmt: skip
_SEVERITIES = "{" + ", ".join(f"{name}: {level}" for level, name in _PRIORITIES.items()) + "}"
# Etc/GMT-2 lies two hours EAST of Greenwich: POSIX counts the other way.
_ZONE, _ZONE_SECONDS = "Etc/GMT-2", 2 * HOUR
_CHANNELS = "channels: {values: {web_form: web_form, console: console, email: email}}"
_BOTS = f'["{ASSISTANT.user_id}", "{AUTOMATION.user_id}"]'

_JIRA_YML = f"""\
    type: jira
    customer: {{field: customfield_10002}}
    severity: {{field: priority, values: {_SEVERITIES}}}
    channel: {{field: customfield_10030}}
    agents: {{account_types: [atlassian]}}
    events:
""" + "".join(f"      {label}: {{field: labels, value: {label}}}\n" for label in _LABELS)

_SERVICENOW_YML = f"""\
    type: servicenow
    time_zone: {_ZONE}
    date_format: "%Y-%m-%d %H:%M:%S"
    customer: {{field: company}}
    severity: {{field: priority, values: {_SEVERITIES}}}
    {_CHANNELS}
    journal: whole
    agents: {{domains: [vendor.example]}}
    bots: {{actors: ["{ASSISTANT.email}", "{AUTOMATION.email}"]}}
"""

# What sla.yml says of each form, below the name of the source.
SOURCES: dict[str, str] = {
    "canonical": "    type: canonical\n",
    "jira_rest": _JIRA_YML,
    "jira_csv": f"""\
    type: jira
    time_zone: {_ZONE}
    customer: {{field: "Custom field (Organizations)"}}
    severity: {{field: priority, values: {_SEVERITIES}}}
    channel: {{field: "Custom field (Channel)"}}
    comments: public
    agents: {{actors: [{", ".join(f'"{agent.user_id}"' for agent in AGENTS)}]}}
    bots: {{actors: {_BOTS}}}
""",
    "freshdesk_api": f"""\
    type: freshdesk
    customer: {{field: cf_customer}}
    severity: {{field: cf_severity, values: {_SEVERITIES}}}
    {_CHANNELS}
    bots: {{actors: {_BOTS}}}
""",
    "freshdesk_csv": f"""\
    type: freshdesk
    time_zone: {_ZONE}
    customer: {{field: company}}
    severity: {{field: priority, values: {_SEVERITIES}}}
    {_CHANNELS}
""",
    "zendesk_csv": f"""\
    type: zendesk
    time_zone: {_ZONE}
    customer: {{field: organization_name}}
    severity: {{field: "column:Severity [list]", values: {_SEVERITIES}}}
    {_CHANNELS}
""",
    "zendesk_xml": f"""\
    type: zendesk
    customer: {{field: organization_external_id}}
    severity: {{field: "custom_field:360001", values: {_SEVERITIES}}}
    {_CHANNELS}
    bots: {{actors: {_BOTS}}}
""",
    "servicenow_json": _SERVICENOW_YML,
    "servicenow_xml": _SERVICENOW_YML,
    "servicenow_xlsx": _SERVICENOW_YML,
}


def write_form(form: str, tickets: Sequence[Ticket], folder: Path) -> None:
    """The tickets as files of one form in `folder`; `form` is a key of SOURCES."""
    folder.mkdir(parents=True, exist_ok=True)
    _WRITE[form](tickets, folder)


def _canonical(tickets: Sequence[Ticket], folder: Path) -> None:
    portal = PortalWriter(folder)
    for ticket in tickets:
        portal.write(ticket)
    portal.close()


def _jira_rest(tickets: Sequence[Ticket], folder: Path) -> None:
    pages = [tickets[start : start + 50] for start in range(0, len(tickets), 50)]
    for number, page in enumerate(pages, 1):
        issues = [_issue(ticket) for ticket in page]
        text = json.dumps(
            {"startAt": 50 * (number - 1), "total": len(tickets), "issues": issues}, ensure_ascii=False
        )
        (folder / f"search-{number}.json").write_text(text + "\n", encoding="utf-8")


def _issue(ticket: Ticket) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "labels": "",
        "status": _JIRA_STATUSES["new"],
        "priority": _priority(ticket.severity),
    }
    histories: list[dict[str, Any]] = []
    comments: list[dict[str, Any]] = []
    for number, step in enumerate(ticket.steps):
        items = []
        for act in step.acts:
            if act.kind == "message":
                comments.append({"id": f"{ticket.number}{len(comments):02d}", "author": _account(step.actor),
                                 "created": _jira_instant(step.at), "jsdPublic": act.value == "public"})  # fmt: skip
                continue
            field, now = _jira_change(act, fields)
            items.append({"field": field, "fieldId": field, "fromString": fields[field], "toString": now})
            fields[field] = now
        if items:
            histories.append({"id": f"{ticket.number}{number:03d}", "author": _account(step.actor),
                              "created": _jira_instant(step.at), "items": items})  # fmt: skip
    return {
        "id": str(ticket.number),
        "key": ticket.ticket_id,
        "fields": {
            "created": _jira_instant(ticket.submitted_at),
            "updated": _jira_instant(ticket.steps[-1].at),
            "summary": ticket.subject,
            "issuetype": {"name": ticket.ticket_type},
            "status": {"name": fields["status"]},
            "priority": None if fields["priority"] is None else {"name": fields["priority"]},
            "labels": fields["labels"].split(),
            "reporter": _account(ticket.requester),
            "creator": _account(ticket.opener),
            "comment": {
                "comments": comments,
                "total": len(comments),
                "maxResults": len(comments),
                "startAt": 0,
            },
            "customfield_10002": [{"id": "1", "name": ticket.customer_id}] if ticket.customer_id else [],
            "customfield_10030": {"value": ticket.channel},
        },
        # The newest first, as some answers have them.
        "changelog": {"startAt": 0, "total": len(histories), "histories": histories[::-1]},
    }


def _jira_change(act: Act, fields: dict[str, Any]) -> tuple[str, str | None]:
    if act.kind == "status_changed":
        return "status", _JIRA_STATUSES[act.value]
    if act.kind == "severity_changed":
        return "priority", _priority(int(act.value))
    # A label can only be added again once it was taken away: a bug that is rejected loses the label of the other.
    other = {"bug_confirmed": "bug_rejected", "bug_rejected": "bug_confirmed"}.get(act.kind)
    kept = [label for label in fields["labels"].split() if label not in (other, act.kind)]
    return "labels", " ".join([*kept, act.kind])


def _jira_csv(tickets: Sequence[Ticket], folder: Path) -> None:
    spoken = {ticket.ticket_id: _public_comments(ticket) for ticket in tickets}
    widest = max(map(len, spoken.values()), default=0)
    header = ["Summary", "Issue key", "Status", "Priority", "Reporter", "Reporter Id", "Creator Id", "Created", "Updated",
              "Resolved", "Custom field (Organizations)", "Custom field (Channel)", *["Comment"] * widest]  # fmt: skip
    rows = []
    for ticket in tickets:
        comments = spoken[ticket.ticket_id]
        rows.append([
            ticket.subject, ticket.ticket_id, "Open", _priority(ticket.severity) or "", ticket.requester.email,
            _account(ticket.requester)["accountId"], _account(ticket.opener)["accountId"], _short(ticket.submitted_at),
            _short(ticket.steps[-1].at), "", ticket.customer_id, ticket.channel, *comments,
            *[""] * (widest - len(comments)),
        ])  # fmt: skip
    _write_csv(folder / "jira.csv", header, rows)


def _public_comments(ticket: Ticket) -> list[str]:
    return [
        f"{_short(step.at)};{_account(step.actor)['accountId']};{ticket.subject}\nRegards; {step.actor.name}"
        for step in ticket.steps
        for act in step.acts
        if act == Act("message", "public")
    ]


def _freshdesk_api(tickets: Sequence[Ticket], folder: Path) -> None:
    with (folder / "tickets.ndjson").open("w", encoding="utf-8", newline="\n") as file:
        for ticket in tickets:
            conversations = [
                {"id": ticket.number * 1000 + number, "incoming": step.actor.kind == "customer",
                 "private": act.value == "internal", "source": 0, "user_id": step.actor.user_id,
                 "created_at": instant_text(step.at)}
                for number, (step, act) in enumerate(_messages(ticket)) if number
            ]  # fmt: skip
            row = {
                "id": ticket.ticket_id, "subject": ticket.subject, "status": 2, "priority": 1, "source": ticket.channel,
                "requester_id": ticket.requester.user_id, "requester": {"email": ticket.requester.email},
                "created_at": instant_text(ticket.submitted_at), "updated_at": instant_text(ticket.steps[-1].at),
                "custom_fields": {"cf_customer": ticket.customer_id, "cf_severity": _priority(ticket.severity)},
                "deleted": _is_deleted(ticket), "conversations": conversations[:10],
            }  # fmt: skip
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _freshdesk_csv(tickets: Sequence[Ticket], folder: Path) -> None:
    header = ["Ticket ID", "Subject", "Status", "Priority", "Source", "Created time", "Last update time",
              "Initial response time", "First response time (in hrs)", "Email", "Company Name"]  # fmt: skip
    rows = []
    for ticket in tickets:
        answered_at = _first_answer(ticket)
        rows.append([
            ticket.ticket_id, ticket.subject, "Open", _priority(ticket.severity) or "", ticket.channel,
            _plain(ticket.submitted_at), _plain(ticket.steps[-1].at), "" if answered_at is None else _plain(answered_at),
            "" if answered_at is None else _hours(answered_at - ticket.submitted_at), ticket.requester.email,
            ticket.customer_id,
        ])  # fmt: skip
    _write_csv(folder / "tickets.csv", header, rows)


def _zendesk_csv(tickets: Sequence[Ticket], folder: Path) -> None:
    header = ["Summation column", "Id", "Requester email", "Status", "Priority", "Via", "Created at", "Updated at",
              "Organization", "Solved at", "Reopens", "First reply time in minutes", "Severity [list]"]  # fmt: skip
    rows = []
    for ticket in tickets:
        if _is_deleted(ticket):
            continue
        answered_at = _first_answer(ticket)
        rows.append([
            "1", ticket.ticket_id, ticket.requester.email, "Open", "", ticket.channel, _plain(ticket.submitted_at),
            _plain(ticket.steps[-1].at), ticket.customer_id, "1900-01-01 00:00:00", "0",
            "" if answered_at is None else str((answered_at - ticket.submitted_at) // 60), _priority(ticket.severity) or "",
        ])  # fmt: skip
    _write_csv(folder / "tickets.csv", header, rows)


def _zendesk_xml(tickets: Sequence[Ticket], folder: Path) -> None:
    people: dict[int, Person] = {}
    lines = []
    for ticket in tickets:
        people |= {
            person.user_id: person for person in (ticket.requester, *(step.actor for step in ticket.steps))
        }
        comments = "".join(
            _element("comment", {
                "author-id": str(step.actor.user_id), "created-at": instant_text(step.at),
                "is-public": "true" if act.value == "public" else "false", "value": "…",
            })
            for step, act in _messages(ticket)
        )  # fmt: skip
        severity = {"ticket-field-id": "360001", "value": _priority(ticket.severity) or ""}
        fields = {
            "nice-id": ticket.ticket_id, "created-at": instant_text(ticket.submitted_at),
            "updated-at": instant_text(ticket.steps[-1].at), "status-id": "1", "priority-id": "0", "subject": ticket.subject,
            "requester-id": str(ticket.requester.user_id), "submitter-id": str(ticket.opener.user_id),
            "organization-id": ticket.customer_id, "via-id": ticket.channel,
        }  # fmt: skip
        entry = _element("ticket-field-entry", severity)
        lists = f"<comments>{comments}</comments><ticket-field-entries>{entry}</ticket-field-entries>"
        lines.append(_element("ticket", fields, inside=lists))
    customers = sorted({ticket.customer_id for ticket in tickets if ticket.customer_id})
    users = [
        {"id": str(person.user_id), "name": person.name, "email": person.email,
         "roles": "0" if person.kind == "customer" else "4"}
        for _, person in sorted(people.items())
    ]  # fmt: skip
    written = {
        "tickets": lines,
        "users": [_element("user", user) for user in users],
        "organizations": [
            _element("organization", {"id": name, "name": name, "external-id": name}) for name in customers
        ],
    }
    with zipfile.ZipFile(folder / "export.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, elements in written.items():
            text = "\n".join(
                [
                    '<?xml version="1.0" encoding="UTF-8"?>',
                    f'<{name} type="array">',
                    *elements,
                    f"</{name}>",
                    "",
                ]
            )
            archive.writestr(zipfile.ZipInfo(f"{name}.xml", (2026, 1, 1, 0, 0, 0)), text)


def _element(name: str, fields: Mapping[str, str], inside: str = "", attributes: str = "") -> str:
    """An element with the fields as its children; `inside` and `attributes` are XML already."""
    children = "".join(f"<{field}>{escape(value)}</{field}>" for field, value in fields.items())
    return f"<{name}{attributes}>{children}{inside}</{name}>"


def _servicenow_records(tickets: Sequence[Ticket]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    incidents, entries = [], []
    for ticket in tickets:
        sys_id = f"{ticket.number:032x}"
        incidents.append({
            "number": ticket.ticket_id, "sys_id": sys_id, "state": "2", "opened_at": _plain(ticket.submitted_at, 0),
            "sys_created_on": _plain(ticket.submitted_at, 0), "sys_updated_on": _plain(ticket.steps[-1].at, 0),
            "sys_created_by": ticket.opener.email, "caller_id": ticket.requester.email, "company": ticket.customer_id,
            "priority": _priority(ticket.severity) or "", "contact_type": ticket.channel,
            "short_description": ticket.subject,
        })  # fmt: skip
        for number, (step, act) in enumerate(_messages(ticket)):
            entries.append({
                "sys_id": f"{ticket.number:024x}{number:08x}", "element_id": sys_id, "name": "incident",
                "element": "comments" if act.value == "public" else "work_notes", "value": "…",
                "sys_created_on": _plain(step.at, 0), "sys_created_by": step.actor.email,
            })  # fmt: skip
    return incidents, entries


def _servicenow_json(tickets: Sequence[Ticket], folder: Path) -> None:
    for name, records in zip(("incident", "sys_journal_field"), _servicenow_records(tickets), strict=True):
        text = json.dumps({"result": records}, ensure_ascii=False, indent=1)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _servicenow_xml(tickets: Sequence[Ticket], folder: Path) -> None:
    for name, records in zip(("incident", "sys_journal_field"), _servicenow_records(tickets), strict=True):
        lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<xml>"]
        # As the real export marks every record.
        lines += [_element(name, record, attributes=' action="INSERT_OR_UPDATE"') for record in records]
        (folder / f"{name}.xml").write_text("\n".join([*lines, "</xml>", ""]), encoding="utf-8")


def _servicenow_xlsx(tickets: Sequence[Ticket], folder: Path) -> None:
    import xlsxwriter

    header = (
        "Number",
        "State",
        "Opened",
        "Updated",
        "Caller",
        "Company",
        "Priority",
        "Contact type",
        "Short description",
    )
    workbook = xlsxwriter.Workbook(
        str(folder / "incident.xlsx"), {"strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet = workbook.add_worksheet("Page 1")
    rows = [
        ("In Progress" if place == 1 else value for place, value in enumerate((
            ticket.ticket_id, "", _plain(ticket.submitted_at), _plain(ticket.steps[-1].at), ticket.requester.email,
            ticket.customer_id, _priority(ticket.severity) or "", ticket.channel, ticket.subject,
        )))
        for ticket in tickets
    ]  # fmt: skip
    for number, row in enumerate((header, *rows)):
        for place, value in enumerate(row):
            sheet.write_string(number, place, value)
    workbook.close()


_WRITE: dict[str, Callable[[Sequence[Ticket], Path], None]] = {
    "canonical": _canonical,
    "jira_rest": _jira_rest,
    "jira_csv": _jira_csv,
    "freshdesk_api": _freshdesk_api,
    "freshdesk_csv": _freshdesk_csv,
    "zendesk_csv": _zendesk_csv,
    "zendesk_xml": _zendesk_xml,
    "servicenow_json": _servicenow_json,
    "servicenow_xml": _servicenow_xml,
    "servicenow_xlsx": _servicenow_xlsx,
}


def _messages(ticket: Ticket) -> list[tuple[Step, Act]]:
    return [(step, act) for step in ticket.steps for act in step.acts if act.kind == "message"]


def _first_answer(ticket: Ticket) -> int | None:
    """When an agent first wrote publicly, as a helpdesk's own figure has it."""
    return next(
        (
            step.at
            for step, act in _messages(ticket)
            if act.value == "public" and step.actor.kind == "agent" and step.at > ticket.submitted_at
        ),
        None,
    )


def _is_deleted(ticket: Ticket) -> bool:
    return any(act.kind == "deleted" for step in ticket.steps for act in step.acts)


def _priority(severity: int | None) -> str | None:
    return None if severity is None else _PRIORITIES[severity]


def _account(person: Person) -> dict[str, str]:
    if person.kind == "customer":
        return {"accountId": f"qm:{person.user_id}", "emailAddress": person.email, "accountType": "customer"}
    kind = "app" if person.kind == "bot" else "atlassian"
    return {"accountId": str(person.user_id), "emailAddress": person.email, "accountType": kind}


def _jira_instant(at: int) -> str:
    return instant_text(at + _ZONE_SECONDS).replace("Z", ".000+0200")


def _plain(at: int, offset_seconds: int = _ZONE_SECONDS) -> str:
    return instant_text(at + offset_seconds).replace("T", " ").rstrip("Z")


def _short(at: int) -> str:
    """`18/Jul/26 9:10 AM`: no seconds, a two-digit year."""
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    text = instant_text(at + _ZONE_SECONDS)
    hour = int(text[11:13])
    half = "AM" if hour < 12 else "PM"
    return (
        f"{text[8:10]}/{months[int(text[5:7]) - 1]}/{text[2:4]} {(hour + 11) % 12 + 1}:{text[14:16]} {half}"
    )


def _hours(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _write_csv(path: Path, header: list[str], rows: list[list[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8-sig", newline="")
