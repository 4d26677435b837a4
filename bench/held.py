"""How many TLS connections one server holds at the same time, each one answered."""

from typing import Final

from bench import servers
from bench.children import many_descriptors
from bench.holders import holders
from bench.procfs import memory
from bench.result import Column, Measurement
from bench.setup import Setup

NAME: Final = "held"
_PROCESSES: Final = 4


def measure(setup: Setup) -> Measurement:
    """Open them all, then ask on every one while all of them stand, then see that all still do."""
    connections = setup.size(10_000, 1_000)
    limit = many_descriptors()
    result = Measurement(
        NAME,
        f"{connections:,} simultaneous TLS connections from {_PROCESSES} client processes "
        f"(limit of {limit:,} descriptors per process)",
        [Column(name, name, 0) for name in ("opened", "answered", "standing")]
        + [Column("front_mib", "front process MiB")],
    )
    with (
        servers.vaultstorm(setup.folder, setup.certificate) as server,
        holders(server.port, connections, _PROCESSES, servers.PATH) as group,
    ):
        for name in ("opened", "answered", "standing"):
            step = group.step(name)
            result.row("vaultstorm").add(**{name: step.total})
        result.row("vaultstorm").add(front_mib=memory(server.front).rss / 1024)
        result.notes += [f"{times:,} x {what}" for what, times in step.failures.items()]
    for name in ("answered", "standing"):
        actual = result.row("vaultstorm").value(name)
        result.hold(f"connections {name}", actual, connections, at_most=False)
    return result
