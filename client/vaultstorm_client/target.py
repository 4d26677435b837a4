"""What a burst is aimed at: a URL, made into addresses."""

import ipaddress
import socket
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from vaultstorm_wire.errors import MachineError, UsageError

PORTS: Final[dict[str, int | None]] = {
    "https": 443,
    "http": 80,
    "tcp": None,
    "rpc": 135,
}
"""The schemes that can be aimed at, and the port of a URL that names none."""

NEAR: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            *("127.0.0.0/8", "::1/128"),  # loopback
            *("0.0.0.0/32", "::/128"),  # unspecified: Linux connects to itself
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),  # RFC 1918, RFC 4193
            *("169.254.0.0/16", "fe80::/10"),  # link-local: RFC 3927, RFC 4291
        ),
    )
)
"""What may be aimed at unasked. `ipaddress.is_private` takes in far more: networks reserved for
documentation, benchmarks or later use, to which a router may well lead."""

SocketAddress = tuple[str, int] | tuple[str, int, int, int]


class Address(NamedTuple):
    """One address of a target, as `socket` takes it."""

    family: socket.AddressFamily
    sockaddr: SocketAddress

    def __str__(self) -> str:
        return endpoint(self.sockaddr)


class Target(NamedTuple):
    """A parsed and resolved URL.

    Attributes:
        scheme: ``https``, ``http``, ``tcp`` or ``rpc``.
        host: as written, for SNI, the certificate and the Host header; IPv6 without brackets.
        port: TCP port.
        path: path and query as written; empty if the URL has none.
        addresses: what the host resolves to, in the resolver's order; never empty.
        allow_remote: whether what a server names in its turn may be neither loopback nor private.
    """

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[Address, ...]
    allow_remote: bool = False

    @property
    def address(self) -> Address:
        """The address that is used: the first."""
        return self.addresses[0]

    @property
    def netloc(self) -> str:
        """Host and port for the Host header, without a port that the scheme implies."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if PORTS[self.scheme] == self.port else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.path}"


def endpoint(sockaddr: SocketAddress) -> str:
    """Write an address as ``127.0.0.1:443`` or ``[::1]:443``."""
    host, port = sockaddr[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse(url: str, allow_remote: bool = False) -> Target:
    """Read and resolve a URL.

    Args:
        url: ``https://``, ``http://``, ``rpc://``, or ``tcp://`` with a port.
        allow_remote: accept addresses that are neither loopback nor private. Without it a slip of
            the keyboard cannot aim a burst at somebody else's machine.

    Raises:
        UsageError: it is not such a URL, or it leads out of the private networks.
        MachineError: its host does not resolve.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{url!r} is not a URL: {error}") from error
    if parts.scheme not in PORTS or not parts.hostname:
        known = ", ".join(f"{scheme}://" for scheme in PORTS)
        raise UsageError(
            f"{url!r} is not a target: give one of {known}, such as tcp://127.0.0.1:8443"
        )
    if parts.username is not None or parts.fragment:
        raise UsageError(f"{url!r}: a target has neither a user name nor a fragment")
    if not parts.hostname.isascii():
        raise UsageError(f"{url!r}: write the host name in ASCII, as xn--…")
    port = PORTS[parts.scheme] if port is None else port
    if not port:
        raise UsageError(
            f"{url!r}: a {parts.scheme}:// target names its port, such as tcp://127.0.0.1:8443"
        )
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    path = f"/{path}" if path.startswith("?") else path  # RFC 9112, 3.2.1
    check_path(path)
    if parts.scheme == "rpc":
        if path.strip("/"):
            raise UsageError(f"{url!r}: an rpc:// target has no path: it is a host and its port")
        path = ""
    addresses = _resolve(parts.hostname, port)
    target = Target(parts.scheme, parts.hostname, port, path, addresses, allow_remote)
    if not allow_remote:
        _keep_near(target)
    return target


def check_path(path: str) -> None:
    """Raise UsageError if `path` cannot stand in a request line."""
    if not path.isascii() or any(c <= " " or c == "\x7f" for c in path):
        raise UsageError(f"{path!r}: write spaces and letters outside ASCII as %xx")


def is_near(host: str) -> bool:
    """Tell whether an IP address is a loopback or a private one."""
    address = ipaddress.ip_address(host.partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in NEAR)


def _resolve(host: str, port: int) -> tuple[Address, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise MachineError(f"{host!r} does not resolve: {error}") from error
    return tuple(Address(family, sockaddr) for family, _, _, _, sockaddr in found)  # type: ignore[arg-type]


def _keep_near(target: Target) -> None:
    for _, sockaddr in target.addresses:
        if not is_near(sockaddr[0]):
            raise UsageError(
                f"{target}: {sockaddr[0]} is neither a loopback nor a private address; "
                "if that machine is yours to load, say so with --allow-remote"
            )
