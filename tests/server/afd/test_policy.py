"""The accept queue's policy: each row of the failure table that needs no socket."""

import msgspec
import pytest

from vaultstorm_server.afd.policy import AcceptQueue
from vaultstorm_server.settings import Afd

KB960007 = {
    "EnableDynamicBacklog": 1,
    "MinimumDynamicBacklog": 20,
    "MaximumDynamicBacklog": 20000,
    "DynamicBacklogGrowthDelta": 10,
}


def burst(queue: AcceptQueue, count: int, now: float = 0.0) -> int:
    """Let `count` connections arrive at once, and say how many got a slot."""
    return sum(queue.arrive(now) for _ in range(count))


@pytest.mark.parametrize("protected", [False, True])
@pytest.mark.parametrize("backlog", [1, 2, 10])
def test_exactly_the_backlog_fits(backlog: int, protected: bool) -> None:
    """A1, A2, A4: the N-th connection is queued, the one after it turned away."""
    queue = AcceptQueue(Afd(Backlog=backlog), protected)

    assert burst(queue, backlog - 1) == backlog - 1
    assert (queue.free, queue.full) == (1, False)
    assert [queue.arrive(0), queue.arrive(0)] == [True, False]
    assert (queue.free, queue.full) == (0, True)
    assert queue.statistics().turned_away == 1


@pytest.mark.parametrize("slack", [0, 1, 2])
def test_slack_is_room_above_the_backlog(slack: int) -> None:
    """KB113576 saw the 7th or 8th SYN refused with a backlog of 5."""
    assert burst(AcceptQueue(Afd(Backlog=5, Slack=slack), True), 100) == 5 + slack


@pytest.mark.parametrize("backlog, fits", [(4, 4), (5, 5), (6, 5), (65535, 5)])
def test_the_edition_of_windows_cuts_the_backlog(backlog: int, fits: int) -> None:
    """Workstation allows 5, whatever the application asks for."""
    queue = AcceptQueue(Afd(Backlog=backlog, MaximumStaticBacklog=5), True)

    assert burst(queue, 100) == fits


def test_accept_frees_one_slot_and_never_more_than_there_were() -> None:
    """A3: a SYN that is sent again after an accept finds room, and the pool does not grow."""
    queue = AcceptQueue(Afd(Backlog=2), False)
    assert [queue.syn(0), queue.syn(0), queue.syn(0)] == [True, True, False]
    assert queue.handshake_done(0)

    queue.accept(0.4)

    assert queue.syn(0.5)
    assert not queue.syn(1.0)
    assert queue.capacity == 2


def test_a_burst_fails_from_where_it_outruns_the_accepts_by_the_backlog() -> None:
    """A7: with one accept for every two arrivals and a backlog of 10, the 20th is the first lost.

    Before the 20th, 9 of 19 were accepted and 10 wait; its own accept comes too late for it.
    """
    queue = AcceptQueue(Afd(Backlog=10), True)
    results = []
    for number in range(1, 31):
        results.append(queue.arrive(number))
        if number % 2 == 0:
            queue.accept(number)

    assert results.index(False) + 1 == 20
    assert results[:10] == [True] * 10


def test_half_open_connections_eat_the_backlog_without_protection() -> None:
    """A12: a SYN takes a slot, and gives it back only when its handshake is lost."""
    queue = AcceptQueue(Afd(Backlog=10), False)

    assert [queue.syn(0) for _ in range(11)] == [True] * 10 + [False]
    assert queue.statistics().syn_received == 10
    assert queue.queued == 0

    queue.handshake_lost(21)
    assert queue.syn(21)
    assert not queue.syn(21)


def test_half_open_connections_hold_nothing_with_protection() -> None:
    """A13: any number of SYNs is answered, and the slots go to those that finish."""
    queue = AcceptQueue(Afd(Backlog=10), True)

    assert all(queue.syn(0) for _ in range(1000))
    assert queue.free == 10
    assert [queue.handshake_done(1) for _ in range(11)] == [True] * 10 + [False]

    queue.handshake_lost(2)
    assert queue.free == 0


