"""The application pool: its worker processes, and the way of a request to one and back."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import structlog

from vaultstorm_server import channel, clock
from vaultstorm_server.channel import Channel, Done, FrameError, Frames, Hello, Work
from vaultstorm_server.httpsys.request import Request
from vaultstorm_server.httpsys.request_queue import (
    Assignment,
    QueueFullError,
    QueueStatistics,
    RequestQueue,
)
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.settings import Settings
from vaultstorm_server.w3svc import policy
from vaultstorm_server.w3svc.policy import Change, State
from vaultstorm_server.w3svc.process import CHANNEL, Process, describe, module_command
from vaultstorm_server.w3svc.worker import Worker, WorkerStatistics
from vaultstorm_wire.errors import MachineError
from vaultstorm_wire.journal import Event

EXIT_GRACE: Final = 1.0
"""Seconds that a process without a channel has to end by itself, and so to say how it ended."""

log = structlog.get_logger("W3SVC")


class PoolStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """The pool, counted. `deaths` are ends that nobody asked for."""

    name: str
    queue: QueueStatistics
    starts: int
    deaths: int
    workers: tuple[WorkerStatistics, ...]


class Pool:
    """Keeps MaxProcesses workers alive and gives them the requests.

    Args:
        loop: watches the workers.
        settings: of the whole server.
        journal: of the front process.
        journal_dir: where the workers keep theirs.
        command: what to start as a worker; the vault's own if it is left out.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        settings: Settings,
        journal: JournalFile,
        journal_dir: Path | None,
        command: Sequence[str] = (),
    ) -> None:
        self._loop = loop
        self._pool = settings.apppool
        self._journal = journal
        http = settings.httpsys
        self._frame_max = channel.bound(http.MaxRequestBytes, http.MaxRequestEntityAllowed)
        self._command = command or module_command(
            "vaultstorm_server.w3wp",
            *("--channel", CHANNEL),
            *("--journal", str(journal_dir or "")),
            *("--max-blocks", str(settings.vault.MaxBlocks)),
            *("--frame-max", str(self._frame_max)),
        )
        self._queue: RequestQueue[Worker, Request] = RequestQueue(
            self._pool.AppPoolQueueLength, self._pool.PendingReceives
        )
        self._workers: list[Worker] = []
        self._restarts: list[asyncio.TimerHandle] = []
        self._patience: asyncio.TimerHandle | None = None
        self._available = True
        self._stopping = False
        self._starts = self._deaths = 0
        self._empty = asyncio.Event()
        self.ready: asyncio.Future[None] = loop.create_future()
        """Done when the first worker says hello; fails with a MachineError if none ever will."""

    def start(self) -> None:
        """Start all workers. Raises OSError if a process cannot be made."""
        self._wait_for_a_worker()
        for _ in range(self._pool.MaxProcesses):
            self._spawn(0)

    def deliver(self, request: Request) -> None:
        """Give a request to a worker, now or when one has room."""
        if not self._available:
            request.refuse("N/A")
            return
        try:
            assignment = self._queue.put(request)
        except QueueFullError:
            request.refuse("QueueFull")
            return
        if assignment is not None:
            self._dispatch(assignment)

    async def stop(self, grace: float) -> None:
        """End all workers; kill those that take longer than `grace` or ShutdownTimeLimit."""
        self._stopping = True
        self._available = False
        self._cancel_timers()
        for request in self._queue.clear():
            request.refuse("N/A")
        for worker in list(self._workers):
            self._release(worker, Change.STOP)
        if self._workers:
            self._empty.clear()
            try:
                async with asyncio.timeout(min(grace, self._pool.ShutdownTimeLimit)):
                    await self._empty.wait()
            except TimeoutError:
                for worker in self._workers:
                    log.error("worker_shutdown_timeout", event_id=1013, pid=worker.pid)
                self.kill()

    def kill(self) -> None:
        """End all workers at once, and reap them; nothing is answered any more."""
        self._stopping = True
        self._cancel_timers()
        for worker in self._workers:
            worker.timer.cancel()
            worker.channel.close()
            worker.process.reap()
            self._journal.append(Event(time=clock.now(), name="worker_killed", worker=worker.pid))
        self._workers.clear()

    @property
    def requests(self) -> QueueStatistics:
        """What the request queue has counted."""
        return self._queue.statistics()

    def statistics(self) -> PoolStatistics:
        """Give the counts so far, and every worker's."""
        return PoolStatistics(
            name=self._pool.Name,
            queue=self._queue.statistics(),
            starts=self._starts,
            deaths=self._deaths,
            workers=tuple(w.statistics(self._queue.held_by(w)) for w in self._workers),
        )

    def __repr__(self) -> str:
        workers = ", ".join(f"{worker.pid} {worker.state}" for worker in self._workers)
        return f"<Pool {self._pool.Name}: {workers or 'no worker'}; {self._queue!r}>"

    def _spawn(self, failures: int) -> None:
        process = Process(self._loop, self._command, lambda status: self._exited(worker, status))
        worker = Worker(process, failures)
        frames: Frames[channel.ToFront] = Frames(channel.ToFront, self._frame_max)
        worker.channel = Channel(
            self._loop,
            process.sock,
            frames,
            lambda message: self._on_message(worker, message),
            lambda reason: self._lost(worker, reason),
        )
        worker.timer = self._loop.call_later(self._pool.StartupTimeLimit, self._late, worker)
        self._workers.append(worker)
        self._starts += 1
        self._journal.append(Event(time=clock.now(), name="worker_started", worker=worker.pid))

    def _dispatch(self, assignment: Assignment[Worker, Request]) -> None:
        worker, ticket, request = assignment
        request.worker = worker.pid
        request.dispatched = clock.now()
        work = Work(
            ticket, request.id, request.method, request.target, request.headers, request.body
        )
        try:
            worker.channel.send(work, self._frame_max)
        except FrameError:  # only with limits near 4 GiB, the most that a frame's length says
            self._finish(worker, ticket).refuse("EntityTooLarge")

    def _finish(self, worker: Worker, ticket: int) -> Request:
        request, following = self._queue.finish(worker, ticket)
        if following is not None:
            self._dispatch(following)
        return request

    def _on_message(self, worker: Worker, message: Hello | Done) -> None:
        if isinstance(message, Done):
            try:
                request = self._finish(worker, message.seq)
            except KeyError:
                self._lost(worker, f"an answer to {message.seq}, which it was not given")
                return
            worker.served += 1
            request.answer(message.status, message.headers, message.body)
        elif worker.state is State.STARTING:
            worker.change(Change.HELLO)
            worker.timer.cancel()
            worker.failures = 0
            self._available = True
            if self._patience is not None:
                self._patience.cancel()
                self._patience = None
            if not self.ready.done():
                self.ready.set_result(None)
            for assignment in self._queue.worker_added(worker):
                self._dispatch(assignment)

    def _late(self, worker: Worker) -> None:
        log.error("worker_startup_timeout", event_id=1012, pid=worker.pid, pool=self._pool.Name)
        self._release(worker, Change.LOST)
        worker.process.kill()

    def _lost(self, worker: Worker, reason: str) -> None:
        """A channel that broke is of no use any more, and neither is its process."""
        log.debug("worker_channel_lost", pid=worker.pid, reason=reason)
        self._release(worker, Change.LOST)
        worker.timer = self._loop.call_later(EXIT_GRACE, worker.process.kill)

    def _release(self, worker: Worker, change: Change) -> None:
        """Take a worker out of the queue, and end the requests that it holds."""
        worker.failures += worker.state is State.STARTING
        worker.change(change)
        worker.timer.cancel()
        worker.channel.close()
        held = self._queue.worker_lost(worker)
        worker.abandoned += len(held)
        for request in held:
            request.abandon("Connection_Abandoned_By_AppPool")

    def _exited(self, worker: Worker, status: int) -> None:
        """The process has ended: its last answers first, then what it leaves undone."""
        worker.channel.drain()
        asked = self._stopping and status == 0
        if worker.state is not State.STOPPING:
            self._release(worker, Change.LOST)
        worker.change(Change.EXIT)
        worker.timer.cancel()
        self._workers.remove(worker)
        if not self._workers:
            self._empty.set()
        name = "worker_stopped" if asked else "worker_died"
        how = describe(status)
        self._journal.append(Event(time=clock.now(), name=name, worker=worker.pid, detail=how))
        if not asked:
            self._replace(worker, how)

    def _replace(self, worker: Worker, how: str) -> None:
        self._deaths += 1
        if self._stopping:
            return
        log.error(
            "worker_died",
            event_id=1009,  # "terminated unexpectedly": windows.md 4.4
            pool=self._pool.Name,
            pid=worker.pid,
            exit=how,
            requests_lost=worker.abandoned,
        )
        if worker.failures >= policy.HOPELESS and not self.ready.done():
            self.ready.set_exception(
                MachineError(f"no worker process comes up: the last ended with {how}; see above")
            )
        self._wait_for_a_worker()
        self._restart(worker.failures)

    def _restart(self, failures: int) -> None:
        """Fill a slot again: at once, or after a wait if its worker never came up."""
        if delay := policy.restart_delay(failures):
            now = self._loop.time()
            self._restarts = [restart for restart in self._restarts if restart.when() > now]
            self._restarts.append(self._loop.call_later(delay, self._respawn, failures))
        else:
            self._respawn(failures)

    def _respawn(self, failures: int) -> None:
        try:
            self._spawn(failures)
        except OSError as error:
            log.error("worker_not_started", pool=self._pool.Name, error=error.strerror)
            self._restart(failures + 1)

    def _wait_for_a_worker(self) -> None:
        """Give up on what waits, if no worker serves within StartupTimeLimit."""
        serving = any(worker.state is State.SERVING for worker in self._workers)
        if not serving and self._patience is None:
            limit = self._pool.StartupTimeLimit
            self._patience = self._loop.call_later(limit, self._no_worker)

    def _no_worker(self) -> None:
        self._available = False
        log.error("pool_unavailable", pool=self._pool.Name, waited=self._pool.StartupTimeLimit)
        for request in self._queue.clear():
            request.refuse("N/A")
        if not self.ready.done():
            limit = self._pool.StartupTimeLimit
            self.ready.set_exception(
                MachineError(
                    f"no worker process came up within {limit:g} s; "
                    "raise apppool.StartupTimeLimit, or see above why"
                )
            )

    def _cancel_timers(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
        for restart in self._restarts:
            restart.cancel()
