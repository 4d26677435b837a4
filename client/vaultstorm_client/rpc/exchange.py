"""One bind, or one call, and its answer on a connection that stands: it says what it needs."""

from vaultstorm_client.attempt import Attempt
from vaultstorm_client.clock import monotonic
from vaultstorm_client.exchange import EarlyEnd, Step
from vaultstorm_client.response import Malformed
from vaultstorm_client.stream import Stream
from vaultstorm_wire.dcerpc.connection import Connection, RemoteProtocolError
from vaultstorm_wire.dcerpc.events import NEED_DATA, Event, Shutdown
from vaultstorm_wire.outcome import Phase


class RpcExchange:
    """Sends what it is given, and takes the answer.

    What a bind sends and receives is in no count: it is neither request nor answer.

    Args:
        stream: the connection.
        attempt: gets the phases and the counts.
        wire: the same connection's protocol.
        data: all bytes to send, as `wire` gave them.

    Attributes:
        answer: what came, once it is complete.
        reusable: whether the connection may carry another call.
    """

    __slots__ = ("_attempt", "_binding", "_stream", "_unsent", "_wire", "answer", "reusable")

    def __init__(self, stream: Stream, attempt: Attempt, wire: Connection, data: bytes) -> None:
        self._stream = stream
        self._attempt = attempt
        self._wire = wire
        self._unsent = memoryview(data)
        self._binding = attempt.phase is Phase.BIND
        self.answer: Event | None = None
        self.reusable = True

    def send(self) -> Step:
        """Send what there is room for.

        Raises:
            OSError: the connection ended, and not with an answer before it.
            Malformed: what came before its end is no answer.
        """
        stream, attempt = self._stream, self._attempt
        try:
            while self._unsent and (taken := stream.send(self._unsent)):
                self._unsent = self._unsent[taken:]
                if not self._binding:
                    attempt.sent += taken
        except (BrokenPipeError, ConnectionResetError) as error:
            return self._answered_early(error)
        if self._unsent:
            return Step.SENDING
        if attempt.phase is Phase.SEND:
            attempt.enter(Phase.WAIT, monotonic())
        return Step.WAITING

    def receive(self) -> Step:
        """Take one piece.

        Raises:
            OSError: the connection ended.
            EarlyEnd: likewise, by a FIN.
            Malformed: what came is no answer.
        """
        data = self._stream.receive()
        if data:
            return self._take(data)
        if data is not None:
            raise EarlyEnd
        return self._waiting()

    def _waiting(self) -> Step:
        return Step.SENDING if self._unsent else Step.WAITING

    def _answered_early(self, error: OSError) -> Step:
        """Look for an answer that came before the connection was ended under what we sent."""
        try:
            while data := self._stream.receive():
                if self._take(data) is Step.ANSWERED:
                    return Step.ANSWERED
        except OSError:
            pass  # the kernel says only once, as `error` did, what ended the connection
        raise error

    def _take(self, data: bytes) -> Step:
        attempt = self._attempt
        if not self._binding:
            if attempt.phase is not Phase.RECEIVE:
                attempt.enter(Phase.RECEIVE, monotonic())
            attempt.received += len(data)
        self._wire.receive_data(data)
        try:
            while (event := self._wire.next_event()) is not NEED_DATA:
                if isinstance(event, Shutdown):  # it waits for the calls that are out (C706 12.6.4)
                    self.reusable = False
                elif self.answer is not None:
                    raise Malformed("a second answer to one call")
                else:
                    self.answer = event
        except RemoteProtocolError as error:
            raise Malformed(str(error)) from error
        if self.answer is None:
            return self._waiting()
        self.reusable = self.reusable and not self._unsent
        return Step.ANSWERED
