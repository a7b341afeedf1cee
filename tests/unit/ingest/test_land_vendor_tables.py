"""Tables of Zendesk, Jira and Freshdesk: the zone is declared, nulls are nulls, and what a table came with is said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.unit.ingest.conftest import Landing

ZENDESK_YML = """\
sources:
  desk:
    type: zendesk
    time_zone: Europe/Berlin
    customer: {field: organization_name}
    severity: {field: "column:Severity [list]", values: {sev_3: 3}}
"""
ZENDESK = (
    "Summation column,Id,Requester,Requester email,Status,Priority,Via,Created at,Updated at,Organization,Solved at,"
    "Reopens,First reply time in minutes,First reply time in minutes within business hours,Severity [list]\n"
)
ZENDESK_ROW = (
    "1,101,Carla,carla@acme.example,Solved,,Web form,2026-07-01 10:00:00,2026-07-02 10:00:00,ACME,{solved},0,{minutes},"
    "{business},sev_3\n"
)


def zendesk(minutes: str = "240", business: str = "200", solved: str = "1900-01-01 00:00:00") -> str:
    return ZENDESK + ZENDESK_ROW.format(minutes=minutes, business=business, solved=solved)


def replies(landing: Landing) -> list[Any]:
    return landing.rows("ticket_messages", "message_kind, earliest_at, said_at")


def test_zendesk_minutes_are_an_answer_somewhere_in_that_minute(declare: Callable[[str], Landing]) -> None:
    landing = declare(ZENDESK_YML)
    landing.land("desk", "tickets.csv", zendesk())
    assert landing.rows("ticket_versions", "ticket_id, customer_id, severity, submitted_at, evidence") == [
        ("101", "ACME", "sev_3", datetime(2026, 7, 1, 8), "response_date resolution")
    ]
    assert landing.rows("ticket_versions", "reopen_count, updated_at") == [(0, datetime(2026, 7, 2, 8))]
    columns = "message_id, ticket_id, author_kind, author_id, is_public, version_at"
    assert landing.rows("ticket_messages", columns) == [
        ("101:first_reply", "101", "agent", None, True, datetime(2026, 7, 2, 8))
    ]
    # 240 minutes after 08:00 UTC, floored.
    assert replies(landing) == [("date", datetime(2026, 7, 1, 12), datetime(2026, 7, 1, 12, 0, 59))]


def test_zendesks_last_solving_and_its_reopenings_land_as_they_are(declare: Callable[[str], Landing]) -> None:
    landing = declare(ZENDESK_YML)
    content = zendesk(solved="2026-07-01 12:00:00").replace(",0,240", ",2,240")
    landing.land("desk", "tickets.csv", content)
    assert landing.rows("ticket_versions", "reopen_count, evidence") == [(2, "response_date resolution")]
    columns = "change_id, change_kind, field_name, value, earliest_at, changed_at, version_at"
    assert landing.rows("ticket_changes", columns) == [
        ("101:solved", "date", "status", "solved", None, datetime(2026, 7, 1, 10), datetime(2026, 7, 2, 8))
    ]


@pytest.mark.parametrize(
    ("minutes", "earliest", "latest"),
    [
        ("0", datetime(2026, 7, 1, 8, 0, 1), datetime(2026, 7, 1, 8, 0, 59)),
        # The ticket was last updated 24 h after its submission: the reply cannot be later.
        ("1440", datetime(2026, 7, 2, 8), datetime(2026, 7, 2, 8)),
    ],
)
def test_a_derived_answer_lies_after_the_submission_and_not_after_the_last_update(
    declare: Callable[[str], Landing], minutes: str, earliest: datetime, latest: datetime
) -> None:
    landing = declare(ZENDESK_YML)
    landing.land("desk", "tickets.csv", zendesk(minutes))
    assert replies(landing) == [("date", earliest, latest)]


def test_minutes_within_business_hours_lead_back_over_the_declared_calendar(
    declare: Callable[[str], Landing],
) -> None:
    calendars = declare(ZENDESK_YML).workspace.calendars
    calendars.mkdir(parents=True)
    (calendars / "desk.yml").write_text(
        "calendars:\n  desk_hours:\n    time_zone: UTC\n"
        '    weekly: {wed: ["09:00-11:00"], thu: ["09:00-11:00"]}\n',
        encoding="utf-8",
    )
    landing = declare(ZENDESK_YML + "    business_calendar: desk_hours\n")
    landing.land("desk", "tickets.csv", zendesk(minutes="", business="119"))
    # Wednesday 08:00 UTC; 119 open minutes are over at 10:59, the 120th at 11:00, when the desk closes.
    assert replies(landing) == [("date", datetime(2026, 7, 1, 10, 59), datetime(2026, 7, 1, 10, 59, 59))]


def test_without_minutes_of_the_calendar_and_without_a_declared_one_nothing_is_derived(
    declare: Callable[[str], Landing],
) -> None:
    landing = declare(ZENDESK_YML)
    header = zendesk().replace("First reply time in minutes,", "Something else,")
    result = landing.land("desk", "tickets.csv", header)
    assert landing.rows("ticket_versions", "evidence") == ["resolution"]
    assert replies(landing) == []
    assert "the first response is not measurable" in str(result.warnings[0])


def test_a_table_needs_the_zone_of_the_account(
    declare: Callable[[str], Landing], reasons: Callable[[Any], list[str]]
) -> None:
    landing = declare(ZENDESK_YML.replace("    time_zone: Europe/Berlin\n", ""))
    assert (
        "Declare time_zone for this source in sla.yml"
        in reasons(landing.land("desk", "tickets.csv", zendesk()))[0]
    )


def test_zendesks_own_minutes_are_kept_beside(declare: Callable[[str], Landing]) -> None:
    landing = declare(ZENDESK_YML)
    landing.land("desk", "tickets.csv", zendesk())
    assert landing.rows("vendor_sla_figures", "obligation, clock_kind, they_seconds, unit_seconds") == [
        ("first_response", "calendar", 14400, 60),
        ("first_response", "business", 12000, 60),
    ]


JIRA_YML = """\
sources:
  jsm:
    type: jira
    time_zone: Europe/Madrid
    date_locale: es
    columns:
      ticket_id: Clave de incidencia
      created_at: Creada
      updated_at: Actualizada
      status: Estado
      comment: Comentario
      reporter_id: ID del informador
      priority: Prioridad
    customer: {field: "Custom field (Organizations)"}
    severity: {field: priority, values: {Alta: 4}}
    agents: {actors: ["557058:mia"]}
