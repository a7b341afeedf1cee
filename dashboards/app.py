"""Routing only: which pages there are. Start it with `sla dashboard`, which binds it to this machine."""

import streamlit as st

# No icons for pages: the browser fetches those of the tab from another server.
st.set_page_config(page_title="SLA compliance", layout="wide")

st.navigation(
    [
        st.Page("views/compliance.py", title="Compliance", default=True),
        st.Page("views/entitlements.py", title="Entitlements"),
    ]
).run()
