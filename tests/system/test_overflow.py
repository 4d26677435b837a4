"""A burst against a full accept queue: client, server and the wire itself tell the same story."""

import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.bpf import SYN
from tests.support.captured import captured
from tests.support.command import command, environment
from tests.support.server import PATIENCE, Server, running_server, until
from vaultstorm_wire.journal import Attempt, Pause, TurnedAway


@contextmanager
def held_back(directory: Path, *options: str) -> Iterator[Server]:
    """Run a server with a backlog of 10 whose application takes nothing."""
    with running_server(directory, "--backlog=10", *options) as server:
        server.gate("closed")
        yield server


def fire(server: Server, *options: str, scheme: str = "tcp") -> "subprocess.Popen[bytes]":
    """Begin a burst in a process of its own; its journal stands beside the server's."""
    ca = ("--ca", server.ca) if scheme == "https" and server.ca else ()
    url = f"{scheme}://127.0.0.1:{server.port}"
    where = ("--json", "-", "--journal", str(server.journal))
    return subprocess.Popen(
        command("burst", url, *ca, *where, *options), stdout=subprocess.PIPE, env=environment()
    )


def written(server: Server, kind: type) -> list[Any]:
    """Give the records of one kind, of both sides."""
    return [record for record in server.records() if isinstance(record, kind)]


def finish(client: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """Wait for a burst's result, and check that it adds up."""
    output, _ = client.communicate(timeout=PATIENCE)
    assert client.returncode == 0
    result: dict[str, Any] = msgspec.json.decode(output)
    assert result["attempts"] == sum(result["outcomes"].values())
    return result


@pytest.mark.parametrize(
    "scheme, lost", [("tcp", "connect.reset"), ("https", "tls.reset")], ids=["tcp", "https"]
)
def test_reset_admits_ten_and_resets_ninety(tmp_path: Path, scheme: str, lost: str) -> None:
    """Of 100, 10 find a slot; client, server and capture count the same 90 RSTs, peer by peer."""
    with held_back(tmp_path, "--overflow=reset") as server:
        with captured(server.port) as capture:
            client = fire(server, "--clients=100", "--hold=1s", scheme=scheme)
            until(lambda: server.queue()["queue"]["turned_away"] == 90)
            server.gate("open")
            result = finish(client)
        queue = server.queue()["queue"]
    assert result["outcomes"] == {"ok": 10, lost: 90}
    assert (queue["admitted"], queue["turned_away"]) == (10, 90)
    assert len(capture.resets()) == len(capture.rst_after_handshake()) == 90
    turned_away = written(server, TurnedAway)
    attempts = written(server, Attempt)
    assert {record.cause for record in turned_away} == {"backlog_full"}
    assert {record.peer for record in turned_away} == {
        attempt.local for attempt in attempts if attempt.outcome == lost
    }
    assert Counter(attempt.outcome for attempt in attempts) == result["outcomes"]


def test_refuse_answers_the_syn_with_a_reset(tmp_path: Path) -> None:
    """With a full queue every SYN gets a RST, within an interval that the server journals."""
    with held_back(tmp_path, "--overflow=refuse") as server:
        first = fire(server, "--clients=10", "--hold=250ms")
        until(lambda: server.queue()["paused"])
        with captured(server.port) as capture:
            result = finish(fire(server, "--clients=90"))
        finish(first)
        server.gate("open")
        until(lambda: not server.queue()["paused"])
        assert finish(fire(server, "--clients=5"))["outcomes"] == {"ok": 5}
    assert result["outcomes"] == {"connect.refused": 90}
    assert len(capture.resets()) == len(capture.rst_to_syn()) == 90
    (pause,) = written(server, Pause)
    refused = [a for a in written(server, Attempt) if a.outcome == "connect.refused"]
    assert len(refused) == 90
    assert all(pause.time <= attempt.start <= pause.until for attempt in refused)


def test_syn_retries_outlast_a_full_queue(tmp_path: Path) -> None:
    """A refused SYN that is sent again, as Windows does, gets in once the gate is open."""
    with held_back(tmp_path, "--overflow=refuse") as server:
        first = fire(server, "--clients=10", "--hold=250ms")
        until(lambda: server.queue()["paused"])
        with captured(server.port, SYN) as capture:
            again = ("--syn-retries=2", "--syn-retry-interval=2s")
            client = fire(server, "--clients=5", *again)
            assert capture.wait_for_syns(5, PATIENCE)
            finish(first)
            server.gate("open")
            result = finish(client)
    assert result["outcomes"] == {"ok": 5}
    assert result["retries"]["syn"] >= 5
    assert all(attempt.syn_retries for attempt in written(server, Attempt)[-5:])


def test_drop_lets_the_syn_vanish(tmp_path: Path) -> None:
    """Without room there is no answer: the client's kernel sends the SYN again, and it succeeds."""
    with held_back(tmp_path, "--overflow=drop") as server:
        with captured(server.port) as capture:
            client = fire(server, "--clients=13", "--hold=10ms")
            until(lambda: server.queue()["paused"])
            assert capture.wait_for_syns(13, PATIENCE)
            server.gate("open")
            result = finish(client)
        assert server.queue()["queue"]["turned_away"] == 0
    assert result["outcomes"] == {"ok": 13}
    assert capture.resets() == []
    waited = [a for a in written(server, Attempt) if (a.connect or 0) >= 1.0]
    assert len(waited) == 3  # the kernel's first retransmission comes after 1 s (RFC 6298, 2.1)
    assert len(written(server, Pause)) >= 1


DYNAMIC = (
    "--set=afd.EnableDynamicBacklog=1",
    "--set=afd.MinimumDynamicBacklog=20",
    "--set=afd.MaximumDynamicBacklog=20000",
    "--set=afd.DynamicBacklogGrowthDelta=10",
)


@pytest.mark.parametrize(
    "backlog, expected",
    [(10, {"ok": 10, "connect.reset": 290}), (100, {"ok": 300})],
    ids=["at 10 it changes nothing", "at 100 it saves the burst"],
)
def test_dynamic_backlog_needs_a_backlog_above_its_minimum(
    tmp_path: Path, backlog: int, expected: dict[str, int]
) -> None:
    """KB142641: listen() must ask for more than MinimumDynamicBacklog, and COM asks for 10."""
    with held_back(tmp_path, f"--backlog={backlog}", *DYNAMIC) as server:
        result = finish(fire(server, "--clients=300"))
        queue = server.queue()["queue"]
    assert result["outcomes"] == expected
    assert (queue["growths"] > 0) == (backlog == 100)


def test_a_killed_server_leaves_no_attempt_uncounted(tmp_path: Path) -> None:
    """Kill -9 in the middle of a burst: every attempt has one outcome and one line."""
    with held_back(tmp_path, "--backlog=200") as server:
        client = fire(server, "--clients=50", "--requests=4", scheme="https")
        until(lambda: server.queue()["queue"]["queued"] == 50)
        server.process.kill()
        server.process.wait()
        result = finish(client)
    attempts = written(server, Attempt)
    assert result["attempts"] == 200 == len(attempts)
    assert Counter(attempt.outcome for attempt in attempts) == result["outcomes"]
    assert len({attempt.id for attempt in attempts}) == 200
    # The kernel closes what the process held: RST where something was unread, FIN where not.
    assert set(result["outcomes"]) <= {"tls.reset", "tls.closed", "connect.refused"}
    assert result["outcomes"].get("connect.refused", 0) <= 150
