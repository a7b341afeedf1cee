"""Lists inside a record: a ticket that comes with its comments, and with a history whose entries hold several changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigurationError
from pipeline.ingest.files.limits import DEPTH, LIST_ELEMENTS
from pipeline.ingest.forms.landed_rows import Unusable
from pipeline.ingest.forms.read_paths import ListReader
from pipeline.rules.load_mapping import load_mapping
from pipeline.rules.mapping import MappedColumn, NestedList
from tests.unit.ingest.conftest import Landing

MAPPING = """\
dates: [iso]
evidence: [messages, statuses]
values:
  status: {New: new, Open: open, Wait: pending, Done: solved}
files:
  tickets:
    format: [ndjson, json, xml]
    records_at: data.issues
    lists:
      comments: thread.comments
      history: [changelog.histories, changes]
      item: history.items
    columns:
      author: [history.author.id, history.author.name]
      reviewer: {optional: true}
    tickets:
      ticket_id: id
      submitted_at: created
      updated_at: updated
      severity: {column: "custom_fields[id=77].value", values: {gold: 4}}
      tags: labels
      requester: reviewer
    people:
      each: comments
      person_id: comments.by.id
      actor_kind: {column: comments.by.side, values: {staff: agent, user: customer}}
    events:
      - each: comments
        event_type: {constant: message}
        event_id: comments.id
        event_at: comments.at
        actor: comments.by.id
        is_public: {column: comments.internal, values: {"true": false, "false": true}}
      - each: item
        event_type: {constant: status_changed}
        event_id: {join: [history.id, item.id], separator: "."}
        event_at: history.at
        actor: author
        value: {column: item.to, values: status}
        value_before: {column: item.from, values: status}
        when: {column: item.field, is: status}
