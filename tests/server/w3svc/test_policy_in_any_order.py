"""The policy of a pool under any order of events: what holds at every moment, and how it ends.

`Driven` minds each action as it comes: none goes to a worker for which it makes no sense, nothing
is dropped or killed twice, and there are never more processes than there may be.
"""

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from tests.server.w3svc.driven import Driven, Model
from vaultstorm_server.settings import AppPool
from vaultstorm_server.w3svc.recycling import Reason
from vaultstorm_server.w3svc.states import State
from vaultstorm_server.w3svc.worker import Worker

LIMITS = AppPool(
    StartupTimeLimit=5.0, ShutdownTimeLimit=7.0, PingInterval=3.0, PingResponseTime=4.0
)
TURNS_MAX = 500
"""Deadlines after which a pool that is left alone must have come to rest."""

switch = st.integers(0, 1)
changes = st.fixed_dictionaries(
    {},
    optional={
        "MaxProcesses": st.integers(1, 3),
        "DemandStart": switch,
        "IdleTimeout": st.sampled_from([0.0, 6.0]),
        "PeriodicRestartTime": st.sampled_from([0.0, 9.0]),
        "PeriodicRestartRequests": st.integers(0, 2),
        "PeriodicRestartSchedule": st.sampled_from(["", "03:00", "00:00,12:00"]),
        "PeriodicRestartMemory": st.integers(0, 1),
        "DisallowOverlappingRotation": switch,
        "DisallowRotationOnConfigChange": switch,
        "PingingEnabled": switch,
        "RapidFailProtection": switch,
        "RapidFailProtectionMaxCrashes": st.integers(1, 4),
        "RapidFailProtectionInterval": st.sampled_from([10.0, 300.0]),
        "OrphanWorkerProcess": switch,
        "LogEventOnRecycle": st.sampled_from([0, 255]),
    },
)


