"""What the Linux kernel says about a listening socket, beside what the emulation says."""

import socket
import struct
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from vaultstorm_server.afd.refusals import NETSTAT, counters

# struct tcp_info of linux/tcp.h: eight bytes, the first of them the state, then 32-bit words. Of a
# listener tcp_get_info() gives sk_ack_backlog as tcpi_unacked, sk_max_ack_backlog as tcpi_sacked.
_INFO_SIZE: Final = 32
_QUEUE_AND_LIMIT: Final = struct.Struct("=II")
_QUEUE_OFFSET: Final = 24
_TCP_LISTEN: Final = 10


class KernelView(Struct, frozen=True, kw_only=True):
    """The kernel's own accept queue; None where it cannot be read."""

    queued: int | None = None
    """Connections that wait for `accept()`; None while the socket does not listen."""
    limit: int | None = None
    """What `listen()` was given, cut to somaxconn: one connection more fits."""
    listen_overflows: int | None = None
    listen_drops: int | None = None
    """SYNs and handshakes that found a full queue, of every listener of the network namespace."""

    def since(self, before: "KernelView") -> "KernelView":
        """Count the overflows and drops from `before` on."""
        return replace(
            self,
            listen_overflows=_difference(self.listen_overflows, before.listen_overflows),
            listen_drops=_difference(self.listen_drops, before.listen_drops),
        )


def view(sock: socket.socket, netstat: Path = NETSTAT) -> KernelView:
    """Read everything the kernel tells about the listener `sock`. Never raises OSError."""
    queued, limit = queue_and_limit(sock)
    counted = counters(netstat, "TcpExt:")
    return KernelView(
        queued=queued,
        limit=limit,
        listen_overflows=counted.get("ListenOverflows"),
        listen_drops=counted.get("ListenDrops"),
    )


def queue_and_limit(sock: socket.socket) -> tuple[int, int] | tuple[None, None]:
    """Read how many connections wait in the kernel and the limit; None if it does not listen."""
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_SIZE)
    except OSError:
        return None, None
    if len(info) < _INFO_SIZE or info[0] != _TCP_LISTEN:
        return None, None
    queued, limit = _QUEUE_AND_LIMIT.unpack_from(info, _QUEUE_OFFSET)
    return queued, limit


def _difference(after: int | None, before: int | None) -> int | None:
    return None if after is None or before is None else after - before
