"""One worker process as the pool keeps it."""

import asyncio

import msgspec

from vaultstorm_server import channel, clock
from vaultstorm_server.channel import Channel
from vaultstorm_server.w3svc import policy
from vaultstorm_server.w3svc.policy import Change, State
from vaultstorm_server.w3svc.process import Process


class WorkerStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """One worker process, as the pool sees it."""

    pid: int
    state: str
    started: float
    served: int
    in_flight: int
    unsent_bytes: int


class Worker:
    """One worker process and the channel to it."""

    __slots__ = (
        "abandoned", "channel", "failures", "pid", "process", "served", "started", "state", "timer",
    )  # fmt: skip

    def __init__(self, process: Process, failures: int) -> None:
        self.process = process
        self.pid = process.pid
        self.failures = failures
        """Starts in a row, before this one, that never came to a hello in its slot."""
        self.state = State.STARTING
        self.started = clock.now()
        self.served = self.abandoned = 0
        self.channel: Channel[channel.ToFront]
        self.timer: asyncio.TimerHandle

    def change(self, change: Change) -> None:
        """Move to the next state. Raises KeyError where the table has none."""
        self.state = policy.TRANSITIONS[self.state][change]

    def statistics(self, in_flight: int) -> WorkerStatistics:
        """Count it; `in_flight` is how many requests the pool says that it has."""
        return WorkerStatistics(
            pid=self.pid,
            state=self.state,
            started=self.started,
            served=self.served,
            in_flight=in_flight,
            unsent_bytes=self.channel.statistics().unsent_bytes,
        )
