from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.reporting import figures
from pipeline.reporting.published import Bounds, Ratio
from pipeline.reporting.status import SourceStatus, Unjudged, UntranslatedLocale
from pipeline.reporting.tickets import Obligation


@pytest.mark.parametrize(
    ("numerator", "denominator", "text"),
    [
        (18, 19, "94.7 % (18 of 19)"),
        (199, 200, "99.5 % (199 of 200)"),
        (999, 1000, "99.9 % (999 of 1000)"),
        (1999, 2000, "99.9 % (1999 of 2000)"),
        (999_999, 1_000_000, "99.9 % (999999 of 1000000)"),
        (0, 0, "n/a (0 of 0)"),
        (0, 5, "0.0 % (0 of 5)"),
        (1, 1_000_000, "0.1 % (1 of 1000000)"),
        (5, 5, "100.0 % (5 of 5)"),
        (2, 3, "66.7 % (2 of 3)"),
        (1, 16, "6.3 % (1 of 16)"),
    ],
)
def test_percent_shows_both_parts_and_reaches_a_limit_only_when_it_is_reached(
    numerator: int, denominator: int, text: str
) -> None:
    assert figures.percent(Ratio(numerator, denominator)) == text


# met, counted, lower, upper, of -> what is shown. Undecided is what the bounds divide by, less what is counted.
BOUNDED = [
    # Wide: instead of the percentage, with the parts.
    (9454, 9454, 9454, 13878, 13878, "68.1 % to 100 % (9,454 met, 0 breached, 4,424 undecided)"),
    (0, 0, 0, 5, 5, "0 % to 100 % (0 met, 0 breached, 5 undecided)"),
    (0, 4, 0, 1, 5, "0 % to 20.0 % (0 met, 4 breached, 1 undecided)"),
    # 980/1000 to 990/1000 are exactly one point apart; of 1001 they are 11/1001 = 1.099 points apart.
    (980, 990, 980, 990, 1000, "99.0 % (980 of 990; 98.0 % to 99.0 % with 10 undecided)"),
    (980, 990, 980, 991, 1001, "97.9 % to 99.0 % (980 met, 10 breached, 11 undecided)"),
    # Narrow, but everything counted was met and one could have been breached: never 100 %.
    (999, 999, 999, 1000, 1000, "99.9 % to 100 % (999 met, 0 breached, 1 undecided)"),
    # What is undecided could only be met: nothing could be breached.
    (4, 4, 5, 5, 5, "100.0 % (4 of 4; 100 % to 100 % with 1 undecided)"),
    # What is undecided could only be breached: 90.0 % is more than there can be.
    (90, 100, 90, 90, 150, "60.0 % to 60.0 % (90 met, 10 breached, 50 undecided)"),
    (1999, 1999, 1999, 2000, 2001, "99.9 % to 99.9 % (1,999 met, 0 breached, 2 undecided)"),
]


@pytest.mark.parametrize(("met", "counted", "lower", "upper", "of", "text"), BOUNDED)
def test_percent_has_its_bounds_beside_it_up_to_one_point_and_instead_of_it_beyond(
    met: int, counted: int, lower: int, upper: int, of: int, text: str
) -> None:
    ratio = Ratio(met, counted, Bounds(lower, upper, of))
    assert figures.percent(ratio) == text
    shown = figures.percent_alone(ratio)
    assert text.startswith(f"{shown} (") and figures.parts(ratio) in text
    # What a program may sort by, or subtract, is there only where a percentage is shown.
    assert (figures.decimal_ratio(ratio) is None) == (" to " in shown) == (ratio.value is None)
    # It could be another, so a difference from it could be another too.
    assert (figures.points_between(ratio, Ratio(1, 2)) == "n/a") == (ratio.bounds is not None)
    assert (figures.points_between(Ratio(1, 2), ratio) == "n/a") == (ratio.bounds is not None)


def test_bounds_for_programs_are_cut_after_six_digits() -> None:
    assert figures.decimal_bounds(Ratio(1, 1, Bounds(1, 3, 3))) == (0.333333, 1.0)
    assert figures.decimal_bounds(Ratio(1, 1)) is None


