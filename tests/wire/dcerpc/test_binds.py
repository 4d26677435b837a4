"""Binds and their answers against bytes of others."""

import pytest
from impacket.dcerpc.v5.rpcrt import MSRPCBindAck, MSRPCBindNak, MSRPCHeader

from tests.wire.dcerpc import captured
from tests.wire.dcerpc.ends import DEMONSTRATION, RESOLVER, bind
from vaultstorm_wire.dcerpc import binds
from vaultstorm_wire.dcerpc.binds import AuthTrailerError
from vaultstorm_wire.dcerpc.events import Auth, Bind, BindAck, BindNak, Context, ContextAnswer
from vaultstorm_wire.dcerpc.pdu import PduError, decode_header
from vaultstorm_wire.dcerpc.status import ContextResult
from vaultstorm_wire.dcerpc.syntax import NDR, NDR64, NO_SYNTAX, Syntax

OK = ContextAnswer(ContextResult.ACCEPT, 0, NDR)

# A bind for RESOLVER v0.1 in NDR, context 1, group 7, call 2, from a big-endian machine.
BIG_BIND = bytes.fromhex(
    "05000b13 00000000 0048 0000 00000002 16d0 1000 00000007 01000000 0001 01 00"
    "99fcfec4 5260 101b bbcb00aa0021347a 00010000 8a885d04 1ceb 11c9 9fe808002b104860 00000002"
)
# And the answer of a big-endian server: port 135, accepted, NDR.
BIG_BIND_ACK = bytes.fromhex(
    "05000c03 00000000 003c 0000 00000002 16d0 1000 00000007 0004 31333500 0000 01000000"
    "0000 0000 8a885d04 1ceb 11c9 9fe808002b104860 00000002"
)


def decode_bind(data: bytes) -> Bind:
    """Read a bind that stands behind other bytes and before others."""
    return binds.decode_bind(b"before" + data + b"after", 6, decode_header(data, 0))


def decode_ack(data: bytes) -> BindAck:
    """Read an answer likewise."""
    return binds.decode_bind_ack(b"before" + data + b"after", 6, decode_header(data, 0))


def cut_to(data: bytes, length: int) -> bytes:
    """Make a fragment end early."""
    return data[:8] + length.to_bytes(2, "little") + data[10:length]


def test_a_bind_of_impacket_is_read_and_written_alike() -> None:
    """What impacket's client sends is read, and written again byte for byte."""
    expected = Bind(1, (Context(0, RESOLVER, (NDR,)),), 0, 4280, 4280)
    assert decode_bind(captured.BIND) == expected
    assert binds.encode_bind(expected) == captured.BIND


def test_an_alter_context_is_a_bind_of_another_type() -> None:
    """Impacket's alter_context is read and written alike too."""
    expected = Bind(4, (Context(1, DEMONSTRATION, (NDR,)),), 0, 4280, 4280, alter=True)
    assert decode_bind(captured.ALTER) == expected
    assert binds.encode_bind(expected) == captured.ALTER


def test_a_bind_of_several_contexts() -> None:
    """Every context is read, in its order."""
    read = decode_bind(captured.BIND_THREE)
    assert [context.id for context in read.contexts] == [0, 1, 2]
    assert read.contexts[2].abstract == RESOLVER
    assert binds.encode_bind(read) == captured.BIND_THREE


def test_a_bind_with_authentication_says_which() -> None:
    """Type and level are read, the token is not."""
    read = decode_bind(captured.BIND_NTLM)
    assert read.auth == Auth(10, 2)
    assert [context.abstract for context in read.contexts] == [RESOLVER]
    with pytest.raises(PduError, match="authentication"):
        binds.encode_bind(read)


def test_a_big_endian_bind() -> None:
    """Guids, versions, sizes and CONC_MPX of a big-endian client are understood."""
    assert decode_bind(BIG_BIND) == Bind(
        2,
        (Context(1, Syntax(RESOLVER.guid, 0, 1), (NDR,)),),
        7,
        5840,
        4096,
        multiplex=True,
    )


def test_no_contexts_and_no_transfers_are_read() -> None:
    """Empty lists are well-formed; what they mean is decided elsewhere."""
    for proposal in (Bind(1, ()), Bind(1, (Context(0, RESOLVER, ()),))):
        assert decode_bind(binds.encode_bind(proposal)) == proposal


@pytest.mark.parametrize("length", range(16, 72))
def test_a_bind_that_ends_early(length: int) -> None:
    """Wherever a bind is cut, nothing behind its end is taken for a part of it."""
    with pytest.raises(PduError):
        decode_bind(cut_to(captured.BIND, length))


@pytest.mark.parametrize("count, transfers", [(2, 1), (255, 1), (1, 2), (1, 255)])
def test_a_bind_with_more_than_it_holds(count: int, transfers: int) -> None:
    """A count that the fragment has no room for is refused."""
    data = bytearray(captured.BIND)
    data[24], data[30] = count, transfers
    with pytest.raises(PduError, match="ends within"):
        decode_bind(bytes(data))


