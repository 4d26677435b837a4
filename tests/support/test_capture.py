"""The packet capture, against real connects whose packets are known."""

import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.support.bpf import SYN
from tests.support.capture import ACK, Capture
from tests.support.captured import captured

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def during(port: int | None, action: Callable[[], None], mask: int | None = None) -> Capture:
    """Give the capture of what `action` does."""
    with captured(port) if mask is None else captured(port, mask) as running:
        action()
    return running


def listener(family: int = socket.AF_INET) -> socket.socket:
    """Make a listening socket on loopback."""
    made = socket.socket(family, socket.SOCK_STREAM)
    made.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
    made.listen(64)
    return made


def closed_port() -> socket.socket:
    """Bind a socket that does not listen: its port refuses for as long as it is open."""
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    return made


def refused(port: int, count: int) -> None:
    """Connect `count` times to a port that refuses."""
    for _ in range(count):
        with socket.socket() as client, pytest.raises(ConnectionRefusedError):
            client.connect(("127.0.0.1", port))


def accepted(listening: socket.socket, count: int, *, reset: bool) -> None:
    """Connect `count` times, and let the server end each connection first."""
    for _ in range(count):
        with socket.socket(listening.family, socket.SOCK_STREAM) as client:
            client.connect(listening.getsockname())
            server, _peer = listening.accept()
            if reset:
                server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            server.close()
            if reset:
                with pytest.raises(ConnectionResetError):
                    client.recv(1)
            else:
                assert client.recv(1) == b""


@pytest.mark.parametrize("count", [0, 1, 2, 25])
def test_a_refused_connect_is_a_syn_and_a_reset_that_answers_it(count: int) -> None:
    """Count one SYN and one RST with sequence number 0 for each connect that is refused."""
    with closed_port() as closed:
        port: int = closed.getsockname()[1]
        caught = during(port, lambda: refused(port, count))

    assert len(caught.syns()) == len(caught.rst_to_syn()) == count
    assert caught.rst_after_handshake() == []
    assert len(caught.packets) == 2 * count
    assert caught.statistics().dropped == 0


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_reset_after_the_handshake_is_told_from_one_that_answers_a_syn(family: int) -> None:
    """Count SYN, SYN and ACK, and RST for each connection accepted and reset, in both families."""
    try:
        listening = listener(family)
    except OSError as error:
        pytest.skip(f"no such loopback address: {error}")
    with listening:
        address, port = listening.getsockname()[:2]
        caught = during(port, lambda: accepted(listening, 20, reset=True))

    assert len(caught.syns()) == 20
    assert len(caught.rst_after_handshake()) == len(caught.resets()) == 20
    assert caught.rst_to_syn() == []
    assert len(caught.packets) == 3 * 20
    assert {packet.sport for packet in caught.resets()} == {port}
    assert {packet.dst for packet in caught.syns()} == {address}


def test_an_ordinary_end_has_no_reset() -> None:
    """Count SYN, SYN and ACK, and two FINs for each connection accepted and closed."""
    with listener() as listening:
        port: int = listening.getsockname()[1]
        caught = during(port, lambda: accepted(listening, 20, reset=False))

    assert len(caught.syns()) == 20
    assert caught.resets() == []
    assert len(caught.packets) == 4 * 20


def test_the_mask_keeps_only_what_was_asked_for() -> None:
    """Keep SYN, and SYN with ACK, and nothing else, if only SYN is asked for."""
    with listener() as listening:
        port: int = listening.getsockname()[1]
        caught = during(port, lambda: accepted(listening, 5, reset=True), SYN)

    assert sorted(packet.flags for packet in caught.packets) == [SYN] * 5 + [SYN | ACK] * 5


def test_other_ports_are_left_out() -> None:
    """Catch nothing of a neighbouring connection, and all of it without a port."""
    with listener() as ours, listener() as theirs:
        port: int = ours.getsockname()[1]
        their_port: int = theirs.getsockname()[1]
        caught = during(port, lambda: accepted(theirs, 3, reset=True))
        every = during(None, lambda: accepted(theirs, 3, reset=True))

    assert caught.packets == []
    assert len([packet for packet in every.syns() if packet.dport == their_port]) == 3


def test_the_spread_is_from_the_first_syn_to_the_last() -> None:
    """Span the first SYNs by the kernel's stamps, less those skipped or beyond the count."""
    with closed_port() as closed:
        port: int = closed.getsockname()[1]
        caught = during(port, lambda: refused(port, 4))

    times = [packet.time for packet in caught.syns()]
    assert times == sorted(set(times))
    assert caught.spread() == times[3] - times[0]
    assert caught.spread(skip=1, count=2) == times[2] - times[1]
    assert caught.spread(skip=3) == caught.spread(skip=4) == caught.spread(count=1) == 0.0


def test_waiting_for_syns_ends_when_they_have_been_seen() -> None:
    """Tell that the connects have been seen, and that one more has not."""
    with closed_port() as closed:
        port: int = closed.getsockname()[1]
        with captured(port) as running:
            refused(port, 3)
            assert running.wait_for_syns(3, timeout=30)
            assert not running.wait_for_syns(4, timeout=0)


def test_what_did_not_fit_the_buffer_is_counted() -> None:
    """Show the packets that the kernel dropped, so that nobody trusts such a capture."""
    with captured(None):
        pass  # skips where no capture is allowed
    with closed_port() as closed:
        port: int = closed.getsockname()[1]
        with Capture(port, buffer=4096) as running:
            for _ in range(200):
                refused(port, 20)
                if running.statistics().dropped:
                    break

    assert running.statistics().dropped > 0
    assert running.statistics().packets >= len(running.packets)


def test_without_the_privilege_it_says_what_is_missing() -> None:
    """Raise CaptureUnavailable for a user who is not root, instead of a bare PermissionError."""
    code = (
        "import os\n"
        "from tests.support.capture import Capture, CaptureUnavailable\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try:\n"
        "    with Capture(1): print('allowed')\n"
        "except CaptureUnavailable as error: print(error)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=os.getcwd(),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    if ran.stdout == "allowed\n":
        pytest.skip("this user has CAP_NET_RAW")
    assert ran.stdout == "capturing packets needs root or CAP_NET_RAW\n", ran.stderr
