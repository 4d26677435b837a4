"""Feeds mutated PDUs of impacket's to both ends: `python -m tests.wire.dcerpc.fuzz 200000`.

Every input is made from one seed and its number, so that a failure can be had again.
"""

import random
import sys
from typing import Final

from tests.wire.dcerpc import captured
from tests.wire.dcerpc.ends import RESOLVER, acknowledgement, bind
from tests.wire.dcerpc.test_binds import BIG_BIND, BIG_BIND_ACK
from tests.wire.dcerpc.test_calls import BIG_FAULT, BIG_REQUEST, fragments_of
from vaultstorm_wire.dcerpc.connection import (
    NEED_DATA,
    Connection,
    RemoteProtocolError,
    Role,
    State,
)
from vaultstorm_wire.dcerpc.events import Bind, Closed, Event, Orphaned, Request, Response
from vaultstorm_wire.dcerpc.pdu import FRAGMENT_MAX, decode_header

VECTORS: Final = (
    *(value for value in vars(captured).values() if isinstance(value, bytes)),
    *fragments_of(captured.REQUEST_FRAGMENTS),
    *(BIG_BIND, BIG_BIND_ACK, BIG_FAULT, BIG_REQUEST),
)
NAMES: Final = {
    **{value: name for name, value in vars(captured).items() if isinstance(value, bytes)},
    **dict.fromkeys(fragments_of(captured.REQUEST_FRAGMENTS), "REQUEST"),
    BIG_BIND: "BIND",
    BIG_BIND_ACK: "BIND_ACK",
    BIG_FAULT: "FAULT",
    BIG_REQUEST: "REQUEST",
}
MAX_STUB: Final = 100
MAX_ASSEMBLING: Final = 3
BOUNDARIES: Final = (0, 1, 7, 8, 15, 16, 23, 24, 0x7F, 0x80, 0xFE, 0xFF, 0x7FFF, 0xFFFF, 0xFFFFFFFF)
HEADER: Final = (0, 1, 2, 3, 4, 8, 9, 10, 11, 12)


def fitting(end: Connection) -> list[bytes]:
    """Give the PDUs that may come next at this end: the mutator begins with right ones."""
    server = "server" in repr(end)
    proposals = {State.ESTABLISHED: "BIND"} if server else {State.BINDING: "BIND_"}
    calls = ("REQUEST", "ALTER", "CANCEL") if server else ("RESPONSE", "FAULT", "SHUTDOWN")
    prefix = proposals.get(end.state, calls)
    return [data for data in VECTORS if NAMES.get(data, "").startswith(prefix)]


def mutated(rng: random.Random, end: Connection) -> bytes:
    """Give a few PDUs, most of them in place, with a few things wrong with them."""
    right = fitting(end) or list(VECTORS)
    pdus = [rng.choice(right if rng.random() < 0.9 else VECTORS) for _ in range(rng.randint(1, 5))]
    data = bytearray(b"".join(pdus))
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        at = rng.choice(HEADER) if rng.random() < 0.3 else rng.randrange(len(data))
        at = min(at, len(data) - 1)
        match rng.randrange(7):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                data[at] = rng.choice(BOUNDARIES) & 0xFF
            case 2:
                data[at : at + 2] = (rng.choice(BOUNDARIES) & 0xFFFF).to_bytes(2, "little")
            case 3:
                data[at : at + 4] = rng.choice(BOUNDARIES).to_bytes(4, "little")
            case 4:
                del data[at : at + rng.randint(1, 40)]
            case 5:
                data[at:at] = data[at : at + rng.randint(1, 40)]
            case _:
                other = rng.choice(VECTORS)
                data[at:] = other[rng.randrange(len(other)) :]
        if not data:
            return b""
    return bytes(data)


def an_end(rng: random.Random) -> Connection:
    """Give one end, at some point of its life."""
    role = rng.choice(list(Role))
    end = Connection(role, max_stub=MAX_STUB, max_assembling=MAX_ASSEMBLING, max_contexts=8)
    stage = rng.choice((0, 1, 2, 3, 3, 3))
    multiplex = rng.random() < 0.5
    if role is Role.CLIENT and stage:
        end.send(bind(RESOLVER, multiplex=multiplex))
        if stage > 1:
            end.receive_data(captured.BIND_ACK)
            end.next_event()
        if stage > 2:
            end.send(Request(rng.choice((1, 1, 2, 2, 3)), 0, 5, b""))
    elif role is Role.SERVER and stage:
        end.receive_data(captured.BIND[:3] + bytes([3 | multiplex << 4]) + captured.BIND[4:])
        react(end, end.next_event())
    return end


def react(end: Connection, event: object) -> None:
    """Answer as a server would: whatever comes out of a connection can be answered."""
    if isinstance(event, Bind):
        end.send(acknowledgement(event))
    elif isinstance(event, Request) and event.call_id % 2:
        end.send(Response(event.call_id, event.context_id, event.stub))


def check(end: Connection, data: bytes, rng: random.Random) -> None:
    """Feed the bytes in pieces; nothing may come of it but events and the protocol's error.

    Raises:
        AssertionError: it holds more than it may, or gives more than there can be.
    """
    at = events = 0
    while at <= len(data):
        size = rng.choice((1, 2, 16, 24, 60, 500))
        piece = data[at : at + size]
        end.receive_data(piece)
        at += size
        try:
            while (event := end.next_event()) is not NEED_DATA:
                events += 1
                assert events <= len(data) // 16 + 1, "more events than PDUs"
                assert isinstance(event, Event)
                react(end, event)
                if isinstance(event, Closed | Orphaned):
                    assert end.state is State.CLOSED
        except RemoteProtocolError as error:
            check_broken(end, error)
            return
        check_bounds(end, len(data))
        if not piece:
            return
    end.receive_data(b"")


def check_broken(end: Connection, error: RemoteProtocolError) -> None:
    """The answer is one whole PDU, and the connection stays broken and empty."""
    if error.answer is not None:
        assert decode_header(error.answer, 0).frag_length == len(error.answer)
    end.receive_data(bytes(100))
    assert "unread=0 held=0" in repr(end)
    assert end.state is State.CLOSED


def check_bounds(end: Connection, received: int) -> None:
    """No more is held than was received, than a fragment, and than the stubs' budget."""
    counts = dict(part.split("=") for part in repr(end).strip("<>").split()[3:])
    assert int(counts["unread"]) <= min(received, FRAGMENT_MAX)
    assert int(counts["held"]) <= min(received, MAX_STUB)
    assert int(counts["contexts"]) <= 8


def run(inputs: int, seed: int = 960007) -> int:
    """Check so many inputs; give how many ran.

    Raises:
        AssertionError: with the number of the input that failed.
    """
    for number in range(inputs):
        rng = random.Random(seed << 32 | number)
        try:
            end = an_end(rng)
            check(end, mutated(rng, end), rng)
        except Exception as error:
            raise AssertionError(f"input {number} of seed {seed}") from error
    return inputs


if __name__ == "__main__":
    count = run(int(sys.argv[1]), *map(int, sys.argv[2:]))
    sys.stdout.write(f"{count:,} inputs ran, and nothing but the protocol's own errors came\n")