@pytest.mark.parametrize("padding, fits", [(0, True), (48, True), (49, False), (255, False)])
def test_padding_leaves_room_for_a_body(padding: int, fits: bool) -> None:
    """Windows wants 8 bytes of body before it, and takes the lists from wherever they are."""
    data = bytearray(captured.BIND_NTLM)
    data[-int.from_bytes(data[10:12], "little") - 6] = padding
    if fits:
        assert decode_bind(bytes(data)) == decode_bind(captured.BIND_NTLM)
    else:
        with pytest.raises(AuthTrailerError, match="padding"):
            decode_bind(bytes(data))


@pytest.mark.parametrize("length", [49, 1000, 0xFFFF])
def test_an_auth_trailer_without_room(length: int) -> None:
    """Authentication that would begin before the body is told from a broken body."""
    data = captured.BIND[:10] + length.to_bytes(2, "little") + captured.BIND[12:]
    with pytest.raises(AuthTrailerError):
        decode_bind(data)


def test_a_bind_ack_of_impacket_is_read() -> None:
    """What impacket's server answers is read, whatever stands in its padding."""
    assert decode_ack(captured.BIND_ACK) == BindAck(1, (OK,), 0x1234, 4280, 4280, "135")
    rejected = ContextAnswer(ContextResult.USER, 1, NDR)
    expected = BindAck(1, (rejected, rejected, OK), 0x1234, 4280, 4280, "135")
    assert decode_ack(captured.BIND_ACK_THREE) == expected


@pytest.mark.parametrize("address", ["", "1", "12", "135", "4915", "49152"])
def test_a_bind_ack_is_read_by_impacket(address: str) -> None:
    """Whatever the length of the address, impacket finds the results behind it."""
    refused = ContextAnswer(ContextResult.PROVIDER, 2, NO_SYNTAX)
    ack = BindAck(3, (OK, refused), 9, 5840, 4280, address)
    data = binds.encode_bind_ack(ack)
    theirs = MSRPCBindAck(data)
    assert (theirs["max_tfrag"], theirs["max_rfrag"], theirs["assoc_group"]) == (5840, 4280, 9)
    assert [theirs.getCtxItem(n)["Result"] for n in (1, 2)] == [0, 2]
    assert theirs.getCtxItem(2)["Reason"] == 2
    assert decode_ack(data) == ack


def test_a_big_endian_bind_ack() -> None:
    """A big-endian server is understood."""
    assert decode_ack(BIG_BIND_ACK) == BindAck(2, (OK,), 7, 5840, 4096, "135")


def test_an_answer_may_be_a_negotiate_ack() -> None:
    """Newer servers answer bind-time features so; the reason holds the features."""
    features = ContextAnswer(ContextResult.NEGOTIATE_ACK, 3, NO_SYNTAX)
    ack = BindAck(1, (features,), 1, 5840, 5840, alter=True)
    assert decode_ack(binds.encode_bind_ack(ack)) == ack


@pytest.mark.parametrize("length", range(16, 60))
def test_a_bind_ack_that_ends_early(length: int) -> None:
    """Wherever an answer is cut, nothing behind its end is taken for a part of it."""
    with pytest.raises(PduError):
        decode_ack(cut_to(captured.BIND_ACK, length))


@pytest.mark.parametrize("at, value", [(24, 0xFF), (25, 0xFF), (32, 0xFF), (36, 4)])
def test_a_bind_ack_that_promises_too_much(at: int, value: int) -> None:
    """An address or a list without room, and a result that there is none of, are refused."""
    data = bytearray(captured.BIND_ACK)
    data[at] = value
    with pytest.raises(PduError):
        decode_ack(bytes(data))


def test_a_bind_nak_is_read_with_or_without_versions() -> None:
    """Impacket's bind_nak names no versions, ours names one; impacket reads ours."""
    header = decode_header(captured.BIND_NAK, 0)
    assert binds.decode_bind_nak(captured.BIND_NAK, 0, header) == BindNak(1, 2)
    data = binds.encode_bind_nak(BindNak(5, 8))
    assert binds.decode_bind_nak(data, 0, decode_header(data, 0)) == BindNak(5, 8)
    assert MSRPCBindNak(MSRPCHeader(data)["pduData"])["RejectedReason"] == 8
    assert data[16:] == bytes.fromhex("0800 01 0500 000000")


@pytest.mark.parametrize("length", [16, 17])
def test_a_bind_nak_without_a_reason(length: int) -> None:
    """A bind_nak has to say why."""
    data = cut_to(captured.BIND_NAK, length)
    with pytest.raises(PduError):
        binds.decode_bind_nak(data, 0, decode_header(data, 0))


def test_lists_have_their_longest_length() -> None:
    """255 contexts can be counted, 256 cannot."""
    most = bind(*[RESOLVER] * 255)
    assert decode_bind(binds.encode_bind(most)) == most
    with pytest.raises(PduError, match="256"):
        binds.encode_bind(bind(*[RESOLVER] * 256))
    with pytest.raises(PduError, match="256"):
        binds.encode_bind_ack(BindAck(1, (OK,) * 256, 0, 5840, 5840))


def test_ndr64_is_written_as_itself() -> None:
    """A version stands in one number, the minor one in its upper half."""
    odd = Context(9, Syntax(NDR64.guid, 1, 0xFFFF), (NDR64, NDR))
    assert decode_bind(binds.encode_bind(Bind(1, (odd,)))).contexts == (odd,)
