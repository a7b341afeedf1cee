"""Routing only: which pages the person who looks may open. Start it with `sla dashboard`, which binds it to this machine."""

import streamlit as st

from dashboards import language, viewer
from dashboards.pages import PAGES

language.begin()
# No icons for pages: the browser fetches those of the tab from another server.
st.set_page_config(page_title=language.say("frame.product"), layout="wide")

seen_by = viewer.find_viewer()
viewer.show_identity(seen_by)
allowed = [page for page in PAGES if seen_by.role in page.roles]
titles = language.section("titles")
shown = [st.Page(page.file, title=titles[page.name], default=page is allowed[0]) for page in allowed]
# Expanded: otherwise the last pages are behind a button.
st.navigation(shown, expanded=True).run()
