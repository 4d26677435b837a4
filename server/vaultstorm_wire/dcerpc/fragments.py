"""Calls longer than a fragment: cut when sent, put together when read, within bounds."""

from collections.abc import Iterator
from typing import Final, NamedTuple

ALIGNMENT: Final = 8
"""A stub is cut at multiples of the widest NDR type, so that every fragment begins aligned."""


def cut(stub: bytes, room: int) -> Iterator[memoryview]:
    """Cut a stub into parts of at most `room` bytes, none of them copied; an empty one is a part.

    Raises:
        ValueError: there is no room for the smallest part.
    """
    step = room - room % ALIGNMENT
    if step <= 0:
        raise ValueError(f"{room} bytes are no room for a part of a stub")
    view = memoryview(stub)
    for at in range(0, len(stub) or 1, step):
        yield view[at : at + step]


class StubTooLarge(Exception):
    """The fragments so far hold more than a stub may."""


class TooManyCalls(Exception):
    """More calls are put together at once than may be."""


class BudgetExceeded(Exception):
    """All connections together hold as much as they may."""


class Budget:
    """What the unfinished stubs of many connections may hold together.

    Attributes:
        held: bytes at present.
    """

    __slots__ = ("_limit", "held")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.held = 0

    def take(self, size: int) -> None:
        """Count bytes that are about to be held.

        Raises:
            BudgetExceeded: they are too many; none is counted.
        """
        if self.held + size > self._limit:
            raise BudgetExceeded
        self.held += size

    def give_back(self, size: int) -> None:
        """Count bytes that are no more held."""
        self.held -= size


class Head(NamedTuple):
    """What the first fragment says of the whole call; `object` is None of an answer."""

    context_id: int
    opnum: int
    object: bytes | None
    little: bool

    def agrees(self, other: "Head") -> bool:
        """Tell whether a further fragment may belong to the call; it need not name the object."""
        return (
            self.context_id == other.context_id
            and self.opnum == other.opnum
            and self.little == other.little
            and other.object in (None, self.object)
        )


class Assembler:
    """The calls of one connection that have begun and not ended.

    Only what has come is held, in one growing buffer a call: a lying alloc_hint or a million empty
    fragments take no memory. All calls share one stub's limit, so that the peer cannot multiply it.

    Args:
        max_stub: bytes of all of them together.
        max_calls: that may have begun and not ended.
        budget: shared with other connections.

    Attributes:
        held: bytes of stubs that are held.
    """

    __slots__ = ("_budget", "_calls", "_max_calls", "_max_stub", "held")

    def __init__(self, max_stub: int, max_calls: int, budget: Budget | None = None) -> None:
        self._max_stub = max_stub
        self._max_calls = max_calls
        self._budget = budget
        self._calls: dict[int, tuple[Head, bytearray]] = {}
        self.held = 0

    def __len__(self) -> int:
        return len(self._calls)

    def __contains__(self, call_id: int) -> bool:
        return call_id in self._calls

    def oldest(self) -> tuple[int, Head]:
        """Give the call that began first: there must be one."""
        call_id, (head, _) = next(iter(self._calls.items()))
        return call_id, head

    def head(self, call_id: int) -> Head:
        """Give what the call began with.

        Raises:
            KeyError: it has not begun.
        """
        return self._calls[call_id][0]

    def begin(self, call_id: int, head: Head, stub: bytes) -> None:
        """Take the first fragment of a call that is not being put together.

        Raises:
            TooManyCalls: so many are already.
            StubTooLarge: the stubs are too large together.
            BudgetExceeded: they are so with those of other connections.
        """
        if len(self._calls) >= self._max_calls:
            raise TooManyCalls
        self._hold(len(stub))
        self._calls[call_id] = head, bytearray(stub)

    def add(self, call_id: int, stub: bytes) -> None:
        """Take a further fragment.

        Raises:
            KeyError: the call has not begun.
            StubTooLarge: the stubs are too large together.
            BudgetExceeded: they are so with those of other connections.
        """
        buffer = self._calls[call_id][1]
        self._hold(len(stub))
        buffer += stub

    def end(self, call_id: int) -> tuple[Head, bytes]:
        """Give a whole call away.

        Raises:
            KeyError: the call has not begun.
        """
        head, buffer = self._calls.pop(call_id)
        self._release(len(buffer))
        return head, bytes(buffer)

    def drop(self, call_id: int) -> None:
        """Forget a call, begun or not."""
        if call_id in self._calls:
            self.end(call_id)

    def clear(self) -> None:
        """Forget every call."""
        self._calls.clear()
        self._release(self.held)

    def _hold(self, size: int) -> None:
        if self.held + size > self._max_stub:
            raise StubTooLarge
        if self._budget is not None:
            self._budget.take(size)
        self.held += size

    def _release(self, size: int) -> None:
        if self._budget is not None:
            self._budget.give_back(size)
        self.held -= size
