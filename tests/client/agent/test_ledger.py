"""What is counted, what is kept, and that a finding counts once."""

import msgspec

from vaultstorm_client.agent.ledger import (
    FINDINGS,
    KEPT,
    Finding,
    Found,
    Kept,
    Ledger,
    VaultCounts,
)

LOST, CORRUPT = Finding.LOST, Finding.CORRUPT


def kept(number: int) -> Kept:
    """Make a snapshot."""
    return Kept(number, f"s{number}", b"manifest")


def found(ledger: Ledger) -> tuple[int, int]:
    """Give how much is lost and how much corrupt."""
    return ledger.counts.lost, ledger.counts.corrupt


def test_the_last_ones_are_kept() -> None:
    """A long run keeps as many snapshots as a short one, and counts all."""
    ledger = Ledger(VaultCounts())
    for number in range(KEPT + 10):
        ledger.begin()
        ledger.acknowledge_snapshot(kept(number))
    assert [one.number for one in ledger.older(KEPT + 10)] == list(range(10, KEPT + 10))
    assert [one.number for one in ledger.older(11)] == [10]
    assert ledger.older(10) == []
    assert ledger.counts.acknowledged_snapshots == KEPT + 10
    assert ledger.counts.acknowledged_bytes == 8 * (KEPT + 10)


def test_a_finding_counts_once() -> None:
    """However often it is met in one snapshot, and never in a later one."""
    ledger = Ledger(VaultCounts())
    ledger.begin()
    for finding, name in [(LOST, "a"), (LOST, "a"), (CORRUPT, "b"), (CORRUPT, "b"), (LOST, "c")]:
        ledger.find(Found(finding, "block", name), False, 0)
    assert found(ledger) == (2, 1)


def test_damaged_and_gone_is_lost() -> None:
    """What one call calls damaged and another one does not find counts as lost, in any order."""
    for order in ((LOST, CORRUPT), (CORRUPT, LOST), (CORRUPT, LOST, CORRUPT)):
        ledger = Ledger(VaultCounts())
        ledger.begin()
        for finding in order:
            ledger.find(Found(finding, "block", "a"), False, 0)
        assert found(ledger) == (1, 0)
        assert ledger.counts.findings == [Found(LOST, "block", "a")]


def test_common_blocks_are_remembered() -> None:
    """A common block that is lost is met again in other snapshots, and counts once."""
    ledger = Ledger(VaultCounts())
    for number in range(3):
        ledger.begin()
        ledger.find(Found(LOST, "block", "pool"), True, number)
        ledger.find(Found(LOST, "block", "own"), False, number)
    assert found(ledger) == (4, 0)


def test_what_has_a_finding_is_not_read_again() -> None:
    """A snapshot of which something is lost or corrupt is no longer one of the older ones."""
    ledger = Ledger(VaultCounts())
    for number in range(3):
        ledger.acknowledge_snapshot(kept(number))
    ledger.find(Found(CORRUPT, "block", "a"), False, 1)
    assert [one.number for one in ledger.older(9)] == [0, 2]
    for number in range(3, 3 + KEPT):
        ledger.acknowledge_snapshot(kept(number))
    assert len(ledger.older(99)) == KEPT


def test_a_common_block_counts_for_each_agent() -> None:
    """It was acknowledged to each of them: what misses it is each one's loss, once."""
    counts = VaultCounts()
    for ledger in (Ledger(counts), Ledger(counts)):
        for number in range(2):
            ledger.begin()
            ledger.find(Found(LOST, "block", "pool"), True, number)
    assert (counts.lost, len(counts.findings)) == (2, 2)


def test_findings_are_told_up_to_a_bound() -> None:
    """The first FINDINGS are kept, and all are counted."""
    ledger = Ledger(VaultCounts())
    for nth in range(FINDINGS + 1):
        ledger.find(Found(CORRUPT, "block", str(nth)), False, 0)
    ledger.find(Found(LOST, "block", str(FINDINGS)), False, 0)
    ledger.find(Found(LOST, "block", "0"), False, 0)
    assert found(ledger) == (2, FINDINGS - 1)
    assert [one.name for one in ledger.counts.findings] == [str(nth) for nth in range(FINDINGS)]
    assert ledger.counts.findings[0].what is LOST


def test_the_first_reason_of_each_kind_is_kept() -> None:
    """However many snapshots fail, and for whatever reasons, there is one for each kind."""
    ledger = Ledger(VaultCounts())
    for kind, reason in (("open", "a"), ("put", "b"), ("open", "c")):
        ledger.fail(kind, reason)
    assert ledger.counts.failures == {"open": "a", "put": "b"}


def test_counts_add_up() -> None:
    """Counts of several processes are added, member by member; findings stay bounded."""
    names = [name for name, ours in msgspec.to_builtins(VaultCounts()).items() if ours == 0]
    one = VaultCounts(**{name: nth for nth, name in enumerate(names)})  # type: ignore[arg-type]
    other = VaultCounts(**dict.fromkeys(names, 100))  # type: ignore[arg-type]
    one.findings = [Found(LOST, "block", "a")] * (FINDINGS - 1)
    other.findings = [Found(LOST, "block", "b"), Found(LOST, "block", "c")]
    one.failures, other.failures = {"open": "a"}, {"open": "b", "put": "c"}
    one.add(other)
    assert [getattr(one, name) for name in names] == [100 + nth for nth in range(len(names))]
    assert [found.name for found in one.findings] == ["a"] * (FINDINGS - 1) + ["b"]
    assert one.failures == {"open": "a", "put": "c"}


def test_agents_may_share_counts() -> None:
    """Each ledger is one agent's, and counts into what it was given."""
    counts = VaultCounts()
    for ledger in (Ledger(counts), Ledger(counts)):
        ledger.begin()
        ledger.acknowledge_block(5)
        ledger.verify_block(5)
        ledger.verify_snapshot(2)
    assert counts == VaultCounts(
        agents=2, begun=2, acknowledged_blocks=2, acknowledged_bytes=10,
        verified_blocks=2, verified_snapshots=2, verified_bytes=14,
    )  # fmt: skip
