"""RPCSS on a loop of its own, and a client that speaks in bytes."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar
from uuid import UUID

import uvloop
from msgspec.structs import replace

from vaultstorm_server.journal import JournalFile
from vaultstorm_server.rpcss.service import Rpcss
from vaultstorm_server.settings import Rpc, Settings
from vaultstorm_wire import journal

T = TypeVar("T")
R = TypeVar("R", bound=journal.Record)
PATIENCE = 20.0

NDR = UUID("8a885d04-1ceb-11c9-9fe8-08002b104860").bytes_le + struct.pack("<I", 2)
NDR64 = UUID("71710533-beba-4937-8319-b5dbef9ccc36").bytes_le + struct.pack("<I", 1)
FEATURES = UUID("6cb71c2c-9812-4540-0300-000000000000").bytes_le + struct.pack("<I", 1)

OBJECT_EXPORTER = "99fcfec4-5260-101b-bbcb-00aa0021347a"
SCM = "000001a0-0000-0000-c000-000000000046"
REM_UNKNOWN = "00000131-0000-0000-c000-000000000046"
REM_UNKNOWN2 = "00000143-0000-0000-c000-000000000046"
DEMONSTRATION = "8e5f1c6a-4b0d-4c57-9d3e-5a7b2f60c9d2"
APPID = "8e5f1c6a-4b0d-4c57-9d3e-5a7b2f60c9d1"
UNKNOWN = "01234567-89ab-cdef-0123-456789abcdef"

REQUEST, RESPONSE, FAULT, BIND, BIND_ACK, BIND_NAK, ALTER, ALTER_RESP = 0, 2, 3, 11, 12, 13, 14, 15
CANCEL, ORPHANED = 18, 19
FIRST, LAST, DID_NOT_EXECUTE, OBJECT = 1, 2, 0x20, 0x80


class Pdu(NamedTuple):
    """One PDU as it was received."""

    ptype: int
    flags: int
    call_id: int
    body: bytes

    @property
    def status(self) -> int:
        """Of a fault."""
        assert self.ptype == FAULT
        value: int = struct.unpack_from("<I", self.body, 8)[0]
        return value

    @property
    def stub(self) -> bytes:
        """Of a response."""
        assert self.ptype == RESPONSE, self
        return self.body[8:]


class Client:
    """A blocking client."""

    def __init__(
        self, port: int, host: str = "127.0.0.1", *, little: bool = True, window: int = 0
    ) -> None:
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.sock.settimeout(PATIENCE)
        if window:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        try:
            self.sock.connect((host, port))
        except OSError:
            self.sock.close()
            raise
        self.order = "<" if little else ">"
        self.calls = 0

    def send(
        self,
        ptype: int,
        body: bytes,
        flags: int = FIRST | LAST,
        call_id: int | None = None,
        auth: bytes = b"",
    ) -> int:
        """Send one PDU; give its call id."""
        if call_id is None:
            self.calls += 1
            call_id = self.calls
        drep = b"\x10\0\0\0" if self.order == "<" else bytes(4)
        trailer = struct.pack("BBBBI", auth[0], 2, 0, 0, 0) + auth[1:] if auth else b""
        head = struct.pack("4B", 5, 0, ptype, flags) + drep
        lengths = struct.pack(
            f"{self.order}HHI", 16 + len(body) + len(trailer), max(len(trailer) - 8, 0), call_id
        )
        self.sock.sendall(head + lengths + body + trailer)
        return call_id

    def bind(
        self,
        *interfaces: str,
        ptype: int = BIND,
        transfers: tuple[bytes, ...] = (NDR,),
        group: int = 0,
        sizes: tuple[int, int] = (5840, 5840),
        first_id: int = 0,
        auth: bytes = b"",
        version: int = 0,
    ) -> Pdu:
        """Propose a context for each interface, with ids from `first_id`; give the answer."""
        order = self.order
        body = struct.pack(f"{order}HHIBBH", *sizes, group, len(interfaces), 0, 0)
        for number, interface in enumerate(interfaces, first_id):
            body += struct.pack(f"{order}HBB", number, len(transfers), 0)
            body += self.guid(interface) + struct.pack(f"{order}HH", version, 0)
            body += b"".join(self._syntax(transfer) for transfer in transfers)
        self.send(ptype, body, auth=auth)
        return self.receive()

    def request(
        self,
        opnum: int,
        stub: bytes = b"",
        *,
        object: bytes | None = None,
        context: int = 0,
        flags: int = FIRST | LAST,
        call_id: int | None = None,
    ) -> int:
        """Send a request; give its call id."""
        body = struct.pack(f"{self.order}IHH", len(stub), context, opnum)
        if object is not None:
            body += self.guid(str(UUID(bytes_le=object)))
            flags |= OBJECT
        return self.send(REQUEST, body + stub, flags, call_id)

    def call(
        self, opnum: int, stub: bytes = b"", *, object: bytes | None = None, context: int = 0
    ) -> Pdu:
        """Send a request and wait for its answer."""
        call_id = self.request(opnum, stub, object=object, context=context)
        answer = self.receive()
        assert answer.call_id == call_id
        return answer

    def guid(self, text: str) -> bytes:
        """Give a guid in the client's byte order."""
        return UUID(text).bytes_le if self.order == "<" else UUID(text).bytes

    def receive(self) -> Pdu:
        """Read a PDU, which is little-endian."""
        head = self._exactly(16)
        version, minor, ptype, flags, drep, length, auth, call_id = struct.unpack("<4BIHHI", head)
        assert (version, minor, drep, auth) == (5, 0, 0x10, 0)
        return Pdu(ptype, flags, call_id, self._exactly(length - 16))

    def rest(self) -> bytes:
        """Read up to the server's FIN; a RST raises."""
        found = b""
        while data := self.sock.recv(65536):
            found += data
        return found

    def reset(self) -> None:
        """Close with a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        """Close with a FIN."""
        self.sock.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def _syntax(self, transfer: bytes) -> bytes:
        if self.order == "<":
            return transfer
        return UUID(bytes_le=transfer[:16]).bytes + transfer[:15:-1]

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            data = self.sock.recv(size - len(found))
            if not data:
                raise EOFError(found)
            found += data
        return found


def results(ack: Pdu) -> list[tuple[int, int]]:
    """Read what a bind_ack or an alter_context_resp says of each context: result and reason."""
    length = struct.unpack_from("<H", ack.body, 8)[0]
    at = (10 + length + 3) & ~3
    return [
        struct.unpack_from("<HH", ack.body, at + 4 + 24 * number) for number in range(ack.body[at])
    ]


def group(ack: Pdu) -> int:
    """Read the association group of a bind_ack."""
    value: int = struct.unpack_from("<I", ack.body, 4)[0]
    return value


@dataclass
class Served:
    """RPCSS that runs, on a loop in another thread."""

    rpcss: Rpcss
    loop: asyncio.AbstractEventLoop
    journal: JournalFile

    @property
    def port(self) -> int:
        """The resolver's."""
        return self.rpcss.port

    def do(self, call: Callable[[], T]) -> T:
        """Call something on the loop."""
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(call())
            except BaseException as error:
                done.set_exception(error)

        self.loop.call_soon_threadsafe(run)
        return done.result(PATIENCE)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition of the server's own objects holds."""

        async def wait() -> None:
            async with asyncio.timeout(PATIENCE):
                while not condition():  # noqa: ASYNC110
                    await asyncio.sleep(0.002)

        asyncio.run_coroutine_threadsafe(wait(), self.loop).result(PATIENCE)

    def records(self, kind: type[R]) -> list[R]:
        """Read what the journal has on disk at this moment."""
        assert self.journal.path is not None
        with self.journal.path.open("rb") as file:
            return [record for record in journal.read(file) if isinstance(record, kind)]


@contextlib.contextmanager
def serving(
    directory: Path,
    settings: Settings | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    bugs: int = 0,
) -> Iterator[Served]:
    """Serve on a free port, and end with nothing left open and no bug met."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    made: Future[Served] = Future()

    def make() -> None:
        try:
            file = JournalFile(directory, "front", loop)
            try:
                rpcss = Rpcss(loop, host, port, settings or Settings(), file)
            except BaseException:
                file.close()
                raise
            made.set_result(Served(rpcss, loop, file))
        except BaseException as error:
            made.set_exception(error)

    loop.call_soon_threadsafe(make)
    try:
        served = made.result(PATIENCE)
        try:
            yield served
        finally:
            served.do(served.rpcss.close)
            served.do(served.journal.close)
            assert served.rpcss.statistics().bugs == bugs
            assert served.rpcss.statistics().connections == 0
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


def rpc(**changes: object) -> Settings:
    """Give settings with some of the RPC ones changed."""
    return Settings(rpc=replace(Rpc(), **changes))
