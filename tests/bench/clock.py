"""How fast the clock is: ten million spans by two look-ups, against plain subtraction and against an ASOF join.

The three queries run in one process, in turn, several times; medians are compared, never single runs. The sums of the look-ups
and of the ASOF join must agree to the second. Goals: look-ups within 20 times plain subtraction, 8 times faster than ASOF.
"""

from __future__ import annotations

import io
import json
import statistics
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb

from pipeline.calendars.clock import answer_questions
from pipeline.calendars.load_calendars import load_calendars
from pipeline.calendars.render_macros import render
from pipeline.calendars.steps import build_clocks

SPANS = 10_000_000
ROUNDS = 5
QUESTIONS = 100_000
FIRST, LAST = datetime(2020, 1, 1), datetime(2030, 1, 1)
GOAL_SLOWER_THAN_SUBTRACTION = 20
GOAL_FASTER_THAN_ASOF = 8

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")
HOURS = (["09:00-12:30", "13:00-17:00"], ["06:00-21:00"], ["22:00-06:00"], ["00:00-24:00"])
COUNTRIES = (
    {"country": "DE", "subdivision": "BE"},
    {"country": "US"},
    {"country": "IN"},
    {"country": "AU"},
    {"country": "GB"},
)

# Spans begin within eight years and last up to 30 days, most of them much less: 30 days times a square.
SPANS_SQL = """
create table spans as
with drawn as (
  select
    range as span,
    -- The key of the clock, as a promise carries it; key 0 is the built-in clock.
    cast(1 + hash(range) % $calendars as integer) as clock_key,
    epoch(timestamp '2020-03-01')::bigint + cast(hash(range, 1) % (8 * 365 * 86400) as bigint) as starts_epoch,
    (hash(range, 2) % 1000000) / 1000000.0 as share
  from range($spans)
),
lasting as (select *, starts_epoch + cast(floor(share * share * 30 * 86400) as bigint) as ends_epoch from drawn)
select
  clock_key, starts_epoch, ends_epoch,
  make_timestamp(starts_epoch * 1000000) as starts_at, make_timestamp(ends_epoch * 1000000) as ends_at
from lasting
"""
SUBTRACTION = "select sum(date_sub('second', starts_at, ends_at)) from spans"
LOOK_UPS = """
select sum({{ open_seconds_at('until_steps', 'clocks', UNTIL) }} - {{ open_seconds_at('from_steps', 'clocks', FROM) }})
from spans
join clocks on clocks.clock_key = spans.clock_key
{{ join_clock_steps('from_steps', 'clocks', FROM) }}
{{ join_clock_steps('until_steps', 'clocks', UNTIL) }}
"""
ASOF = """
select sum(
  coalesce(until_run.open_before + least(spans.ends_epoch, until_run.closes_epoch) - until_run.opens_epoch, 0)
  - coalesce(from_run.open_before + least(spans.starts_epoch, from_run.closes_epoch) - from_run.opens_epoch, 0)
)
from spans
asof left join runs as from_run on from_run.clock_key = spans.clock_key and spans.starts_epoch >= from_run.opens_epoch
asof left join runs as until_run on until_run.clock_key = spans.clock_key and spans.ends_epoch >= until_run.opens_epoch
"""
RUNS_SQL = """
create table runs as
select
  clock_key, epoch(opens_at)::bigint as opens_epoch, epoch(closes_at)::bigint as closes_epoch,
  cast(sum(epoch(closes_at) - epoch(opens_at)) over (partition by clock_key order by opens_at) as bigint)
    - (epoch(closes_at) - epoch(opens_at))::bigint as open_before
from clock_intervals
join clocks on clocks.clock_name = clock_intervals.clock_name
"""


def write_calendars(count: int) -> dict[str, Any]:
    """Calendars with zones, night shifts, public holidays and breaks, as a calendar file holds them."""
    return {
        "calendars": {
            f"calendar_{index}": {
                "time_zone": ZONES[index % len(ZONES)],
                "weekly": {day: HOURS[index % len(HOURS)] for day in ("mon", "tue", "wed", "thu", "fri")},
                "holidays": [COUNTRIES[index % len(COUNTRIES)]],
                "breaks": {f"{year}-12-23": ["12:00-14:00"] for year in range(2020, 2030)},
            }
            for index in range(count)
        }
    }


