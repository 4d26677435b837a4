"""Calls on their way, fragment by fragment."""

import pytest

from vaultstorm_wire.dcerpc.calls import CallPart
from vaultstorm_wire.dcerpc.events import Fault, Request, Response
from vaultstorm_wire.dcerpc.fragments import Budget
from vaultstorm_wire.dcerpc.pdu import FIRST, LAST, PENDING_CANCEL, WHOLE, Header, PduError, Ptype
from vaultstorm_wire.dcerpc.progress import STALE_MAX, Progress
from vaultstorm_wire.dcerpc.refusal import Refusal
from vaultstorm_wire.dcerpc.status import (
    ERROR_ACCESS_DENIED,
    NCA_PROTO_ERROR,
    NCA_S_FAULT_REMOTE_NO_MEMORY,
    NCA_SERVER_TOO_BUSY,
    RPC_S_NO_CALL_ACTIVE,
)

MIDDLE = 0


class Calls:
    """Feeds fragments by what matters of them."""

    def __init__(
        self, max_stub: int = 100, max_assembling: int = 4, budget: Budget | None = None
    ) -> None:
        self.progress = Progress(max_stub, max_assembling, budget)
        self.multiplex = False

    def request(
        self, call_id: int, flags: int, stub: bytes = b"", hint: int = 0, opnum: int = 3
    ) -> Request | None:
        """Feed a fragment of a request."""
        header = Header(5, 0, Ptype.REQUEST, flags, True, 24 + len(stub), 0, call_id)
        part = CallPart(hint, 1, opnum, None, stub)
        return self.progress.request(header, part, self.multiplex)

    def response(self, call_id: int, flags: int, stub: bytes = b"") -> Response | None:
        """Feed a fragment of a response."""
        header = Header(5, 0, Ptype.RESPONSE, flags, True, 24 + len(stub), 0, call_id)
        return self.progress.response(header, CallPart(0, 1, 0, None, stub), self.multiplex)

    def refused(
        self, call_id: int, flags: int, stub: bytes = b"", hint: int = 0, opnum: int = 3
    ) -> Fault:
        """Feed a fragment that is refused; give the fault."""
        with pytest.raises(Refusal) as caught:
            self.request(call_id, flags, stub, hint, opnum)
        return caught.value.fault


def test_a_request_in_one_fragment_is_whole() -> None:
    """It is given at once, and open until it is answered."""
    calls = Calls()
    assert calls.request(2, WHOLE, b"stub", hint=0xFFFFFFFF) == Request(2, 1, 3, b"stub")
    assert calls.progress.open == {2: 1}
    calls.progress.close(2)
    assert not calls.progress.knows(2)


def test_a_request_in_fragments_is_given_once() -> None:
    """Nothing comes before the last fragment, and then everything in its order."""
    calls = Calls()
    assert calls.request(2, FIRST, b"a", hint=3) is None
    assert calls.request(2, MIDDLE, b"b") is None
    assert calls.progress.knows(2)
    assert calls.progress.held == 2
    assert calls.request(2, LAST, b"c") == Request(2, 1, 3, b"abc")
    assert calls.progress.held == 0


def test_fragments_of_two_calls_may_be_mixed() -> None:
    """Where multiplexing was agreed on, each call gets its own fragments."""
    calls = Calls()
    calls.multiplex = True
    calls.request(2, FIRST, b"a")
    calls.request(3, FIRST, b"x")
    calls.request(2, MIDDLE, b"b")
    assert calls.request(4, WHOLE, b"-") == Request(4, 1, 3, b"-")
    assert calls.request(3, LAST, b"y") == Request(3, 1, 3, b"xy")
    assert calls.request(2, LAST, b"c") == Request(2, 1, 3, b"abc")


def test_without_multiplexing_they_may_not() -> None:
    """The fault goes to the call that was begun first, as Windows sends it."""
    calls = Calls()
    calls.request(50, FIRST)
    assert calls.refused(51, FIRST) == Fault(50, 1, NCA_PROTO_ERROR, False)


@pytest.mark.parametrize("count", [0, 3, 4])
def test_so_many_calls_are_put_together_at_once(count: int) -> None:
    """One more is refused as too much to do, and has certainly not run."""
    calls = Calls(max_assembling=4)
    calls.multiplex = True
    for call_id in range(count):
        assert calls.request(call_id, FIRST) is None
    if count < 4:
        assert calls.request(9, FIRST) is None
    else:
        assert calls.refused(9, FIRST) == Fault(9, 1, NCA_SERVER_TOO_BUSY, True)


@pytest.mark.parametrize("begun", [FIRST, WHOLE])
@pytest.mark.parametrize("again", [FIRST, WHOLE])
def test_a_call_begins_once(begun: int, again: int) -> None:
    """A call that is open, or not whole yet, cannot begin again; afterwards its id may return."""
    calls = Calls()
    calls.request(2, begun)
    assert calls.refused(2, again) == Fault(2, 1, NCA_PROTO_ERROR, False)
    if begun == WHOLE:
        calls.progress.close(2)
        assert calls.request(2, WHOLE) is not None


@pytest.mark.parametrize("flags", [MIDDLE, LAST])
def test_a_call_without_a_beginning(flags: int) -> None:
    """The first thing that comes cannot be a later fragment."""
    assert Calls().refused(2, flags) == Fault(2, 1, NCA_PROTO_ERROR, False)


