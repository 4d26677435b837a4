"""Links: handshakes that fail, deadlines that pass, and what is left open while lingering."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.server.httpsys.serving import Client, Site, on_uvloop, serving
from vaultstorm_server.httpsys import tls
from vaultstorm_server.httpsys.endpoint import HANDSHAKES_PER_TURN, Endpoint, State
from vaultstorm_server.httpsys.httperr import ErrorLog
from vaultstorm_server.httpsys.link import Link
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.settings import HttpSys as Settings

BOTH = pytest.mark.parametrize("https", [False, True], ids=["http", "https"])
HEAD = b"PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"


def shout_http(sock: socket.socket) -> None:
    """Speak HTTP where TLS is expected, and read to the end."""
    sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + b"x" * 50000)
    while sock.recv(65536):
        pass
    sock.close()


def leave_in_the_middle(sock: socket.socket) -> None:
    """Send the beginning of a ClientHello, and FIN."""
    sock.sendall(b"\x16\x03\x01\x02\x00\x01")
    sock.close()


def reset_in_the_middle(sock: socket.socket) -> None:
    """Send the beginning of a ClientHello, and RST."""
    sock.sendall(b"\x16\x03\x01\x02\x00\x01")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize(
    "misbehave", [shout_http, leave_in_the_middle, reset_in_the_middle, socket.socket.close]
)
@on_uvloop
async def test_a_failed_handshake_is_counted_and_costs_nobody_anything(
    tmp_path: Path, misbehave: Callable[[socket.socket], None]
) -> None:
    """It ends quietly, with a FIN and without a line, and others are served."""
    async with serving(tmp_path, https=True) as site:
        good = await site.connect()
        for _ in range(3):
            raw = await site.run(lambda: Client(site.port, None))
            await site.run(partial(misbehave, raw.sock))

        await site.until(lambda: site.http.statistics().handshakes_failed == 3)
        await site.until(lambda: site.http.statistics().open == 1)
        assert await site.run(good.get) == b"GET / "
        assert site.lines() == []


class Counted(Link):
    """A link that counts how often it is called."""

    __slots__ = ("calls",)

    def __init__(self, endpoint: Endpoint, sock: socket.socket) -> None:
        self.calls = 0
        super().__init__(endpoint, sock, ("127.0.0.1", 1), 1)

    def on_readable(self) -> None:
        """Count, and do what is to be done."""
        self.calls += 1
        super().on_readable()

    def _read(self) -> None:
        """Nothing is read."""

    def _write(self) -> None:
        """Nothing waits."""

    def _lose(self, reason: str | None) -> None:
        """Nothing is under way."""


@on_uvloop
async def test_what_waits_for_its_handshake_step_does_not_keep_the_loop_busy(
    tmp_path: Path,
) -> None:
    """However many wait, each is called a few times: when it comes, at its turn, at its end."""
    loop = asyncio.get_running_loop()
    context, _ = tls.server_context(tmp_path, "localhost")
    journal, errors = JournalFile(None, "front"), ErrorLog(None, Settings())
    shared = Endpoint(loop, Settings(), context, lambda _: None, journal, errors, "DefaultAppPool")
    pairs = [socket.socketpair() for _ in range(HANDSHAKES_PER_TURN * 20)]
    links = []
    for ours, theirs in pairs:
        ours.setblocking(False)
        links.append(Counted(shared, ours))
        theirs.send(b"\x16\x03\x01")
        theirs.close()
        links[-1].start()

    async with asyncio.timeout(20):
        while any(link.state is not State.CLOSED for link in links):  # noqa: ASYNC110
            await asyncio.sleep(0)

    assert shared.handshakes_failed == len(links)
    assert sum(link.calls for link in links) <= 4 * len(links)


@on_uvloop
async def test_a_client_that_trusts_nobody_is_counted(tmp_path: Path) -> None:
    """An alert from the client is a failed handshake or a FIN, never an error of ours."""
    async with serving(tmp_path, https=True) as site:
        with pytest.raises(ssl.SSLError):
            await site.run(lambda: Client(site.port, ssl.create_default_context()))

        await site.until(lambda: site.http.statistics().taken == 1)
        await site.until(lambda: site.http.statistics().open == 0)
        assert site.lines() == []


async def closed_by_timer(site: Site, client: Client, line: str) -> None:
    """Wait for the server's FIN, and compare HTTPERR."""
    assert await site.run(client.rest) == b""
    assert site.lines() == [line]


@BOTH
@on_uvloop
async def test_an_idle_connection_is_closed(tmp_path: Path, https: bool) -> None:
    """ConnectionTimeout after its last answer a connection is closed with a FIN."""
    async with serving(tmp_path, Settings(ConnectionTimeout=1), https=https) as site:
        client = await site.connect()
        assert await site.run(client.get) == b"GET / "

        await closed_by_timer(site, client, "- - - - - Timer_ConnectionIdle -")


@on_uvloop
async def test_a_handshake_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    """A client that connects and says nothing is idle."""
    async with serving(tmp_path, Settings(ConnectionTimeout=0.05), https=True) as site:
        client = await site.run(lambda: Client(site.port, None))
        site.clients.append(client)

        await closed_by_timer(site, client, "- - - - - Timer_ConnectionIdle -")
        local = f"127.0.0.1:{client.port}"
        assert site.timers() == [("Timer_ConnectionIdle", local)]


