"""Connections: good exchanges, refusals and losses, over real sockets with TLS and without."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.server.httpsys.serving import Client, on_uvloop, serving, value
from vaultstorm_server.settings import HttpSys as Settings

BOTH = pytest.mark.parametrize("https", [False, True], ids=["http", "https"])
PUT = b"PUT /%d HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b"
CHUNKED = b"PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@BOTH
@on_uvloop
async def test_a_connection_is_kept(tmp_path: Path, https: bool) -> None:
    """Several requests are answered on one connection, and each is journalled once."""
    async with serving(tmp_path, https=https) as site:
        client = await site.connect()

        for number in range(3):
            assert await site.run(partial(client.get, b"/%d" % number)) == b"GET /%d " % number

        assert [(r.target, r.status, r.cause) for r in site.records()] == [
            (f"/{n}", 200, None) for n in range(3)
        ]
        assert {r.peer for r in site.records()} == {f"127.0.0.1:{client.port}"}
        assert site.http.statistics().taken == 1
        assert site.lines() == []


@BOTH
@on_uvloop
async def test_pipelined_requests_are_answered_in_order(tmp_path: Path, https: bool) -> None:
    """Three requests with bodies, sent at once or byte by byte, get their answers in order."""
    three = b"".join(PUT % (n, 4, b"\r\n%02d" % n) for n in range(3))
    async with serving(tmp_path, https=https) as site:
        client = await site.connect()
        for size in (len(three), 1):
            await site.run(partial(client.trickle, three, size))
            for n in range(3):
                _, body = await site.run(client.answer)
                assert body == b"PUT /%d \r\n%02d" % (n, n)


@on_uvloop
async def test_the_next_request_waits_for_the_answer(tmp_path: Path) -> None:
    """A pipelined request is delivered only when the one before it is answered."""
    async with serving(tmp_path) as site:
        site.holding = True
        client = await site.connect()
        await site.run(lambda: client.send(PUT % (1, 0, b"") + PUT % (2, 0, b"")))

        first = await site.request(1)
        assert [request.target for request in site.requests] == ["/1"]
        site.echo(first)

        assert (await site.request(2)).target == "/2"


@on_uvloop
async def test_a_flood_of_pipelined_requests_is_held_back(tmp_path: Path) -> None:
    """While a request waits, the server stops reading; later all are answered."""
    async with serving(tmp_path) as site:
        site.holding = True
        client = await site.connect()
        many = [PUT % (n, 60000, b"x" * 60000) for n in range(200)]
        sending = asyncio.ensure_future(site.run(lambda: client.send(b"".join(many))))
        first = await site.request(1)
        connection = next(iter(site.http._endpoint.connections))
        await site.until(lambda: not connection._stream._reading)
        assert not sending.done()

        site.holding = False
        site.echo(first)
        for n in range(200):
            _, body = await site.run(client.answer)
            assert body.startswith(b"PUT /%d " % n)
        await sending


@on_uvloop
async def test_a_thousand_small_requests_in_one_segment_are_answered(tmp_path: Path) -> None:
    """A pool that answers at once does not run out of stack."""
    async with serving(tmp_path) as site:
        client = await site.connect()
        await site.run(lambda: client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 2000))

        for _ in range(2000):
            assert (await site.run(client.answer))[1] == b"GET / "


@BOTH
@on_uvloop
async def test_a_client_may_wait_to_be_told_to_continue(tmp_path: Path, https: bool) -> None:
    """Expect: 100-continue is answered before the body is read."""
    head = b"PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    async with serving(tmp_path, https=https) as site:
        client = await site.connect()
        await site.run(lambda: client.send(head))
        assert await site.run(client.answer) == (b"HTTP/1.1 100 Continue", b"")

        await site.run(lambda: client.send(b"hello"))

        assert (await site.run(client.answer))[1] == b"PUT /1 hello"


@on_uvloop
async def test_a_body_that_comes_at_once_is_not_asked_for(tmp_path: Path) -> None:
    """No 100 is sent to a client that did not wait."""
    head = b"PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    async with serving(tmp_path) as site:
        client = await site.connect()
        await site.run(lambda: client.send(head + b"hello"))

        assert (await site.run(client.answer))[1] == b"PUT /1 hello"


@BOTH
@pytest.mark.parametrize("size", [1, 3, 1000])
@on_uvloop
async def test_a_chunked_body_is_put_together(tmp_path: Path, https: bool, size: int) -> None:
    """Chunks, extensions and trailers are taken apart, however they arrive."""
    raw = CHUNKED + b"5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: a\r\n\r\n" + PUT % (2, 1, b"z")
    async with serving(tmp_path, https=https) as site:
        client = await site.connect()
        await site.run(partial(client.trickle, raw, size))

        assert (await site.run(client.answer))[1] == b"PUT /c hello world"
        assert (await site.run(client.answer))[1] == b"PUT /2 z"


@on_uvloop
async def test_the_answer_to_head_has_no_body(tmp_path: Path) -> None:
    """HEAD is told the length, and the connection goes on."""
    async with serving(tmp_path) as site:
        client = await site.connect()
        await site.run(lambda: client.send(b"HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n"))
        head, _ = await site.run(lambda: client.answer(head_only=True))

        assert value(head, b"Content-Length") == b"8"
        assert await site.run(client.get) == b"GET / "


@pytest.mark.parametrize(
    "version, field, says, kept",
    [
        (b"1.0", b"", b"close", False),
        (b"1.0", b"Connection: keep-alive\r\n", b"Keep-Alive", True),
        (b"1.1", b"", None, True),
        (b"1.1", b"Connection: close\r\n", b"close", False),
    ],
)
@BOTH
@on_uvloop
async def test_the_client_says_whether_to_keep(
    tmp_path: Path, https: bool, version: bytes, field: bytes, says: bytes | None, kept: bool
) -> None:
    """The answer tells what happens to the connection, and then it happens, without a RST."""
    async with serving(tmp_path, https=https) as site:
        client = await site.connect()
        raw = b"GET / HTTP/" + version + b"\r\nHost: a\r\n" + field + b"\r\n"
        await site.run(lambda: client.send(raw))
        head, body = await site.run(client.answer)

        assert head.startswith(b"HTTP/1.1 200 OK\r\nServer: Microsoft-IIS/6.0\r\nDate: ")
        assert body == b"GET / "
        assert value(head, b"Connection") == says
        if kept:
            assert await site.run(client.get) == b"GET / "
        else:
            assert await site.run(client.rest) == b""


@on_uvloop
async def test_keep_alive_can_be_forbidden(tmp_path: Path) -> None:
    """AllowKeepAlive 0 closes after every answer."""
    async with serving(tmp_path, Settings(AllowKeepAlive=0)) as site:
        client = await site.connect()
        await site.run(lambda: client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"))

        assert value((await site.run(client.answer))[0], b"Connection") == b"close"
        assert await site.run(client.rest) == b""


@pytest.mark.parametrize(
    "raw, status, line",
    [
        (b"get / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "HTTP/1.1 get / 400 - Verb -"),
        (b"GET /x HTTP/1.1\r\n\r\n", 400, "HTTP/1.1 GET /x 400 - Hostname -"),
        (b"GET / HTTP/1.1\n\n", 400, "HTTP/1.1 GET / 400 - Invalid_CR/LF -"),
        (b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", 411, "HTTP/1.1 POST / 411 - LengthRequired -"),
        (b"GET / HTTP/12.0\r\nHost: a\r\n\r\n", 505, "HTTP/?.? GET / 505 - Version_N/S -"),
        (b"\0\1\2\r\n\r\n", 400, "- - - 400 - Verb -"),
        (b"x" * 20000, 400, "- - - 400 - RequestLength -"),
        (CHUNKED + b"zz\r\n", 400, "HTTP/1.1 PUT /c 400 - BadRequest -"),
        (b"GET /\n#Fields:\tx HTTP/1.1\r\n\r\n", 400, "- - - 400 - Invalid_CR/LF -"),
        (b"G\x85#T /\x0b HTTP/1.1\r\n\r\n", 400, "HTTP/1.1 G?#T /+ 400 - Verb -"),
    ],
)
@BOTH
@on_uvloop
async def test_a_bad_request_is_answered_and_closed(
    tmp_path: Path, https: bool, raw: bytes, status: int, line: str
) -> None:
    """The answer arrives whole although input is left unread, and HTTPERR has one line."""
    raw += b"\r\nmore" * 5000
    async with serving(tmp_path, https=https) as site:
        client = await site.connect()
        await site.run(lambda: client.send(raw))
        head, body = await site.run(client.answer)

        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert value(head, b"Connection") == b"close"
        assert body.startswith(b"<h1>")
        assert await site.run(client.rest) == b""
        assert site.lines() == [line]
        assert [(r.status, r.cause) for r in site.records()] == [(status, line.split()[5])]
        other = await site.connect()
        assert await site.run(other.get) == b"GET / "


@pytest.mark.parametrize("length, fits", [(9, True), (10, True), (11, False)])
@pytest.mark.parametrize("chunked", [False, True])
@on_uvloop
async def test_a_body_is_no_longer_than_allowed(
    tmp_path: Path, length: int, fits: bool, chunked: bool
) -> None:
    """The limit holds for announced bodies and for chunked ones."""
    body = b"x" * length
    raw = CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (length, body)
    async with serving(tmp_path, Settings(MaxRequestEntityAllowed=10)) as site:
        client = await site.connect()
        await site.run(lambda: client.send(raw if chunked else PUT % (1, length, body)))
        head, _ = await site.run(client.answer)

        assert head.startswith(b"HTTP/1.1 200" if fits else b"HTTP/1.1 413")
        if not fits:
            assert await site.run(client.rest) == b""
            assert site.lines()[0].endswith(" 413 - EntityTooLarge -")


@BOTH
@on_uvloop
async def test_a_large_answer_reaches_a_slow_reader(tmp_path: Path, https: bool) -> None:
    """What the socket does not take at once is written when it does."""
    async with serving(tmp_path, https=https) as site:
        site.holding = True
        client = await site.connect()
        await site.run(lambda: client.send(PUT % (1, 0, b"") + PUT % (2, 0, b"")))
        request = await site.request()
        whole = bytes(range(256)) * 65536
        request.answer(200, [], whole)
        assert len(site.requests) == 1

        assert (await site.run(client.answer))[1] == whole

        site.echo(await site.request(2))
        assert (await site.run(client.answer))[1] == b"PUT /2 "


@BOTH
@on_uvloop
async def test_a_refused_request_gets_503(tmp_path: Path, https: bool) -> None:
    """The pool's refusal is HTTP.SYS's answer, and its reason is written down."""
    async with serving(tmp_path, https=https) as site:
        site.holding = True
        client = await site.connect()
        await site.run(lambda: client.send(PUT % (1, 0, b"")))
        request = await site.request()
        request.refuse("QueueFull")
        request.abandon("AppOffline")
        request.answer(200, [], b"")

        head, body = await site.run(client.answer)
        assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\n")
        assert value(head, b"Server") is None
        assert body == b"<h1>Service Unavailable</h1>"
        assert await site.run(client.rest) == b""
        assert site.lines() == ["HTTP/1.1 PUT /1 503 1 QueueFull DefaultAppPool"]
        assert [(r.status, r.cause) for r in site.records()] == [(503, "QueueFull")]


@BOTH
@on_uvloop
async def test_an_abandoned_request_gets_a_fin(tmp_path: Path, https: bool) -> None:
    """A request whose worker ended ends its connection, without an answer and without a RST."""
    async with serving(tmp_path, https=https) as site:
        site.holding = True
        client = await site.connect()
        await site.run(
            lambda: client.send(b"GET /a HTTP/1.1\r\nHost: a\r\nX-Request-Id: i7\r\n\r\n")
        )
        request = await site.request()
        request.worker, request.dispatched = 77, 5.0
        request.abandon("Connection_Abandoned_By_AppPool")
        site.echo(request)

        assert await site.run(client.rest) == b""
        reason = "Connection_Abandoned_By_AppPool"
        assert site.lines() == [f"HTTP/1.1 GET /a - 1 {reason} DefaultAppPool"]
        (record,) = site.records()
        assert (record.id, record.worker, record.dispatched) == ("i7", 77, 5.0)
        assert (record.status, record.answered, record.cause) == (None, None, reason)


@on_uvloop
async def test_an_answer_that_would_break_the_framing_is_not_sent(tmp_path: Path) -> None:
    """A worker that puts a line end into a field gets its client a 500."""
    async with serving(tmp_path) as site:
        site.holding = True
        client = await site.connect()
        await site.run(lambda: client.send(PUT % (1, 0, b"")))
        (await site.request()).answer(200, [(b"X", b"a\r\nY: b")], b"")

        head, body = await site.run(client.answer)
        assert head.startswith(b"HTTP/1.1 500 ")
        assert body == b"<h1>Internal Server Error</h1>"
        assert site.lines() == ["HTTP/1.1 PUT /1 500 1 Internal DefaultAppPool"]


@pytest.mark.parametrize("leave", [Client.close, Client.reset], ids=["fin", "rst"])
@BOTH
@on_uvloop
async def test_a_client_that_leaves_its_request_is_noted(
    tmp_path: Path, https: bool, leave: Callable[[Client], None]
) -> None:
    """The request is marked gone at once, and an answer that comes later changes nothing."""
    async with serving(tmp_path, https=https) as site:
        site.holding = True
        client = await site.connect()
        await site.run(lambda: client.send(PUT % (1, 0, b"")))
        request = await site.request()
        assert not request.gone

        leave(client)
        await site.until(lambda: request.gone)
        site.echo(request)

        assert site.lines() == ["HTTP/1.1 PUT /1 - 1 Connection_Dropped DefaultAppPool"]
        assert [(r.status, r.cause) for r in site.records()] == [(None, "Connection_Dropped")]


@pytest.mark.parametrize(
    "sent, line",
    [
        (b"", None),
        (b"\r\n", None),
        (b"GET / HT", "- - - - - Connection_Dropped -"),
        (PUT % (1, 5, b"abc"), "HTTP/1.1 PUT /1 - 1 Connection_Dropped DefaultAppPool"),
    ],
)
@pytest.mark.parametrize("leave", [Client.close, Client.reset], ids=["fin", "rst"])
@BOTH
@on_uvloop
async def test_a_half_sent_request_ends_with_its_client(
    tmp_path: Path, https: bool, leave: Callable[[Client], None], sent: bytes, line: str | None
) -> None:
    """Half a request is never delivered, and is written down if it had begun."""
    async with serving(tmp_path, https=https) as site:
        client = await site.connect()
        await site.until(lambda: site.http.statistics().taken == 1)
        await site.run(lambda: client.send(sent))
        leave(client)
        await site.until(lambda: site.http.statistics().open == 0)

        assert site.requests == []
        # A RST may take away what was sent before it, so that the server never sees it begin.
        reset = leave is Client.reset
        assert site.lines() == ([line] if line else []) or (reset and not site.lines())
