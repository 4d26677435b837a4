"""Connections and requests that are nothing but there, and what the request queue does to them."""

from collections import Counter
from dataclasses import dataclass, field

from vaultstorm_server.httpsys.queue_statistics import QueueStatistics
from vaultstorm_server.httpsys.request_queue import Assignment, RequestQueue


@dataclass(eq=False)
class Connection:
    """What a client keeps: it outlives its requests, and their worker binds it."""

    bound: str | None = None


@dataclass(eq=False)
class Req:
    """A request; on a connection of its own unless one is given."""

    name: str = ""
    connection: Connection = field(default_factory=Connection)
    gone: bool = False

    @property
    def bound(self) -> str | None:
        """The worker that the connection is bound to; None once the client has left."""
        return None if self.gone else self.connection.bound

    @bound.setter
    def bound(self, worker: str | None) -> None:
        if not self.gone:
            self.connection.bound = worker

    def __repr__(self) -> str:
        return self.name


Queue = RequestQueue[str, Req]


def requests(count: int) -> list[Req]:
    """Make some requests, each on its own connection."""
    return [Req(f"r{number}") for number in range(count)]


def bound_to(worker: str, name: str = "") -> Req:
    """Make a request on a kept connection that is bound to a worker."""
    return Req(name, Connection(worker))


@dataclass
class Process:
    """A worker, as the model has it."""

    held: dict[int, Req] = field(default_factory=dict)
    stopping: bool = False


@dataclass
class Model:
    """What must be so, told in scans and lists: what waits, for whom, and how each request ended.

    Attributes:
        serving: connections are bound to a worker only until it is told to shut down.
        waiting: what waits, oldest first, each with the one worker that may take it, or None.
        fate: how each request ended that has.
        taken: the requests that were ever assigned.
    """

    serving: bool
    limit: int
    receives: int
    waiting: list[tuple[Req, str | None]] = field(default_factory=list)
    processes: dict[str, Process] = field(default_factory=dict)
    fate: dict[Req, str] = field(default_factory=dict)
    taken: set[Req] = field(default_factory=set)
    came: int = 0
    stranded: int = 0
    redirected: int = 0

    def end(self, request: Req, how: str) -> None:
        """Account for a request, which nobody has before."""
        assert request not in self.fate
        self.fate[request] = how

    def may_take(self, worker: str, target: str | None) -> bool:
        """Whether a worker may take what waits for `target`."""
        process = self.processes[worker]
        if process.stopping:
            return target == worker and not self.serving
        return target in (None, worker)

    def has_room(self, worker: str) -> bool:
        """Whether a worker has a free receive."""
        return len(self.processes[worker].held) < self.receives

    def target(self, request: Req) -> str | None:
        """The worker that a request which comes has to go to; None for any."""
        process = self.processes.get(request.connection.bound or "")
        if process is None:
            return None
        if process.stopping and self.serving:
            self.redirected += 1
            return None
        return request.connection.bound

    def assigned(self, assignment: Assignment[str, Req]) -> None:
        """Check that a worker with room takes the oldest that it may take and that is there."""
        worker, ticket, request = assignment
        assert self.has_room(worker)
        oldest, target = next(w for w in self.waiting if self.may_take(worker, w[1]))
        while oldest.gone:
            self.waiting.remove((oldest, target))
            self.end(oldest, "skipped")
            oldest, target = next(w for w in self.waiting if self.may_take(worker, w[1]))
        assert request is oldest
        assert request not in self.taken
        assert request.bound == worker
        self.waiting.remove((request, target))
        self.taken.add(request)
        assert ticket not in self.processes[worker].held
        self.processes[worker].held[ticket] = request

    def sweep(self) -> None:
        """Check that nothing waits beside a free receive but what is skipped, its client gone."""
        for worker in filter(self.has_room, self.processes):
            for request, target in [w for w in self.waiting if self.may_take(worker, w[1])]:
                assert request.gone
                self.waiting.remove((request, target))
                self.end(request, "skipped")

    def redirect(self, worker: str) -> None:
        """Let any worker take what waits for one alone."""
        self.redirected += sum(target == worker for _, target in self.waiting)
        self.waiting = [(r, None if target == worker else target) for r, target in self.waiting]

    def give_up(self, worker: str | None) -> list[Req]:
        """Take out what waits for a worker alone, or with None all that waits."""
        waiting = [w for w in self.waiting if worker is None or w[1] == worker]
        self.waiting = [w for w in self.waiting if w not in waiting]
        for request, _ in waiting:
            if request.gone:
                self.end(request, "skipped")
        return [request for request, _ in waiting if not request.gone]

    def adds_up(self, counted: QueueStatistics) -> None:
        """Check the queue's counts against the model's, and that every request is in just one."""
        fates = Counter(self.fate.values())
        held = [r for process in self.processes.values() for r in process.held.values()]
        assert (counted.held, counted.waiting) == (len(held), len(self.waiting))
        assert counted.finished == fates["finished"]
        assert counted.lost == fates["lost"]
        assert counted.skipped == fates["skipped"]
        assert counted.cleared == fates["cleared"]
        assert counted.refused == fates["refused"]
        assert counted.stranded == self.stranded
        assert counted.redirected == self.redirected
        assert counted.assigned == len(self.taken)
        assert counted.assigned == counted.held + counted.finished + counted.lost - self.stranded
        assert counted.waiting <= counted.highest
        assert self.came == len(self.fate) + len(held) + len(self.waiting)
        untaken = counted.stranded + counted.skipped + counted.cleared + counted.refused
        assert self.came == counted.waiting + counted.assigned + untaken
