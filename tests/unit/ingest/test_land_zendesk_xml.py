"""Zendesk's XML export lands what its JSON export lands of the same tickets; what it does not know is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

TICKET = """<ticket>
  <nice-id type="integer">303</nice-id><external-id nil="true"></external-id>
  <created-at type="datetime">2026-07-01T08:00:00Z</created-at><updated-at type="datetime">2026-07-01T10:00:00Z</updated-at>
  <status-id type="integer">1</status-id><priority-id type="integer">3</priority-id><ticket-type-id>2</ticket-type-id>
  <subject>Sync &lt;stops&gt; &amp; starts</subject><requester-id>7</requester-id><submitter-id>7</submitter-id>
  <organization-id>4</organization-id><via-id type="integer">0</via-id><current-tags>sync desktop</current-tags>
  <comments type="array">
    <comment><author-id>7</author-id><created-at>2026-07-01T08:00:00Z</created-at><is-public>true</is-public>
      <value>It stops.</value><via-id>0</via-id></comment>
    <comment><author-id>9</author-id><created-at>2026-07-01T09:30:00Z</created-at><is-public>false</is-public>
      <value>Hm.</value><via-id>5</via-id></comment>
  </comments>
  <ticket-field-entries type="array"><ticket-field-entry><ticket-field-id>360001</ticket-field-id><value>sev_5</value>
  </ticket-field-entry></ticket-field-entries>
</ticket>"""
SAME_TICKET = {
    "id": 303, "external_id": None, "created_at": "2026-07-01T08:00:00Z", "updated_at": "2026-07-01T10:00:00Z",
    "status": "open", "priority": "high", "type": "incident", "subject": "Sync <stops> & starts", "requester_id": 7,
    "submitter_id": 7, "organization_id": 4, "via": {"channel": "web"}, "tags": ["sync", "desktop"],
    "custom_fields": [{"id": 360001, "value": "sev_5"}],
    "comments": [
        {"id": "303-1", "author_id": 7, "created_at": "2026-07-01T08:00:00Z", "public": True, "via": {"channel": "web"}},
        {"id": "303-2", "author_id": 9, "created_at": "2026-07-01T09:30:00Z", "public": False, "via": {"channel": "api"}},
    ],
}  # fmt: skip
USERS = """<users type="array">
  <user><id>7</id><name>Carla</name><email>carla@acme.example</email><roles>0</roles><organization-id>4</organization-id></user>
  <user><id>9</id><name>Mia</name><email/><roles>4</roles></user>
</users>"""
SAME_USERS = [
    {"id": 7, "name": "Carla", "email": "carla@acme.example", "role": "end-user", "organization_id": 4},
    {"id": 9, "name": "Mia", "email": None, "role": "agent"},
]
ORGANIZATION = "<organization><id>4</id><name>Acme</name><external-id>acme</external-id></organization>"
SAME_ORGANIZATION = {"id": 4, "name": "Acme", "external_id": "acme"}
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
TABLES = ("ticket_versions", "ticket_messages", "people", "organizations")


def tickets(*written: str) -> str:
    return f'{DECLARATION}<tickets type="array">\n{"".join(written)}</tickets>\n'


def facts(landing, source: str) -> list[object]:
    """What landed of a source, without where it stood."""
    lineage = "source, batch_id, source_file, line_number"
    return [landing.rows(table, f"* exclude ({lineage})") for table in TABLES]


def test_xml_and_json_of_the_same_objects_land_the_same(landing, tmp_path: Path) -> None:
    landing.land("desk", "tickets.xml", tickets(TICKET))
    landing.land("desk", "users.xml", DECLARATION + USERS)
    landing.land("desk", "organizations.xml", f"<organizations>{ORGANIZATION}</organizations>")
    from_xml = facts(landing, "desk")
    assert [len(rows) for rows in from_xml] == [1, 2, 2, 1]
    for manifest in (landing.workspace.landed / "manifest").iterdir():
        manifest.unlink()
    objects = [{"ticket": SAME_TICKET}, *SAME_USERS, SAME_ORGANIZATION]
    landing.land("desk", "all.ndjson", "".join(f"{json.dumps(one)}\n" for one in objects))
    assert facts(landing, "desk") == from_xml


def test_one_ticket_of_the_first_api_lands_under_its_id(landing) -> None:
    landing.land("desk", "303.xml", DECLARATION + TICKET.replace("nice-id", "id"))
    assert landing.rows("ticket_versions", "ticket_id, line_number") == [("303", 2)]


def test_numbers_without_a_mapping_stay_numbers(landing) -> None:
    odd = TICKET.replace(">1</status-id>", ">17</status-id>").replace(">3</priority-id>", ">0</priority-id>")
    landing.land("desk", "t.xml", tickets(odd))
    assert landing.rows("ticket_versions", "status, priority") == [("17", None)]


@pytest.mark.parametrize("root", ["groups", "accounts"])
def test_lists_that_no_rule_reads_land_nothing_and_say_so(landing, root: str) -> None:
    result = landing.land("desk", f"{root}.xml", f"{DECLARATION}<{root}><group><id>1</id></group></{root}>")
    assert (result.status, result.rows_read) == ("landed", 0)
    assert "no rule reads" in str(result.warnings[0])


def test_an_export_without_tickets_is_an_export(landing) -> None:
    result = landing.land("desk", "t.xml", tickets())
    assert (result.status, result.rows_read) == ("landed", 0)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ("<tiket><nice-id>1</nice-id></tiket>", "desk/t.xml:18: holds none of ticket, audit, user or organization"),
        (TICKET.replace("nice-id", "number"), "desk/t.xml:18: id: is missing"),
        (TICKET.replace("10:00:00Z</updated", "10:00:00</updated"), "desk/t.xml:18: updated_at: has no time zone"),
        (TICKET.replace("T09:30", " half past "), "desk/t.xml:18: comments: holds a comment without an id or a possible"),
    ],
    ids=["stranger", "no id", "no zone", "comment"],
)  # fmt: skip
def test_an_element_that_cannot_be_used_costs_only_itself(landing, reasons, wrong: str, problem: str) -> None:
    result = landing.land("desk", "t.xml", tickets(TICKET, "\n", wrong))
    assert (result.rows_landed, result.rows_rejected) == (1, 1)
    assert problem in reasons(result)[0]


def test_a_cut_off_export_keeps_what_came_before(landing, reasons) -> None:
    result = landing.land("desk", "t.xml", tickets(TICKET, TICKET)[:-200])
    assert (result.rows_landed, result.rows_rejected) == (1, 1)
    assert "so nothing after this line could be read" in reasons(result)[0]


def test_an_export_with_a_dtd_is_refused_whole(landing, reasons) -> None:
    result = landing.land(
        "desk", "t.xml", tickets(TICKET).replace("<tickets", '<!DOCTYPE x [<!ENTITY a "b">]><tickets')
    )
    assert (result.status, result.rows_landed) == ("rejected", 0)
    assert "has a DTD" in reasons(result)[0]
