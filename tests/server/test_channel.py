"""The front's end of the channel, over a real socketpair."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from vaultstorm_server.channel import Channel, ChannelStatistics
from vaultstorm_server.frames import LENGTH, Frames, append
from vaultstorm_server.messages import Done, Hello, ToFront, ToWorker, Work

WORK = Work(7, "id-7", "PUT", "/a", [(b"Host", b"here")], b"\x00body\xff")
DONE = Done(7, 201, [(b"Content-Type", b"text/plain")], b"made")
HELLO = Hello(4711)


def frame(*messages: Work | Hello | Done) -> bytes:
    """Give the bytes of some messages."""
    out = bytearray()
    for message in messages:
        append(out, message)
    return bytes(out)


class End:
    """A channel under test, and the other end of its socketpair."""

    def __init__(self) -> None:
        ours, self.peer = socket.socketpair()
        self.peer.settimeout(10)
        self.messages: list[ToFront] = []
        self.reasons: list[str] = []
        self.nonsense: list[bool] = []
        self.lost = asyncio.Event()
        self.came = asyncio.Event()
        frames: Frames[ToFront] = Frames(ToFront)
        loop = asyncio.get_running_loop()
        self.channel = Channel(loop, ours, frames, self.on_message, self.on_lost)

    def on_message(self, message: ToFront) -> None:
        """Keep a message."""
        self.messages.append(message)
        self.came.set()

    def on_lost(self, reason: str, nonsense: bool) -> None:
        """Keep the reason."""
        self.reasons.append(reason)
        self.nonsense.append(nonsense)
        self.lost.set()

    def close(self) -> None:
        """Close both ends."""
        self.channel.close()
        self.peer.close()


def run(scenario: Callable[[End], Awaitable[None]]) -> None:
    """Run a coroutine function with an `End` on uvloop."""

    async def main() -> None:
        end = End()
        try:
            await scenario(end)
        finally:
            end.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def test_what_is_sent_in_one_turn_leaves_together() -> None:
    """Nothing is written while the turn lasts; then all of it in one piece and in order."""

    async def scenario(end: End) -> None:
        end.peer.setblocking(False)
        for seq in range(3):
            end.channel.send(Hello(seq))
            with pytest.raises(BlockingIOError):
                end.peer.recv(1)
        unsent = len(frame(Hello(0), Hello(1), Hello(2)))
        assert end.channel.statistics() == ChannelStatistics(
            sent=3, received=0, unsent_bytes=unsent
        )

        await asyncio.sleep(0)
        await asyncio.sleep(0)

        assert end.peer.recv(1000) == frame(Hello(0), Hello(1), Hello(2))
        assert repr(end.channel) == "<Channel 0 bytes unsent, 3 out, 0 in>"
        assert end.channel.statistics().unsent_bytes == 0

    run(scenario)


def test_a_peer_that_does_not_read_is_seen_and_then_gets_everything() -> None:
    """What the kernel does not take stays visible, and arrives in order once the peer reads."""
    body = bytes(range(256)) * 4096 * 4  # 4 MiB, more than a socketpair holds

    async def scenario(end: End) -> None:
        loop = asyncio.get_running_loop()
        work = Work(1, None, "PUT", "/", [], body)
        end.channel.send(work)
        while end.channel.statistics().unsent_bytes == len(frame(work)):  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert 0 < end.channel.statistics().unsent_bytes < len(frame(work))
        end.channel.send(Work(2, None, "GET", "/", [], b""))

        def read() -> list[ToWorker]:
            frames: Frames[ToWorker] = Frames(ToWorker)
            got: list[ToWorker] = []
            while len(got) < 2:
                got += frames.feed(end.peer.recv(65536))
            return got

        first, second = await loop.run_in_executor(None, read)
        assert isinstance(first, Work)
        assert isinstance(second, Work)
        assert (first.body == body, second.seq) == (True, 2)
        while end.channel.statistics().unsent_bytes:  # noqa: ASYNC110
            await asyncio.sleep(0)

    run(scenario)


def test_messages_that_came_before_the_end_are_taken_first() -> None:
    """A peer that answers and dies in the same moment has answered; its end is told once."""

    async def scenario(end: End) -> None:
        end.peer.sendall(frame(HELLO, DONE))
        end.peer.close()
        await end.lost.wait()

        assert end.messages == [HELLO, DONE]
        assert end.reasons == ["closed"]
        end.channel.send(HELLO)
        end.channel.drain()
        await asyncio.sleep(0)
        assert end.reasons == ["closed"]

    run(scenario)


def test_writing_to_a_peer_that_is_gone_loses_the_channel_once() -> None:
    """EPIPE on the way out and the end on the way in are one loss, after the last answer."""

    async def scenario(end: End) -> None:
        end.peer.sendall(frame(DONE))
        end.peer.close()
        end.channel.send(WORK)
        await end.lost.wait()
        await asyncio.sleep(0)

        assert end.messages == [DONE]
        assert len(end.reasons) == 1
        assert end.nonsense == [False]

    run(scenario)


def test_drain_takes_what_has_arrived_at_once() -> None:
    """Drain does not wait for the loop, nor for anything that is not there."""

    async def scenario(end: End) -> None:
        end.channel.drain()
        assert end.messages == []
        end.peer.sendall(frame(DONE, DONE))
        end.channel.drain()
        assert end.messages == [DONE, DONE]
        assert end.channel.statistics().received == 2

    run(scenario)


def test_nonsense_loses_the_channel() -> None:
    """A frame that is no message ends the channel with that as the reason."""

    async def scenario(end: End) -> None:
        end.peer.sendall(LENGTH.pack(1) + b"\xc1")
        await end.lost.wait()
        assert "no message" in end.reasons[0]
        assert end.nonsense == [True]

    run(scenario)


def test_closing_gives_the_peer_an_end_of_file_and_tells_nobody() -> None:
    """Close is ours: the peer reads the end, `on_lost` is not called, a second close is none."""

    async def scenario(end: End) -> None:
        end.channel.close()
        end.channel.close()
        assert end.peer.recv(1) == b""
        await asyncio.sleep(0)
        assert end.reasons == []

    run(scenario)


@pytest.mark.parametrize(
    "payload",
    [b"\x92\x06\xa1\xff", b"\x93\x02\x05" + b"\x91" * 100_000 + b"\xc0"],
    ids=["no UTF-8", "arrays in arrays"],
)
def test_what_came_before_nonsense_counts(payload: bytes) -> None:
    """Whatever is wrong with it, it ends the channel; the answers before it are answers."""

    async def scenario(end: End) -> None:
        end.peer.sendall(frame(DONE) + LENGTH.pack(len(payload)) + payload + frame(HELLO))
        await end.lost.wait()
        assert end.messages == [DONE]
        assert end.nonsense == [True]

    run(scenario)
