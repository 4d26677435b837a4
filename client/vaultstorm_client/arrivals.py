"""When clients arrive: schedules, as offsets in seconds from the start of the burst. Pure."""

import itertools
import math
import random
from collections.abc import Iterator


def ramped(clients: int, ramp: float) -> Iterator[float]:
    """Evenly over `ramp` seconds, the first at 0."""
    return (index * ramp / clients for index in range(clients))


def constant(rate: float, ramp: float = 0.0) -> Iterator[float]:
    """One every 1/`rate` seconds for ever, the rate growing evenly from 0 over `ramp` seconds."""
    return (_at(index, rate, ramp) for index in itertools.count())


def poisson(rate: float, seed: int, ramp: float = 0.0) -> Iterator[float]:
    """A Poisson process of `rate` a second for ever, the same one for the same seed.

    With a `ramp`, the rate grows evenly from 0 over that many seconds.
    """
    draw = random.Random(seed)
    events = itertools.accumulate(iter(lambda: draw.expovariate(1.0), None))
    return (_at(event, rate, ramp) for event in events)


def until(
    arrivals: Iterator[float], clients: int | None, duration: float | None
) -> Iterator[float]:
    """Cut a schedule after so many clients, or so many seconds, whichever comes first."""
    if clients is not None:
        arrivals = itertools.islice(arrivals, clients)
    if duration is not None:
        arrivals = itertools.takewhile(lambda offset: offset < duration, arrivals)
    return arrivals


def _at(events: float, rate: float, ramp: float) -> float:
    """When the expected number of arrivals reaches `events`.

    It is rate*t²/(2*ramp) during the ramp and rate*(t - ramp/2) after it.
    """
    if events * 2 < rate * ramp:
        return math.sqrt(2 * ramp * events / rate)
    return events / rate + ramp / 2
