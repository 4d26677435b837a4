"""Bodies of bind, alter_context, their answers, and bind_nak (C706 12.6.4, MS-RPCE 2.2.2)."""

from functools import lru_cache
from struct import Struct
from typing import Final

from vaultstorm_wire.dcerpc import pdu
from vaultstorm_wire.dcerpc.events import Auth, Bind, BindAck, BindNak, Context, ContextAnswer
from vaultstorm_wire.dcerpc.pdu import (
    CONC_MPX,
    HEADER_SIZE,
    SUPPORT_HEADER_SIGN,
    WHOLE,
    Header,
    PduError,
    Ptype,
)
from vaultstorm_wire.dcerpc.status import ContextResult
from vaultstorm_wire.dcerpc.syntax import Syntax

_SIZES = {True: Struct("<HHI"), False: Struct(">HHI")}  # max_xmit_frag max_recv_frag assoc_group_id
_CONTEXT = {True: Struct("<HBx"), False: Struct(">HBx")}  # p_cont_id n_transfer_syn reserved
_SYNTAX = {True: Struct("<16sI"), False: Struct(">16sI")}  # if_uuid if_version
_RESULT = {True: Struct("<HH16sI"), False: Struct(">HH16sI")}
_SHORT = {True: Struct("<H"), False: Struct(">H")}
_TRAILER = Struct("<BBBxI")  # auth_type auth_level auth_pad_length auth_reserved auth_context_id

# One version is named in a bind_nak, ours; three bytes bring it to a multiple of four, as Windows
# sends it.
_NAK = Struct("<HBBB3x")
_CONTEXTS_AT: Final = HEADER_SIZE + 12
_COUNT_MAX: Final = 0xFF
_BODY_MIN: Final = HEADER_SIZE + 8  # what Windows wants left before padding and security trailer

# The same few binds come and go all the time: what their lists say is remembered, if short.
_REMEMBERED: Final = 256
_FEW: Final = 4
_LONG: Final = _FEW * 44


class AuthTrailerError(PduError):
    """There is no room for the security trailer that auth_length promises."""


def _syntax(buffer: bytes | bytearray, at: int, little: bool) -> Syntax:
    _, version = _SYNTAX[little].unpack_from(buffer, at)
    return Syntax(pdu.guid_in(buffer, at, little), version & 0xFFFF, version >> 16)


def _encode_syntax(syntax: Syntax) -> bytes:
    return _SYNTAX[True].pack(syntax.guid, syntax.major | syntax.minor << 16)


def _auth(buffer: bytes | bytearray, at: int, header: Header) -> tuple[Auth | None, int]:
    """Give what authentication is asked for, and where the body before the trailer ends."""
    end = at + header.frag_length
    if not header.auth_length:
        return None, end
    trailer = end - header.auth_length - pdu.TRAILER_SIZE
    room = trailer - at - _BODY_MIN
    if room < 0:
        raise AuthTrailerError(f"there is no room for {header.auth_length} bytes of authentication")
    kind, level, padding, _ = _TRAILER.unpack_from(buffer, trailer)
    if padding > room:
        raise AuthTrailerError(f"there is no room for {padding} bytes of padding")
    return Auth(kind, level), trailer


def _flags(event: Bind | BindAck) -> int:
    signing = SUPPORT_HEADER_SIGN if event.header_sign else 0
    return WHOLE | signing | (CONC_MPX if event.multiplex else 0)


def encode_bind(bind: Bind) -> bytes:
    """Write a bind, or an alter_context."""
    if bind.auth is not None:
        raise PduError("authentication is not spoken")
    if len(bind.contexts) > _COUNT_MAX:
        raise PduError(f"{len(bind.contexts)} contexts are more than a bind can hold")
    sizes = _SIZES[True].pack(bind.max_xmit, bind.max_recv, bind.group)
    ptype = Ptype.ALTER_CONTEXT if bind.alter else Ptype.BIND
    body = sizes + _encode_contexts(bind.contexts)
    return pdu.encode(ptype, bind.call_id, body, _flags(bind))


@lru_cache(_REMEMBERED)
def _encode_contexts(contexts: tuple[Context, ...]) -> bytes:
    parts = [len(contexts).to_bytes(4, "little")]
    for context in contexts:
        parts.append(_CONTEXT[True].pack(context.id, len(context.transfers)))
        parts.append(_encode_syntax(context.abstract))
        parts.extend(map(_encode_syntax, context.transfers))
    return b"".join(parts)


def decode_bind(buffer: bytes | bytearray, at: int, header: Header) -> Bind:
    """Read a bind, or an alter_context, whose fragment is wholly there.

    Raises:
        AuthTrailerError: its authentication does not fit.
        PduError: its lists end after the fragment does.
    """
    auth, end = _auth(buffer, at, header)
    little = header.little
    here = at + _CONTEXTS_AT
    if here > end:
        raise PduError("the bind ends before its list of contexts")
    max_xmit, max_recv, group = _SIZES[little].unpack_from(buffer, at + HEADER_SIZE)
    read = _read_contexts if end - here > _LONG else _contexts
    contexts = read(bytes(buffer[here - 4 : end]), little)
    return Bind(
        header.call_id,
        contexts,
        group,
        max_xmit,
        max_recv,
        header.ptype == Ptype.ALTER_CONTEXT,
        auth,
        bool(header.flags & CONC_MPX),
        bool(header.flags & SUPPORT_HEADER_SIGN),
    )


