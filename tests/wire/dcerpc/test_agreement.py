"""What binds and their answers settle."""

import pytest

from tests.wire.dcerpc.ends import DEMONSTRATION, RESOLVER, acknowledgement, bind
from vaultstorm_wire.dcerpc.agreement import Agreement, ContextLimit, Disagreement
from vaultstorm_wire.dcerpc.events import Bind, BindAck, Context, ContextAnswer
from vaultstorm_wire.dcerpc.status import ContextResult
from vaultstorm_wire.dcerpc.syntax import NDR, NDR64, Syntax

OK = ContextAnswer(ContextResult.ACCEPT, 0, NDR)
OTHER = Syntax(bytes(range(16)), 1, 0)


def agreed(proposal: Bind, limit: int = 100) -> Agreement:
    """Propose, and answer as a Server 2003."""
    agreement = Agreement(limit)
    agreement.propose(proposal)
    agreement.conclude(acknowledgement(proposal))
    return agreement


def test_accepted_contexts_have_their_interfaces() -> None:
    """A context that was rejected, or never proposed, stands for nothing."""
    agreement = agreed(bind(RESOLVER, OTHER, DEMONSTRATION))
    interfaces = [agreement.interface(n) for n in range(4)]
    assert interfaces == [RESOLVER, None, DEMONSTRATION, None]
    assert (agreement.group, len(agreement), agreement.proposal) == (7, 2, None)


@pytest.mark.parametrize(
    "ours, client, server", [(5840, 4280, 4280), (4280, 4280, 4280), (2048, 2048, 2048)]
)
def test_fragment_sizes_are_what_both_can(ours: int, client: int, server: int) -> None:
    """Each end sends no more than the other reads."""
    proposal = bind(RESOLVER, size=4280)
    agreement = Agreement(1)
    agreement.propose(proposal)
    agreement.conclude(acknowledgement(proposal, ours=ours))
    assert (agreement.client_xmit, agreement.server_xmit) == (client, server)


def test_multiplexing_takes_two() -> None:
    """Both ends have to say that several calls may be on their way."""
    for wish, consent in ((True, True), (True, False), (False, True), (False, False)):
        agreement = Agreement(1)
        agreement.propose(bind(RESOLVER, multiplex=wish))
        agreement.conclude(BindAck(1, (OK,), 1, 5840, 5840, multiplex=consent))
        assert agreement.multiplex is (wish and consent)


def test_an_alter_context_adds_contexts_and_nothing_else() -> None:
    """Group and sizes of an alter_context and its answer mean nothing."""
    agreement = agreed(bind(RESOLVER))
    contexts = (Context(1, DEMONSTRATION, (NDR,)),)
    agreement.propose(Bind(2, contexts, 9, 0, 0, alter=True))
    agreement.conclude(BindAck(2, (OK,), 99, 0, 0, alter=True))
    assert (agreement.group, agreement.client_xmit) == (7, 5840)
    assert [agreement.interface(n) for n in (0, 1)] == [RESOLVER, DEMONSTRATION]


def test_a_context_that_stands_may_be_proposed_again() -> None:
    """For the same interface it is answered again, and rejected it still stands."""
    agreement = agreed(bind(RESOLVER))
    again = Bind(2, (Context(0, RESOLVER, (NDR64,)),), alter=True)
    agreement.propose(again)
    agreement.conclude(acknowledgement(again))
    assert agreement.interface(0) == RESOLVER


@pytest.mark.parametrize(
    "contexts",
    [
        (),
        (Context(0, RESOLVER, ()),),
        (Context(0, DEMONSTRATION, (NDR,)),),
        (Context(1, DEMONSTRATION, (NDR,)), Context(0, DEMONSTRATION, (NDR,))),
    ],
)
def test_a_proposal_that_must_not_be_made(contexts: tuple[Context, ...]) -> None:
    """Nothing at all, no transfer syntax, or another interface for a context that stands."""
    agreement = agreed(bind(RESOLVER))
    with pytest.raises(Disagreement):
        agreement.propose(Bind(2, contexts, alter=True))
    assert agreement.proposal is None


@pytest.mark.parametrize("count, fits", [(0, True), (1, True), (3, True), (4, False)])
def test_so_many_contexts_and_no_more(count: int, fits: bool) -> None:
    """Contexts are counted over all binds; one that is proposed again is not counted again."""
    agreement = agreed(bind(RESOLVER), limit=4)
    new = tuple(Context(n, RESOLVER, (NDR,)) for n in range(count + 1))
    if fits:
        agreement.propose(Bind(2, new, alter=True))
    else:
        with pytest.raises(ContextLimit):
            agreement.propose(Bind(2, new, alter=True))


@pytest.mark.parametrize(
    "ack",
    [
        BindAck(2, (OK,), 1, 5840, 5840),
        BindAck(1, (), 1, 5840, 5840),
        BindAck(1, (OK, OK), 1, 5840, 5840),
        BindAck(1, (ContextAnswer(ContextResult.ACCEPT, 0, NDR64),), 1, 5840, 5840),
        BindAck(1, (OK,), 1, 1431, 5840),
        BindAck(1, (OK,), 1, 5840, 1431),
    ],
)
def test_an_answer_to_something_else(ack: BindAck) -> None:
    """Another bind's answer, a wrong number of them, or more than was proposed is refused."""
    agreement = Agreement(4)
    agreement.propose(bind(RESOLVER))
    with pytest.raises(Disagreement):
        agreement.conclude(ack)
    assert agreement.interface(0) is None


def test_nothing_is_answered_twice() -> None:
    """An answer concludes a proposal, and a refusal ends it."""
    agreement = agreed(bind(RESOLVER))
    with pytest.raises(Disagreement):
        agreement.conclude(BindAck(1, (OK,), 1, 5840, 5840))
    agreement.propose(bind(RESOLVER))
    agreement.refuse()
    assert agreement.proposal is None
