"""Events as values."""

import pytest

from vaultstorm_wire.dcerpc.events import Bind, Cancel, Orphaned, Request


def test_events_of_different_types_are_never_equal() -> None:
    """A cancel is no orphaned, though both say nothing but a call's id."""
    assert Cancel(1) == Cancel(1)
    assert len({Cancel(1), Cancel(1), Orphaned(1)}) == 2


def test_an_event_does_not_change() -> None:
    """What was received stays what it was."""
    with pytest.raises(AttributeError):
        Cancel(1).call_id = 2  # type: ignore[misc]


def test_defaults_are_the_plain_case() -> None:
    """A bind is unauthenticated and of 5840 bytes, a request little-endian and for no object."""
    bind = Bind(1, ())
    assert (bind.max_xmit, bind.max_recv, bind.group, bind.auth) == (5840, 5840, 0, None)
    request = Request(1, 0, 3, b"")
    assert (request.object, request.little) == (None, True)
