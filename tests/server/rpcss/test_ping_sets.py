"""Ping sets under a virtual clock: 2 minutes, 3 misses."""

import itertools

import pytest

from vaultstorm_server.rpcss.objects import ObjectTable
from vaultstorm_server.rpcss.ping_sets import (
    ERROR_OUTOFMEMORY,
    ERROR_SUCCESS,
    OR_INVALID_OID,
    OR_INVALID_SET,
    Pinged,
    PingSets,
)

IID = b"i" * 16
PERIOD, MISSES = 120.0, 3
LIFETIME = PERIOD * MISSES


class World:
    """Objects and ping sets with a clock that the test moves."""

    def __init__(self, limit: int = 1000) -> None:
        numbers = itertools.count(1)
        self.objects = ObjectTable(
            1000, PERIOD, MISSES, lambda size: next(numbers).to_bytes(size, "little")
        )
        self.pings = PingSets(self.objects, PERIOD, MISSES, limit)
        self.now = 0.0

    def object(self) -> int:
        """Make an object that clients refer to; give its OID."""
        made = self.objects.make(1, b"c" * 16, frozenset((IID,)), self.now)
        assert made is not None
        self.objects.query(made, IID, 1)
        return made.oid

    def complex(
        self, setid: int, sequence: int, add: list[int], delete: list[int] | None = None
    ) -> Pinged:
        """Send a ComplexPing."""
        return self.pings.complex_ping(setid, sequence, add, delete or [], self.now)

    def simple(self, setid: int) -> int:
        """Send a SimplePing."""
        return self.pings.simple_ping(setid, self.now)

    def expire(self) -> int:
        """Do what is due; give the objects that are left."""
        self.pings.expire(self.now)
        self.objects.expire(self.now)
        return len(self.objects)


def test_a_set_that_is_pinged_every_period_lives() -> None:
    """And so does what is in it."""
    world = World()
    setid, status = world.complex(0, 1, [world.object()])
    assert status == ERROR_SUCCESS
    for _ in range(20):
        world.now += PERIOD
        assert world.simple(setid) == ERROR_SUCCESS
        assert world.expire() == 1


def test_two_misses_are_forgiven() -> None:
    """A ping just before the end of the third period saves the set."""
    world = World()
    setid, _ = world.complex(0, 1, [world.object()])
    world.now = LIFETIME - 0.001
    assert world.simple(setid) == ERROR_SUCCESS
    world.now += LIFETIME - 0.001
    assert world.expire() == 1


def test_three_misses_are_not() -> None:
    """The set is unknown from then on, and its objects are gone."""
    world = World()
    setid, _ = world.complex(0, 1, [world.object(), world.object()])
    world.now = LIFETIME
    assert world.simple(setid) == OR_INVALID_SET
    assert world.expire() == 0
    assert len(world.pings) == 0


def test_an_object_in_two_sets_goes_with_the_second() -> None:
    """One client's death does not take what another still wants."""
    world = World()
    oid = world.object()
    dead, _ = world.complex(0, 1, [oid])
    alive, _ = world.complex(0, 1, [oid])
    world.now = LIFETIME - 1
    world.simple(alive)
    world.now = LIFETIME
    assert world.expire() == 1
    assert world.simple(dead) == OR_INVALID_SET
    world.now = 2 * LIFETIME
    assert world.expire() == 0


def test_a_new_set_has_a_new_number() -> None:
    """SETID 0 asks for one; none is given twice, and 0 never."""
    world = World()
    numbers = [world.complex(0, 1, []).setid for _ in range(3)]
    assert len(set(numbers)) == 3
    assert 0 not in numbers


def test_an_unknown_set_can_neither_be_pinged_nor_changed() -> None:
    """Both are told OR_INVALID_SET, and nothing is made."""
    world = World()
    assert world.simple(5) == OR_INVALID_SET
    assert world.complex(5, 1, [world.object()]) == Pinged(5, OR_INVALID_SET)
    assert len(world.pings) == 0


def test_an_unknown_object_is_told_and_the_others_are_put_in() -> None:
    """OR_INVALID_OID takes nothing away from those that are known."""
    world = World()
    oid = world.object()
    setid, status = world.complex(0, 1, [999, oid])
    assert (setid != 0, status) == (True, OR_INVALID_OID)
    world.now = PERIOD
    world.simple(setid)
    world.now = LIFETIME
    assert world.expire() == 1


def test_what_is_taken_out_is_not_kept() -> None:
    """The other objects of the set are."""
    world = World()
    first, second = world.object(), world.object()
    setid, _ = world.complex(0, 1, [first, second])
    assert world.complex(setid, 2, [], [first]) == Pinged(setid, ERROR_SUCCESS)
    for _ in range(4):
        world.now += PERIOD
        world.simple(setid)
    assert world.expire() == 1


def test_taking_out_what_is_not_in_changes_nothing() -> None:
    """Neither an unknown object nor one of another set."""
    world = World()
    oid = world.object()
    world.complex(0, 1, [oid])
    setid, _ = world.complex(0, 1, [])
    assert world.complex(setid, 2, [], [oid, 999]).status == ERROR_SUCCESS
    assert [each.sets for each in world.objects] == [1]


@pytest.mark.parametrize(
    ("sequence", "changes"),
    [(99, False), (100, True), (101, True), (100 + 0x7FFF, True), (100 + 0x8000, False)],
)
def test_an_overtaken_change_is_a_success_without_effect(sequence: int, changes: bool) -> None:
    """Older numbers change nothing; the same number repeats a call, which does no harm."""
    world = World()
    setid, _ = world.complex(0, 100, [])
    assert world.complex(setid, sequence, [world.object()]) == Pinged(setid, ERROR_SUCCESS)
    assert [each.sets for each in world.objects] == [int(changes)]


def test_the_sequence_number_wraps() -> None:
    """0 comes after 65535."""
    world = World()
    setid, _ = world.complex(0, 0xFFFF, [])
    world.complex(setid, 0, [world.object()])
    assert [each.sets for each in world.objects] == [1]


def test_putting_in_twice_is_putting_in_once() -> None:
    """The object is in one set, and leaves it whole."""
    world = World()
    oid = world.object()
    setid, _ = world.complex(0, 1, [oid, oid])
    world.complex(setid, 2, [oid])
    assert [each.sets for each in world.objects] == [1]
    world.complex(setid, 3, [], [oid])
    assert [each.sets for each in world.objects] == [0]


def test_sets_and_what_is_in_them_are_bounded() -> None:
    """With a limit of 3: a set of two objects fits, a third object and a second set do not."""
    world = World(3)
    setid, status = world.complex(0, 1, [world.object(), world.object()])
    assert status == ERROR_SUCCESS
    assert world.complex(setid, 2, [world.object()]).status == ERROR_OUTOFMEMORY
    assert world.complex(0, 1, []) == Pinged(0, ERROR_OUTOFMEMORY)
    world.now = LIFETIME
    world.expire()
    assert world.complex(0, 1, [world.object(), world.object()]).status == ERROR_SUCCESS


def test_after_forgetting_no_set_is_known() -> None:
    """The computer has gone down."""
    world = World(1)
    setid, _ = world.complex(0, 1, [])
    world.pings.forget()
    assert world.simple(setid) == OR_INVALID_SET
    assert world.complex(0, 1, []).status == ERROR_SUCCESS


def test_it_shows_what_it_holds() -> None:
    """The representation tells what a debugger's reader wants to know."""
    world = World()
    world.complex(0, 1, [world.object()])
    assert repr(world.pings) == "<PingSets: 1, 2 of 1000 entries>"
