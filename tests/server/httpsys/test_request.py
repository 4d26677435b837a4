"""Requests: ended exactly once, in whichever way comes first."""

from collections.abc import Callable, Iterable

import pytest

from vaultstorm_server.httpsys.request import Request


class Owner:
    """Notes what a request asks of its connection."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def respond(
        self, request: Request, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes
    ) -> None:
        """Note an answer."""
        self.calls.append(("respond", status, list(headers), body))

    def turn_down(self, request: Request, reason: str) -> None:
        """Note a refusal."""
        self.calls.append(("turn_down", reason))

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
    for again, _ in ENDS[:3]:
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
