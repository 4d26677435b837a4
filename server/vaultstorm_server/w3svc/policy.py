"""The policy of an application pool: what becomes of its worker processes, and of the pool.

Recycling is that of cc787620 and cc786980, health that of cc787273 and of windows.md 4.4. Where no
source decides, the choice is said beside it.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from vaultstorm_server.settings import AppPool
from vaultstorm_server.w3svc import eventlog
from vaultstorm_server.w3svc.actions import Action, Admit, Log, Note, Refuse
from vaultstorm_server.w3svc.duties import duties
from vaultstorm_server.w3svc.recycling import Reason, next_scheduled
from vaultstorm_server.w3svc.roster import Roster
from vaultstorm_server.w3svc.states import State
from vaultstorm_server.w3svc.supervision import Supervision
from vaultstorm_server.w3svc.worker import Worker

HOPELESS: Final = 3
"""Starts that fail in a row, none having worked before, after which the server does not come up."""


class PoolState(StrEnum):
    """Whether a pool serves."""

    RUNNING = "running"
    STOPPED = "stopped"
    DISABLED = "disabled"
    """Turned off by rapid-fail protection."""


class PoolPolicy:
    """Decides what becomes of a pool's worker processes.

    Every event takes its time as `now` and gives what is to be done, in order. A worker that says
    what it cannot say in its state has a fatal communication error (1011); what comes of one that
    is lost already, or dead, says nothing any more.

    Args:
        settings: of the pool.
        now: when it is made; it runs from `start` on.

    Attributes:
        state: whether it serves.
        since: when it came to that state.
    """

    __slots__ = (
        "_refusal", "_roster", "_scheduled_at", "_starved_since", "_supervision", "since", "state",
    )  # fmt: skip

    def __init__(self, settings: AppPool, now: float) -> None:
        self._roster = Roster(settings)
        self._supervision = Supervision(self._roster)
        self._refusal: str | None = "N/A"
        self._scheduled_at: float | None = None
        self._starved_since: float | None = None
        self.state = PoolState.STOPPED
        self.since = now

    @property
    def workers(self) -> Sequence[Worker]:
        """All that live, in the order of their starts."""
        return tuple(self._roster.workers)

    @property
    def enabled(self) -> bool:
        """Whether the pool is neither stopped nor turned off."""
        return self.state is PoolState.RUNNING

    @property
    def starts(self) -> int:
        """Processes that were started."""
        return self._roster.starts

    @property
    def deaths(self) -> int:
        """Ends that nobody asked for."""
        return self._roster.deaths

    @property
    def failures(self) -> int:
        """Starts in a row that never came to a hello."""
        return self._roster.backoff.failures

    @property
    def wanted(self) -> int:
        """Processes that there are to be: MaxProcesses, less what idleness or no demand spares."""
        return self._roster.wanted

    @property
    def deadline(self) -> float | None:
        """When `tick` is next wanted; None for never, as things are."""
        settings = self._roster.settings
        times = [when for worker in self._roster.workers for when, _ in duties(worker, settings)]
        if self.enabled:
            times += [
                when
                for when in (self._roster.backoff.until, self._scheduled_at)
                if when is not None
            ]
            if self._starved_since is not None:
                times.append(self._starved_since + settings.StartupTimeLimit)
        return min(times, default=None)

    def __repr__(self) -> str:
        workers = ", ".join(f"{w.pid} {w.state}" for w in self._roster.workers)
        return f"<PoolPolicy {self._roster.settings.Name}, {self.state}: {workers or 'no worker'}>"

    # The pool.

    def start(self, now: float) -> list[Action]:
        """Start the pool: admit requests, and start its processes unless they are on demand."""
        if self.enabled:
            return []
        roster = self._roster
        self.state, self.since = PoolState.RUNNING, now
        roster.rapid_fail.clear()
        roster.backoff.clear()
        self._scheduled_at = next_scheduled(roster.settings.PeriodicRestartSchedule, now)
        roster.wanted = 0 if roster.settings.DemandStart else roster.settings.MaxProcesses
        self._admit()
        roster.ask(Note("pool_started"))
        return self._settle(now)

    def stop(self, now: float, reason: str) -> list[Action]:
        """Stop the pool: refuse requests with HTTPERR's `reason`, and end its processes."""
        if self.state is PoolState.STOPPED:
            self._refuse(reason)
        else:
            self._turn_off(PoolState.STOPPED, reason, "pool_stopped", now)
        return self._settle(now)

    def demand(self, now: float) -> list[Action]:
        """Start what DemandStart or IdleTimeout left unstarted: a request has to wait."""
        roster = self._roster
        if not self.enabled or roster.wanted >= roster.settings.MaxProcesses:
            return []
        roster.wanted = roster.settings.MaxProcesses
        return self._settle(now)

    def recycle(self, reason: Reason, now: float) -> list[Action]:
        """Recycle all that serve. Those that start are new enough; those that leave are leaving."""
        if not self.enabled:
            return []
        self._supervision.recycle(self._roster.fresh, reason)
        return self._settle(now)

    def configure(self, settings: AppPool, now: float) -> list[Action]:
        """Take other settings; what runs is recycled, unless DisallowRotationOnConfigChange."""
        roster = self._roster
        if settings == roster.settings:
            return []
        roster.configure(settings, now)
        if not self.enabled:
            return []
        self._scheduled_at = next_scheduled(settings.PeriodicRestartSchedule, now)
        if roster.wanted:
            roster.wanted = settings.MaxProcesses
        if not settings.DisallowRotationOnConfigChange:
            self._supervision.recycle(roster.fresh, Reason.CONFIG_CHANGE)
        return self._settle(now)

    def tick(self, now: float) -> list[Action]:
        """Do what is due."""
        if self.enabled and self._scheduled_at is not None and self._scheduled_at <= now:
            schedule = self._roster.settings.PeriodicRestartSchedule
            self._scheduled_at = next_scheduled(schedule, now)
            self._supervision.recycle(self._roster.fresh, Reason.SCHEDULE)
        for worker in self.workers:
            self._supervision.tend(worker, now)
        return self._settle(now)

    # One worker.

    def hello(self, worker: Worker, now: float) -> list[Action]:
        """It pulls requests: it serves, and one that leaves may go."""
        if worker.dropped:
            return []
        if worker.state is State.STARTING:
            self._roster.serve(worker, now)
            self._admit()
            self._roster.ask(Note("worker_serving", worker))
        else:
            self._supervision.nonsense(worker, "a second hello", now)
        return self._settle(now)

    def pong(self, worker: Worker, unhealthy: str | None, now: float) -> list[Action]:
        """It is there; `unhealthy` is what an ISAPI gives as the reason for a recycle, or None."""
        if worker.dropped:
            return []
        self._supervision.pong(worker, unhealthy, now)
        return self._settle(now)

    def served_enough(self, worker: Worker, now: float) -> list[Action]:
        """It may have served PeriodicRestartRequests."""
        if not worker.fresh:
            return []
        self._supervision.served_enough(worker)
        return self._settle(now)

    def measured(self, worker: Worker, virtual: int, private: int, now: float) -> list[Action]:
        """It has so many bytes of memory."""
        self._supervision.measured(worker, virtual, private)
        return self._settle(now)

    def lost(self, worker: Worker, why: str, now: float, nonsense: bool) -> list[Action]:
        """Its channel ended, or what it says is nonsense; either way it is lost."""
        if worker.dropped:
            return []
        if nonsense:
            self._supervision.nonsense(worker, why, now)
        else:
            self._roster.lose(worker, now, why)
        return self._settle(now)

    def exited(self, worker: Worker, how: str, status: int, now: float) -> list[Action]:
        """Its process has ended; `status` is its exit status, negative for a signal."""
        if worker.state is State.DEAD:
            return []
        self._roster.end(worker, now, how, status)
        return self._settle(now)

    def not_started(self, worker: Worker, error: str, now: float) -> list[Action]:
        """Its process could not be made; another start is tried later."""
        if worker.state is State.DEAD:
            return []
        self._roster.forget(worker, now, error)
        return self._settle(now)

    def killed(self, now: float, reason: str) -> None:
        """All processes were ended from without, which is no failure; the pool is stopped."""
        self.stop(now, reason)
        self._roster.abolish(now)

    # What follows.

    def _settle(self, now: float) -> list[Action]:
        """Bring the pool in line with what has just happened, and give all that is to be done."""
        roster = self._roster
        if self.enabled and roster.rapid_fail.tripped:
            roster.ask(Log(eventlog.entry(eventlog.DISABLED, roster.settings.Name)))
            self._turn_off(PoolState.DISABLED, "AppOffline", "pool_disabled", now)
        if self.enabled:
            roster.retire(now)
            roster.fill(now)
            self._watch_for_starvation(now)
        return roster.take()

    def _turn_off(self, state: PoolState, reason: str, note: str, now: float) -> None:
        self.state, self.since = state, now
        self._starved_since = None
        roster = self._roster
        roster.wanted = 0
        roster.ask(Note(note, detail=reason))
        self._refuse(reason)
        roster.clear(now, note)

    def _watch_for_starvation(self, now: float) -> None:
        """Give up on what waits, if no worker serves within StartupTimeLimit.

        How long an old one takes to end, where the new one has to wait for it, is another matter:
        ShutdownTimeLimit says that.
        """
        roster = self._roster
        limit = roster.settings.StartupTimeLimit
        idle = not roster.wanted or self._refusal is not None
        if idle or roster.serving or roster.awaited:
            self._starved_since = None
        elif self._starved_since is None:
            self._starved_since = now
        elif self._starved_since + limit <= now:
            self._starved_since = None
            roster.ask(Note("pool_unavailable", detail=f"no worker within {limit:g} s"))
            self._refuse("N/A")

    def _refuse(self, reason: str) -> None:
        if self._refusal != reason:
            self._refusal = reason
            self._roster.ask(Refuse(reason))

    def _admit(self) -> None:
        if self._refusal is not None:
            self._refusal = None
            self._roster.ask(Admit())
