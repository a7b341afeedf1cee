"""A workspace of one Zendesk account of any size, as chatty as real ones: eight audits with 24 events and 10 kB a ticket.

Tickets are spread by a fixed rule over two years, 500 customers and the levels. Six of a hundred are never answered and stay
open, so their promises run until the end of the data; a tenth are bugs. As many as are asked for are years older, and still open.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from pipeline.settings import CHECKOUT, Workspace

CUSTOMERS = 500
AGENTS = 40
_FIRST_DAY = "2024-01-01"
_SPAN_SECONDS = 730 * 86400
_FIRST_OLD_DAY = "2021-01-01"
_OLD_SPAN_SECONDS = 365 * 86400
# A file holds as many tickets at most: exports come in parts.
TICKETS_A_FILE = 100_000

_BODY = (
    "repeat('The client stopped syncing after the last update and asks for a password. ',"
    " cast(1 + (n * 31 + step) % 6 as bigint))"
)
_AT = "strftime(happened, '%Y-%m-%dT%H:%M:%SZ')"
_VIA = "{'channel': 'web', 'source': {'from': {}, 'to': {}, 'rel': null}}"
_LEVEL = "'sev_' || (1 + n * 7 % 5)"
_REQUESTER = "2000000 + customer * 4 + n % 4"
_BUG = "case when is_bug then 'confirmed' else 'no' end"
_FIELDS = f"[{{'id': 360001, 'value': {_LEVEL}}}, {{'id': 360002, 'value': {_BUG}}}]"
# n: the ticket's number; opened: its submission; is_silent: it is never answered.
_TICKETS = f"""
  select
    n, n * 7919 % {CUSTOMERS} as customer, n < $old or hash(n) % 100 < 6 as is_silent, hash(n * 3) % 10 = 0 as is_bug,
    case when n < $old
      then timestamp '{_FIRST_OLD_DAY}' + to_seconds(cast(hash(n * 5) % {_OLD_SPAN_SECONDS} as bigint))
      else timestamp '{_FIRST_DAY}' + to_seconds(cast(hash(n * 5) % {_SPAN_SECONDS} as bigint)) end as opened,
    cast(60 * (2 + hash(n * 7) % 900) as bigint) as first_wait
  from range($first, $last) as numbers (n)
"""
# One row per audit: step 0 to 7, the instant, who, and what its three events are.
_AUDITS = f"""
  select
    tickets.*, step,
    opened + to_seconds(
      case step when 0 then 0 when 1 then 5 when 2 then first_wait // 2 else first_wait + (step - 3) * 7 * 3600 + n % 3600 end
    ) as happened,
    case when step in (0, 4) then {_REQUESTER} when step in (1, 7) then -1 else 3000000 + n % {AGENTS} end as author
  from ({_TICKETS}) as tickets
  cross join range(0, 8) as steps (step)
  where not (is_silent and step = 7)