class AnyOrder(RuleBasedStateMachine):
    """Lets everything happen that a shell, its processes and its operator could do."""

    driven: Driven

    @initialize(changed=changes)
    def make(self, changed: dict[str, float]) -> None:
        """Make a pool with some settings, and start it."""
        self.driven = Driven(replace(LIMITS, **changed))
        self.start()

    def some(self, data: st.DataObject, is_one: Callable[[Worker, Model], bool]) -> Worker | None:
        """Choose a worker of some kind, if there is one."""
        found = [w for w, model in self.driven.models.items() if is_one(w, model)]
        return data.draw(st.sampled_from(found)) if found else None

    @rule()
    def start(self) -> None:
        """Let the operator start the pool."""
        self.driven.do(self.driven.policy.start(self.driven.now))
        assert self.driven.policy.start(self.driven.now) == []

    @rule(reason=st.sampled_from(["Disabled", "N/A"]))
    def stop(self, reason: str) -> None:
        """Let the operator stop the pool."""
        self.driven.do(self.driven.policy.stop(self.driven.now, reason))
        assert self.driven.refusal == reason

    @rule(reason=st.sampled_from(Reason))
    def recycle(self, reason: Reason) -> None:
        """Let the operator recycle: the second time there is nothing left to do."""
        self.driven.do(self.driven.policy.recycle(reason, self.driven.now))
        assert self.driven.policy.recycle(reason, self.driven.now) == []

    @rule(changed=changes)
    def configure(self, changed: dict[str, float]) -> None:
        """Let the operator change some settings."""
        self.driven.settings = replace(self.driven.settings, **changed)
        self.driven.do(self.driven.policy.configure(self.driven.settings, self.driven.now))

    @rule()
    def demand(self) -> None:
        """Let a request wait."""
        self.driven.do(self.driven.policy.demand(self.driven.now))

    @rule(works=st.booleans())
    def fork(self, works: bool) -> None:
        """Let the machine run out of memory, or have some again."""
        self.driven.forks = works

    @rule(seconds=st.sampled_from([0.0, 0.05, 0.1, 1.0, 3.0, 7.0, 40.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.driven.tick(seconds)

    @rule(seconds=st.sampled_from([1.0, 5.0, 100.0, 100_000.0]))
    def oversleep(self, seconds: float) -> None:
        """Let time pass in which nobody looks at the deadlines."""
        self.driven.now += seconds
        self.driven.do(self.driven.policy.tick(self.driven.now))

    @rule(data=st.data())
    def come_up(self, data: st.DataObject) -> None:
        """Let a process say hello."""
        if worker := self.some(data, lambda w, model: w.state is State.STARTING):
            self.driven.up(worker.number)

    @rule(data=st.data(), unhealthy=st.sampled_from([None, None, "", "leak"]))
    def answer(self, data: st.DataObject, unhealthy: str | None) -> None:
        """Let a process answer a ping."""
        if worker := self.some(data, lambda w, model: model.pinged):
            self.driven.models[worker].pinged = False
            self.driven.do(self.driven.policy.pong(worker, unhealthy, self.driven.now))

    @rule(data=st.data(), word=st.sampled_from(["hello", "pong", "frame", "EOF"]))
    def babble(self, data: st.DataObject, word: str) -> None:
        """Let any process say anything, and end its channel, even one that is dead."""
        worker = self.some(data, lambda w, model: True)
        if worker is None:
            return
        policy, now = self.driven.policy, self.driven.now
        if word == "hello":
            self.driven.do(policy.hello(worker, now))
        elif word == "pong":
            self.driven.models[worker].pinged = False
            self.driven.do(policy.pong(worker, None, now))
        else:
            self.driven.do(policy.lost(worker, word, now, word == "frame"))
            assert worker.dropped

    @rule(data=st.data(), status=st.sampled_from([0, 0, 3, -9]))
    def exit(self, data: st.DataObject, status: int) -> None:
        """Let any process end, at any time."""
        if worker := self.some(data, lambda w, model: model.life != "ended"):
            self.driven.exit(worker.number, f"status {status}", status)

    @rule(data=st.data())
    def end_as_told(self, data: st.DataObject) -> None:
        """Let a process end that was told to, or killed."""
        worker = self.some(
            data, lambda w, m: m.life == "stopping" or (m.killed and m.life != "ended")
        )
        if worker is not None:
            self.driven.exit(worker.number)

    @rule(data=st.data(), memory=st.sampled_from([0, 1]))
    def serve(self, data: st.DataObject, memory: int) -> None:
        """Let a worker have a request, and another one, and memory for them."""
        worker = self.some(data, lambda w, model: w.state is State.SERVING)
        if worker is not None:
            worker.served += 1
            worker.held = 1 - worker.held
            worker.active = self.driven.now
            self.driven.do(self.driven.policy.served_enough(worker, self.driven.now))
            self.driven.do(self.driven.policy.measured(worker, memory, 0, self.driven.now))

    @invariant()
    @precondition(lambda self: hasattr(self, "driven"))
    def whatever_is_pending_has_a_deadline(self) -> None:
        """A process that has to do something has a limit, unless it was killed."""
        self.driven.check()
        policy = self.driven.policy
        for worker in self.driven.living:
            model = self.driven.models[worker]
            unlimited = worker.state is State.SERVING or model.killed
            assert unlimited or policy.deadline is not None
        assert policy.enabled or not any(
            w.state in (State.STARTING, State.SERVING) for w in policy.workers
        )

    def teardown(self) -> None:
        """Leave the pool to itself, with processes that do nothing, and see how it ends."""
        if not hasattr(self, "driven"):
            return
        self.follow(lambda: self.at_rest() and not self.ending())
        self.driven.do(self.driven.policy.stop(self.driven.now, "N/A"))
        self.follow(lambda: not self.driven.living)
        assert self.driven.policy.deadline is None

    def at_rest(self) -> bool:
        """Whether requests are served, refused, or there are none."""
        policy = self.driven.policy
        served = any(worker.state is State.SERVING for worker in policy.workers)
        return served or self.driven.refusal is not None or not policy.wanted

    def ending(self) -> bool:
        """Whether any process is still to end."""
        return any(w.state is State.SHUTTING_DOWN for w in self.driven.policy.workers)

    def follow(self, condition: Callable[[], bool]) -> None:
        """Do nothing but what is due until something is so: each kill is followed by an exit."""
        for _ in range(TURNS_MAX):
            if condition():
                return
            for worker in self.driven.living:
                if self.driven.models[worker].killed:
                    self.driven.exit(worker.number, "SIGKILL", -9)
            deadline = self.driven.policy.deadline
            if deadline is not None:
                self.driven.tick(max(0.0, deadline - self.driven.now))
        assert condition(), repr(self.driven.policy)


AnyOrder.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)
TestAnyOrder = AnyOrder.TestCase
