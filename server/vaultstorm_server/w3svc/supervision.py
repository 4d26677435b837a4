"""W3SVC's care for one worker process at a time: its health, and the limits that recycle it."""

from collections.abc import Callable, Sequence
from typing import Final

from vaultstorm_server.w3svc import eventlog
from vaultstorm_server.w3svc.actions import Log, Measure, Note, Ping
from vaultstorm_server.w3svc.duties import Duty, duties, idle_until
from vaultstorm_server.w3svc.eventlog import Template
from vaultstorm_server.w3svc.recycling import Reason, over_memory
from vaultstorm_server.w3svc.roster import Roster
from vaultstorm_server.w3svc.worker import Worker


class Supervision:
    """Does what is due about each worker of a roster, and takes what each says of itself."""

    __slots__ = ("_roster",)

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    def tend(self, worker: Worker, now: float) -> None:
        """Do what is due about one worker, in the order in which it came due."""
        state = worker.state
        for when, duty in sorted(duties(worker, self._roster.settings)):
            if when > now or worker.state is not state:
                return
            if duty in FAULTS:
                data = worker.why if duty is Duty.BROKEN else None
                self._roster.fail(worker, now, FAULTS[duty], data)
            else:
                ROUTINE[duty](self, worker, now)

    def recycle(self, workers: Sequence[Worker], reason: Reason) -> None:
        """Let each of some workers leave as soon as another serves in its place."""
        settings = self._roster.settings
        told = bool(settings.LogEventOnRecycle & reason.bit)
        if told and reason.whole_pool and workers:
            self._roster.ask(Log(eventlog.recycled(reason, settings.Name, None)))
        for worker in workers:
            worker.leaving = reason
            self._roster.ask(Note("recycle", worker, reason))
            if told and not reason.whole_pool:
                self._roster.ask(Log(eventlog.recycled(reason, settings.Name, worker.pid)))

    def pong(self, worker: Worker, unhealthy: str | None, now: float) -> None:
        """Take the answer to a ping; an ISAPI that is unhealthy has its worker recycled."""
        if worker.pinged is None:
            self.nonsense(worker, "a pong without a ping", now)
            return
        worker.ping_at = worker.pinged + self._roster.settings.PingInterval
        worker.pinged = None
        if unhealthy is not None and worker.fresh:
            self._roster.ask(Log(eventlog.unhealthy(unhealthy, worker.pid)))
            self.recycle([worker], Reason.ISAPI_UNHEALTHY)

    def served_enough(self, worker: Worker) -> None:
        """Recycle a worker that has served PeriodicRestartRequests."""
        limit = self._roster.settings.PeriodicRestartRequests
        if 0 < limit <= worker.served:
            self.recycle([worker], Reason.REQUESTS)

    def measured(self, worker: Worker, virtual: int, private: int) -> None:
        """Recycle a worker that has too much memory."""
        reason = over_memory(self._roster.settings, virtual, private)
        if worker.fresh and reason is not None:
            self.recycle([worker], reason)

    def nonsense(self, worker: Worker, why: str, now: float) -> None:
        """End a worker that says what it cannot say."""
        self._roster.fail(worker, now, eventlog.BROKEN, why)

    def _ping(self, worker: Worker, now: float) -> None:
        worker.pinged = now
        self._roster.ask(Ping(worker))

    def _measure(self, worker: Worker, now: float) -> None:
        worker.measure_at = now + self._roster.settings.PingInterval
        self._roster.ask(Measure(worker))

    def _age(self, worker: Worker, now: float) -> None:
        if worker.fresh:
            self.recycle([worker], Reason.TIME)

    def _idle(self, worker: Worker, now: float) -> None:
        if not worker.fresh:
            return
        worker.idle_at = idle_until(worker, self._roster.settings, now)
        if worker.idle_at <= now:
            self._roster.wanted -= 1
            self._roster.stop(worker, now, "idle")


FAULTS: Final[dict[Duty, Template]] = {
    Duty.SLOW_START: eventlog.SLOW_START,
    Duty.SLOW_END: eventlog.SLOW_END,
    Duty.BROKEN: eventlog.BROKEN,
    Duty.SILENT: eventlog.SILENT,
}
"""The event log's entry for each thing that a worker did not do in time."""

ROUTINE: Final[dict[Duty, Callable[[Supervision, Worker, float], None]]] = {
    Duty.PING: Supervision._ping,
    Duty.MEASURE: Supervision._measure,
    Duty.RECYCLE: Supervision._age,
    Duty.IDLE: Supervision._idle,
}
