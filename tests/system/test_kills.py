"""kill -9 over the worker processes and the front process, while agents write (bench kills)."""

from pathlib import Path

from bench import certificate, kills, servers
from bench.interface import Interface
from bench.kills import Kill
from bench.setup import Setup
from bench.writers import Acknowledged, block_of

PLAN = [
    Kill(front=False, early=False, after_ms=120, which=0.0),
    Kill(front=False, early=False, after_ms=30, which=0.99),
    Kill(front=True, early=False, after_ms=150, which=0.0),
    Kill(front=False, early=True, after_ms=20, which=0.5),
    Kill(front=False, early=False, after_ms=60, which=0.5),
    Kill(front=True, early=False, after_ms=100, which=0.0),
]


def test_nothing_acknowledged_is_lost_or_changed(tmp_path: Path) -> None:
    """Four workers and two front processes die under load; every block and snapshot is read."""
    found = kills.campaign(Setup(tmp_path, certificate.make(tmp_path)), PLAN)
    assert found.kills == len(PLAN)
    assert found.blocks >= sum(not kill.early for kill in PLAN)
    assert (found.lost, found.changed, found.leftovers) == ([], [], [])


def test_what_is_lost_and_what_is_changed_is_found(tmp_path: Path) -> None:
    """A block that is gone, one that is damaged and a snapshot that is cut are told apart."""
    kept = tmp_path / "vault"
    acknowledged = Acknowledged()
    shown = certificate.make(tmp_path)
    with servers.vaultstorm(tmp_path, shown, f"--set=vault.Directory={kept}") as server:
        with Interface(server.port) as vault:
            for source in ("gone", "damaged", "whole"):
                block = block_of(source) + source.encode()
                name, _ = vault.put_request(block)
                vault.put(name, block)
                acknowledged.block(name, source)
            vault.commit("cut", b'{"blocks": []}')
            acknowledged.snapshot("cut", b'{"blocks": []}')
        gone, damaged, whole = acknowledged.blocks
        (kept / "blocks" / gone).unlink()
        (kept / "blocks" / damaged).write_bytes(b"other bytes")
        (kept / "snapshots" / "cut").write_bytes(b'{"blocks": [')
        lost, changed = kills.read_back(server.port, acknowledged)

    assert lost == [f"blocks/{gone}: 404"]
    assert sorted(changed) == sorted(
        [f"blocks/{damaged}: 500", f"blocks/{whole}: 200", "snapshots/cut: 500"]
    )


def test_a_plan_is_made_of_its_seed() -> None:
    """The same seed gives the same kills, of workers and of fronts, early and under load."""
    plan = kills.plan(39579, 200)
    assert plan == kills.plan(39579, 200)
    assert plan != kills.plan(39580, 200)
    assert plan[:6] == kills.plan(39579, 6)
    for of in (lambda kill: kill.front, lambda kill: kill.early):
        assert 20 < sum(map(of, plan)) < 100
