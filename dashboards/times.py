"""In which zone a page tells instants: UTC, a plan's, or that of the browser. A switch of words only: no figure depends on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from dashboards.choices import Choices
from dashboards.language import current, say
from pipeline.zones import known_zones

_SHOWN = "zone_shown"
_VIEWER = "viewer"


def choose_zone(choices: Choices, plan_zones: Sequence[str]) -> None:
    """The switch; what it says holds for the rest of the run."""
    viewer = st.context.timezone
    # The name is the browser's word, and counts where the pinned zones have it.
    viewer_zone = viewer if viewer in known_zones() else None
    options = {
        "UTC": "UTC",
        **{zone: say("frame.zone_of_plan", zone=zone) for zone in plan_zones if zone != "UTC"},
        _VIEWER: say("frame.zone_of_browser", zone=viewer_zone)
        if viewer_zone
        else say("frame.zone_not_known"),
    }
    chosen = choices.one(say("frame.times_in"), "zone", options, "UTC")
    st.session_state[_SHOWN] = (viewer_zone or "UTC") if chosen == _VIEWER else chosen


def zone() -> str:
    """The zone of this run."""
    return str(st.session_state.get(_SHOWN, "UTC"))


def instant(moment: datetime | None) -> str:
    """An instant in the zone of this run, with its offset: '3 Jul 2026, 16:05:09 +02:00', '… UTC' in UTC."""
    return current().instant(moment, zone())