"""
MIA, CARLA = {"id": 5, "side": "staff"}, {"id": 6, "side": "user"}


def ticket(**changes: Any) -> dict[str, Any]:
    comments = [
        {"id": 1, "at": "2026-07-01T08:10:00Z", "by": CARLA, "internal": False},
        {"id": 2, "at": "2026-07-01T09:00:00Z", "by": MIA, "internal": True},
    ]
    items = [
        {"id": 1, "field": "status", "from": "New", "to": "Open"},
        {"id": 2, "field": "group", "to": "second"},
        {"id": 3, "field": "status", "from": "Open", "to": "Wait"},
    ]
    entry = {"id": 31, "at": "2026-07-01T10:00:00Z", "author": {"id": 5}, "items": items}
    return {
        "id": 7,
        "created": "2026-07-01T08:00:00Z",
        "updated": "2026-07-02T08:00:00Z",
        "labels": ["vpn", "urgent"],
        "custom_fields": [{"id": 76, "value": "x"}, {"id": 77, "value": "gold"}],
        "thread": {"comments": comments},
        "changelog": {"histories": [entry]},
    } | changes


def lines(*documents: Any) -> str:
    return "".join(json.dumps(one) + "\n" for one in documents)


@pytest.fixture
def mapped(declare: Callable[[str], Landing], tmp_path: Path) -> Callable[..., Landing]:
    """A landing whose source `desk` is read with the mapping above, with some of its text replaced."""

    def read_with(*replaced: tuple[str, str]) -> Landing:
        text = MAPPING
        for old, new in replaced:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        folder = tmp_path / "reference" / "mappings"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "desk.yml").write_text(text, encoding="utf-8")
        return declare("sources:\n  desk: {type: mapped, mapping: mappings/desk.yml}\n")

    return read_with


MESSAGES = "message_id, ticket_id, is_public, author_id, said_at, update_id, place, version_at"
CHANGES = "change_id, change_kind, field_name, value_before, value, changed_at, author_id, update_id, place"
UPDATED = datetime(2026, 7, 2, 8)


def test_comments_changes_and_people_inside_a_ticket_land_as_rows_of_it(mapped) -> None:
    landing = mapped()
    result = landing.land("desk", "a.ndjson", lines(ticket()))
    assert (result.rows_read, result.rows_landed, result.problems) == (1, 1, ())
    assert landing.rows("ticket_versions", "ticket_id, severity, tags, evidence") == [
        ("7", "4", "vpn urgent", "messages statuses resolution")
    ]
    said = datetime(2026, 7, 1, 8, 10), datetime(2026, 7, 1, 9)
    assert landing.rows("ticket_messages", MESSAGES) == [
        ("tickets1:7:1", "7", True, "6", said[0], "tickets.comments:1", None, UPDATED),
        ("tickets1:7:2", "7", False, "5", said[1], "tickets.comments:2", None, UPDATED),
    ]
    at, series = datetime(2026, 7, 1, 10), "tickets.item:31."
    assert landing.rows("ticket_changes", CHANGES) == [
        ("tickets2:7:31.1", "event", "status_changed", "new", "open", at, "5", f"{series}1", None),
        ("tickets2:7:31.3", "event", "status_changed", "open", "pending", at, "5", f"{series}3", None),
    ]
    assert landing.rows("people", "person_id, role") == [("6", "customer"), ("5", "agent")]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([ticket(), ticket(id=8)]),
        lines({"data": {"issues": [ticket(), ticket(id=8)]}}),
        json.dumps({"data": {"total": 2, "issues": [ticket(), ticket(id=8)]}}, indent=1),
    ],
    ids=["a list", "a page on a line", "a page over many lines"],
)
def test_tickets_may_stand_in_a_list_or_in_the_pages_of_an_answer(mapped, content: str) -> None:
    landing = mapped()
    assert landing.land("desk", "a.json", content).rows_landed == 2
    assert [row[0] for row in landing.rows("ticket_messages", "message_id, said_at")] == [
        "tickets1:7:1", "tickets1:7:2", "tickets1:8:1", "tickets1:8:2",
    ]  # fmt: skip


def test_a_single_element_of_xml_is_a_list_of_one_and_an_empty_one_of_none(mapped) -> None:
    one = "<c><id>1</id><at>2026-07-01T09:00:00Z</at><by><id>5</id><side>staff</side></by><internal>false</internal></c>"
    entry = "<h><id>3</id><at>2026-07-01T10:00:00Z</at><author><id>5</id></author><items/></h>"
    rest = "<created>2026-07-01T08:00:00Z</created><updated/><labels/><custom_fields/>"
    tickets = "".join(
        f"<t><id>{number}</id>{rest}<thread>{comments}</thread><log>{entry}</log></t>"
        for number, comments in ((1, one + one.replace(">1<", ">2<")), (2, one), (3, ""))
    )
    landing = mapped(
        ("    records_at: data.issues\n", ""),
        ("[ndjson, json, xml]", "xml"),
        ("comments: thread.comments", "comments: thread.c"),
        ("[changelog.histories, changes]", "log.h"),
        ("history.items", "history.items.i"),
        ('{column: "custom_fields[id=77].value", values: {gold: 4}}', "{constant: 4}"),
    )
    result = landing.land("desk", "a.xml", f"<all>{tickets}</all>")
    assert result.problems == ()
    assert landing.rows("ticket_versions", "ticket_id, evidence") == [
        (number, "messages statuses resolution") for number in "123"
    ]
    assert landing.rows("ticket_messages", "message_id") == ["tickets1:1:1", "tickets1:1:2", "tickets1:2:1"]


def test_of_a_record_without_its_list_nothing_is_known_that_only_the_list_shows(mapped) -> None:
    landing = mapped()
    empty = ticket(id=2, thread={"comments": []}, changelog={"histories": []})
    silent = ticket(id=3, thread={"comments": None})
    cut_off = ticket(id=4, changelog={"histories": [{"id": 1, "at": "2026-07-01T09:00:00Z"}]})
    other = ticket(id=5, changes=ticket()["changelog"]["histories"])
    del other["changelog"]
    result = landing.land("desk", "a.ndjson", lines(ticket(id=1), empty, silent, cut_off, other))
    assert landing.rows("ticket_versions", "ticket_id, evidence") == [
        ("1", "messages statuses resolution"),
        ("2", "messages statuses resolution"),
        ("3", "statuses resolution"),
        ("4", "messages"),
        ("5", "messages statuses resolution"),
    ]
    said = [(problem.field, problem.reason.partition(";")[0]) for problem in result.warnings]
    assert said[-2:] == [
        ("thread.comments", "records without this list: 1"),
        ("changelog.histories.items", "records without this list: 1"),
    ]


def test_a_list_that_is_left_out_where_it_is_empty_may_be_declared_so(mapped) -> None:
    landing = mapped(("comments: thread.comments", "comments: {at: thread.comments, empty_if_missing: true}"))
    landing.land("desk", "a.ndjson", lines(ticket(), ticket(id=8, thread={}), ticket(id=9, thread=None)))
    assert landing.rows("ticket_versions", "evidence") == ["messages statuses resolution"] * 3


def test_a_file_without_a_list_is_refused_unless_the_list_is_optional(mapped) -> None:
    content = lines({key: value for key, value in ticket().items() if key != "thread"})
    result = mapped().land("desk", "a.ndjson", content)
    assert "the header lacks 'thread.comments', which reference/mappings/desk.yml needs" in str(
        result.problems[0]
    )
    landing = mapped(("comments: thread.comments", "comments: {at: thread.comments, optional: true}"))
    assert landing.land("desk", "a.ndjson", content).rows_landed == 1
    assert landing.rows("ticket_versions", "evidence") == ["statuses resolution"]


def test_a_key_that_no_element_has_is_named_with_the_nearest_one(mapped) -> None:
    result = mapped(("event_at: comments.at", "event_at: comments.att")).land(
        "desk", "a.ndjson", lines(ticket())
    )
    assert result.status == "rejected"
    assert "'att' in the elements of comments (renamed to 'at'?)" in str(result.problems[0])


def test_evidence_may_ask_how_many_elements_came_of_how_many(mapped) -> None:
    landing = mapped(
        (
            "[messages, statuses]",
            "[{shows: messages, when: {count: comments, at_least: thread.total}},"
            " {shows: statuses, when: {count: comments, fewer_than: 3}}]",
        ),
        ("    columns:\n", "    columns:\n      thread.total: {optional: true}\n"),
    )
    comments = ticket()["thread"]["comments"]
    threads = [{"comments": comments, "total": total} for total in (2, 3, None, "x")]
    threads.append({"comments": [*comments, comments[0] | {"id": 3}], "total": 3})
    landing.land("desk", "a.ndjson", lines(*(ticket(id=at, thread=one) for at, one in enumerate(threads))))
    assert landing.rows("ticket_versions", "evidence") == [
        "messages statuses resolution",
        "statuses resolution",
        "statuses resolution",
        "statuses resolution",
        "messages",
    ]


def test_a_key_that_comes_after_the_first_hundred_records_is_read(mapped) -> None:
    landing = mapped()
    landing.land(
        "desk", "a.ndjson", lines(*(ticket(id=at) for at in range(120)), ticket(id=999, reviewer="rita"))
    )
    assert landing.rows("ticket_versions", "ticket_id, requester")[-1] == ("999", "rita")


def test_an_element_that_is_a_text_is_the_value_itself(mapped) -> None:
    landing = mapped(
        ("      item: history.items\n", "      item: history.items\n      watcher: watchers\n"),
        (
            "      each: comments\n      person_id: comments.by.id\n"
            "      actor_kind: {column: comments.by.side, values: {staff: agent, user: customer}}\n",
            "      each: watcher\n      person_id: watcher\n      actor_kind: {constant: customer}\n",
        ),
    )
    landing.land("desk", "a.ndjson", lines(ticket(watchers=["u1", 2])))
    assert landing.rows("people", "person_id") == ["u1", "2"]


HOSTILE = [
    ("id", ["a", "b"], "id: is a list, not one value (it reads 'a b'). Write the path of a value in it."),
    ("id", {"a": 1}, "id: is an object, not one value"),
    ("created", ["2026-07-01T08:00:00Z"], "created: is a list, not one value"),
    ("created", None, "created: is missing."),
    ("thread", {"comments": "none"}, "thread.comments: is not a list (it reads 'none')."),
    ("thread", {"comments": {"1": {"id": 1}}}, "thread.comments: is not a list"),
    ("thread", {"comments": [7]}, "thread.comments: has an element that is not an object (it reads '7')."),
    ("thread", {"comments": [None]}, "thread.comments: has an element that is not an object"),
    (
        "thread",
        {"comments": [{"id": 3, "at": "soon", "by": MIA, "internal": True}]},
        "thread.comments.at: is not a possible time",
    ),
    (
        "thread",
        {"comments": [{"id": 3, "at": "2026-07-01T08:00:00Z", "by": MIA}]},
        "thread.comments.internal: is missing.",
    ),
    (
        "thread",
        {"comments": [{"id": [3], "at": "2026-07-01T08:00:00Z", "by": MIA, "internal": True}]},
        "thread.comments.id: is a list",
    ),
    (
        "changelog",
        {"histories": [{"id": 1, "items": {"to": "Open"}}]},
        "changelog.histories.items: is not a list",
    ),
]


def test_a_record_with_something_else_where_a_value_or_a_list_should_be_is_refused_whole(mapped) -> None:
    landing = mapped()
    bad = [ticket(id=100 + at) | {key: value} for at, (key, value, _) in enumerate(HOSTILE)]
    result = landing.land("desk", "a.ndjson", lines(ticket(id=1), *bad, ticket(id=2)))
    assert (result.rows_read, result.rows_landed) == (len(HOSTILE) + 2, 2)
    told = [str(problem) for problem in result.problems]
    assert [
        one
        for one in zip(told, HOSTILE, strict=True)
        if f":{told.index(one[0]) + 2}: {one[1][2]}" not in one[0]
    ] == []
    assert sorted(landing.rows("ticket_versions", "ticket_id")) == ["1", "2"]
    assert len(landing.rows("ticket_messages", "message_id")) == 4


def test_an_unknown_word_inside_a_list_refuses_the_ticket_and_leaves_a_gap(mapped) -> None:
    landing = mapped()
    entry = {
        "id": 1,
        "at": "2026-07-01T09:00:00Z",
        "items": [{"id": 1, "field": "status", "to": "Lab", "from": "New"}],
    }
    landing.land("desk", "a.ndjson", lines(ticket(), ticket(id=8, changelog={"histories": [entry]})))
    assert landing.rows("gaps", "ticket_id, evidence") == [("8", None)]


def test_a_person_whom_one_record_puts_on_two_sides_lands_on_both(mapped) -> None:
    comments = [
        {"id": at, "at": "2026-07-01T09:00:00Z", "by": {"id": 5, "side": side}, "internal": False}
        for at, side in enumerate(("staff", "user", "staff"))
    ]
    landing = mapped()
    landing.land("desk", "a.ndjson", lines(ticket(thread={"comments": comments})))
    assert landing.rows("people", "person_id, role") == [("5", "agent"), ("5", "customer")]


def test_a_hundred_thousand_comments_of_one_ticket_land(mapped) -> None:
    comment = {"at": "2026-07-01T09:00:00Z", "by": {"id": 5, "side": "staff"}, "internal": False}
    comments = [{"id": number, **comment} for number in range(100_000)]
    landing = mapped()
    assert landing.land("desk", "a.ndjson", lines(ticket(thread={"comments": comments}))).rows_landed == 1
    assert landing.rows("ticket_messages", "count(*), count(distinct message_id)") == [(100_000, 100_000)]


@pytest.mark.parametrize("is_inside", [False, True])
def test_a_list_with_more_elements_than_the_limit_refuses_its_record(is_inside: bool) -> None:
    outer = NestedList("outer", ("outer",))
    chain = (outer, NestedList("inner", ("inner",), "outer")) if is_inside else (outer,)
    reader = ListReader(chain, (MappedColumn("x", ("",), within=chain[-1].name),), ("",), (), False)

    def read(count: int) -> int:
        half = count // 2
        parts = [{"inner": ["a"] * half}, {"inner": ["a"] * (count - half)}]
        return len(reader.read({"outer": parts if is_inside else ["a"] * count})[0])

    assert read(LIST_ELEMENTS) == LIST_ELEMENTS
    with pytest.raises(Unusable, match="has more than 250,000 elements"):
        read(LIST_ELEMENTS + 1)


@pytest.mark.parametrize(("depth", "reason"), [(DEPTH, None), (100_000, "is nested too deeply")])
def test_a_record_that_is_nested_deeply_is_refused_as_a_line(mapped, depth: int, reason: str | None) -> None:
    deep = json.dumps(ticket(id=8))[:-1] + ', "x": ' + "[" * depth + "]" * depth + "}"
    landing = mapped()
    result = landing.land("desk", "a.ndjson", lines(ticket()) + deep + "\n")
    assert result.status == "landed"
    told = [(problem.line, problem.reason.partition(" (")[0]) for problem in result.problems]
    assert told == ([(2, reason)] if reason else [])


def test_half_a_character_inside_a_list_refuses_its_record(mapped) -> None:
    half = ticket(id=8, thread={"comments": [ticket()["thread"]["comments"][0] | {"id": "\ud800"}]})
    result = mapped().land("desk", "a.ndjson", lines(ticket(), half))
    assert (result.rows_landed, result.rows_rejected) == (1, 1)
    assert [problem.line for problem in result.problems] == [2]


REFUSED = [
    (
        "event_at: comments.at",
        "event_at: item.at",
        "'item.at' is a value of each element of the list 'item'. Only a rule with each: item may use it",
    ),
    (
        "      ticket_id: id\n",
        "      ticket_id: comments.id\n",
        "'comments.id' is a value of each element of the list 'comments'.",
    ),
    (
        "      ticket_id: id\n",
        "      ticket_id: {column: comments.id}\n",
        "'comments.id' is a value of each element",
    ),
    (
        "        when: {column: item.field, is: status}",
        "        when: {column: comments.id, filled: true}",
        "'comments.id' is a value of each element",
    ),
    (
        "      - each: item",
        "      - each: itm",
        "'itm' is not a nested list of this file. Did you mean 'item'?",
    ),
    ("history: [changelog.histories, changes]", "history: item.x", "this list lies inside itself."),
    (
        "[history.author.id, history.author.name]",
        "[history.author.id, comments.x]",
        "its names are values of different lists.",
    ),
    (
        "history: [changelog.histories, changes]",
        "history: [comments.x, changes]",
        "its paths begin in different lists.",
    ),
    (
        "      author: [history.author.id, history.author.name]",
        "      comments: [x]",
        "a list has this name already.",
    ),
    (
        "    records_at: data.issues\n",
        "    records_at: data.issues\n    required: [comments.id]\n",
        "'comments.id' is a value of a list, not of a record.",
    ),
    ("[ndjson, json, xml]", "[csv, ndjson]", "a file of the format csv has no nested lists."),
    (
        "[messages, statuses]",
        "[messages, {shows: statuses, when: {count: coments, at_least: 1}}]",
        "'coments' is not known here. Did you mean 'comments'?",
    ),
    (
        "      each: comments\n      person_id",
        "      person_id",
        "people stand in a file of their own, or in a nested list.",
    ),
    (
        "      comments: thread.comments",
        "      comments-x: thread.comments",
        "is not a usable name of a list.",
    ),
]


@pytest.mark.parametrize(("old", "new", "message"), REFUSED)
def test_a_mapping_with_a_mistake_in_its_lists_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert MAPPING.count(old) == 1
    text = MAPPING.replace(old, new)
    (tmp_path / "desk.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refusal:
        load_mapping(tmp_path / "desk.yml", "desk.yml")
    told = [str(problem) for problem in refusal.value.problems]
    assert any(message in one and one.startswith("desk.yml:") for one in told), told
