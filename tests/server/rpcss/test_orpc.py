"""What a call has to bring before its method is entered."""

import itertools

import pytest

from vaultstorm_server.rpcss import orpc
from vaultstorm_server.rpcss.interfaces import Call, Caller, Faulted
from vaultstorm_server.rpcss.objects import ObjectTable
from vaultstorm_wire.dcerpc.orpc import ComVersion, OrpcThis

IID, OTHER = b"i" * 16, b"o" * 16
OXID = 5


class Nobody:
    """A caller that is not asked anything."""

    handles: dict[bytes, object]
    local_host = "127.0.0.1"


def call(ipid: bytes | None) -> Call:
    """Make a call on an interface."""
    caller: Caller = Nobody()
    return Call(b"", True, ipid, caller, 0.0)


@pytest.mark.parametrize(
    ("major", "minor", "fits"),
    [(5, 0, True), (5, 6, True), (5, 7, True), (5, 8, False), (4, 7, False), (6, 7, False)],
)
def test_a_client_may_not_be_newer(major: int, minor: int, fits: bool) -> None:
    """The same major version, and no higher minor one than 5.7 (MS-DCOM 1.7)."""
    assert orpc.is_compatible(ComVersion(major, minor)) is fits
    header = OrpcThis(ComVersion(major, minor), 0, bytes(16))
    if fits:
        orpc.check(header)
        return
    with pytest.raises(Faulted) as raised:
        orpc.check(header)
    assert raised.value.status == 0x80010110  # RPC_E_VERSION_MISMATCH


@pytest.mark.parametrize("flags", [1, 2, 0x80000000])
def test_a_header_with_flags_is_invalid(flags: int) -> None:
    """None is defined for the wire."""
    with pytest.raises(Faulted) as raised:
        orpc.check(OrpcThis(ComVersion(5, 7), flags, bytes(16)))
    assert raised.value.status == 0x80010111  # RPC_E_INVALID_HEADER


def test_a_call_finds_its_object_and_uses_it() -> None:
    """Whatever cannot be found so is disconnected, or another interface."""
    numbers = itertools.count(1)
    objects = ObjectTable(10, 1.0, 3, lambda size: next(numbers).to_bytes(size, "little"))
    made = objects.make(OXID, b"c" * 16, frozenset((IID,)), 0.0)
    assert made is not None
    interface = objects.query(made, IID, 1)
    assert interface is not None
    assert made.used == float("-inf")
    assert orpc.target(objects, OXID, call(interface.ipid), IID) is interface
    assert made.used > 0
    refused = []
    for oxid, ipid, iid in [
        (OXID, None, IID),
        (OXID, b"?" * 16, IID),
        (OXID + 1, interface.ipid, IID),
        (OXID, interface.ipid, OTHER),
    ]:
        with pytest.raises(Faulted) as raised:
            orpc.target(objects, oxid, call(ipid), iid)
        refused.append(raised.value.status)
    # RPC_E_DISCONNECTED three times, then RPC_E_INVALID_IPID
    assert refused == [0x80010108] * 3 + [0x80010113]
