"""What the clients of one process share, and what becomes of them in trouble."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.client.harness import HOST, fire_at, records
from tests.support.command import environment
from tests.support.misbehaving import BYE, OK, Misbehaving, Peer, answering
from vaultstorm_client import target
from vaultstorm_client.clock import monotonic
from vaultstorm_client.engine import Engine
from vaultstorm_client.journal import JournalFile
from vaultstorm_client.plan import Plan

FIRE = """
import json, resource, socket, sys
from vaultstorm_client import burst, target
from vaultstorm_client.plan import Plan
options = json.loads(sys.argv[1])
limit = options.pop("limit", None)
if limit:
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
netns = options.pop("netns", None)
listener = socket.socket()
if netns:
    import fcntl, struct
    with socket.socket() as control:
        fcntl.ioctl(control, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as file:
        file.write("40000 40009")
    listener.bind(("127.0.0.1", 30000))
else:
    listener.bind(("127.0.0.1", 0))
listener.listen(4096)
if netns:
    from vaultstorm_client import sources
    sources.ADDRESSES_MAX = 1  # all from one address, to run out of ports
port = listener.getsockname()[1]
from pathlib import Path
aim = target.parse(f"tcp://127.0.0.1:{port}")
tally, _ = burst.run(Plan(**options), aim, None, Path(sys.argv[2]))
print(json.dumps({"outcomes": tally.counts.outcomes, "connects": tally.counts.connects}))
"""


def fire_apart(directory: Path, *prefix: str, **options: Any) -> dict[str, Any]:
    """Fire at a silent listener in a process of its own."""
    run = subprocess.run(
        [*prefix, sys.executable, "-c", FIRE, json.dumps(options), str(directory)],
        capture_output=True,
        check=False,
        env=environment(),
        text=True,
        timeout=40,
    )
    assert run.returncode == 0, run.stderr
    printed: dict[str, Any] = json.loads(run.stdout)
    found = records(directory)
    assert sum(printed["outcomes"].values()) == len(found) == options["clients"]
    assert printed["connects"] == printed["outcomes"].get("ok", 0)
    return {**printed, "records": found}


@pytest.mark.parametrize("ramp", [0.0, 0.05])
def test_out_of_descriptors(tmp_path: Path, ramp: float) -> None:
    """Who gets no descriptor is lost by the client's own doing, and everybody is accounted for."""
    fired = fire_apart(tmp_path, limit=40, clients=60, hold=1.0, ramp=ramp)
    assert set(fired["outcomes"]) == {"ok", "connect.local"}
    lost = [record for record in fired["records"] if record.outcome == "connect.local"]
    assert {record.errno for record in lost} == {"EMFILE"}
    assert {record.local for record in lost} == {None}


def test_out_of_ports(tmp_path: Path) -> None:
    """Who gets no port is lost by the client's own doing, and sent no SYN."""
    if subprocess.run(["unshare", "-n", "true"], check=False, capture_output=True).returncode:
        pytest.skip("no permission for a network namespace")
    fired = fire_apart(tmp_path, "unshare", "-n", netns=True, clients=15, hold=0.5)
    assert fired["outcomes"] == {"ok": 10, "connect.local": 5}
    lost = [record for record in fired["records"] if record.outcome == "connect.local"]
    assert {record.errno for record in lost} == {"EADDRNOTAVAIL"}


@pytest.mark.parametrize("clients", [1, 2, 300])
def test_spike(tmp_path: Path, clients: int) -> None:
    """All sockets exist before the first connect, and all connects lie between first and last."""
    made: list[str] = []

    class Watched(Engine):
        def next_connection(self) -> int:
            made.append("socket")
            return super().next_connection()

        def syn(self, instant: float) -> None:
            made.append("syn")
            instants.append(instant)
            super().syn(instant)

    instants: list[float] = []
    with Misbehaving(answering()) as server:
        plan = Plan(clients=clients, seed=3)
        aim = target.parse(f"http://{HOST}:{server.port}")
        engine = Watched(plan, aim, None, JournalFile(tmp_path, 3))
        prepared = engine.prepare_spike(iter(range(clients)))
        assert made == ["socket"] * clients
        began = monotonic()
        engine.spike(prepared)
        counts = engine.run(iter(()), began).counts
        engine.close()
    assert counts.outcomes == {"ok": clients}
    assert counts.connects == clients
    assert (counts.first_syn, counts.last_syn) == (min(instants), max(instants))
    assert began <= min(instants)
    assert instants == sorted(instants)
    assert len({record.time for record in records(tmp_path)}) == 1


def test_arrivals_and_their_schedule(tmp_path: Path) -> None:
    """Clients that arrive have the scheduled times of their arrivals, whenever they began."""
    with Misbehaving(answering()) as server:
        fired = fire_at(server, tmp_path, clients=20, rate=200.0, requests=2)
    firsts = sorted(record.time for record in fired.records if record.id.endswith("-0"))
    assert [round(later - firsts[0], 4) for later in firsts] == [
        round(n / 200, 4) for n in range(20)
    ]


@pytest.mark.parametrize("requests", [None, 1000000])
def test_duration(tmp_path: Path, requests: int | None) -> None:
    """After the duration nothing new is begun, and what is under way is finished."""
    with Misbehaving(answering()) as server:
        fired = fire_at(server, tmp_path, clients=3, requests=requests, duration=0.3)
    assert set(fired.outcomes) == {"ok"}
    begin = min(record.time for record in fired.records)
    assert all(record.start < begin + 0.3 + 0.001 for record in fired.records)


def test_interrupt(tmp_path: Path) -> None:
    """What is under way at an interrupt ends as the client's own doing; nothing is begun."""
    with Misbehaving(Peer.silence) as server:
        plan = Plan(clients=4, requests=5)
        engine = Engine(
            plan,
            target.parse(f"http://{HOST}:{server.port}"),
            None,
            JournalFile(tmp_path, 0),
            progress=lambda counts: engine.interrupt(),
        )
        engine.spike(engine.prepare_spike(iter(range(4))))
        counts = engine.run(iter(()), monotonic()).counts
        engine.close()
    assert counts.outcomes == {"wait.local": 4}
    assert {record.detail for record in records(tmp_path)} == {"interrupted"}


def test_junk_that_comes_with_the_next_request(tmp_path: Path) -> None:
    """Junk and a RST between two requests end the second one, not the burst."""

    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(OK)
        assert gate.wait(20)
        peer.say(b"junk")
        peer.reset()
        ended.set()

    class Gated(Engine):
        def request(self, request_id: str, last: bool) -> bytes:
            if request_id.endswith("-1"):
                gate.set()
                assert ended.wait(20)
            return super().request(request_id, last)

    gate, ended = threading.Event(), threading.Event()
    with Misbehaving(behave) as server:
        aim = target.parse(f"http://{HOST}:{server.port}")
        engine = Gated(Plan(clients=1, requests=2), aim, None, JournalFile(tmp_path, 0))
        engine.spike(engine.prepare_spike(iter(range(1))))
        counts = engine.run(iter(()), monotonic()).counts
        engine.close()
    assert counts.outcomes == {"ok": 1, "receive.malformed": 1}
    assert counts.reused_lost == 1


def test_latency_from_the_schedule(tmp_path: Path) -> None:
    """The total counts from when an attempt was due, the journal has both instants."""
    with Misbehaving(answering(BYE)) as server:
        record = fire_at(server, tmp_path).only
    assert record.time <= record.start <= record.end
