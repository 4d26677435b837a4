"""What leaves a worker, from several threads at once."""

import socket
import threading

import pytest

from vaultstorm_server.frames import FrameError, Frames
from vaultstorm_server.messages import Done, Pong, ToFront
from vaultstorm_server.w3wp.outbox import BATCH_MAX, Outbox


def received(sock: socket.socket, count: int) -> list[ToFront]:
    """Read so many messages."""
    frames: Frames[ToFront] = Frames(ToFront)
    messages: list[ToFront] = []
    while len(messages) < count:
        data = sock.recv(1 << 18)
        assert data
        messages += frames.feed(data)
    return messages


def test_what_is_put_leaves_with_what_is_sent() -> None:
    """Messages keep their order, and `send` alone sends what is kept."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        outbox = Outbox(ours, 1000)
        outbox.put(Pong("1"))
        with pytest.raises(BlockingIOError):
            theirs.recv(1)
        outbox.send(Pong("2"))
        assert received(theirs, 2) == [Pong("1"), Pong("2")]
        outbox.put(Pong("3"))
        outbox.send()
        outbox.send()
        assert received(theirs, 1) == [Pong("3")]
        with pytest.raises(BlockingIOError):
            theirs.recv(1)


def test_a_lot_leaves_by_itself() -> None:
    """Answers are not kept without end while a batch goes on."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        outbox = Outbox(ours, 2 * BATCH_MAX)
        sender = threading.Thread(target=lambda: outbox.put(Done(1, 200, [], b"x" * BATCH_MAX)))
        sender.start()
        (done,) = received(theirs, 1)
        sender.join(30)
        assert isinstance(done, Done)
        assert len(done.body) == BATCH_MAX


def test_a_message_that_is_too_long_spoils_nothing() -> None:
    """It is refused, and what was put before it leaves whole."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        outbox = Outbox(ours, 100)
        outbox.put(Pong("before"))
        for give in (outbox.put, outbox.send):
            with pytest.raises(FrameError):
                give(Done(1, 200, [], b"x" * 101))
        outbox.send(Pong("after"))
        assert received(theirs, 2) == [Pong("before"), Pong("after")]


def test_a_front_process_that_is_gone_is_no_error() -> None:
    """Its end is noticed where the channel is read; until then answers go nowhere."""
    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        outbox = Outbox(ours, 100)
        for _ in range(3):
            outbox.send(Pong())


def test_threads_do_not_cut_each_other_s_frames() -> None:
    """Whatever the turns of eight threads, every message arrives whole."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        outbox = Outbox(ours, 10000)

        def send(number: int) -> None:
            for seq in range(50):
                outbox.send(Done(number * 1000 + seq, 200, [], b"x" * (number * 1000)))

        threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        messages = received(theirs, 400)
        for thread in threads:
            thread.join(30)
    sizes = {m.seq: len(m.body) for m in messages if isinstance(m, Done)}
    assert sizes == {n * 1000 + seq: n * 1000 for n in range(8) for seq in range(50)}
