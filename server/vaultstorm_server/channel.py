"""The channel between the front process and a worker: framed MessagePack over a socketpair.

A frame is a length (u32, big-endian) and one message. Everything up to `append` knows no I/O and
imports no event loop, because the worker process loads this file on every start.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    import asyncio
    import socket

LENGTH: Final = struct.Struct(">I")
RECEIVE_MAX: Final = 256 * 1024
"""Bytes asked of the kernel at once: more than a socketpair holds (net.core.wmem_max)."""
FRAME_MAX: Final = 0xFFFFFFFF
OVERHEAD: Final = 64 * 1024
"""What a frame may have beside the body and the head: tags, the request id, the answer's head."""

Headers = list[tuple[bytes, bytes]]


class Work(msgspec.Struct, array_like=True, tag=1, frozen=True, gc=False):
    """Front to worker: run this request."""

    seq: int
    id: str | None
    method: str
    target: str
    headers: Headers
    body: bytes


class Hello(msgspec.Struct, array_like=True, tag=2, frozen=True, gc=False):
    """Worker to front: started, and pulling requests."""

    pid: int


class Ping(msgspec.Struct, array_like=True, tag=4, frozen=True, gc=False):
    """Front to worker: are you there?"""


class Stop(msgspec.Struct, array_like=True, tag=5, frozen=True, gc=False):
    """Front to worker: finish what came before this, take nothing that comes after it, and end."""


class Pong(msgspec.Struct, array_like=True, tag=6, frozen=True, gc=False):
    """Worker to front: the answer to a `Ping`.

    Attributes:
        unhealthy: what an ISAPI gives as the reason for HSE_REQ_REPORT_UNHEALTHY, empty for none;
            None if all are well.
    """

    unhealthy: str | None = None


class Done(msgspec.Struct, array_like=True, tag=3, frozen=True, gc=False):
    """Worker to front: the answer to the request `seq`."""

    seq: int
    status: int
    headers: Headers
    body: bytes


ToWorker = Work | Ping | Stop
ToFront = Hello | Done | Pong
Message = ToWorker | ToFront
M = TypeVar("M")


class FrameError(Exception):
    """The peer sent what is no message, or a message is too long to be sent.

    You do not get one for a peer that went away: `Channel` reports that by `on_lost`.

    Attributes:
        before: the messages that were complete before it, of the same bytes.
    """

    def __init__(self, text: str, before: Sequence[Any] = ()) -> None:
        super().__init__(text)
        self.before = before


def bound(head: int, entity: int) -> int:
    """Give the longest frame that a request of these limits, or its answer, can need."""
    # a header field such as "a:" takes 4 bytes on the wire with its line end, and 6 in MessagePack
    return min(2 * head + entity + OVERHEAD, FRAME_MAX)


NO_MESSAGE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for it: text that is no UTF-8, and arrays in arrays, have their own."""

_encoder = msgspec.msgpack.Encoder()


def append(out: bytearray, message: Message, limit: int = FRAME_MAX) -> None:
    """Append the frame of `message` to `out`.

    Raises:
        FrameError: it would be longer than `limit`; `out` is as before.
    """
    start = len(out)
    out += b"\0\0\0\0"
    _encoder.encode_into(message, out, -1)
    size = len(out) - start - LENGTH.size
    if size > limit:
        del out[start:]
        raise FrameError(f"a message of {size} bytes, where {limit} may be sent")
    LENGTH.pack_into(out, start, size)


class Frames(Generic[M]):
    """Turns received bytes into messages, however they were cut.

    Args:
        kind: the message type, or the union of them, that the peer may send.
        limit: the longest frame that is taken.
    """

    def __init__(self, kind: Any, limit: int = FRAME_MAX) -> None:
        self._decode: Callable[[memoryview], M] = msgspec.msgpack.Decoder(kind).decode
        self._limit = limit
        self._rest = bytearray()
        self._need = 0

    def feed(self, data: bytes) -> list[M]:
        """Take bytes in, give the messages that they complete.

        Raises:
            FrameError: a frame over the limit, or one that is no message. The rest of the stream
                means nothing after that.
        """
        if self._rest:
            self._rest += data
            if len(self._rest) < self._need:  # a large frame is put together once, not per piece
                return []
            data = bytes(self._rest)
            self._rest.clear()
        view = memoryview(data)
        messages: list[M] = []
        start = 0
        self._need = LENGTH.size
        while len(view) - start >= LENGTH.size:
            (size,) = LENGTH.unpack_from(view, start)
            if size > self._limit:
                text = f"a frame of {size} bytes, where {self._limit} are allowed"
                raise FrameError(text, messages)
            end = start + LENGTH.size + size
            if end > len(view):
                self._need = end - start
                break
            try:
                messages.append(self._decode(view[start + LENGTH.size : end]))
            except NO_MESSAGE as error:
                raise FrameError(f"a frame that is no message: {error}", messages) from error
            start = end
        self._rest += view[start:]
        return messages

    @property
    def buffered(self) -> int:
        """Bytes of a frame that is not complete."""
        return len(self._rest)


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

    def drain(self) -> None:
        """Take everything that has arrived, up to the end of the stream if it is there."""
        while self._open and self._receive():
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
