"""A pool, its shell and its processes, without any of them being real."""

from vaultstorm_server.httpsys.request_queue import Assignment
from vaultstorm_server.settings import AppPool
from vaultstorm_server.w3svc import actions
from vaultstorm_server.w3svc.application_pool import ApplicationPool, Steps
from vaultstorm_server.w3svc.states import State
from vaultstorm_server.w3svc.worker import Worker


class Connection:
    """A kept connection: the worker it is bound to."""

    def __init__(self) -> None:
        self.bound: Worker | None = None
        self.busy = False


class Request:
    """A request that remembers everything that is done to it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.gone = False
        self.sent: list[Worker] = []
        self.ends: list[str] = []
        connection.busy = True

    @property
    def bound(self) -> Worker | None:
        """The worker of its connection."""
        return self.connection.bound

    @bound.setter
    def bound(self, worker: Worker | None) -> None:
        self.connection.bound = worker

    def end(self, how: str) -> None:
        """Note an end, and whether the connection is of use after it; nobody tells who has left."""
        if self.gone and how != "left":
            return
        self.ends.append(how)
        self.connection.busy = not how.startswith("answered")

    def refuse(self, reason: str, reset: bool = False) -> None:
        """Note a refusal."""
        self.end(f"{'reset' if reset else 'refused'} {reason}")

    def abandon(self, reason: str) -> None:
        """Note a loss."""
        self.end(f"abandoned {reason}")


class Child:
    """The process of a worker, as far as a pool can tell."""

    def __init__(self) -> None:
        self.inbox: list[tuple[int, Request]] = []
        self.stopping = self.dying = self.closed = self.pinged = False
        self.unread = 0
        """Requests that were sent behind the stop: it never reads them."""

    @property
    def readable(self) -> list[tuple[int, Request]]:
        """What it may still answer."""
        return self.inbox[: len(self.inbox) - self.unread]


class World:
    """A pool, its shell and its processes, under a clock that only moves when it is told."""

    def __init__(self, settings: AppPool, hotfix: int) -> None:
        self.now = 1000.0
        self.hotfix = hotfix
        self.pool: ApplicationPool[Request] = ApplicationPool(settings, hotfix, self.now)
        self.children: dict[Worker, Child] = {}
        self.requests: list[Request] = []
        self.forks = True
        self.do(self.pool.start(self.now))

    def do(self, steps: Steps[Request]) -> None:
        """Carry out what the pool asks for, as its shell would."""
        for step in steps:
            match step:
                case Assignment(worker, ticket, request):
                    self._send(worker, ticket, request)
                case actions.Start(worker):
                    if self.forks:
                        self.children[worker] = Child()
                    else:
                        self.do(self.pool.not_started(worker, "no memory", self.now))
                case actions.Stop(worker):
                    assert not self.children[worker].stopping
                    self.children[worker].stopping = True
                case actions.Ping(worker):
                    self.children[worker].pinged = True
                case actions.Kill(worker):
                    self.children[worker].dying = True
                case actions.Drop(worker):
                    self.children[worker].closed = True
                case actions.Orphan(worker):
                    del self.children[worker]
                case actions.Measure() | actions.Note() | actions.Log():
                    pass
                case _:
                    raise AssertionError(step)

    def _send(self, worker: Worker, ticket: int, request: Request) -> None:
        assert not request.ends
        assert not request.sent, "a request is dispatched at most once"
        child = self.children[worker]
        assert not child.closed
        if self.hotfix:
            assert not child.stopping
        request.sent.append(worker)
        child.inbox.append((ticket, request))
        child.unread += child.stopping

    def ask(self, connection: Connection | None = None) -> Request:
        """Deliver a request, on a fresh connection unless one is given."""
        request = Request(connection or Connection())
        self.requests.append(request)
        self.do(self.pool.deliver(request, self.now))
        return request

    def answer(self, worker: Worker) -> Request:
        """Let a worker answer the oldest request that it has read."""
        ticket, expected = self.children[worker].inbox.pop(0)
        request, steps = self.pool.finish(worker, ticket, self.now)
        assert request is expected
        self.do(steps)
        request.end("answered")
        return request

    def hello(self, worker: Worker) -> None:
        """Let a worker say that it serves."""
        self.do(self.pool.hello(worker, self.now))

    def exit(self, worker: Worker, status: int) -> None:
        """Let a process end."""
        self.do(self.pool.exited(worker, f"status {status}", status, self.now))
        del self.children[worker]

    def tick(self) -> None:
        """Let the time of the next deadline come."""
        deadline = self.pool.deadline
        assert deadline is not None
        self.now = max(self.now, deadline)
        self.do(self.pool.tick(self.now))

    def workers(self, *states: State) -> list[Worker]:
        """Give the workers in some states, in the order of their starts."""
        return [worker for worker in self.pool.policy.workers if worker.state in states]

    def one(self, state: State) -> Worker:
        """Give the only worker in a state."""
        (worker,) = self.workers(state)
        return worker


def serving(hotfix: int, **settings: int | float) -> World:
    """Make a world in which all workers serve."""
    world = World(AppPool(**settings), hotfix)  # type: ignore[arg-type]
    for worker in world.workers(State.STARTING):
        world.hello(worker)
    return world
