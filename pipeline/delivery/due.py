"""What is due: editions of customers' months that are finished and have not been delivered yet, oldest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pipeline.delivery.ledger import Key, Ledger
from pipeline.reporting.edition import Edition, rank_edition
from pipeline.reporting.monthly_report import MonthlyReport
from pipeline.reporting.render_report import ReportFiles

REPORT = "report"


@dataclass(frozen=True)
class Due:
    """One edition of one customer's month."""

    customer_id: str
    month: str
    edition: Edition

    def key(self, channel: str) -> Key:
        return Key(self.customer_id, self.month, REPORT, self.edition.report_number, channel)


@dataclass(frozen=True)
class Documents:
    """Where editions come from: which there are since a month, what one says, and its finished files.

    `read` and `render` raise SlaError for what concerns one customer: StaleData, ChecksFailed, and the like. `prepare` is told
    beforehand which editions they will be asked for, in this order; `is_rendered`: whether their files too.
    """

    list_since: Callable[[str], Iterable[Due]]
    read: Callable[[Due], MonthlyReport]
    render: Callable[[Due], ReportFiles]
    prepare: Callable[[Sequence[Due], bool], None] = lambda dues, is_rendered: None


def list_due(
    documents: Documents,
    ledger: Ledger,
    channel: str,
    first_month: str,
    customer_ids: Iterable[str] = (),
    month: str | None = None,
) -> tuple[list[Due], list[Due]]:
    """What is to be delivered now, and what had its attempt already; oldest first. What is only `prepared` never left.

    Of a customer's month only the newest edition counts: one that was corrected before it was delivered is not due any more.
    """
    chosen = set(customer_ids)
    newest: dict[tuple[str, str], Due] = {}
    for due in sorted(
        documents.list_since(first_month), key=lambda due: rank_edition(due.edition.report_number)
    ):
        if (
            due.month >= first_month
            and due.month == (month or due.month)
            and (not chosen or due.customer_id in chosen)
        ):
            newest[due.month, due.customer_id] = due
    open_ones: list[Due] = []
    tried: list[Due] = []
    for _, due in sorted(newest.items()):
        entry = ledger.find(due.key(channel))
        (open_ones if entry is None or entry.state == "prepared" else tried).append(due)
    return open_ones, tried
