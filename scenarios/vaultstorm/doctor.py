"""Is this machine fit for a burst? Pure: from facts to findings, each with what would mend it."""

import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vaultstorm.machine import UNLIMITED, Facts

SPARE_DESCRIPTORS: Final = 64
"""What a process holds beside its connections: files, the loop, the channels of workers."""
BYTES_PER_CLIENT: Final = 100 * 1024
"""Both ends of one TLS connection, with the kernel's buffers, generously."""


class Level(StrEnum):
    """How a finding bears on the burst: `bad` stands in its way, `warn` may distort it."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's.

    Attributes:
        value: what was found.
        why: why it matters to a burst.
        fix: the command that mends it; empty where there is nothing to mend.
    """

    name: str
    level: Level
    value: str
    why: str
    fix: str = ""


@dataclass(frozen=True)
class Wanted:
    """What the machine is to be fit for."""

    clients: int = 1000
    port: int = 443
    admin_port: int = 8079


def examine(facts: Facts, wanted: Wanted) -> list[Finding]:
    """Say everything that bears on a burst of that size on that machine."""
    return [
        *_descriptors(facts, wanted.clients),
        *_ports(facts, wanted.clients),
        *_queues(facts, wanted.clients),
        *_permission(facts, wanted.port),
        *_taken(facts, wanted),
        *_hardware(facts, wanted.clients),
        *_libraries(facts),
    ]


def fit(findings: list[Finding]) -> bool:
    """Tell whether nothing stands in the way."""
    return all(finding.level is not Level.BAD for finding in findings)


def _unknown(name: str, why: str) -> Finding:
    return Finding(name, Level.WARN, "unknown", f"this system does not say; {why}")


def _descriptors(facts: Facts, clients: int) -> Iterator[Finding]:
    name, soft, hard = "descriptors", facts.soft_descriptors, facts.hard_descriptors
    why = "each connection takes one in the client and one in the server"
    if soft is None or hard is None:
        yield _unknown(name, why)
        return
    need = clients + SPARE_DESCRIPTORS
    allowed = "no limit" if soft >= UNLIMITED else f"enough for {max(0, soft - SPARE_DESCRIPTORS)}"
    value = f"soft {_limit(soft)}, hard {_limit(hard)}: {allowed} clients"
    if allowed == "no limit":
        value = f"soft {_limit(soft)}, hard {_limit(hard)}"
    if soft >= need:
        yield Finding(name, Level.OK, value, why)
    elif hard >= need:
        yield Finding(name, Level.BAD, value, why, f"ulimit -n {need}")
    else:
        fix = f"sudo prlimit --pid $$ --nofile={need}:{need}"
        yield Finding(name, Level.BAD, value, why, fix)


def _limit(number: int) -> str:
    return "unlimited" if number >= UNLIMITED else str(number)


def _ports(facts: Facts, clients: int) -> Iterator[Finding]:
    name = "ephemeral ports"
    if facts.port_range is None:
        yield _unknown(name, "they bound the connections from one address to one server")
    else:
        low, high = facts.port_range
        count = max(0, high - low + 1)
        value = f"{low} to {high}: {count} connections to one server"
        why = "a burst to 127.0.0.0/8 takes several source addresses beyond half of them"
        fix = "sudo sysctl -w net.ipv4.ip_local_port_range='1024 65535'"
        if clients > count:
            why = f"fewer than the {clients} clients; {why}, any other target gets connect.local"
            yield Finding(name, Level.WARN, value, why, fix)
        elif clients * 2 > count:
            why = f"a second burst meets the first one's ports in TIME_WAIT; {why}"
            yield Finding(name, Level.WARN, value, why, fix)
        else:
            yield Finding(name, Level.OK, value, "each connection to one server takes one")
    reuse = facts.tcp_tw_reuse
    if reuse == 0:
        yield Finding(
            "tcp_tw_reuse",
            Level.WARN,
            "0",
            "a closed connection keeps its port for 60 s, so that bursts in a row run out of ports",
            "sudo sysctl -w net.ipv4.tcp_tw_reuse=2",
        )
    elif reuse is not None:
        where = "on loopback" if reuse == 2 else "everywhere"
        why = f"ports in TIME_WAIT are used again {where}"
        yield Finding("tcp_tw_reuse", Level.OK, str(reuse), why)


