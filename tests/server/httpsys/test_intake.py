"""Intake: bytes in, one request at a time out."""

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultstorm_server.httpsys.head import BAD_REQUEST, TOO_LARGE, Fault, Head
from vaultstorm_server.httpsys.intake import Intake, Refused
from vaultstorm_server.settings import HttpSys

GET = b"GET /%d HTTP/1.1\r\nHost: a\r\nX-A: B\r\n\r\n"
PUT = b"PUT /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"


def test_requests_come_out_one_after_the_other() -> None:
    """What follows a request waits until it is asked for."""
    intake = Intake(HttpSys())
    intake.feed(GET % 1 + GET % 2)

    for target in (b"/1", b"/2"):
        assert intake.begin()
        found = intake.read_head()
        assert isinstance(found, Head)
        assert found.target == target
        assert found.headers == [(b"host", b"a"), (b"x-a", b"B")]
    assert len(intake) == 0
    assert not intake.begin()


def test_a_request_may_come_byte_by_byte() -> None:
    """Nothing is given out before it is whole."""
    intake = Intake(HttpSys())
    head, body = PUT[:-5], PUT[-5:]
    for i in range(len(head)):
        intake.feed(head[i : i + 1])
        if i == 0:
            assert intake.begin()
        found = intake.read_head()
        assert (found is not None) is (i == len(head) - 1)
    for i in range(len(body)):
        intake.feed(body[i : i + 1])
        whole = intake.read_body()
        assert whole == (b"hello" if i == len(body) - 1 else None)


@pytest.mark.parametrize("empty", [b"\r\n", b"\r\n" * 3, b"\r\n" * 40000])
def test_empty_lines_before_a_request_are_passed_over(empty: bytes) -> None:
    """They are not the beginning of a request, nor is half of one."""
    intake = Intake(HttpSys())
    intake.feed(empty)
    assert not intake.begin()
    assert len(intake) == 0
    intake.feed(b"\r")
    assert not intake.begin()
    intake.feed(b"\n" + GET % 1)
    assert intake.begin()
    assert isinstance(intake.read_head(), Head)


def test_a_refused_head_shows_what_there_was_of_it() -> None:
    """The log needs the request line, of a bounded part."""
    intake = Intake(HttpSys(MaxRequestBytes=256))
    intake.feed(b"GET /x HTTP/1.1\r\n" + b"a: b\r\n" * 1000)

    found = intake.read_head()

    assert isinstance(found, Refused)
    assert found.fault == Fault(400, "Request Header Too Long", "RequestLength")
    assert len(found.raw) == 256


def by_h11(raw: bytes) -> list[tuple[bytes, bytes]] | None:
    """Give the fields of a head as h11 reads them; None if it refuses it."""
    framer = h11.Connection(h11.SERVER)
    framer.receive_data(raw)
    try:
        event = framer.next_event()
    except h11.RemoteProtocolError:
        return None
    assert isinstance(event, h11.Request)
    return list(event.headers)


PIECE = st.sampled_from(
    [
        b"Host: a",
        b"Host:",
        b"X-A: B",
        b"x:\tb c \t",
        b"X: a\r\n b",
        b"X: \r\n\t",
        b"X: \xe4\x85\xa0",
        b"Content-Length: 0",
        b"Content-Length: 0, 0",
        b"Transfer-Encoding: identity",
        b"Upgrade: a",
        b"Connection: Upgrade",
        b"Connection: close, TE",
        b"Expect: 100-continue",
        b"a b: c",
        b": c",
    ]
)
LINE = st.builds(
    lambda method, target, version: method + b" " + target + b" HTTP/" + version,
    st.sampled_from([b"GET", b"HEAD", b"OPTIONS", b"CONNECT", b"DELETE", b"G!"]),
    st.sampled_from([b"/", b"*", b"http://a/b", b"a:80", b"/%41?b=c#d", b"/\xe4", b"/a b"]),
    st.sampled_from([b"1.1", b"1.0", b"1.2", b"1.10", b"01.1", b"1.01", b"0.9", b"2.0", b"1.x"]),
)
ANY = st.binary(max_size=12).map(lambda value: b"Y:" + value)


@given(LINE, st.lists(st.one_of(PIECE, ANY), max_size=4), st.booleans())
def test_h11_refuses_no_head_that_is_taken_without_it(
    line: bytes, fields: list[bytes], with_host: bool
) -> None:
    """A head without a body is not shown to h11, so it has to be one that h11 reads likewise."""
    host = [b"Host: localhost:443"] if with_host else []
    raw = b"\r\n".join([line, *host, *fields]) + b"\r\n\r\n"
    intake = Intake(HttpSys())
    intake.feed(raw)
    found = intake.read_head()
    if isinstance(found, Head) and not len(intake):
        assert found.headers == by_h11(raw)


@pytest.mark.parametrize("version", [b"1.10", b"1.01", b"01.1", b"001.1"])
@pytest.mark.parametrize("fields", [b"", b"Content-Length: 1\r\n"])
def test_a_version_has_two_digits(version: bytes, fields: bytes) -> None:
    """Anything else is a bad request (RFC 9112, 2.3), with a body and without."""
    intake = Intake(HttpSys())
    intake.feed(b"GET / HTTP/%b\r\nHost: a\r\n%b\r\n" % (version, fields))
    found = intake.read_head()

    assert isinstance(found, Refused)
    assert found.fault == BAD_REQUEST


def test_a_body_that_is_too_large_is_refused() -> None:
    """The fault of a body comes out as one."""
    intake = Intake(HttpSys(MaxRequestEntityAllowed=3))
    intake.feed(b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd")
    assert isinstance(intake.read_head(), Head)

    assert intake.read_body() == TOO_LARGE


def test_clearing_forgets_everything() -> None:
    """After `clear` there is nothing."""
    intake = Intake(HttpSys())
    intake.feed(PUT)
    intake.clear()

    assert len(intake) == 0
    assert not intake.begin()
