"""Whose fault it is: ours, or the peer's and what to tell it before closing."""


class ProtocolError(Exception):
    """The protocol does not allow it. Never raised itself: it is the local or the remote one."""


class LocalProtocolError(ProtocolError):
    """We were about to send what the protocol does not allow; nothing has changed by it."""


class RemoteProtocolError(ProtocolError):
    """The peer sent what the protocol does not allow; the connection is of no more use.

    Attributes:
        status: the fault's status where one is fitting.
        answer: what to send before closing; None where nothing may be sent.
    """

    def __init__(
        self, message: str, *, status: int | None = None, answer: bytes | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.answer = answer
