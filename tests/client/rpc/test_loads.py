"""The loads of a burst, with clients that activate and call: each of them works as with HTTP."""

import socket
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.client.harness import HOST, fire, records
from tests.client.rpc.fake_rpc import FakeRpc, Rpc, fire_at
from vaultstorm_client import target
from vaultstorm_client.clock import monotonic
from vaultstorm_client.engine import Engine
from vaultstorm_client.journal import JournalFile
from vaultstorm_client.plan import Plan
from vaultstorm_client.tally import Counts
from vaultstorm_wire.dcerpc.objref import StringBinding


def test_syns_are_sent_again_at_either_port(tmp_path: Path) -> None:
    """As a Windows client does, if asked to, and each is counted."""
    with socket.socket() as nobody:
        nobody.bind((HOST, 0))
        bindings = (StringBinding(7, f"{HOST}[{nobody.getsockname()[1]}]"),)
        with FakeRpc(bindings=bindings) as server:
            retries: dict[str, Any] = {"syn_retries": 2, "syn_retry_interval": 0.01}
            fired = fire(server.resolver.port, tmp_path, "rpc", clients=2, **retries)
    assert fired.outcomes == {"ok": 2, "connect.refused": 2}
    assert {record.syn_retries for record in fired.records if record.outcome != "ok"} == {2}
    assert fired.result["retries"]["syn"] == 4


@pytest.mark.parametrize(
    "options",
    [
        {"clients": 20, "rate": 500.0},
        {"clients": 20, "ramp": 0.05},
        {"clients": 150},
        {"clients": 6, "requests": 3, "processes": 3},
        {"clients": None, "rate": 100.0, "duration": 0.2, "arrivals": "poisson"},
        {"clients": 3, "requests": None, "duration": 0.2},
    ],
    ids=["rate", "ramp", "spike", "processes", "poisson", "duration"],
)
def test_every_load(tmp_path: Path, options: dict[str, Any]) -> None:
    """All at once or as they come, in one process or in several, each attempt is told once."""
    with FakeRpc() as server:
        fired = fire_at(server, tmp_path, **options)
    assert set(fired.outcomes) == {"ok"}
    assert fired.result["attempts"] > 0
    by_client = Counter(record.id[:28] for record in fired.records)
    if fired.plan.clients and fired.plan.requests:
        assert set(by_client.values()) == {2 * fired.plan.requests}
        assert len(by_client) == fired.plan.clients


def test_the_same_ids_for_the_same_seed(tmp_path: Path) -> None:
    """However many processes share a burst, the causality ids are the same."""
    found = []
    for processes in (1, 2):
        with FakeRpc() as server:
            directory = tmp_path / str(processes)
            fired = fire_at(server, directory, clients=4, requests=2, processes=processes)
        found.append(sorted(record.id for record in fired.records))
    assert found[0] == found[1]


@pytest.mark.parametrize("clients", [1, 2, 100])
def test_a_spike_is_one_tight_loop(tmp_path: Path, clients: int) -> None:
    """All sockets of the activations exist before the first connect."""
    made: list[str] = []

    class Watched(Engine):
        def next_connection(self) -> int:
            made.append("socket")
            return super().next_connection()

        def syn(self, instant: float) -> None:
            made.append("syn")
            super().syn(instant)

    with FakeRpc() as server:
        plan = Plan(clients=clients, seed=3)
        aim = target.parse(f"rpc://{HOST}:{server.resolver.port}")
        engine = Watched(plan, aim, None, JournalFile(tmp_path, 3))
        prepared = engine.prepare_spike(iter(range(clients)))
        began = monotonic()
        engine.spike(prepared)
        assert made == ["socket"] * clients + ["syn"] * clients
        counts = engine.run(iter(()), began).counts
        engine.close()
    assert counts.outcomes == {"ok": 2 * clients}


def test_an_interrupt(tmp_path: Path) -> None:
    """What is under way ends as the client's own doing, and no round is begun."""
    asked = threading.Semaphore(0)

    def behave(rpc: Rpc) -> None:
        rpc.bind()
        rpc.request()
        asked.release()
        rpc.peer.silence()

    with FakeRpc(exporter=behave) as server:
        plan = Plan(clients=2, requests=5, seed=3)
        aim = target.parse(f"rpc://{HOST}:{server.resolver.port}")

        def stop(counts: Counts) -> None:
            if counts.ok == 2 and not engine.over(0.0):
                asked.acquire()
                asked.acquire()
                engine.interrupt()

        engine = Engine(plan, aim, None, JournalFile(tmp_path, 3), progress=stop)
        prepared = engine.prepare_spike(iter(range(2)))
        began = monotonic()
        engine.spike(prepared)
        counts = engine.run(iter(()), began).counts
        engine.close()
    assert counts.outcomes == {"ok": 2, "wait.local": 2}
    lost = [record for record in records(tmp_path) if record.outcome != "ok"]
    assert {(record.detail, record.win32) for record in lost} == {("interrupted", 1818)}
