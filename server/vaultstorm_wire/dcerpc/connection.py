"""One DCE/RPC connection without its socket: bytes in, events out; events in, bytes out."""

import struct
from collections.abc import Callable
from typing import Any, Final, Literal, NoReturn

from vaultstorm_wire.dcerpc import pdu
from vaultstorm_wire.dcerpc.agreement import Disagreement
from vaultstorm_wire.dcerpc.dialogue import Dialogue
from vaultstorm_wire.dcerpc.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from vaultstorm_wire.dcerpc.events import NEED_DATA, Closed, Event, NeedData, Request, Response
from vaultstorm_wire.dcerpc.fragments import Budget
from vaultstorm_wire.dcerpc.inbox import Inbox
from vaultstorm_wire.dcerpc.negotiation import FRAGMENT
from vaultstorm_wire.dcerpc.pdu import Header, PduError
from vaultstorm_wire.dcerpc.quick import whole_request, whole_response
from vaultstorm_wire.dcerpc.reading import READERS, Reader
from vaultstorm_wire.dcerpc.refusal import Refusal, answer
from vaultstorm_wire.dcerpc.states import SENDS, TRANSITIONS, Kind, Role, State
from vaultstorm_wire.dcerpc.syntax import Syntax
from vaultstorm_wire.dcerpc.writing import WRITERS

__all__ = [
    "NEED_DATA",
    "Connection",
    "LocalProtocolError",
    "ProtocolError",
    "RemoteProtocolError",
    "Role",
    "State",
]

STUB_MAX: Final = 4 << 20
"""The longest stub that a Server 2003 takes (MS-RPCE 3.3.3.5.3)."""

CONTEXTS_MAX: Final = 4000
"""Contexts that a connection may have (MS-RPCE 3.3.3.5.6: 4,000 for each interface)."""

ASSEMBLING_MAX: Final = 16
"""Multiplexed calls that may have begun and not ended; they share the budget of one stub."""

_Quick = Callable[[Dialogue, Inbox, int], Request | Response | None]
_AMBIGUOUS = {Kind.BIND, Kind.BIND_ACK, Kind.FAULT}
_PEER = {Role.CLIENT: Role.SERVER, Role.SERVER: Role.CLIENT}


