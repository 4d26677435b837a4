"""The body of one request: counted, and framed by h11. Pure."""

import h11

from vaultstorm_server.httpsys.head import BAD_REQUEST, TOO_LARGE, Fault, Head


class Body:
    """Collects a body.

    Args:
        framer: has given the request's head, and frames what follows it.
        facts: of the head.
        most: the longest body that is allowed.
    """

    __slots__ = ("_chunked", "_due", "_framer", "_most", "_received", "complete")

    def __init__(self, framer: h11.Connection, facts: Head, most: int) -> None:
        self._framer = framer
        self._chunked = facts.chunked
        self._due = facts.length
        self._most = most
        self._received = bytearray()  # and not a list: chunks may be of one byte each
        self.complete = False

    def feed(self, data: bytes) -> bytes | Fault:
        """Take what belongs to the body and give back the rest, or say what is wrong."""
        rest = b""
        if not self._chunked:
            data, rest = data[: self._due], data[self._due :]
            self._due -= len(data)
        try:
            self._framer.receive_data(data)
            while True:
                event = self._framer.next_event()
                if isinstance(event, h11.Data):
                    self._received += event.data
                    if len(self._received) > self._most:
                        return TOO_LARGE
                elif isinstance(event, h11.EndOfMessage):
                    self.complete = True
                    return rest if not self._chunked else self._framer.trailing_data[0]
                else:
                    return rest
        except h11.RemoteProtocolError:
            return BAD_REQUEST

    def whole(self) -> bytes:
        """Give the whole body, once it is complete."""
        return bytes(self._received)
