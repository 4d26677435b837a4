"""A packet capture of TCP on the loopback interface, without any external tool.

An AF_PACKET socket on ``lo`` (root or CAP_NET_RAW) keeps what its filter lets in; the kernel stamps
each packet when it arrives. A thread takes the packets over every few milliseconds, not one by one,
so that the capture disturbs a burst as little as it can.
"""

import contextlib
import ctypes
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final, NamedTuple, Self

from tests.support.bpf import FIN, RST, SYN, Instruction, control_packets

ACK: Final = 0x10

_ETH_P_ALL: Final = 0x0003
_SOL_PACKET: Final = 263
_PACKET_STATISTICS: Final = 6
_PACKET_IGNORE_OUTGOING: Final = 23  # Linux 4.20
_SO_TIMESTAMPNS: Final = 35
_SO_ATTACH_FILTER: Final = 26
_SO_RCVBUFFORCE: Final = 33
_RECEIVE_BUFFER: Final = 64 << 20  # 100,000 control packets; the kernel charges about 1 KiB each
_SNAP: Final = 128  # the longest IPv4 and TCP heads are 60 bytes each
_TICK_S: Final = 0.02


class CaptureUnavailable(Exception):
    """This machine or user may not capture packets: the message says what is missing."""


class Packet(NamedTuple):
    """One TCP segment; `time` is seconds since 1970 by the kernel's stamp."""

    time: float
    src: str
    sport: int
    dst: str
    dport: int
    flags: int
    seq: int


class Statistics(NamedTuple):
    """What the kernel counted since the capture began."""

    packets: int
    """Let in by the filter, the capture's own markers included."""
    dropped: int
    """Lost because the buffer was full: nothing may be concluded unless this is 0."""


