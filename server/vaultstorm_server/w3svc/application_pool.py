"""An application pool without its processes: what W3SVC decides, joined with http.sys' queue.

Pure: events go in with their time, and what the shell has to do comes out. Requests are ended here,
each exactly once: whoever owns one is told by its methods.
"""

from collections.abc import Sequence
from typing import Final, Generic, Protocol, TypeVar

from vaultstorm_server.httpsys.binding import binding
from vaultstorm_server.httpsys.request_queue import (
    Assignment,
    QueueFullError,
    QueueStatistics,
    RequestQueue,
)
from vaultstorm_server.settings import AppPool
from vaultstorm_server.w3svc.actions import Action, Admit, Drop, Orphan, Refuse, Serve, Stop
from vaultstorm_server.w3svc.policy import PoolPolicy
from vaultstorm_server.w3svc.recycling import Reason
from vaultstorm_server.w3svc.worker import Worker

ABANDONED: Final = "Connection_Abandoned_By_AppPool"
QUEUE_FULL: Final = "QueueFull"
RESET_CONNECTION: Final = 1
"""LoadBalancerCapabilities: a pool that is off resets connections instead of sending 503."""


class PoolRequest(Protocol):
    """What the pool asks of a request."""

    bound: Worker | None
    """The worker that its connection is bound to."""

    @property
    def gone(self) -> bool:
        """Whether its client has left."""
        ...

    def refuse(self, reason: str, reset: bool = False) -> None:
        """End it with 503, or with RST."""

    def abandon(self, reason: str) -> None:
        """End it without an answer."""


R = TypeVar("R", bound=PoolRequest)


