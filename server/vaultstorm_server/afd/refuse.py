"""Overflow without SynAttackProtect: RST answers the SYN (KB113576)."""

import asyncio
import socket
from typing import ClassVar

import structlog

from vaultstorm_server import clock
from vaultstorm_server.afd.base import RETRY_AFTER
from vaultstorm_server.afd.emulated import KERNEL_BACKLOG, EmulatedQueueListener

log = structlog.get_logger()


class RefuseListener(EmulatedQueueListener):
    """Stops listening while the queue is full, so that the kernel refuses.

    shutdown(SHUT_RD) puts a listener back to its bound state (inet_shutdown), `listen()` opens the
    same descriptor again.
    """

    style: ClassVar[str] = "refuse"

    def _listen(self) -> None:
        self._again: asyncio.TimerHandle | None = None
        self._robbed = False
        super()._listen()

    def _wake(self) -> None:
        drained = self._drain()
        self._queue.advance(clock.now())
        if drained and self._refuses():
            self._pause()
        elif drained:
            self._caught = 0
        self._settle()

    def _refuses(self) -> bool:
        """Whether the next SYN is to be refused."""
        return self._queue.full

    def _pause(self) -> None:
        # shutdown() resets what is in the kernel's queue, and nobody sees whom. Hence right after
        # the accept() that found it empty: a handshake that completes between the two calls is the
        # one reset that is not journalled.
        began = clock.now()  # whom the RSTs wake may have the processor for long
        self._sock.shutdown(socket.SHUT_RD)
        self._unwatch()  # a socket that is shut down reports hang-up for ever
        self._begin_pause(began)

    def _adjust(self, now: float) -> None:
        if self._paused_at is None or self._refuses():
            return
        try:
            self._sock.listen(KERNEL_BACKLOG)
        except OSError as error:  # SO_REUSEADDR lets another listener have the port meanwhile
            if not self._robbed:
                log.error("listen_again_failed", port=self.port, error=error.strerror)
            self._robbed = True
            if self._again is None:
                self._again = self._loop.call_later(RETRY_AFTER, self._listen_again)
            return
        self._robbed = False
        self._watch()
        self._end_pause()

    def _listen_again(self) -> None:
        self._again = None
        self._settle()
