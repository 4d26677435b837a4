"""Requests that a worker takes with it, in the three shapes of AbandonedRequest."""

import asyncio
import os
import select
import socket
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.server.httpsys.serving import PATIENCE, Client, Site, on_uvloop, serving
from vaultstorm_server.httpsys.connection import _ABANDONING
from vaultstorm_server.httpsys.endpoint import State
from vaultstorm_server.httpsys.request import Request
from vaultstorm_server.settings import HttpSys as Settings

BOTH = pytest.mark.parametrize("https", [False, True], ids=["http", "https"])
SHAPES = pytest.mark.parametrize("shape", sorted(_ABANDONING))
LOST = "Connection_Abandoned_By_AppPool"
GET = b"GET /a HTTP/1.1\r\nHost: a\r\nX-Request-Id: i7\r\n\r\n"


async def held(site: Site, sent: bytes = GET) -> tuple[Client, Request]:
    """Connect a client whose request waits."""
    site.holding = True
    client = await site.connect()
    await site.run(lambda: client.send(sent))
    return client, await site.request()


def nothing_came(client: Client) -> bool:
    """Tell whether there is nothing to read, not even an end."""
    return select.select([client.sock], [], [], 0)[0] == []


def reset_alone(client: Client) -> None:
    """See that the next thing on the wire is a RST: not a byte before it, encrypted or not."""
    with socket.socket(fileno=os.dup(client.sock.fileno())) as raw:
        raw.settimeout(PATIENCE)
        with pytest.raises(ConnectionResetError):
            raw.recv(1)


def written_once(site: Site, reason: str = LOST) -> None:
    """See that HTTPERR has one line and the journal one record, without a status."""
    assert site.lines() == [f"HTTP/1.1 GET /a - 1 {reason} DefaultAppPool"]
    (record,) = site.records()
    assert (record.id, record.status, record.answered) == ("i7", None, None)
    assert record.cause == reason


@BOTH
@on_uvloop
async def test_close_is_a_fin(tmp_path: Path, https: bool) -> None:
    """The client reads the end and no answer."""
    async with serving(tmp_path, Settings(AbandonedRequest="close"), https=https) as site:
        client, request = await held(site)
        request.abandon(LOST)

        assert await site.run(client.rest) == b""
        written_once(site)


@BOTH
@on_uvloop
async def test_reset_is_a_rst(tmp_path: Path, https: bool) -> None:
    """No close_notify comes before it, which would be an end in good order."""
    async with serving(tmp_path, Settings(AbandonedRequest="reset"), https=https) as site:
        client, request = await held(site)
        request.abandon(LOST)

        await site.run(lambda: reset_alone(client))
        assert site.http.statistics().open == 0
        written_once(site)


@BOTH
@on_uvloop
async def test_stall_is_nothing_at_all(tmp_path: Path, https: bool) -> None:
    """The loss is written down at once, the client sees nothing, and what it sends is taken in."""
    async with serving(tmp_path, Settings(AbandonedRequest="stall"), https=https) as site:
        client, request = await held(site)
        request.abandon(LOST)
        written_once(site)
        (link,) = site.http._endpoint.connections
        await site.run(lambda: client.send(GET + b"x" * 100_000))
        await site.until(lambda: link._discarded == len(GET) + 100_000)

        assert nothing_came(client)
        assert len(site.requests) == 1
        assert len(link._intake) == 0  # type: ignore[attr-defined]
        written_once(site)


@pytest.mark.parametrize("leave", [Client.close, Client.reset], ids=["fin", "rst"])
@BOTH
@on_uvloop
async def test_a_stalled_connection_ends_with_its_client(
    tmp_path: Path, https: bool, leave: Callable[[Client], None]
) -> None:
    """Nothing of it is left, and nothing more is written down."""
    async with serving(tmp_path, Settings(AbandonedRequest="stall"), https=https) as site:
        client, request = await held(site)
        request.abandon(LOST)

        leave(client)
        await site.until(lambda: site.http.statistics().open == 0)
        written_once(site)


