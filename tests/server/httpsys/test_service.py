"""HTTP.SYS as a whole: statistics, bugs, and the end."""

import asyncio
import socket
from pathlib import Path

import pytest

from tests.server.httpsys.serving import Client, on_uvloop, serving, value
from vaultstorm_server.httpsys.endpoint import State
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
