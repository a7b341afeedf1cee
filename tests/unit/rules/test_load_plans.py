"""What a plan file may say, and the exact message for what it may not."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from pipeline.errors import ConfigurationError
from pipeline.rules.flatten_plans import flatten_plans
from pipeline.rules.load_plans import load_plans
from pipeline.rules.plan import Plan

CALENDARS = ("business_hours",)
PLAN = """\
plan: gold
title: Gold
source: The Gold contract
clauses:
  response: Section 1
  tickets: Section 2
versions:
  - version: "1"
    valid_from: "2026-01-01"
    time_zone: UTC
    calendar: business_hours
    channels: {supported: [console], unsupported: [email], default_supported: false}
    severities:
      0: {label: Logs, is_covered: false}
      1: {label: Low, is_covered: true}
      2: {label: High, is_covered: true}
    obligations:
      - obligation: first_response
        starts_on: [submitted]
        stops_on: [agent_message]
        promises:
          - {severities: [1], target: 24h, clock: business_hours, clause: response}
          - {severities: [2], target: 90m, clock: always, clause: response}
    entitlements:
      - {pool: regular, severities: [1], quantity: 10, clause: tickets}
      - {pool: urgent, severities: [2], quantity: 1, overflows_to: regular, clause: tickets}
      - {pool: training, redeemed: true, quantity: not_stated, clause: tickets}
