"""Bodies: counted and framed, whole, byte by byte and with what follows them."""

import tracemalloc

import h11
import pytest

from vaultstorm_server.httpsys.body import Body
from vaultstorm_server.httpsys.head import BAD_REQUEST, TOO_LARGE, Fault, Head, inspect
from vaultstorm_server.settings import HttpSys

PLAIN = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
CHUNKED = b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def body(raw: bytes, most: int = 100) -> Body:
    """Begin the body that the head announces."""
    framer = h11.Connection(h11.SERVER)
    framer.receive_data(raw)
    assert isinstance(framer.next_event(), h11.Request)
    facts = inspect(raw, HttpSys())
    assert isinstance(facts, Head)
    return Body(framer, facts, most)


@pytest.mark.parametrize(
    "head, wire",
    [
        (PLAIN, b"hello"),
        (CHUNKED, b"5\r\nhello\r\n0\r\n\r\n"),
        (CHUNKED, b"1;a=b\r\nh\r\n004\r\nello\r\n0\r\nA: b\r\n\r\n"),
    ],
)
def test_a_body_ends_where_it_ends(head: bytes, wire: bytes) -> None:
    """What follows is given back, and every cut of the bytes gives the same body."""
    whole = body(head)
    assert whole.feed(wire) == b""
    trailed = body(head)
    assert trailed.feed(wire + b"GET /") == b"GET /"
    slow = body(head)
    for i in range(len(wire)):
        assert not slow.complete
        assert slow.feed(wire[i : i + 1]) == b""

    for each in (whole, trailed, slow):
        assert each.complete
        assert each.whole() == b"hello"


@pytest.mark.parametrize("size, verdict", [(99, b""), (100, b""), (101, TOO_LARGE)])
def test_chunks_are_counted(size: int, verdict: bytes | Fault) -> None:
    """A chunked body is refused when it has grown too large, before it has ended."""
    assert body(CHUNKED).feed(b"%x\r\n" % size + b"x" * size) == verdict


@pytest.mark.parametrize("wire", [b"x\r\n", b"-1\r\n", b"1\r\nabc", b"5\r\nhello0\r\n\r\n"])
def test_what_is_no_chunk_is_a_bad_request(wire: bytes) -> None:
    """Broken chunks are refused."""
    assert body(CHUNKED).feed(wire) == BAD_REQUEST


def test_small_chunks_cost_no_more_than_their_bytes() -> None:
    """Memory is taken by what was sent, not by how it was cut."""
    whole = body(CHUNKED, most=1 << 20)
    whole.feed(b"2\r\nab\r\n")
    tracemalloc.start()
    try:
        for _ in range(200):
            whole.feed(b"2\r\nab\r\n" * 100)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 4 * 40_000
