"""Intake: bytes in, one request at a time out."""

import pytest

from vaultstorm_server.httpsys.head import BAD_REQUEST, TOO_LARGE, Fault
from vaultstorm_server.httpsys.intake import Incoming, Intake, Refused
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
        assert isinstance(found, Incoming)
        assert found.facts.target == target
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
    assert isinstance(intake.read_head(), Incoming)


def test_a_refused_head_shows_what_there_was_of_it() -> None:
    """The log needs the request line, of a bounded part."""
    intake = Intake(HttpSys(MaxRequestBytes=256))
    intake.feed(b"GET /x HTTP/1.1\r\n" + b"a: b\r\n" * 1000)

    found = intake.read_head()

    assert isinstance(found, Refused)
    assert found.fault == Fault(400, "Request Header Too Long", "RequestLength")
    assert len(found.raw) == 256


def test_what_h11_alone_refuses_is_a_bad_request() -> None:
    """h11 has the last word on what head.py lets pass."""
    intake = Intake(HttpSys())
    intake.feed(b"GET / HTTP/1.10\r\nHost: a\r\n\r\n")
    found = intake.read_head()

    assert isinstance(found, Refused)
    assert found.fault == BAD_REQUEST


def test_a_body_that_is_too_large_is_refused() -> None:
    """The fault of a body comes out as one."""
    intake = Intake(HttpSys(MaxRequestEntityAllowed=3))
    intake.feed(b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd")
    assert isinstance(intake.read_head(), Incoming)

    assert intake.read_body() == TOO_LARGE


def test_clearing_forgets_everything() -> None:
    """After `clear` there is nothing."""
    intake = Intake(HttpSys())
    intake.feed(PUT)
    intake.clear()

    assert len(intake) == 0
    assert not intake.begin()
