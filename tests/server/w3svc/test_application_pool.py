"""The application pool without processes: requests and workers in any order of events."""

from collections.abc import Iterable

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from vaultstorm_server.httpsys.request_queue import Assignment
from vaultstorm_server.settings import AppPool
from vaultstorm_server.w3svc import actions
from vaultstorm_server.w3svc.application_pool import ApplicationPool, Steps
from vaultstorm_server.w3svc.states import State
from vaultstorm_server.w3svc.worker import Worker

LOST = "abandoned Connection_Abandoned_By_AppPool"
FIXED = pytest.param(1, id="KB908739")
BROKEN = pytest.param(0, id="unfixed")


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


@pytest.mark.parametrize("hotfix, end", [(0, LOST), (1, "answered")])
def test_the_shortest_way_to_lose_a_request(hotfix: int, end: str) -> None:
    """KB908739: bound by a first request, sent between the stop of its worker and that's exit."""
    world = serving(hotfix)
    old, connection = world.one(State.SERVING), Connection()
    world.ask(connection)
    world.answer(old)
    world.do(world.pool.recycle(world.now))
    new = world.one(State.STARTING)
    world.hello(new)

    request = world.ask(connection)

    assert request.sent == [new if hotfix else old]
    if hotfix:
        world.answer(new)
    world.exit(old, 0)
    assert request.ends == [end]


@pytest.mark.parametrize("hotfix", [BROKEN, FIXED])
def test_before_the_stop_and_after_the_exit_nothing_is_lost(hotfix: int) -> None:
    """A recycle under way harms no bound connection, and neither does one that is over (B1)."""
    world = serving(hotfix)
    old, connection = world.one(State.SERVING), Connection()
    world.do(world.pool.recycle(world.now))
    first = world.ask(connection)
    assert first.sent == [old]
    world.answer(old)
    new = world.one(State.STARTING)
    world.hello(new)
    world.exit(old, 0)
    second = world.ask(connection)
    assert second.sent == [new]
    world.answer(new)
    assert [first.ends, second.ends] == [["answered"], ["answered"]]


@pytest.mark.parametrize("hotfix", [BROKEN, FIXED])
def test_a_fresh_connection_never_meets_a_worker_that_shuts_down(hotfix: int) -> None:
    """B3: at the very same moment, what is bound to nobody is served by the new worker."""
    world = serving(hotfix)
    world.do(world.pool.recycle(world.now))
    new = world.one(State.STARTING)
    world.hello(new)
    assert world.ask().sent == [new]


@pytest.mark.parametrize("hotfix", [BROKEN, FIXED])
def test_a_request_under_way_when_the_shutdown_begins_is_answered(hotfix: int) -> None:
    """B6: what the worker had before it was told to stop, it finishes."""
    world = serving(hotfix)
    old = world.one(State.SERVING)
    request = world.ask()
    world.do(world.pool.recycle(world.now))
    world.hello(world.one(State.STARTING))
    assert world.children[old].stopping
    world.answer(old)
    world.exit(old, 0)
    assert request.ends == ["answered"]


@pytest.mark.parametrize("capability, end", [(2, "refused Disabled"), (1, "reset Disabled")])
def test_a_stopped_pool_refuses_what_waits_and_what_comes(capability: int, end: str) -> None:
    """B13, in the way of LoadBalancerCapabilities; what a worker has is still answered."""
    world = serving(
        1, LoadBalancerCapabilities=capability, PendingReceives=1, AppPoolQueueLength=10
    )
    worker = world.one(State.SERVING)
    has, waits = world.ask(), world.ask()
    world.do(world.pool.stop(world.now, "Disabled"))
    comes = world.ask()
    world.answer(worker)
    assert [has.ends, waits.ends, comes.ends] == [["answered"], [end], [end]]


def test_what_a_pool_has_ends_with_its_processes() -> None:
    """All are killed at once: what they held is lost, what waits refused, and a start works."""
    world = serving(0, PendingReceives=1, AppPoolQueueLength=10, DisallowOverlappingRotation=1)
    kept = Connection()
    has, bound, waits = world.ask(kept), world.ask(kept), world.ask()
    world.pool.killed(world.now)
    comes = world.ask()
    assert (has.ends, bound.ends, waits.ends) == ([LOST], ["refused N/A"], ["refused N/A"])
    assert (comes.ends, world.pool.deadline) == (["refused N/A"], None)
    world.children.clear()
    world.do(world.pool.start(world.now))
    world.hello(world.one(State.STARTING))
    world.ask(kept)
    world.answer(world.one(State.SERVING))


def test_a_full_queue_is_503_whatever_load_balancers_are_told() -> None:
    """B12: the pool is not off, so LoadBalancerCapabilities is not asked."""
    world = serving(1, LoadBalancerCapabilities=1, PendingReceives=1, AppPoolQueueLength=10)
    requests = [world.ask() for _ in range(12)]
    assert [request.ends for request in requests] == [[]] * 11 + [["refused QueueFull"]]


