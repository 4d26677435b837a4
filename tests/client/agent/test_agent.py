"""An agent goes through its steps, whatever ends first, and stops at the first wrong answer."""

import hashlib
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.client.agent.driving import Driven, Pick, first, last
from tests.client.fake_vault import FakeVault, Said, Twist, refuses, says
from vaultstorm_client.agent.agent import NEVER, Rest, Step
from vaultstorm_client.agent.calls import Call, Kind
from vaultstorm_client.agent.ledger import KEPT

ORDER = (Kind.OPEN, Kind.PUT, Kind.COMMIT, Kind.VERIFY, Kind.READ, Kind.READ_MANIFEST, Kind.CLOSE)


def twisted(method: str, ends: str, twist: Any, nth: int = 0) -> Twist:
    """Say `twist` (or what it makes of the answer) to the n-th call of a method on such a path."""
    seen = Counter[bool]()

    def change(called: str, path: str, said: Said) -> Said | None:
        if called != method or ends not in path:
            return said
        seen[True] += 1
        if seen[True] - 1 != nth:
            return said
        changed: Said | None = twist(said) if callable(twist) else twist
        return changed

    return change


@pytest.mark.parametrize("pick", [first, last], ids=["in-order", "last-first"])
@pytest.mark.parametrize("lanes", [1, 2, 4, 8, 9, 30])
@pytest.mark.parametrize("blocks", [1, 4, 8])
def test_every_step_with_its_calls(lanes: int, blocks: int, pick: Pick) -> None:
    """Each snapshot opens, puts all, commits, reads all back and an older piece, and closes."""
    vault = FakeVault()
    driven = Driven(lanes, blocks, snapshots=3).run(vault, pick)
    assert driven.agent.step is Step.RETIRED
    count = Counter(driven.kinds)
    assert [count[kind] for kind in ORDER] == [3, 3 * blocks, 3, 3, 3 * blocks + 2, 3 + 2, 3]
    counts = driven.counts
    assert (counts.begun, counts.committed, counts.lost, counts.corrupt) == (3, 3, 0, 0)
    assert counts.acknowledged_blocks == sum(vault.put.values()) == 3 * blocks
    assert counts.acknowledged_snapshots == len(vault.snapshots) == 3
    assert (counts.verified_blocks, counts.verified_snapshots) == (3 * blocks + 2, 3 + 2)
    assert vault.open == set()
    assert driven.most == min(lanes, blocks + 4)


def test_what_a_snapshot_calls_in_order() -> None:
    """With one lane the steps stand in the order they have, verify before the read-backs."""
    driven = Driven(lanes=1, blocks=2, snapshots=2).run(FakeVault())
    body = [Kind.OPEN, Kind.PUT, Kind.PUT, Kind.COMMIT, Kind.VERIFY]
    body += [Kind.READ_MANIFEST, Kind.READ, Kind.READ]
    older = [Kind.READ, Kind.READ_MANIFEST]
    assert driven.kinds == [*body, Kind.CLOSE, *body, *older, Kind.CLOSE]


def test_the_manifest_names_what_was_put() -> None:
    """Every block in the order of the snapshot, under the name its bytes have."""
    vault = FakeVault()
    driven = Driven(blocks=8).run(vault, last)
    (name,) = vault.snapshots
    named = json.loads(vault.snapshots[name])["blocks"]
    put = [call.name for call in driven.made if call.kind is Kind.PUT]
    assert named == put
    assert all(hashlib.sha256(vault.blocks[block]).hexdigest() == block for block in named)
    (commit,) = [call for call in driven.made if call.kind is Kind.COMMIT]
    assert commit.sha256 == hashlib.sha256(vault.snapshots[name]).hexdigest()


