"""Agents on real sockets: against a good vault, and against bad ones."""

import json
import signal
import ssl
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.client.fake_vault import FakeVault, Said, refuses, says, serving
from tests.client.harness import HOST, Fired, fire, fire_at
from tests.support.misbehaving import Behaviour, Misbehaving, Peer
from vaultstorm_client import target
from vaultstorm_client.clock import monotonic
from vaultstorm_client.engine import Engine
from vaultstorm_client.journal import JournalFile
from vaultstorm_client.plan import Plan
from vaultstorm_client.tally import Counts

SMALL: dict[str, Any] = {
    "workload": "agent",
    "blocks": 3,
    "block_sizes": "100*3,9000",
    "requests": 2,
}


def agents(server: Misbehaving, directory: Path, **options: Any) -> Fired:
    """Send agents to a server; one with two small snapshots unless `options` say otherwise."""
    return fire_at(server, directory, **{**SMALL, **options})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"lanes": 1},
        {"lanes": 30, "blocks": 1},
        {"clients": 5, "block_sizes": "300000"},
        {"clients": 3, "ramp": 0.05},
        {"clients": 2, "keep_alive": False},
        {"clients": 2, "think": 0.01},
        {"clients": 4, "processes": 2},
    ],
    ids=["plain", "one-lane", "more-lanes", "large", "ramp", "no-keep-alive", "think", "processes"],
)
def test_a_good_vault(tmp_path: Path, options: dict[str, Any]) -> None:
    """Every snapshot is committed and read back, and every acknowledgement is in the journal."""
    vault = FakeVault()
    with Misbehaving(serving(vault)) as server:
        fired = agents(server, tmp_path, **options)
    clients, blocks = options.get("clients", 1), options.get("blocks", 3)
    told = fired.result["vault"]
    assert told["snapshots"] == {"begun": 2 * clients, "committed": 2 * clients, "failed": 0,
                                 "cut": 0}  # fmt: skip
    assert told["acknowledged"]["blocks"] == 2 * clients * blocks == vault.put.total()
    assert told["verified"]["blocks"] == (2 * blocks + 1) * clients
    assert told["verified"]["snapshots"] == (2 + 1) * clients
    assert (told["lost"], told["corrupt"], vault.open) == (0, 0, set())
    assert fired.outcomes == {"ok": len(vault.calls)}
    kept = {record.name: record.sha256 for record in fired.acknowledged}
    assert set(kept) == set(vault.blocks) | set(vault.snapshots)
    if options.get("keep_alive", True):
        assert fired.tally.counts.connects <= clients * fired.plan.lanes
    else:
        assert fired.tally.counts.connects == len(vault.calls)