@pytest.mark.parametrize("limit, recycled", [(1, [1]), (3, [0, 0, 1]), (4, [0, 0, 0])])
def test_a_worker_is_recycled_by_the_request_that_reaches_the_limit(
    limit: int, recycled: list[int]
) -> None:
    """PeriodicRestartRequests counts answers; the next worker starts with none."""
    world = serving(1, PeriodicRestartRequests=limit)
    worker = world.one(State.SERVING)
    for expected in recycled:
        world.ask()
        world.answer(worker)
        assert len(world.workers(State.STARTING)) == expected


def test_an_idle_worker_ends_and_a_request_brings_the_next() -> None:
    """B20: IdleTimeout after its last request it is stopped; who then comes waits for a start."""
    world = serving(1, IdleTimeout=60.0, PingingEnabled=0, PeriodicRestartTime=0)
    worker = world.one(State.SERVING)
    world.now += 59.0
    world.ask()
    world.answer(worker)
    world.now += 60.0
    world.do(world.pool.tick(world.now))
    assert world.children[worker].stopping
    world.exit(worker, 0)
    assert not world.workers(*State)
    request = world.ask()
    new = world.one(State.STARTING)
    world.hello(new)
    world.answer(new)
    assert request.ends == ["answered"]


def test_a_busy_worker_is_not_idle() -> None:
    """A request that it has keeps it, however long ago it came."""
    world = serving(1, IdleTimeout=60.0, PingingEnabled=0, PeriodicRestartTime=0)
    worker = world.one(State.SERVING)
    world.ask()
    world.now += 1000.0
    world.do(world.pool.tick(world.now))
    assert not world.children[worker].stopping


