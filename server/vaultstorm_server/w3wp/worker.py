"""The worker's main thread: it reads the channel, and has the ISAPI threads run what comes.

It blocks on its one socket and imports no event loop: its start is part of every recycle.
"""

import contextlib
import os
import socket
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from vaultstorm_server import clock
from vaultstorm_server.frames import OVERHEAD, RECEIVE_MAX, Frames
from vaultstorm_server.messages import Done, Hello, Ping, Pong, Stop, ToWorker, Work
from vaultstorm_server.w3wp.answers import Answer, json
from vaultstorm_server.w3wp.executions import Executions
from vaultstorm_server.w3wp.isapi_threads import IsapiThreads
from vaultstorm_server.w3wp.outbox import Outbox
from vaultstorm_server.w3wp.vault import STATUS_PATH


class Worker:
    """Serves a channel until it is told to stop, or until the channel's end.

    What comes after a `Stop` is not read: the process takes nothing new once its shutdown has begun
    (KB908739), and whatever is still sent to it ends with it.

    Args:
        sock: the worker's end, blocking.
        outbox: sends by it.
        handle: answers a request: method, target and body.
        unhealthy: gives what the ISAPI reports by HSE_REQ_REPORT_UNHEALTHY.
        lines: its journal.
        threads: Vault.IsapiThreads.
        ping_blocked: Vault.PingBlockedByHang.
        frame_max: the longest frame that is received, and sent.
    """

    def __init__(
        self,
        sock: socket.socket,
        outbox: Outbox,
        handle: Callable[[str, str, bytes], Answer],
        unhealthy: Callable[[], str | None],
        lines: Executions,
        threads: int,
        ping_blocked: bool,
        frame_max: int,
        stopping: Callable[[], None] = lambda: None,
    ) -> None:
        self._sock = sock
        self._outbox = outbox
        self._handle = handle
        self._unhealthy = unhealthy
        self._lines = lines
        self._ping_blocked = ping_blocked
        self._stopping = stopping
        self._frames: Frames[ToWorker] = Frames(ToWorker, frame_max)
        self._body_max = frame_max - OVERHEAD
        self._threads: IsapiThreads[Work | Ping] = IsapiThreads(
            threads, self._on_thread, outbox.send
        )

    def run(self) -> bool:
        """Say hello, then serve. Returns when it was told to stop, and at the channel's end.

        Told to stop, it waits for the methods that run: for ever, if they hang.

        Returns:
            Whether it was told to stop, and no method runs any more.
        """
        self._outbox.send(Hello(os.getpid()))
        with contextlib.suppress(ConnectionResetError):  # the front process is gone
            while data := self._sock.recv(RECEIVE_MAX):
                if self._take(self._frames.feed(data)):
                    self._stopping()
                    self._threads.join()
                    return True
        return False

    def _take(self, messages: Iterable[ToWorker]) -> bool:
        """Do what is asked, in order; tell whether that was to stop.

        The status is short, and waits for nothing: where an ISAPI thread is free for it, it is
        answered here, which saves two switches of threads. What is for the threads is given to them
        together, for the same reason.
        """
        calls: list[Work | Ping] = []
        said = told_to_stop = False
        for message in messages:
            if isinstance(message, Stop):
                told_to_stop = True
                break
            if isinstance(message, Ping) and not (self._ping_blocked and not self._threads.free):
                self._outbox.put(Pong(self._unhealthy()))
                said = True
            elif isinstance(message, Work) and message.target == STATUS_PATH and self._threads.free:
                self._outbox.put(self._execute(message))
                said = True
            else:
                calls.append(message)
        if calls:
            self._threads.give(calls)
        if said:
            self._outbox.send()
        return told_to_stop

    def waiting(self) -> AbstractContextManager[None]:
        """Say that the method that the calling thread runs is going to wait for something."""
        return self._threads.waiting()

    def _on_thread(self, call: Work | Ping) -> None:
        if isinstance(call, Ping):
            self._outbox.put(Pong(self._unhealthy()))
        else:
            self._outbox.put(self._execute(call))

    def _execute(self, work: Work) -> Done:
        began = clock.now()
        self._lines.run(work)
        answer = self._handle(work.method, work.target, work.body)
        if len(answer.body) > self._body_max:
            answer = _too_large(len(answer.body), self._body_max)
        self._lines.executed(work, began, answer.status)
        return Done(work.seq, answer.status, answer.headers, answer.body)


def _too_large(size: int, limit: int) -> Answer:
    """Answer in place of what does not fit into a frame, such as a block of a higher limit."""
    error = (
        f"an answer of {size} bytes, where {limit} can be sent: "
        "raise httpsys.MaxRequestEntityAllowed"
    )
    return json(500, {"status": 500, "code": "too_large", "error": error})
