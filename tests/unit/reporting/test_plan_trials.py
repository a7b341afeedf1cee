from __future__ import annotations

import pytest

from pipeline.cli.show_plan_trials import trial_tables
from pipeline.errors import ConfigurationError
from pipeline.reporting.plan_trials import read_trial
from pipeline.reporting.published import Bounds, Published, Ratio, Scope

ACME = Scope(("acme",))


def test_trial_shows_bounds_for_both_plans_where_something_is_undecided(published: Published) -> None:
    trial = read_trial(published, ACME, "gold")
    # 4 of 5 targets met and one undecided, which could be either; under gold 3 of 5 and the same one.
    assert trial.targets == (Ratio(4, 5, Bounds(4, 5, 6)), Ratio(3, 5, Bounds(3, 4, 6)))
    assert trial.estimates == (Ratio(2, 2), Ratio(2, 2))
    sums = {row[0]: row[1:] for row in trial_tables(trial)[0].rows}
    assert sums["compliance with targets"] == (
        "66.7 % to 83.3 % (4 met, 1 breached, 1 undecided)",
        "50.0 % to 66.7 % (3 met, 2 breached, 1 undecided)",
        "changes",
    )
    assert sums["compliance with estimates"] == ("100.0 % (2 of 2)", "100.0 % (2 of 2)", "")


def test_a_plan_that_has_not_been_tried_on_the_build_is_told(published: Published) -> None:
    told = "The plan 'standard' has not been tried on this build yet. `sla whatif --plan` tries it"
    with pytest.raises(ConfigurationError, match=told):
        read_trial(published, ACME, "standard")
