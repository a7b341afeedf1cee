from __future__ import annotations

import io
from dataclasses import replace

from pipeline.cli.show_status import status_tables
from pipeline.cli.tables import write_tables
from pipeline.reporting.published import EVERY_CUSTOMER, Published
from pipeline.reporting.status import read_status


def test_status_tables_count_passed_checks_and_list_the_others(published: Published) -> None:
    status = read_status(published, EVERY_CUSTOMER)
    warned = replace(status.checks[0], check_name="newest_batch_is_recent", status="warned")
    stream = io.StringIO()
    write_tables(status_tables(replace(status, checks=(*status.checks, warned))), stream)
    assert "1 passed, 1 warned" in stream.getvalue()
    assert "newest_batch_is_recent" in stream.getvalue() and "keys_are_unique" not in stream.getvalue()


def test_status_tables_say_what_was_refused_and_what_was_not_judged_by_cause(published: Published) -> None:
    stream = io.StringIO()
    write_tables(status_tables(read_status(published, EVERY_CUSTOMER)), stream)
    assert "Refused: none of 24 records." in stream.getvalue()
    assert "Not judged: 3 of 14 tickets: " in stream.getvalue()
