"""Heads: each fed whole, byte by byte and with trailing bytes, and always judged the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultstorm_server.httpsys.head import Fault, Head, Line, end, inspect, request_id, request_line
from vaultstorm_server.settings import HttpSys

LIMITS = HttpSys()
SMALL = HttpSys(
    MaxFieldLength=64,
    MaxRequestBytes=256,
    UrlSegmentMaxLength=10,
    UrlSegmentMaxCount=3,
    MaxRequestEntityAllowed=100,
)
HOST = b"Host: localhost\r\n"


def judge(pieces: list[bytes], limits: HttpSys) -> Head | Fault | None:
    """Feed the pieces one after the other, as a connection does."""
    buffer, scanned = bytearray(), 0
    for piece in pieces:
        buffer += piece
        found = end(buffer, scanned, limits)
        if isinstance(found, Fault):
            return found
        if found:
            return inspect(bytes(buffer[:found]), limits)
        scanned = len(buffer)
    return None


def verdict(raw: bytes, limits: HttpSys = LIMITS) -> Head | Fault | None:
    """Judge `raw` in three ways that must agree."""
    whole = judge([raw], limits)
    assert judge([raw[i : i + 1] for i in range(len(raw))], limits) == whole
    if whole is not None:
        assert judge([raw + b"GET /next HTTP/1.1\r\n"], limits) == whole
    return whole


def get(target: bytes = b"/", fields: bytes = HOST, method: bytes = b"GET") -> bytes:
    """Write a request."""
    return method + b" " + target + b" HTTP/1.1\r\n" + fields + b"\r\n"


def test_a_good_head_gives_its_facts() -> None:
    """Everything the connection needs is read from the head."""
    fields = HOST + b"X-Request-Id: abc-1\r\nContent-Length: 12\r\nExpect: 100-Continue\r\n"

    assert verdict(get(b"/a/b?c=%zz", fields, b"PUT")) == Head(
        b"PUT",
        b"/a/b?c=%zz",
        1,
        True,
        12,
        False,
        True,
        "abc-1",
        [
            (b"host", b"localhost"),
            (b"x-request-id", b"abc-1"),
            (b"content-length", b"12"),
            (b"expect", b"100-Continue"),
        ],
    )


FAULTS = [
    (get(fields=b""), 400, "Invalid Hostname", "Hostname"),
    (get(fields=b"Host:\r\n"), 400, "Invalid Hostname", "Hostname"),
    (get(fields=b"Host:  \r\n"), 400, "Invalid Hostname", "Hostname"),
    (get(fields=HOST + HOST), 400, "Invalid Hostname", "Hostname"),
    (get(fields=b"Host: a b\r\n"), 400, "Invalid Hostname", "Hostname"),
    (get(fields=b"Host: a/b\r\n"), 400, "Invalid Hostname", "Hostname"),
    (get(fields=b"Host: a:65536\r\n"), 400, "Invalid Hostname", "Hostname"),
    (get(fields=b"Host: a@b\r\n"), 400, "Invalid Hostname", "Hostname"),
    (b"get / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "Invalid Verb", "Verb"),
    (b"GeT / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "Invalid Verb", "Verb"),
    (b"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "Invalid Verb", "Verb"),
    (b" / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "Invalid Verb", "Verb"),
    (b"\x16\x03\x01\r\n\r\n", 400, "Invalid Verb", "Verb"),
    (b"GET\r\n\r\n", 400, "", "BadRequest"),
    (b"GET /\r\n\r\n", 400, "", "BadRequest"),
    (b"GET / FTP/1.1\r\n\r\n", 400, "", "BadRequest"),
    (b"GET / HTTP/0.9\r\n\r\n", 400, "", "BadRequest"),
    (b"GET / HTTP/1.1 x\r\n\r\n", 400, "Invalid URL", "URL"),
    (get(b"x"), 400, "Invalid URL", "URL"),
    (get(b"*"), 400, "Invalid URL", "URL"),
    (get(b"ftp://a/"), 400, "Invalid URL", "URL"),
    (get(b"a:443", method=b"CONNECT"), 400, "Invalid URL", "URL"),
    (get(b"/a\x01"), 400, "Invalid URL", "URL"),
    (get(b"/\xff"), 400, "Invalid URL", "URL"),
    (get(b"/%"), 400, "Invalid URL", "URL"),
    (get(b"/%4"), 400, "Invalid URL", "URL"),
    (get(b"/%4g"), 400, "Invalid URL", "URL"),
    (get(b"/%00"), 400, "Invalid URL", "URL"),
    (get(b"/%1F"), 400, "Invalid URL", "URL"),
    (get(b"/%7f"), 400, "Invalid URL", "URL"),
    (get(b"/%u0000"), 400, "Invalid URL", "URL"),
    (get(b"/%u009f"), 400, "Invalid URL", "URL"),
    (get(b"/%u00"), 400, "Invalid URL", "URL"),
    (get(fields=HOST + b"A B: c\r\n"), 400, "Invalid Header Name", "Header"),
    (get(fields=HOST + b"A : c\r\n"), 400, "Invalid Header Name", "Header"),
    (get(fields=HOST + b"A(: c\r\n"), 400, "Invalid Header Name", "Header"),
    (get(fields=HOST + b": c\r\n"), 400, "Invalid Header Name", "Header"),
    (get(fields=HOST + b"A\r\n"), 400, "Invalid Header Name", "Header"),
    (get(fields=HOST + b"A: b\0c\r\n"), 400, "", "Header"),
    (get(fields=HOST + b"A: b\x0bc\r\n"), 400, "", "Header"),
    (b"GET / HTTP/1.1\nHost: a\n\n", 400, "", "Invalid_CR/LF"),
    (b"GET / HTTP/1.1\r\nHost: a\n\r\n", 400, "", "Invalid_CR/LF"),
    (b"GET / HTTP/1.1\r\nHost: a\rB: c\r\n\r\n", 400, "", "Invalid_CR/LF"),
    (b"\nGET / HTTP/1.1\r\n\r\n", 400, "", "Invalid_CR/LF"),
    (get(method=b"POST"), 411, "", "LengthRequired"),
    (get(method=b"PUT"), 411, "", "LengthRequired"),
    (get(fields=HOST + b"Content-Length: x\r\n"), 400, "", "Number"),
    (get(fields=HOST + b"Content-Length: -1\r\n"), 400, "", "Number"),
    (get(fields=HOST + b"Content-Length: +1\r\n"), 400, "", "Number"),
    (get(fields=HOST + b"Content-Length: 1_0\r\n"), 400, "", "Number"),
    (get(fields=HOST + b"Content-Length:\r\n"), 400, "", "Number"),
    (get(fields=HOST + b"Content-Length: 5, 5\r\n"), 400, "", "Number"),
    (get(fields=HOST + b"Content-Length: 5\r\n" * 2), 400, "", "Number"),
    (get(fields=HOST + b"Content-Length: " + b"9" * 20 + b"\r\n"), 400, "", "Number"),
    (get(fields=HOST + b"Content-Length: " + b"9" * 19 + b"\r\n"), 413, "", "EntityTooLarge"),
    (get(fields=HOST + b"Transfer-Encoding: gzip\r\n"), 501, "", "N/I"),
    (get(fields=HOST + b"Transfer-Encoding: gzip, chunked\r\n"), 501, "", "N/I"),
    (
        get(fields=HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
        400,
        "",
        "BadRequest",
    ),
    (b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "", "BadRequest"),
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "", "Version_N/S"),
    (b"PRI * HTTP/2.0\r\n\r\n", 400, "Invalid URL", "URL"),
    (b"GET / HTTP/10.1\r\nHost: a\r\n\r\n", 505, "", "Version_N/S"),
]


@pytest.mark.parametrize("raw, status, detail, reason", FAULTS)
def test_a_fault_is_named_as_iis_names_it(
    raw: bytes, status: int, detail: str, reason: str
) -> None:
    """Each kind of bad head has its status, its phrase and its HTTPERR reason."""
    assert verdict(raw) == Fault(status, detail, reason)


GOOD = [
    get(fields=b"hOST: a\r\n"),
    get(fields=b"Host: a:443\r\n"),
    get(fields=b"Host: a:65535\r\n"),
    get(fields=b"Host: a:\r\n"),
    get(fields=b"Host: [::1]:8443\r\n"),
    get(fields=b"Host: under_score\r\n"),
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.9\r\nHost: a\r\n\r\n",
    get(b"http://a"),
    get(b"HTTP://a/b"),
    get(b"https://a?b"),
    get(b"*", method=b"OPTIONS"),
    get(b"/%41%u0041%e2%82%ac"),
    get(b"/?%"),
    get(b"/a//b/../c"),
    get(method=b"DELETE"),
    get(method=b"PATCH"),
    get(method=b"M-SEARCH"),
    get(fields=HOST + b"A: b\r\n c\r\n\td\r\n"),
    get(fields=HOST + b"A: \xe9\r\n"),
    get(fields=HOST + b"A:\r\n"),
    get(fields=HOST + b"Content-Length: 0\r\n", method=b"POST"),
    get(fields=HOST + b"Transfer-Encoding: Chunked\r\n", method=b"POST"),
]


@pytest.mark.parametrize("raw", GOOD)
def test_what_is_legal_passes(raw: bytes) -> None:
    """Unusual heads are served."""
    assert isinstance(verdict(raw), Head)


@pytest.mark.parametrize(
    "first, fields, keep",
    [
        (b"HTTP/1.1", b"", True),
        (b"HTTP/1.1", b"Connection: close\r\n", False),
        (b"HTTP/1.1", b"Connection: te, Close\r\n", False),
        (b"HTTP/1.1", b"Connection: te\r\nConnection: close\r\n", False),
        (b"HTTP/1.0", b"", False),
        (b"HTTP/1.0", b"Connection: Keep-Alive\r\n", True),
        (b"HTTP/1.0", b"Connection: keep-alive, close\r\n", False),
    ],
)
def test_keep_alive_is_what_the_client_says(first: bytes, fields: bytes, keep: bool) -> None:
    """1.1 keeps a connection unless told otherwise, and 1.0 the other way round."""
    found = verdict(b"GET / " + first + b"\r\n" + HOST + fields + b"\r\n")

    assert isinstance(found, Head)
    assert found.keep_alive is keep


def padded(size: int, field: bytes = b"A: ") -> bytes:
    """Write a request of exactly `size` bytes in fields of 64 bytes at most."""
    raw = b"GET / HTTP/1.1\r\n" + HOST
    while (left := size - len(raw) - 2) > 0:
        room = min(left, 66) if left - min(left, 66) not in range(1, 6) else left - 6
        raw += field + b"x" * (room - len(field) - 2) + b"\r\n"
    assert len(raw) + 2 == size
    return raw + b"\r\n"


@pytest.mark.parametrize("size", [255, 256])
def test_a_head_of_max_request_bytes_passes(size: int) -> None:
    """N - 1 and N bytes are served."""
    assert isinstance(verdict(padded(size), SMALL), Head)


def test_a_head_above_max_request_bytes_is_refused() -> None:
    """N + 1 bytes are not."""
    fault = Fault(400, "Request Header Too Long", "RequestLength")

    assert verdict(padded(257), SMALL) == fault
    assert verdict(padded(5000), SMALL) == fault


@pytest.mark.parametrize("length, fits", [(63, True), (64, True), (65, False)])
def test_a_field_has_max_field_length(length: int, fits: bool) -> None:
    """A field of N bytes, name and value, is served; one of N + 1 is not."""
    found = verdict(get(fields=HOST + b"A: " + b"x" * (length - 3) + b"\r\n"), SMALL)

    assert isinstance(found, Head) is fits
    if not fits:
        assert found == Fault(400, "Header Field Too Long", "FieldLength")


def test_an_endless_field_is_named_before_the_whole_is_too_long() -> None:
    """Of two limits, the one that is crossed first is named."""
    raw = b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b"x" * 300

    assert verdict(raw, SMALL) == Fault(400, "Header Field Too Long", "FieldLength")


@pytest.mark.parametrize("length, fits", [(63, True), (64, True), (65, False)])
def test_a_url_has_max_field_length_too(length: int, fits: bool) -> None:
    """A longer URL is 414, whether its line is whole or not."""
    target = b"/?" + b"x" * (length - 2)
    found = verdict(get(target), SMALL)

    assert isinstance(found, Head) is fits
    if not fits:
        assert found == Fault(414, "", "URL_Length")
    assert verdict(b"GET /" + b"?" * 300, SMALL) == Fault(414, "", "URL_Length")


@pytest.mark.parametrize(
    "target, fits",
    [
        (b"/" + b"a" * 9, True),
        (b"/" + b"a" * 10, True),
        (b"/" + b"a" * 11, False),
        (b"/" + b"%41" * 10, True),
        (b"/" + b"%41" * 11, False),
        (b"/a/" + b"b" * 11, False),
        (b"/?" + b"a" * 11, True),
        (b"/a/b", True),
        (b"/a/b/c", True),
        (b"/a/b/c/d", False),
        (b"http://host-longer-than-that/a/b/c", True),
    ],
)
def test_a_url_has_so_many_segments_of_such_a_length(target: bytes, fits: bool) -> None:
    """Segments are counted, and measured in characters, in the path alone."""
    found = verdict(get(target), SMALL)

    assert isinstance(found, Head) is fits
    if not fits:
        assert found == Fault(400, "Invalid URL", "URL")


def test_zero_takes_the_segment_limits_away() -> None:
    """KB820129: 0 is no limit."""
    limits = HttpSys(UrlSegmentMaxLength=0, UrlSegmentMaxCount=0)

    assert isinstance(verdict(get(b"/" + b"a" * 300 + b"/" * 300), limits), Head)


@pytest.mark.parametrize("length, fits", [(99, True), (100, True), (101, False)])
def test_a_body_has_max_request_entity_allowed(length: int, fits: bool) -> None:
    """A body that is announced as too large is refused at once."""
    found = verdict(get(fields=HOST + b"Content-Length: %d\r\n" % length, method=b"POST"), SMALL)

    assert isinstance(found, Head) is fits
    if not fits:
        assert found == Fault(413, "", "EntityTooLarge")


@pytest.mark.parametrize(
    "raw, line",
    [
        (b"GET /x HTTP/1.1\r\n\r\n", Line(b"HTTP/1.1", b"GET", b"/x")),
        (b"GET /x HTTP/1.1\nHost", Line(b"HTTP/1.1", b"GET", b"/x")),
        (b"GET /x\r\n", Line(b"", b"", b"")),
        (b"", Line(b"", b"", b"")),
    ],
)
def test_the_request_line_is_told_apart_for_the_log(raw: bytes, line: Line) -> None:
    """What can be told apart is logged, and nothing else."""
    assert request_line(raw) == line


@pytest.mark.parametrize(
    "raw, found",
    [
        (b"get / HTTP/1.1\r\nx-request-ID:  a1 \r\n\r\n", "a1"),
        (b"get / HTTP/1.1\r\nX-Request-Id: " + b"a" * 200, "a" * 128),
        (b"get /X-Request-Id: HTTP/1.1\r\n\r\n", None),
    ],
)
def test_a_refused_request_still_has_its_id(raw: bytes, found: str | None) -> None:
    """A request that is refused can be found again in the journal."""
    assert request_id(raw) == found


@given(
    st.lists(
        st.sampled_from(
            [b"GET", b" ", b"/", b"HTTP/1.1", b"\r\n", b"\r", b"\n", b"Host: a", b":", b"x" * 40]
        ),
        max_size=16,
    )
)
def test_no_cut_changes_the_verdict(parts: list[bytes]) -> None:
    """Whatever arrives, in whatever pieces, is judged the same and never raises."""
    verdict(b"".join(parts), SMALL)
