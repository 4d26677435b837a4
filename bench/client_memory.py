"""What one idle TLS connection costs the client in memory."""

import time
from typing import Final

from bench import nginx, peers
from bench.children import PYTHON, BenchError, Child
from bench.procfs import cpu_seconds, descendants, established, memory
from bench.result import Column, Growth, Measurement
from bench.setup import Setup

NAME: Final = "client-memory"
LIMIT_KIB: Final = 30.0
MOST: Final = 18_000
"""What a process with 20,000 descriptors can hold."""
PLAIN: Final = {"streams on uvloop": "uvloop", "streams on asyncio": "asyncio"}
"""Plain clients, and the loop of each: asyncio's own has a buffer of 256 KiB for each connection,
which Python fills with zeros (sslproto.SSLProtocol)."""
REFERENCE: Final = "streams on uvloop"
_FEW: Final = 10
"""So many connections show what the program itself takes."""
_AT_ONCE_PER_S: Final = 1000
"""How many connections a second ours is to open: more than a core can, fewer than overrun nginx."""
_QUIET_S: Final = 1.0
_BUSY: Final = 0.05
"""A client that takes less of a core than this has nothing to do but its timers."""
_STUCK_S: Final = 10.0
"""A client that has been idle for so long opens no more connections."""
_LONGEST_S: Final = 120.0


def measure(setup: Setup) -> Measurement:
    """Let each client hold the same number of connections to the same nginx, each answered once."""
    sizes = setup.sizes(10_000, 200, MOST)
    result = Measurement(
        NAME,
        f"{sizes[1]:,} idle TLS 1.3 connections to nginx, each has had one answer",
        [
            Column("kib", "KiB/connection"),
            Column("before_mib", f"MiB with {_FEW}"),
            Column("after_mib", "MiB with all"),
        ],
        reference=REFERENCE,
        growth=Growth("idle connections", "client's KiB/connection"),
    )
    claim = "KiB per idle TLS connection of the client"
    if peers.program("nginx") is None:
        result.notes.append("nginx is not installed: nothing to connect to")
        result.hold(claim, None, LIMIT_KIB)
        return result
    with nginx.serve(setup.folder, setup.certificate, connections=MOST) as server:
        for subject in ("vaultstorm", *PLAIN):
            before = _held(setup, subject, server, _FEW)
            # Gigabytes for the last one: two sizes show it.
            for size in sizes[:2] if PLAIN.get(subject) == "asyncio" else sizes:
                after = _held(setup, subject, server, size)
                kib = (after - before) / (size - _FEW)
                assert result.growth is not None
                result.growth.add(subject, size, kib)
                if size == sizes[1]:
                    mib = {"before_mib": before / 1024, "after_mib": after / 1024}
                    result.row(subject).add(kib=kib, **mib)
    result.hold(claim, result.row("vaultstorm").value("kib"), LIMIT_KIB)
    if sizes[2] < 3 * sizes[1]:
        result.notes.append(f"three times {sizes[1]:,} is more than a process can hold: {MOST:,}")
    return result


def _held(setup: Setup, subject: str, server: nginx.Nginx, connections: int) -> int:
    """Give the KiB of a client that holds connections and does nothing."""
    with Child(command(setup, subject, server.port, connections)) as child:
        _settle(subject, child, server.port, connections)
        return memory(child.pid, *descendants(child.pid)).rss


def _settle(subject: str, child: Child, port: int, connections: int) -> None:
    """Wait until a client has opened them all, and has nothing left to do.

    They are counted only once it is idle: where there are many, that takes the kernel a third of a
    second, during which the client would have to wait.
    """
    deadline = time.monotonic() + _LONGEST_S
    idle_s, open_ = 0.0, 0
    while idle_s < _STUCK_S and time.monotonic() < deadline:
        before = cpu_seconds(child.pid)
        time.sleep(_QUIET_S)
        if cpu_seconds(child.pid) - before > _BUSY * _QUIET_S:
            idle_s = 0.0
        elif (open_ := established(port)) >= connections:
            return
        else:
            idle_s += _QUIET_S
    raise BenchError(f"{subject}: {open_} of {connections} connections stand {child.errors()}")


def command(setup: Setup, subject: str, port: int, connections: int) -> list[str]:
    """Give the command line of one client: one request on each connection, then nothing."""
    if subject in PLAIN:
        return [PYTHON, "-m", "bench.idle_client", str(port), str(connections), PLAIN[subject]]
    argv = [PYTHON, "-m", "vaultstorm", "burst", f"https://127.0.0.1:{port}/", "--insecure"]
    argv += ["--clients", str(connections), "--requests", "2", "--think", "600s", "--json", "-"]
    argv += ["--ramp", f"{max(1, connections // _AT_ONCE_PER_S)}s"]
    argv += ["--connect-timeout", "120s", "--tls-timeout", "120s", "--response-timeout", "120s"]
    return [*argv, "--journal", str(setup.folder / NAME)]
