"""What connections share: handshake turns, timeouts, and the records they write."""

import asyncio
import socket

import pytest

from tests.server.httpsys.serving import on_uvloop
from vaultstorm_server.httpsys import endpoint as module
from vaultstorm_server.httpsys.endpoint import (
    HANDSHAKE_SHARE_MAX,
    HANDSHAKES_PER_TURN,
    NEVER,
    REASONS,
    Endpoint,
    State,
)
from vaultstorm_server.httpsys.httperr import ErrorLog
from vaultstorm_server.httpsys.link import Link
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.settings import HttpSys as Settings


def endpoint(settings: Settings | None = None) -> Endpoint:
    """Make one on the running loop."""
    loop = asyncio.get_running_loop()
    settings = settings or Settings()
    journal = JournalFile(None, "front")
    errors = ErrorLog(None, settings)
    return Endpoint(loop, settings, None, lambda _: None, journal, errors, "DefaultAppPool")


@pytest.mark.parametrize(
    "rate, size, seconds", [(240, 2048, 2048 / 240), (240, 0, 0.0), (1, 5, 5.0), (0, 5, NEVER)]
)
@on_uvloop
async def test_an_answer_has_its_size_over_the_rate(rate: int, size: int, seconds: float) -> None:
    """cc738006: 2 KB at 240 bytes per second are eight to nine seconds; 0 is no limit."""
    assert endpoint(Settings(MinBytesPerSecond=rate)).write_timeout(size) == seconds


@pytest.mark.parametrize("wait, head", [(0.0, 7.0), (3.0, 3.0), (9.0, 9.0)])
@on_uvloop
async def test_the_timers_are_the_settings(wait: float, head: float) -> None:
    """HeaderWaitTimeout 0 means ConnectionTimeout (cc785292)."""
    found = endpoint(Settings(ConnectionTimeout=7, HeaderWaitTimeout=wait)).timeouts

    assert found[State.HEAD] == head
    whole = (State.HANDSHAKE, State.IDLE, State.BODY, State.STALLED)
    assert {found[s] for s in whole} == {7.0}
    assert found[State.WAITING] == NEVER


def test_every_state_that_expires_with_a_word_has_its_reason() -> None:
    """The table is windows.md 5."""
    assert {state.name: reason for state, reason in REASONS.items()} == {
        "HANDSHAKE": "Timer_ConnectionIdle",
        "IDLE": "Timer_ConnectionIdle",
        "HEAD": "Timer_HeaderWait",
        "BODY": "Timer_EntityBody",
        "WRITING": "Timer_MinBytesPerSecond",
    }


class Knocker(Link):
    """A link that does nothing but ask for its handshake step."""

    __slots__ = ("served",)

    def __init__(self, shared: Endpoint) -> None:
        super().__init__(shared, socket.socket(), ("127.0.0.1", 1), 1)
        self.served = 0

    def on_readable(self) -> None:
        """Ask, and count what is granted."""
        self.served += self._endpoint.may_shake_hands(self)

    def give_back(self) -> None:
        """Close."""
        self._close()

    def _read(self) -> None:
        """Nothing is read."""

    def _write(self) -> None:
        """Nothing waits."""

    def _lose(self, reason: str | None) -> None:
        """Nothing is under way."""


@pytest.mark.parametrize("more", [0, 1, HANDSHAKES_PER_TURN, HANDSHAKES_PER_TURN + 1])
@on_uvloop
async def test_a_turn_of_the_loop_has_so_many_handshake_steps(more: int) -> None:
    """Who comes too late has its step in a later turn, in order, without being reported again."""
    shared = endpoint()
    knockers = [Knocker(shared) for _ in range(HANDSHAKES_PER_TURN + more)]
    for knocker in knockers:
        knocker.on_readable()
        knocker.on_readable()

    granted = [knocker.served for knocker in knockers]
    assert sum(granted) == HANDSHAKES_PER_TURN
    for _ in range(5):
        await asyncio.sleep(0)
    assert all(knocker.served for knocker in knockers)
    for knocker in knockers:
        knocker.give_back()
    assert shared.connections == set()


@on_uvloop
async def test_one_that_leaves_gives_its_turn_to_the_next() -> None:
    """A closed connection is not waited for."""
    shared = endpoint()
    first = Knocker(shared)
    for _ in range(HANDSHAKES_PER_TURN):
        first.on_readable()
    leaver, next_one = Knocker(shared), Knocker(shared)
    leaver.on_readable()
    next_one.on_readable()
    leaver.give_back()

    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert (leaver.served, next_one.served) == (0, 1)
    first.give_back()
    next_one.give_back()


@pytest.mark.parametrize(
    "elsewhere, steps",
    [
        (0.0, HANDSHAKES_PER_TURN),
        (0.0175, 18),
        (HANDSHAKE_SHARE_MAX, 20),
        (5.0, 20),
    ],
)
@on_uvloop
async def test_handshakes_have_as_long_as_the_rest_of_the_loop_had(
    monkeypatch: pytest.MonkeyPatch, elsewhere: float, steps: int
) -> None:
    """At least a turn's steps, at most a bounded time; a step takes a millisecond here."""
    now = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])

    class Slow(Knocker):
        __slots__ = ()

        def on_readable(self) -> None:
            now[0] += 0.001
            super().on_readable()

    shared = endpoint()
    knockers = [Slow(shared) for _ in range(60)]
    for knocker in knockers:
        Knocker.on_readable(knocker)
    assert sum(knocker.served for knocker in knockers) == HANDSHAKES_PER_TURN
    now[0] += elsewhere
    await asyncio.sleep(0)
    assert sum(knocker.served for knocker in knockers) == HANDSHAKES_PER_TURN + steps
    for knocker in knockers:
        knocker.give_back()