@pytest.mark.parametrize(
    "settings",
    [Settings(ConnectionTimeout=1), Settings(ConnectionTimeout=60, HeaderWaitTimeout=0.05)],
)
@BOTH
@on_uvloop
async def test_a_head_that_stalls_is_not_waited_for(
    tmp_path: Path, https: bool, settings: Settings
) -> None:
    """HeaderWaitTimeout holds for heads, or ConnectionTimeout if it is 0."""
    async with serving(tmp_path, settings, https=https) as site:
        client = await site.connect()
        await site.run(lambda: client.send(HEAD[:-2]))

        await closed_by_timer(site, client, "- - - - - Timer_HeaderWait -")


@BOTH
@on_uvloop
async def test_a_body_that_stalls_is_not_waited_for(tmp_path: Path, https: bool) -> None:
    """ConnectionTimeout after its last byte a request is given up, and journalled."""
    async with serving(tmp_path, Settings(ConnectionTimeout=1), https=https) as site:
        client = await site.connect()
        await site.run(lambda: client.send(HEAD + b"abc"))

        line = "HTTP/1.1 PUT /1 - 1 Timer_EntityBody DefaultAppPool"
        await closed_by_timer(site, client, line)
        assert [(r.status, r.cause) for r in site.records()] == [(None, "Timer_EntityBody")]


@BOTH
@on_uvloop
async def test_a_client_that_does_not_read_is_given_up(tmp_path: Path, https: bool) -> None:
    """An answer that moves slower than MinBytesPerSecond ends in the middle."""
    settings = Settings(MinBytesPerSecond=0xFFFFFFFF)
    async with serving(tmp_path, settings, https=https) as site:
        site.holding = True
        client = await site.connect()
        await site.run(lambda: client.send(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n"))
        (await site.request()).answer(200, [], bytes(32 << 20))

        await site.until(lambda: site.http.statistics().reasons != {})
        line = "HTTP/1.1 GET /big - 1 Timer_MinBytesPerSecond DefaultAppPool"
        assert site.lines() == [line]
        assert [(r.status, r.cause) for r in site.records()] == [(None, "Timer_MinBytesPerSecond")]


@on_uvloop
async def test_more_of_a_head_moves_no_deadline_but_more_of_a_body_does(tmp_path: Path) -> None:
    """A head has its time as a whole; a body is late only when nothing of it comes."""
    async with serving(tmp_path) as site:
        client = await site.connect()
        await site.run(lambda: client.send(HEAD[:5]))
        await site.until(lambda: site.http.statistics().taken == 1)
        (link,) = site.http._endpoint.connections
        await site.until(lambda: link.state is State.HEAD)
        head = link.deadline

        await site.run(lambda: client.send(HEAD[5:9]))
        await site.until(lambda: len(link._intake) == 9)  # type: ignore[attr-defined]
        assert link.deadline == head
        await site.run(lambda: client.send(HEAD[9:]))
        await site.until(lambda: link.state is State.BODY)
        body = link.deadline
        loop = asyncio.get_running_loop()
        await site.until(lambda: loop.time() + 120.0 > body)  # its clock counts milliseconds
        await site.run(lambda: client.send(b"a"))
        await site.until(lambda: link.deadline > body)


@BOTH
@on_uvloop
async def test_a_lingering_connection_waits_for_its_client(tmp_path: Path, https: bool) -> None:
    """After our FIN what the client sends is taken in, and its own FIN ends it."""
    async with serving(tmp_path, https=https) as site:
        client = await site.connect()
        await site.run(lambda: client.send(b"bad\r\n\r\n"))
        await site.run(client.answer)
        (link,) = site.http._endpoint.connections
        assert link.state is State.LINGER

        await site.run(lambda: client.sock.sendall(b"x" * 100000))
        await site.until(lambda: link._discarded >= 100000)
        assert await site.run(client.rest) == b""
        client.close()
        await site.until(lambda: site.http.statistics().open == 0)


@on_uvloop
async def test_a_client_that_never_closes_is_lingered_for_a_while(tmp_path: Path) -> None:
    """Without the client's FIN the connection is given back after two seconds, unsaid."""
    async with serving(tmp_path) as site:
        client = await site.connect()
        await site.run(lambda: client.send(b"bad\r\n\r\n"))
        await site.run(client.answer)

        await site.until(lambda: site.http.statistics().open == 0)
        assert site.lines() == ["- - - 400 - Verb -"]


@on_uvloop
async def test_a_refusal_that_is_not_read_keeps_its_reason(tmp_path: Path) -> None:
    """A client that leaves before it has its 503 is in HTTPERR once, for the first reason."""
    async with serving(tmp_path) as site:
        site.holding = True
        client = await site.connect()
        await site.run(lambda: client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        request = await site.request()
        (link,) = site.http._endpoint.connections
        link._stream.pause()
        client.reset()
        with contextlib.suppress(OSError):  # the reset itself, once it has arrived
            await site.until(lambda: link._stream.receive() is not None)
        request.refuse("QueueFull")

        assert site.lines() == ["HTTP/1.1 GET / 503 1 QueueFull DefaultAppPool"]
        assert [(r.status, r.cause) for r in site.records()] == [(None, "QueueFull")]
        assert request.ended
