"""What has to be done about one worker process, and when."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

from vaultstorm_server.settings import AppPool
from vaultstorm_server.w3svc.recycling import spread
from vaultstorm_server.w3svc.states import Ending, State
from vaultstorm_server.w3svc.worker import Worker

EXIT_GRACE: Final = 1.0
"""Seconds that a process without a channel has to end by itself, and so to say how it ended."""


class Duty(StrEnum):
    """What has to be done about it."""

    SLOW_START = "it has taken longer than StartupTimeLimit"
    SLOW_END = "it has taken longer than ShutdownTimeLimit"
    BROKEN = "its channel has ended, and it has not"
    SILENT = "it has not answered a ping within PingResponseTime"
    PING = "PingInterval has passed"
    MEASURE = "its memory has to be looked at"
    RECYCLE = "it has served for PeriodicRestartTime"
    IDLE = "IdleTimeout may have passed"


def duties(worker: Worker, settings: AppPool) -> Iterator[tuple[float, Duty]]:
    """Give what there is to do about a worker, each with its time."""
    since = worker.since
    if worker.state is State.STARTING:
        yield since + settings.StartupTimeLimit, Duty.SLOW_START
    elif worker.ending is Ending.ASKED:
        yield since + settings.ShutdownTimeLimit, Duty.SLOW_END
    elif worker.ending is Ending.LOST:
        yield since + EXIT_GRACE, Duty.BROKEN
    elif worker.state is State.SERVING:
        yield from _health(worker, settings)
        if worker.leaving is None:
            yield from _age(worker)


def arm(worker: Worker, settings: AppPool, now: float, others: Iterable[Worker]) -> None:
    """Set the times at which to look at a serving worker; `others` are those of its web garden."""
    limited = settings.PeriodicRestartMemory or settings.PeriodicRestartPrivateMemory
    period = settings.PeriodicRestartTime
    taken = [other.recycle_at for other in others if other.recycle_at is not None]
    again = now + settings.PingInterval
    worker.ping_at = _sooner(worker.ping_at, again)
    worker.measure_at = _sooner(worker.measure_at, again) if limited else None
    worker.recycle_at = (
        spread(worker.since, period, settings.MaxProcesses, taken) if period else None
    )
    worker.idle_at = worker.active + settings.IdleTimeout if settings.IdleTimeout else None


def idle_until(worker: Worker, settings: AppPool, now: float) -> float:
    """Give the earliest time at which a worker can have been idle for IdleTimeout."""
    return (now if worker.held else worker.active) + settings.IdleTimeout


def _sooner(planned: float | None, other: float) -> float:
    return other if planned is None else min(planned, other)


def _health(worker: Worker, settings: AppPool) -> Iterator[tuple[float, Duty]]:
    if not settings.PingingEnabled or worker.ping_at is None:
        return
    if worker.pinged is not None:
        yield worker.pinged + settings.PingResponseTime, Duty.SILENT
    else:
        yield worker.ping_at, Duty.PING


def _age(worker: Worker) -> Iterator[tuple[float, Duty]]:
    if worker.measure_at is not None:
        yield worker.measure_at, Duty.MEASURE
    if worker.recycle_at is not None:
        yield worker.recycle_at, Duty.RECYCLE
    if worker.idle_at is not None:
        yield worker.idle_at, Duty.IDLE
