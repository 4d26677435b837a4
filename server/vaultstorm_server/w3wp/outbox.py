"""What a worker has to say to the front process, from any of its threads, in whole frames."""

import contextlib
import socket
import threading
from typing import Final

from vaultstorm_server.frames import append
from vaultstorm_server.messages import Message

BATCH_MAX: Final = 32 << 10
"""Bytes of answers after which a batch leaves, so that the front process works beside us."""


class Outbox:
    """What goes to the front process, from any thread, in whole frames.

    Args:
        sock: the worker's end of the channel, blocking.
        frame_max: the longest frame that is sent.
    """

    def __init__(self, sock: socket.socket, frame_max: int) -> None:
        self._sock = sock
        self._frame_max = frame_max
        self._lock = threading.Lock()
        self._out = bytearray()

    def put(self, message: Message) -> None:
        """Keep a message for the next `send`, or for when there is a lot.

        Raises:
            FrameError: it is too long.
        """
        with self._lock:
            append(self._out, message, self._frame_max)
            if len(self._out) >= BATCH_MAX:
                self._flush()

    def send(self, message: Message | None = None) -> None:
        """Send a message, and all that was put before.

        Raises:
            FrameError: it is too long.
        """
        with self._lock:
            if message is not None:
                append(self._out, message, self._frame_max)
            self._flush()

    def _flush(self) -> None:
        """Hand the bytes to the kernel; where the front process is gone, nobody wants them."""
        if self._out:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._sock.sendall(self._out)
            self._out.clear()
