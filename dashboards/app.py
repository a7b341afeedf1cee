"""Routing only: which pages there are. Start it with `sla dashboard`, which binds it to this machine."""

import streamlit as st

# No icons for pages: the browser fetches those of the tab from another server.
st.set_page_config(page_title="SLA compliance", layout="wide")

st.navigation(
    [
        st.Page("views/overview.py", title="Overview", default=True),
        st.Page("views/compliance.py", title="Compliance"),
        st.Page("views/at_risk.py", title="At risk"),
        st.Page("views/why.py", title="Why we breach"),
        st.Page("views/backlog.py", title="Backlog"),
        st.Page("views/distribution.py", title="Distribution"),
        st.Page("views/customers.py", title="Customers"),
        st.Page("views/customer.py", title="Customer"),
        st.Page("views/entitlements.py", title="Entitlements"),
        st.Page("views/tickets.py", title="Tickets"),
        st.Page("views/ticket.py", title="Ticket"),
        st.Page("views/findings.py", title="Findings"),
        st.Page("views/about.py", title="About these figures"),
    ]
).run()