def test_a_finished_handshake_keeps_the_slot_of_its_syn() -> None:
    """Without protection a connection that got a SYN-ACK is never turned away later."""
    queue = AcceptQueue(Afd(Backlog=1), False)
    assert queue.syn(0)
    assert not queue.arrive(0)

    assert queue.handshake_done(0)

    statistics = queue.statistics()
    assert (statistics.queued, statistics.syn_received, statistics.capacity) == (1, 0, 1)


@pytest.mark.parametrize("backlog", [1, 10, 19, 20])
def test_dynamic_backlog_does_nothing_up_to_the_minimum(backlog: int) -> None:
    """A8: COM's 10 is not above 20, so the values of KB960007 alone change nothing at all."""
    dynamic = AcceptQueue(Afd(Backlog=backlog, **KB960007), True)
    static = AcceptQueue(Afd(Backlog=backlog), True)
    for queue in (dynamic, static):
        burst(queue, 500)
        queue.accept(1)
        burst(queue, 2, now=2)

    assert dynamic.statistics() == static.statistics()
    assert not dynamic.statistics().dynamic


def test_dynamic_backlog_begins_above_the_minimum() -> None:
    """KB142641: the backlog must be greater than MinimumDynamicBacklog."""
    assert burst(AcceptQueue(Afd(Backlog=20, **KB960007), True), 500) == 20
    assert burst(AcceptQueue(Afd(Backlog=21, **KB960007), True), 500) == 500


def test_dynamic_backlog_saves_the_burst_at_backlog_100() -> None:
    """KB960007 whole: RpcProtSeqMaxCalls 100 and the registry values lose none of 500."""
    queue = AcceptQueue(Afd(Backlog=100, **KB960007), True)

    assert burst(queue, 500) == 500
    # 500 taken of 100, and at least 20 free again after the last growth: 42 times 10.
    queue.advance(0)
    assert queue.statistics().created == 420
    assert queue.free == 20


@pytest.mark.parametrize("free, grows", [(20, False), (19, True)])
def test_growth_is_queued_below_the_minimum(free: int, grows: bool) -> None:
    """Minimum itself is enough: the worker is queued when free drops below it."""
    queue = AcceptQueue(Afd(Backlog=100, **KB960007), True)
    burst(queue, 100 - free)

    assert (queue.growth_due is not None) == grows


def test_slow_arrivals_are_never_refused() -> None:
    """A9: slower than the lag, free is back at the Minimum before the next one comes."""
    queue = AcceptQueue(Afd(Backlog=21, **KB960007, GrowthLag=0.5), True)
    for second in range(1000):
        assert queue.arrive(second)
        queue.advance(second + 0.5)
        assert queue.free >= 20

    assert queue.statistics().turned_away == 0


def test_a_burst_faster_than_the_growth_lag_is_refused_early() -> None:
    """A10: what comes within the lag finds the first pool only; later none is lost."""
    queue = AcceptQueue(Afd(Backlog=100, **KB960007, GrowthLag=1), True)

    assert burst(queue, 150, now=0) == 100
    assert (queue.free, queue.growth_due) == (0, 1)
    assert not queue.arrive(0.999)
    # One growth of 10 is done, and another queued, since 10 is still below 20.
    assert burst(queue, 11, now=1) == 10
    assert (queue.free, queue.growth_due) == (0, 2)
    # Runs at 2 and 3 make 20; that is not below the Minimum.
    queue.advance(9)
    assert (queue.free, queue.growth_due) == (20, None)
    assert all(queue.arrive(10 + second) for second in range(100))


def test_growth_that_would_exceed_the_maximum_does_not_happen_at_all() -> None:
    """A11: Delta is added whole or not; then refusals resume."""
    values = KB960007 | {"MaximumDynamicBacklog": 29, "DynamicBacklogGrowthDelta": 10}
    queue = AcceptQueue(Afd(Backlog=21, **values), True)

    # 19 + 10 = 29 is allowed once free is 19; the room for another 10 comes again at 19 free.
    burst(queue, 2)
    queue.advance(0)
    assert queue.free == 29
    values["MaximumDynamicBacklog"] = 28
    queue = AcceptQueue(Afd(Backlog=21, **values), True)
    burst(queue, 2)
    queue.advance(0)
    assert queue.free == 19


