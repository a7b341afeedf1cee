"""The pages, run headless on a build made by hand: they show what the queries give, and tell states apart."""

from __future__ import annotations

import ast
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree
from typing import Any

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from dashboards import ticket_list
from dashboards.serve import HERE
from pipeline.periods.records import Closing, Correction, append_record, keep_build
from pipeline.pointer import read_pointer
from pipeline.reporting import figures
from pipeline.reporting.backlog import CUTS, read_backlog, read_backlog_levels
from pipeline.reporting.compliance import read_compliance
from pipeline.reporting.distribution import read_answer_times
from pipeline.reporting.overview import read_annotations
from pipeline.reporting.published import EVERY_CUSTOMER, NO_GROUP, Scope, Selection, open_published
from pipeline.settings import Workspace
from tests.unit.dashboards.roles import record_downloads
from tests.unit.dashboards.small_build import NASTY_SUBJECT, OBLIGATIONS, change, publish


@pytest.fixture(scope="module")
def published_once(tmp_path_factory) -> Path:
    return publish(tmp_path_factory.mktemp("published")).root


@pytest.fixture
def workspace(published_once, tmp_path, monkeypatch) -> Workspace:
    monkeypatch.setenv("SLA_WORKSPACE", str(tmp_path))
    copytree(published_once, tmp_path, dirs_exist_ok=True)
    return Workspace(tmp_path)


PAGES = (
    *(
        "overview",
        "compliance",
        "at_risk",
        "why",
        "backlog",
        "distribution",
        "customers",
        "customer",
        "entitlements",
        "tickets",
        "ticket",
    ),
    *("findings", "about", "what_if"),
)
# What every page has from its frame (`frame.open_page`, which the test below holds) is looked at on a few of them in the short
# suite, and on each in the long one.
FEW = ("overview", "ticket", "findings")
FRAMED = [page if page in FEW else pytest.param(page, marks=pytest.mark.long) for page in PAGES]
# The pages that count promises, and can be filtered by all of their dimensions.
COUNTING = ("overview", "compliance", "at_risk", "why", "tickets")
COUNTED_BY = ("customer", "plan", "severity", "obligation")
# Pages with fewer filters.
FILTERS = {
    "what_if": ("customer",),
    "backlog": ("customer", "plan", "severity"),
    "entitlements": ("customer", "plan"),
    "customer": ("customer",),
    "findings": ("customer",),
    "about": (),
}


def open_page(page: str = "compliance", **address: str | list[str]) -> AppTest:
    """The page after one run, called with this address. Nothing may have been raised."""
    app = AppTest.from_file(str(HERE / "app.py"), default_timeout=30)
    # The page that the address names, without a run of the one that opens by default.
    app.switch_page(f"views/{page}.py")
    for key, value in address.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def name_month(month: str | None, is_partial: bool | None) -> str:
    """As the table of the page names it."""
    return f"{figures.month_name(month or '')}{' (partial)' if is_partial else ''}"


def all_words(app: AppTest) -> str:
    kinds = (app.text, app.caption, app.info, app.warning, app.error)
    return "\n".join(element.value for kind in kinds for element in kind)


def table(app: AppTest, column: str) -> list[dict[str, object]]:
    """The rows of the table that has `column`."""
    return next(each.value.to_dict("records") for each in app.dataframe if column in each.value.columns)


def test_compliance_table_shows_the_figures_of_the_query(workspace):
    rows = table(open_page(by="plan,severity"), "Compliance")
    with open_published(workspace) as published:
        result = read_compliance(published, EVERY_CUSTOMER, by=("month", "plan", "severity"))
    expected = {
        (name_month(row.month, row.is_partial), row.plan, f"severity {row.severity}"): (
            figures.rate_or_count(row.tally.compliance),
            row.tally.met,
            row.tally.counted,
            row.tally.pending,
            row.tally.waived,
        )
        for row in result.rows
    }
    shown = {
        (str(row["Month"]), row["Plan"], row["Severity"]): (
            row["Compliance"],
            row["Met"],
            row["Counted"],
            row["Running"],
            row["Waived"],
        )
        for row in rows
    }
    assert shown == expected
    assert shown["June 2026", "standard", "severity 3"] == ("3 of 4", 3, 3 + 1, 0, 0)
    assert shown["July 2026 (partial)", "enhanced", "severity 5"] == ("n/a", 0, 0, 0, 1)


def test_compliance_page_marks_the_month_that_still_runs(workspace):
    app = open_page()
    assert {row["Month"] for row in table(app, "Compliance")} == {
        "May 2026",
        "June 2026",
        "July 2026 (partial)",
    }
    for name in ("May 2026", "June 2026", "July 2026, still running"):
        assert name in [caption.value for caption in app.caption]


@pytest.mark.parametrize("page", FRAMED)
def test_pages_say_how_fresh_and_how_checked_they_are(workspace, page):
    app = open_page(page)
    assert app.text[0].value == (
        "Data known until 30 Jun 2026, 12:00:00 UTC · as of 15 Jul 2026, 00:00:00 UTC · built 15 Jul 2026, 03:00:00 UTC · "
        "checks: 1 passed, 1 warned · 2 of 40 records refused · 1 of 4 tickets not judged"
    )
    told = [text.value for text in app.text]
    assert "Refused: 2 of 40 records: severity: is not a known severity (2)." in told
    assert any(line.startswith("Not judged: 1 of 4 tickets: ") for line in told)
    assert any(line.startswith("Build 5ma11b01d000") for line in told)


