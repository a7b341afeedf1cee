"""Closed editions, as delivery asks for them: which there are, what each says, and its documents as they were issued."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.delivery.due import Documents, Due
from pipeline.errors import SlaError
from pipeline.periods.editions import Issue, list_issues
from pipeline.periods.issue import Builds, is_read_with, issue_report
from pipeline.periods.issue_many import BATCH, issue_reports
from pipeline.reporting.monthly_report import MonthlyReport
from pipeline.reporting.render_report import ReportFiles
from pipeline.settings import Workspace


def documents_of_periods(workspace: Workspace) -> Documents:
    """The editions of the closed months of a workspace; files go to `reports/<month>`."""
    editions = _Editions(workspace)
    return Documents(editions.list_since, editions.read, editions.render, editions.prepare)


class _Editions:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._issues: dict[Due, Issue] = {}
        self._asked: list[Due] = []
        # Those that were read with the one that was asked for last.
        self._read: dict[Due, MonthlyReport | SlaError] = {}

    def list_since(self, first_month: str) -> Iterable[Due]:
        for issue in list_issues(self._workspace, first_month):
            due = Due(issue.customer_id, issue.month, issue.edition)
            self._issues[due] = issue
            yield due

    def prepare(self, dues: Sequence[Due], is_rendered: bool) -> None:
        """Remember what will be read, and render it by several processes where its files will be asked for. What fails here
        fails again, and is told, when it is asked for."""
        self._asked = list(dues)
        if is_rendered:
            for month in dict.fromkeys(due.month for due in dues):
                of_month = [self._issues[due] for due in dues if due.month == month]
                issue_reports(self._workspace, of_month, self._workspace.reports / month)

    def read(self, due: Due) -> MonthlyReport:
        if due not in self._read:
            self._read = self._read_with(due)
        found = self._read[due]
        if isinstance(found, SlaError):
            raise found
        return found

    def render(self, due: Due) -> ReportFiles:
        return issue_report(self._workspace, self._issues[due], self._workspace.reports / due.month)

    def _read_with(self, due: Due) -> dict[Due, MonthlyReport | SlaError]:
        """An edition, and those that will be asked for after it and stand in the same build."""
        issue = self._issues[due]
        after = self._asked[self._asked.index(due) :] if due in self._asked else [due]
        batch = [
            each for each in after if each.month == due.month and is_read_with(self._issues[each], issue)
        ][:BATCH]
        with Builds(self._workspace) as builds:
            found = builds.read_reports([self._issues[each] for each in batch])
        return {each: found[each.customer_id] for each in batch}
