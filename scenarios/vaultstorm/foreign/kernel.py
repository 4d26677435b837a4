"""The kernel's own view of somebody else's listening port: sock_diag(7) and /proc/net."""

import socket
import struct
from pathlib import Path
from typing import Final, NamedTuple

from vaultstorm_server.afd.refusals import NETSTAT, counters

_NETLINK_SOCK_DIAG: Final = 4  # linux/netlink.h
_SOCK_DIAG_BY_FAMILY: Final = 20  # linux/sock_diag.h
_NLM_F_REQUEST_DUMP: Final = 0x301
_NLMSG_ERROR: Final = 2
_NLMSG_DONE: Final = 3
_HEADER: Final = struct.Struct("=IHHII")  # struct nlmsghdr
_REQUEST: Final = struct.Struct("=BBBBI")  # struct inet_diag_req_v2, then its inet_diag_sockid
_SOCKID: Final = struct.Struct(">HH16s16s")
_SOCKID_REST: Final = struct.Struct("=I8s")
_MESSAGE: Final = struct.Struct("=BBBB48sIII")  # struct inet_diag_msg up to idiag_wqueue
_PORT: Final = struct.Struct(">H")
_TCP_LISTEN: Final = 10
_NO_COOKIE: Final = b"\xff" * 8
_PATIENCE: Final = 1.0

PROC: Final = Path("/proc/net")


class Queue(NamedTuple):
    """An accept queue: what waits in it, and its limit; one connection more than that fits."""

    queued: int
    backlog: int | None


class View(NamedTuple):
    """What the kernel says of a port.

    Attributes:
        queued: connections that wait for the application's accept.
        backlog: what `listen()` was given, cut to somaxconn; None if the kernel does not say.
        overflows: SYNs and handshakes that found a queue full, of all listeners of the network
            namespace, since the sampler was made.
    """

    queued: int
    backlog: int | None
    overflows: int


class Sampler:
    """Looks at a port again and again, and tells what has changed.

    Args:
        port: that is listened on.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._before = _overflows()
        self._last: View | None = None

    def changed(self) -> View | None:
        """Look, and give what is seen unless it is what was seen before."""
        overflows = _overflows() - self._before
        queue = fullest(queues(self._port))
        if queue is None:
            return None
        view = View(queue.queued, queue.backlog, overflows)
        if view == self._last:
            return None
        self._last = view
        return view


def fullest(found: list[Queue]) -> Queue | None:
    """Give the queue that is nearest to its limit: with SO_REUSEPORT a port has several."""
    return max(found, key=lambda queue: (queue.queued - (queue.backlog or 0), queue), default=None)


def queues(port: int) -> list[Queue]:
    """Give the accept queues of all who listen on a port."""
    try:
        return [
            queue
            for family in (socket.AF_INET, socket.AF_INET6)
            for queue in _from_netlink(family, port)
        ]
    except OSError:  # no such netlink family here
        return from_proc(port)


def from_proc(port: int, proc: Path = PROC) -> list[Queue]:
    """Read the accept queues of a port where the kernel shows no limits."""
    found = []
    for name in ("tcp", "tcp6"):
        try:
            lines = (proc / name).read_text("ascii", "replace").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if int(words[3], 16) == _TCP_LISTEN and int(words[1].rpartition(":")[2], 16) == port:
                found.append(Queue(int(words[4].partition(":")[2], 16), None))
    return found


def _overflows() -> int:
    return counters(NETSTAT, "TcpExt:").get("ListenOverflows", 0)


def _from_netlink(family: int, port: int) -> list[Queue]:
    sockid = _SOCKID.pack(port, 0, b"", b"") + _SOCKID_REST.pack(0, _NO_COOKIE)
    request = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, 1 << _TCP_LISTEN) + sockid
    head = _HEADER.pack(
        _HEADER.size + len(request), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST_DUMP, 1, 0
    )
    found: list[Queue] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as netlink:
        netlink.settimeout(_PATIENCE)
        netlink.sendall(head + request)
        while _read(netlink.recv(1 << 16), port, found):
            pass
    return found


def _read(data: bytes, port: int, found: list[Queue]) -> bool:
    """Take the messages of one datagram, and tell whether there are more to come."""
    while data:
        length, kind, _, _, _ = _HEADER.unpack_from(data)
        if kind == _NLMSG_DONE:
            return False
        if kind == _NLMSG_ERROR:
            raise OSError("sock_diag is not answered")
        _, state, _, _, sockid, _, queued, limit = _MESSAGE.unpack_from(data, _HEADER.size)
        if state == _TCP_LISTEN and _PORT.unpack_from(sockid)[0] == port:
            found.append(Queue(queued, limit))
        data = data[(length + 3) & ~3 :]
    return True
