"""Evidence through the commands: every customer's month of the demo is computed again from its archive alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import InputRejected
from pipeline.evidence.collect import collect_evidence
from pipeline.evidence.recompute import recompute_evidence
from pipeline.reporting.monthly_report import read_customers_to_report, read_months
from pipeline.reporting.published import EVERY_CUSTOMER, Scope, open_published
from pipeline.settings import Workspace
from tests.end_to_end.command_line import run_sla


def test_every_customers_month_is_computed_again_to_the_same_figures(
    demo_workspace: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "evidence.zip"
    with open_published(Workspace(demo_workspace)) as published:
        month = read_months(published, EVERY_CUSTOMER)[-1]
        customers = read_customers_to_report(published, EVERY_CUSTOMER, month)
        for customer_id in customers:
            archive.write_bytes(collect_evidence(published, Scope((customer_id,)), customer_id, month))
            assert recompute_evidence(archive).differences == ()


def test_the_command_writes_an_archive_that_verify_proves_without_the_workspace(
    demo_workspace: Path, tmp_path: Path
) -> None:
    with open_published(Workspace(demo_workspace)) as published:
        month = read_months(published, EVERY_CUSTOMER)[-1]
        customer_id = read_customers_to_report(published, EVERY_CUSTOMER, month)[0]
    asked = ("report", "--customer", customer_id, "--month", month, "--evidence", "--json")
    written = run_sla(*asked, "--out", str(tmp_path), workspace=demo_workspace).expect(0)
    [files] = json.loads(written.out)
    proof = Path(files["evidence"])
    # No workspace is named.
    assert "is unchanged and proves its figures" in run_sla("verify", str(proof)).expect(0).out

    proof.write_bytes(proof.read_bytes().replace(b'"compliance_month": ', b'"compliance_month":\t', 1))
    run_sla("verify", str(proof)).expect(InputRejected.exit_code, "obligations.jsonl")


def test_an_archive_of_one_customer_holds_nothing_of_another(demo_workspace: Path) -> None:
    with open_published(Workspace(demo_workspace)) as published:
        month = read_months(published, EVERY_CUSTOMER)[-1]
        own, *others = read_customers_to_report(published, EVERY_CUSTOMER, month)
        content = collect_evidence(published, EVERY_CUSTOMER, own, month)
    assert not [other for other in others if other.encode() in content]


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_archive_of_ours_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.zip").write_bytes(content)
    run_sla("verify", str(tmp_path / "odd.zip")).expect(3, "odd.zip")
