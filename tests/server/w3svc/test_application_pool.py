"""The application pool without processes: each rule in its shortest order of events."""

import pytest

from tests.server.w3svc.pool_world import Connection, serving
from vaultstorm_server.w3svc.states import State

LOST = "abandoned Connection_Abandoned_By_AppPool"
FIXED = pytest.param(1, id="KB908739")
BROKEN = pytest.param(0, id="unfixed")


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


def test_a_pool_that_was_stopped_stays_so_when_its_processes_are_killed() -> None:
    """Its requests go on being refused for the reason that the operator gave."""
    world = serving(1)
    held = world.ask()
    world.do(world.pool.stop(world.now, "Disabled"))
    world.pool.killed(world.now)
    assert (held.ends, world.ask().ends) == ([LOST], ["refused Disabled"])


def test_connections_are_bound_in_another_way_while_no_worker_is_there() -> None:
    """From no hotfix to the hotfix: who is bound to a worker that stops is answered by the next."""
    world = serving(0)
    with pytest.raises(ValueError, match="in use"):
        world.pool.bind_by(1)
    world.pool.killed(world.now)
    world.children.clear()
    world.pool.bind_by(1)
    world.hotfix = 1
    world.do(world.pool.start(world.now))
    world.hello(world.one(State.STARTING))
    kept, old = Connection(), world.one(State.SERVING)
    world.ask(kept)
    world.answer(old)
    world.do(world.pool.recycle(world.now))
    world.hello(world.one(State.STARTING))
    request = world.ask(kept)
    assert request.sent == [world.one(State.SERVING)] != [old]


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
