"""What the accept queue's policy costs per event, and that its length does not matter."""

import json
from typing import Final

from bench.children import PYTHON, BenchError, run
from bench.result import Column, Growth, Measurement
from bench.setup import Setup

NAME: Final = "queue"
LIMIT_US: Final = 2.0
CONSTANT: Final = 1.25
"""The longest queue may cost so much more than the shortest: what two runs of one length differ."""
LENGTHS: Final = (20, 200, 600, 6000, 60_000)
"""The backlog that IIS asks for, a tenth and three times it, and far beyond."""
USUAL: Final = 200
EVENTS: Final = {
    "arrive": "arrival that is queued",
    "turned_away": "arrival that is turned away",
    "growth": "arrival while the dynamic backlog grows",
    "accept": "accept",
    "floor": "floor: a deque's append",
}


def measure(setup: Setup) -> Measurement:
    """Fill, overrun and empty queues of several lengths."""
    rounds, events = setup.size(5, 1), setup.size(300_000, 120_000)
    result = Measurement(
        NAME,
        f"the policy alone, by length of the queue; {events:,} of each event (median of {rounds})",
        [Column(str(length), f"us at {length:,}", 3) for length in LENGTHS],
        growth=Growth("length of the queue", "us/event"),
    )
    for _ in range(rounds):
        for length in LENGTHS:
            done = run([PYTHON, "-m", "bench.policies", str(length), str(events)], 60.0)
            if done.code:
                raise BenchError(f"the policy: {done.errors}")
            for event, us in json.loads(done.output).items():
                result.row(EVENTS[event]).add(**{str(length): us})
                assert result.growth is not None
                result.growth.add(EVENTS[event], length, us)
    for event in ("arrive", "turned_away", "growth"):
        row = result.row(EVENTS[event])
        result.hold(f"us an {EVENTS[event]}", row.value(str(USUAL)), LIMIT_US)
    for event in ("arrive", "accept"):
        row = result.row(EVENTS[event])
        longest, shortest = row.value(str(LENGTHS[-1])), row.value(str(LENGTHS[0]))
        assert longest is not None
        assert shortest
        claim = f"{EVENTS[event]} at {LENGTHS[-1]:,}, x that at {LENGTHS[0]}"
        result.hold(claim, longest / shortest, CONSTANT)
    return result
