"""Where the object exporter is that an activation names: never farther than the burst may go."""

import ipaddress
import re
import socket
from collections.abc import Iterable
from typing import Final, NamedTuple

from vaultstorm_client.target import Address, SocketAddress, Target, endpoint, is_near
from vaultstorm_wire.dcerpc.objref import TOWER_TCP, StringBinding

_BINDING: Final = re.compile(r"\[?([^\[\]]{1,255})\]?\[([0-9]{1,5})\]")
"""A host and a port, as ``10.0.0.1[4711]`` (MS-DCOM 2.2.19.3); IPv6 with or without brackets."""
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")
_NAMES_MAX: Final = 16
"""Names that are looked up in one burst: asking for a name takes time, and a server names them."""
_NOBODY: Final = ("0.0.0.0", "::", "255.255.255.255")
_SHOWN: Final = 200


class Unreachable(OSError):
    """The string bindings lead nowhere that this client can and may connect to."""


class Where(NamedTuple):
    """An address to connect to, and how it is written down."""

    address: Address
    text: str


NOWHERE: Final = "0.0.0.0:0"
"""What an attempt has for its peer whose exporter is unreachable."""


class Exporters:
    """Chooses among string bindings, for one target.

    It is the first that names the very host the activation went to; else the first that names an
    address, or a name that resolves to that host. Without `allow_remote` no address is taken that
    is neither loopback nor private, and of another machine no loopback address ever: a server must
    not be able to aim a burst at somebody else, or at the machine that the burst comes from.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._host = _unmapped(target.address.sockaddr[0])
        self._chosen: dict[tuple[StringBinding, ...], Where] = {}
        self._names: dict[str, bool] = {}

    def choose(self, bindings: Iterable[StringBinding]) -> Where:
        """Give the address to call the object at.

        Raises:
            Unreachable: there is none.
        """
        offered = tuple(bindings)
        known = self._chosen.get(offered)
        if known is not None:
            return known
        where = self._choose([_BINDING.fullmatch(b.address) for b in offered if _tcp(b)])
        if where is None:
            shown = ", ".join(ascii(b.address)[1:-1] for b in offered if _tcp(b))[:_SHOWN]
            raise Unreachable(
                f"no string binding of the activation can be used: {shown or 'none is of TCP'}"
            )
        if len(self._chosen) < _NAMES_MAX:
            self._chosen[offered] = where
        return where

    def _choose(self, found: list[re.Match[str] | None]) -> Where | None:
        pairs = [(match[1], int(match[2])) for match in found if match is not None]
        places = [(host, port) for host, port in pairs if 0 < port < 65536]
        for host, port in places:
            if _unmapped(host) == self._host or host.casefold() == self._target.host.casefold():
                return self._at_the_target(port)
        for host, port in places:
            if _is_ip(host):
                if self._may(host):
                    return _where(host, port)
            elif self._is_the_target(host):
                return self._at_the_target(port)
        return None

    def _at_the_target(self, port: int) -> Where:
        """Give the very address that the resolver was reached at, scope and all."""
        family, (host, _, *rest) = self._target.address
        sockaddr: SocketAddress = (host, port, *rest)  # type: ignore[assignment]
        return Where(Address(family, sockaddr), endpoint(sockaddr))

    def _may(self, host: str) -> bool:
        address = ipaddress.ip_address(_unmapped(host))
        if address.is_multicast or str(address) in _NOBODY:
            return False
        if address.is_loopback and not ipaddress.ip_address(self._host).is_loopback:
            return False  # to another machine that is itself: here it is ours
        return self._target.allow_remote or is_near(host)

    def _is_the_target(self, name: str) -> bool:
        """Tell whether a name resolves to the host that the activation went to."""
        if _NAME.fullmatch(name) is None:
            return False
        if name not in self._names:
            if len(self._names) >= _NAMES_MAX:
                return False
            self._names[name] = self._host in _addresses(name)
        return self._names[name]


def _tcp(binding: StringBinding) -> bool:
    return binding.tower == TOWER_TCP


def _where(host: str, port: int) -> Where:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sockaddr: SocketAddress = (host, port, 0, 0) if ":" in host else (host, port)
    return Where(Address(family, sockaddr), endpoint(sockaddr))


def _addresses(name: str) -> set[str]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return set()
    return {_unmapped(str(sockaddr[0])) for *_, sockaddr in found}


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host  # a scope is the server's own interface, and says nothing here


def _unmapped(host: str) -> str:
    """Write an IP address in one way only; anything else as it is."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    return str(getattr(address, "ipv4_mapped", None) or address)
