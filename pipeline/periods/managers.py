"""From which build the managers' month over all customers is read, and which edition of it that is."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import ConfigurationError
from pipeline.periods.records import keep_build, read_history
from pipeline.pointer import AGAIN, read_pointer
from pipeline.reporting.edition import Edition, number_pack
from pipeline.reporting.periods import read_closed_months, read_month_states
from pipeline.reporting.published import EVERY_CUSTOMER, Published, Selection, check_selection, open_of_record
from pipeline.reporting.render_managers import PackFiles, file_stem, render_pack
from pipeline.settings import Workspace


def write_pack(workspace: Workspace, month: str, out_dir: Path, locale: str | None = None) -> PackFiles:
    """Write the managers' document of a month into `out_dir`, which is created.

    A month that is closed in all its zones is read in the build that it was closed with: its figures, freshness and evidence are
    those of the closing whatever has arrived since, and only the number of corrections is told as it is now. Any other month is
    a draft from the build that is served. Raises what `render_pack` raises, and ConfigurationError when nothing is published.
    """
    pointer = read_pointer(workspace)
    if pointer is None:
        raise ConfigurationError(
            f"Nothing is published yet in {workspace.root}, so there is nothing to report. {AGAIN}"
        )
    history = read_history(workspace)
    with open_of_record(workspace, keep_build(pointer), history) as served:
        check_selection(served, EVERY_CUSTOMER, Selection(months=(month,)))
        states = {each.state for each in read_month_states(served, EVERY_CUSTOMER) if each.month == month}
        if states != {"closed"}:
            is_open = "open" in states or not states
            edition = Edition("open" if is_open else "provisional", number_pack(month, served.build_id))
            return render_pack(served, EVERY_CUSTOMER, month, out_dir, edition, locale)
        [closed] = [each for each in read_closed_months(served, EVERY_CUSTOMER) if each.month == month]
        closings = [each for (_, of), each in served.history.closed().items() if of == month]
    last = max(closings, key=lambda each: each.number)
    edition = Edition("closed", number_pack(month, version=closed.version), closed_at=last.closed_at)
    # Of a month with several zones each is read in the build of its own closing, as everywhere.
    with open_of_record(workspace, last.build, history.before(last.number)) as published:
        return render_pack(published, EVERY_CUSTOMER, month, out_dir, edition, locale, closed.corrections)


def list_missing_packs(workspace: Workspace, published: Published) -> list[str]:
    """The months that are closed in all their zones and have no document for managers in the workspace yet, oldest first."""
    states: dict[str, set[str]] = {}
    for each in read_month_states(published, EVERY_CUSTOMER):
        states.setdefault(each.month, set()).add(each.state)
    return [
        month
        for month, found in sorted(states.items())
        if found == {"closed"} and not (workspace.reports / f"{file_stem(month)}.pdf").is_file()
    ]
