"""How many TLS connections one server holds, and that a recycle loses none of them."""

import time
from typing import Final

from bench import servers
from bench.children import many_descriptors
from bench.holders import holders
from bench.procfs import memory
from bench.result import Column, Growth, Measurement
from bench.setup import Setup
from vaultstorm.control import ask

NAME: Final = "held"
CONNECTIONS: Final = 18_000
RECYCLES: Final = 3
_PROCESSES: Final = 4
_BETWEEN_S: Final = 1.0


def measure(setup: Setup) -> Measurement:
    """Open them all, have each one answered, and answered again while the workers are replaced."""
    connections = setup.size(CONNECTIONS, 600)
    limit = many_descriptors()
    result = Measurement(
        NAME,
        f"{connections:,} simultaneous TLS connections from {_PROCESSES} client processes, "
        f"KB908739 applied (limit of {limit:,} descriptors per process)",
        [
            *(Column(name, name, 0) for name in ("opened", "answered", "recycled", "standing")),
            Column("recycles", "recycles", 0),
            Column("front_mib", "front process MiB"),
            Column("per_s", "answers/s", 0),
        ],
        growth=Growth("connections that stand", "answers/s, one request on each in turn"),
    )
    for size in (max(1, connections // 10), connections // 3, connections):
        _hold(setup, result, size)
    result.notes.append("recycled: answered while the workers were being replaced")
    result.notes.append("three times the size is more than a process may have descriptors")
    row = result.row(_name(connections))
    for name in ("answered", "recycled", "standing"):
        result.hold(f"connections {name}", row.value(name), connections, at_most=False)
    result.hold("recycles meanwhile", row.value("recycles"), 1, at_most=False)
    return result


def _name(connections: int) -> str:
    return f"vaultstorm, {connections:,}"


def _hold(setup: Setup, result: Measurement, connections: int) -> None:
    row = result.row(_name(connections))
    with (
        servers.vaultstorm(setup.folder, setup.certificate, "--hotfix=KB908739") as server,
        holders(server.port, connections, _PROCESSES, servers.PATH) as group,
    ):

        def recycle() -> None:
            for nth in range(RECYCLES):
                time.sleep(_BETWEEN_S if nth else 0.0)
                ask(server.admin, "POST", "/recycle")

        row.add(opened=group.step("opened").total)
        begun = time.perf_counter()
        answered = group.step("answered").total
        per_s = answered / (time.perf_counter() - begun)
        row.add(answered=answered, per_s=per_s)
        before = ask(server.admin, "GET", "/status")["pool"]["starts"]
        row.add(recycled=group.step("answered", recycle).total)
        row.add(recycles=ask(server.admin, "GET", "/status")["pool"]["starts"] - before)
        step = group.step("standing")
        row.add(standing=step.total, front_mib=memory(server.front).rss / 1024)
        result.notes += [f"{times:,} x {what}" for what, times in step.failures.items()]
    assert result.growth is not None
    result.growth.add("vaultstorm", connections, per_s)
