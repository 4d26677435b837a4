"""Bytes that wait to be read."""

import pytest

from vaultstorm_wire.dcerpc.inbox import Inbox
from vaultstorm_wire.dcerpc.pdu import Ptype, encode

PDU = encode(Ptype.SHUTDOWN, 9, b"")


def test_what_is_fed_to_an_empty_inbox_is_not_copied() -> None:
    """The usual case, one read and one PDU, costs no copy."""
    inbox = Inbox()
    inbox.feed(PDU)
    assert inbox.buffer is PDU
    inbox.at += 16
    inbox.feed(PDU)
    assert inbox.buffer is PDU


@pytest.mark.parametrize("length", [0, 1, 15])
def test_a_part_of_a_header_is_none(length: int) -> None:
    """A header is read when its 16 bytes are there."""
    inbox = Inbox()
    inbox.feed(PDU[:length])
    assert inbox.header() is None
    inbox.feed(PDU[length:])
    header = inbox.header()
    assert header is not None
    assert header.call_id == 9


def test_only_what_is_not_read_is_kept() -> None:
    """However much has passed through, no more is held than what is left over."""
    inbox = Inbox()
    for _ in range(1000):
        inbox.feed(PDU + PDU[:5])
        inbox.at += 16
        inbox.feed(PDU[5:])
        assert len(inbox.buffer) <= 32
        inbox.at += 16
    assert len(inbox) == 0


def test_cleared_is_empty() -> None:
    """Nothing is left."""
    inbox = Inbox()
    inbox.feed(PDU)
    inbox.clear()
    assert len(inbox) == 0
