"""The end of an answer, from tables and against h11."""

import contextlib
import itertools

import h11
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vaultstorm_client.response import HEAD_MAX, Malformed, Response

H = b"HTTP/1.1 200 OK\r\n"
CHUNKED = H + b"Transfer-Encoding: chunked\r\n\r\n"

# Answer, status, and whether the connection may be used again.
COMPLETE: list[tuple[bytes, int, bool]] = [
    (H + b"Content-Length: 0\r\n\r\n", 200, True),
    (H + b"Content-Length: 1\r\n\r\nx", 200, True),
    (H + b"content-length:\t2 \r\n\r\nok", 200, True),
    (H + b"Content-Length: 2, 2\r\nContent-Length: 2\r\n\r\nok", 200, True),
    (H + b"Content-Length: 2\r\nConnection: close\r\n\r\nok", 200, False),
    (H + b"Content-Length: 2\r\nConnection: x,\tClose\r\n\r\nok", 200, False),
    (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, True),
    (b"HTTP/1.1 503 \xe9\r\nContent-Length: 0\r\n\r\n", 503, True),
    (b"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n", 200, True),  # RFC 9110, 2.5
    (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 200, False),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", 200, True),
    # RFC 9112, 9.3: close comes before keep-alive.
    (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive, close\r\n\r\n", 200, False),
    (b"HTTP/1.1 204 No Content\r\n\r\n", 204, True),
    (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, True),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: a\r\n\r\n" + H
     + b"Content-Length: 0\r\n\r\n", 200, True),
    (CHUNKED + b"0\r\n\r\n", 200, True),
    (CHUNKED + b"1\r\nx\r\n0\r\n\r\n", 200, True),
    (CHUNKED + b"00A ;a=b;c\r\n0123456789\r\n0;x\r\nT: 1\r\nU: 2\r\n\r\n", 200, True),
    (CHUNKED + b"2\r\n\r\n\r\n0\r\n\r\n", 200, True),
    # RFC 9112, 6.3: a transfer coding overrides a length, even a wrong one.
    (H + b"Content-Length: 99\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n0\r\n\r\n", 200, True),
    (H + b"Content-Length: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, True),
    # RFC 9112, 5.2: a user agent takes a folded line for one with spaces.
    (H + b"Content-Length:\r\n 2\r\nX: a\r\n\t b\r\n\r\nok", 200, True),
    (H + b"X: a" + b" " * 60000 + b"b\r\nContent-Length: 0\r\n\r\n", 200, True),
]  # fmt: skip
UNTIL_END = [
    H + b"\r\n",
    H + b"\r\nbody",
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nbody",
    H + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
]
MALFORMED = [
    b"x",
    b"HTTP/2 200\r\n\r\n",
    b"\r\n" + H + b"Content-Length: 0\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1 2000 OK\r\n\r\n",
    b"HTTP/1.1 099 OK\r\n\r\n",
    b"HTTP/1.1  200 OK\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\nbad field\r\n\r\n",
    b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    b"HTTP/1.1 200 OK\nContent-Length: 0\n\r\n",
    H + b"no colon\r\n\r\n",
    H + b"a b: c\r\n\r\n",
    H + b"a : c\r\n\r\n",
    H + b": c\r\n\r\n",
    H + b" folded: first\r\n\r\n",
    H + b"a: b\0c\r\n\r\n",
    H + b"a: b\rc\r\n\r\n",
    H + b"Content-Length: \r\n\r\n",
    H + b"Content-Length: +1\r\n\r\nx",
    H + b"Content-Length: 1 1\r\n\r\nx",
    H + b"Content-Length: 1,\r\n\r\nx",
    H + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    H + b"Content-Length: 0x1\r\n\r\nx",
    H + b"Content-Length: 9999999999999999999\r\n\r\n",
    # RFC 9112, 6.1: faulty framing.
    b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    CHUNKED + b"\r\n",
    CHUNKED + b"x\r\n",
    CHUNKED + b"-1\r\n",
    CHUNKED + b"0x1\r\nx\r\n",
    CHUNKED + b"1\nx\n0\n\n",
    CHUNKED + b"1\r\nxx\r\n",
    CHUNKED + b"1;\0\r\nx\r\n",
    CHUNKED + b"0\r\nno colon\r\n\r\n",
    CHUNKED + b"0\r\na: b\n\r\n",
    H + b"a: " + b"b" * HEAD_MAX + b"\r\n\r\n",
    CHUNKED + b"1;" + b"b" * HEAD_MAX + b"\r\n",
    CHUNKED + b"0\r\na: " + b"b" * HEAD_MAX + b"\r\n",
]


@pytest.mark.parametrize("answer, status, again", COMPLETE)
def test_complete(answer: bytes, status: int, again: bool) -> None:
    """An answer is complete with its last byte, however it is cut, and not before."""
    whole = Response()
    assert whole.feed(answer)
    assert (whole.status, whole.keep_alive) == (status, again)
    if len(answer) > 1000:
        return
    bytewise = Response()
    *fed, last = [bytewise.feed(answer[at : at + 1]) for at in range(len(answer))]
    assert last
    assert not any(fed)
    assert (bytewise.status, bytewise.keep_alive) == (status, again)
    for cut in range(len(answer)):
        halves = Response()
        assert not halves.feed(answer[:cut])
        assert not halves.eof()


@pytest.mark.parametrize("answer, status, again", COMPLETE)
def test_trailing(answer: bytes, status: int, again: bool) -> None:
    """A byte more is one too many, in the same piece or in the next."""
    with pytest.raises(Malformed, match="1 bytes after the end"):
        Response().feed(answer + b"x")
    response = Response()
    response.feed(answer)
    with pytest.raises(Malformed, match="1 bytes after the end"):
        response.feed(b"x")


@pytest.mark.parametrize("answer", UNTIL_END)
def test_until_the_end(answer: bytes) -> None:
    """Without a length the peer's FIN is the end, and the connection is gone."""
    response = Response()
    assert not any(response.feed(answer[at : at + 1]) for at in range(len(answer)))
    assert response.status == 200
    assert response.eof()
    assert not response.keep_alive


@pytest.mark.parametrize("answer", MALFORMED)
def test_malformed(answer: bytes) -> None:
    """What RFC 9112 does not allow is malformed, whole and in pieces."""
    with pytest.raises(Malformed):
        Response().feed(answer)
    size = 1 if len(answer) < 1000 else 9973
    with pytest.raises(Malformed):
        feed_in_pieces(answer, size)


def feed_in_pieces(answer: bytes, size: int) -> None:
    """Feed an answer a few bytes at a time."""
    response = Response()
    for at in range(0, len(answer), size):
        response.feed(answer[at : at + size])


@pytest.mark.parametrize(
    "fields", [b"", b"Content-Length: 9\r\n", b"Transfer-Encoding: chunked\r\n"]
)
def test_head(fields: bytes) -> None:
    """No body follows the answer to HEAD, whatever its fields say."""
    response = Response(head_request=True)
    assert response.feed(H + fields + b"\r\n")
    assert response.keep_alive


def test_a_head_that_was_read_before() -> None:
    """The same head means the same again, but for HEAD; another one does not take its place."""
    head = H + b"Content-Length: 2\r\n\r\n"
    for body in (b"ok", b"no"):
        assert Response().feed(head + body)
        assert Response(head_request=True).feed(head)
        assert not Response().feed(head)
        with pytest.raises(Malformed):
            Response(head_request=True).feed(head + body)
    for length in range(200):
        response = Response()
        answer = H + b"Content-Length: %d\r\n\r\n" % (length + 1) + b"x" * length
        assert not response.feed(answer)
        assert response.feed(b"x")


# Against h11.

_FIELDS = [
    b"Content-Length: 3", b"Content-Length: 0", b"Content-Length: 3, 3", b"content-length:4",
    b"Transfer-Encoding: chunked", b"Connection: close", b"Connection: keep-alive", b"X: \xff y",
    b"Broken", b"Bad Name: x", b"Content-Length: -1", b"X-Empty:", b"X: a\r\n folded",
]  # fmt: skip
_BODIES = [
    b"", b"abc", b"abcd", b"3\r\nabc\r\n0\r\n\r\n", b"3;x=y\r\nabc\r\n0\r\nT: 1\r\n\r\n",
    b"0\r\n\r\n", b"3\r\nabcd\r\n0\r\n\r\n", b"g\r\n",
]  # fmt: skip
answers = st.builds(
    lambda interim, version, status, reason, fields, body: (
        interim
        + b"HTTP/1.%d %d%b\r\n" % (version, status, reason)
        + b"".join(field + b"\r\n" for field in fields)
        + b"\r\n"
        + body
    ),
    st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 \r\nL: x\r\n\r\n"]),
    st.sampled_from([1, 1, 1, 0]),
    st.sampled_from([200, 200, 204, 304, 404, 503]),
    st.sampled_from([b" OK", b"", b" "]),
    st.lists(st.sampled_from(_FIELDS), max_size=3),
    st.sampled_from(_BODIES),
)


def by_h11(answer: bytes, method: str) -> tuple[str, int | None, bool | None]:
    """Give h11's verdict: what became of the answer, its status, and whether to go on."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    connection.send(h11.EndOfMessage())
    status: int | None = None
    with contextlib.suppress(h11.RemoteProtocolError):
        for data in (answer, b""):
            connection.receive_data(data)
            while (event := connection.next_event()) is not h11.NEED_DATA:
                if isinstance(event, h11.Response):
                    status = event.status_code
                if isinstance(event, h11.EndOfMessage):
                    again = bool(data) and connection.their_state is h11.DONE
                    trailing = connection.trailing_data[0]
                    return ("trailing", None, None) if trailing else ("complete", status, again)
                if event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                    break
        return "incomplete", None, None
    if not data:
        return "incomplete", None, None
    return "malformed", None, None


def by_ours(answer: bytes, method: str) -> tuple[str, int | None, bool | None]:
    """Give our verdict in the same words."""
    response = Response(method == "HEAD")
    try:
        complete = response.feed(answer) or response.eof()
    except Malformed as error:
        return ("trailing" if "after the end" in str(error) else "malformed"), None, None
    return ("complete", response.status, response.keep_alive) if complete else (
        "incomplete", None, None,
    )  # fmt: skip


def differs_by_rfc(answer: bytes, bodyless: bool) -> bool:
    """Tell whether RFC 9112 decides against h11; each case has its row in the tables above."""
    lower = answer.lower()
    chunked = b"transfer-encoding" in lower
    lengths = {line.strip() for line in lower.split(b"\r\n") if line.startswith(b"content-length")}
    return (
        # 6.1: HTTP/1.0 has no transfer codings.
        (chunked and b"HTTP/1.0" in answer)
        # 6.3: neither a bodyless status nor a transfer coding leaves a say to a wrong length.
        or (len(lengths) > 0 and (chunked or bodyless))
        # h11 takes no second Transfer-Encoding field; 9110, 5.3 lets lists be spread over fields.
        or lower.count(b"transfer-encoding") > 1
        # 9.3: close wins over keep-alive; HTTP/1.0 connections may be kept, h11 never keeps them.
        or (b"HTTP/1.0" in answer and b"keep-alive" in lower)
    )


@settings(max_examples=400, deadline=None, derandomize=True)
@example(H + b"\r\nabc", "GET")
@example(CHUNKED + b"3\r\nabc\r\n0\r\n\r\n", "HEAD")
@given(answers, st.sampled_from(["GET", "GET", "HEAD"]))
def test_against_h11(answer: bytes, method: str) -> None:
    """Our verdict is h11's, but where RFC 9112 decides otherwise."""
    bodyless = method == "HEAD" or b" 204" in answer or b" 304" in answer
    if not differs_by_rfc(answer, bodyless):
        assert by_ours(answer, method) == by_h11(answer, method)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(answers, st.lists(st.integers(0, 200), max_size=8))
def test_pieces_do_not_matter(answer: bytes, cuts: list[int]) -> None:
    """However an answer is cut into pieces, the verdict is the same."""
    edges = [0, *sorted(cut for cut in cuts if cut < len(answer)), len(answer)]
    response, verdict = Response(), ""
    try:
        for start, stop in itertools.pairwise(edges):
            response.feed(answer[start:stop])
        verdict = "complete" if response.complete or response.eof() else "incomplete"
    except Malformed as error:
        verdict = "trailing" if "after the end" in str(error) else "malformed"
    assert verdict == by_ours(answer, "GET")[0]
