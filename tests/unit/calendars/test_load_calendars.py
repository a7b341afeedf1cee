"""What is refused in a calendar file, and that the message names place, reason and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.calendars.load_calendars import load_calendars
from pipeline.errors import ConfigurationError, Problem


def refuse(folder: Path, *lines: str) -> tuple[Problem, ...]:
    """The problems of a calendar `desk` whose keys are these lines; the first stands on line 3."""
    file = folder / "calendars.yml"
    file.write_text(
        "\n".join(["calendars:", "  desk:", *(f"    {line}" for line in lines)]), encoding="utf-8"
    )
    with pytest.raises(ConfigurationError) as caught:
        load_calendars(file)
    assert caught.value.exit_code == 2
    return caught.value.problems


@pytest.mark.parametrize(
    ("line", "field", "reason", "hint"),
    [
        ("time_zone: Europe/Berln", "time_zone", "'Europe/Berln' is not a time zone", "'Europe/Berlin'"),
        ("time_zone: ../../etc/passwd", "time_zone", "is not a time zone", "tz database"),
        (
            'weekly: {mon: ["09:00-12:30", "12:29-17:00"]}',
            "weekly.mon.1",
            "overlap with those of mon, number 1",
            "Join",
        ),
        (
            'weekly: {fri: ["22:00-06:00"], sat: ["05:59-07:00"]}',
            "weekly.sat.0",
            "overlap with those of fri",
            "Join",
        ),
        (
            'weekly: {sun: ["22:00-06:00"], mon: ["05:59-07:00"]}',
            "weekly.mon.0",
            "overlap with those of sun",
            "Join",
        ),
        ('weekly: {monday: ["09:00-17:00"]}', "weekly.monday", "this key is not known", "'mon'"),
        ('weekly: {mon: ["9 to 5"]}', "weekly.mon.0", "'9 to 5' cannot be read as hours", "09:00-17:00"),
        ('weekly: {mon: ["09:00-24:01"]}', "weekly.mon.0", "does not exist", "24:00"),
        ('weekly: {mon: ["24:00-09:00"]}', "weekly.mon.0", "does not exist", "24:00"),
        ('weekly: {mon: ["09:60-10:00"]}', "weekly.mon.0", "does not exist", "24:00"),
        ('weekly: {mon: "09:00-17:00"}', "weekly.mon", "a list of hours is expected", '["09:00-17:00"]'),
        ("weekly: {mon: }", "weekly.mon", "a list of hours is expected", "[]"),
        ('holidays: ["2026-02-29"]', "holidays.0", "'2026-02-29' is not a date", "2026-12-25"),
        ('holidays: ["25.12.2026"]', "holidays.0", "is not a date", "2026-12-25"),
        (
            "holidays: [{country: XX}]",
            "holidays.0.country",
            "no public holidays are known for 'XX'",
            "two letters",
        ),
        ("holidays: [{country: de}]", "holidays.0.country", "no public holidays are known for 'de'", "'DE'"),
        ("holidays: [{country: DE, subdivision: XX}]", "holidays.0.subdivision", "'XX' is not known", "BE"),
        ("holidays: [{country: DE, years: [26]}]", "holidays.0.years.0", "26 is not a year", "2026"),
        (
            "holidays: [{country: DE, region: BE}]",
            "holidays.0.region",
            "this key is not known",
            "subdivision",
        ),
        ("holidays: [2026]", "holidays.0", "2026 is not a holiday", "country"),
        ('overrides: {"2026-13-01": []}', "overrides.2026-13-01", "is not a date", "2026-12-25"),
        (
            'overrides: {"2026-12-24": ["09:00-12:00", "11:00-13:00"]}',
            "overrides.2026-12-24.1",
            "overlap",
            "Join",
        ),
        (
            'breaks: {"2026-12-24": ["noon"]}',
            "breaks.2026-12-24.0",
            "'noon' cannot be read as hours",
            "09:00-17:00",
        ),
        ("holiday: []", "holiday", "this key is not known", "'holidays'"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place_reason_and_remedy(
    tmp_path: Path, line: str, field: str, reason: str, hint: str
) -> None:
    key = line.split(":")[0]
    rest = [other for other in ("time_zone: UTC", "weekly: {}") if not other.startswith(key)]
    (problem,) = refuse(tmp_path, line, *rest)
    assert (problem.file, problem.line) == (str(tmp_path / "calendars.yml"), 3)
    assert problem.field == f"calendars.desk.{field}"
    assert reason in problem.reason
    assert hint in (problem.hint or "")


def test_every_problem_of_a_file_is_named_at_once(tmp_path: Path) -> None:
    problems = refuse(tmp_path, "time_zone: Nowhere", "weekly: {mon: [x], tue: [y]}", "colour: red")
    assert [problem.line for problem in problems] == [5, 3, 4, 4]


@pytest.mark.parametrize(
    ("versions", "reason"),
    [
        ([], "there is no version here"),
        (
            [{"valid_from": "2026-07-01"}, {"valid_from": "2026-07-01"}],
            "does not begin after the one before it",
        ),
        (
            [{"valid_from": "2026-07-01T00:00:01Z"}, {"valid_from": "2026-07-01"}],
            "does not begin after the one before it",
        ),
        ([{}, {}], "only the first version may lack `valid_from`"),
        ([{"valid_from": "soon"}], "neither a date nor an instant"),
        ([{"valid_from": "2026-07-01T00:00:00"}], "neither a date nor an instant"),
    ],
)
def test_versions_must_follow_one_another(
    tmp_path: Path, versions: list[dict[str, str]], reason: str
) -> None:
    lines = ["versions:" + (" []" if not versions else "")]
    for version in versions:
        lines += [
            "  - time_zone: UTC",
            "    weekly: {}",
            *(f'    {key}: "{value}"' for key, value in version.items()),
        ]
    problems = refuse(tmp_path, *lines)
    assert reason in problems[0].reason


def test_the_built_in_calendar_cannot_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "calendars.yml").write_text("calendars:\n  always: {time_zone: UTC, weekly: {}}\n")
    with pytest.raises(ConfigurationError, match="built-in 24/7 calendar"):
        load_calendars(tmp_path)


def test_a_folder_is_read_whole_and_a_name_in_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yml").write_text(
            f"calendars:\n  desk_{name}: {{time_zone: UTC, weekly: {{}}}}\n"
        )
    assert sorted(load_calendars(tmp_path)) == ["always", "desk_a", "desk_b"]
    (tmp_path / "c.yml").write_text("calendars:\n  desk_a: {time_zone: UTC, weekly: {}}\n")
    with pytest.raises(
        ConfigurationError, match=r"c.yml:2: calendars.desk_a: a calendar of this name stands in .*a.yml:2"
    ):
        load_calendars(tmp_path)


@pytest.mark.parametrize("text", ["", "calendars: 7", "- a", "kalender: {}"])
def test_a_file_without_calendars_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "calendars.yml").write_text(text)
    with pytest.raises(ConfigurationError):
        load_calendars(tmp_path)
