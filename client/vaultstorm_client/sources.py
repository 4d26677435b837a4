"""Source addresses: a burst that would run out of ports to one address comes from several."""

import ipaddress
import socket
from pathlib import Path
from typing import Final

from vaultstorm_client.target import Address, Target

PORT_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
DEFAULT_PORTS: Final = 28232
"""Size of Linux's own default range, 32768 to 60999 (ip-sysctl)."""
ADDRESSES_MAX: Final = 64
IP_BIND_ADDRESS_NO_PORT: Final = 24
"""linux/in.h: bind() takes the address only, connect() chooses the port; or else one port would
serve one connection, whatever the target."""


def port_count() -> int:
    """Tell how many ports the kernel chooses from."""
    try:
        low, high = PORT_RANGE.read_text().split()
    except (OSError, ValueError):
        return DEFAULT_PORTS
    return int(high) - int(low) + 1


def addresses(target: Target, connections: int, ports: int) -> list[str | None]:
    """Choose where connections come from; clients take them in turn.

    Args:
        target: only a target on IPv4 loopback gives a choice: all of 127.0.0.0/8 is this machine.
        connections: how many the burst may open in all. Half of the ports is left unused, since
            closed connections keep theirs for a while (TIME_WAIT).
        ports: how many ports one address has.

    Returns:
        Addresses to bind to; None is the kernel's own choice.
    """
    needed = min(ADDRESSES_MAX, -(-connections * 2 // ports))
    if needed <= 1 or not on_loopback(target.address):
        return [None]
    return [None, *(f"127.0.1.{index}" for index in range(1, needed))]


def on_loopback(address: Address) -> bool:
    """Tell whether an address can be reached from all of 127.0.0.0/8."""
    if address.family != socket.AF_INET:
        return False
    return ipaddress.ip_address(address.sockaddr[0]).is_loopback


def bind(sock: socket.socket, source: str | None) -> None:
    """Let `sock` come from `source`. Raises OSError."""
    if source is not None:
        sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((source, 0))