def _queues(facts: Facts, clients: int) -> Iterator[Finding]:
    why = "caps the kernel's accept queue of every server"
    if facts.somaxconn is None:
        yield _unknown("somaxconn", why)
    elif facts.somaxconn < clients:
        yield Finding(
            "somaxconn",
            Level.WARN,
            str(facts.somaxconn),
            f"{why}: a spike of {clients} can overflow the kernel's queue, beside the emulated one",
            f"sudo sysctl -w net.core.somaxconn={max(4096, clients)}",
        )
    else:
        yield Finding("somaxconn", Level.OK, str(facts.somaxconn), why)
    yield from _syn_queue(facts, clients)
    if facts.tcp_abort_on_overflow is not None:
        yield Finding(
            "tcp_abort_on_overflow",
            Level.OK,
            str(facts.tcp_abort_on_overflow),
            "does nothing here: on loopback a surplus SYN is dropped before it could be reset, and "
            "the server makes its resets itself",
        )


def _syn_queue(facts: Facts, clients: int) -> Iterator[Finding]:
    backlog, cookies = facts.tcp_max_syn_backlog, facts.tcp_syncookies
    if backlog is not None:
        why = "bounds half-open connections while tcp_syncookies is 0"
        if cookies == 0 and backlog < clients:
            fix = f"sudo sysctl -w net.ipv4.tcp_max_syn_backlog={max(4096, clients)}"
            why = f"{why}: the kernel may drop SYNs of a spike of {clients}"
            yield Finding("tcp_max_syn_backlog", Level.WARN, str(backlog), why, fix)
        else:
            yield Finding("tcp_max_syn_backlog", Level.OK, str(backlog), why)
    if cookies == 2:
        why = "cookies for every connection: the kernel's queues do not behave as in production"
        fix = "sudo sysctl -w net.ipv4.tcp_syncookies=1"
        yield Finding("tcp_syncookies", Level.WARN, "2", why, fix)
    elif cookies is not None:
        why = "cookies when the queue of SYNs is full" if cookies else "no cookies"
        yield Finding("tcp_syncookies", Level.OK, str(cookies), why)


def _permission(facts: Facts, port: int) -> Iterator[Finding]:
    name, start, may = (
        f"permission for {port}",
        facts.unprivileged_port_start,
        facts.may_bind_low_ports,
    )
    why = "`vaultstorm serve` listens there"
    if start is not None and start <= port:
        yield Finding(name, Level.OK, f"ports from {start} on are free for all", why)
    elif may:
        yield Finding(name, Level.OK, "CAP_NET_BIND_SERVICE", why)
    elif start is None and (may is None or port >= 1024):
        yield _unknown(name, why)
    else:
        python = shlex.quote(sys.executable)
        yield Finding(
            name,
            Level.BAD,
            "no",
            f"{why}; or let it listen on another port, as with --port 8443",
            f"sudo sysctl -w net.ipv4.ip_unprivileged_port_start={port}, or "
            f'sudo setcap cap_net_bind_service=+ep "$(readlink -f {python})"',
        )


def _taken(facts: Facts, wanted: Wanted) -> Iterator[Finding]:
    for port, option, what in (
        (wanted.port, "--port", "`vaultstorm serve` listens there"),
        (wanted.admin_port, "--admin-port", "the control plane listens there"),
    ):
        name = f"port {port}"
        if facts.listening is None:
            yield _unknown(name, what)
        elif port in facts.listening:
            fix = f"ss -ltnp 'sport = :{port}'"
            why = (
                f"{what}, and somebody does; fine if it is the server to be tested, or use {option}"
            )
            yield Finding(name, Level.WARN, "taken", why, fix)
        else:
            yield Finding(name, Level.OK, "free", what)


def _hardware(facts: Facts, clients: int) -> Iterator[Finding]:
    if facts.cores is not None:
        level = Level.OK if facts.cores > 1 else Level.WARN
        why = "client and server share them: with one, each distorts what the other measures"
        yield Finding("cores", level, str(facts.cores), why)
    need = clients * BYTES_PER_CLIENT
    why = f"{clients} clients and their server take about {_mebibytes(need)}"
    if facts.memory is None:
        yield _unknown("memory", why)
    else:
        level = Level.OK if facts.memory >= need else Level.BAD
        fix = "" if level is Level.OK else f"--clients {facts.memory // BYTES_PER_CLIENT}"
        yield Finding("memory", level, f"{_mebibytes(facts.memory)} available", why, fix)


def _mebibytes(size: int) -> str:
    return f"{-(-size // (1 << 20))} MiB"


def _libraries(facts: Facts) -> Iterator[Finding]:
    if facts.uvloop is None:
        fix = f"{shlex.quote(sys.executable)} -m pip install uvloop"
        yield Finding("uvloop", Level.BAD, "missing", "the server's event loop", fix)
    else:
        yield Finding("uvloop", Level.OK, facts.uvloop, "the server's event loop")
    if facts.openssl is None:
        yield Finding("OpenSSL", Level.BAD, "missing", "this Python cannot speak TLS")
    else:
        yield Finding("OpenSSL", Level.OK, facts.openssl, "TLS of client and server")
