"""(h) Durable puts and gets of 4 KiB blocks per second, beside what the disk gives by itself.

Where thousands of files have been deleted within the last minutes, ext4 makes new ones several
times slower: it passes over the inodes that were freed (`recently_deleted`, fs/ext4/ialloc.c). An
fsync of a file that is there does not show that; the store without a server does.
"""

import json
from typing import Final

from bench import fsync, servers
from bench.children import PYTHON, BenchError, Child
from bench.procfs import cpu_seconds
from bench.result import Column, Measurement
from bench.setup import Setup

NAME: Final = "vault"
CONNECTIONS: Final = 64
THREADS: Final = 32
"""As Vault.IsapiThreads has it."""
PUTS: Final = 1000.0
GETS: Final = 4000.0
FSYNCS: Final = 2
"""Of a put: of the file, and of the directory that its name is in."""
DISK: Final = f"write + fsync, {THREADS} threads"
DISK_1: Final = "write + fsync, 1 thread"
STORE: Final = f"the store alone, {THREADS} threads"
_LINE_S: Final = 60.0


def measure(setup: Setup) -> Measurement:
    """Put, get, and let the disk alone, in turns, in one directory."""
    rounds, seconds = setup.size(5, 1), setup.size(4, 1)
    result = Measurement(
        NAME,
        f"blocks of 4 KiB over {CONNECTIONS} kept TLS connections, {seconds} s a round "
        f"(median of {rounds})",
        [
            Column("rate", "per s", 0),
            Column("cpu_us", "server CPU us", 0),
            Column("cores", "server cores", 2),
            Column("load", "client cores", 2),
            Column("failed", "failed", 0),
        ],
        reference=DISK,
    )
    kept = setup.folder / "vault"
    kept.mkdir()
    options = [f"--set=vault.Directory={kept}", "--set=vault.Quota=0", "--hotfix=TECH39579"]
    with servers.vaultstorm(setup.folder, setup.certificate, *options) as server:
        argv = [PYTHON, "-m", "bench.vault_load", str(server.port), str(CONNECTIONS)]
        with Child(argv) as load:
            _round(server, load, "puts", 0.5)  # what is done once is done before
            for _ in range(rounds):
                result.row(DISK_1).add(rate=fsync.rate(kept, 1, seconds / 4))
                result.row(DISK).add(rate=fsync.rate(kept, THREADS, seconds / 4))
                alone = fsync.store_rate(setup.folder / "alone", THREADS, seconds / 4)
                result.row(STORE).add(rate=alone)
                result.row("PUT").add(**_round(server, load, "puts", seconds))
                result.row("GET").add(**_round(server, load, "gets", seconds))
    _hold(result)
    return result


def _round(server: servers.Server, load: Child, what: str, seconds: float) -> dict[str, float]:
    before = cpu_seconds(*server.pids)
    load.say(f"{what} {seconds}")
    got: dict[str, float] = json.loads(load.line(seconds + _LINE_S))
    spent = cpu_seconds(*server.pids) - before
    if not got["done"]:
        raise BenchError(f"no {what} in {seconds:g} s: {got['failed']:.0f} failed")
    return {
        "rate": got["done"] / seconds,
        "cpu_us": spent / got["done"] * 1e6,
        "cores": spent / seconds,
        "load": got["load"],
        "failed": got["failed"],
    }


def _hold(result: Measurement) -> None:
    allowed = (result.row(DISK).value("rate") or 0.0) / FSYNCS
    result.hold(
        f"PUT/s ({PUTS:.0f}, or as many as {FSYNCS} fsyncs each allow)",
        result.row("PUT").value("rate"),
        min(PUTS, allowed),
        at_most=False,
    )
    result.hold("GET/s", result.row("GET").value("rate"), GETS, at_most=False)
    for what in ("PUT", "GET"):
        result.hold(f"{what} that failed", sum(result.row(what).rounds["failed"]), 0)
