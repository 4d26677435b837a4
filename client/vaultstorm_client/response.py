"""One HTTP/1.1 answer, from bytes to its end (RFC 9112). Sans-I/O.

It is our own because it runs inside the burst's loop: it only finds the end of the answer and says
whether the connection can be used again, which takes a twentieth of what a full parser takes.
`tests/client/test_response.py` holds it against h11.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

HEAD_MAX: Final = 65536
_HEADS_KEPT: Final = 64
"""A server's answers have the same head, to the byte, until its Date changes: read once."""
_HEAD_END: Final = b"\r\n\r\n"
_STATUS_LINE = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9]{2})(?: [^\r\n\x00]*)?")
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\r\n\x00]*)")
_FOLD = re.compile(rb"\r\n[ \t]+")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n\x00]*)?")
_CONTENT_LENGTH = re.compile(rb"[0-9]{1,18}")


class Malformed(Exception):
    """The peer sent what RFC 9112 does not allow."""


class _Head(NamedTuple):
    """What the head of an answer says about its end and its connection."""

    status: int
    keep_alive: bool = False
    complete: bool = False
    """Nothing follows."""
    chunked: bool = False
    length: int | None = None
    """Of the body; None if that is chunked, or lasts until the connection ends."""


class Response:
    """Takes the bytes of one answer in any pieces.

    Args:
        head_request: the request was HEAD, so that no body follows whatever the fields say.

    Attributes:
        status: None until the head of the final answer (not 1xx) is in.
        complete: nothing more belongs to this answer.
        keep_alive: the connection may carry another request; known once complete.
    """

    __slots__ = (
        "_body_left",
        "_buffer",
        "_chunked",
        "_head_request",
        "_step",
        "complete",
        "keep_alive",
        "status",
    )

    def __init__(self, head_request: bool = False) -> None:
        self._head_request = head_request
        self._buffer = b""
        self._step = self._head
        self._body_left: int | None = 0
        self._chunked = False
        self.status: int | None = None
        self.complete = False
        self.keep_alive = False

    def feed(self, data: bytes) -> bool:
        """Take some bytes; True once the answer is complete.

        Raises:
            Malformed: they are no answer, or more than the answer came.
        """
        self._buffer = self._buffer + data if self._buffer else data
        while not self.complete and self._step():
            pass
        if self.complete and self._buffer:
            raise Malformed(f"{len(self._buffer)} bytes after the end of the answer")
        return self.complete

    def eof(self) -> bool:
        """Take the peer's FIN; True if that completes the answer, as it does without a length."""
        if self.status is not None and self._body_left is None and not self._chunked:
            self.complete, self.keep_alive = True, False
        return self.complete

    def _head(self) -> bool:
        end = self._buffer.find(_HEAD_END)
        if max(end, len(self._buffer) if end < 0 else 0) > HEAD_MAX:
            raise Malformed(f"a head of more than {HEAD_MAX} bytes")
        if end < 0:
            if b"\n\n" in self._buffer or b"\n\r\n" in self._buffer:
                raise Malformed("a head without CRLF line ends")
            if not b"HTTP/1."[: len(self._buffer)] == self._buffer[:7]:
                raise Malformed(f"not an HTTP/1 answer: {self._buffer[:32]!r}")
            return False
        head = _read_head(self._buffer[:end], self._head_request)
        self._buffer = self._buffer[end + 4 :]
        if head.status < 200:
            return True
        self.status, self.keep_alive, self.complete = head.status, head.keep_alive, head.complete
        if not head.complete:
            self._body_left, self._chunked = head.length, head.chunked
            if head.chunked:
                self._step = self._chunk
            else:
                self._step = self._until_eof if head.length is None else self._counted
        return True

    def _counted(self) -> bool:
        assert self._body_left is not None
        taken = min(self._body_left, len(self._buffer))
        self._body_left -= taken
        self._buffer = self._buffer[taken:]
        self.complete = not self._body_left
        return False

    def _until_eof(self) -> bool:
        self._buffer = b""
        return False

    def _chunk(self) -> bool:
        line, found, rest = self._buffer.partition(b"\r\n")
        if len(line) > HEAD_MAX or b"\n" in line:
            raise Malformed("a chunk size line without an end")
        if not found:
            return False
        match = _CHUNK_SIZE.fullmatch(line)
        if match is None:
            raise Malformed(f"not a chunk size: {line[:32]!r}")
        self._buffer, size = rest, int(match[1], 16)
        self._body_left = size + 2 if size else None
        self._step = self._chunk_data if size else self._trailers
        return True

    def _chunk_data(self) -> bool:
        """Pass over the data of a chunk and the CRLF behind it."""
        assert self._body_left is not None
        crlf = self._body_left
        if len(self._buffer) < crlf:
            passed = min(len(self._buffer), crlf - 2)
            self._buffer, self._body_left = self._buffer[passed:], crlf - passed
            return False
        if self._buffer[crlf - 2 : crlf] != b"\r\n":
            raise Malformed("a chunk that is longer than its size")
        self._buffer, self._body_left, self._step = self._buffer[crlf:], None, self._chunk
        return True

    def _trailers(self) -> bool:
        line, found, rest = self._buffer.partition(b"\r\n")
        if len(line) > HEAD_MAX or b"\n" in line:
            raise Malformed("a trailer field without an end")
        if not found:
            return False
        self._buffer = rest
        if line and _FIELD.fullmatch(line) is None:
            raise Malformed(f"not a trailer field: {line[:64]!r}")
        self.complete = not line
        return not self.complete


