"""Why a bind was rejected, and which Win32 code that makes."""

from typing import Final, NamedTuple

from vaultstorm_wire.dcerpc.events import BindAck, BindNak, ContextAnswer
from vaultstorm_wire.dcerpc.status import ContextResult, NakReason, ProviderReason
from vaultstorm_wire.outcome import (
    RPC_S_CALL_FAILED_DNE,
    RPC_S_PROTOCOL_ERROR,
    RPC_S_SERVER_TOO_BUSY,
    RPC_S_UNKNOWN_AUTHN_SERVICE,
    RPC_S_UNKNOWN_IF,
    RPC_S_UNSUPPORTED_TRANS_SYN,
)

_ACCESS_DENIED: Final = 5


class Rejection(NamedTuple):
    """What a Windows client reports of a rejected bind, and the server's reason."""

    win32: int
    detail: str


# Temporary congestion is treated as the local limit is (MS-RPCE 2.2.2.5). The codes for an unknown
# authentication, a checksum and an unspecified reason are those of Wine's client, which no
# specification contradicts: nothing was sent yet that could have run.
NAKS: Final[dict[int, int]] = {
    NakReason.TEMPORARY_CONGESTION: RPC_S_SERVER_TOO_BUSY,
    NakReason.LOCAL_LIMIT_EXCEEDED: RPC_S_SERVER_TOO_BUSY,
    NakReason.PROTOCOL_VERSION_NOT_SUPPORTED: RPC_S_PROTOCOL_ERROR,
    NakReason.AUTHENTICATION_TYPE_NOT_RECOGNIZED: RPC_S_UNKNOWN_AUTHN_SERVICE,
    NakReason.INVALID_CHECKSUM: _ACCESS_DENIED,
}
"""By the reason of a bind_nak; RPC_S_CALL_FAILED_DNE for the others."""

REJECTIONS: Final[dict[int, int]] = {
    ProviderReason.ABSTRACT_SYNTAX: RPC_S_UNKNOWN_IF,
    ProviderReason.TRANSFER_SYNTAXES: RPC_S_UNSUPPORTED_TRANS_SYN,
    ProviderReason.LOCAL_LIMIT_EXCEEDED: RPC_S_SERVER_TOO_BUSY,
}
"""By the reason of a provider's rejection in a bind_ack; likewise."""


def rejection(answer: BindAck | BindNak, nth: int = 0) -> Rejection | None:
    """Say why a bind was rejected; None if the context `nth` was accepted."""
    if isinstance(answer, BindNak):
        detail = f"bind_nak: {_name(NakReason, answer.reason)}"
        return Rejection(NAKS.get(answer.reason, RPC_S_CALL_FAILED_DNE), detail)
    said = answer.answers[nth]
    if said.result == ContextResult.ACCEPT:
        return None
    return _rejected(said)


def _rejected(said: ContextAnswer) -> Rejection:
    if said.result != ContextResult.PROVIDER:
        return Rejection(RPC_S_CALL_FAILED_DNE, f"bind_ack: {_name(ContextResult, said.result)}")
    code = REJECTIONS.get(said.reason, RPC_S_CALL_FAILED_DNE)
    return Rejection(code, f"bind_ack: provider rejection, {_name(ProviderReason, said.reason)}")


def _name(names: type[NakReason | ContextResult | ProviderReason], number: int) -> str:
    try:
        return f"{names(number).name.lower().replace('_', ' ')} ({int(number)})"
    except ValueError:
        return f"reason {int(number)}"
