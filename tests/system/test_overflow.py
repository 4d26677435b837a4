"""A burst against a full accept queue: client, server and the wire itself tell the same story."""

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from typing import Any

import msgspec
import pytest

from tests.support.bpf import RST, SYN
from tests.support.captured import captured
from tests.support.command import command, environment
from vaultstorm.control import ask
from vaultstorm.serving import Serving, serving
from vaultstorm_wire import journal
from vaultstorm_wire.journal import Attempt, Pause, TurnedAway

PATIENCE = 30.0


class Field:
    """A server with a backlog of 10 and a closed gate, and the journals of both sides."""

    def __init__(self, server: Serving, directory: Path) -> None:
        self.server = server
        self.directory = directory
        self.port = int(server.ready.url.rpartition(":")[2])

    def queue(self) -> dict[str, Any]:
        """Give the accept queue's statistics."""
        status: dict[str, Any] = ask(self.server.ready.admin, "GET", "/status")
        return dict(status["accept_queue"])

    def gate(self, state: str) -> None:
        """Open or close the gate."""
        ask(self.server.ready.admin, "POST", f"/gate/{state}")

    def until(self, condition: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until the accept queue is as it should be."""
        for _ in range(int(PATIENCE / 0.02)):
            if condition(self.queue()):
                return
            Flag().wait(0.02)
        pytest.fail(f"never came to be: {self.queue()}")

    def start(self, *options: str, scheme: str = "tcp") -> "subprocess.Popen[bytes]":
        """Begin a burst in a process of its own."""
        ca = ("--ca", self.server.ready.ca) if scheme == "https" and self.server.ready.ca else ()
        url = f"{scheme}://127.0.0.1:{self.port}"
        where = ("--json", "-", "--journal", str(self.directory))
        return subprocess.Popen(
            command("burst", url, *ca, *where, *options),
            stdout=subprocess.PIPE,
            env=environment(),
        )

    def records(self, kind: type, role: str) -> list[Any]:
        """Give the records of one kind that one side has written."""
        lines = [
            line
            for path in sorted(self.directory.glob(f"{role}-*.ndjson"))
            for line in path.read_bytes().splitlines(keepends=True)
        ]
        return [record for record in journal.read(lines) if isinstance(record, kind)]


@contextmanager
def field(directory: Path, *options: str) -> Iterator[Field]:
    """Run a server with its gate closed."""
    tls = f"--tls-dir={directory / 'tls'}"
    with serving(["--backlog=10", tls, f"--journal={directory}", *options]) as server:
        ground = Field(server, directory)
        ground.gate("closed")
        yield ground


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
    with field(tmp_path, "--overflow=reset") as ground:
        with captured(ground.port, RST) as capture:
            client = ground.start("--clients=100", "--hold=1s", scheme=scheme)
            ground.until(lambda seen: seen["queue"]["turned_away"] == 90)
            ground.gate("open")
            result = finish(client)
        queue = ground.queue()["queue"]
    assert result["outcomes"] == {"ok": 10, lost: 90}
    assert (queue["admitted"], queue["turned_away"]) == (10, 90)
    assert len(capture.resets()) == len(capture.rst_after_handshake()) == 90
    turned_away = ground.records(TurnedAway, "front")
    attempts = ground.records(Attempt, "client")
    assert {record.cause for record in turned_away} == {"backlog_full"}
    assert {record.peer for record in turned_away} == {
        attempt.local for attempt in attempts if attempt.outcome == lost
    }
    assert Counter(attempt.outcome for attempt in attempts) == result["outcomes"]


def test_refuse_answers_the_syn_with_a_reset(tmp_path: Path) -> None:
    """With a full queue every SYN gets a RST, within an interval that the server journals."""
    with field(tmp_path, "--overflow=refuse") as ground:
        first = ground.start("--clients=10", "--hold=250ms")
        ground.until(lambda seen: bool(seen["paused"]))
        with captured(ground.port, RST) as capture:
            result = finish(ground.start("--clients=90"))
        finish(first)
        ground.gate("open")
        ground.until(lambda seen: not seen["paused"])
        assert finish(ground.start("--clients=5"))["outcomes"] == {"ok": 5}
    assert result["outcomes"] == {"connect.refused": 90}
    assert len(capture.resets()) == len(capture.rst_to_syn()) == 90
    (pause,) = ground.records(Pause, "front")
    refused = [a for a in ground.records(Attempt, "client") if a.outcome == "connect.refused"]
    assert len(refused) == 90
    assert all(pause.time <= attempt.start <= pause.until for attempt in refused)


def test_syn_retries_outlast_a_full_queue(tmp_path: Path) -> None:
    """A refused SYN that is sent again, as Windows does, gets in once the gate is open."""
    with field(tmp_path, "--overflow=refuse") as ground:
        first = ground.start("--clients=10", "--hold=250ms")
        ground.until(lambda seen: bool(seen["paused"]))
        with captured(ground.port, SYN) as capture:
            again = ("--syn-retries=2", "--syn-retry-interval=2s")
            client = ground.start("--clients=5", *again)
            assert capture.wait_for_syns(5, PATIENCE)
            finish(first)
            ground.gate("open")
            result = finish(client)
    assert result["outcomes"] == {"ok": 5}
    assert result["retries"]["syn"] >= 5
    assert all(attempt.syn_retries for attempt in ground.records(Attempt, "client")[-5:])


def test_drop_lets_the_syn_vanish(tmp_path: Path) -> None:
    """Without room there is no answer: the client's kernel sends the SYN again, and it succeeds."""
    with field(tmp_path, "--overflow=drop") as ground:
        with captured(ground.port, SYN | RST) as capture:
            client = ground.start("--clients=13", "--hold=10ms")
            ground.until(lambda seen: bool(seen["paused"]))
            assert capture.wait_for_syns(13, PATIENCE)
            ground.gate("open")
            result = finish(client)
        assert ground.queue()["queue"]["turned_away"] == 0
    assert result["outcomes"] == {"ok": 13}
    assert capture.resets() == []
    waited = [a for a in ground.records(Attempt, "client") if (a.connect or 0) >= 1.0]
    assert len(waited) == 3  # the kernel's first retransmission comes after 1 s (RFC 6298, 2.1)
    assert len(ground.records(Pause, "front")) >= 1


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
    with field(tmp_path, f"--backlog={backlog}", *DYNAMIC) as ground:
        result = finish(ground.start("--clients=300"))
        queue = ground.queue()["queue"]
    assert result["outcomes"] == expected
    assert (queue["growths"] > 0) == (backlog == 100)


def test_a_killed_server_leaves_no_attempt_uncounted(tmp_path: Path) -> None:
    """Kill -9 in the middle of a burst: every attempt has one outcome and one line."""
    with field(tmp_path, "--backlog=200") as ground:
        client = ground.start("--clients=50", "--requests=4", scheme="https")
        ground.until(lambda seen: seen["queue"]["queued"] == 50)
        ground.server.process.kill()
        ground.server.process.wait()
        result = finish(client)
    attempts = ground.records(Attempt, "client")
    assert result["attempts"] == 200 == len(attempts)
    assert Counter(attempt.outcome for attempt in attempts) == result["outcomes"]
    assert len({attempt.id for attempt in attempts}) == 200
    assert set(result["outcomes"]) <= {"tls.reset", "connect.refused"}
    assert result["outcomes"]["tls.reset"] >= 50  # some may meet a kernel that is still clearing up