class Connection:
    """One end of a connection: give it what was received, ask it for events until it needs more.

    Args:
        role: which end it is.
        max_stub: the longest stub that it reads, and the most it holds of unfinished ones.
        max_contexts: presentation contexts, over all binds.
        max_assembling: multiplexed calls whose fragments may be mixed.
        max_fragment: the longest fragment of a request that a server reads, whatever was
            negotiated: Windows is as generous.
        budget: of unfinished stubs, shared with other connections; given back by Closed.
    """

    __slots__ = (
        "_broken",
        "_dialogue",
        "_ended",
        "_inbox",
        "_max_fragment",
        "_ours",
        "_quick",
        "_role",
        "_theirs",
    )

    def __init__(
        self,
        role: Role,
        *,
        max_stub: int = STUB_MAX,
        max_contexts: int = CONTEXTS_MAX,
        max_assembling: int = ASSEMBLING_MAX,
        max_fragment: int = FRAGMENT,
        budget: Budget | None = None,
    ) -> None:
        self._role = role
        self._ours = SENDS[role]
        self._quick: _Quick = whole_request if role is Role.SERVER else whole_response
        self._theirs = SENDS[_PEER[role]]
        self._max_fragment = max_fragment
        self._inbox = Inbox()
        self._dialogue = Dialogue(max_stub, max_contexts, max_assembling, budget)
        self._ended = False
        self._broken: tuple[str, int | None] | None = None

    def __repr__(self) -> str:
        dialogue = self._dialogue
        return (
            f"<Connection {self._role} {self.state} contexts={len(dialogue.agreement)}"
            f" calls={self.calls_in_progress} unread={len(self._inbox)}"
            f" held={dialogue.progress.held}>"
        )

    @property
    def state(self) -> State:
        """What has been agreed so far."""
        return self._dialogue.state

    @property
    def group(self) -> int:
        """The association group; 0 before the first bind is answered."""
        return self._dialogue.agreement.group

    @property
    def max_xmit(self) -> int:
        """The longest fragment that this end may send."""
        agreement = self._dialogue.agreement
        return agreement.client_xmit if self._role is Role.CLIENT else agreement.server_xmit

    @property
    def multiplex(self) -> bool:
        """Several calls may be on their way at once."""
        return self._dialogue.agreement.multiplex

    @property
    def calls_in_progress(self) -> int:
        """Whole requests without a whole answer."""
        return len(self._dialogue.progress.open)

    def interface(self, context_id: int) -> Syntax | None:
        """Give the interface that an accepted context is for."""
        return self._dialogue.agreement.interface(context_id)

    def receive_data(self, data: bytes) -> None:
        """Take what was received; b"" when the peer will send no more.

        Raises:
            LocalProtocolError: more comes after the end.
        """
        if not data:
            self._ended = True
        elif self._ended:
            raise LocalProtocolError("data after the peer's end")
        elif self._dialogue.state is not State.CLOSED:
            self._inbox.feed(data)

    def next_event(self) -> Event | Literal[NeedData.NEED_DATA]:
        """Give what the received bytes say next.

        Closed comes once, after everything that was whole before it; then there is only NEED_DATA,
        as after Orphaned.

        Raises:
            RemoteProtocolError: the peer broke the protocol; again at each further call, then
                with nothing to answer.
        """
        if self._broken is not None:
            raise RemoteProtocolError(self._broken[0], status=self._broken[1])
        inbox, dialogue = self._inbox, self._dialogue
        if dialogue.state is State.BOUND:
            whole = self._quick(dialogue, inbox, self._max_fragment)
            if whole is not None:
                return whole
        header: Header | None = None
        try:
            while (header := inbox.header()) is not None:
                kind, read = self._check(header)
                buffer, at = inbox.buffer, inbox.at
                if len(buffer) - at < header.frag_length:
                    break
                state = TRANSITIONS[dialogue.state].get(kind)
                if state is None:
                    raise PduError(f"no {kind} may come when {dialogue.state}")
                event = read(dialogue, buffer, at, header)
                inbox.at = at + header.frag_length
                if state is not dialogue.state:
                    self._enter(state)
                if event is not None:
                    return event
        except (PduError, Disagreement, Refusal) as error:
            self._fail(error, header)
        if not self._ended or self.state is State.CLOSED:
            return NEED_DATA
        self._enter(State.CLOSED)
        return Closed()

    def send(self, event: Event) -> bytes:
        """Write what the event says, and keep to it.

        Raises:
            LocalProtocolError: this end may not say that here; nothing has changed.
        """
        found = WRITERS.get(type(event))
        if found is None:
            raise LocalProtocolError(f"{type(event).__name__} is not sent")
        kind, write = found
        if kind in _AMBIGUOUS:
            kind = self._kind(kind, event)
        if kind not in self._ours:
            raise LocalProtocolError(f"a {self._role} does not send {kind}")
        dialogue = self._dialogue
        state = TRANSITIONS[dialogue.state].get(kind)
        if state is None:
            raise LocalProtocolError(f"no {kind} may be sent when {dialogue.state}")
        try:
            data = write(dialogue, event)
        except (ValueError, Disagreement, struct.error) as error:
            raise LocalProtocolError(str(error)) from error
        if state is not dialogue.state:
            self._enter(state)
        return data

    def _enter(self, state: State) -> None:
        self._dialogue.enter(state)
        if state is State.CLOSED:
            self._inbox.clear()

    def _kind(self, kind: Kind, event: Any) -> Kind:
        """Tell an alter_context and its answers from what else is of their type."""
        if kind is Kind.FAULT:
            return Kind.ALTER_FAULT if self._dialogue.is_alter(event.call_id) else kind
        if not event.alter:
            return kind
        return Kind.ALTER if kind is Kind.BIND else Kind.ALTER_RESP

    def _check(self, header: Header) -> tuple[Kind, Reader]:
        """Look at what a header alone can be wrong in, before its fragment is waited for."""
        if header.version != pdu.VERSION or header.minor != pdu.MINOR:
            raise PduError(f"version {header.version}.{header.minor} of the protocol is not spoken")
        if header.frag_length < pdu.HEADER_SIZE:
            raise PduError(f"a fragment of {header.frag_length} bytes is shorter than its header")
        found = READERS.get(header.ptype)
        if found is None or found[0] not in self._theirs:
            raise PduError(f"no PDU of type {header.ptype} may come to a {self._role}")
        kind, read = found
        if kind is Kind.REQUEST and header.frag_length > self._max_fragment:
            raise PduError(f"a fragment of {header.frag_length} bytes is too long")
        if kind is Kind.FAULT and self._dialogue.is_alter(header.call_id):
            kind = Kind.ALTER_FAULT
        return kind, read

    def _fail(self, error: Exception, header: Header | None) -> NoReturn:
        status, said = answer(error, header, unbound=self.state is State.ESTABLISHED)
        if self._role is Role.CLIENT or self.state in (State.REFUSED, State.CLOSED):
            status = said = None
        self._enter(State.CLOSED)
        self._broken = str(error), status
        raise RemoteProtocolError(str(error), status=status, answer=said) from error
