"""What `sla.yml` may say, what it need not say, and the exact message for what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ConfigurationError
from pipeline.rules.load_sources import SourcesConfig, flatten_sources, load_sources
from pipeline.rules.source import SourceEvent
from pipeline.rules.tables import RULE_TABLES

SLA_YML = """\
sources:
  helpdesk:
    type: zendesk
    ticket_prefix: "ZD-"
    customer: {field: organization_external_id}
    severity: {field: "custom_field:360001", values: {sev_5: 5, sev_1: 1}}
    statuses: {values: {"waiting for lab": on_hold, hold: pending}}
    channels: {values: {api: console}}
    events:
      debug_delivered: {field: tags, value: debug_delivered}
      bug_confirmed: [{field: tags, value: bug}, {field: "custom_field:360002", value: confirmed}]
    bots: {actors: ["900001", 7], channels: [rule]}
  incidents:
    type: servicenow
    time_zone: Europe/Berlin
    date_format: "%d/%m/%Y %H:%M"
    null_markers: ["", "?"]
    customer: {constant: acme}
    severity: {field: priority, values: {1: 5, "2 - High": 4}}
  other:
    type: canonical
"""


def read(folder: Path, text: str = SLA_YML) -> SourcesConfig:
    (folder / "sla.yml").write_text(text, encoding="utf-8")
    return load_sources(folder / "sla.yml")


def test_sources_are_read_as_they_are_written(tmp_path: Path) -> None:
    helpdesk = read(tmp_path).sources["helpdesk"]
    assert (helpdesk.source_type, helpdesk.ticket_prefix, helpdesk.time_zone) == ("zendesk", "ZD-", None)
    assert (helpdesk.customer_field, helpdesk.customer_constant) == ("organization_external_id", None)
    assert (helpdesk.severity_field, helpdesk.severity_values) == (
        "custom_field:360001",
        {"sev_5": 5, "sev_1": 1},
    )
    assert helpdesk.events == (
        SourceEvent("debug_delivered", "tags", "debug_delivered"),
        SourceEvent("bug_confirmed", "tags", "bug"),
        SourceEvent("bug_confirmed", "custom_field:360002", "confirmed"),
    )
    assert (helpdesk.assistants, helpdesk.non_humans) == ((), ("900001", "7"))
    assert (helpdesk.bot_actors, helpdesk.bot_channels) == (("900001", "7"), ("rule",))
    incidents = read(tmp_path).sources["incidents"]
    assert (incidents.time_zone, incidents.date_formats) == (
        "Europe/Berlin",
        ("%d/%m/%Y %H:%M",),
    )
    assert incidents.null_markers == ("", "?")
    assert incidents.customer_constant == "acme"
    assert incidents.severity_values == {"1": 5, "2 - High": 4}


def test_statuses_of_zendesk_are_known_and_the_users_own_win(tmp_path: Path) -> None:
    statuses = read(tmp_path).sources["helpdesk"].status_values
    # What an object writes small, a table writes as a label.
    assert {value: status for value, status in statuses.items() if value.islower()} == {
        "new": "new",
        "open": "open",
        "pending": "pending",
        "hold": "pending",
        "solved": "solved",
        "closed": "closed",
        "waiting for lab": "on_hold",
    }


def test_statuses_of_servicenow_are_known_by_number_and_by_name(tmp_path: Path) -> None:
    statuses = read(tmp_path).sources["incidents"].status_values
    expected = {
        "new": ["1", "New"],
        "open": ["2", "In Progress", "Active"],
        "on_hold": ["3", "On Hold", "Awaiting Problem", "Awaiting Vendor", "Awaiting Evidence"],
        "pending": ["Awaiting User Info"],
        "solved": ["6", "Resolved"],
        "closed": ["7", "Closed"],
        "cancelled": ["8", "Canceled"],
    }
    assert statuses == {value: status for status, values in expected.items() for value in values}


@pytest.mark.parametrize("name", ["helpdesk", "incidents", "other"])
def test_every_helpdesk_may_declare_its_assistants(tmp_path: Path, name: str) -> None:
    text = SLA_YML.replace(f"  {name}:\n", f"  {name}:\n    assistants: {{actors: [ai, 99]}}\n")
    source = read(tmp_path, text).sources[name]
    assert source.assistants == ("ai", "99")
    assert set(source.assistants) < {"human", *source.non_humans}


def test_web_of_zendesk_is_the_web_form_and_rules_are_bots_unless_set(tmp_path: Path) -> None:
    text = SLA_YML.replace("    channels: {values: {api: console}}\n", "")
    helpdesk = read(
        tmp_path, text.replace('    bots: {actors: ["900001", 7], channels: [rule]}\n', "")
    ).sources["helpdesk"]
    assert {value for value, channel in helpdesk.channel_values.items() if channel == "web_form"} == {
        "web",
        "Web Form",
        "Web form",
    }
    assert helpdesk.bot_channels == ("rule", "trigger", "automation")


def test_workspace_without_sources_is_read_when_it_says_so(tmp_path: Path) -> None:
    assert read(tmp_path, "sources: {}\n").sources == {}


def test_sources_are_flattened_with_every_mapping(tmp_path: Path) -> None:
    tables = flatten_sources(read(tmp_path))
    assert {name: table.to_arrow().column_names for name, table in tables.items()} == {
        name: list(RULE_TABLES[name])
        for name in (
            "sources",
            "source_limits",
            "source_values",
            "source_events",
            "source_names",
            "source_bots",
            "source_agents",
            "alert_rules",
            "period_rules",
            "brands",
        )
    }
    # No other name of the severity field, nothing said of unmarked comments, neither journal nor audit whole.
    rest = (None, None, False, False)
    assert [tuple(row.values()) for row in tables["sources"].to_pylist()] == [
        (
            *("helpdesk", "zendesk", "ZD-", "organization_external_id", None, None, "custom_field:360001"),
            *rest,
            *(None, None),
        ),
        (
            *("incidents", "servicenow", "", None, "acme", None, "priority"),
            *rest,
            *("Europe/Berlin", "%d/%m/%Y %H:%M"),
        ),
        (*("other", "canonical", "", None, None, None, None), *rest, *(None, None)),
    ]
    values = {tuple(row.values()) for row in tables["source_values"].to_pylist()}
    assert ("helpdesk", "severity", "sev_5", "5") in values
    assert ("helpdesk", "channel", "web", "web_form") in values
    assert ("incidents", "status", "Awaiting User Info", "pending") in values
    assert [tuple(row.values()) for row in tables["source_bots"].to_pylist()] == [
        ("helpdesk", "actor", "7"),
        ("helpdesk", "actor", "900001"),
        ("helpdesk", "channel", "rule"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        (
            "type: zendesk",
            "type: zendsk",
            [
                "sla.yml:3: sources.helpdesk.type: 'zendsk' is not known here. Did you mean 'zendesk'? "
                "Known: canonical, freshdesk, jira, mapped, servicenow, zendesk."
            ],
        ),
        (
            "sources:\n",
            "memory: 4 GB\nsources:\n",
            [
                "sla.yml:1: memory: '4 GB' is no amount of memory. Write a share, such as 50 %, or an amount, such as 4 GiB."
            ],
        ),
        (
            "sources:\n",
            "delivry: {}\nsources:\n",
            [
                "sla.yml:1: delivry: this key is not known here. "
                "Did you mean 'delivery'? Known: alerts, auth, branding, compare_plans, delivery, engine, keep_exports, memory, "
                "periods, retention, sources."
            ],
        ),
        (
            "    time_zone: Europe/Berlin\n",
            "",
            ["sla.yml:13: sources.incidents: the key 'time_zone' is missing. Add it."],
        ),
        (
            "Europe/Berlin",
            "Europe/Brlin",
            [
                "sla.yml:15: sources.incidents.time_zone: 'Europe/Brlin' is not a time zone. Did you "
                "mean 'Europe/Berlin'?"
            ],
        ),
        (
            "%d/%m/%Y %H:%M",
            "%d/%m %H:%M",
            [
                "sla.yml:16: sources.incidents.date_format: '%d/%m %H:%M' does not say year, month and "
                "day, and the hour where it says "
                'minutes. Write it like "%Y-%m-%d %H:%M:%S", or "%d/%m/%Y %H:%M" where the day comes first.'
            ],
        ),
        (
            "%d/%m/%Y %H:%M",
            "%d/%Y/%I%p%b",
            [
                "sla.yml:16: sources.incidents.date_format: '%d/%Y/%I%p%b' does not say year, month and "
                "day, and the hour where it says "
                'minutes. Write it like "%Y-%m-%d %H:%M:%S", or "%d/%m/%Y %H:%M" where the day comes first.'
            ],
        ),
        (
            '    bots: {actors: ["900001", 7], channels: [rule]}\n',
            '    bots: {actors: ["900001", 7], channels: [rule]}\n    assistants: {actors: [ai, "7"]}\n',
            [
                "sla.yml:13: sources.helpdesk.assistants.actors.1: '7' stands under bots already. List who answers "
                "customers under assistants, and what only acknowledges or acts under bots."
            ],
        ),
        (
            "    type: canonical\n",
            "    type: canonical\n    severity: {field: priority}\n",
            [
                "sla.yml:22: sources.other.severity: this key is not known here. "
                "Known: allow, assistants, bots, channels, null_markers, statuses, ticket_prefix, time_zone, type."
            ],
        ),
        (
            "{field: organization_external_id}",
            "{field: organisation_id}",
            [
                "sla.yml:5: sources.helpdesk.customer.field: 'organisation_id' is not known here. "
                "Did you mean 'organization_id'? Known: organization_external_id, organization_id, organization_name."
            ],
        ),
        (
            "{field: organization_external_id}",
            "{field: organization_id, constant: acme}",
            [
                "sla.yml:5: sources.helpdesk.customer: it is not clear which customer a ticket belongs to. "
                "Give either field or constant, such as {field: company}."
            ],
        ),
        (
            "custom_field:360001",
            "custom_field:level",
            [
                "sla.yml:6: sources.helpdesk.severity.field: 'custom_field:level' is not known here. "
                "Known: priority. Or custom_field:ID, with the number of the field."
            ],
        ),
        (
            "sev_5: 5",
            "sev_5: 6",
            [
                "sla.yml:6: sources.helpdesk.severity.values.sev_5: 6 is not a severity. "
                "Severities are the whole numbers 0 to 5."
            ],
        ),
        (
            "hold: pending",
            "hold: onhold",
            [
                "sla.yml:7: sources.helpdesk.statuses.values.hold: 'onhold' is not known here. Did "
                "you mean 'on_hold'? "
                "Known: cancelled, closed, new, on_hold, open, pending, solved."
            ],
        ),
        (
            "      debug_delivered: {field: tags",
            "      debug_deliverd: {field: tags",
            [
                "sla.yml:10: sources.helpdesk.events.debug_deliverd: this key is not known here. "
                "Did you mean 'debug_delivered'? Known: assistance_redeemed, bug_confirmed, bug_rejected, "
                "debug_delivered, debug_logs_received, debug_requested, deleted, merged, restored."
            ],
        ),
        (
            "value: bug}",
            "value: debug_delivered}",
            [
                "sla.yml:11: sources.helpdesk.events.bug_confirmed.0: this change stands for "
                "'debug_delivered' already. "
                "One change can stand for one event only."
            ],
        ),
        (
            "  other:\n",
            "  Other Desk:\n",
            [
                "sla.yml:20: sources.Other Desk: 'Other Desk' cannot name a source. "
                "It is also a folder of inbox/: use lower case letters, digits, '-' and '_'."
            ],
        ),
    ],
)
def test_sla_yml_is_refused_with_place_reason_and_hint(
    tmp_path: Path, old: str, new: str, messages: list[str]
) -> None:
    assert SLA_YML.count(old) == 1
    with pytest.raises(ConfigurationError) as refusal:
        read(tmp_path, SLA_YML.replace(old, new))
    assert refusal.value.message == f"{tmp_path}/sla.yml cannot be used."
    assert [str(problem).removeprefix(f"{tmp_path}/") for problem in refusal.value.problems] == messages


def test_missing_sla_yml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        load_sources(tmp_path / "sla.yml")
    assert str(refusal.value) == (
        f"There is no {tmp_path}/sla.yml. `sla init` writes a commented one into an empty folder."
    )


def test_several_date_formats_are_read_in_their_order_and_two_that_read_other_days_are_refused(
    tmp_path: Path,
) -> None:
    listed = SLA_YML.replace('"%d/%m/%Y %H:%M"', '["%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M:%S"]')
    assert listed != SLA_YML
    incidents = read(tmp_path, listed).sources["incidents"]
    assert incidents.date_formats == ("%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M:%S")
    with pytest.raises(ConfigurationError, match="read the same text as different days"):
        read(tmp_path, listed.replace("%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M"))
