"""What HTTP.SYS itself puts on the wire: error answers in the IIS 6 shape, and answer heads."""

import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

_PHRASES: Final[dict[int, bytes]] = {
    # RFC 2616 names where they differ from today's, since IIS 6 spoke it.
    **{status.value: status.phrase.encode() for status in HTTPStatus},
    413: b"Request Entity Too Large",
    414: b"Request-URI Too Long",
    505: b"HTTP Version Not Supported",
}

_OURS: Final = frozenset(
    (b"connection", b"content-length", b"date", b"keep-alive", b"server", b"transfer-encoding")
)
"""Fields that HTTP.SYS writes, whatever the worker says."""

_WEEKDAYS: Final = (b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun")
_MONTHS: Final = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def date(now: float) -> bytes:
    """Give an HTTP date (RFC 9110, 5.6.7) for `now`, in seconds since 1970."""
    t = time.gmtime(now)
    return b"%b, %02d %b %04d %02d:%02d:%02d GMT" % (
        _WEEKDAYS[t.tm_wday],
        t.tm_mday,
        _MONTHS[t.tm_mon - 1],
        t.tm_year,
        t.tm_hour,
        t.tm_min,
        t.tm_sec,
    )


def phrase(status: int) -> bytes:
    """Give the reason phrase of a status; empty for one that has no name."""
    return _PHRASES.get(status, b"")


def error(status: int, detail: str, now: float, *, head_only: bool = False) -> bytes:
    """Give a whole error answer as IIS 6 sends it: no Server field, and the connection ends.

    Args:
        status: such as 400.
        detail: what stands in parentheses behind the phrase, such as ``Invalid Verb``, or nothing.
        now: seconds since 1970.
        head_only: answer a HEAD: the fields of the body, without the body.
    """
    title = phrase(status)
    body = b"<h1>%b (%b)</h1>" % (title, detail.encode()) if detail else b"<h1>%b</h1>" % title
    return (
        b"HTTP/1.1 %d %b\r\nContent-Type: text/html\r\nDate: %b\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n\r\n%b"
    ) % (status, title, date(now), len(body), b"" if head_only else body)


class AnswerHeads:
    """Makes the heads of normal answers; what is the same for a whole second is kept."""

    __slots__ = ("_openings", "_second")

    def __init__(self) -> None:
        self._second = -1
        self._openings: dict[int, bytes] = {}

    def _opening(self, status: int, now: float) -> bytes:
        second = int(now)
        if second != self._second:
            self._openings.clear()
            self._second = second
        opening = self._openings.get(status)
        if opening is None:
            opening = self._openings[status] = (
                b"HTTP/1.1 %d %b\r\nServer: Microsoft-IIS/6.0\r\nDate: %b\r\n"
                % (status, phrase(status), date(now))
            )
        return opening

    def answer(
        self,
        status: int,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes,
        now: float,
        *,
        connection: bytes = b"",
        head_only: bool = False,
    ) -> bytes:
        """Frame a whole answer.

        The body is always whole, so its length is the framing (RFC 9112, 6.3); what the worker says
        about length and connection is not asked, except for the length that a HEAD tells of.

        Args:
            status: 200 to 999.
            headers: the worker's fields.
            body: what follows; ``head_only`` leaves it out.
            now: seconds since 1970.
            connection: what a Connection field is to say; empty for no such field.
            head_only: the request was a HEAD.

        Raises:
            ValueError: a field holds a line end or another control character that would break the
                framing, or the status is none of a final answer.
        """
        if not 200 <= status <= 999:
            raise ValueError(f"{status} is not the status of a final answer")
        parts = [self._opening(status, now)]
        length = len(body)
        fields = 3
        for name, value in headers:
            lower = name.lower()
            if lower in _OURS:
                if head_only and lower == b"content-length" and value.isdigit():
                    length = int(value)
                continue
            parts.append(b"%b: %b\r\n" % (name, value))
            fields += 1
        if connection:
            parts.append(b"Connection: %b\r\n" % connection)
            fields += 1
        bodiless = status in (204, 304)
        parts.append(b"\r\n" if bodiless else b"Content-Length: %d\r\n\r\n" % length)
        head = b"".join(parts)
        lines = fields + 1 if bodiless else fields + 2
        if not head.count(b"\n") == head.count(b"\r") == lines or b"\0" in head:
            raise ValueError("a header field of the answer holds a control character")
        return head if head_only or bodiless else head + body