def test_half_open_connections_count_against_the_maximum() -> None:
    """A11: quasi-free is free plus SYN_RECEIVED, so a flood stops the growth without protection."""
    values = KB960007 | {"MaximumDynamicBacklog": 100}
    flooded = AcceptQueue(Afd(Backlog=100, **values), False)
    protected = AcceptQueue(Afd(Backlog=100, **values), True)

    assert sum(flooded.syn(0) for _ in range(500)) == 100
    assert flooded.statistics().growths == 0
    assert all(protected.syn(0) for _ in range(500))
    assert all(protected.handshake_done(0) for _ in range(500))


@pytest.mark.parametrize("value", ["DynamicBacklogGrowthDelta", "MaximumDynamicBacklog"])
def test_the_defaults_of_delta_and_maximum_never_grow(value: str) -> None:
    """EnableDynamicBacklog alone leaves both at 0: nothing is ever made."""
    queue = AcceptQueue(Afd(Backlog=100, **(KB960007 | {value: 0})), True)

    assert burst(queue, 500) == 100
    assert queue.statistics().created == 0


def test_a_minimum_of_zero_leaves_the_pool_static() -> None:
    """Free can not be below 0, so accept goes on freeing slots instead of draining the pool."""
    queue = AcceptQueue(Afd(Backlog=10, **(KB960007 | {"MinimumDynamicBacklog": 0})), True)
    for _ in range(100):
        assert queue.arrive(0)
        queue.accept(0)

    assert queue.free == 10


def test_accept_refills_a_dynamic_pool_only_up_to_the_minimum() -> None:
    """A dynamic pool gives the slots above its Minimum back for good."""
    queue = AcceptQueue(Afd(Backlog=100, **(KB960007 | {"DynamicBacklogGrowthDelta": 0})), True)
    burst(queue, 100)
    for _ in range(100):
        queue.accept(0)

    assert queue.free == 20
    assert queue.capacity == 20


def test_kb951162_creates_the_maximum_in_place_of_the_delta() -> None:
    """A14: no client notices, and the handles jump by MaximumDynamicBacklog each time."""
    queue = AcceptQueue(Afd(Backlog=100, **KB960007, KB951162=1), True)

    assert burst(queue, 81) == 81
    queue.advance(0)

    statistics = queue.statistics()
    assert (statistics.growths, statistics.created) == (1, 20000)
    assert statistics.free == 19 + 20000
    # It does not look at what is there either: short again, it makes as many once more.
    assert burst(queue, 20000) == 20000
    queue.advance(0)
    assert queue.statistics().created == 40000
    assert queue.statistics().capacity == 40100


def test_an_event_that_cannot_be_is_an_error() -> None:
    """Nothing is accepted, abandoned or finished that is not there."""
    queue = AcceptQueue(Afd(), False)

    with pytest.raises(ValueError, match="nothing is queued"):
        queue.accept(0)
    with pytest.raises(ValueError, match="nothing is queued"):
        queue.abandon(0)
    with pytest.raises(ValueError, match="no handshake"):
        queue.handshake_done(0)
    with pytest.raises(ValueError, match="no handshake"):
        queue.handshake_lost(0)


def test_it_says_what_it_holds() -> None:
    """The repr shows the pool, the statistics encode as JSON."""
    queue = AcceptQueue(Afd(Backlog=10), False)
    queue.arrive(0)
    queue.syn(0)

    assert repr(queue) == "<AcceptQueue static, 10 slots: 8 free, 1 half-open, 1 queued>"
    assert msgspec.json.decode(msgspec.json.encode(queue.statistics()))["free"] == 8


def test_listening_again_begins_anew_and_goes_on_counting() -> None:
    """Growth that was made or is due belongs to the application that has ended."""
    afd = Afd(
        Backlog=3,
        EnableDynamicBacklog=1,
        MinimumDynamicBacklog=2,
        MaximumDynamicBacklog=9,
        DynamicBacklogGrowthDelta=4,
        GrowthLag=1,
    )
    queue = AcceptQueue(afd, True)
    burst(queue, 2)
    queue.advance(1.0)
    burst(queue, 4, 1.5)
    assert (queue.statistics().created, queue.growth_due) == (4, 2.5)
    for _ in range(6):
        queue.abandon(1.5)
    queue.listen_again()

    counted = queue.statistics()
    assert (counted.capacity, counted.free, counted.queued) == (3, 3, 0)
    assert (counted.admitted, counted.abandoned, counted.created) == (6, 6, 4)
    assert queue.growth_due is None
