"""The request queue of an application pool, without any I/O."""

import gc
import weakref
from collections.abc import Sequence

import pytest

from tests.server.httpsys.queue_model import (
    Connection,
    Queue,
    Req,
    bound_to,
    requests,
)
from vaultstorm_server.httpsys.binding import Binding, ListedBinding, ServingBinding
from vaultstorm_server.httpsys.request_queue import Assignment, QueueFullError, RequestQueue


def who(assignments: Sequence[Assignment[str, Req] | None]) -> list[str | None]:
    """Name the workers that took requests."""
    return [assignment and assignment.worker for assignment in assignments]


def test_without_a_worker_requests_wait_and_the_first_worker_takes_them_in_order() -> None:
    """A worker that is added pulls as many as it has receives, oldest first."""
    queue: Queue = RequestQueue(10, 2, ServingBinding())
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


@pytest.mark.parametrize("limit", [0, 1, 10])
def test_the_limit_counts_all_that_waits(limit: int) -> None:
    """The N-th request waits and the N+1st finds the queue full, bound to a worker or not."""
    queue: Queue = RequestQueue(limit, 1, ServingBinding())
    queue.worker_added("a")
    held = queue.put(Req())
    assert held is not None  # so it does not count
    for number in range(limit):
        assert queue.put(bound_to("a") if number % 2 else Req()) is None

    for late in (Req(), bound_to("a")):
        with pytest.raises(QueueFullError):
            queue.put(late)

    assert queue.statistics().refused == 2
    assert queue.statistics().highest == limit
    queue.worker_added("b")  # takes the oldest fresh one, if there is any
    if limit:
        assert queue.put(Req()) is None
    else:
        assert queue.put(Req()) is not None


def test_a_request_that_need_not_wait_is_not_refused() -> None:
    """The limit is on what waits: a full queue for one worker leaves the others' receives alone."""
    queue: Queue = RequestQueue(1, 1, ServingBinding())
    queue.worker_added("a")
    queue.put(Req())
    queue.put(bound_to("a"))
    queue.worker_added("b")

    assert who([queue.put(Req())]) == ["b"]
    with pytest.raises(QueueFullError):
        queue.put(Req())


def test_workers_with_room_take_turns() -> None:
    """Requests go round among the workers, and past one that has no receive free."""
    queue: Queue = RequestQueue(10, 2, ServingBinding())
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
    queue: Queue = RequestQueue(10, 1, ServingBinding())
    queue.worker_added("a")
    queue.worker_added("b")
    first = queue.put(Req())
    assert first is not None
    assert queue.finish("a", first.ticket)[1] is None

    assert who([queue.put(request) for request in requests(2)]) == ["b", "a"]


def test_a_request_whose_client_left_is_skipped_in_its_turn() -> None:
    """It keeps its place until then, and the one behind it is taken instead."""
    queue: Queue = RequestQueue(10, 1, ServingBinding())
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
    queue: Queue = RequestQueue(10, 2, ServingBinding())
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
    queue: Queue = RequestQueue(10, 2, ServingBinding())
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
    queue: Queue = RequestQueue(10, 1, ServingBinding())
    queue.worker_added("a")
    held, waits, left = requests(3)
    for request in (held, waits, left):
        queue.put(request)
    left.gone = True

    assert queue.clear() == [waits]
    assert queue.statistics().waiting == 0
    assert queue.held_by("a") == 1


def test_a_kept_connection_stays_with_its_worker() -> None:
    """Later requests go to the worker of the first, whose turn it is or not, and wait for it."""
    queue: Queue = RequestQueue(10, 1, ServingBinding())
    queue.worker_added("a")
    queue.worker_added("b")
    kept = Connection()
    first = queue.put(Req("first", kept))
    assert first is not None
    queue.finish("a", first.ticket)  # the turn is b's

    second = queue.put(Req("second", kept))
    third = Req("third", kept)
    assert who([second]) == ["a"]
    assert queue.put(third) is None

    assert second is not None
    assert queue.finish("a", second.ticket)[1] == ("a", second.ticket + 1, third)
    assert queue.held_by("b") == 0


def test_bound_requests_leave_the_round_alone() -> None:
    """Connections go round, not requests: only new ones move the turn on."""
    queue: Queue = RequestQueue(10, 9, ServingBinding())
    queue.worker_added("a")
    queue.worker_added("b")

    come = [bound_to("a"), Req(), bound_to("a"), bound_to("b"), Req(), bound_to("b"), Req()]
    assert who([queue.put(one) for one in come]) == ["a", "a", "a", "b", "b", "b", "a"]


