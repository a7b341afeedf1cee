"""A process of ours beside this one: a new interpreter that is asked over a socket, and that ends with its parent.

A fork of a process with threads may begin with their locks held, and a spawned one of multiprocessing first runs whatever is the
main module here. A new interpreter, isolated, takes its path from us alone.
"""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
from multiprocessing.connection import Connection

_START = """
import importlib, sys
from multiprocessing.connection import Connection
module, place = sys.argv[1:3]
sys.path[:] = sys.argv[3:]
importlib.import_module(module).serve(Connection(int(place)))
"""
_SIGNAL_ON_PARENTS_DEATH = 1  # PR_SET_PDEATHSIG

Process = subprocess.Popen[bytes]


def start_child(module: str) -> tuple[Process, Connection]:
    """Start a process whose life is `serve(connection)` of a module of ours, and give our end of the connection."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", _START, module, str(theirs.fileno()), *sys.path],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    return process, Connection(ours.detach())


def follow_parent() -> None:
    """What `serve` begins with: Ctrl-C is the parent's to answer, and a parent that is killed takes its child along, since an
    orphan would write beside the next run."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SIGNAL_ON_PARENTS_DEATH, signal.SIGKILL)


def say_death(process: Process) -> str:
    """'signal SIGKILL' or 'exit code 3', once the process has ended."""
    code = process.wait()
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
