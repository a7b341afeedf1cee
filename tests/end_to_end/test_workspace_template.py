"""Every block of the `sla.yml` that `sla init` writes works without its "#": it is read, and a fitting export lands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.end_to_end.command_line import run_sla
from tests.end_to_end.published import query
from tests.end_to_end.small_vendor import CUSTOMERS_HEADER, TERMS_HEADER, write_lines

_BLOCK = re.compile(r"^#  (\w+):\n((?:#    .*\n)+)", re.MULTILINE)

_ISSUE = {
    "key": "SUP-1",
    "fields": {
        "created": "2026-03-02T08:00:00.000+0000", "updated": "2026-03-02T10:00:00.000+0000", "priority": {"name": "Medium"},
        "status": {"name": "Open"}, "reporter": {"accountId": "qm:1"}, "customfield_10002": [{"name": "acme"}],
        "comment": {"total": 1, "comments": [{"id": "1", "created": "2026-03-02T10:00:00.000+0000", "jsdPublic": True,
                                              "author": {"accountId": "a1", "accountType": "atlassian"}}]},
    },
    "changelog": {"total": 0, "histories": []},
}  # fmt: skip
_FRESHDESK = {
    "id": 1, "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T10:00:00Z", "status": 2, "priority": 3,
    "source": 2, "company_id": "acme", "requester_id": 7, "stats": {"first_responded_at": "2026-03-02T10:00:00Z"},
    "conversations": [{"id": 2, "created_at": "2026-03-02T10:00:00Z", "incoming": False, "private": False, "user_id": 8}],
}  # fmt: skip
# Block -> file -> its lines: one ticket of Monday 2 March 2026, 08:00 UTC, level 3, answered at 10:00 UTC.
EXPORTS: dict[str, dict[str, tuple[str, ...]]] = {
    "helpdesk": {
        "tickets.json": (
            json.dumps({
                "id": 1, "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T10:00:00Z", "status": "open",
                "organization_id": 70, "requester_id": 7, "custom_fields": [{"id": 360001, "value": "sev_3"}],
            }),
        ),
        "organizations.ndjson": (json.dumps({"id": 70, "name": "Acme", "external_id": "acme"}),),
    },
    "helpdesk_table": {
        "tickets.csv": (
            "Id,Status,Via,Created at,Updated at,Organization,First reply time in minutes,Severity [list]",
            "1,Open,Web form,2026-03-02 09:00:00,2026-03-02 11:00:00,acme,120,sev_3",
        )
    },
    "incidents": {
        "incident.csv": (
            "number,state,opened_at,sys_created_on,sys_updated_on,priority,contact_type,company",
            "INC1,In Progress,02/03/2026 09:00:00,02/03/2026 09:00:00,02/03/2026 11:00:00,3 - Moderate,Self-service,acme",
        )
    },
    "service_project": {"issues.json": (json.dumps({"issues": [_ISSUE]}),)},
    "service_table": {
        "issues.csv": (
            "Issue key,Status,Priority,Created,Updated,Reporter Id,Custom field (Organizations),Comment",
            "SUP-2,Open,Medium,02/Mar/26 9:00 AM,02/Mar/26 11:00 AM,qm:1,acme,02/Mar/26 11:00 AM;557058:mia;Try.",
        )
    },
    "freshdesk": {"tickets.json": (json.dumps([_FRESHDESK]),)},
    "freshdesk_table": {
        "tickets.csv": (
            "Ticket ID,Status,Priority,Source,Created time,Last update time,Initial response time,Company name",
            "F2,Open,Medium,Portal,2026-03-02 03:00:00,2026-03-02 05:00:00,2026-03-02 05:00:00,acme",
        )
    },
    "other": {
        "tickets.csv": (
            "ticket_id,customer_id,requester,channel,severity,submitted_at,subject,ticket_type,tags,updated_at",
            "O1,acme,p,web_form,3,2026-03-02T08:00:00Z,Q,,,2026-03-02T10:00:00Z",
        )
    },
    "any_table": {
        "tickets.csv": ("Number,Customer,Requester,Priority,Created", "M1,acme,u-ann,medium,02.03.2026 09:00:00"),
        "replies.csv": ("Reply,Number,Sent,Author,Side,Public", "a1,M1,02.03.2026 11:00:00,mia,Support,yes"),
    },
}  # fmt: skip


def _uncomment(root: Path, *names: str) -> None:
    """Take the '#' of these blocks away, and nothing else."""
    path = root / "sla.yml"
    text = path.read_text(encoding="utf-8")
    for name, body in _BLOCK.findall(text):
        if name in names:
            block = f"#  {name}:\n{body}"
            text = text.replace(block, re.sub("^#", "", block, flags=re.MULTILINE))
    path.write_text(text, encoding="utf-8")


def _start(root: Path, *names: str) -> Path:
    run_sla("init", str(root)).expect(0)
    _uncomment(root, *names)
    for name in names:
        for file, lines in EXPORTS[name].items():
            write_lines(root / "inbox" / name / file, *lines)
    return root


def test_every_block_of_the_template_has_an_export_here(tmp_path: Path) -> None:
    run_sla("init", str(tmp_path / "new")).expect(0)
    found = [name for name, _ in _BLOCK.findall((tmp_path / "new" / "sla.yml").read_text(encoding="utf-8"))]
    assert found == list(EXPORTS)


@pytest.mark.parametrize("block", EXPORTS)
def test_block_lands_an_export_that_fits_once_its_mark_is_taken_away(tmp_path: Path, block: str) -> None:
    done = run_sla("ingest", workspace=_start(tmp_path / "new", block)).expect(0)
    assert [line.split(" = ")[1] for line in done.out.splitlines()] == [
        "1 landed + 0 rejected" for _ in EXPORTS[block]
    ]


def test_all_blocks_together_are_judged_in_one_run(tmp_path: Path) -> None:
    root = _start(tmp_path / "new", *EXPORTS)
    # Two tables number their tickets as another source does.
    text = (root / "sla.yml").read_text(encoding="utf-8")
    text = text.replace("  helpdesk_table:\n", "  helpdesk_table:\n    ticket_prefix: ZT-\n")
    text = text.replace("  freshdesk:\n", "  freshdesk:\n    ticket_prefix: FD-\n")
    (root / "sla.yml").write_text(f"compare_plans: []\n{text}", encoding="utf-8")
    write_lines(root / "reference" / "customers.csv", CUSTOMERS_HEADER, "acme,Acme,UTC,en,")
    # The comment that `sla init` wrote stays above the header.
    [comment, _] = (root / "reference" / "subscriptions.csv").read_text(encoding="utf-8").splitlines()
    term = "S-1,acme,standard,2026-01-01,2027-01-01,paid,active"
    write_lines(root / "reference" / "subscriptions.csv", comment, TERMS_HEADER, term)
    files = sum(len(files) for files in EXPORTS.values())
    run_sla("run", workspace=root).expect(0, f"Refused: none of {files} records.")
    judged = query(
        root, "select source, severity_now, exclusion_reason from core.dim_tickets order by source"
    )
    assert judged == [(name, 3, None) for name in sorted(EXPORTS)]
