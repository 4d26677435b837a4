"""What each type of PDU means to the end that reads it; the state has allowed it already.

A reader gives the event, or None where it takes more fragments, or where nothing is to be done.
"""

from collections.abc import Callable
from typing import Final

from vaultstorm_wire.dcerpc import binds, calls
from vaultstorm_wire.dcerpc.dialogue import Dialogue
from vaultstorm_wire.dcerpc.events import (
    Auth3,
    Bind,
    BindAck,
    BindNak,
    Cancel,
    Event,
    Fault,
    Orphaned,
    Request,
    Response,
    Shutdown,
)
from vaultstorm_wire.dcerpc.pdu import Header, PduError, Ptype
from vaultstorm_wire.dcerpc.refusal import Refusal
from vaultstorm_wire.dcerpc.states import Kind
from vaultstorm_wire.dcerpc.status import ERROR_ACCESS_DENIED

Buffer = bytes | bytearray


def _bind(dialogue: Dialogue, buffer: Buffer, at: int, header: Header) -> Bind:
    bind = binds.decode_bind(buffer, at, header)
    dialogue.agreement.propose(bind)
    return bind


def _bind_ack(dialogue: Dialogue, buffer: Buffer, at: int, header: Header) -> BindAck:
    ack = binds.decode_bind_ack(buffer, at, header)
    dialogue.agreement.conclude(ack)
    return ack


def _bind_nak(dialogue: Dialogue, buffer: Buffer, at: int, header: Header) -> BindNak:
    nak = binds.decode_bind_nak(buffer, at, header)
    dialogue.agreement.refuse()
    return nak


def _request(dialogue: Dialogue, buffer: Buffer, at: int, header: Header) -> Request | None:
    part = calls.decode_call(buffer, at, header)
    if header.auth_length:
        said = Fault(header.call_id, part.context_id, ERROR_ACCESS_DENIED, False)
        raise Refusal("a request with authentication that was not agreed on", said)
    return dialogue.progress.request(header, part, dialogue.agreement.multiplex)


def _response(dialogue: Dialogue, buffer: Buffer, at: int, header: Header) -> Response | None:
    if header.auth_length:
        raise PduError("a response with authentication that was not agreed on")
    part = calls.decode_call(buffer, at, header)
    return dialogue.progress.response(header, part, dialogue.agreement.multiplex)


def _fault(dialogue: Dialogue, buffer: Buffer, at: int, header: Header) -> Fault:
    fault = calls.decode_fault(buffer, at, header)
    if dialogue.is_alter(fault.call_id):
        dialogue.agreement.refuse()
    elif fault.call_id in dialogue.progress.open:
        dialogue.progress.close(fault.call_id)
    else:
        raise PduError(f"a fault to call {fault.call_id}, which nobody made")
    return fault


def _cancel(dialogue: Dialogue, buffer: Buffer, at: int, header: Header) -> Cancel | None:
    # The answer may have crossed it: nothing is left to cancel then.
    return Cancel(header.call_id) if dialogue.progress.knows(header.call_id) else None


def _orphaned(dialogue: Dialogue, buffer: Buffer, at: int, header: Header) -> Orphaned:
    return Orphaned(header.call_id)


def _auth3(dialogue: Dialogue, buffer: Buffer, at: int, header: Header) -> Auth3:
    if not dialogue.agreement.authenticated:
        raise PduError("an auth3 without authentication in the bind")
    return Auth3(header.call_id)


def _shutdown(dialogue: Dialogue, buffer: Buffer, at: int, header: Header) -> Shutdown:
    return Shutdown()


Reader = Callable[[Dialogue, Buffer, int, Header], Event | None]

READERS: Final[dict[int, tuple[Kind, Reader]]] = {
    Ptype.REQUEST: (Kind.REQUEST, _request),
    Ptype.RESPONSE: (Kind.RESPONSE, _response),
    Ptype.FAULT: (Kind.FAULT, _fault),
    Ptype.BIND: (Kind.BIND, _bind),
    Ptype.BIND_ACK: (Kind.BIND_ACK, _bind_ack),
    Ptype.BIND_NAK: (Kind.BIND_NAK, _bind_nak),
    Ptype.ALTER_CONTEXT: (Kind.ALTER, _bind),
    Ptype.ALTER_CONTEXT_RESP: (Kind.ALTER_RESP, _bind_ack),
    Ptype.AUTH3: (Kind.AUTH3, _auth3),
    Ptype.SHUTDOWN: (Kind.SHUTDOWN, _shutdown),
    Ptype.CO_CANCEL: (Kind.CANCEL, _cancel),
    Ptype.ORPHANED: (Kind.ORPHANED, _orphaned),
}
