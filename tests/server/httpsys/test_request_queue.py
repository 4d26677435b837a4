"""The request queue of an application pool, without any I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from vaultstorm_server.httpsys.request_queue import Assignment, QueueFullError, RequestQueue


@dataclass(eq=False)
class Req:
    """A request that is nothing but there."""

    name: str = ""
    gone: bool = field(default=False)

    def __repr__(self) -> str:
        return self.name


Queue = RequestQueue[str, Req]


def requests(count: int) -> list[Req]:
    """Make some requests."""
    return [Req(f"r{number}") for number in range(count)]


def who(assignments: Sequence[Assignment[str, Req] | None]) -> list[str | None]:
    """Name the workers that took requests."""
    return [assignment and assignment.worker for assignment in assignments]


def test_without_a_worker_requests_wait_and_the_first_worker_takes_them_in_order() -> None:
    """A worker that is added pulls as many as it has receives, oldest first."""
    queue: Queue = RequestQueue(10, 2)
    r = requests(3)

    assert [queue.put(request) for request in r] == [None, None, None]

    taken = queue.worker_added("a")
    assert [assignment.request for assignment in taken] == r[:2]
    assert queue.statistics().waiting == 1
    assert repr(queue) == "<RequestQueue 1 of 10 waiting, 2 held by 1 workers>"
    request, following = queue.finish("a", taken[0].ticket)
    assert request is r[0]
    assert following is not None
    assert following.request is r[2]


@pytest.mark.parametrize("waiting, full", [(0, False), (9, False), (10, True)])
def test_the_limit_counts_what_waits(waiting: int, full: bool) -> None:
    """With AppPoolQueueLength 10 the tenth request waits and the eleventh finds it full."""
    queue: Queue = RequestQueue(10, 1)
    queue.worker_added("a")
    assert queue.put(Req()) is not None  # held, so it does not count
    for request in requests(waiting):
        queue.put(request)

    if full:
        with pytest.raises(QueueFullError):
            queue.put(Req())
    else:
        assert queue.put(Req()) is None
    assert queue.statistics().refused == int(full)
    assert queue.statistics().highest == min(waiting + 1, 10)


def test_workers_with_room_take_turns() -> None:
    """Requests go round among the workers, and past one that has no receive free."""
    queue: Queue = RequestQueue(10, 2)
    queue.worker_added("a")
    queue.worker_added("b")
    queue.worker_added("c")

    taken = [queue.put(request) for request in requests(4)]
    assert who(taken) == ["a", "b", "c", "a"]
    assert who([queue.put(request) for request in requests(3)]) == ["b", "c", None]
    assert taken[1] is not None
    _, following = queue.finish("b", taken[1].ticket)
    assert who([following]) == ["b"]


def test_a_freed_receive_joins_the_end_of_the_round() -> None:
    """A worker that had no room is behind those that have some."""
    queue: Queue = RequestQueue(10, 1)
    queue.worker_added("a")
    queue.worker_added("b")
    first = queue.put(Req())
    assert first is not None
    assert queue.finish("a", first.ticket)[1] is None

    assert who([queue.put(request) for request in requests(2)]) == ["b", "a"]


def test_a_request_whose_client_left_is_skipped_in_its_turn() -> None:
    """It keeps its place until then, and the one behind it is taken instead."""
    queue: Queue = RequestQueue(10, 1)
    first, left, last = requests(3)
    for request in (first, left, last):
        queue.put(request)
    (taken,) = queue.worker_added("a")
    left.gone = True

    _, following = queue.finish("a", taken.ticket)

    assert following is not None
    assert following.request is last
    assert queue.statistics().skipped == 1


def test_a_lost_worker_gives_back_what_it_held_and_takes_nothing_more() -> None:
    """Its requests come back oldest first; the next request goes to another worker or waits."""
    queue: Queue = RequestQueue(10, 2)
    queue.worker_added("a")
    r = requests(3)
    for request in r:
        queue.put(request)

    assert queue.worker_lost("a") == r[:2]
    assert queue.worker_lost("a") == []
    assert queue.held_by("a") == 0
    assert queue.put(Req()) is None
    (one, two) = queue.worker_added("b")
    assert one.request is r[2]
    assert two.worker == "b"
    assert queue.statistics().lost == 2


def test_an_unknown_ticket_is_a_missing_key() -> None:
    """A worker cannot finish what it does not hold, twice, or after it was lost."""
    queue: Queue = RequestQueue(10, 2)
    queue.worker_added("a")
    taken = queue.put(Req())
    assert taken is not None
    queue.finish("a", taken.ticket)
    with pytest.raises(KeyError):
        queue.finish("a", taken.ticket)
    queue.worker_lost("a")
    with pytest.raises(KeyError):
        queue.finish("a", taken.ticket)


def test_clearing_gives_what_waits_but_not_those_who_left() -> None:
    """Clear empties the queue and leaves alone what workers hold."""
    queue: Queue = RequestQueue(10, 1)
    queue.worker_added("a")
    held, waits, left = requests(3)
    for request in (held, waits, left):
        queue.put(request)
    left.gone = True

    assert queue.clear() == [waits]
    assert queue.statistics().waiting == 0
    assert queue.held_by("a") == 1


class Conservation(RuleBasedStateMachine):
    """Any order of events: nobody is lost, served twice, or overtaken."""

    limit = 10
    receives = 3

    def __init__(self) -> None:
        super().__init__()
        self.queue: Queue = RequestQueue(self.limit, self.receives)
        self.waiting: list[Req] = []
        self.held: dict[str, dict[int, Req]] = {}
        self.names = 0

    def taken(self, assignment: Assignment[str, Req]) -> None:
        """Check an assignment against the model: it is the oldest that is still there."""
        while self.waiting and self.waiting[0].gone:
            self.waiting.pop(0)
        assert assignment.request is self.waiting.pop(0)
        self.held[assignment.worker][assignment.ticket] = assignment.request

    @rule()
    def put(self) -> None:
        """A request arrives."""
        self.names += 1
        request = Req(f"r{self.names}")
        try:
            assignment = self.queue.put(request)
        except QueueFullError:
            assert len(self.waiting) == self.limit
            return
        self.waiting.append(request)
        if assignment is not None:
            assert len(self.waiting) == 1
            self.taken(assignment)

    @rule()
    def add(self) -> None:
        """A worker says hello."""
        self.names += 1
        worker = f"w{self.names}"
        self.held[worker] = {}
        for assignment in self.queue.worker_added(worker):
            self.taken(assignment)
        self.trim()

    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        """A worker answers one of its requests."""
        if not any(self.held.values()):
            return
        worker = data.draw(st.sampled_from([w for w in self.held if self.held[w]]))
        ticket = data.draw(st.sampled_from(list(self.held[worker])))
        request, following = self.queue.finish(worker, ticket)
        assert request is self.held[worker].pop(ticket)
        if following is not None:
            self.taken(following)
        self.trim()

    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        """A worker dies."""
        if self.held:
            worker = data.draw(st.sampled_from(list(self.held)))
            assert self.queue.worker_lost(worker) == list(self.held.pop(worker).values())

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """A client that waits leaves."""
        if self.waiting:
            data.draw(st.sampled_from(self.waiting)).gone = True

    def trim(self) -> None:
        """Forget those who left, as far as the queue has come to them."""
        while self.waiting and self.queue.statistics().waiting < len(self.waiting):
            assert self.waiting.pop(0).gone

    @invariant()
    def sums_add_up(self) -> None:
        """What was assigned is finished, lost or held, and nothing waits beside a free receive."""
        s = self.queue.statistics()
        assert s.assigned == s.finished + s.lost + s.held
        assert s.held == sum(map(len, self.held.values()))
        assert s.waiting == len(self.waiting)
        assert all(len(held) <= self.receives for held in self.held.values())
        if s.waiting:
            assert all(len(held) == self.receives for held in self.held.values())


TestConservation = Conservation.TestCase
TestConservation.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
