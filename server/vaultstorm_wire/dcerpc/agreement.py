"""What the two ends have agreed on by binds and their answers: the same rules at both ends."""

from vaultstorm_wire.dcerpc.events import Bind, BindAck, Context
from vaultstorm_wire.dcerpc.pdu import MUST_RECV
from vaultstorm_wire.dcerpc.status import ContextResult
from vaultstorm_wire.dcerpc.syntax import Syntax


class Disagreement(Exception):
    """A proposal, or the answer to one, that must not be made."""


class ContextLimit(Disagreement):
    """A proposal of more contexts than the connection may have."""


class Agreement:
    """The contexts of one connection, and what its first bind settled.

    Attributes:
        proposal: the bind that waits for its answer.
        group: the association group; 0 before the first answer.
        client_xmit: the largest fragment that the client may send; likewise `server_xmit`.
        multiplex: several calls may be on their way at once.
        authenticated: the first bind asked for authentication.
    """

    __slots__ = (
        "_contexts",
        "_max_contexts",
        "authenticated",
        "client_xmit",
        "group",
        "multiplex",
        "proposal",
        "server_xmit",
    )

    def __init__(self, max_contexts: int) -> None:
        self._max_contexts = max_contexts
        self._contexts: dict[int, Syntax] = {}
        self.proposal: Bind | None = None
        self.group = 0
        self.client_xmit = MUST_RECV
        self.server_xmit = MUST_RECV
        self.multiplex = False
        self.authenticated = False

    def __len__(self) -> int:
        return len(self._contexts)

    def interface(self, context_id: int) -> Syntax | None:
        """Give the interface that an accepted context is for."""
        return self._contexts.get(context_id)

    def propose(self, bind: Bind) -> None:
        """Take a proposal that the connection's state allows.

        Raises:
            ContextLimit: with it there would be too many contexts.
            Disagreement: it proposes nothing, or something else for a context that stands.
        """
        if not bind.contexts:
            raise Disagreement("a bind without contexts")
        new = set()
        for context in bind.contexts:
            self._check(context)
            if context.id not in self._contexts:
                new.add(context.id)
        if len(self._contexts) + len(new) > self._max_contexts:
            raise ContextLimit(f"more than {self._max_contexts} contexts")
        self.proposal = bind

    def _check(self, context: Context) -> None:
        if not context.transfers:
            raise Disagreement(f"context {context.id} without a transfer syntax")
        if self._contexts.get(context.id, context.abstract) != context.abstract:
            raise Disagreement(f"context {context.id} is for another interface")

    def conclude(self, ack: BindAck) -> None:
        """Take the answer to the proposal.

        Raises:
            Disagreement: it is the answer to another one, or accepts what was not proposed.
        """
        bind = self.proposal
        if bind is None or ack.call_id != bind.call_id:
            raise Disagreement(f"an answer to bind {ack.call_id}, which nobody sent")
        if len(ack.answers) != len(bind.contexts):
            raise Disagreement(f"{len(ack.answers)} answers to {len(bind.contexts)} contexts")
        accepted = {}
        for context, answer in zip(bind.contexts, ack.answers, strict=True):
            if answer.result is ContextResult.ACCEPT:
                if answer.transfer not in context.transfers:
                    raise Disagreement(f"{answer.transfer} was not proposed")
                accepted[context.id] = context.abstract
        # Of an alter_context, group and sizes mean nothing (MS-RPCE 2.2.2.6, .7).
        if not bind.alter:
            if min(ack.max_xmit, ack.max_recv) < MUST_RECV:
                raise Disagreement(f"fragments of less than {MUST_RECV} bytes")
            self.group = ack.group
            self.client_xmit = max(min(bind.max_xmit, ack.max_recv), MUST_RECV)
            self.server_xmit = ack.max_xmit
            self.multiplex = bind.multiplex and ack.multiplex
            self.authenticated = bind.auth is not None
        self._contexts.update(accepted)
        self.proposal = None

    def refuse(self) -> None:
        """Take a refusal of the whole proposal."""
        self.proposal = None
