"""The request queue of one application pool: which worker takes which request, and when."""

from collections import deque
from collections.abc import Hashable
from typing import Generic, NamedTuple, Protocol, TypeVar

import msgspec


class Waiting(Protocol):
    """What the queue asks of a request."""

    @property
    def gone(self) -> bool:
        """Whether its client has left."""
        ...


R = TypeVar("R", bound=Waiting)
W = TypeVar("W", bound=Hashable)


class QueueFullError(Exception):
    """AppPoolQueueLength requests are waiting already."""


class Assignment(NamedTuple, Generic[W, R]):
    """A request that a worker has taken; `ticket` names it until it is finished."""

    worker: W
    ticket: int
    request: R


class QueueStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """The queue, counted.

    Attributes:
        waiting: requests no worker has room for, those of clients that left among them.
        held: requests that workers have taken and not finished.
        finished: of those `assigned`; the rest is held, or `lost` with its worker.
        skipped: requests whose client had left when their turn came.
        refused: requests that found the queue full.
        highest: the most that ever waited.
    """

    waiting: int
    held: int
    assigned: int
    finished: int
    lost: int
    skipped: int
    refused: int
    highest: int


class RequestQueue(Generic[W, R]):
    """First in, first out, over the free receives of any number of workers.

    A worker pulls: it keeps `receives` receives pending, each taking one request (http.sys
    completes a worker's HttpReceiveHttpRequest calls). Among workers with a free one the requests
    go round; with none, they wait here.

    Args:
        limit: AppPoolQueueLength: how many may wait.
        receives: how many requests one worker takes on at once.
    """

    def __init__(self, limit: int, receives: int) -> None:
        self._limit = limit
        self._receives = receives
        self._waiting: deque[R] = deque()
        self._held: dict[W, dict[int, R]] = {}
        self._turn: deque[W] = deque()
        """Workers with a free receive, the one whose turn it is first."""
        self._ticket = 0
        self._finished = self._skipped = self._refused = self._highest = self._lost = 0

    def put(self, request: R) -> Assignment[W, R] | None:
        """Take a request in: give who takes it, or None if it waits.

        Raises:
            QueueFullError: it would have to wait, and the limit is reached.
        """
        if self._turn:
            return self._assign(request)
        if len(self._waiting) >= self._limit:
            self._refused += 1
            raise QueueFullError
        self._waiting.append(request)
        self._highest = max(self._highest, len(self._waiting))
        return None

    def worker_added(self, worker: W) -> list[Assignment[W, R]]:
        """Let a worker pull; give what it takes at once."""
        self._held[worker] = {}
        self._turn.append(worker)
        return self._pull()

    def finish(self, worker: W, ticket: int) -> tuple[R, Assignment[W, R] | None]:
        """Free a receive: give the request that is finished, and the one that is taken instead.

        Raises:
            KeyError: the worker does not hold this ticket.
        """
        held = self._held[worker]
        request = held.pop(ticket)
        self._finished += 1
        if len(held) == self._receives - 1:  # it had no room before
            self._turn.append(worker)
        taken = self._pull() if self._waiting else []
        return request, taken[0] if taken else None

    def worker_lost(self, worker: W) -> list[R]:
        """Forget a worker; give what it held, oldest first. None for one that is not known."""
        held = self._held.pop(worker, {})
        if worker in self._turn:
            self._turn.remove(worker)
        self._lost += len(held)
        return list(held.values())

    def clear(self) -> list[R]:
        """Give up on all that waits, oldest first; those whose client has left are left out."""
        waiting = [request for request in self._waiting if not request.gone]
        self._skipped += len(self._waiting) - len(waiting)
        self._waiting.clear()
        return waiting

    def held_by(self, worker: W) -> int:
        """How many requests a worker has taken and not finished."""
        return len(self._held.get(worker, ()))

    def statistics(self) -> QueueStatistics:
        """Give the counts so far."""
        held = sum(map(len, self._held.values()))
        return QueueStatistics(
            waiting=len(self._waiting),
            held=held,
            assigned=self._ticket,
            finished=self._finished,
            lost=self._lost,
            skipped=self._skipped,
            refused=self._refused,
            highest=self._highest,
        )

    def __repr__(self) -> str:
        held = sum(map(len, self._held.values()))
        return (
            f"<RequestQueue {len(self._waiting)} of {self._limit} waiting, "
            f"{held} held by {len(self._held)} workers>"
        )

    def _assign(self, request: R) -> Assignment[W, R]:
        """Give a request to the worker whose turn it is, and the turn to the next."""
        worker = self._turn[0]
        held = self._held[worker]
        self._ticket += 1
        held[self._ticket] = request
        if len(held) >= self._receives:
            self._turn.popleft()
        else:
            self._turn.rotate(-1)
        return Assignment(worker, self._ticket, request)

    def _pull(self) -> list[Assignment[W, R]]:
        """Let the free receives take what waits."""
        taken = []
        while self._turn and self._waiting:
            request = self._waiting.popleft()
            if request.gone:
                self._skipped += 1
            else:
                taken.append(self._assign(request))
        return taken
