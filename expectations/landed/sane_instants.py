"""The range in which an instant of a helpdesk export can lie."""

from __future__ import annotations

from expectations.checked_table import Expectation, expect_column_values_to_be_between

# No hosted helpdesk kept tickets before 2000, and an epoch read in the wrong unit falls into 1970.
EARLIEST = "timestamp '2000-01-01'"
# Later values are a mistaken format or the open-end mark 9999-12-31 landed as an event.
LATEST = "timestamp '2100-01-01'"


def expect_sane_instants(column: str) -> tuple[Expectation, ...]:
    """A few odd instants are reported; many mean a wrong date format and stop the build."""
    return (
        expect_column_values_to_be_between(
            column=column,
            min_value=EARLIEST,
            max_value=LATEST,
            mostly=0.99,
            severity="critical",
            notes=(
                "More than one in a hundred instants outside 2000 to 2100: the declared date_format or "
                "time_zone is wrong."
            ),
        ),
        expect_column_values_to_be_between(
            column=column,
            min_value=EARLIEST,
            max_value=LATEST,
            severity="warning",
            notes=(
                "An instant outside 2000 to 2100 is an error in the source; its ticket gets figures that no reader "
                "can use."
            ),
        ),
    )
