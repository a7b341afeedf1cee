"""Closed editions, as delivery asks for them: which there are, what each says, and its documents as they were issued."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.delivery.due import Documents, Due
from pipeline.periods.editions import Issue, list_issues
from pipeline.periods.issue import issue_report
from pipeline.reporting.monthly_report import MonthlyReport, read_monthly_report
from pipeline.reporting.published import EVERY_CUSTOMER, open_of_record
from pipeline.reporting.render_report import ReportFiles
from pipeline.settings import Workspace


def documents_of_periods(workspace: Workspace) -> Documents:
    """The editions of the closed months of a workspace; files go to `reports/<month>`."""
    issues: dict[Due, Issue] = {}

    def list_since(first_month: str) -> Iterable[Due]:
        for issue in list_issues(workspace, first_month):
            due = Due(issue.customer_id, issue.month, issue.edition)
            issues[due] = issue
            yield due

    def read(due: Due) -> MonthlyReport:
        issue = issues[due]
        with open_of_record(workspace, issue.build, issue.history) as published:
            return read_monthly_report(published, EVERY_CUSTOMER, due.customer_id, due.month)

    def render(due: Due) -> ReportFiles:
        return issue_report(workspace, issues[due], workspace.reports / due.month)

    return Documents(list_since, read, render)
