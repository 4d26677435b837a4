"""What one idle TLS connection costs the server in memory."""

import contextlib
from typing import Final

from bench import nginx, peers, servers
from bench.children import BenchError
from bench.holders import holders
from bench.procfs import memory
from bench.result import Column, Growth, Measurement
from bench.setup import Setup

NAME: Final = "memory"
LIMIT_KIB: Final = 20.0
MOST: Final = 18_000
"""What a process with 20,000 descriptors can hold."""
_PROCESSES: Final = 2


def measure(setup: Setup) -> Measurement:
    """Hold the same number of connections, each answered once, at each server in turn."""
    sizes = setup.sizes(10_000, 200, MOST)
    result = Measurement(
        NAME,
        f"{sizes[1]:,} idle TLS 1.3 connections, each has had one answer (front process only)",
        [
            Column("kib", "KiB/connection"),
            Column("pss_kib", "by PSS"),
            Column("before_mib", "before MiB"),
            Column("after_mib", "after MiB"),
        ],
        reference="uvicorn",
        growth=Growth("idle connections", "server's KiB/connection"),
    )
    with servers.vaultstorm(setup.folder, setup.certificate) as ours:
        answer = servers.answer_of(ours.port)
        _hold(result, "vaultstorm", ours.port, ours.front, sizes)
    with servers.uvicorn(setup.folder, setup.certificate, answer) as theirs:
        servers.answer_of(theirs.port)
        _hold(result, "uvicorn", theirs.port, theirs.front, sizes)
    if peers.program("nginx"):
        with nginx.serve(setup.folder, setup.certificate, connections=MOST) as third:
            servers.answer_of(third.port)
            _hold(result, "nginx", third.port, third.pids[-1], sizes)
    result.hold("KiB per idle TLS connection", result.row("vaultstorm").value("kib"), LIMIT_KIB)
    if sizes[2] < 3 * sizes[1]:
        result.notes.append(f"three times {sizes[1]:,} is more than a process can hold: {MOST:,}")
    return result


def _hold(
    result: Measurement, subject: str, port: int, pid: int, sizes: tuple[int, int, int]
) -> None:
    """Open more and more, and look at each size what there was before the first."""
    before, open_ = memory(pid), 0
    with contextlib.ExitStack() as stack:
        for size in sizes:
            more = size - open_
            group = stack.enter_context(holders(port, more, _PROCESSES, servers.PATH))
            for name in ("opened", "answered", "standing"):
                step = group.step(name)
                if step.total != more:
                    raise BenchError(
                        f"{subject}: {step.total} of {more} connections {name}: {step.failures}"
                    )
            open_, after = size, memory(pid)
            kib = (after.rss - before.rss) / size
            assert result.growth is not None
            result.growth.add(subject, size, kib)
            if size == sizes[1]:
                result.row(subject).add(
                    kib=kib,
                    pss_kib=(after.pss - before.pss) / size,
                    before_mib=before.rss / 1024,
                    after_mib=after.rss / 1024,
                )
