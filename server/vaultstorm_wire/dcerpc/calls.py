"""Bodies of request, response and fault, and the PDUs without one (C706 12.6.4, MS-RPCE 2.2.2)."""

from struct import Struct
from typing import Final, NamedTuple

from vaultstorm_wire.dcerpc import pdu
from vaultstorm_wire.dcerpc.events import Fault, Request, Response
from vaultstorm_wire.dcerpc.fragments import cut
from vaultstorm_wire.dcerpc.pdu import (
    DID_NOT_EXECUTE,
    FIRST,
    HEADER_SIZE,
    LAST,
    LITTLE,
    OBJECT_UUID,
    VERSION,
    Header,
    PduError,
    Ptype,
    guid_in,
)

CALL_SIZE: Final = 24
"""The header, and alloc_hint, p_cont_id and 4 bytes: before the stub of requests and responses."""

OBJECT_SIZE: Final = 16

# alloc_hint p_cont_id, then opnum in a request, cancel_count and reserved in an answer
_CALL = {True: Struct("<IHH"), False: Struct(">IHH")}
_STATUS = {True: Struct("<I"), False: Struct(">I")}
_WHOLE_CALL = Struct("<BBBBIHHIIHH")
_FAULT = Struct("<IHBBI4x")

# Windows counts the fault's own 32 bytes; extended error information is alloc_hint - 0x20 long
# (MS-RPCE 2.2.2.8).
_FAULT_HINT: Final = 0x20


class CallPart(NamedTuple):
    """One fragment of a request or response; `opnum` counts in a request only."""

    hint: int
    context_id: int
    opnum: int
    object: bytes | None
    stub: bytes


def decode_call(buffer: bytes | bytearray, at: int, header: Header) -> CallPart:
    """Read a fragment of a request or response that is wholly there and has no authentication.

    Raises:
        PduError: it ends before its stub begins.
    """
    little, end = header.little, at + header.frag_length
    here = at + CALL_SIZE
    if here > end:
        raise PduError("the call ends before its stub")
    hint, context_id, opnum = _CALL[little].unpack_from(buffer, at + HEADER_SIZE)
    target = None
    if header.flags & OBJECT_UUID and header.ptype == Ptype.REQUEST:
        if here + OBJECT_SIZE > end:
            raise PduError("the request ends within its object")
        target = guid_in(buffer, here, little)
        here += OBJECT_SIZE
    return CallPart(hint, context_id, opnum, target, bytes(buffer[here:end]))


def encode_request(request: Request, max_xmit: int) -> bytes:
    """Write a request, in as many fragments as it takes; each names the object it is for."""
    if request.object is None:
        return _encode(
            Ptype.REQUEST,
            request.call_id,
            request.context_id,
            request.opnum,
            request.stub,
            max_xmit,
        )
    if len(request.object) != OBJECT_SIZE:
        raise PduError(f"an object's guid is not {len(request.object)} bytes long")
    return _encode(
        Ptype.REQUEST,
        request.call_id,
        request.context_id,
        request.opnum,
        request.stub,
        max_xmit,
        request.object,
        OBJECT_UUID,
    )


def encode_response(response: Response, max_xmit: int) -> bytes:
    """Write a response, in as many fragments as it takes."""
    return _encode(
        Ptype.RESPONSE, response.call_id, response.context_id, 0, response.stub, max_xmit
    )


def _encode(
    ptype: Ptype,
    call_id: int,
    context_id: int,
    last_field: int,
    stub: bytes,
    max_xmit: int,
    target: bytes = b"",
    flags: int = 0,
) -> bytes:
    overhead = CALL_SIZE + len(target)
    left = len(stub)
    if overhead + left <= max_xmit:
        head = _WHOLE_CALL.pack(
            *(VERSION, 0, ptype, flags | FIRST | LAST, LITTLE, overhead + left, 0, call_id),
            *(left, context_id, last_field),
        )
        return b"".join((head, target, stub))
    parts: list[bytes | memoryview] = []
    flags |= FIRST
    for part in cut(stub, max_xmit - overhead):
        if len(part) == left:
            flags |= LAST
        parts.append(
            _WHOLE_CALL.pack(
                *(VERSION, 0, ptype, flags, LITTLE, overhead + len(part), 0, call_id),
                *(left, context_id, last_field),
            )
        )
        parts.append(target)
        parts.append(part)
        left -= len(part)
        flags &= ~FIRST
    return b"".join(parts)


def encode_fault(fault: Fault) -> bytes:
    """Write a fault, which is one fragment and carries no stub (MS-RPCE 2.2.2.8)."""
    flags = FIRST | LAST | DID_NOT_EXECUTE if fault.did_not_execute else FIRST | LAST
    body = _FAULT.pack(_FAULT_HINT, fault.context_id, 0, 0, fault.status)
    return pdu.encode(Ptype.FAULT, fault.call_id, body, flags)


def decode_fault(buffer: bytes | bytearray, at: int, header: Header) -> Fault:
    """Read a fault whose fragment is wholly there; what follows its status is not looked at.

    Raises:
        PduError: it ends before its status.
    """
    if header.frag_length < CALL_SIZE + 4:
        raise PduError("the fault ends before its status")
    _, context_id, _ = _CALL[header.little].unpack_from(buffer, at + HEADER_SIZE)
    (status,) = _STATUS[header.little].unpack_from(buffer, at + CALL_SIZE)
    return Fault(header.call_id, context_id, status, bool(header.flags & DID_NOT_EXECUTE))
