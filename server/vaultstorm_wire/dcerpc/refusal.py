"""What a server says before it closes a connection whose peer broke the protocol."""

from vaultstorm_wire.dcerpc import binds, calls
from vaultstorm_wire.dcerpc.agreement import ContextLimit
from vaultstorm_wire.dcerpc.binds import AuthTrailerError
from vaultstorm_wire.dcerpc.events import BindNak, Fault
from vaultstorm_wire.dcerpc.pdu import VERSION, Header, Ptype
from vaultstorm_wire.dcerpc.status import NCA_PROTO_ERROR, NakReason


class Refusal(Exception):
    """A call must not go on, and neither must its connection.

    Which refusals vouch that the call did not run, and which context they name, is what Windows
    was seen to do (Samba's conformance tests of Windows, raw_protocol.py); the flag's absence
    only says that nobody vouches (C706 12.6.3.1).
    """

    def __init__(self, message: str, fault: Fault) -> None:
        super().__init__(message)
        self.fault = fault


def proto_error(message: str, call_id: int, context_id: int) -> Refusal:
    """Refuse a call whose fragments are not what they have to be."""
    return Refusal(message, Fault(call_id, context_id, NCA_PROTO_ERROR, did_not_execute=False))


def answer(
    error: Exception, header: Header | None, *, unbound: bool = False
) -> tuple[int | None, bytes | None]:
    """Give the fault status, where there is one, and the PDU to send before closing.

    A bind is refused by bind_nak, everything else by a fault (MS-RPCE 3.3.3.5.7). What speaks
    another version of the protocol would understand nothing but a bind_nak; Windows answers so
    to whatever a connection that is `unbound` begins with, SMB and DNS included (nmap's probes).
    """
    if isinstance(error, Refusal):
        return error.fault.status, calls.encode_fault(error.fault)
    if header is None:
        return None, None
    binding = header.ptype == Ptype.BIND
    if header.version != VERSION or header.minor:
        reason = NakReason.PROTOCOL_VERSION_NOT_SUPPORTED
        return None, _nak(header, reason) if binding or unbound else None
    if isinstance(error, ContextLimit):  # MS-RPCE 3.3.3.5.6, for alter_context too
        return None, _nak(header, NakReason.LOCAL_LIMIT_EXCEEDED)
    if isinstance(error, AuthTrailerError) and binding:  # as Windows answers it
        return None, _nak(header, NakReason.PROTOCOL_VERSION_NOT_SUPPORTED)
    if binding:
        return None, _nak(header, NakReason.NOT_SPECIFIED)
    vouched = header.ptype == Ptype.ALTER_CONTEXT
    fault = Fault(header.call_id, 0, NCA_PROTO_ERROR, did_not_execute=vouched)
    return fault.status, calls.encode_fault(fault)


def _nak(header: Header, reason: NakReason) -> bytes:
    return binds.encode_bind_nak(BindNak(header.call_id, reason))
