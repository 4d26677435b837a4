"""What each event means to its sender, where the connection's own tests do not say."""

import pytest
from msgspec.structs import replace

from tests.wire.dcerpc import captured
from tests.wire.dcerpc.ends import RESOLVER, acknowledgement, bind
from vaultstorm_wire.dcerpc.agreement import Disagreement
from vaultstorm_wire.dcerpc.binds import decode_bind_ack, encode_bind
from vaultstorm_wire.dcerpc.dialogue import Dialogue
from vaultstorm_wire.dcerpc.events import (
    Auth3,
    Cancel,
    Closed,
    Event,
    Fault,
    Orphaned,
    Request,
    Response,
    Shutdown,
)
from vaultstorm_wire.dcerpc.pdu import PduError, decode_header
from vaultstorm_wire.dcerpc.writing import WRITERS


def write(dialogue: Dialogue, event: Event) -> bytes:
    """Write one event, whatever the state."""
    return WRITERS[type(event)][1](dialogue, event)


def test_an_auth3_is_never_sent() -> None:
    """We do not authenticate."""
    assert Auth3 not in WRITERS


@pytest.mark.parametrize(
    "event, name", [(Cancel(2), "CANCEL"), (Orphaned(2), "ORPHANED"), (Shutdown(), "SHUTDOWN")]
)
def test_what_is_only_a_header(event: Event, name: str) -> None:
    """The bytes are impacket's; a shutdown's call id is no call's."""
    expected = getattr(captured, name)
    assert write(Dialogue(100, 100, 4), event)[:12] == expected[:12]


def test_closing_is_no_pdu() -> None:
    """Nothing is said before closing."""
    assert write(Dialogue(100, 100, 4), Closed()) == b""


@pytest.mark.parametrize("multiplex", [False, True])
def test_a_bind_ack_repeats_the_wish_to_multiplex(multiplex: bool) -> None:
    """CONC_MPX in the answer is the client's, whatever the caller says."""
    dialogue = Dialogue(100, 100, 4)
    proposal = bind(RESOLVER, multiplex=multiplex)
    dialogue.agreement.propose(proposal)
    data = write(dialogue, acknowledgement(proposal))
    assert bool(data[3] & 0x10) is multiplex
    assert dialogue.agreement.multiplex is multiplex


@pytest.mark.parametrize("alter", [False, True])
@pytest.mark.parametrize("header_sign", [False, True])
def test_an_answer_repeats_that_headers_can_be_signed(alter: bool, header_sign: bool) -> None:
    """SUPPORT_HEADER_SIGN in the answer is the client's; without authentication it does nothing."""
    dialogue = Dialogue(100, 100, 4)
    proposal = replace(bind(RESOLVER), alter=alter, header_sign=header_sign)
    assert bool(encode_bind(proposal)[3] & 0x04) is header_sign
    dialogue.agreement.propose(proposal)
    data = write(dialogue, acknowledgement(proposal))
    assert bool(data[3] & 0x04) is header_sign
    read = decode_bind_ack(data, 0, decode_header(data, 0))
    assert read.header_sign is header_sign


def test_nothing_changes_when_writing_fails() -> None:
    """A writer that raises leaves everything as it was."""
    dialogue = Dialogue(100, 100, 4)
    dialogue.progress.open[2] = 0
    for event in (
        Request(2, 0, 0, b""),
        Request(3, 0, 0, b""),
        Response(3, 0, b""),
        Response(2, 0, b"", little=False),
        Fault(3, 0, 5, True),
    ):
        with pytest.raises(PduError):
            write(dialogue, event)
    with pytest.raises(Disagreement):
        write(dialogue, acknowledgement(bind(RESOLVER)))
    assert dialogue.progress.open == {2: 0}
    assert dialogue.agreement.group == 0
