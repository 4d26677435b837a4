"""What a server says before it closes."""

import pytest

from tests.wire.dcerpc import captured
from vaultstorm_wire.dcerpc.agreement import ContextLimit, Disagreement
from vaultstorm_wire.dcerpc.binds import AuthTrailerError, decode_bind_nak
from vaultstorm_wire.dcerpc.calls import decode_fault
from vaultstorm_wire.dcerpc.events import BindNak, Fault
from vaultstorm_wire.dcerpc.pdu import PduError, Ptype, decode_header
from vaultstorm_wire.dcerpc.refusal import Refusal, answer, proto_error
from vaultstorm_wire.dcerpc.status import NCA_PROTO_ERROR

BIND = decode_header(captured.BIND, 0)
OTHERS = [ptype for ptype in Ptype if ptype is not Ptype.BIND]


@pytest.mark.parametrize(
    "error, reason",
    [(PduError(), 0), (Disagreement(), 0), (ContextLimit(), 2), (AuthTrailerError(), 4)],
)
def test_a_bind_is_refused_by_a_bind_nak(error: Exception, reason: int) -> None:
    """The reason says what was wrong, as Windows would."""
    status, said = answer(error, BIND)
    assert status is None
    assert said is not None
    assert decode_bind_nak(said, 0, decode_header(said, 0)) == BindNak(1, reason)


@pytest.mark.parametrize("error", [PduError(), AuthTrailerError()], ids=["broken", "trailer"])
@pytest.mark.parametrize("ptype", OTHERS)
def test_everything_else_is_refused_by_a_fault(ptype: Ptype, error: Exception) -> None:
    """A fault of nca_proto_error; only of an alter_context it says that nothing was done."""
    status, said = answer(error, BIND._replace(ptype=ptype, call_id=9))
    assert status == NCA_PROTO_ERROR
    assert said is not None
    expected = Fault(9, 0, NCA_PROTO_ERROR, ptype is Ptype.ALTER_CONTEXT)
    assert decode_fault(said, 0, decode_header(said, 0)) == expected


@pytest.mark.parametrize("version, minor", [(4, 0), (5, 1), (0x47, 0x45)])
def test_another_version_is_told_ours(version: int, minor: int) -> None:
    """A bind of another version gets a bind_nak that names ours; anything else gets nothing."""
    other = BIND._replace(version=version, minor=minor)
    status, said = answer(PduError(), other)
    assert status is None
    assert said is not None
    assert decode_bind_nak(said, 0, decode_header(said, 0)).reason == 4
    request = other._replace(ptype=Ptype.REQUEST)
    assert answer(PduError(), request) == (None, None)
    assert answer(PduError(), request, unbound=True) == (status, said)


def test_a_refusal_carries_its_fault() -> None:
    """What the call is refused with is what is sent."""
    refusal = proto_error("why", 3, 1)
    status, said = answer(refusal, BIND._replace(ptype=Ptype.REQUEST))
    assert (str(refusal), status) == ("why", NCA_PROTO_ERROR)
    assert said is not None
    assert decode_fault(said, 0, decode_header(said, 0)) == refusal.fault
    assert isinstance(refusal, Refusal)


def test_without_a_header_there_is_nothing_to_say() -> None:
    """What is no PDU is not answered."""
    assert answer(PduError(), None) == (None, None)
