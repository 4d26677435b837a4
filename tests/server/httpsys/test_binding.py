"""KB908739: a request on a kept connection, while its worker shuts down; broken beside fixed."""

import pytest

from tests.server.httpsys.queue_model import Connection, Queue, Req, bound_to
from vaultstorm_server.httpsys.binding import Binding, ListedBinding, ServingBinding, binding
from vaultstorm_server.httpsys.request_queue import RequestQueue
from vaultstorm_server.settings import HttpSys

BOTH = [
    pytest.param(ListedBinding(), id="as shipped"),
    pytest.param(ServingBinding(), id="KB908739"),
]


@pytest.mark.parametrize("hotfix, kind", [(0, ListedBinding), (1, ServingBinding)])
def test_the_setting_chooses_the_object(hotfix: int, kind: type[Binding]) -> None:
    """KB908739 is one object in place of another, and off unless it is set."""
    assert type(binding(hotfix)) is kind
    assert type(binding(HttpSys().KB908739)) is ListedBinding


@pytest.mark.parametrize(
    "rule, stopping, holds",
    [
        (ListedBinding(), False, True),
        (ListedBinding(), True, True),
        (ServingBinding(), False, True),
        (ServingBinding(), True, False),
    ],
)
def test_how_long_a_connection_is_bound(rule: Binding, stopping: bool, holds: bool) -> None:
    """They differ in one case: the worker is in the list, and has been told to shut down."""
    assert rule.holds(stopping) is holds


@pytest.mark.parametrize("rule, worker", [(ListedBinding(), "old"), (ServingBinding(), "new")])
def test_a_request_after_the_shutdown_began(rule: Binding, worker: str) -> None:
    """B2, B5: it is sent to the worker that is leaving, and lost with it, unless that is fixed."""
    queue: Queue = RequestQueue(10, 2, rule)
    queue.worker_added("old")
    kept = Connection()
    first = queue.put(Req("first", kept))
    assert first is not None
    queue.finish("old", first.ticket)
    queue.worker_added("new")
    queue.worker_stopping("old")

    second = queue.put(Req("second", kept))

    assert second is not None
    assert second.worker == kept.bound == worker
    assert queue.worker_lost("old") == ([second.request] if worker == "old" else [])
    assert queue.statistics().lost == (worker == "old")
    assert queue.statistics().redirected == (worker == "new")


@pytest.mark.parametrize("rule, lost", [(ListedBinding(), True), (ServingBinding(), False)])
def test_a_request_that_waited_when_the_shutdown_began(rule: Binding, lost: bool) -> None:
    """What waits for the leaving worker's receive is lost with it; fixed, another takes it."""
    queue: Queue = RequestQueue(10, 1, rule)
    queue.worker_added("old")
    held = queue.put(Req("held"))
    waits = bound_to("old", "waits")
    assert queue.put(waits) is None
    queue.worker_added("new")

    moved = queue.worker_stopping("old")

    assert [(one.worker, one.request) for one in moved] == ([] if lost else [("new", waits)])
    assert held is not None
    assert queue.worker_lost("old") == ([held.request, waits] if lost else [held.request])
    assert queue.statistics().stranded == lost
    assert waits.bound == ("old" if lost else "new")


@pytest.mark.parametrize("rule, taker", [(ListedBinding(), "old"), (ServingBinding(), None)])
def test_a_receive_that_the_leaving_worker_frees(rule: Binding, taker: str | None) -> None:
    """The bound request that waits is sent to it even so; fixed, it stays with the pool."""
    queue: Queue = RequestQueue(10, 1, rule)
    queue.worker_added("old")
    held = queue.put(Req())
    waits, fresh = bound_to("old"), Req()
    queue.put(waits)
    queue.put(fresh)
    queue.worker_stopping("old")

    assert held is not None
    _, following = queue.finish("old", held.ticket)

    assert (following and following.worker) == taker
    assert queue.statistics().waiting == (1 if taker else 2)
    (first,) = queue.worker_added("new")
    assert first.request is (fresh if taker else waits)


@pytest.mark.parametrize("rule", BOTH)
def test_a_leaving_worker_that_frees_a_receive_is_not_in_the_round(rule: Binding) -> None:
    """A connection that nobody is bound to waits for another worker, whatever this one has free."""
    queue: Queue = RequestQueue(10, 1, rule)
    queue.worker_added("old")
    held = queue.put(Req())
    queue.worker_stopping("old")
    assert held is not None
    queue.finish("old", held.ticket)

    assert queue.put(Req()) is None
    assert not queue.limits(10, 2)


