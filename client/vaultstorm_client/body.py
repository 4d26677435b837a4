"""An answer whose body is looked at: the beginning of it is kept, in bounded memory."""

from vaultstorm_client.response import Response


class BodyResponse(Response):
    """Takes the bytes of one answer in any pieces, and keeps those of its body.

    Args:
        keep: how many of them.
    """

    __slots__ = ("_kept", "_room")

    def __init__(self, keep: int) -> None:
        super().__init__()
        self._kept: list[bytes] = []
        self._room = keep

    @property
    def body(self) -> bytes:
        """What has been kept."""
        return b"".join(self._kept)

    def _keep(self, data: bytes) -> None:
        if data and self._room:
            self._kept.append(data[: self._room])
            self._room -= len(self._kept[-1])

    def _counted(self) -> bool:
        self._keep(self._buffer[: self._body_left])
        return super()._counted()

    def _until_eof(self) -> bool:
        self._keep(self._buffer)
        return super()._until_eof()

    def _chunk_data(self) -> bool:
        assert self._body_left is not None
        self._keep(self._buffer[: self._body_left - 2])  # CRLF follows
        return super()._chunk_data()
