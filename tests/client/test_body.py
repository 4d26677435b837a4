"""The body of an answer is kept as far as was asked for, however it is framed and cut up."""

import h11
import pytest

from vaultstorm_client.body import BodyResponse

H = b"HTTP/1.1 200 OK\r\n"
BODY = b"0123456789\r\nabc"
FRAMED = {
    "length": H + b"Content-Length: 15\r\n\r\n" + BODY,
    "chunks": H
    + b"Transfer-Encoding: chunked\r\n\r\n1\r\n0\r\n00C;x=y\r\n"
    + BODY[1:13]
    + b"\r\n2\r\nbc\r\n0\r\nT: 1\r\n\r\n",
    "end": H + b"\r\n" + BODY,
    "interim": b"HTTP/1.1 100 Continue\r\n\r\n" + H + b"Content-Length: 15\r\n\r\n" + BODY,
}


@pytest.mark.parametrize("keep", [0, 1, 14, 15, 16, 1000])
@pytest.mark.parametrize("framing", FRAMED)
@pytest.mark.parametrize("piece", [1, 2, 7, 1000])
def test_bodies(framing: str, piece: int, keep: int) -> None:
    """Whole or byte by byte, the first bytes are kept, no more than asked for."""
    answer, response = FRAMED[framing], BodyResponse(keep)
    for at in range(0, len(answer), piece):
        response.feed(answer[at : at + piece])
    assert response.complete or response.eof()
    assert response.body == BODY[:keep]


@pytest.mark.parametrize("framing", FRAMED)
def test_against_h11(framing: str) -> None:
    """What is kept is what h11 finds to be the body."""
    peer = h11.Connection(h11.CLIENT)
    peer.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    peer.send(h11.EndOfMessage())
    peer.receive_data(FRAMED[framing])
    peer.receive_data(b"")
    found = b""
    while not isinstance(event := peer.next_event(), h11.EndOfMessage):
        found += bytes(event.data) if isinstance(event, h11.Data) else b""
    assert found == BODY


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_no_body(status: bytes) -> None:
    """An answer without a body leaves nothing."""
    response = BodyResponse(10)
    assert response.feed(b"HTTP/1.1 " + status + b"\r\n\r\n")
    assert response.body == b""
