"""A request as the application pool sees it: answered, refused or abandoned, exactly once."""

from collections.abc import Iterable
from typing import Any, Protocol

Headers = list[tuple[bytes, bytes]]


class Owner(Protocol):
    """The connection that a request came in on.

    Attributes:
        bound: the worker that its requests go to, as the request queue has it; None for none yet.
    """

    bound: Any

    def respond(
        self, request: "Request", status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes
    ) -> None:
        """Send the worker's answer."""

    def turn_down(self, request: "Request", reason: str) -> None:
        """Send HTTP.SYS's own 503 and close."""

    def reset(self, request: "Request", reason: str) -> None:
        """Reset the connection in place of an answer."""

    def cut(self, request: "Request", reason: str) -> None:
        """End without an answer, in the shape that AbandonedRequest says."""


class Request:
    """One HTTP request whose body has arrived.

    Attributes:
        id: its X-Request-Id, or None.
        connection: the number of its connection: what a worker is bound to.
        peer: the client, as ``127.0.0.1:50000``.
        method: as sent.
        target: as sent, path and query.
        headers: the fields, names in lowercase.
        body: the whole body, decoded.
        received: when its head was complete.
        worker: the pid it was given to; set by the pool.
        dispatched: when it was given to a worker; set by the pool.
        gone: the client has left; nobody needs an answer.
    """

    __slots__ = (
        "_owner",
        "body",
        "connection",
        "dispatched",
        "gone",
        "headers",
        "id",
        "method",
        "peer",
        "received",
        "target",
        "worker",
    )

    def __init__(
        self,
        owner: Owner,
        *,
        id: str | None,
        connection: int,
        peer: str,
        method: str,
        target: str,
        headers: Headers,
        received: float,
    ) -> None:
        self._owner: Owner | None = owner
        self.id = id
        self.connection = connection
        self.peer = peer
        self.method = method
        self.target = target
        self.headers = headers
        self.body = b""
        self.received = received
        self.worker: int | None = None
        self.dispatched: float | None = None
        self.gone = False

    def __repr__(self) -> str:
        state = "gone" if self.gone else "pending" if self._owner else "ended"
        return f"<Request {self.method} {self.target} on {self.connection}, {state}>"

    @property
    def ended(self) -> bool:
        """Whether it was answered, refused, abandoned or left: what follows changes nothing."""
        return self._owner is None

    @property
    def bound(self) -> Any:
        """The worker that its connection is bound to; None for none, and after the request's end.

        It outlives the request: the connection keeps it for the next one. Once the request has
        ended, setting it does nothing.
        """
        owner = self._owner
        return None if owner is None else owner.bound

    @bound.setter
    def bound(self, worker: Any) -> None:
        owner = self._owner
        if owner is not None:
            owner.bound = worker

    def answer(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        """Send the worker's answer."""
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.respond(self, status, headers, body)

    def refuse(self, reason: str, reset: bool = False) -> None:
        """Send 503 Service Unavailable, close, and log `reason` (``QueueFull``).

        Args:
            reason: as HTTPERR has it.
            reset: send RST in place of the 503 (LoadBalancerCapabilities 1).
        """
        owner, self._owner = self._owner, None
        if owner is not None:
            (owner.reset if reset else owner.turn_down)(self, reason)

    def abandon(self, reason: str) -> None:
        """Give up without an answer and log `reason` (``Connection_Abandoned_By_AppPool``).

        What the client sees of it is for httpsys.AbandonedRequest to say: FIN, RST or nothing.
        """
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.cut(self, reason)

    def leave(self) -> None:
        """Note that the client has left: for the connection alone to call."""
        self._owner = None
        self.gone = True

    def end(self) -> None:
        """Note that the connection has ended it itself, with an error answer or by a timer."""
        self._owner = None
