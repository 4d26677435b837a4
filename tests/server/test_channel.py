"""The framing, and the front's end of the channel over a real socketpair."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from vaultstorm_server.channel import (
    LENGTH,
    Channel,
    ChannelStatistics,
    Done,
    FrameError,
    Frames,
    Hello,
    ToFront,
    ToWorker,
    Work,
    append,
    bound,
)

WORK = Work(7, "id-7", "PUT", "/a", [(b"Host", b"here")], b"\x00body\xff")
DONE = Done(7, 201, [(b"Content-Type", b"text/plain")], b"made")
HELLO = Hello(4711)


def frame(*messages: Work | Hello | Done) -> bytes:
    """Give the bytes of some messages."""
    out = bytearray()
    for message in messages:
        append(out, message)
    return bytes(out)


@pytest.fixture(params=["whole", "byte by byte"])
def feed(request: pytest.FixtureRequest) -> Callable[[Frames[ToFront], bytes], list[ToFront]]:
    """Feed a decoder in the way the parameter says."""

    def whole(frames: Frames[ToFront], data: bytes) -> list[ToFront]:
        return frames.feed(data)

    def bytewise(frames: Frames[ToFront], data: bytes) -> list[ToFront]:
        return [message for byte in data for message in frames.feed(bytes([byte]))]

    return whole if request.param == "whole" else bytewise


def test_messages_come_out_as_they_went_in(
    feed: Callable[[Frames[ToFront], bytes], list[ToFront]],
) -> None:
    """Every message is the same after the way through bytes, and nothing is left over."""
    frames: Frames[ToFront] = Frames(ToFront)

    messages = feed(frames, frame(HELLO, DONE, HELLO))

    assert messages == [HELLO, DONE, HELLO]
    assert frames.buffered == 0


def test_work_comes_out_as_it_went_in() -> None:
    """A request keeps its id, its header bytes and its body, or the lack of them."""
    bare = Work(8, None, "GET", "/", [], b"")
    frames: Frames[ToWorker] = Frames(ToWorker)

    assert frames.feed(frame(WORK, bare)) == [WORK, bare]


def test_a_message_comes_with_its_last_byte() -> None:
    """A frame less its last byte is no message yet; the bytes behind it wait for theirs."""
    data = frame(DONE)
    frames: Frames[ToFront] = Frames(ToFront)

    assert frames.feed(data[:-1]) == []
    assert frames.buffered == len(data) - 1
    assert frames.feed(data[-1:] + data[:5]) == [DONE]
    assert frames.buffered == 5
    assert frames.feed(data[5:]) == [DONE]


def test_a_frame_begins_with_its_length_in_big_endian() -> None:
    """The length counts the payload only, a MessagePack array with the tag first."""
    assert frame(Hello(5)) == b"\x00\x00\x00\x03" + b"\x92\x02\x05"


@pytest.mark.parametrize("limit, fits", [(2, False), (3, True), (4, True)])
def test_a_frame_over_the_limit_is_an_error(limit: int, fits: bool) -> None:
    """A payload of 3 bytes passes with a limit of 3, in and out, and not with 2."""
    frames: Frames[ToFront] = Frames(ToFront, limit)
    out = bytearray(b"before")
    if fits:
        append(out, Hello(5), limit)
        assert frames.feed(bytes(out[6:])) == [Hello(5)]
    else:
        with pytest.raises(FrameError, match="3 bytes, where 2"):
            append(out, Hello(5), limit)
        assert out == b"before"
        with pytest.raises(FrameError, match="3 bytes, where 2"):
            frames.feed(frame(Hello(5))[:4])


@pytest.mark.parametrize("payload", [b"", b"\xc1", b"\x92\x09\x05", b"\x92\x02\x05\x00", b"\x90"])
def test_a_frame_that_is_no_message_is_an_error(payload: bytes) -> None:
    """An empty payload, an unknown tag, and bytes behind the message are told apart from one."""
    frames: Frames[ToFront] = Frames(ToFront)

    with pytest.raises(FrameError, match="no message"):
        frames.feed(LENGTH.pack(len(payload)) + payload)


def test_the_bound_never_exceeds_what_a_length_can_say() -> None:
    """Limits of 4 GiB do not make a frame longer than its length field can tell."""
    assert bound(0, 0) == 65536
    assert bound(100, 1000) == 66736
    assert bound(1 << 24, 0xFFFFFFFF) == 0xFFFFFFFF


def test_the_bound_holds_the_request_of_the_smallest_fields() -> None:
    """A head of 16384 bytes, all of it fields of one letter, fits with its body."""
    head, body = 16384, bytes(1000)
    fields = [(b"a", b"")] * (head // len("a:\r\n"))
    append(bytearray(), Work(2**63, "x" * 128, "PUT", "/", fields, body), bound(head, len(body)))


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
