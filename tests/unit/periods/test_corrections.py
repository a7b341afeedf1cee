"""Stories of what arrives after a month was closed: the lines of each correction, worked out by hand.

May 2026 is closed as of 10 June. Target of a first response: 24 h.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import duckdb
import pytest

from pipeline.errors import ConfigurationError
from pipeline.periods.close import close_due, record_corrections
from pipeline.periods.compare import Key, digest_figures, read_by_closing
from pipeline.periods.records import (
    Closing,
    Correction,
    History,
    add_corrections,
    append_record,
    keep_build,
    read_history,
)
from pipeline.pointer import Pointer
from pipeline.reporting.compliance import read_compliance
from pipeline.reporting.published import EVERY_CUSTOMER, Selection, open_published
from pipeline.rules.periods import PeriodRules
from pipeline.settings import Workspace
from pipeline.warehouse.publish import publish
from tests.unit.periods.kept_builds import (
    HOUR,
    Figures,
    Unit,
    Verdict,
    make_workspace,
    publish_figures,
    utc,
    write_figures,
)

CLOSING = utc("2026-06-10T12:00:00")
LATER = utc("2026-06-20T12:00:00")
RULES = PeriodRules(first_month="2026-05")

LATE = Verdict("T-1", "breached", utc("2026-05-06T15:00:00"), elapsed_seconds=30 * HOUR)
IN_TIME = Verdict("T-2", "met", utc("2026-05-07T10:00:00"), elapsed_seconds=2 * HOUR)
GRANT = Unit("grant", 10, utc("2026-05-01T00:00:00"))
USE = Unit("use", -1, utc("2026-05-05T09:00:00"), "T-1")
MAY = Figures(CLOSING, (LATE, IN_TIME), (GRANT, USE))

Line = tuple[str, str | None, str | None, str | None, tuple[str, ...]]


def close_may(root: Path, figures: Figures = MAY) -> Workspace:
    """A workspace in which May is closed with `figures`."""
    workspace = make_workspace(root)
    pointer = publish_figures(workspace, "build-a", figures)
    with open_published(workspace) as published:
        closed = close_due(workspace, published, pointer, RULES)
    assert {closing.month for closing in closed.closings} == {"2026-05"}
    return workspace


def correct(workspace: Workspace, figures: Figures, build_id: str = "build-b") -> tuple[Correction, ...]:
    return record_corrections(workspace, publish_figures(workspace, build_id, figures))


def lines_of(corrections: Iterable[Correction]) -> list[Line]:
    return [
        (change.what, change.ticket_id, change.old, change.new, change.causes)
        for correction in corrections
        for change in correction.changes
    ]


def test_ticket_that_lands_late_is_added_with_its_unit_and_the_file_that_brought_it(tmp_path: Path) -> None:
    late = Verdict("T-9", "breached", utc("2026-05-20T09:00:00"), elapsed_seconds=25 * HOUR, batch="batch-2")
    use = Unit("use", -1, utc("2026-05-19T08:00:00"), "T-9")
    after = replace(MAY, as_of=LATER, verdicts=(*MAY.verdicts, late), units=(*MAY.units, use))
    corrections = correct(close_may(tmp_path), after.land("inbox/desk/late.csv", "batch-2"))

    assert [(each.customer_id, each.month, each.correction_number) for each in corrections] == [
        ("acme", "2026-05", 1)
    ]
    file = ("inbox/desk/late.csv (batch-2-)",)
    assert lines_of(corrections) == [
        # 10 - 1 was left; the late ticket draws one more.
        ("closing balance", None, "9", "8", file),
        ("tickets submitted", None, "2", "3", file),
        ("use", "T-9", None, "-1", file),
        ("level", "T-9", None, "3", file),
        ("status", "T-9", None, "breached", file),
        ("target", "T-9", None, str(24 * HOUR), file),
        ("time counted", "T-9", None, str(25 * HOUR), file),
    ]


def test_waiver_that_is_approved_late_changes_the_verdict_and_names_the_waivers_file(tmp_path: Path) -> None:
    waived = replace(LATE, status="waived", waiver_id="W-1")
    after = replace(MAY, as_of=LATER, verdicts=(waived, IN_TIME)).change_input("reference/waivers.csv", "w2")
    assert lines_of(correct(close_may(tmp_path), after)) == [
        ("reason", "T-1", None, "waiver", ("reference/waivers.csv",)),
        ("status", "T-1", "breached", "waived", ("reference/waivers.csv",)),
        ("waiver", "T-1", None, "W-1", ("reference/waivers.csv",)),
    ]


def test_holiday_that_is_added_later_moves_the_due_time_and_names_the_calendar(tmp_path: Path) -> None:
    before = replace(LATE, due_at=utc("2026-05-06T15:00:00"))
    # The holiday of 6 May takes 15 open hours out: 30 h - 15 h = 15 h of 24 h, and due is a day later.
    moved = replace(LATE, status="met", elapsed_seconds=15 * HOUR, due_at=utc("2026-05-07T15:00:00"))
    workspace = close_may(tmp_path, replace(MAY, verdicts=(before, IN_TIME)))
    after = replace(MAY, as_of=LATER, verdicts=(moved, IN_TIME))
    calendar = ("reference/calendars/hours.yml",)
    assert lines_of(correct(workspace, after.change_input("reference/calendars/hours.yml", "h2"))) == [
        ("due", "T-1", "2026-05-06 15:00:00", "2026-05-07 15:00:00", calendar),
        ("status", "T-1", "breached", "met", calendar),
        ("time counted", "T-1", str(30 * HOUR), str(15 * HOUR), calendar),
    ]


def test_renamed_customer_has_one_line(tmp_path: Path) -> None:
    after = replace(MAY, as_of=LATER, names={"acme": "Acme Group"}).change_input(
        "reference/customers.csv", "c2"
    )
    assert lines_of(correct(close_may(tmp_path), after)) == [
        ("name", None, "Acme", "Acme Group", ("reference/customers.csv",))
    ]


def test_merged_customer_leaves_the_month_and_the_other_one_gets_its_tickets(tmp_path: Path) -> None:
    other = replace(IN_TIME, customer_id="beta")
    workspace = close_may(tmp_path, Figures(CLOSING, (LATE, other)))
    after = Figures(LATER, (LATE, IN_TIME), names={"acme": "Acme", "beta": "Beta"})
    corrections = correct(workspace, after.change_input("reference/customers.csv", "c2"))

    file = ("reference/customers.csv",)
    acme, beta = corrections
    assert (acme.customer_id, beta.customer_id) == ("acme", "beta")
    assert lines_of([acme]) == [
        ("tickets submitted", None, "1", "2", file),
        ("level", "T-2", None, "3", file),
        ("status", "T-2", None, "met", file),
        ("target", "T-2", None, str(24 * HOUR), file),
        ("time counted", "T-2", None, str(2 * HOUR), file),
    ]
    assert lines_of([beta]) == [
        ("name", None, "Beta", None, file),
        ("tickets submitted", None, "1", None, file),
        ("level", "T-2", "3", None, file),
        ("status", "T-2", "met", None, file),
        ("target", "T-2", str(24 * HOUR), None, file),
        ("time counted", "T-2", str(2 * HOUR), None, file),
    ]


def test_bug_that_is_confirmed_two_months_later_is_a_credit_of_that_month_and_corrects_nothing(
    tmp_path: Path,
) -> None:
    # The ledger dates the credit at the confirmation, 12 July: May's movements and balances stay.
    credit = Unit("credit", 1, utc("2026-07-12T09:00:00"), "T-1")
    after = replace(MAY, as_of=utc("2026-07-15T12:00:00"), units=(*MAY.units, credit))
    assert correct(close_may(tmp_path), after.land("inbox/desk/july.csv", "batch-2")) == ()


def test_file_that_lands_again_with_another_answer_corrects_the_verdict(tmp_path: Path) -> None:
    again = replace(LATE, status="met", elapsed_seconds=20 * HOUR, batch="batch-2")
    after = replace(MAY, as_of=LATER, verdicts=(again, IN_TIME))
    file = ("inbox/desk/june.csv (batch-2-)",)
    assert lines_of(correct(close_may(tmp_path), after.land("inbox/desk/june.csv", "batch-2"))) == [
        ("status", "T-1", "breached", "met", file),
        ("time counted", "T-1", str(30 * HOUR), str(20 * HOUR), file),
    ]


def test_change_back_to_the_original_values_is_a_correction_too(tmp_path: Path) -> None:
    workspace = close_may(tmp_path)
    renamed = replace(MAY, as_of=LATER, names={"acme": "Acme Group"}).change_input(
        "reference/customers.csv", "c2"
    )
    correct(workspace, renamed)
    (back,) = correct(workspace, replace(MAY, as_of=LATER), "build-c")
    assert (back.correction_number, lines_of([back])) == (
        2,
        [("name", None, "Acme Group", "Acme", ("reference/customers.csv",))],
    )


def test_unanswered_breach_that_is_answered_after_the_closing_changes_nothing_of_the_month(
    tmp_path: Path,
) -> None:
    # It was breached in May and counted on until 10 June; the answer of 15 June ends it. Neither time is a figure of May.
    waiting = replace(LATE, elapsed_seconds=600 * HOUR, stopped_at=utc("2026-06-15T09:00:00"))
    workspace = close_may(tmp_path, replace(MAY, verdicts=(waiting, IN_TIME)))
    answered = replace(waiting, elapsed_seconds=650 * HOUR)
    assert correct(workspace, replace(MAY, as_of=LATER, verdicts=(answered, IN_TIME))) == ()


def test_value_that_no_file_explains_names_every_input_that_differs(tmp_path: Path) -> None:
    harder = replace(LATE, severity=4)
    after = replace(MAY, as_of=LATER, verdicts=(harder, IN_TIME)).change_input("code", "p2")
    both = after.change_input("reference/waivers.csv", "w2")
    assert lines_of(correct(close_may(tmp_path), both)) == [
        ("level", "T-1", "3", "4", ("one of program (code), reference/waivers.csv",))
    ]


def test_build_as_of_an_earlier_instant_than_the_closing_corrects_nothing(tmp_path: Path) -> None:
    workspace = close_may(tmp_path)
    assert correct(workspace, Figures(utc("2026-06-09T12:00:00"), (IN_TIME,))) == ()
    with open_published(workspace) as published:
        assert published.history.closed() == {}


def test_same_figures_from_other_inputs_are_no_correction(tmp_path: Path) -> None:
    after = replace(MAY, as_of=LATER).change_input("code", "p2")
    assert correct(close_may(tmp_path), after) == ()


def test_build_on_record_that_lacks_a_column_is_named_with_what_to_do(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path)
    workspace.warehouse.mkdir()
    # As a later version of the program would find a build of this one.
    built = workspace.warehouse / "build-a.built"
    write_figures(built, "build-a", MAY)
    with duckdb.connect(str(built)) as connection:
        connection.execute("alter table core.fct_sla_obligations drop column waiver_id")
    pointer = publish(workspace, built, "build-a", MAY.as_of, MAY.as_of)
    record = Closing(1, "2026-05", "UTC", 1, keep_build(pointer), CLOSING, "", {})
    append_record(workspace, record)
    with pytest.raises(
        ConfigurationError, match="build-a.duckdb, with which 2026-05 were recorded, was made by a version"
    ):
        correct(workspace, replace(MAY, as_of=LATER))


def test_figures_of_a_closed_month_stay_on_every_page_while_other_months_follow_the_newest_build(
    tmp_path: Path,
) -> None:
    june = Verdict("T-5", "met", utc("2026-06-02T09:00:00"))
    workspace = close_may(tmp_path, replace(MAY, verdicts=(LATE, IN_TIME, june)))
    after = Figures(LATER, (replace(LATE, status="met"), IN_TIME, replace(june, status="breached")))
    correct(workspace, after)
    with open_published(workspace) as published:
        may, june_now = (
            read_compliance(published, EVERY_CUSTOMER, Selection(months=(month,)), by=())
            for month in ("2026-05", "2026-06")
        )
    assert (may.total.met, may.total.breached) == (1, 1)
    assert (june_now.total.met, june_now.total.breached) == (0, 1)
    assert [(each.month, each.corrections) for each in may.closed] == [("2026-05", 1)]


Figured = dict[tuple[str, str], dict[Key, str]]


def read_originals(workspace: Workspace, history: History) -> dict[int, Figured]:
    """Number of a closing in force -> the figures of its month and zone, as the build on record has them."""
    closings = list(history.closed().values())
    builds = {closing.build.build_id: closing.build for closing in closings}
    found: dict[int, Figured] = {}
    for build_id, build in builds.items():
        own = [closing for closing in closings if closing.build.build_id == build_id]
        found |= read_by_closing(workspace, build, own)
    return found


def sum_and_fresh(
    workspace: Workspace, pointer: Pointer, originals: Mapping[int, Figured]
) -> tuple[dict[object, object], dict[object, object]]:
    """Per customer and closed month: the original with its corrections added, and the figures of the served build."""
    history = read_history(workspace)
    closed = history.closed().values()
    of_served = read_by_closing(workspace, keep_build(pointer), closed)
    summed: dict[object, object] = {}
    fresh: dict[object, object] = {}
    for closing in closed:
        original, now = originals[closing.number], of_served[closing.number]
        customers = {*original, *now} | {
            (each.customer_id, each.month) for each in history.corrections(month=closing.month)
        }
        for customer_id, month in customers:
            corrections = [
                [change for change in each.changes if change.time_zone == closing.time_zone]
                for each in history.corrections(customer_id, month)
            ]
            key = (customer_id, month, closing.time_zone)
            if result := add_corrections(original.get((customer_id, month), {}), corrections):
                summed[key] = result
            if (customer_id, month) in now:
                fresh[key] = now[customer_id, month]
    return summed, fresh


def live_through(root: Path, chance: Random, months: int) -> None:
    """Months of closings with truth that arrives late and in any order; after each run the sum is the fresh computation."""
    workspace = make_workspace(root)
    verdicts: dict[str, Verdict] = {}
    units: dict[str, Unit] = {}
    customers = ["acme", "beta", "gamma"]
    names = {each: each.title() for each in customers}
    issued: dict[tuple[str, str], str] = {}
    # The figures of each original, read when it was closed; at the end the builds on record must still have them.
    originals: dict[int, Figured] = {}
    for month in range(1, months + 1):
        for number in range(chance.randint(1, 4)):
            ticket_id = f"T-{month}-{number}"
            # Of this month, or one that should have been there earlier.
            of_month = chance.randint(max(1, month - 3), month)
            at = datetime(2026, of_month, chance.randint(1, 28), 9, tzinfo=UTC)
            zone = chance.choice(["UTC", "UTC", "Europe/Berlin"])
            verdicts[ticket_id] = Verdict(
                ticket_id, chance.choice(["met", "breached"]), at, chance.choice(customers), time_zone=zone
            )
            units[ticket_id] = Unit("use", -1, at, ticket_id, verdicts[ticket_id].customer_id)
        for ticket_id in chance.sample(sorted(verdicts), min(2, len(verdicts))):
            was = verdicts[ticket_id]
            change = chance.choice(["status", "customer", "waiver", "gone", "level"])
            if change == "gone":
                del verdicts[ticket_id], units[ticket_id]
                continue
            verdicts[ticket_id] = replace(
                was,
                status=chance.choice(["met", "breached"]) if change == "status" else was.status,
                customer_id=chance.choice(customers) if change == "customer" else was.customer_id,
                waiver_id=chance.choice([None, "W-1"]) if change == "waiver" else was.waiver_id,
                severity=chance.randint(1, 4) if change == "level" else was.severity,
            )
            units[ticket_id] = replace(units[ticket_id], customer_id=verdicts[ticket_id].customer_id)
        if chance.random() < 0.2:
            names[chance.choice(customers)] = f"Name of {month}"
        as_of = datetime(2026, month + 1, chance.choice([3, 9, 20]), 12, tzinfo=UTC)
        listed = list(verdicts.values())
        chance.shuffle(listed)
        figures = Figures(as_of, tuple(listed), tuple(units.values()), dict(names)).change_input(
            "code", f"{month}"
        )
        pointer = publish_figures(workspace, f"build-{month}", figures)
        record_corrections(workspace, pointer)
        with open_published(workspace) as published:
            close_due(workspace, published, pointer, PeriodRules(first_month="2026-01"))
        history = read_history(workspace)
        for key, closing in history.closed().items():
            assert issued.setdefault(key, closing.figures_sha256) == closing.figures_sha256
        new = History(tuple(each for each in history.records if each.number not in originals))
        originals |= read_originals(workspace, new)
        summed, fresh = sum_and_fresh(workspace, pointer, originals)
        assert summed == fresh
    history = read_history(workspace)
    assert read_originals(workspace, history) == originals
    for closing in history.closed().values():
        assert digest_figures(originals[closing.number]) == closing.figures_sha256


@pytest.mark.parametrize("seed", range(3))
def test_original_and_corrections_sum_to_the_fresh_computation(tmp_path: Path, seed: int) -> None:
    live_through(tmp_path, Random(seed), months=4)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(200))
def test_a_year_of_closings_with_late_data_in_any_order_sums_to_the_fresh_computation(
    tmp_path: Path, seed: int
) -> None:
    live_through(tmp_path, Random(1000 + seed), months=11)
