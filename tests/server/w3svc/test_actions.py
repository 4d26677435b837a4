"""What a policy asks of its shell."""

from typing import get_args

import msgspec

from vaultstorm_server.w3svc import actions
from vaultstorm_server.w3svc.actions import Action, Kill, Note, Refuse, Start, Stop
from vaultstorm_server.w3svc.worker import Worker


def test_action_is_the_union_of_all_there_are() -> None:
    """A shell that handles each member of the union handles every action."""
    every = {
        kind
        for kind in vars(actions).values()
        if isinstance(kind, type) and kind.__module__ == actions.__name__
    }
    assert set(get_args(Action)) == every
    assert len(every) == 12


def test_actions_are_told_apart_by_type_and_carry_what_they_are_about() -> None:
    """Two actions about one worker are different ones; a note may be about the pool."""
    worker = Worker(1, 0.0)
    assert [type(action) for action in (Start(worker), Stop(worker), Kill(worker))] == [
        Start,
        Stop,
        Kill,
    ]
    assert msgspec.structs.astuple(Note("pool_started")) == ("pool_started", None, None)
    assert Refuse("N/A").reason == "N/A"