def test_compliance_page_goes_on_showing_a_closed_month_and_counts_its_corrections(tmp_path, monkeypatch):
    monkeypatch.setenv("SLA_WORKSPACE", str(tmp_path))
    workspace = publish(tmp_path)
    pointer = read_pointer(workspace)
    closed_at = datetime(2026, 7, 8, tzinfo=UTC)
    build = keep_build(pointer)
    append_record(workspace, Closing(1, "2026-06", "UTC", 1, build, closed_at, "", {}))
    before = table(open_page(), "Compliance")
    # The next build knows no obligation any more.
    publish(tmp_path, "5ma11b01d001", rows=[])
    for number in (1, 2):
        append_record(workspace, Correction(1 + number, "acme", "2026-06", 1, number, build, closed_at, ()))
    app = open_page()
    assert [row for row in table(app, "Compliance") if "June 2026" in str(row["Month"])] == [
        row for row in before if "June 2026" in str(row["Month"])
    ]
    assert "Closed, as on record: June 2026." in all_words(app)
    assert "June 2026: 2 corrections since it was closed." in all_words(app)


@pytest.mark.parametrize("page", FRAMED)
def test_pages_name_each_source_and_warn_when_one_lags_behind(workspace, page):
    assert not open_page(page).warning
    change(
        workspace,
        "insert into core.dim_sources (source, known_until, is_lagging) values ('south', timestamp '2026-06-20 09:00:00', true)",
    )
    app = open_page(page)
    assert app.text[0].value.startswith(
        "Data known until: helpdesk 30 Jun 2026, 12:00:00 UTC, south 20 Jun 2026, 09:00:00 UTC, lags behind the others"
    )
    assert "is not silence" in app.warning[0].value


def test_compliance_page_shows_bounds_instead_of_a_percentage_that_could_be_another(workspace):
    # June, standard: 3 met, 1 breached and eight that could be either: 3 of 12 up to 11 of 12.
    undecided = [
        (
            f"T-{n}",
            "acme",
            "standard",
            3,
            "not_measurable",
            None,
            "2026-06-10 08:00:00",
            "2026-06-10 08:00:00",
        )
        for n in range(20, 28)
    ]
    publish(workspace.root, rows=[*OBLIGATIONS, *undecided], build_id="2222bbbb3333")
    app = open_page(by="plan")
    june = {row["Plan"]: row for row in table(app, "Compliance") if row["Month"] == "June 2026"}
    assert (june["standard"]["Compliance"], june["standard"]["Bounds"]) == ("25.0 % to 91.7 %",) * 2
    assert (june["enhanced"]["Compliance"], june["enhanced"]["Bounds"]) == ("1 of 2", "")
    assert "28.6 % to 85.7 %" in [heading.value for heading in app.subheader]
    assert "4 met of 6 counted" in all_words(app)


def test_compliance_page_shows_few_tickets_as_counts_and_draws_no_rate_of_them(workspace):
    app = open_page(by="plan,severity")
    assert {row["Compliance"] for row in table(app, "Compliance")} == {
        "2 of 2",
        "3 of 4",
        "1 of 1",
        "1 of 2",
        "n/a",
    }
    assert "2 of 2 cells have too few tickets for a line of their own" in all_words(app)


def test_compliance_filters_come_from_the_address(workspace):
    app = open_page(plan="standard", by="plan", month="2026-06")
    rows = table(app, "Compliance")
    assert {row["Plan"] for row in rows} == {"standard"}
    june = next(row for row in rows if row["Month"] == "June 2026")
    assert (june["Compliance"], june["Met"], june["Counted"]) == ("3 of 4", 3, 3 + 1)


def test_compliance_filters_stay_in_the_address_when_they_are_chosen(workspace):
    app = open_page()
    app.multiselect(key="customer").set_value(["beta"]).run()
    assert app.query_params["customer"] == "beta"
    assert {row["Met"] for row in table(app, "Compliance")} == {1, 0}


@pytest.mark.parametrize(
    ("page", "own"),
    [
        ("overview", ("month",)),
        pytest.param("compliance", ("by", "basis"), marks=pytest.mark.long),
        pytest.param("at_risk", ("band",), marks=pytest.mark.long),
        pytest.param("why", ("month", "class"), marks=pytest.mark.long),
        ("backlog", ("by", "span", "day")),
        pytest.param("distribution", ("month", "event"), marks=pytest.mark.long),
        pytest.param("customers", ("month",), marks=pytest.mark.long),
        pytest.param("customer", ("month",), marks=pytest.mark.long),
        ("entitlements", ("term", "alert", "pool")),
        ("findings", ("part", "finding")),
        pytest.param("what_if", ("trial",), marks=pytest.mark.long),
        pytest.param("about", ("table",), marks=pytest.mark.long),
        ("tickets", ("month", "basis", "status", "class", "band", "plan_zone", "group")),
    ],
)
def test_unknown_values_in_the_address_are_left_out_and_named_in_one_message(workspace, page, own):
    expected = [each.value.to_csv() for each in open_page(page).dataframe]
    shared = FILTERS.get(page, COUNTED_BY)
    app = open_page(page, **{key: [f"' or {key}=1 --"] for key in (*shared, *own)})
    assert [warning.value for warning in app.warning] == [
        "The address asks for something that this build does not have. It was left out:"
    ]
    for key in (*shared, *own):
        assert f"' or {key}=1 --" in all_words(app)
        assert "--" not in "".join(app.query_params.get(key, []))
    assert [each.value.to_csv() for each in app.dataframe] == expected


