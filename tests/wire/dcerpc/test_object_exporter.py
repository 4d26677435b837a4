"""IObjectExporter: impacket's resolver calls against our stubs, byte orders, and counts."""

import struct

import pytest
from impacket.dcerpc.v5 import dcomrt
from impacket.dcerpc.v5.dcomrt import IObjectExporter

from tests.support.impacket_client import Overheard
from tests.support.stubs import EXPORTER, IPID, OID, OXID, RESOLVER
from vaultstorm_wire.dcerpc.hresult import OR_INVALID_OXID
from vaultstorm_wire.dcerpc.ndr import NdrError
from vaultstorm_wire.dcerpc.object_exporter import (
    COMPLEX_PING,
    RESOLVE_OXID,
    RESOLVE_OXID2,
    SERVER_ALIVE,
    SERVER_ALIVE2,
    SIMPLE_PING,
    ComplexPingIn,
    ComplexPingOut,
    ResolveOxid2In,
    ResolveOxid2Out,
    ResolveOxidIn,
    ResolveOxidOut,
    ServerAlive2Out,
    ServerAliveOut,
    SimplePingIn,
    SimplePingOut,
)
from vaultstorm_wire.dcerpc.objref import NULL_GUID, DualStringArray, StringBinding
from vaultstorm_wire.dcerpc.orpc import COMVERSION


def test_impacket_asks_who_is_there() -> None:
    """Its ServerAlive and ServerAlive2 send nothing, and understand what we answer."""
    dce = Overheard(lambda _: ServerAlive2Out(COMVERSION, RESOLVER, 0).encode())
    bindings = IObjectExporter(dce).ServerAlive2()
    assert (dce.opnum, dce.stub) == (SERVER_ALIVE2, b"")
    assert [(b["wTowerId"], b["aNetworkAddr"]) for b in bindings] == [(7, "127.0.0.1\0")]

    dce = Overheard(lambda _: ServerAliveOut(0).encode())
    assert IObjectExporter(dce).ServerAlive()["ErrorCode"] == 0
    assert (dce.opnum, dce.stub) == (SERVER_ALIVE, b"")


def test_impacket_reads_the_version() -> None:
    """The version, the bindings and the status are where impacket looks for them."""
    answer = dcomrt.ServerAlive2Response(ServerAlive2Out(COMVERSION, EXPORTER, 5).encode())
    version = answer["pComVersion"]
    assert (version["MajorVersion"], version["MinorVersion"]) == (5, 7)
    words = struct.pack("<HH", *(answer["ppdsaOrBindings"][n] for n in _COUNTS))
    words += struct.pack(f"<{len(answer['ppdsaOrBindings']['aStringArray'])}H", *_array(answer))
    assert DualStringArray.decode(words) == EXPORTER
    assert answer["ErrorCode"] == 5


_COUNTS = ("wNumEntries", "wSecurityOffset")


def _array(answer: dcomrt.ServerAlive2Response) -> list[int]:
    return list(answer["ppdsaOrBindings"]["aStringArray"])


def test_impacket_resolves() -> None:
    """Its ResolveOxid and ResolveOxid2 are understood, and understand the answer."""
    dce = Overheard(lambda _: ResolveOxidOut(EXPORTER, IPID, 1, 0).encode())
    assert len(IObjectExporter(dce).ResolveOxid(OXID, (7, 8))) == 2
    assert dce.opnum == RESOLVE_OXID
    assert ResolveOxidIn.decode(dce.stub) == ResolveOxidIn(OXID, (7, 8))

    dce = Overheard(lambda _: ResolveOxid2Out(EXPORTER, IPID, 1, COMVERSION, 0).encode())
    assert len(IObjectExporter(dce).ResolveOxid2(OXID, (7,))) == 2
    assert dce.opnum == RESOLVE_OXID2
    assert ResolveOxid2In.decode(dce.stub) == ResolveOxid2In(OXID, (7,))


def test_an_unknown_oxid_has_null_bindings() -> None:
    """A failure answers no bindings and zeros around the status."""
    out = ResolveOxid2Out(None, NULL_GUID, 0, COMVERSION, OR_INVALID_OXID)
    assert out.encode() == bytes(24) + struct.pack("<HHI", 5, 7, OR_INVALID_OXID)
    assert ResolveOxid2Out.decode(out.encode()) == out


def test_impacket_pings() -> None:
    """Its pings are understood: with OIDs to add and to delete, with one of them, with none."""
    dce = Overheard(lambda _: SimplePingOut(0).encode())
    IObjectExporter(dce).SimplePing(OID)
    assert dce.opnum == SIMPLE_PING
    assert SimplePingIn.decode(dce.stub) == SimplePingIn(OID)

    dce = Overheard(lambda _: ComplexPingOut(OID, 3, 0).encode())
    for add, delete in (((OID, OXID), (1,)), ((OID,), ()), ((), (OID,)), ((), ())):
        answer = IObjectExporter(dce).ComplexPing(5, 0, add, delete)
        assert ComplexPingIn.decode(dce.stub) == ComplexPingIn(5, 5, add, delete)
    assert dce.opnum == COMPLEX_PING
    assert (answer["pSetId"], answer["pPingBackoffFactor"]) == (OID, 3)


def test_big_endian_requests_are_understood() -> None:
    """Numbers, arrays and guids are turned."""
    stub = struct.pack(">QHxxI3H", OXID, 3, 3, 7, 8, 9)
    assert ResolveOxidIn.decode(stub, little=False) == ResolveOxidIn(OXID, (7, 8, 9))
    stub = struct.pack(">QHHHxxIIQQI", 5, 1, 2, 0, 9, 2, OID, OXID, 0)
    assert ComplexPingIn.decode(stub, little=False) == ComplexPingIn(5, 1, (OID, OXID), ())
    words = b"".join(word[::-1] for word in _words(RESOLVER.encode()))
    stub = struct.pack(">HHII", 5, 7, 1, len(words) // 2 - 2) + words + bytes(8)
    answer = ServerAlive2Out.decode(stub, little=False)
    assert answer == ServerAlive2Out(COMVERSION, RESOLVER, 0)


def _words(data: bytes) -> list[bytes]:
    return [data[at : at + 2] for at in range(0, len(data), 2)]


def test_counts_and_arrays_agree() -> None:
    """A count that is not the array's size is refused, as is a count without an array."""
    with pytest.raises(NdrError, match="an array of 2, declared as 3"):
        ResolveOxidIn.decode(struct.pack("<QHxxI2H", OXID, 3, 2, 7, 8))
    with pytest.raises(NdrError, match="2 OIDs behind a null pointer"):
        ComplexPingIn.decode(struct.pack("<QHHHxxII", 5, 1, 2, 0, 0, 0))
    with pytest.raises(NdrError, match="32769 elements"):
        ResolveOxidIn.decode(struct.pack("<QHxxI", OXID, 0x8001, 0x8001) + bytes(0x20000))


def test_as_many_protseqs_as_the_interface_allows() -> None:
    """0, 1 and 32,768 protocol sequences are understood."""
    for count in (0, 1, 0x8000):
        asked = ResolveOxidIn(OXID, (7,) * count)
        assert ResolveOxidIn.decode(asked.encode()) == asked


def test_an_odd_number_of_words_is_filled_up() -> None:
    """What stands behind bindings of any length is found again."""
    for length in range(6):
        bindings = DualStringArray((StringBinding(7, "h" * length),))
        out = ServerAlive2Out(COMVERSION, bindings, 5)
        assert ServerAlive2Out.decode(out.encode()) == out
        assert len(out.encode()) % 4 == 0
