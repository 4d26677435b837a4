"""What each event means to the end that sends it; the state has allowed it already.

A writer raises before it changes anything.
"""

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from vaultstorm_wire.dcerpc import binds, calls, pdu
from vaultstorm_wire.dcerpc.dialogue import Dialogue
from vaultstorm_wire.dcerpc.events import (
    Bind,
    BindAck,
    BindNak,
    Cancel,
    Closed,
    Event,
    Fault,
    Orphaned,
    Request,
    Response,
    Shutdown,
)
from vaultstorm_wire.dcerpc.pdu import PduError, Ptype
from vaultstorm_wire.dcerpc.states import Kind


def _bind(dialogue: Dialogue, bind: Bind) -> bytes:
    data = binds.encode_bind(bind)
    dialogue.agreement.propose(bind)
    return data


def _bind_ack(dialogue: Dialogue, ack: BindAck) -> bytes:
    # Windows repeats what the client says it can; of multiplexing in a bind_ack only, never in the
    # answer to an alter_context.
    proposal = dialogue.agreement.proposal
    if proposal is not None:
        wish = proposal.multiplex and not ack.alter
        if (wish, proposal.header_sign) != (ack.multiplex, ack.header_sign):
            ack = replace(ack, multiplex=wish, header_sign=proposal.header_sign)
    data = binds.encode_bind_ack(ack)
    dialogue.agreement.conclude(ack)
    return data


def _bind_nak(dialogue: Dialogue, nak: BindNak) -> bytes:
    data = binds.encode_bind_nak(nak)
    dialogue.agreement.refuse()
    return data


def _request(dialogue: Dialogue, request: Request) -> bytes:
    in_progress = dialogue.progress.open
    if request.call_id in in_progress:
        raise PduError(f"call {request.call_id} is in progress")
    if in_progress and not dialogue.agreement.multiplex:
        raise PduError("a call is in progress, and multiplexing was not agreed on")
    if not request.little:
        raise PduError("only little-endian stubs are sent")
    data = calls.encode_request(request, dialogue.agreement.client_xmit)
    in_progress[request.call_id] = request.context_id
    return data


def _response(dialogue: Dialogue, response: Response) -> bytes:
    in_progress = dialogue.progress.open
    if response.call_id not in in_progress:
        raise PduError(f"call {response.call_id} is not in progress")
    if not response.little:
        raise PduError("only little-endian stubs are sent")
    data = calls.encode_response(response, dialogue.agreement.server_xmit)
    del in_progress[response.call_id]
    return data


def _fault(dialogue: Dialogue, fault: Fault) -> bytes:
    data = calls.encode_fault(fault)
    if dialogue.is_alter(fault.call_id):
        dialogue.agreement.refuse()
    elif fault.call_id in dialogue.progress.open:
        dialogue.progress.close(fault.call_id)
    else:
        raise PduError(f"call {fault.call_id} is not in progress")
    return data


def _cancel(dialogue: Dialogue, cancel: Cancel) -> bytes:
    return pdu.encode(Ptype.CO_CANCEL, cancel.call_id, b"")


def _orphaned(dialogue: Dialogue, orphaned: Orphaned) -> bytes:
    return pdu.encode(Ptype.ORPHANED, orphaned.call_id, b"")


def _shutdown(dialogue: Dialogue, shutdown: Shutdown) -> bytes:
    return pdu.encode(Ptype.SHUTDOWN, 0, b"")


def _close(dialogue: Dialogue, closed: Closed) -> bytes:
    return b""


Writer = Callable[[Dialogue, Any], bytes]

WRITERS: Final[dict[type[Event], tuple[Kind, Writer]]] = {
    Bind: (Kind.BIND, _bind),
    BindAck: (Kind.BIND_ACK, _bind_ack),
    BindNak: (Kind.BIND_NAK, _bind_nak),
    Request: (Kind.REQUEST, _request),
    Response: (Kind.RESPONSE, _response),
    Fault: (Kind.FAULT, _fault),
    Cancel: (Kind.CANCEL, _cancel),
    Orphaned: (Kind.ORPHANED, _orphaned),
    Shutdown: (Kind.SHUTDOWN, _shutdown),
    Closed: (Kind.CLOSE, _close),
}
