"""Why a promise was breached, where late data moves the promise out of a month that is closed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.periods.close import close_due, record_corrections
from pipeline.reporting.breaches import (
    NOT_RECORDED,
    count_classes,
    find_keys_of_classes,
    read_breaches,
    read_classes,
)
from pipeline.reporting.published import EVERY_CUSTOMER, Published, Selection, open_published
from pipeline.reporting.tickets import Cut, count_tickets, read_worst_tickets
from pipeline.rules.periods import PeriodRules
from pipeline.settings import Workspace
from tests.unit.periods.kept_builds import Figures, Verdict, make_workspace, publish_figures, utc
from tests.unit.periods.test_editions import CLOSING, LATER, at

BREACHED = Verdict("T-1", "breached", utc("2026-05-30T15:00:00"), breach_class="between_teams")
# A late pause: the target ends in June, and the last team worked on it when it did.
MOVED = replace(BREACHED, settled_at=utc("2026-06-02T09:00:00"), breach_class="worked_on_late")
MONTHS = [("2026-05",), ("2026-06",), None]


def publish_both(root: Path, monkeypatch: pytest.MonkeyPatch, closed: Verdict) -> Workspace:
    workspace = make_workspace(root)
    for name, now, verdict in (("build-a", CLOSING, closed), ("build-b", LATER, MOVED)):
        at(monkeypatch, now)
        pointer = publish_figures(workspace, name, Figures(now, (verdict,), names={"acme": "Acme"}))
        record_corrections(workspace, pointer)
        with open_published(workspace) as published:
            close_due(workspace, published, pointer, PeriodRules(first_month="2026-05"))
    return workspace


def list_classes(published: Published, selection: Selection) -> dict[str, str]:
    """Month -> class, as the list of a page names it row by row."""
    rows = read_worst_tickets(published, EVERY_CUSTOMER, selection)
    known = read_classes(published, EVERY_CUSTOMER, rows)
    return {str(row.month): known[row.month_key] for row in rows}


@pytest.mark.parametrize("months", MONTHS)
@pytest.mark.parametrize("closed", ["between_teams", None])
def test_counts_lists_and_filters_name_the_class_of_the_month_that_counts_the_breach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: str | None, months: tuple[str, ...] | None
) -> None:
    workspace = publish_both(tmp_path / "vendor", monkeypatch, replace(BREACHED, breach_class=closed))
    of_month = {"2026-05": closed or NOT_RECORDED, "2026-06": "worked_on_late"}
    expected = {month: name for month, name in of_month.items() if months is None or month in months}
    chosen = Selection(months=months)
    breached = replace(chosen, statuses=("breached",))
    with open_published(workspace) as published:
        assert list_classes(published, breached) == expected
        counts = count_classes(published, EVERY_CUSTOMER, chosen)
        assert counts == {(name, "first_response"): 1 for name in expected.values()}
        listed = read_breaches(published, EVERY_CUSTOMER, chosen)
        assert {each.obligation.month: each.breach_class for each in listed} == expected
        for name in of_month.values():
            keys = find_keys_of_classes(published, EVERY_CUSTOMER, chosen, (name,))
            length = count_tickets(published, EVERY_CUSTOMER, breached, cut=Cut(month_keys=keys))
            assert length.promise_count == list(expected.values()).count(name)
