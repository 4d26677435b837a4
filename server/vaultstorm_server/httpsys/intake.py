"""From the bytes of a connection to one request at a time. Pure."""

import re
from typing import Final, NamedTuple

import h11

from vaultstorm_server.httpsys import head
from vaultstorm_server.httpsys.body import Body
from vaultstorm_server.httpsys.head import BAD_REQUEST, Fault, Head
from vaultstorm_server.settings import HttpSys

_EMPTY_LINES: Final = re.compile(rb"(?:\r\n)*")


class Refused(NamedTuple):
    """The head of one that is not."""

    fault: Fault
    raw: bytes
    """As much of it as has arrived and may be looked at."""


class Intake:
    """Keeps what has arrived, and gives it out piece by piece when it is asked.

    A head without a body ends where head.py says, which lets nothing pass that h11 refuses. One
    with a body is h11's as well: one h11 connection lives from the head to the end of the body,
    frames it, and what it refuses all the same is a bad request.
    """

    __slots__ = ("_body", "_input", "_limits", "_scanned")

    def __init__(self, limits: HttpSys) -> None:
        self._limits = limits
        self._input: bytes | bytearray = b""
        self._scanned = 0
        self._body: Body | None = None

    def __len__(self) -> int:
        """Bytes that wait to be looked at."""
        return len(self._input)

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        if self._input:
            self._input += data
        else:
            self._input = data

    def clear(self) -> None:
        """Forget everything: nothing more will be asked."""
        self._input = b""
        self._body = None

    def begin(self) -> bool:
        """Tell whether a request has begun."""
        if self._input.startswith(b"\r"):
            # RFC 9112, 2.2: empty lines before a request line are to be passed over.
            empty = _EMPTY_LINES.match(self._input)
            self._input = self._input[empty.end() if empty else 0 :]
        self._scanned = 0
        return self._input not in (b"", b"\r")

    def read_head(self) -> Head | Refused | None:
        """Give the head of the next request once it is whole, or is known to be no good."""
        limits = self._limits
        end = head.end(self._input, self._scanned, limits)
        if end == 0:
            self._scanned = len(self._input)
            if not isinstance(self._input, bytearray):
                self._input = bytearray(self._input)  # grows in place from here on
            return None
        if isinstance(end, Fault):
            return Refused(end, bytes(self._input[: limits.MaxRequestBytes]))
        raw = bytes(self._input[:end])
        self._input = bytes(self._input[end:])
        facts = head.inspect(raw, limits)
        if isinstance(facts, Fault):
            return Refused(facts, raw)
        if facts.length or facts.chunked:
            framer = h11.Connection(h11.SERVER)
            framer.receive_data(raw)
            try:
                framer.next_event()
            except h11.RemoteProtocolError:
                return Refused(BAD_REQUEST, raw)
            self._body = Body(framer, facts, limits.MaxRequestEntityAllowed)
        return facts

    def read_body(self) -> bytes | Fault | None:
        """Give the body once it is whole, or say what is wrong with it."""
        body = self._body
        assert body is not None
        rest = body.feed(bytes(self._input))
        if isinstance(rest, Fault):
            return rest
        self._input = rest
        if not body.complete:
            return None
        self._body = None
        return body.whole()
