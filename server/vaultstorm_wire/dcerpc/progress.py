"""The calls of one connection: which are on their way, and which are being put together."""

from typing import Final

from vaultstorm_wire.dcerpc.calls import CallPart
from vaultstorm_wire.dcerpc.events import Fault, Request, Response
from vaultstorm_wire.dcerpc.fragments import (
    Assembler,
    Budget,
    BudgetExceeded,
    Head,
    StubTooLarge,
    TooManyCalls,
)
from vaultstorm_wire.dcerpc.pdu import FIRST, LAST, PENDING_CANCEL, Header, PduError
from vaultstorm_wire.dcerpc.refusal import Refusal, proto_error
from vaultstorm_wire.dcerpc.status import (
    ERROR_ACCESS_DENIED,
    NCA_S_FAULT_REMOTE_NO_MEMORY,
    NCA_SERVER_TOO_BUSY,
    RPC_S_NO_CALL_ACTIVE,
)

STALE_MAX: Final = 150
"""A fragment of a call that is over is ignored if the call is less than this many behind the
newest one (MS-RPCE 3.3.3.5.7): the client sent it before it saw our fault."""


class Progress:
    """The same at both ends: a call is open from its request to its last answer.

    Attributes:
        open: the context of each open call, by the call's id.
    """

    __slots__ = ("_assembler", "_max_stub", "_newest", "open")

    def __init__(self, max_stub: int, max_assembling: int, budget: Budget | None = None) -> None:
        self.open: dict[int, int] = {}
        self._max_stub = max_stub
        self._assembler = Assembler(max_stub, max_assembling, budget)
        self._newest = 0

    @property
    def held(self) -> int:
        """Bytes of stubs that are not whole yet."""
        return self._assembler.held

    def request(self, header: Header, part: CallPart, multiplex: bool) -> Request | None:
        """Take a fragment of a request; give the request if it is whole.

        Raises:
            Refusal: the protocol, or a limit, forbids it.
        """
        flags, call_id = header.flags, header.call_id
        if flags & FIRST:
            self._check_first(header, part, multiplex)
            if flags & LAST:
                self.open[call_id] = part.context_id
                return Request(
                    call_id, part.context_id, part.opnum, part.stub, part.object, header.little
                )
        elif call_id not in self._assembler:
            if 0 < self._newest - call_id < STALE_MAX:
                return None
            raise proto_error(f"call {call_id} has no beginning", call_id, part.context_id)
        head = self._put(header, part)
        if head is None:
            return None
        whole, stub = head
        self.open[call_id] = whole.context_id
        return Request(call_id, whole.context_id, whole.opnum, stub, whole.object, whole.little)

    def _check_first(self, header: Header, part: CallPart, multiplex: bool) -> None:
        call_id, context_id = header.call_id, part.context_id
        if call_id in self.open or call_id in self._assembler:
            raise proto_error(f"call {call_id} begins twice", call_id, context_id)
        if len(self._assembler) and not multiplex:
            # The fault goes to the call that stays without its end.
            first, head = self._assembler.oldest()
            raise proto_error(f"call {call_id} begins within {first}", first, head.context_id)
        if header.flags & PENDING_CANCEL:
            said = Fault(call_id, context_id, RPC_S_NO_CALL_ACTIVE, did_not_execute=True)
            raise Refusal(f"call {call_id} is cancelled before it begins", said)
        hint = len(part.stub) if header.flags & LAST else max(part.hint, len(part.stub))
        if hint > self._max_stub:
            raise self._too_large(call_id, context_id)
        self._newest = max(self._newest, call_id)

    def _too_large(self, call_id: int, context_id: int) -> Refusal:
        # A Server 2003 denies access (MS-RPCE 3.3.3.5.3, note 124).
        said = Fault(call_id, context_id, ERROR_ACCESS_DENIED, did_not_execute=False)
        return Refusal(f"call {call_id} has more than {self._max_stub} bytes of stub", said)

    def _put(self, header: Header, part: CallPart) -> tuple[Head, bytes] | None:
        """Put a fragment to its call; give the call away if it is whole."""
        call_id = header.call_id
        head = Head(part.context_id, part.opnum, part.object, header.little)
        try:
            if header.flags & FIRST:
                self._assembler.begin(call_id, head, part.stub)
            elif not self._assembler.head(call_id).agrees(head):
                raise proto_error(f"call {call_id} changes its mind", call_id, part.context_id)
            else:
                self._assembler.add(call_id, part.stub)
        except StubTooLarge:
            raise self._too_large(call_id, part.context_id) from None
        except TooManyCalls:
            said = Fault(call_id, part.context_id, NCA_SERVER_TOO_BUSY, did_not_execute=True)
            raise Refusal("too many calls have begun and not ended", said) from None
        except BudgetExceeded:
            said = Fault(call_id, part.context_id, NCA_S_FAULT_REMOTE_NO_MEMORY, True)
            raise Refusal("unfinished calls hold all the memory there is for them", said) from None
        return self._assembler.end(call_id) if header.flags & LAST else None

    def response(self, header: Header, part: CallPart, multiplex: bool) -> Response | None:
        """Take a fragment of a response; give the response, and close its call, if it is whole.

        Raises:
            PduError: it belongs to no call, or not there.
            Refusal: the protocol, or a limit, forbids it.
        """
        flags, call_id = header.flags, header.call_id
        if call_id not in self.open:
            raise PduError(f"an answer to call {call_id}, which nobody made")
        begun = call_id in self._assembler
        if bool(flags & FIRST) is begun:
            raise PduError(
                f"the answer to call {call_id} {'begins twice' if begun else 'has no beginning'}"
            )
        if flags & FIRST and len(self._assembler) and not multiplex:
            raise PduError(f"the answer to call {call_id} begins within another")
        if flags & FIRST and flags & LAST and len(part.stub) <= self._max_stub:
            del self.open[call_id]
            return Response(call_id, part.context_id, part.stub, header.little)
        put = self._put(header, part)
        if put is None:
            return None
        del self.open[call_id]
        return Response(call_id, put[0].context_id, put[1], put[0].little)

    def admit(self, call_id: int, context_id: int, size: int) -> bool:
        """Open a call whose request is whole, if nothing at all speaks against it."""
        if call_id in self.open or len(self._assembler) or size > self._max_stub:
            return False
        self.open[call_id] = context_id
        if call_id > self._newest:
            self._newest = call_id
        return True

    def settle(self, call_id: int, size: int) -> bool:
        """End a call whose response is whole, if nothing at all speaks against it."""
        if call_id not in self.open or len(self._assembler) or size > self._max_stub:
            return False
        del self.open[call_id]
        return True

    def close(self, call_id: int) -> None:
        """End a call that is open.

        Raises:
            KeyError: it is not.
        """
        del self.open[call_id]
        self._assembler.drop(call_id)

    def knows(self, call_id: int) -> bool:
        """Tell whether the call has begun and not ended."""
        return call_id in self.open or call_id in self._assembler

    def clear(self) -> None:
        """End every call."""
        self.open.clear()
        self._assembler.clear()
