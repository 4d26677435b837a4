"""Real runs: a server, a burst, both journals in one directory, and no attempt unexplained."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import command, environment
from tests.support.server import PATIENCE, Server, running_server, until
from vaultstorm.reconcile import existing, reconcile, summarise
from vaultstorm_wire import journal
from vaultstorm_wire.journal import Event, Execution


def fire(server: Server, *options: str, scheme: str = "https") -> "subprocess.Popen[bytes]":
    """Begin a burst in a process of its own; its journal and its result stand beside the server's.

    Args:
        server: what it is fired at, of which the journals are in VARIANT/journal.
        options: of the command line.
        scheme: of the target.
    """
    url = f"{scheme}://127.0.0.1:{server.port}"
    ca = ("--ca", server.ca) if scheme == "https" and server.ca else ()
    result = server.journal.parent / "burst.json"
    where = ("--json", str(result), "--journal", str(server.journal))
    return subprocess.Popen(
        command("burst", url, *ca, *where, *options), stdout=subprocess.DEVNULL, env=environment()
    )


def finish(client: "subprocess.Popen[bytes]") -> None:
    """Wait until a burst has its result."""
    assert client.wait(PATIENCE) == 0


def summary(directory: Path) -> dict[str, Any]:
    """Reconcile the variant ``v``, and give it in figures."""
    assert reconcile(directory, ["v"]) == []
    with existing(directory) as db:
        return summarise(db, "v")


@pytest.mark.parametrize("scheme", ["tcp", "https", "http"])
@pytest.mark.parametrize("overflow", ["reset", "refuse"])
def test_a_burst_of_thirty_on_a_backlog_of_ten(tmp_path: Path, overflow: str, scheme: str) -> None:
    """Ten get in, twenty do not, and every one of the twenty is the backlog's."""
    plain = ["httpsys.TLS=0"] if scheme == "http" else []
    journals = tmp_path / "v" / "journal"
    with running_server(journals, "--backlog=10", f"--overflow={overflow}", *plain) as server:
        server.gate("closed")
        client = fire(server, "--clients=30", scheme=scheme)
        if overflow == "reset":
            until(lambda: server.queue()["queue"]["turned_away"] == 20)
        else:
            until(lambda: server.queue()["paused"])
            if scheme == "tcp":
                finish(client)  # or those that are refused would get in once there is room
            else:
                until(lambda: written(server, journal.Attempt) == 20)
        server.gate("open")
        finish(client)
    found = summary(tmp_path)
    executed = 0 if scheme == "tcp" else 10
    assert (found["attempts"], found["ok"], found["lost"]) == (30, 10, 20)
    assert found["causes"] == {"backlog_full": 20}
    assert found["unexplained"] == 0
    assert found["verdicts"] == {"once": executed, "never": 30 - executed, "twice": 0, "unknown": 0}
    assert found["gaps"] == {}


def written(server: Server, kind: type) -> int:
    """Count the records of one kind, of all processes."""
    return sum(isinstance(record, kind) for record in server.records())


def test_an_execution_whose_answer_died_with_the_server(tmp_path: Path) -> None:
    """The worker executes, the front process is killed before it can tell: `once`, all the same.

    The worker is stopped while the front process gives it the work, then the front process is: so
    the execution happens when nobody is left to pass on the answer.
    """
    with running_server(tmp_path / "v" / "journal") as server:
        (worker,) = server.workers
        os.kill(worker, signal.SIGSTOP)
        client = fire(server, "--clients=1")
        until(lambda: server.status()["pool"]["queue"]["held"] == 1)
        server.signal(signal.SIGSTOP)
        os.kill(worker, signal.SIGCONT)
        until(lambda: written(server, Execution) == 1)
        server.signal(signal.SIGKILL)
        assert server.wait() == -signal.SIGKILL
        finish(client)
        seen = Event(time=server_time(server), name="server_exited", detail="signal 9")
        lines: list[journal.AnyRecord] = [
            journal.Journal(time=seen.time, role="runner", pid=os.getpid()),
            seen,
        ]
        (server.journal / f"runner-{os.getpid()}.ndjson").write_bytes(
            b"".join(journal.encode(line) + b"\n" for line in lines)
        )
    found = summary(tmp_path)
    ((outcome, times),) = found["outcomes"].items()
    assert outcome in ("wait.closed", "wait.reset")
    assert times == found["lost"] == 1
    assert found["causes"] == {"server_died": 1}
    assert found["verdicts"] == {"once": 1, "never": 0, "twice": 0, "unknown": 0}


def server_time(server: Server) -> float:
    """Give the latest time that a process wrote down."""
    return max(record.time for record in server.records())
