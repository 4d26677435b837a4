"""TLS connections per second and their price, one request each, by one client core."""

import json
from collections.abc import Mapping
from typing import Final

from bench import nginx, peers
from bench.children import PYTHON, BenchError, affinity, run, two_cores
from bench.outputs import READERS
from bench.procfs import cpu_seconds
from bench.result import Column, Growth, Measurement
from bench.setup import Setup

NAME: Final = "connections"
LIMIT: Final = 1.0
CLIENTS: Final = 64
CLAIM: Final = "vaultstorm's TLS connections/s and core, x wrk"
LOOPS: Final = ("epoll loop", "uvloop")
"""Floors: what Python does without records, phases and limits."""
GROWN: Final = ("vaultstorm", "wrk", "epoll loop")
"""Those that are measured with fewer and with more clients, too."""
ENVIRONMENT: Final[Mapping[str, Mapping[str, str]]] = {"hey": {"GOMAXPROCS": "1"}}
_IN_PYTHON: Final = ("vaultstorm", *LOOPS)
_LONGEST_S: Final = 60.0


def measure(setup: Setup) -> Measurement:
    """Let each client make connections to the same nginx, in turns."""
    rounds, connections = setup.size(5, 1), setup.size(3200, 320)
    result = Measurement(
        NAME,
        f"TLS 1.3 connections, one request each, {CLIENTS} at a time, client and nginx on one core "
        f"each (median of {rounds})",
        [
            Column("rate", "connections/s", 0),
            Column("cpu_ms", "client CPU ms/connection", 3),
            Column("nginx", "nginx CPU ms/connection", 3),
            Column("failed", "failed", 0),
        ],
        reference="wrk",
        growth=Growth("clients at a time", "connections/s"),
    )
    if peers.program("nginx") is None:
        result.notes.append("nginx is not installed: nothing to connect to")
        result.hold(CLAIM, None, LIMIT)
        return result
    ours, theirs = two_cores()
    if ours is None:
        result.notes.append("one core only: client and nginx share it")
    subjects = ["vaultstorm", *(name for name in peers.CLIENTS if peers.program(name)), *LOOPS]
    with nginx.serve(setup.folder, setup.certificate, cpus=theirs) as server, affinity(ours):
        started = {name: _cpu_of_a_start(name, server.port) for name in _IN_PYTHON}
        for _ in range(rounds):
            for subject in subjects:
                _round(result, subject, server, connections, started)
        fewer, _, more = setup.sizes(CLIENTS, CLIENTS)
        for clients in (fewer, more):
            for _ in range(setup.size(2, 1)):
                for subject in (name for name in GROWN if name in subjects):
                    rate, *_rest = _measured(subject, server, clients, connections)
                    assert result.growth is not None
                    result.growth.add(subject, clients, rate)
        _alone(result, setup)
    for row in result.rows:
        busy = (row.value("rate") or 0.0) * (row.value("nginx") or 0.0) / 1e3
        row.note = f"nginx {busy:.0%} busy" if busy else row.note
    result.notes.append(
        f"vaultstorm's CPU is without the {started['vaultstorm']:.2f} s of a run with one "
        "connection, Python's start; so is that of the loops"
    )
    result.hold(CLAIM, result.ratio("vaultstorm"), LIMIT, at_most=False)
    return result


def _round(
    result: Measurement,
    subject: str,
    server: nginx.Nginx,
    connections: int,
    started: Mapping[str, float],
) -> None:
    rate, completed, failed, own, spent = _measured(subject, server, CLIENTS, connections)
    result.row(subject).add(
        rate=rate,
        cpu_ms=(own - started.get(subject, 0.0)) / completed * 1e3,
        nginx=spent / completed * 1e3,
        failed=failed,
    )
    if subject in GROWN and result.growth is not None:
        result.growth.add(subject, CLIENTS, rate)


def _measured(
    subject: str, server: nginx.Nginx, clients: int, connections: int
) -> tuple[float, int, int, float, float]:
    """Give the rate, how many were completed and failed, and the CPU seconds of both ends."""
    before = cpu_seconds(*server.pids)
    argv = command(subject, server.port, clients, max(1, connections // clients))
    finished = run(argv, _LONGEST_S, env=ENVIRONMENT.get(subject))
    spent = cpu_seconds(*server.pids) - before
    if not finished.output:
        raise BenchError(f"{subject} said nothing: {finished.errors}")
    got = READERS[subject](finished.output)
    if not got.completed:
        raise BenchError(f"{subject} completed no request: {finished.errors or finished.output}")
    return got.per_second, got.completed, got.failed, finished.cpu_s, spent


def _alone(result: Measurement, setup: Setup) -> None:
    """Measure the client's half of a handshake in memory: what no client here can go below."""
    shown = setup.certificate
    argv = [PYTHON, "-m", "bench.handshake", str(shown.chain), str(shown.key)]
    for _ in range(setup.size(3, 1)):
        finished = run([*argv, str(setup.size(1000, 100))], _LONGEST_S)
        if finished.code:
            raise BenchError(f"handshakes in memory: {finished.errors}")
        us = json.loads(finished.output)["client_us"]
        result.row("handshake alone").add(rate=1e6 / us, cpu_ms=us / 1e3)
    result.row("handshake alone").note = "client's half, in memory"


def _cpu_of_a_start(subject: str, port: int) -> float:
    """Measure the CPU seconds of a client in Python around a single connection."""
    return run(command(subject, port, 1, 1), _LONGEST_S).cpu_s


def command(subject: str, port: int, clients: int, requests: int) -> list[str]:
    """Give the command line of one client: `clients` at a time, a connection for each request."""
    url, count, total = f"https://127.0.0.1:{port}/", str(clients), str(clients * requests)
    close = "Connection: close"
    seconds = max(1, clients * requests // 800)
    lines = {
        "vaultstorm": [
            *[PYTHON, "-m", "vaultstorm", "burst", url, "--insecure", "--no-keep-alive"],
            *["--clients", count, "--requests", str(requests), "--json", "-"],
        ],
        "wrk": ["wrk", "-t1", f"-c{count}", f"-d{seconds}s", "-H", close, url],
        "ab": ["ab", "-q", "-S", "-c", count, "-n", total, url],
        "h2load": ["h2load", "--h1", "-c", count, "-n", total, "-H", close, url],
        "hey": ["hey", "-disable-keepalive", "-c", count, "-n", total, url],
        **{
            name: [PYTHON, "-m", "bench.loops", name.split()[0], str(port), count, str(requests)]
            for name in LOOPS
        },
    }
    return lines[subject]