def main() -> bool:
    """Print the measurements; True when every goal was met."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "calendars.yml"
        file.write_text(json.dumps(write_calendars(20)), encoding="utf-8")
        calendars = load_calendars(file)
        started = perf_counter()
        clocks = build_clocks(calendars, FIRST, LAST, dict.fromkeys(calendars, 30 * 86_400))
        seconds = perf_counter() - started
        print(
            f"20 calendars over 10 years: {seconds:.2f} s, {clocks.clock_steps.num_rows} steps (goal: under 2 s)"
        )
        is_met = seconds < 2
        is_met = measure_questions(file) and is_met
        return measure_spans(clocks.by_name()) and is_met


def measure_questions(calendars: Path) -> bool:
    lines = []
    for number in range(QUESTIONS):
        # A spread without a random generator: steps that are coprime to the range.
        day, second = number * 7919 % 2900, number * 104_729 % 86_400
        start = f"{datetime(2020, 3, 1) + timedelta(days=day, seconds=second):%Y-%m-%dT%H:%M:%SZ}"
        question = {"id": number, "calendar": f"calendar_{number % 20}", "start": start}
        if number % 2:
            lines.append(
                json.dumps(
                    {
                        **question,
                        "op": "due",
                        "seconds": number % 200_000,
                        "pauses": [[start, start[:17] + "59Z"]],
                    }
                )
            )
        else:
            lines.append(
                json.dumps({**question, "op": "elapsed", "end": "2029-06-01T00:00:00Z", "pauses": []})
            )
    started = perf_counter()
    unanswered_count = answer_questions(io.StringIO("\n".join(lines)), calendars, io.StringIO())
    seconds = perf_counter() - started
    print(f"{QUESTIONS} questions of `sla clock`: {seconds:.2f} s without start-up (goal: under 5 s with it)")
    return not unanswered_count and seconds < 5


def measure_spans(tables: dict[str, Any]) -> bool:
    connection = duckdb.connect(":memory:", config={"threads": 2})
    for name, table in tables.items():
        connection.register("arriving", table)
        connection.execute(f'create table "{name}" as select * from arriving')
        connection.unregister("arriving")
    connection.execute(SPANS_SQL, {"calendars": 20, "spans": SPANS})
    connection.execute(RUNS_SQL)
    look_ups = render(LOOK_UPS.replace("FROM", "'spans.starts_epoch'").replace("UNTIL", "'spans.ends_epoch'"))
    from_instants = render(
        LOOK_UPS.replace("FROM", "epoch_seconds('spans.starts_at')").replace(
            "UNTIL", "epoch_seconds('spans.ends_at')"
        )
    )
    queries = {
        "subtraction": SUBTRACTION,
        "look-ups": look_ups,
        "look-ups from timestamps": from_instants,
        "ASOF join": ASOF,
    }
    times: dict[str, list[float]] = {name: [] for name in queries}
    sums: dict[str, Any] = {}
    for _ in range(ROUNDS):
        for name, query in queries.items():
            started = perf_counter()
            sums[name] = connection.execute(query).fetchall()[0][0]
            times[name].append(perf_counter() - started)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    print(f"{SPANS} spans, 2 threads, medians of {ROUNDS} interleaved rounds:")
    for name, median in medians.items():
        spread = f"{min(times[name]):.3f} to {max(times[name]):.3f}"
        print(f"  {name:<26} {median:8.3f} s  ({spread})  sum {sums[name]}")
    slower = medians["look-ups"] / medians["subtraction"]
    faster = medians["ASOF join"] / medians["look-ups"]
    do_agree = sums["look-ups"] == sums["look-ups from timestamps"] == sums["ASOF join"]
    print(
        f"  look-ups take {slower:.1f} times plain subtraction (goal: at most {GOAL_SLOWER_THAN_SUBTRACTION})"
    )
    print(
        f"  look-ups are {faster:.1f} times faster than the ASOF join (goal: at least {GOAL_FASTER_THAN_ASOF})"
    )
    print(f"  sums of look-ups and ASOF join agree to the second: {'yes' if do_agree else 'NO'}")
    return do_agree and slower <= GOAL_SLOWER_THAN_SUBTRACTION and faster >= GOAL_FASTER_THAN_ASOF
