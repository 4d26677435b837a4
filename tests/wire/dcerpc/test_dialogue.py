"""Where a connection stands."""

import pytest

from tests.wire.dcerpc.ends import RESOLVER, acknowledgement, bind
from vaultstorm_wire.dcerpc.dialogue import Dialogue
from vaultstorm_wire.dcerpc.events import Bind
from vaultstorm_wire.dcerpc.states import State


def altering(alter_id: int) -> Dialogue:
    """Give a dialogue whose alter_context waits for its answer."""
    dialogue = Dialogue(100, 100, 4)
    proposal = bind(RESOLVER)
    dialogue.agreement.propose(proposal)
    dialogue.agreement.conclude(acknowledgement(proposal))
    dialogue.agreement.propose(Bind(alter_id, proposal.contexts, alter=True))
    dialogue.enter(State.ALTERING)
    return dialogue


def test_it_begins_with_nothing() -> None:
    """A new connection is established, and no more."""
    dialogue = Dialogue(100, 100, 4)
    assert (dialogue.state, len(dialogue.agreement), dialogue.progress.open) == (
        State.ESTABLISHED,
        0,
        {},
    )


@pytest.mark.parametrize("call_id, expected", [(5, True), (4, False)])
def test_a_fault_to_an_alter_context_is_told_by_its_id(call_id: int, expected: bool) -> None:
    """The id of the alter_context that waits is what tells."""
    assert altering(5).is_alter(call_id) is expected


def test_a_call_of_the_same_id_comes_first() -> None:
    """Where a call has the id too, the fault is the call's."""
    dialogue = altering(5)
    dialogue.progress.open[5] = 0
    assert not dialogue.is_alter(5)


def test_only_while_it_waits() -> None:
    """Before and after there is no alter_context to refuse."""
    dialogue = altering(5)
    dialogue.agreement.refuse()
    assert not dialogue.is_alter(5)
    dialogue = altering(5)
    dialogue.enter(State.BOUND)
    assert not dialogue.is_alter(5)


def test_a_closed_connection_has_no_calls() -> None:
    """With the connection its calls are gone."""
    dialogue = altering(5)
    dialogue.progress.open[6] = 0
    dialogue.enter(State.ALTERING)
    assert dialogue.progress.open
    dialogue.enter(State.CLOSED)
    assert not dialogue.progress.open
