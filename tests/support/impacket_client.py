"""impacket's own DCOM client without its sockets: what it sends, and what it makes of an answer."""

from collections.abc import Callable
from typing import Any

from impacket.dcerpc.v5.dcomrt import DCOMConnection
from impacket.dcerpc.v5.rpcrt import DCERPC

TARGET = "127.0.0.1"


class _Transport:
    def connect(self) -> None:
        """Do nothing: there is nobody to connect to."""

    def getRemoteName(self) -> str:
        return TARGET


class Overheard(DCERPC):  # type: ignore[misc]
    """A connection of impacket's that a function answers.

    Args:
        answer: is given each stub, and gives the stub of its answer.
    """

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        super().__init__(_Transport())
        self._answer = answer
        self.opnum = -1
        self.stub = b""

    def bind(self, *_: Any) -> None:
        """Agree to any interface."""

    def get_auth_type(self) -> int:
        """Say that there is no authentication."""
        return 0

    def call(self, function: int, body: Any, uuid: bytes | None = None) -> None:
        """Keep what would be sent."""
        self.opnum = function
        self.stub = body.getData()

    def recv(self) -> bytes:
        """Answer it."""
        return self._answer(self.stub)


def forget() -> None:
    """Empty the tables that impacket keeps for all of its connections."""
    for table in (DCOMConnection.OID_ADD, DCOMConnection.OID_DEL, DCOMConnection.OID_SET):
        table.clear()