"""
JIRA = (
    "Clave de incidencia,Estado,Prioridad,Creada,Actualizada,ID del informador,Custom field (Organizations),Comentario,"
    "Comentario,Custom field (Time to first response)\n"
    "SUP-1,Abierto,Alta,18/jul/26 9:10 AM,18/jul/26 5:10 PM,qm:1,acme,"
    '18/jul/26 9:30 AM;qm:1;gracias,"18/jul/26 10:10 AM;557058:mia;Hola;\nreiniciad",{left}\n'
)


def test_jira_reads_localised_headers_and_months_and_repeated_comments(
    declare: Callable[[str], Landing],
) -> None:
    landing = declare(JIRA_YML + "    comments: public\n")
    landing.land("jsm", "jira.csv", JIRA.format(left="3:00"))
    assert landing.rows("ticket_versions", "ticket_id, customer_id, severity, submitted_at, evidence") == [
        ("SUP-1", "acme", "Alta", datetime(2026, 7, 18, 7, 10), "unmarked_messages")
    ]
    assert landing.rows("ticket_versions", "latest_submitted_at, requester_id, status") == [
        (datetime(2026, 7, 18, 7, 10, 59), "qm:1", "Abierto")
    ]
    # Cut to the minute: up to 59 s later.
    columns = "message_id, message_kind, author_id, author_role, is_public, earliest_at, said_at"
    assert landing.rows("ticket_messages", columns) == [
        ("SUP-1:comment:1", "comment", "qm:1", "customer", None,
         datetime(2026, 7, 18, 7, 30), datetime(2026, 7, 18, 7, 30, 59)),
        ("SUP-1:comment:2", "comment", "557058:mia", None, None,
         datetime(2026, 7, 18, 8, 10), datetime(2026, 7, 18, 8, 10, 59)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "created"),
    [
        ("Vorgangsschlüssel,Status,Priorität,Erstellt,Erledigt,Benutzerdefiniertes Feld (Time to done)", "18/Mai/26 9:10 AM"),
        ("Clé de ticket,État,Priorité,Création,Résolu,Champ personnalisé (Time to done)", "18/mai/26 9:10 AM"),
        ("Clave de incidencia,Estado,Prioridad,Creada,Resuelta,Campo personalizado (Time to done)", "18/may/26 9:10 AM"),
        ("Chave da item,Status,Prioridade,Criado,Resolvido,Campo personalizado (Time to done)", "18/mai/26 9:10 AM"),
    ],
    ids=["de", "fr", "es", "pt"],
)  # fmt: skip
def test_jira_reads_the_headers_of_its_exporters_language_and_their_sla_cells(
    declare: Callable[[str], Landing], request: pytest.FixtureRequest, header: str, created: str
) -> None:
    landing = declare(
        f"sources:\n  jsm: {{type: jira, time_zone: UTC, date_locale: {request.node.callspec.id}, customer: {{constant: acme}}, "
        "severity: {field: priority, values: {Alta: 4}}, agents: {actors: [mia]}}\n"
    )
    assert (
        landing.land("jsm", "jira.csv", f"{header}\nSUP-1,x,Alta,{created},{created},-1:30\n").rows_landed
        == 1
    )
    at = datetime(2026, 5, 18, 9, 10)
    assert landing.rows("ticket_versions", "ticket_id, severity, submitted_at, evidence") == [
        ("SUP-1", "Alta", at, "resolution")
    ]
    assert landing.rows("ticket_changes", "value, earliest_at") == [("solved", at)]
    assert landing.rows("vendor_sla_figures", "obligation, figure_kind, they_seconds, they_breached") == [
        ("resolution", "remaining", -5400, True)
    ]


def test_a_jira_date_without_seconds_is_a_window_like_a_comment(declare: Callable[[str], Landing]) -> None:
    landing = declare(JIRA_YML.replace("      updated_at: Actualizada\n", "      resolved_at: Resuelta\n"))
    content = JIRA.format(left="3:00").replace("Actualizada", "Resuelta", 1)
    content = content.replace("SUP-1,Abierto", "SUP-1,Resuelto")
    landing.land("jsm", "jira.csv", content)
    columns = "change_id, change_kind, field_name, value, earliest_at, changed_at"
    assert landing.rows("ticket_changes", columns) == [
        (
            "SUP-1:resolved",
            "date",
            "status",
            "solved",
            datetime(2026, 7, 18, 15, 10),
            datetime(2026, 7, 18, 15, 10, 59),
        )
    ]
    assert landing.rows("ticket_versions", "evidence") == ["unmarked_messages resolution"]


def test_jira_comments_without_a_mark_are_warned_of_unless_sla_yml_says_what_they_are(
    declare: Callable[[str], Landing],
) -> None:
    declared = declare(JIRA_YML + "    comments: public\n")
    assert declared.land("jsm", "declared.csv", JIRA.format(left="2:00")).warnings == ()
    landing = declare(JIRA_YML)
    result = landing.land("jsm", "jira.csv", JIRA.format(left="3:00"))
    assert landing.rows("ticket_versions", "evidence") == 2 * ["unmarked_messages"]
    assert "which of its comments the customer could see" in str(result.warnings[0])


@pytest.mark.parametrize(
    ("left", "seconds", "is_breached"),
    [("3:00", 10800, False), ("-0:05", -300, True), ("-125:30", -451800, True)],
)
def test_a_jira_sla_cell_is_the_time_that_was_left(
    declare: Callable[[str], Landing], left: str, seconds: int, is_breached: bool
) -> None:
    landing = declare(JIRA_YML)
    landing.land("jsm", "jira.csv", JIRA.format(left=left))
    assert landing.rows("vendor_sla_figures", "figure, figure_kind, they_seconds, they_breached") == [
        ("Time to first response", "remaining", seconds, is_breached)
    ]


FRESHDESK_YML = """\
sources:
  fresh:
    type: freshdesk
    time_zone: America/New_York
    customer: {field: Company Name}
    severity: {field: priority, values: {Urgent: 5}}
