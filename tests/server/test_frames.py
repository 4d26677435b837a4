"""The framing: messages in, the same messages out, however the bytes were cut."""

from collections.abc import Callable

import pytest

from vaultstorm_server.frames import LENGTH, FrameError, Frames, append, bound
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
