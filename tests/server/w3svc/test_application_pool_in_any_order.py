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

from tests.server.w3svc.pool_world import Connection, World
from vaultstorm_server.settings import AppPool
from vaultstorm_server.w3svc.states import State
from vaultstorm_server.w3svc.worker import Worker


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