def test_times_are_told_in_the_zone_that_is_chosen_and_figures_stay_the_same(workspace):
    change(workspace, "update core.dim_plan_versions set time_zone = 'Europe/Berlin' where plan = 'standard'")
    before = open_page("tickets", month="2026-06")
    app = open_page("tickets", month="2026-06", zone="Europe/Berlin")
    assert app.text[0].value.startswith(
        "Data known until 30 Jun 2026, 14:00:00 +02:00 · as of 15 Jul 2026, 02:00:00 +02:00 · "
    )
    moved = {row["Ticket"]: row["Submitted"] for row in table(app, "Submitted")}
    assert moved["T-3"] == "1 Jun 2026, 10:00:00 +02:00"
    assert [row["Ticket"] for row in table(before, "Submitted")] == list(moved)
    # The next page keeps it, and writes it into its address.
    app.switch_page("views/overview.py").run()
    assert app.query_params["zone"] == "Europe/Berlin"
    # A browser that tells no zone is told UTC.
    assert (
        open_page("tickets", zone="viewer")
        .text[0]
        .value.startswith("Data known until 30 Jun 2026, 12:00:00 UTC")
    )


def test_several_unknown_values_of_an_address_make_one_message(workspace):
    app = open_page("tickets", customer=["unknown-id", "acme"], plan="gold", month="1999-01")
    assert len(app.warning) == 1
    assert "Month: 1999-01; Customer: unknown-id; Plan: gold" in all_words(app)
    assert app.query_params["customer"] == "acme"


def test_filters_are_kept_on_the_next_page_and_written_into_its_address(workspace):
    app = open_page("compliance", customer="beta")
    app.query_params.clear()
    app.switch_page("views/tickets.py").run()
    assert app.query_params["customer"] == "beta"
    assert {row["Ticket"] for row in table(app, "Ticket")} == {"T-7", "T-8"}


def test_an_address_overrides_the_filters_of_the_page_before(workspace):
    app = open_page("tickets", month="2026-05", status="met")
    app.query_params["month"], app.query_params["status"] = "2026-06", ["breached"]
    app.switch_page("views/why.py").run()
    assert app.selectbox(key="month").value == "2026-06"


def test_ticket_list_counts_what_the_table_counts(workspace):
    months = {"May 2026": "2026-05", "June 2026": "2026-06", "July 2026 (partial)": "2026-07"}
    for row in table(open_page(by=""), "Compliance"):
        listed = open_page("tickets", month=months[str(row["Month"])])
        statuses = [each["Status"] for each in table(listed, "Ticket")]
        assert statuses.count("met") == row["Met"]
        assert statuses.count("met") + statuses.count("breached") == row["Counted"]
        assert statuses.count("running") == row["Running"]


@pytest.mark.parametrize(("cut", "head"), [("zone", "Zone"), ("group", "Group")])
def test_cut_by_zone_and_by_group_lists_as_many_tickets_as_it_counts(workspace, cut, head):
    change(
        workspace,
        "update core.fct_sla_obligations set time_zone = 'Europe/Berlin' where plan = 'enhanced';"
        "update marts.mart_manager__monthly_compliance set time_zone = 'Europe/Berlin' where plan = 'enhanced'",
    )
    rows = [row for row in table(open_page(by=cut), "Compliance") if row["Month"] == "June 2026"]
    assert {row[head]: (row["Met"], row["Counted"]) for row in rows} == {
        "zone": {"UTC": (3, 4), "Europe/Berlin": (1, 2)},
        # What no group is stated for is counted apart, and is neither of the groups.
        "group": {"Desk <1>": (1, 2), "Field": (0, 1), "not stated": (3, 3)},
    }[cut]
    for row in rows:
        preset = (
            {"plan_zone": row[head]}
            if cut == "zone"
            else {"group": NO_GROUP if row[head] == "not stated" else row[head]}
        )
        listed = table(open_page("tickets", month="2026-06", **preset), "Ticket")
        statuses = [each["Status"] for each in listed]
        assert (statuses.count("met"), statuses.count("met") + statuses.count("breached")) == (
            row["Met"],
            row["Counted"],
        )


def test_ticket_list_begins_with_what_is_most_over_its_target(workspace):
    rows = table(open_page("tickets", month=""), "Ticket")
    assert [(row["Ticket"], row["Over by"]) for row in rows[:3]] == [
        ("T-8", figures.duration(9000 - 7200)),
        ("T-11", figures.duration(9000 - 7200)),
        ("T-4", "1 s"),
    ]
    assert len(rows) == len(OBLIGATIONS)


