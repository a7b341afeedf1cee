"""Each output holds the words of its own customer only, and a name that is a formula, code or a path stays a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.delivery.canaries import FORMULAS, PATHS, PAYLOADS, TYPST, try_canaries


@pytest.mark.parametrize("count", [9, pytest.param(200, marks=pytest.mark.long)])
def test_every_output_holds_its_own_customer_only_and_payloads_take_no_effect(
    tmp_path: Path, count: int
) -> None:
    judged = try_canaries(tmp_path / "all" / "vendor", tmp_path / "all" / "out", count)
    assert sum(judged.values()) == 5 * count


def test_payloads_are_of_all_three_kinds_and_no_two_are_the_same() -> None:
    assert (len(FORMULAS), len(TYPST), len(PATHS)) == (60, 40, 40)
    assert len(set(PAYLOADS)) == 140
