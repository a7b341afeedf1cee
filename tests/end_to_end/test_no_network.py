"""The whole flow in a network namespace without a route: nothing tries to connect, and nothing fails for want of a network."""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.end_to_end.command_line import SLA, environment
from tests.end_to_end.test_state_version import RELEASED

# A socket of this machine is no network: the user database is asked over one.
_NETWORK = re.compile(r"connect\([^)]*sa_family=AF_INET6?\b")

FLOW = """
set -e
sla() {{ "{sla}" "$@"; }}
sla run
sla run
sla report --all --month 2026-02 --evidence
sla report --managers --month 2026-02
for file in "$SLA_WORKSPACE"/reports/*.zip "$SLA_WORKSPACE"/reports/acme-*.pdf; do sla verify "$file"; done
sla whatif --plan premium
sla send --dry-run
sla status; sla status --runs; sla status --format prometheus
sla compliance; sla tickets; sla explain T-1; sla ledger acme; sla entitlements --forecast; sla findings; sla check
sla quarantine --retry || test $? = 5
sla forget ann@acme.example
sla prune
"""


@pytest.mark.long
def test_whole_flow_without_a_route_tries_no_connection(tmp_path: Path) -> None:
    tools = [shutil.which(name) for name in ("unshare", "strace", "bash")]
    if not all(tools) or subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        pytest.skip("Needs unshare with network namespaces, strace and bash.")
    root, trace = tmp_path / "vendor", tmp_path / "trace"
    with tarfile.open(RELEASED) as archive:
        archive.extractall(root, filter="data")
    done = subprocess.run(
        ["unshare", "-n", "strace", "-f", "-qq", "-e", "trace=connect", "-o", str(trace), "bash", "-c", FLOW.format(sla=SLA)],
        env=environment(root),
        capture_output=True,
        text=True,
        timeout=3000,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    attempts = [line for line in trace.read_text(encoding="utf-8").splitlines() if _NETWORK.search(line)]
    assert attempts == []


def test_connection_to_a_network_is_told_from_one_to_a_socket_of_this_machine() -> None:
    network = 'connect(3, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("192.0.2.1")}, 16) = -1 ENETUNREACH'
    newer = 'connect(3, {sa_family=AF_INET6, sin6_port=htons(443), inet_pton(AF_INET6, "::1", &sin6_addr)}, 28) = -1'
    local = 'connect(3, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1 ENOENT'
    assert [bool(_NETWORK.search(line)) for line in (network, newer, local)] == [True, True, False]
