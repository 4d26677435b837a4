"""Frames of the channel: a length (u32, big-endian) and one message, cut from a stream of bytes.

No I/O, and no event loop: the worker process loads this file on every start.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec

from vaultstorm_server.messages import Message

LENGTH: Final = struct.Struct(">I")
RECEIVE_MAX: Final = 256 * 1024
"""Bytes asked of the kernel at once: more than a socketpair holds (net.core.wmem_max)."""
FRAME_MAX: Final = 0xFFFFFFFF
OVERHEAD: Final = 64 * 1024
"""What a frame may have beside the body and the head: tags, the request id, the answer's head."""

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