"""


def read(folder: Path, text: str = PLAN, name: str = "gold.yml") -> list[Plan]:
    (folder / name).write_text(text, encoding="utf-8")
    return load_plans(folder, CALENDARS)


def refusals(folder: Path, *edits: tuple[str, str]) -> list[str]:
    """The problems of the plan above after the edits, without the folder."""
    text = PLAN
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    with pytest.raises(ConfigurationError) as refusal:
        read(folder, text)
    assert refusal.value.exit_code == 2
    assert refusal.value.message == f"The plans in {folder} cannot be used."
    return [str(problem).removeprefix(f"{folder}/") for problem in refusal.value.problems]


def test_plan_is_read_with_defaults_when_only_the_necessary_is_said(tmp_path: Path) -> None:
    (plan,) = read(tmp_path)
    (version,) = plan.versions
    (obligation,) = version.obligations
    assert (obligation.kind, obligation.cycles, obligation.pauses_on) == ("target", "once", ())
    assert [promise.target_seconds for promise in obligation.promises] == [24 * 3600, 90 * 60]
    assert (version.severity_raised, version.severity_lowered) == ("adds", "replaces")
    assert (version.maximum_contacts, version.required_license_status) == (None, None)


def test_version_is_named_after_its_begin_when_it_has_no_name(tmp_path: Path) -> None:
    (plan,) = read(tmp_path, PLAN.replace('version: "1"\n    valid_from', "valid_from"))
    assert plan.version_key(plan.versions[0]) == "gold@2026-01-01"


def test_version_begins_at_local_midnight(tmp_path: Path) -> None:
    (plan,) = read(tmp_path, PLAN.replace("time_zone: UTC", "time_zone: Europe/Berlin"))
    assert plan.versions[0].valid_from == datetime(2025, 12, 31, 23)


def test_obligation_may_hold_its_promise_itself_and_stand_once_per_severity(tmp_path: Path) -> None:
    begin, end = PLAN.index("        promises:"), PLAN.index("    entitlements:")
    flat = (
        "        severities: [1]\n        target: 24h\n        clock: business_hours\n        "
        "clause: response\n"
        "      - {obligation: first_response, starts_on: [submitted], stops_on: [agent_message],\n"
        "         severities: [2], target: 90m, clock: always, clause: response}\n"
    )
    (nested,) = read(tmp_path)
    (plan,) = read(tmp_path, PLAN[:begin] + flat + PLAN[end:])
    assert plan == nested


@pytest.mark.parametrize(
    ("obligation", "starts", "stops"),
    [
        (
            "{obligation: next_reply, cycles: repeat, starts_on: [customer_message], stops_on: "
            "[agent_message],",
            ["customer_message"],
            ["agent_message"],
        ),
        (
            "{obligation: update, cycles: repeat, starts_on: [submitted, agent_message], stops_on: "
            "[agent_message],",
            ["agent_message", "submitted"],
            ["agent_message"],
        ),
        (
            "{obligation: resolution, cycles: resume, starts_on: [submitted], resumes_on: [reopened], "
            'stops_on: ["status:solved"], '
            'pauses_on: ["status:pending", {from: debug_requested, until: debug_logs_received}],',
            ["reopened", "submitted"],
            ["status:solved"],
        ),
    ],
)
def test_other_obligations_need_no_more_than_a_plan_file(
    tmp_path: Path, obligation: str, starts: list[str], stops: list[str]
) -> None:
    added = f"      - {obligation} severities: [1], target: 4h, clock: always, clause: response}}\n"
    tables = flatten_plans(read(tmp_path, PLAN.replace("    entitlements:\n", added + "    entitlements:\n")))
    rows = [row for row in tables["plan_moments"].to_pylist() if row["obligation"] != "first_response"]
    assert [row["moment"] for row in rows if row["role"] == "start"] == starts
    assert [row["moment"] for row in rows if row["role"] == "stop"] == stops


def test_pauses_are_flattened_as_a_status_or_as_a_pair_of_moments(tmp_path: Path) -> None:
    pauses = (
        "stops_on: [agent_message]\n"
        '        pauses_on: ["status:pending", {from: bug_confirmed, until: bug_rejected}]'
    )
    rows = flatten_plans(read(tmp_path, PLAN.replace("stops_on: [agent_message]", pauses)))[
        "plan_pauses"
    ].to_pylist()
    assert [tuple(row.values())[2:] for row in rows] == [
        ("bug_confirmed..bug_rejected", None, "bug_confirmed", "bug_rejected"),
        ("status:pending", "pending", None, None),
    ]


def test_version_in_force_is_half_open_when_one_follows_another(tmp_path: Path) -> None:
    begin = PLAN.index("  - version")
    second = PLAN[begin:].replace('"1"', '"2"', 1).replace('"2026-01-01"', '"2026-07-01"', 1)
    first = PLAN.replace('valid_from: "2026-01-01"', 'valid_from: "2026-01-01"\n    valid_to: "2026-07-01"')
    (plan,) = read(tmp_path, first + second)
    found = [plan.version_at(datetime(2026, 6, 30, 23, 59, 59)), plan.version_at(datetime(2026, 7, 1))]
    assert [version.version for version in found if version] == ["1", "2"]
    assert plan.version_at(datetime(2025, 12, 31, 23, 59, 59)) is None


def test_versions_that_overlap_are_refused(tmp_path: Path) -> None:
    begin = PLAN.index("  - version")
    second = PLAN[begin:].replace('"1"', '"2"', 1).replace('"2026-01-01"', '"2026-07-01"', 1)
    with pytest.raises(ConfigurationError) as refusal:
        read(tmp_path, PLAN + second)
    assert [str(problem) for problem in refusal.value.problems] == [
        f"{tmp_path}/gold.yml:29: versions.1.valid_from: the version '2' overlaps '1' of line 8. "
        "End the older with valid_to where the newer begins; valid_to is not included."
    ]


def test_plan_named_in_two_files_is_refused(tmp_path: Path) -> None:
    read(tmp_path)
    with pytest.raises(ConfigurationError) as refusal:
        read(tmp_path, name="gold_copy.yaml")
    assert [str(problem) for problem in refusal.value.problems] == [
        f"{tmp_path}/gold_copy.yaml:1: plan: gold.yml describes the plan 'gold' already. "
        "Put all versions of a plan into one file, or rename one."
    ]


def test_folder_without_plans_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        load_plans(tmp_path, CALENDARS)
    assert str(refusal.value) == (
        f"There is no plan file in {tmp_path}. Put one there; `sla init` writes three of them."
    )


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            ("starts_on: [submitted]", "start_on: [submitted]"),
            [
                "gold.yml:19: versions.0.obligations.0.start_on: this key is not known here. Did you "
                "mean 'starts_on'? "
                "Known: cycles, kind, obligation, pauses_on, promises, resumes_on, starts_on, stops_on.",
                "gold.yml:18: versions.0.obligations.0: the key 'starts_on' is missing. Add it.",
            ],
        ),
        (
            ("[agent_message]", "[agent_mesage]"),
            [
                "gold.yml:20: versions.0.obligations.0.stops_on.0: 'agent_mesage' is not known here. "
                "Did you mean "
                "'agent_message'? Known: agent_message, ai_message, automatic_reply, bug_confirmed, "
                "bug_rejected, customer_message, "
                "debug_delivered, debug_logs_received, debug_requested, reopened, severity_changed, "
                "status:cancelled, status:closed, "
                "status:new, status:on_hold, status:open, status:pending, status:solved, submitted."
            ],
        ),
        (
            ("stops_on: [agent_message]", "stops_on: [submitted]"),
            [
                "gold.yml:20: versions.0.obligations.0.stops_on: 'submitted' would start and stop "
                "the clock at once. "
                "Keep it in one of the two, or set cycles to repeat."
            ],
        ),
        (
            ("starts_on: [submitted]", "starts_on: [submitted]\n        cycles: resume"),
            [
                "gold.yml:20: versions.0.obligations.0.cycles: 'resume' needs to know what resumes "
                "the clock. "
                "Add resumes_on, such as [reopened]."
            ],
        ),
        (
            ("starts_on: [submitted]", "starts_on: [submitted]\n        resumes_on: [reopened]"),
            [
                "gold.yml:20: versions.0.obligations.0.resumes_on: the clock of an obligation with "
                "cycles 'once' never "
                "resumes. Set cycles to resume, or leave resumes_on out."
            ],
        ),
        (
            ("starts_on: [submitted]", "starts_on: [submitted]\n        pauses_on: [pending]"),
            [
                "gold.yml:20: versions.0.obligations.0.pauses_on.0: 'pending' is neither a status "
                "nor a pair of moments. "
                "Did you mean 'status:pending'? Known: status:cancelled, status:closed, status:new, status:on_hold, "
                "status:open, "
                "status:pending, status:solved. A pair is written {from: moment, until: moment}."
            ],
        ),
        (
            ("clock: business_hours, clause", "clock: bussiness_hours, clause"),
            [
                "gold.yml:22: versions.0.obligations.0.promises.0.clock: 'bussiness_hours' is not "
                "known here. "
                "Did you mean 'business_hours'? Known: always, business_hours."
            ],
        ),
        (
            ("calendar: business_hours", "calendar: desk"),
            ["gold.yml:11: versions.0.calendar: 'desk' is not known here. Known: always, business_hours."],
        ),
        (
            ("target: 24h", "target: 2wd"),
            [
                "gold.yml:22: versions.0.obligations.0.promises.0.target: '2wd' is counted in days, "
                "and a day on a clock "
                "with opening hours could mean two things. Write the open hours (a working day of "
                "06:00-21:00 is 15h, "
                "a whole day 24h), or say `working_day: 15h` in the version and count in wd."
            ],
        ),
        (
            ("target: 24h", "target: 24"),
            [
                "gold.yml:22: versions.0.obligations.0.promises.0.target: '24' is not a duration. "
                "Write a whole number and s, m or h, such as 24h or 90m."
            ],
        ),
        (
            ("target: 24h", "target: 0h"),
            [
                "gold.yml:22: versions.0.obligations.0.promises.0.target: '0h' is no usable duration. "
                "It must be over zero and at most ten years."
            ],
        ),
        (
            ("severities: [2], target", "severities: [1, 2], target"),
            [
                "gold.yml:23: versions.0.obligations.0.promises.1.severities: the promise of line 22 "
                "covers severity 1 "
                "already. A severity has one promise per obligation; take it out of one of the two."
            ],
        ),
        (
            ("severities: [2], target", "severities: [0], target"),
            [
                "gold.yml:23: versions.0.obligations.0.promises.1.severities.0: severity 0 is not "
                "covered by this "
                "version. Leave it out, or set its is_covered to true."
            ],
        ),
        (
            ("severities: [2], target", "severities: [3], target"),
            [
                "gold.yml:23: versions.0.obligations.0.promises.1.severities.0: 3 is not a severity "
                "of this version. "
                "Known: 0, 1, 2."
            ],
        ),
        (
            ("clock: always, clause: response", "clock: always, clause: respons"),
            [
                "gold.yml:23: versions.0.obligations.0.promises.1.clause: the clause 'respons' is "
                "not described. "
                "Did you mean 'response'? Known: response, tickets."
            ],
        ),
        (
            ("clock: always, clause: response", "clock: always"),
            ["gold.yml:23: versions.0.obligations.0.promises.1: the key 'clause' is missing. Add it."],
        ),
        (
            ("quantity: 10", "quantity: ten"),
            [
                "gold.yml:25: versions.0.entitlements.0.quantity: 'ten' is not a quantity. "
                "Write a whole number, unlimited, or not_stated."
            ],
        ),
        (
            ("quantity: 10", "quantity: -1"),
            [
                "gold.yml:25: versions.0.entitlements.0.quantity: -1 is not a quantity. "
                "Write a whole number, unlimited, or not_stated."
            ],
        ),
        (
            ("overflows_to: regular", "overflows_to: regulr"),
            [
                "gold.yml:26: versions.0.entitlements.1.overflows_to: 'regulr' is not a pool that "
                "tickets draw on. "
                "Did you mean 'regular'? Known: regular, urgent."
            ],
        ),
        (
            ("quantity: 10", "quantity: 10, overflows_to: urgent"),
            [
                "gold.yml:25: versions.0.entitlements.0.overflows_to: 'urgent' overflows itself, so where "
                "a ticket ends would depend on two pools. "
                "Let the pool that takes the overflow overflow nowhere.",
                "gold.yml:26: versions.0.entitlements.1.overflows_to: 'regular' overflows itself, so where "
                "a ticket ends would depend on two pools. "
                "Let the pool that takes the overflow overflow nowhere.",
            ],
        ),
        (
            ("severities: [2], quantity", "severities: [1, 2], quantity"),
            [
                "gold.yml:26: versions.0.entitlements.1.severities: severity 1 draws on the pool "
                "'regular' already. "
                "A ticket draws on one pool; let that pool overflow into this one instead."
            ],
        ),
        (
            ("redeemed: true, ", ""),
            [
                "gold.yml:27: versions.0.entitlements.2: no ticket can draw on this pool. "
                "Name its severities, or set redeemed: true."
            ],
        ),
        (
            ("unsupported: [email]", "unsupported: [console]"),
            [
                "gold.yml:12: versions.0.channels.unsupported: the channel 'console' is both "
                "supported and unsupported. "
                "Keep one of the two."
            ],
        ),
        (
            (", default_supported: false", ""),
            ["gold.yml:12: versions.0.channels: the key 'default_supported' is missing. Add it."],
        ),
        (
            ("time_zone: UTC", "time_zone: Europe/Berln"),
            [
                "gold.yml:10: versions.0.time_zone: 'Europe/Berln' is not a time zone. Did you mean "
                "'Europe/Berlin'?"
            ],
        ),
        (
            ('valid_from: "2026-01-01"', "valid_from: 01.01.2026"),
            [
                "gold.yml:9: versions.0.valid_from: '01.01.2026' is neither a date nor an instant "
                "with its zone. "
                "Write it like 2026-11-22, or like 2026-11-22T06:00:00Z."
            ],
        ),
        (
            ('valid_from: "2026-01-01"', 'valid_from: "2026-01-01"\n    valid_to: "2026-01-01"'),
            [
                "gold.yml:10: versions.0.valid_to: the version ends before it begins. "
                "valid_to must be later than valid_from."
            ],
        ),
        (
            ("0: {label", "9: {label"),
            [
                "gold.yml:14: versions.0.severities.9: 9 is not a severity. Severities are the whole "
                "numbers 0 to 5."
            ],
        ),
        (
            ("is_covered: false", "is_covered: no"),
            [
                "gold.yml:14: versions.0.severities.0.is_covered: 'no' is neither true nor false. "
                "Write true or false."
            ],
        ),
        (
            ("plan: gold", "plan: Gold Plus"),
            [
                "gold.yml:1: plan: 'Gold Plus' is not a usable name. "
                "Use lower case letters, digits and underscores, beginning with a letter."
            ],
        ),
        (
            ("    time_zone: UTC", "    time_zone: UTC\n    severity_change: {raised: add}"),
            [
                "gold.yml:11: versions.0.severity_change.raised: 'add' is not known here. Did you "
                "mean 'adds'? "
                "Known: adds, ignored, replaces."
            ],
        ),
        (
            ("    time_zone: UTC", "    time_zone: UTC\n    license: [active]"),
            [
                "gold.yml:11: versions.0.license: a list stands where a mapping is expected. Write "
                "'key: value' lines."
            ],
        ),
    ],
)
def test_plan_is_refused_with_place_reason_and_hint(
    tmp_path: Path, edit: tuple[str, str], message: list[str]
) -> None:
    assert refusals(tmp_path, edit) == message


def test_references_are_judged_in_the_same_run_as_wrong_values_and_without_their_consequences(
    tmp_path: Path,
) -> None:
    # The clause `tickets` and severity 2 are wrong in themselves; what names them is not.
    assert refusals(
        tmp_path,
        ("tickets: Section 2", "tickets: [2]"),
        ("label: High, is_covered: true", "label: High, is_covered: maybe"),
        ("clock: always, clause: response", "clock: alway, clause: respons"),
        ("overflows_to: regular", "overflows_to: regulr"),
    ) == [
        "gold.yml:6: clauses.tickets: a list stands where text is expected. Put the text in quotes.",
        "gold.yml:16: versions.0.severities.2.is_covered: 'maybe' is neither true nor false. Write true or false.",
        "gold.yml:23: versions.0.obligations.0.promises.1.clock: 'alway' is not known here. "
        "Did you mean 'always'? Known: always, business_hours.",
        "gold.yml:23: versions.0.obligations.0.promises.1.clause: the clause 'respons' is not described. "
        "Did you mean 'response'? Known: response, tickets.",
        "gold.yml:26: versions.0.entitlements.1.overflows_to: 'regulr' is not a pool that tickets draw on. "
        "Did you mean 'regular'? Known: regular, urgent.",
    ]


def test_obligation_repeated_with_other_rules_is_refused(tmp_path: Path) -> None:
    again = (
        "      - {obligation: first_response, starts_on: [reopened], stops_on: [agent_message], "
        "promises: []}\n"
        "    entitlements:\n"
    )
    assert refusals(tmp_path, ("    entitlements:\n", again)) == [
        "gold.yml:24: versions.0.obligations.1.obligation: the obligation 'first_response' stands "
        "here again with other "
        "rules. Only severities, target, clock, clause and note may differ; or use another name."
    ]


def test_all_problems_of_all_files_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("plan: a\n", encoding="utf-8")
    (tmp_path / "b.yml").write_text("", encoding="utf-8")
    with pytest.raises(ConfigurationError) as refusal:
        load_plans(tmp_path, CALENDARS)
    places = {str(problem).removeprefix(f"{tmp_path}/").split(":")[0] for problem in refusal.value.problems}
    assert places == {"a.yml", "b.yml"}


def test_only_the_first_twenty_problems_are_shown_and_the_rest_counted(tmp_path: Path) -> None:
    wrong = "".join(f"wrong_{number}: 1\n" for number in range(30))
    with pytest.raises(ConfigurationError) as refusal:
        read(tmp_path, PLAN + wrong)
    assert len(refusal.value.problems) == 20
    assert refusal.value.message == f"The plans in {tmp_path} cannot be used. The first 20 of 30 problems:"
