"""Requests, responses and faults against bytes of others."""

import pytest
from impacket.dcerpc.v5.rpcrt import MSRPCRequestHeader, MSRPCRespHeader

from tests.wire.dcerpc import captured
from vaultstorm_wire.dcerpc import calls
from vaultstorm_wire.dcerpc.calls import CallPart
from vaultstorm_wire.dcerpc.events import Fault, Request, Response
from vaultstorm_wire.dcerpc.pdu import FIRST, LAST, PduError, decode_header
from vaultstorm_wire.dcerpc.syntax import guid_of

OBJECT = guid_of("11223344-5566-7788-99aa-bbccddeeff00")

# Opnum 5 on context 1, for OBJECT, call 2, from a big-endian machine.
BIG_REQUEST = bytes.fromhex(
    "05000083 00000000 002c 0000 00000002 00000004 0001 0005"
    "11223344 5566 7788 99aabbccddeeff00 deadbeef"
)
BIG_FAULT = bytes.fromhex(
    "05000323 00000000 0020 0000 00000002 00000020 0001 00 00 1c010014 00000000"
)


def decode(data: bytes) -> CallPart:
    """Read a fragment that stands between other bytes."""
    return calls.decode_call(b"before" + data + b"after", 6, decode_header(data, 0))


def fragments_of(data: bytes) -> list[bytes]:
    """Take PDUs apart by their lengths alone."""
    found = []
    while data:
        length = int.from_bytes(data[8:10], "little")
        found.append(data[:length])
        data = data[length:]
    return found


def test_a_request_of_impacket() -> None:
    """The fields of requests, with and without an object, are where impacket puts them."""
    assert decode(captured.REQUEST_EMPTY) == CallPart(0, 0, 5, None, b"")
    assert decode(captured.REQUEST_OBJECT) == CallPart(30, 0, 5, OBJECT, b"stub bytes" * 3)


def test_a_request_is_written_as_impacket_does() -> None:
    """The same request is the same bytes."""
    request = Request(2, 0, 5, b"stub bytes" * 3, OBJECT)
    assert calls.encode_request(request, 4280) == captured.REQUEST_OBJECT
    assert calls.encode_request(Request(1, 0, 5, b""), 4280) == captured.REQUEST_EMPTY


def test_a_response_is_read_both_ways() -> None:
    """Impacket's response is read, and ours is read by impacket."""
    assert decode(captured.RESPONSE).stub == b"answer to 5\0"
    theirs = MSRPCRespHeader(calls.encode_response(Response(3, 1, b"stub"), 5840))
    assert (theirs["call_id"], theirs["ctx_id"], theirs["alloc_hint"]) == (3, 1, 4)
    assert theirs["pduData"] == b"stub"


def test_a_big_endian_request() -> None:
    """Numbers and the object are turned, the stub is not."""
    assert decode(BIG_REQUEST) == CallPart(4, 1, 5, OBJECT, b"\xde\xad\xbe\xef")


@pytest.mark.parametrize("length", range(16, 40))
def test_a_request_that_ends_early(length: int) -> None:
    """Nothing behind a fragment's end is taken for a part of it."""
    data = captured.REQUEST_OBJECT
    short = data[:8] + length.to_bytes(2, "little") + data[10:length]
    with pytest.raises(PduError):
        decode(short)


@pytest.mark.parametrize("target", [None, OBJECT])
@pytest.mark.parametrize("max_xmit", [1432, 2048, 5840])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_fragments_at_their_boundaries(
    target: bytes | None, max_xmit: int, times: int, more: int
) -> None:
    """Fragments are full, flagged first and last once, and count down what is left of the stub."""
    room = (max_xmit - 24 - len(target or b"")) // 8 * 8
    stub = bytes(n % 251 for n in range(room * times + more))
    data = calls.encode_request(Request(2, 1, 3, stub, target), max_xmit)
    parts = fragments_of(data)
    assert len(parts) == times + (more > 0)
    assert all(len(part) <= max_xmit for part in parts)
    theirs = [MSRPCRequestHeader(part) for part in parts]
    assert [part["flags"] & FIRST for part in theirs] == [FIRST] + [0] * (len(parts) - 1)
    assert [part["flags"] & LAST for part in theirs] == [0] * (len(parts) - 1) + [LAST]
    assert b"".join(part["pduData"] for part in theirs) == stub
    left = len(stub)
    for part in map(decode, parts):
        assert (part.hint, part.context_id, part.opnum, part.object) == (left, 1, 3, target)
        left -= len(part.stub)


def test_an_object_is_a_guid() -> None:
    """Nothing but 16 bytes stands where an object is named."""
    with pytest.raises(PduError, match="15"):
        calls.encode_request(Request(1, 0, 0, b"", bytes(15)), 5840)


@pytest.mark.parametrize("did_not_execute", [True, False])
def test_a_fault_vouches_or_not(did_not_execute: bool) -> None:
    """DID_NOT_EXECUTE is the fault's flag, and survives the wire."""
    fault = Fault(2, 0, 0x1C010014, did_not_execute)
    data = calls.encode_fault(fault)
    assert calls.decode_fault(data, 0, decode_header(data, 0)) == fault
    assert bool(data[3] & 0x20) is did_not_execute


def test_a_fault_is_written_as_windows_does() -> None:
    """32 bytes, which the hint counts, and nothing behind the status."""
    assert calls.encode_fault(Fault(2, 0, 0x1C010014, True)) == captured.FAULT


def test_a_fault_without_padding_and_one_that_is_big_endian() -> None:
    """Some end right after the status; some are the other way round."""
    short = captured.FAULT_SHORT
    read = calls.decode_fault(short, 0, decode_header(short, 0))
    assert read == Fault(1, 0, 0x6E4, False)
    read = calls.decode_fault(BIG_FAULT, 0, decode_header(BIG_FAULT, 0))
    assert read == Fault(2, 1, 0x1C010014, True)


@pytest.mark.parametrize("length", [16, 24, 27])
def test_a_fault_without_a_status(length: int) -> None:
    """A fault has to say what is wrong."""
    data = captured.FAULT[:8] + length.to_bytes(2, "little") + captured.FAULT[10:length]
    with pytest.raises(PduError):
        calls.decode_fault(data, 0, decode_header(data, 0))
