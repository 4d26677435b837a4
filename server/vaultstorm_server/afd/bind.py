"""Bind the listening socket, or say the ways out."""

import errno
import os
import socket
import sys
from typing import Any, Final

from vaultstorm_wire.errors import MachineError, UsageError

_PORT_MAX: Final = 65535
_ATTEMPTS: Final = 8
"""How often an automatic port may be snatched away between two binds before that is an error."""


def bind(host: str, port: int) -> socket.socket:
    """Bind a non-blocking TCP socket, not yet listening; what it accepts has TCP_NODELAY set.

    Args:
        host: an IPv4 or IPv6 address, or a name: its first address that can be bound counts.
        port: 0 for any that is free.

    Raises:
        MachineError: the port is taken or not permitted, or no such address is here.
        UsageError: `port` is no port.
    """
    if not 0 <= port <= _PORT_MAX:
        raise UsageError(f"--port {port} is not a port: give 0 (any free one) to {_PORT_MAX}")
    failure: OSError | None = None
    for family, address in _resolve(host, port):
        try:
            return _bind_any(family, address) if port == 0 else _bind(family, address)
        except OSError as error:
            failure = failure or error
    assert failure is not None, "getaddrinfo gives an address or raises"
    raise MachineError(ways_out(failure, host, port)) from failure


def name(address: tuple[Any, ...]) -> str:
    """Write a socket address as the records have it: ``127.0.0.1:443``, ``[::1]:443``."""
    host, port = address[0], address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reachable(scheme: str, host: str, port: int) -> str:
    """Give a URL for a bound address; what is bound to every address is reached on loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def ways_out(error: OSError, host: str, port: int) -> str:
    """Say why `host` and `port` cannot be listened on, and three things that can be done."""
    where = name((host, port))
    if error.errno == errno.EADDRINUSE:
        return (
            f"{where} is taken: listen elsewhere with another --port; let --port 0 find a free "
            f"one; or find the holder with `ss -ltnp 'sport = :{port}'` and stop it"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"port {port} is not permitted to you: "
            f"`sudo sysctl net.ipv4.ip_unprivileged_port_start=0`; "
            f"`sudo setcap cap_net_bind_service=+ep {os.path.realpath(sys.executable)}`; "
            f"or a higher --port, such as {8000 + port}"
        )
    return (
        f"cannot listen on {where}: {error.strerror}; give --host an address that "
        f"`ip -brief address` lists; add this one with `sudo ip address add {host} dev lo`; "
        f"or use --host 127.0.0.1"
    )


def _resolve(host: str, port: int) -> list[tuple[int, tuple[Any, ...]]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise MachineError(
            f"--host {host!r} is not known here: give an IP address; see what "
            f"`getent hosts {host}` says and correct the name; or use --host 127.0.0.1"
        ) from error
    return [(family, address) for family, _, _, _, address in found]


def _bind(family: int, address: tuple[Any, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        # Connections of an earlier server in TIME_WAIT must not keep this one from starting.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # or an IPv4 peer would be journalled as ::ffff:127.0.0.1
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # Inherited by what is accepted (sk_clone_lock), which saves a system call for each.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


def _bind_any(family: int, address: tuple[Any, ...]) -> socket.socket:
    """Learn a free port, then bind it by its number.

    The kernel gives an automatically chosen port back on shutdown(SHUT_RD) (SOCK_BINDPORT_LOCK is
    not set), and the next `listen()` would be on another one.
    """
    for left in reversed(range(_ATTEMPTS)):
        with _bind(family, address) as scout:  # holds the port while the other socket binds it
            try:
                return _bind(family, scout.getsockname())
            except OSError as error:
                if left == 0 or error.errno != errno.EADDRINUSE:
                    raise
    raise AssertionError("unreachable")
