"""A declared file is read to its end: one run names everything that is wrong, and nothing that is only a consequence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, Tag

from pipeline.declarations.declared import Declared, read_declared
from pipeline.declarations.problems import Place
from pipeline.declarations.read_yaml import read_yaml
from pipeline.declarations.values import (
    UNREPEATED,
    Date,
    Flag,
    Moment,
    Name,
    OneOf,
    Text,
    Zone,
    filled,
    told_apart_by,
    whole_number,
)
from pipeline.errors import Problem


class Dog(Declared):
    kind: Literal["dog"]
    tricks: Annotated[tuple[Text, ...], *UNREPEATED] = ()


class Cat(Declared):
    kind: Literal["cat"]
    lives: Annotated[int, *whole_number(0, 9)]


Pet = Annotated[
    Annotated[Dog, Tag("dog")] | Annotated[Cat, Tag("cat")], told_apart_by("kind", ("dog", "cat"))
]


class Owner(Declared):
    name: Name
    zone: Zone = "UTC"
    size: Annotated[str, OneOf(("small", "large"))] = "small"
    is_member: Flag = False
    since: Moment | None = None
    visits: dict[Date, Text] = {}
    friend: Text | None = None

    def check(self, place: Place) -> None:
        if self.friend and self.friend == self.name:
            place.report(["friend"], "this is the owner.", "Name another.")


class Register(Declared):
    owners: Annotated[tuple[Owner, ...], filled("there is no owner.", "Name one.")]
    pets: dict[Text, Pet] = {}
    first_pet: Cat | None = None
    from_year: int | None = Field(default=None, alias="from")


def read(folder: Path, text: str) -> tuple[Register, list[str]]:
    """The register, and its problems without the name of the file."""
    (folder / "register.yml").write_text(text, encoding="utf-8")
    problems: list[Problem] = []
    register, _ = read_declared(Register, read_yaml(folder / "register.yml"), problems)
    return register, [str(problem).removeprefix(f"{folder}/register.yml:") for problem in problems]


def test_file_without_problems_is_read_as_it_is_written(tmp_path: Path) -> None:
    register, problems = read(
        tmp_path,
        "owners: [{name: ann, size: large, visits: {2026-01-02: first}}]\n"
        "pets: {rex: {kind: dog, tricks: [sit, 7]}}\n"
        "from: 2020\n",
    )
    assert problems == []
    (owner,) = register.owners
    assert (owner.name, owner.size, owner.zone, owner.is_member) == ("ann", "large", "UTC", False)
    assert [(day.isoformat(), note) for day, note in owner.visits.items()] == [("2026-01-02", "first")]
    assert register.pets["rex"] == Dog(kind="dog", tricks=("sit", "7"))
    assert register.from_year == 2020


@pytest.mark.parametrize(
    ("owner", "message"),
    [
        ("{name: Ann}", "name: 'Ann' is not a usable name. Use lower case letters, digits and underscores,"),
        ("{name: ''}", "name: the value is empty. Write one."),
        ("{name: }", "name: the value is empty. Write one."),
        ("{name: [ann]}", "name: a list stands where text is expected. Put the text in quotes."),
        ("{name: ann, zone: Europe/Berln}", "zone: 'Europe/Berln' is not a time zone. Did you mean 'Europe/Berlin'?"),
        ("{name: ann, size: smal}", "size: 'smal' is not known here. Did you mean 'small'? Known: large, small."),
        ("{name: ann, size: {}}", "size: a mapping stands where text is expected. Put the text in quotes."),
        ("{name: ann, is_member: yes}", "is_member: 'yes' is neither true nor false. Write true or false."),
        ("{name: ann, since: soon}", "since: 'soon' is neither a date nor an instant with its zone. Write it like"),
        ("{name: ann, since: 2026-01-01T00:00:00}", "since: '2026-01-01T00:00:00' is neither a date nor an instant"),
        ("{name: ann, visits: {2026-02-29: x}}", "visits.2026-02-29: '2026-02-29' is not a date. Write it as 2026-12-25."),
        ("{name: ann, visits: [x]}", "visits: a list stands where a mapping is expected. Write 'key: value' lines."),
        ("{name: ann, sise: large}", "sise: this key is not known here. Did you mean 'size'? Known: "),
        ("{name: ann, friend: ann}", "friend: this is the owner. Name another."),
    ],
)  # fmt: skip
def test_wrong_value_is_told_with_line_path_reason_and_hint(tmp_path: Path, owner: str, message: str) -> None:
    _, (problem,) = read(tmp_path, f"owners:\n  - {owner}\n")
    assert problem.startswith(f"2: owners.0.{message}")


@pytest.mark.parametrize(
    ("pet", "message"),
    [
        ("{kind: dgo}", "rex.kind: 'dgo' is not known here. Did you mean 'dog'? Known: cat, dog."),
        ("{kind: dog, lives: 9}", "rex.lives: this key is not known here. Known: kind, tricks."),
        ("{kind: cat}", "rex: the key 'lives' is missing. Add it."),
        ("{kind: cat, lives: 10}", "rex.lives: 10 is not a whole number from 0 to 9. Correct it."),
        ("{kind: cat, lives: true}", "rex.lives: True is not a whole number from 0 to 9. Correct it."),
        ("{kind: dog, tricks: [sit, roll, sit]}", "rex.tricks.2: 'sit' stands here twice. Keep one of the two."),
        ("{kind: dog, tricks: sit}", "rex.tricks: 'sit' stands where a list is expected. Write [first, second]"),
        ("dog", "rex: 'dog' stands where a mapping is expected. Write 'key: value' lines."),
    ],
)  # fmt: skip
def test_model_is_chosen_by_its_kind_and_told_by_its_own_keys(tmp_path: Path, pet: str, message: str) -> None:
    _, (problem,) = read(tmp_path, f"owners: [{{name: ann}}]\npets:\n  rex: {pet}\n")
    assert problem.startswith(f"3: pets.{message}")


def test_mapping_without_its_kind_names_the_key_that_is_nearly_it(tmp_path: Path) -> None:
    _, problems = read(tmp_path, "owners: [{name: ann}]\npets:\n  rex:\n    knd: dog\n")
    assert problems == [
        "4: pets.rex.knd: this key is not known here. Did you mean 'kind'? Known: kind.",
        "3: pets.rex: the key 'kind' is missing. Add it.",
    ]


def test_wrong_value_does_not_hide_what_is_wrong_beside_and_below_it(tmp_path: Path) -> None:
    register, problems = read(
        tmp_path,
        "owners:\n  - {name: Ann, zone: Mars}\n  - 7\n  - {name: bob, friend: bob}\n"
        "pets:\n  rex: 5\n  tom: {kind: cat, lives: 10}\nform: 1\n",
    )
    assert [problem.split(": ")[:2] for problem in problems] == [
        ["8", "form"],
        ["2", "owners.0.name"],
        ["2", "owners.0.zone"],
        ["4", "owners.2.friend"],
        ["3", "owners.1"],
        ["7", "pets.tom.lives"],
        ["6", "pets.rex"],
    ]
    # What is usable stays where it was, for those who refer to it.
    assert [owner.name for owner in register.owners] == ["", "", "bob"]
    assert list(register.pets) == ["tom"]


@pytest.mark.parametrize("text", ["", "owners:\n", "owners: []\n", "- ann\n", "ann\n"])
def test_file_that_says_nothing_or_is_no_mapping_has_one_problem(tmp_path: Path, text: str) -> None:
    register, problems = read(tmp_path, text)
    assert len(problems) == 1
    assert register.owners == ()


def test_key_without_a_value_counts_as_not_written(tmp_path: Path) -> None:
    register, problems = read(tmp_path, "owners:\n  - {name: ann, zone: , friend: }\npets:\nfirst_pet:\n")
    assert problems == []
    assert register.owners[0].model_fields_set == {"name"}
    assert (register.pets, register.first_pet) == ({}, None)


def test_names_of_a_mapping_are_known_even_where_their_values_are_wrong(tmp_path: Path) -> None:
    (tmp_path / "register.yml").write_text("pets: {rex: 5, 7: {kind: dog}}\n", encoding="utf-8")
    _, place = read_declared(Register, read_yaml(tmp_path / "register.yml"), [])
    assert place.names_at("pets") == ("rex", 7)
    assert place.names_at("owners") == ()
