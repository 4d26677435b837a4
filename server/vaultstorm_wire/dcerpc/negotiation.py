"""What a Server 2003 makes of a client's proposals: contexts, and the sizes of fragments."""

from collections.abc import Iterable, Sequence
from typing import Final

from vaultstorm_wire.dcerpc.events import Auth, Bind, BindNak, Context, ContextAnswer, Fault
from vaultstorm_wire.dcerpc.pdu import MUST_RECV
from vaultstorm_wire.dcerpc.status import (
    ERROR_ACCESS_DENIED,
    ContextResult,
    NakReason,
    ProviderReason,
)
from vaultstorm_wire.dcerpc.syntax import NDR, NO_SYNTAX, Syntax, is_feature_negotiation

FRAGMENT: Final = 5840
"""The fragment that Windows offers over TCP: four Ethernet segments."""

_TOO_SMALL_FOR_WINDOWS = 2048  # what Windows answers to a size below MustRecvFragSize

_LEVELS = range(2, 7)  # connect, call, packet, integrity and privacy (MS-RPCE 2.2.1.1.8)

_ACCEPTED = ContextAnswer(ContextResult.ACCEPT, ProviderReason.NOT_SPECIFIED, NDR)


def _rejected(reason: ProviderReason) -> ContextAnswer:
    return ContextAnswer(ContextResult.PROVIDER, reason, NO_SYNTAX)


_UNKNOWN_INTERFACE = _rejected(ProviderReason.ABSTRACT_SYNTAX)
_NO_COMMON_SYNTAX = _rejected(ProviderReason.TRANSFER_SYNTAXES)


def answer(contexts: Sequence[Context], interfaces: Iterable[Syntax]) -> tuple[ContextAnswer, ...]:
    """Answer each context in its turn.

    Accepted is an interface that is served, of the same major version and at least the minor one
    (C706 6.1.5.3 "UUID and version"), in NDR. Bind-time feature negotiation is a transfer syntax
    that nobody knows: 2003 neither sends nor understands it (MS-RPCE, note 99). Of several
    contexts for one interface in one PDU, or with one id, Windows accepts the first alone: they
    are a client's choice of transfer syntaxes.
    """
    minors = {(served.guid, served.major): served.minor for served in interfaces}
    taken: set[Syntax | int] = set()
    answers = []
    for context in contexts:
        abstract = context.abstract
        if context.transfers and is_feature_negotiation(context.transfers[0]):
            answers.append(_NO_COMMON_SYNTAX)
        elif abstract.minor > minors.get((abstract.guid, abstract.major), -1):
            answers.append(_UNKNOWN_INTERFACE)
        elif NDR not in context.transfers or not taken.isdisjoint((abstract, context.id)):
            answers.append(_NO_COMMON_SYNTAX)
        else:
            taken.update((abstract, context.id))
            answers.append(_ACCEPTED)
    return tuple(answers)


def refuse(bind: Bind, auth: Auth) -> BindNak | Fault:
    """Refuse whoever asks for authentication: no type of it is known (MS-RPCE 3.3.3.5).

    Windows looks at the level before it looks at the type.
    """
    if bind.alter:
        return Fault(bind.call_id, 0, ERROR_ACCESS_DENIED, did_not_execute=True)
    if auth.level in _LEVELS:
        return BindNak(bind.call_id, NakReason.AUTHENTICATION_TYPE_NOT_RECOGNIZED)
    return BindNak(bind.call_id, NakReason.NOT_SPECIFIED)


def fragment_sizes(bind: Bind, ours: int = FRAGMENT) -> tuple[int, int]:
    """Give the max_xmit and max_recv of the answer: one size, as Windows answers.

    It is the smallest of what both ends offer, a multiple of 8, and never below what everybody
    has to read: who offers less than that has not understood the field.
    """
    least = min(bind.max_xmit, bind.max_recv)
    if least < MUST_RECV:
        least = _TOO_SMALL_FOR_WINDOWS
    size = max(min(least, ours) & ~7, MUST_RECV)
    return size, size
