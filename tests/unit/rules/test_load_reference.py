"""What the reference tables may hold, and the exact message for what they may not."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from pipeline.errors import InputRejected
from pipeline.rules.load_plans import load_plans
from pipeline.rules.load_reference import load_reference
from pipeline.rules.plan import Plan
from pipeline.rules.tables import OPEN_END, RULE_TABLES
from pipeline.settings import CHECKOUT, Workspace

FILES = {
    "customers": "customer_id,name,time_zone,locale,report_recipients\n"
    "007,Acme,Europe/Berlin,de,ops@acme.example; cto@acme.example\n"
    '008,"Bolt, Inc.",,,\n',
    "subscriptions": "subscription_id,customer_id,plan,term_starts_on,term_ends_on,"
    "license_type,license_status\n"
    "S1,007,standard,2026-01-01,2027-01-01,paid,active\n"
    "S2,007,premium,2027-01-01,2028-01-01,paid,active\n"
    "S3,008,berlin,2026-01-01,2027-01-01,trial,expired\n",
    "contacts": "customer_id,contact,valid_from,valid_to\n"
    "007,ann@acme.example,2026-01-01,2026-06-01\n"
    "007,ann@acme.example,2026-06-01,\n"
    "008,bo@bolt.example,2026-01-01,2026-01-02T12:00:00+01:00\n",
    "purchases": "purchase_id,customer_id,subscription_id,pool,quantity,purchased_on,expires_on\n"
    "P1,007,S1,regular,5,2026-03-01,2026-09-01\n"
    "P2,007,S1,custom_builds,1,2026-03-01,\n",
    "redemptions": "redemption_id,customer_id,subscription_id,entitlement,redeemed_on,ticket_id\n"
    "R1,007,S1,custom_builds,2026-04-01,\n",
    "waivers": "waiver_id,ticket_id,obligation,reason,requested_by,approved_by,approved_at,expires_on\n"
    "W1,0042,first_response,Outage of the portal,ann,bob,2026-05-01T10:00:00+02:00,2027-01-01\n",
}


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> list[Plan]:
    """The shipped plans, and one whose days begin at midnight in Berlin."""
    folder = tmp_path_factory.mktemp("plans")
    shipped = CHECKOUT / "data" / "reference" / "plans"
    for path in shipped.glob("*.yml"):
        (folder / path.name).write_bytes(path.read_bytes())
    text = (shipped / "standard.yml").read_text(encoding="utf-8")
    text = text.replace("plan: standard", "plan: berlin").replace(
        "time_zone: UTC", "time_zone: Europe/Berlin"
    )
    (folder / "berlin.yml").write_text(text, encoding="utf-8")
    return load_plans(folder, ["business_hours"])


def write(root: Path, **files: str | bytes | None) -> Workspace:
    """A workspace with the files above, except those given; None leaves a file out."""
    (root / "reference").mkdir(exist_ok=True)
    for name, content in {**FILES, **files}.items():
        if content is not None:
            data = content if isinstance(content, bytes) else content.encode("utf-8")
            (root / "reference" / f"{name}.csv").write_bytes(data)
    return Workspace(root)


def rows_of(workspace: Workspace, plans: list[Plan], name: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in load_reference(workspace, plans)[name].to_pylist()]


def refusals(workspace: Workspace, plans: list[Plan], name: str) -> list[str]:
    with pytest.raises(InputRejected) as refusal:
        load_reference(workspace, plans)
    assert refusal.value.exit_code == 3
    assert refusal.value.message.startswith(f"reference/{name}.csv was refused: ")
    return [str(problem).removeprefix(f"{workspace.reference}/") for problem in refusal.value.problems]


def test_reference_tables_have_the_columns_of_the_contract(tmp_path: Path, plans: list[Plan]) -> None:
    tables = load_reference(write(tmp_path), plans)
    assert {name: table.to_arrow().column_names for name, table in tables.items()} == {
        name: list(RULE_TABLES[name])
        for name in (*FILES, "annotations", "customer_words", "licenses", "redemption_scopes")
    }


def test_customers_keep_their_ids_as_text(tmp_path: Path, plans: list[Plan]) -> None:
    source_file = "reference/customers.csv"
    assert rows_of(write(tmp_path), plans, "customers") == [
        ("007", "Acme", "Europe/Berlin", "de", "ops@acme.example; cto@acme.example", source_file, 2),
        ("008", "Bolt, Inc.", None, None, None, source_file, 3),
    ]


def test_terms_begin_at_midnight_in_the_zone_of_their_plan(tmp_path: Path, plans: list[Plan]) -> None:
    rows = rows_of(write(tmp_path), plans, "subscriptions")
    assert rows[0][3:7] == (datetime(2026, 1, 1), datetime(2027, 1, 1), date(2026, 1, 1), date(2027, 1, 1))
    assert rows[2][3:7] == (
        datetime(2025, 12, 31, 23),
        datetime(2026, 12, 31, 23),
        date(2026, 1, 1),
        date(2027, 1, 1),
    )


def test_a_term_of_another_zone_begins_as_the_one_before_ends(tmp_path: Path, plans: list[Plan]) -> None:
    # Midnight in Berlin is 23:00 UTC of the day before: one hour of overlap, then one hour without a term.
    text = (
        f"{HEADER}\nS1,007,standard,2026-01-01,2027-01-01,paid,active\n"
        "S2,007,berlin,2027-01-01,2028-01-01,paid,active\n"
        "S3,007,standard,2028-01-01,2029-01-01,paid,active\n"
    )
    rows = rows_of(
        write(tmp_path, subscriptions=text, purchases=None, redemptions=None), plans, "subscriptions"
    )
    assert [row[3:5] for row in rows[:3]] == [
        (datetime(2026, 1, 1), datetime(2027, 1, 1)),
        (datetime(2027, 1, 1), datetime(2027, 12, 31, 23)),
        (datetime(2027, 12, 31, 23), datetime(2029, 1, 1)),
    ]


def read_contradictions(workspace: Workspace, plans: list[Plan]) -> dict[str, str]:
    table = load_reference(workspace, plans)["subscriptions"]
    return {row["subscription_id"]: row["contradiction"] for row in table.to_pylist() if row["contradiction"]}


def test_an_overlap_marks_one_customers_contract_and_refuses_nothing(
    tmp_path: Path, plans: list[Plan]
) -> None:
    text = (
        f"{HEADER}\nS1,007,standard,2026-01-01,2027-01-01,paid,active\n"
        "S2,008,standard,2026-01-01,2027-01-01,paid,active\n"
        "S3,007,premium,2026-12-31,2027-12-31,paid,active\n"
    )
    assert read_contradictions(write(tmp_path, subscriptions=text), plans) == {
        "S3": "The term 2026-12-31 to 2027-12-31 (premium) overlaps that of line 2, 2026-01-01 to 2027-01-01 (standard). "
        "One term holds at a time; term_ends_on is the first day after a term. Where the included tickets of both add "
        "up, stacks_on of the later one names the other."
    }


def test_at_any_instant_one_of_two_overlapping_terms_covers(tmp_path: Path, plans: list[Plan]) -> None:
    text = (
        f"{HEADER}\nS1,007,standard,2026-01-01,2027-01-01,paid,active\n"
        "S2,007,premium,2026-06-01,2026-07-01,paid,active\n"
    )
    rows = load_reference(write(tmp_path, subscriptions=text), plans)["subscriptions"].to_pylist()
    assert [row["covers_from_at"] for row in rows] == [datetime(2026, 1, 1), datetime(2027, 1, 1)]


def test_a_stack_that_fits_no_term_is_a_contradiction(tmp_path: Path, plans: list[Plan]) -> None:
    text = (
        f"{HEADER},stacks_on\n"
        "S1,007,standard,2026-01-01,2027-01-01,paid,active,\n"
        "S3,007,standard,2027-06-01,2028-06-01,paid,active,S1\n"
        "S4,007,standard,2028-06-01,2029-06-01,paid,active,S5\n"
        "S6,007,premium,2026-12-31,2027-01-02,paid,active,S1\n"
        "S7,008,standard,2026-12-31,2027-01-02,paid,active,S1\n"
    )
    found = read_contradictions(write(tmp_path, subscriptions=text), plans)
    assert {name: reason.split(".")[0] for name, reason in found.items()} == {
        "S3": "stacks_on names 'S1', which runs from 2026-01-01 to 2027-01-01, so there is nothing to stack on",
        "S4": "stacks_on names 'S5', which is not a subscription of this file",
        "S6": "stacks_on names 'S1', which has the plan 'standard', not 'premium'",
        "S7": "stacks_on names 'S1', which belongs to '007'",
    }


WORDS = "customer_id,word,source"


def test_a_word_stands_for_a_customer_in_one_source_or_in_all(tmp_path: Path, plans: list[Plan]) -> None:
    text = f"{WORDS}\n007,Acme South,\n007,501,desk\n008,501,other\n"
    rows = rows_of(write(tmp_path, customer_words=text), plans, "customer_words")
    assert [row[:3] for row in rows] == [
        ("007", "501", "desk"),
        ("007", "Acme South", None),
        ("008", "501", "other"),
    ]


def test_a_word_that_stands_for_two_customers_is_refused_with_its_line(
    tmp_path: Path, plans: list[Plan]
) -> None:
    text = f"{WORDS}\n007,501,desk\n008,501,\n007,008,\n009,x,\n"
    assert [
        one.split(": ", 2)[:2]
        for one in refusals(write(tmp_path, customer_words=text), plans, "customer_words")
    ] == [
        ["customer_words.csv:3", "word"],
        ["customer_words.csv:4", "word"],
        ["customer_words.csv:5", "customer_id"],
    ]


def test_a_word_of_a_source_that_sla_yml_lacks_is_refused(tmp_path: Path, plans: list[Plan]) -> None:
    workspace = write(tmp_path, customer_words=f"{WORDS}\n007,501,dekk\n")
    with pytest.raises(InputRejected) as refusal:
        load_reference(workspace, plans, ["desk"])
    assert "'dekk' is not a source of sla.yml." in str(refusal.value.problems[0])


def test_a_note_is_of_one_customer_or_of_all(tmp_path: Path, plans: list[Plan]) -> None:
    text = "noted_on,note,customer_id\n2026-03-04,A new release,\n2026-03-05,Moved,007\n"
    rows = rows_of(write(tmp_path, annotations=text), plans, "annotations")
    assert [row[:3] for row in rows] == [
        (date(2026, 3, 4), "A new release", None),
        (date(2026, 3, 5), "Moved", "007"),
    ]
    # The column may be left away.
    rows = rows_of(
        write(tmp_path, annotations="note,noted_on\nA new release,2026-03-04\n"), plans, "annotations"
    )
    assert rows[0][:3] == (date(2026, 3, 4), "A new release", None)


def test_a_note_without_date_or_text_or_of_an_unknown_customer_is_refused(
    tmp_path: Path, plans: list[Plan]
) -> None:
    text = f"noted_on,note,customer_id\nMarch,x,\n2026-03-05,,\n2026-03-05,x,009\n2026-03-05,{'x' * 201},\n"
    assert [
        one.split(": ", 2)[:2] for one in refusals(write(tmp_path, annotations=text), plans, "annotations")
    ] == [
        ["annotations.csv:2", "noted_on"],
        ["annotations.csv:3", "note"],
        ["annotations.csv:4", "customer_id"],
        ["annotations.csv:5", "note"],
    ]


LICENSES = "subscription_id,license_status,valid_from,valid_to"


def test_the_days_of_a_licence_are_those_of_its_plan(tmp_path: Path, plans: list[Plan]) -> None:
    text = f"{LICENSES}\nS1,suspended,2026-03-01,\nS3,suspended,2026-03-01,2026-06-01\n"
    rows = rows_of(write(tmp_path, licenses=text), plans, "licenses")
    assert [(row[0], *row[2:4], row[5]) for row in rows] == [
        ("S1", datetime(2026, 3, 1), OPEN_END, 2),
        ("S3", datetime(2026, 2, 28, 23), datetime(2026, 5, 31, 22), 3),
    ]


def test_two_statuses_of_a_licence_at_a_time_contradict_and_leave_one_to_hold(
    tmp_path: Path, plans: list[Plan]
) -> None:
    text = f"{LICENSES}\nS1,active,2026-04-30,\nS1,suspended,2026-03-01,2026-05-01\n"
    workspace = write(tmp_path, licenses=text)
    assert read_contradictions(workspace, plans) == {
        "S1": "Line 2 of reference/licenses.csv gives the licence a second status at one time."
    }
    assert [row[1:4] for row in rows_of(workspace, plans, "licenses")] == [
        ("active", datetime(2026, 5, 1), OPEN_END),
        ("suspended", datetime(2026, 3, 1), datetime(2026, 5, 1)),
    ]


def test_contacts_are_half_open_and_open_ended_without_an_end(tmp_path: Path, plans: list[Plan]) -> None:
    assert [row[1:4] for row in rows_of(write(tmp_path), plans, "contacts")] == [
        ("ann@acme.example", datetime(2026, 1, 1), datetime(2026, 6, 1)),
        ("ann@acme.example", datetime(2026, 6, 1), OPEN_END),
        # A day of the Berlin plan, and an instant that says its own zone.
        ("bo@bolt.example", datetime(2025, 12, 31, 23), datetime(2026, 1, 2, 11)),
    ]


def test_purchases_redemptions_and_waivers_are_read(tmp_path: Path, plans: list[Plan]) -> None:
    workspace = write(tmp_path)
    assert [row[:7] for row in rows_of(workspace, plans, "purchases")] == [
        ("P1", "007", "S1", "regular", 5, datetime(2026, 3, 1), datetime(2026, 9, 1)),
        ("P2", "007", "S1", "custom_builds", 1, datetime(2026, 3, 1), None),
    ]
    assert [row[:6] for row in rows_of(workspace, plans, "redemptions")] == [
        ("R1", "007", "S1", "custom_builds", datetime(2026, 4, 1), None)
    ]
    assert [row[:8] for row in rows_of(workspace, plans, "waivers")] == [
        (
            "W1",
            "0042",
            "first_response",
            "Outage of the portal",
            "ann",
            "bob",
            datetime(2026, 5, 1, 8),
            datetime(2027, 1, 1),
        )
    ]


def test_what_a_redemption_covered_is_a_row_for_each_item_that_is_filled_in(
    tmp_path: Path, plans: list[Plan]
) -> None:
    redemptions = (
        "redemption_id,customer_id,subscription_id,entitlement,redeemed_on,ticket_id,agents,sample_jobs\n"
        "R1,007,S1,remote_installation_assistance,2026-04-01,,5,\n"
        "R2,007,S1,remote_installation_assistance,2026-04-02,,,0\n"
    )
    workspace = write(tmp_path, redemptions=redemptions)
    assert rows_of(workspace, plans, "redemption_scopes") == [("R1", "agents", 5), ("R2", "sample_jobs", 0)]
    assert rows_of(write(tmp_path), plans, "redemption_scopes") == []


def test_optional_files_are_empty_tables_when_they_are_missing(tmp_path: Path, plans: list[Plan]) -> None:
    tables = load_reference(
        write(tmp_path, contacts=None, purchases=None, redemptions=None, waivers=None), plans
    )
    assert [len(tables[name].rows) for name in ("contacts", "purchases", "redemptions", "waivers")] == [
        0,
        0,
        0,
        0,
    ]


def test_spreadsheets_marks_line_ends_column_orders_and_blank_lines_do_not_matter(
    tmp_path: Path, plans: list[Plan]
) -> None:
    header = "\ufeffname,customer_id,locale,report_recipients,time_zone\r\n"
    text = header + "\r\n Acme , 007 ,de,,\r\n,,,,\r\nBolt,008,,,\r\n"
    assert rows_of(write(tmp_path, customers=text), plans, "customers") == [
        ("007", "Acme", None, "de", None, "reference/customers.csv", 3),
        ("008", "Bolt", None, None, None, "reference/customers.csv", 5),
    ]


HEADER = FILES["subscriptions"].splitlines()[0]
CUSTOMERS = FILES["customers"].splitlines()[0]
PURCHASES = FILES["purchases"].splitlines()[0]
CONTACTS = FILES["contacts"].splitlines()[0]
REDEMPTIONS = FILES["redemptions"].splitlines()[0]
WAIVERS = FILES["waivers"].splitlines()[0]


@pytest.mark.parametrize(
    ("name", "content", "messages"),
    [
        ("customers", None, [f"customers.csv: there is no such file. Its header is {CUSTOMERS}."]),
        ("customers", "", [f"customers.csv: the file is empty. Its first line must be {CUSTOMERS}."]),
        (
            "customers",
            "<!doctype html><title>Sign in</title>",
            [
                "customers.csv:1: this is a web page, not a table. "
                "A login page was probably saved instead; export it again as CSV."
            ],
        ),
        (
            "customers",
            f"{CUSTOMERS}\n007,Caf\xe9,,,\n".encode("latin-1"),
            ["customers.csv:2: the text is not UTF-8. Save the table as CSV in UTF-8."],
        ),
        (
            "customers",
            CUSTOMERS.replace(",", ";"),
            ["customers.csv:1: the columns are not separated by commas. Export it again with commas."],
        ),
        (
            "customers",
            "customer_id,nam,time_zone,locale,locale,report_recipients\n",
            [
                "customers.csv:1: nam: this column is not known here. Did you mean 'name'? "
                "Known: customer_id, locale, name, report_recipients, time_zone.",
                "customers.csv:1: locale: this column stands in the header twice. Keep one of the two.",
                "customers.csv:1: name: the header does not have this column. Add it; it may be empty.",
            ],
        ),
        (
            "customers",
            f"{CUSTOMERS}\n007,Bolt, Inc.,,,\n",
            [
                "customers.csv:2: the line has 6 values, the header has 5. "
                "Put a value that holds a comma in quotes."
            ],
        ),
        (
            "customers",
            f'{CUSTOMERS}\n007,"Acme,,,\n008,Bolt,,,\n',
            ['customers.csv:2: a quote that opens here does not close. Write a quote within a value as "".'],
        ),
        (
            "customers",
            f"{CUSTOMERS}\n007,Ac\0me,,,\n",
            ["customers.csv:2: name: the value holds a control character or a line break. Remove it."],
        ),
        (
            "customers",
            f"{CUSTOMERS}\n007,Acme,,,\n008,,,,\n007,Acme again,,,\n",
            [
                "customers.csv:3: name: the value is missing. Every line needs one.",
                "customers.csv:4: customer_id: '007' stands on line 2 already. Every line needs its own.",
            ],
        ),
        (
            "customers",
            f"{CUSTOMERS}\n1.03006E+13,Acme,,,\n",
            [
                "customers.csv:2: customer_id: '1.03006E+13' is an id that a spreadsheet turned into "
                "a number; "
                "its last digits are lost. Export it again with the column as text."
            ],
        ),
        (
            "customers",
            f"{CUSTOMERS}\n007,Acme,Europe/Berln,german,ops at acme\n",
            [
                "customers.csv:2: time_zone: 'Europe/Berln' is not a time zone. Did you mean "
                "'Europe/Berlin'?",
                "customers.csv:2: locale: 'german' is not a locale. Write it like en, de or fr-CA.",
                "customers.csv:2: report_recipients: 'ops at acme' is not a mail address. "
                "Separate several with semicolons.",
            ],
        ),
        (
            "subscriptions",
            f"{HEADER}\nS1,07,standrd,2026-01-01,2027-01-01,payd,actve\n",
            [
                "subscriptions.csv:2: customer_id: '07' is not in customers.csv. Did you mean '007'? "
                "Known: 007, 008.",
                "subscriptions.csv:2: plan: 'standrd' is not known here. Did you mean 'standard'? "
                "Known: berlin, enhanced, premium, standard.",
                "subscriptions.csv:2: license_type: 'payd' is not known here. Did you mean 'paid'? "
                "Known: legacy, paid, trial.",
                "subscriptions.csv:2: license_status: 'actve' is not known here. Did you mean 'active'? "
                "Known: active, cancelled, expired, inactive, suspended.",
            ],
        ),
        (
            "subscriptions",
            f"{HEADER}\nS1,007,standard,01.01.2026,2026-02-30,paid,active\n",
            [
                "subscriptions.csv:2: term_starts_on: '01.01.2026' is not a date. Write it like 2026-11-22.",
                "subscriptions.csv:2: term_ends_on: '2026-02-30' is not a date. Write it like 2026-11-22.",
            ],
        ),
        (
            "subscriptions",
            f"{HEADER}\nS1,007,standard,2026-01-01,2026-01-01,paid,active\n",
            [
                "subscriptions.csv:2: term_ends_on: the end is not later than the begin. "
                "The end itself is not included."
            ],
        ),
        (
            "licenses",
            f"{LICENSES}\nS9,suspnded,2026-03-01,2026-03-01\n",
            [
                "licenses.csv:2: subscription_id: 'S9' is not in subscriptions.csv. Known: S1, S2, S3.",
                "licenses.csv:2: license_status: 'suspnded' is not known here. Did you mean 'suspended'? "
                "Known: active, cancelled, expired, inactive, suspended.",
                "licenses.csv:2: valid_to: the end is not later than the begin. The end itself is not included.",
            ],
        ),
        (
            "contacts",
            f"{CONTACTS}\n007,ann,2026-01-01,\n007,Ann,2026-06-01,\n007,bob,,\n",
            [
                "contacts.csv:3: valid_from: 'Ann' is a contact of '007' on line 2 already, at the "
                "same time. "
                "Let the periods of one contact follow each other; valid_to itself is not included.",
                "contacts.csv:4: valid_from: the value is missing. Every line needs one.",
            ],
        ),
        (
            "purchases",
            f"{PURCHASES}\nP1,008,S1,regular,5,2026-03-01,\nP2,007,S9,regular,1,2026-03-01,\n",
            [
                "purchases.csv:2: subscription_id: 'S1' belongs to '007', not to '008'. Correct one "
                "of the two.",
                "purchases.csv:3: subscription_id: 'S9' is not in subscriptions.csv. Known: S1, S2, S3.",
            ],
        ),
        (
            "purchases",
            f"{PURCHASES}\nP1,007,S1,regulr,2.5,2026-03-01,2026-03-01\nP2,007,S1,regular,0,2026-03-01,\n",
            [
                "purchases.csv:2: pool: 'regulr' is not known here. Did you mean 'regular'? Known: "
                "custom_builds, "
                "level_5, regular, remote_configuration_upgrade_assistance, remote_deployment_assistance, "
                "remote_installation_assistance.",
                "purchases.csv:2: quantity: '2.5' is not a whole number over zero. Write the tickets "
                "bought, such as 5.",
                "purchases.csv:2: expires_on: the end is not later than the begin. The end itself is "
                "not included.",
                "purchases.csv:3: quantity: '0' is not a whole number over zero. Write the tickets "
                "bought, such as 5.",
            ],
        ),
        (
            "redemptions",
            f"{REDEMPTIONS}\nR1,007,S1,regular,2026-04-01,\n",
            [
                "redemptions.csv:2: entitlement: 'regular' is not known here. Known: custom_builds, "
                "remote_configuration_upgrade_assistance, remote_deployment_assistance, "
                "remote_installation_assistance."
            ],
        ),
        (
            "redemptions",
            f"{REDEMPTIONS},agents,production_job\n",
            [
                "redemptions.csv:1: production_job: this column is not known here. Did you mean "
                "'production_jobs'? Known: agents, cloud_storage_targets, console_installations, "
                "customer_id, entitlement, production_jobs, profiles, redeemed_on, redemption_id, "
                "sample_jobs, subscription_id, ticket_id."
            ],
        ),
        (
            "redemptions",
            f"{REDEMPTIONS},agents\nR1,007,S1,custom_builds,2026-04-01,,-5\nR2,007,S1,custom_builds,2026-04-01,,2.5\n",
            [
                "redemptions.csv:2: agents: '-5' is not a whole number. Write how many the assistance "
                "covered, such as 5, or nothing.",
                "redemptions.csv:3: agents: '2.5' is not a whole number. Write how many the assistance "
                "covered, such as 5, or nothing.",
            ],
        ),
        (
            "waivers",
            f"{WAIVERS}\nW1,42,first_respons,,ann,Ann,2026-05-01 10:00,\n",
            [
                "waivers.csv:2: obligation: 'first_respons' is not known here. Did you mean "
                "'first_response'? "
                "Known: debug_analysis, entitlement, first_response.",
                "waivers.csv:2: reason: the value is missing. Every line needs one.",
                "waivers.csv:2: approved_by: 'Ann' approved what the same person requested. "
                "A waiver needs a second person.",
                "waivers.csv:2: approved_at: '2026-05-01 10:00' is neither a date nor an instant "
                "with its zone. "
                "Write it like 2026-11-22, or like 2026-11-22T06:00:00Z.",
            ],
        ),
        (
            "waivers",
            f"{WAIVERS},valid_from\n"
            "W1,42,first_response,closed,bob,ann,2026-05-01,2026-04-01,2026-04-01\n"
            "W2,42,first_response,closed,bob,ann,2026-05-01,,2026-05-01\n"
            "W3,42,entitlement,closed,bob,ann,2026-05-01,2026-05-01,2026-04-01\n",
            [
                "waivers.csv:2: expires_on: the end is not later than the begin. The end itself is not included.",
                "waivers.csv:3: approved_at: the waiver closes at its approval, which is not later than "
                "valid_from: it forgives nothing. Write the end of its window into expires_on.",
                "waivers.csv:4: expires_on: the end is not later than the begin. The end itself is not included.",
            ],
        ),
    ],
)
def test_table_is_refused_with_place_reason_and_hint(
    tmp_path: Path, plans: list[Plan], name: str, content: str | bytes | None, messages: list[str]
) -> None:
    assert refusals(write(tmp_path, **{name: content}), plans, name) == messages


def test_a_waiver_may_be_approved_after_its_window_has_closed(tmp_path: Path, plans: list[Plan]) -> None:
    """A closure of 1 to 3 April that is approved on 1 May forgives what was missed in these days."""
    content = (
        f"{WAIVERS},valid_from\n"
        "W1,42,first_response,closed,bob,ann,2026-05-01,2026-04-03,2026-04-01\n"
        "W2,43,first_response,closed,bob,ann,2026-05-01,2026-04-03,\n"
    )
    rows = rows_of(write(tmp_path, waivers=content), plans, "waivers")
    assert [row[0] for row in rows] == ["W1", "W2"]


def test_only_the_first_twenty_problems_of_a_table_are_shown_and_all_are_counted(
    tmp_path: Path, plans: list[Plan]
) -> None:
    workspace = write(
        tmp_path, customers=CUSTOMERS + "\n" + "".join(f"{number},,,,\n" for number in range(25))
    )
    with pytest.raises(InputRejected) as refusal:
        load_reference(workspace, plans)
    assert refusal.value.message == "reference/customers.csv was refused: 25 problems, the first 20 of them."
    assert [problem.line for problem in refusal.value.problems] == list(range(2, 22))