class ApplicationPool(Generic[R]):
    """One application pool.

    Every method takes `now`, in seconds of one clock, and gives what is to be done, in order: an
    `Assignment` is to be sent to its worker, everything else is an `Action`.

    Args:
        settings: of the pool.
        hotfix: httpsys.KB908739: 1 if it is installed.
        now: when it is made.
    """

    def __init__(self, settings: AppPool, hotfix: int, now: float) -> None:
        self._reset = settings.LoadBalancerCapabilities == RESET_CONNECTION
        self._limit = settings.PeriodicRestartRequests
        self._refusal: str | None = "N/A"
        self._queue: RequestQueue[Worker, R] = RequestQueue(
            settings.AppPoolQueueLength, settings.PendingReceives, binding(hotfix)
        )
        self._policy = PoolPolicy(settings, now)

    # Requests.

    def deliver(self, request: R, now: float) -> "Steps[R]":
        """Take a request in: it is sent to a worker, waits for one, or is refused."""
        if self._refusal is not None:
            request.refuse(self._refusal, self._reset)
            return ()
        try:
            assignment = self._queue.put(request)
        except QueueFullError:
            request.refuse(QUEUE_FULL)
            return ()
        if assignment is not None:
            return (assignment,)
        return self._carry_out(self._policy.demand(now))

    def finish(self, worker: Worker, ticket: int, now: float) -> "tuple[R, Steps[R]]":
        """Take a request back that its worker has answered, or that could not be sent to it.

        Raises:
            KeyError: the worker does not hold this ticket.
        """
        request, following = self._queue.finish(worker, ticket)
        worker.served += 1
        worker.active = now
        steps = () if following is None else (following,)
        if 0 < self._limit <= worker.served and worker.leaving is None:
            return request, (*steps, *self._carry_out(self._policy.served_enough(worker, now)))
        return request, steps

    # Workers.

    def hello(self, worker: Worker, now: float) -> "Steps[R]":
        """Note that a worker says that it pulls requests."""
        return self._carry_out(self._policy.hello(worker, now))

    def pong(self, worker: Worker, unhealthy: str | None, now: float) -> "Steps[R]":
        """Note a worker's answer to a ping."""
        return self._carry_out(self._policy.pong(worker, unhealthy, now))

    def measured(self, worker: Worker, virtual: int, private: int, now: float) -> "Steps[R]":
        """Note a worker's memory, in bytes."""
        return self._carry_out(self._policy.measured(worker, virtual, private, now))

    def lost(self, worker: Worker, why: str, now: float, *, nonsense: bool) -> "Steps[R]":
        """Note that the channel to a worker has ended, or that nothing of use comes over it."""
        return self._carry_out(self._policy.lost(worker, why, now, nonsense=nonsense))

    def exited(self, worker: Worker, how: str, status: int, now: float) -> "Steps[R]":
        """Note that a worker's process has ended: its handle is gone from the list."""
        self._abandon(worker)
        return self._carry_out(self._policy.exited(worker, how, status, now))

    def not_started(self, worker: Worker, error: str, now: float) -> "Steps[R]":
        """Note that no process could be made for a worker."""
        return self._carry_out(self._policy.not_started(worker, error, now))

    # The operator, and time.

    def start(self, now: float) -> "Steps[R]":
        """Start the pool, for the first time or again."""
        return self._carry_out(self._policy.start(now))

    def stop(self, now: float, reason: str) -> "Steps[R]":
        """Stop the pool; what waits and what comes is refused with `reason`."""
        return self._carry_out(self._policy.stop(now, reason))

    def killed(self, now: float) -> None:
        """Note that all processes were ended at once: what they held is lost, the rest refused."""
        workers = self._policy.workers
        reason = self._refusal or "N/A"
        self.stop(now, reason)
        for worker in workers:
            self._abandon(worker)
        self._policy.killed(now, reason)

    def bind_by(self, hotfix: int) -> None:
        """Bind connections as with or without KB908739. Raises ValueError if there is a worker."""
        self._queue.bind_by(binding(hotfix))

    def recycle(self, now: float) -> "Steps[R]":
        """Recycle every worker, on demand."""
        return self._carry_out(self._policy.recycle(Reason.ON_DEMAND, now))

    def configure(self, settings: AppPool, now: float) -> "Steps[R]":
        """Change the settings of the pool; by default that recycles its workers."""
        self._reset = settings.LoadBalancerCapabilities == RESET_CONNECTION
        self._limit = settings.PeriodicRestartRequests
        pulled = self._queue.limits(settings.AppPoolQueueLength, settings.PendingReceives)
        return (*pulled, *self._carry_out(self._policy.configure(settings, now)))

    def tick(self, now: float) -> "Steps[R]":
        """Do what is due."""
        for worker in self._policy.workers:
            worker.held = self._queue.held_by(worker)
        return self._carry_out(self._policy.tick(now))

    def sweep(self) -> None:
        """Take the requests out of the queue whose clients have left."""
        self._queue.sweep()

    @property
    def deadline(self) -> float | None:
        """When `tick` is wanted next."""
        return self._policy.deadline

    @property
    def refusal(self) -> str | None:
        """The reason for which every request is refused at present; None if none is."""
        return self._refusal

    @property
    def policy(self) -> PoolPolicy:
        """The workers, to look at."""
        return self._policy

    @property
    def queue(self) -> QueueStatistics:
        """The queue, counted."""
        return self._queue.statistics()

    def held_by(self, worker: Worker) -> int:
        """How many requests a worker has."""
        return self._queue.held_by(worker)

    def __repr__(self) -> str:
        return f"<ApplicationPool {self._policy!r}; {self._queue!r}>"

    def _carry_out(self, actions: Sequence[Action]) -> "Steps[R]":
        """Do to the queue what is to be done to it; what is left is for the shell."""
        steps: list[Assignment[Worker, R] | Action] = []
        for action in actions:
            if isinstance(action, Serve):
                steps += self._queue.worker_added(action.worker)
            elif isinstance(action, Refuse):
                self._refusal = action.reason
                for request in self._queue.clear():
                    request.refuse(action.reason, self._reset)
            elif isinstance(action, Admit):
                self._refusal = None
            else:
                steps.append(action)
            if isinstance(action, Stop):
                steps += self._queue.worker_stopping(action.worker)
            elif isinstance(action, Drop | Orphan):
                self._abandon(action.worker)
        return steps

    def _abandon(self, worker: Worker) -> None:
        for request in self._queue.worker_lost(worker):
            request.abandon(ABANDONED)


Steps = Sequence[Assignment[Worker, R] | Action]
"""What the shell has to do, in order."""
