"""`make bench`: every measurement of this folder. Exit code 1 when a goal was missed."""

from __future__ import annotations

import sys

from tests.bench import clock, job, landing, ledger, reports

BENCHES = (clock, landing, job, ledger, reports)

if __name__ == "__main__":
    met = []
    for bench in BENCHES:
        print(f"== {bench.__name__.rpartition('.')[2]}")
        met.append(bench.main())
    sys.exit(0 if all(met) else 1)
