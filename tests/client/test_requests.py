"""The bytes of requests, against h11."""

from typing import Any

import h11
import pytest

from vaultstorm_client.plan import Plan
from vaultstorm_client.requests import RequestTemplate
from vaultstorm_client.target import parse


@pytest.mark.parametrize(
    "url, options, target, host, body",
    [
        ("http://127.0.0.1:8080", {}, b"/AeXRSVault/status", b"127.0.0.1:8080", None),
        ("http://127.0.0.1?a=b", {"method": "HEAD"}, b"/?a=b", b"127.0.0.1", None),
        ("http://[::1]/x", {"path": "/y"}, b"/y", b"[::1]", None),
        ("http://[::1]/x", {"method": "PUT"}, b"/x", b"[::1]", b"0"),
        ("http://[::1]/x", {"method": "PUT", "body_size": 70000}, b"/x", b"[::1]", b"70000"),
        ("http://[::1]/x", {"body_size": 1}, b"/x", b"[::1]", b"1"),
    ],
)
@pytest.mark.parametrize("last", [False, True])
def test_requests(
    url: str, options: dict[str, Any], target: bytes, host: bytes, body: bytes | None, last: bool
) -> None:
    """A request is what h11 reads of it, and closes its connection if it is the last there."""
    template = RequestTemplate(Plan(**options), parse(url))
    server = h11.Connection(h11.SERVER)
    server.receive_data(template.fill("an-id", last))
    request = server.next_event()
    assert isinstance(request, h11.Request)
    fields = dict(request.headers)
    assert (request.target, fields[b"host"]) == (target, host)
    assert fields[b"x-request-id"] == b"an-id"
    assert fields.get(b"content-length") == body
    assert fields.get(b"connection") == (b"close" if last else None)
    size = 0
    while isinstance(event := server.next_event(), h11.Data):
        size += len(event.data)
    assert isinstance(event, h11.EndOfMessage)
    assert size == int(body or 0)
    assert server.trailing_data[0] == b""


def test_the_body_is_its_seed() -> None:
    """The same seed gives the same body, another one another."""
    aim = parse("http://127.0.0.1")
    first, again, other = (
        RequestTemplate(Plan(method="PUT", body_size=100, seed=seed), aim).fill("a", False)
        for seed in (1, 1, 2)
    )
    assert first == again != other
