"""A client against servers that misbehave in every phase, without TLS."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.client.harness import HOST, fire, fire_at
from tests.support.misbehaving import BYE, OK, Behaviour, Misbehaving, Peer, answering, once
from vaultstorm_client.tally import Counts

IMPATIENT: dict[str, Any] = {"response_timeout": 0.2}
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
LARGE = 8 << 20
"""More than the socket buffers of both sides take."""


@contextmanager
def refusing() -> Iterator[int]:
    """Give a port that refuses: it is bound, and nobody listens."""
    with socket.socket() as bound:
        bound.bind((HOST, 0))
        yield bound.getsockname()[1]


def test_a_good_server(tmp_path: Path) -> None:
    """Every request is answered, on one connection for each client."""
    with Misbehaving(answering()) as server:
        fired = fire_at(server, tmp_path, clients=5, requests=7)
        assert fired.outcomes == {"ok": 35}
        assert server.connections == 5
    assert fired.result["reused"] == {"attempts": 30, "lost": 0}
    assert {record.received for record in fired.records} == {len(OK)}
    assert sorted(server.seen) == sorted(record.id for record in fired.records)


def test_no_keep_alive(tmp_path: Path) -> None:
    """Without keep-alive each request says so and has its own connection."""
    heads: list[bytes] = []

    def behave(peer: Peer) -> None:
        heads.append(peer.request() or b"")
        peer.say(OK)
        peer.silence()

    with Misbehaving(behave) as server:
        fired = fire_at(server, tmp_path, clients=2, requests=3, keep_alive=False)
        assert server.connections == 6
    assert fired.outcomes == {"ok": 6}
    assert all(b"\r\nConnection: close\r\n" in head for head in heads)
    assert fired.result["reused"]["attempts"] == 0


def test_counts_of_bytes(tmp_path: Path) -> None:
    """What is sent and received is counted as the server sees it."""
    requests: list[bytes] = []

    def behave(peer: Peer) -> None:
        requests.append(peer.request() or b"")
        peer.say(BYE)
        peer.silence()

    with Misbehaving(behave) as server:
        record = fire_at(server, tmp_path, method="PUT", body_size=70000).only
    assert (record.sent, record.received) == (len(requests[0]), len(BYE))


@pytest.mark.parametrize("scheme", ["http", "tcp"])
def test_refused(tmp_path: Path, scheme: str) -> None:
    """Where nobody listens, everybody is refused, and every SYN counts."""
    with refusing() as port:
        fired = fire(port, tmp_path, scheme, clients=3, requests=2)
    assert fired.outcomes == {"connect.refused": 6}
    assert fired.result["burst"]["connects"] == 6
    assert {record.errno for record in fired.records} == {"ECONNREFUSED"}


@pytest.mark.parametrize(
    "behave, outcomes",
    [
        (once(b"", Peer.reset), {"wait.reset"}),
        (once(b""), {"wait.closed"}),
        (once(b"HTTP/1.1 200"), {"receive.closed"}),
        (once(HALF), {"receive.closed"}),
        (once(HALF, Peer.reset), {"receive.reset", "wait.reset"}),
        (once(b"HTTP/1.1 100 Continue\r\n\r\n"), {"receive.closed"}),
        (once(b"SSH-2.0-OpenSSH_9.2\r\n"), {"receive.malformed"}),
        (once(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), {"receive.malformed"}),
        (once(OK + b"more"), {"receive.malformed"}),
        (once(BYE), {"ok"}),
        (once(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK), {"ok"}),
        (once(b"HTTP/1.0 200 OK\r\n\r\nto the end"), {"ok"}),
        (once(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), {"http.404"}),
        (once(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"), {"ok"}),
        (once(b"HTTP/1.1 503 No\r\n\r\n"), {"http.503"}),
    ],
)
def test_endings(tmp_path: Path, behave: Behaviour, outcomes: set[str]) -> None:
    """Each misbehaviour has its outcome, for one client and for several."""
    with Misbehaving(behave) as server:
        fired = fire_at(server, tmp_path, clients=4)
    assert set(fired.outcomes) <= outcomes
    assert len(server.seen) == 4


@pytest.mark.parametrize("then", [Peer.reset, Peer.finish])
def test_turned_away(tmp_path: Path, then: Behaviour) -> None:
    """A connection that is ended at once is lost in the send or the wait, never before."""
    with Misbehaving(then) as server:
        fired = fire_at(server, tmp_path, clients=20)
    endings = {"reset"} if then is Peer.reset else {"closed", "reset"}
    assert set(fired.outcomes) <= {f"{p}.{e}" for p in ("send", "wait") for e in endings}


@pytest.mark.parametrize(
    "then, outcome", [(Peer.reset, "connect.reset"), (Peer.finish, "connect.closed")]
)
def test_tcp_turned_away(tmp_path: Path, then: Behaviour, outcome: str) -> None:
    """A held connection that ends is lost while it connects: it was never served."""
    with Misbehaving(then) as server:
        fired = fire_at(server, tmp_path, "tcp", clients=20, hold=30.0)
    assert fired.outcomes == {outcome: 20}


def test_tcp_held(tmp_path: Path) -> None:
    """A connection that stands is ok, and the hold is in no latency, nor in the next attempt's."""
    with Misbehaving(Peer.silence) as server:
        fired = fire_at(server, tmp_path, "tcp", clients=3, requests=2, hold=0.3)
    assert fired.outcomes == {"ok": 6}
    by_client = {client: [r for r in fired.records if f"-{client}-" in r.id] for client in range(3)}
    for first, second in by_client.values():
        assert second.time >= first.end + 0.3
        assert second.end - second.time < 0.3 or second.start - second.time < 0.3


