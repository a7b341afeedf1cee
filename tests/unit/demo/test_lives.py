"""The desk's own clock, and the order within one ticket's life."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest

from pipeline.demo.cast import Person
from pipeline.demo.lives import HOUR, Draft, advance, draw_severity, live

REQUESTER = Person("customer", 1, "Rosa Rossi", "rosa@customer.example")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        # 2026-06-26 is a Friday; the desk is open 06:00-21:00.
        ("2026-06-26 20:00", 2, "2026-06-29 07:00"),
        ("2026-06-27 12:00", 1, "2026-06-29 07:00"),
        ("2026-06-29 03:00", 14, "2026-06-29 20:00"),
        ("2026-06-29 06:00", 75, "2026-07-06 06:00"),
        ("2026-06-29 07:00", -2, "2026-06-26 20:00"),
    ],
)
def test_advance_counts_open_hours_only_on_the_desks_clock(start: str, hours: int, expected: str) -> None:
    assert advance(at(start), hours * HOUR, is_always=False) == at(expected)


def test_advance_counts_every_hour_around_the_clock() -> None:
    assert advance(at("2026-06-26 20:00"), 8 * HOUR, is_always=True) == at("2026-06-27 04:00")


@pytest.mark.parametrize("plan", ["standard", "enhanced", "premium"])
def test_life_begins_with_the_submission_and_has_rising_instants_below_its_end(plan: str) -> None:
    rng = Random(3)
    start = at("2026-06-24 19:30")
    ends_at = at("2026-07-01 00:00")
    for serial in range(500):
        draft = Draft(start, 0, serial, "web_form", draw_severity(rng), "")
        merge_into = "10001" if serial % 50 == 0 else None
        steps, late_answer_at = live(rng, draft, REQUESTER, REQUESTER, plan, 0.9, merge_into, ends_at)
        instants = [step.at for step in steps]
        assert instants == sorted(set(instants))
        assert (steps[0].at, steps[0].actor) == (start, REQUESTER)
        assert instants[-1] < ends_at
        assert late_answer_at is None or late_answer_at > start
        answers = [step.at for step in steps[1:] if step.actor.kind == "agent"]
        assert all(answer > start for answer in answers)


def test_life_sets_no_status_that_holds_already() -> None:
    rng = Random(4)
    for serial in range(500):
        draft = Draft(at("2026-03-04 10:00"), 0, serial, "console", 3, "")
        steps, _ = live(rng, draft, REQUESTER, REQUESTER, "enhanced", 0.9, None, at("2027-07-01 00:00"))
        statuses = ["new"] + [
            act.value for step in steps for act in step.acts if act.kind == "status_changed"
        ]
        assert all(before != after for before, after in zip(statuses, statuses[1:], strict=False))


def test_life_has_no_public_agent_message_when_it_is_staged_as_unanswered() -> None:
    draft = Draft(at("2026-06-24 10:00"), 0, 0, "web_form", 3, "unanswered")
    for seed in range(50):
        steps, late_answer_at = live(
            Random(seed), draft, REQUESTER, REQUESTER, "standard", 0.9, None, at("2026-07-01 00:00")
        )
        assert late_answer_at is None
        assert not [
            act for step in steps if step.actor.kind == "agent" for act in step.acts if act.value == "public"
        ]