@given(data=st.data(), lanes=st.integers(1, 6), blocks=st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_any_order_of_endings(data: st.DataObject, lanes: int, blocks: int) -> None:
    """Whatever ends first, and wherever a call is lost, none is made twice or forgotten."""
    losses = data.draw(st.sets(st.integers(0, 30), max_size=2))
    ends = iter(range(10**6))
    vault = FakeVault()
    driven = Driven(lanes, blocks, snapshots=3).run(
        vault,
        lambda out: data.draw(st.integers(0, out - 1)),
        lambda call: next(ends) in losses,
    )
    counts = driven.counts
    assert driven.agent.step is Step.RETIRED
    assert counts.begun == 3 == counts.committed + counts.failed
    assert counts.failed <= len(losses)
    assert counts.committed or losses
    assert driven.most <= lanes
    assert counts.lost == counts.corrupt == 0
    assert counts.acknowledged_blocks + counts.acknowledged_snapshots == len(driven.acknowledged)
    assert len(vault.open) <= counts.failed  # they are left behind


@pytest.mark.parametrize("kind", ORDER)
@pytest.mark.parametrize("lost", [True, False], ids=["lost", "refused"])
def test_a_failure_at_each_step(kind: Kind, lost: bool) -> None:
    """A call that is lost or refused ends its snapshot; the next begins with a new interface."""
    made: list[Call] = []

    def failing(call: Call) -> bool:
        made.append(call)
        return lost and call.kind is kind and sum(c.kind is kind for c in made) == 1

    ending = {
        Kind.OPEN: ("POST", "/interfaces"), Kind.PUT: ("PUT", "/blocks/"),
        Kind.COMMIT: ("PUT", "/snapshots/"), Kind.VERIFY: ("POST", "/verify"),
        Kind.READ: ("GET", "/blocks/"), Kind.READ_MANIFEST: ("GET", "/snapshots/"),
        Kind.CLOSE: ("DELETE", ""),
    }[kind]  # fmt: skip
    vault = FakeVault(twist=None if lost else twisted(*ending, refuses(500, "exception")))
    driven = Driven(lanes=1, blocks=3, snapshots=3).run(vault, lose=failing)
    assert (driven.counts.begun, driven.counts.committed, driven.counts.failed) == (3, 2, 1)
    at = next(nth for nth, call in enumerate(made) if call.kind is kind)
    assert made[at + 1].kind is Kind.OPEN
    assert driven.counts.lost == driven.counts.corrupt == 0
    if kind not in (Kind.OPEN, Kind.CLOSE):
        assert vault.open == {"i1"}


def test_the_running_ones_finish() -> None:
    """After a failure nothing is begun before the calls that are out have ended, and they count."""
    vault = FakeVault()
    driven = Driven(lanes=3, blocks=8, snapshots=2)
    driven.run(vault, calls=1)
    kinds_before = len(driven.made)
    driven.run(vault, lose=lambda call: True, calls=1)
    assert driven.agent.next(0.0) == Rest(NEVER)
    assert driven.counts.failed == 0
    driven.run(vault, calls=2)
    assert (driven.counts.failed, driven.counts.acknowledged_blocks) == (1, 2)
    assert driven.kinds[kinds_before:] == [Kind.PUT, Kind.PUT, Kind.PUT]
    driven.run(vault)
    assert (driven.counts.begun, driven.counts.committed, vault.opened) == (2, 1, 2)


@pytest.mark.parametrize(
    "method, ends, said",
    [
        ("POST", "/interfaces", (201, b"")),
        ("POST", "/interfaces", (201, b"<html>")),
        ("POST", "/interfaces", says(201, face="i1")),
        ("POST", "/interfaces", says(201, interface="a b")),
        ("POST", "/interfaces", says(302, interface="i1")),
        ("PUT", "/blocks/", (201, b"")),
        ("PUT", "/blocks/", says(201, block="0" * 64)),
        ("PUT", "/blocks/", (204, b"")),
        ("PUT", "/snapshots/", says(201, snapshot="another")),
        ("POST", "/verify", says(200)),
        ("POST", "/verify", says(200, damaged=["0" * 64])),
        ("POST", "/verify", says(200, damaged=[[]])),
        ("GET", "/blocks/", (206, b"")),
        ("POST", "/verify", says(200, damaged=[], blocks=8)),
        ("GET", "/blocks/", (500, b"<html>")),
        ("GET", "/blocks/", says(500, code=["damaged"])),
        ("GET", "/blocks/", says(500, code="exception")),
        ("DELETE", "", (302, b"")),
    ],
)  # fmt: skip
def test_nonsense_fails_the_snapshot(method: str, ends: str, said: Said) -> None:
    """What is no answer of a vault's fails the snapshot, and is no finding about data."""
    driven = Driven(snapshots=2).run(FakeVault(twist=twisted(method, ends, said)))
    counts = driven.counts
    assert (counts.failed, counts.committed, counts.lost, counts.corrupt) == (1, 1, 0, 0)


def test_what_was_not_named_is_not_acknowledged() -> None:
    """A 201 for another block is no word for this one."""
    driven = Driven(lanes=1, blocks=1).run(
        FakeVault(twist=twisted("PUT", "/blocks/", says(201, block="x")))
    )
    assert (driven.acknowledged, driven.counts.acknowledged_blocks) == ([], 0)


def drop_one(vault: FakeVault) -> Twist:
    """Forget a block right after it was acknowledged."""

    def change(method: str, path: str, said: Said) -> Said:
        if method == "PUT" and "/snapshots/" in path:
            del vault.blocks[json.loads(vault.snapshots[path.rsplit("/")[-1]])["blocks"][0]]
        return said

    return change


def test_a_lost_block() -> None:
    """A block that was acknowledged and is gone counts once, as lost, though a verify met it."""
    vault = FakeVault()
    vault.twist = drop_one(vault)
    counts = Driven(lanes=2).run(vault).counts
    assert (counts.lost, counts.corrupt, counts.failed) == (1, 0, 1)


def changed(said: Said, **content: Any) -> Said:
    """Say something else in the same answer."""
    return says(said[0], **{**json.loads(said[1]), **content})


@pytest.mark.parametrize(
    "method, ends, said, lost, corrupt, failed",
    [
        ("GET", "/blocks/", lambda said: (200, said[1][:-1]), 0, 1, 0),
        ("GET", "/blocks/", lambda said: (200, said[1] + b"x"), 0, 1, 0),
        ("GET", "/blocks/", (200, b""), 0, 1, 0),
        ("GET", "/blocks/", lambda said: (200, b"\0" + said[1][1:]), 0, 1, 0),
        ("GET", "/blocks/", refuses(500, "damaged"), 0, 1, 1),
        ("GET", "/blocks/", refuses(404, "unknown_block"), 1, 0, 1),
        ("GET", "/blocks/", refuses(404, "unknown_interface"), 0, 0, 1),
        ("GET", "/snapshots/", refuses(404, "unknown_snapshot"), 1, 0, 1),
        ("GET", "/snapshots/", refuses(500, "damaged"), 0, 1, 1),
        ("GET", "/snapshots/", lambda said: (200, said[1] + b" "), 0, 1, 0),
        ("POST", "/verify", refuses(404, "unknown_snapshot"), 1, 0, 1),
        ("POST", "/verify", refuses(500, "damaged"), 0, 1, 1),
        ("POST", "/verify", refuses(400, "malformed_manifest"), 0, 1, 1),
        ("POST", "/verify", (404, b"not here"), 1, 0, 1),
        ("POST", "/verify", refuses(404, "unknown_interface"), 0, 0, 1),
        ("POST", "/verify", lambda said: changed(said, blocks=7), 0, 1, 0),
        ("POST", "/verify", lambda said: changed(said, blocks=9), 0, 1, 0),
        ("POST", "/verify", lambda said: changed(said, blocks=True), 0, 0, 1),
        ("POST", "/verify", lambda said: changed(said, snapshot="another"), 0, 0, 1),
        ("POST", "/verify", lambda said: changed(said, damaged=["0" * 64]), 0, 1, 0),
        ("GET", "/snapshots/", refuses(400, "malformed_manifest"), 0, 1, 1),
        ("GET", "/snapshots/", (404, b""), 1, 0, 1),
        ("GET", "/snapshots/", refuses(404, "unknown_interface"), 0, 0, 1),
        ("GET", "/blocks/", (404, b"<html>Not Found"), 1, 0, 1),
        ("GET", "/blocks/", says(404, code=["unknown_block"]), 1, 0, 1),
        ("PUT", "/blocks/", refuses(507, "full"), 0, 0, 1),
    ],
)  # fmt: skip
def test_findings(method: str, ends: str, said: Any, lost: int, corrupt: int, failed: int) -> None:
    """Each answer about acknowledged data is what it says: lost, corrupt, or a mere failure."""
    counts = Driven(snapshots=3).run(FakeVault(twist=twisted(method, ends, said))).counts
    assert (counts.lost, counts.corrupt, counts.failed) == (lost, corrupt, failed)


def test_a_verify_that_finds_damage() -> None:
    """Each damaged block counts once, although the read-back of it is refused as damaged, too."""

    def damage(method: str, path: str, said: Said) -> Said:
        if path.endswith("/verify"):
            named = json.loads(next(iter(vault.snapshots.values())))["blocks"]
            return changed(said, damaged=[*named[:2], named[0]])
        return refuses(500, "damaged") if "/blocks/" in path and method == "GET" else said

    vault = FakeVault(twist=damage)
    counts = Driven(lanes=1, blocks=4).run(vault).counts
    assert (counts.lost, counts.corrupt) == (0, 2)


@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_a_manifest_that_is_kept_wrong_from_the_start(blocks: int) -> None:
    """It is read back at once, not only when it is an older one: even the only snapshot's."""

    def keep_other(method: str, path: str, said: Said) -> Said:
        if method == "PUT" and "/snapshots/" in path:
            named = json.loads(vault.snapshots[path.rpartition("/")[2]])["blocks"]
            other = json.dumps({"blocks": named[:blocks]}).encode()
            vault.snapshots[path.rpartition("/")[2]] = other
        return said

    vault = FakeVault(twist=keep_other)
    counts = Driven(lanes=1, blocks=2, snapshots=1).run(vault).counts
    assert (counts.corrupt, counts.lost, counts.failed) == (1, 0, 0)
    assert counts.verified_snapshots == 0


@pytest.mark.parametrize(
    "method, ends, said, expected",
    [
        ("GET", "/blocks/", (200, b""), ("corrupt", "block", "r5", "0 of")),
        ("GET", "/blocks/", (404, b""), ("lost", "block", "r5", "404 without")),
        ("GET", "/snapshots/", (200, b""), ("corrupt", "snapshot", "r4", "0 of")),
        ("POST", "/verify", refuses(500, "damaged"), ("corrupt", "snapshot", "r3", "500 damaged")),
        ("POST", "/verify", lambda said: changed(said, blocks=3),
         ("corrupt", "snapshot", "r3", "verify has 3 blocks")),
    ],
)  # fmt: skip
def test_which(method: str, ends: str, said: Any, expected: tuple[str, ...]) -> None:
    """A finding names what it is about, the request that showed it, and how it did."""
    driven = Driven(lanes=1, blocks=1).run(FakeVault(twist=twisted(method, ends, said)))
    (found,) = driven.counts.findings
    assert (found.what.value, found.kind, found.id) == expected[:3]
    assert found.detail.startswith(expected[3])
    assert found.name == driven.acknowledged[found.kind == "snapshot"]


def test_which_blocks() -> None:
    """Blocks that a verify calls damaged, or that a commit misses, are named one by one."""

    def damage(method: str, path: str, said: Said) -> Said:
        named = list(vault.blocks)
        return changed(said, damaged=named) if path.endswith("/verify") else said

    def miss(method: str, path: str, said: Said) -> Said:
        if "/snapshots/" not in path:
            return said
        return refuses(409, "missing_blocks", missing=list(vault.blocks))

    for twist, what in ((damage, "corrupt"), (miss, "lost")):
        vault = FakeVault(twist=twist)
        found = Driven(lanes=1, blocks=3).run(vault).counts.findings
        assert [one.name for one in found] == list(vault.blocks)
        assert {(one.what.value, one.kind) for one in found} == {(what, "block")}


def test_why_snapshots_fail() -> None:
    """The first reason of each kind of call is kept, and none of what the burst's end cuts."""
    vault = FakeVault(twist=twisted("POST", "/interfaces", (404, b"")))
    driven = Driven(lanes=1, blocks=1, snapshots=3).run(vault, calls=1)
    driven.run(vault, lose=lambda call: call.kind is Kind.PUT, calls=2)
    driven.run(vault, lose=lambda call: call.kind is Kind.PUT, calls=1)
    driven.agent.stop()
    driven.finish(vault)
    assert driven.counts.failures == {
        "open": "the answer to opening an interface was 404 from something that is no vault",
        "put": "putting a block had no complete answer",
    }
    cut = Driven(lanes=1, blocks=1).run(vault, calls=1)
    call = cut.agent.next(0.0)
    assert isinstance(call, Call)
    cut.agent.stop()
    cut.agent.ended(call, None, 0.0)
    assert (cut.counts.cut, cut.counts.failures) == (1, {})


def test_blocks_that_a_commit_misses_are_lost() -> None:
    """All blocks have been acknowledged when a snapshot is committed: a missing one is lost."""

    def forget(method: str, path: str, said: Said) -> Said:
        if "/snapshots/" not in path:
            return said
        names = list(vault.blocks)
        return refuses(409, "missing_blocks", missing=[names[0], names[1], names[0], "other"])

    vault = FakeVault(twist=forget)
    driven = Driven(lanes=1, blocks=4).run(vault)
    assert (driven.counts.lost, driven.counts.failed) == (2, 1)


def test_a_block_that_is_gone_for_good_is_one_loss() -> None:
    """A vault that loses one thing is found out once, however long the run."""

    def lose(method: str, path: str, said: Said) -> Said:
        return refuses(404, "unknown_block") if method == "GET" and gone in path else said

    vault = FakeVault()
    gone = Driven(lanes=1, blocks=2, snapshots=1).run(vault).made[1].name
    vault.twist = lose
    counts = Driven(lanes=1, blocks=2, snapshots=10).run(vault).counts
    assert (counts.lost, counts.failed) == (1, 1)


def test_older_ones_are_read_back() -> None:
    """Each snapshot reads its own manifest, and that of one of the last before it."""
    driven = Driven(lanes=1, blocks=2, snapshots=KEPT + 30).run(FakeVault())
    number, seen = 0, Counter[int]()
    for call in driven.made:
        number += call.kind is Kind.OPEN
        if call.kind is Kind.READ_MANIFEST:
            back = number - 1 - call.snapshot
            assert 0 <= back < KEPT
            seen[back] += 1
    assert len(seen) > KEPT // 2
    assert seen.pop(0) == KEPT + 30 == seen.total() + 1


def test_the_same_from_the_same_seed() -> None:
    """The calls of an agent follow from the seed and its number, however many lanes it has."""

    def calls(lanes: int, seed: int = 7, index: int = 0) -> list[Call]:
        driven = Driven(lanes, snapshots=4, seed=seed, index=index).run(FakeVault(), last)
        return sorted(driven.made, key=str)

    assert calls(4) == calls(4) == calls(1)
    assert calls(4) != calls(4, index=1)
    assert calls(4) != calls(4, seed=8)


def test_thinking() -> None:
    """Between two snapshots, and after a failed one, it rests until its time has come."""
    vault = FakeVault()
    driven = Driven(lanes=2, snapshots=3, think=5.0)
    driven.run(vault, now=100.0)
    assert driven.agent.next(104.9) == Rest(105.0)
    driven.run(vault, now=105.0, lose=lambda call: call.kind is Kind.PUT)
    assert driven.agent.next(109.0) == Rest(110.0)
    driven.run(vault, now=111.0)
    assert driven.agent.next(111.0) is None
    assert (driven.counts.committed, driven.counts.failed) == (2, 1)


@pytest.mark.parametrize("calls, cut", [(0, 0), (1, 1), (5, 1), (10, 1), (20, 1), (21, 0)])
def test_stopping(calls: int, cut: int) -> None:
    """A snapshot that the burst's end comes before is cut, neither committed nor failed."""
    vault = FakeVault()
    driven = Driven(lanes=3, blocks=8, snapshots=1)
    driven.run(vault, calls=calls)
    driven.agent.stop()
    driven.agent.stop()
    driven.finish(vault)
    counts = driven.counts
    assert (counts.begun, counts.cut, counts.failed) == (int(calls > 0), cut, 0)
    assert counts.committed == int(calls > 0) - cut
    assert driven.agent.next(0.0) is None


def test_stopping_a_failed_one() -> None:
    """One that had failed before the burst's end has failed, and counts once."""
    vault = FakeVault()
    driven = Driven(lanes=3, blocks=8).run(vault, calls=1)
    driven.run(vault, lose=lambda call: True, calls=1)
    driven.agent.stop()
    driven.finish(vault)
    assert (driven.counts.begun, driven.counts.failed, driven.counts.cut) == (1, 1, 0)


def test_no_end() -> None:
    """Without a number of snapshots it goes on until it is stopped."""
    driven = Driven(lanes=1, blocks=1, snapshots=None).run(FakeVault(), calls=1000)
    assert driven.counts.committed > 100
