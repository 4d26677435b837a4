"""Answers that come before the request has ended, and answers that do not end."""

import contextlib
import re
import select
import socket
import threading
import time
from pathlib import Path

import pytest

from tests.client.harness import fire_at
from tests.support.misbehaving import BYE, OK, Misbehaving, Peer

LARGE = 8 << 20
"""More than the socket buffers of both sides take."""


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 100 Continue\r\n\r\n"], ids=["bare", "1xx"])
def test_the_whole_request_is_sent(tmp_path: Path, answer: bytes) -> None:
    """An interim answer does not keep the client from sending the rest of the request."""

    def behave(peer: Peer) -> None:
        peer.say(answer)
        if (request := peer.request()) is not None:
            peer.say(OK if len(request) > LARGE else b"HTTP/1.1 500 Cut\r\n\r\n")
        peer.silence()

    with Misbehaving(behave) as server:
        record = fire_at(server, tmp_path, method="PUT", body_size=LARGE).only
    assert record.outcome == "ok"
    assert record.sent > LARGE


def test_an_answer_that_begins_before_the_request_has_ended(tmp_path: Path) -> None:
    """A server that answers while it reads gets all of the request."""

    def behave(peer: Peer) -> None:
        peer.head()
        peer.say(OK[:-1])
        peer._unread = b"PUT / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % LARGE + peer._unread
        peer.request()
        peer.say(OK[-1:])
        peer.silence()

    with Misbehaving(behave) as server:
        assert fire_at(server, tmp_path, method="PUT", body_size=LARGE).outcomes == {"ok": 1}


REFUSAL = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n%b\r\nno"


@pytest.mark.parametrize("fields", [b"", b"Connection: close\r\n"])
def test_answered_before_the_body(tmp_path: Path, fields: bytes) -> None:
    """A 413 that comes before the body is read is the answer, and ends the connection."""

    done = threading.Event()

    def behave(peer: Peer) -> None:
        peer.head()
        peer.say(REFUSAL % fields)
        peer.sock.shutdown(socket.SHUT_WR)
        done.wait(30)

    with Misbehaving(behave) as server:
        fired = fire_at(server, tmp_path, method="PUT", body_size=LARGE, requests=2)
        assert server.connections == 2
        done.set()
    assert fired.outcomes == {"http.413": 2}
    assert all(record.sent < LARGE for record in fired.records)


def waits_for_room() -> bool:
    """Tell whether an epoll of this process waits for a socket to take more."""
    found: list[str] = []
    for path in Path("/proc/self/fdinfo").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            found += re.findall(r"^tfd:.* events: *([0-9a-f]+)", path.read_text(), re.MULTILINE)
    return any(int(events, 16) & select.EPOLLOUT for events in found)


def test_a_connection_that_is_left_is_only_read(tmp_path: Path) -> None:
    """What was not sent of its request is forgotten: that there is room for it wakes nobody."""
    left: list[bool] = []

    def behave(peer: Peer) -> None:
        peer.head()
        while not waits_for_room():
            time.sleep(0.001)
        peer.say(REFUSAL % b"")
        peer.silence()  # to the client's FIN: it waits for this server's from then on
        left.append(waits_for_room())

    with Misbehaving(behave) as server:
        assert fire_at(server, tmp_path, method="PUT", body_size=LARGE).outcomes == {"http.413": 1}
    assert left == [False]


def test_answered_and_reset_before_the_body(tmp_path: Path) -> None:
    """A server that answers and closes with the body unread is reset, or its answer was seen."""

    def behave(peer: Peer) -> None:
        peer.head()
        peer.say(REFUSAL % b"Connection: close\r\n")

    with Misbehaving(behave) as server:
        fired = fire_at(server, tmp_path, method="PUT", body_size=LARGE, clients=5)
    assert set(fired.outcomes) <= {"http.413", "send.reset", "receive.reset"}


def test_an_endless_answer(tmp_path: Path) -> None:
    """An answer without end times out, and holds up nobody else."""
    others = threading.Semaphore(0)

    def behave(peer: Peer) -> None:
        if peer.number:
            peer.request()
            peer.say(BYE)
            others.release()
            return
        peer.request()
        peer.say(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.say(bytes(1 << 20))

    with Misbehaving(behave) as server:
        fired = fire_at(server, tmp_path, clients=3, response_timeout=1.0)
    assert fired.outcomes == {"ok": 2, "receive.timeout": 1}


def test_a_flood_behind_the_answer(tmp_path: Path) -> None:
    """A connection that is left after its answer is read no longer than it takes others."""

    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(BYE)
        while True:
            peer.say(bytes(1 << 20))

    with Misbehaving(behave) as server:
        fired = fire_at(server, tmp_path, clients=2, requests=2)
    assert set(fired.outcomes) <= {"ok", "receive.malformed"}


def test_a_reset_is_no_end_of_an_answer(tmp_path: Path) -> None:
    """An answer without a length that a RST cuts off is lost, also while the request is sent."""

    def behave(peer: Peer) -> None:
        peer.head()
        peer.say(b"HTTP/1.0 200 OK\r\n\r\nhalf")
        peer.reset()

    with Misbehaving(behave) as server:
        fired = fire_at(server, tmp_path, clients=5, method="PUT", body_size=LARGE)
    assert set(fired.outcomes) <= {"receive.reset", "send.reset"}