@pytest.mark.parametrize("rule, gained", [(ListedBinding(), 1), (ServingBinding(), 0)])
def test_receives_that_a_leaving_worker_gains(rule: Binding, gained: int) -> None:
    """They take what waits bound to it, and nothing else; fixed, nothing is."""
    queue: Queue = RequestQueue(10, 1, rule)
    queue.worker_added("old")
    for request in (Req(), Req(), bound_to("old")):
        queue.put(request)
    queue.worker_stopping("old")

    assert len(queue.limits(10, 3)) == gained
    assert queue.held_by("old") == 1 + gained


@pytest.mark.parametrize("rule", BOTH)
def test_a_recycle_without_overlap(rule: Binding) -> None:
    """B8: with no other worker a fresh request waits for the next one, and so does a fixed one."""
    queue: Queue = RequestQueue(10, 1, rule)
    queue.worker_added("old")
    queue.worker_stopping("old")
    kept, fresh = bound_to("old"), Req()

    sent = queue.put(kept)
    assert queue.put(fresh) is None
    lost = queue.worker_lost("old")
    (first,) = queue.worker_added("new")

    if isinstance(rule, ListedBinding):
        assert sent is not None
        assert (sent.worker, lost) == ("old", [kept])
        assert first.request is fresh
    else:
        assert (sent, lost) == (None, [])
        assert first.request is kept


def test_redirected_requests_keep_their_place() -> None:
    """With the fix, what waited for one worker and for all is taken in the order it came."""
    queue: Queue = RequestQueue(10, 1, ServingBinding())
    queue.worker_added("old")
    queue.put(Req())
    order = [bound_to("old", "a"), Req("b"), bound_to("old", "c"), Req("d")]
    for request in order:
        assert queue.put(request) is None
    queue.worker_stopping("old")
    assert [request.bound for request in order] == [None] * 4

    taken = queue.worker_added("new")
    while len(taken) < len(order):
        _, following = queue.finish("new", taken[-1].ticket)
        assert following is not None
        taken.append(following)
    assert [one.request for one in taken] == order


def test_redirected_requests_go_round() -> None:
    """With the fix, the free receives of the others take turns, and the turn moves on with it."""
    queue: Queue = RequestQueue(10, 2, ServingBinding())
    for worker in ("old", "b", "c"):
        queue.worker_added(worker)
    for request in [bound_to("old") for _ in range(3)]:
        queue.put(request)
    assert [one.worker for one in queue.worker_stopping("old")] == ["b"]

    assert queue.limits(10, 3) == []
    following = queue.put(Req())
    assert following is not None
    assert following.worker == "c"


@pytest.mark.parametrize("rule", BOTH)
def test_what_the_defect_leaves_alone(rule: Binding) -> None:
    """B1, B3, B6: new connections, kept ones after the hand-over, and requests in progress."""
    queue: Queue = RequestQueue(10, 2, rule)
    queue.worker_added("old")
    in_progress = queue.put(Req())
    queue.worker_added("new")
    queue.worker_stopping("old")
    assert queue.worker_stopping("old") == []

    fresh = queue.put(Req())
    assert fresh is not None
    assert fresh.worker == "new"
    assert in_progress is not None
    assert queue.finish("old", in_progress.ticket) == (in_progress.request, None)
    assert queue.worker_lost("old") == []
    after = queue.put(bound_to("old"))
    assert after is not None
    assert after.worker == after.request.bound == "new"
    assert queue.statistics().lost == queue.statistics().redirected == 0


@pytest.mark.parametrize("rule", BOTH)
def test_a_worker_that_crashes_takes_what_waits_for_it(rule: Binding) -> None:
    """B9: nobody told it to shut down, so what is bound to it is lost with it, fixed or not."""
    queue: Queue = RequestQueue(10, 1, rule)
    queue.worker_added("a")
    held = queue.put(Req("held"))
    waits, left = bound_to("a", "waits"), bound_to("a", "left")
    queue.put(waits)
    queue.put(left)
    left.gone = True

    assert held is not None
    assert queue.worker_lost("a") == [held.request, waits]
    counted = queue.statistics()
    assert (counted.lost, counted.stranded, counted.skipped) == (2, 1, 1)
    assert counted.waiting == 0


@pytest.mark.parametrize("rule", BOTH)
def test_a_worker_that_is_not_in_the_list(rule: Binding) -> None:
    """To stop or lose it changes nothing, before it came and after it went."""
    queue: Queue = RequestQueue(10, 1, rule)
    assert not queue.worker_stopping("a")
    assert not queue.worker_lost("a")
    queue.worker_added("a")
    queue.worker_lost("a")
    assert not queue.worker_stopping("a")
    assert not queue.worker_lost("a")
    waits = bound_to("a")
    assert queue.put(waits) is None
    assert waits.bound is None
