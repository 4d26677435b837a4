"""One request and its answer on a connection that stands. Knows no loop: it says what it needs."""

import ssl
from enum import Enum, auto
from typing import Final

from vaultstorm_client.attempt import Attempt
from vaultstorm_client.clock import monotonic
from vaultstorm_client.response import Malformed, Response
from vaultstorm_client.stream import Stream
from vaultstorm_wire.outcome import Phase


class EarlyEnd(Exception):
    """The peer's FIN came before the answer was complete."""


class Step(Enum):
    """How far an exchange is."""

    SENDING = auto()
    """There was no room for the rest of the request."""
    WAITING = auto()
    """All is sent, and the answer is not complete."""
    ANSWERED = auto()


# Looked up once: up to Python 3.11 EnumType.__getattr__ makes it 0.2 µs, fifteen times a request.
SENDING: Final = Step.SENDING
WAITING: Final = Step.WAITING
ANSWERED: Final = Step.ANSWERED
_SEND: Final = Phase.SEND
_WAIT: Final = Phase.WAIT
_RECEIVE: Final = Phase.RECEIVE


class Exchange:
    """Sends a request, and takes its answer, which may begin before the request is whole.

    Args:
        stream: the connection.
        attempt: gets the phases and the counts.
        request: all bytes of the request.
        response: takes the answer.
    """

    __slots__ = ("_attempt", "_response", "_sent", "_stream", "_unsent")

    def __init__(
        self, stream: Stream, attempt: Attempt, request: bytes, response: Response
    ) -> None:
        self._stream = stream
        self._attempt = attempt
        self._response = response
        self._unsent: bytes | memoryview = request
        self._sent = False

    @property
    def status(self) -> int:
        """The status of the answer, once it is complete."""
        assert self._response.status is not None
        return self._response.status

    @property
    def keep_alive(self) -> bool:
        """Whether the answer lets the connection carry another request, and the request does."""
        return self._response.keep_alive and self._sent

    def send(self) -> Step:
        """Send what there is room for.

        Raises:
            OSError: the connection ended, and not with an answer before it.
            Malformed: the answer that came before its end is none.
        """
        stream, attempt = self._stream, self._attempt
        try:
            while self._unsent and (taken := stream.send(self._unsent)):
                attempt.sent += taken
                whole = taken == len(self._unsent)
                self._unsent = b"" if whole else memoryview(self._unsent)[taken:]
            if self._unsent or not stream.flush():
                return SENDING
        except (BrokenPipeError, ConnectionResetError) as error:
            return self._answered_early(error)
        self._sent = True
        if attempt.phase is _SEND:
            attempt.enter(_WAIT, monotonic())
        return WAITING

    def receive(self) -> Step:
        """Take one piece and what TLS holds of it: an endless answer must not hold the loop.

        Raises:
            OSError: the connection ended.
            EarlyEnd: likewise, by a FIN.
            Malformed: what came is no answer.
        """
        stream = self._stream
        while (data := stream.receive()) is not None:
            if data:
                if self._take(data):
                    return ANSWERED
                if not stream.buffered:
                    break
            elif not stream.truncated and self._response.eof():  # RFC 9112, 9.8
                return ANSWERED
            else:
                raise EarlyEnd
        # TLS may have taken the last of the request and still hold it: `send` says when it left.
        return WAITING if self._sent else SENDING

    def stands(self) -> bool:
        """Tell, after the answer, whether the connection stands, or its end came right behind.

        Raises:
            Malformed: something came that was not asked for.
        """
        if not self._stream.buffered:
            return True
        data = self._stream.receive()  # a session ticket reads as nothing
        if data:
            raise Malformed(f"{len(data)} bytes after the end of the answer")
        return data is None

    def _answered_early(self, error: OSError) -> Step:
        """Look for an answer that came before the connection was ended under the request."""
        stream = self._stream
        try:
            while data := stream.receive():
                if self._take(data):
                    return ANSWERED
        except ssl.SSLError:
            raise  # an alert came before the end, and says more
        except OSError:
            pass  # the kernel says only once, as `error` did, what ended the connection
        if isinstance(error, BrokenPipeError) and not stream.truncated and self._response.eof():
            return ANSWERED  # a RST behind a FIN: the FIN counts
        raise error

    def _take(self, data: bytes) -> bool:
        attempt = self._attempt
        if attempt.phase is not _RECEIVE:
            attempt.enter(_RECEIVE, monotonic())
        attempt.received += len(data)
        return self._response.feed(data)
