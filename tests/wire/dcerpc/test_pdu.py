"""The common header."""

import pytest

from tests.wire.dcerpc import captured
from vaultstorm_wire.dcerpc.pdu import (
    FRAGMENT_MAX,
    HEADER_SIZE,
    Header,
    PduError,
    Ptype,
    decode_header,
    encode,
    guid_in,
)
from vaultstorm_wire.dcerpc.syntax import guid_of

# As a big-endian machine writes it: drep 0, and every number the other way round.
BIG = bytes.fromhex("05000b03 00000000 0048 0020 00000001")


def test_a_little_endian_header() -> None:
    """The fields of a header that impacket wrote are where they should be."""
    expected = Header(5, 0, Ptype.BIND, 3, True, 112, 32, 1)
    assert decode_header(captured.BIND_NTLM, 0) == expected


def test_a_big_endian_header() -> None:
    """The first byte of drep turns every number after it."""
    assert decode_header(BIG, 0) == Header(5, 0, Ptype.BIND, 3, False, 0x48, 0x20, 1)


@pytest.mark.parametrize("name", ["CANCEL", "ORPHANED", "SHUTDOWN"])
def test_a_pdu_without_a_body_is_written_as_impacket_does(name: str) -> None:
    """Header-only PDUs are the same bytes."""
    data = getattr(captured, name)
    header = decode_header(data, 0)
    assert encode(Ptype(header.ptype), header.call_id, b"") == data


def test_a_fragment_has_its_longest_length() -> None:
    """What 16 bits cannot say is not written."""
    assert len(encode(Ptype.BIND, 1, bytes(FRAGMENT_MAX - HEADER_SIZE))) == FRAGMENT_MAX
    with pytest.raises(PduError, match="65536"):
        encode(Ptype.BIND, 1, bytes(FRAGMENT_MAX - HEADER_SIZE + 1))


def test_a_guid_of_either_byte_order() -> None:
    """The same guid comes out of both senders' forms."""
    guid = guid_of("99fcfec4-5260-101b-bbcb-00aa0021347a")
    assert guid_in(b"." + guid, 1, True) == guid
    big = bytes.fromhex("99fcfec45260101bbbcb00aa0021347a")
    assert guid_in(b"." + big, 1, False) == guid
