"""(i) DCE/RPC exchanges per second, our server and a client together: kept and fresh connections.

Kept: each exchange binds the interface again (alter_context) and calls it, two round trips. Fresh:
our own burst client, where every attempt is a connection of its own with a bind and a call; half of
them activate an object at the resolver, the others call it at its exporter. The server keeps its
journal.
"""

import json
from pathlib import Path
from typing import Any, Final

from bench import servers
from bench.children import PYTHON, BenchError, Child, run
from bench.procfs import cpu_seconds
from bench.result import Column, Measurement
from bench.setup import Setup

NAME: Final = "rpc"
KEPT_PER_S: Final = 8000.0
FRESH_PER_S: Final = 1500.0
CONNECTIONS: Final = 32
KEPT: Final = "kept: bind and call"
FRESH: Final = "fresh: connect, bind and call"
BURST: Final = "kept: activation and call"
_APPID: Final = "8e5f1c6a-4b0d-4c57-9d3e-5a7b2f60c9d1"
_ROOMY: Final = (
    *("--hotfix=KB960007", f"--set=AppID.{_APPID}.RpcProtSeqMaxCalls=100"),
    *("--set=afd.EnableDynamicBacklog=1", "--set=afd.MinimumDynamicBacklog=20"),
    *("--set=afd.MaximumDynamicBacklog=20000", "--set=afd.DynamicBacklogGrowthDelta=10"),
    "--set=rpc.MaxObjects=1000000",
)
"""The article's whole recipe: nobody is to be turned away here."""
_LINE_S: Final = 60.0


def measure(setup: Setup) -> Measurement:
    """Exchange over kept and over fresh connections, in turns."""
    rounds, seconds, requests = setup.size(5, 1), setup.size(4, 1), setup.size(100, 5)
    result = Measurement(
        NAME,
        f"DCE/RPC over {CONNECTIONS} connections at once (median of {rounds})",
        [
            Column("rate", "per s", 0),
            Column("cpu_us", "server CPU us", 0),
            Column("cores", "server cores", 2),
            Column("failed", "failed", 0),
        ],
    )
    journal = setup.folder / "rpc-journal"
    with (
        servers.vaultstorm_rpc(setup.folder, *_ROOMY, f"--journal={journal}") as server,
        Child([PYTHON, "-m", "bench.rpc_load", str(server.port), str(CONNECTIONS)]) as load,
    ):
        _kept(server, load, 0.5)  # what is done once is done before
        for _ in range(rounds):
            result.row(KEPT).add(**_kept(server, load, seconds))
            fresh = _burst(server, setup.folder, requests, "--no-keep-alive")
            result.row(FRESH).add(**fresh)
            result.row(BURST).add(**_burst(server, setup.folder, 2 * requests))
    for subject, limit in ((KEPT, KEPT_PER_S), (FRESH, FRESH_PER_S)):
        result.hold(f"{subject}, per s", result.row(subject).value("rate"), limit, at_most=False)
    for subject in (KEPT, FRESH, BURST):
        result.hold(f"{subject}: failed", sum(result.row(subject).rounds["failed"]), 0)
    return result


def _kept(server: servers.Server, load: Child, seconds: float) -> dict[str, float]:
    before = cpu_seconds(*server.pids)
    load.say(str(seconds))
    got: dict[str, float] = json.loads(load.line(seconds + _LINE_S))
    spent = cpu_seconds(*server.pids) - before
    return _row(int(got["done"]), int(got["failed"]), seconds, spent)


def _burst(server: servers.Server, folder: Path, requests: int, *more: str) -> dict[str, float]:
    summary = folder / "rpc-burst.json"
    argv = [
        PYTHON,
        "-m",
        "vaultstorm",
        "burst",
        f"rpc://127.0.0.1:{server.port}",
        f"--json={summary}",
    ]
    argv += [f"--clients={CONNECTIONS}", f"--requests={requests}", *more]
    before = cpu_seconds(*server.pids)
    run(argv, _LINE_S)
    spent = cpu_seconds(*server.pids) - before
    got: dict[str, Any] = json.loads(summary.read_bytes())
    return _row(got["ok"], got["attempts"] - got["ok"], got["duration_s"], spent)


def _row(done: int, failed: int, seconds: float, spent: float) -> dict[str, float]:
    if not done:
        raise BenchError(f"no exchange in {seconds:g} s: {failed} failed")
    return {
        "rate": done / seconds,
        "cpu_us": spent / done * 1e6,
        "cores": spent / seconds,
        "failed": failed,
    }
