"""Cutting and putting together."""

import pytest

from vaultstorm_wire.dcerpc.fragments import (
    Assembler,
    Budget,
    BudgetExceeded,
    Head,
    StubTooLarge,
    TooManyCalls,
    cut,
)

HEAD = Head(0, 3, None, True)


@pytest.mark.parametrize("room", [8, 9, 15, 16, 1408, 5816])
@pytest.mark.parametrize("more", [-1, 0, 1])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_parts_are_the_stub(room: int, more: int, times: int) -> None:
    """Parts are full, a multiple of 8, and only the last is shorter; together they are the stub."""
    step = room // 8 * 8
    stub = bytes(n % 251 for n in range(step * times + more))
    parts = [bytes(part) for part in cut(stub, room)]
    assert b"".join(parts) == stub
    assert all(len(part) == step for part in parts[:-1])
    assert 0 < len(parts[-1]) <= step


def test_an_empty_stub_is_one_part() -> None:
    """A call without a stub still is a fragment."""
    assert [bytes(part) for part in cut(b"", 8)] == [b""]


@pytest.mark.parametrize("room", [-1, 0, 7])
def test_no_room_for_a_part(room: int) -> None:
    """Below 8 bytes nothing can be cut."""
    with pytest.raises(ValueError, match="no room"):
        list(cut(b"stub", room))


def test_calls_are_put_together_side_by_side() -> None:
    """Fragments of two calls may be mixed; each call gets its own."""
    assembler = Assembler(100, 2)
    assembler.begin(1, HEAD, b"a")
    assembler.begin(2, HEAD, b"x")
    assembler.add(1, b"b")
    assembler.add(2, b"y")
    assert assembler.oldest() == (1, HEAD)
    assert assembler.held == 4
    assert assembler.end(2) == (HEAD, b"xy")
    assert assembler.end(1) == (HEAD, b"ab")
    assert (len(assembler), assembler.held) == (0, 0)


@pytest.mark.parametrize("size", [0, 9, 10])
def test_a_stub_may_be_as_long_as_the_limit(size: int) -> None:
    """Up to the limit, in whatever fragments, a stub is taken."""
    assembler = Assembler(10, 1)
    assembler.begin(1, HEAD, b"")
    for _ in range(size):
        assembler.add(1, b"x")
    assert assembler.end(1)[1] == b"x" * size


def test_the_byte_beyond_the_limit_is_not_taken() -> None:
    """The stub's limit is one for all calls together, and nothing beyond it is held."""
    assembler = Assembler(10, 2)
    assembler.begin(1, HEAD, b"12345678")
    with pytest.raises(StubTooLarge):
        assembler.begin(2, HEAD, b"123")
    assembler.begin(2, HEAD, b"12")
    with pytest.raises(StubTooLarge):
        assembler.add(1, b"9")
    assert assembler.held == 10
    assembler.drop(2)
    assembler.add(1, b"90")
    assert assembler.held == 10


def test_a_budget_is_shared() -> None:
    """What one connection holds another cannot, until it is ended, dropped or cleared."""
    budget = Budget(10)
    first, second = Assembler(10, 3, budget), Assembler(10, 3, budget)
    for call_id in (1, 2, 3):
        first.begin(call_id, HEAD, b"12")
    second.begin(1, HEAD, b"1234")
    with pytest.raises(BudgetExceeded):
        second.add(1, b"5")
    with pytest.raises(BudgetExceeded):
        second.begin(2, HEAD, b"5")
    assert (budget.held, first.held, second.held, len(second)) == (10, 6, 4, 1)
    assert first.end(1) == (HEAD, b"12")
    first.drop(2)
    second.add(1, b"5678")
    first.clear()
    assert (budget.held, first.held, second.held) == (8, 0, 8)


def test_so_many_calls_and_no_more() -> None:
    """Another call may begin when one has ended."""
    assembler = Assembler(10, 2)
    assembler.begin(1, HEAD, b"")
    assembler.begin(2, HEAD, b"")
    with pytest.raises(TooManyCalls):
        assembler.begin(3, HEAD, b"")
    assembler.end(1)
    assembler.begin(3, HEAD, b"")
    assert 3 in assembler
    assembler.clear()
    assert len(assembler) == 0


def test_what_has_not_begun_is_not_there() -> None:
    """Adding to or ending such a call is a missing key; dropping it is nothing."""
    assembler = Assembler(10, 2)
    for act in (lambda: assembler.add(1, b""), lambda: assembler.end(1), lambda: assembler.head(1)):
        with pytest.raises(KeyError):
            act()
    assembler.drop(1)


@pytest.mark.parametrize(
    "other, agrees",
    [
        (HEAD, True),
        (HEAD._replace(context_id=1), False),
        (HEAD._replace(opnum=4), False),
        (HEAD._replace(little=False), False),
        (HEAD._replace(object=bytes(16)), False),
    ],
)
def test_fragments_agree_with_the_first(other: Head, agrees: bool) -> None:
    """Context, opnum, byte order and object are those of the first fragment."""
    assert HEAD.agrees(other) is agrees


def test_a_further_fragment_need_not_repeat_the_object() -> None:
    """Some senders name the object in the first fragment only."""
    assert HEAD._replace(object=bytes(16)).agrees(HEAD)
