"""The pages, run headless on a build made by hand: they show what the queries give, and tell states apart."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from dashboards.serve import HERE
from pipeline.periods.records import Closing, Correction, append_record, keep_build
from pipeline.pointer import read_pointer
from pipeline.reporting import figures
from pipeline.reporting.compliance import read_compliance
from pipeline.reporting.published import EVERY_CUSTOMER, Selection, open_published
from pipeline.settings import Workspace
from tests.unit.dashboards.small_build import JUNE_STANDARD, NASTY_SUBJECT, OBLIGATIONS, change, publish


@pytest.fixture
def workspace(tmp_path, monkeypatch) -> Workspace:
    monkeypatch.setenv("SLA_WORKSPACE", str(tmp_path))
    return publish(tmp_path)


def open_page(page: str = "compliance", **address: str | list[str]) -> AppTest:
    """The page after one run, called with this address. Nothing may have been raised."""
    app = AppTest.from_file(str(HERE / "views" / f"{page}.py"), default_timeout=30)
    for key, value in address.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def all_words(app: AppTest) -> str:
    kinds = (app.text, app.caption, app.info, app.warning, app.error)
    return "\n".join(element.value for kind in kinds for element in kind)


def table(app: AppTest, column: str) -> list[dict[str, object]]:
    """The rows of the table that has `column`."""
    return next(each.value.to_dict("records") for each in app.dataframe if column in each.value.columns)


def test_compliance_table_shows_the_figures_of_the_query(workspace):
    rows = table(open_page(), "Compliance")
    with open_published(workspace) as published:
        result = read_compliance(published, EVERY_CUSTOMER, by=("month", "plan", "severity"))
    expected = {
        (row.month, row.plan, f"severity {row.severity}"): (
            figures.percent_alone(row.tally.compliance),
            row.tally.met,
            row.tally.counted,
            row.tally.pending,
            row.tally.waived,
        )
        for row in result.rows
    }
    shown = {
        (str(row["Month"])[:7], row["Plan"], row["Severity"]): (
            row["Compliance"],
            row["Met"],
            row["Counted"],
            row["Running"],
            row["Waived"],
        )
        for row in rows
    }
    assert shown == expected
    assert shown["2026-06", "standard", "severity 3"] == ("75.0 %", 3, 3 + 1, 0, 0)
    assert shown["2026-07", "enhanced", "severity 5"] == ("n/a", 0, 0, 0, 1)


def test_compliance_page_marks_the_month_that_still_runs(workspace):
    app = open_page()
    assert {row["Month"] for row in table(app, "Compliance")} == {"2026-05", "2026-06", "2026-07 (partial)"}
    assert [metric.label for metric in app.metric] == ["May 2026", "June 2026", "July 2026, partial"]


def test_compliance_page_says_how_fresh_and_how_checked_it_is(workspace):
    header = open_page().text[0].value
    assert "Data as of 2026-07-15 00:00:00 UTC" in header
    told = [text.value for text in open_page().text]
    assert "Refused: 2 of 40 records: severity: is not a known severity (2)." in told
    assert any(line.startswith("Not judged: 1 of 4 tickets: ") for line in told)
    assert "build 5ma11b01d000" in header
    assert "checks: 1 passed, 1 warned" in header


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
    assert [row for row in table(app, "Compliance") if "2026-06" in str(row["Month"])] == [
        row for row in before if "2026-06" in str(row["Month"])
    ]
    assert "Closed, as on record: 2026-06." in all_words(app)
    assert "2026-06: 2 corrections since it was closed." in all_words(app)


def test_compliance_page_names_up_to_when_each_source_is_known(workspace):
    app = open_page()
    assert app.text[1].value == "Sources known until: helpdesk 2026-06-30 12:00:00 UTC"
    assert not app.warning
    change(
        workspace,
        "insert into core.dim_sources (source, known_until, is_lagging) values ('south', timestamp '2026-06-20 09:00:00', true)",
    )
    app = open_page()
    assert app.text[1].value.endswith(" · south 2026-06-20 09:00:00 UTC, lags behind the others")
    assert "is not silence" in app.warning[0].value


def test_compliance_page_shows_bounds_instead_of_a_percentage_that_could_be_another(workspace):
    # June, standard: 3 met, 1 breached and one that could be either: 3 of 5 up to 4 of 5; with enhanced 4 of 7 up to 5 of 7.
    undecided = (
        "T-13",
        "acme",
        "standard",
        3,
        "not_measurable",
        None,
        "2026-06-10 08:00:00",
        "2026-06-10 08:00:00",
    )
    publish(workspace.root, rows=[*OBLIGATIONS, undecided], build_id="2222bbbb3333")
    app = open_page(by="plan")
    june = {row["Plan"]: row for row in table(app, "Compliance") if row["Month"] == "2026-06"}
    assert (june["standard"]["Compliance"], june["standard"]["Bounds"]) == ("60.0 % to 80.0 %",) * 2
    assert (june["enhanced"]["Compliance"], june["enhanced"]["Bounds"]) == ("50.0 %", "")
    # A metric would cut them off, and compare them with the month before.
    assert [metric.label for metric in app.metric] == ["May 2026", "July 2026, partial"]
    assert "June 2026" in all_words(app)
    assert "57.1 % to 71.4 %" in [heading.value for heading in app.subheader]
    assert "4 met of 6 counted" in all_words(app)


def test_compliance_filters_come_from_the_address(workspace):
    app = open_page(plan="standard", by="plan", month="2026-06")
    rows = table(app, "Compliance")
    assert {row["Plan"] for row in rows} == {"standard"}
    june = next(row for row in rows if row["Month"] == "2026-06")
    assert f"{june['Compliance']} ({june['Met']} of {june['Counted']})" == JUNE_STANDARD
    assert len(table(app, "Ticket")) == 3 + 1


def test_compliance_filters_stay_in_the_address_when_they_are_chosen(workspace):
    app = open_page()
    app.multiselect(key="customer").set_value(["beta"]).run()
    assert app.query_params["customer"] == "beta"
    assert {row["Plan"] for row in table(app, "Compliance")} == {"enhanced"}


@pytest.mark.parametrize(
    "key", ["plan", "customer", "severity", "obligation", "status", "by", "basis", "month", "ticket"]
)
def test_compliance_address_with_an_unknown_value_is_cut_down_and_named_in_a_message(workspace, key):
    app = open_page(**{key: ["' or 1=1 --"]})
    assert "It was left out" in all_words(app)
    assert "' or 1=1 --" not in app.query_params.get(key, [])
    assert len(table(app, "Compliance")) == 5


def test_ticket_list_counts_what_the_table_counts(workspace):
    app = open_page(by="")
    for row in table(app, "Compliance"):
        listed = open_page(by="", month=str(row["Month"])[:7])
        statuses = [each["Status"] for each in table(listed, "Ticket")]
        assert statuses.count("met") == row["Met"]
        assert statuses.count("met") + statuses.count("breached") == row["Counted"]
        assert statuses.count("running") == row["Running"]


def test_ticket_list_explains_a_ticket_down_to_its_segments(workspace):
    app = open_page(month="2026-06", ticket="T-4")
    assert "first response: breached · elapsed 24 h 00 min 01 s of 24 h" in all_words(app)
    assert "Plan table, row First Non-Automated response" in all_words(app)
    segments = table(app, "Wall time")
    assert [segment["Kind"] for segment in segments] == ["counted", "closed"]
    assert segments[0]["Counted"] == figures.duration(86400 + 1)


def test_pages_never_put_text_from_data_into_markdown(workspace):
    app = open_page(ticket="T-3", month="2026-06")
    assert table(app, "Subject")[0]["Subject"] == NASTY_SUBJECT
    understood = [
        *app.markdown,
        *app.caption,
        *app.info,
        *app.warning,
        *app.error,
        *app.subheader,
        *app.title,
    ]
    for element in understood:
        for word in ("beacon", "Acme", "Söhne"):
            assert word not in element.value


def test_pages_tell_nothing_published_from_no_rows(tmp_path, monkeypatch):
    monkeypatch.setenv("SLA_WORKSPACE", str(tmp_path))
    for page in ("compliance", "entitlements"):
        app = open_page(page)
        assert [info.value for info in app.info][0].startswith("Nothing is published yet.")
        assert not app.dataframe


def test_compliance_page_tells_no_rows_in_this_selection(workspace):
    app = open_page(plan="standard", severity="5")
    assert [info.value for info in app.info] == [
        "No obligations in this selection. The build has data: remove a filter to see it."
    ]


def test_pages_show_no_figure_of_a_build_whose_checks_failed(workspace):
    change(workspace, "update meta.checks set status = 'error' where severity = 'critical'")
    app = open_page()
    assert [error.value for error in app.error] == [
        "Checks of this build failed, so its figures are not shown."
    ]
    assert not app.metric
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
    assert "build 2222bbbb3333" in app.text[0].value
    assert [row["Month"] for row in table(app, "Compliance")] == ["2026-05"]


def test_compliance_page_shows_n_a_and_no_chart_when_nothing_was_counted(tmp_path, monkeypatch):
    monkeypatch.setenv("SLA_WORKSPACE", str(tmp_path))
    publish(tmp_path, rows=[OBLIGATIONS[-1]])
    app = open_page()
    assert [metric.value for metric in app.metric] == ["n/a", "n/a", "n/a"]
    assert len(app.get("plotly_chart")) == 0


def test_entitlements_page_shows_unlimited_and_not_stated_as_words(workspace):
    app = open_page("entitlements")
    pools = {(row["Customer"], row["Pool"]): row for row in table(app, "Pool")}
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
        ("likely to run out by 2026-09-14", "regular"),
        ("80 % reached", "regular"),
        ("term ends in 170 days", "term standard-term"),
    ]
    assert (rows[2]["Consumed"], rows[2]["Available"], rows[2]["Since"]) == (8, 10, "2026-07-13 08:00:00 UTC")
    app = open_page("entitlements", customer="beta")
    assert "No alerts: " in all_words(app)


def test_entitlements_page_cuts_by_customer_and_term(workspace):
    assert {row["Customer"] for row in table(open_page("entitlements", customer="beta"), "Pool")} == {
        "Beta & Söhne"
    }
    app = open_page("entitlements", term="ended")
    assert app.info[0].value.startswith("No subscription terms in this selection.")


def test_app_routes_to_both_pages(workspace):
    app = AppTest.from_file(str(HERE / "app.py"), default_timeout=30).run()
    assert [title.value for title in app.title] == ["Compliance"]
    app.switch_page("views/entitlements.py").run()
    assert [title.value for title in app.title] == ["Entitlements"]
    assert not app.exception


def test_queries_count_what_the_page_shows_for_one_customer(workspace):
    with open_published(workspace) as published:
        total = read_compliance(published, EVERY_CUSTOMER, Selection(customer_ids=("beta",)), by=()).total
    assert f"{total.met} met of {total.counted} counted" in all_words(open_page(customer="beta"))
