"""Requests: ended exactly once, in whichever way comes first."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from vaultstorm_server.httpsys.request import Request


class Owner:
    """Notes what a request asks of its connection."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.bound: Any = None

    def respond(
        self, request: Request, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes
    ) -> None:
        """Note an answer."""
        self.calls.append(("respond", status, list(headers), body))

    def turn_down(self, request: Request, reason: str) -> None:
        """Note a refusal."""
        self.calls.append(("turn_down", reason))

    def reset(self, request: Request, reason: str) -> None:
        """Note a reset."""
        self.calls.append(("reset", reason))

    def cut(self, request: Request, reason: str) -> None:
        """Note an end without an answer."""
        self.calls.append(("cut", reason))


def request(owner: Owner) -> Request:
    """Make a request."""
    return Request(
        owner,
        id="i",
        connection=1,
        peer="127.0.0.1:1",
        method="GET",
        target="/",
        headers=[],
        received=1.0,
    )


ENDS: list[tuple[Callable[[Request], None], list[tuple[object, ...]]]] = [
    (lambda r: r.answer(200, [(b"a", b"b")], b"c"), [("respond", 200, [(b"a", b"b")], b"c")]),
    (lambda r: r.refuse("QueueFull"), [("turn_down", "QueueFull")]),
    (lambda r: r.refuse("AppOffline", True), [("reset", "AppOffline")]),
    (lambda r: r.abandon("AppOffline"), [("cut", "AppOffline")]),
    (lambda r: r.leave(), []),
    (lambda r: r.end(), []),
]


@pytest.mark.parametrize("first, calls", ENDS)
def test_a_request_ends_once(
    first: Callable[[Request], None], calls: list[tuple[object, ...]]
) -> None:
    """After its end, no call changes anything."""
    owner = Owner()
    ended = request(owner)
    assert not ended.ended
    first(ended)
    for again, _ in ENDS[:4]:
        again(ended)

    assert owner.calls == calls
    assert ended.ended


def test_only_a_client_that_left_is_gone() -> None:
    """An answered request is not one whose client has left."""
    answered, left = request(Owner()), request(Owner())
    answered.answer(200, [], b"")
    left.leave()

    assert (answered.gone, left.gone) == (False, True)
    assert repr(left) == "<Request GET / on 1, gone>"


def test_the_binding_is_the_connections() -> None:
    """What one request sets, the next one of its connection finds."""
    owner = Owner()
    first, second = request(owner), request(owner)
    assert first.bound is None
    first.bound = "worker 1"

    assert (owner.bound, second.bound) == ("worker 1", "worker 1")


@pytest.mark.parametrize("end", [end for end, _ in ENDS])
def test_a_request_that_has_ended_binds_nothing(end: Callable[[Request], None]) -> None:
    """Its connection may be closed, or serve the next request already."""
    owner = Owner()
    ended = request(owner)
    ended.bound = "worker 1"
    end(ended)
    ended.bound = "worker 2"

    assert (ended.bound, owner.bound) == (None, "worker 1")
