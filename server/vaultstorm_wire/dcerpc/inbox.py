"""The bytes that have come and are not read yet, and the fragment at their head."""

from vaultstorm_wire.dcerpc.pdu import HEADER_SIZE, Header, decode_header


class Inbox:
    """Keeps no more than what is not read: one fragment is at most 64 KiB of it.

    Attributes:
        buffer: the bytes; what a fragment's reader looks into.
        at: where the next fragment begins in it.
    """

    __slots__ = ("at", "buffer")

    def __init__(self) -> None:
        self.buffer: bytes | bytearray = b""
        self.at = 0

    def __len__(self) -> int:
        return len(self.buffer) - self.at

    def feed(self, data: bytes) -> None:
        """Take bytes; where nothing is left over from before they are not copied."""
        if self.at == len(self.buffer):
            self.buffer = data
        else:
            # A growing buffer, so that a fragment fed byte by byte costs no more than its length.
            if isinstance(self.buffer, bytearray):
                del self.buffer[: self.at]
            else:
                self.buffer = bytearray(memoryview(self.buffer)[self.at :])
            self.buffer += data
        self.at = 0

    def header(self) -> Header | None:
        """Read the next fragment's header; None where it is not wholly there."""
        if len(self.buffer) - self.at < HEADER_SIZE:
            return None
        return decode_header(self.buffer, self.at)

    def clear(self) -> None:
        """Forget everything."""
        self.buffer = b""
        self.at = 0
