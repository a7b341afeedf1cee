"""The section `retention` of `sla.yml`: how long what a run leaves is kept. Nothing is removed before `sla prune` is run."""

from __future__ import annotations

from typing import Annotated

from pipeline.declarations.declared import Declared
from pipeline.declarations.values import whole_number

_Months = Annotated[int, *whole_number(1, 1200)]


class Retention(Declared):
    """How long each kind is kept, in months; a line that is left out keeps it without end."""

    inbox_months: _Months | None = None
    """Exports in inbox/ that have landed, counted from when they landed."""
    exports_months: _Months | None = None
    """Copies of exports that keep_exports made, counted from when they landed."""
    quarantine_months: _Months | None = None
    """Values of refused records, counted from when they landed. Their lines and reasons stay, and so do the counts."""
    reports_months: _Months | None = None
    """Documents in reports/ and messages in its outbox, counted from when they were written. Documents of closed months stay on
    record in the warehouse."""
    runs_months: _Months | None = None
    """Records of runs."""
    versions: Annotated[int, *whole_number(1, 1000)] = 5
    """How many published versions are kept, the served one among them; those that closed months rest on are kept beside them."""


DEFAULT_RETENTION = Retention()
