"""The byte stream of one connection: a non-blocking socket, with TLS or without, on the loop."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Final

READ_SIZE: Final = 65536
"""A TLS record holds 16 KiB at most, so this empties one; epoll is level-triggered and reports the
next one again."""

_WAITS = (BlockingIOError, ssl.SSLWantReadError)
_trash = bytearray(READ_SIZE)
_RST_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close() sends RST


def _nothing() -> None:
    """Take the place of the callbacks of a closed stream."""


class Stream:
    """Reads, writes and closes, and never blocks, never waits, never raises but OSError.

    Args:
        loop: uvloop's, or asyncio's.
        sock: connected and non-blocking; owned by the stream from here on.
        on_readable: called while there is something to read, unless paused.
        on_writable: called while `unsent` is not 0 and the socket takes more.
    """

    __slots__ = (
        "_loop",
        "_on_readable",
        "_on_writable",
        "_out",
        "_reading",
        "_writing",
        "fd",
        "sock",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        on_readable: Callable[[], None],
        on_writable: Callable[[], None],
    ) -> None:
        self._loop = loop
        self.sock = sock
        self.fd = sock.fileno()
        self._on_readable = on_readable
        self._on_writable = on_writable
        self._out: memoryview | None = None
        self._reading = False
        self._writing = False

    @property
    def unsent(self) -> int:
        """Bytes that the socket has not taken yet."""
        return 0 if self._out is None else len(self._out)

    def read_on(self) -> None:
        """Have `on_readable` called."""
        if not self._reading and self.fd >= 0:
            self._reading = True
            self._loop.add_reader(self.fd, self._on_readable)

    def pause(self) -> None:
        """Have `on_readable` called no more: the peer has to wait."""
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self.fd)

    def handshake(self, context: ssl.SSLContext) -> bool:
        """Take one step of the TLS handshake; True once it is done."""
        if not isinstance(self.sock, ssl.SSLSocket):
            self.sock = context.wrap_socket(
                self.sock,
                server_side=True,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
            )
        try:
            self.sock.do_handshake()
        except ssl.SSLWantReadError:
            self._watch_writes(False)
            return False
        except ssl.SSLWantWriteError:
            self._watch_writes(True)
            return False
        self._watch_writes(False)
        return True

    def receive(self) -> bytes | None:
        """Read what is there: None for nothing yet, empty for the end."""
        try:
            data = self.sock.recv(READ_SIZE)
        except _WAITS:
            data = None
        except ssl.SSLWantWriteError:
            self._watch_writes(True)
            return None
        except ssl.SSLEOFError:
            return b""  # FIN without close_notify: a client that does not speak TLS to the end
        if self._writing and self._out is None:
            self._watch_writes(False)
        return data

    @property
    def pending(self) -> bool:
        """Whether bytes stand decrypted that no epoll will report."""
        return isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0

    def send(self, data: bytes) -> bool:
        """Write `data`; False if some of it has to wait for `on_writable` and `flush`."""
        if self._out is None:
            try:
                sent = self.sock.send(data)
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                sent = 0
            if sent == len(data):
                return True
            self._out = memoryview(data)[sent:]
        else:
            self._out = memoryview(bytes(self._out) + data)
        return self.flush()

    def flush(self) -> bool:
        """Write what waits; True once nothing does."""
        rest = self._out
        try:
            while rest:
                rest = rest[self.sock.send(rest) :]
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            # OpenSSL wants the same bytes again (a moving buffer is allowed): they stay first.
            self._out = rest
            self._watch_writes(True)
            return False
        self._out = None
        self._watch_writes(False)
        return True

    def half_close(self) -> None:
        """Say close_notify and FIN; what arrives afterwards can only be discarded."""
        self._watch_writes(False)
        sock = self.sock
        # Behind half a record a close_notify cannot be sent; the FIN says enough.
        if self._out is None and isinstance(sock, ssl.SSLSocket):
            # Our alert goes out at once; then unwrap wants the peer's, which nobody needs.
            with contextlib.suppress(OSError, ValueError):
                sock.unwrap()
        self._out = None
        sock.shutdown(socket.SHUT_WR)

    def discard(self) -> int | None:
        """Read and forget: how much, 0 at the end, None for nothing yet."""
        try:
            return self.sock.recv_into(_trash)
        except _WAITS:
            return None

    def reset(self) -> None:
        """Close with a RST; no close_notify goes before it."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
        self.close()

    def close(self) -> None:
        """Give the descriptor back. More than once is fine."""
        if self.fd < 0:
            return
        self.pause()
        self._watch_writes(False)
        self.fd = -1
        self._out = None
        self._on_readable = self._on_writable = _nothing  # or the owner is a cycle's garbage
        self.sock.close()

    def _watch_writes(self, wanted: bool) -> None:
        if wanted is self._writing:
            return
        self._writing = wanted
        if wanted:
            self._loop.add_writer(self.fd, self._on_writable)
        else:
            self._loop.remove_writer(self.fd)
