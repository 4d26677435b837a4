"""The bytes of requests, against h11."""

from typing import Any

import h11
import pytest

from vaultstorm_client.agent import calls
from vaultstorm_client.agent.calls import Call
from vaultstorm_client.plan import Plan
from vaultstorm_client.requests import CallTemplate, RequestTemplate
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


@pytest.mark.parametrize(
    "call, method, path, kind, body",
    [
        (calls.opening(), b"POST", b"/interfaces", None, b""),
        (calls.closing("i1"), b"DELETE", b"/interfaces/i1", None, None),
        (
            calls.putting("i1", "ab", b"\0\r\n\r\n", False),
            b"PUT", b"/interfaces/i1/blocks/ab", b"application/octet-stream", b"\0\r\n\r\n",
        ),
        (
            calls.committing("i1", "s", b"{}", "ab", 1),
            b"PUT", b"/interfaces/i1/snapshots/s", b"application/json", b"{}",
        ),
        (
            calls.verifying("i1", "s", 1, 0),
            b"POST", b"/interfaces/i1/snapshots/s/verify", None, b"",
        ),
        (
            calls.reading("i1", "ab", b"x", False, 0),
            b"GET", b"/interfaces/i1/blocks/ab", None, None,
        ),
        (
            calls.reading_manifest("i1", "s", b"x", 0),
            b"GET", b"/interfaces/i1/snapshots/s", None, None,
        ),
    ],
    ids=["open", "close", "put", "commit", "verify", "read", "read-manifest"],
)  # fmt: skip
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(
    "url, base",
    [
        ("http://127.0.0.1", b"/AeXRSVault"),
        ("http://127.0.0.1/", b"/AeXRSVault"),
        ("http://[::1]/a/vault/", b"/a/vault"),
    ],
)
def test_calls(
    url: str, base: bytes, last: bool, call: Call, method: bytes, path: bytes,
    kind: bytes | None, body: bytes | None,
) -> None:  # fmt: skip
    """A call is what h11 reads of its request, below the path of its vault."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(CallTemplate(parse(url)).fill(call, "an-id", last))
    request = server.next_event()
    assert isinstance(request, h11.Request)
    fields = dict(request.headers)
    assert (request.method, request.target) == (method, base + path)
    assert fields[b"x-request-id"] == b"an-id"
    assert fields.get(b"content-type") == kind
    assert fields.get(b"content-length") == (None if body is None else b"%d" % len(body))
    assert fields.get(b"connection") == (b"close" if last else None)
    found = b""
    while isinstance(event := server.next_event(), h11.Data):
        found += bytes(event.data)
    assert isinstance(event, h11.EndOfMessage)
    assert found == (body or b"")
    assert server.trailing_data[0] == b""
