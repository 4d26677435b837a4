"""What a server refuses with: fault status, bind_nak and presentation reasons, in Win32 codes."""

from enum import IntEnum
from typing import Final

# C706 appendix E; which Win32 code a client makes of each: MS-RPCE 3.1.1.5.5.
NCA_S_COMM_FAILURE: Final = 0x1C010001
NCA_OP_RNG_ERROR: Final = 0x1C010002
NCA_UNK_IF: Final = 0x1C010003
NCA_PROTO_ERROR: Final = 0x1C01000B
NCA_OUT_ARGS_TOO_BIG: Final = 0x1C010013
NCA_SERVER_TOO_BUSY: Final = 0x1C010014
NCA_UNSPEC_REJECT: Final = 0x1C000009
NCA_S_BAD_ACTID: Final = 0x1C00000A
NCA_MANAGER_NOT_ENTERED: Final = 0x1C00000C
NCA_S_FAULT_CANCEL: Final = 0x1C00000D
NCA_S_FAULT_UNSPEC: Final = 0x1C000012
NCA_S_FAULT_CONTEXT_MISMATCH: Final = 0x1C00001A
NCA_S_FAULT_REMOTE_NO_MEMORY: Final = 0x1C00001B
NCA_INVALID_PRES_CONTEXT_ID: Final = 0x1C00001C

# Plain Win32 codes that a Windows server puts into a fault (MS-ERREF 2.2).
ERROR_ACCESS_DENIED: Final = 5
RPC_X_BAD_STUB_DATA: Final = 0x6F7
RPC_S_CANNOT_PERFORM: Final = 0x6D8

RPC_S_NO_CALL_ACTIVE: Final = 1725
RPC_S_UNKNOWN_IF: Final = 1717
RPC_S_UNSUPPORTED_TRANS_SYN: Final = 1730

_WIN32: Final[dict[int, int]] = {
    NCA_S_COMM_FAILURE: 1820,  # RPC_S_COMM_FAILURE
    NCA_OP_RNG_ERROR: 1745,  # RPC_S_PROCNUM_OUT_OF_RANGE
    NCA_UNK_IF: RPC_S_UNKNOWN_IF,
    NCA_PROTO_ERROR: 1728,  # RPC_S_PROTOCOL_ERROR
    NCA_OUT_ARGS_TOO_BIG: 1130,  # RPC_S_SERVER_OUT_OF_MEMORY is ERROR_NOT_ENOUGH_SERVER_MEMORY
    NCA_SERVER_TOO_BUSY: 1723,  # RPC_S_SERVER_TOO_BUSY
    NCA_UNSPEC_REJECT: 1726,  # RPC_S_CALL_FAILED
    NCA_S_BAD_ACTID: 1727,  # RPC_S_CALL_FAILED_DNE
    NCA_MANAGER_NOT_ENTERED: 1727,
    NCA_S_FAULT_CANCEL: 1818,  # RPC_S_CALL_CANCELLED
    NCA_S_FAULT_UNSPEC: 1726,
    NCA_S_FAULT_CONTEXT_MISMATCH: 6,  # RPC_X_SS_CONTEXT_MISMATCH is ERROR_INVALID_HANDLE
    NCA_S_FAULT_REMOTE_NO_MEMORY: 1130,
    NCA_INVALID_PRES_CONTEXT_ID: 1728,
}


def win32(status: int) -> int | None:
    """Give the Win32 code that a Windows client reports for a fault's status.

    A plain Win32 code, and one that an HRESULT wraps (0x8007xxxx), stand for themselves. None for
    what is no Win32 code at all: another HRESULT, an NTSTATUS, 0.
    """
    if 0 < status <= 0xFFFF:
        return status
    if status >> 16 == 0x8007:
        return status & 0xFFFF or None
    return _WIN32.get(status)


class NakReason(IntEnum):
    """Why a bind is not acknowledged at all (C706 12.6.3.1, MS-RPCE 2.2.2.5)."""

    NOT_SPECIFIED = 0
    TEMPORARY_CONGESTION = 1
    LOCAL_LIMIT_EXCEEDED = 2
    PROTOCOL_VERSION_NOT_SUPPORTED = 4
    AUTHENTICATION_TYPE_NOT_RECOGNIZED = 8
    INVALID_CHECKSUM = 9


class ContextResult(IntEnum):
    """What becomes of one presentation context (C706 12.6.3.1, MS-RPCE 2.2.2.4)."""

    ACCEPT = 0
    USER = 1
    PROVIDER = 2
    NEGOTIATE_ACK = 3


class ProviderReason(IntEnum):
    """Why the provider rejects a presentation context (C706 12.6.3.1)."""

    NOT_SPECIFIED = 0
    ABSTRACT_SYNTAX = 1
    TRANSFER_SYNTAXES = 2
    LOCAL_LIMIT_EXCEEDED = 3
