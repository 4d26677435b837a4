"""The channel between the front process and a worker: the front's end, on its loop."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from vaultstorm_server.frames import FRAME_MAX, RECEIVE_MAX, FrameError, Frames, append
from vaultstorm_server.messages import Message

M = TypeVar("M")


class ChannelStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What went through a channel."""

    sent: int
    received: int
    unsent_bytes: int
    """What the peer has not taken: it grows while the peer is busy."""


class Channel(Generic[M]):
    """The front's end: messages out are coalesced per loop turn, messages in come one by one.

    Args:
        loop: watches the socket.
        sock: a stream socket, non-blocking from here on, and closed by `close`.
        frames: reads what the peer sends.
        on_message: takes each message.
        on_lost: called once when the peer is gone or talks nonsense, with the reason and with
            whether it was nonsense; never after `close`. Nothing is read or written after it.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        frames: Frames[M],
        on_message: Callable[[M], None],
        on_lost: Callable[[str, bool], None],
    ) -> None:
        sock.setblocking(False)
        self._loop = loop
        self._sock = sock
        self._frames = frames
        self._on_message = on_message
        self._on_lost = on_lost
        self._out = bytearray()
        self._scheduled = False
        self._open = True
        self._sent = self._received = 0
        loop.add_reader(sock, self._receive)

    def send(self, message: Message, limit: int = FRAME_MAX) -> None:
        """Send `message` at the end of this loop turn; on a lost channel it goes nowhere.

        Raises:
            FrameError: it is longer than `limit`.
        """
        if not self._open:
            return
        append(self._out, message, limit)
        self._sent += 1
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def receive(self) -> bool:
        """Take what has arrived, up to RECEIVE_MAX; tell whether there may be more."""
        return self._open and self._receive()

    def drain(self) -> None:
        """Take everything that has arrived, up to the end of the stream if it is there."""
        while self.receive():
            pass

    def close(self) -> None:
        """Close the socket: the peer reads an end of file. What was not sent is dropped."""
        self.ignore()
        self._sock.close()

    def ignore(self) -> None:
        """Read and write no more; the peer notices nothing until `close`."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._sock)
            self._loop.remove_writer(self._sock)

    def statistics(self) -> ChannelStatistics:
        """Give what went through so far."""
        return ChannelStatistics(
            sent=self._sent, received=self._received, unsent_bytes=len(self._out)
        )

    def __repr__(self) -> str:
        state = f"{len(self._out)} bytes unsent" if self._open else "closed"
        return f"<Channel {state}, {self._sent} out, {self._received} in>"

    def _receive(self) -> bool:
        try:
            data = self._sock.recv(RECEIVE_MAX)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            self._lost(_name(error))
            return False
        if not data:
            self._lost("closed")
            return False
        nonsense: str | None = None
        messages: Sequence[M]
        try:
            messages = self._frames.feed(data)
        except FrameError as error:
            messages, nonsense = error.before, str(error)
        self._received += len(messages)
        for message in messages:
            if not self._open:  # by what came before; a flood may follow, and it means nothing
                return False
            self._on_message(message)
        if nonsense is not None:
            self._lost(nonsense, nonsense=True)
        return True

    def _flush(self) -> None:
        """Hand the kernel what it takes; ask to be called again if that is not all."""
        self._scheduled = False
        if not self._open:
            return
        try:
            taken = self._sock.send(self._out)
        except (BlockingIOError, InterruptedError):
            taken = 0
        except OSError as error:  # EPIPE, ECONNRESET: Python ignores SIGPIPE
            self._abandon(_name(error))
            return
        del self._out[:taken]
        if self._out:
            self._scheduled = True  # send() only appends until the peer has read
            self._loop.add_writer(self._sock, self._writable)

    def _writable(self) -> None:
        self._loop.remove_writer(self._sock)
        self._flush()

    def _abandon(self, reason: str) -> None:
        """Take the answers that came before the peer went, then say that it is lost."""
        self.drain()
        self._lost(reason)

    def _lost(self, reason: str, *, nonsense: bool = False) -> None:
        if self._open:
            self.ignore()  # closing it is for the owner, who may leave the peer as it is
            self._on_lost(reason, nonsense)


def _name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, str(error))
