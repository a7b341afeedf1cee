"""What a run of deliveries ends with: the exit code says what kind of trouble it was, the message whose and what to do."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.cli.progress import count_steps
from pipeline.delivery.deliver import Delivered, Session, Status, explain_results
from pipeline.delivery.due import Documents, Due, list_due
from pipeline.delivery.ledger import Ledger
from pipeline.delivery.sender import Senders
from pipeline.delivery.write_eml import EmlFolder
from pipeline.errors import ChecksFailed, SlaError, StaleData
from pipeline.reporting.edition import Edition
from pipeline.reporting.monthly_report import read_monthly_report
from pipeline.reporting.published import EVERY_CUSTOMER, Published
from pipeline.reporting.render_report import render_report
from pipeline.rules.delivery_file import Delivery
from pipeline.rules.load_reference import Customer
from pipeline.settings import Workspace

DELIVERY = Delivery(
    sender="reports@vendor.example",
    first_month="2026-06",
    allowed_domains=("acme.example", "other.example"),
    most_undecided_points=100,
)
CUSTOMERS = {name: Customer(name, name, "en", (f"ann@{name}.example",)) for name in ("acme", "other")}


def result(status: Status, code: int, customer: str = "acme") -> Delivered:
    return Delivered(customer, "2026-07", 0, "R-1", "smtp", status, reason="why", exit_code=code)


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([], None),
        ([result("sent", 0), result("no_recipients", 0)], None),
        ([result("held", 7), result("held", 7)], 7),
        ([result("held", 4), result("sent", 0)], 4),
        ([result("held", 7), result("held", 4)], 5),
        ([result("refused", 5), result("sent", 0)], 5),
        ([result("unknown", 5)], 5),
        ([result("held", 2)], 5),
        ([result("prepared", 8), result("not_tried", 8), result("held", 4)], 8),
    ],
)
def test_exit_code_is_that_of_the_one_reason_or_5_for_several(
    results: list[Delivered], code: int | None
) -> None:
    problem = explain_results(results)
    assert (problem.exit_code if problem else None) == code


def make_session(
    published: Published, root: Path, broken: dict[str, SlaError] | None = None
) -> tuple[Session, list[Due]]:
    """Deliveries of July as files; customers in `broken` have that trouble."""

    def read(due: Due):  # type: ignore[no-untyped-def]
        if broken and due.customer_id in broken:
            raise broken[due.customer_id]
        return read_monthly_report(published, EVERY_CUSTOMER, due.customer_id, due.month)

    dues = [Due(name, "2026-07", Edition("closed", f"R-{name}")) for name in CUSTOMERS]
    documents = Documents(
        lambda first_month: dues,
        read,
        lambda due: render_report(published, EVERY_CUSTOMER, due.customer_id, due.month, root / "reports"),
    )
    workspace = Workspace(root)
    return Session(
        DELIVERY, Senders(DELIVERY), CUSTOMERS, documents, Ledger(workspace), EmlFolder(workspace)
    ), dues


@pytest.mark.parametrize(
    ("problem", "code"), [(StaleData("helpdesk lags"), 7), (ChecksFailed("it does not add up"), 4)]
)
def test_customer_whose_report_may_not_go_out_is_held_and_the_other_is_served(
    published: Published, tmp_path: Path, problem: SlaError, code: int
) -> None:
    session, dues = make_session(published, tmp_path, {"acme": problem})
    held, sent = session.deliver(dues)
    assert (held.status, held.exit_code, held.reason) == ("held", code, problem.message)
    assert (sent.customer_id, sent.status) == ("other", "sent")
    assert [path.suffix for path in (tmp_path / "reports" / "outbox").iterdir()] == [".eml"]
    told = explain_results([held, sent])
    assert told is not None and told.exit_code == code
    assert f"acme, 2026-07: held back: {problem.message}" in str(told)


def test_oldest_month_goes_out_first_and_of_each_month_the_newest_edition_once(
    published: Published, tmp_path: Path
) -> None:
    session, _ = make_session(published, tmp_path)
    dues = [
        Due("other", "2026-07", Edition("closed", "R-3")),
        Due("acme", "2026-07", Edition("closed", "R-2-C1", 1, "R-2")),
        Due("acme", "2026-07", Edition("closed", "R-2")),
        Due("acme", "2026-06", Edition("closed", "R-1")),
        Due("acme", "2026-05", Edition("closed", "R-0")),
    ]
    documents = Documents(lambda first_month: dues, session.documents.read, session.documents.render)
    now, tried = list_due(documents, session.ledger, "eml", "2026-06")
    assert [due.edition.report_number for due in now] == ["R-1", "R-2-C1", "R-3"]
    assert tried == []
    session.deliver(now)
    again, tried = list_due(documents, Ledger(Workspace(tmp_path)), "eml", "2026-06")
    assert (again, [due.edition.report_number for due in tried]) == ([], ["R-1", "R-2-C1", "R-3"])
    # A correction that comes later is due, also where the edition before it is on its way.
    dues.append(Due("acme", "2026-06", Edition("closed", "R-1-C1", 1, "R-1")))
    more, _ = list_due(documents, Ledger(Workspace(tmp_path)), "eml", "2026-06")
    assert [due.edition.report_number for due in more] == ["R-1-C1"]


def test_outbox_that_cannot_be_written_fails_the_channel_and_nothing_is_lost(
    published: Published, tmp_path: Path
) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "outbox").write_text("a file where the folder should be", encoding="utf-8")
    session, dues = make_session(published, tmp_path)
    results = session.deliver(dues)
    assert [one.status for one in results] == ["prepared", "not_tried"]
    problem = explain_results(results)
    assert problem is not None and problem.exit_code == 8
    (tmp_path / "reports" / "outbox").unlink()
    assert [one.status for one in session.deliver(dues)] == ["sent", "sent"]


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_only_and_names_colour_nothing() -> None:
    shown = {}
    for name, stream, is_quiet in (
        ("terminal", Terminal(), False), ("pipe", io.StringIO(), False), ("quiet", Terminal(), True),
    ):  # fmt: skip
        with count_steps(stream, is_quiet, "reports") as count:
            step = count(3)
            step("[red]acme[/red]")
            step("beta")
        shown[name] = stream.getvalue()
    assert "reports" in shown["terminal"] and "/3" in shown["terminal"]
    assert (shown["pipe"], shown["quiet"]) == ("", "")


def test_report_of_a_customer_that_is_not_listed_any_more_is_told_once_and_goes_out_once_it_is_again(
    published: Published, tmp_path: Path
) -> None:
    session, dues = make_session(published, tmp_path)
    removed = replace(session, customers={"acme": CUSTOMERS["acme"]})
    first = removed.deliver(dues)
    assert [(each.customer_id, each.status, each.exit_code) for each in first] == [
        ("acme", "sent", 0),
        ("other", "dropped", 5),
    ]
    assert "not sent, and not told again: reference/customers.csv does not list" in str(
        explain_results(first)
    )
    # The next run: it had its turn, it is not due, and nothing is wrong.
    open_ones, tried = list_due(removed.documents, Ledger(Workspace(tmp_path)), "eml", "2026-06")
    assert open_ones == [] and [each.customer_id for each in tried] == ["acme", "other"]
    assert explain_results(removed.describe_tried(tried)) is None
    assert [each for each in tried if removed.is_changed(each)] == []
    # Listed again, it is another delivery, and its first attempt.
    again = [each for each in tried if session.is_changed(each)]
    assert [each.customer_id for each in again] == ["other"]
    [sent] = session.deliver(again)
    assert (sent.status, sent.exit_code) == ("sent", 0)
    assert len(list((tmp_path / "reports" / "outbox").iterdir())) == 2
    entry = session.ledger.find(again[0].key("eml"))
    assert entry is not None and (entry.state, entry.attempt) == ("sent", 1)


def test_preview_tells_a_customer_that_is_not_listed_any_more_and_records_nothing(
    published: Published, tmp_path: Path
) -> None:
    session, dues = make_session(published, tmp_path)
    shown = replace(session, customers={"acme": CUSTOMERS["acme"]}).preview(dues)
    assert [(each.status, each.exit_code) for each in shown] == [("would_be_sent", 0), ("dropped", 5)]
    assert not session.ledger.path.exists()