"""


def _event(
    place: int,
    kind: str,
    *,
    field: str | None = None,
    value: str | None = None,
    before: str | None = None,
    public: str | None = None,
) -> str:
    """One event of an audit, every value SQL; a comment has the three renderings of its text."""
    comment = kind == "Comment"
    parts = {
        "id": f"70000000 + (n * 8 + step) * 4 + {place}",
        "type": f"'{kind}'",
        "author_id": "author" if comment else "cast(null as bigint)",
        "body": _BODY if comment else "cast(null as varchar)",
        "html_body": f"'<div class=\"zd-comment\"><p>' || {_BODY} || '</p></div>'"
        if comment
        else "cast(null as varchar)",
        "plain_body": _BODY if comment else "cast(null as varchar)",
        "public": public or "cast(null as boolean)",
        "field_name": f"'{field}'" if field else "cast(null as varchar)",
        "value": f"to_json({value})" if value else "cast(null as json)",
        "previous_value": f"to_json({before})" if before else "cast(null as json)",
    }
    return "{" + ", ".join(f"'{name}': {sql}" for name, sql in parts.items()) + "}"


def _change(place: int, field: str, value: str, before: str | None = None) -> str:
    return _event(place, "Change", field=field, value=value, before=before)


_NOTICE = "Notification"
_WAITING = "case when n % 3 = 0 then 'pending' else 'hold' end"
# What the eight audits of a ticket hold, in order.
_STEPS = (
    [
        _event(0, "Create", field="status", value="'new'"),
        _event(1, "Create", field="360001", value=_LEVEL),
        _event(2, "Create", field="priority", value="'normal'"),
        _event(3, "Comment", public="true"),
    ],
    [_event(0, _NOTICE), _event(1, _NOTICE), _change(2, "group_id", "'5'")],
    [
        _change(0, "assignee_id", f"cast(3000000 + n % {AGENTS} as varchar)"),
        _change(1, "status", "'open'", "'new'"),
        _event(2, "Comment", public="false"),
    ],
    [
        _event(0, "Comment", public="not is_silent"),
        _event(1, _NOTICE),
        _change(2, "status", _WAITING, "'open'"),
    ],
    [_event(0, "Comment", public="true"), _event(1, _NOTICE), _change(2, "status", "'open'", _WAITING)],
    [
        _event(0, "Comment", public="false"),
        _change(1, "360002", _BUG),
        _change(2, "custom_status_id", "'11'"),
    ],
    [
        _event(0, "Comment", public="not is_silent"),
        _event(1, _NOTICE),
        _change(2, "status", "case when is_silent then 'hold' else 'solved' end", "'open'"),
    ],
    [_change(0, "status", "'closed'", "'solved'"), _event(1, _NOTICE), _event(2, _NOTICE)],
)
_EVENTS = (
    "case step "
    + " ".join(f"when {step} then [{', '.join(events)}]" for step, events in enumerate(_STEPS))
    + " end"
)
AUDITS_SQL = f"""
select to_json({{
  'id': 9000000 + n * 8 + step, 'ticket_id': 1000000 + n, 'created_at': {_AT}, 'author_id': author,
  'via': {{'channel': case when step in (1, 7) then 'rule' else 'web' end, 'source': {{'from': {{}}, 'to': {{}}, 'rel': null}}}},
  'metadata': {{'system': {{'client': 'Mozilla/5.0 (X11; Linux x86_64)', 'ip_address': '10.0.0.1', 'location': 'Berlin'}}}},
  'events': {_EVENTS}}}) as line
from ({_AUDITS})
"""
TICKETS_SQL = f"""
select to_json({{
  'url': 'https://vendor.zendesk.example/api/v2/tickets/' || n || '.json', 'id': 1000000 + n, 'external_id': null,
  'via': {_VIA}, 'created_at': strftime(opened, '%Y-%m-%dT%H:%M:%SZ'), 'updated_at': {_AT},
  'type': 'incident', 'subject': 'Sync is slow ' || n, 'raw_subject': 'Sync is slow ' || n, 'description': {_BODY},
  'priority': 'normal', 'status': case when is_silent then 'hold' else 'closed' end,
  'requester_id': {_REQUESTER}, 'submitter_id': {_REQUESTER}, 'assignee_id': 3000000 + n % {AGENTS},
  'organization_id': 4000000 + customer, 'group_id': 5, 'collaborator_ids': [1, 2], 'tags': ['sync', 'desktop'],
  'custom_fields': {_FIELDS}, 'fields': {_FIELDS},
  'satisfaction_rating': {{'score': 'unoffered'}}, 'brand_id': 7, 'is_public': true}}) as line
from ({_AUDITS}) where step = case when is_silent then 6 else 7 end
"""
_ORGANIZATIONS_SQL = f"""
select to_json({{'id': 4000000 + n, 'name': 'Customer ' || n, 'external_id': 'c' || n,
  'created_at': '2023-01-04T09:00:00Z', 'updated_at': '2023-01-04T09:00:00Z', 'domain_names': []}}) as line
