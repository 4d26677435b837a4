"""The dispatch table, and the causality id that is read before anything else."""

from uuid import UUID

import pytest

from vaultstorm_server.rpcss.interfaces import Faulted, Interface, by_guid, causality_id
from vaultstorm_wire.dcerpc.syntax import Syntax

CID = UUID("01234567-89ab-cdef-0123-456789abcdef")
HEAD = bytes(12)


@pytest.mark.parametrize("more", [b"", bytes(4), bytes(100)])
def test_the_causality_id_is_read_in_both_byte_orders(more: bytes) -> None:
    """It stands behind version, flags and a reserved word."""
    assert causality_id(HEAD + CID.bytes_le + more, True) == str(CID)
    assert causality_id(HEAD + CID.bytes + more, False) == str(CID)


def test_a_stub_that_is_too_short_has_none() -> None:
    """One byte less than the id's last."""
    assert causality_id((HEAD + CID.bytes_le)[:-1], True) is None
    assert causality_id(b"", True) is None


def test_a_nil_id_is_none() -> None:
    """Nothing can be told by it."""
    assert causality_id(bytes(64), True) is None


def test_an_interface_is_found_by_its_guid() -> None:
    """The table cannot be changed."""
    one = Interface(Syntax(b"1" * 16, 0, 0), "one", {})
    two = Interface(Syntax(b"2" * 16, 3, 0), "two", {})
    assert by_guid((one, two)) == {b"1" * 16: one, b"2" * 16: two}


def test_a_fault_says_its_status() -> None:
    """And whether the call was refused before it began."""
    fault = Faulted(0x1C010014, did_not_execute=True)
    assert (str(fault), fault.did_not_execute) == ("0x1c010014", True)
    assert not Faulted(5).did_not_execute
