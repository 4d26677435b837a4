"""Objects under a virtual clock: reference counts, ping sets, garbage collection."""

import itertools
from collections.abc import Callable

import pytest

from vaultstorm_server.rpcss.objects import COMPACT_FROM, Object, ObjectTable

CLSID, IID, OTHER = b"c" * 16, b"i" * 16, b"o" * 16
OXID = 77
PERIOD, MISSES = 120.0, 3
LIFETIME = PERIOD * MISSES


def counter() -> Callable[[int], bytes]:
    """Give bytes that differ each time, and are the same in every test."""
    numbers = itertools.count(1)
    return lambda size: next(numbers).to_bytes(size, "little")


def table(limit: int = 100) -> ObjectTable:
    """Make an empty table."""
    return ObjectTable(limit, PERIOD, MISSES, counter())


def made(objects: ObjectTable, now: float = 0.0) -> Object:
    """Make an object with one public reference."""
    found = objects.make(OXID, CLSID, frozenset((IID, OTHER)), now)
    assert found is not None
    objects.query(found, IID, 1)
    return found


@pytest.mark.parametrize("limit", [1, 2, 10])
def test_as_many_objects_are_made_as_may_be(limit: int) -> None:
    """The limit belongs to what is allowed; a release makes room again."""
    objects = table(limit)
    kept = [made(objects) for _ in range(limit)]
    assert objects.make(OXID, CLSID, frozenset((IID,)), 0.0) is None
    objects.release(kept[0].interfaces[0], 1, 0)
    assert objects.make(OXID, CLSID, frozenset((IID,)), 0.0) is not None


def test_an_interface_that_is_asked_for_again_is_the_same() -> None:
    """One object has one IPID for an interface, and its references add up."""
    objects = table()
    one = made(objects)
    first = objects.query(one, IID, 2)
    again = objects.query(one, IID, 5)
    assert first is again is objects.find(one.interfaces[0].ipid)
    assert first is not None
    assert first.public == 1 + 2 + 5


def test_interfaces_are_known_by_ipids_of_their_own() -> None:
    """Two interfaces of one object have two IPIDs."""
    objects = table()
    one = made(objects)
    other = objects.query(one, OTHER, 1)
    assert other is not None
    assert other.ipid != one.interfaces[0].ipid
    assert other.object is one


def test_there_is_no_reference_to_what_an_object_has_not() -> None:
    """Nothing is made for an unknown IID."""
    objects = table()
    assert objects.query(made(objects), b"x" * 16, 1) is None


@pytest.mark.parametrize(("released", "left"), [(0, 3), (2, 1), (3, None), (4, None)])
def test_references_are_taken_back_down_to_none(released: int, left: int | None) -> None:
    """More than there are is the same as all of them, and with the last one the object goes."""
    objects = table()
    interface = made(objects).interfaces[0]
    interface.public = 3
    objects.release(interface, released, 0)
    if left is None:
        assert objects.find(interface.ipid) is None
        assert len(objects) == 0
    else:
        assert interface.public == left
        assert len(objects) == 1


def test_a_private_reference_keeps_an_object() -> None:
    """An interface goes with the last reference of either kind."""
    objects = table()
    interface = made(objects).interfaces[0]
    interface.private = 1
    objects.release(interface, 1, 0)
    assert len(objects) == 1
    objects.release(interface, 0, 1)
    assert len(objects) == 0


def test_an_object_stays_as_long_as_one_of_its_interfaces() -> None:
    """The first interface goes alone, the second takes the object along."""
    objects = table()
    one = made(objects)
    first, second = one.interfaces[0], objects.query(one, OTHER, 1)
    assert second is not None
    objects.release(first, 1, 0)
    assert objects.find(first.ipid) is None
    assert objects.find(second.ipid) is second
    objects.release(second, 1, 0)
    assert len(objects) == 0


def test_what_is_released_twice_is_gone_once() -> None:
    """A second release of an interface that is gone changes nothing."""
    objects = table()
    interface = made(objects).interfaces[0]
    objects.release(interface, 1, 0)
    objects.release(interface, 1, 0)
    assert len(objects) == 0


def test_an_object_that_nobody_pings_goes_after_three_periods() -> None:
    """It lives exactly as long as a ping set without a ping."""
    objects = table()
    interface = made(objects).interfaces[0]
    assert objects.expire(LIFETIME - 0.001) == 0
    assert objects.find(interface.ipid) is interface
    assert objects.expire(LIFETIME) == 1
    assert objects.find(interface.ipid) is None


