"""Words without a mapping: a few are findings, over a share of a source's tickets nothing is published until that is allowed.

Three sources of Zendesk's table, each with tickets of Monday 2 March 2026, 08:00 UTC, answered after 120 minutes. Limit: 2 %:
3 of 150 are exactly on it, 3 of 149 are past it, and 2 of 40 are 5 %, but fewer than three tickets.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.end_to_end.command_line import run_sla
from tests.end_to_end.published import query
from tests.end_to_end.small_vendor import init_vendor, write_lines

HEADER = "Id,Status,Via,Created at,Updated at,Organization,First reply time in minutes,Priority"
# Source -> tickets in all, and those of them whose level no setting maps.
SOURCES = {"on": (150, 3), "past": (149, 3), "few": (40, 2)}


def _write(root: Path, more: str = "") -> None:
    text = "compare_plans: []\nsources:\n"
    for name in SOURCES:
        text += (
            f'  {name}:\n    type: zendesk\n    time_zone: UTC\n    ticket_prefix: "{name}-"\n'
            "    customer: {field: organization_name}\n    severity: {field: priority, values: {Normal: 3}}\n"
        )
        text += more if name == "past" else ""
    (root / "sla.yml").write_text(text, encoding="utf-8")


def test_share_past_its_limit_publishes_nothing_until_it_is_allowed(tmp_path: Path) -> None:
    root = init_vendor(tmp_path / "vendor")
    _write(root)
    for name, (whole, unmapped) in SOURCES.items():
        rows = [
            f"{number},Open,Web form,2026-03-02 08:00:00,2026-03-02 12:00:00,acme,120,"
            f"{'Hihg' if number <= unmapped else 'Normal'}"
            for number in range(1, whole + 1)
        ]
        write_lines(root / "inbox" / name / "tickets.csv", HEADER, *rows)
    stopped = run_sla("run", workspace=root).expect(
        4,
        "sources.past: 3 of 149 tickets with a level that no setting maps (2.1 %; 2 % are allowed), such as 'Hihg' (3).",
        "write allow: {unknown_levels: 3} there",
    )
    assert "sources.on" not in stopped.err and "sources.few" not in stopped.err
    assert not (root / "warehouse" / "published").exists()

    _write(root, "    allow: {unknown_levels: 3}\n")
    refused, unjudged = run_sla("run", workspace=root).expect(0).err.splitlines()[-2:]
    assert refused == f"Refused: none of {150 + 149 + 40} records."
    # Where the level is known, a table shows the first answer, and nothing of a debug analysis.
    assert unjudged == (
        f"Not judged: {150 + 149 + 40} of {150 + 149 + 40} tickets: debug analysis: The source carries no evidence of the event "
        f"that starts this promise ({147 + 146 + 38}); The source names no severity that the plan knows ({3 + 3 + 2})."
    )
    shares = query(
        root,
        "select source, affected_count, whole_count, limit_pct, is_over_limit from qc.rpt_qc__source_shares"
        " where cause = 'unknown_levels' order by source",
    )
    assert shares == [("few", 2, 40, 2, False), ("on", 3, 150, 2, False), ("past", 3, 149, 3, False)]
    told = json.loads(run_sla("status", "--json", workspace=root).expect(0).out)["unjudged"]
    none = {
        "what": "record",
        "part": None,
        "cause": None,
        "affected_count": 0,
        "whole_count": 339,
        "cause_code": None,
    }
    assert none in told
