"""MaxConnections: connections beyond it are told so at their first request."""

from functools import partial
from pathlib import Path

import pytest

from tests.server.httpsys.serving import Client, Site, on_uvloop, serving, value
from vaultstorm_server.settings import HttpSys as Settings

BOTH = pytest.mark.parametrize("https", [False, True], ids=["http", "https"])
LIMIT = 3
PUT = b"PUT /a HTTP/1.1\r\nHost: a\r\nX-Request-Id: i7\r\nContent-Length: 5\r\n"


async def filled(site: Site) -> list[Client]:
    """Connect as many as are allowed, and wait until all count."""
    clients = [await site.connect() for _ in range(LIMIT)]
    await site.until(lambda: site.http.statistics().taken == LIMIT)
    return clients


@pytest.mark.parametrize("count, refused", [(LIMIT - 1, 0), (LIMIT, 0), (LIMIT + 1, 1)])
@BOTH
@on_uvloop
async def test_so_many_are_served(tmp_path: Path, https: bool, count: int, refused: int) -> None:
    """The last one beyond the limit gets 503 and FIN; those before it go on."""
    async with serving(tmp_path, Settings(MaxConnections=LIMIT), https=https) as site:
        clients = [await site.connect() for _ in range(count)]
        bodies = [await site.run(client.get) for client in clients]

        refusal = b"<h1>Service Unavailable</h1>"
        assert bodies == [b"GET / "] * (count - refused) + [refusal] * refused
        assert site.lines() == ["HTTP/1.1 GET / 503 - ConnLimit -"] * refused
        assert [(r.status, r.cause) for r in site.records()] == [
            *[(200, None)] * (count - refused),
            *[(503, "ConnLimit")] * refused,
        ]
        if refused:
            assert await site.run(clients[-1].rest) == b""
        assert await site.run(clients[0].get) == b"GET / "


@pytest.mark.parametrize(
    "sent",
    [PUT + b"Expect: 100-continue\r\n\r\n", PUT + b"\r\nhello" + PUT + b"\r\nworld"],
    ids=["waiting to send a body", "two with bodies"],
)
@BOTH
@on_uvloop
async def test_the_first_request_is_refused_for_its_head(
    tmp_path: Path, https: bool, sent: bytes
) -> None:
    """No body is asked for, no worker hears of it, and what comes behind it goes with it."""
    async with serving(tmp_path, Settings(MaxConnections=LIMIT), https=https) as site:
        await filled(site)
        client = await site.connect()
        await site.run(partial(client.send, sent))
        head, _ = await site.run(client.answer)

        assert head.startswith(b"HTTP/1.1 503 ")
        assert value(head, b"Connection") == b"close"
        assert await site.run(client.rest) == b""
        assert site.requests == []
        assert [(r.id, r.status, r.cause) for r in site.records()] == [("i7", 503, "ConnLimit")]
        assert site.lines() == ["HTTP/1.1 PUT /a 503 - ConnLimit -"]


@on_uvloop
async def test_a_bad_request_beyond_the_limit_is_a_bad_request(tmp_path: Path) -> None:
    """What cannot be read belongs to no site, and no site's limit is asked."""
    async with serving(tmp_path, Settings(MaxConnections=LIMIT)) as site:
        await filled(site)
        client = await site.connect()
        await site.run(lambda: client.send(b"get / HTTP/1.1\r\nHost: a\r\n\r\n"))

        assert (await site.run(client.answer))[0].startswith(b"HTTP/1.1 400 ")
        assert site.lines() == ["HTTP/1.1 get / 400 - Verb -"]


@on_uvloop
async def test_one_that_closes_makes_room(tmp_path: Path) -> None:
    """Every connection counts until it is closed, those beyond the limit included."""
    async with serving(tmp_path, Settings(MaxConnections=LIMIT)) as site:
        clients = await filled(site)
        surplus = await site.connect()
        await site.until(lambda: site.http.open == LIMIT + 1)
        clients[0].close()
        await site.until(lambda: site.http.open == LIMIT)
        assert (await site.run((await site.connect()).get)).startswith(b"<h1>")

        surplus.close()
        clients[1].close()
        await site.until(lambda: site.http.open < LIMIT)
        assert await site.run((await site.connect()).get) == b"GET / "
