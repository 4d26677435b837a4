"""The short way gives what the long way gives, or nothing."""

import random

import pytest

from tests.wire.dcerpc import captured, fuzz
from vaultstorm_wire.dcerpc.connection import NEED_DATA, Connection, RemoteProtocolError
from vaultstorm_wire.dcerpc.dialogue import Dialogue
from vaultstorm_wire.dcerpc.inbox import Inbox
from vaultstorm_wire.dcerpc.pdu import decode_header
from vaultstorm_wire.dcerpc.quick import whole_request, whole_response
from vaultstorm_wire.dcerpc.reading import READERS

REQUEST = captured.REQUEST_OBJECT


def holding(data: bytes) -> Inbox:
    """Give an inbox with these bytes behind others that are read."""
    inbox = Inbox()
    inbox.feed(b"read" + data)
    inbox.at = 4
    return inbox


@pytest.mark.parametrize("name", ["REQUEST_EMPTY", "REQUEST_OBJECT"])
@pytest.mark.parametrize("trailing", [b"", b"\x05", captured.CANCEL])
@pytest.mark.parametrize("multiplexed", [0, 0x10])
def test_a_whole_request(name: str, trailing: bytes, multiplexed: int) -> None:
    """The event is the same, the call is open, and what follows is left."""
    data = bytearray(getattr(captured, name))
    data[3] |= multiplexed
    header = decode_header(data, 0)
    expected = READERS[0][1](Dialogue(100, 1, 1), data, 0, header)
    dialogue, inbox = Dialogue(100, 1, 1), holding(bytes(data) + trailing)
    assert whole_request(dialogue, inbox, 5840) == expected
    assert len(inbox) == len(trailing)
    assert dialogue.progress.open == {header.call_id: 0}


def test_a_whole_response() -> None:
    """The event is the same, and the call is over."""
    dialogue, inbox = Dialogue(100, 1, 1), holding(captured.RESPONSE + b"x")
    dialogue.progress.open[1] = 0
    response = whole_response(dialogue, inbox, 5840)
    assert response is not None
    assert (response.call_id, response.stub) == (1, b"answer to 5\0")
    assert (len(inbox), dialogue.progress.open) == (1, {})


def changed(at: int, value: int) -> bytes:
    """Change one byte of a request."""
    return REQUEST[:at] + bytes([value]) + REQUEST[at + 1 :]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        REQUEST[:23],
        REQUEST[:24],
        REQUEST[:39],
        REQUEST[:-1],
        changed(0, 4),
        changed(1, 1),
        changed(2, 2),
        changed(3, 0x81),
        changed(3, 0x82),
        changed(3, 0x87),
        changed(4, 0),
        changed(8, 39),
        changed(9, 0xFF),
        changed(10, 1),
        captured.REQUEST_SIGNED,
        captured.BIND,
    ],
)
def test_anything_else_is_left_alone(data: bytes) -> None:
    """What is not all there, not plain or not right is not touched."""
    for take in (whole_request, whole_response):
        dialogue, inbox = Dialogue(100, 1, 1), holding(data)
        assert take(dialogue, inbox, 5840) is None
        assert (inbox.at, dialogue.progress.open) == (4, {})


def test_limits_are_left_to_the_long_way() -> None:
    """A fragment or stub that is too long, or a call that is open already, is not taken."""
    assert whole_request(Dialogue(29, 1, 1), holding(REQUEST), 5840) is None
    assert whole_request(Dialogue(30, 1, 1), holding(REQUEST), 69) is None
    assert whole_request(Dialogue(30, 1, 1), holding(REQUEST), 70) is not None
    dialogue = Dialogue(100, 1, 1)
    dialogue.progress.open[2] = 0
    assert whole_request(dialogue, holding(REQUEST), 5840) is None
    assert whole_response(Dialogue(100, 1, 1), holding(captured.RESPONSE), 5840) is None


def told(end: Connection, data: bytes) -> list[object]:
    """Give all that comes of these bytes, the error included."""
    events: list[object] = []
    end.receive_data(data)
    try:
        while (event := end.next_event()) is not NEED_DATA:
            events.append(event)
            fuzz.react(end, event)
    except RemoteProtocolError as error:
        events.append((str(error), error.status, error.answer))
    return [*events, repr(end)]


def test_both_ways_say_the_same() -> None:
    """Over mutated PDUs, a connection that never takes the short way tells the same story."""
    for number in range(3000):
        quick, slow = (fuzz.an_end(random.Random(number)) for _ in range(2))
        slow._quick = lambda dialogue, inbox, max_fragment: None
        data = fuzz.mutated(random.Random(number), quick)
        assert told(quick, data) == told(slow, data), number
