"""Where clients are told to connect: the string bindings of the resolver and of the exporters."""

import socket
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from vaultstorm_wire.dcerpc.objref import TOWER_TCP, DualStringArray, StringBinding

RESOLVER_PORT: Final = 135
"""Every client knows the resolver's port, so no binding names it (MS-DCOM 2.2.19.3)."""

AUTHN_HINT: Final = 1
"""What an exporter asks of its callers: RPC_C_AUTHN_LEVEL_NONE (MS-RPCE 2.2.1.1.8)."""


@lru_cache(maxsize=256)
def bindings(address: str, port: int) -> DualStringArray:
    """Give the string bindings of a port, without security ones: nothing here authenticates.

    The address on which the client has reached us comes first, since it is the one that is known to
    work; then the machine's name, and on loopback its name there.

    Args:
        address: of this machine, where the client has connected.
        port: of the resolver, or of an object exporter.
    """
    names = [address, socket.gethostname()]
    if _is_loopback(address):
        names.append("localhost")
    endpoint = "" if port == RESOLVER_PORT else f"[{port}]"
    return DualStringArray(
        tuple(StringBinding(TOWER_TCP, f"{name}{endpoint}") for name in dict.fromkeys(names))
    )


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
