"""Filters that live in the page's address, so that a link shows the same figures to another user.

An address is a stranger's text: only values among the options are taken. What was left out is said in one message,
because a filter dropped in silence shows other figures than the link promised. It is never a permission.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboards.language import current, say
from pipeline.reporting.compliance import read_compliance, read_customers
from pipeline.reporting.published import Published, Scope, Selection

# What the filters of a page say on the next one too, where that has them.
_KEPT = ("customer", "plan", "severity", "obligation", "month", "basis", "zone")
_PAGE, _STORE = "page_shown", "filters_kept"


class Choices:
    """The filters of one run of one page. `page` is its name: what a widget of another page was set to does not count here."""

    def __init__(self, page: str) -> None:
        self._is_new = st.session_state.get(_PAGE) != page
        st.session_state[_PAGE] = page
        self._left_out: list[str] = []

    def many(self, label: str, key: str, options: Mapping[str, str]) -> tuple[str, ...] | None:
        """Several of `options` (value -> label); None when nothing is chosen, which means no limit."""
        asked = self._asked(key)
        known = [value for value in dict.fromkeys(asked) if value in options]
        self._note(label, asked, options)
        st.session_state[key] = known
        chosen = st.multiselect(
            label, list(options), format_func=options.__getitem__, key=key, placeholder=say("frame.all")
        )
        self._write(key, chosen)
        return tuple(chosen) or None

    def one(self, label: str, key: str, options: Mapping[str, str], default: str) -> str:
        """One of `options` (value -> label). The default is not written into the address: it is what a page without one shows."""
        asked = self._asked(key)[-1:]
        known = [value for value in asked if value in options]
        self._note(label, asked, options)
        st.session_state[key] = known[0] if known else default
        chosen = st.selectbox(label, list(options), format_func=options.__getitem__, key=key)
        self._write(key, [] if chosen == default else [chosen])
        return str(chosen)

    def text(self, label: str, key: str) -> str:
        """Free text, such as the id of a ticket; '' where there is none."""
        asked = self._asked(key)[-1:]
        st.session_state[key] = asked[0] if asked else ""
        typed = st.text_input(label, key=key).strip()
        self._write(key, [typed] if typed else [])
        return typed

    def selection(
        self, published: Published, scope: Scope, dimensions: Sequence[str] = _KEPT[:4]
    ) -> Selection:
        """The filters by customer, plan, severity and obligation; their options are what the build has."""
        known = read_compliance(published, scope, by=("plan", "severity", "obligation")).rows
        names = {each.customer_id: each.customer_name for each in read_customers(published, scope)}
        plans = sorted({row.plan for row in known if row.plan is not None})
        levels = sorted({row.severity for row in known if row.severity is not None})
        promises = sorted({row.obligation for row in known if row.obligation is not None})
        options = {
            "customer": (say("columns.customer"), {key: f"{name} ({key})" for key, name in names.items()}),
            "plan": (say("columns.plan"), {plan: plan for plan in plans}),
            "severity": (say("columns.severity"), {str(level): str(level) for level in levels}),
            "obligation": (say("columns.promise"), {each: current().word(each) for each in promises}),
        }
        chosen = {each: self.many(options[each][0], each, options[each][1]) for each in dimensions}
        severities = chosen.get("severity")
        return Selection(
            customer_ids=chosen.get("customer"),
            plans=chosen.get("plan"),
            severities=None if severities is None else tuple(int(level) for level in severities),
            obligations=chosen.get("obligation"),
        )

    def report_left_out(self) -> None:
        """One note for all that the address asks for and this build does not have."""
        if self._left_out:
            st.warning(say("frame.left_out"))
            st.text("; ".join(self._left_out)[:400])

    def _asked(self, key: str) -> list[str]:
        if not self._is_new and key in st.session_state:
            value = st.session_state[key]
            return [value] if isinstance(value, str) else list(value)
        kept = st.session_state.get(_STORE, {}).get(key, [])
        return st.query_params.get_all(key) or list(kept)

    def _note(self, label: str, asked: Sequence[str], options: Mapping[str, str]) -> None:
        unknown = [value for value in asked if value not in options]
        if unknown:
            self._left_out.append(f"{label}: {', '.join(unknown)[:100]}")

    def _write(self, key: str, values: Sequence[str]) -> None:
        if st.query_params.get_all(key) != list(values):
            st.query_params[key] = list(values)
        if key in _KEPT:
            st.session_state[_STORE] = {**st.session_state.get(_STORE, {}), key: list(values)}


def address(selection: Selection, **preset: str | Sequence[str]) -> dict[str, list[str]]:
    """The address of a list of what `selection` and `preset` choose: of a figure, the rows behind it."""
    chosen = {
        "customer": selection.customer_ids,
        "plan": selection.plans,
        "severity": selection.severities,
        "obligation": selection.obligations,
    }
    asked = {key: [str(value) for value in values] for key, values in chosen.items() if values}
    return asked | {key: [value] if isinstance(value, str) else list(value) for key, value in preset.items()}