"""


def test_freshdesk_reads_any_choice_of_columns_and_signed_hours(declare: Callable[[str], Landing]) -> None:
    landing = declare(FRESHDESK_YML)
    landing.land(
        "fresh",
        "tickets.csv",
        "Ticket Id,Priority,Created Time,Initial response time,First response time (in hrs),First response status,"
        "Company Name\n7,Urgent,2026-07-01 08:00:00,2026-07-01 09:30:01,-01:30:01,SLA Violated,acme\n",
    )
    assert landing.rows("ticket_versions", "ticket_id, customer_id, severity, evidence") == [
        ("7", "acme", "Urgent", "response_date")
    ]
    assert landing.rows("ticket_messages", "message_id, message_kind, said_at, author_kind") == [
        ("7:first_responded", "date", datetime(2026, 7, 1, 13, 30, 1), "agent")
    ]
    assert landing.rows("vendor_sla_figures", "obligation, they_seconds, they_breached") == [
        ("first_response", -5401, True)
    ]


def test_freshdesk_without_the_instant_of_the_response_is_not_measured(
    declare: Callable[[str], Landing],
) -> None:
    landing = declare(FRESHDESK_YML)
    result = landing.land(
        "fresh",
        "tickets.csv",
        "Ticket ID,Created time,Company Name,First response time (in hrs)\n7,2026-07-01 08:00:00,acme,01:30:00\n",
    )
    assert landing.rows("ticket_versions", "evidence") == [""]
    assert "the file lacks 'Initial response time'" in str(result.warnings[0])


def test_a_header_without_the_id_names_what_it_lacks(
    declare: Callable[[str], Landing], reasons: Callable[[Any], list[str]]
) -> None:
    result = declare(FRESHDESK_YML).land(
        "fresh", "tickets.csv", "Subject,Created time\nx,2026-07-01 08:00:00\n"
    )
    assert "the header lacks ticket_id (Ticket ID)" in reasons(result)[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "column:Severity [list]",
            "column:Severty [list]",
            "the header lacks 'Severty [list]', which sla.yml names under severity.field. Did you mean 'Severity [list]'?",
        ),
        (
            "    severity:",
            "    columns: {status: [Zustand, Status]}\n    severity:",
            None,
        ),
        (
            "    severity:",
            "    columns: {status: Zustand}\n    severity:",
            "the header lacks 'Zustand', which sla.yml names under columns.status.",
        ),
        (
            "    severity:",
            "    columns: {solved: Gelöst am}\n    severity:",
            "sla.yml names the column 'solved' under columns, which this form does not have. Did you mean 'solved_at'?",
        ),
    ],
    ids=["unknown header", "one of several names", "another name than the form's", "unknown column"],
)
def test_column_that_sla_yml_names_must_be_in_the_header(
    declare: Callable[[str], Landing], old: str, new: str, said: str | None
) -> None:
    landing = declare(ZENDESK_YML.replace(old, new))
    result = landing.land("desk", "tickets.csv", zendesk())
    assert result.status == ("landed" if said is None else "rejected")
    if said is not None:
        assert said in str(result.problems[0])


def test_translated_name_that_the_header_lacks_is_refused_with_the_nearest(
    declare: Callable[[str], Landing],
) -> None:
    landing = declare(ZENDESK_YML.replace("    severity:", "    columns: {status: Zustnd}\n    severity:"))
    result = landing.land("desk", "tickets.csv", zendesk().replace("Status", "Zustand"))
    assert result.status == "rejected"
    assert (
        "the header lacks 'Zustnd', which sla.yml names under columns.status. Did you mean 'Zustand'?"
        in str(result.problems[0])
    )