@BOTH
@on_uvloop
async def test_a_stalled_connection_is_closed_after_the_connection_timeout(
    tmp_path: Path, https: bool
) -> None:
    """It has no timer of its own; the FIN comes without another line."""
    settings = Settings(AbandonedRequest="stall", ConnectionTimeout=1)
    async with serving(tmp_path, settings, https=https) as site:
        client, request = await held(site)
        request.abandon(LOST)
        (link,) = site.http._endpoint.connections
        deadline = link.deadline
        await site.run(lambda: client.send(b"more"))
        await site.until(lambda: link._discarded == 4)
        assert (link.state, link.deadline) == (State.STALLED, deadline)

        assert await site.run(client.rest) == b""
        written_once(site)


@SHAPES
@BOTH
@on_uvloop
async def test_what_was_sent_behind_an_abandoned_request_goes_with_it(
    tmp_path: Path, https: bool, shape: str
) -> None:
    """Pipelined requests are neither delivered nor written down, read already or not."""
    many = GET + GET.replace(b"i7", b"i8") * 20_000  # more than is kept: reading was paused
    async with serving(tmp_path, Settings(AbandonedRequest=shape), https=https) as site:
        site.holding = True
        client = await site.connect()
        sending = asyncio.ensure_future(site.run(partial(send_what_goes, client, many)))
        request = await site.request()
        (link,) = site.http._endpoint.connections
        await site.until(lambda: not link._stream._reading)
        request.abandon(LOST)

        await sending
        assert [request.id for request in site.requests] == ["i7"]
        written_once(site)


def send_what_goes(client: Client, data: bytes) -> None:
    """Send until the server ends the connection; OpenSSL may call a RST an EOF."""
    try:
        client.send(data)
    except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
        return


@SHAPES
@on_uvloop
async def test_a_request_that_is_abandoned_at_once_is_none_the_less_lost_once(
    tmp_path: Path, shape: str
) -> None:
    """A pool may give up inside of the delivery, with the next request read already."""
    async with serving(tmp_path, Settings(AbandonedRequest=shape)) as site:
        site.deliver = lambda request: request.abandon(LOST)  # type: ignore[method-assign]
        client = await site.connect()
        await site.run(lambda: client.send(GET + GET))

        await site.until(lambda: site.records() != [])
        written_once(site)


@BOTH
@on_uvloop
async def test_a_refusal_may_be_a_reset(tmp_path: Path, https: bool) -> None:
    """LoadBalancerCapabilities 1: a RST in place of the 503, whatever AbandonedRequest says."""
    async with serving(tmp_path, Settings(AbandonedRequest="stall"), https=https) as site:
        client, request = await held(site)
        request.refuse("AppOffline", reset=True)
        request.abandon(LOST)

        await site.run(lambda: reset_alone(client))
        written_once(site, "AppOffline")
        assert site.http.statistics().answered == 0


@SHAPES
@on_uvloop
async def test_a_drain_does_not_wait_for_what_is_lost(tmp_path: Path, shape: str) -> None:
    """A stalled connection is closed with the idle ones, and none is begun while it drains."""
    async with serving(tmp_path, Settings(AbandonedRequest=shape)) as site:
        stalled, first = await held(site)
        later, second = await held(site)
        second = await site.request(2)
        first.abandon(LOST)
        draining = asyncio.ensure_future(site.http.drain(20))
        await asyncio.sleep(0)
        second.abandon(LOST)
        stalled.close()
        later.close()

        await draining
        assert len(site.records()) == len(site.lines()) == 2


@on_uvloop
async def test_the_binding_outlives_a_request(tmp_path: Path) -> None:
    """It belongs to the connection: the next request on it has it, another connection not."""
    async with serving(tmp_path) as site:
        client, request = await held(site)
        assert request.bound is None
        request.bound = worker = object()
        site.echo(request)
        await site.run(client.answer)
        other = await site.connect()
        await site.run(lambda: client.send(GET))
        await site.request(2)
        await site.run(lambda: other.send(GET))
        await site.request(3)

        assert [request.bound for request in site.requests] == [None, worker, None]