def test_nobody_is_overtaken_by_a_request_that_another_worker_takes() -> None:
    """An older one that waits bound keeps its place, before what its own worker might pull."""
    queue: Queue = RequestQueue(10, 1, ServingBinding())
    queue.worker_added("a")
    queue.worker_added("b")
    held = [queue.put(Req()), queue.put(Req())]
    older = bound_to("a", "older")
    fresh = requests(2)
    assert [queue.put(one) for one in (older, *fresh)] == [None, None, None]

    assert held[1] is not None
    _, by_b = queue.finish("b", held[1].ticket)
    assert by_b is not None
    assert by_b.request is fresh[0]
    assert held[0] is not None
    _, by_a = queue.finish("a", held[0].ticket)
    assert by_a is not None
    assert by_a.request is older
    assert who([queue.finish("a", by_a.ticket)[1]]) == ["a"]

    later = bound_to("a", "later")
    assert queue.put(later) is None
    queue.finish("b", by_b.ticket)
    assert who([queue.put(Req())]) == ["b"]  # at once: nobody older may go there
    assert queue.statistics().waiting == 1


@pytest.mark.parametrize("receives", [1, 2, 3, 4])
def test_changed_receives(receives: int) -> None:
    """More take from the queue at once; fewer leave what is held, until it is below them."""
    queue: Queue = RequestQueue(10, 2, ServingBinding())
    queue.worker_added("a")
    held = [queue.put(request) for request in requests(3)]

    gained = queue.limits(10, receives)

    assert len(gained) == (receives > 2)
    assert queue.held_by("a") == max(2, min(receives, 3))
    assert held[0] is not None
    _, following = queue.finish("a", held[0].ticket)
    assert (following is not None) == (receives == 2)
    assert queue.held_by("a") == min(receives, 2)
    assert (queue.put(Req()) is not None) == (receives > 2)


@pytest.mark.parametrize("limit", [0, 1, 2, 3])
def test_a_changed_limit(limit: int) -> None:
    """What waits beyond a lower one goes on waiting; it is for those that come."""
    queue: Queue = RequestQueue(2, 1, ServingBinding())
    queue.put(Req())
    queue.put(Req())

    queue.limits(limit, 1)

    assert queue.statistics().waiting == 2
    if limit > 2:
        assert queue.put(Req()) is None
    else:
        with pytest.raises(QueueFullError):
            queue.put(Req())


@pytest.mark.parametrize("there", ["a worker", "what waits"])
def test_the_binding_is_replaced_while_nothing_is_there(there: str) -> None:
    """A worker in the list, or a request that waits, keeps it as it is."""
    queue: Queue = RequestQueue(10, 1, ListedBinding())
    if there == "a worker":
        queue.worker_added("a")
    else:
        queue.put(Req())
    with pytest.raises(ValueError, match="in use"):
        queue.bind_by(ServingBinding())
    queue.worker_lost("a")
    queue.clear()
    queue.bind_by(ServingBinding())

    queue.worker_added("b")
    queue.worker_added("c")
    queue.worker_stopping("b")
    assert who([queue.put(bound_to("b"))]) == ["c"]


class Name(str):
    """A worker that can be watched being forgotten."""


@pytest.mark.parametrize("binding", [ListedBinding(), ServingBinding()])
def test_the_queue_keeps_nothing_of_what_has_ended(binding: Binding) -> None:
    """However a request ends, and once a worker is lost, the queue refers to it no more."""
    queue: Queue = RequestQueue(3, 1, binding)
    worker = Name("old")
    queue.worker_added(worker)
    finished, held, cleared, left, bound, fresh, refused = ended = requests(7)
    taken = queue.put(finished)
    assert taken is not None
    queue.finish(worker, taken.ticket)
    for request in (held, cleared):
        queue.put(request)
    queue.clear()
    left.bound = bound.bound = worker
    for request in (left, bound, fresh):
        assert queue.put(request) is None
    with pytest.raises(QueueFullError):
        queue.put(refused)
    left.gone = True
    queue.worker_stopping(worker)
    queue.worker_lost(worker)
    queue.limits(4, 1)
    last = Req("last", Connection(worker))
    queue.put(last)  # on a connection that was the lost worker's
    (taken,) = queue.worker_added("new")
    while taken.request is not last:
        request, taken = queue.finish("new", taken.ticket)
        assert taken is not None
    watched = [weakref.ref(one) for one in (worker, *ended)]

    del worker, ended, finished, held, cleared, left, bound, fresh, refused, request
    gc.collect()

    assert [one() for one in watched] == [None] * 8
    assert queue.held_by("new") == 1


def test_who_has_left_takes_up_room_until_the_queue_is_swept() -> None:
    """Bound or not; what is left keeps its order."""
    queue: Queue = RequestQueue(4, 1, ListedBinding())
    queue.worker_added("a")
    queue.put(Req())
    waiting = [Req(), bound_to("a"), bound_to("a"), Req()]
    for request in waiting:
        assert queue.put(request) is None
    waiting[0].gone = waiting[2].gone = True
    with pytest.raises(QueueFullError):
        queue.put(Req())
    queue.sweep()
    assert (queue.statistics().waiting, queue.statistics().skipped) == (2, 2)
    assert queue.put(Req()) is None
    assert queue.clear()[:2] == [waiting[1], waiting[3]]