from range(0, {CUSTOMERS}) as numbers (n)
"""
_USERS_SQL = f"""
select to_json({{'id': 2000000 + n, 'name': 'Person ' || n, 'email': 'p' || n || '@customer.example', 'role': 'end-user',
  'organization_id': 4000000 + n // 4, 'created_at': '2023-01-04T09:00:00Z', 'updated_at': '2023-01-04T09:00:00Z'}}) as line
from range(0, {CUSTOMERS * 4}) as numbers (n)
union all
select to_json({{'id': 3000000 + n, 'name': 'Agent ' || n, 'email': 'a' || n || '@vendor.example', 'role': 'agent',
  'organization_id': null, 'created_at': '2023-01-04T09:00:00Z', 'updated_at': '2023-01-04T09:00:00Z'}})
from range(0, {AGENTS}) as numbers (n)
"""
_SLA_YML = """\
sources:
  desk:
    type: zendesk
    time_zone: UTC
    customer: {field: organization_external_id}
    severity: {field: "custom_field:360001", values: {sev_1: 1, sev_2: 2, sev_3: 3, sev_4: 4, sev_5: 5}}
    channels: {values: {web: web_form}}
    events:
      bug_confirmed: {field: "custom_field:360002", value: confirmed}
    bots: {channels: [rule]}
"""


def write_desk(root: Path, tickets: int, *, old: int = 0) -> Workspace:
    """The workspace with its first `tickets` tickets in its inbox, `old` of them unanswered since 2021. `root` must not hold one
    yet."""
    workspace = Workspace(root)
    shutil.copytree(CHECKOUT / "data" / "reference" / "plans", workspace.plans)
    shutil.copytree(CHECKOUT / "data" / "reference" / "calendars", workspace.calendars)
    workspace.sla_yml.write_text(_SLA_YML, encoding="utf-8")
    inbox = workspace.inbox / "desk"
    _write_lines(inbox / "organizations.ndjson", _ORGANIZATIONS_SQL, {})
    _write_lines(inbox / "users.ndjson", _USERS_SQL, {})
    add_tickets(workspace, 0, tickets, old=old)
    customers = ["customer_id,name,time_zone,locale,report_recipients"]
    terms = ["subscription_id,customer_id,plan,term_starts_on,term_ends_on,license_type,license_status"]
    for number in range(CUSTOMERS):
        customers.append(f"c{number},Customer {number},UTC,en,")
        plan = ("standard", "enhanced", "premium")[number % 3]
        terms += [
            f"s{number}-{year},c{number},{plan},{year}-01-01,{year + 1}-01-01,paid,active"
            for year in range(2021 if old else 2024, 2026)
        ]
    for name, lines in (("customers", customers), ("subscriptions", terms)):
        (workspace.reference / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return workspace


def add_tickets(workspace: Workspace, first: int, last: int, *, old: int = 0) -> list[Path]:
    """The files of tickets number `first` (inclusive) to `last` (exclusive); those below `old` are unanswered since 2021."""
    inbox = workspace.inbox / "desk"
    written = []
    for start in range(first, last, TICKETS_A_FILE):
        numbers = {"first": start, "last": min(last, start + TICKETS_A_FILE), "old": old}
        for name, sql in (("tickets", TICKETS_SQL), ("audits", AUDITS_SQL)):
            path = inbox / f"{name}-{start:08d}.ndjson"
            _write_lines(path, sql, numbers)
            written.append(path)
    return written


def _write_lines(path: Path, sql: str, parameters: dict[str, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A file of one column without quotation marks is a file of lines. The folder is one that the bench made.
    target = str(path).replace("'", "''")
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(
            f"copy ({sql}) to '{target}' (format csv, header false, quote '', escape '', delimiter '\x01')",
            parameters,
        )