def _read_contexts(data: bytes, little: bool) -> tuple[Context, ...]:
    """Read the list of contexts that a bind ends with."""
    here, end = 4, len(data)
    contexts = []
    for _ in range(data[0]):
        if here + 24 > end:
            raise PduError("the bind ends within a context")
        number, count = _CONTEXT[little].unpack_from(data, here)
        abstract = _syntax(data, here + 4, little)
        here += 24
        if here + 20 * count > end:
            raise PduError("the bind ends within a context's transfer syntaxes")
        transfers = tuple(_syntax(data, here + 20 * n, little) for n in range(count))
        here += 20 * count
        contexts.append(Context(number, abstract, transfers))
    return tuple(contexts)


_contexts = lru_cache(_REMEMBERED)(_read_contexts)


def encode_bind_ack(ack: BindAck) -> bytes:
    """Write a bind_ack, or an alter_context_resp."""
    if len(ack.answers) > _COUNT_MAX:
        raise PduError(f"{len(ack.answers)} answers are more than a bind_ack can hold")
    address = ack.address.encode("ascii") + b"\0" if ack.address else b""
    head = _SIZES[True].pack(ack.max_xmit, ack.max_recv, ack.group)
    head += _SHORT[True].pack(len(address)) + address
    head += bytes(-len(head) % 4)
    ptype = Ptype.ALTER_CONTEXT_RESP if ack.alter else Ptype.BIND_ACK
    return pdu.encode(ptype, ack.call_id, head + _encode_answers(ack.answers), _flags(ack))


@lru_cache(_REMEMBERED)
def _encode_answers(answers: tuple[ContextAnswer, ...]) -> bytes:
    parts = [len(answers).to_bytes(4, "little")]
    for answer in answers:
        version = answer.transfer.major | answer.transfer.minor << 16
        parts.append(
            _RESULT[True].pack(answer.result, answer.reason, answer.transfer.guid, version)
        )
    return b"".join(parts)


def decode_bind_ack(buffer: bytes | bytearray, at: int, header: Header) -> BindAck:
    """Read a bind_ack, or an alter_context_resp, whose fragment is wholly there.

    Raises:
        PduError: it does not hold what it promises, or a result that there is none of.
    """
    _, end = _auth(buffer, at, header)
    little = header.little
    here = at + HEADER_SIZE + 10
    if here > end:
        raise PduError("the answer ends before its address")
    max_xmit, max_recv, group = _SIZES[little].unpack_from(buffer, at + HEADER_SIZE)
    (length,) = _SHORT[little].unpack_from(buffer, here - 2)
    address = bytes(buffer[here : here + length])
    here += length
    here += (at - here) % 4  # the results stand at a multiple of four from the PDU's beginning
    if here + 4 > end:
        raise PduError("the answer ends before its results")
    count = buffer[here]
    here += 4
    if here + 24 * count > end:
        raise PduError("the answer ends within its results")
    read = _answers if count <= _FEW else _read_answers
    answers = read(bytes(buffer[here : here + 24 * count]), little)
    return BindAck(
        header.call_id,
        answers,
        group,
        max_xmit,
        max_recv,
        address.rstrip(b"\0").decode("ascii", "replace"),
        header.ptype == Ptype.ALTER_CONTEXT_RESP,
        bool(header.flags & CONC_MPX),
        bool(header.flags & SUPPORT_HEADER_SIGN),
    )


def _read_answers(data: bytes, little: bool) -> tuple[ContextAnswer, ...]:
    return tuple(_answer(data, at, little) for at in range(0, len(data), 24))


_answers = lru_cache(_REMEMBERED)(_read_answers)


def _answer(buffer: bytes, at: int, little: bool) -> ContextAnswer:
    result, reason, _, _ = _RESULT[little].unpack_from(buffer, at)
    if result > ContextResult.NEGOTIATE_ACK:
        raise PduError(f"there is no result {result} for a context")
    return ContextAnswer(ContextResult(result), reason, _syntax(buffer, at + 4, little))


def encode_bind_nak(nak: BindNak) -> bytes:
    """Write a bind_nak that names our version of the protocol."""
    body = _NAK.pack(nak.reason, 1, pdu.VERSION, pdu.MINOR)
    return pdu.encode(Ptype.BIND_NAK, nak.call_id, body)


def decode_bind_nak(buffer: bytes | bytearray, at: int, header: Header) -> BindNak:
    """Read a bind_nak whose fragment is wholly there; the versions in it are not looked at.

    Raises:
        PduError: it ends before its reason.
    """
    if header.frag_length < HEADER_SIZE + 2:
        raise PduError("the bind_nak ends before its reason")
    (reason,) = _SHORT[header.little].unpack_from(buffer, at + HEADER_SIZE)
    return BindNak(header.call_id, reason)
