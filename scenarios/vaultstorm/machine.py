"""What this machine allows, read from where Linux says it; what it does not say is None."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CAP_NET_BIND_SERVICE: Final = 10  # linux/capability.h
_LISTEN: Final = "0A"  # TCP_LISTEN, include/net/tcp_states.h
UNLIMITED: Final = 1 << 62


@dataclass(frozen=True)
class Facts:
    """One machine, seen from this process. None: the system does not say."""

    soft_descriptors: int | None = None
    hard_descriptors: int | None = None
    port_range: tuple[int, int] | None = None
    tcp_tw_reuse: int | None = None
    somaxconn: int | None = None
    tcp_max_syn_backlog: int | None = None
    tcp_abort_on_overflow: int | None = None
    tcp_syncookies: int | None = None
    unprivileged_port_start: int | None = None
    may_bind_low_ports: bool | None = None
    """Whether this process has CAP_NET_BIND_SERVICE."""
    cores: int | None = None
    memory: int | None = None
    """Bytes that can be had without swapping."""
    uvloop: str | None = None
    openssl: str | None = None
    listening: frozenset[int] | None = None
    """TCP ports that somebody listens on, on any address."""


def read(root: Path = Path("/")) -> Facts:
    """Read the facts. Never fails: on a system without /proc there are just few of them.

    Args:
        root: what stands for ``/``.
    """
    proc = root / "proc"
    soft, hard = _descriptors()
    ports = _numbers(proc / "sys/net/ipv4/ip_local_port_range")
    ipv4, core = proc / "sys/net/ipv4", proc / "sys/net/core"
    return Facts(
        soft_descriptors=soft,
        hard_descriptors=hard,
        port_range=(ports[0], ports[1]) if len(ports) == 2 else None,
        tcp_tw_reuse=_number(ipv4 / "tcp_tw_reuse"),
        somaxconn=_number(core / "somaxconn"),
        tcp_max_syn_backlog=_number(ipv4 / "tcp_max_syn_backlog"),
        tcp_abort_on_overflow=_number(ipv4 / "tcp_abort_on_overflow"),
        tcp_syncookies=_number(ipv4 / "tcp_syncookies"),
        unprivileged_port_start=_number(ipv4 / "ip_unprivileged_port_start"),
        may_bind_low_ports=_may_bind(proc / "self/status"),
        cores=_cores(),
        memory=_memory(proc / "meminfo"),
        uvloop=_version("uvloop"),
        openssl=_openssl(),
        listening=_listening([proc / "net/tcp", proc / "net/tcp6"]),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _numbers(path: Path) -> list[int]:
    try:
        return [int(word) for word in _text(path).split()]
    except ValueError:
        return []


def _number(path: Path) -> int | None:
    numbers = _numbers(path)
    return numbers[0] if numbers else None


def _fields(path: Path) -> dict[str, str]:
    """Read `Name: value` lines, as in /proc/meminfo."""
    lines = (line.partition(":") for line in _text(path).splitlines())
    return {name: value.strip() for name, _, value in lines}


def _descriptors() -> tuple[int | None, int | None]:
    try:
        import resource
    except ImportError:
        return None, None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    return tuple(UNLIMITED if n == unlimited else n for n in (soft, hard))  # type: ignore[return-value]


def _may_bind(status: Path) -> bool | None:
    try:
        return bool(int(_fields(status)["CapEff"], 16) >> _CAP_NET_BIND_SERVICE & 1)
    except (KeyError, ValueError):
        return os.geteuid() == 0 if hasattr(os, "geteuid") else None


def _cores() -> int | None:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _memory(meminfo: Path) -> int | None:
    try:
        return int(_fields(meminfo)["MemAvailable"].removesuffix("kB")) * 1024
    except (KeyError, ValueError):
        return None


def _version(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _openssl() -> str | None:
    try:
        import ssl
    except ImportError:
        return None
    return ssl.OPENSSL_VERSION


def _listening(tables: Iterable[Path]) -> frozenset[int] | None:
    """Read who listens out of the kernel's tables: a trial connect would cost a server one."""
    found, known = set(), False
    for table in tables:
        for line in _text(table).splitlines():
            known = True
            words = line.split()
            if len(words) > 3 and words[3] == _LISTEN:
                found.add(int(words[1].rpartition(":")[2], 16))
    return frozenset(found) if known else None