@pytest.mark.parametrize(
    "behind, ignored",
    [(-1, False), (0, False), (1, True), (STALE_MAX - 1, True), (STALE_MAX, False)],
)
def test_a_late_fragment_of_an_old_call_is_ignored(behind: int, ignored: bool) -> None:
    """What was on its way when its call ended is passed over, if the call is not too old."""
    calls = Calls()
    calls.request(1000, WHOLE)
    calls.progress.close(1000)
    if ignored:
        assert calls.request(1000 - behind, MIDDLE) is None
    else:
        assert calls.refused(1000 - behind, MIDDLE).status == NCA_PROTO_ERROR


@pytest.mark.parametrize("flags", [FIRST, WHOLE])
def test_a_call_cannot_be_cancelled_before_it_begins(flags: int) -> None:
    """PENDING_CANCEL on a first fragment ends the call, which has not run; later it is nothing."""
    calls = Calls()
    assert calls.refused(2, flags | PENDING_CANCEL) == Fault(2, 1, RPC_S_NO_CALL_ACTIVE, True)
    calls = Calls()
    calls.request(2, FIRST)
    assert calls.request(2, PENDING_CANCEL) is None
    assert calls.request(2, LAST | PENDING_CANCEL) is not None


def test_memory_that_others_hold_is_not_there() -> None:
    """nca_s_fault_remote_no_memory, and the call did not execute."""
    calls = Calls(budget=Budget(3))
    calls.request(2, FIRST, b"stu")
    expected = Fault(2, 1, NCA_S_FAULT_REMOTE_NO_MEMORY, did_not_execute=True)
    assert calls.refused(2, LAST, b"b") == expected


def test_fragments_have_to_agree() -> None:
    """A call that changes its opnum is refused."""
    calls = Calls()
    calls.request(2, FIRST)
    assert calls.refused(2, LAST, opnum=4) == Fault(2, 1, NCA_PROTO_ERROR, False)


@pytest.mark.parametrize("size", [0, 99, 100])
def test_a_stub_of_the_limit_is_taken(size: int) -> None:
    """In one fragment or in many."""
    assert Calls().request(2, WHOLE, bytes(size)) is not None
    calls = Calls()
    calls.request(2, FIRST, b"", hint=size)
    for _ in range(size):
        calls.request(2, MIDDLE, b"x")
    assert calls.request(2, LAST) == Request(2, 1, 3, b"x" * size)


def test_a_stub_beyond_the_limit_is_denied() -> None:
    """At once if it says so or is, else at the fragment that goes beyond."""
    denied = Fault(2, 1, ERROR_ACCESS_DENIED, False)
    assert Calls().refused(2, WHOLE, bytes(101)) == denied
    assert Calls().refused(2, FIRST, bytes(101)) == denied
    assert Calls().refused(2, FIRST, b"", hint=101) == denied
    calls = Calls()
    calls.request(2, FIRST, bytes(60))
    assert calls.refused(2, MIDDLE, bytes(41)) == denied


def test_what_is_held_does_not_grow_with_empty_fragments() -> None:
    """A call of nothing but empty fragments holds nothing, however long it lasts."""
    calls = Calls()
    calls.request(2, FIRST)
    for _ in range(10_000):
        assert calls.request(2, MIDDLE) is None
    assert calls.progress.held == 0


def test_a_response_ends_its_call() -> None:
    """In one fragment or in many, the call is closed by the last."""
    calls = Calls()
    calls.progress.open.update({2: 1, 3: 1})
    assert calls.response(2, WHOLE, b"a") == Response(2, 1, b"a")
    assert calls.response(3, FIRST, b"a") is None
    assert calls.response(3, LAST, b"b") == Response(3, 1, b"ab")
    assert not calls.progress.open


def test_an_answer_that_is_broken_off_is_forgotten() -> None:
    """A fault in the middle of a response ends the call and what was held of it."""
    calls = Calls()
    calls.progress.open[2] = 1
    calls.response(2, FIRST, b"a")
    calls.progress.close(2)
    assert calls.progress.held == 0


@pytest.mark.parametrize(
    "begun, call_id, flags",
    [
        (False, 9, WHOLE),
        (False, 2, MIDDLE),
        (False, 2, LAST),
        (True, 2, FIRST),
        (True, 2, WHOLE),
        (True, 3, FIRST),
    ],
)
def test_a_response_that_does_not_fit(begun: bool, call_id: int, flags: int) -> None:
    """To no call, without its beginning, begun twice, or within another without multiplexing."""
    calls = Calls()
    calls.progress.open.update({2: 1, 3: 1})
    if begun:
        calls.response(2, FIRST)
    with pytest.raises(PduError):
        calls.response(call_id, flags)


def test_responses_may_be_mixed_too() -> None:
    """A client that agreed on multiplexing puts them together side by side."""
    calls = Calls()
    calls.multiplex = True
    calls.progress.open.update({2: 1, 3: 1})
    calls.response(2, FIRST, b"a")
    assert calls.response(3, WHOLE, b"x") == Response(3, 1, b"x")
    assert calls.response(2, LAST, b"b") == Response(2, 1, b"ab")


@pytest.mark.parametrize("flags", [FIRST, WHOLE])
def test_a_response_beyond_the_limit(flags: int) -> None:
    """A client holds no more than it was told to."""
    calls = Calls()
    calls.progress.open[2] = 1
    with pytest.raises(Refusal):
        calls.response(2, flags, bytes(101))


def test_cleared_knows_no_call() -> None:
    """Open calls and those that are not whole are gone."""
    calls = Calls()
    calls.request(2, WHOLE)
    calls.request(3, FIRST, b"a")
    calls.progress.clear()
    assert (calls.progress.open, calls.progress.held, calls.progress.knows(3)) == ({}, 0, False)
