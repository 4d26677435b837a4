"""What each type of PDU means to its reader, where the connection's own tests do not say."""

import pytest

from tests.wire.dcerpc import captured
from vaultstorm_wire.dcerpc.dialogue import Dialogue
from vaultstorm_wire.dcerpc.events import Auth3, Cancel, Event, Orphaned, Shutdown
from vaultstorm_wire.dcerpc.pdu import PduError, Ptype, decode_header
from vaultstorm_wire.dcerpc.reading import READERS
from vaultstorm_wire.dcerpc.refusal import Refusal
from vaultstorm_wire.dcerpc.states import Kind
from vaultstorm_wire.dcerpc.status import ERROR_ACCESS_DENIED


def read(dialogue: Dialogue, data: bytes) -> Event | None:
    """Read one PDU, whatever the state."""
    header = decode_header(data, 0)
    return READERS[header.ptype][1](dialogue, data, 0, header)


def test_every_type_has_its_reader() -> None:
    """Each type of PDU is one kind, and each kind has its type but the ones that only we tell."""
    assert set(READERS) == set(Ptype)
    assert {kind for kind, _ in READERS.values()} == set(Kind) - {Kind.CLOSE, Kind.ALTER_FAULT}


def test_a_cancel_is_for_a_call_that_is_there() -> None:
    """A cancel that crossed the answer is nothing."""
    dialogue = Dialogue(100, 100, 4)
    assert read(dialogue, captured.CANCEL) is None
    dialogue.progress.open[2] = 0
    assert read(dialogue, captured.CANCEL) == Cancel(2)


def test_an_auth3_needs_authentication() -> None:
    """Without authentication in the bind there is no third leg of it."""
    dialogue = Dialogue(100, 100, 4)
    with pytest.raises(PduError, match="auth3"):
        read(dialogue, captured.AUTH3)
    dialogue.agreement.authenticated = True
    assert read(dialogue, captured.AUTH3) == Auth3(1)


def test_a_signed_request_is_denied() -> None:
    """A security trailer that was not agreed on ends the call and the connection."""
    with pytest.raises(Refusal) as caught:
        read(Dialogue(100, 100, 4), captured.REQUEST_SIGNED)
    assert caught.value.fault.status == ERROR_ACCESS_DENIED


def test_an_answer_to_no_call() -> None:
    """A response or a fault that nobody waits for is an error."""
    for data in (captured.RESPONSE, captured.FAULT):
        with pytest.raises(PduError, match="nobody made"):
            read(Dialogue(100, 100, 4), data)


def test_a_signed_response_is_an_error() -> None:
    """What we cannot verify we do not take."""
    signed = bytearray(captured.REQUEST_SIGNED)
    signed[2] = Ptype.RESPONSE
    dialogue = Dialogue(100, 100, 4)
    dialogue.progress.open[2] = 0
    with pytest.raises(PduError, match="authentication"):
        read(dialogue, bytes(signed))


def test_what_is_only_a_header() -> None:
    """An orphaned names its call, a shutdown nothing."""
    dialogue = Dialogue(100, 100, 4)
    assert read(dialogue, captured.ORPHANED) == Orphaned(2)
    assert read(dialogue, captured.SHUTDOWN) == Shutdown()
