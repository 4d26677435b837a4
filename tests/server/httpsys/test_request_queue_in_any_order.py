"""The request queue under any order of events, with either binding, against a model of it."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.server.httpsys.queue_model import Connection, Model, Process, Queue, Req
from vaultstorm_server.httpsys.binding import Binding, ListedBinding, ServingBinding
from vaultstorm_server.httpsys.request_queue import Assignment, QueueFullError, RequestQueue

LIMITS = st.integers(0, 8)
RECEIVES = st.integers(1, 3)
WORKERS = 3
"""At most: more of them would leave nothing to wait."""


class AnyOrder(RuleBasedStateMachine):
    """Every request is assigned at most once, in its turn, and accounted for exactly once."""

    binding: Binding

    def __init__(self) -> None:
        super().__init__()
        self.model = Model(isinstance(self.binding, ServingBinding), limit=8, receives=1)
        self.queue: Queue = RequestQueue(8, 1, self.binding)
        self.kept: list[Connection] = []
        """Connections that have no request under way."""
        self.names = 0

    def name(self, kind: str) -> str:
        """Give a name that nobody has had."""
        self.names += 1
        return f"{kind}{self.names}"

    def take_all(self, assignments: list[Assignment[str, Req]]) -> None:
        """Check what workers take at once."""
        for assignment in assignments:
            self.model.assigned(assignment)
        self.model.sweep()

    def put(self, connection: Connection) -> None:
        """Put a request in, and check where it goes."""
        model = self.model
        request = Req(self.name("r"), connection)
        model.came += 1
        target = model.target(request)
        takers = [w for w in model.processes if model.may_take(w, target) and model.has_room(w)]
        try:
            assignment = self.queue.put(request)
        except QueueFullError:
            assert not takers
            assert len(model.waiting) >= model.limit
            model.end(request, "refused")
            return
        model.waiting.append((request, target))
        if assignment is None:
            assert not takers
            assert len(model.waiting) <= model.limit
            assert connection.bound == target
        else:
            assert assignment.request is request
            assert assignment.worker in takers
            model.assigned(assignment)

    @rule(count=st.integers(1, 3))
    def put_fresh(self, count: int) -> None:
        """Requests come on new connections."""
        for _ in range(count):
            self.put(Connection())

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def put_kept(self, data: st.DataObject) -> None:
        """Requests come on connections that had one before."""
        for connection in data.draw(st.lists(st.sampled_from(self.kept), min_size=1, unique=True)):
            self.kept.remove(connection)
            self.put(connection)

    @precondition(lambda self: self.model.processes)
    @rule(data=st.data())
    def put_bound(self, data: st.DataObject) -> None:
        """Requests come on connections that one worker has served before."""
        worker = data.draw(st.sampled_from(list(self.model.processes)))
        self.put(Connection(worker))
        self.put(Connection(worker))

    @precondition(lambda self: len(self.model.processes) < WORKERS)
    @rule()
    def worker_added(self) -> None:
        """A worker says hello."""
        worker = self.name("w")
        self.model.processes[worker] = Process()
        self.take_all(self.queue.worker_added(worker))

    @precondition(lambda self: any(p.held for p in self.model.processes.values()))
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        """A worker answers one of its requests, and its connection is kept."""
        processes = self.model.processes
        worker = data.draw(st.sampled_from([w for w in processes if processes[w].held]))
        ticket = data.draw(st.sampled_from(list(processes[worker].held)))
        request, following = self.queue.finish(worker, ticket)
        assert request is processes[worker].held.pop(ticket)
        self.model.end(request, "finished")
        if not request.gone:
            self.kept.append(request.connection)
        self.take_all([] if following is None else [following])
        with pytest.raises(KeyError):
            self.queue.finish(worker, ticket)

    @precondition(lambda self: self.model.processes)
    @rule(data=st.data())
    def worker_stopping(self, data: st.DataObject) -> None:
        """A worker is told to shut down, perhaps for the second time."""
        worker = data.draw(st.sampled_from(list(self.model.processes)))
        process = self.model.processes[worker]
        if not process.stopping and self.model.serving:
            self.model.redirect(worker)
        process.stopping = True
        self.take_all(self.queue.worker_stopping(worker))

    @precondition(lambda self: self.model.processes)
    @rule(data=st.data())
    def worker_lost(self, data: st.DataObject) -> None:
        """A worker's handle is closed, told to shut down or not."""
        worker = data.draw(st.sampled_from(list(self.model.processes)))
        held = list(self.model.processes.pop(worker).held.values())
        stranded = self.model.give_up(worker)
        self.model.stranded += len(stranded)
        assert self.queue.worker_lost(worker) == held + stranded
        for request in held + stranded:
            self.model.end(request, "lost")

    @precondition(lambda self: self.model.waiting)
    @rule(data=st.data())
    def waiting_client_leaves(self, data: st.DataObject) -> None:
        """The client of a request that waits leaves."""
        data.draw(st.sampled_from(self.model.waiting))[0].gone = True

    @precondition(lambda self: any(p.held for p in self.model.processes.values()))
    @rule(data=st.data())
    def served_client_leaves(self, data: st.DataObject) -> None:
        """The client of a request that a worker holds leaves."""
        held = [r for p in self.model.processes.values() for r in p.held.values()]
        data.draw(st.sampled_from(held)).gone = True

    @precondition(lambda self: len(self.model.waiting) > WORKERS)
    @rule()
    def clear(self) -> None:
        """The pool gives up on all that waits."""
        cleared = self.model.give_up(None)
        assert self.queue.clear() == cleared
        for request in cleared:
            self.model.end(request, "cleared")

    @precondition(lambda self: self.model.waiting)
    @rule(limit=LIMITS, receives=RECEIVES)
    def limits(self, limit: int, receives: int) -> None:
        """The configuration changes."""
        self.model.limit, self.model.receives = limit, receives
        self.take_all(self.queue.limits(limit, receives))

    @rule()
    def stranger(self) -> None:
        """What is said of a worker that is not in the list changes nothing."""
        assert not self.queue.worker_stopping("nobody")
        assert not self.queue.worker_lost("nobody")

    @invariant()
    def counts_add_up(self) -> None:
        """Every request is in one place, and nothing that may be taken waits beside a receive."""
        self.model.sweep()
        self.model.adds_up(self.queue.statistics())
        for worker, process in self.model.processes.items():
            assert self.queue.held_by(worker) == len(process.held)


class Listed(AnyOrder):
    """As it was shipped."""

    binding = ListedBinding()


class Serving(AnyOrder):
    """With KB908739."""

    binding = ServingBinding()


TestListed = Listed.TestCase
TestListed.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
TestServing = Serving.TestCase
TestServing.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
