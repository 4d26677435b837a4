"""When SynAttackProtect begins to act, and when it ends."""

import pytest

from vaultstorm_server.afd.protection import Protection


@pytest.mark.parametrize("limit", [1, 2, 5, 65535])
def test_it_acts_from_the_limit_on(limit: int) -> None:
    """One below it does not, the one that reaches it is said, and no later one."""
    protection = Protection(limit)
    steps = [(count, protection.refuse(count), protection.acting) for count in (0, limit - 1, 1, 1)]
    assert steps == [
        (0, False, False),
        (limit - 1, False, False),
        (1, True, True),
        (1, False, True),
    ]
    assert protection.refused == limit + 1


def test_many_at_once_can_pass_the_limit() -> None:
    """It is reached by them, too."""
    protection = Protection(5)
    assert protection.refuse(90)
    assert protection.refused == 90


def test_with_a_limit_of_none_it_always_acts() -> None:
    """Nothing makes it begin, and an empty queue does not end it."""
    protection = Protection(0)
    assert protection.acting
    assert not protection.refuse(1)
    assert not protection.emptied()
    assert protection.acting


def test_an_empty_queue_begins_the_count_again() -> None:
    """Also where it had not come to act, which is not said."""
    protection = Protection(2)
    protection.refuse(1)
    assert not protection.emptied()
    assert not protection.refuse(1)
    assert protection.refuse(1)
    assert protection.emptied()
    assert (protection.acting, protection.refused) == (False, 0)
    assert not protection.emptied()


def test_it_can_be_made_to_act() -> None:
    """Whatever was counted."""
    protection = Protection(5)
    assert protection.act()
    assert (protection.acting, protection.refused) == (True, 0)