@lru_cache(_HEADS_KEPT)
def _read_head(head: bytes, head_request: bool) -> _Head:
    status_line, _, lines = head.partition(b"\r\n")
    match = _STATUS_LINE.fullmatch(status_line)
    if match is None:
        raise Malformed(f"not a status line: {status_line[:64]!r}")
    status = int(match[2])
    if status == 101:
        raise Malformed("101 Switching Protocols, which was not asked for")
    fields = _fields(lines)
    if status < 200:
        return _Head(status)
    return _frame(status, fields, match[1] == b"0", head_request)


def _frame(
    status: int, fields: list[tuple[bytes, bytes]], http10: bool, head_request: bool
) -> _Head:
    """Decide where the body ends (RFC 9112, 6.3) and whether the connection stays (9.3)."""
    lengths: set[bytes] = set()
    coding = connection = b""
    for name, value in fields:
        if name == b"content-length":
            lengths.update(part.strip(b" \t") for part in value.split(b","))
        elif name == b"transfer-encoding":
            coding += b"," + value.lower()
        elif name == b"connection":
            connection += b"," + value.lower()
    tokens = {token.strip() for token in connection.split(b",")}
    keep_alive = b"close" not in tokens and (not http10 or b"keep-alive" in tokens)
    if coding and http10:  # RFC 9112, 6.1: faulty, even if there is a Content-Length
        raise Malformed("Transfer-Encoding in an HTTP/1.0 answer")
    if head_request or status in (204, 304):
        return _Head(status, keep_alive, complete=True)
    if coding:
        chunked = coding.rpartition(b",")[2].strip() == b"chunked"
        return _Head(status, keep_alive, chunked=chunked)
    return _Head(status, keep_alive, length=_content_length(lengths) if lengths else None)


def _fields(lines: bytes) -> list[tuple[bytes, bytes]]:
    """Read header fields: their names in lower case, and their values."""
    fields = []
    if b"\r\n " in lines or b"\r\n\t" in lines:
        lines = _FOLD.sub(b" ", lines)  # RFC 9112, 5.2: a user agent must unfold them
    for line in lines.split(b"\r\n") if lines else ():
        match = _FIELD.fullmatch(line)
        if match is None:
            raise Malformed(f"not a header field: {line[:64]!r}")
        fields.append((match[1].lower(), match[2].strip(b" \t")))
    return fields


def _content_length(lengths: set[bytes]) -> int:
    (value,) = lengths if len(lengths) == 1 else (b"",)
    if _CONTENT_LENGTH.fullmatch(value) is None:
        raise Malformed(f"Content-Length: {b', '.join(sorted(lengths))[:64]!r}")
    return int(value)
