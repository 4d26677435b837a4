"""HTTP.SYS as a whole: statistics, bugs, and the end."""

import asyncio
import contextlib
import socket
import ssl
from pathlib import Path

import pytest

from tests.server.httpsys.serving import PATIENCE, Client, Site, on_uvloop, serving, value
from vaultstorm_server.httpsys.endpoint import HANDSHAKES_PER_TURN, State
from vaultstorm_server.settings import HttpSys as Settings

BOTH = pytest.mark.parametrize("https", [False, True], ids=["http", "https"])
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@on_uvloop
async def test_statistics_count_what_happened(tmp_path: Path) -> None:
    """Connections, handshakes, requests, answers and reasons are counted."""
    async with serving(tmp_path, https=True) as site:
        for _ in range(2):
            client = await site.connect()
            await site.run(client.get)
        await site.run(lambda: client.send(b"bad\r\n\r\n"))
        await site.run(client.answer)

        found = site.http.statistics()
        assert (found.taken, found.handshakes, found.handshakes_failed) == (2, 2, 0)
        assert (found.requests, found.answered, found.bugs) == (2, 2, 0)
        assert dict(found.reasons) == {"Verb": 1}


@BOTH
@on_uvloop
async def test_many_handshakes_at_once_all_get_their_turn(tmp_path: Path, https: bool) -> None:
    """More clients than one turn of the loop shakes hands with are all served."""
    async with serving(tmp_path, https=https) as site:
        clients = await asyncio.gather(*(site.connect() for _ in range(100)))
        bodies = await asyncio.gather(*(site.run(client.get) for client in clients))

        assert bodies == [b"GET / "] * 100
        assert site.http.statistics().open == 100


@on_uvloop
async def test_a_bug_costs_one_connection(tmp_path: Path) -> None:
    """An exception in a callback is logged and closes its connection; the others go on."""
    async with serving(tmp_path) as site:
        other = await site.connect()
        await site.run(other.get)
        client = await site.connect()
        site.failing = True
        await site.run(lambda: client.send(GET))
        assert await site.run(client.rest) == b""
        site.deliver, site.failing = site.echo, False  # type: ignore[method-assign]

        assert await site.run(other.get) == b"GET / "
        assert site.http.statistics().bugs == 1
        assert site.lines() == ["HTTP/1.1 GET / - 1 Internal DefaultAppPool"]
        site.failing = True  # the one bug is expected at the end, too


@BOTH
@on_uvloop
async def test_a_drain_closes_idle_connections_and_answers_the_rest(
    tmp_path: Path, https: bool
) -> None:
    """Idle connections end at once; a request in flight gets its answer, which says close."""
    async with serving(tmp_path, https=https) as site:
        idle, busy = await site.connect(), await site.connect()
        await site.run(idle.get)
        site.holding = True
        await site.run(lambda: busy.send(GET))
        request = await site.request(2)

        draining = asyncio.ensure_future(site.http.drain(20))
        assert await site.run(idle.rest) == b""
        assert not draining.done()
        site.echo(request)

        assert value((await site.run(busy.answer))[0], b"Connection") == b"close"
        assert await site.run(busy.rest) == b""
        idle.close()
        busy.close()
        await draining
        assert site.lines() == []


