"""`sla report --managers` on the demo: the same figures as `sla compliance` and `sla tickets`, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path

import pypdf
import pytest

from tests.end_to_end.command_line import run_sla

MONTH = "2026-05"


def test_document_for_managers_has_the_figures_of_the_command_line(
    demo_workspace: Path, tmp_path: Path
) -> None:
    asked = ("report", "--managers", "--month", MONTH, "--out", str(tmp_path), "--json")
    files = json.loads(run_sla(*asked, workspace=demo_workspace).expect(0).out)
    pages = (page.extract_text() for page in pypdf.PdfReader(files["pdf"]).pages)
    text = re.sub(r"\s+", " ", " ".join(pages).replace("\u200b", ""))
    counted = ("compliance", "--month", MONTH, "--by", "plan", "--json")
    compliance = json.loads(run_sla(*counted, workspace=demo_workspace).expect(0).out)
    total = compliance["total"]
    assert f"{total['met']} of {total['met'] + total['breached']} promises" in text
    for tally in (row["tally"] for row in compliance["rows"]):
        if tally["met"] + tally["breached"] and not tally["not_measurable"]:
            assert f"{tally['met']} of {tally['met'] + tally['breached']}" in text
    listed = ("tickets", "--month", MONTH, "--status", "breached", "--json")
    tickets = json.loads(run_sla(*listed, workspace=demo_workspace).expect(0).out)
    content = Path(files["breaches_csv"]).read_text(encoding="utf-8-sig")
    breaches = list(csv.DictReader(io.StringIO(content)))
    assert Counter(row["ticket_id"] for row in breaches) == Counter(row["ticket_id"] for row in tickets)
    classes = Counter(row["breach_class"] for row in breaches)
    assert sum(classes.values()) == total["breached"]
    # The helpdesk's audits show who had a ticket; the portal's export does not.
    assert {row["breach_class"] for row in breaches if row["ticket_id"].startswith("P-")} <= {
        "over_quota", "severity_raised", "evidence_missing",
    }  # fmt: skip
    assert any(
        row["breach_class"] in ("no_first_touch", "worked_on_late", "between_teams") for row in breaches
    )
    assert "@" not in text.replace("@ref", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--month", MONTH), "--customer ID (may be repeated), --all, or --managers"),
        (("--month", MONTH, "--all", "--managers"), "--customer ID (may be repeated), --all, or --managers"),
        (("--month", MONTH, "--managers", "--evidence"), "are for customers' reports"),
        (("--month", MONTH, "--all", "--locale", "de"), "--locale is for --managers"),
        (("--month", MONTH, "--managers", "--locale", "it"), "documents are written in en, de, fr"),
        (("--month", "2031-01", "--managers"), "There is no month to report '2031-01'"),
        (("--month", "May", "--managers"), "must be a year and a month"),
    ],
)
def test_report_for_managers_says_what_it_does_not_do(
    demo_workspace: Path, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    run_sla("report", "--out", str(tmp_path), *arguments, workspace=demo_workspace).expect(2, words)
    assert list(tmp_path.iterdir()) == []
