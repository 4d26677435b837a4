"""Answers: the exact bytes that HTTP.SYS puts on the wire."""

import pytest

from vaultstorm_server.httpsys import answers
from vaultstorm_server.httpsys.answers import AnswerHeads

NOW = 784111777.0  # Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110, 5.6.7

VERB = (
    b"HTTP/1.1 400 Bad Request\r\n"
    b"Content-Type: text/html\r\n"
    b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    b"Connection: close\r\n"
    b"Content-Length: 35\r\n"
    b"\r\n"
    b"<h1>Bad Request (Invalid Verb)</h1>"
)
OPENING = b"HTTP/1.1 200 OK\r\nServer: Microsoft-IIS/6.0\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"


def test_the_date_has_the_form_of_the_rfc() -> None:
    """A date is written in the fixed form, in UTC."""
    assert answers.date(NOW) == b"Sun, 06 Nov 1994 08:49:37 GMT"


def test_an_error_answer_has_the_captured_shape() -> None:
    """Invalid Verb is byte for byte what IIS 6 sends: 35 bytes of body and no Server field."""
    assert answers.error(400, "Invalid Verb", NOW) == VERB


@pytest.mark.parametrize(
    "status, detail, line, body",
    [
        (400, "Invalid Hostname", b"400 Bad Request", b"<h1>Bad Request (Invalid Hostname)</h1>"),
        (400, "", b"400 Bad Request", b"<h1>Bad Request</h1>"),
        (411, "", b"411 Length Required", b"<h1>Length Required</h1>"),
        (413, "", b"413 Request Entity Too Large", b"<h1>Request Entity Too Large</h1>"),
        (414, "", b"414 Request-URI Too Long", b"<h1>Request-URI Too Long</h1>"),
        (501, "", b"501 Not Implemented", b"<h1>Not Implemented</h1>"),
        (503, "", b"503 Service Unavailable", b"<h1>Service Unavailable</h1>"),
        (505, "", b"505 HTTP Version Not Supported", b"<h1>HTTP Version Not Supported</h1>"),
    ],
)
def test_every_error_answer_says_its_phrase(
    status: int, detail: str, line: bytes, body: bytes
) -> None:
    """Status line, length and body of an error answer agree."""
    answer = answers.error(status, detail, NOW)

    assert answer.startswith(b"HTTP/1.1 " + line + b"\r\n")
    assert answer.endswith(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))


def test_an_error_answer_to_a_head_has_no_body() -> None:
    """The fields tell of the body, which is left out."""
    assert answers.error(400, "Invalid Verb", NOW, head_only=True) == VERB[:-35]


def test_an_answer_is_framed_by_its_length() -> None:
    """The worker's fields stand between ours, and the body follows."""
    answer = AnswerHeads().answer(200, [(b"Content-Type", b"text/plain")], b"hello", NOW)

    assert answer == OPENING + b"Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"


def test_the_worker_has_no_say_in_the_framing() -> None:
    """Connection, length, coding, date and server are HTTP.SYS's own."""
    theirs = [
        (b"Content-Length", b"99"),
        (b"TRANSFER-ENCODING", b"chunked"),
        (b"connection", b"close"),
        (b"Date", b"never"),
        (b"server", b"other"),
    ]

    answer = AnswerHeads().answer(200, theirs, b"hello", NOW, connection=b"Keep-Alive")

    assert answer == OPENING + b"Connection: Keep-Alive\r\nContent-Length: 5\r\n\r\nhello"


@pytest.mark.parametrize("headers, length", [([], b"5"), ([(b"content-length", b"77")], b"77")])
def test_the_answer_to_a_head_tells_the_length_only(
    headers: list[tuple[bytes, bytes]], length: bytes
) -> None:
    """A HEAD is told the length of the body, or the one that the worker names."""
    answer = AnswerHeads().answer(200, headers, b"hello", NOW, head_only=True)

    assert answer == OPENING + b"Content-Length: " + length + b"\r\n\r\n"


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_body_has_no_length(status: int) -> None:
    """204 and 304 end with their head (RFC 9112, 6.3)."""
    answer = AnswerHeads().answer(status, [], b"ignored", NOW)

    assert b"Content-Length" not in answer
    assert answer.endswith(b"GMT\r\n\r\n")


@pytest.mark.parametrize(
    "name, value",
    [
        (b"X", b"a\r\nSet-Cookie: b"),
        (b"X", b"a\nb"),
        (b"X", b"a\rb"),
        (b"X\r\n\r\nHTTP/1.1 200", b"a"),
        (b"X", b"a\0b"),
    ],
)
def test_a_line_end_in_a_field_is_refused(name: bytes, value: bytes) -> None:
    """No field of a worker can begin a line of its own."""
    with pytest.raises(ValueError, match="control character"):
        AnswerHeads().answer(200, [(name, value)], b"", NOW)


@pytest.mark.parametrize("status", [0, 100, 199, 1000])
def test_only_final_answers_are_answers(status: int) -> None:
    """An interim status, or none at all, is refused."""
    with pytest.raises(ValueError, match="status"):
        AnswerHeads().answer(status, [], b"", NOW)


def test_the_date_moves_with_the_second() -> None:
    """What is kept for a second is not kept for longer."""
    heads = AnswerHeads()
    heads.answer(200, [], b"", NOW)

    assert b"08:49:37" in heads.answer(200, [], b"", NOW + 0.9)
    assert b"08:49:38" in heads.answer(200, [], b"", NOW + 1)
