"""The processes of an application pool's workers, and the channels to them."""

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from vaultstorm_server.channel import Channel
from vaultstorm_server.frames import FRAME_MAX, Frames
from vaultstorm_server.messages import ToFront, ToWorker
from vaultstorm_server.w3svc.process import Process
from vaultstorm_server.w3svc.states import State
from vaultstorm_server.w3svc.worker import Worker

SIGNALS: Final = {
    "kill": signal.SIGKILL,
    "hang": signal.SIGSTOP,
    "resume": signal.SIGCONT,
}
"""What a tester may do to a worker process: end it, make it hang, and let it go on."""


class Child(NamedTuple):
    """The process of a worker, and the channel to it."""

    process: Process
    channel: Channel[ToFront]


class Children:
    """Starts and ends processes, and knows which worker each belongs to.

    Args:
        loop: watches them.
        command: what to start, with `process.CHANNEL` and `process.NUMBER` in their places.
        frame_max: the longest frame that either side sends.
        on_message: takes what a worker says.
        on_lost: called once with the reason, and whether that was no message, when a channel is of
            no use any more.
        on_exit: called with the return code when a process has ended, its last words being taken.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        command: Sequence[str],
        frame_max: int,
        on_message: Callable[[Worker, ToFront], None],
        on_lost: Callable[[Worker, str, bool], None],
        on_exit: Callable[[Worker, int], None],
    ) -> None:
        self._loop = loop
        self._command = command
        self._frame_max = frame_max
        self._on_message = on_message
        self._on_lost = on_lost
        self._on_exit = on_exit
        self._children: dict[Worker, Child] = {}
        self._orphans: dict[Worker, Child] = {}
        self._empty = asyncio.Event()

    def __len__(self) -> int:
        return len(self._children)

    def __iter__(self) -> Iterator[Worker]:
        return iter(self._children)

    def use(self, command: Sequence[str]) -> None:
        """Take another command for those that are started from here on."""
        self._command = command

    def start(self, worker: Worker) -> None:
        """Start the process of a worker, and set its pid. Raises OSError if that cannot be."""
        process = Process(
            self._loop,
            self._command,
            worker.number,
            lambda status: self._exited(worker, status),
        )
        worker.pid = process.pid
        self._empty.clear()
        self._children[worker] = Child(
            process,
            Channel(
                self._loop,
                process.sock,
                Frames[ToFront](ToFront, self._frame_max),
                lambda message: self._on_message(worker, message),
                lambda reason, nonsense: self._on_lost(worker, reason, nonsense),
            ),
        )

    def send(self, worker: Worker, message: ToWorker, limit: int = FRAME_MAX) -> None:
        """Send a worker a message. Raises FrameError if it is longer than `limit`."""
        self._children[worker].channel.send(message, limit)

    def listen(self) -> None:
        """Take what the workers have said already, before time is held against them."""
        for child in list(self._children.values()):
            child.channel.receive()  # and no more: some never stop talking

    def unsent(self, worker: Worker) -> int:
        """Give the bytes that a worker has not taken."""
        return self._children[worker].channel.statistics().unsent_bytes

    def close(self, worker: Worker) -> None:
        """Close the channel to a worker: it reads the end of the stream."""
        self._children[worker].channel.close()

    def kill(self, worker: Worker) -> None:
        """End a process at once; its exit follows."""
        self._children[worker].process.kill()

    def let_go(self, worker: Worker) -> None:
        """Leave a process to itself, its channel open: it is to stay as it is.

        It is reaped when it ends, and nothing is said of that.
        """
        child = self._children.pop(worker)
        child.channel.ignore()
        self._orphans[worker] = child
        self._note_empty()

    def signal(self, what: str) -> list[int]:
        """Send one of `SIGNALS` to the oldest worker that serves, or ``resume`` to every process.

        Returns:
            The pids that it was sent to.
        """
        living = [child.process for child in self._all()]
        serving = [
            child.process
            for worker, child in self._children.items()
            if worker.state is State.SERVING
        ]
        chosen = living if what == "resume" else serving[:1]
        for process in chosen:
            process.send_signal(SIGNALS[what])
        return [process.pid for process in chosen]

    async def empty(self) -> None:
        """Wait until all processes have ended, but for those that were let go of."""
        if self._children:
            await self._empty.wait()

    def reap(self) -> list[int]:
        """Kill and reap all that is left, orphans too; give their pids."""
        left = self._all()
        for child in left:
            child.channel.close()
            child.process.reap()
        self._children.clear()
        self._orphans.clear()
        return [child.process.pid for child in left]

    def _exited(self, worker: Worker, status: int) -> None:
        orphan = self._orphans.pop(worker, None)
        if orphan is not None:
            orphan.channel.close()
            return
        child = self._children[worker]
        child.channel.drain()
        self._on_exit(worker, status)
        child.channel.close()
        del self._children[worker]
        self._note_empty()

    def _all(self) -> list[Child]:
        return [*self._children.values(), *self._orphans.values()]

    def _note_empty(self) -> None:
        if not self._children:
            self._empty.set()
