"""A burst: a plan carried out in one process or in several at the same instant."""

import multiprocessing
import os
import signal
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import Final

from vaultstorm_client import arrivals
from vaultstorm_client.clock import monotonic
from vaultstorm_client.engine import Engine, Progress
from vaultstorm_client.journal import JournalFile
from vaultstorm_client.plan import Plan
from vaultstorm_client.tally import Counts, Tally
from vaultstorm_client.target import Target
from vaultstorm_wire.errors import MachineError, VaultstormError

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

START_DELAY: Final = 0.05
"""Seconds between the last process being ready and all of them starting."""


def run(
    plan: Plan,
    target: Target,
    tls: ssl.SSLContext | None,
    journal: Path | None = None,
    progress: Progress | None = None,
) -> tuple[Tally, bool]:
    """Carry out a plan.

    Args:
        plan: checked by `plan.check`.
        target: where to.
        tls: for ``https://``; None otherwise.
        journal: the directory for one journal per process; None for none.
        progress: is given the counts now and then.

    Returns:
        What was counted, and whether an interrupt (SIGINT, SIGTERM) cut it short.

    Raises:
        MachineError: a journal cannot be written, or a process was killed.
    """
    if plan.processes > 1:
        return _run_processes(plan, target, tls, journal, progress)
    engine = _engine(plan, target, tls, journal, 0, progress)
    with _interruptible(engine.interrupt) as interrupted:
        tally = _run_share(engine, plan, 0, monotonic)
    return tally, bool(interrupted)


def _engine(
    plan: Plan,
    target: Target,
    tls: ssl.SSLContext | None,
    journal: Path | None,
    share: int,
    progress: Progress | None,
) -> Engine:
    file = JournalFile(journal, plan.seed) if journal is not None else None
    return Engine(plan, target, tls, file, share, progress)


def _run_share(engine: Engine, plan: Plan, share: int, start: Callable[[], float]) -> Tally:
    """Run one process' clients; `start` gives the instant to start at, once all is prepared."""
    try:
        if plan.spike:
            indices = iter(range(share, plan.clients or 1, plan.processes))
            clients = engine.prepare_spike(indices)
            began = start()
            engine.spike(clients)
            return engine.run(iter(()), began)
        return engine.run(_arrivals(plan, share), start())
    finally:
        engine.close()


def _arrivals(plan: Plan, share: int) -> Iterator[tuple[int, float]]:
    """Give number and offset of each client of one process, of the one schedule of all."""
    if plan.rate is None:
        schedule = arrivals.ramped(plan.clients or 1, plan.ramp)
    elif plan.arrivals == "poisson":
        schedule = arrivals.poisson(plan.rate, plan.seed, plan.ramp)
    else:
        schedule = arrivals.constant(plan.rate, plan.ramp)
    bounded = arrivals.until(schedule, plan.clients, plan.duration)
    return islice(enumerate(bounded), share, None, plan.processes)


@contextmanager
def _interruptible(interrupt: Callable[[], None]) -> Iterator[list[int]]:
    """Call `interrupt` at SIGINT and SIGTERM; the list says which of them came."""
    seen: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        del frame
        seen.append(number)
        interrupt()

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# Several processes. Each sends ("ready",), then ("counts", Counts) now and then, and in the end
# ("done", Counts, latencies) or ("failed", message); it is sent the instant to start at.


def _run_processes(
    plan: Plan,
    target: Target,
    tls: ssl.SSLContext | None,
    journal: Path | None,
    progress: Progress | None,
) -> tuple[Tally, bool]:
    context = multiprocessing.get_context("fork")
    children: list[tuple[BaseProcess, Connection]] = []
    with _interruptible(lambda: _forward(children)) as interrupted:
        try:
            # A signal in between would reach some children, and one that has no handler yet.
            signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
            try:
                for share in range(plan.processes):
                    ours, theirs = context.Pipe()
                    parents = [*(end for _, end in children), ours]
                    child: BaseProcess = context.Process(
                        target=_child, args=(plan, target, tls, journal, share, theirs, parents)
                    )
                    child.start()
                    theirs.close()
                    children.append((child, ours))
            finally:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            return _gather(children, progress), bool(interrupted)
        finally:
            for child, ours in children:
                ours.close()
                if child.is_alive():
                    child.join(1.0)
                if child.is_alive():
                    child.kill()
                child.join()


def _forward(children: list[tuple[BaseProcess, Connection]]) -> None:
    for child, _ in children:
        if child.pid is not None and child.is_alive():
            os.kill(child.pid, signal.SIGINT)


def _child(
    plan: Plan,
    target: Target,
    tls: ssl.SSLContext | None,
    journal: Path | None,
    share: int,
    parent: Connection,
    parents: list[Connection],
) -> None:
    for end in parents:
        end.close()  # or else this process would never see that the parent is gone

    def start() -> float:
        parent.send(("ready",))
        instant: float = parent.recv()
        time.sleep(max(0.0, instant - monotonic() - 0.002))
        while monotonic() < instant:
            pass
        return instant

    try:
        engine = _engine(
            plan, target, tls, journal, share, lambda counts: parent.send(("counts", counts))
        )
        with _interruptible(engine.interrupt):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            tally = _run_share(engine, plan, share, start)
        latencies = {name: latency.encode() for name, latency in tally.latencies.items()}
        parent.send(("done", tally.counts, latencies))
    except VaultstormError as error:
        parent.send(("failed", str(error)))
    except (BrokenPipeError, EOFError):
        pass  # the parent is gone, and with it whoever wanted to know


def _gather(
    children: list[tuple[BaseProcess, Connection]],
    progress: Progress | None,
) -> Tally:
    pending = {ours: child for child, ours in children}
    counts: dict[Connection, Counts] = {}
    tally, ready = Tally(), 0
    while pending:
        for ours in wait(list(pending)):
            assert isinstance(ours, Connection)
            try:
                kind, *content = ours.recv()
            except EOFError:
                child = pending[ours]
                child.join()
                raise MachineError(
                    f"client process {child.pid} ended with exit code {child.exitcode}: "
                    "its attempts are not known, and the burst does not count"
                ) from None
            if kind == "failed":
                raise MachineError(content[0])
            if kind == "ready":
                ready += 1
                if ready == len(children):
                    _start_all(children)
            else:
                counts[ours] = content[0]
            if kind == "done":
                tally.merge(content[0], content[1])
                del pending[ours]
        if progress is not None and counts:
            progress(_sum(counts.values()))
    return tally


def _start_all(children: list[tuple[BaseProcess, Connection]]) -> None:
    instant = monotonic() + START_DELAY
    for _, ours in children:
        ours.send(instant)


def _sum(parts: Iterable[Counts]) -> Counts:
    total = Counts()
    for part in parts:
        total.add(part)
    return total
