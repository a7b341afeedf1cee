"""A workspace without a mistake in which every kind of helpdesk has a source, small enough that each line is needed.

Each source has the tickets 1 to 5 of Monday 2 March 2026, 08:00 UTC: four are answered at 10:00 UTC (2 h), the fifth three days
later. Standard, level 3: 24 h of 06:00-21:00 UTC, so the fifth is breached. Each draws a unit of the customer acme.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from pipeline.settings import CHECKOUT

Files = dict[str, bytes]

SLA_YML = """\
alerts: {thresholds_pct: [50, 80], term_ends_within_days: 60, runs_out_chance_pct: 50}
compare_plans: []
keep_exports: false
sources:
  desk:
    type: canonical
    ticket_prefix: "C-"
    null_markers: ["", "-"]
    channels: {values: {portal: web_form}}
    bots: {actors: [robot]}
  zen:
    type: zendesk
    ticket_prefix: "Z-"
    time_zone: UTC
    null_markers: [""]
    customer: {field: organization_external_id}
    severity: {field: "custom_field:360001", values: {sev_3: 3}}
    statuses: {values: {lab: on_hold}}
    channels: {values: {web: web_form}}
    bots: {actors: ["9"], channels: [rule]}
    events:
      bug_confirmed: {field: tags, value: product_bug}
    allow: {unknown_levels: 2, unknown_customers: 20}
  zentable:
    type: zendesk
    ticket_prefix: "T-"
    time_zone: Europe/Berlin
    date_format: "%Y-%m-%d %H:%M:%S"
    columns: {solved_at: Gelöst am}
    customer: {field: organization_name}
    severity: {field: "column:Severity [list]", values: {sev_3: 3}}
  snow:
    type: servicenow
    ticket_prefix: "S-"
    time_zone: Europe/Berlin
    date_format: "%d/%m/%Y %H:%M:%S"
    null_markers: ["", "?"]
    customer: {field: company}
    severity: {field: priority, values: {"3 - Moderate": 3}}
    agents: {domains: [vendor.example]}
    journal: whole
  jira:
    type: jira
    ticket_prefix: "J-"
    time_zone: Europe/Madrid
    date_format: "%d/%b/%y %I:%M %p"
    date_locale: es
    columns: {comment: Comentario}
    customer: {field: Organizations}
    severity: {field: priority, values: {Alta: 3}}
    channel: {constant: web_form}
    agents: {actors: ["557058:mia"]}
    comments: public
    statuses: {values: {Abierto: open}}
  fresh:
    type: freshdesk
    ticket_prefix: "F-"
    time_zone: America/New_York
    customer: {field: company}
    severity: {field: priority, values: {Medium: 3}}
    channels: {values: {Hotline: web_form}}
  other:
    type: mapped
    ticket_prefix: "M-"
    mapping: mappings/other.yml
    bots: {actors: [u-robot]}
periods: {grace_business_days: 3, first_month: "2099-01"}
branding:
  vendor_name: Vendor
  logo: logo.svg
  logo_place: band
  primary_colour: "#1f4e79"
  accent_colour: "#2b6cb0"
  footer: Confidential
  sender: Support, sla@vendor.example
  customers:
    acme: {sender: "Mia, mia@vendor.example", footer: For Acme}
"""

# Only for what is refused before anything is built: a run would deliver.
DELIVERY = """\
delivery:
  channel: smtp
  sender: sla@vendor.example
  sender_name: Vendor Support
  reply_to: answers@vendor.example
  footer: Service report
  first_month: "2099-01"
  allowed_domains: [acme.example]
  most_undecided_points: 2
  secrets_file: secrets.env
  smtp: {host: mail.vendor.example, security: tls, port: 465, certificates_file: own.pem, timeout_seconds: 20}
  webhook:
    url: https://hooks.vendor.example/sla
    allowed_hosts: [hooks.vendor.example]
    private_addresses: [10.1.2.0/24]
    kinds: [at_risk, breached]
    at_risk_percent: [75, 90]
    quiet_hours: {time_zone: Europe/Lisbon, hours: ["20:00-07:00"]}
    certificates_file: own.pem
    timeout_seconds: 10
"""

LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>\n'

MAPPING = """\
time_zone: Europe/Berlin
dates: ["%d.%m.%Y %H:%M:%S"]
null_markers: ["-"]
evidence: [messages]
allow: [new_columns]
values:
  severity: {words: {hoch: 4, mittel: 3}, unknown: refuse}
files:
  tickets:
    format: semicolon
    required: [id]
    columns:
      id: [Nummer]
    tickets:
      ticket_id: id
      customer_id: Kunde
      requester: Melder
      channel: {constant: web_form}
      severity: {column: Prio, values: severity}
      submitted_at: Erstellt
  replies:
    format: semicolon
    events:
      - event_type: {constant: message}
        event_id: Antwort
        ticket_id: Nummer
        event_at: Zeit
        actor: Wer
        is_public: {column: Sichtbar, values: {ja: true, nein: false}}
  people:
    format: semicolon
    people:
      person_id: Kennung
      person: Adresse
      actor_kind: {column: Seite, values: {Support: agent, Kunde: customer, Automat: bot}}
