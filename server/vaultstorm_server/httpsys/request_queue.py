"""The request queue of one application pool: which worker takes which request, and when."""

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterable
from heapq import merge
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from vaultstorm_server.httpsys.binding import Binding
from vaultstorm_server.httpsys.queue_statistics import QueueStatistics as QueueStatistics


class Waiting(Protocol):
    """What the queue asks of a request.

    Attributes:
        bound: the worker that its connection is bound to, or None; the queue sets it.
    """

    bound: Any

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


class _Process(Generic[W, R]):
    """A worker in the pool's list.

    Attributes:
        held: what it has taken and not finished, by ticket.
        own: what waits for exactly this worker, with the number of its arrival.
        free: receives that take a request; below 0 while it holds more than a lowered limit.
        stopping: it has been told to shut down.
    """

    __slots__ = ("free", "held", "own", "stopping", "worker")

    def __init__(self, worker: W, free: int) -> None:
        self.worker = worker
        self.held: dict[int, R] = {}
        self.own: deque[tuple[int, R]] = deque()
        self.free = free
        self.stopping = False


class RequestQueue(Generic[W, R]):
    """First in, first out, over the free receives of any number of workers.

    A worker pulls: it keeps `receives` receives pending, each taking one request (http.sys
    completes a worker's HttpReceiveHttpRequest calls). The first request of a connection goes to
    the next worker that has a free one, or waits for the first that has; it binds the connection to
    that worker, and the later ones go to it or wait for it alone (aa720391, KB908739).

    Nothing waits that a worker with a free receive may take: so whoever finds one overtakes nobody,
    whatever waits for other workers, and what a request costs does not depend on how many wait.

    Args:
        limit: AppPoolQueueLength: how many may wait, bound or not.
        receives: how many requests one worker takes on at once.
        binding: how long connections stay bound to a worker.
    """

    def __init__(self, limit: int, receives: int, binding: Binding) -> None:
        self._limit = limit
        self._receives = receives
        self._binding = binding
        self._processes: dict[W, _Process[W, R]] = {}
        self._bound: dict[W, _Process[W, R]] = {}
        """Those of them whose connections stay bound."""
        self._turn: OrderedDict[_Process[W, R], None] = OrderedDict()
        """Those that pull and have a free receive, the one whose turn it is first."""
        self._common: deque[tuple[int, R]] = deque()
        """What waits for any of them, with the number of its arrival."""
        self._waiting = 0
        self._arrivals = self._ticket = 0
        self._finished = self._lost = self._stranded = self._redirected = 0
        self._skipped = self._cleared = self._refused = self._highest = 0

    def put(self, request: R) -> Assignment[W, R] | None:
        """Take a request in: give who takes it, or None if it waits.

        Raises:
            QueueFullError: it would have to wait, and the limit is reached.
        """
        bound = request.bound
        process = self._bound.get(bound)
        if process is None:
            if bound is not None:
                self._redirected += bound in self._processes
                request.bound = None
            if self._turn:
                process = next(iter(self._turn))
                self._turn.move_to_end(process)
                request.bound = process.worker
                return self._assign(process, request)
        elif process.free > 0:
            return self._assign(process, request)
        if self._waiting >= self._limit:
            self._refused += 1
            raise QueueFullError
        self._arrivals += 1
        queue = self._common if process is None else process.own
        queue.append((self._arrivals, request))
        self._waiting += 1
        if self._waiting > self._highest:
            self._highest = self._waiting
        return None

    def finish(self, worker: W, ticket: int) -> tuple[R, Assignment[W, R] | None]:
        """Free a receive: give the request that is finished, and the one that is taken instead.

        Raises:
            KeyError: the worker does not hold this ticket.
        """
        process = self._processes[worker]
        request = process.held.pop(ticket)
        self._finished += 1
        process.free += 1
        if process.free > 0 and self._waiting:
            following = self._next(process)
            if following is not None:
                return request, self._assign(process, following)
        if process.free == 1 and not process.stopping:  # it had no room before
            self._turn[process] = None
        return request, None

    def worker_added(self, worker: W) -> list[Assignment[W, R]]:
        """Let a worker pull that is not in the list; give what it takes at once."""
        process: _Process[W, R] = _Process(worker, self._receives)
        self._processes[worker] = process
        if self._binding.holds(stopping=False):
            self._bound[worker] = process
        self._seat(process)
        return self._pull([process])

    def worker_stopping(self, worker: W) -> list[Assignment[W, R]]:
        """Let a worker pull nothing more; give what others take of what waited for it.

        It stays in the list, with what it holds, until it is lost. Nothing happens if it is not in
        the list, or knows already.
        """
        process = self._processes.get(worker)
        if process is None or process.stopping:
            return []
        process.stopping = True
        self._seat(process)
        if self._binding.holds(stopping=True):
            return []
        del self._bound[worker]
        for _, request in process.own:
            request.bound = None
        self._redirected += len(process.own)
        self._common = deque(merge(self._common, process.own))
        process.own.clear()
        return self._pull(self._turn)

    def worker_lost(self, worker: W) -> list[R]:
        """Take a worker out of the list; give what is lost with it, oldest first.

        That is what it held and what waits for it, but for those of the latter whose client has
        left. Nothing if it is not in the list.
        """
        process = self._processes.pop(worker, None)
        if process is None:
            return []
        self._bound.pop(worker, None)
        self._turn.pop(process, None)
        stranded = self._give_up(process.own)
        self._stranded += len(stranded)
        self._lost += len(process.held) + len(stranded)
        return [*process.held.values(), *stranded]

    def clear(self) -> list[R]:
        """Give up on all that waits, oldest first; those whose client has left are left out."""
        processes = self._processes.values()
        cleared = self._give_up(merge(self._common, *(process.own for process in processes)))
        self._common.clear()
        for process in processes:
            process.own.clear()
        self._cleared += len(cleared)
        return cleared

    def sweep(self) -> None:
        """Take out what waits and whose client has left: it takes up room until then."""
        for queue in (self._common, *(process.own for process in self._processes.values())):
            there = [entry for entry in queue if not entry[1].gone]
            self._skipped += len(queue) - len(there)
            self._waiting -= len(queue) - len(there)
            queue.clear()
            queue.extend(there)

    def limits(self, limit: int, receives: int) -> list[Assignment[W, R]]:
        """Change both limits; give what the workers take with the receives they gain.

        What waits beyond a lower limit goes on waiting; a worker that holds more than a lower
        number of receives takes the next when it is below that.
        """
        gained = receives - self._receives
        self._limit, self._receives = limit, receives
        for process in self._processes.values():
            process.free += gained
            self._seat(process)
        stopping = (process for process in self._processes.values() if process.stopping)
        return self._pull([*self._turn, *stopping])

    def bind_by(self, binding: Binding) -> None:
        """Bind connections in another way. Raises ValueError unless the queue has nothing in it."""
        if self._processes or self._waiting:
            raise ValueError(f"{self!r} is in use: its binding cannot be replaced")
        self._binding = binding

    def held_by(self, worker: W) -> int:
        """How many requests a worker has taken and not finished."""
        process = self._processes.get(worker)
        return len(process.held) if process else 0

    def statistics(self) -> QueueStatistics:
        """Give the counts so far."""
        return QueueStatistics(
            waiting=self._waiting,
            held=self._held(),
            assigned=self._ticket,
            finished=self._finished,
            lost=self._lost,
            stranded=self._stranded,
            redirected=self._redirected,
            skipped=self._skipped,
            cleared=self._cleared,
            refused=self._refused,
            highest=self._highest,
        )

    def __repr__(self) -> str:
        return (
            f"<RequestQueue {self._waiting} of {self._limit} waiting, "
            f"{self._held()} held by {len(self._processes)} workers>"
        )

    def _held(self) -> int:
        return sum(len(process.held) for process in self._processes.values())

    def _assign(self, process: _Process[W, R], request: R) -> Assignment[W, R]:
        """Let a free receive of a worker take a request."""
        self._ticket = ticket = self._ticket + 1
        process.held[ticket] = request
        process.free -= 1
        if process.free == 0 and process in self._turn:
            del self._turn[process]
        return Assignment(process.worker, ticket, request)

    def _seat(self, process: _Process[W, R]) -> None:
        """Have a worker in the round if it pulls and has a free receive; a new one comes last."""
        if process.free > 0 and not process.stopping:
            self._turn.setdefault(process)
        else:
            self._turn.pop(process, None)

    def _next(self, process: _Process[W, R]) -> R | None:
        """Take out the oldest request that a worker may take; one that stops, only its own."""
        own, common = process.own, self._common
        while True:
            if common and not process.stopping and not (own and own[0][0] < common[0][0]):
                request = common.popleft()[1]
            elif own:
                request = own.popleft()[1]
            else:
                return None
            self._waiting -= 1
            if not request.gone:
                request.bound = process.worker
                return request
            self._skipped += 1

    def _pull(self, processes: Iterable[_Process[W, R]]) -> list[Assignment[W, R]]:
        """Let the free receives of some workers take in turn what waits."""
        taken = []
        pulling = deque(processes)
        while pulling:
            process = pulling.popleft()
            if process.free > 0 and (request := self._next(process)) is not None:
                taken.append(self._assign(process, request))
                pulling.append(process)
                if process in self._turn:
                    self._turn.move_to_end(process)
        return taken

    def _give_up(self, waiting: Iterable[tuple[int, R]]) -> list[R]:
        """Count some out that wait; give those whose client is still there."""
        there = []
        for _, request in waiting:
            self._waiting -= 1
            if request.gone:
                self._skipped += 1
            else:
                there.append(request)
        return there
