"""Bind the control plane's socket. Apart from the server, which takes far longer to import."""

import socket
from typing import Final

from vaultstorm_wire.errors import MachineError, UsageError

HOST: Final = "127.0.0.1"
BACKLOG: Final = 64
PORT_MAX: Final = 65535


def bind(port: int) -> socket.socket:
    """Listen on a port of 127.0.0.1, 0 for any that is free.

    Raises:
        MachineError: the port is taken or not permitted.
        UsageError: it is no port.
    """
    if not 0 <= port <= PORT_MAX:
        raise UsageError(f"--admin-port {port} is no port: 0 (any that is free) to {PORT_MAX}")
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HOST, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise MachineError(
            f"the control plane cannot have {HOST}:{port}: {error.strerror}; "
            "end what listens there, or take another --admin-port (0 for any that is free)"
        ) from error
    sock.setblocking(False)
    return sock


def url(sock: socket.socket) -> str:
    """Give the URL that a bound socket is reached under."""
    host, port = sock.getsockname()
    return f"http://{host}:{port}"
