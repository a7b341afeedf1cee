"""Filters that live in the page's address, so that a link shows the same figures to another user.

An address is a stranger's text: only values among the options are taken. What was left out is said in a message,
because a filter dropped in silence shows other figures than the link promised. It is never a permission.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st


def choose_many(label: str, key: str, options: Mapping[str, str]) -> tuple[str, ...] | None:
    """Several of `options` (value -> label); None when nothing is chosen, which means no limit."""
    asked = st.session_state.get(key, st.query_params.get_all(key))
    st.session_state[key] = [value for value in asked if value in options]
    _report_unknown(label, asked, options)
    chosen = st.multiselect(label, list(options), format_func=options.__getitem__, key=key, placeholder="All")
    _write_address(key, chosen)
    return tuple(chosen) or None


def choose_one(label: str, key: str, options: Mapping[str, str], default: str) -> str:
    """One of `options` (value -> label)."""
    asked = [st.session_state[key]] if key in st.session_state else st.query_params.get_all(key)[-1:]
    known = [value for value in asked if value in options]
    st.session_state[key] = known[0] if known else default
    _report_unknown(label, asked, options)
    chosen = st.selectbox(label, list(options), format_func=options.__getitem__, key=key)
    _write_address(key, [chosen])
    return chosen


def _report_unknown(label: str, asked: Sequence[str], options: Mapping[str, str]) -> None:
    unknown = [value for value in asked if value not in options]
    if unknown:
        st.warning("The address asks for something that this build does not have. It was left out:")
        st.text(f"{label}: {', '.join(unknown)[:200]}")


def _write_address(key: str, values: Sequence[str]) -> None:
    if st.query_params.get_all(key) != list(values):
        st.query_params[key] = list(values)
