"""The tables of states: every transition there is, and that there are no others."""

import pytest

from vaultstorm_wire.dcerpc.states import SENDS, TRANSITIONS, Kind, Role, State

LEGAL = {
    (State.ESTABLISHED, Kind.BIND, State.BINDING),
    (State.ESTABLISHED, Kind.CLOSE, State.CLOSED),
    (State.BINDING, Kind.BIND_ACK, State.BOUND),
    (State.BINDING, Kind.BIND_NAK, State.REFUSED),
    (State.BINDING, Kind.CLOSE, State.CLOSED),
    (State.BOUND, Kind.ALTER, State.ALTERING),
    (State.BOUND, Kind.AUTH3, State.BOUND),
    (State.BOUND, Kind.REQUEST, State.BOUND),
    (State.BOUND, Kind.RESPONSE, State.BOUND),
    (State.BOUND, Kind.FAULT, State.BOUND),
    (State.BOUND, Kind.CANCEL, State.BOUND),
    (State.BOUND, Kind.SHUTDOWN, State.BOUND),
    (State.BOUND, Kind.ORPHANED, State.CLOSED),
    (State.BOUND, Kind.CLOSE, State.CLOSED),
    (State.ALTERING, Kind.ALTER_RESP, State.BOUND),
    (State.ALTERING, Kind.ALTER_FAULT, State.BOUND),
    (State.ALTERING, Kind.BIND_NAK, State.REFUSED),
    (State.ALTERING, Kind.REQUEST, State.ALTERING),
    (State.ALTERING, Kind.RESPONSE, State.ALTERING),
    (State.ALTERING, Kind.FAULT, State.ALTERING),
    (State.ALTERING, Kind.CANCEL, State.ALTERING),
    (State.ALTERING, Kind.SHUTDOWN, State.ALTERING),
    (State.ALTERING, Kind.ORPHANED, State.CLOSED),
    (State.ALTERING, Kind.CLOSE, State.CLOSED),
    (State.REFUSED, Kind.CLOSE, State.CLOSED),
    (State.CLOSED, Kind.CLOSE, State.CLOSED),
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("kind", Kind)
def test_a_transition_is_legal_or_a_missing_key(state: State, kind: Kind) -> None:
    """Each PDU in each state leads where the protocol says, or nowhere."""
    expected = [after for before, sent, after in LEGAL if (before, sent) == (state, kind)]
    assert list(filter(None, [TRANSITIONS[state].get(kind)])) == expected


def test_every_kind_has_its_sender() -> None:
    """Both ends may close; everything else is one end's alone."""
    client, server = SENDS[Role.CLIENT], SENDS[Role.SERVER]
    assert client | server == set(Kind)
    assert client & server == {Kind.CLOSE}


def test_every_state_is_reached() -> None:
    """No state is there for nothing."""
    assert {after for row in TRANSITIONS.values() for after in row.values()} == (
        set(State) - {State.ESTABLISHED}
    )