def test_through_tls(tmp_path: Path, served: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    """Blocks go through TLS both ways, larger ones than a record included, below any base."""
    vault = FakeVault("/a/vault")
    with Misbehaving(serving(vault), served) as server:
        fired = agents(
            server, tmp_path, scheme="https", tls=trusting, path="/a/vault/", block_sizes="200000",
        )  # fmt: skip
    assert fired.result["vault"]["snapshots"]["committed"] == 2


def test_several_processes_share_the_agents(tmp_path: Path) -> None:
    """What is put is the same, however many processes and lanes put it."""
    put = []
    for nth, options in enumerate([{}, {"processes": 3}, {"lanes": 1}]):
        vault = FakeVault()
        with Misbehaving(serving(vault)) as server:
            agents(server, tmp_path / str(nth), clients=3, **options)
        put.append((vault.put, vault.snapshots))
    assert put[0] == put[1] == put[2]


def test_only_the_first_lane_connects_in_a_spike(tmp_path: Path) -> None:
    """An agent has one thing to do at first: the others connect when there is something to put."""

    def refusing(method: str, path: str, said: Said) -> Said:
        return refuses(503, "full")

    with Misbehaving(serving(FakeVault(twist=refusing))) as server:
        fired = agents(server, tmp_path, clients=7, requests=1)
    assert fired.outcomes == {"http.503": 7}
    assert (server.connections, fired.tally.counts.connects) == (7, 7)


def test_wrong_bytes(tmp_path: Path) -> None:
    """A block that comes back changed is corrupt, once, and no failed request."""

    def change(method: str, path: str, said: Said) -> Said:
        if method != "GET" or path.rpartition("/")[2] != sorted(vault.blocks)[0]:
            return said
        return 200, said[1][:-1] + bytes([said[1][-1] ^ 1])

    vault = FakeVault(twist=change)
    with Misbehaving(serving(vault)) as server:
        fired = agents(server, tmp_path, requests=1)
    told = fired.result["vault"]
    assert (told["corrupt"], told["lost"], told["snapshots"]["committed"]) == (1, 0, 1)
    (found,) = told["findings"]
    (shown,) = [record for record in fired.records if record.id == found["id"]]
    assert (shown.outcome, found["name"]) == ("ok", sorted(vault.blocks)[0])
    assert set(fired.outcomes) == {"ok"}


def test_an_endless_answer_is_not_kept(tmp_path: Path) -> None:
    """A block that comes back far too long is corrupt, and takes the memory of a right one."""

    def grow(method: str, path: str, said: Said) -> Said:
        return (200, said[1] + bytes(3 << 20)) if "/blocks/" in path and method == "GET" else said

    with Misbehaving(serving(FakeVault(twist=grow))) as server:
        fired = agents(server, tmp_path, requests=1)
    assert fired.result["vault"]["corrupt"] == 3


def test_a_lost_block(tmp_path: Path) -> None:
    """A block that was acknowledged and is not known any more is lost."""

    def forget(method: str, path: str, said: Said) -> Said:
        return refuses(404, "unknown_block") if method == "GET" and "/blocks/" in path else said

    with Misbehaving(serving(FakeVault(twist=forget))) as server:
        fired = agents(server, tmp_path, lanes=1, requests=1)
    told = fired.result["vault"]
    assert (told["lost"], told["corrupt"], told["snapshots"]["failed"]) == (1, 0, 1)
    assert fired.outcomes["http.404"] == 1
    (found,) = told["findings"]
    assert (found["what"], found["detail"]) == ("lost", "404 unknown_block")
    assert [record.outcome for record in fired.records if record.id == found["id"]] == ["http.404"]


def test_findings_of_several_processes(tmp_path: Path) -> None:
    """They come with the counts of each process."""

    def forget(method: str, path: str, said: Said) -> Said:
        return (404, b"") if method == "GET" and "/blocks/" in path else said

    with Misbehaving(serving(FakeVault(twist=forget))) as server:
        fired = agents(server, tmp_path, clients=2, processes=2, lanes=1, requests=1)
    told = fired.result["vault"]
    assert (told["lost"], len(told["findings"])) == (2, 2)
    assert list(told["failures"]) == ["read"]


@pytest.mark.parametrize(
    "nth, how, outcome",
    [
        (2, Peer.silence, "wait.timeout"),
        (0, Peer.finish, "wait.closed"),
        (2, Peer.finish, "wait.closed"),
        (4, Peer.finish, "wait.closed"),
        (5, Peer.finish, "wait.closed"),
        (2, Peer.reset, "wait.reset"),
        (2, lambda peer: peer.say(b"nonsense\r\n\r\n"), "receive.malformed"),
    ],
    ids=["silence", "open", "put", "commit", "verify", "reset", "nonsense"],
)
def test_a_call_that_is_lost(tmp_path: Path, nth: int, how: Behaviour, outcome: str) -> None:
    """It ends its snapshot, is never sent again, and the next one has a new interface."""

    def instead(peer: Peer, before: int) -> bool:
        if before == nth:
            how(peer)
        return before == nth

    vault = FakeVault()
    patience = 1.5 if outcome == "wait.timeout" else 20.0
    with Misbehaving(serving(vault, instead)) as server:
        fired = agents(server, tmp_path, lanes=1, response_timeout=patience)
    snapshots = fired.result["vault"]["snapshots"]
    assert snapshots == {"begun": 2, "committed": 1, "failed": 1, "cut": 0}
    assert {name for name in fired.outcomes if name != "ok"} == {outcome}
    assert vault.opened == 2
    assert vault.calls[nth + 1] == "POST interfaces"


def test_nobody_listens(tmp_path: Path) -> None:
    """Each snapshot fails by its first connection, and nothing goes on for ever."""
    with Misbehaving(Peer.silence) as server:
        port = server.port
    fired = fire(port, tmp_path, clients=2, **SMALL)
    assert fired.outcomes == {"connect.refused": 4}
    assert fired.result["vault"]["snapshots"]["failed"] == 4


def test_a_lane_that_is_closed_while_it_waits(tmp_path: Path) -> None:
    """Its connection ends while others are at work: counted as idle, and it makes a new one."""
    gone = threading.Event()

    def hold(method: str, path: str, said: Said) -> Said:
        if path.endswith("/verify"):
            assert gone.wait(20)
        return said

    def behave(peer: Peer) -> None:
        if peer.number != 1:
            good(peer)
            return
        for _ in range(2):  # the second lane has the manifest and one block to read
            request = peer.request()
            assert request is not None
            name = request.split(b" ")[1].rpartition(b"/")[2].decode()
            content = {**vault.blocks, **vault.snapshots}[name]
            peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
        peer.finish()
        gone.set()

    vault = FakeVault(twist=hold)
    good = serving(vault)
    with Misbehaving(behave) as server:
        fired = agents(server, tmp_path, lanes=2, blocks=1)
    assert fired.tally.counts.idle_closed == 1
    assert fired.result["vault"]["snapshots"]["committed"] == 2
    assert set(fired.outcomes) == {"ok"}


def test_duration(tmp_path: Path) -> None:
    """When the time is over nothing is begun, what is out is waited for, the snapshot is cut."""
    over = threading.Event()

    def hold(method: str, path: str, said: Said) -> Said:
        if path.endswith("/verify"):
            assert over.wait(20)
        return said

    def tick(counts: Counts) -> None:
        if engine.over(monotonic()):
            over.set()

    with Misbehaving(serving(FakeVault(twist=hold))) as server:
        plan = Plan(clients=1, seed=5, lanes=1, duration=0.3, **SMALL)
        aim = target.parse(f"http://{HOST}:{server.port}")
        engine = Engine(plan, aim, None, JournalFile(tmp_path, 5), progress=tick)
        engine.spike(engine.prepare_spike(iter(range(1))))
        counts = engine.run(iter(()), monotonic()).counts
        engine.close()
    vault = counts.vault
    assert (vault.begun, vault.committed, vault.failed, vault.cut) == (1, 0, 0, 1)
    assert set(counts.outcomes) == {"ok"}


def test_thinking_ends_with_the_duration(tmp_path: Path) -> None:
    """An agent that rests when the time is over does not keep the burst from ending."""
    with Misbehaving(serving(FakeVault())) as server:
        fired = agents(server, tmp_path, clients=2, requests=None, think=3000.0, duration=0.3)
    snapshots = fired.result["vault"]["snapshots"]
    assert (snapshots["begun"], snapshots["failed"]) == (2, 0)


def test_interrupt(tmp_path: Path) -> None:
    """What is out ends as the client's own doing, and the snapshots under way are cut."""
    hung: list[str] = []

    def hang(method: str, path: str, said: Said) -> Said | None:
        if "/blocks/" not in path:
            return said
        hung.append(path)
        return None

    def interrupt(counts: Counts) -> None:
        if len(hung) == 6:
            signal.raise_signal(signal.SIGINT)

    with Misbehaving(serving(FakeVault(twist=hang))) as server:
        fired = agents(server, tmp_path, clients=2, lanes=8, progress=interrupt)
    assert fired.outcomes == {"ok": 2, "wait.local": 6}
    told = fired.result
    assert told["interrupted"] is True
    assert told["vault"]["snapshots"] == {"begun": 2, "committed": 0, "failed": 0, "cut": 2}


def test_ids(tmp_path: Path) -> None:
    """Attempts are numbered per agent, over all of its lanes."""
    with Misbehaving(serving(FakeVault())) as server:
        fired = agents(server, tmp_path, clients=2)
    numbers = Counter(record.id.split("-")[1] for record in fired.records)
    assert sorted(record.id for record in fired.records) == sorted(
        f"{7:016x}-{agent}-{made}" for agent in (0, 1) for made in range(numbers[str(agent)])
    )


def test_a_foreign_server(tmp_path: Path) -> None:
    """One that says ok to everything and means nothing fails every snapshot, and no more."""

    def anything(method: str, path: str, said: Said) -> Said:
        return says(201, ok=True)

    with Misbehaving(serving(FakeVault(twist=anything))) as server:
        fired = agents(server, tmp_path, clients=2)
    assert fired.outcomes == {"ok": 4}
    assert fired.result["vault"]["snapshots"]["failed"] == 4
    assert fired.result["vault"]["failures"] == {
        "open": "the answer to opening an interface was 201 from something that is no vault"
    }
    assert json.dumps(fired.result)