def test_a_call_within_the_last_period_keeps_an_object() -> None:
    """It is looked at again one period after the call (MS-DCOM 3.1.1.6.2)."""
    objects = table()
    one = made(objects)
    one.used = LIFETIME - 1
    assert objects.expire(LIFETIME) == 0
    assert objects.expire(LIFETIME - 1 + PERIOD - 0.001) == 0
    assert objects.expire(LIFETIME - 1 + PERIOD) == 1


def test_a_call_before_that_does_not() -> None:
    """A call exactly one period ago is none of the last period."""
    objects = table()
    made(objects).used = LIFETIME - PERIOD
    assert objects.expire(LIFETIME) == 1


def test_an_object_in_a_ping_set_does_not_go() -> None:
    """However long it takes, as long as one set has it."""
    objects = table()
    one = made(objects)
    assert objects.enter_set(one.oid)
    assert objects.enter_set(one.oid)
    objects.leave_set(one.oid, 10.0, expired=True)
    assert objects.expire(1e9) == 0


def test_an_object_goes_with_the_last_set_that_expires() -> None:
    """Nobody is known to want it any more."""
    objects = table()
    one = made(objects)
    objects.enter_set(one.oid)
    assert objects.expire(LIFETIME) == 0
    objects.leave_set(one.oid, LIFETIME + 1, expired=True)
    assert objects.expire(LIFETIME + 1) == 1


def test_an_object_that_is_used_outlives_its_set() -> None:
    """A client that calls and does not ping has a period from its last call."""
    objects = table()
    one = made(objects)
    objects.enter_set(one.oid)
    objects.expire(LIFETIME)
    one.used = LIFETIME
    objects.leave_set(one.oid, LIFETIME + 1, expired=True)
    assert objects.expire(LIFETIME + 1) == 0
    assert objects.expire(LIFETIME + PERIOD) == 1


def test_an_object_that_one_client_puts_down_has_a_lifetime_left() -> None:
    """Another who was given it may not have pinged yet."""
    objects = table()
    one = made(objects)
    objects.enter_set(one.oid)
    objects.leave_set(one.oid, 50.0, expired=False)
    assert objects.expire(50 + LIFETIME - 0.001) == 0
    assert objects.expire(50 + LIFETIME) == 1


def test_sets_do_not_get_what_is_not_there() -> None:
    """An unknown OID is told; leaving a set with one that has gone changes nothing."""
    objects = table()
    assert not objects.enter_set(12345)
    objects.leave_set(12345, 0.0, expired=True)


def test_objects_that_are_released_leave_nothing_behind() -> None:
    """However many come and go within a lifetime, what is kept of them stays small."""
    objects = table()
    for _ in range(10_000):
        objects.release(made(objects).interfaces[0], 1, 0)
    assert len(objects._watch) <= COMPACT_FROM + 2


def test_an_object_that_goes_in_and_out_of_a_set_is_watched_once() -> None:
    """A client that changes its mind ten thousand times costs nothing."""
    objects = table()
    one = made(objects)
    for number in range(10_000):
        objects.enter_set(one.oid)
        objects.leave_set(one.oid, float(number), expired=False)
    assert len(objects._watch) == 1
    assert objects.expire(9_999 + LIFETIME - 0.001) == 0
    assert objects.expire(9_999 + LIFETIME) == 1


def test_after_forgetting_nothing_is_known() -> None:
    """The computer has gone down: no object, and none that could still expire."""
    objects = table()
    interface = made(objects).interfaces[0]
    objects.forget()
    assert (len(objects), list(objects)) == (0, [])
    assert objects.find(interface.ipid) is None
    assert objects.expire(1e9) == 0


def test_everything_shows_what_it_is() -> None:
    """The representations tell what a debugger's reader wants to know."""
    objects = table()
    one = made(objects)
    assert repr(objects) == "<ObjectTable: 1 of 100 objects>"
    assert repr(one) == f"<Object {one.oid:#x}: 1 interfaces, in 0 sets>"
    text = "00000002-0000-0000-0000-000000000000"
    assert repr(one.interfaces[0]) == f"<Interface {text}: 1 public, 0 private>"
    assert list(objects) == [one]