def test_source_is_named_with_the_instant_until_which_it_is_known() -> None:
    until = datetime(2026, 6, 20, 9, tzinfo=UTC)
    assert (
        figures.known_until(SourceStatus("north", until, False, "UTC", None))
        == "north 2026-06-20 09:00:00 UTC"
    )
    assert figures.known_until(SourceStatus("south", until, True, "UTC", None), "Europe/Berlin") == (
        "south 2026-06-20 11:00:00 +02:00, lags behind the others"
    )
    assert (
        figures.known_until(SourceStatus("west", None, True, None, None)) == "west –, lags behind the others"
    )


@pytest.mark.parametrize(
    ("could_be", "text"),
    [
        (None, "No evidence"),
        ("met", "No evidence (could only be met)"),
        ("breached", "No evidence (could only be breached)"),
        ("either", "No evidence (could be met or breached)"),
    ],
)
def test_reason_says_what_a_promise_could_still_be(could_be: str | None, text: str) -> None:
    assert figures.reason("No evidence", "no_evidence", could_be) == text
    assert figures.reason(None, "no_evidence", could_be) == text.replace("No", "no")


def test_decimal_ratio_is_cut_and_never_rounded_up_to_one() -> None:
    assert figures.decimal_ratio(Ratio(1_999_999_999, 2_000_000_000)) == 0.999999
    assert figures.decimal_ratio(Ratio(5, 5)) == 1.0
    assert figures.decimal_ratio(Ratio(0, 0)) is None


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [
        (Ratio(4, 5), Ratio(1, 2), "+30.0 points"),
        (Ratio(1, 2), Ratio(4, 5), "−30.0 points"),
        (Ratio(1, 2), Ratio(2, 4), "±0.0 points"),
        (Ratio(5000, 10001), Ratio(1, 2), "−0.1 points"),
        (Ratio(0, 0), Ratio(1, 2), "n/a"),
    ],
)
def test_points_between_is_made_from_exact_rates(now: Ratio, before: Ratio, text: str) -> None:
    assert figures.points_between(now, before) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (7 * 3600 + 12 * 60 + 5, "7 h 12 min 05 s"),
        (24 * 3600, "24 h"),
        (24 * 3600 + 1, "24 h 00 min 01 s"),
        (3600 + 30 * 60, "1 h 30 min"),
        (65, "1 min 05 s"),
        (59, "59 s"),
        (0, "0 s"),
        (-90, "−1 min 30 s"),
        (None, "–"),
    ],
)
def test_duration_is_exact_to_the_second(seconds: int | None, text: str) -> None:
    assert figures.duration(seconds) == text


def test_quantity_tells_unlimited_from_not_stated_from_zero() -> None:
    assert figures.quantity(None, is_unlimited=True) == "unlimited"
    assert figures.quantity(None, is_stated=False) == "not stated"
    assert figures.quantity(0) == "0"


def test_instant_names_its_zone_on_both_sides_of_a_change_of_offset() -> None:
    # Berlin leaves summer time on 2026-10-25 at 01:00 UTC.
    assert (
        figures.instant(datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC), "Europe/Berlin")
        == "2026-10-25 02:59:59 +02:00"
    )
    assert (
        figures.instant(datetime(2026, 10, 25, 1, 0, 0, tzinfo=UTC), "Europe/Berlin")
        == "2026-10-25 02:00:00 +01:00"
    )
    assert figures.instant(datetime(2026, 7, 1, tzinfo=UTC)) == "2026-07-01 00:00:00 UTC"


@pytest.mark.parametrize(
    ("elapsed", "text"),
    [
        (499, None),
        (500, "over 50 % used"),
        (749, "over 50 % used"),
        (750, "over 75 % used"),
        (900, "over 90 % used"),
    ],
)
def test_risk_steps_are_reached_exactly(elapsed: int, text: str | None) -> None:
    assert figures.risk(Ratio(elapsed, 1000)) == text


def test_what_is_added_is_signed_with_a_minus_and_nothing_is_not() -> None:
    assert [figures.signed(value) for value in (3, -1, 0)] == ["+3", "−1", "0"]


