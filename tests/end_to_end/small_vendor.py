"""A vendor with one customer, one helpdesk (canonical CSV) and a handful of tickets: small enough to work out by hand."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.command_line import run_sla

TICKETS_HEADER = (
    "ticket_id,customer_id,requester,channel,severity,submitted_at,subject,ticket_type,tags,updated_at"
)
EVENTS_HEADER = "event_id,ticket_id,event_at,event_type,actor_kind,actor,is_public,value"
CUSTOMERS_HEADER = "customer_id,name,time_zone,locale,report_recipients"
TERMS_HEADER = "subscription_id,customer_id,plan,term_starts_on,term_ends_on,license_type,license_status"

# Mon 2026-02-02. Standard, level 3: 24 h of 06:00-21:00 UTC. T-1 is answered after 4 h, T-2 after three days.
TICKETS = (
    "T-1,acme,ann@acme.example,web_form,3,2026-02-02T08:00:00Z,Sync is slow,,,2026-02-02T12:00:00Z",
    "T-2,acme,ann@acme.example,web_form,3,2026-02-02T08:00:00Z,Sync has stopped,,,2026-02-05T08:00:00Z",
)
EVENTS = (
    "E-1,T-1,2026-02-02T12:00:00Z,message,agent,mia,true,",
    "E-2,T-2,2026-02-05T08:00:00Z,message,agent,mia,true,",
)


def write_lines(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def init_vendor(root: Path) -> Path:
    """A workspace from `sla init` with the source `desk`, the customer acme and its Standard term; nothing in the inbox."""
    run_sla("init", str(root)).expect(0)
    # Comparing plans takes a run of the models for each; tests/end_to_end/test_whatif.py does.
    write_lines(root / "sla.yml", "compare_plans: []", "sources:", "  desk: {type: canonical}")
    write_lines(root / "reference" / "customers.csv", CUSTOMERS_HEADER, "acme,Acme,UTC,en,")
    write_lines(
        root / "reference" / "subscriptions.csv",
        TERMS_HEADER,
        "S-1,acme,standard,2026-01-01,2027-01-01,paid,active",
    )
    return root


def drop_tickets(root: Path, *more: str, name: str = "tickets.csv") -> None:
    """Put the two tickets, or only those given, into the inbox."""
    write_lines(root / "inbox" / "desk" / name, TICKETS_HEADER, *(more or TICKETS))
