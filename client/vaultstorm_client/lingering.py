"""Connections whose answer is complete and which the server is about to close.

Closing first would meet the server's close_notify and FIN with a RST of our own: captures would
show resets that no failure caused. So the client waits for the FIN, for a while.
"""

import socket
from typing import Final

from vaultstorm_client.clock import monotonic
from vaultstorm_client.loop import NEVER, READ, Loop

PATIENCE: Final = 1.0
"""Seconds after which the connection is closed whatever the server does."""


class Lingering:
    """Reads a connection to its end, and closes it."""

    __slots__ = ("_loop", "_sock", "armed", "deadline")

    def __init__(self, loop: Loop, sock: socket.socket) -> None:
        self.deadline = self.armed = NEVER
        self._loop = loop
        self._sock = sock
        loop.watch(sock.fileno(), READ, self)
        loop.set_deadline(self, monotonic() + PATIENCE)

    def ready(self) -> None:
        """Take what has come; at the end, close."""
        try:
            if self._sock.recv(65536):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._loop.set_deadline(self, NEVER)
        self._close()

    def expired(self, now: float) -> None:
        """Close without having seen the end."""
        del now
        self._close()

    def _close(self) -> None:
        self._loop.forget(self._sock.fileno())
        self._sock.close()
