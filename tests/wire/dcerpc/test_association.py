"""Association groups."""

import pytest

from vaultstorm_wire.dcerpc.association import Groups


def test_a_new_group_has_a_number_of_its_own() -> None:
    """0 asks for a new group, and is never one."""
    groups = Groups()
    numbers = [groups.join(0, "127.0.0.1") for _ in range(3)]
    assert None not in numbers
    assert 0 not in numbers
    assert len(set(numbers)) == len(groups) == 3


def test_the_same_machine_joins() -> None:
    """A further connection from the machine that made the group gets the same group."""
    groups = Groups()
    group = groups.join(0, "127.0.0.1")
    assert group is not None
    assert groups.join(group, "127.0.0.1") == group
    assert len(groups) == 1


def test_another_machine_does_not_join() -> None:
    """MS-RPCE lets nobody into an association but the client that made it."""
    groups = Groups()
    group = groups.join(0, "127.0.0.1")
    assert group is not None
    assert groups.join(group, "127.0.0.2") is None


@pytest.mark.parametrize("group", [1, 7, 0xFFFFFFFF])
def test_a_group_that_is_not_there_cannot_be_joined(group: int) -> None:
    """A number that was never given, or is gone, is nobody's group."""
    assert Groups().join(group, "127.0.0.1") is None


def test_the_last_connection_takes_the_group_with_it() -> None:
    """A group is gone with its last connection, not before, and its number is not taken again."""
    groups = Groups()
    group = groups.join(0, "127.0.0.1")
    assert group is not None
    groups.join(group, "127.0.0.1")
    assert groups.leave(group) is False
    assert groups.leave(group) is True
    assert groups.join(group, "127.0.0.1") is None
    assert groups.join(0, "127.0.0.1") != group
    assert repr(groups) == "<Groups 1>"


def test_who_is_not_in_a_group_cannot_leave_it() -> None:
    """Leaving a group that is not there is a mistake of the caller's."""
    with pytest.raises(KeyError):
        Groups().leave(1)
