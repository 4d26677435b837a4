"""Statuses and what a Windows client makes of them."""

import pytest
from impacket.dcerpc.v5.rpcrt import rpc_status_codes

from vaultstorm_wire.dcerpc import status
from vaultstorm_wire.dcerpc.status import win32

NCA = {name: value for name, value in vars(status).items() if name.startswith("NCA_")}


@pytest.mark.parametrize(
    "code, expected",
    [
        (status.NCA_OP_RNG_ERROR, 0x6D1),
        (status.NCA_UNK_IF, 0x6B5),
        (status.NCA_PROTO_ERROR, 0x6C0),
        (status.NCA_SERVER_TOO_BUSY, 0x6BB),
        (status.NCA_UNSPEC_REJECT, 0x6BE),
        (status.NCA_MANAGER_NOT_ENTERED, 0x6BF),
        (status.NCA_S_FAULT_CANCEL, 0x71A),
        (status.NCA_S_FAULT_REMOTE_NO_MEMORY, 0x46A),
        (status.NCA_INVALID_PRES_CONTEXT_ID, 0x6C0),
        (status.NCA_S_COMM_FAILURE, 0x71C),
        (5, 5),
        (0x6F7, 0x6F7),
        (1, 1),
        (0xFFFF, 0xFFFF),
        (0x800706BA, 0x6BA),
        (0x80070005, 5),
    ],
)
def test_a_status_has_its_win32_code(code: int, expected: int) -> None:
    """MS-RPCE 3.1.1.5.5 maps the statuses; Win32 codes, wrapped or not, are themselves."""
    assert win32(code) == expected


@pytest.mark.parametrize(
    "code", [0, 0x10000, 0x80070000, 0x80040154, 0x8006FFFF, 0x80080005, 0x1C0100FF, 0xC0000005]
)
def test_what_is_no_win32_code_has_none(code: int) -> None:
    """Other HRESULTs, NTSTATUS values, unknown statuses and success have no code."""
    assert win32(code) is None


@pytest.mark.parametrize("name", sorted(NCA))
def test_every_status_is_mapped(name: str) -> None:
    """No status that a server may send is left without a code."""
    assert win32(NCA[name])


def test_the_values_are_those_that_others_use() -> None:
    """Impacket knows our statuses by the same numbers."""
    unknown = {name for name, value in NCA.items() if value not in rpc_status_codes}
    assert unknown <= {"NCA_MANAGER_NOT_ENTERED"}
