"""The burst's event loop: epoll, deadlines, and a watch on its own lateness.

It is our own because asyncio hides what this client exists to tell: the errno of a connect, a RST
from a FIN, the moment of a phase. A handler has one deadline at a time, kept in a heap that is only
touched when a deadline comes nearer than the one it holds, so that requests on a kept connection
cost no timer.
"""

import heapq
import select
from collections import deque
from typing import Final, Protocol

from vaultstorm_client.clock import monotonic
from vaultstorm_client.lag import LagWatch

READ: Final = select.EPOLLIN
BOTH: Final = select.EPOLLIN | select.EPOLLOUT
NEVER: Final = float("inf")
_EVENTS_MAX: Final = 256
"""Events taken at once: no more, or a burst of answers would hold up the next arrival."""
_POLL_GRAIN: Final = 0.001
"""epoll_wait() counts in milliseconds: what is due sooner is waited for by polling."""


class Handler(Protocol):
    """What the loop watches."""

    deadline: float
    """When `expired` is to be called; NEVER for not at all. Set it through `Loop.set_deadline`."""
    armed: float
    """The loop's own: the earliest entry this handler has in the heap."""

    def ready(self) -> None:
        """Its descriptor can be read or written, or has failed."""

    def expired(self, now: float) -> None:
        """Its deadline has passed."""


class Loop:
    """Runs handlers until none is left."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {}
        self._deadlines: list[tuple[float, int, Handler]] = []
        self._entries = 0
        self._soon: deque[Handler] = deque()
        self._unseen = 0
        self._woke = monotonic()
        self._worked = False
        self.lag = LagWatch()

    def close(self) -> None:
        """Close the epoll descriptor."""
        self._epoll.close()

    def __len__(self) -> int:
        """How many descriptors are watched."""
        return len(self._handlers)

    @property
    def idle(self) -> bool:
        """Whether nothing is watched and nobody is about to run."""
        return not (self._handlers or self._soon)

    def watch(self, fd: int, events: int, handler: Handler) -> None:
        """Call `handler.ready` whenever one of `events` holds (level-triggered)."""
        self._handlers[fd] = handler
        self._epoll.register(fd, events)

    def modify(self, fd: int, events: int) -> None:
        """Watch for other events."""
        self._epoll.modify(fd, events)

    def hand_over(self, fd: int, handler: Handler) -> None:
        """Let another handler watch from now on, for the same events."""
        self._handlers[fd] = handler

    def forget(self, fd: int) -> None:
        """Watch no more. Call it before the descriptor is closed."""
        if self._handlers.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def set_deadline(self, handler: Handler, deadline: float) -> None:
        """Set when `handler.expired` is due, in place of what was set before."""
        handler.deadline = deadline
        if deadline < handler.armed:
            self._arm(handler, deadline)

    def soon(self, handler: Handler) -> None:
        """Let `handler` expire in the next turn, after everybody else's events."""
        handler.deadline = NEVER
        self._soon.append(handler)

    def run_once(self, until: float = NEVER) -> None:
        """Wait for events or the next deadline, but not past `until`, and handle what is due."""
        self._note_turn()
        events = self._epoll.poll(self._wait(until), _EVENTS_MAX)
        self._woke = monotonic()
        handlers = self._handlers
        self._unseen = self._unseen or len(handlers)
        for fd, _ in events:
            handler = handlers.get(fd)
            if handler is not None:
                handler.ready()
        resumed = len(self._soon)
        for _ in range(resumed):
            self._soon.popleft().expired(monotonic())
        # Deadlines come after the events: an answer that waited in the kernel while this process
        # was busy counts as an answer. A full batch may hold more of those: look again first, but
        # no longer than it takes to have looked at every descriptor (epoll takes them in turn).
        self._unseen -= len(events)
        if len(events) < _EVENTS_MAX or self._unseen <= 0:
            self._unseen = 0
            self._expire(monotonic())
        self._worked = bool(events or resumed)

    def wake(self) -> None:
        """Say that the sockets are not looked at from now on: for what runs outside of a turn."""
        self._woke = monotonic()

    def _note_turn(self) -> None:
        """Note the time since the last look, with what the loop's owner did in it.

        Polling for what is due within a millisecond is no work.
        """
        now = monotonic()
        if self._worked or now - self._woke > _POLL_GRAIN:
            self.lag.turn(self._woke, now)

    def _wait(self, until: float) -> float:
        if self._soon:
            return 0.0
        until = min(until, self._deadlines[0][0]) if self._deadlines else until
        if until == NEVER:
            return -1.0
        left = until - monotonic()
        return left - _POLL_GRAIN if left > _POLL_GRAIN else 0.0

    def _arm(self, handler: Handler, deadline: float) -> None:
        handler.armed = deadline
        self._entries += 1
        heapq.heappush(self._deadlines, (deadline, self._entries, handler))

    def _expire(self, now: float) -> None:
        while self._deadlines and self._deadlines[0][0] <= now:
            due, _, handler = heapq.heappop(self._deadlines)
            if due != handler.armed:
                continue
            handler.armed = NEVER
            if handler.deadline > now:
                if handler.deadline != NEVER:
                    self._arm(handler, handler.deadline)
                continue
            handler.deadline = NEVER
            handler.expired(now)