def test_tcp_banner(tmp_path: Path) -> None:
    """A server that speaks first does not end the connection by it."""

    def behave(peer: Peer) -> None:
        peer.say(b"220 ready\r\n")
        peer.silence()

    with Misbehaving(behave) as server:
        record = fire_at(server, tmp_path, "tcp", hold=0.2).only
    assert record.outcome == "ok"


@pytest.mark.parametrize(
    "behave, outcome",
    [
        (Peer.silence, "wait.timeout"),
        (once(HALF, Peer.silence), "receive.timeout"),
        (once(b"HTTP/1.1 102 Processing\r\n\r\n", Peer.silence), "receive.timeout"),
    ],
)
def test_timeouts(tmp_path: Path, behave: Behaviour, outcome: str) -> None:
    """A server that goes silent ends in a timeout of the phase it had come to."""
    with Misbehaving(behave) as server:
        fired = fire_at(server, tmp_path, clients=2, requests=2, **IMPATIENT)
    assert fired.outcomes == {outcome: 4}
    assert fired.result["reused"]["attempts"] == 0


def test_a_server_that_does_not_read(tmp_path: Path) -> None:
    """A request that finds no room is lost in the send."""
    done = threading.Event()

    def behave(peer: Peer) -> None:
        done.wait(30)

    with Misbehaving(behave) as server:
        record = fire_at(server, tmp_path, method="PUT", body_size=LARGE, **IMPATIENT).only
        done.set()
    assert record.outcome == "send.timeout"
    assert 0 < record.sent < LARGE


def test_a_silent_backlog(tmp_path: Path) -> None:
    """A listener that never accepts: TCP stands, and the answer never comes."""
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        assert fire(port, tmp_path, **IMPATIENT).outcomes == {"wait.timeout": 1}


def test_trickle(tmp_path: Path) -> None:
    """An answer that comes byte by byte is one answer."""

    def behave(peer: Peer) -> None:
        peer.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while peer.request() is not None:
            for byte in OK:
                peer.say(bytes([byte]))

    with Misbehaving(behave) as server:
        fired = fire_at(server, tmp_path, clients=2, requests=2)
    assert fired.outcomes == {"ok": 4}
    assert {record.received for record in fired.records} == {len(OK)}


def test_connection_close_is_obeyed(tmp_path: Path) -> None:
    """After Connection: close the next request goes to a new connection."""
    with Misbehaving(once(BYE)) as server:
        fired = fire_at(server, tmp_path, clients=2, requests=3)
        assert server.connections == 6
    assert fired.outcomes == {"ok": 6}
    assert fired.result["idle_closed"] == 0


def finish(peer: Peer) -> None:
    """Send a FIN, and do not wait for anything."""
    peer.sock.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("then", [finish, Peer.reset, lambda peer: peer.say(b"unasked")])
def test_closed_while_idle(tmp_path: Path, then: Behaviour) -> None:
    """A kept connection that ends while no request is out is no loss, and counted."""
    idle, ended = threading.Event(), threading.Event()

    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(OK)
        if not peer.number:
            idle.wait(20)
            then(peer)
            ended.set()
        peer.silence()

    def end_it(counts: Counts) -> None:
        if counts.ok:
            idle.set()
            ended.wait(20)  # on loopback, what was sent has then arrived

    with Misbehaving(behave) as server:
        fired = fire_at(server, tmp_path, progress=end_it, requests=2, think=1.0)
        assert server.connections == 2
    assert fired.outcomes == {"ok": 2}
    assert fired.result["idle_closed"] == 1
    assert fired.result["reused"]["attempts"] == 0


@pytest.mark.parametrize("end", [Peer.finish, Peer.reset])
def test_recycled(tmp_path: Path, end: Behaviour) -> None:
    """A kept connection that ends when the next request arrives is a loss on a reused one."""

    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(OK)
        if peer.request() is not None:
            end(peer)

    with Misbehaving(behave) as server:
        fired = fire_at(server, tmp_path, clients=3, requests=2)
    outcome = "wait.closed" if end is Peer.finish else "wait.reset"
    assert fired.outcomes == {"ok": 3, outcome: 3}
    assert fired.result["reused"] == {"attempts": 3, "lost": 3}
    assert {r.nth for r in fired.records if r.outcome == outcome} == {1}


def test_syn_retries(tmp_path: Path) -> None:
    """A refused SYN is sent again and counted, and succeeds once somebody listens."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))

        def open_it(counts: Counts) -> None:
            if counts.syn_retries >= 2:
                listener.listen()

        fired = fire(
            listener.getsockname()[1],
            tmp_path,
            "tcp",
            progress=open_it,
            syn_retries=1000,
            syn_retry_interval=0.02,
            hold=0.0,
        )
    assert fired.outcomes == {"ok": 1}
    assert fired.only.syn_retries >= 2
    assert fired.result["retries"]["syn"] == fired.only.syn_retries
    assert fired.result["burst"]["connects"] == 1


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_syn_retries_in_vain(tmp_path: Path, retries: int) -> None:
    """Where nobody ever listens, every attempt has used up its retries."""
    with refusing() as port:
        fired = fire(
            port, tmp_path, clients=3, requests=2, syn_retries=retries, syn_retry_interval=0.01
        )
    assert fired.outcomes == {"connect.refused": 6}
    assert {record.syn_retries for record in fired.records} == {retries}
    assert fired.result["retries"]["syn"] == 6 * retries
