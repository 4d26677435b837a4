"""What the placeholders of a variant stand for, and the files they are put into."""

import errno
import random
import socket
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from vaultstorm.foreign import certificates, placeholders
from vaultstorm.foreign.target import HOST, Target
from vaultstorm_client.target import PORTS
from vaultstorm_wire.errors import MachineError

_EPHEMERAL: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST: Final = 10_000
_TRIES: Final = 200
DIRECTORY: Final = "target"
"""A variant's own directory for its target, in the variant's."""


def started(
    target: Target, directory: Path, tls: Path, port: int, scheme: str, more: Iterable[str] = ()
) -> dict[str, str]:
    """Give the values for a server that is started here.

    Args:
        target: the server.
        directory: of the variant.
        tls: where a certificate is made, if one is asked for.
        port: where it is to listen; 0 for any that is free.
        scheme: of the load.
        more: texts in which placeholders may stand as well: the commands of actions.

    Raises:
        MachineError: the port is in use, or no certificate can be made.
    """
    if port and not _is_free(port):
        raise MachineError(f"port {port} is in use, and what answers there is another server")
    chosen = port or free_port()
    named = {name for text in (*target.texts, *more) for name in placeholders.named(text)}
    wants_tls = scheme == "https" or not named.isdisjoint(placeholders.TLS)
    made = certificates.make(tls / DIRECTORY, HOST) if wants_tls else {}
    return {**_common(directory), **_address(HOST, chosen), **made}


def elsewhere(target: Target, directory: Path) -> dict[str, str]:
    """Give the values for a server that runs already."""
    assert target.url is not None  # as `target.read` has seen to
    parts = urlsplit(target.url)
    return {**_common(directory), **_address(parts.hostname or "", port_of(target.url))}


def port_of(url: str) -> int:
    """Give the port of a URL that `target.read` has taken."""
    parts = urlsplit(url)
    return parts.port or PORTS[parts.scheme] or 0


def write_files(target: Target, values: Mapping[str, str]) -> None:
    """Write the files of a target, with the placeholders in them replaced. Raises MachineError."""
    directory = Path(values["dir"])
    name = ""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in target.files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(placeholders.fill(content, values), "utf-8")
    except OSError as error:
        raise MachineError(f"cannot write {directory / name}: {error.strerror}") from error


def free_port() -> int:
    """Give a TCP port that nobody listens on, and that no connection of our own load can get.

    The kernel gives outgoing connections ports of a range; one out of that could be gone by the
    time that the server asks for it.
    """
    try:
        first = int(_EPHEMERAL.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        first = 0
    for _ in range(_TRIES if first > _LOWEST else 0):
        port = random.randrange(_LOWEST, first)
        if _is_free(port):
            return port
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


def _is_free(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        return error.errno != errno.EADDRINUSE  # what else there is, the server will say
    return True


def _common(directory: Path) -> dict[str, str]:
    return {
        "dir": str((directory / DIRECTORY).absolute()),
        "journal": str((directory / "journal").absolute()),
        "python": sys.executable,
    }


def _address(host: str, port: int) -> dict[str, str]:
    written = f"[{host}]" if ":" in host else host
    return {"host": host, "port": str(port), "address": f"{written}:{port}"}