@BOTH
@on_uvloop
async def test_the_grace_has_an_end(tmp_path: Path, https: bool) -> None:
    """What is unfinished at the end of the grace is closed and written down."""
    async with serving(tmp_path, https=https) as site:
        site.holding = True
        waiting, sending = await site.connect(), await site.connect()
        await site.run(lambda: waiting.send(GET))
        request = await site.request()
        await site.run(
            lambda: sending.send(b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
        )
        await site.until(lambda: site.http.statistics().requests == 2)

        await site.http.drain(0)
        site.echo(request)

        assert await site.run(waiting.rest) == b""
        assert await site.run(sending.rest) == b""
        assert sorted(site.lines()) == [
            "HTTP/1.1 GET / - 1 Connection_Abandoned_By_AppPool DefaultAppPool",
            "HTTP/1.1 POST /p - 1 Connection_Dropped DefaultAppPool",
        ]
        assert site.http.statistics().open == 0


@on_uvloop
async def test_a_request_that_arrives_with_the_drain_is_served(tmp_path: Path) -> None:
    """What stands in an idle connection's socket when the server stops is not lost."""
    async with serving(tmp_path) as site:
        client = await site.connect()
        await site.run(client.get)
        (link,) = site.http._endpoint.connections
        link._stream.pause()
        await site.run(lambda: client.send(GET))
        assert link.state is State.IDLE

        draining = asyncio.ensure_future(site.http.drain(20))

        assert (await site.run(client.answer))[1] == b"GET / "
        client.close()
        await draining


@on_uvloop
async def test_nothing_is_taken_after_the_stop(tmp_path: Path) -> None:
    """A connection that comes too late is closed."""
    async with serving(tmp_path) as site:
        site.http.stop_accepting()
        client = await site.connect()

        assert await site.run(client.rest) == b""
        assert site.http.statistics().taken == 0


@on_uvloop
async def test_a_connection_that_is_dead_on_arrival_is_none(tmp_path: Path) -> None:
    """A socket that cannot be used is closed, and counted as taken only."""
    async with serving(tmp_path) as site:
        here, there = socket.socketpair()
        there.close()
        site.http.take(here, ("127.0.0.1", 1))  # a Unix socket has no TCP_NODELAY

        assert here.fileno() == -1
        assert site.http.statistics().open == 0


@on_uvloop
async def test_a_timer_of_one_connection_leaves_the_others_alone(tmp_path: Path) -> None:
    """A sweep ends what is due and nothing else."""
    async with serving(tmp_path, Settings(HeaderWaitTimeout=0.05)) as site:
        idle: Client = await site.connect()
        stalled = await site.connect()
        await site.run(lambda: stalled.send(b"GET"))

        assert await site.run(stalled.rest) == b""
        assert await site.run(idle.get) == b"GET / "


@BOTH
@on_uvloop
async def test_after_a_drain_it_can_go_on(tmp_path: Path, https: bool) -> None:
    """Connections are taken and kept again, timers run, and what was counted is not forgotten."""
    settings = Settings(HeaderWaitTimeout=0.05)
    async with serving(tmp_path, settings, https=https) as site:
        before = await site.connect()
        await site.run(before.get)
        draining = asyncio.ensure_future(site.http.drain(20))
        assert await site.run(before.rest) == b""
        before.close()
        await draining

        site.http.resume()

        after = await site.connect()
        for _ in range(2):
            assert await site.run(after.get) == b"GET / "
        stalled = await site.connect()
        await site.run(lambda: stalled.send(b"GET"))
        assert await site.run(stalled.rest) == b""
        assert site.http.statistics().requests == 3
        assert site.http.statistics().taken == 3


@on_uvloop
async def test_it_can_be_drained_twice(tmp_path: Path) -> None:
    """The second time as the first: what is unfinished at the end of the grace is closed."""
    async with serving(tmp_path) as site:
        for _ in range(2):
            await site.http.drain(0)
            site.http.resume()
        site.holding = True
        client = await site.connect()
        await site.run(lambda: client.send(GET))
        await site.request()
        await site.http.drain(0)

        assert await site.run(client.rest) == b""
        assert site.http.open == 0


@BOTH
@on_uvloop
async def test_a_drain_need_not_wait_for_the_clients_to_close(tmp_path: Path, https: bool) -> None:
    """Without lingering it ends when the last answer is out; the client is closed in its time."""
    async with serving(tmp_path, https=https) as site:
        idle, busy = await site.connect(), await site.connect()
        await site.run(idle.get)
        site.holding = True
        await site.run(lambda: busy.send(GET))
        request = await site.request(2)
        draining = asyncio.ensure_future(site.http.drain(20, linger=False))
        await site.until(lambda: len(site.http._endpoint.lingering) == 1)
        assert not draining.done()
        site.echo(request)
        await draining

        assert site.http.open == 2
        site.http.resume()
        assert (await site.run(busy.answer))[1] == b"GET / "
        assert await site.run(busy.rest) == b""
        await site.until(lambda: site.http.open == 0)  # after the time that a FIN has
        assert site.lines() == []


class ByHand:
    """A client whose side of the handshake goes out when it is told to."""

    def __init__(self, site: Site) -> None:
        assert site.trust is not None
        self._sock = socket.create_connection(("127.0.0.1", site.port), PATIENCE)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = site.trust.wrap_bio(self._in, self._out, server_hostname="localhost")

    def hello(self) -> None:
        """Send a ClientHello, and take the server's answer to it."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._sock.sendall(self._out.read())
                self._in.write(self._sock.recv(65536))
            else:
                return

    def finish(self, request: bytes) -> None:
        """Send the end of the handshake and a request in one piece."""
        if request:
            self._tls.write(request)
        self._sock.sendall(self._out.read())

    def read(self) -> bytes:
        """Read up to the end, and close."""
        while data := self._sock.recv(65536):
            self._in.write(data)
        self._sock.close()
        with contextlib.suppress(ssl.SSLZeroReturnError):
            return self._tls.read(65536)
        return b""


@pytest.mark.parametrize("asks", [True, False])
@on_uvloop
async def test_what_waits_for_its_handshake_step_has_it_in_a_drain(
    tmp_path: Path, asks: bool
) -> None:
    """A request that arrived behind the handshake is answered; without one it is closed."""
    async with serving(tmp_path, https=True) as site:
        endpoint = site.http._endpoint
        client = await site.run(lambda: ByHand(site))
        await site.run(client.hello)
        await site.until(lambda: endpoint._steps == HANDSHAKES_PER_TURN)
        endpoint._steps = 0
        await site.run(lambda: client.finish(GET if asks else b""))
        await site.until(lambda: len(endpoint._waiting) == 1)
        draining = asyncio.ensure_future(site.http.drain(20))
        await asyncio.sleep(0)
        assert len(endpoint._waiting) == 1
        endpoint._next_turn()

        answer = await site.run(client.read)
        assert (b"Connection: close" in answer, answer[-6:]) == (asks, b"GET / " if asks else b"")
        await draining
        assert site.http.statistics().handshakes == 1
