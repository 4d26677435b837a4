"""(b) TLS connections per second and their price, one request each, by one client core."""

from collections.abc import Mapping
from typing import Final

from bench import nginx, peers
from bench.children import PYTHON, BenchError, affinity, run, two_cores
from bench.outputs import READERS
from bench.procfs import cpu_seconds
from bench.result import Column, Measurement
from bench.setup import Setup

NAME: Final = "connections"
LIMIT: Final = 0.8
CLIENTS: Final = 64
CLAIM: Final = "vaultstorm's TLS connections/s and core, x wrk"
_LONGEST_S: Final = 60.0
ENVIRONMENT: Final[Mapping[str, Mapping[str, str]]] = {"hey": {"GOMAXPROCS": "1"}}


def measure(setup: Setup) -> Measurement:
    """Let each client make connections to the same nginx, in turns."""
    rounds, requests = setup.size(5, 1), setup.size(50, 5)
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
    )
    if peers.program("nginx") is None:
        result.notes.append("nginx is not installed: nothing to connect to")
        result.hold(CLAIM, None, LIMIT)
        return result
    ours, theirs = two_cores()
    if ours is None:
        result.notes.append("one core only: client and nginx share it")
    subjects = ["vaultstorm", *(name for name in peers.CLIENTS if peers.program(name))]
    with nginx.serve(setup.folder, setup.certificate, cpus=theirs) as server, affinity(ours):
        started = _cpu_of_a_start(server.port)
        for _ in range(rounds):
            for subject in subjects:
                _round(result, subject, server, requests, started)
    for row in result.rows:
        busy = (row.value("rate") or 0.0) * (row.value("nginx") or 0.0) / 1e3
        row.note = f"nginx {busy:.0%} busy"
    result.notes.append(
        f"vaultstorm's CPU is without the {started:.2f} s of a run with one connection: "
        "Python's start"
    )
    result.hold(CLAIM, result.ratio("vaultstorm"), LIMIT, at_most=False)
    return result


def _round(
    result: Measurement, subject: str, server: nginx.Nginx, requests: int, started: float
) -> None:
    before = cpu_seconds(*server.pids)
    argv = command(subject, server.port, CLIENTS, requests)
    finished = run(argv, _LONGEST_S, env=ENVIRONMENT.get(subject))
    spent = cpu_seconds(*server.pids) - before
    got = READERS[subject](finished.output)
    if not got.completed:
        raise BenchError(f"{subject} completed no request: {finished.errors or finished.output}")
    own = finished.cpu_s - (started if subject == "vaultstorm" else 0.0)
    result.row(subject).add(
        rate=got.per_second,
        cpu_ms=own / got.completed * 1e3,
        nginx=spent / got.completed * 1e3,
        failed=got.failed,
    )


def _cpu_of_a_start(port: int) -> float:
    """Measure the CPU seconds of our client around a single connection."""
    return run(command("vaultstorm", port, 1, 1), _LONGEST_S).cpu_s


def command(subject: str, port: int, clients: int, requests: int) -> list[str]:
    """Give the command line of one client: `clients` at a time, a connection for each request."""
    url, count, total = f"https://127.0.0.1:{port}/", str(clients), str(clients * requests)
    close = "Connection: close"
    lines = {
        "vaultstorm": [
            *[PYTHON, "-m", "vaultstorm", "burst", url, "--insecure", "--no-keep-alive"],
            *["--clients", count, "--requests", str(requests), "--json", "-"],
        ],
        "wrk": ["wrk", "-t1", f"-c{count}", f"-d{max(1, requests // 20)}s", "-H", close, url],
        "ab": ["ab", "-q", "-S", "-c", count, "-n", total, url],
        "h2load": ["h2load", "--h1", "-c", count, "-n", total, "-H", close, url],
        "hey": ["hey", "-disable-keepalive", "-c", count, "-n", total, url],
    }
    return lines[subject]
