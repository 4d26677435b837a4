"""Makes the run directory of a DCOM burst: one that the object exporter turns away, one served."""

import random
from pathlib import Path
from typing import Any

from tests.lab.report.making import Made, Row, Rows, attempt, event, life, make, sample

FRONT = 15714
RESOLVER, EXPORTER = 43135, 40123
PEERS = {"activation": RESOLVER, "call": EXPORTER}
METHODS = {
    "activation": ("RemoteCreateInstance", "IRemoteSCMActivator"),
    "call": ("Work", "IVaultstormDemonstration"),
}


def identity(client: int, made: int) -> str:
    """Give the causality id of an attempt."""
    return f"00000000-000e-a8c8-{client >> 16:04x}-{client & 0xFFFF:04x}{made:08x}"


def tried(client: int, operation: str, start: float, outcome: str, **more: Any) -> tuple[str, Row]:
    """Make an activation or a call."""
    made = {"activation": 0, "call": 1}[operation]
    row: Row = {
        "id": identity(client, made),
        "connection": f"0.{2 * client + made}",
        "peer": f"127.0.0.1:{PEERS[operation]}",
        "local": f"127.0.0.1:{50000 + 2 * client + made}",
        "operation": operation,
    }
    return attempt(client, start, outcome, **(row | more))


def served(client: int, operation: str, start: float, took: float) -> Rows:
    """Make one that was answered, with its request and its execution."""
    phases = {"connect": 0.001, "bind": took, "send": 0.0001, "wait": 0.001, "receive": 0.0001}
    end = start + sum(phases.values())
    made = tried(client, operation, start, "ok", end=end, verdict="once", **phases)
    yield made[0], made[1] | {"sent": 488, "received": 520}
    method, interface = METHODS[operation]
    request = {"id": made[1]["id"], "connection": client, "peer": made[1]["local"]}
    request |= {"method": method, "target": interface, "worker": FRONT, "time": end - 0.0009}
    yield "request", request | {"dispatched": end - 0.0008, "answered": end, "status": 0}
    run = {"id": made[1]["id"], "time": end - 0.0004, "worker": FRONT, "method": method}
    yield "execution", run | {"target": "c1f84b0e-…", "status": 0}


def held(time: float, resolver: tuple[int, int], exporter: tuple[int, int]) -> tuple[str, Row]:
    """Make a sample; each port has what waits, and what is free."""
    table, row = sample(time, 200, 0)
    ports = dict(zip(("resolver_queued", "resolver_free"), resolver, strict=True))
    ports |= dict(zip(("exporter_queued", "exporter_free"), exporter, strict=True))
    return table, row | ports


def turned_away(rng: random.Random, clients: int) -> Rows:
    """Ten of a hundred calls find a slot; the others get RST, some of them to the SYN."""
    yield from life(0.6)
    yield event(-0.05, "runner", "action", detail="gate exporter closed")
    yield event(-0.05, "front", "gate_closed", detail="exporter")
    yield held(-0.8, (0, 200), (0, 0))
    for client in range(clients):
        start = client * 0.004
        yield from served(client, "activation", start, 0.002 + rng.random() / 1000)
        began = start + 0.006
        if client < clients // 10:
            yield from served(client, "call", began, 0.5 - began)
            yield held(began + 0.001, (0, 200), (client + 1, clients // 10 - client - 1))
            continue
        lost = {"cause": "backlog_full", "errno": "ECONNRESET", "connect": 0.001, "bind": 0.001}
        if client < clients // 10 + 5:
            refused = {"errno": "ECONNREFUSED", "bind": None}
            yield tried(client, "call", began, "connect.refused", **(lost | refused))
            continue
        made = tried(client, "call", began, "bind.reset", end=began + 0.002, **lost)
        yield made
        away = {"time": began + 0.001, "peer": made[1]["local"], "cause": "backlog_full"}
        yield "turned_away", away | {"how": "reset", "port": EXPORTER}
    if clients:
        pause = {"time": 0.05, "until": 0.07, "style": "exhausted", "caught": 0, "port": EXPORTER}
        yield "pause", pause
    yield event(0.07, "front", "protection_began", detail="5 refused")
    yield event(0.5, "runner", "action", detail="gate exporter open")
    yield held(0.55, (0, 200), (0, 10))


def busy(rng: random.Random, clients: int) -> Rows:
    """Everybody is queued, and a few calls are answered that there are too many."""
    yield from life(0.3)
    yield held(-0.8, (0, 200), (0, 0))
    for client in range(clients):
        yield from served(client, "activation", client * 0.0001, 0.01)
        began = 0.02 + client * 0.0001
        if client % 10:
            yield from served(client, "call", began, rng.random() / 10)
            continue
        row = {"cause": "call_limit", "connect": 0.001, "bind": 0.002, "send": 0.0, "wait": 0.01}
        yield tried(client, "call", began, "rpc.0x1c010014", end=began + 0.02, sent=100, **row)
        request = {"id": identity(client, 1), "connection": client, "peer": "127.0.0.1:1"}
        request |= {"method": "Work", "target": "IVaultstormDemonstration", "time": began + 0.01}
        request |= {"answered": began + 0.019, "status": 0x1C010014, "cause": "call_limit"}
        yield "request", request
    for n in range(10):
        yield held(0.02 + n * 0.01, (10 - n, 190 + n), (100 - 10 * n, 10 * n))


BROKEN = Made("broken", "RpcProtSeqMaxCalls 10, 100 threads", turned_away)
FIXED = Made("fixed-maxcalls-100", "RpcProtSeqMaxCalls 100, 100 threads", busy)


def run(directory: Path, clients: int = 100) -> Path:
    """Make the directory of a run with both."""
    return make(directory, [BROKEN, FIXED], attempts=clients)
