"""When a worker process is recycled: the limits, the reasons, and what the event log says of them.

The bits of LogEventOnRecycle and the texts are those of KB332088 and of the IIS 6 SDK.
"""

import math
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from vaultstorm_server.settings import AppPool


class Reason(StrEnum):
    """Why a worker process is recycled."""

    TIME = "time"
    REQUESTS = "requests"
    SCHEDULE = "schedule"
    MEMORY = "memory"
    ISAPI_UNHEALTHY = "isapi unhealthy"
    ON_DEMAND = "on demand"
    CONFIG_CHANGE = "config change"
    PRIVATE_MEMORY = "private memory"

    @property
    def bit(self) -> int:
        """Its bit in LogEventOnRecycle."""
        return LOGGED[self].bit

    @property
    def text(self) -> str:
        """What the event log says, with places for {pid} and {pool}."""
        return LOGGED[self].text

    @property
    def whole_pool(self) -> bool:
        """Whether the event log tells it once for the pool, not of each worker process."""
        return LOGGED[self].whole_pool


class Logged(NamedTuple):
    """How the event log tells of a recycle."""

    bit: int
    text: str
    whole_pool: bool = False


_REQUESTED = (
    "A worker process with process id of '{pid}' serving application pool '{pool}' "
    "has requested a recycle because "
)

LOGGED: Final[dict[Reason, Logged]] = {
    Reason.TIME: Logged(1, _REQUESTED + "it reached its allowed processing time limit."),
    Reason.REQUESTS: Logged(2, _REQUESTED + "it reached its allowed request limit."),
    Reason.SCHEDULE: Logged(4, _REQUESTED + "it reached its scheduled recycle time."),
    Reason.MEMORY: Logged(8, _REQUESTED + "it reached its virtual memory limit."),
    Reason.ISAPI_UNHEALTHY: Logged(
        16,
        "An ISAPI reported an unhealthy condition to its worker process. Therefore, the worker "
        "process with process id of '{pid}' serving application pool '{pool}' has requested a "
        "recycle.",
    ),
    Reason.ON_DEMAND: Logged(
        32,
        "An administrator has requested a recycle of all worker processes in application pool "
        "'{pool}'.",
        whole_pool=True,
    ),
    Reason.CONFIG_CHANGE: Logged(
        64,
        "The worker processes serving application pool '{pool}' are being recycled due to 1 or "
        "more configuration changes in the application pool properties which necessitate a restart "
        "of the processes.",
        whole_pool=True,
    ),
    Reason.PRIVATE_MEMORY: Logged(128, _REQUESTED + "it reached its private bytes memory limit."),
}


def over_memory(settings: AppPool, virtual: int, private: int) -> Reason | None:
    """Say which memory limit a worker process has reached, if any; 0 is no limit."""
    if 0 < settings.PeriodicRestartMemory <= virtual:
        return Reason.MEMORY
    if 0 < settings.PeriodicRestartPrivateMemory <= private:
        return Reason.PRIVATE_MEMORY
    return None


def next_scheduled(schedule: str, now: float) -> float | None:
    """Give the next of the local times of day in `schedule` after `now`, or None if it has none.

    A time that a change of the clocks leaves out comes as much later; one that it repeats counts
    the first time.
    """
    at = [time.fromisoformat(word.strip()) for word in schedule.split(",") if word.strip()]
    today = datetime.fromtimestamp(now).date()
    days = (today, today + timedelta(days=1))
    moments = [datetime.combine(day, hour).timestamp() for day in days for hour in at]
    return min((moment for moment in moments if moment > now), default=None)


def spread(since: float, period: float, count: int, taken: Iterable[float]) -> float:
    """Give the time at which a worker process that serves since `since` has reached its age limit.

    In a web garden they are not recycled all at once, but spread over the time set (cc787620): the
    latest time within `period` that is `period / count` away from those that are `taken`. So each
    comes at most once early, and never late.
    """
    gap = period / count
    due = since + period
    for other in sorted(taken, reverse=True):
        if abs(due - other) < gap and not math.isclose(abs(due - other), gap, abs_tol=1e-3 * gap):
            due = other - gap
    return due if due > since else since + period
