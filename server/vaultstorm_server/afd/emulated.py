"""The accept queue in user space: the kernel's own is emptied at once and never overflows."""

import socket
from collections import deque
from typing import Final

from vaultstorm_server import clock
from vaultstorm_server.afd.base import Listener

KERNEL_BACKLOG: Final = 65535
"""As much as there is: the kernel cuts it to net.core.somaxconn."""

DRAIN_MAX: Final = 1024
"""Connections accepted in one go before the loop serves others; the rest is still readable then."""


class EmulatedQueueListener(Listener):
    """A listener that accepts ahead of the application and queues by the policy alone."""

    def _listen(self) -> None:
        self._waiting: deque[tuple[socket.socket, str]] = deque()
        self._sock.listen(KERNEL_BACKLOG)
        self._watch()

    def _watch(self) -> None:
        self._loop.add_reader(self._sock, self._wake)

    def _unwatch(self) -> None:
        self._loop.remove_reader(self._sock)

    def _wake(self) -> None:
        self._drain()
        self._settle()

    def _drain(self) -> bool:
        """Accept what the kernel has: True once it has said that nothing more is there."""
        for _ in range(DRAIN_MAX):
            connection = self._accept()
            if connection is None:
                return not self._exhausted
            if self._queue.arrive(clock.now()):
                connection[0].setblocking(False)
                self._waiting.append(connection)
            else:
                self._caught += 1
                self._turn_away(*connection, cause="backlog_full")
        return False

    def _next(self) -> tuple[socket.socket, str] | None:
        return self._waiting.popleft() if self._waiting else None

    def _reset_waiting(self) -> None:
        self._abandon()  # first, because it frees descriptors to accept the others with
        if self._paused_at is None:
            while not self._drain() and not self._exhausted:
                pass
        self._abandon()

    def _abandon(self) -> None:
        while self._waiting:
            self._queue.abandon(clock.now())
            self._turn_away(*self._waiting.popleft(), cause="stopping")
