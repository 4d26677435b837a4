"""Connections that have carried their last answer.

Just closing them would meet what the server may still send (a close_notify) with a RST of our own:
captures would show resets that no failure caused. So the client says FIN and waits for the
server's, for a while.
"""

import contextlib
import socket
from typing import Final

from vaultstorm_client.clock import monotonic
from vaultstorm_client.loop import NEVER, Loop

PATIENCE: Final = 1.0
"""Seconds after which the connection is closed whatever the server does."""


class Lingering:
    """Reads a connection to its end, and closes it.

    Args:
        loop: watches it already, for what can be read.
        sock: the connection.
    """

    __slots__ = ("_loop", "_sock", "armed", "deadline")

    def __init__(self, loop: Loop, sock: socket.socket) -> None:
        self.deadline = self.armed = NEVER
        self._loop = loop
        self._sock = sock
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_WR)  # the server may have reset it meanwhile
        loop.hand_over(sock.fileno(), self)
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