def test_severities_are_written_as_a_run_only_without_gaps() -> None:
    assert figures.severities((1, 2, 3, 4)) == "severities 1–4"
    assert figures.severities((1, 2, 4)) == "severities 1, 2, 4"
    assert figures.severities((5,)) == "severity 5"


def test_causes_are_told_largest_first_and_cut_after_five() -> None:
    found = [Unjudged("ticket", None, None, 21, 300)]
    found += [Unjudged("ticket", None, f"cause {number}", 7 - number, 300) for number in range(1, 7)]
    assert figures.unjudged(found) == (
        "Not judged: 21 of 300 tickets: cause 1 (6); cause 2 (5); cause 3 (4); cause 4 (3); cause 5 (2); 1 other cause.",
    )
    assert figures.unjudged(found[:6]) == (
        "Not judged: 21 of 300 tickets: cause 1 (6); cause 2 (5); cause 3 (4); cause 4 (3); cause 5 (2).",
    )


def test_nothing_refused_and_nothing_left_unjudged_is_said_too() -> None:
    assert figures.unjudged(
        [Unjudged("record", None, None, 0, 40), Unjudged("ticket", None, None, 0, 7)]
    ) == (
        "Refused: none of 40 records.",
        "Not judged: none of 7 tickets.",
    )


def test_locales_without_a_translation_are_told_with_their_customers() -> None:
    found = [UntranslatedLocale("sv", 3), UntranslatedLocale("pt-BR", 1)]
    assert figures.untranslated_locales(found) == (
        "Reports are written in English for locales without a translation: sv (3 customers), pt-BR (1 customer).",
    )
    assert figures.untranslated_locales([]) == ()


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (Ratio(9, 10), "90.0 %"),
        (Ratio(9, 9), "9 of 9"),
        (Ratio(0, 1), "0 of 1"),
        (Ratio(0, 0), "n/a"),
        (Ratio(0, 0, Bounds(0, 1, 1)), "1 undecided"),
        (Ratio(3, 4, Bounds(3, 5, 6)), "3 of 4, 2 undecided"),
        # With what is undecided there are ten.
        (Ratio(3, 4, Bounds(3, 9, 10)), "30.0 % to 90.0 %"),
    ],
)
def test_a_rate_of_few_promises_is_shown_as_its_counts(ratio: Ratio, text: str) -> None:
    assert figures.rate_or_count(ratio) == text


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [
        (Ratio(19, 20), Ratio(18, 20), "+5.0 points on May 2026 (90.0 %)"),
        (Ratio(18, 20), Ratio(9, 10), "no change on May 2026"),
        (Ratio(18, 20), Ratio(4, 4), "May 2026: 4 of 4"),
        (Ratio(18, 20), Ratio(0, 0), "May 2026: nothing counted"),
        (Ratio(18, 20), Ratio(10, 10, Bounds(10, 20, 20)), "May 2026: 50.0 % to 100 %"),
    ],
)
def test_a_change_is_told_in_points_only_between_two_rates(now: Ratio, before: Ratio, text: str) -> None:
    assert figures.change_on(now, before, "2026-05") == text


@pytest.mark.parametrize(
    ("promised", "text"),
    [
        ([], None),
        ([(7200, "always")], "target 2 h on clock always"),
        ([(7200, "always"), (7200, "business_hours")], "target 2 h on 2 clocks"),
        ([(86400, "business_hours"), (7200, "always")], "targets from 2 h to 24 h"),
    ],
)
def test_targets_of_several_promises_are_their_shortest_and_longest(
    promised: list[tuple[int, str]], text: str | None
) -> None:
    assert figures.targets(promised) == text


def test_many_counted_intervals_of_a_verdict_are_told_by_their_number() -> None:
    known = {"target_seconds": 3600, "elapsed_seconds": 3000, "remaining_seconds": 600}
    obligation = Obligation(**dict.fromkeys(Obligation.__dataclass_fields__) | known)  # type: ignore[arg-type]
    told = "= elapsed 50 min of 1 h: 10 min left"
    assert figures.sum_of_verdict(obligation, [1200, 0, 1800]) == f"Counted 20 min + 30 min {told}"
    assert figures.sum_of_verdict(obligation, [300] * 10) == f"Counted 10 intervals {told}"
