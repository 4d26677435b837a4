"""The application pool's shell: processes, channels and timers, as the pool decides."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog

from vaultstorm_server import clock, messages
from vaultstorm_server.frames import FrameError
from vaultstorm_server.httpsys.request import Request
from vaultstorm_server.httpsys.request_queue import Assignment, QueueStatistics
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.messages import Done, Hello, Note, Pong, Table, Work
from vaultstorm_server.settings import AppPool, Settings
from vaultstorm_server.w3svc import actions, orphan
from vaultstorm_server.w3svc.application_pool import ApplicationPool, Steps
from vaultstorm_server.w3svc.children import Children
from vaultstorm_server.w3svc.chronicle import Chronicle
from vaultstorm_server.w3svc.command import frame_max
from vaultstorm_server.w3svc.memory import memory
from vaultstorm_server.w3svc.occupancy import Occupancy
from vaultstorm_server.w3svc.policy import HOPELESS
from vaultstorm_server.w3svc.pool_statistics import PoolStatistics
from vaultstorm_server.w3svc.process import describe
from vaultstorm_server.w3svc.worker import Worker
from vaultstorm_wire.errors import MachineError

SWEEP: Final = 120.0
"""Seconds after which http.sys takes requests out of a queue whose clients have left (sy0a8w83)."""

log = structlog.get_logger("W3SVC")


class Pool:
    """Keeps the worker processes and gives them the requests.

    Args:
        loop: watches the workers.
        settings: of the whole server.
        journal: of the front process.
        command: what to start as a worker.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        settings: Settings,
        journal: JournalFile,
        command: Sequence[str],
    ) -> None:
        self._loop = loop
        self._settings = settings.apppool
        self._chronicle = Chronicle(journal)
        self._frame_max = frame_max(settings.httpsys)
        self._pool: ApplicationPool[Request] = ApplicationPool(
            self._settings, settings.httpsys.KB908739, clock.now()
        )
        self._children = Children(
            loop, command, self._frame_max, self._on_message, self._lost, self._exited
        )
        self._occupancy = Occupancy(self._children)
        self._timer: asyncio.TimerHandle | None = None
        self._bugs = 0
        loop.call_later(SWEEP, self._sweep)
        self._do: dict[type, Callable[[Any], None]] = {
            actions.Start: self._start,
            actions.Stop: lambda step: self._children.send(step.worker, messages.Stop()),
            actions.Ping: lambda step: self._children.send(step.worker, messages.Ping()),
            actions.Measure: self._measure,
            actions.Drop: lambda step: self._children.close(step.worker),
            actions.Kill: lambda step: self._children.kill(step.worker),
            actions.Orphan: self._orphan,
            actions.Note: self._chronicle.note,
            actions.Log: self._chronicle.entry,
            Assignment: self._dispatch,
        }
        self._hear: dict[type, Callable[[Worker, Any], None]] = {
            Done: self._done,
            Hello: self._hello,
            Pong: self._pong,
            Note: lambda worker, note: self._chronicle.said(worker.pid, note),
            Table: lambda worker, table: self._occupancy.changed(
                worker, table.interfaces, table.threads_held
            ),
        }
        self.ready: asyncio.Future[None] = loop.create_future()
        """Done when the pool takes requests: the first worker has said hello, or is started on
        demand only; fails with a MachineError if none ever comes up."""

    # Requests.

    def deliver(self, request: Request) -> None:
        """Give a request to a worker, now or when one has room."""
        self._go_on(self._pool.deliver(request, clock.now()))

    # The operator.

    def start(self) -> None:
        """Start the pool: with its workers, unless DemandStart has them wait for a request.

        Raises:
            MachineError: no worker process can be made.
        """
        self._carry_out(self._pool.start(clock.now()))
        if self._settings.DemandStart:
            self._come_up(None)
        elif self._pool.policy.failures and not self._children:
            raise MachineError(
                "no worker process can be started; "
                "see what `vaultstorm doctor` says of this machine's limits"
            )

    def start_pool(self) -> None:
        """Start a pool that was stopped, or that rapid-fail protection has turned off."""
        self._carry_out(self._pool.start(clock.now()))

    def stop_pool(self) -> None:
        """Stop the pool: its workers end in good order, requests get 503 (Disabled)."""
        self._carry_out(self._pool.stop(clock.now(), "Disabled"))

    def recycle(self) -> None:
        """Recycle all workers, on demand."""
        self._carry_out(self._pool.recycle(clock.now()))

    def configure(self, settings: AppPool) -> None:
        """Change the settings; unless DisallowRotationOnConfigChange, the workers are recycled."""
        self._settings = settings
        self._carry_out(self._pool.configure(settings, clock.now()))

    def signal_worker(self, what: str) -> list[int]:
        """Send one of `children.SIGNALS` to a worker that serves; give the pids that it reached."""
        pids = self._children.signal(what)
        for pid in pids:
            self._chronicle.event(f"worker_{what}", pid)
        return pids

    def use(self, command: Sequence[str]) -> None:
        """Start other worker processes from here on; those that are there stay."""
        self._children.use(command)

    def replace_http_sys(self, hotfix: int) -> None:
        """Have connections bound as with or without KB908739; only while no worker is there."""
        self._pool.bind_by(hotfix)

    async def end(self, grace: float, reason: str | None = None) -> None:
        """End all workers, and kill those that take longer than `grace`.

        Requests get 503, with `reason` in HTTPERR, or with the one that they get it for already.
        """
        self._carry_out(self._pool.stop(clock.now(), reason or self._pool.refusal or "N/A"))
        try:
            async with asyncio.timeout(grace):
                await self._children.empty()
        except TimeoutError:
            log.error("workers_killed", grace=grace, left=len(self._children))
        self.kill()

    def kill(self) -> None:
        """End all workers at once, and reap them; what they held is lost, what waits refused."""
        for pid in self._children.reap():
            self._chronicle.event("worker_killed", pid)
        self._pool.killed(clock.now())
        self._set_timer()

    @property
    def state(self) -> str:
        """``running``, ``stopped``, or ``disabled`` by rapid-fail protection."""
        return self._pool.policy.state

    @property
    def requests(self) -> QueueStatistics:
        """What the request queue has counted."""
        return self._pool.queue

    def vault_peak(self) -> tuple[int, int]:
        """Give the most interfaces, and the most ISAPI threads held, since this was last asked."""
        return self._occupancy.take()

    def statistics(self) -> PoolStatistics:
        """Give the counts so far, and every worker's."""
        policy = self._pool.policy
        return PoolStatistics(
            name=self._settings.Name,
            state=policy.state,
            queue=self._pool.queue,
            starts=policy.starts,
            deaths=policy.deaths,
            bugs=self._bugs,
            workers=tuple(
                worker.statistics(self._pool.held_by(worker), self._children.unsent(worker))
                for worker in self._children
            ),
        )

    def __repr__(self) -> str:
        return f"<Pool {self._settings.Name}: {self._pool!r}>"

    # What is to be done.

    def _go_on(self, steps: Steps[Request]) -> None:
        """Carry out what follows from a request: most often that one is sent, and no more."""
        if len(steps) == 1 and isinstance(steps[0], Assignment):
            self._dispatch(steps[0])
        elif steps:
            self._carry_out(steps)

    def _carry_out(self, steps: Steps[Request]) -> None:
        for step in steps:
            try:
                self._do[type(step)](step)
            except Exception:  # a bug of ours: the other steps, and the timer, must not miss out
                self._bugs += 1
                log.exception("w3svc_bug", step=repr(step))
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._pool.deadline
        if deadline is not None:
            delay = max(0.0, deadline - clock.now())
            self._timer = self._loop.call_later(delay, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._children.listen()  # a loop that was held up has not read the pongs that are there
        self._carry_out(self._pool.tick(clock.now()))
        if self._pool.refusal is not None:
            limit = self._settings.StartupTimeLimit
            self._come_up(
                f"no worker process came up within {limit:g} s; "
                "raise apppool.StartupTimeLimit, or see above why"
            )

    def _sweep(self) -> None:
        self._pool.sweep()
        self._loop.call_later(SWEEP, self._sweep)

    def _start(self, step: actions.Start) -> None:
        worker = step.worker
        try:
            self._children.start(worker)
        except OSError as error:
            why = error.strerror or str(error)
            log.error("worker_not_started", pool=self._settings.Name, error=why)
            self._carry_out(self._pool.not_started(worker, why, clock.now()))
            return
        self._chronicle.event("worker_started", worker.pid)

    def _dispatch(self, assignment: "Assignment[Worker, Request]") -> None:
        worker, ticket, request = assignment
        request.worker = worker.pid
        request.dispatched = clock.now()
        work = Work(
            ticket, request.id, request.method, request.target, request.headers, request.body
        )
        try:
            self._children.send(worker, work, self._frame_max)
            request.body = b""  # the channel has it: 16 MB need not be kept twice
        except FrameError:  # only with limits near 4 GiB, the most that a frame's length says
            _, steps = self._pool.finish(worker, ticket, clock.now())
            request.refuse("EntityTooLarge")
            self._carry_out(steps)

    def _measure(self, step: actions.Measure) -> None:
        worker = step.worker
        try:
            virtual, private = memory(worker.pid)
        except OSError:  # it has just ended
            return
        self._carry_out(self._pool.measured(worker, virtual, private, clock.now()))

    def _orphan(self, step: actions.Orphan) -> None:
        """Let go of a process: it is reaped when it ends, at the latest with the server."""
        self._children.let_go(step.worker)
        orphan.act(self._loop, self._settings, step.worker.pid)

    # What happens.

    def _on_message(self, worker: Worker, message: messages.ToFront) -> None:
        self._hear[type(message)](worker, message)

    def _done(self, worker: Worker, done: Done) -> None:
        try:
            request, steps = self._pool.finish(worker, done.seq, clock.now())
        except KeyError:
            self._lost(worker, f"an answer to {done.seq}, which it was not given", nonsense=True)
            return
        self._go_on(steps)
        request.answer(done.status, done.headers, done.body)

    def _hello(self, worker: Worker, _: Hello) -> None:
        self._carry_out(self._pool.hello(worker, clock.now()))
        self._come_up(None)

    def _pong(self, worker: Worker, pong: Pong) -> None:
        self._carry_out(self._pool.pong(worker, pong.unhealthy, clock.now()))

    def _lost(self, worker: Worker, reason: str, nonsense: bool) -> None:
        self._carry_out(self._pool.lost(worker, reason, clock.now(), nonsense=nonsense))

    def _exited(self, worker: Worker, status: int) -> None:
        how = describe(status)
        self._carry_out(self._pool.exited(worker, how, status, clock.now()))
        if self._pool.policy.failures >= HOPELESS:
            self._come_up(f"no worker process comes up: the last ended with {how}; see above")

    def _come_up(self, failure: str | None) -> None:
        """Say that the pool takes requests, or that it never will."""
        if self.ready.done():
            return
        if failure is None:
            self.ready.set_result(None)
        else:
            self.ready.set_exception(MachineError(failure))
