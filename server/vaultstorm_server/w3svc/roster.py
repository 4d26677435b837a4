"""The worker processes of a pool: each one's steps, and how many there are."""

from typing import Final

from vaultstorm_server.settings import AppPool
from vaultstorm_server.w3svc import eventlog
from vaultstorm_server.w3svc.actions import (
    Action,
    Drop,
    Kill,
    Log,
    Note,
    Orphan,
    Serve,
    Start,
    Stop,
)
from vaultstorm_server.w3svc.backoff import Backoff
from vaultstorm_server.w3svc.duties import arm
from vaultstorm_server.w3svc.eventlog import Template
from vaultstorm_server.w3svc.rapid_fail import RapidFail
from vaultstorm_server.w3svc.states import Change, Ending, State
from vaultstorm_server.w3svc.worker import Worker

LIVING_MAX: Final = 2
"""Processes for each that is wanted: in an overlapped recycle every old one has its new one.

Those that shut down count, but for those that were told to with nobody to come in their place: a
pool that an operator has stopped can be started again. No source gives IIS 6 such a limit; without
one, a recycle every few requests piles up processes that wait for a slow request.
"""


class Roster:
    """Keeps the workers, and collects the actions that their steps are.

    Attributes:
        settings: of the pool; may be set anew.
        rapid_fail: hears of every failure.
        backoff: hears of every start that never came to a hello.
        workers: all that live, in the order of their starts.
        wanted: processes that there are to be.
        starts: processes that were started.
        deaths: ends that nobody asked for.
    """

    __slots__ = (
        "_actions", "_number", "backoff", "deaths", "rapid_fail", "settings", "starts",
        "wanted", "workers",
    )  # fmt: skip

    def __init__(self, settings: AppPool) -> None:
        self.settings = settings
        self.rapid_fail = RapidFail(settings)
        self.backoff = Backoff()
        self.workers: list[Worker] = []
        self.wanted = self.starts = self.deaths = self._number = 0
        self._actions: list[Action] = []

    def take(self) -> list[Action]:
        """Give the actions since the last time."""
        actions, self._actions = self._actions, []
        return actions

    def ask(self, *actions: Action) -> None:
        """Add some actions."""
        self._actions += actions

    @property
    def fresh(self) -> list[Worker]:
        """Those that serve and are to go on serving."""
        return [worker for worker in self.workers if worker.fresh]

    @property
    def serving(self) -> bool:
        """Whether any serves."""
        return any(worker.state is State.SERVING for worker in self.workers)

    def configure(self, settings: AppPool, now: float) -> None:
        """Take other settings, and look at those that serve by them from now on."""
        pings_again = settings.PingingEnabled > self.settings.PingingEnabled
        self.settings = settings
        self.rapid_fail.configure(settings)
        serving = [worker for worker in self.workers if worker.state is State.SERVING]
        for place, worker in enumerate(serving):
            if pings_again and worker.pinged is not None:
                worker.pinged = now
            arm(worker, settings, now, serving[:place])

    @property
    def awaited(self) -> bool:
        """Whether one that shuts down as it was told to keeps all others from being started."""
        if not self.settings.DisallowOverlappingRotation:
            return False
        asked = any(worker.ending is Ending.ASKED for worker in self.workers)
        trying = any(worker.occupies for worker in self.workers) or self.backoff.until is not None
        return asked and not trying

    # The steps of one worker.

    def start(self, now: float) -> None:
        """Start the next one."""
        self._number += 1
        self.starts += 1
        worker = Worker(self._number, now)
        self.workers.append(worker)
        self.ask(Start(worker))

    def serve(self, worker: Worker, now: float) -> None:
        """Let one serve that has said hello."""
        others = self.fresh
        _move(worker, Change.HELLO, now)
        worker.active = now
        arm(worker, self.settings, now, others)
        self.backoff.clear()
        self.ask(Serve(worker))

    def stop(self, worker: Worker, now: float, why: str) -> None:
        """Tell a serving one to end."""
        _move(worker, Change.STOP, now)
        worker.ending = Ending.ASKED
        self.ask(Stop(worker), Note("worker_stopping", worker, why))

    def cancel(self, worker: Worker, now: float) -> None:
        """End one that has not served and is not wanted any more."""
        self.drop(worker)
        _move(worker, Change.LOST, now)
        worker.ending = Ending.CANCELLED
        self.ask(Kill(worker))

    def lose(self, worker: Worker, now: float, why: str) -> None:
        """Let one whose channel has ended tell by its exit what has happened to it."""
        self.drop(worker)
        if worker.ending is None:  # one that was told to end may close its channel before
            self._starting_failed(worker, now)
            _move(worker, Change.LOST, now)
            worker.ending = Ending.LOST
            worker.why = why

    def fail(self, worker: Worker, now: float, template: Template, data: str | None = None) -> None:
        """End one that has failed, or let go of it; either way the failure counts."""
        entry = eventlog.entry(template, self.settings.Name, worker.pid, data)
        self.ask(Log(entry))
        self._starting_failed(worker, now)
        self.rapid_fail.failed(now)
        if self.settings.OrphanWorkerProcess:
            worker.dropped = True
            self._bury(worker, now)
            self.deaths += 1
            self.ask(Orphan(worker), Note("worker_orphaned", worker))
        else:
            self.drop(worker)
            _move(worker, Change.LOST, now)
            worker.ending = Ending.FAILED
            self.ask(Kill(worker))

    def end(self, worker: Worker, now: float, how: str, status: int) -> None:
        """Strike off one whose process has ended; a crash is a failure."""
        self.drop(worker)
        self._starting_failed(worker, now)
        self._bury(worker, now)
        if worker.ending is Ending.CANCELLED or (worker.ending is Ending.ASKED and status == 0):
            self.ask(Note("worker_stopped", worker, how))
            return
        self.deaths += 1
        self.ask(Note("worker_died", worker, how))
        if worker.ending is not Ending.FAILED:
            name = self.settings.Name
            self.ask(Log(eventlog.entry(eventlog.CRASHED, name, worker.pid, code=status)))
            self.rapid_fail.failed(now)

    def forget(self, worker: Worker, now: float, error: str) -> None:
        """Strike off one whose process could not be made: no failure of a worker (cc787273)."""
        worker.dropped = True
        self._starting_failed(worker, now)
        self._bury(worker, now)
        self.starts -= 1
        self.ask(Log(eventlog.entry(eventlog.NOT_STARTED, self.settings.Name, data=error)))

    def abolish(self, now: float) -> None:
        """Strike off all; nothing is asked for, for their processes are no more."""
        for worker in list(self.workers):
            worker.dropped = True
            self._bury(worker, now)

    def drop(self, worker: Worker) -> None:
        """Close its channel and give up its requests, if that has not been done."""
        if not worker.dropped:
            worker.dropped = True
            self.ask(Drop(worker))

    # How many there are.

    def clear(self, now: float, why: str) -> None:
        """End all."""
        for worker in list(self.workers):
            if worker.state is State.STARTING:
                self.cancel(worker, now)
            elif worker.state is State.SERVING:
                self.stop(worker, now, why)

    def retire(self, now: float) -> None:
        """End those in whose place others serve, and those that are too many."""
        leaving = [w for w in self.workers if w.state is State.SERVING and w.leaving is not None]
        surplus = len(leaving)
        if not self.settings.DisallowOverlappingRotation:
            surplus += len(self.fresh) - self.wanted
        for worker in leaving[: max(0, surplus)]:
            self.stop(worker, now, str(worker.leaving))
        for worker in self._excess():
            if worker.state is State.STARTING:
                self.cancel(worker, now)
            else:
                self.stop(worker, now, "MaxProcesses")

    def fill(self, now: float) -> None:
        """Start as many as are missing, as far as there may be more processes."""
        if not self.backoff.over(now):
            return
        if self.settings.DisallowOverlappingRotation:
            room = self.wanted - len(self.workers)
        else:
            occupied = sum(worker.occupies for worker in self.workers)
            counted = sum(not worker.stopped for worker in self.workers)
            room = min(self.wanted - occupied, LIVING_MAX * self.settings.MaxProcesses - counted)
        for _ in range(room):
            self.start(now)

    def _starting_failed(self, worker: Worker, now: float) -> None:
        if worker.state is State.STARTING:
            self.backoff.failed(now)

    def _bury(self, worker: Worker, now: float) -> None:
        _move(worker, Change.EXIT, now)
        self.workers.remove(worker)

    def _excess(self) -> list[Worker]:
        """Give those that are too many: the youngest that start, then the oldest that serve."""
        starting = [worker for worker in self.workers if worker.state is State.STARTING]
        candidates = [*reversed(starting), *self.fresh]
        return candidates[: max(0, len(candidates) - self.wanted)]


def _move(worker: Worker, change: Change, now: float) -> None:
    worker.change(change)
    worker.since = now
