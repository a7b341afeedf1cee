"""The same issues of Jira as REST answers and as the data pipeline's two files, read by the shipped mapping as it is.

Plan: the example with a resolution by severity. Level 5: 8 h around the clock, waits for the customer taken off. Every issue is
created at 08:00 UTC on Monday 2 March 2026. The pipeline calls issue SUP-1 by its id, 10001.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import CHECKOUT
from tests.end_to_end.command_line import run_sla
from tests.end_to_end.published import query
from tests.end_to_end.small_vendor import CUSTOMERS_HEADER, TERMS_HEADER, write_lines

HOUR = 3600
REFERENCE = CHECKOUT / "data" / "reference"
ISSUES_HEADER = (
    "id,instance_url,key,url,project_key,project_name,project_type,project_category,issue_type,summary,description,creator_id,"
    "reporter_id,assignee_id,status,status_category,priority_sequence,priority_name,resolution,created_date,resolution_date,"
    "updated_date,due_date"
)
HISTORY_HEADER = (
    "issue_id,changelog_id,author_id,author_key,created_date,field_type,field,from,from_string,to,to_string,"
    "additional_information"
)
SUPPORT, CUSTOMER, RESOLVED = "Waiting for support", "Waiting for customer", "Resolved"


@dataclass(frozen=True)
class Issue:
    """One issue: its last status and priority, and its changes as hour, field, before and after."""

    number: int
    status: str
    changes: tuple[tuple[int, str, str, str], ...] = ()
    priority: str = "Highest"
    # The place of the change whose row is not in the exported history.
    lost: int | None = None

    @property
    def resolved_at(self) -> str | None:
        hours = [hour for hour, field, _, now in self.changes if (field, now) == ("status", RESOLVED)]
        return at(hours[-1]) if hours else None

    def as_rest(self) -> dict[str, Any]:
        histories = [
            {"id": f"{self.number}0{place}", "created": f"{at(hour)}.000+0000",
             "items": [{"field": field, "fieldId": field, "fromString": before, "toString": now}]}
            for place, (hour, field, before, now) in enumerate(self.changes)
        ]  # fmt: skip
        fields = {
            "created": f"{at(8)}.000+0000",
            "updated": f"{at(20)}.000+0000",
            "resolutiondate": f"{self.resolved_at}.000+0000" if self.resolved_at else None,
            "summary": "Sync stops",
            "project": {"key": "SUP"},
            "status": {"name": self.status},
            "priority": {"name": self.priority},
        }
        changelog = {"total": len(histories), "histories": histories}
        return {
            "id": f"1000{self.number}",
            "key": f"SUP-{self.number}",
            "fields": fields,
            "changelog": changelog,
        }

    def as_row(self) -> str:
        key, resolved_at = f"SUP-{self.number}", f"{self.resolved_at}Z" if self.resolved_at else ""
        return (
            f"1000{self.number},https://jira.example,{key},https://jira.example/browse/{key},SUP,Support,Service Desk,,"
            f'Incident,Sync stops,"Since Monday, ""everything""\\nstops",7,7,,'
            f"{self.status},,1,{self.priority},,{at(8)}Z,{resolved_at},{at(20)}Z,"
        )

    def as_history(self) -> Iterator[str]:
        for place, (hour, field, before, now) in enumerate(self.changes):
            if place == self.lost:
                continue
            yield f"1000{self.number},{self.number}0{place},9,mia,{at(hour)}Z,jira,{field},1,{before},2,{now},"


def at(hour: int) -> str:
    return f"2026-03-02T{hour:02}:00:00"


ISSUES = (
    # Waits from 09:00 to 12:00, resolved at 19:00: 1 h + 7 h = 8 h.
    Issue(1, RESOLVED, (
        (9, "status", SUPPORT, CUSTOMER), (10, "labels", "", "sync"),
        (12, "status", CUSTOMER, SUPPORT), (19, "status", SUPPORT, RESOLVED),
    )),
    # Submitted at level 3, raised to 5 at 10:00.
    Issue(2, RESOLVED, (
        (10, "priority", "Medium", "Highest"), (17, "status", SUPPORT, RESOLVED),
    )),
    # Stands from 09:00 to 12:00 in a status without a mapping: it may have been a pause.
    Issue(3, RESOLVED, (
        (9, "status", SUPPORT, "Limbo"), (12, "status", "Limbo", SUPPORT), (19, "status", SUPPORT, RESOLVED),
    )),
    # Resolved at 15:00 and reopened at 16:00, and nothing since.
    Issue(4, SUPPORT, (
        (15, "status", SUPPORT, RESOLVED), (16, "status", RESOLVED, SUPPORT),
    )),
    # Never changed at all.
    Issue(5, SUPPORT),
    # Lowered from 5 to 4 at 10:00 and raised again at 11:00: submitted at level 5.
    Issue(6, RESOLVED, (
        (10, "priority", "Highest", "High"), (11, "priority", "High", "Highest"), (17, "status", SUPPORT, RESOLVED),
    )),
    # Put on hold and taken up again within one second, resolved at 16:00: 8 h.
    Issue(7, RESOLVED, (
        (9, "status", SUPPORT, CUSTOMER), (9, "status", CUSTOMER, "In Progress"), (16, "status", "In Progress", RESOLVED),
    )),
    # Created as one that waits for the customer, taken up at 11:00, resolved at 19:00: 8 h.
    Issue(8, RESOLVED, (
        (11, "status", CUSTOMER, SUPPORT), (19, "status", SUPPORT, RESOLVED),
    )),
    # As issue 1, but the row of 12:00, which ends the wait, is missing in the pipeline.
    Issue(9, RESOLVED, (
        (9, "status", SUPPORT, CUSTOMER), (12, "status", CUSTOMER, SUPPORT), (19, "status", SUPPORT, RESOLVED),
    ), lost=1),
)  # fmt: skip


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pipeline") / "vendor"
    run_sla("init", str(root)).expect(0)
    write_lines(
        root / "sla.yml",
        "compare_plans: []",
        "sources:",
        "  rest:",
        "    type: jira",
        "    customer: {field: project}",
        "    severity: {field: priority, values: {Highest: 5, High: 4, Medium: 3}}",
        "    channel: {constant: web_form}",
        "    agents: {actors: [mia]}",
        "  issues:",
        "    type: jira",
        "    ticket_prefix: only-",
        "    customer: {field: project}",
        "    severity: {field: priority, values: {Highest: 5, High: 4, Medium: 3}}",
        "    channel: {constant: web_form}",
        "    agents: {actors: [mia]}",
        "  pipeline: {type: mapped, mapping: mappings/jira_data_pipeline.yml}",
    )
    mappings = root / "reference" / "mappings"
    mappings.mkdir(exist_ok=True)
    shutil.copy(REFERENCE / "mappings" / "examples" / "jira_data_pipeline.yml", mappings)
    shutil.copy(REFERENCE / "plans" / "examples" / "resolution_by_severity.yml", root / "reference" / "plans")
    write_lines(root / "reference" / "customers.csv", CUSTOMERS_HEADER, "SUP,Acme,UTC,en,")
    term = "S-1,SUP,resolution_by_severity,2026-01-01,2027-01-01,paid,active"
    write_lines(root / "reference" / "subscriptions.csv", TERMS_HEADER, term)
    write_lines(root / "inbox" / "rest" / "issues.ndjson", *(json.dumps(one.as_rest()) for one in ISSUES))
    inbox = root / "inbox" / "pipeline"
    for folder in (inbox, root / "inbox" / "issues"):
        write_lines(folder / "issues_job3_20260302.csv", ISSUES_HEADER, *(one.as_row() for one in ISSUES))
    history = [line for one in ISSUES for line in one.as_history()]
    # A history is in no order, and the next job exports it again.
    write_lines(inbox / "issue_history_job3_20260302.csv", HISTORY_HEADER, *reversed(history))
    write_lines(inbox / "issue_history_job4_20260303.csv", HISTORY_HEADER, *history)
    # One row of each leads to a status that the mapping does not know, and the next one begins with it.
    done = run_sla("ingest", workspace=root).expect(0)
    assert f"{len(history)} rows read = {len(history) - 2} landed + 2 rejected" in done.out + done.err
    run_sla("build", "--as-of", "2026-03-04T00:00:00Z", workspace=root).expect(0)
    return root


def resolutions(root: Path, ids: str) -> dict[int, tuple[Any, ...]]:
    """Number of the issue -> level submitted, level in force, status, seconds, and when it stopped."""
    rows = query(
        root,
        "select right(ticket_id, 1), severity_submitted, severity_in_force, status, elapsed_seconds, stopped_at "
        f"from core.fct_sla_obligations where obligation = 'resolution' and ticket_id like '{ids}' order by all",
    )
    return {int(number): tuple(rest) for number, *rest in rows}


def test_every_issue_that_ever_changed_is_judged_as_the_rest_form_judges_it(vendor: Path) -> None:
    rest, pipeline = resolutions(vendor, "SUP-%"), resolutions(vendor, "1000%")
    assert len(rest) == len(pipeline) == len(ISSUES)
    for number in (1, 2, 4, 6, 7, 8):
        assert pipeline[number] == rest[number]


def test_the_wait_of_the_history_is_taken_off(vendor: Path) -> None:
    found = resolutions(vendor, "1000%")
    assert found[1][2:4] == found[7][2:4] == found[8][2:4] == ("met", 8 * HOUR)


def test_a_history_of_which_a_row_is_missing_shows_no_pauses(vendor: Path) -> None:
    # 11 h, and the row of 19:00 begins with a status that the one of 09:00 did not leave: the wait ended at an unknown instant.
    assert resolutions(vendor, "SUP-%")[9][2] == "met"
    assert resolutions(vendor, "1000%")[9][2] == "not_measurable"


def test_the_level_before_the_first_change_is_the_one_submitted(vendor: Path) -> None:
    found = resolutions(vendor, "1000%")
    # The 8 h of level 5 count from 10:00.
    assert found[2][:4] == (3, 5, "met", 7 * HOUR)
    assert found[6][0] == 5


def test_an_unknown_status_is_measurable_in_neither_form(vendor: Path) -> None:
    assert resolutions(vendor, "SUP-%")[3][2] == resolutions(vendor, "1000%")[3][2] == "not_measurable"


def test_an_issue_without_a_single_change_shows_no_pauses_in_the_pipeline(vendor: Path) -> None:
    # The REST form says that its changelog is whole and empty; two files do not show whether its rows are in the export.
    assert resolutions(vendor, "SUP-%")[5][2] == "breached"
    assert resolutions(vendor, "1000%")[5][2] == "not_measurable"


def test_without_the_history_only_what_needs_no_pause_is_judged(vendor: Path) -> None:
    sql = (
        "select ticket_id, status, status_reason from core.fct_sla_obligations "
        "where obligation = 'resolution' and ticket_id in ('only-SUP-1', 'only-SUP-7') order by all"
    )
    # 11 h of wall time may hold a wait; 8 h are within 8 h.
    assert query(vendor, sql) == [
        ("only-SUP-1", "not_measurable", "pauses_not_observed"),
        ("only-SUP-7", "met", None),
    ]


def test_the_first_response_is_not_measurable_without_comments(vendor: Path) -> None:
    sql = "select distinct status from core.fct_sla_obligations where obligation = 'first_response' and ticket_id like '1000%'"
    assert query(vendor, sql) == [("not_measurable",)]


def test_a_reader_is_shown_the_key_of_the_issue(vendor: Path) -> None:
    assert query(vendor, "select subject from core.dim_tickets where ticket_id = '10001'") == [
        ("SUP-1: Sync stops",)
    ]
