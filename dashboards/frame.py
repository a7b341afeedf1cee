"""The frame of every page: opens the published build, says how fresh it is, tells the empty states apart."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st

from dashboards import charts, tables, times
from dashboards.choices import Choices
from dashboards.pages import may_open
from dashboards.viewer import Viewer, require_viewer
from pipeline.errors import SlaError
from pipeline.pointer import pointer_path
from pipeline.reporting import figures
from pipeline.reporting.compliance import TrendPoint, read_trend
from pipeline.reporting.periods import read_zones
from pipeline.reporting.published import Published, Scope, open_published
from pipeline.reporting.status import BuildStatus, read_status
from pipeline.settings import Workspace, find_workspace

_LOG = logging.getLogger(__name__)

# So that the figures are on a small screen without scrolling. A constant: nothing from data goes into HTML.
_LESS_PADDING = "<style>.stMainBlockContainer { padding: 2.2rem 2.5rem 3rem }</style>"


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
def open_page(title: str) -> Iterator[Page]:
    """Shows title and freshness, and hands out the published build for this run.

    The pointer is read on every run, so a page shows a new build as soon as there is one. Text from data goes
    through `st.text` and `st.dataframe` alone: the rest understands Markdown, pictures included.
    """
    st.html(_LESS_PADDING)
    st.title(title, anchor=False)
    seen_by: Viewer | None = None
    try:
        workspace = find_workspace(None)
        seen_by = require_viewer(workspace)
        if not may_open(seen_by.role, title):
            st.error("Not allowed: this page is not for your role.")
            st.stop()
        if not pointer_path(workspace).exists():
            st.info(
                "Nothing is published yet. Put exports into the inbox and call `sla run`, or see `sla demo`."
            )
            st.stop()
        with open_published(workspace, verifies=True) as published:
            status = read_status(published, seen_by.scope)
            page = Page(workspace, seen_by, published, status, Choices(title))
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
        st.error("The figures cannot be shown.")
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
    st.text("The reason is in the server's log. Ask the people who run this dashboard.")


def choose_month(page: Page) -> tuple[str, tuple[TrendPoint, ...]]:
    """A filter for one month, the last complete one unless the address names another, and the 13 months to choose from."""
    months = read_trend(page.published, page.scope)
    names = {each.month: figures.month_of(each) for each in reversed(months)}
    chosen = page.choices.one("Month", "month", {"": "last complete", **names}, "")
    return chosen or figures.last_complete(months), months


def say_no_rows() -> None:
    """There is data, but none that this choice of filters leaves."""
    st.info("No promises in this selection. The build has data: remove a filter to see it.")


def _show_freshness(page: Page) -> None:
    status = page.status
    head = st.container()
    if any(source.is_lagging for source in status.sources):
        st.warning(
            "A source lags behind the others by more than its usual rhythm. What it has not exported yet is not silence: its "
            "open tickets are read up to its own end only. Put its newer export into the inbox and call `sla run`."
        )
    with st.expander("What these figures rest on, and the zone of times"):
        times.choose_zone(page.choices, read_zones(page.published, page.scope))
        with head:
            st.text(figures.freshness(status, times.zone()))
        st.text(f"Build {status.build_id[:12]}, newest delivery {times.instant(status.newest_landed_at)}")
        for source in status.sources:
            st.text(f"Source known until: {figures.known_until(source, times.zone())}")
        for line in figures.describe_state(status):
            st.text(line)


def _show_checks(page: Page) -> None:
    """Warnings are listed. A critical check that did not pass means that no figure here can be trusted."""
    open_checks = [check for check in page.status.checks if check.status != "passed"]
    is_critical = any(check.severity == "critical" for check in open_checks)
    if not open_checks or not (is_critical or page.shows_staff_data):
        return
    if is_critical:
        st.error("Checks of this build failed, so its figures are not shown.")
    with st.expander("Checks that did not pass", expanded=is_critical):
        st.dataframe(
            [tables.describe_check(check) for check in open_checks],
            hide_index=True,
        )
    if is_critical:
        st.stop()