"""

REFERENCE = {
    "customers": "customer_id,name,time_zone,locale,report_recipients\nacme,Acme,UTC,en,ann@acme.example\nbeta,Beta,UTC,en,\n",
    "subscriptions": (
        "subscription_id,customer_id,plan,term_starts_on,term_ends_on,license_type,license_status,stacks_on\n"
        "A-1,acme,standard,2025-01-01,2026-01-01,paid,active,\nA-2,acme,standard,2026-01-01,2027-01-01,paid,active,\n"
        "B-1,beta,premium,2026-01-01,2027-01-01,paid,active,\n"
    ),
    "licenses": "subscription_id,license_status,valid_from,valid_to\nA-2,suspended,2026-06-01,2026-07-01\n",
    "customer_words": "customer_id,word,source\nacme,Acme Holding,jira\n",
    "contacts": "customer_id,contact,valid_from,valid_to\nacme,ann@acme.example,2026-01-01,\n",
    "purchases": (
        "purchase_id,customer_id,subscription_id,pool,quantity,purchased_on,expires_on,returned_on\n"
        "P-1,acme,A-2,regular,40,2026-01-15,2027-01-01,\n"
    ),
    "redemptions": (
        "redemption_id,customer_id,subscription_id,entitlement,redeemed_on,ticket_id\n"
        "R-1,beta,B-1,remote_installation_assistance,2026-02-01,\n"
    ),
    "waivers": (
        "waiver_id,ticket_id,obligation,reason,requested_by,approved_by,approved_at,expires_on,cycle_number,valid_from\n"
        "W-1,C-5,first_response,Outage,lea,omar,2026-03-05,,,\n"
    ),
    "annotations": "noted_on,note,customer_id\n2026-03-04,A new release,acme\n",
}

_NUMBERS = range(1, 6)


def _lines(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _json_lines(*records: dict[str, object]) -> bytes:
    return _lines(*(json.dumps(record, ensure_ascii=False) for record in records))


def _answered_on(number: int) -> int:
    """The day in March on which the agent answers."""
    return 5 if number == 5 else 2


def _canonical() -> Files:
    tickets = [
        f"{n},acme,ann@acme.example,portal,3,2026-03-02T08:00:00Z,Sync {n},-,-,2026-03-05T12:00:00Z"
        for n in _NUMBERS
    ]
    events = []
    for n in _NUMBERS:
        day = _answered_on(n)
        events += [
            f"e{n}a,{n},2026-03-02T08:05:00Z,message,bot,robot,true,",
            f"e{n}b,{n},2026-03-0{day}T10:00:00Z,message,agent,mia,true,",
            f"e{n}c,{n},2026-03-0{day}T11:00:00Z,status_changed,agent,mia,,pending",
        ]
    return {
        "inbox/desk/tickets.csv": _lines(
            "ticket_id,customer_id,requester,channel,severity,submitted_at,subject,ticket_type,tags,updated_at",
            *tickets,
        ),
        "inbox/desk/events.csv": _lines(
            "event_id,ticket_id,event_at,event_type,actor_kind,actor,is_public,value", *events
        ),
    }


def _zendesk() -> Files:
    tickets, audits = [], []
    web = {"channel": "web"}
    for n in _NUMBERS:
        fields = [{"id": 360001, "value": "sev_3"}]
        tickets.append(
            {"id": n, "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-05T12:00:00Z", "status": "lab",
             "requester_id": 7, "submitter_id": 7, "organization_id": 70, "via": web, "tags": [], "custom_fields": fields}
        )  # fmt: skip
        created = [
            {"id": n * 100 + 1, "type": "Comment", "public": True},
            {"id": n * 100 + 2, "type": "Create", "field_name": "360001", "value": "sev_3"},
            {"id": n * 100 + 3, "type": "Create", "field_name": "status", "value": "open"},
            {"id": n * 100 + 4, "type": "Create", "field_name": "tags", "value": []},
        ]
        robot = [{"id": n * 100 + 11, "type": "Comment", "public": True}]
        answer = [
            {"id": n * 100 + 21, "type": "Comment", "public": True},
            {"id": n * 100 + 22, "type": "Change", "field_name": "status", "previous_value": "open", "value": "lab"},
        ]  # fmt: skip
        if n == 1:
            tag = {"field_name": "tags", "previous_value": [], "value": ["product_bug"]}
            answer.append({"id": n * 100 + 23, "type": "Change", **tag})
        day = _answered_on(n)
        for number, at, author, events in (
            (1, "2026-03-02T08:00:00Z", 7, created),
            (2, "2026-03-02T08:05:00Z", 9, robot),
            (3, f"2026-03-0{day}T10:00:00Z", 8, answer),
        ):
            audits.append({"id": n * 10 + number, "ticket_id": n, "created_at": at, "author_id": author, "via": web,
                           "events": events})  # fmt: skip
    people = [
        {"id": 7, "name": "Ann", "email": "ann@acme.example", "role": "end-user", "organization_id": 70},
        {"id": 8, "name": "Mia", "email": "mia@vendor.example", "role": "agent"},
        {"id": 9, "name": "Robot", "email": "robot@vendor.example", "role": "agent"},
    ]
    return {
        "inbox/zen/tickets.json": _json_lines(*tickets),
        "inbox/zen/audits.ndjson": _json_lines(*audits),
        "inbox/zen/users.ndjson": _json_lines(*people),
        "inbox/zen/organizations.ndjson": _json_lines({"id": 70, "name": "Acme", "external_id": "acme"}),
    }


def _tables() -> Files:
    zendesk, incidents, journal, issues, freshdesk, mapped, replies = ([] for _ in range(7))
    for n in _NUMBERS:
        day = _answered_on(n)
        minutes = 120 + (day - 2) * 24 * 60
        zendesk.append(
            f"{n},ann@acme.example,Open,Web form,2026-03-02 09:00:00,2026-03-05 13:00:00,acme,,0,{minutes},sev_3"
        )
        incidents.append(
            f"INC{n},s{n},In Progress,02/03/2026 09:00:00,02/03/2026 09:00:00,05/03/2026 13:00:00,3 - Moderate,"
            f"Self-service,acme,ann"
        )
        journal.append(f"j{n},s{n},comments,incident,0{day}/03/2026 11:00:00,mia@vendor.example,Try again.")
        issues.append(
            f"SUP-{n},Abierto,Alta,02/mar/26 9:00 AM,05/mar/26 1:00 PM,qm:1,acme,0{day}/mar/26 11:00 AM;557058:mia;Try."
        )
        # New York was five hours behind UTC until 8 March.
        freshdesk.append(
            f"{n},Open,Medium,Hotline,2026-03-02 03:00:00,2026-03-05 07:00:00,2026-03-0{day} 05:00:00,acme"
        )
        mapped.append(f"{n};acme;u-ann;mittel;02.03.2026 09:00:00")
        replies.append(f"a{n};{n};0{day}.03.2026 11:00:00;u-mia;ja")
        replies.append(f"r{n};{n};02.03.2026 09:05:00;u-robot;ja")
    return {
        "inbox/zentable/tickets.csv": _lines(
            "Id,Requester email,Status,Via,Created at,Updated at,Organization,Gelöst am,Reopens,First reply time in minutes,"
            "Severity [list]",
            *zendesk,
        ),
        "inbox/snow/incident.csv": _lines(
            "number,sys_id,state,opened_at,sys_created_on,sys_updated_on,priority,contact_type,company,sys_created_by",
            *incidents,
        ),
        "inbox/snow/sys_journal_field.csv": _lines(
            "sys_id,element_id,element,name,sys_created_on,sys_created_by,value", *journal
        ),
        "inbox/jira/issues.csv": _lines(
            "Issue key,Status,Priority,Created,Updated,Reporter Id,Organizations,Comentario", *issues
        ),
        "inbox/fresh/tickets.csv": _lines(
            "Ticket ID,Status,Priority,Source,Created time,Last update time,Initial response time,Company name", *freshdesk
        ),
        "inbox/other/tickets.csv": _lines("Nummer;Kunde;Melder;Prio;Erstellt", *mapped),
        "inbox/other/replies.csv": _lines("Antwort;Nummer;Zeit;Wer;Sichtbar", *replies),
        "inbox/other/people.csv": _lines(
            "Kennung;Adresse;Seite", "u-ann;ann@acme.example;Kunde", "u-mia;mia@vendor.example;Support",
            "u-robot;robot@vendor.example;Support",
        ),
    }  # fmt: skip


def write_files(*, delivers: bool = True) -> Files:
    """Every file of the workspace by its path, without the warehouse. `delivers`: with the section `delivery`."""
    shipped = CHECKOUT / "data" / "reference"
    files: Files = {
        "sla.yml": (SLA_YML + DELIVERY * delivers).encode(),
        "branding/logo.svg": LOGO,
        "reference/mappings/other.yml": MAPPING.encode(),
    }
    files |= {f"reference/{name}.csv": text.encode() for name, text in REFERENCE.items()}
    for folder in ("plans", "calendars"):
        files |= {
            f"reference/{folder}/{path.name}": path.read_bytes()
            for path in sorted((shipped / folder).glob("*.yml"))
        }
    return files | _canonical() | _zendesk() | _tables()


def write_workspace(root: Path, files: Files) -> Path:
    """The files below `root`, which is emptied first."""
    shutil.rmtree(root, ignore_errors=True)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root
