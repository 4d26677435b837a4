"""The accept queue's policy against the algorithm as it is written down, event by event."""

from dataclasses import dataclass

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from vaultstorm_server.afd.policy import AcceptQueue
from vaultstorm_server.settings import Afd


@dataclass
class Reference:
    """The algorithm as written down, one growth at a time."""

    afd: Afd
    protected: bool

    def __post_init__(self) -> None:
        self.free = min(self.afd.Backlog, self.afd.MaximumStaticBacklog) + self.afd.Slack
        self.minimum = self.afd.MinimumDynamicBacklog
        self.dynamic = self.afd.EnableDynamicBacklog == 1 and 0 < self.minimum < self.afd.Backlog
        self.synrcvd = self.queued = self.turned_away = self.created = 0
        self.due: float | None = None

    def worker(self, now: float) -> None:
        """Run the growths that are due, each at its time."""
        while self.due is not None and self.due <= now:
            due, self.due = self.due, None
            added = self.afd.DynamicBacklogGrowthDelta
            if self.afd.KB951162:
                added = self.afd.MaximumDynamicBacklog
            elif self.free + self.synrcvd + added > self.afd.MaximumDynamicBacklog:
                added = 0
            self.free += added
            self.created += added
            if self.free < self.minimum and added:
                self.due = due + self.afd.GrowthLag

    def take(self, now: float) -> bool:
        """Take a free connection, or turn away."""
        if self.free == 0:
            self.turned_away += 1
            return False
        self.free -= 1
        if self.dynamic and self.free < self.minimum and self.due is None:
            self.due = now + self.afd.GrowthLag
        return True

    def leave(self) -> None:
        """Free a slot, of a dynamic pool up to the Minimum."""
        self.queued -= 1
        if not self.dynamic or self.free < self.minimum:
            self.free += 1


# Eighths of a second: sums and quotients are exact.
LAGS = st.sampled_from([0.0, 0.125, 0.5, 1.0])
AFDS = st.builds(
    Afd,
    Backlog=st.integers(1, 12),
    MaximumStaticBacklog=st.integers(1, 12),
    EnableDynamicBacklog=st.integers(0, 1),
    MinimumDynamicBacklog=st.integers(0, 12),
    MaximumDynamicBacklog=st.integers(0, 30),
    DynamicBacklogGrowthDelta=st.integers(0, 5),
    GrowthLag=LAGS,
    Slack=st.integers(0, 2),
    KB951162=st.integers(0, 1),
)


class QueueAgainstReference(RuleBasedStateMachine):
    """Any sequence of events, against the written algorithm and the laws of conservation."""

    @initialize(afd=AFDS, protected=st.booleans())
    def listen(self, afd: Afd, protected: bool) -> None:
        """Begin with any settings."""
        self.now = 0.0
        self.queue = AcceptQueue(afd, protected)
        self.model = Reference(afd, protected)
        self.arrived = 0

    @rule(eighths=st.integers(0, 40))
    def time_passes(self, eighths: int) -> None:
        """Nothing happens for a while."""
        self.now += eighths / 8

    @rule(count=st.integers(1, 15))
    def arrive(self, count: int) -> None:
        """Whole handshakes come in."""
        for _ in range(count):
            self.model.worker(self.now)
            expected = self.model.take(self.now)
            self.model.queued += expected
            self.arrived += 1
            assert self.queue.arrive(self.now) == expected

    @rule()
    def syn(self) -> None:
        """A SYN comes in."""
        self.model.worker(self.now)
        expected = self.model.protected or self.model.take(self.now)
        if not self.model.protected:
            self.arrived += 1
            self.model.synrcvd += expected
        assert self.queue.syn(self.now) == expected

    @precondition(lambda self: self.model.protected or self.model.synrcvd)
    @rule(done=st.booleans())
    def handshake_ends(self, done: bool) -> None:
        """A handshake is done or lost."""
        model = self.model
        model.worker(self.now)
        if not done:
            if not model.protected:
                model.synrcvd -= 1
                model.free += 1
                self.arrived -= 1
            self.queue.handshake_lost(self.now)
            return
        expected = True
        if model.protected:
            expected = model.take(self.now)
            self.arrived += 1
        else:
            model.synrcvd -= 1
        model.queued += expected
        assert self.queue.handshake_done(self.now) == expected

    @precondition(lambda self: self.model.queued)
    @rule(accepted=st.booleans())
    def leave(self, accepted: bool) -> None:
        """The application takes one, or it is given up."""
        self.model.worker(self.now)
        self.model.leave()
        (self.queue.accept if accepted else self.queue.abandon)(self.now)

    @rule()
    def advance(self) -> None:
        """The growth that is due is applied without an event."""
        self.model.worker(self.now)
        self.queue.advance(self.now)
        assert self.queue.growth_due is None or self.queue.growth_due > self.now

    @invariant()
    def same_and_conserved(self) -> None:
        """Both agree, and every connection is in exactly one place."""
        queue, model = self.queue.statistics(), self.model
        assert (queue.free, queue.syn_received, queue.queued, queue.turned_away) == (
            model.free,
            model.synrcvd,
            model.queued,
            model.turned_away,
        )
        assert (queue.created, self.queue.growth_due) == (model.created, model.due)
        assert min(queue.free, queue.syn_received, queue.queued) >= 0
        assert queue.admitted == queue.queued + queue.accepted + queue.abandoned
        assert self.arrived == queue.admitted + queue.syn_received + queue.turned_away
        assert queue.capacity == queue.free + queue.syn_received + queue.queued


QueueAgainstReference.TestCase.settings = hypothesis_settings(
    max_examples=150, stateful_step_count=40, deadline=None, derandomize=True
)
TestQueueAgainstReference = QueueAgainstReference.TestCase
