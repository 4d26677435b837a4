"""IClassFactory's stubs, byte for byte."""

from uuid import UUID

import pytest

from vaultstorm_wire.dcerpc.class_factory import (
    CreateInstanceIn,
    CreateInstanceOut,
    LockServerIn,
    LockServerOut,
)
from vaultstorm_wire.dcerpc.ndr import NdrError
from vaultstorm_wire.dcerpc.objref import DualStringArray, ObjRef, StdObjRef, StringBinding
from vaultstorm_wire.dcerpc.orpc import COMVERSION, OrpcThat, OrpcThis

CID, IID = UUID(int=0x0123456789ABCDEF), UUID("8e5f1c6a-4b0d-4c57-9d3e-5a7b2f60c9d2")
THIS = OrpcThis(COMVERSION, 0, CID.bytes_le)
HEAD = bytes.fromhex("0500 0700 00000000 00000000") + CID.bytes_le + bytes(4)
BIG_HEAD = bytes.fromhex("0005 0007 00000000 00000000") + CID.bytes + bytes(4)
REFERENCE = ObjRef(
    IID.bytes_le,
    StdObjRef(0, 5, 1, 2, b"i" * 16),
    DualStringArray((StringBinding(7, "127.0.0.1[135]"),)),
)


def test_an_instance_is_asked_for_by_its_iid() -> None:
    """Behind the ORPCTHIS, in either byte order."""
    asked = CreateInstanceIn(THIS, IID.bytes_le)
    assert asked.encode() == HEAD + IID.bytes_le
    assert CreateInstanceIn.decode(HEAD + IID.bytes_le) == asked
    assert CreateInstanceIn.decode(BIG_HEAD + IID.bytes, False) == asked


def test_an_instance_comes_as_an_object_reference() -> None:
    """A pointer, its length twice (as ulCntData and as the array's size), the OBJREF, HRESULT."""
    out = CreateInstanceOut(OrpcThat(), REFERENCE, 0)
    stub, marshaled = out.encode(), REFERENCE.encode()
    assert stub[:8] == bytes(8)
    assert stub[8:12] != bytes(4)
    assert stub[12:20] == len(marshaled).to_bytes(4, "little") * 2
    assert stub[20 : 20 + len(marshaled)] == marshaled
    assert CreateInstanceOut.decode(stub) == out


def test_no_instance_is_no_pointer() -> None:
    """A failure has nothing but its HRESULT."""
    out = CreateInstanceOut(OrpcThat(), None, 0x80004002)
    assert out.encode() == bytes(12) + bytes.fromhex("02400080")
    assert CreateInstanceOut.decode(out.encode()) == out


@pytest.mark.parametrize("lock", [False, True])
def test_a_lock_is_a_bool_of_four_bytes(lock: bool) -> None:
    """And its answer an HRESULT."""
    asked = LockServerIn(THIS, lock)
    assert asked.encode() == HEAD + bytes([lock, 0, 0, 0])
    assert LockServerIn.decode(asked.encode()) == asked
    out = LockServerOut(OrpcThat(), 1)
    assert out.encode() == bytes(8) + b"\1\0\0\0"
    assert LockServerOut.decode(out.encode()) == out


@pytest.mark.parametrize("kind", [CreateInstanceIn, CreateInstanceOut, LockServerIn, LockServerOut])
def test_what_is_cut_off_is_no_stub(kind: type[CreateInstanceIn | LockServerOut]) -> None:
    """NdrError, and nothing else."""
    with pytest.raises(NdrError):
        kind.decode(b"\1" * 11)
