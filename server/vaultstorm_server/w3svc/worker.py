"""One worker process as its application pool's policy keeps it."""

import msgspec

from vaultstorm_server.w3svc.recycling import Reason
from vaultstorm_server.w3svc.states import TRANSITIONS, Change, Ending, State


class WorkerStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """One worker process, as the pool sees it."""

    pid: int
    state: str
    started: float
    served: int
    in_flight: int
    unsent_bytes: int
    interfaces: int
    threads_held: int
    leaving: str | None = None
    """Why it is being recycled."""


class Worker:
    """One worker process: what the policy knows of it, and what the shell tells it.

    Args:
        number: of its start, from 1.
        now: when it is started.

    Attributes:
        pid: set by the shell once there is a process.
        served: requests answered; counted by the shell.
        held: requests that it has and has not answered; kept by the shell.
        active: when it last had a request; kept by the shell.
        interfaces: entries of its interface table; kept by the shell.
        threads_held: its ISAPI threads that wait for an entry; kept by the shell.
        since: when it came to its present state.
        leaving: why it is being recycled; it goes on serving until its replacement does.
        ending: why it shuts down.
        why: what ended its channel.
        dropped: its channel is closed, and its requests are abandoned.
        pinged: when the ping was sent that it has not answered.
        ping_at, measure_at, recycle_at, idle_at: when to look at it again; None for never.
    """

    __slots__ = (
        "active", "dropped", "ending", "held", "idle_at", "interfaces", "leaving", "measure_at",
        "number", "pid", "ping_at", "pinged", "recycle_at", "served", "since", "started", "state",
        "threads_held", "why",
    )  # fmt: skip

    def __init__(self, number: int, now: float) -> None:
        self.number = number
        self.pid = 0
        self.state = State.STARTING
        self.started = self.since = self.active = now
        self.served = self.held = 0
        self.interfaces = self.threads_held = 0
        self.leaving: Reason | None = None
        self.ending: Ending | None = None
        self.why: str | None = None
        self.dropped = False
        self.pinged: float | None = None
        self.ping_at: float | None = None
        self.measure_at: float | None = None
        self.recycle_at: float | None = None
        self.idle_at: float | None = None

    def change(self, change: Change) -> None:
        """Move to the next state. Raises KeyError where the table has none."""
        self.state = TRANSITIONS[self.state][change]

    @property
    def fresh(self) -> bool:
        """Whether it serves, and is to go on serving."""
        return self.state is State.SERVING and self.leaving is None

    @property
    def occupies(self) -> bool:
        """Whether no other worker is to be started in its place.

        One that is lost keeps its place until it is known how it ended, so that a crash that turns
        the pool off starts nothing before.
        """
        if self.state is State.STARTING or self.fresh:
            return True
        return self.ending is Ending.LOST and self.leaving is None

    @property
    def stopped(self) -> bool:
        """Whether it was told to end with nobody to replace it: the pool stops, or it is idle."""
        return self.ending is Ending.ASKED and self.leaving is None

    def statistics(self, in_flight: int, unsent_bytes: int) -> WorkerStatistics:
        """Count it; the shell says how many requests it has, and what its channel still holds."""
        return WorkerStatistics(
            pid=self.pid,
            state=self.state,
            started=self.started,
            served=self.served,
            in_flight=in_flight,
            unsent_bytes=unsent_bytes,
            interfaces=self.interfaces,
            threads_held=self.threads_held,
            leaving=self.leaving,
        )

    def __repr__(self) -> str:
        leaving = f", leaving: {self.leaving}" if self.leaving is not None else ""
        return f"<Worker {self.number}: {self.pid} {self.state}{leaving}>"