class Capture:
    """Collects the segments to and from one TCP port of this machine, or of all ports.

    A context manager: all that was sent before the end of the block is in `packets` after it.

    Args:
        port: the TCP port at either end; None for all.
        mask: only segments with one of these flags, SYN, RST and FIN by default: a capture is about
            connections, and what is not copied disturbs nobody.
        buffer: bytes the kernel may hold before the thread takes them over.

    Raises:
        CaptureUnavailable: on entering, if the kernel says no.
    """

    def __init__(
        self, port: int | None = None, mask: int = SYN | RST | FIN, buffer: int = _RECEIVE_BUFFER
    ) -> None:
        self.packets: list[Packet] = []
        self._port = port
        self._mask = mask
        self._buffer = buffer
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._seen_markers: set[bytes] = set()
        self._counted = Statistics(0, 0)

    def __enter__(self) -> Self:
        """Begin: from here on every segment is kept."""
        self._marker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._marker.bind(("127.0.0.1", 0))
            self._marker_port: int = self._marker.getsockname()[1]
            program = control_packets(self._port, self._mask, self._marker_port)
            self._socket = _open(program, self._buffer)
        except BaseException:
            self._marker.close()
            raise
        self._thread = threading.Thread(target=self._collect, name="capture", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End, after the last segment that was on its way has been taken over."""
        self._stopping.set()
        self._thread.join()
        try:
            if kind is None:
                self._drain()
                self.statistics()
        finally:
            self._socket.close()
            self._marker.close()

    def __repr__(self) -> str:
        """Show what was caught."""
        return f"<Capture port={self._port} packets={len(self.packets)} {self._counted}>"

    def statistics(self) -> Statistics:
        """Give the kernel's counts; the capture may have ended."""
        if self._socket.fileno() >= 0:
            raw = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
            packets, dropped = struct.unpack("II", raw)  # reading sets them back to 0
            self._counted = Statistics(
                self._counted.packets + packets, self._counted.dropped + dropped
            )
        return self._counted

    def wait_for_syns(self, count: int, timeout: float) -> bool:
        """Wait until `count` connections have been tried; tell whether they have."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.syns()) >= count, timeout)

    def syns(self) -> list[Packet]:
        """Give the first SYN of each connection, in order: what was sent again is left out."""
        first: dict[tuple[str, int, str, int, int], Packet] = {}
        for packet in self.packets:
            if packet.flags & (SYN | ACK) == SYN:
                first.setdefault((*packet[1:5], packet.seq), packet)
        return sorted(first.values())

    def resets(self) -> list[Packet]:
        """Give all RST segments that ended a connection.

        One that both sides had ended by FIN is not ended again: a busy kernel probes with a second
        FIN, and the ACK of that one meets a socket that is gone, which answers RST.
        """
        found: list[Packet] = []
        finished: set[tuple[str, int, str, int]] = set()
        for packet in self.packets:
            here, back = packet[1:5], (packet.dst, packet.dport, packet.src, packet.sport)
            if packet.flags & SYN:
                finished -= {here, back}
            if packet.flags & FIN:
                finished.add(here)
            if packet.flags & RST and not {here, back} <= finished:
                found.append(packet)
        return found

    def rst_to_syn(self) -> list[Packet]:
        """Give the RSTs that answered a SYN: sequence number 0 (RFC 9293, 3.10.7.1)."""
        return [packet for packet in self.resets() if packet.seq == 0 and packet.flags & ACK]

    def rst_after_handshake(self) -> list[Packet]:
        """Give the RSTs that ended a connection which stood."""
        to_syn = set(self.rst_to_syn())
        return [packet for packet in self.resets() if packet not in to_syn]

    def spread(self, *, skip: int = 0, count: int | None = None) -> float:
        """Give the seconds from the first to the last first-SYN; 0 for fewer than two.

        Args:
            skip: leave out that many at the beginning (wrk tries the address before it begins).
            count: look at no more than this many.
        """
        times = [packet.time for packet in self.syns()[skip:]][:count]
        return times[-1] - times[0] if times else 0.0

    def _collect(self) -> None:
        while not self._stopping.wait(_TICK_S):
            self._take_over()

    def _take_over(self) -> None:
        caught = []
        with contextlib.suppress(BlockingIOError):
            while True:
                data, ancillary, _, address = self._socket.recvmsg(_SNAP, 64)
                if address[2] == socket.PACKET_OUTGOING:
                    continue
                if data[0] >> 4 == 4 and data[9] == socket.IPPROTO_UDP:
                    self._seen_markers.add(data[(data[0] & 0xF) * 4 + 8 :])
                else:
                    caught.append(_parse(data, _stamp(ancillary)))
        if caught:
            with self._changed:
                self.packets.extend(caught)
                self._changed.notify_all()

    def _drain(self) -> None:
        """Read on until one marker from every processor has come through.

        Each processor has a queue of its own for the packets of ``lo`` (softnet backlog), and it is
        in order: what was sent there before the marker has arrived before it.
        """
        self._take_over()
        before = os.sched_getaffinity(0)  # of this thread only
        try:
            for processor in range(os.cpu_count() or 1):
                with contextlib.suppress(OSError):  # not one of ours: stay where we are
                    os.sched_setaffinity(0, {processor})
                self._await_marker(b"vaultstorm capture %d" % processor)
        finally:
            os.sched_setaffinity(0, before)

    def _await_marker(self, text: bytes, timeout: float = 10.0) -> None:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        deadline = time.monotonic() + timeout
        while text not in self._seen_markers:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the capture's own packet did not arrive in {timeout} s")
            # Again and again: a processor that is flooded drops it (net.core.netdev_max_backlog).
            self._marker.sendto(text, ("127.0.0.1", self._marker_port))
            poll.poll(_TICK_S * 1000)
            self._take_over()


def _open(program: Sequence[Instruction], buffer: int) -> socket.socket:
    """Open the socket; it receives nothing before it is bound, so that all of it is filtered."""
    try:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    except PermissionError as error:
        raise CaptureUnavailable("capturing packets needs root or CAP_NET_RAW") from error
    except (AttributeError, OSError) as error:
        raise CaptureUnavailable(f"this kernel has no packet sockets: {error}") from error
    try:
        opened.setblocking(False)
        try:
            opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, buffer)
        except PermissionError:  # needs CAP_NET_ADMIN: take what net.core.rmem_max allows
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        with contextlib.suppress(OSError):  # older kernels: the packet type tells them apart
            opened.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        _attach(opened, program)
        opened.bind(("lo", _ETH_P_ALL))
    except OSError as error:
        opened.close()
        raise CaptureUnavailable(f"the loopback interface cannot be captured: {error}") from error
    return opened


def _attach(opened: socket.socket, program: Sequence[Instruction]) -> None:
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))  # struct sock_fprog
    opened.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, head)


def _stamp(ancillary: list[tuple[int, int, bytes]]) -> float:
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("qq", data)
            return float(seconds + nanoseconds / 1e9)
    return time.time()


def _parse(data: bytes, stamp: float) -> Packet:
    if data[0] >> 4 == 4:
        head = (data[0] & 0xF) * 4
        src, dst = (socket.inet_ntop(socket.AF_INET, data[at : at + 4]) for at in (12, 16))
    else:
        head = 40
        src, dst = (socket.inet_ntop(socket.AF_INET6, data[at : at + 16]) for at in (8, 24))
    sport, dport, seq = struct.unpack_from("!HHI", data, head)
    return Packet(stamp, src, sport, dst, dport, data[head + 13], seq)