class AnyOrder(RuleBasedStateMachine):
    """Requests, workers, the operator and time, in any order."""

    hotfix = 0

    @initialize(
        processes=st.integers(1, 3),
        receives=st.integers(1, 3),
        queue=st.integers(10, 12),
        overlapping=st.booleans(),
        orphans=st.booleans(),
        demand=st.booleans(),
        requests=st.sampled_from((0, 1, 4)),
        crashes=st.sampled_from((1, 3, 100)),
    )
    def begin(
        self,
        processes: int,
        receives: int,
        queue: int,
        overlapping: bool,
        orphans: bool,
        demand: bool,
        requests: int,
        crashes: int,
    ) -> None:
        """Start a pool."""
        self.settings = AppPool(
            MaxProcesses=processes,
            PendingReceives=receives,
            AppPoolQueueLength=queue,
            DisallowOverlappingRotation=int(not overlapping),
            OrphanWorkerProcess=int(orphans),
            DemandStart=int(demand),
            PeriodicRestartRequests=requests,
            RapidFailProtectionMaxCrashes=crashes,
        )
        self.world = World(self.settings, self.hotfix)
        self.connections: list[Connection] = []

    def draw(self, data: st.DataObject, workers: Iterable[Worker]) -> Worker | None:
        """Choose a worker, if there is one."""
        among = list(workers)
        return data.draw(st.sampled_from(among)) if among else None

    @rule()
    def a_request_comes_on_a_fresh_connection(self) -> None:
        """Bound to nobody."""
        self.connections.append(Connection())
        self.world.ask(self.connections[-1])

    @rule(data=st.data())
    def a_request_comes_on_a_kept_connection(self, data: st.DataObject) -> None:
        """Bound to a worker that lives, where there is one."""
        kept = [connection for connection in self.connections if not connection.busy]
        living = [c for c in kept if c.bound in self.world.children]
        if kept:
            self.world.ask(data.draw(st.sampled_from(living or kept)))

    @rule()
    def some_requests_are_served(self) -> None:
        """Each worker that is well gets one, and answers all that it has."""
        for worker, child in list(self.world.children.items()):
            if worker.state is State.SERVING and not child.closed:
                self.a_request_comes_on_a_fresh_connection()
        for worker, child in list(self.world.children.items()):
            while child.readable and not child.closed:
                self.world.answer(worker)

    @rule(data=st.data())
    def a_client_leaves(self, data: st.DataObject) -> None:
        """Its request is of no use any more, wherever it is."""
        open_ = [request for request in self.world.requests if not request.ends]
        if open_:
            request = data.draw(st.sampled_from(open_))
            request.gone = True
            request.end("left")

    @rule(data=st.data())
    def a_worker_says_hello(self, data: st.DataObject) -> None:
        """One that starts."""
        children = self.world.children
        worker = self.draw(
            data,
            (w for w in children if w.state is State.STARTING and not children[w].closed),
        )
        if worker is not None:
            self.world.hello(worker)

    @rule(data=st.data(), count=st.integers(1, 5))
    def a_worker_answers(self, data: st.DataObject, count: int) -> None:
        """Some of what it has read, in order."""
        children = self.world.children
        able = (w for w in children if children[w].readable and not children[w].closed)
        worker = self.draw(data, able)
        for _ in range(count):
            if worker in children and children[worker].readable and not children[worker].closed:
                self.world.answer(worker)

    @rule(data=st.data())
    def a_worker_answers_its_ping(self, data: st.DataObject) -> None:
        """With nothing to complain of."""
        children = self.world.children
        able = (w for w in children if children[w].pinged and not children[w].closed)
        worker = self.draw(data, able)
        if worker is not None:
            children[worker].pinged = False
            self.world.do(self.world.pool.pong(worker, None, self.world.now))

    @rule(data=st.data())
    def a_worker_ends_as_it_was_told(self, data: st.DataObject) -> None:
        """It has answered all that it read, and leaves the rest."""
        children = self.world.children
        able = (w for w in children if children[w].stopping and not children[w].readable)
        worker = self.draw(data, able)
        if worker is not None:
            self.world.exit(worker, 0)

    @rule(data=st.data(), closes_first=st.booleans())
    def a_process_dies(self, data: st.DataObject, closes_first: bool) -> None:
        """At any moment: its channel may be seen to end before its exit is."""
        worker = self.draw(data, self.world.children)
        if worker is None:
            return
        if closes_first and not self.world.children[worker].closed:
            self.world.do(self.world.pool.lost(worker, "closed", self.world.now, nonsense=False))
        if worker in self.world.children:
            self.world.exit(worker, -9)

    @rule(data=st.data())
    def a_worker_talks_nonsense(self, data: st.DataObject) -> None:
        """Whatever its state."""
        children = self.world.children
        worker = self.draw(data, (w for w in children if not children[w].closed))
        if worker is not None:
            self.world.do(self.world.pool.lost(worker, "nonsense", self.world.now, nonsense=True))

    @rule(replaced=st.booleans())
    def an_operator_recycles(self, replaced: bool) -> None:
        """All workers; their replacements may come up at once."""
        self.world.do(self.world.pool.recycle(self.world.now))
        for worker in self.world.workers(State.STARTING) if replaced else ():
            if worker in self.world.children:
                self.world.hello(worker)

    @rule(stops=st.integers(0, 3))
    def an_operator_starts_or_stops_the_pool(self, stops: int) -> None:
        """Whatever its state; rather the former, or the pool would be off most of the time."""
        if stops == 3:
            self.world.do(self.world.pool.stop(self.world.now, "Disabled"))
        else:
            self.world.do(self.world.pool.start(self.world.now))

    @rule(processes=st.integers(1, 3), receives=st.integers(1, 3))
    def an_operator_changes_settings(self, processes: int, receives: int) -> None:
        """More or fewer workers, each with more or fewer receives."""
        self.settings = AppPool(
            MaxProcesses=processes,
            PendingReceives=receives,
            AppPoolQueueLength=self.settings.AppPoolQueueLength,
            DisallowOverlappingRotation=self.settings.DisallowOverlappingRotation,
            OrphanWorkerProcess=self.settings.OrphanWorkerProcess,
        )
        self.world.do(self.world.pool.configure(self.settings, self.world.now))

    @rule(fail=st.integers(0, 3))
    def forks_fail_or_not(self, fail: int) -> None:
        """For lack of memory or of processes; more often they do not."""
        self.world.forks = fail < 3

    @precondition(lambda self: self.world.pool.deadline is not None)
    @rule()
    def time_passes(self) -> None:
        """Until something is due."""
        self.world.tick()

    @invariant()
    def a_request_ends_once(self) -> None:
        """No request has two ends, and one without an end is waiting or held."""
        if not hasattr(self, "world"):
            return
        open_ = 0
        for request in self.world.requests:
            assert len(request.sent) <= 1
            assert len(request.ends) <= 1
            open_ += not request.ends
        queue = self.world.pool.queue
        assert open_ <= queue.waiting + queue.held
        inboxes = sum(
            len(child.inbox) for child in self.world.children.values() if not child.closed
        )
        assert queue.held == inboxes

    def teardown(self) -> None:
        """However it stands: a stop, and what is due, ends every worker and every request."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.do(world.pool.stop(world.now, "N/A"))
        for _ in range(1000):
            for worker in [w for w in world.children if world.children[w].dying]:
                world.exit(worker, -9)
            if world.pool.deadline is None:
                break
            world.tick()
        assert not world.pool.policy.workers
        assert not world.children
        assert all(len(request.ends) == 1 for request in world.requests)
        for request in world.requests:
            if request.ends == ["answered"]:
                assert len(request.sent) == 1


class AnyOrderFixed(AnyOrder):
    """The same with the hotfix: no request is ever sent to a worker that does not serve."""

    hotfix = 1


@pytest.mark.parametrize("machine", [AnyOrder, AnyOrderFixed])
def test_in_any_order_of_events_every_request_has_one_end(
    machine: type[RuleBasedStateMachine],
) -> None:
    """Dispatched at most once, accounted for exactly once, whatever happens when."""
    run_state_machine_as_test(
        machine,
        settings=hypothesis_settings(max_examples=120, stateful_step_count=50, deadline=None),
    )
