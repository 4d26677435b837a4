"""The worker's loop: receive, run, write the journal, answer.

It blocks on its one socket and imports no event loop: its start is part of every recycle.
"""

import os
import socket
import sys
from collections.abc import Iterable
from typing import Final

import msgspec

from vaultstorm_server import clock
from vaultstorm_server.channel import (
    RECEIVE_MAX,
    Done,
    Frames,
    Hello,
    Ping,
    Pong,
    Stop,
    ToWorker,
    Work,
    append,
)
from vaultstorm_server.w3wp.vault import Vault
from vaultstorm_wire import journal

BATCH_MAX: Final = 1 << 20
"""Bytes of answers after which a batch leaves, even if more requests have been received."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the front process tells a worker.

    Attributes:
        channel: the descriptor of its end of the channel.
        journal: the directory of its journal; empty for none.
        max_blocks: Vault.MaxBlocks.
        frame_max: the longest frame that either side sends.
    """

    channel: int
    journal: str
    max_blocks: int
    frame_max: int


def open_journal(directory: str, pid: int) -> journal.Lines | None:
    """Begin ``DIRECTORY/worker-PID.ndjson``. Raises OSError if that cannot be."""
    if not directory:
        return None
    path = os.path.join(directory, f"worker-{pid}.ndjson")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    lines = journal.Lines(lambda data: os.write(descriptor, data))
    lines.append(journal.Journal(time=clock.now(), role="worker", pid=pid))
    lines.flush()
    return lines


class Worker:
    """Serves a channel until it is told to stop, or until the channel's end.

    What comes after a `Stop` is not read: the process takes nothing new once its shutdown has begun
    (KB908739), and whatever is still sent to it ends with it.

    Args:
        sock: the worker's end, blocking.
        vault: answers the requests.
        lines: its journal, if it keeps one.
        frame_max: the longest frame that either side sends.
    """

    def __init__(
        self, sock: socket.socket, vault: Vault, lines: journal.Lines | None, frame_max: int
    ) -> None:
        self._sock = sock
        self._vault = vault
        self._lines = lines
        self._frames: Frames[ToWorker] = Frames(ToWorker, frame_max)
        self._frame_max = frame_max
        self._pid = os.getpid()
        self._out = bytearray()

    def run(self) -> None:
        """Say hello, then serve. Returns when it was told to stop, and at the channel's end."""
        try:
            append(self._out, Hello(self._pid))
            self._send()
            while data := self._sock.recv(RECEIVE_MAX):
                told_to_stop = self._take(self._frames.feed(data))
                self._send()
                if told_to_stop:
                    return
        except (BrokenPipeError, ConnectionResetError):  # the front process is gone
            pass

    def _take(self, messages: Iterable[ToWorker]) -> bool:
        """Do what is asked, in order; tell whether that was to stop."""
        for message in messages:
            if isinstance(message, Stop):
                return True
            if isinstance(message, Ping):
                append(self._out, Pong(self._vault.unhealthy))
            else:
                self._execute(message)
            if len(self._out) >= BATCH_MAX:
                self._send()
        return False

    def _execute(self, work: Work) -> None:
        now = clock.now()
        status, headers, body = self._vault.handle(work.method, work.target, work.body, now)
        if self._lines is not None:
            self._write(self._lines, work, now, status)
        append(self._out, Done(work.seq, status, headers, body), self._frame_max)

    def _write(self, lines: journal.Lines, work: Work, now: float, status: int) -> None:
        """Write one execution down before the next begins: a crash hides none that is over."""
        lines.append(
            journal.Execution(
                time=now,
                id=work.id,
                worker=self._pid,
                method=work.method,
                target=work.target,
                status=status,
            )
        )
        try:
            lines.flush()
        except OSError as error:
            print(f"worker {self._pid}: journal incomplete: {error}", file=sys.stderr)  # noqa: T201
            self._lines = None

    def _send(self) -> None:
        if self._out:
            self._sock.sendall(self._out)
            self._out.clear()
