"""(d) What one idle TLS connection costs the server in memory."""

from typing import Final

from bench import nginx, peers, servers
from bench.children import BenchError
from bench.holders import holders
from bench.procfs import memory
from bench.result import Column, Measurement
from bench.setup import Setup

NAME: Final = "memory"
LIMIT_KIB: Final = 30.0


def measure(setup: Setup) -> Measurement:
    """Hold the same number of connections, each answered once, at each server in turn."""
    connections = setup.size(3000, 300)
    result = Measurement(
        NAME,
        f"{connections:,} idle TLS 1.3 connections, each has had one answer (front process only)",
        [
            Column("kib", "KiB/connection"),
            Column("pss_kib", "by PSS"),
            Column("before_mib", "before MiB"),
            Column("after_mib", "after MiB"),
        ],
        reference="uvicorn",
    )
    with servers.vaultstorm(setup.folder, setup.certificate) as ours:
        answer = servers.answer_of(ours.port)
        _hold(result, "vaultstorm", ours.port, ours.front, connections)
    with servers.uvicorn(setup.folder, setup.certificate, answer) as theirs:
        servers.answer_of(theirs.port)
        _hold(result, "uvicorn", theirs.port, theirs.front, connections)
    if peers.program("nginx"):
        with nginx.serve(setup.folder, setup.certificate) as third:
            servers.answer_of(third.port)
            _hold(result, "nginx", third.port, third.pids[-1], connections)
    result.hold("KiB per idle TLS connection", result.row("vaultstorm").value("kib"), LIMIT_KIB)
    return result


def _hold(result: Measurement, subject: str, port: int, pid: int, connections: int) -> None:
    before = memory(pid)
    with holders(port, connections, 1, servers.PATH) as group:
        for name in ("opened", "answered", "standing"):
            step = group.step(name)
            if step.total != connections:
                raise BenchError(
                    f"{subject}: {step.total} of {connections} connections {name}: {step.failures}"
                )
        after = memory(pid)
    result.row(subject).add(
        kib=(after.rss - before.rss) / connections,
        pss_kib=(after.pss - before.pss) / connections,
        before_mib=before.rss / 1024,
        after_mib=after.rss / 1024,
    )
