"""The frame of every page: opens the published build, says how fresh it is, tells the empty states apart."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st

from dashboards import charts, language, tables, times
from dashboards.choices import Choices
from dashboards.language import current, say, section
from dashboards.pages import may_open
from dashboards.viewer import Viewer, require_viewer
from pipeline.errors import SlaError
from pipeline.pointer import pointer_path
from pipeline.reporting import figures
from pipeline.reporting.compliance import TrendPoint, read_trend
from pipeline.reporting.monthly_report import read_look
from pipeline.reporting.periods import read_zones
from pipeline.reporting.published import Published, Scope, open_published
from pipeline.reporting.status import BuildStatus, read_status
from pipeline.settings import Workspace, find_workspace

_LOG = logging.getLogger(__name__)

# So that the figures are on a small screen without scrolling. A constant: nothing from data goes into HTML.
_LESS_PADDING = "<style>.stMainBlockContainer { padding: 3rem 2.5rem 3rem }</style>"


@dataclass(frozen=True)
class Page:
    """What a page needs to ask for figures. It lives for one run: no connection is kept between two."""

    workspace: Workspace
    viewer: Viewer
    published: Published
    status: BuildStatus
    choices: Choices

    @property
    def scope(self) -> Scope:
        """Whose rows may be seen: an argument of every query."""
        return self.viewer.scope

    @property
    def shows_staff_data(self) -> bool:
        """Whether the person may see what is the vendor's own, such as who had a ticket."""
        return self.viewer.role != "customer"

    def may_open(self, file: str) -> bool:
        return may_open(self.viewer.role, file)

    def open(self, file: str, address: Mapping[str, str | Sequence[str]]) -> None:
        """Go to another page, where the person may open it."""
        if self.may_open(file):
            st.switch_page(file, query_params=dict(address))

    def link(self, file: str, label: str, address: Mapping[str, str | Sequence[str]]) -> None:
        """A link to another page, where the person may open it."""
        if self.may_open(file):
            st.page_link(
                file,
                label=label,
                query_params=dict(address),
                icon=":material/arrow_forward:",
                icon_position="right",
            )


@contextmanager
def open_page(name: str) -> Iterator[Page]:
    """Shows title and freshness, and hands out the published build for this run. `name`: that of the page's file.

    The pointer is read on every run, so a page shows a new build as soon as there is one. Text from data goes
    through `st.text` and `st.dataframe` alone: the rest understands Markdown, pictures included.
    """
    language.begin()
    st.html(_LESS_PADDING)
    st.title(section("titles")[name], anchor=False)
    seen_by: Viewer | None = None
    try:
        workspace = find_workspace(None)
        seen_by = require_viewer(workspace)
        if not may_open(seen_by.role, name):
            st.error(say("frame.not_for_role"))
            st.stop()
        if not pointer_path(workspace).exists():
            st.info(say("frame.nothing_published"))
            st.stop()
        with open_published(workspace, verifies=True) as published:
            status = read_status(published, seen_by.scope)
            language.use_labels(read_look(published, seen_by.scope).labels)
            page = Page(workspace, seen_by, published, status, Choices(name))
            _show_freshness(page)
            note = st.container()
            _show_checks(page)
            try:
                yield page
            finally:
                # Also where the page stops early: the figures that it did show are not those of the link.
                with note:
                    page.choices.report_left_out()
    except SlaError as problem:
        st.error(say("frame.not_shown"))
        tell(seen_by, problem)
        st.stop()


def ink() -> str:
    """The colour of a chart's text on the background that the browser shows."""
    return charts.INK.get(str(st.context.theme.type), charts.INK["light"])


def tell(viewer: Viewer | None, problem: SlaError) -> None:
    """What went wrong, where and what to do, for the user of this machine; who comes from elsewhere gets no word of its files."""
    if viewer is not None and viewer.is_local:
        st.text(str(problem))
        return
    _LOG.error("%s", problem)
    st.text(say("frame.ask"))


def choose_month(page: Page) -> tuple[str, tuple[TrendPoint, ...]]:
    """A filter for one month, the last complete one unless the address names another, and the 13 months to choose from."""
    months = read_trend(page.published, page.scope)
    names = {each.month: figures.month_of(each, current()) for each in reversed(months)}
    chosen = page.choices.one(say("columns.month"), "month", {"": say("frame.last_complete"), **names}, "")
    return chosen or figures.last_complete(months), months


def choose_any_month(page: Page, months: Sequence[TrendPoint]) -> str:
    """A filter for one of `months`, the last complete one unless the address names another; '' where all are chosen."""
    names = {each.month: figures.month_of(each, current()) for each in reversed(months)}
    options = {"": say("frame.all_months"), **names}
    return page.choices.one(say("columns.month"), "month", options, figures.last_complete(months))


def choose_sheet(page: Page, total: int, size: int, key: str) -> tuple[int, int]:
    """First and end of the rows that are shown, of `total` that may be more than a browser should draw; `key`: in the address."""
    if total <= size:
        return 0, total
    starts = range(0, total, size)
    names = {
        str(number): say("frame.from_to", first=start + 1, last=min(start + size, total), total=total)
        for number, start in enumerate(starts, 1)
    }
    start = starts[int(page.choices.one(say("frame.rows_shown"), key, names, "1")) - 1]
    return start, min(start + size, total)


def say_no_rows() -> None:
    """There is data, but none that this choice of filters leaves."""
    st.info(say("frame.no_rows"))


def _show_freshness(page: Page) -> None:
    status = page.status
    head = st.container()
    if any(source.is_lagging for source in status.sources):
        st.warning(say("frame.lagging"))
    with st.expander(say("frame.rests_on")):
        with st.container(horizontal=True):
            times.choose_zone(page.choices, read_zones(page.published, page.scope))
            language.offer()
        with head:
            st.text(figures.freshness(status, times.zone(), current()))
        st.text(
            say("frame.build", build=status.build_id[:12], instant=times.instant(status.newest_landed_at))
        )
        for source in status.sources:
            known = figures.known_until(source, times.zone(), current())
            st.text(say("frame.source_known", source=known))
        for line in figures.describe_state(status, current()):
            st.text(line)


def _show_checks(page: Page) -> None:
    """Warnings are listed. A critical check that did not pass means that no figure here can be trusted."""
    open_checks = [check for check in page.status.checks if check.status != "passed"]
    is_critical = any(check.severity == "critical" for check in open_checks)
    if not open_checks or not (is_critical or page.shows_staff_data):
        return
    if is_critical:
        st.error(say("frame.checks_failed"))
    with st.expander(say("frame.checks_open"), expanded=is_critical):
        st.dataframe(
            [tables.describe_check(check) for check in open_checks],
            hide_index=True,
        )
    if is_critical:
        st.stop()