def test_a_long_ticket_list_is_drawn_in_sheets_and_downloaded_whole(workspace, monkeypatch):
    monkeypatch.setattr(ticket_list, "ROWS_OF_A_SHEET", 5)
    offered = record_downloads(monkeypatch)
    whole = [row[1] for row in read_list(open_page("tickets", month=""), offered)]
    assert len(whole) == len(OBLIGATIONS)
    app = open_page("tickets", month="", sheet_tickets="3")
    assert [row["Ticket"] for row in table(app, "Ticket")] == whole[10:]
    assert [row[1] for row in read_list(app, offered)] == whole
    assert f"{len(OBLIGATIONS)} promises of {len(OBLIGATIONS)} tickets, worst first." in all_words(app)


def read_list(app: AppTest, offered: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows of the list that the page offers for download."""
    assert [each[0] for each in offered][-1:] == ["Download this list"]
    return list(offered[-1][2])


def test_ticket_list_takes_the_presets_of_the_page_before(workspace):
    def listed(**preset: str) -> list[object]:
        return [row["Ticket"] for row in table(open_page("tickets", month="", **preset), "Ticket")]

    assert listed(**{"class": "between_teams"}) == ["T-4"]
    assert listed(status="breached") == ["T-8", "T-4"]
    # 78,000 s of 24 h are used up: over 90 %.
    assert listed(band="90") == ["T-10"]
    assert table(open_page("tickets", month="2026-06", status="breached"), "Ticket")[0]["Why"] == (
        "Waiting for first touch"
    )


def test_overview_has_a_figure_for_each_promise_and_its_change(workspace):
    app = open_page("overview")
    assert [header.value for header in app.header] == ["4 of 6"]
    words = all_words(app)
    assert "4 met of 6 counted, 0 running" in words
    assert "targets from 2 h to 24 h" in words
    assert "May 2026: 2 of 2" in words
    assert "June 2025: nothing counted" in words
    promises = {(row["Promise"], row["Plan"]): row for row in table(app, "Target")}
    assert promises["first response", "standard"]["Compliance"] == "3 of 4"
    assert [row["Counted"] for row in table(app, "Bounds")][:3] == [1, 4 + 2, 2]


def test_dated_notes_stand_under_the_trend_for_those_who_may_see_them(workspace):
    words = all_words(open_page("overview"))
    assert "Note 1 · 3 Jun 2026: Moved to <b>another</b> data centre" in words
    assert "Note 2 · 10 Jun 2026: New contacts of Beta" in words
    assert "Long ago" not in words
    # A note about one customer stands beside that customer's figures alone.
    assert "New contacts" not in all_words(open_page("customer", customer="acme"))
    assert "Note 2 · 10 Jun 2026: New contacts of Beta" in all_words(open_page("customer", customer="beta"))
    with open_published(workspace) as published:
        assert [each.note for each in read_annotations(published, Scope(("beta",)))] == [
            "New contacts of Beta"
        ]
        assert read_annotations(published, Scope(("acme",))) == ()


def test_overview_counts_what_needs_attention_and_links_to_it(workspace):
    links = {link.proto.label: link.proto for link in open_page("overview", customer="acme").get("page_link")}
    assert {
        "Breached: 1",
        "At risk: 1 of 1 running",
        "Newly breached in July 2026: 0",
        "Pools running out: 2",
        "Terms ending: 1",
    } == set(links)
    assert "customer=acme" in links["At risk: 1 of 1 running"].query_string
    for part in ("month=2026-06", "status=breached", "obligation=first_response"):
        assert part in links["Breached: 1"].query_string


def test_at_risk_page_lists_running_promises_by_the_time_left(workspace):
    app = open_page("at_risk")
    assert [header.value for header in app.header] == ["1", "0", "0", "0"]
    (row,) = table(app, "Left")
    assert (row["Ticket"], row["Left"], row["At risk"]) == (
        "T-10",
        figures.duration(86400 - 78000),
        "over 90 % used",
    )
    assert "as of 15 Jul 2026, 00:00:00 UTC" in all_words(app)
    app = open_page("at_risk", customer="beta")
    assert app.info[0].value.startswith("Nothing is running in this selection")


def test_classes_sum_to_the_breaches_of_the_month(workspace):
    app = open_page("why", month="2026-06")
    assert "2 breaches in June 2026, by what held each up" in [each.value for each in app.subheader]
    counts = {row["Why"]: row["Breaches"] for row in table(app, "Means")}
    assert sum(counts.values()) == 1 + 1
    assert (counts["Between teams"], counts["Waiting for first touch"]) == (1, 1)
    assert len(table(open_page("why", month="2026-06", **{"class": "between_teams"}), "Ticket")) == 1


def test_held_time_sums_to_the_time_that_elapsed_on_the_breached_promises(workspace):
    rows = table(open_page("why", month="2026-06"), "Held for")
    assert [(row["Group"], row["Assignee"], row["Promises"]) for row in rows] == [
        ("Desk <1>", "unassigned", 2),
        ("Field", "unassigned", 2),
    ]
    assert [row["Held for"] for row in rows] == [
        figures.duration(86401 + 9000 - 7200),
        figures.duration(7200),
    ]


def test_why_page_says_when_nothing_was_breached(workspace):
    assert open_page("why", month="2026-05").info[0].value == "No promise was breached in this selection."


def test_backlog_page_reconciles_each_day_with_the_day_before(workspace):
    rows = list(reversed(table(open_page("backlog", span=""), "Ended")))
    assert [row["Day"] for row in rows[:1]] == ["4 May 2026"]
    assert rows[-1]["Day"] == "15 Jul 2026 (as of the data)"
    before = 0
    for row in rows:
        assert row["Open"] == before + row["Opened"] + row["Reopened"] - row["Ended"], row["Day"]
        before = row["Open"]
    # T-10 alone is open; eleven tickets were opened, one of them again, and T-12 has no recorded history.
    assert (sum(row["Opened"] for row in rows), sum(row["Reopened"] for row in rows)) == (11, 1)
    assert (rows[-1]["Open"], rows[-1]["Without history"]) == (1, 1)


def test_backlog_page_lists_as_many_tickets_as_it_counts_on_each_day(workspace):
    for row in table(open_page("backlog", span=""), "Ended")[::20]:
        day = datetime.strptime(str(row["Day"]).partition(" (")[0], "%d %b %Y").date()
        app = open_page("backlog", span="", day=day.isoformat())
        listed = table(app, "Age") if row["Open"] else []
        assert len(listed) == row["Open"]
    assert table(open_page("backlog", day="2026-06-20"), "Age") == [
        {
            "Ticket": "T-5",
            "Status": "open",
            "Severity": 3,
            "Age": "7 days to under 30 days",
            "Submitted": "8 Jun 2026, 08:00:00 UTC",
            "Customer": "Acme <Corp>",
            "Plan": "standard",
            "Subject": NASTY_SUBJECT,
        }
    ]


def test_backlog_by_status_severity_and_age_sums_to_the_open_tickets_of_each_day(workspace):
    with open_published(workspace) as published:
        for scope in (EVERY_CUSTOMER, Scope(("beta",))):
            open_counts = {
                each.day: each.open_count for each in read_backlog(published, scope) if each.open_count
            }
            for by in CUTS:
                found: Counter[object] = Counter()
                for level in read_backlog_levels(published, scope, Selection(), by):
                    found[level.day] += level.open_count
                assert dict(found) == open_counts


def test_backlog_page_says_that_a_selection_has_no_ticket(workspace):
    assert open_page("backlog", plan="standard", severity="5").info[0].value.startswith("No tickets in this")


def test_distribution_page_names_its_percentiles_and_draws_every_answer_once(workspace):
    # Standard in June: answers after 60, 1800 and 86400 s; enhanced: after 600 s. What was not answered has no time.
    rows = {row["Plan"]: row for row in table(open_page("distribution", month="2026-06"), "p50")}
    assert {plan: row["Answers"] for plan, row in rows.items()} == {"standard": 3, "enhanced": 1}
    assert [rows["standard"][name] for name in ("p50", "p90", "p95", "Longest")] == [
        figures.duration(1800),
        *[figures.duration(86400)] * 3,
    ]
    assert "nearest rank" in all_words(open_page("distribution"))
    with open_published(workspace) as published:
        for each in read_answer_times(published, EVERY_CUSTOMER):
            assert sum(each.bins) == each.answered_count
        june = read_answer_times(published, EVERY_CUSTOMER, Selection(("acme",), ("2026-06",)))
    # 60 and 1800 s are in the first tenth of 24 h; 86400 s of 86400 s are within the target, in the tenth one.
    assert [(place, count) for place, count in enumerate(june[0].bins) if count] == [(0, 2), (9, 1)]


def test_heat_map_counts_each_submission_and_each_breach_once(workspace):
    def counted(event: str) -> tuple[int, dict[str, object]]:
        rows = table(open_page("distribution", month="", event=event), "Weekday")
        return sum(sum(int(row[f"{hour:02d}"]) for hour in range(24)) for row in rows), rows[0]

    submitted, monday = counted("submitted")
    # On Mondays at 08: T-1, T-3, T-5 and T-10.
    assert (submitted, monday["08"]) == (len(OBLIGATIONS), 4)
    assert counted("breached")[0] == 2


def test_customers_page_counts_what_the_overview_counts(workspace):
    rows = {row["Customer"]: row for row in table(open_page("customers", month="2026-06"), "Remaining")}
    assert list(rows) == ["Acme <Corp>", "Beta & Söhne"]
    assert [rows[name]["Compliance"] for name in rows] == ["3 of 4", "1 of 2"]
    assert (sum(row["Counted"] for row in rows.values()), sum(row["Breached"] for row in rows.values())) == (
        4 + 2,
        1 + 1,
    )
    assert [(row["Running"], row["At risk"]) for row in rows.values()] == [(1, 1), (0, 0)]
    assert [(row["Remaining"], row["Over"]) for row in rows.values()] == [("2", 2), ("unlimited", 0)]
    assert [(row["Alerts"], row["Findings"]) for row in rows.values()] == [(4, 1), (0, 2)]


def test_customers_page_has_a_line_for_tickets_that_map_to_no_customer(workspace):
    change(
        workspace,
        "update core.fct_sla_obligations set customer_id = 'unlisted <x>' where ticket_id = 'T-10';"
        "update marts.mart_manager__monthly_compliance set customer_id = null, customer_name = null where customer_id = 'beta'",
    )
    rows = {row["Customer"]: row for row in table(open_page("customers", month="2026-06"), "Remaining")}
    assert (rows["no customer"]["Counted"], rows["no customer"]["Running"]) == (2, 1)


def test_customer_page_has_promises_open_tickets_breaches_balances_and_findings_of_one_customer(workspace):
    app = open_page("customer", customer="acme", month="2026-06")
    assert [header.value for header in app.header] == ["3 of 4"]
    heads = [each.value for each in app.subheader]
    assert {"Open promises: 1", "Breached in June 2026: 1", "Entitlements of current terms"} <= set(heads)
    assert [row["Ticket"] for row in table(app, "Left")] == ["T-10"]
    assert [(row["Ticket"], row["Why"]) for row in table(app, "Why")] == [("T-4", "Between teams")]
    assert [(row["Pool"], row["Remaining"]) for row in table(app, "Pool")] == [
        ("level 5", "0"),
        ("regular", "2"),
    ]
    assert [row["Ticket"] for row in table(app, "What shows it")] == ["T-1"]
    links = {link.proto.label: link.proto.query_string for link in app.get("page_link")}
    for name in ("Compliance", "Tickets", "Why we breach", "Entitlements"):
        assert "customer=acme" in links[name]


def test_customer_page_asks_for_a_customer_and_says_why_there_is_no_report(workspace):
    assert open_page("customer").info[0].value.startswith("No customer is chosen.")
    app = open_page("customer", customer="acme", month="2026-04")
    app.button[0].click().run()
    assert [error.value for error in app.error] == ["There is no report of April 2026."]
    assert "nothing" in all_words(app)


def test_customer_page_leaves_out_an_unknown_customer_like_any_other_value(workspace):
    app = open_page("customer", customer="gamma")
    assert "Customer: gamma" in all_words(app)
    assert app.info[0].value.startswith("No customer is chosen.")


def test_findings_page_has_each_area_once(workspace):
    contract = open_page("findings")
    assert [row["Finding"] for row in table(contract, "What shows it")] == [
        "The ticket lies outside every term of its customer",
        "A waiver stands where there is nothing to waive",
    ]
    data = open_page("findings", part="data")
    assert [row["Ticket"] for row in table(data, "What shows it")] == ["T-8"]
    settings = open_page("findings", part="settings")
    assert table(settings, "Setting") == [{"Source": "helpdesk", "Setting": "robots", "Name": "Bot <1>"}]
    assert "Times without a zone are read in: helpdesk Europe/Berlin." in all_words(settings)
    refused = open_page("findings", part="quarantine")
    assert "2 refused records" in [each.value for each in refused.subheader]
    assert table(refused, "Records")[0]["Why"] == "is not a known severity"
    checks = open_page("findings", part="checks").dataframe[-1].value
    assert list(checks["Outcome"]) == ["failed", "passed"]
    assert (
        open_page("findings", finding="waiver_of_nothing").subheader[0].value
        == "1 finding in contract records"
    )


def test_refused_records_are_listed_one_by_one_and_paged(workspace):
    app = open_page("findings", part="quarantine")
    assert table(app, "What to do")[0] == {
        "Source": "helpdesk",
        "Where": "tickets.csv, line 11",
        "Ticket": "T-90",
        "Column": "severity",
        "Value": "=urgent <b>",
        "Why": "is not a known severity",
        "What to do": "Map it under severities in sla.yml.",
    }
    change(
        workspace,
        "insert into qc.rpt_qc__refused_records by name select 'b2:' || n as refused_record_key, 'south' as source, "
        "'is of no form' as reason, 'south.csv' as source_file, n as line_number from (select unnest(range(250)) as n);"
        "insert into core.fct_refused_records by name select 'south' as source, 'is of no form' as reason, 250 as refused_count",
    )
    app = open_page("findings", part="quarantine", reason="is of no form", sheet="3")
    assert app.selectbox(key="sheet").options == [
        f"{first} to {last} of 250" for first, last in ((1, 100), (101, 200), (201, 250))
    ]
    assert [row["Where"] for row in table(app, "What to do")] == [
        f"south.csv, line {n}" for n in range(200, 250)
    ]
    # What one sheet holds offers none to choose.
    assert "sheet" not in [
        each.key
        for each in open_page("findings", part="quarantine", reason="is not a known severity").selectbox
    ]


def test_about_page_has_the_descriptions_of_the_models_and_the_build_that_is_shown(workspace):
    app = open_page("about", table="core.fct_sla_obligations")
    columns = {row["Column"]: row["Meaning"] for row in table(app, "Meaning")}
    # The text of a block that several models share, in place of its name.
    assert columns["elapsed_seconds"].startswith("Open seconds on the clock, pauses taken off")
    assert "core.fct_sla_obligations: One row per ticket, obligation and cycle" in all_words(app)
    assert table(app, "Known until")[0]["Known until"] == "30 Jun 2026, 12:00:00 UTC"
    assert "build 5ma11b01d000, as of 15 Jul 2026, 00:00:00 UTC" in all_words(app)


def test_ticket_page_explains_a_verdict_down_to_its_segments_and_source_line(workspace):
    app = open_page("ticket", ticket="T-4")
    words = all_words(app)
    assert "First response: breached" in [each.value for each in app.subheader]
    assert "Counted 24 h 00 min 01 s = elapsed 24 h 00 min 01 s of 24 h: over by 1 s" in words
    assert "Plan table, row First Non-Automated response" in words
    assert "source helpdesk: tickets.csv, line 2" in words
    segments = table(app, "Wall time")
    assert [segment["Kind"] for segment in segments] == ["counted", "closed"]
    assert segments[0]["Counted"] == figures.duration(86400 + 1)
    assert table(app, "Source line")[0]["Kind"] == "public"
    assert table(app, "Paid by")[0]["Paid by"] == "term standard-term"


def test_ticket_page_names_who_asked_for_a_waiver_and_who_approved_it(workspace):
    words = all_words(open_page("ticket", ticket="T-11"))
    assert "Waiver W-1: Customer <asked> · asked for by Rita, approved by Axel" in words
    assert "(waivers.csv, line 2)" in words


def test_ticket_page_says_that_there_is_no_such_ticket_and_names_the_nearest(workspace):
    app = open_page("ticket", ticket="T-99")
    assert app.info[0].value == "This build has no such ticket."
    assert "Nearest: 'T-9'" in all_words(app)
    assert open_page("ticket").info[0].value.startswith("No ticket is chosen.")


@pytest.mark.parametrize(
    ("page", "address"),
    [
        # Those that show most of the data's texts; the others in the long suite.
        *(
            (page, {})
            if page in ("customers", "backlog", "findings", "why")
            else pytest.param(page, {}, marks=pytest.mark.long)
            for page in PAGES
        ),
        ("ticket", {"ticket": "T-11"}),
        ("tickets", {"month": ""}),
        ("entitlements", {"pool": "standard-term/regular"}),
        ("customer", {"customer": "acme"}),
        ("findings", {"part": "settings"}),
        ("findings", {"part": "quarantine"}),
    ],
)
def test_pages_never_put_text_from_data_into_markdown(workspace, page, address):
    app = open_page(page, **address)
    if page == "tickets":
        assert table(app, "Subject")[0]["Subject"] == NASTY_SUBJECT
    understood = [
        *app.markdown,
        *app.caption,
        *app.info,
        *app.warning,
        *app.error,
        *app.header,
        *app.subheader,
        *app.title,
        *app.expander,
    ]
    for element in understood:
        for word in ("beacon", "Acme", "Söhne", "asked>", "Desk"):
            assert word not in str(getattr(element, "value", "")) + str(getattr(element, "label", ""))
    for link in app.get("page_link"):
        assert "Acme" not in link.proto.label


@pytest.mark.parametrize("page", FRAMED)
def test_pages_tell_nothing_published_from_no_rows(tmp_path, monkeypatch, page):
    monkeypatch.setenv("SLA_WORKSPACE", str(tmp_path))
    app = open_page(page)
    assert [info.value for info in app.info][0].startswith("Nothing is published yet.")
    assert not app.dataframe


@pytest.mark.parametrize("page", PAGES)
def test_every_page_shows_all_that_it_shows_within_the_frame_under_its_own_name(page):
    tree = ast.parse((HERE / "views" / f"{page}.py").read_text(encoding="utf-8"))
    run = [
        node
        for node in tree.body
        if not isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.Assign | ast.ClassDef)
    ]
    told = [
        ast.unparse(node)
        for node in run
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    assert told == [f"with frame.open_page({page!r}) as page:\n    show(page)"]


@pytest.mark.parametrize("page", COUNTING)
def test_pages_tell_no_rows_in_this_selection(workspace, page):
    app = open_page(page, plan="standard", severity="5")
    assert len(app.info) == 1
    assert app.info[0].value.startswith(
        ("No promises in this selection.", "Nothing is running in", "No promise was breached in")
    )
    assert not app.warning


@pytest.mark.parametrize("page", FRAMED)
def test_pages_show_no_figure_of_a_build_whose_checks_failed(workspace, page):
    change(workspace, "update meta.checks set status = 'error' where severity = 'critical'")
    app = open_page(page)
    assert [error.value for error in app.error] == [
        "Checks of this build failed, so its figures are not shown."
    ]
    assert len(app.dataframe) == 1
    assert not app.header
    assert list(app.dataframe[0].value["Outcome"]) == ["error", "failed"]


def test_pages_say_that_the_published_file_is_missing_without_a_traceback(workspace):
    (workspace.published / "5ma11b01d000.duckdb").unlink()
    app = open_page()
    assert [error.value for error in app.error] == ["The figures cannot be shown."]
    assert "is missing although" in all_words(app)


def test_page_shows_the_new_build_on_its_next_run_and_holds_no_connection(workspace):
    app = open_page()
    publish(workspace.root, "2222bbbb3333", [OBLIGATIONS[0]])
    # A writer may open the former file: no reader holds it.
    duckdb.connect(str(workspace.published / "5ma11b01d000.duckdb")).close()
    app.run()
    assert "Build 2222bbbb3333" in all_words(app)
    assert [row["Month"] for row in table(app, "Compliance")] == ["May 2026"]


def test_compliance_page_shows_n_a_and_no_chart_when_nothing_was_counted(tmp_path, monkeypatch):
    monkeypatch.setenv("SLA_WORKSPACE", str(tmp_path))
    publish(tmp_path, rows=[OBLIGATIONS[-1]])
    app = open_page()
    assert [each.value for each in app.subheader][:3] == ["n/a", "n/a", "n/a"]
    assert len(app.get("plotly_chart")) == 0


def test_entitlements_page_shows_unlimited_and_not_stated_as_words(workspace):
    app = open_page("entitlements")
    pools = {
        (row["Customer"], row["Pool"]): row
        for each in app.dataframe
        if "Remaining" in each.value.columns
        for row in each.value.to_dict("records")
    }
    assert pools["Acme <Corp>", "regular"]["Remaining"] == str(10 - 8)
    assert (pools["Acme <Corp>", "level 5"]["Remaining"], pools["Acme <Corp>", "level 5"]["Overage"]) == (
        "0",
        3 - 1,
    )
    assert pools["Beta & Söhne", "regular"]["Remaining"] == "unlimited"
    assert pools["Beta & Söhne", "upgrade assistance"]["Granted"] == "not stated"


def test_entitlements_page_tells_the_alerts_above_the_balances(workspace):
    rows = table(open_page("entitlements"), "Alert")
    assert [(row["Alert"], row["Alert about"]) for row in rows] == [
        ("used beyond the pool", "level 5"),
        ("likely to run out by 14 Sept 2026", "regular"),
        ("80 % reached", "regular"),
        ("term ends in 170 days", "term standard-term"),
    ]
    assert (rows[2]["Consumed"], rows[2]["Available"], rows[2]["Since"]) == (
        8,
        10,
        "13 Jul 2026, 08:00:00 UTC",
    )
    app = open_page("entitlements", customer="beta")
    assert "No alerts: " in all_words(app)


def test_entitlements_page_cuts_by_customer_and_term(workspace):
    assert {row["Customer"] for row in table(open_page("entitlements", customer="beta"), "Pool")} == {
        "Beta & Söhne"
    }
    app = open_page("entitlements", term="ended")
    assert app.info[0].value.startswith("No subscription terms in this selection.")


def test_entitlements_page_shows_what_remains_first_and_folds_away_what_is_not_stated(workspace):
    app = open_page("entitlements")
    first = app.dataframe[0] if "Check" not in app.dataframe[0].value.columns else app.dataframe[1]
    assert list(first.value.columns)[:4] == ["Customer", "Pool", "Remaining", "Overage"]
    # Over the pool first, then the least left, unlimited last.
    assert list(first.value["Remaining"]) == ["0", "2", "unlimited"]
    assert "Pools whose plan states no number: 1" in [each.label for each in app.expander]


def test_entitlements_page_opens_the_ledger_of_a_pool_with_what_paid_each_unit(workspace):
    app = open_page("entitlements", pool="standard-term/regular")
    # The ledger of the hand-made build has lines and no months, and is read by month.
    change(
        workspace,
        """
        insert into core.fct_entitlement_months by name
        select 'acme' as customer_id, 'standard-term' as subscription_id, 'standard' as plan, 'standard@1' as plan_version,
          'regular' as pool, '2026-05' as month, 0 as purchased_quantity, 0 as used_quantity, 0 as credited_quantity,
          0 as overflowed_in_quantity, 0 as overflowed_out_quantity, 0 as overage_quantity, 0 as overage_to_date_quantity,
          0 as expired_quantity, 0 as carried_quantity, false as is_unlimited, true as is_stated, false as is_redeemed,
          'current' as term_status, date '2026-01-01' as term_starts_on, date '2027-01-01' as term_ends_on
        """,
    )
    assert "Nothing was booked on this pool." in all_words(app)
    app = open_page("entitlements", pool="standard-term/regular")
    rows = table(app, "Paid by")
    assert {(row["Units"], row["Paid by"]) for row in rows} == {("−1", "term standard-term")}
    assert [row["Ticket"] for row in rows][:2] == ["T-1", "T-2"]
    assert len(rows) == sum(plan == "standard" for _, _, plan, *_ in OBLIGATIONS)


def test_app_opens_with_the_overview(workspace):
    app = AppTest.from_file(str(HERE / "app.py"), default_timeout=30).run()
    assert [title.value for title in app.title] == ["Overview"]
    assert not app.exception


def test_queries_count_what_the_page_shows_for_one_customer(workspace):
    with open_published(workspace) as published:
        total = read_compliance(published, EVERY_CUSTOMER, Selection(customer_ids=("beta",)), by=()).total
    assert f"{total.met} met of {total.counted} counted" in all_words(open_page(customer="beta"))
