"""Silence is proved per source: a helpdesk that is not exported yet has answered late in no figure.

North's rows end on 30 June 18:00. South's end on 20 June 09:00, after rows on 18, 19 and 20 June, so ten days are no rhythm
of it. Premium, level 3: 8 h around the clock.
"""

from __future__ import annotations

import json
from pathlib import Path

import pypdf
import pytest

from tests.end_to_end.command_line import run_sla

TICKETS = (
    "ticket_id,customer_id,requester,channel,severity,submitted_at,subject,ticket_type,tags,updated_at\n"
)
EVENTS = "event_id,ticket_id,event_at,event_type,actor_kind,actor,is_public,value\n"
FILES = {
    "sla.yml": "compare_plans: []\nsources: {north: {type: canonical}, south: {type: canonical}}\n",
    "reference/customers.csv": "customer_id,name,time_zone,locale,report_recipients\nacme,Acme,UTC,en,\nbeta,Beta,UTC,en,\n",
    "reference/subscriptions.csv": (
        "subscription_id,customer_id,plan,term_starts_on,term_ends_on,license_type,license_status\n"
        "acme-1,acme,premium,2026-01-01,2027-01-01,paid,active\n"
        "beta-1,beta,premium,2026-01-01,2027-01-01,paid,active\n"
    ),
    "inbox/north/tickets.csv": (
        f"{TICKETS}N-1,acme,p,web_form,3,2026-06-30T16:00:00Z,Q,,,2026-06-30T16:00:00Z\n"
        "N-2,beta,p,web_form,3,2026-06-30T16:00:00Z,Q,,,2026-06-30T16:00:00Z\n"
    ),
    "inbox/north/events.csv": (
        f"{EVENTS}n1,N-1,2026-06-30T18:00:00Z,message,agent,anna,true,\n"
        "n2,N-2,2026-06-30T18:00:00Z,message,agent,anna,true,\n"
    ),
    "inbox/south/tickets.csv": (
        f"{TICKETS}S-0,acme,p,web_form,3,2026-06-19T08:00:00Z,Q,,,2026-06-19T08:00:00Z\n"
        "S-1,acme,p,web_form,3,2026-06-20T08:55:00Z,Q,,,2026-06-20T08:55:00Z\n"
        "S-2,acme,p,web_form,3,2026-06-18T08:00:00Z,Q,,,2026-06-18T08:00:00Z\n"
    ),
    "inbox/south/events.csv": f"{EVENTS}s1,S-2,2026-06-20T09:00:00Z,message,agent,anna,true,\n",
}


def _statuses(root: Path) -> dict[str, str]:
    rows = json.loads(run_sla("tickets", "--json", workspace=root).expect(0).out)
    return {row["ticket_id"]: row["status"] for row in rows if row["obligation"] == "first_response"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("silence") / "desk"
    run_sla("init", str(root)).expect(0)
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_ticket_of_a_source_that_ends_earlier_is_pending_and_the_source_is_named(root: Path) -> None:
    done = run_sla("run", workspace=root).expect(0)
    assert "core.dim_sources" in done.err
    # S-0 waited 25 h within South's own time, S-1 five minutes; N-1 was answered after 2 h.
    assert _statuses(root) == {
        "N-1": "met",
        "N-2": "met",
        "S-0": "breached",
        "S-1": "pending",
        "S-2": "breached",
    }
    sources = json.loads(run_sla("status", "--json", workspace=root).expect(0).out)["sources"]
    assert [(one["source"], one["known_until"][:16], one["is_lagging"]) for one in sources] == [
        ("north", "2026-06-30T18:00", False),
        ("south", "2026-06-20T09:00", True),
    ]


def test_report_that_would_rest_on_a_lagging_source_is_not_written_and_says_what_to_do(
    root: Path, tmp_path: Path
) -> None:
    # Acme has tickets in both. Beta has some in North alone, so its report rests on nothing of South.
    out = str(tmp_path / "reports")
    told = run_sla("report", "--customer", "acme", "--month", "2026-06", "--out", out, workspace=root)
    told.expect(
        7, "source 'south'", "2026-06-20T09:00:00Z", "inbox/south/", "sla build --as-of 2026-06-30T18:00:00Z"
    )
    assert not list(tmp_path.rglob("*.pdf"))
    run_sla("report", "--all", "--month", "2026-06", "--out", out, workspace=root).expect(7, "1 of 2 reports")
    assert [path.name[:4] for path in tmp_path.rglob("*.pdf")] == ["beta"]


def test_stated_as_of_says_that_every_export_is_complete_until_then(root: Path, tmp_path: Path) -> None:
    run_sla("build", "--as-of", "2026-06-30T18:00:00Z", workspace=root).expect(0)
    assert _statuses(root)["S-1"] == "breached"
    arguments = ("--customer", "acme", "--month", "2026-06", "--out", str(tmp_path))
    run_sla("report", *arguments, workspace=root).expect(0)
    # The source still ends earlier, and the document says so.
    text = " ".join(pypdf.PdfReader(next(tmp_path.glob("*.pdf"))).pages[0].extract_text().split())
    assert "south until 20 Jun 2026, 09:00:00 UTC, later than that is missing" in text
