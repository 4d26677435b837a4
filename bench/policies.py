"""Drives the policy of the accept queue, and times it: ``-m bench.policies LENGTH EVENTS``.

Prints one line of JSON: the microseconds of each kind of event, the loop around it included.
"""

import json
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from vaultstorm_server.afd.policy import AcceptQueue
from vaultstorm_server.settings import Afd

_LAG_S: Final = 0.001


def main(length: int, events: int) -> None:
    """Time every kind of event."""
    rounds = max(1, events // length)
    figures = {
        **_static(length, rounds),
        "growth": _growing(length, rounds),
        "floor": _floor(length, rounds),
    }
    print(json.dumps(figures))


def _static(length: int, rounds: int) -> dict[str, float]:
    """Fill a queue that does not grow, overrun it as often as it is long, and empty it."""
    queue = AcceptQueue(Afd(Backlog=length, MaximumStaticBacklog=length), True)
    capacity = queue.capacity
    spent = {"arrive": 0.0, "turned_away": 0.0, "accept": 0.0}
    for nth in range(rounds):
        now = float(nth)
        spent["arrive"] += _time(queue.arrive, now, capacity)
        spent["turned_away"] += _time(queue.arrive, now, capacity)
        spent["accept"] += _time(queue.accept, now, capacity)
    told = queue.statistics()
    assert told.admitted == told.accepted == told.turned_away == rounds * capacity
    return {event: seconds / (rounds * capacity) * 1e6 for event, seconds in spent.items()}


def _growing(length: int, rounds: int) -> float:
    """Fill a queue that begins small and grows, ten at a time, to its length."""
    spent, arrivals = 0.0, 0
    for _ in range(rounds):
        afd = Afd(
            Backlog=11,
            EnableDynamicBacklog=1,
            MinimumDynamicBacklog=10,
            MaximumDynamicBacklog=max(20, length),
            DynamicBacklogGrowthDelta=10,
            GrowthLag=_LAG_S,
        )
        queue = AcceptQueue(afd, True)
        times = [nth * _LAG_S / 5 for nth in range(length)]
        begun = time.perf_counter()
        for now in times:
            queue.arrive(now)
        spent += time.perf_counter() - begun
        arrivals += length
        assert queue.statistics().growths > 0
    return spent / arrivals * 1e6


def _floor(length: int, rounds: int) -> float:
    """Append to a deque, and nothing else."""
    spent = 0.0
    for _ in range(rounds):
        spent += _time(deque[float]().append, 0.0, length)
    return spent / (rounds * length) * 1e6


def _time(event: Callable[[float], object], now: float, times: int) -> float:
    """Give the seconds of an event that is made so many times."""
    each: Iterable[None] = [None] * times
    begun = time.perf_counter()
    for _ in each:
        event(now)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
